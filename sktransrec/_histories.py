"""Histories: rows of item ids from 1 on, in order, with zeros at the end."""

import numpy as np
import scipy.sparse as sp


def is_padded_at_one_end(X):
    """Return whether zeros stand before the ids of the rows only, or after them only."""
    is_id = X > 0
    begins = is_id[:, 1:] & ~is_id[:, :-1]
    ends = is_id[:, :-1] & ~is_id[:, 1:]
    return not (begins.any() and ends.any())


def padded_at_end(X):
    """Return the nonzero ids of each row in their order, zeros after them."""
    order = np.argsort(X == 0, axis=1, kind="stable")
    return np.take_along_axis(X, order, axis=1)


def latest(X, length):
    """Return the last ids of each row, zeros at the end, no wider than the longest row."""
    lengths = np.count_nonzero(X, axis=1)
    width = max(1, min(length, lengths.max(initial=1)))
    columns = np.maximum(lengths - width, 0)[:, None] + np.arange(width)
    return np.take_along_axis(X, columns, axis=1)


def last_items(X):
    """Return the last id of each row, none of which is empty."""
    return X[np.arange(len(X)), np.count_nonzero(X, axis=1) - 1]


def without_last(X):
    """Return the rows, none of which is empty, without their last id."""
    X = X.copy()
    X[np.arange(len(X)), np.count_nonzero(X, axis=1) - 1] = 0
    return X


def ends_in_new_item(X):
    """Return of each row whether its last id follows others, none of which is the same."""
    last = X[np.arange(len(X)), np.maximum(np.count_nonzero(X, axis=1) - 1, 0)]
    n_same = np.count_nonzero(last[:, None] == X, axis=1)
    return (np.count_nonzero(X, axis=1) > 1) & (n_same == 1)


def seen_items(X, n_items):
    """Return which items each row holds, a `csr_array` of shape (n_rows, n_items).

    Ids are one more than their column; those above `n_items` are left out.
    """
    rows, steps = np.nonzero((X > 0) & (n_items >= X))
    ones = np.ones(len(rows), dtype=np.float32)
    seen = sp.csr_array((ones, (rows, X[rows, steps] - 1)), shape=(len(X), n_items))
    seen.sum_duplicates()
    return seen


def split_latest(X, n_latest, counts):
    """Return the rows as they were before their latest ids, and these ids.

    `counts` says which places may be among the latest ids, as many as `n_latest` says for each
    row; what comes after the first of them without counting is in neither part.
    """
    n_from_here = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]
    is_later = n_from_here < n_latest[:, None]
    is_latest = counts & (n_from_here <= n_latest[:, None])
    return np.where(is_later | is_latest, 0, X), np.where(is_latest, X, 0)


def windows(X, length):
    """Return each row cut from its end into pieces of at most `length` ids, all with two or more.

    The first id of a piece is the last one of the piece before it, so that each id but the first
    of a row follows another one in one piece.
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
