# SPDX-License-Identifier: BSD-3-Clause
"""The graph of ONNX recommends what the recommender does."""

import sys

import numpy as np
import pytest
import scipy.sparse as sp
from _instances import RECOMMENDERS, are_first
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import NMF
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Binarizer

from sktransrec import (
    ALSRecommender,
    Autoencoder,
    CNNEncoder,
    DomainAdversarialAutoencoder,
    EASERecommender,
    GraphFilterRecommender,
    PopularityRecommender,
    ReconstructionRecommender,
    RidgeRecommender,
    recommend,
    to_onnx,
)
from sktransrec._engine._seeded_layers import ACTIVATIONS
from sktransrec._wrapping import reads_histories
from sktransrec.base import FactorRecommenderMixin, InDomainRecommender
from sktransrec.testing._samples import domain, seen_items

onnx = pytest.importorskip("onnx")


def answers(path, inputs, outputs=("items", "scores")):
    """Return what the runtime makes of inputs, or the reference of ONNX where there is none."""
    onnx.checker.check_model(str(path), full_check=True)
    try:
        from onnxruntime import InferenceSession
    except ImportError:
        from onnx.reference import ReferenceEvaluator as InferenceSession
    return InferenceSession(str(path)).run(list(outputs), inputs)


def inputs_of(model, X, excluded):
    X = X.toarray() if sp.issparse(X) else X
    given = {"rows": X} if hasattr(model, "coef_") else {"row_factors": model.transform(X)}
    return {**given, "excluded": excluded}


def has_product(estimator):
    kind = type(estimator)
    own = getattr(kind, "_score_rows", None)
    return hasattr(kind, "coef_") or own is FactorRecommenderMixin._score_rows


PRODUCTS = [each for each in RECOMMENDERS if has_product(each)]
PRODUCTS = [
    each
    for each, is_first in zip(PRODUCTS, are_first(map(repr, PRODUCTS)), strict=True)
    if is_first and getattr(each, "item_features", None) is None
]


@pytest.mark.parametrize("estimator", PRODUCTS, ids=lambda each: repr(each)[:40])
def test_graphs_recommend_what_models_do(estimator, tmp_path):
    X, y = domain(estimator)
    model = clone(estimator).fit(X, y)
    n_items, path = model.n_items_, tmp_path / "model.onnx"
    to_onnx(model, path, n_recommendations=n_items)
    seen = np.zeros((X.shape[0], n_items), dtype=bool)
    if y is None or reads_histories(estimator):
        seen = seen_items(model, X)[:, :n_items]
    items, scores = answers(path, inputs_of(model, X, seen))
    _, expected = model.recommend(X, n_recommendations=n_items, exclude_interactions=seen)
    assert_allclose(scores, expected, rtol=1e-4, atol=1e-5)
    assert_array_equal(items == -1, expected == -np.inf)
    all_scores = model.decision_function(X)
    found = items >= 0
    own = np.take_along_axis(all_scores, items, axis=1)
    assert_allclose(own[found], scores[found], rtol=1e-4, atol=1e-5)


class IntegerFactors(FactorRecommenderMixin, InDomainRecommender):
    """Scores with many ties, which are exact."""

    def _fit(self, X):
        self.item_factors_ = (np.arange(X.shape[1]) % 3)[:, None].astype(np.float32)

    def _row_factors(self, X):
        return np.ones((X.shape[0], 1), dtype=np.float32)

    @property
    def withheld_items_(self):
        return np.arange(self.n_items_) == 2


def test_ties_and_withheld_items(tmp_path):
    X = (np.random.default_rng(0).random((20, 9)) < 0.4).astype(np.float32)
    X[:, 0] = 1
    model = IntegerFactors().fit(X)
    to_onnx(model, tmp_path / "a.onnx", n_recommendations=7)
    excluded = X > 0
    items, scores = answers(tmp_path / "a.onnx", inputs_of(model, X, excluded))
    expected_items, expected_scores = model.recommend(X, n_recommendations=7)
    assert_array_equal(items, expected_items)
    assert_array_equal(scores, expected_scores)


@pytest.mark.parametrize("n_empty", [0, 5])
@pytest.mark.parametrize("model", [EASERecommender(), RidgeRecommender(1.0)])
def test_empty_rows_get_what_they_get_of_the_model(model, n_empty, tmp_path):
    X = (np.random.default_rng(0).random((30, 6)) < 0.4).astype(np.float32)
    X[:, 0] = 1
    y, X[:n_empty] = X.copy(), 0
    pipeline = make_pipeline(clone(model)).fit(X, y)
    to_onnx(pipeline, tmp_path / "a.onnx", n_recommendations=6)
    rows = np.zeros((1, 6), dtype=np.float32)
    items, scores = answers(tmp_path / "a.onnx", {"rows": rows, "excluded": rows > 0})
    expected = recommend(pipeline, rows, n_recommendations=6)
    assert_array_equal(items, expected[0])
    assert_allclose(scores, expected[1])


