# SPDX-License-Identifier: BSD-3-Clause
"""Sparse rows in padded blocks, so that numpy can compute many rows at once."""

import numpy as np
import scipy.sparse as sp

from ._row_totals import row_lengths

# The temporary arrays of a block of rows hold about this many numbers.
_BLOCK_FLOATS = 2**20


def row_slices(n_rows, block_rows):
    """Yield slices of `block_rows` rows; scikit-learn's `gen_batches` takes longer than a row."""
    for start in range(0, n_rows, block_rows):
        yield slice(start, min(start + block_rows, n_rows))


def even_slices(n_rows, most_rows):
    """Yield slices of about the same number of rows, so that threads end together."""
    n_slices = -(-n_rows // most_rows)
    return row_slices(n_rows, -(-n_rows // n_slices))


def rows_in(X, block):
    """Return the rows of X in a slice, X itself if these are all."""
    return X if block == slice(0, X.shape[0]) else X[block]


def padded_row_blocks(X, n_floats):
    """Yield the nonempty rows of X in blocks of rows with about the same number of items.

    The number of items is rounded up to a power of two. So the padding of a row does not depend on
    the other rows.

    Parameters
    ----------
    X : csr_array
    n_floats : callable
        Returns how many numbers are in memory at once for one row of a given width.

    Yields
    ------
    rows : ndarray of shape (n_rows,)
    items, values, is_stored : ndarray of shape (n_rows, width)
        The stored entries of each row; item 0 with value 0 where `is_stored` is False.
    """
    if X.shape[0] == 1:
        if X.nnz:
            yield _padded_row(X)
        return
    n_stored = row_lengths(X)
    widths = 2 ** np.ceil(np.log2(np.maximum(n_stored, 1))).astype(int)
    for width in np.unique(widths[n_stored > 0]):
        same_width = np.flatnonzero((widths == width) & (n_stored > 0))
        slots = np.arange(width)
        block_rows = max(1, _BLOCK_FLOATS // n_floats(width))
        for block in row_slices(len(same_width), block_rows):
            rows = same_width[block]
            is_stored = slots < n_stored[rows, None]
            positions = np.where(is_stored, X.indptr[rows, None] + slots, 0)
            items = np.where(is_stored, X.indices[positions], 0)
            values = np.where(is_stored, X.data[positions], 0)
            yield rows, items, values, is_stored


def _padded_row(X):
    """Return the block of a single row: the same in a quarter of the time."""
    n_stored = X.nnz
    width = 1 << (n_stored - 1).bit_length()
    items, values = np.zeros((1, width), X.indices.dtype), np.zeros((1, width), X.data.dtype)
    items[0, :n_stored], values[0, :n_stored] = X.indices[:n_stored], X.data[:n_stored]
    return np.zeros(1, dtype=np.intp), items, values, np.arange(width)[None] < n_stored


def entry_rows(X):
    """Return a `csr_array` with a row for each nonzero entry of a matrix of a single row."""
    X = sp.csr_array(X)
    return sp.csr_array((X.data, X.indices, np.arange(X.nnz + 1)), shape=(X.nnz, X.shape[1]))
