# SPDX-License-Identifier: BSD-3-Clause
from copy import copy

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer, TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler

from sktransrec import (
    ALSRecommender,
    BiasedMFRecommender,
    BM25Transformer,
    BPRRecommender,
    CNNEncoder,
    ContentKNNRecommender,
    EASERecommender,
    GraphFilterRecommender,
    HybridRecommender,
    InteractionEncoder,
    ItemFeatures,
    TextSequences,
    ranking_scorer,
)
from sktransrec.content._words import words_of
from sktransrec.datasets import load_citeulike, load_movielens
from sktransrec.interactions import holdout_random
from sktransrec.metrics import ndcg_at_k, recall_at_k
from sktransrec.recommenders import _content_calibration
from sktransrec.recommenders._content_calibration import _Trial


@pytest.fixture(autouse=True)
def _fewer_pairs(request, monkeypatch):
    if request.node.get_closest_marker("slow") is None:
        monkeypatch.setattr(_content_calibration, "_N_PAIRS", 20_000)


N_ROWS, N_ITEMS = 80, 40


def interactions(seed=0, n_cold=0, n_rows=N_ROWS):
    """Rows of two tastes and items of two kinds; the last items have no interactions."""
    rng = np.random.RandomState(seed)
    alike = np.arange(n_rows)[:, None] % 2 == np.arange(N_ITEMS) % 2
    X = (rng.uniform(size=alike.shape) < np.where(alike, 0.4, 0.05)).astype(np.float32)
    X[:, N_ITEMS - n_cold :] = 0
    return sp.csr_array(X)


def als(**parameters):
    return ALSRecommender(
        n_components=4, **{"regularization": 0.02, "random_state": 0, **parameters}
    )


def content(n_items=N_ITEMS, seed=0, ids=None):
    """The kind of an item, in two noisy numbers."""
    kind = np.arange(n_items)[:, None] % 2 == np.arange(2)
    return ItemFeatures(kind + 0.1 * np.random.RandomState(seed).standard_normal((n_items, 2)), ids)


def hybrid(recommender=None, regressor=None, **parameters):
    """Return a hybrid, without neighbours unless asked: the inner products alone."""
    own = {"item_features": content(), "min_interactions": 1, "neighbor_weight": 0}
    parameters = own | parameters
    return HybridRecommender(recommender or als(), regressor, **parameters)


def test_cosines_are_added_in_the_spread_of_the_factors():
    X = interactions(n_cold=5)
    later = content(3, seed=1, ids=list("abc"))
    parts = {"content_scale": 2.0, "random_state": 0}
    factors = hybrid(**parts).fit(X)
    neighbors = ContentKNNRecommender(content()).fit(X)
    unit = hybrid(**parts | {"content_scale": 1.0}).fit(X).decision_function(X).std()
    unit /= neighbors.decision_function(X).std()
    model = hybrid(neighbor_weight=0.5, **parts).fit(X)
    assert (factors.neighbors_, model.neighbor_weight_) == (None, 0.5)
    weights = 0.5 * unit * np.where(np.arange(N_ITEMS + 3) < N_ITEMS - 5, 1, 2)
    for of_factors, both, cosines in (
        (factors, model, neighbors),
        (factors.with_items(later), model.with_items(later), neighbors.with_items(later)),
    ):
        expected = of_factors.decision_function(X)
        expected = expected + weights[: expected.shape[1]] * cosines.decision_function(X)
        assert_allclose(both.decision_function(X), expected, rtol=1e-3, atol=1e-4)
    of_items, parts = model.score_parts(X[[0]])
    assert_array_equal(of_items, X[[0]].indices)
    assert_allclose(parts.sum(axis=0)[:-5], model.decision_function(X[[0]])[0, :-5], atol=1e-3)


