# SPDX-License-Identifier: BSD-3-Clause
"""The strongest entries of a sparse product of nonnegative interactions."""

from itertools import pairwise

import numpy as np
import scipy.sparse as sp
from sklearn.utils import gen_batches

from .._validation import get_chunk_n_rows
from ._row_totals import rows_of_entries
from ._top_k import Preference


def strongest_links(left, right, n_links=None, *, shrinkage=0.0, diagonal=False):
    """Return the `n_links` largest entries of each row of left @ right.

    Of equal entries, those of popular columns are kept, then those of lower columns.

    The product is computed in blocks of rows that respect scikit-learn's `working_memory` setting,
    so the memory needed is not much larger than the result.

    Parameters
    ----------
    left : sparse array of shape (n_items, n_rows), its values at least 0
    right : sparse array of shape (n_rows, n_columns), its values at least 0
    n_links : int or None
        None keeps all entries.
    shrinkage : float
        An entry that is the sum of c products is multiplied by c / (c + `shrinkage`).
    diagonal : bool
        False leaves out the entries that link an item to itself.

    Returns
    -------
    links : csr_array of shape (n_items, n_columns), its indices sorted
    """
    left, right = left.tocsr(), right.tocsr()
    n_items, n_columns = left.shape[0], right.shape[1]
    # A full block of the product holds a value and an index for each entry.
    block_size = get_chunk_n_rows(row_bytes=16 * n_columns, max_n_rows=n_items)
    counts = np.bincount(right.indices, minlength=n_columns)
    places = Preference.by_popularity(counts).places
    blocks = []
    for items in gen_batches(n_items, block_size):
        products = left[items] @ right
        if not diagonal:
            _zero_diagonal(products, items.start)
        support = _pattern(left[items]) @ _pattern(right) if shrinkage else None
        links = _shrunk(products, support, shrinkage)
        if n_links is not None:
            keep_largest(links, n_links, places)
        links.eliminate_zeros()
        blocks.append(links)
    return _stacked(blocks)


def strongest_of(product, n_links, counts, *, support=None, shrinkage=0.0):
    """Return what `strongest_links` does, of a product of items with items that is there already.

    Parameters
    ----------
    product : csr_array of shape (n_items, n_items)
    n_links : int or None
        None keeps all entries.
    counts : ndarray of shape (n_items,)
        The number of rows that have each item, which orders equal entries.
    support : csr_array of shape (n_items, n_items), default=None
        The number of rows that an entry comes from.
    shrinkage : float
        As in `strongest_links`.
    """
    product = product.copy()
    product.sort_indices()
    _zero_diagonal(product, 0)
    links = _shrunk(product, support, shrinkage)
    if n_links is not None:
        keep_largest(links, n_links, Preference.by_popularity(counts).places)
    links.eliminate_zeros()
    return links


def _shrunk(products, support, shrinkage):
    """Return new links: the products, less of them where few rows support them."""
    if shrinkage == 0:
        return products.copy()
    trust = support.data / (support.data + np.float32(shrinkage))
    return products.multiply(
        sp.csr_array((trust, support.indices, support.indptr), shape=support.shape)
    ).tocsr()


def _stacked(blocks):
    links = sp.vstack(blocks, format="csr")
    links.sort_indices()
    return links


def _pattern(X):
    """Return X with ones as its entries."""
    return sp.csr_array((np.ones_like(X.data), X.indices, X.indptr), shape=X.shape)


def _zero_diagonal(links, first_item):
    """Set the entries that link an item to itself to zero, in place."""
    items = first_item + rows_of_entries(links)
    links.data[links.indices == items] = 0


def keep_largest(links, n_links, places):
    """Set all but the `n_links` largest entries of each row to zero, in place.

    Of equal entries, those whose columns come first in `places` are kept.
    """
    for start, stop in pairwise(links.indptr):
        n_dropped = stop - start - n_links
        if n_dropped > 0:
            row, columns = links.data[start:stop], links.indices[start:stop]
            least = np.partition(row, n_dropped)[n_dropped]
            is_below = row < least
            n_tied_dropped = n_dropped - np.count_nonzero(is_below)
            if n_tied_dropped > 0:
                tied = np.flatnonzero(row == least)
                last_first = np.argpartition(-places[columns[tied]], n_tied_dropped - 1)
                row[tied[last_first[:n_tied_dropped]]] = 0
            row[is_below] = 0
