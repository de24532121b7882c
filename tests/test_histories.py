# SPDX-License-Identifier: BSD-3-Clause
import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sktransrec._histories import (
    decayed_items,
    last_items,
    latest,
    padded_at_end,
    pairs_in_order,
    seen_items,
    split_latest,
    windows,
    without_last,
)

X = np.array([[1, 2, 3, 4, 5], [6, 7, 0, 0, 0], [8, 0, 0, 0, 0], [0, 0, 0, 0, 0]])


def test_zeros_are_moved_to_the_end():
    assert_array_equal(padded_at_end(np.array([[0, 2, 0, 1]])), [[2, 1, 0, 0]])


def test_the_latest_ids_are_kept():
    assert_array_equal(latest(X, 3), [[3, 4, 5], [6, 7, 0], [8, 0, 0], [0, 0, 0]])
    assert_array_equal(latest(X[1:], 9), [[6, 7], [8, 0], [0, 0]])
    assert_array_equal(latest(X[3:], 2), [[0]])


def test_last_items():
    assert_array_equal(last_items(X[:3]), [5, 7, 8])
    assert_array_equal(without_last(X[:2]), [[1, 2, 3, 4, 0], [6, 0, 0, 0, 0]])
    assert X[0, 4] == 5


def test_decayed_items_equal_a_loop():
    rng = np.random.RandomState(0)
    histories = rng.randint(1, 7, size=(6, 5)) * (np.arange(5) < np.arange(6)[:, None])
    expected = np.zeros((6, 5))
    for row, history in zip(expected, histories, strict=True):
        known = [item for item in history if 0 < item <= 5]
        for steps_back, item in enumerate(reversed(known)):
            row[item - 1] += 0.5**steps_back
    assert_allclose(decayed_items(histories, 5, 0.5).toarray(), expected)


def test_no_decayed_item_is_forgotten():
    long = np.arange(1, 801)[None]
    for decay in (0, 0.1):
        items = decayed_items(long, 800, decay)
        assert (items.data > 0).all()
        assert items.nnz == 800
    assert_allclose(decayed_items(long, 800, 0).toarray(), np.eye(800)[[799]], atol=1e-12)
    assert_array_equal(decayed_items(X, 8, 1).toarray(), seen_items(X, 8).toarray())


def test_pairs_in_order():
    rows, steps, earlier, later = pairs_in_order(X, 2)
    assert_array_equal(rows, [0, 0, 0])
    assert_array_equal(steps, [2, 3, 4])
    assert_array_equal(earlier, [0, 1, 2])
    assert_array_equal(later, [2, 3, 4])


def test_windows():
    assert_array_equal(windows(X, 3), [[3, 4, 5], [1, 2, 3], [6, 7, 0]])
    assert_array_equal(windows(X, 4), [[2, 3, 4, 5], [1, 2, 0, 0], [6, 7, 0, 0]])
    assert windows(X[2:], 3).shape == (0, 3)


@given(
    st.lists(st.lists(st.integers(1, 99), max_size=12), min_size=1, max_size=6),
    st.integers(2, 14),
)
def test_windows_hold_every_step_once(histories, length):
    rows = np.zeros((len(histories), max(map(len, histories)) + 1), dtype=int)
    for row, history in zip(rows, histories, strict=True):
        row[: len(history)] = history
    pieces = windows(rows, length)
    steps = [(a, b) for piece in pieces for a, b in itertools.pairwise(piece) if b]
    expected = [(a, b) for history in histories for a, b in itertools.pairwise(history)]
    assert sorted(steps) == sorted(expected)
    assert all(np.count_nonzero(piece) >= 2 for piece in pieces)


def test_latest_ids_are_split_off():
    X = np.array([[1, 2, 3, 4], [5, 6, 0, 0], [7, 0, 0, 0]])
    kept, held_out = split_latest(X, np.array([2, 1, 0]), X > 0)
    assert_array_equal(kept, [[1, 2, 0, 0], [5, 0, 0, 0], [7, 0, 0, 0]])
    assert_array_equal(kept + held_out, X)


def test_latest_ids_of_those_that_count_are_split_off_with_what_comes_after():
    X = np.array([[1, 9, 2, 9, 3, 9], [9, 4, 9, 0, 0, 0], [9, 9, 0, 0, 0, 0]])
    kept, held_out = split_latest(X, np.array([2, 1, 0]), (X > 0) & (X < 9))
    assert_array_equal(kept, [[1, 9, 0, 0, 0, 0], [9, 0, 0, 0, 0, 0], [9, 9, 0, 0, 0, 0]])
    assert_array_equal(held_out, [[0, 0, 2, 0, 3, 0], [0, 4, 0, 0, 0, 0], [0] * 6])


def test_seen_items_leave_ids_out_that_are_no_columns():
    seen = seen_items(np.array([[3, 1, 3, 0], [4, 2, 0, 0]]), n_items=3)
    assert_array_equal(seen.toarray() > 0, [[1, 0, 1], [0, 1, 0]])