def test_neighbors_do_not_count_where_content_must_not_or_cannot_tell():
    X = interactions(n_cold=2)
    alike = ItemFeatures(np.ones((N_ITEMS, 2)))
    table = ItemFeatures(pd.DataFrame({"price": np.arange(40.0), "year": np.arange(40.0)}))
    for parameters in (
        {"cold_policy": "exclude"},
        {"cold_policy": "popularity"},
        {"item_features": alike},
        {"item_features": None},
    ):
        model = hybrid(neighbor_weight=1.0, **parameters).fit(X)
        assert (model.neighbors_, model.neighbor_weight_) == (None, 0.0)
    with pytest.warns(UserWarning, match=r"neighbor_weight=1.0 has no effect: .* StandardScaler"):
        assert hybrid(neighbor_weight=1.0, item_features=table).fit(X).neighbors_ is None
    assert hybrid(neighbor_weight="auto", item_features=table).fit(X).neighbors_ is None
    scaled = make_pipeline(StandardScaler(), Ridge())
    assert hybrid(None, scaled, neighbor_weight=1.0, item_features=table).fit(X).neighbors_


@pytest.mark.parametrize(
    "wrap", [make_pipeline, lambda model: GridSearchCV(model, {}, cv=2)], ids=["pipeline", "search"]
)
def test_neighbors_count_whatever_holds_the_factor_model(wrap):
    X = interactions(n_cold=2)
    plain, wrapped = (
        hybrid(model, neighbor_weight=0.5, content_scale=1.0).fit(X)
        for model in (als(), wrap(als()))
    )
    assert wrapped.neighbor_weight_ == 0.5
    assert_allclose(wrapped.decision_function(X), plain.decision_function(X), rtol=1e-5)
    with pytest.raises(ValueError, match="Negative values in data passed to X"):
        hybrid(wrap(als())).fit(-X)


@pytest.mark.parametrize("regressor", [None, make_pipeline(words_of("title"), Ridge())])
def test_neighbors_read_the_texts_of_a_table_as_the_regressor_does(regressor):
    """They know the words of all items, the regressor those of the items that it learned from."""
    table = pd.DataFrame({"title": [f"tea {i % 4}0" for i in range(40)], "kind": ["drink"] * 40})
    X, items = interactions(n_cold=2), ItemFeatures(table)
    model = hybrid(None, regressor, neighbor_weight=1.0, item_features=items).fit(X)
    transformer = None if regressor is None else regressor[0]
    expected = ContentKNNRecommender(items, transformer=transformer).fit(X)
    assert_array_equal(model.neighbors_.decision_function(X), expected.decision_function(X))


def test_content_that_determines_the_factors_ranks_cold_items_as_if_warm():
    """The content is the factors that the items had before their interactions were taken away."""
    X = interactions()
    warm = als().fit(X)
    cold = np.arange(0, N_ITEMS, 4)
    X_cold = X.toarray()
    X_cold[:, cold] = 0
    model = hybrid(
        FrozenEstimator(warm),
        LinearRegression(),
        item_features=ItemFeatures(warm.item_factors_),
        content_scale=1.0,
    ).fit(X_cold)
    assert_array_equal(np.flatnonzero(model.item_paths_ == "content"), cold)
    assert_allclose(model.item_factors_, warm.item_factors_, rtol=1e-3, atol=1e-4)
    assert_array_equal(
        model.recommend(X, exclude_seen=False)[0], warm.recommend(X, exclude_seen=False)[0]
    )


@pytest.mark.parametrize(
    "recommender",
    [als(), BPRRecommender(4, random_state=0), make_pipeline(BM25Transformer(), als())],
    ids=["als", "bpr", "pipeline"],
)
def test_without_content_weight_warm_items_are_those_of_the_recommender_bit_for_bit(recommender):
    X = interactions(n_cold=5)
    plain = clone(recommender).fit(X)
    model = hybrid(recommender, content_weight=0, min_interactions=10).fit(X)
    warm = np.arange(N_ITEMS) < N_ITEMS - 5
    assert (model.item_paths_[warm] == "factors").all()
    assert_array_equal(model.decision_function(X)[:, warm], plain.decision_function(X)[:, warm])
    assert (model.decision_function(X)[:, ~warm] != plain.decision_function(X)[:, ~warm]).all()


