# SPDX-License-Identifier: BSD-3-Clause
"""What the base classes promise, on recommenders whose scores are known."""

import copy
import functools
import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from sktransrec import (
    ALSRecommender,
    BridgeRecommender,
    InteractionEncoder,
    RecommendationService,
    RidgeRecommender,
    VotingRecommender,
    ranking_scorer,
    recommend,
)
from sktransrec._wrapping import innermost
from sktransrec.base import FactorRecommenderMixin, InDomainRecommender, SupervisedRecommender
from sktransrec.metrics import held_out_ranks, ndcg_at_k

N_ROWS, N_ITEMS = 50, 30


class HashedScores(InDomainRecommender):
    """Scores of few values, so that many tie, that differ between rows."""

    def __init__(self, n_values=7):
        self.n_values = n_values

    def _fit(self, X):
        self.block_shapes_ = []

    def _score_rows(self, X):
        self.block_shapes_.append(X.shape)
        seeds = (X != 0) @ np.arange(1, X.shape[1] + 1) ** 2
        columns = np.arange(X.shape[1])
        return ((seeds[:, None] * 31 + columns * 17) % self.n_values).astype(np.float64)


class Factors(FactorRecommenderMixin, InDomainRecommender):
    """Rows are the sum of the factors of their items."""

    def __init__(self, item_factors=None, item_bias=None):
        self.item_factors = item_factors
        self.item_bias = item_bias

    def _fit(self, X):
        self.item_factors_ = np.asarray(self.item_factors, dtype=np.float32)
        if self.item_bias is not None:
            self.item_bias_ = np.asarray(self.item_bias, dtype=np.float32)

    def _row_factors(self, X):
        return X @ self.item_factors_


class Constant(SupervisedRecommender):
    """Give every row the same scores; fail in `fit` if told so."""

    def __init__(self, scores=(0, 1, 2), fails=False):
        self.scores = scores
        self.fails = fails

    def _fit(self, X, y):
        self.scores_ = np.asarray(self.scores, dtype=np.float32)
        self.half_done_ = True
        if self.fails:
            raise RuntimeError("failed on purpose")

    def _score_rows(self, X):
        return np.tile(self.scores_, (X.shape[0], 1))


@pytest.fixture(scope="module")
def X():
    cells = np.random.default_rng(0).uniform(size=(N_ROWS, N_ITEMS))
    cells[:, 0] = 0.9
    return sp.csr_array((cells > 0.7) * cells)


def _by_sorting(scores, eligible, n_recommendations, popularity):
    """Return what `recommend` promises, one row at a time."""
    items = np.full((len(scores), n_recommendations), -1)
    best = np.full((len(scores), n_recommendations), -np.inf, dtype=np.float32)
    for row in range(len(scores)):
        columns = np.flatnonzero(eligible[row])
        order = np.lexsort((columns, -popularity[columns], -scores[row, columns]))
        columns = columns[order][:n_recommendations]
        items[row, : len(columns)] = columns
        best[row, : len(columns)] = scores[row, columns]
    return items, best


@given(data=st.data())
def test_recommend_is_a_sort_of_the_eligible_scores(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    n_rows, n_items = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 40))
    dense = rng.uniform(size=(n_rows, n_items)) < data.draw(st.sampled_from([0.1, 0.5, 0.95]))
    dense[0, 0] = True
    model = HashedScores(data.draw(st.sampled_from([1, 3, 1000]))).fit(dense.astype(float))
    n_recommendations = data.draw(st.integers(1, n_items))
    eligible = np.ones((n_rows, n_items), dtype=bool)
    arguments = {"exclude_seen": data.draw(st.sampled_from([True, False, "auto"]))}
    if arguments["exclude_seen"]:
        eligible &= ~dense
    if data.draw(st.booleans()):
        arguments["exclude_interactions"] = rng.uniform(size=(n_rows, n_items)) < 0.3
        eligible &= ~arguments["exclude_interactions"]
    if data.draw(st.booleans()):
        candidates = rng.choice(n_items, size=max(1, rng.integers(n_items)))
        arguments["candidates"] = candidates
        eligible &= np.isin(np.arange(n_items), candidates)
    scores = model.decision_function(dense.astype(float))
    expected = _by_sorting(scores, eligible, n_recommendations, model.popularity_)
    given_back = model.recommend(
        dense.astype(float), n_recommendations=n_recommendations, **arguments
    )
    assert_array_equal(given_back[0], expected[0])
    assert_array_equal(given_back[1], expected[1])


