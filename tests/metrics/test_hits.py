# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sktransrec.metrics._hits import hits_and_counts


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 6))
def test_agrees_with_a_look_at_each_item(seed, n_rows, n_items):
    rng = np.random.RandomState(seed)
    y = (rng.uniform(size=(n_rows, n_items)) < 0.4) * rng.choice([1.0, -1.0], (n_rows, n_items))
    items = np.array([rng.permutation(n_items) for _ in range(n_rows)])
    items[rng.uniform(size=items.shape) < 0.2] = -1
    k = rng.randint(1, n_items + 1)
    expected = [[i >= 0 and y[row, i] > 0 for i in items[row, :k]] for row in range(n_rows)]
    for given_y in (y, sp.csc_array(y)):
        hits, counts = hits_and_counts(given_y, items, k)
        assert_array_equal(hits, expected)
        assert_array_equal(counts, (y > 0).sum(axis=1))


def test_one_item_a_row():
    hits, counts = hits_and_counts(np.array([3, 0]), np.array([[1, 3], [9, 2]]), 2)
    assert_array_equal(hits, [[False, True], [False, False]])
    assert_array_equal(counts, [1, 1])


@pytest.mark.parametrize(
    ("items", "k", "message"),
    [
        ([[0.0, 1.0]], 1, "integer array of shape"),
        ([0, 1], 1, "integer array of shape"),
        ([[0, 1]], 3, "k must be an integer from 1 to n_ranked=2, got 3"),
        ([[0, -2]], 2, "items holds -2"),
        ([[1, 1]], 2, "column 1 more than once in row 0"),
        ([[0, 4]], 2, "items holds column 4, but y_true has 3 columns"),
    ],
)
def test_bad_rankings(items, k, message):
    with pytest.raises(ValueError, match=message):
        hits_and_counts(np.eye(3)[:1], items, k)