@pytest.mark.parametrize("recommender", [als(), BPRRecommender(4, random_state=0)])
def test_content_is_added_by_support(recommender):
    X = interactions().toarray()
    X[5:, 7] = 0
    X[:5, 7] = 1
    plain = clone(recommender).fit(X)
    model = hybrid(recommender, min_interactions=6, content_weight=2.0).fit(X)
    assert model.item_paths_[7] == "blend"
    assert (np.delete(model.item_paths_, 7) == "factors").all()
    predicted = model.regressor_.predict(content().values[[7]])[0]
    expected = plain.item_factors_[7] + 2 / 7 * predicted[:4]
    assert_allclose(model.item_factors_[7], expected, rtol=1e-5, atol=1e-7)
    scores = model.transform(X) @ model.item_factors_.T
    if hasattr(plain, "item_bias_"):
        expected_bias = (5 * plain.item_bias_[7] + 2 * predicted[4]) / 7
        assert model.item_bias_[7] == pytest.approx(expected_bias, rel=1e-5)
        scores += model.item_bias_
    assert_allclose(model.decision_function(X), scores, rtol=1e-4, atol=1e-5)


def test_regression_learns_from_trusted_items_weighted_by_support():
    X = interactions(n_cold=3)
    plain = als().fit(X)
    n = np.bincount(X.indices, minlength=N_ITEMS)
    trusted = n >= 15
    weights = n[trusted] ** 0.5
    # Weights are divided by their mean, as the penalty feels their size.
    expected = Ridge(weights.mean()).fit(
        content().values[trusted], plain.item_factors_[trusted], weights
    )
    scaled = make_pipeline(FunctionTransformer(), make_pipeline(FunctionTransformer(), Ridge()))
    for regressor in (None, Ridge(), scaled):
        model = hybrid(None, regressor, min_interactions=15, activity_exponent=0.5).fit(X)
        predicted = model.regressor_.predict(content().values)
        assert_allclose(predicted, expected.predict(content().values), rtol=1e-4, atol=1e-5)
    neighbours = make_pipeline(FunctionTransformer(), KNeighborsRegressor(3))
    with pytest.raises(ValueError, match=r"activity_exponent=0.5 .* takes no sample_weight"):
        hybrid(None, neighbours, activity_exponent=0.5).fit(X)
    assert hybrid(None, neighbours).fit(X).regressor_[-1].n_samples_fit_ == N_ITEMS - 3


def test_all_items_count_if_none_has_enough_interactions():
    X = interactions(n_cold=3)
    few, one = hybrid(min_interactions=1000).fit(X), hybrid(min_interactions=1).fit(X)
    assert (few.min_interactions_, one.min_interactions_) == (1, 1)
    assert_array_equal(few.item_paths_, ["factors"] * (N_ITEMS - 3) + ["content"] * 3)
    assert (few.content_scale_, few.content_bias_) == (1.0, 0.0)
    assert_array_equal(few.recommender_.item_factors_, one.recommender_.item_factors_)
    values = content().values
    assert_array_equal(few.regressor_.predict(values), one.regressor_.predict(values))
    assert hybrid(min_interactions=2).fit(X).min_interactions_ == 2


def test_scale_makes_up_for_shrunken_predictions():
    """A heavy penalty makes predictions short, which the scale undoes."""
    X = interactions()
    light, heavy = (
        hybrid(None, Ridge(penalty, fit_intercept=False)).fit(X) for penalty in (1e-3, 1e4)
    )
    assert heavy.content_scale_ > 100 * light.content_scale_ > 0
    later = content(6, seed=1, ids=list("abcdef"))
    scores = [model.with_items(later).decision_function(X)[:, -6:] for model in (light, heavy)]
    assert np.corrcoef(scores[0].ravel(), scores[1].ravel())[0, 1] > 0.99
    assert 0.75 < scores[0].std() / scores[1].std() < 1.3


def _new_and_known(n_known, n_new, seed=0):
    """Rows of eight tastes; the last items and a fifth of what rows have of others are held out."""
    rng = np.random.RandomState(seed)
    taste, kind = rng.randint(8, size=400), rng.randint(8, size=n_known + n_new)
    popularity = rng.beta(1, 3, size=n_known + n_new)
    chance = popularity * np.where(taste[:, None] == kind, 0.6, 0.04)
    X = sp.csr_array((rng.uniform(size=chance.shape) < chance).astype(np.float32))
    is_new = np.arange(n_known + n_new) >= n_known
    kept, y = holdout_random(X.multiply(~is_new).tocsr(), 0.2, random_state=seed)
    words = [f"kind{k} word{w}" for k, w in zip(kind, rng.randint(50, size=len(kind)), strict=True)]
    return kept, y + X.multiply(is_new), ItemFeatures(words)