def test_ties_go_by_the_popularity_that_a_model_has_now(X):
    """The order of the items is kept between calls, but not over a change of their popularity."""
    model = HashedScores(n_values=1).fit(X)

    def first_items(model):
        items, _ = model.recommend(X[:1], n_recommendations=3, exclude_seen=False)
        return items[0].tolist()

    assert first_items(model)[0] == 0  # all rows have item 0
    attributes = set(vars(model))
    copied = copy.copy(model)
    copied.popularity_ = np.arange(N_ITEMS, dtype=np.float32)
    assert first_items(copied) == [29, 28, 27]
    loaded = pickle.loads(pickle.dumps(model))
    assert first_items(loaded) == first_items(model)
    assert set(vars(model)) == attributes
    unpopular_first = X[:, ::-1]
    assert first_items(model.fit(unpopular_first))[0] == N_ITEMS - 1


def test_blocks_respect_the_working_memory(X):
    model = HashedScores().fit(X)
    expected = model.recommend(X), model.decision_function(X)
    assert model.block_shapes_ == [X.shape, X.shape]
    model.block_shapes_.clear()
    with config_context(working_memory=7 * 12 * N_ITEMS / 2**20):
        assert_array_equal(model.recommend(X), expected[0])
        assert_array_equal(model.decision_function(X), expected[1])
    heights = [n_rows for n_rows, _ in model.block_shapes_]
    assert max(heights) == 7
    assert sum(heights) == 2 * N_ROWS


def test_blocks_stay_small_where_memory_is_plenty():
    X = sp.eye_array(500, 40_000, format="csr")
    model = HashedScores().fit(X)
    model.recommend(X)
    assert [n_rows for n_rows, _ in model.block_shapes_] == [128, 128, 128, 116]


def test_stored_zeros_are_not_seen():
    X = sp.csr_array(([1.0, 0.0], [0, 2], [0, 2]), shape=(1, 3))
    model = HashedScores(n_values=1).fit(X)
    assert_array_equal(model.recommend(X, n_recommendations=3)[0], [[1, 2, -1]])
    assert X.nnz == 2


@pytest.mark.parametrize("convert", [np.asarray, sp.csr_array])
def test_empty_rows_get_the_popularity(convert):
    y = [[0, 1, 1], [0, 1, 0], [1, 1, 0], [0, 1, 0]]
    model = Constant(scores=[3, 2, 1]).fit(convert(np.ones((4, 2))), y)
    scores = model.decision_function(convert([[0, 0], [0, 1]]))
    assert_array_equal(scores, np.array([[0.25, 1, 0.25], [3, 2, 1]], dtype=np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_an_error(value):
    model = Constant().fit([[1]], [[1, 0, 1]])
    model.scores_[1] = value
    for method in (model.decision_function, model.recommend):
        arguments = {"n_recommendations": 1} if method == model.recommend else {}
        with pytest.raises(ValueError, match="Constant gave scores that are not finite"):
            method([[1]], **arguments)


def test_scores_near_the_largest_float_are_finite():
    largest = float(np.finfo(np.float32).max)
    model = Constant(scores=[largest, largest, largest / 2]).fit([[1]], [[1, 0, 1]])
    assert_array_equal(model.recommend([[1]], n_recommendations=3)[0], [[0, 1, 2]])


def test_score_is_ndcg_at_10_of_the_recommendations(X):
    model = HashedScores().fit(X)
    held_out = sp.csr_array((np.random.default_rng(1).uniform(size=X.shape) < 0.1) * 1.0)
    items, _ = model.recommend(X)
    assert model.score(X, held_out) == ndcg_at_k(held_out, items, 10)
    one_each = np.random.default_rng(2).integers(N_ITEMS, size=N_ROWS)
    indicator = np.eye(N_ITEMS)[one_each]
    assert model.score(X, one_each) == model.score(X, indicator) == ndcg_at_k(indicator, items)


def test_score_of_fewer_than_ten_items():
    model = Constant().fit([[1], [1]], [[1, 0, 1], [0, 1, 0]])
    assert_allclose(model.score([[1], [1]], [2, 0]), (1 + 1 / np.log2(4)) / 2)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "y is None"),
        ([3, 0], "y holds column indices from 0 to 3, expected 0 to 2"),
        ([-1, 0], "y holds column indices from -1"),
        ([0.5, 1], "y is 1-D with dtype float64"),
        ([1], "X has 2 rows and y has 1"),
        (np.ones((2, 4)), "y has shape"),
        (np.zeros((2, 3)), "no relevant item"),
    ],
)
def test_score_refuses_a_bad_y(y, message):
    model = Constant().fit([[1], [1]], [[1, 0, 1], [0, 1, 0]])
    with pytest.raises(ValueError, match=message):
        model.score([[1], [1]], y)


