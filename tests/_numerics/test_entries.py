# SPDX-License-Identifier: BSD-3-Clause
"""What is made of the entries of a sparse matrix is what the dense one would give."""

import numpy as np
import scipy.sparse as sp
from numpy.testing import assert_array_equal

from sktransrec._numerics._entries import (
    as_dense,
    as_sparse,
    at_columns,
    at_rows,
    column_counts,
    column_sums,
    entries_of,
    one_in_each_row,
    pattern_of,
    positive_counts,
    with_data,
)

DENSE = np.array([[0, 2, 3], [0, 0, 0], [0.5, 0, 4]], dtype=np.float32)
X = sp.csr_array(DENSE)


def test_other_data_has_the_same_places():
    assert_array_equal(with_data(X, -X.data).toarray(), -DENSE)
    assert_array_equal(pattern_of(X).toarray(), DENSE != 0)
    assert pattern_of(X).dtype == np.float32


def test_the_chosen_entries_are_kept_in_their_rows():
    kept = entries_of(X, np.array([False, True, False, True]))
    assert_array_equal(kept.toarray(), DENSE * [[0, 0, 1], [0, 0, 0], [0, 0, 1]])
    assert kept.nnz == 2
    assert entries_of(X, np.array([True, False, False, False])).shape == X.shape


def test_each_row_has_a_one_in_its_column():
    ones = one_in_each_row(np.array([2, 0]), 4)
    assert_array_equal(ones.toarray(), [[0, 0, 1, 0], [1, 0, 0, 0]])
    assert ones.dtype == np.float32


def test_columns_without_entries_are_counted_too():
    assert_array_equal(column_counts(X[:1]), [0, 1, 1])
    assert_array_equal(positive_counts(with_data(X, np.array([1, -1, 0, 2]))), [0, 1, 1])


def test_matrices_change_their_form_and_not_their_values():
    assert_array_equal(as_dense(X), DENSE)
    assert as_dense(DENSE) is DENSE
    assert_array_equal(as_sparse(DENSE).toarray(), DENSE)
    assert as_sparse(X) is X


def test_rows_and_columns_are_put_in_their_places():
    rows, columns = np.array([3, 0]), np.array([4, 1, 2])
    X = sp.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]])
    expected = np.zeros((5, 3))
    expected[rows] = X.toarray()
    assert_array_equal(at_rows(X, rows, 5).toarray(), expected)
    expected = np.zeros((2, 6))
    expected[:, columns] = X.toarray()
    assert_array_equal(at_columns(X, columns, 6).toarray(), expected)


def test_sums_of_columns_are_exact_for_numbers_far_from_zero():
    years = np.random.default_rng(0).integers(2010, 2021, size=(50_000, 2)).astype(np.float32)
    expected = years.astype(np.int64).sum(axis=0)
    for X in (years, sp.csr_array(years), sp.csc_array(years)):
        assert_array_equal(column_sums(X), expected)
    of_nothing = column_sums(sp.csr_array((3, 2), dtype=np.float32))
    assert of_nothing.dtype == np.float64
    assert_array_equal(of_nothing, [0, 0])
