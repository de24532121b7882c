"""Sparse rows in padded blocks, for what numpy computes for many rows at once."""

import numpy as np
from sklearn.utils import gen_batches

# The temporary arrays of a block of rows hold about this many numbers.
_BLOCK_FLOATS = 2**20


def padded_row_blocks(X, n_floats):
    """Yield the rows of X that are not empty in blocks of rows with about as many items.

    The number of items is rounded up to a power of two, so that how a row is padded does not
    depend on the rows beside it.

    Parameters
    ----------
    X : csr_array
    n_floats : callable
        Gives the numbers that must be held at once for one row of a given width.

    Yields
    ------
    rows : ndarray of shape (n_rows,)
    items, values, is_stored : ndarray of shape (n_rows, width)
        The stored entries of each row; item 0 with value 0 where `is_stored` is False.
    """
    n_stored = np.diff(X.indptr)
    widths = 2 ** np.ceil(np.log2(np.maximum(n_stored, 1))).astype(int)
    for width in np.unique(widths[n_stored > 0]):
        same_width = np.flatnonzero((widths == width) & (n_stored > 0))
        slots = np.arange(width)
        block_rows = max(1, _BLOCK_FLOATS // n_floats(width))
        for block in gen_batches(len(same_width), block_rows):
            rows = same_width[block]
            is_stored = slots < n_stored[rows, None]
            positions = np.where(is_stored, X.indptr[rows, None] + slots, 0)
            items = np.where(is_stored, X.indices[positions], 0)
            values = np.where(is_stored, X.data[positions], 0)
            yield rows, items, values, is_stored
