# SPDX-License-Identifier: BSD-3-Clause
"""What popularity alone is worth to scorers, on data of which it is known what rows choose by."""

import functools
import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV

from sktransrec import (
    ALSRecommender,
    DiscountedRecommender,
    PopularityRecommender,
    debiased_scorer,
    ranking_scorer,
)
from sktransrec.base import InDomainRecommender
from sktransrec.datasets import load_movielens
from sktransrec.interactions import InteractionEncoder, holdout_random
from sktransrec.metrics import choice_odds, held_out_ranks, inverse_propensity_weights, rank_metrics

N_ROWS, N_ITEMS, N_GROUPS = 2500, 600, 4
N_CHOICES, K, N_NEGATIVES = 8, 10, 49


@functools.cache
def _choices(taste):
    """Return interactions of rows that choose by popularity, and by groups of items if `taste`."""
    rng = np.random.default_rng(0)
    popularity = np.arange(1, N_ITEMS + 1) ** -0.6
    same_group = np.arange(N_ROWS)[:, None] % N_GROUPS == np.arange(N_ITEMS) % N_GROUPS
    waiting_times = rng.exponential(size=(N_ROWS, N_ITEMS))
    waiting_times /= popularity * np.where(same_group, np.exp(taste), 1)
    columns = np.argsort(waiting_times, axis=1)[:, :N_CHOICES].ravel()
    rows = np.repeat(np.arange(N_ROWS), N_CHOICES)
    return sp.csr_array((np.ones(len(rows), dtype=np.float32), (rows, columns)))


@functools.cache
def _split(taste):
    return holdout_random(_choices(taste), 0.25, random_state=0)


IPS = {"propensity_exponent": 1.0, "max_weight": None}
MATCHED = {"propensity_exponent": 0.0, "n_negatives": N_NEGATIVES, "negative_exponent": 1.0}
HALF = {"propensity_exponent": 0.5, "n_negatives": N_NEGATIVES, "negative_exponent": 0.5}


def _taste_model():
    return ALSRecommender(N_GROUPS, regularization=0.02, random_state=0)


@functools.cache
def _models_of_taste():
    """Return what is popular where rows choose by taste, and a model that finds the taste."""
    X, _ = _split(taste=2)
    return PopularityRecommender().fit(X), _taste_model().fit(X)


def _score(model, X, y, options):
    return debiased_scorer("hit_rate", K, **options, random_state=0)(model, X, y)


def _chance(options):
    if "n_negatives" in options:
        return K / (N_NEGATIVES + 1)
    # Of the items that a row has not seen, one is the pair's and those hidden are not ranked.
    n_kept = round(0.75 * N_CHOICES)
    return K / (N_ITEMS - n_kept - (N_CHOICES - n_kept) + 1)


@pytest.mark.parametrize("options", [IPS, MATCHED, HALF], ids=["weights", "negatives", "both"])
def test_popularity_is_at_chance_where_rows_choose_by_it(options):
    X, y = _split(taste=0)
    model = PopularityRecommender().fit(X)
    assert_allclose(_score(model, X, y, options), _chance(options), rtol=0.15)


def test_popularity_is_far_above_chance_where_nothing_holds_it_back():
    X, y = _split(taste=0)
    model = PopularityRecommender().fit(X)
    assert _score(model, X, y, {"propensity_exponent": 0.0}) > 4 * _chance(IPS)


@pytest.mark.parametrize("options", [IPS, MATCHED, HALF], ids=["weights", "negatives", "both"])
def test_taste_is_far_above_chance(options):
    X, y = _split(taste=2)
    popularity, taste = _models_of_taste()
    assert _score(popularity, X, y, options) < 1.3 * _chance(options)
    assert _score(taste, X, y, options) > 1.8 * _chance(options)


