# SPDX-License-Identifier: BSD-3-Clause
"""Entries, sums and multiples of sparse rows are those of the dense ones."""

import numpy as np
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from sktransrec._numerics._row_totals import (
    nonzero_places,
    numbers_within,
    row_totals,
    rows_of_entries,
    scaled_rows,
)

DENSE = np.array([[0, 2, 3], [0, 0, 0], [0.5, 0, 0]], dtype=np.float32)
SCALES = np.array([0.5, 3, 2])


def test_entries_have_their_rows():
    assert_array_equal(rows_of_entries(sp.csr_array(DENSE)), [0, 0, 2])
    assert_array_equal(rows_of_entries(sp.csr_array(DENSE[:1])), [0, 0])


def test_numbers_begin_anew_in_each_group():
    assert_array_equal(numbers_within(np.array([2, 0, 3])), [0, 1, 0, 1, 2])


def test_places_are_those_of_the_entries_that_are_not_zero():
    stored = sp.csr_array(DENSE)
    assert_array_equal(nonzero_places(stored), np.nonzero(DENSE))
    stored.data[0] = 0
    assert_array_equal(nonzero_places(stored), [[0, 2], [2, 0]])
    assert stored.nnz == 3


def test_totals_are_the_sums_of_the_rows():
    assert_array_equal(row_totals(sp.csr_array(DENSE)), [5, 0, 0.5])


def test_totals_of_rows_without_entries_are_real_numbers():
    totals = row_totals(sp.csr_array((2, 3), dtype=np.float32))
    assert_array_equal(totals, [0, 0])
    assert totals.dtype == np.float64


def test_rows_are_multiplied_in_their_type():
    scaled = scaled_rows(sp.csr_array(DENSE), SCALES)
    assert scaled.dtype == np.float32
    assert_allclose(scaled.toarray(), DENSE * SCALES[:, None])


def test_memory_behind_the_last_entry_is_not_read():
    longer = sp.csr_array(DENSE)
    longer.data, longer.indices = (
        np.append(each, [1, 1]) for each in (longer.data, longer.indices)
    )
    assert_array_equal(row_totals(longer), [5, 0, 0.5])
    assert_array_equal(nonzero_places(longer), np.nonzero(DENSE))
    assert_allclose(scaled_rows(longer, SCALES).toarray(), DENSE * SCALES[:, None])