@pytest.mark.parametrize("n_new", [10, 100, 800])
def test_few_or_many_new_items_find_their_place_among_known_ones(n_new):
    """It costs neither much to be ranked among many new items, nor to be one of a few."""
    X, y, words = _new_and_known(200, n_new)
    known = np.arange(200)
    factors = ALSRecommender(16, regularization=0.02, random_state=0)
    model = hybrid(factors, item_features=words.of(known)).fit(X[:, :200])
    later = model.with_items(words.of(np.arange(200, 200 + n_new)))

    def ndcg(model):
        items, _ = model.recommend(X[:, :200], n_recommendations=20)
        return np.nanmean(ndcg_at_k(y, items, k=20, per_row=True))

    def with_scale(scale, bias=0.0):
        """The same with a scale of one's own."""
        other = copy(model)
        other.content_scale_, other.content_bias_ = scale, bias
        return ndcg(other.with_items(words.of(np.arange(200, 200 + n_new))))

    assert ndcg(later) > ndcg(model)
    grid = [with_scale(scale, bias) for scale in (0.5, 1, 2, 4) for bias in (0, 0.1, 0.3)]
    assert ndcg(later) > 0.93 * max(grid)


def test_items_that_nobody_has_count_as_new_ones_that_nobody_took(monkeypatch):
    monkeypatch.setattr(_Trial, "best_calibration", lambda self, weight, fitted: fitted[0])
    monkeypatch.setattr(_content_calibration, "_N_PAIRS", 100_000)
    X, _, words = _new_and_known(200, 50)
    frozen = FrozenEstimator(als().fit(X))
    given = hybrid(frozen, item_features=words).fit(X)
    without = hybrid(FrozenEstimator(als().fit(X[:, :200])), item_features=words.of(range(200)))
    without.fit(X[:, :200])
    assert given.content_scale_ == pytest.approx(without.content_scale_, rel=0.25)
    assert given.column_bias_ < min(given.content_bias_, without.content_bias_)
    assert_allclose(given.item_bias_[200:], given.column_bias_, rtol=1e-5)
    later = without.with_items(words.of(range(200, 250)))
    assert_allclose(later.item_bias_[200:], without.content_bias_, rtol=1e-5)
    # The more of them there are, the less likely is it that somebody takes one.
    X, _, words = _new_and_known(200, 400)
    many = hybrid(FrozenEstimator(als().fit(X)), item_features=words).fit(X)
    assert many.content_bias_ < 0.6 * given.content_bias_


def test_content_that_says_nothing_gives_new_items_the_odds_of_their_kind():
    X, y, _ = _new_and_known(200, 200)
    nothing = ItemFeatures(np.random.RandomState(1).standard_normal((400, 3)))
    model = hybrid(
        ALSRecommender(16, regularization=0.02, random_state=0), item_features=nothing
    ).fit(X)
    items, _ = model.recommend(X, n_recommendations=20)
    plain, _ = model.recommender_.recommend(X, n_recommendations=20)
    quality = [np.nanmean(ndcg_at_k(y, best, k=20, per_row=True)) for best in (items, plain)]
    assert quality[0] > 0.9 * quality[1]


@pytest.mark.parametrize("policy", ["exclude", "error"])
def test_no_scale_is_sought_where_no_new_item_is_scored(policy):
    model = hybrid(cold_policy=policy).fit(interactions())
    assert (model.content_scale_, model.content_bias_, model.column_bias_) == (1.0, 0.0, 0.0)
    tiny = HybridRecommender(als(), item_features=content(4), min_interactions=1)
    tiny.fit([[1, 1, 0, 0], [1, 0, 1, 0]])
    assert (tiny.content_scale_, tiny.content_bias_) == (1.0, 0.0)


