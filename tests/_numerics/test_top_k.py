# SPDX-License-Identifier: BSD-3-Clause
"""`top_k` agrees with a full sort of every row, ties and -inf included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sktransrec._numerics._top_k import Preference, top_k


def _by_sorting(scores, k, popularity):
    by_column = np.arange(scores.shape[1])
    columns = np.array([np.lexsort((by_column, -popularity, -row))[:k] for row in scores])
    return columns, np.take_along_axis(scores, columns, axis=1)


def _assert_exact(scores, k, n_popularities=3):
    popularity = np.random.default_rng(1).integers(n_popularities, size=scores.shape[1])
    before = scores.copy()
    columns, values = top_k(scores, k, Preference.by_popularity(popularity))
    expected_columns, expected_values = _by_sorting(scores, k, popularity)
    assert_array_equal(columns, expected_columns)
    assert_array_equal(values, expected_values)
    assert columns.dtype == np.intp
    assert values.dtype == scores.dtype
    assert_array_equal(scores, before)


@given(
    n_rows=st.integers(1, 6),
    n_columns=st.integers(1, 700),
    k=st.integers(1, 30),
    n_values=st.sampled_from([1, 2, 5, 50, 10**6]),
    share_excluded=st.sampled_from([0, 0.1, 0.95, 1]),
    n_popularities=st.sampled_from([1, 2, 1000]),
    seed=st.integers(0, 2**32 - 1),
)
def test_exact(n_rows, n_columns, k, n_values, share_excluded, n_popularities, seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(n_values, size=(n_rows, n_columns)).astype(np.float32)
    scores[rng.uniform(size=scores.shape) < share_excluded] = -np.inf
    _assert_exact(scores, min(k, n_columns), n_popularities)


@pytest.mark.parametrize("n_columns", [1, 2, 40, 130])
def test_every_k_up_to_all_columns(n_columns):
    scores = np.random.default_rng(0).normal(size=(7, n_columns)).astype(np.float32)
    for k in range(1, n_columns + 1):
        _assert_exact(scores, k)


@pytest.mark.parametrize("n_columns", [5000, 5001, 5031])
@pytest.mark.parametrize("k", [1, 10, 100])
def test_wide_rows(n_columns, k):
    scores = np.random.default_rng(0).normal(size=(9, n_columns)).astype(np.float32)
    scores[0] = 0
    scores[1, 50:] = -np.inf
    scores[2] = np.maximum(scores[2], 2.5)
    scores[3] = np.arange(n_columns)
    scores[4] = -np.arange(n_columns)
    scores[5] = scores[5].round(1)
    _assert_exact(scores, k)
    _assert_exact(np.asfortranarray(scores), k)
    _assert_exact(scores.astype(np.float64), k)


def test_tie_between_groups_goes_to_the_popular_and_then_the_lower_column():
    """The k-th value stands in many columns, some of them in no group among the k best."""
    scores = np.zeros((1, 2000), dtype=np.float32)
    scores[0, [3, 500, 1500, 1999]] = [1, 3, 1, 2]
    popularity = np.zeros(2000)
    popularity[[1300, 1700]] = [4, 5]
    preference = Preference.by_popularity(popularity)
    assert_array_equal(top_k(scores, 4, preference)[0], [[500, 1999, 3, 1500]])
    assert_array_equal(top_k(scores, 7, preference)[0], [[500, 1999, 3, 1500, 1700, 1300, 0]])
    scores[0, 700:1400] = 1
    assert_array_equal(top_k(scores, 5, preference)[0], [[500, 1999, 1300, 3, 700]])
