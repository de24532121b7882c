"""Exact selection of the best k columns of each row of a score matrix."""

import numpy as np

_MAX_GROUP_SIZE = 32


def top_k(scores, k):
    """Return the columns of the `k` largest scores of each row, best first.

    Ties go to the lower column index. A lower bound of the k-th largest score of each row is found
    first; only the few scores that reach it are ranked.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_columns), C-contiguous
        Finite values or -inf.
    k : int
        From 1 to `n_columns`.

    Returns
    -------
    columns : ndarray of shape (n_rows, k), dtype intp
    values : ndarray of shape (n_rows, k)
    """
    n_rows, n_columns = scores.shape
    group_size = min(_MAX_GROUP_SIZE, n_columns // (4 * k))
    # The k-th largest maximum of any groups of columns is such a bound, and single columns are
    # groups as well: the bound is then exact.
    n_groups = n_columns // max(group_size, 1)
    maxima = scores if n_groups == n_columns else _group_maxima(scores, n_groups)
    bounds = np.partition(maxima, n_groups - k, axis=1)[:, n_groups - k]
    reaches = maxima >= bounds[:, None]
    # Where many groups tie for the k-th place, their members are too many to be gathered.
    crowded = np.count_nonzero(reaches, axis=1) > 2 * k
    reaches[crowded] = False
    best_groups = np.nonzero(reaches)
    columns = np.empty((n_rows, k), dtype=np.intp)
    columns[~crowded] = _best_members(scores, bounds, best_groups, n_groups, k)
    for row in np.flatnonzero(crowded):
        columns[row] = _best_of_crowd(scores[row], bounds[row], k)
    return columns, np.take_along_axis(scores, columns, axis=1)


def _group_maxima(scores, n_groups):
    """Return the maxima over groups of columns, of shape (n_rows, n_groups).

    Group j holds the columns j, j + n_groups, j + 2 n_groups, ...
    """
    n_rows, n_columns = scores.shape
    n_whole = n_columns - n_columns % n_groups
    maxima = scores[:, :n_whole].reshape(n_rows, -1, n_groups).max(axis=1)
    remainder = scores[:, n_whole:]
    longer_groups = maxima[:, : remainder.shape[1]]
    np.maximum(longer_groups, remainder, out=longer_groups)
    return maxima


def _best_members(scores, bounds, best_groups, n_groups, k):
    """Return the best k columns among the members of the groups, for each row that has any."""
    rows, groups = best_groups
    n_columns = scores.shape[1]
    members = groups[:, None] + np.arange(0, n_columns, n_groups)
    exists = members < n_columns
    values = scores[rows[:, None], np.where(exists, members, groups[:, None])]
    reaches = (values >= bounds[rows, None]) & exists
    rows, columns, values = np.repeat(rows, reaches.sum(axis=1)), members[reaches], values[reaches]
    best_first = np.lexsort((columns, -values, rows))
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    return columns[best_first[starts[:, None] + np.arange(k)]]


def _best_of_crowd(scores, bound, k):
    """Return the best k columns of one row in which many scores equal the bound."""
    above = np.flatnonzero(scores > bound)
    equal = np.flatnonzero(scores == bound)[:k]
    columns = np.concatenate([above, equal])
    return columns[np.lexsort((columns, -scores[columns]))[:k]]
