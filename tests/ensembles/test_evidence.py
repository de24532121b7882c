# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from sktransrec import EASERecommender, PopularityRecommender
from sktransrec._numerics._top_k import Preference
from sktransrec.ensembles._evidence import Evidence, best_of_each, held_out_choices, tempered
from sktransrec.ensembles._standardized import standardized
from sktransrec.interactions._target_items import TargetItems

N_ITEMS = 12
X = sp.csr_array((np.random.RandomState(0).uniform(size=(40, N_ITEMS)) < 0.3).astype(np.float32))
COUNTS = np.bincount(X.indices, minlength=N_ITEMS)


def evidence(**changes):
    models = [EASERecommender(10.0).fit(X), PopularityRecommender().fit(X)]
    target = TargetItems(N_ITEMS, np.arange(N_ITEMS))
    return Evidence(**{"models": models, "target": target, "item_counts": COUNTS, **changes})


def test_kinds_are_tempered_scores_and_log_counts():
    ease, popularity, counts = evidence().of(X)
    scores = EASERecommender(10.0).fit(X).decision_function(X)
    assert_allclose(ease, tempered(scores, X), rtol=1e-3, atol=1e-4)
    assert_array_equal(np.argsort(popularity[0]), np.argsort(counts[0]))
    assert_allclose(counts, np.tile(counts[:1], (40, 1)))


def test_extreme_scores_grow_as_the_square_root():
    scores = np.zeros((1, 10_001))
    scores[0, 0] = 1.0
    (standard,) = standardized(scores)
    assert_allclose(tempered(scores)[0, 0], np.sqrt(standard[0]), rtol=0.01)
    assert_allclose(tempered(scores)[0, 1], standard[1], rtol=0.01)


def test_items_that_a_row_has_do_not_set_its_scale():
    rng = np.random.RandomState(0)
    scores, is_known = rng.normal(size=(5, 20)), rng.uniform(size=(5, 20)) < 0.3
    scores[is_known] += 1000
    found = tempered(scores, sp.csr_array(is_known.astype(np.float32)))
    for row in range(5):
        (expected,) = tempered(scores[[row]][:, ~is_known[row]])
        assert_allclose(found[row, ~is_known[row]], expected)
    assert_array_equal(tempered(scores, sp.csr_array(np.ones((5, 20)))), tempered(0 * scores))


def test_best_of_each_leaves_out_what_is_not_eligible():
    kinds = np.array([[[3.0, 2, 1, 0]], [[0, 1, 2, 3]]])
    preference = Preference.by_popularity(np.ones(4))
    items, least = best_of_each(kinds, np.array([[False, True, True, True]]), 2, preference)
    assert_array_equal(items, [[[1, 2]], [[3, 2]]])
    assert_array_equal(least, [[1], [2]])


def test_of_items_with_equal_evidence_the_popular_ones_are_the_best():
    found = evidence(item_counts=np.arange(N_ITEMS))
    alike, is_eligible = np.zeros((1, 2, N_ITEMS)), np.ones((2, N_ITEMS), dtype=bool)
    items, _ = best_of_each(alike, is_eligible, 3, found.preference)
    assert_array_equal(items, [2 * [[N_ITEMS - 1, N_ITEMS - 2, N_ITEMS - 3]]])


def held_out(y, **options):
    parameters = {"n_best": 2, "n_random": 4, "max_rows": 99, "rng": np.random.RandomState(0)}
    parameters |= {"evidence": evidence(), "given_away": sp.csr_array(y.shape, dtype=bool)}
    return held_out_choices(X=X, y=y, **{**parameters, **options})


def unknown_items():
    """Return one item for each row that it does not have."""
    items = X.toarray().argmin(axis=1)
    return sp.csr_array((np.ones(40, dtype=np.float32), items, np.arange(41)), shape=X.shape)


def test_rejected_items_stand_for_all_that_a_row_could_have_chosen():
    choices, rows, _ = held_out(unknown_items(), n_random=100)
    assert_array_equal(rows, np.arange(40))
    assert_allclose(choices.represents.sum(axis=1), N_ITEMS - np.diff(X.indptr) - 1, rtol=1e-5)
    assert choices.rejected.shape == (40, 3 * 2 + 100, 3)


def test_chosen_items_have_their_own_evidence():
    y = unknown_items()
    choices, _, are_candidates = held_out(y, n_best=N_ITEMS)
    assert_allclose(choices.chosen, evidence().of(X)[:, np.arange(40), y.indices].T)
    assert are_candidates.all()
    assert not held_out(y, n_best=1)[2].all()


def test_some_rows_and_none():
    choices, rows, _ = held_out(unknown_items(), max_rows=7)
    assert len(choices.rejected) == len(rows) == 7
    choices, rows, _ = held_out(sp.csr_array(X.shape, dtype=np.float32))
    assert len(choices.rejected) == len(rows) == len(choices.chosen) == 0


def test_items_that_nobody_else_has_are_no_choices():
    y = unknown_items()
    item = y.indices[0]
    counts = np.where(np.arange(N_ITEMS) == item, 0, COUNTS)
    _, rows, _ = held_out(y, evidence=evidence(item_counts=counts))
    assert_array_equal(rows, np.flatnonzero(y.indices != item))


def test_items_that_are_given_away_are_neither_chosen_nor_rejected():
    y = unknown_items()
    given_away = sp.csr_array(np.eye(40, N_ITEMS, dtype=bool))
    both = sp.csr_array(((y + given_away.astype(np.float32)) > 0).astype(np.float32))
    is_clean = (both - both.multiply(given_away)).toarray() > 0
    choices, rows, _ = held_out(both, given_away=given_away, n_random=100)
    assert_array_equal(rows, np.flatnonzero(is_clean.any(axis=1)))
    expected = evidence().of(X)[:, *np.nonzero(is_clean)].T
    assert_allclose(choices.chosen, expected)
    n_unknown = N_ITEMS - ((X + both) > 0).sum(axis=1)
    assert_allclose(choices.represents.sum(axis=1), n_unknown[rows], rtol=1e-5)
