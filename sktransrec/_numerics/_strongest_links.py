# SPDX-License-Identifier: BSD-3-Clause
"""The strongest entries of a sparse product of nonnegative interactions."""

from itertools import pairwise

import numpy as np
import scipy.sparse as sp
from sklearn.utils import gen_batches

from .._validation import get_chunk_n_rows
from ._entries import column_counts, pattern_of, with_data
from ._row_totals import row_lengths, scaled_rows
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
    (links,) = shrunk_links(left, right, n_links, [shrinkage])
    return links


def shrunk_links(left, right, n_links, shrinkages):
    """Return `strongest_links` for each shrinkage, by one product for all."""
    left, right = left.tocsr(), right.tocsr()
    patterns = pattern_of(left), pattern_of(right)
    places = _places(right)

    def links_of_each(items):
        products = left[items] @ right
        support = patterns[0][items] @ patterns[1] if any(shrinkages) else None
        _zero_diagonal(products, items.start)
        return [
            _largest_entries(_shrunk(products, support, shrinkage), n_links, places)
            for shrinkage in shrinkages
        ]

    return _stacked(in_threads(links_of_each, zip(_item_batches(*patterns))))


def strongest_links_of_each(X, row_weights, weightings, n_links):
    """Return `strongest_links` of some weightings of the same interactions, by one product for all.

    Up to rounding, each is ``strongest_links(W.T, W, n_links, shrinkage=shrinkage)`` for the item
    scales of its weighting and its shrinkage, with W the interactions times the weights of their
    rows and times the scales of their items.

    Parameters
    ----------
    X : csr_array of shape (n_rows, n_items)
        Interactions; their values do not count.
    row_weights : ndarray of shape (n_rows,), dtype float32
    weightings : sequence of tuple
        For each weighting, the scales of the items, an ndarray of shape (n_items,) and dtype
        float32, and a list of shrinkages.
    n_links : int or None
    """
    distinct_shrinkages = {each for _, shrinkages in weightings for each in shrinkages if each}
    pattern = with_data(X, np.ones(X.nnz, dtype=np.complex64))
    # Of the complex product, the imaginary part is the number of rows with both items.
    left = scaled_rows(pattern, row_weights**2 + 1j).T.tocsr()
    places = _places(X)

    def links_of_each(items):
        sums = left[items] @ pattern
        _zero_diagonal(sums, items.start)
        n_entries = row_lengths(sums)
        products, counts = sums.data.real.copy(), sums.data.imag.copy()
        trust = {shrinkage: _trust(counts, shrinkage) for shrinkage in distinct_shrinkages}
        for scales, shrinkages in weightings:
            scaled = products * np.repeat(scales[items], n_entries)
            scaled *= scales[sums.indices]
            for shrinkage in shrinkages:
                data = scaled * trust[shrinkage] if shrinkage else scaled
                yield _largest_entries(with_data(sums, data).copy(), n_links, places)

    blocks = in_threads(lambda items: list(links_of_each(items)), zip(_item_batches(left, pattern)))
    return _stacked(blocks)


def _stacked(blocks):
    """Return the links of each kind, given a list of them for each block of items."""
    return [sp.vstack(of_kind, format="csr") for of_kind in zip(*blocks, strict=True)]


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
        links = products.copy()
        links.data *= trust
        return links
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
    items = np.arange(first_item, first_item + links.shape[0], dtype=links.indices.dtype)
    links.data[links.indices == np.repeat(items, row_lengths(links))] = 0


def keep_largest(links, n_links, places):
    """Set all but the `n_links` largest entries of each row to zero, in place.

    Of equal entries, those whose columns come first in `places` are kept. Entries that differ by
    rounding are equal, since the same links can be computed in several ways.
    """
    # Row by row, since a row stays in the cache: for all together, it takes twice as long.
    for start, stop in pairwise(links.indptr.tolist()):
        if stop - start > n_links:
            _keep_largest(links.data[start:stop], links.indices[start:stop], n_links, places)


def _keep_largest(values, columns, n_links, places):
    """Do the same for the values of one row, which has more than `n_links`."""
    least = _least_kept(values, n_links)
    rounding = _ROUNDING * np.abs(least)
    is_below = values < least - rounding
    n_dropped = len(values) - np.count_nonzero(is_below) - n_links
    if n_dropped:
        (tied,) = (~is_below & (values <= least + rounding)).nonzero()
        last_first = (-places[columns[tied]]).argpartition(n_dropped - 1)
        values[tied[last_first[:n_dropped]]] = 0
    values[is_below] = 0


def _least_kept(values, n_links):
    """Return the `n_links`-th largest of the values of a row."""
    values = values.copy()
    values.partition(-n_links)  # `np.partition` takes longer than the selection
    return values[-n_links]
