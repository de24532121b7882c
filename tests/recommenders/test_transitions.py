# SPDX-License-Identifier: BSD-3-Clause
"""Transitions equal those counted by hand and by loops."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sktransrec import TransitionRecommender

RNG = np.random.RandomState(0)
X = RNG.randint(1, 9, size=(40, 6)) * (np.arange(6) < RNG.randint(2, 7, size=(40, 1)))


def test_hand_worked_transitions():
    model = TransitionRecommender(2, popularity_offset=0, popularity_exponent=0, decay=0.5)
    model.fit([[1, 2, 3], [2, 3, 0], [3, 0, 0]])
    transitions = [[0, 1, 0.5], [0, 0, 2], [0, 0, 0]]
    assert_array_equal(model.transitions_.toarray(), transitions)
    roots = np.sqrt([1, 2, 3])
    links = transitions / np.outer(roots, roots)
    assert_allclose(model.item_links_.toarray(), links, rtol=1e-6)
    scores = model.decision_function([[1, 2, 0]])
    assert_allclose(scores[0], 0.5 * links[0] + links[1], rtol=1e-6)
    items, _ = model.similar_items([1], n_similar=1)
    assert items[0, 0] == 2


@pytest.mark.parametrize("window", [1, 3, 9])
def test_links_equal_a_loop(window):
    options = {"item_exponent": 0.7, "popularity_exponent": 0.2, "popularity_offset": 3.0}
    model = TransitionRecommender(window, decay=1, **options).fit(X)
    transitions, counts = np.zeros((8, 8)), np.zeros(8)
    for history in X:
        items = history[history > 0] - 1
        np.add.at(counts, items, 1)
        for step, item in enumerate(items):
            for distance, follower in enumerate(items[step + 1 : step + 1 + window], start=1):
                transitions[item, follower] += 1 / distance
    divisors = (counts + 3) ** 0.7
    links = counts**0.2 * transitions / np.outer(divisors, divisors)
    assert_allclose(model.item_links_.toarray(), links, rtol=1e-5)


def test_rows_learned_in_parts_are_rows_learned_at_once():
    whole = TransitionRecommender(n_items=8).fit(X)
    parts = TransitionRecommender(n_items=8).partial_fit(X[:15]).partial_fit(X[15:])
    assert_allclose(parts.item_links_.toarray(), whole.item_links_.toarray(), rtol=1e-5)
    assert_allclose(parts.popularity_, whole.popularity_, rtol=1e-6)


def test_the_order_of_rows_and_the_side_of_the_padding_do_not_matter():
    at_the_left = np.array([np.roll(row, np.count_nonzero(row == 0)) for row in X])
    scores = TransitionRecommender().fit(X).decision_function(X)
    other_scores = TransitionRecommender().fit(at_the_left[::-1]).decision_function(at_the_left)
    assert_allclose(other_scores, scores, rtol=1e-5)