def test_steps_before_the_last_are_refused(tmp_path):
    X = rows_of_taste()
    pipeline = make_pipeline(Binarizer(), EASERecommender()).fit(X)
    with pytest.raises(ValueError, match=r"EASERecommender reads what other steps .* model\[-1\]"):
        to_onnx(FrozenEstimator(pipeline), tmp_path / "a.onnx", n_recommendations=2)
    to_onnx(pipeline[-1], tmp_path / "a.onnx", n_recommendations=2)
    rows = pipeline[:-1].transform(X)
    items, _ = answers(tmp_path / "a.onnx", {"rows": rows, "excluded": X > 0})
    assert_array_equal(items, recommend(pipeline, X, n_recommendations=2)[0])


def rows_of_taste():
    return (np.random.default_rng(0).random((40, 7)) < 0.4).astype(np.float32)


def tiny(learner=Autoencoder, **parameters):
    settings = {"hidden_layer_sizes": (5,), "epochs": 1, "run_eagerly": True, "random_state": 0}
    return learner(3, **{**settings, **parameters})


@pytest.mark.parametrize(
    "learner",
    [
        tiny(kind="variational", loss="multinomial"),
        tiny(hidden_layer_sizes=(), loss="multinomial"),
        tiny(loss="binary_crossentropy", normalize=True, code_activation="tanh"),
        tiny(DomainAdversarialAutoencoder),
    ],
)
def test_graphs_encode_what_autoencoders_do(learner, tmp_path):
    X = rows_of_taste()
    learner = clone(learner).fit(X).set_params(n_components=9)  # the network keeps its own
    to_onnx(make_pipeline(learner), tmp_path / "a.onnx")
    X[0] = 0
    (features,) = answers(tmp_path / "a.onnx", {"rows": X}, ["features"])
    assert_allclose(features, learner.transform(X), rtol=1e-4, atol=1e-6)


def test_graphs_know_every_activation(tmp_path):
    X = rows_of_taste() - 0.5
    for activation in ACTIVATIONS:
        learner = tiny(hidden_layer_sizes=(), code_activation=activation).fit(X)
        to_onnx(learner, tmp_path / "a.onnx")
        (features,) = answers(tmp_path / "a.onnx", {"rows": 4 * X}, ["features"])
        assert_allclose(features, learner.transform(4 * X), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("loss", ["multinomial", "mse", "binary_crossentropy"])
def test_graphs_rank_what_autoencoders_reconstruct(loss, tmp_path):
    X = rows_of_taste()
    model = ReconstructionRecommender(tiny(loss=loss)).fit(X)
    to_onnx(model, tmp_path / "a.onnx", n_recommendations=7)
    X[0] = 0
    items, scores = answers(tmp_path / "a.onnx", {"rows": X, "excluded": X > 0})
    expected_items, expected_scores = model.recommend(X, n_recommendations=7)
    assert_array_equal(items, expected_items)
    assert_allclose(scores, expected_scores, rtol=1e-4, atol=1e-6)


def test_what_is_no_product_is_refused(tmp_path):
    X = (np.random.default_rng(0).random((30, 6)) < 0.4).astype(np.float32)
    for model in (GraphFilterRecommender(2), PopularityRecommender()):
        with pytest.raises(TypeError, match="are no product with a matrix"):
            to_onnx(model.fit(X), tmp_path / "a.onnx", n_recommendations=2)
    with pytest.raises(ValueError, match="n_recommendations must be an integer from 1 to"):
        to_onnx(ALSRecommender(2).fit(X), tmp_path / "a.onnx", n_recommendations=7)
    reconstruction = ReconstructionRecommender(NMF(2, random_state=0)).fit(X)
    with pytest.raises(TypeError, match="takes a ReconstructionRecommender of an Autoencoder"):
        to_onnx(reconstruction, tmp_path / "a.onnx", n_recommendations=2)
    assert not list(tmp_path.iterdir())


def test_what_is_no_dense_network_is_refused(tmp_path):
    X = rows_of_taste()
    convolutional = CNNEncoder(2, epochs=1, run_eagerly=True, random_state=0)
    convolutional.fit(np.random.default_rng(0).random((6, 4, 4, 1)))
    of_two_domains = ReconstructionRecommender(tiny(DomainAdversarialAutoencoder)).fit(X)
    with pytest.raises(TypeError, match="The encoder of CNNEncoder has layers"):
        to_onnx(convolutional, tmp_path / "a.onnx")
    with pytest.raises(TypeError, match="not of DomainAdversarialAutoencoder"):
        to_onnx(of_two_domains, tmp_path / "a.onnx", n_recommendations=2)
    assert not list(tmp_path.iterdir())


def test_without_the_package_the_error_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r'pip install "sktransrec\[onnx\]"'):
        to_onnx(PopularityRecommender().fit([[1, 0]]), tmp_path / "model.onnx")
