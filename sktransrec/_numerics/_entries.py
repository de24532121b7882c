# SPDX-License-Identifier: BSD-3-Clause
"""Sparse matrices made of the entries of others, and counts and sums of entries."""

import numpy as np
import scipy.sparse as sp


def with_data(X, data):
    """Return a `csr_array` with the pattern of X, which shares its indices."""
    return sp.csr_array((data, X.indices, X.indptr), shape=X.shape)


def pattern_of(X):
    """Return X with ones as its entries."""
    return with_data(X, np.ones_like(X.data))


def entries_of(X, chosen):
    """Return the chosen entries of a `csr_array`."""
    n_before = np.concatenate([[0], np.cumsum(chosen)]).astype(X.indptr.dtype)
    return sp.csr_array((X.data[chosen], X.indices[chosen], n_before[X.indptr]), shape=X.shape)


def one_in_each_row(columns, n_columns):
    """Return the float32 `csr_array` with a one in the given column of each row."""
    ones = np.ones(len(columns), dtype=np.float32)
    return sp.csr_array((ones, columns, np.arange(len(ones) + 1)), shape=(len(ones), n_columns))


def at_rows(X, rows, n_rows):
    """Return a `csr_array` of `n_rows` rows with the rows of X in the given places, none twice."""
    entries = X.tocoo()
    return sp.csr_array((entries.data, (rows[entries.row], entries.col)), (n_rows, X.shape[1]))


def at_columns(X, columns, n_columns):
    """Return a `csr_array` of `n_columns` columns with those of X in the given places."""
    return sp.csr_array((X.data, columns[X.indices], X.indptr), shape=(X.shape[0], n_columns))


def column_counts(X):
    """Return the number of entries in each column of a `csr_array`."""
    return np.bincount(X.indices, minlength=X.shape[1])


def column_sums(X):
    """Return the sums of the columns of a dense or sparse matrix, added up in float64.

    scipy adds up float32 in float32, whatever the dtype of the sum is.
    """
    if not sp.issparse(X):
        return X.sum(axis=0, dtype=np.float64)
    X = X.tocsr()
    sums = np.bincount(X.indices[: X.nnz], weights=X.data[: X.nnz], minlength=X.shape[1])
    return sums.astype(np.float64, copy=False)  # without entries, they are integers


def positive_counts(X):
    """Return the number of entries above zero in each column of a `csr_array`."""
    return np.bincount(X.indices[: len(X.data)][X.data > 0], minlength=X.shape[1])


def as_dense(matrix):
    """Return a dense or sparse matrix as an ndarray."""
    return matrix.toarray() if sp.issparse(matrix) else matrix


def as_sparse(matrix):
    """Return a dense or sparse matrix as a `csr_array` or as the sparse matrix that it is."""
    return matrix if sp.issparse(matrix) else sp.csr_array(matrix)
