# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose

from sktransrec import PopularityRecommender, debiased_scorer
from sktransrec.interactions import holdout_random
from sktransrec.metrics import choice_odds, held_out_ranks

N_ROWS, N_ITEMS = 800, 600


def _rasch(seed=0):
    """Return interactions of rows of very different activity with items of known odds."""
    rng = np.random.default_rng(seed)
    row_odds, item_odds = rng.lognormal(-3, 1.5, size=N_ROWS), rng.lognormal(0, 1.2, size=N_ITEMS)
    odds = np.outer(row_odds, item_odds)
    return sp.csr_array((rng.uniform(size=odds.shape) < odds / (1 + odds)) * 1.0), item_odds


def test_odds_of_rows_and_items_are_recovered():
    X, item_odds = _rasch()
    popularity = X.sum(axis=0) / N_ROWS
    is_known = popularity > 0.05
    odds = choice_odds(popularity, np.diff(X.indptr))
    slope, alike = (
        np.polyfit(np.log(item_odds[is_known]), np.log(estimate[is_known]), 1)[0]
        for estimate in (odds, choice_odds(popularity))
    )
    assert slope == pytest.approx(1, abs=0.05)
    assert alike < 0.8  # rows taken for alike make too little of the differences


def test_shares_are_those_of_the_model():
    rng = np.random.default_rng(0)
    popularity, activity = rng.uniform(0.05, 0.9, size=30), rng.integers(1, 20, size=40)
    odds = choice_odds(popularity, activity)
    total = activity * 40 * popularity.sum() / activity.sum()
    total = np.minimum(total, 29.5)
    # The odds of each row follow from its number of items.
    low, high = np.full(40, -20.0), np.full(40, 20.0)
    for _ in range(60):
        middle = (low + high) / 2
        chance = 1 / (1 + np.exp(-middle[:, None] - np.log(odds)))
        is_high = chance.sum(axis=1) > total
        low, high = np.where(is_high, low, middle), np.where(is_high, middle, high)
    assert_allclose(chance.mean(axis=0), popularity, atol=0.02)


def test_odds_of_rows_that_are_alike():
    assert_allclose(choice_odds([0.5, 0.2]), [1, 0.25])
    assert_allclose(choice_odds([0.5, 0.2], [0, 0]), [1, 0.25])
    assert_allclose(choice_odds([0.5, 0.0]), [1, 1])  # as if it were the rarest that some row has
    odds = choice_odds([0.002, 0.001], [1, 1, 1])
    assert odds[0] / odds[1] == pytest.approx(2, rel=0.01)
    assert np.isfinite(choice_odds([1.0, 1.0, 0.5], [3, 3, 2])).all()
    with pytest.raises(ValueError, match="popularity holds 3"):
        choice_odds([3, 1])


def test_activities_that_no_odds_agree_with_are_left_out():
    rng = np.random.default_rng(0)
    item_odds = 1.5 * np.exp(-np.linspace(0, 4, 100))
    known, scored = rng.lognormal(sigma=0.8, size=3000), np.r_[np.full(1500, 0.03), np.full(500, 3)]
    known, scored = (
        (rng.random((len(of_rows), 100)) < odds / (1 + odds)).astype(float)
        for of_rows in (known, scored)
        for odds in [np.outer(of_rows, item_odds)]
    )
    model = PopularityRecommender().fit(known)
    X, y = holdout_random(scored, 0.5, random_state=0)
    odds = choice_odds(model.popularity_, (X != 0).sum(axis=1))
    assert_allclose(odds, choice_odds(model.popularity_))
    assert 30 < odds.max() / odds.min() < 60
    assert 0.1 < debiased_scorer("hit_rate", random_state=0)(model, X, y) < 0.22
    # Odds that run away from each other are no overflow either.
    rare = [0.9, *[1e-4] * 59]
    assert_allclose(choice_odds(rare, [*[1] * 59, 10**9]), choice_odds(rare))


def test_rows_share_what_one_row_cannot_have():
    """A row that would have more than all items does not keep the odds from being found."""
    assert_allclose(choice_odds([0.9, 0.8, 0.7], [1, 1, 50]), np.ones(3) * 13 / 7, rtol=0.5)
    popularity = np.array([0.9, 0.5, 0.3])
    odds = choice_odds(popularity, [1, 1, 3, 50])
    assert odds[0] / odds[2] > 1.5 * choice_odds(popularity)[0] / choice_odds(popularity)[2]
    assert odds.max() < 1000


def test_popularity_is_nearer_to_chance_where_rows_choose_by_odds():
    """Where an item is had by most rows, its share of rows is too little to weigh it by."""
    X, y = holdout_random(_rasch()[0], 0.2, random_state=0)
    model = PopularityRecommender().fit(X)
    chance = 5 / 50
    matched = debiased_scorer(
        "hit_rate", 5, propensity_exponent=0, n_negatives=49, negative_exponent=1, random_state=0
    )
    assert matched(model, X, y) < 1.4 * chance
    _, _, by_share = held_out_ranks(
        model, X, y, n_negatives=49, negative_exponent=1, random_state=0
    )
    assert (by_share <= 5).mean() > 1.8 * chance


def test_negatives_are_drawn_by_the_popularity_passed():
    X, y = holdout_random(_rasch()[0][:200], 0.2, random_state=0)
    model = PopularityRecommender().fit(X)
    options = {"n_negatives": 9, "negative_exponent": 1, "random_state": 0}
    own = held_out_ranks(model, X, y, popularity=model.popularity_, **options)
    assert_allclose(own[2], held_out_ranks(model, X, y, **options)[2])
    _, _, rare = held_out_ranks(model, X, y, popularity=1 - model.popularity_, **options)
    assert rare.mean() < own[2].mean()
    with pytest.raises(ValueError, match="popularity has 3 values"):
        held_out_ranks(model, X, y, popularity=[1, 2, 3], **options)