def test_recommend_reaches_into_whatever_wraps_a_recommender(X):
    y = sp.csr_array((np.random.default_rng(1).uniform(size=X.shape) < 0.1) * 1.0)
    scaled = MaxAbsScaler().fit_transform(X)
    expected = recommend(HashedScores().fit(scaled), scaled, n_recommendations=4)
    pipeline = make_pipeline(MaxAbsScaler(), HashedScores())
    fitted = make_pipeline(MaxAbsScaler(), HashedScores()).fit(X)
    wrapped = [
        fitted,
        FrozenEstimator(fitted),
        Pipeline([("all", FrozenEstimator(fitted))]),
        GridSearchCV(pipeline, {}, cv=2).fit(X, y),
        FrozenEstimator(GridSearchCV(pipeline, {"hashedscores__n_values": [7]}, cv=2).fit(X, y)),
        make_pipeline(FrozenEstimator(MaxAbsScaler().fit(X)), HashedScores()).fit(X),
        make_pipeline(MaxAbsScaler(), GridSearchCV(HashedScores(), {}, cv=2)).fit(X, y),
        make_pipeline("passthrough", fitted),
    ]
    for model in wrapped:
        for actual, wanted in zip(recommend(model, X, n_recommendations=4), expected, strict=True):
            assert_array_equal(actual, wanted)


def test_recommend_passes_every_argument_on(X):
    model = HashedScores().fit(X)
    arguments = {
        "n_recommendations": 3,
        "candidates": [3, 4, 5, 6],
        "exclude_seen": False,
        "exclude_interactions": np.eye(N_ROWS, N_ITEMS),
    }
    items, scores = recommend(make_pipeline(model), X, **arguments)
    expected = model.recommend(X, **arguments)
    assert_array_equal(items, expected[0])
    assert_array_equal(scores, expected[1])
    for name in arguments:
        fewer = {key: value for key, value in arguments.items() if key != name}
        assert not np.array_equal(model.recommend(X, **fewer)[0], items), name


def test_recommend_refuses_what_holds_no_fitted_recommender(X):
    for unfitted in (
        HashedScores(),
        make_pipeline(MaxAbsScaler(), HashedScores()),
        GridSearchCV(HashedScores(), {}),
        LinearRegression(),
    ):
        with pytest.raises(NotFittedError):
            recommend(unfitted, X)
    y = np.arange(N_ROWS)
    regression = LinearRegression().fit(X, y)
    for model in (regression, make_pipeline(MaxAbsScaler(), LinearRegression()).fit(X, y)):
        with pytest.raises(TypeError, match="LinearRegression cannot recommend"):
            recommend(model, X)
    without_refit = GridSearchCV(HashedScores(), {}, cv=2, refit=False).fit(X)
    with pytest.raises(TypeError, match="refit=True"):
        recommend(without_refit, X)


def test_failed_fit_leaves_the_fitted_model():
    X, y = [[1.0], [2.0]], [[1, 0, 1], [0, 1, 0]]
    model = Constant(scores=[1, 2, 3]).fit(X, y)
    before = dict(vars(model))
    model.fails = True
    with pytest.raises(RuntimeError, match="on purpose"):
        model.fit([[1.0, 2.0]] * 2, [[1, 1]] * 2)
    model.fails = False
    assert vars(model) == before
    assert_array_equal(model.recommend(X, n_recommendations=1)[0], [[2], [2]])
    unfitted = Constant(fails=True)
    with pytest.raises(RuntimeError, match="on purpose"):
        unfitted.fit(X, y)
    with pytest.raises(NotFittedError):
        unfitted.recommend(X)


