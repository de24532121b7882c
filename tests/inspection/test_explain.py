# SPDX-License-Identifier: BSD-3-Clause
"""Contributions sum to the score where this is claimed, and are differences of scores elsewhere."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from _instances import RECOMMENDERS
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from sktransrec import (
    ALSRecommender,
    BiasedMFRecommender,
    BM25Transformer,
    BPRRecommender,
    BridgeRecommender,
    CollectiveMFRecommender,
    ContentKNNRecommender,
    DecayedHistory,
    DiscountedRecommender,
    EASERecommender,
    GraphFilterRecommender,
    HistoryRecommender,
    HybridRecommender,
    ItemFeatures,
    ItemKNNRecommender,
    NextItemRecommender,
    NextItemRidgeRecommender,
    PopularityRecommender,
    ProcrustesRegressor,
    ReconstructionRecommender,
    RidgeRecommender,
    SegmentPopularityRecommender,
    SourceSelectorRecommender,
    StackingRecommender,
    SwitchingRecommender,
    TransferGate,
    TransitionRecommender,
    VotingRecommender,
    recommend,
)
from sktransrec.base import InDomainRecommender
from sktransrec.datasets import make_cross_domain
from sktransrec.ensembles._evidence import tempered
from sktransrec.inspection import explain
from sktransrec.testing._samples import domain

pytestmark = pytest.mark.usefixtures("few_draws")

ALS = ALSRecommender(n_components=8, random_state=0)
EASE, RIDGE = EASERecommender(10.0), RidgeRecommender(10.0)
FEATURES = ItemFeatures(np.random.default_rng(0).uniform(0, 1, (40, 6)))
MEMBERS = [("neighbours", ItemKNNRecommender(shrinkage=0.0)), ("EASE", EASE)]
COLLECTIVE = {"n_components": 8, "random_state": 0}
GATE = {"cv": 2, "random_state": 0}
# These scores have no part that depends on no entry.
EXACT = {
    "neighbours": ItemKNNRecommender(),
    "neighbours, cosine": ItemKNNRecommender(n_neighbors=5, shrinkage=0.0),
    "EASE": EASE,
    "EASE, dual": EASERecommender(10.0, solver="dual"),
    "graph filter": GraphFilterRecommender(n_components=8, random_state=0),
    "ALS": ALS,
    "ALS, scaled": ALSRecommender(n_components=40, scale_regularization=True, random_state=0),
    "collective": CollectiveMFRecommender(slice(20, None), **COLLECTIVE),
    "collective, target first": CollectiveMFRecommender(
        [0, 3, 7, 30], empty_rows="negative", **COLLECTIVE
    ),
    "content": ContentKNNRecommender(FEATURES),
    "content, best match": ContentKNNRecommender(FEATURES, pooling="max"),
    "content, by rows": ContentKNNRecommender(),
    "hybrid": HybridRecommender(ALS, item_features=FEATURES, min_interactions=12),
    "truncated SVD": ReconstructionRecommender(TruncatedSVD(4, random_state=0)),
    "scaled first": make_pipeline(MaxAbsScaler(), BM25Transformer(), EASE),
    "vote": VotingRecommender(MEMBERS, weights=[1, 2]),
    "gate": TransferGate(ItemKNNRecommender(), EASE, target_columns=np.arange(15, 40), **GATE),
    "switch": SwitchingRecommender(EASE, RIDGE, target_columns=np.arange(30)),
}
# In these, it is known.
REST_OF = {
    "popularity": (PopularityRecommender(), lambda model: model.popularity_),
    "biased factors": (
        BiasedMFRecommender(4, random_state=0),
        lambda model: model.mean_ + model.item_bias_,
    ),
    "discount": (DiscountedRecommender(EASE), lambda model: -model.discounts_),
    "stack": (
        StackingRecommender(MEMBERS, random_state=0),
        lambda model: model.member_scores(np.ones((1, 40)))["log popularity"][0],
    ),
}
# A model that is not exact is, or has, one of these.
NOT_EXACT = (
    *("BPRRecommender", "CodebookRecommender", "LogisticMFRecommender"),
    "SegmentPopularityRecommender",
)
NO_NETWORKS = [model for model in RECOMMENDERS if not hasattr(model, "run_eagerly")]


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
        scores = model.decision_function(X[[row]])[0]
        found = explain(FrozenEstimator(model), X[[row]], items=np.arange(len(scores)))
        assert found.is_exact
        assert_array_equal(found.columns, X[[row]].indices)
        assert_allclose(found.scores, scores, rtol=1e-6)
        assert_allclose(found.contributions.sum(axis=1), scores, atol=1e-5 * np.abs(scores).max())
        assert_allclose(found.rest, 0, atol=1e-5 * np.abs(scores).max())


@pytest.mark.parametrize(("model", "rest_of"), REST_OF.values(), ids=REST_OF)
def test_the_rest_depends_on_no_entry(domains, model, rest_of):
    X = _weighted(domains.X_source)
    model = model.fit(X)
    found = explain(model, X[[7]], items=np.arange(40))
    assert found.is_exact
    assert_allclose(found.rest, rest_of(model), atol=1e-5 * np.abs(found.scores).max())


def _without_intercepts(model):
    """Return a copy whose rest is the same for all rows: a vote scales the intercepts of rows."""
    parameters = {
        name: False if name.endswith("fit_intercept") else 0
        for name in model.get_params()
        if name.endswith(("fit_intercept", "random_state"))
    }
    return clone(model).set_params(**parameters)


@pytest.mark.parametrize("model", NO_NETWORKS, ids=lambda model: repr(model)[:60])
def test_what_claims_to_be_exact_has_a_constant_rest(model):
    X, y = domain(model)
    model = _without_intercepts(model).fit(X, y)
    items = np.arange(model.n_items_)
    found = [explain(model, X[[row]], items=items) for row in (4, 10)]
    if not found[0].is_exact:
        assert any(name in repr(model) for name in NOT_EXACT)
        return
    for one, row in zip(found, (4, 10), strict=True):
        scores = model.decision_function(X[[row]])[0]
        assert_allclose(one.contributions.sum(axis=1) + one.rest, scores, atol=1e-5)
    # A stack scales the scores of each row by those of the items that it does not have.
    if not isinstance(model, StackingRecommender):
        assert_allclose(found[0].rest, found[1].rest, atol=1e-5)


@pytest.mark.parametrize(
    "model",
    [
        BridgeRecommender(ALS),
        BridgeRecommender(ALS, ProcrustesRegressor()),
        VotingRecommender([("ridge", RIDGE), ("bridge", BridgeRecommender(ALS))]),
    ],
    ids=["bridge", "Procrustes", "vote"],
)
def test_maps_from_the_source_are_explained_by_it(domains, model):
    X, y = _weighted(domains.X_source), domains.Y_target
    found = explain(model.fit(X, y), X[[3]], items=np.arange(30))
    assert found.is_exact
    assert_array_equal(found.columns, X[[3]].indices)
    empty_enough = X[[3]] * 1e-4
    if not isinstance(model, VotingRecommender):
        rest = model.decision_function(empty_enough)[0]
        assert_allclose(found.rest, rest, atol=1e-3 * np.abs(found.scores).max())


@pytest.mark.parametrize(
    "model",
    [
        TransitionRecommender(),
        NextItemRidgeRecommender(),
        HistoryRecommender(ItemKNNRecommender(), decay=0.7),
        HistoryRecommender(make_pipeline(MaxAbsScaler(), EASE), decay=0.7),
        VotingRecommender([("one", TransitionRecommender()), ("two", NextItemRidgeRecommender())]),
    ],
    ids=lambda model: repr(model)[:60],
)
def test_the_steps_of_a_history_sum_to_the_score(model):
    X = np.random.default_rng(0).integers(1, 13, size=(60, 6))
    X[::2, 4:] = 0
    model = model.fit(X)
    for row in (0, 1):
        found = explain(model, X[[row]], items=np.arange(model.n_items_))
        assert found.is_exact
        assert_array_equal(found.columns, X[row][X[row] > 0] - 1)
        assert_allclose(found.contributions.sum(axis=1), found.scores, atol=1e-5)
        assert np.abs(found.scores).max() > 1e-3


def test_a_repeated_item_adds_by_its_steps():
    X = np.array([[1, 2, 1, 3, 0], [2, 1, 3, 0, 0], [3, 4, 0, 0, 0], [4, 2, 1, 0, 0]])
    model = HistoryRecommender(EASERecommender(1.0), decay=0.5).fit(X)
    found = explain(model, X[[0]], items=[3])
    assert_allclose(found.contributions[0, 2], 4 * found.contributions[0, 0], rtol=1e-5)


def test_a_best_match_adds_everything():
    content = ItemFeatures([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    model = ContentKNNRecommender(content, pooling="max").fit([[1, 1, 0], [0, 1, 1]])
    found = explain(model, [[1, 1, 0]], items=[2])
    assert_allclose(found.contributions, [[0, 0.6]], atol=1e-6)


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


def test_pipelines_that_mix_columns_are_exact_if_these_are_sums(domains):
    X, y = _weighted(domains.X_source), domains.Y_target
    model = make_pipeline(TruncatedSVD(4, random_state=0), RidgeRecommender(10.0)).fit(X, y)
    found = explain(model, X[[2]], items=np.arange(30))
    assert found.is_exact
    assert_array_equal(found.columns, X[[2]].indices)
    assert_allclose(found.rest, model[-1].intercept_, atol=1e-5)
    of_columns = model[0].components_.T @ model[-1].coef_.T
    expected = X[[2]].data[:, None] * of_columns[X[[2]].indices]
    assert_allclose(found.contributions, expected.T, atol=1e-5)


def test_pipelines_of_other_steps_are_asked_without_each_entry(domains):
    X = _weighted(domains.X_source)
    squares = FunctionTransformer(lambda rows: (rows @ np.ones((rows.shape[1], 2))) ** 2)
    model = make_pipeline(squares, RidgeRecommender()).fit(X, domains.Y_target)
    found = explain(model, X[[2]], n_recommendations=3)
    assert not found.is_exact
    items, scores = recommend(model, X[[2]], n_recommendations=3)
    assert_array_equal(found.items, items[0])
    assert_allclose(found.scores, scores[0], rtol=1e-6)
    assert_array_equal(found.columns, X[[2]].indices)


@pytest.mark.parametrize("in_domain", [False, True])
def test_a_selector_is_explained_by_the_models_of_the_chosen_sources(in_domain):
    shops = make_cross_domain(n_cold_users=0, random_state=0)
    first = np.arange(shops.X_source.shape[1]) % 2 == 0
    sources = [("even", np.flatnonzero(first)), ("odd", np.flatnonzero(~first))]
    X, y, transfer, target = shops.X_source, shops.Y_target, RidgeRecommender(), None
    if in_domain:
        X, y, transfer = sp.hstack([X, y], format="csr"), None, EASERecommender(50.0)
        target = slice(len(first), None)
    model = SourceSelectorRecommender(
        transfer, sources, target_columns=target, cv=2, random_state=0
    ).fit(X, y)
    assert np.count_nonzero(model.weights_) == 2
    found = [explain(model, X[[row]], items=np.arange(model.n_items_)) for row in (3, 5)]
    for each, row in zip(found, (3, 5), strict=True):
        assert each.is_exact
        assert_array_equal(each.columns, X[[row]].indices)
        assert_allclose(each.contributions.sum(axis=1) + each.rest, each.scores, atol=1e-5)
    if in_domain:
        assert_allclose(found[0].rest, 0, atol=1e-5)


def test_members_without_parts_are_asked_without_each_entry(domains):
    X = _weighted(domains.X_source)
    members = [("EASE", EASERecommender()), ("products", Products())]
    models = [
        VotingRecommender(members),
        StackingRecommender(members, random_state=0),
        StackingRecommender(MEMBERS, DecisionTreeRegressor(), n_candidates=6, random_state=0),
    ]
    # Where a tree gives all candidates of a row one score, it is as good as linear.
    for model in models:
        model.fit(X)
        assert not all(explain(model, X[[row]]).is_exact for row in range(8))


@pytest.mark.parametrize("final", [LinearRegression(), LogisticRegression()])
def test_a_linear_final_estimator_is_explained_through_its_weights(domains, final):
    X = _weighted(domains.X_source)
    final = make_pipeline(StandardScaler(), final)
    model = StackingRecommender(MEMBERS, final, n_candidates=6, random_state=0).fit(X)
    found = explain(model, X[[2]])
    assert found.is_exact
    # What no entry adds is the same for all candidates, but for the popularity of the item.
    popularity = tempered(np.log1p(np.bincount(X.indices))[None])[0]
    weight = model.final_estimator_[1].coef_.ravel()[2] / model.final_estimator_[0].scale_[2]
    rest = found.rest - weight * popularity[found.items]
    assert_allclose(rest, rest[0], atol=1e-4)
    assert np.abs(found.contributions).max() > 1e-3


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
    X, y = domains.X_source, domains.Y_target
    mixing = make_pipeline(TruncatedSVD(4, random_state=0), RidgeRecommender(10.0))
    for model in (EASERecommender(), VotingRecommender(MEMBERS), BPRRecommender(2), mixing):
        found = explain(model.fit(X, y), sp.csr_array((1, 40)), items=[1, 2])
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
    assert f"item 1, score {found.scores[0]:.4f}: 0: +" in repr(found)


def test_bad_rows_and_items_are_named(domains):
    X = domains.X_source
    model = EASERecommender().fit(X)
    with pytest.raises(ValueError, match="X has 2 rows: pass a single one"):
        explain(model, X[:2])
    with pytest.raises(ValueError, match="X has 2 rows"):
        model.score_parts(X[:2])
    with pytest.raises(ValueError, match="items must lie between 0 and 39"):
        explain(model, X[[0]], items=[40])


def test_reasons_of_a_pipeline_that_reads_histories_are_items():
    histories = np.array([[1, 2, 0], [1, 2, 3], [3, 4, 0], [4, 3, 1]])
    for unknown in ("error", "ignore"):
        steps = DecayedHistory(0.5, n_items=4, unknown=unknown)
        pipe = make_pipeline(steps, EASERecommender(1.0)).fit(histories)
        for row in ([[4, 0, 0]], [[3, 1, 2]]):
            found = explain(pipe, row, items=[0, 1])
            assert (found.columns + 1).tolist() == [one for one in row[0] if one]
            for place in range(len(found.columns)):
                without = np.array([[*np.delete(row[0], place).tolist(), 0]])
                left = found.scores - pipe.decision_function(without)[0, :2]
                assert_allclose(found.contributions[:, place], left, atol=1e-6)


@pytest.mark.parametrize(
    "X", [["red tea"] * 4, np.array([["de", "a"]] * 4, dtype=object), np.ones((4, 3, 3, 1))]
)
def test_content_has_no_entries_to_leave_out(X):
    y = np.eye(4)
    if np.ndim(X) == 1:
        model = make_pipeline(TfidfVectorizer(), RidgeRecommender())
    elif np.ndim(X) == 2:
        model = SegmentPopularityRecommender()
    else:
        model = make_pipeline(
            FunctionTransformer(lambda X: X.reshape(len(X), -1)), RidgeRecommender()
        )
    with pytest.raises(ValueError, match="have no entries to leave out"):
        explain(model.fit(X, y), X[:1])


def test_numbers_in_a_table_of_objects_are_entries():
    X = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1], [1, 1, 0, 0]])
    model = EASERecommender(1.0).fit(X)
    as_objects = pd.DataFrame(X[:1], dtype=object)
    assert explain(model, as_objects).items.tolist() == explain(model, X[:1]).items.tolist()
    digits = make_pipeline(TfidfVectorizer(), RidgeRecommender()).fit(["20", "21", "20", "23"], X)
    with pytest.raises(ValueError, match="have no entries to leave out"):
        explain(digits, ["20"])


def test_a_step_may_choose_columns_by_name(domains):
    X = pd.DataFrame(domains.X_source.toarray()).add_prefix("item ")
    by_name = make_column_transformer(("passthrough", list(X.columns)))
    model = make_pipeline(by_name, EASERecommender(10.0)).fit(X)
    plain = EASERecommender(10.0).fit(domains.X_source)
    found, expected = explain(model, X[:1], [3]), explain(plain, domains.X_source[[0]], [3])
    assert_array_equal(found.columns, expected.columns)
    assert_allclose(found.scores, expected.scores, rtol=1e-5)


def test_unknown_items_are_no_reasons():
    histories = np.array([[1, 2, 3, 4], [4, 3, 2, 1], [2, 1, 4, 3]])
    settings = {"n_items": 4, "unknown": "ignore"}
    for model in (
        TransitionRecommender(**settings),
        make_pipeline(DecayedHistory(0.5, **settings), EASERecommender(1.0)),
    ):
        found = explain(model.fit(histories), [[1, 900, 2, 0]], [3])
        assert found.columns.tolist() == [0, 1]


@pytest.mark.parametrize("items", [[4, 1, 3], [2, 2]])
def test_items_stay_in_the_order_in_which_they_are_asked_for(items):
    X = np.random.default_rng(0).integers(2, size=(30, 6))
    model = EASERecommender(1.0).fit(X)
    why = explain(model, X[:1], items)
    assert_array_equal(why.items, items)
    assert_allclose(why.scores, model.decision_function(X[:1])[0, items], rtol=1e-5)


def test_an_item_that_is_asked_for_twice_is_shown_twice():
    why = explain(EASERecommender(1.0).fit(np.eye(3)[[0, 1, 2]] + 1), [[1, 0, 1]], [2, 2])
    assert str(why).count("item 2") == 2


def test_an_item_that_is_not_explained_is_named():
    why = explain(EASERecommender(1.0).fit(np.ones((3, 3))), [[1, 0, 1]], [2])
    with pytest.raises(ValueError, match=r"item=0 is not explained here: pass one of \[2\]"):
        why.strongest(0)


def test_an_unfitted_model_is_named():
    with pytest.raises(NotFittedError, match="EASERecommender"):
        explain(EASERecommender(), [[1, 0, 1]])
