# SPDX-License-Identifier: BSD-3-Clause
"""Graphs of ONNX that recommend or encode as a fitted model does, for services without Python."""

from os import PathLike
from typing import Any

import numpy as np

from ._engine._learner import NetworkLearner
from ._engine._onnx_layers import add_part
from ._extras import asks_to_install
from ._numerics._entries import as_dense
from ._recommend import preference_of
from ._typing import Estimator
from ._validation import check_count, check_is_fitted
from ._wrapping import has_steps_before, innermost, reads_histories, recommender_of
from .base import _products_of, _scores_of_empty_row
from .feature_learning import Autoencoder
from .recommenders import ReconstructionRecommender

_OPSET, _IR_VERSION = 17, 8
# A file of ONNX holds no more bytes.
_MOST_BYTES = 2**31 - 2**20


def to_onnx(model: Estimator, path: str | PathLike[str], *, n_recommendations: int = 10) -> None:
    """Write a graph of ONNX that recommends, or encodes, what a fitted model does.

    Use it if your service is not written in Python: ONNX Runtime runs the graph in C++, C#, Java,
    JavaScript and more. It takes factor models, `EASERecommender`, `RidgeRecommender`, an
    `Autoencoder` or `DomainAdversarialAutoencoder`, and a `ReconstructionRecommender` of an
    `Autoencoder`.

    Parameters
    ----------
    model : estimator
        A fitted recommender or autoencoder, or a `Pipeline` of one step, search or
        `FrozenEstimator` that holds one. Steps before it need graphs of their own: pass the last
        step alone, and feed its graph with what they make of the rows.
    path : str or path-like
        The file, usually named ``*.onnx``.
    n_recommendations : int, default=10
        Number of items for each row, from 1 to `n_items_`. Not used for an autoencoder.

    Raises
    ------
    ImportError
        If the package onnx is not installed.
    TypeError
        If the model is no product with a matrix and no dense network.
    ValueError
        If the model is a `Pipeline` of several steps, or needs 2 GiB or more, which a file of ONNX
        cannot hold.

    See Also
    --------
    save : A file for Python, of any model.
    recommend : What the graph of a recommender computes.

    Notes
    -----
    The graph of a recommender has two inputs and two outputs:

    - ``row_factors``, float32 of shape (n_rows, n_components), what `transform` of a factor model
      returns; or ``rows``, float32 of shape (n_rows, n_features_in_), for the others;
    - ``excluded``, bool of shape (n_rows, n_items_): items that must not be recommended, such as
      those that a row already has;
    - ``items``, int64, and ``scores``, float32, of shape (n_rows, n_recommendations), as
      `recommend` returns them: items with equal scores by popularity, then by column, and -1 with
      -inf where too few are left.

    That of an autoencoder has the input ``rows`` and the output ``features``, what `transform`
    returns; the scaling of rows to length one (``normalize``) is part of it.

    Factors do not tell whether a row is empty, so recommend what is popular to such rows yourself;
    a graph that reads ``rows`` does it. Scores agree with those of `recommend` but for rounding.
    It needs ``pip install "sktransrec[onnx]"``.

    Examples
    --------
    >>> from sktransrec import EASERecommender, to_onnx
    >>> model = EASERecommender().fit([[1, 0, 1], [1, 1, 0], [1, 0, 0]])
    >>> to_onnx(model, "ease.onnx", n_recommendations=2)  # doctest: +SKIP
    """
    with asks_to_install('to_onnx needs the package onnx: pip install "sktransrec[onnx]"'):
        import onnx  # noqa: F401
    estimator = innermost(model)
    if has_steps_before(model):
        raise ValueError(
            f"to_onnx writes one step, and {type(estimator).__name__} reads what other steps of "
            "model make of the rows: pass model[-1], and feed its graph with what "
            "model[:-1].transform returns."
        )
    if isinstance(estimator, NetworkLearner) and not hasattr(estimator, "recommend"):
        check_is_fitted(estimator)
        graph = _features(estimator)
    else:
        recommender = recommender_of(estimator)
        check_is_fitted(recommender)
        check_count(
            n_recommendations, name="n_recommendations", maximum=recommender.n_items_, of="n_items_"
        )
        graph = _recommendations(recommender, n_recommendations)
    _save(graph, path)


