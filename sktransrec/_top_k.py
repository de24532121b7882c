"""Exact selection of the best k columns of each row of a score matrix."""

import numpy as np

_GROUP_SIZE = 64


def top_k(scores, k):
    """Return the columns of the `k` largest scores of each row, best first.

    Ties go to the lower column index. The maximum over groups of columns is taken first: the k
    groups with the largest maxima contain the k largest scores, and only their members are ranked.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_columns)
        Finite values or -inf.
    k : int
        From 1 to `n_columns`.

    Returns
    -------
    columns : ndarray of shape (n_rows, k), dtype intp
    values : ndarray of shape (n_rows, k)
    """
    n_columns = scores.shape[1]
    n_groups = n_columns // _GROUP_SIZE
    if n_groups < 2 * k:
        columns = _best_columns(scores, k)
    else:
        columns = _best_columns_by_group(scores, k, n_groups)
    values = np.take_along_axis(scores, columns, axis=1)
    best_first = np.argsort(-values, axis=1, kind="stable")
    return (
        np.take_along_axis(columns, best_first, axis=1),
        np.take_along_axis(values, best_first, axis=1),
    )


def _best_columns_by_group(scores, k, n_groups):
    """Return the best columns, ascending, ranking the members of the k best groups only.

    Group j holds the columns j, j + n_groups, j + 2 n_groups, ... and the remainder at the end.
    """
    n_rows, n_columns = scores.shape
    n_grouped = n_groups * _GROUP_SIZE
    maxima = scores[:, :n_grouped].reshape(n_rows, _GROUP_SIZE, n_groups).max(axis=1)
    best_groups = np.argpartition(maxima, n_groups - k, axis=1)[:, n_groups - k :]
    bound = np.take_along_axis(maxima, best_groups, axis=1).min(axis=1)
    members = (best_groups[:, None, :] + n_groups * np.arange(_GROUP_SIZE)[None, :, None]).reshape(
        n_rows, -1
    )
    remainder = np.broadcast_to(np.arange(n_grouped, n_columns), (n_rows, n_columns - n_grouped))
    members = np.sort(np.concatenate([members, remainder], axis=1), axis=1)
    positions = _best_columns(np.take_along_axis(scores, members, axis=1), k)
    columns = np.take_along_axis(members, positions, axis=1)

    # Where a group left out ties with the bound, its members may win by their lower index.
    tied = np.flatnonzero((maxima >= bound[:, None]).sum(axis=1) > k)
    if tied.size:
        columns[tied] = _best_columns(scores[tied], k)
    return columns


def _best_columns(scores, k):
    """Return the columns of the k largest scores of each row, in ascending column order."""
    n_rows, n_columns = scores.shape
    kth_largest = np.partition(scores, n_columns - k, axis=1)[:, n_columns - k, None]
    chosen = scores > kth_largest
    tied = scores == kth_largest
    n_tied_wanted = k - chosen.sum(axis=1, keepdims=True)
    chosen |= tied & (np.cumsum(tied, axis=1) <= n_tied_wanted)
    return np.nonzero(chosen)[1].reshape(n_rows, k)
