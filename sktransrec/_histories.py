# SPDX-License-Identifier: BSD-3-Clause
"""Histories: rows of item ids from 1 on, in the order of time, with zeros at the end."""

import numpy as np
import scipy.sparse as sp

# Below this, a decayed weight would not change a score, and 0 would mean that the item is not seen.
_SMALLEST_WEIGHT = 1e-12


def is_padded_at_one_end(X):
    """Return whether all zeros come before the ids of the rows, or all come after them."""
    is_id = X > 0
    begins = is_id[:, 1:] & ~is_id[:, :-1]
    ends = is_id[:, :-1] & ~is_id[:, 1:]
    return not (begins.any() and ends.any())


def padded_at_end(X):
    """Return the nonzero ids of each row in their order, followed by zeros."""
    order = np.argsort(X == 0, axis=1, kind="stable")
    return np.take_along_axis(X, order, axis=1)


def latest(X, length):
    """Return the last ids of each row, followed by zeros, no wider than the longest row."""
    lengths = np.count_nonzero(X, axis=1)
    width = max(1, min(length, lengths.max(initial=1)))
    firsts = np.maximum(lengths - width, 0)
    padded = np.pad(X, ((0, 0), (0, width)))
    return np.take_along_axis(padded, firsts[:, None] + np.arange(width), axis=1)


def last_items(X):
    """Return the last id of each row; no row may be empty."""
    return X[np.arange(len(X)), np.count_nonzero(X, axis=1) - 1]


def without_last(X):
    """Return the rows without their last id; no row may be empty."""
    X = X.copy()
    X[np.arange(len(X)), np.count_nonzero(X, axis=1) - 1] = 0
    return X


def ends_in_new_item(X):
    """Return for each row whether its last id follows other ids and is new among them."""
    last = X[np.arange(len(X)), np.maximum(np.count_nonzero(X, axis=1) - 1, 0)]
    n_same = np.count_nonzero(last[:, None] == X, axis=1)
    return (np.count_nonzero(X, axis=1) > 1) & (n_same == 1)


def seen_items(X, n_items):
    """Return how often each row has each item, a `csr_array` of shape (n_rows, n_items).

    Item id j + 1 is column j. Ids above `n_items` are left out.
    """
    return decayed_items(X, n_items, 1.0)


def decay_weights(decay, n_later):
    """Return decay^n for items with n later ones; no weight vanishes."""
    return np.maximum(np.power(float(decay), n_later), _SMALLEST_WEIGHT).astype(np.float32)


def decayed_items(X, n_items, decay):
    """Return the items of each row as a `csr_array` of shape (n_rows, n_items), later ones larger.

    An item that stands k steps before the last one of its row has the weight decay^k, and several
    occurrences of an item add up. No weight is 0, so the stored entries are those of
    `seen_items`. Item id j + 1 is column j. Ids above `n_items` are no steps and are left out.
    """
    is_item = (X > 0) & (n_items >= X)
    rows, steps = np.nonzero(is_item)
    n_later = np.cumsum(is_item[:, ::-1], axis=1)[:, ::-1][rows, steps] - 1
    weights = decay_weights(decay, n_later)
    items = sp.csr_array((weights, (rows, X[rows, steps] - 1)), shape=(len(X), n_items))
    items.sum_duplicates()
    return items


def pairs_in_order(X, distance):
    """Return the items that stand a number of steps apart in a row.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_steps)
        Histories, with zeros only at the end.
    distance : int
        The number of steps, 1 or more.

    Returns
    -------
    rows, steps : ndarray of shape (n_pairs,)
        The row of each pair, and the step of its later item.
    earlier, later : ndarray of shape (n_pairs,)
        The columns of the two items, each one smaller than the id.
    """
    rows, steps = np.nonzero(X[:, distance:])
    steps = steps + distance
    return rows, steps, X[rows, steps - distance] - 1, X[rows, steps] - 1


def split_latest(X, n_latest, counts):
    """Return the rows cut before their latest ids, and these latest ids.

    `counts` is the mask of the ids that may be among the latest, and `n_latest` is their number for
    each row. Other ids after the cut are in neither part.
    """
    n_from_here = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]
    is_later = n_from_here < n_latest[:, None]
    is_latest = counts & (n_from_here <= n_latest[:, None])
    return np.where(is_later | is_latest, 0, X), np.where(is_latest, X, 0)


def windows(X, length):
    """Return the rows, cut from the end into pieces of two to `length` ids.

    The first id of a piece is the last id of the piece before it. So each id of a row, except the
    first one, follows another id in exactly one piece.
    """
    lengths = np.count_nonzero(X, axis=1)
    n_pieces = np.maximum(-(-(lengths - 1) // (length - 1)), 0)
    rows = np.repeat(np.arange(len(X)), n_pieces)
    from_end = np.concatenate([np.arange(n) for n in n_pieces]) if len(rows) else rows
    ends = lengths[rows] - from_end * (length - 1)
    starts = np.maximum(ends - length, 0)
    places = starts[:, None] + np.arange(min(length, X.shape[1]))
    pieces = X[rows[:, None], np.minimum(places, X.shape[1] - 1)]
    return np.where(places < ends[:, None], pieces, 0)
