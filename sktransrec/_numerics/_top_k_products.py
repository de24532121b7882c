# SPDX-License-Identifier: BSD-3-Clause
"""Exact selection of the best k products of the factors of rows and items, tile by tile."""

from typing import NamedTuple

import numpy as np

from ._row_totals import nonzero_places

# Rows at once, and products at once: those of a tile stay in the cache of a core while they are
# compared.
N_ROWS = 512
_TILE_PRODUCTS = 2**17
# The first tile is wider, since its best products bound those of all others.
_FIRST_ITEMS = 1024
# The bound is that of the maxima of this many times k groups of the first products.
_GROUPS = 8
# The bounds are raised whenever this many times k candidates a row are pending.
_PENDING = 3
# A row with more than this many times k candidates at its bound has too many equal products.
_CROWD = 4


# A product in float32 may exceed the product of the lengths by rounding, but not so far.
_ROUNDING = 1 + 1e-3
# If half of the items are at least this long, as a share of the longest, hardly a row is done soon.
_SHORT = 0.6
# Rows that are done are left out of the products as soon as no more than this share is left.
_SHARE_LEFT = 0.9


def suits_tiles(n_rows, n_items, k):
    """Return whether tiles are faster than all products at once."""
    return n_rows >= N_ROWS // 8 and n_items >= 4 * _FIRST_ITEMS and k <= _FIRST_ITEMS // _GROUPS


class OrderedItems(NamedTuple):
    """The factors of items in the order in which they are multiplied.

    Attributes
    ----------
    columns : ndarray of shape (n_items,)
        The column of each item.
    factors : ndarray of shape (n_items, n_components), dtype float32
    bias : ndarray of shape (n_items,) or None
        Is added to the products.
    lengths_left, biases_left : ndarray of shape (n_items + 1,)
        The largest length and the largest bias of the item at each place and of those after it.
    """

    columns: np.ndarray
    factors: np.ndarray
    bias: np.ndarray | None
    lengths_left: np.ndarray
    biases_left: np.ndarray

    @classmethod
    def of(cls, factors, bias, *, longest_first, withheld=None):
        """Return the items, the longest first if lengths differ, or as they are.

        The lengths of withheld items do not count.
        """
        factors = np.ascontiguousarray(factors) if longest_first else factors
        lengths = _lengths(factors)
        if withheld is not None:
            lengths[withheld] = 0
        columns = np.arange(len(factors))
        if longest_first and np.median(lengths) < _SHORT * lengths.max():
            columns = np.argsort(-lengths, kind="stable")
            factors = factors.take(columns, axis=0)
            bias = None if bias is None else bias[columns]
        biases = np.zeros(len(columns), dtype=np.float32) if bias is None else bias
        return cls(columns, factors, bias, _largest_left(lengths[columns]), _largest_left(biases))

    def are_finite_with(self, row_factors):
        """Return whether all products are finite for sure: no sum comes near overflow."""
        limit = float(np.finfo(np.float32).max) / 4
        square = float(np.vdot(row_factors, row_factors))
        largest = float(self.lengths_left[0])
        return square * largest**2 < limit and (
            self.bias is None or bool(np.abs(self.bias).max() < limit)
        )


