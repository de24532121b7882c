# SPDX-License-Identifier: BSD-3-Clause
"""Which decay is best for the last items of histories, and what links make of each item."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sktransrec import NextItemRidgeRecommender, TransitionRecommender
from sktransrec._auto import MIN_ITEMS, MIN_ROWS
from sktransrec._histories import ends_in_new_item
from sktransrec.inspection import explain
from sktransrec.recommenders._history_reader import best_decay, check_has_steps

RNG = np.random.RandomState(0)
N_ITEMS = MIN_ITEMS
# No item is repeated, and the last item is the number after the first item of the row.
X = np.array([1 + RNG.permutation(N_ITEMS - 1)[:6] for _ in range(MIN_ROWS + 20)])
X = X[[len(set(row[1:]) - {row[0] + 1}) == 5 for row in X]]
X = np.column_stack([X, X[:, 0] + 1])


def scores_right_with(decay):
    """Return a scorer that finds the last item if it is asked with this decay."""

    def scores(items):
        items = items.toarray()
        by_weight = np.argsort(-items, axis=1, kind="stable")
        rows = np.arange(len(items))
        is_asked_so = np.isclose(items[rows, by_weight[:, 1]], decay)
        scores = np.zeros_like(items)
        scores[rows, by_weight[:, 5] + 1] = is_asked_so
        return scores

    return scores


@pytest.mark.parametrize("decay", [0.9, 0.6])
def test_the_decay_that_finds_most_is_chosen(decay):
    assert best_decay(X, N_ITEMS, lambda known: scores_right_with(decay)) == decay


def test_chance_does_not_move_the_decay():
    best, usual = scores_right_with(0.9), scores_right_with(0.8)

    def scores(items):
        found = best(items) + usual(items)
        found[[0] if best(items).any() else [1, 2]] = 0
        return found

    assert best_decay(X, N_ITEMS, lambda known: scores) == 0.8


def test_held_out_items_are_not_learned():
    def scorer(known):
        assert np.count_nonzero(X) - np.count_nonzero(known) == min(2000, ends_in_new_item(X).sum())
        return scores_right_with(0.9)

    best_decay(X, N_ITEMS, scorer)


def test_few_histories_decide_nothing():
    assert best_decay(X[:20], N_ITEMS, None) == 0.8


def test_histories_without_steps_are_refused():
    with pytest.raises(ValueError, match="longer histories"):
        check_has_steps(np.array([[1, 0], [2, 0]]))
    check_has_steps(np.array([[1, 0], [2, 3]]))


both_linked = pytest.mark.parametrize("linked", [NextItemRidgeRecommender, TransitionRecommender])


@both_linked
def test_a_cycle_is_followed(linked):
    cycle = 1 + (np.arange(7)[:, None] + np.arange(4)) % 7
    model = linked().fit(cycle)
    items, _ = model.recommend(cycle, n_recommendations=1)
    assert_array_equal(items[:, 0], (np.arange(7) + 4) % 7)
    assert model.similar_items([2], n_similar=1)[0] == 3


@both_linked
def test_each_item_of_a_history_adds_its_part_to_the_score(linked):
    rng = np.random.RandomState(0)
    X = rng.randint(1, 9, size=(40, 6)) * (np.arange(6) < rng.randint(2, 7, size=(40, 1)))
    model = linked(decay=0.5).fit(X)
    explanation = explain(model, [[3, 1, 2, 1, 0, 0]], items=[4, 6])
    assert explanation.is_exact
    assert_array_equal(explanation.columns, [2, 0, 1, 0])
    links = model.item_links_.toarray()
    assert_allclose(
        explanation.contributions[0], [0.125, 0.25, 0.5, 1] * links[[2, 0, 1, 0], 4], rtol=1e-5
    )
    assert_allclose(explanation.rest, 0, atol=1e-6)
