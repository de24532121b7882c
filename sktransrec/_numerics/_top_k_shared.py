# SPDX-License-Identifier: BSD-3-Clause
"""The best k columns of rows that share their scores, from one ranking of the columns."""

import numpy as np

from ._row_blocks import row_slices, rows_in
from ._row_totals import nonzero_places, numbers_within, row_lengths
from ._top_k import top_k

# Rows that are ranked at once.
_N_ROWS = 2**14


def best_of_shared(scores, excluded, n_rows, k, preference):
    """Return the columns of the `k` largest scores of each row, best first.

    All rows have the same scores but for what is excluded, which gets -inf. So the columns are
    ranked once, and each row gets the first ones of this ranking that it may have.

    Parameters
    ----------
    scores : ndarray of shape (n_columns,)
        Finite values or -inf.
    excluded : list of csr_array of shape (n_rows, n_columns)
        Their nonzero entries are excluded.
    n_rows : int
    k : int
        From 1 to `n_columns`.
    preference : Preference
        The order of columns with equal scores.

    Returns
    -------
    columns : ndarray of shape (n_rows, k), dtype intp
    values : ndarray of shape (n_rows, k), dtype float32
        -inf if a row has too few columns that are not excluded.
    """
    most_excluded = sum(int(row_lengths(X).max()) for X in excluded)
    n_ranked = min(len(scores), k + most_excluded)
    ranking, values = (array[0] for array in top_k(scores[None], n_ranked, preference))
    place_of_column = np.full(len(scores), n_ranked)
    place_of_column[ranking] = np.arange(n_ranked)
    places = np.empty((n_rows, k), dtype=np.intp)
    for rows in row_slices(n_rows, _N_ROWS):
        taken = _taken_places([rows_in(X, rows) for X in excluded], place_of_column)
        places[rows] = _first_free_places(*taken, rows.stop - rows.start, k)
    # The place after the ranking is that of no column.
    places = np.minimum(places, n_ranked)
    return np.append(ranking, 0)[places], np.append(values, np.float32(-np.inf))[places]


def _taken_places(excluded, place_of_column):
    """Return the rows of the excluded entries and the places of their columns, in order."""
    n_columns = len(place_of_column)
    keys = [np.empty(0, dtype=np.intp)]
    for rows, columns in map(nonzero_places, excluded):
        keys.append(rows * n_columns + place_of_column[columns])
    return np.divmod(np.unique(np.concatenate(keys)), n_columns)


def _first_free_places(rows, taken, n_rows, k):
    """Return the first k places of each row that are not taken.

    With taken places t_0 < t_1 < ..., just t_i - i free places come before t_i. So the free place
    with number j is j plus the number of i with t_i - i <= j.
    """
    n_taken = np.bincount(rows, minlength=n_rows)
    n_free_before = taken - numbers_within(n_taken)
    counts = n_free_before < k
    cells = rows[counts] * k + n_free_before[counts]
    n_skipped = np.bincount(cells, minlength=n_rows * k).reshape(n_rows, k).cumsum(axis=1)
    return np.arange(k) + n_skipped
