# SPDX-License-Identifier: BSD-3-Clause
"""Where the wanted items stand in rankings by sparse scores, without ranking all items."""

import numpy as np

from ._row_totals import numbers_within, row_lengths, rows_of_entries

# The entries of a row are bounded by the maxima of groups of this many.
_GROUP_SIZE = 16


class SparseHits:
    """The hits of several rankings by the same sparse scores, each times other scales of the items.

    They are those of `top_k` for the scores as a dense array. But only the few scores that reach a
    lower bound of the k-th largest one are compared, and of those that are zero only the wanted.

    Parameters
    ----------
    scores : csr_array of shape (n_rows, n_items)
        Scores above 0; -inf for the items to leave out.
    wanted : csr_array of shape (n_rows, n_items)
        The items to find.
    k : int
        The number of places.
    preference : Preference
        The order of items with equal scores.
    """

    def __init__(self, scores, wanted, k, preference):
        self._scores, self._k = scores, k
        self._rows, self._places = rows_of_entries(scores), preference.places[scores.indices]
        self._left_out = np.flatnonzero(scores.data < 0)
        self._n_groups = n_groups = -(-row_lengths(scores) // _GROUP_SIZE)
        numbers = numbers_within(n_groups)
        self._group_starts = np.repeat(scores.indptr[:-1], n_groups) + _GROUP_SIZE * numbers
        self._group_places = np.repeat(np.arange(len(n_groups)), n_groups), numbers
        self._wanted, is_unscored = _entries_of(wanted, scores, self._rows)
        rows, columns = rows_of_entries(wanted)[is_unscored], wanted.indices[is_unscored]
        self._unscored_hits = self._hits_below_all_scores(rows, preference.places[columns])

    def __call__(self, scales):
        """Return whether a wanted item stands at each of the k places of each row.

        Parameters
        ----------
        scales : ndarray of shape (n_items,)
            Above 0.
        """
        values = self._scores.data * scales[self._scores.indices]
        values[self._left_out] = -np.inf
        reaches = values >= self._bounds(values)[self._rows]
        wanted, finalists = self._wanted[reaches[self._wanted]], np.flatnonzero(reaches)
        pairs, others = _pairs(self._rows[wanted], self._rows[finalists], len(self._unscored_hits))
        one, other = wanted[pairs], finalists[others]
        is_before = (values[other] > values[one]) | (
            (values[other] == values[one]) & (self._places[other] < self._places[one])
        )
        n_before = np.bincount(pairs[is_before], minlength=len(wanted))
        hits = self._unscored_hits.copy()
        self._set_hits(hits, self._rows[wanted], n_before)
        return hits

    def _set_hits(self, hits, rows, n_before):
        is_hit = n_before < self._k
        hits[rows[is_hit], n_before[is_hit]] = True

    def _hits_below_all_scores(self, rows, places):
        """Return the hits among wanted items with a score of zero, which no scale changes."""
        n_rows = self._scores.shape[0]
        n_positive = row_lengths(self._scores) - np.bincount(
            self._rows[self._left_out], minlength=n_rows
        )
        is_near = n_positive[rows] < self._k
        rows, places = rows[is_near], places[is_near]
        pairs, entries = _pairs(rows, self._rows, n_rows)
        n_scored_before = np.bincount(
            pairs[self._places[entries] < places[pairs]], minlength=len(rows)
        )
        hits = np.zeros((n_rows, self._k), dtype=bool)
        self._set_hits(hits, rows, n_positive[rows] + places - n_scored_before)
        return hits

    def _bounds(self, values):
        """Return a lower bound of the k-th largest value of each row."""
        is_long = self._n_groups >= self._k
        bounds = np.full(len(is_long), -np.inf, dtype=values.dtype)
        if not is_long.any():
            return bounds
        maxima = np.full((len(is_long), self._n_groups.max()), -np.inf, dtype=values.dtype)
        maxima[self._group_places] = np.maximum.reduceat(values, self._group_starts)
        maxima = maxima[is_long]
        maxima.partition(-self._k, axis=1)
        bounds[is_long] = maxima[:, -self._k]
        return bounds


def _entries_of(wanted, scores, rows_of_scores):
    """Return which scores are those of wanted items, and which wanted items have none."""
    n_columns = scores.shape[1]
    cells = rows_of_scores * n_columns + scores.indices
    wanted_cells = rows_of_entries(wanted) * n_columns + wanted.indices
    is_open = np.zeros(scores.shape[0] * n_columns, dtype=bool)
    is_open[wanted_cells] = True
    entries = np.flatnonzero(is_open[cells])
    is_open[cells[entries]] = False
    return entries, is_open[wanted_cells]


def _pairs(rows, rows_of_others, n_rows):
    """Return all pairs of the same row, as indices of `rows` and of the sorted others."""
    n_others = np.bincount(rows_of_others, minlength=n_rows)
    n_pairs = n_others[rows]
    firsts = (np.cumsum(n_others) - n_others)[rows]
    numbers = numbers_within(n_pairs)
    return np.repeat(np.arange(len(rows)), n_pairs), np.repeat(firsts, n_pairs) + numbers