class _Graph:
    """A graph under construction."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._n_bytes = 0

    def input(self, name: str, *n_columns: int, dtype: Any = np.float32) -> str:
        self._inputs.append(self._value(name, n_columns, dtype))
        return name

    def output(self, name: str, *n_columns: int, dtype: Any = np.float32) -> None:
        self._outputs.append(self._value(name, n_columns, dtype))

    @staticmethod
    def _value(name: str, n_columns: tuple[int, ...], dtype: Any) -> Any:
        from onnx import helper

        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return helper.make_tensor_value_info(name, kind, ["n_rows", *n_columns])

    def constant(self, name: str, value: Any, dtype: Any = np.float32) -> str:
        from onnx import numpy_helper

        array = np.ascontiguousarray(np.asarray(value, dtype=dtype))
        self._n_bytes += array.nbytes
        if self._n_bytes > _MOST_BYTES:
            raise ValueError(
                f"The model has {self._n_bytes:,} bytes and more, and a file of ONNX holds less "
                "than 2 GiB: choose fewer components, or fit a model of factors."
            )
        self._constants.append(numpy_helper.from_array(array.reshape(np.shape(value)), name))
        return name

    def node(self, kind: str, inputs: list[str], *outputs: str, **attributes: Any) -> str:
        from onnx import helper

        self._nodes.append(helper.make_node(kind, inputs, list(outputs), **attributes))
        return outputs[0]

    def finished(self) -> Any:
        from onnx import helper

        return helper.make_graph(
            self._nodes, self._name, self._inputs, self._outputs, self._constants
        )


def _features(learner: Any) -> Any:
    """Return the graph of the encoder of a feature learner."""
    graph = _Graph("transform")
    graph.node("Identity", [add_part(graph, learner, "encoder", "rows")], "features")
    graph.input("rows", learner.n_features_in_)
    graph.output("features", len(learner.get_feature_names_out()))
    return graph.finished()


def _recommendations(recommender: Any, k: int) -> Any:
    """Return the graph of a recommender; its items stand in the order of preference.

    TopK takes the first of equal scores.
    """
    graph, order = _Graph("recommend"), preference_of(recommender).order
    if isinstance(recommender, ReconstructionRecommender):
        scores = _reconstructed(graph, recommender, order)
    else:
        scores = _products(graph, recommender, order)
    _add_ranking(graph, scores, recommender, order, k)
    return graph.finished()


def _products(graph: _Graph, recommender: Any, order: np.ndarray) -> str:
    """Add scores that are a product with a matrix, in the given order."""
    products = _products_of(recommender)
    if products is not None:
        V, bias = products
        inputs = graph.input("row_factors", V.shape[1])
        return _product(graph, inputs, V[order], 0 if bias is None else bias[order])
    if not hasattr(recommender, "coef_") or reads_histories(recommender):
        raise TypeError(
            f"The scores of {type(recommender).__name__} are no product with a matrix: to_onnx "
            "takes factor models, such as ALSRecommender, EASERecommender, RidgeRecommender and "
            "autoencoders. Use save for a file that Python reads."
        )
    coef = as_dense(recommender.coef_)
    bias = np.broadcast_to(getattr(recommender, "intercept_", 0), len(coef))
    rows = graph.input("rows", coef.shape[1])
    scores = _product(graph, rows, coef[order], bias[order])
    return _scores_of_empty_rows(graph, rows, scores, recommender, order)


def _product(graph: _Graph, inputs: str, matrix: np.ndarray, bias: Any) -> str:
    product = graph.node("MatMul", [inputs, graph.constant("matrix", matrix.T)], "products")
    return graph.node("Add", [product, graph.constant("bias", bias)], "scores_by_product")


def _reconstructed(graph: _Graph, recommender: Any, order: np.ndarray) -> str:
    """Add the scores that a network reconstructs, in the given order."""
    learner = recommender.transformer_
    if not isinstance(learner, Autoencoder):
        raise TypeError(
            f"to_onnx takes a ReconstructionRecommender of an Autoencoder, not of {learner!r}. "
            "Use save for a file that Python reads."
        )
    rows = graph.input("rows", learner.n_features_in_)
    codes = add_part(graph, learner, "encoder", rows)
    scores = add_part(graph, learner, "decoder", codes)
    columns = graph.constant("order", order, np.int64)
    scores = graph.node("Gather", [scores, columns], "reconstruction", axis=1)
    return _scores_of_empty_rows(graph, rows, scores, recommender, order)


def _scores_of_empty_rows(
    graph: _Graph, rows: str, scores: str, recommender: Any, order: np.ndarray
) -> str:
    known = graph.constant("scores_of_empty_row", _scores_of_empty_row(recommender)[order])
    size = graph.node("ReduceL1", [rows], "size", axes=[1], keepdims=1)
    is_empty = graph.node("Equal", [size, graph.constant("no_size", 0)], "is_empty")
    return graph.node("Where", [is_empty, known, scores], "scores_of_rows")


def _add_ranking(graph: _Graph, scores: str, recommender: Any, order: np.ndarray, k: int) -> None:
    """Add the best items of scores that stand in the order of preference."""
    withheld = getattr(recommender, "withheld_items_", None)
    if withheld is not None:
        never = graph.constant("never", np.where(withheld, -np.inf, 0)[order])
        scores = graph.node("Add", [scores, never], "scores_of_offered")
    columns = graph.constant("columns", order, np.int64)
    lowest = graph.constant("lowest", -np.inf)
    excluded = graph.input("excluded", len(order), dtype=bool)
    is_out = graph.node("Gather", [excluded, columns], "is_out", axis=1)
    eligible = graph.node("Where", [is_out, lowest, scores], "eligible")
    n_best = graph.constant("n_best", [k], np.int64)
    graph.node("TopK", [eligible, n_best], "scores", "places", axis=1)
    best = graph.node("Gather", [columns, "places"], "best")
    is_none = graph.node("Equal", ["scores", lowest], "is_none")
    graph.node("Where", [is_none, graph.constant("none", -1, np.int64), best], "items")
    graph.output("items", k, dtype=np.int64)
    graph.output("scores", k)


def _save(graph: Any, path: str | PathLike[str]) -> None:
    import onnx

    opset = [onnx.helper.make_opsetid("", _OPSET)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=_IR_VERSION)
    onnx.save(model, path)