def test_later_items_are_those_given_at_fit():
    """The regressor is the same, as cold items have no part in the regression."""
    X = interactions(n_cold=6)
    n_known = N_ITEMS - 6
    given, features = hybrid().fit(X), content()
    early = hybrid(item_features=features.of(np.arange(n_known))).fit(X[:, :n_known])
    parts = (features.of([34, 35]), features.of([36, 37, 38, 39]))
    later = early.with_items(parts[0]).with_items(parts[1])
    assert_array_equal(later.item_ids_, features.ids)
    assert_array_equal(later.item_paths_, given.item_paths_)
    # ALS does not start from the same factors with other columns.
    plain = FrozenEstimator(als().fit(X[:, :n_known]))
    assert later.n_items_ == N_ITEMS == len(later.popularity_)
    assert_array_equal(later.popularity_, given.popularity_)
    again = hybrid(plain, item_features=features.of(np.arange(n_known))).fit(X[:, :n_known])
    assert_array_equal(
        again.with_items(features.of([34, 35, 36, 37, 38, 39])).decision_function(X[:, :n_known]),
        later.decision_function(X[:, :n_known]),
    )
    items, _ = later.recommend(X[:, :n_known], n_recommendations=N_ITEMS)
    assert (items >= n_known).any()
    assert items.max() < N_ITEMS


def test_later_items_share_the_factors():
    X = interactions()
    model = hybrid().fit(X)
    scores = model.decision_function(X)
    later = model.with_items(content(3, ids=list("abc")))
    assert later.recommender_ is model.recommender_
    assert later.regressor_ is model.regressor_
    assert_array_equal(later.decision_function(X)[:, :N_ITEMS], scores)
    assert_array_equal(model.decision_function(X), scores)
    assert (model.n_items_, later.n_items_) == (N_ITEMS, N_ITEMS + 3)
    assert later.item_ids_.tolist()[-3:] == ["a", "b", "c"]
    similar, _ = later.similar_items([N_ITEMS, N_ITEMS + 1], n_similar=3)
    assert (similar % 2 == [[0], [1]]).all()
    assert clone(later).fit(X).n_items_ == N_ITEMS


@pytest.mark.parametrize("recommender", [als(), BPRRecommender(4, random_state=0)])
def test_popularity_policy_gives_all_rows_the_same_score(recommender):
    X = interactions(n_cold=4)
    model = hybrid(recommender, cold_policy="popularity").fit(X)
    model = model.with_items(content(2, seed=3, ids=[100, 101]))
    assert (model.item_paths_[-6:] == "popularity").all()
    scores = model.decision_function(X)
    assert_array_equal(scores[:, -6:], np.tile(scores[0, -6:], (N_ROWS, 1)))
    by_content = hybrid(recommender).fit(X).decision_function(X)[:, N_ITEMS - 4 :]
    assert_allclose(scores[0, -6:-2], by_content.mean(axis=0), rtol=1e-3, atol=1e-4)


def test_excluded_items_are_never_recommended():
    X = interactions(n_cold=4)
    for features in (content(), None):
        model = hybrid(cold_policy="exclude", item_features=features).fit(X)
        assert (model.item_paths_[-4:] == "excluded").all()
        items, scores = model.recommend(X, n_recommendations=N_ITEMS, exclude_seen=False)
        assert (np.sort(items, axis=1)[:, 4:] == np.arange(N_ITEMS - 4)).all()
        assert (items[:, -4:] == -1).all()
        scores = model.decision_function(X)
        assert np.isfinite(scores).all()
        assert_array_equal(scores[:, -4:].max(axis=1), scores.min(axis=1))
    candidates, _ = model.recommend(X, candidates=[3, 38], n_recommendations=2, exclude_seen=False)
    assert (candidates == [3, -1]).all()
    empty = sp.csr_array((1, N_ITEMS))
    assert -1 in model.recommend(empty, n_recommendations=N_ITEMS)[0]


def test_error_policy_names_the_item():
    X = interactions(n_cold=1)
    message = "Item 39 has no interactions"
    with pytest.raises(ValueError, match=message):
        hybrid(cold_policy="error").fit(X)
    with pytest.raises(ValueError, match=message):
        hybrid(cold_policy="error", item_features=None).fit(X)
    model = hybrid(cold_policy="error").fit(interactions())
    with pytest.raises(ValueError, match="Item 'new' has no interactions"):
        model.with_items(content(1, ids=["new"]))


