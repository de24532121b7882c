"""Exact selection of the best k columns of each row of a score matrix."""

from typing import NamedTuple

import numpy as np

_MAX_GROUP_SIZE = 32
# Equal scores are looked for in this many times k columns first.
_FIRST_LOOK = 32


class Preference(NamedTuple):
    """Which of two columns comes first where their scores are equal.

    Attributes
    ----------
    order : ndarray of shape (n_columns,), dtype intp
        The columns, preferred ones first.
    places : ndarray of shape (n_columns + 1,), dtype intp
        The place of each column in that order; `n_columns` at last, for no column.
    """

    order: np.ndarray
    places: np.ndarray

    @classmethod
    def by_popularity(cls, popularity):
        """Prefer the popular columns, and of equally popular ones those to the left."""
        order = np.argsort(-popularity, kind="stable")
        places = np.empty(len(order) + 1, dtype=np.intp)
        places[order], places[-1] = np.arange(len(order)), len(order)
        return cls(order, places)


def top_k(scores, k, preference):
    """Return the columns of the `k` largest scores of each row, best first.

    The k-th largest maximum over groups of columns bounds the k-th largest score from below, so
    only the few scores that reach it are ranked.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_columns)
        Finite values or -inf.
    k : int
        From 1 to `n_columns`.
    preference : Preference
        What goes first where scores are equal.

    Returns
    -------
    columns : ndarray of shape (n_rows, k), dtype intp
    values : ndarray of shape (n_rows, k)
    """
    n_rows, n_columns = scores.shape
    group_size = max(1, min(_MAX_GROUP_SIZE, n_columns // (4 * k)))
    n_groups = n_columns // group_size
    n_grouped = n_groups * group_size
    # Group j holds the columns j, j + n_groups, j + 2 n_groups, ...
    groups = scores[:, :n_grouped].reshape(n_rows, group_size, n_groups)
    maxima = groups.max(axis=1)
    bounds = np.partition(maxima, n_groups - k, axis=1)[:, n_groups - k, None]
    reaches = maxima >= bounds
    # Where many groups tie for the k-th place, their members are too many to be gathered.
    crowded = np.count_nonzero(reaches, axis=1) > 2 * k
    reaches[crowded] = False
    finalists = _finalists(groups, reaches, bounds, width=k, filler=n_columns)
    ungrouped = np.arange(n_grouped, n_columns)
    ungrouped = np.where(scores[:, n_grouped:] >= bounds, ungrouped, n_columns)
    columns = _best_finalists(scores, np.hstack([finalists, ungrouped]), k, preference)
    for row in np.flatnonzero(crowded):
        columns[row] = _best_of_crowd(scores[row], bounds[row], k, preference)
    return columns, np.take_along_axis(scores, columns, axis=1)


def _finalists(groups, reaches, bounds, *, width, filler):
    """Return the columns, of those groups that reach the bound, which reach it themselves.

    Rows have different numbers of them; the `width` at least is filled up with the `filler`.
    """
    n_rows, _, n_groups = groups.shape
    rows, group = np.nonzero(reaches)
    found, member = np.nonzero(groups[rows, :, group] >= bounds[rows])
    rows, columns = rows[found], group[found] + n_groups * member
    n_found = np.bincount(rows, minlength=n_rows)
    places = np.arange(len(rows)) - np.repeat(np.cumsum(n_found) - n_found, n_found)
    finalists = np.full((n_rows, n_found.max(initial=width)), filler)
    finalists[rows, places] = columns
    return finalists


def _best_finalists(scores, finalists, k, preference):
    """Return the best k of each row's finalists, which may include fillers past the last column."""
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
    """Return the first `n` columns of the mask in that order."""
    for looked_at in (order[: _FIRST_LOOK * n], order):
        columns = looked_at[mask[looked_at]][:n]
        if len(columns) == n:
            break
    return columns
