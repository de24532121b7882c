# SPDX-License-Identifier: BSD-3-Clause
"""Checks of histories, rows of item ids in order."""

from contextlib import contextmanager

import numpy as np
import scipy.sparse as sp

from .._histories import is_padded_at_one_end, padded_at_end
from ._arrays import _check_nonnegative, are_integers, check_array, check_numbering, validate_data
from ._raw_logs import SEQUENCES, are_uneven_rows, check_no_id_names

_CURE = f"pass the items of each row in order, such as {SEQUENCES}."


def check_padded(estimator, X, *, reset, allow_nd=False):
    """Return X as an array of numbers with two axes, or more on request."""
    with errors_about_padding("X"):
        return validate_data(estimator, X, reset=reset, dtype="numeric", allow_nd=allow_nd)


@contextmanager
def errors_about_padding(name):
    """Turn NumPy's error about rows of different lengths into one that says how to pad them."""
    try:
        yield
    except ValueError as error:
        if not are_uneven_rows(error):
            raise
        raise ValueError(
            f"The rows of {name} have different lengths: pad them to one length with 0 (vectors "
            "with vectors of zeros), as TextSequences and InteractionEncoder.sequences do."
        ) from error


def check_histories(estimator, X, *, reset, ignores_gaps=False):
    """Return X as int32 ids of shape (n_rows, n_steps), from 1 on; 0 means no item.

    With `ignores_gaps`, zeros between ids are allowed.
    """
    _check_not_sparse(X, type(estimator).__name__)
    if reset:
        check_no_id_names(X, name="X", of_histories=True)
    with _errors_about_histories():
        X = check_padded(estimator, X, reset=reset)
    X = _item_ids(X, ignores_gaps)
    if reset and not ignores_gaps and X.max(initial=0) == 1:
        raise ValueError(
            "X holds nothing but 0 and 1: read as histories, this is always the item with the id "
            f"1. If X is a matrix of interactions, {_CURE}"
        )
    return X


def check_known_histories(estimator, X, *, reset, n_items=None, grows=False):
    """Return X as int32 ids from 1 to the `n_items_` of the estimator, with zeros at the end.

    Parameters
    ----------
    estimator : estimator
        With `reset`, its `n_items_` is set. Its parameter `unknown` says what happens to ids above
        it and to zeros between ids: "error" raises an error, and "ignore" leaves them out.
    X : array-like of shape (n_rows, n_steps)
    reset : bool
        Whether this is the X of `fit`.
    n_items : int, default=None
        The number of items; None means the largest id of `fit`.
    grows : bool
        Whether larger ids than those of `fit` are new items, if `n_items` is None.
    """
    X = check_histories(estimator, X, reset=reset, ignores_gaps=estimator.unknown == "ignore")
    largest = int(X.max(initial=0))
    if reset:
        estimator.n_items_ = n_items or largest
    elif grows and n_items is None:
        estimator.n_items_ = max(estimator.n_items_, largest)
    if largest > estimator.n_items_:
        if estimator.unknown == "error":
            raise ValueError(
                f"X holds the item id {largest}, but {type(estimator).__name__} knows the ids from "
                f'1 to {estimator.n_items_}: fit with a larger n_items, or set unknown="ignore" to '
                "leave unknown ids out."
            )
        X = np.where(estimator.n_items_ >= X, X, 0)
    return padded_at_end(X)


def item_ids_of_rows(X, *, ignores_gaps=False):
    """Return histories as int32 ids as `check_histories` does, without an estimator."""
    _check_not_sparse(X, "the model")
    with errors_about_padding("X"), _errors_about_histories():
        X = check_array(X, dtype="numeric", input_name="X")
    return _item_ids(X, ignores_gaps)


@contextmanager
def _errors_about_histories():
    """Turn scikit-learn's errors about NaN and strings into errors about histories."""
    try:
        yield
    except ValueError as error:
        if "string" in str(error):
            raise ValueError(
                "X holds strings, but a history is a row of integers, the item ids from 1 on, "
                f"padded with 0: {_CURE}"
            ) from error
        if "contains NaN" not in str(error):
            raise
        raise ValueError(
            "X contains NaN, but a history is a row of item ids, from 1 on and padded with 0: "
            f"{_CURE}"
        ) from error


def _check_not_sparse(X, reader):
    if sp.issparse(X):
        raise TypeError(
            f"X is a sparse matrix, but {reader} reads histories, rows of item ids from 1 on. Do "
            f"not make X dense, because its values would be read as ids: {_CURE}"
        )


def _item_ids(X, ignores_gaps):
    """Return valid numbers as int32 item ids."""
    if not are_integers(X):
        raise ValueError(
            "X holds numbers that are not integers: a history is a row of item ids, from 1 on and "
            "padded with 0, as InteractionEncoder.sequences returns it."
        )
    _check_nonnegative(X, "X", cure="Item ids are integers from 1 on, and 0 is padding.")
    check_numbering(int(X.max(initial=0)), "X", "item id")
    if not ignores_gaps and not is_padded_at_one_end(X):
        raise ValueError(
            "X has zeros both before and after ids, but 0 is not an item: it is padding at one end "
            "of all rows. If the items are numbered from 0, add 1 to the ids and not to the "
            f"padding. If X is a matrix of interactions, {_CURE}"
        )
    return X.astype(np.int32)
