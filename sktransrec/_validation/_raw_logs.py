# SPDX-License-Identifier: BSD-3-Clause
"""Recognising raw logs and transactions that are passed instead of a matrix of rows x items."""

import re
from collections.abc import Mapping, Set
from contextlib import contextmanager

import numpy as np
import scipy.sparse as sp

_THINGS = (
    "user|customer|client|visitor|member|session|reviewer|item|product|movie|film|book|track|song|"
    "artist|article|game|recipe|anime|business"
)
_ID_NAME = re.compile(rf"({_THINGS})s?[ _.-]?(id|ids|code|idx)|asin|isbn", re.IGNORECASE)
_USER_NAMES = {"user", "customer", "client", "visitor", "member", "reviewer", "uid"}
_ITEM_NAMES = {"item", "product", "movie", "film", "book", "track", "song", "article", "iid"}

# An array is taken for a log only if it has no more columns than this, and a number of this size.
_MAX_LOG_COLUMNS = 4
_LARGE_ID = 1000
_MIN_ROWS = 5
# A log without large numbers is found by a sorted column of users, and needs more lines than that.
_MIN_EVENTS = 20
_MAX_HISTORY = 1000

_ROWS_X_ITEMS = "be a matrix of rows x items"
_MATRIX = 'X = InteractionEncoder(user="userId", item="movieId").fit_transform(log)'
SEQUENCES = 'InteractionEncoder(user="userId", item="movieId").fit(log).sequences(log)'
_TRANSACTIONS = (
    'log = {"user": [u for u, items in enumerate(X) for _ in items], '
    '"item": [i for items in X for i in items]}; X = InteractionEncoder().fit_transform(log)'
)


def check_no_log(X, *, name):
    """Raise if X is a log with one event per line, or a list of the items of each row.

    The signs are column names, kinds of values, and two to four columns of integers, some of them
    large and some of them repeated, or users in order. A sparse matrix is never taken for a log.
    """
    if sp.issparse(X):
        return
    if isinstance(X, Mapping):
        raise ValueError(_message(name, "is a dict of columns", _MATRIX))
    if _are_transactions(X):
        raise ValueError(_message(name, "holds the ids of the items of each row", _TRANSACTIONS))
    check_no_id_names(X, name=name)
    if _holds_ids(X):
        like = "has few columns of integers, which look like ids"
        example = "X = InteractionEncoder(user=0, item=1).fit_transform(log)"
        raise ValueError(
            _message(name, like, example)
            + f" If these are interactions with {np.shape(X)[1]} items, pass a sparse matrix."
        )


def check_no_id_names(X, *, name, of_histories=False):
    """Raise if the name of a column says that it holds ids, as in a log with one event per line."""
    column = _column_of_ids(X)
    if column is not None:
        what = "hold histories, rows of item ids" if of_histories else _ROWS_X_ITEMS
        example = f"X = {SEQUENCES}" if of_histories else _MATRIX
        raise ValueError(_message(name, f"has the column {column!r}", example, what=what))


def check_no_histories(X):
    """Raise if X holds rows of integers that zeros pad on one side; a sparse matrix never does."""
    if not sp.issparse(X) and _are_histories(X):
        raise ValueError(
            "X must be a matrix of rows x items, but each row holds integers that zeros pad "
            "on one side, as histories of item ids do. Wrap the model, which then reads histories: "
            "HistoryRecommender(model). If these are interactions, pass a sparse matrix."
        )


@contextmanager
def errors_about_transactions(name):
    """Turn NumPy's error about rows of different lengths into one that tells how to encode them."""
    try:
        yield
    except ValueError as error:
        _check_even_rows(error, name)
        raise


def _check_even_rows(error, name):
    """Raise an error that tells how to encode rows, if NumPy says that their lengths differ."""
    if are_uneven_rows(error):
        message = _message(name, "has rows of different lengths", _TRANSACTIONS)
        raise ValueError(
            f"{message} Encode new rows of a fitted model with the encoder of its X: "
            "encoder.transform(log)."
        ) from error


def are_uneven_rows(error):
    """Return whether an error of NumPy says that rows have different lengths."""
    return "array element with a sequence" in str(error)


@contextmanager
def errors_about_interactions(name):
    """Turn scikit-learn's errors about a matrix into errors that speak of interactions."""
    try:
        yield
    except (TypeError, ValueError) as error:
        _check_even_rows(error, name)
        message = str(error)
        if "contains NaN" in message:
            raise ValueError(
                f"{name} contains NaN. A missing interaction is a zero here: pass "
                f"{name}.fillna(0) for a DataFrame or np.nan_to_num({name}) for an array. Do not "
                "use an imputer: it would give every item to the row."
            ) from error
        if "could not convert string" in message or "argument must be a string" in message:
            reason = f"holds no numbers ({message})"
            raise type(error)(_message(name, reason, _MATRIX)) from error
        raise