def _lengths(vectors):
    """Return lengths that are not too small, whose squares may fall below the smallest float32."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.sqrt(np.einsum("ij,ij->i", vectors, vectors)) + np.float32(1e-18)


def _largest_left(values):
    return np.append(np.maximum.accumulate(values[::-1])[::-1], -np.inf)


def best_products(row_factors, items, k, preference, *, mask, open_rows):
    """Return the columns of the `k` largest products of each row, best first.

    The k-th largest product that a row has so far bounds what it still takes. So each product is
    compared once, while it is in the cache, and few are sorted. A product is at most that of the
    lengths of both factors. So a row is done when this bound is above what the items to come can
    reach, which is soon if the longest items come first and lengths differ.

    Parameters
    ----------
    row_factors : ndarray of shape (n_rows, n_components), dtype float32
    items : OrderedItems
        Their products with the rows must be finite.
    k : int
    preference : Preference
        The order of columns with equal products.
    mask : callable
        Gets a slice of the ordered items, their products, of shape (n_items_in_slice,
        n_rows_left), and the place of each row among those left, -1 for the others. It sets
        products that are not eligible to -inf in place.
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
    n_rows, n_items = len(row_factors), len(items.factors)
    best = _Candidates(k, open_rows)
    left = _RowsLeft(row_factors, np.arange(n_rows))
    lengths = np.float32(_ROUNDING) * _lengths(row_factors)
    buffer = np.empty(max(_FIRST_ITEMS * n_rows, _TILE_PRODUCTS), dtype=np.float32)
    start, size = 0, min(_FIRST_ITEMS, n_items)
    while start < n_items and len(left.rows):
        tile = slice(start, min(start + size, n_items))
        products = buffer[: (tile.stop - start) * len(left.rows)].reshape(-1, len(left.rows))
        np.matmul(items.factors[tile], left.factors, out=products)
        if items.bias is not None:
            products += items.bias[tile, None]
        mask(tile, products, left.places)
        best.add(start, products, left.rows)
        reach = lengths[left.rows] * items.lengths_left[tile.stop] + items.biases_left[tile.stop]
        is_left = best.bounds_of(left.rows) <= reach
        if np.count_nonzero(is_left) <= _SHARE_LEFT * len(is_left):
            left = _RowsLeft(row_factors, left.rows[is_left])
        start, size = tile.stop, max(1, _TILE_PRODUCTS // max(1, len(left.rows)))
    return best.ranked(items.columns, preference)


class _RowsLeft:
    """The rows that are not done, their factors as columns, and the place of each row."""

    def __init__(self, row_factors, rows):
        self.rows = rows
        self.factors = np.ascontiguousarray(row_factors[rows].T)
        self.places = np.full(len(row_factors), -1)
        self.places[rows] = np.arange(len(rows))


class TileMask:
    """Sets the products to -inf that are excluded, the `mask` of `best_products`.

    Parameters
    ----------
    excluded : list of csr_array of shape (n_rows, n_items)
        Their nonzero entries are excluded.
    withheld : ndarray of bool of shape (n_items,) or None
        Items that are excluded for all rows.
    columns : ndarray of shape (n_items,)
        The column of each ordered item.
    """

    def __init__(self, excluded, withheld, columns):
        place_of_column = np.empty(len(columns), dtype=np.intp)
        place_of_column[columns] = np.arange(len(columns))
        self._entries = [_entries_by_item(X, place_of_column) for X in excluded]
        self._withheld = None if withheld is None else withheld[columns]

    def __call__(self, tile, products, places_of_rows):
        if self._withheld is not None:
            products[self._withheld[tile]] = -np.inf
        for items, rows in self._entries:
            entries = slice(*np.searchsorted(items, [tile.start, tile.stop]))
            places = places_of_rows[rows[entries]]
            is_left = places >= 0
            products[items[entries][is_left] - tile.start, places[is_left]] = -np.inf


def _entries_by_item(X, place_of_column):
    """Return the places of the items of the nonzero entries in order, and their rows."""
    rows, columns = nonzero_places(X)
    items = place_of_column[columns]
    order = np.argsort(items, kind="stable")
    return items[order], rows[order]


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

    def bounds_of(self, rows):
        return self._bounds if len(rows) == self._n_rows else self._bounds[rows]

    def add(self, start, products, rows):
        """Keep what reaches the bounds among the products of the items from `start` on."""
        if self._bounds is None:
            self._set_bounds(_first_bounds(products, self._k))
        reaching = np.flatnonzero(products >= self.bounds_of(rows))
        items, places = np.divmod(reaching, len(rows))
        entries = (items + start) * self._n_rows + rows[places]
        self._parts.append((entries, products.reshape(-1)[reaching]))
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
        # One sort of integers takes less time than a partition of the values of each row.
        keys = np.sort((rows << 32) - _as_integers(values))
        (full,) = np.nonzero(n_values >= self._k)
        kth = (np.cumsum(n_values) - n_values + self._k - 1)[full]
        largest = np.full(self._n_rows, -np.inf, dtype=np.float32)
        largest[full] = _as_floats((full << 32) - keys[kth])
        return largest

    def ranked(self, columns_of_items, preference):
        """Return the columns and values of the best k of each row, and the mask of open rows."""
        self._raise_bounds()
        ((entries, values),) = self._parts
        items, rows = np.divmod(entries, self._n_rows)
        columns = columns_of_items[items]
        order = np.lexsort((preference.places[columns], -values, rows))
        n_values = self._n_of_rows(rows)
        firsts = (np.cumsum(n_values) - n_values)[~self._open, None]
        best = order[firsts + np.arange(self._k)]
        shape = self._n_rows, self._k
        ranked = np.zeros(shape, dtype=np.intp), np.zeros(shape, dtype=np.float32)
        for array, found in zip(ranked, (columns, values), strict=True):
            array[~self._open] = found[best]
        return *ranked, self._open


def _as_integers(values):
    """Return integers of 64 bits in the order of float32 values."""
    bits = values.view(np.int32)
    return (bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))).astype(np.int64)


def _as_floats(integers):
    """Return the float32 values of `_as_integers`."""
    bits = integers.astype(np.int32)
    return (bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))).view(np.float32)


def _first_bounds(products, k):
    """Return the k-th largest maximum of groups of the products of each row."""
    n_items, n_rows = products.shape
    group_size = n_items // (_GROUPS * k)
    n_groups = n_items // group_size
    groups = products[: n_groups * group_size].reshape(group_size, n_groups, n_rows)
    maxima = np.ascontiguousarray(groups.max(axis=0).T)
    return np.partition(maxima, -k, axis=1)[:, -k]
