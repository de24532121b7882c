# SPDX-License-Identifier: BSD-3-Clause
"""The strongest entries of a sparse product of nonnegative interactions."""

from itertools import pairwise

import numpy as np
import scipy.sparse as sp
from sklearn.utils import gen_batches

from .._validation import get_chunk_n_rows
from ._entries import column_counts, pattern_of, with_data
from ._row_totals import row_lengths, rows_of_entries, scaled_rows
from ._threads import in_threads, rows_per_thread
from ._top_k import Preference

_ROUNDING = np.float32(1e-6)


def strongest_links(left, right, n_links=None, *, shrinkage=0.0):
    """Return the `n_links` largest entries of each row of left @ right, off the diagonal.

    Of equal entries, those of popular columns are kept, then those of lower columns.

    The product is computed in blocks of rows that respect scikit-learn's `working_memory` setting,
    so the memory needed is not much larger than the result. The blocks are computed in as many
    threads as `joblib.parallel_config` allows.

    Parameters
    ----------
    left : sparse array of shape (n_items, n_rows), its values at least 0
    right : sparse array of shape (n_rows, n_columns), its values at least 0
    n_links : int or None
        None keeps all entries.
    shrinkage : float
        An entry that is the sum of c products is multiplied by c / (c + `shrinkage`).

    Returns
    -------
    links : csr_array of shape (n_items, n_columns), its indices in no order
    """
    left, right = left.tocsr(), right.tocsr()
    patterns = pattern_of(left), pattern_of(right)
    places = _places(right)

    def links_of(items):
        products = left[items] @ right
        support = patterns[0][items] @ patterns[1] if shrinkage else None
        _zero_diagonal(products, items.start)
        links = _shrunk(products, support, shrinkage)
        return _largest_entries(links, n_links, places)

    return sp.vstack(list(in_threads(links_of, zip(_item_batches(*patterns)))), format="csr")


def strongest_links_of_each(X, row_weights, item_scales, shrinkages, n_links):
    """Return `strongest_links` of some weightings of the same interactions, by one product for all.

    Up to rounding, each is ``strongest_links(W.T, W, n_links, shrinkage=shrinkage)`` for its item
    scales and its shrinkage, with W the interactions times the weights of their rows and times the
    scales of their items.

    Parameters
    ----------
    X : csr_array of shape (n_rows, n_items)
        Interactions; their values do not count.
    row_weights : ndarray of shape (n_rows,), dtype float32
    item_scales : sequence of ndarray of shape (n_items,), dtype float32
    shrinkages : sequence of float
    n_links : int or None
    """
    pattern = with_data(X, np.ones(X.nnz, dtype=np.complex64))
    # Of the complex product, the imaginary part is the number of rows with both items.
    left = scaled_rows(pattern, row_weights**2 + 1j).T.tocsr()
    places = _places(X)

    def links_of_each(items):
        sums = left[items] @ pattern
        _zero_diagonal(sums, items.start)
        n_entries = row_lengths(sums)
        for scales, shrinkage in zip(item_scales, shrinkages, strict=True):
            data = sums.data.real * np.repeat(scales[items], n_entries) * scales[sums.indices]
            if shrinkage:
                data *= _trust(sums.data.imag, shrinkage)
            yield _largest_entries(with_data(sums, data).copy(), n_links, places)

    blocks = in_threads(lambda items: list(links_of_each(items)), zip(_item_batches(left, pattern)))
    return [sp.vstack(of_weighting, format="csr") for of_weighting in zip(*blocks, strict=True)]


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
    return _largest_entries(links, n_links, Preference.by_popularity(counts).places)


def _item_batches(left, right):
    """Return slices of items whose products with all columns fit the working memory.

    That holds for those that are computed in threads at the same time together.
    """
    row_sizes = row_lengths(right)
    most = int(
        np.add.reduceat(np.append(row_sizes[left.indices], 0), left.indptr[:-1]).max(initial=1)
    )
    # An entry has a value and an index, in the product and in the links.
    row_bytes = 16 * min(most, right.shape[1])
    n_items = left.shape[0]
    return gen_batches(
        n_items, rows_per_thread(n_items, get_chunk_n_rows(row_bytes, max_n_rows=n_items))
    )


def _places(X):
    """Return the places of the columns in the order of links that are equal."""
    return Preference.by_popularity(column_counts(X)).places


def _shrunk(products, support, shrinkage):
    """Return new links: the products, less of them where few rows support them."""
    if shrinkage == 0:
        return products.copy()
    trust = _trust(support.data, shrinkage)
    # Two products of matrices with the same pattern list their entries in the same order.
    if np.array_equal(products.indices, support.indices):
        return with_data(products, products.data * trust)
    return products.multiply(with_data(support, trust)).tocsr()


def _trust(n_rows, shrinkage):
    """Return the factor of a link that so many rows support."""
    return n_rows / (n_rows + np.float32(shrinkage))


def _largest_entries(links, n_links, places):
    """Return the links, in place, without all but the largest ones of each row."""
    if n_links is not None:
        keep_largest(links, n_links, places)
    links.eliminate_zeros()
    return links


def _zero_diagonal(links, first_item):
    """Set the entries that link an item to itself to zero, in place."""
    items = first_item + rows_of_entries(links)
    links.data[links.indices == items] = 0


def keep_largest(links, n_links, places):
    """Set all but the `n_links` largest entries of each row to zero, in place.

    Of equal entries, those whose columns come first in `places` are kept. Entries that differ by
    rounding are equal, since the same links can be computed in several ways.
    """
    least = _least_kept(links, n_links)
    rounding = _ROUNDING * np.abs(least)
    rows = rows_of_entries(links)
    is_below = links.data < (least - rounding)[rows]
    n_kept = np.bincount(rows[~is_below], minlength=len(least))
    for row in np.flatnonzero(n_kept > n_links):
        entries = slice(links.indptr[row], links.indptr[row + 1])
        is_tied = np.abs(links.data[entries] - least[row]) <= rounding[row]
        tied = links.indptr[row] + np.flatnonzero(is_tied)
        n_dropped = n_kept[row] - n_links
        last_first = np.argpartition(-places[links.indices[tied]], n_dropped - 1)
        links.data[tied[last_first[:n_dropped]]] = 0
    links.data[is_below] = 0


def _least_kept(links, n_links):
    """Return the `n_links`-th largest entry of each row, -inf if it has no more than these."""
    least = np.full(links.shape[0], -np.inf, dtype=links.dtype)
    for row, (start, stop) in enumerate(pairwise(links.indptr.tolist())):
        n_dropped = stop - start - n_links
        if n_dropped > 0:
            entries = links.data[start:stop].copy()
            entries.partition(n_dropped)  # `np.partition` takes longer than the selection
            least[row] = entries[n_dropped]
    return least
