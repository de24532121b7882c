# SPDX-License-Identifier: BSD-3-Clause
"""Graphs of ONNX that rank items as a fitted recommender does, for services without Python."""

from os import PathLike
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from ._numerics._top_k import Preference
from ._recommend import preference_of
from ._typing import Estimator
from ._validation import check_count, check_is_fitted
from ._wrapping import reads_histories, recommender_of
from .base import _products_of

_OPSET, _IR_VERSION = 17, 8
# A file of ONNX holds no more bytes.
_MOST_BYTES = 2**31 - 2**20


class _Product(NamedTuple):
    """Scores that are inputs @ matrix + bias; empty rows have others, or are no inputs."""

    inputs: str
    matrix: np.ndarray
    bias: np.ndarray
    of_empty_rows: np.ndarray | None


def to_onnx(model: Estimator, path: str | PathLike[str], *, n_recommendations: int = 10) -> None:
    """Write a graph of ONNX that recommends what a fitted recommender does.

    Use it if your service is not written in Python: ONNX Runtime runs the graph in C++, C#, Java,
    JavaScript and more. It takes recommenders whose scores are a product with a matrix: factor
    models, `EASERecommender` and `RidgeRecommender`.

    Parameters
    ----------
    model : estimator
        A fitted recommender, or a `Pipeline`, search or `FrozenEstimator` that holds one. The graph
        begins where the recommender does: take the earlier steps of a pipeline before it.
    path : str or path-like
        The file, usually named ``*.onnx``.
    n_recommendations : int, default=10
        Number of items for each row, from 1 to `n_items_`.

    Raises
    ------
    ImportError
        If the package onnx is not installed.
    TypeError
        If the scores are no product with a matrix.
    ValueError
        If the matrix needs 2 GiB or more, which a file of ONNX cannot hold.

    See Also
    --------
    save : A file for Python, of any model.
    recommend : What the graph computes.

    Notes
    -----
    The graph has two inputs and two outputs:

    - ``row_factors``, float32 of shape (n_rows, n_components), what `transform` of a factor model
      returns; or ``rows``, float32 of shape (n_rows, n_features_in_), for the others;
    - ``excluded``, bool of shape (n_rows, n_items_): items that must not be recommended, such as
      those that a row already has;
    - ``items``, int64, and ``scores``, float32, of shape (n_rows, n_recommendations), as
      `recommend` returns them: items with equal scores by popularity, then by column, and -1 with
      -inf where too few are left.

    Factors do not tell whether a row is empty, so recommend what is popular to such rows yourself;
    a graph that reads ``rows`` does it. Scores agree with those of `recommend` but for rounding.
    It needs ``pip install sktransrec[onnx]``.

    Examples
    --------
    >>> from sktransrec import EASERecommender, to_onnx
    >>> model = EASERecommender().fit([[1, 0, 1], [1, 1, 0], [1, 0, 0]])
    >>> to_onnx(model, "ease.onnx", n_recommendations=2)  # doctest: +SKIP
    """
    _require_onnx()
    recommender = recommender_of(model)
    check_is_fitted(recommender)
    n_items = recommender.n_items_
    check_count(n_recommendations, name="n_recommendations", maximum=n_items, of="n_items_")
    product = _product_of(recommender)
    if product.matrix.nbytes > _MOST_BYTES:
        raise ValueError(
            f"The matrix of {type(recommender).__name__} has {product.matrix.nbytes:,} bytes, and "
            "a file of ONNX holds less than 2 GiB: choose fewer components, or fit a model of "
            "factors."
        )
    withheld = getattr(recommender, "withheld_items_", None)
    _save(_graph(product, withheld, preference_of(recommender), n_recommendations), path)


def _require_onnx():
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise ImportError("to_onnx needs the package onnx: pip install sktransrec[onnx]") from error


def _product_of(recommender):
    products = _products_of(recommender)
    if products is not None:
        V, bias = products
        bias = np.zeros(len(V)) if bias is None else bias
        return _Product("row_factors", V.T, bias, None)
    if not hasattr(recommender, "coef_") or reads_histories(recommender):
        raise TypeError(
            f"The scores of {type(recommender).__name__} are no product with a matrix: to_onnx "
            "takes factor models, such as ALSRecommender, EASERecommender and RidgeRecommender. "
            "Use save for a file that Python reads."
        )
    coef = recommender.coef_
    coef = coef.toarray() if sp.issparse(coef) else coef
    bias = np.broadcast_to(getattr(recommender, "intercept_", 0), len(coef))
    return _Product("rows", coef.T, bias, recommender.popularity_)


class _Graph:
    """Nodes and constants of a graph under construction."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, name: str, value: Any, dtype: Any = np.float32) -> str:
        from onnx import numpy_helper

        array = np.ascontiguousarray(np.asarray(value, dtype=dtype))
        self.constants.append(numpy_helper.from_array(array.reshape(np.shape(value)), name))
        return name

    def node(self, kind: str, inputs: list[str], *outputs: str, **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, list(outputs), **attributes))
        return outputs[0]


def _graph(product: _Product, withheld: Any, preference: Preference, k: int) -> Any:
    """Return the graph; its items stand in the order of preference, as TopK prefers the first."""
    from onnx import TensorProto, helper

    graph, order = _Graph(), preference.order
    never = np.zeros(len(order)) if withheld is None else np.where(withheld, -np.inf, 0)
    matrix = graph.constant("matrix", product.matrix[:, order])
    bias = graph.constant("bias", (product.bias + never)[order])
    scores = graph.node("MatMul", [product.inputs, matrix], "products")
    scores = graph.node("Add", [scores, bias], "all_scores")
    if product.of_empty_rows is not None:
        popular = graph.constant("popularity", (product.of_empty_rows + never)[order])
        size = graph.node("ReduceL1", [product.inputs], "size", axes=[1], keepdims=1)
        is_empty = graph.node("Equal", [size, graph.constant("zero", 0)], "is_empty")
        scores = graph.node("Where", [is_empty, popular, scores], "scores_of_rows")
    columns = graph.constant("columns", order, np.int64)
    lowest = graph.constant("lowest", -np.inf)
    is_out = graph.node("Gather", ["excluded", columns], "is_out", axis=1)
    eligible = graph.node("Where", [is_out, lowest, scores], "eligible")
    n_best = graph.constant("n_best", [k], np.int64)
    graph.node("TopK", [eligible, n_best], "scores", "places", axis=1)
    best = graph.node("Gather", [columns, "places"], "best")
    is_none = graph.node("Equal", ["scores", lowest], "is_none")
    graph.node("Where", [is_none, graph.constant("none", -1, np.int64), best], "items")
    value, n_inputs, n_items = helper.make_tensor_value_info, *product.matrix.shape
    return helper.make_graph(
        graph.nodes,
        "recommend",
        [
            value(product.inputs, TensorProto.FLOAT, ["n_rows", n_inputs]),
            value("excluded", TensorProto.BOOL, ["n_rows", n_items]),
        ],
        [
            value("items", TensorProto.INT64, ["n_rows", k]),
            value("scores", TensorProto.FLOAT, ["n_rows", k]),
        ],
        graph.constants,
    )


def _save(graph: Any, path: str | PathLike[str]) -> None:
    import onnx

    opset = [onnx.helper.make_opsetid("", _OPSET)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=_IR_VERSION)
    onnx.save(model, path)
