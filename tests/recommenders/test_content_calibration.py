# SPDX-License-Identifier: BSD-3-Clause
"""New items get the odds that their scores stand for; neighbours count as held-out items tell."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from sktransrec import ALSRecommender, ContentKNNRecommender, HybridRecommender, ItemFeatures
from sktransrec.interactions import holdout_random
from sktransrec.recommenders import _content_calibration
from sktransrec.recommenders._content_calibration import (
    Calibration,
    _HeldOut,
    _log_odds,
    _sampled_pairs,
    _thinned,
    _Trial,
    _with_share_of,
    chosen_on_held_out,
    share_to_come,
)

rng = np.random.RandomState(0)
TASTE = np.arange(200)[:, None] % 2 == np.arange(30) % 2
X = sp.csr_array((rng.uniform(size=(200, 30)) < np.where(TASTE, 0.4, 0.05)).astype(np.float32))
CONTENT = ItemFeatures(np.eye(2)[np.arange(30) % 2] + 0.1 * rng.standard_normal((30, 2)))


def test_new_items_are_held_out_whole_and_others_in_part():
    held_out = _HeldOut.of(X)
    assert_array_equal((held_out.X + held_out.y).toarray(), X.toarray())
    assert held_out.is_new.sum() == 6
    assert held_out.X[:, held_out.is_new].nnz == 0
    assert 0 < held_out.y[:, ~held_out.is_new].nnz < held_out.X.nnz / 2


def test_pairs_stand_for_all_pairs(monkeypatch):
    monkeypatch.setattr(_content_calibration, "_N_PAIRS", 20_000)
    held_out = _HeldOut.of(X)
    items = np.flatnonzero(~held_out.is_new)
    rows, columns, is_held_out, weights = _sampled_pairs(
        held_out.X, held_out.y, items, np.random.default_rng(0)
    )
    assert set(columns) <= set(items)
    assert not held_out.X.toarray()[rows, columns].any()
    assert_array_equal(held_out.y.toarray()[rows, columns] > 0, is_held_out)
    assert weights[is_held_out].sum() == held_out.y[:, items].nnz
    n_others = 200 * len(items) - held_out.X.nnz - held_out.y[:, items].nnz
    assert_allclose(weights[~is_held_out].sum(), n_others, rtol=0.02)


def test_items_that_are_alike_have_the_same_odds_as_known_and_as_new_ones():
    held_out, generator = _HeldOut.of(X), np.random.default_rng(0)
    known, new = (
        _sampled_pairs(held_out.X, held_out.y, np.flatnonzero(items), generator)
        for items in (~held_out.is_new, held_out.is_new)
    )
    shares = [
        weights[is_held_out].sum() / weights.sum()
        for _, _, is_held_out, weights in (known, _thinned(*new))
    ]
    assert_allclose(*shares, rtol=0.15)


def test_items_that_nobody_has_are_held_out_as_new_ones():
    with_others = sp.csr_array(sp.hstack([X, sp.csr_array((200, 120))]))
    held_out = _HeldOut.of(with_others)
    assert held_out.is_new.sum() == 30
    assert 0 < held_out.is_new[:30].sum() < 15


def test_the_line_is_that_by_which_pairs_were_drawn():
    generator = np.random.default_rng(0)
    scores = np.repeat(generator.standard_normal(50), 400)
    is_had = generator.uniform(size=len(scores)) < 1 / (1 + np.exp(1.0 - 2.0 * scores))
    assert_allclose(_log_odds(scores, is_had, np.ones(len(scores))), [-1.0, 2.0], atol=0.15)
    assert _log_odds(-scores, is_had, np.ones(len(scores))) is None
    assert _log_odds(scores, np.arange(len(scores)) < 9, np.ones(len(scores))) is None


def with_fitted_recommender(hybrid):
    hybrid.recommender_ = clone(hybrid.recommender).fit(X)
    return hybrid


def calibration_of(hybrid):
    return chosen_on_held_out(with_fitted_recommender(hybrid), X, CONTENT, has_neighbors=False)[1]


@pytest.mark.parametrize("is_frozen", [False, True])
def test_the_factor_model_on_trial_has_the_values_that_the_one_in_use_has_chosen(is_frozen):
    als = ALSRecommender(2, random_state=0)
    if is_frozen:
        als = FrozenEstimator(als.fit(X))
    hybrid = HybridRecommender(als, item_features=CONTENT).fit(X)
    on_trial = _Trial.of(hybrid, X, CONTENT, has_neighbors=False).model.recommender_
    in_use = hybrid.recommender_.estimator if is_frozen else hybrid.recommender_
    assert on_trial.regularization == in_use.regularization_
    assert on_trial is not in_use


def test_scores_twice_as_large_are_halved(monkeypatch):
    hybrid = HybridRecommender(ALSRecommender(4, random_state=0), item_features=CONTENT)
    scale, *offsets = calibration_of(hybrid)
    assert scale > 0
    assert np.isfinite(offsets).all()
    lines = iter([(-1.0, 1.0), (-1.0, 0.5)])
    monkeypatch.setattr(_content_calibration, "_log_odds", lambda *_: next(lines))
    monkeypatch.setattr(_content_calibration, "share_to_come", lambda _: 0.2)
    assert_allclose(calibration_of(hybrid), (0.5, 0.0, np.log(5)))


def test_the_odds_of_new_items_rise_with_the_share_that_is_to_come():
    """The odds of items of which all is to come are five times those of which a fifth is."""
    known, new = (-1.0, 2.0), (-3.0, 1.0)
    scale, offset, later_offset = Calibration.of(known, new, to_come=0.6)
    scores = np.linspace(-2, 2, 5)
    for shift, times in ((offset, 3), (later_offset, 5)):
        as_known = -1.0 + 2.0 * (scale * scores + shift)
        assert_allclose(np.exp(as_known), times * np.exp(-3.0 + 1.0 * scores))


@pytest.mark.parametrize(
    ("n_rows_with", "expected"),
    [([0, 1, 1], 0.6), ([0, 1, 1, 6], 0.84), ([0, 5, 9], 1.0)],
)
def test_items_that_nobody_has_are_new_where_x_misses_little(n_rows_with, expected):
    """Of all, a quarter or no interactions with items on offer, X would miss the item."""
    assert share_to_come(np.array(n_rows_with)) == pytest.approx(expected)


@pytest.mark.parametrize("parameters", [{"cold_policy": "exclude"}, {"min_interactions": 10_000}])
def test_nothing_is_sought_where_nothing_is_scored(parameters):
    hybrid = HybridRecommender(ALSRecommender(4), item_features=CONTENT, **parameters)
    assert calibration_of(hybrid) == (1.0, 0.0, 0.0)


def tastes(n_rows, signal):
    """Rows of ten tastes, items of ten kinds, and content that tells them or, without signal, not.

    Without signal the content is noise; what rows have tells the kinds.
    """
    generator = np.random.RandomState(0)
    kinds = np.arange(120) % 10
    chance = np.where(generator.randint(10, size=(n_rows, 1)) == kinds, 0.5, 0.01)
    interactions = sp.csr_array((generator.uniform(size=chance.shape) < chance).astype(np.float32))
    noise = generator.standard_normal((120, 10))
    return interactions, ItemFeatures(signal * np.eye(10)[kinds] + (1 - signal) * noise)


@pytest.mark.parametrize(
    ("n_rows", "signal", "expected"),
    [(40, 0.0, [1.0]), (40, 0.9, [1.0]), (400, 0.0, [0.0, 0.25])],
)
def test_neighbors_count_less_where_many_rows_show_that_content_tells_nothing(
    n_rows, signal, expected
):
    interactions, content = tastes(n_rows, signal)
    hybrid = HybridRecommender(ALSRecommender(10, random_state=0), item_features=content)
    assert hybrid.fit(interactions).neighbor_weight_ in expected


def test_a_few_rows_rank_as_well_as_neighbors_by_content():
    """Two rows tell nothing, and content everything."""
    interactions, content = tastes(200, 0.95)
    few = interactions[:2]
    hybrid = HybridRecommender(random_state=0, item_features=content).fit(few)
    neighbors = ContentKNNRecommender(content).fit(few)
    known, wanted = holdout_random(interactions[2:], 0.3, random_state=0)
    assert hybrid.score(known, wanted) > neighbors.score(known, wanted) - 0.01


def test_a_given_weight_or_scale_needs_no_held_out_interactions(monkeypatch):
    monkeypatch.setattr(_content_calibration, "_Trial", None)
    hybrid = HybridRecommender(
        ALSRecommender(4, random_state=0),
        item_features=CONTENT,
        content_scale=2.0,
        neighbor_weight=0.5,
    ).fit(X)
    assert (hybrid.content_scale_, hybrid.neighbor_weight_) == (2.0, 0.5)


def test_a_calibration_that_buries_new_items_is_not_taken(monkeypatch):
    monkeypatch.setattr(_content_calibration, "MIN_ITEMS", 30)
    hybrid = with_fitted_recommender(HybridRecommender(ALSRecommender(2, random_state=0)))
    trial = _Trial.of(hybrid, X, CONTENT, has_neighbors=False)
    fair = Calibration(1.0, 0.0, 0.0)
    burying, the_same = Calibration(0.01, -9.0, -9.0), Calibration(1.0, 1e-6, 0.0)
    assert trial.best_calibration(1.0, [burying, fair]) == fair
    assert trial.best_calibration(1.0, [the_same, fair]) == the_same
    assert trial.best_calibration(1.0, [fair, burying]) == fair


def test_a_share_of_the_wanted_new_items_is_drawn():
    columns = np.arange(30) < 15
    drawn = _with_share_of(X, columns, 0.25, np.random.default_rng(0))
    assert_array_equal(drawn[:, 15:].toarray(), X[:, 15:].toarray())
    assert 0.15 < drawn[:, :15].nnz / X[:, :15].nnz < 0.35
    assert X.data.all()