def test_fit_refuses_bad_input():
    with pytest.raises(ValueError, match=r"X holds no interactions: all of its 2 x 3 entries"):
        HashedScores().fit(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="Negative values in data passed to X"):
        HashedScores().fit([[1, -1]])
    with pytest.raises(ValueError, match="requires y to be passed"):
        Constant().fit([[1]], None)
    with pytest.raises(ValueError, match="X has 2 rows and y has 1"):
        Constant().fit([[1], [1]], [[1, 0, 1]])


def test_exclude_seen_says_where_it_makes_no_sense():
    model = Constant().fit([[1]], [[1, 0, 1]])
    with pytest.raises(ValueError, match="Pass what the rows already have among the items as excl"):
        model.recommend([[1]], exclude_seen=True, n_recommendations=1)
    assert_array_equal(model.recommend([[1]], n_recommendations=3)[0], [[2, 1, 0]])


@pytest.fixture(scope="module")
def factors():
    return Factors(np.random.default_rng(0).normal(size=(N_ITEMS, 4)), np.arange(N_ITEMS))


def test_factor_model_scores_are_inner_products(X, factors):
    model = factors.fit(X)
    row_factors = model.transform(X)
    assert_allclose(row_factors, X @ factors.item_factors, rtol=1e-4, atol=1e-5)
    expected = row_factors @ model.item_factors_.T + np.arange(N_ITEMS)
    assert_allclose(model.decision_function(X), expected, rtol=1e-4, atol=1e-4)
    assert_array_equal(model.get_feature_names_out(), [f"factors{i}" for i in range(4)])


def test_similar_items_are_by_cosine(X, factors):
    model = factors.fit(X)
    unit = factors.item_factors / np.linalg.norm(factors.item_factors, axis=1, keepdims=True)
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -np.inf)
    similar, similarities = model.similar_items(np.arange(N_ITEMS), n_similar=5)
    assert_array_equal(similar, np.argsort(-cosine, axis=1)[:, :5])
    assert_allclose(similarities, np.sort(cosine, axis=1)[:, ::-1][:, :5], rtol=1e-4)
    alone, _ = model.similar_items(7, n_similar=N_ITEMS - 1)
    assert_array_equal(np.sort(alone), [np.delete(np.arange(N_ITEMS), 7)])


@pytest.mark.parametrize("n_similar", [0, N_ITEMS, 2.0, True])
def test_similar_items_refuses_a_bad_number(X, factors, n_similar):
    with pytest.raises(ValueError, match=r"n_similar must be an integer from 1 to n_items_ - 1=29"):
        factors.fit(X).similar_items([0], n_similar=n_similar)


@pytest.mark.parametrize(
    "model",
    [
        RidgeRecommender(),
        BridgeRecommender(ALSRecommender(2, max_iter=1, random_state=0)),
        VotingRecommender([("ridge", RidgeRecommender()), ("other", RidgeRecommender(9.0))]),
        make_pipeline(MaxAbsScaler(), RidgeRecommender()),
    ],
)
def test_supervised_recommenders_know_the_names_of_their_items(model):
    rng = np.random.default_rng(0)
    X, y = (rng.integers(2, size=(30, n_columns)) for n_columns in (5, 4))
    y = pd.DataFrame(y, columns=list("abcd"))
    model = clone(model).fit(X, y)
    assert innermost(model).item_names_.tolist() == list("abcd")
    assert 0 < model.score(X, y) <= 1
    assert ranking_scorer()(model, X, y) > 0
    shuffled = y[list("bacd")]
    for measure in (model.score, lambda X, y: held_out_ranks(model, X, y)):
        with pytest.raises(ValueError, match=r"y has the column 'b' where .* has the item 'a'"):
            measure(X, shuffled)
    assert innermost(clone(model).fit(X, y.to_numpy())).item_names_ is None
    service_of = functools.partial(
        RecommendationService, model, InteractionEncoder().fit({"user": [0], "item": [1]})
    )
    logs = [{"user": [0] * 4, "item": names} for names in (list("abcd"), list("abce"))]
    in_order, others = (InteractionEncoder().fit(log) for log in logs)
    service_of(item_encoder=in_order)
    moved = InteractionEncoder().fit({"user": [0], "item": ["b"]}).partial_fit(logs[0])
    with pytest.raises(ValueError, match="the same items in another order"):
        service_of(item_encoder=moved)
    service_of(item_encoder=others)