def test_search_holds_popular_items_back():
    scorers = {
        "matched": debiased_scorer(holdout=0.25, random_state=0, **MATCHED),
        "plain": ranking_scorer(holdout=0.25, random_state=0),
    }
    search = GridSearchCV(
        DiscountedRecommender(_taste_model()),
        {"discount": [0.0, 0.6]},
        scoring=scorers,
        cv=2,
        refit=False,
        error_score="raise",
    ).fit(_choices(taste=2))
    best = {name: np.argmax(search.cv_results_[f"mean_test_{name}"]) for name in scorers}
    assert best == {"matched": 1, "plain": 0}


def test_score_is_the_weighted_mean_of_the_ranks():
    X, y = _split(taste=1)
    model = PopularityRecommender().fit(X)
    candidates = np.arange(0, N_ITEMS, 2)
    y_candidates = sp.csr_array(y @ sp.diags_array((np.arange(N_ITEMS) % 2 == 0).astype(float)))
    rows, items, ranks = held_out_ranks(model, X, y_candidates, candidates=candidates)
    odds = choice_odds(model.popularity_, np.diff(X.indptr))
    weights = np.zeros(N_ITEMS)
    weights[candidates] = inverse_propensity_weights(odds[candidates], exponent=0.7, max_weight=3)
    expected = rank_metrics(ranks, rows=rows, weights=weights[items], k=5)
    for metric in ("hit_rate", "reciprocal_rank", "ndcg"):
        scorer = debiased_scorer(
            metric, 5, propensity_exponent=0.7, max_weight=3, candidates=candidates
        )
        assert scorer(model, X, y) == expected[metric][0]


def test_items_that_are_not_ranked_have_no_part_in_the_weights():
    """The default bound of the weights would be above all of them beside a popular source."""
    X, y = _split(taste=0)
    source = sp.csr_array((np.random.RandomState(0).uniform(size=(X.shape[0], 20)) < 0.6) * 1.0)
    both = sp.hstack([source, X], format="csr")
    wanted = sp.hstack([sp.csr_array(source.shape), y], format="csr")
    scorer = debiased_scorer("hit_rate", candidates=np.arange(20, both.shape[1]))
    alone = debiased_scorer("hit_rate")(PopularityRecommender().fit(X), X, y)
    of_both = scorer(PopularityRecommender().fit(both), both, wanted)
    assert of_both == pytest.approx(alone, rel=0.1)


def test_scorer_hides_and_can_be_pickled():
    X = _choices(taste=1)[:200]
    model = PopularityRecommender().fit(X)
    scorer = debiased_scorer(n_negatives=20, negative_exponent=1, holdout=2, random_state=3)
    assert repr(scorer) == (
        "debiased_scorer('ndcg', k=10, propensity_exponent=1.0, max_weight=10.0, n_negatives=20, "
        "negative_exponent=1, holdout=2, random_state=3)"
    )
    assert repr(debiased_scorer(exclude_seen=False, candidates=[0, 1], max_weight=3)) == (
        "debiased_scorer('ndcg', k=10, propensity_exponent=1.0, max_weight=3, "
        "exclude_seen=False, candidates=<array of shape (2,)>)"
    )
    assert pickle.loads(pickle.dumps(scorer))(model, X) == scorer(model, X)
    _, y = holdout_random(X, 2, random_state=3)
    assert scorer(model, X) == debiased_scorer(n_negatives=20, negative_exponent=1, random_state=3)(
        model, X - y, y
    )
    _, y = holdout_random(X, 0.2, random_state=0)
    assert debiased_scorer()(model, X) == debiased_scorer()(model, X - y, y)
    with pytest.raises(ValueError, match="y was passed as well"):
        scorer(model, X, X)
    with pytest.raises(ValueError, match="propensity_exponent"):
        debiased_scorer(propensity_exponent=-1)


class OneItem(InDomainRecommender):
    """Recommend one item, and all others alike after it."""

    def __init__(self, item):
        self.item = item

    def _fit(self, X):
        pass

    def _score_rows(self, X):
        return np.tile(np.arange(X.shape[1]) == self.item, (X.shape[0], 1))