def _message(name, reason, example, *, what=_ROWS_X_ITEMS):
    return (
        f"{name} must {what}, but it {reason}. If it is a log of events "
        f"or of ids, encode it first: {example}."
    )


def _are_transactions(X):
    """Return whether X is a sequence of sets, or of sequences of different lengths."""
    is_column = getattr(X, "ndim", 0) == 1 and X.dtype == object
    if not is_column and not isinstance(X, list | tuple):
        return False
    rows = list(X)
    if not all(isinstance(row, list | tuple | Set) or np.ndim(row) == 1 for row in rows):
        return False
    return len({len(row) for row in rows}) > 1 or any(isinstance(row, Set) for row in rows)


def _column_of_ids(X):
    """Return the name of a column that holds ids instead of interactions, or None."""
    names = [name for name in getattr(X, "columns", ()) if isinstance(name, str)]
    for name in names:
        if _ID_NAME.fullmatch(name):
            return name
    plain = {name.lower() for name in names}
    if len(names) <= 8 and plain & _USER_NAMES and plain & _ITEM_NAMES:
        return min(plain & _USER_NAMES)
    return None


def _are_histories(X):
    """Return whether the first rows hold more ids than places, padded with zeros on one side."""
    values = _numbers(X, max_columns=_MAX_HISTORY, n_rows=_MAX_HISTORY)
    if values is None or (values < 0).any() or (values != np.floor(values)).any():
        return False
    is_item = values != 0
    lengths = is_item.sum(axis=1)
    if np.count_nonzero(lengths % values.shape[1]) < _MIN_ROWS or len(np.unique(lengths)) < 3:
        return False
    at_start, at_end = is_item[:, :-1] >= is_item[:, 1:], is_item[:, :-1] <= is_item[:, 1:]
    return (at_start.all() or at_end.all()) and len(np.unique(values)) > values.shape[1] + 1


def _numbers(X, *, max_columns, n_rows=None):
    """Return the first rows as an array of numbers, None if they are no narrow matrix of some."""
    try:
        shape = np.shape(X)
        if len(shape) != 2 or shape[0] < _MIN_ROWS or not 2 <= shape[1] <= max_columns:
            return None
        first = X if n_rows is None else X.head(n_rows) if hasattr(X, "head") else X[:n_rows]
        values = np.asarray(first)
        return None if values.dtype.kind == "c" else values.astype(np.float64)
    except (ArithmeticError, TypeError, ValueError):
        return None


def _holds_ids(X):
    """Return whether X has few columns, of which two or more look like columns of ids."""
    values = _numbers(X, max_columns=_MAX_LOG_COLUMNS)
    if values is None:
        return False
    if _starts_with_sorted_users(values):
        return True
    ids = [column for column in values.T if _may_be_ids(column)]
    if len(ids) < 2 or not _LARGE_ID <= max(map(np.max, ids)) < np.inf:
        return False
    return min(len(np.unique(column)) for column in ids) <= 2 / 3 * len(values)


def _may_be_ids(column):
    """Return whether a column holds integers from 1 on, or from 0 on as no counts do."""
    if not (column >= 0).all() or not (column == np.floor(column)).all():
        return False
    if column.all():
        return True
    different, counts = np.unique(column, return_counts=True)
    # Zero is one id among many, but most counts of a column are zeros.
    if len(different) < 3 or counts[0] > 2 * counts[1:].max():
        return False
    is_numbering = len(different) >= _MIN_EVENTS and different[-1] == len(different) - 1
    return different[-1] >= _LARGE_ID or is_numbering or (np.diff(column) >= 0).all()


def _starts_with_sorted_users(values):
    """Return whether the first column numbers users in order, and each has other items beside it.

    Rows of counts that are sorted by one item do not number it so and hold a pair of counts twice.
    """
    users, items = values[:, 0], values[:, 1]
    steps = np.diff(users)
    if len(users) < _MIN_EVENTS or users[0] not in (0, 1) or not np.isin(steps, (0, 1)).all():
        return False
    if (items < 0).any() or (items != np.floor(items)).any():
        return False
    n_users, n_items = np.count_nonzero(steps) + 1, len(np.unique(items))
    if n_users < _MIN_ROWS or 2 * n_users > len(users) or n_items < _MIN_EVENTS:
        return False
    return len(np.unique(values[:, :2], axis=0)) == len(users)