def test_paths_of_rows():
    X = interactions(n_cold=2).toarray()
    X[3] = 0
    model = hybrid().fit(X)
    assert model.row_paths(X[2:5]).tolist() == ["factors", "popularity", "factors"]
    assert_array_equal(model.decision_function(X[[3]])[0], model.popularity_)


def test_without_content_it_is_its_recommender():
    X = interactions(n_cold=2)
    plain, model = als().fit(X), hybrid(item_features=None).fit(X)
    assert (model.item_paths_ == "factors").all()
    assert_array_equal(model.decision_function(X), plain.decision_function(X))
    assert_array_equal(model.item_ids_, np.arange(N_ITEMS))
    with pytest.raises(ValueError, match="fitted without item_features"):
        model.with_items(content(1, ids=["new"]))


def test_names_of_columns_are_ids_of_items():
    X = interactions(n_cold=4)
    names = np.array([f"film {i}" for i in range(N_ITEMS)])
    order = np.random.RandomState(0).permutation(N_ITEMS)
    shuffled = ItemFeatures(content().values[order], names[order])
    frame = pd.DataFrame(X.toarray(), columns=names)
    model = hybrid(item_features=shuffled).fit(frame)
    assert_array_equal(model.item_ids_, names)
    assert_array_equal(model.decision_function(frame), hybrid().fit(X).decision_function(X))


def test_search_takes_content_as_it_is():
    """There are as many rows as items, which cross-validation would take for a sample axis."""
    X = interactions(n_rows=N_ITEMS, n_cold=4)
    contents = [content(), content(seed=1)]
    search = GridSearchCV(
        hybrid(min_interactions=4),
        {"item_features": contents, "recommender__n_components": [2]},
        scoring=ranking_scorer(holdout=0.2, random_state=0),
        cv=2,
        error_score="raise",
    ).fit(X)
    assert any(search.best_estimator_.item_features is features for features in contents)
    assert clone(search.best_estimator_).item_features is search.best_params_["item_features"]
    assert search.best_estimator_.n_items_ == N_ITEMS


