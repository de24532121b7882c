# SPDX-License-Identifier: BSD-3-Clause
"""Exact selection of the best k columns of each row of a score matrix."""

from typing import NamedTuple

import numpy as np

from ._row_totals import numbers_within

_MAX_GROUP_SIZE = 32
# Equal scores are first searched in this many times k columns.
_FIRST_LOOK = 32
# If more than this many times k groups reach the bound, they have too many members to collect. If
# so many scores of a single row do, they are too many to sort.
_CROWD = 2
# Up to this many rows are searched one by one, which takes fewer calls of numpy.
_FEW_ROWS = 4


class Preference(NamedTuple):
    """The order of columns with equal scores.

    Attributes
    ----------
    order : ndarray of shape (n_columns,), dtype intp
        The columns, preferred ones first.
    places : ndarray of shape (n_columns + 1,), dtype intp
        The place of each column in this order; the last entry is `n_columns`, for no column.
    """

    order: np.ndarray
    places: np.ndarray

    @classmethod
    def by_popularity(cls, popularity):
        """Prefer popular columns, and lower columns among equally popular ones."""
        order = np.argsort(-popularity, kind="stable")
        places = np.empty(len(order) + 1, dtype=np.intp)
        places[order], places[-1] = np.arange(len(order)), len(order)
        return cls(order, places)


def top_k(scores, k, preference):
    """Return the columns of the `k` largest scores of each row, best first.

    The k-th largest maximum over groups of columns is a lower bound of the k-th largest score. So
    only the few scores that reach this bound are sorted.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_columns)
        Finite values or -inf.
    k : int
        From 1 to `n_columns`.
    preference : Preference
        The order of columns with equal scores.

    Returns
    -------
    columns : ndarray of shape (n_rows, k), dtype intp
    values : ndarray of shape (n_rows, k)
    """
    if len(scores) <= _FEW_ROWS:
        columns, values = zip(*(_best_of_row(row, k, preference) for row in scores), strict=True)
        return np.array(columns), np.array(values)
    columns = _best_together(scores, k, preference)
    return columns, np.take_along_axis(scores, columns, axis=1)


def _best_of_row(scores, k, preference):
    """Return the best k columns of one row, and their scores."""
    maxima = _groups(scores[None], k)[0].max(axis=0)
    maxima.partition(-k)  # `np.partition` takes longer than the selection
    bound = maxima[-k]
    (columns,) = (scores >= bound).nonzero()
    if len(columns) > _CROWD * k:
        columns = _best_of_crowd(scores, bound, k, preference)
        return columns, scores[columns]
    values = scores[columns]
    best_first = np.lexsort((preference.places[columns], -values))[:k]
    return columns[best_first], values[best_first]


def _best_together(scores, k, preference):
    n_columns = scores.shape[1]
    groups = _groups(scores, k)
    maxima = groups.max(axis=1)
    bounds = np.partition(maxima, -k, axis=1)[:, -k, None]
    reaches = maxima >= bounds
    crowded = np.count_nonzero(reaches, axis=1) > _CROWD * k
    reaches[crowded] = False
    finalists = _finalists(groups, reaches, bounds, width=k, filler=n_columns)
    n_grouped = groups.shape[1] * groups.shape[2]
    ungrouped = np.arange(n_grouped, n_columns)
    ungrouped = np.where(scores[:, n_grouped:] >= bounds, ungrouped, n_columns)
    columns = _best_finalists(scores, np.hstack([finalists, ungrouped]), k, preference)
    for row in np.flatnonzero(crowded):
        columns[row] = _best_of_crowd(scores[row], bounds[row], k, preference)
    return columns


def _groups(scores, k):
    """Return the scores by groups of columns, of shape (n_rows, group_size, n_groups).

    Group j holds the columns j, j + n_groups, j + 2 n_groups, ... The last columns may be in none.
    """
    n_rows, n_columns = scores.shape
    group_size = max(1, min(_MAX_GROUP_SIZE, n_columns // (4 * k)))
    n_groups = n_columns // group_size
    return scores[:, : n_groups * group_size].reshape(n_rows, group_size, n_groups)


def _finalists(groups, reaches, bounds, *, width, filler):
    """Return the columns that reach the bound, from the groups that reach it.

    Their number differs from row to row; rows are filled up with `filler`, to `width` at least.
    """
    n_rows, _, n_groups = groups.shape
    rows, group = _true_places(reaches)
    found, member = _true_places(groups[rows, :, group] >= bounds[rows])
    rows, columns = rows[found], group[found] + n_groups * member
    n_found = np.bincount(rows, minlength=n_rows)
    finalists = np.full((n_rows, n_found.max(initial=width)), filler)
    finalists[rows, numbers_within(n_found)] = columns
    return finalists


def _true_places(mask):
    """Return the rows and the columns of the True of a matrix, as `np.nonzero`, but faster."""
    return np.divmod(np.flatnonzero(mask), mask.shape[1])


def _best_finalists(scores, finalists, k, preference):
    """Return the best k finalists of each row; fillers lie past the last column."""
    places = np.sort(preference.places[finalists], axis=1)
    is_filler = places == scores.shape[1]
    columns = preference.order[np.where(is_filler, 0, places)]
    values = np.take_along_axis(scores, columns, axis=1)
    values[is_filler] = -np.inf
    best_first = np.argsort(-values, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(columns, best_first, axis=1)


def _best_of_crowd(scores, bound, k, preference):
    """Return the best k columns of one row in which many scores equal the bound."""
    above = np.flatnonzero(scores > bound)
    above = above[np.lexsort((preference.places[above], -scores[above]))][:k]
    equal = _first_columns(scores == bound, k - len(above), preference.order)
    return np.concatenate([above, equal])


def _first_columns(mask, n, order):
    """Return the first `n` columns of the mask, in the given order."""
    for looked_at in (order[: _FIRST_LOOK * n], order):
        columns = looked_at[mask[looked_at]][:n]
        if len(columns) == n:
            break
    return columns
