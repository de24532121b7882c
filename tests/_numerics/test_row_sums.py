# SPDX-License-Identifier: BSD-3-Clause
"""Sums of parts are the sums of the whole, whatever form they have."""

import operator
import re

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from sktransrec._numerics._entries import as_sparse, column_counts
from sktransrec._numerics._row_sums import (
    RowSums,
    column_shares,
    compact,
    cross_sum,
    gram_sum,
    joined_shares,
)

A = sp.csr_array([[1.0, 0, 2, 0], [0, 0, 3, 0]])
B = sp.csr_array([[4.0, 5, 0, 0], [0, 1, 0, 1], [2, 2, 2, 2]])


def sums_of(X, settings=None, names=None):
    sums = {"n_rows": X.shape[0], "n_rows_with": column_counts(X), "gram": gram_sum(X)}
    return RowSums(sums, settings or {"decay": 1}, X.shape[1], names)


def dense(value):
    return value.toarray() if sp.issparse(value) else np.asarray(value)


def assert_equal_sums(one, other):
    assert one.sums.keys() == other.sums.keys()
    for name, value in one.sums.items():
        assert_array_equal(dense(value), dense(other[name]))
    assert one.n_features == other.n_features


def test_other_things_are_no_sums():
    for operation in (operator.add, operator.sub):
        with pytest.raises(TypeError, match="unsupported operand"):
            operation(sums_of(A), 1)


def test_sums_add_up_and_are_taken_away_again():
    both = sums_of(A) + sums_of(B)
    assert_equal_sums(both, sums_of(sp.vstack([A, B], format="csr")))
    assert_equal_sums(both - sums_of(B), sums_of(A))
    assert_equal_sums(both - sums_of(A), sums_of(B))


def test_new_columns_count_as_zeros_in_the_narrower_part():
    narrow = A[:, :3]
    padded = sp.csr_array((narrow.data, narrow.indices, narrow.indptr), shape=(2, 4))
    for total in (sums_of(narrow) + sums_of(B), sums_of(B) + sums_of(narrow)):
        assert_equal_sums(total, sums_of(sp.vstack([padded, B], format="csr")))
        assert_equal_sums(total - sums_of(narrow), sums_of(B))


def test_rows_that_were_never_learned_are_noticed():
    with pytest.raises(ValueError, match=r"rows that were never learned.*'n_rows'"):
        sums_of(A) - sums_of(B)
    other_rows = sp.csr_array([[0, 0, 0, 7.0]])
    with pytest.raises(ValueError, match="'n_rows_with' would be below zero"):
        sums_of(A) - sums_of(other_rows)


def test_settings_and_names_must_agree():
    with pytest.raises(ValueError, match="with decay=1, and others with decay=2"):
        sums_of(A) + sums_of(B, {"decay": 2})
    a, b = np.array(["a", "b", "c"]), np.array(["a", "b", "c", "d"])
    total = sums_of(A[:, :3], names=a) + sums_of(B, names=b)
    assert_array_equal(total.feature_names, b)
    for names, text in (None, "None"), (b[::-1], "['d', 'c', 'b', 'a']"):
        message = f"named ['a', 'b', 'c'] and {text}. New columns come after all known ones"
        with pytest.raises(ValueError, match=re.escape(message)):
            sums_of(A[:, :3], names=a) + sums_of(B, names=names)
    with pytest.raises(TypeError):
        sums_of(A) + 1


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_what_rounding_leaves_of_a_difference_is_zero(form):
    whole = np.array([[0.3, 0.0], [0.0, 5.0]])
    part = np.array([[0.1 + 0.2, 0.0], [0.0, 2.0]])
    sums = [RowSums({"cross": form(each)}, {}, 2) for each in (whole, part)]
    left = (sums[0] - sums[1])["cross"]
    assert_array_equal(dense(left), [[0, 0], [0, 3]])
    assert sp.issparse(left) == (form is sp.csr_array)
    assert not sp.issparse(left) or left.nnz == 1


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_only_the_diagonal_of_a_matrix_is_never_below_zero_but_for_rounding(form):
    def gram(*rows):
        return RowSums({"gram": form(np.array(rows))}, {}, 2)

    left = gram([1e9, -3.0], [-3.0, 0.1]) - gram([1.0, 2.0], [2.0, 0.1 + 1e-9])
    assert_array_equal(dense(left["gram"])[0], [1e9 - 1, -5])
    with pytest.raises(ValueError, match="'gram' would be below zero"):
        gram([2.0, 5.0], [5.0, 3.0]) - gram([1.0, 0.0], [0.0, 4.0])


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_a_matrix_may_lack_rows_and_columns(form):
    small, large = np.array([[1.0, 2.0]]), np.arange(12.0).reshape(3, 4)
    total = RowSums({"cross": form(small)}, {}, 2) + RowSums({"cross": form(large)}, {}, 4)
    large[:1, :2] += small
    assert_array_equal(dense(total["cross"]), large)


def test_names_of_items_are_those_of_the_part_with_more():
    few, more = np.array(["a"]), np.array(["a", "b"])
    one, other = (RowSums({}, {}, 2, item_names=names) for names in (few, more))
    assert_array_equal((one + other).item_names, more)
    assert_array_equal((other + one).item_names, more)
    with pytest.raises(ValueError, match="items"):
        one + RowSums({}, {}, 2, item_names=more[::-1])


def test_products_are_dense_if_half_of_them_is_filled():
    weights = np.array([2.0, 3.0])
    found = gram_sum(A, weights)
    assert sp.issparse(found)
    assert found.dtype == np.float64
    assert_allclose(found.toarray(), A.toarray().T @ np.diag(weights) @ A.toarray())
    found = gram_sum(B)
    assert isinstance(found, np.ndarray)
    assert_allclose(found, B.toarray().T @ B.toarray())
    assert_allclose(dense(cross_sum(A, B[:2])), A.toarray().T @ B[:2].toarray())
    half = sp.csr_array([[1.0, 0], [1, 0]])
    assert sp.issparse(compact(half))
    assert not sp.issparse(compact(sp.csr_array([[1.0, 1, 0], [0, 1, 1]])))
    assert gram_sum(A.astype(np.float32)).dtype == np.float64
    assert_array_equal(as_sparse(half.toarray()).toarray(), half.toarray())


def test_counts_and_shares_of_columns():
    assert_array_equal(column_counts(A), [1, 0, 2, 0])
    assert_array_equal(column_shares(A), np.float32([0.5, 0, 1, 0]))
    assert column_shares(A).dtype == np.float32
    joined = joined_shares(column_shares(A), 2, column_shares(B), 3)
    assert_array_equal(joined, column_shares(sp.vstack([A, B], format="csr")))
    assert joined.dtype == np.float32


def test_size_and_text():
    sums = sums_of(A)
    gram = sums["gram"]
    in_gram = gram.data.nbytes + gram.indices.nbytes + gram.indptr.nbytes
    assert sums.nbytes == in_gram + sums["n_rows_with"].nbytes + np.asarray(2).nbytes
    assert repr(sums) == "RowSums(2 rows, 4 items)"
