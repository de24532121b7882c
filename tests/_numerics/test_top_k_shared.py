# SPDX-License-Identifier: BSD-3-Clause
"""`best_of_shared` agrees with the selection from the masked scores of each row."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sktransrec._numerics import _top_k_shared
from sktransrec._numerics._top_k import Preference, top_k
from sktransrec._numerics._top_k_shared import best_of_shared


@pytest.fixture(autouse=True, scope="module")
def small_blocks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_top_k_shared, "_N_ROWS", 5)
        yield


@given(
    n_rows=st.integers(1, 12),
    n_columns=st.sampled_from([1, 8, 200]),
    k=st.integers(1, 9),
    largest=st.sampled_from([0, 2, 1000]),
    densities=st.lists(st.sampled_from([0, 0.1, 0.9, 1]), max_size=2),
    seed=st.integers(0, 2**32 - 1),
)
def test_exact(n_rows, n_columns, k, largest, densities, seed):
    rng = np.random.default_rng(seed)
    k = min(k, n_columns)
    scores = rng.integers(0, largest + 1, size=n_columns).astype(np.float32)
    scores[rng.uniform(size=n_columns) < 0.1] = -np.inf
    excluded = [sp.csr_array(rng.uniform(size=(n_rows, n_columns)) < each) for each in densities]
    preference = Preference.by_popularity(rng.integers(3, size=n_columns))

    columns, values = best_of_shared(scores, excluded, n_rows, k, preference)
    masked = np.tile(scores, (n_rows, 1))
    for part in excluded:
        masked[part.toarray()] = -np.inf
    expected_columns, expected_values = top_k(masked, k, preference)
    assert_array_equal(values, expected_values)
    assert (columns.dtype, values.dtype) == (np.intp, np.float32)
    eligible = values > -np.inf
    assert_array_equal(columns[eligible], expected_columns[eligible])


def test_a_stored_zero_excludes_nothing():
    stored = sp.csr_array(([0.0, 1.0], ([0, 1], [2, 2])), shape=(2, 3))
    scores = np.array([1, 2, 3], dtype=np.float32)
    columns, _ = best_of_shared(scores, [stored], 2, 2, Preference.by_popularity(scores))
    assert_array_equal(columns, [[2, 1], [1, 0]])
