"""Contributions sum to the score where this is claimed, and are differences of scores elsewhere."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from sktransrec import (
    ALSRecommender,
    EASERecommender,
    GraphFilterRecommender,
    ItemKNNRecommender,
    NextItemRecommender,
    PopularityRecommender,
    RidgeRecommender,
    VotingRecommender,
    recommend,
)
from sktransrec.base import InDomainRecommender
from sktransrec.datasets import make_cross_domain
from sktransrec.inspection import explain

EXACT = {
    "neighbours": ItemKNNRecommender(),
    "neighbours, cosine": ItemKNNRecommender(n_neighbors=5, shrinkage=0.0),
    "EASE": EASERecommender(10.0),
    "EASE, dual": EASERecommender(10.0, solver="dual"),
    "graph filter": GraphFilterRecommender(n_components=8, random_state=0),
    "ALS": ALSRecommender(n_components=8, random_state=0),
    "ALS, scaled": ALSRecommender(n_components=40, scale_regularization=True, random_state=0),
}


@pytest.fixture(scope="module")
def domains():
    return make_cross_domain(
        120, 40, 30, n_cold_users=0, source_density=0.2, target_density=0.1, random_state=0
    )


def _weighted(X):
    """Return interactions with strengths."""
    rng = np.random.default_rng(0)
    return sp.csr_array((rng.uniform(1, 3, X.nnz).astype(np.float32), X.indices, X.indptr), X.shape)


@pytest.mark.parametrize("model", EXACT.values(), ids=EXACT)
def test_contributions_sum_to_the_score(domains, model):
    X = _weighted(domains.X_source)
    model = model.fit(X)
    for row in (0, 7):
        found = explain(FrozenEstimator(model), X[[row]], items=np.arange(40))
        assert found.is_exact
        assert_array_equal(found.columns, X[[row]].indices)
        scores = model.decision_function(X[[row]])[0]
        assert_allclose(found.scores, scores, rtol=1e-6)
        assert_allclose(found.contributions.sum(axis=1), scores, atol=1e-5 * np.abs(scores).max())
        assert_allclose(found.rest, 0, atol=1e-5 * np.abs(scores).max())


@pytest.mark.parametrize("solver", ["primal", "dual"])
def test_the_rest_of_a_regression_is_its_intercept(domains, solver):
    X, y = _weighted(domains.X_source), domains.Y_target
    model = RidgeRecommender(10.0, solver=solver).fit(X, y)
    found = explain(model, X[[3]], items=np.arange(30))
    assert_allclose(found.rest, model.intercept_, atol=1e-5)
    expected = X[[3]].data[:, None] * model.coef_.T[X[[3]].indices]
    assert_allclose(found.contributions, expected.T, atol=1e-5)


def test_an_added_item_adds_its_contribution_to_linear_scores(domains):
    X = domains.X_source
    model = EASERecommender(10.0).fit(X)
    found = explain(model, X[[0]], items=[5])
    without = X[[0]].toarray()
    without[0, found.columns[1]] = 0
    difference = found.scores[0] - model.decision_function(without)[0, 5]
    assert_allclose(found.contributions[0, 1], difference, atol=1e-6)


class Products(InDomainRecommender):
    """Score an item by the product of what the row has and the shared column."""

    def _fit(self, X):
        pass

    def _score_rows(self, X):
        return np.prod(1 + X.toarray(), axis=1, keepdims=True) * np.ones(X.shape[1])


def test_other_models_are_asked_without_each_entry():
    X = np.array([[1.0, 0, 3, 0], [0, 1, 0, 1]])
    found = explain(Products().fit(X), X[[0]], items=[1])
    assert not found.is_exact
    assert_array_equal(found.columns, [0, 2])
    assert_allclose(found.contributions, [[8 - 4, 8 - 2]])
    assert_allclose(found.rest, 8 - 4 - 6)
    assert "what the score loses without it" in str(found)


def test_ensembles_and_pipelines_are_asked_without_each_entry(domains):
    X = _weighted(domains.X_source)
    vote = VotingRecommender([("a", ItemKNNRecommender()), ("b", PopularityRecommender())])
    for model in (vote, make_pipeline(MaxAbsScaler(), EASERecommender(10.0))):
        found = explain(model.fit(X), X[[2]], n_recommendations=3)
        assert not found.is_exact
        items, scores = recommend(model, X[[2]], n_recommendations=3)
        assert_array_equal(found.items, items[0])
        assert_allclose(found.scores, scores[0], rtol=1e-6)
        assert_array_equal(found.columns, X[[2]].indices)
    assert_allclose(found.rest, 0, atol=1e-6)


def test_histories_lose_a_step_at_a_time():
    rng = np.random.default_rng(0)
    X = rng.integers(1, 9, size=(30, 5))
    X[:, 4] = 0
    model = NextItemRecommender(
        "gru", n_components=4, n_layers=1, epochs=1, random_state=0, run_eagerly=True
    ).fit(X)
    found = explain(model, X[[0]], items=[2, 6])
    assert_array_equal(found.columns, X[0, :4] - 1)
    without_second = np.array([[X[0, 0], X[0, 2], X[0, 3], 0, 0]])
    difference = found.scores - model.decision_function(without_second)[0, [2, 6]]
    assert_allclose(found.contributions[:, 1], difference, atol=1e-6)


def test_a_row_without_entries_has_only_a_rest(domains):
    X = domains.X_source
    for model in (EASERecommender(), VotingRecommender([("a", ItemKNNRecommender())])):
        found = explain(model.fit(X), sp.csr_array((1, 40)), items=[1, 2])
        assert found.contributions.shape == (2, 0)
        assert_allclose(found.rest, found.scores)
        assert found.strongest(1) == []


def test_the_strongest_reasons_in_words_and_as_a_frame():
    X = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1], [1, 1, 0, 0]])
    found = explain(EASERecommender(1.0).fit(X), [[1, 0, 0, 1]], items=[1, 2])
    assert found.strongest(1)[0] == (0, pytest.approx(found.contributions[0, 0]))
    assert found.strongest(2, n_reasons=1)[0][0] == 3
    frame = found.to_frame()
    assert len(frame) == 4
    assert_allclose(frame["contribution"], found.contributions.ravel())
    assert f"item 1, score {found.scores[0]:.4f}: 0: +" in str(found)


def test_bad_rows_and_items_are_named(domains):
    X = domains.X_source
    model = EASERecommender().fit(X)
    with pytest.raises(ValueError, match="X has 2 rows: pass a single one"):
        explain(model, X[:2])
    with pytest.raises(ValueError, match="X has 2 rows"):
        model.score_parts(X[:2])
    with pytest.raises(ValueError, match="items must lie between 0 and 39"):
        explain(model, X[[0]], items=[40])
