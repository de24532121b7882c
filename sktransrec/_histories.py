"""Histories: rows of item ids from 1 on, in order, with zeros at the end."""

import numpy as np


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
