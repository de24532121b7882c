# SPDX-License-Identifier: BSD-3-Clause
"""Steps of histories equal a loop over them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sktransrec import DecayedHistory, RidgeRecommender, history_steps

HISTORIES = np.array([[3, 1, 2, 1, 4], [2, 4, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0]])


def steps_by_a_loop(histories, decay, max_length, max_steps):
    known, following, rows = [], [], []
    for row, history in enumerate(histories):
        items = [item - 1 for item in history if item]
        steps = range(1, len(items))
        for step in steps[-max_steps:] if max_steps else steps:
            weights = np.zeros(4)
            for steps_back, item in enumerate(items[max(0, step - max_length) : step][::-1]):
                weights[item] += decay**steps_back
            known.append(weights)
            following.append(np.eye(4)[items[step]])
            rows.append(row)
    return known, following, rows


@pytest.mark.parametrize(
    ("decay", "max_length", "max_steps"), [(1, 50, None), (0.5, 50, None), (0.7, 2, 2), (1, 1, 1)]
)
def test_steps_equal_a_loop(decay, max_length, max_steps):
    options = {"decay": decay, "max_length": max_length, "max_steps": max_steps}
    expected = steps_by_a_loop(HISTORIES, **options)
    found = history_steps(HISTORIES, return_rows=True, **options)
    for ours, theirs in zip(found[:2], expected[:2], strict=True):
        assert ours.dtype == np.float32
        assert_allclose(ours.toarray(), theirs)
    assert_array_equal(found[2], expected[2])
    at_the_left = np.array([np.roll(row, np.count_nonzero(row == 0)) for row in HISTORIES])
    assert_allclose(history_steps(at_the_left, **options)[0].toarray(), expected[0])


def test_a_supervised_recommender_learns_what_comes_next():
    histories = np.array([[1, 2, 3], [4, 2, 1], [1, 2, 3], [4, 2, 1]])
    model = RidgeRecommender(regularization=0.1).fit(*history_steps(histories, decay=0.5))
    items, _ = model.recommend(
        DecayedHistory(0.5, n_items=4).fit(histories).transform([[1, 2, 0]]), n_recommendations=1
    )
    assert items[0, 0] == 2


def test_bad_histories():
    with pytest.raises(ValueError, match="no row has two items"):
        history_steps([[1, 0], [2, 0]])
    with pytest.raises(ValueError, match="item id 5, but n_items=4"):
        history_steps([[1, 5]], n_items=4)
    with pytest.raises(ValueError, match="decay"):
        history_steps([[1, 2]], decay=2)
