# SPDX-License-Identifier: BSD-3-Clause
"""Hiding a part of the interactions of rows, for a fitted model to find."""

import numpy as np
import scipy.sparse as sp

from .._columns import check_order, column_names, framed_like
from .._histories import padded_at_end, seen_items, split_latest
from .._numerics._entries import at_columns, entries_of
from .._recommend import candidates_of, item_columns
from .._validation import check_is_fitted, check_matrix, item_ids_of_rows
from .._wrapping import (
    check_order_kept,
    ignores_unknown,
    is_supervised,
    reads_histories,
    recommender_of,
)
from ._holdout import holdout_random, numbers_held_out

_SHARE = 0.2
_SEED = 0


def hidden_by_default(model, X, candidates=None):
    """Return X without the interactions that `score` hides if it gets no y, and these.

    A fifth of the interactions of each row is hidden, always the same ones; of a history, the last
    item.
    """
    if is_supervised(model):
        raise ValueError(
            f"y is None, and {type(recommender_of(model)).__name__} learned the map from X to y, "
            "so the items to find are not in X: pass them as y."
        )
    size = 1 if reads_histories(model) else _SHARE
    return hidden_part(model, X, size, random_state=_SEED, candidates=candidates)


def hidden_part(model, X, size, *, random_state=None, candidates=None):
    """Return X without a part of its interactions, and this part; `model` may recommend all of it.

    Parameters
    ----------
    model : estimator
        A fitted recommender, or a `Pipeline`, search or `FrozenEstimator` that holds one.
    X : array-like, sparse matrix or DataFrame of shape (n_rows, n_columns)
        What `model` takes: a matrix in which its items are columns, or histories.
    size : float or int
        The share or the number of items to hide of each row; of a history, the latest ones.
    random_state : int, RandomState instance or None, default=None
        Chooses what to hide in a matrix.
    candidates : array-like of int or mask of shape (n_items_,), default=None
        The items that may be hidden.

    Returns
    -------
    X_kept : ndarray, csr_array or DataFrame of shape (n_rows, n_columns)
        A DataFrame if X is one with column names.
    y : csr_array of shape (n_rows, n_items_), dtype float32
        The items that are hidden and no longer in X. Nothing is hidden of a row with fewer than two
        items.
    """
    recommender = recommender_of(model)
    check_is_fitted(recommender)
    is_hidable = hidable_items(recommender, candidates)
    if reads_histories(model):
        ids = item_ids_of_rows(X, ignores_gaps=ignores_unknown(model))
        kept, y = without_latest(padded_at_end(ids), size, is_hidable)
    else:
        matrix, names = check_matrix(X, name="X"), column_names(X)
        check_order_kept(model)
        if names is not None and hasattr(recommender, "item_ids_"):
            check_order(recommender.item_ids_[: len(names)].tolist(), names, name="X")
        columns = _checked_columns(recommender, matrix.shape[1])
        is_hidable = is_hidable[: len(columns)]
        kept, y = without_random(matrix, size, columns, is_hidable, random_state)
        y = at_columns(y, np.arange(len(columns)), recommender.n_items_)
    if not y.nnz:
        raise ValueError(
            f"X has nothing to hide: none of its {kept.shape[0]} rows has two different items that "
            f"{type(recommender).__name__} may recommend. Pass rows with more items, or pass the "
            "items to find as y."
        )
    return framed_like(X, kept), y


def without_random(X, size, columns, is_hidable=None, random_state=None):
    """Return X without a random part of each row in the given columns, and this part.

    `is_hidable` is a mask of these columns; None means that all may be hidden.
    """
    is_all = np.array_equal(columns, np.arange(X.shape[1]))
    items = X if is_all else X[:, columns]
    if is_hidable is not None and not is_hidable.all():
        items = entries_of(items, is_hidable[items.indices])
    _, y = holdout_random(items, size, random_state=random_state)
    return sp.csr_array(X - at_columns(y, columns, X.shape[1])), y


def without_latest(X, size, is_hidable):
    """Return histories cut before their latest items, and those latest items that are new.

    `is_hidable` is a mask of all items. The cut removes everything from the first hidden item on,
    items that may not be hidden included.
    """
    n_items = len(is_hidable)
    counts = np.concatenate([[False], is_hidable, [False]])[np.minimum(X, n_items + 1)]
    kept, latest = split_latest(X, numbers_held_out(counts.sum(axis=1), size), counts)
    y = seen_items(latest, n_items)
    y = sp.csr_array(y - y.multiply(seen_items(kept, n_items) > 0))
    y.eliminate_zeros()
    return kept, y


def hidable_items(recommender, candidates=None):
    """Return the mask of the items that may be recommended."""
    is_hidable = np.ones(recommender.n_items_, dtype=bool)
    if candidates is not None:
        is_hidable[:] = False
        is_hidable[candidates_of(recommender, candidates)] = True
    withheld = getattr(recommender, "withheld_items_", None)
    return is_hidable if withheld is None else is_hidable & ~withheld


def _checked_columns(recommender, n_columns):
    """Return the column of X of each item; raise an error if X does not have them."""
    columns = item_columns(recommender)
    if columns is None or isinstance(columns, slice):
        n_items, n_features = recommender.n_items_, getattr(recommender, "n_features_in_", None)
        # Rows need not have the columns of items that were added after `fit`.
        if n_columns != n_items and not n_columns == n_features < n_items:
            raise ValueError(
                f"X has {n_columns} columns and {type(recommender).__name__} recommends "
                f"{n_items} items, so it is unclear which columns of X are the items: pass "
                "the items to find as y."
            )
        columns = np.arange(n_columns)
    if columns.max() >= n_columns:
        raise ValueError(
            f"X has {n_columns} columns, and the items that {type(recommender).__name__} "
            f"recommends reach up to column {columns.max()}: pass X as in fit."
        )
    return columns