def test_texts_and_tables():
    X = interactions(n_cold=6)
    kinds = [f"kind {'ab'[i % 2] * 3} item" for i in range(N_ITEMS)]
    table = pd.DataFrame({"kind": np.arange(N_ITEMS) % 2.0, "year": np.arange(N_ITEMS)})
    for features, regressor in (
        (ItemFeatures(kinds), None),
        (ItemFeatures(table), make_pipeline(StandardScaler(), Ridge())),
    ):
        model = hybrid(None, regressor, item_features=features).fit(X)
        scores = model.decision_function(X)[:, -6:]
        is_own_kind = np.arange(N_ROWS)[:, None] % 2 == np.arange(6) % 2
        assert scores[is_own_kind].min() > scores[~is_own_kind].mean()
        assert scores[is_own_kind].mean() > 1.5 * scores[~is_own_kind].mean()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"item_features": content(39)}, "item_features has 39 items and X has 40 columns"),
        ({"cold_policy": "guess"}, "'cold_policy' parameter"),
        ({"content_scale": 0}, "'content_scale' parameter"),
        ({"content_weight": -1}, "'content_weight' parameter"),
        ({"neighbor_weight": -1}, "'neighbor_weight' parameter"),
        ({"item_features": np.ones((40, 2))}, "'item_features' parameter"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        hybrid(**parameters).fit(interactions())


def test_columns_without_content_are_named():
    frame = pd.DataFrame(interactions().toarray(), columns=[f"film {i}" for i in range(N_ITEMS)])
    known = content(39, ids=frame.columns[:39])
    with pytest.raises(ValueError, match="no item 'film 39', which is a column of X"):
        hybrid(item_features=known).fit(frame)
    with pytest.raises(ValueError, match="no item 'film 0', which is a column of X"):
        hybrid().fit(frame)


def test_factors_must_be_of_the_columns():
    fewer = FrozenEstimator(als().fit(interactions()[:, :30]))
    with pytest.raises(ValueError, match="factors of 30 items, but X has 40 columns"):
        hybrid(fewer).fit(interactions())


def test_bias_of_new_items_is_predicted_and_scaled():
    X = interactions(n_cold=4)
    scaled, plain = (
        hybrid(BPRRecommender(4, random_state=0), content_scale=scale).fit(X) for scale in (3.0, 1)
    )
    assert_array_equal(scaled.item_bias_[:-4], plain.item_bias_[:-4])
    assert_allclose(scaled.item_bias_[-4:], 3 * plain.item_bias_[-4:], rtol=1e-5)
    assert_allclose(scaled.item_factors_[-4:], 3 * plain.item_factors_[-4:], rtol=1e-5)
    own = scaled.recommender_.item_bias_
    # Without an interaction, the recommender itself gives the least bias of all.
    assert (scaled.item_bias_[-4:] > own[-4:]).all()


def test_a_network_reads_the_texts():
    X = interactions(n_cold=6)
    texts = ItemFeatures([f"{'odd' if i % 2 else 'even'} item" for i in range(N_ITEMS)])
    parameters = {"embedding_size": 4, "epochs": 6, "learning_rate": 0.03, "random_state": 0}
    network = CNNEncoder(8, kernel_sizes=(1,), activation="tanh", run_eagerly=True, **parameters)
    reader = make_pipeline(TextSequences(), network, Ridge(0.1))
    model = hybrid(None, reader, item_features=texts, content_scale=1.0).fit(X)
    scores = model.with_items(ItemFeatures(["even item"], ids=["new"])).decision_function(X)
    assert_allclose(scores[:, -1], scores[:, -3], rtol=1e-5, atol=1e-6)
    assert scores[::2, -1].mean() > 2 * scores[1::2, -1].mean()


@pytest.mark.parametrize("recommender", [GraphFilterRecommender(4), BiasedMFRecommender(4)])
def test_only_models_whose_scores_are_products_of_factors(recommender):
    with pytest.raises(TypeError, match="inner products of factors alone"):
        hybrid(recommender).fit(interactions())


@pytest.mark.parametrize(
    ("later", "message"),
    [
        (content(2, ids=[7, 100]), "Item 7 is known already"),
        (ItemFeatures(np.ones((1, 3)), ids=["x"]), r"Item 'x' .* shape \(3,\)"),
        (ItemFeatures(["words"], ids=["x"]), "Item 'x' .* texts, but the model"),
        (ItemFeatures(np.ones((1, 4, 4, 1)), ids=["x"]), "Item 'x' .* images, but the model"),
    ],
)
def test_bad_later_items_are_named(later, message):
    model = hybrid().fit(interactions())
    attributes = dict(vars(model))
    with pytest.raises(ValueError, match=message):
        model.with_items(later)
    with pytest.raises(TypeError, match="must be an ItemFeatures"):
        model.with_items(later.values)
    assert vars(model) == attributes


def test_later_images_and_tables_must_be_as_those_of_fit():
    X = interactions()
    flat = make_pipeline(FunctionTransformer(_flat), Ridge())
    images = ItemFeatures(np.random.RandomState(0).uniform(size=(N_ITEMS, 4, 4, 1)))
    model = hybrid(None, flat, item_features=images).fit(X)
    with pytest.raises(ValueError, match=r"Item 'x' .* shape \(5, 4, 1\).* one size"):
        model.with_items(ItemFeatures(np.ones((1, 5, 4, 1)), ids=["x"]))
    table = pd.DataFrame({"a": np.arange(40.0), "b": np.arange(40.0)})
    model = hybrid(item_features=ItemFeatures(table)).fit(X)
    with pytest.raises(ValueError, match=r"Item 'x' .* have the columns .*'c'"):
        model.with_items(ItemFeatures(pd.DataFrame({"a": [1], "c": [2]}, index=["x"])))


def _flat(images):
    return images.reshape(len(images), -1)


@pytest.fixture(scope="module")
def papers(data_home):
    """Who saved which paper, a fifth of each library and a fifth of the papers held out."""
    citeulike = load_citeulike(data_home=data_home)
    rows = np.flatnonzero(np.diff(citeulike.interactions.indptr) >= 12)
    saved = citeulike.interactions[rows].toarray()
    saved = saved[:, saved.any(axis=0)]
    is_kept = np.random.RandomState(0).uniform(size=saved.shape[1]) < 0.8
    X, y = holdout_random(saved * is_kept, 0.2, random_state=0)
    known = citeulike.interactions[rows].sum(axis=0) > 0
    return X, y + sp.csr_array(saved * ~is_kept), ItemFeatures(citeulike.words[known])


@pytest.mark.slow
@pytest.mark.data
def test_new_papers_beside_known_ones(papers):
    X, y, words = papers
    is_cold = np.bincount(X.indices, minlength=X.shape[1]) == 0
    tfidf = TfidfTransformer(sublinear_tf=True)
    factors = FrozenEstimator(ALSRecommender(64, random_state=0).fit(X))
    reader = make_pipeline(tfidf, TruncatedSVD(200, random_state=0), Normalizer(), Ridge())
    parts = {
        "hybrid": HybridRecommender(factors, reader, item_features=words).fit(X),
        "words": ContentKNNRecommender(words, transformer=tfidf).fit(X),
    }
    models = parts | {"factors": factors.estimator}

    def ndcg(name, candidates):
        items, _ = models[name].recommend(X, n_recommendations=20, candidates=candidates)
        return ndcg_at_k(sp.csr_array(y.toarray() * candidates), items, k=20, per_row=True)

    everything = np.ones(len(is_cold), dtype=bool)
    on_all = {name: np.nanmean(ndcg(name, everything)) for name in models}
    assert on_all["hybrid"] > 1.05 * max(on_all["factors"], on_all["words"])
    # What is known is ranked as well as without content, within one standard error.
    change = ndcg("hybrid", ~is_cold) - ndcg("factors", ~is_cold)
    change = change[~np.isnan(change)]
    assert change.mean() > -change.std() / np.sqrt(len(change))


@pytest.fixture(scope="module")
def films(data_home):
    """Who has seen which film, and the words of title, genres and tags."""
    movielens = load_movielens(data_home=data_home)
    encoder = InteractionEncoder(user="user_id", item="movie_id")
    seen = sp.csr_array(encoder.fit_transform(movielens.ratings) > 0).astype(np.float32)
    titles = movielens.movies.title + " " + movielens.movies.genres
    words = dict(zip(movielens.movies.movie_id, titles, strict=True))
    for film, tag in zip(movielens.tags.movie_id, movielens.tags.tag, strict=True):
        words[film] += " " + tag
    return seen, ItemFeatures([words[film] for film in encoder.items_])


@pytest.mark.slow
@pytest.mark.data
def test_new_films_beside_known_ones(films):
    """Among all films the hybrid beats what knows the known ones best, with a fifth of all new."""
    seen, texts = films
    reader = make_pipeline(TfidfVectorizer(norm=None, min_df=2, sublinear_tf=True), Ridge(300))
    factors = ALSRecommender(128, random_state=0)
    models = {
        "hybrid": HybridRecommender(factors, reader, item_features=texts),
        "factors": factors,
        "pairs": EASERecommender(200),
        "words": ContentKNNRecommender(texts),
    }
    quality = {name: [] for name in models}
    for seed in range(3):
        is_kept = np.random.RandomState(seed).uniform(size=seen.shape[1]) < 0.8
        X, y = holdout_random(seen.multiply(is_kept).tocsr(), 0.2, random_state=seed)
        y = y + seen.multiply(~is_kept)
        for name, model in models.items():
            items, _ = model.fit(X).recommend(X, n_recommendations=100)
            recall = recall_at_k(y, items, k=100, per_row=True)
            quality[name].append([recall, ndcg_at_k(y, items, k=20, per_row=True)])
    quality = {name: np.nanmean(of_splits, axis=0) for name, of_splits in quality.items()}
    for other in ("factors", "pairs", "words"):
        gain = quality["hybrid"] - quality[other]
        assert (gain.mean(axis=1) > 2 * gain.std(axis=1) / np.sqrt(gain.shape[1])).all(), other
