# SPDX-License-Identifier: BSD-3-Clause
"""What may be recommended, and in which order, by whatever wraps a recommender."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.decomposition import TruncatedSVD
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import Binarizer, FunctionTransformer, MaxAbsScaler, StandardScaler

from sktransrec import (
    EASERecommender,
    ReconstructionRecommender,
    RidgeRecommender,
    debiased_scorer,
    eligible_scores,
    holdout_random,
    ranking_scorer,
    recommend,
)
from sktransrec._numerics._row_totals import row_lengths
from sktransrec._numerics._top_k import Preference, top_k
from sktransrec._recommend import (
    item_columns,
    mask_stored,
    row_blocks,
    seen_interactions,
    withheld_items,
)
from sktransrec.base import FactorRecommenderMixin, InDomainRecommender
from sktransrec.inspection import trace
from sktransrec.metrics import held_out_auc, held_out_ranks, ndcg_at_k, rank_metrics

rng = np.random.RandomState(0)
X = sp.csr_array((rng.uniform(size=(30, 8)) < 0.3).astype(np.float32))


class Given(BaseEstimator):
    """Scores that are known, of a recommender with nothing but the documented attributes."""

    def __init__(self, scores, withheld=None):
        self.scores = scores
        self.withheld = withheld

    def fit(self, X, y=None):
        self.n_items_ = len(self.scores)
        self.popularity_ = np.ones(self.n_items_)
        if self.withheld is not None:
            self.withheld_items_ = np.isin(np.arange(self.n_items_), self.withheld)
        return self

    def decision_function(self, X):
        return np.tile(np.float32(self.scores), (X.shape[0], 1))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.estimator_type = "recommender"
        return tags


def all_eligible(model, rows, **options):
    """Return the eligible scores of all rows, and check that the blocks follow each other."""
    blocks = list(eligible_scores(model, rows, **options))
    assert [part.start for part, _ in blocks[1:]] == [part.stop for part, _ in blocks[:-1]]
    return np.concatenate([scores for _, scores in blocks])


@pytest.mark.parametrize("working_memory", [1e-3, 1024])
def test_eligible_scores_by_hand(working_memory):
    """Seen, excluded and withheld items are out; candidates stand in ascending order."""
    rows = np.eye(4)[[0, 1]]
    model = Given([3, 5, 4, 9], withheld=[3]).fit(rows)
    out = -np.inf
    with config_context(working_memory=working_memory):
        assert_array_equal(all_eligible(model, rows), [[out, 5, 4, out], [3, out, 4, out]])
        assert_array_equal(
            all_eligible(model, rows, exclude_seen=False, exclude_interactions=np.eye(4)[[2, 2]]),
            [[3, 5, out, out]] * 2,
        )
        assert_array_equal(all_eligible(model, rows, candidates=[2, 1]), [[5, 4], [out, 4]])
    items, scores = recommend(model, rows, n_recommendations=3)
    assert_array_equal(items, [[1, 2, -1], [2, 0, -1]])
    assert_array_equal(scores, [[5, 4, out], [4, 3, out]])


def test_best_items_are_the_largest_eligible_scores():
    model = EASERecommender(5.0).fit(X)
    items, scores = recommend(model, X, n_recommendations=4)
    eligible = all_eligible(model, X)
    assert_array_equal(scores, -np.sort(-eligible, axis=1)[:, :4])
    found = items >= 0
    assert_array_equal(np.take_along_axis(eligible, items, axis=1)[found], scores[found])


def test_wrappers_change_nothing():
    ease = EASERecommender(5.0)
    expected = recommend(ease.fit(X), X, n_recommendations=3)
    for model in (
        make_pipeline(ease),
        make_pipeline(MaxAbsScaler(), ease),
        GridSearchCV(ease, {}, cv=2),
        FrozenEstimator(ease.fit(X)),
    ):
        for ours, theirs in zip(
            recommend(model.fit(X, None), X, n_recommendations=3), expected, strict=True
        ):
            assert_array_equal(ours, theirs)


def test_columns_of_x_are_items_unless_the_model_maps_to_others():
    assert item_columns(EASERecommender().fit(X)) == slice(None)
    ridge = RidgeRecommender().fit(X, X[:, :3])
    assert item_columns(ridge) is None
    with pytest.raises(ValueError, match="exclude_interactions"):
        next(iter(eligible_scores(ridge, X, exclude_seen=True)))
    assert_array_equal(
        seen_interactions(EASERecommender().fit(X), X.toarray()).toarray(), X.toarray()
    )


def test_an_item_is_withheld_if_one_model_withholds_it():
    rows = np.eye(4)
    models = [Given(range(4), withheld=each).fit(rows) for each in ([0], None, [2])]
    assert_array_equal(withheld_items(models, 4), [True, False, True, False])
    assert withheld_items(models[1:2], 4) is None
    # Of four items the last three are meant.
    assert_array_equal(withheld_items(models, 3, columns=[1, 2, 3]), [False, True, False])


def test_blocks_cover_the_rows_once_and_respect_the_memory():
    with config_context(working_memory=1):
        blocks = list(row_blocks(1000, 5000))
    assert_array_equal(np.concatenate([np.arange(1000)[block] for block in blocks]), range(1000))
    assert max(block.stop - block.start for block in blocks) * 12 * 5000 <= 2**20


def test_masked_entries_are_the_stored_ones():
    scores = np.zeros((2, 3), dtype=np.float32)
    mask_stored(scores, sp.csr_array(([1.0, 0.0], ([0, 1], [2, 0])), shape=(2, 3)))
    assert_array_equal(scores, [[0, 0, -np.inf], [0, 0, 0]])


def test_scores_that_are_not_finite_are_an_error():
    with pytest.raises(ValueError, match="Given gave scores that are not finite"):
        recommend(Given([1, np.nan, 0]).fit(None), np.eye(3), n_recommendations=1)


class IntegerFactors(FactorRecommenderMixin, InDomainRecommender):
    """Factors that are known, whose products are exact in any order of summation."""

    n_jobs = 2

    def _fit(self, X):
        drawn = np.random.default_rng(0)
        self.item_factors_ = drawn.integers(-9, 10, size=(X.shape[1], 3)).astype(np.float32)
        self.item_bias_ = drawn.integers(5, size=X.shape[1]).astype(np.float32)

    def _row_factors(self, X):
        return X @ self.item_factors_

    @property
    def withheld_items_(self):
        return np.arange(self.n_items_) % 7 == 0


@pytest.fixture
def factors_in_tiles():
    """Return a fitted model and more rows than one block of tiles has, some of them special."""
    rows = (np.random.default_rng(0).random((530, 4200), dtype=np.float32) < 0.01).astype(float)
    rows[3] = 0  # gets the popularity
    rows[300:320] = 0  # so many that the items are ranked once for all
    rows[[5, 520], 1:] = 1  # too few items are left
    rows = sp.csr_array(rows)
    model = IntegerFactors().fit(rows)
    model.item_factors_[20:1000] = model.item_factors_[10]  # many equal scores
    return model, rows


def test_best_products_are_the_largest_eligible_scores(factors_in_tiles):
    model, rows = factors_in_tiles
    excluded = sp.random_array((530, 4200), density=0.01, format="csr", rng=1)
    items, scores = recommend(model, rows, n_recommendations=5, exclude_interactions=excluded)
    eligible = all_eligible(model, rows, exclude_interactions=excluded)
    expected, values = top_k(eligible, 5, Preference.by_popularity(model.popularity_))
    assert_array_equal(scores, values)
    assert_array_equal(items, np.where(values == -np.inf, -1, expected))
    assert (items[5] == -1).any()


class InGroups(InDomainRecommender):
    """Scores that depend on the number of items of a row alone, with many ties."""

    n_jobs = 2

    def _fit(self, X):
        self.scores_ = np.random.default_rng(0).integers(3, size=(50, X.shape[1]))
        self.n_scored_ = 0

    def _alike_rows(self, X):
        return row_lengths(X)

    def _score_rows(self, X):
        self.n_scored_ += X.shape[0]
        return self.scores_[row_lengths(X)]

    @property
    def withheld_items_(self):
        return np.arange(self.n_items_) % 7 == 0


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"exclude_seen": False},
        {"candidates": np.arange(0, 700, 3)},
        {"candidates": [5, 6, 7], "exclude_interactions": None},
    ],
)
def test_rows_with_the_same_scores_are_ranked_once(options):
    rng = np.random.default_rng(0)
    lengths = rng.integers(5, size=400)
    lengths[:100] = 40
    columns = np.concatenate([rng.choice(700, size=n, replace=False) for n in lengths])
    rows = sp.csr_array((np.ones(len(columns)), columns, np.append(0, np.cumsum(lengths))))
    excluded = sp.random_array(rows.shape, density=0.2, format="csr", rng=1)
    options = {"exclude_interactions": excluded} | options
    model = InGroups().fit(rows)
    items, scores = recommend(model, rows, n_recommendations=6, **options)
    assert model.n_scored_ == len(np.unique(lengths))

    eligible = all_eligible(model, rows, **options)
    candidates = np.asarray(options.get("candidates", np.arange(700)))
    preference = Preference.by_popularity(model.popularity_[candidates])
    k = min(6, len(candidates))
    expected, values = top_k(eligible, k, preference)
    assert_array_equal(scores[:, :k], values)
    assert_array_equal(items[:, :k], np.where(values == -np.inf, -1, candidates[expected]))


def test_products_that_overflow_are_an_error(factors_in_tiles):
    model, rows = factors_in_tiles
    model.item_factors_[17] *= 1e37
    with pytest.raises(ValueError, match="IntegerFactors gave scores that are not finite"):
        recommend(model, rows)


STEPS = {
    "drops low values": Binarizer(threshold=3.5),
    "frozen": FrozenEstimator(Binarizer(threshold=3.5).fit(np.ones((1, 15)))),
    "centres first": Pipeline([("scale", StandardScaler()), ("drop", Binarizer())]),
    "scales first": Pipeline([("scale", MaxAbsScaler()), ("drop", Binarizer(threshold=0.7))]),
    "nested": Pipeline([("inner", Pipeline([("drop", Binarizer(threshold=3.5))]))]),
}


@pytest.mark.parametrize("name", STEPS)
def test_what_a_row_has_before_the_steps_is_seen(name):
    rng = np.random.RandomState(0)
    ratings = rng.randint(1, 6, size=(40, 15)) * (rng.uniform(size=(40, 15)) < 0.4)
    X = ratings.astype(np.float32)
    pipe = make_pipeline(STEPS[name], ReconstructionRecommender(TruncatedSVD(3))).fit(X)
    items, _ = recommend(pipe, X, n_recommendations=4)
    assert not np.take_along_axis(X, np.maximum(items, 0), axis=1)[items >= 0].any()
    assert (items >= 0).any(axis=1).all()
    for rows, scores in eligible_scores(pipe, X, exclude_seen=True):
        assert_array_equal(scores == -np.inf, X[rows] > 0)
    also = np.zeros_like(X)
    also[:, 3] = 1
    items, _ = recommend(pipe, X, n_recommendations=4, exclude_interactions=also)
    assert not (items == 3).any()
    assert (recommend(pipe, X, n_recommendations=15, exclude_seen=False)[0] >= 0).all()
    found = trace(pipe, X[:1], items=np.arange(15), exclude_interactions=also[:1])
    expected = np.where(X[0] > 0, "seen", np.where(also[0] > 0, "excluded", ""))
    assert_array_equal(found.removed_by, expected)


def test_scores_leave_out_what_a_row_has_before_the_steps():
    rng = np.random.RandomState(0)
    ratings = rng.randint(1, 6, size=(200, 20)) * (rng.uniform(size=(200, 20)) < 0.4)
    known, y = holdout_random(ratings.astype(np.float32), 0.3, random_state=0)
    pipe = make_pipeline(Binarizer(threshold=3.5), EASERecommender(5.0)).fit(known)
    liked = (known > 3.5).astype(np.float32)
    alone, options = pipe[-1], {"exclude_interactions": known}
    items, _ = alone.recommend(liked, n_recommendations=10, **options)
    expected = ndcg_at_k(y, items, k=10)
    assert ranking_scorer("ndcg", k=10)(pipe, known, y) == pytest.approx(expected)
    assert_array_equal(
        held_out_ranks(pipe, known, y)[2], held_out_ranks(alone, liked, y, **options)[2]
    )
    assert held_out_auc(pipe, known, y) == held_out_auc(alone, liked, y, **options)
    compared = debiased_scorer("ndcg", propensity_exponent=0)(pipe, known, y)
    ranks = held_out_ranks(pipe, known, y)
    assert compared == pytest.approx(rank_metrics(ranks[2], rows=ranks[0], k=10)["ndcg"][0])


def test_what_steps_before_the_binarizer_take_for_nothing_is_not_seen():
    rng = np.random.RandomState(0)
    ratings = rng.randint(1, 6, size=(40, 15)) * (rng.uniform(size=(40, 15)) < 0.4)
    for marker in (99, np.nan):  # not rated
        marked = np.where(ratings > 0, ratings, marker)
        clean = FunctionTransformer(
            lambda X: np.where(np.isnan(X) | (X == 99), 0, X), feature_names_out="one-to-one"
        )
        pipe = make_pipeline(clean, Binarizer(threshold=3.5), EASERecommender(5.0)).fit(marked)
        items, _ = recommend(pipe, marked, n_recommendations=4)
        assert (items[:, 0] >= 0).all()
        assert not np.take_along_axis(ratings, np.maximum(items, 0), axis=1)[items >= 0].any()
    stored = sp.csr_array(([0.0, 1.0], ([0, 0], [0, 1])), shape=(1, 15))
    pipe = make_pipeline(Binarizer(), EASERecommender(5.0)).fit(ratings * 1.0)
    items, _ = recommend(pipe, stored, n_recommendations=15)
    assert (items >= 0).sum() == 14
