# SPDX-License-Identifier: BSD-3-Clause
"""Test data for a recommender: rows that it must read, in all formats, and rows to refuse."""

import numpy as np
import scipy.sparse as sp
from sklearn.utils import get_tags

from .._recommend import item_columns
from .._wrapping import is_supervised, reads_histories

N_ROWS, N_ITEMS = 60, 24
ONLY_FIT_REFUSES = ("no interactions",)


def n_items_of(model):
    """Return how many items a fitted model must recommend."""
    if is_supervised(model):
        return N_ITEMS - 4
    columns = item_columns(model)
    return N_ITEMS if reads_histories(model) else len(np.arange(N_ITEMS)[columns])


def domain(estimator):
    """Return X, and the y that the estimator learns from or None."""
    if reads_histories(estimator):
        return _histories(N_ROWS, N_ITEMS, seed=0), None
    X = interactions(N_ROWS, N_ITEMS, seed=0)
    y = interactions(N_ROWS, N_ITEMS - 4, seed=1) if is_supervised(estimator) else None
    return X, y


def interactions(n_rows, n_items, seed):
    """Return counts of two groups of rows, each of which prefers one half of the items."""
    rng = np.random.RandomState(seed)
    same_group = (np.arange(n_rows)[:, None] % 2) == (np.arange(n_items) % 2)
    has_item = rng.uniform(size=(n_rows, n_items)) < np.where(same_group, 0.4, 0.1)
    has_item[np.arange(n_rows), np.arange(n_rows) % n_items] = True
    counts = has_item * rng.randint(1, 4, size=has_item.shape)
    return sp.csr_array(counts.astype(np.float32))


def _histories(n_rows, n_items, seed):
    """Return item ids of two groups of rows, each of which prefers one half of the items."""
    rng = np.random.RandomState(seed)
    X = 1 + 2 * rng.randint(n_items // 2, size=(n_rows, 8)) + np.arange(n_rows)[:, None] % 2
    X[np.arange(n_rows), 0] = 1 + np.arange(n_rows) % n_items
    X[np.arange(8) >= rng.randint(2, 9, size=(n_rows, 1))] = 0
    return X


def seen_items(model, X):
    """Return a dense mask of the items of a fitted model that each row has."""
    if not reads_histories(model):
        return X.toarray()[:, item_columns(model)] != 0
    return (X[:, :, None] == np.arange(1, N_ITEMS + 1)).any(axis=1)


def no_interactions(X):
    """Return a matrix of the shape of X without interactions."""
    return sp.csr_array(X.shape, dtype=X.dtype) if sp.issparse(X) else np.zeros_like(X)


def formats(X):
    """Yield X as every kind of matrix that a user may pass."""
    if not sp.issparse(X):
        yield from (X.tolist(), X.astype(np.float64), X.astype(np.int32), np.asfortranarray(X))
        read_only = X.copy()
        read_only.setflags(write=False)
        yield read_only
        return
    yield X.toarray()
    yield X.astype(np.float64)
    yield sp.csr_matrix(X)
    yield sp.csc_array(X)
    yield sp.coo_matrix(X)
    yield sp.csr_array(
        (X.data, X.indices.astype(np.int64), X.indptr.astype(np.int64)), shape=X.shape
    )
    read_only = X.copy()
    for buffer in (read_only.data, read_only.indices, read_only.indptr):
        buffer.setflags(write=False)
    yield read_only


def bad_matrices(estimator, X):
    """Yield what is wrong, a matrix that `fit` must refuse, and words.

    The message of the error must hold one of the words.
    """
    yield "X with NaN", _with_value(X, np.nan), ("NaN",)
    yield "X with an infinite value", _with_value(X, np.inf), ("infinity",)
    yield "X without rows", X[:0], ("0 sample",)
    if not get_tags(estimator).input_tags.string:
        words = ("could not convert", "string", "numeric", "invalid literal")
        yield "X that holds texts", np.full(X.shape, "film"), words
    if get_tags(estimator).input_tags.positive_only:
        yield "X with a negative value", _with_value(X, -1), ("Negative",)
    if not is_supervised(estimator):
        yield "X without interactions", no_interactions(X), ONLY_FIT_REFUSES


def _with_value(X, value):
    """Return X with another value in its first row."""
    X = X.astype(np.float64)
    (X.data if sp.issparse(X) else X.ravel())[0] = value
    return X