def test_negatives_are_drawn_by_the_power_of_popularity():
    """Item 6 is seen and item 5 held out: with one negative, the rank says whether it is ours."""
    rng = np.random.default_rng(0)
    chances = [0.8, 0.4, 0.4, 0.2, 0.1, 0.05, 1.0]
    X = (rng.uniform(size=(400, 7)) < chances).astype(float)
    n_rows_with = X.sum(axis=0)[:5]
    rows = np.tile(np.arange(7) == 6, (4000, 1)).astype(float)
    held_out = np.full(4000, 5)
    for item in range(5):
        _, _, ranks = held_out_ranks(
            *(OneItem(item).fit(X), rows, held_out),
            n_negatives=1,
            negative_exponent=1.5,
            random_state=0,
        )
        assert set(ranks) == {1.5, 2}
        expected = n_rows_with[item] ** 1.5 / (n_rows_with**1.5).sum()
        assert_allclose(np.mean(ranks == 2), expected, atol=0.03)


def test_negatives_by_popularity_are_those_of_the_seed():
    X, y = _split(taste=1)
    X, y = X[:100], y[:100]
    arguments = {"n_negatives": 5, "negative_exponent": 1.0}
    first, again, other = (
        held_out_ranks(model, X, y, **arguments, random_state=seed)[2]
        for model, seed in ((OneItem(0).fit(X), 3), (OneItem(0).fit(X), 3), (OneItem(0).fit(X), 4))
    )
    assert_array_equal(first, again)
    assert (first != other).any()
    # A row that has seen all but what is held out has no negatives.
    everything = held_out_ranks(OneItem(0).fit(X), 1 - y.toarray(), y, **arguments)[2]
    assert_array_equal(everything, 1)


@pytest.mark.parametrize("weights", [[1, 0], [1], [[1, 2]], [1, np.nan]])
def test_bad_weights(weights):
    with pytest.raises(ValueError, match="weights"):
        rank_metrics([1, 2], weights=weights)


def test_weights_count_pairs_as_if_repeated():
    ranks, rows = np.array([1, 2, 5, 9]), np.array([0, 0, 1, 2])
    weighted = rank_metrics(ranks, rows=rows, weights=[1, 2, 3, 1])["reciprocal_rank"]
    repeated = rank_metrics(np.repeat(ranks, [1, 2, 3, 1]), rows=np.repeat(rows, [1, 2, 3, 1]))
    assert_allclose(weighted, repeated["reciprocal_rank"])
    assert_allclose(
        rank_metrics(ranks, rows=rows, weights=[7] * 4)["reciprocal_rank"],
        rank_metrics(ranks, rows=rows)["reciprocal_rank"],
    )


@pytest.mark.slow
@pytest.mark.data
def test_films(data_home):
    """Popularity is far above chance in the full ranking, and near it once it is not paid for."""
    ratings = load_movielens(data_home=data_home).ratings
    X = InteractionEncoder().fit_transform({"user": ratings.user_id, "item": ratings.movie_id})
    X, y = holdout_random(X, 0.2, random_state=0)
    popularity, als = PopularityRecommender().fit(X), ALSRecommender(32, random_state=0).fit(X)
    X, y = X[::4], y[::4]
    chance = 10 / X.shape[1]
    plain = rank_metrics(held_out_ranks(popularity, X, y)[2])["hit_rate"][0]
    assert plain > 30 * chance
    assert _score(popularity, X, y, {"max_weight": 10.0}) < 2 * chance
    assert _score(popularity, X, y, MATCHED) < 1.2 * _chance(MATCHED)
    assert _score(als, X, y, {"max_weight": 10.0}) > 8 * chance
    assert _score(als, X, y, MATCHED) > 2 * _chance(MATCHED)


def test_an_unfitted_model_is_named():
    with pytest.raises(NotFittedError, match="PopularityRecommender"):
        debiased_scorer()(PopularityRecommender(), np.eye(3), np.ones((3, 3)) - np.eye(3))
