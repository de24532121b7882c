# SPDX-License-Identifier: BSD-3-Clause
"""Exact selection of the best k products of the factors of rows and items, tile by tile."""

import numpy as np

# So many rows at once: the products of a tile stay in the cache of a core while they are compared.
N_ROWS = 512
_TILE_ITEMS = 256
# The first tile is wider, since its best products bound those of all others.
_FIRST_ITEMS = 1024
# The bound is that of the maxima of this many times k groups of the first products.
_GROUPS = 8
# The bounds are raised whenever this many times k candidates a row are pending.
_PENDING = 8
# A row with more than this many times k candidates at its bound has too many equal products.
_CROWD = 4


def suits_tiles(n_rows, n_items, k):
    """Return whether tiles are faster than all products at once."""
    return n_rows >= N_ROWS // 8 and n_items >= 4 * _FIRST_ITEMS and k <= _FIRST_ITEMS // _GROUPS


def are_finite(row_factors, item_factors, item_bias=None):
    """Return whether all products are finite for sure: no product of norms comes near overflow."""
    limit = np.finfo(np.float32).max / 4
    squares = [float(np.vdot(F, F)) for F in (row_factors, item_factors)]
    return squares[0] * squares[1] < limit and (
        item_bias is None or bool(np.abs(item_bias).max() < limit)
    )


def best_products(row_factors, item_factors, item_bias, k, preference, *, mask, open_rows):
    """Return the columns of the `k` largest products of each row, best first.

    The k-th largest product that a row has so far bounds what it still takes. So each product is
    compared once, while it is in the cache, and few are sorted.

    Parameters
    ----------
    row_factors : ndarray of shape (n_rows, n_components), dtype float32
    item_factors : ndarray of shape (n_items, n_components), dtype float32
        Their products must be finite.
    item_bias : ndarray of shape (n_items,) or None
        Is added to the products.
    k : int
    preference : Preference
        The order of columns with equal products.
    mask : callable
        Gets a slice of the items and their products, of shape (n_items_in_slice, n_rows), and sets
        those that are not eligible to -inf in place.
    open_rows : ndarray of bool of shape (n_rows,)
        Rows to leave out.

    Returns
    -------
    columns : ndarray of shape (n_rows, k), dtype intp
    values : ndarray of shape (n_rows, k), dtype float32
    open_rows : ndarray of bool of shape (n_rows,)
        Rows that were left out, or that have too few eligible items or too many equal products to
        be ranked here: what is returned for them has no meaning.
    """
    best = _Candidates(k, open_rows)
    buffer = np.empty((_FIRST_ITEMS, len(row_factors)), dtype=np.float32)
    for tile in _tiles(len(item_factors)):
        products = buffer[: tile.stop - tile.start]
        np.matmul(item_factors[tile], row_factors.T, out=products)
        if item_bias is not None:
            products += item_bias[tile, None]
        mask(tile, products)
        best.add(tile.start, products)
    return best.ranked(preference)


def _tiles(n_items):
    stop = min(_FIRST_ITEMS, n_items)
    yield slice(0, stop)
    for start in range(stop, n_items, _TILE_ITEMS):
        yield slice(start, min(start + _TILE_ITEMS, n_items))


class TileMask:
    """Sets the products to -inf that are excluded, the `mask` of `best_products`.

    Parameters
    ----------
    excluded : list of csr_array of shape (n_rows, n_items)
        Their nonzero entries are excluded.
    withheld : ndarray of bool of shape (n_items,) or None
        Items that are excluded for all rows.
    """

    def __init__(self, excluded, withheld):
        self._entries = [_entries_by_item(X) for X in excluded]
        self._withheld = withheld

    def __call__(self, tile, products):
        if self._withheld is not None:
            products[self._withheld[tile]] = -np.inf
        for items, rows, starts in self._entries:
            entries = slice(starts[tile.start], starts[tile.stop])
            products[items[entries] - tile.start, rows[entries]] = -np.inf


def _entries_by_item(X):
    """Return the items of the nonzero entries in order, their rows, and where each item starts."""
    X = X.tocsc(copy=True)
    X.eliminate_zeros()
    return np.repeat(np.arange(X.shape[1]), np.diff(X.indptr)), X.indices, X.indptr


class _Candidates:
    """The products that may be among the best k of their row: those that reach its bound.

    An entry is the place of a product in the matrix of shape (n_items, n_rows).
    """

    def __init__(self, k, open_rows):
        self._k = k
        self._n_rows = len(open_rows)
        self._open = open_rows.copy()
        self._bounds = None
        self._parts = []
        self._n_pending = 0

    def add(self, start, products):
        """Keep what reaches the bounds among the products of the items from `start` on."""
        if self._bounds is None:
            self._set_bounds(_first_bounds(products, self._k))
        reaching = np.flatnonzero(products >= self._bounds)
        self._parts.append((reaching + start * self._n_rows, products.reshape(-1)[reaching]))
        self._n_pending += len(reaching)
        if self._n_pending > _PENDING * self._k * self._n_rows:
            self._raise_bounds()

    def _set_bounds(self, bounds):
        # Comparing with a strided array would take three times as long.
        self._bounds = np.where(self._open, np.float32(np.inf), bounds)

    def _raise_bounds(self):
        """Raise the bounds to the k-th largest products so far, and drop what is below them."""
        entries, values = map(np.concatenate, zip(*self._parts, strict=True))
        rows = entries % self._n_rows
        self._set_bounds(np.maximum(self._bounds, self._kth_largest(rows, values)))
        n_reaching = self._n_of_rows(rows[values >= self._bounds[rows]])
        self._open |= n_reaching > _CROWD * self._k
        self._set_bounds(self._bounds)
        reaches = values >= self._bounds[rows]
        self._parts = [(entries[reaches], values[reaches])]
        self._n_pending = len(self._parts[0][0])

    def _n_of_rows(self, rows):
        return np.bincount(rows, minlength=self._n_rows)

    def _kth_largest(self, rows, values):
        """Return the k-th largest value of each row, -inf for a row that has fewer."""
        n_values = self._n_of_rows(rows)
        # Numpy sorts integers of 16 bits by counting them.
        order = np.argsort(rows.astype(np.int16), kind="stable")
        places = np.arange(len(rows)) - np.repeat(np.cumsum(n_values) - n_values, n_values)
        width = max(self._k, n_values.max())
        by_row = np.full((self._n_rows, width), -np.inf, dtype=np.float32)
        by_row[rows[order], places] = values[order]
        return np.partition(by_row, width - self._k, axis=1)[:, width - self._k]

    def ranked(self, preference):
        """Return the columns and values of the best k of each row, and the mask of open rows."""
        self._raise_bounds()
        ((entries, values),) = self._parts
        columns, rows = np.divmod(entries, self._n_rows)
        order = np.lexsort((preference.places[columns], -values, rows))
        n_values = self._n_of_rows(rows)
        firsts = (np.cumsum(n_values) - n_values)[~self._open, None]
        best = order[firsts + np.arange(self._k)]
        shape = self._n_rows, self._k
        ranked = np.zeros(shape, dtype=np.intp), np.zeros(shape, dtype=np.float32)
        for array, found in zip(ranked, (columns, values), strict=True):
            array[~self._open] = found[best]
        return *ranked, self._open


def _first_bounds(products, k):
    """Return the k-th largest maximum of groups of the products of each row."""
    n_items, n_rows = products.shape
    group_size = n_items // (_GROUPS * k)
    n_groups = n_items // group_size
    groups = products[: n_groups * group_size].reshape(group_size, n_groups, n_rows)
    maxima = np.ascontiguousarray(groups.max(axis=0).T)
    return np.partition(maxima, n_groups - k, axis=1)[:, n_groups - k]
