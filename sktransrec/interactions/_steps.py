# SPDX-License-Identifier: BSD-3-Clause
"""The steps of histories as a supervised task."""

from typing import Literal, overload

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from .._histories import decay_weights, padded_at_end, pairs_in_order
from .._numerics._entries import one_in_each_row
from .._validation import COUNT, FROM_0_TO_1, N_ITEMS, item_ids_of_rows, validate_params


@overload
def history_steps(
    histories: ArrayLike,
    *,
    decay: float = ...,
    max_length: int | None = ...,
    max_steps: int | None = ...,
    n_items: int | None = ...,
    return_rows: Literal[False] = ...,
) -> tuple[csr_array, csr_array]: ...


@overload
def history_steps(
    histories: ArrayLike,
    *,
    decay: float = ...,
    max_length: int | None = ...,
    max_steps: int | None = ...,
    n_items: int | None = ...,
    return_rows: Literal[True],
) -> tuple[csr_array, csr_array, NDArray[np.intp]]: ...


@validate_params(
    {
        "decay": FROM_0_TO_1,
        "max_length": [*COUNT, None],
        "max_steps": [*COUNT, None],
        "n_items": N_ITEMS,
        "return_rows": ["boolean"],
    }
)
def history_steps(
    histories: ArrayLike,
    *,
    decay: float = 1.0,
    max_length: int | None = 50,
    max_steps: int | None = None,
    n_items: int | None = None,
    return_rows: bool = False,
) -> tuple[csr_array, csr_array] | tuple[csr_array, csr_array, NDArray[np.intp]]:
    """Return what was known before each step of the histories, and what came next.

    Use it to make a next-item model of every supervised recommender: fit it to ``(known,
    following)``, and ask it with ``DecayedHistory(decay)`` of the whole histories. Stack other
    features of the rows beside `known` for a model across domains, or multiply `known` by the
    vectors of the items for a model of content. `HistoryRecommender` does the plain case in one
    object.

    Parameters
    ----------
    histories : array-like of int of shape (n_rows, n_steps)
        Item ids from 1 on, earliest first, padded with 0 at one end.
    decay : float, default=1.0
        The weight of a known item relative to the item after it, from 0 to 1.
    max_length : int or None, default=50
        How many items before a step count as known, the latest ones. None takes all, which takes
        memory with the square of the lengths of the histories.
    max_steps : int or None, default=None
        How many steps of each history to return, the latest ones, so that long histories do not
        decide everything. None returns all.
    n_items : int or None, default=None
        Number of items. None means the largest id.
    return_rows : bool, default=False
        Whether to return the row of each step too.

    Returns
    -------
    known : csr_array of shape (n_steps, n_items), dtype float32
        The items before each step: ``decay ** k`` for an item k steps before the latest one.
        Several occurrences add up.
    following : csr_array of shape (n_steps, n_items), dtype float32
        1 for the item of the step.
    rows : ndarray of shape (n_steps,), dtype intp
        The row of `histories` of each step, for ``GroupKFold`` and to look up what else is known
        of it. Only if `return_rows` is True.

    See Also
    --------
    sktransrec.preprocessing.DecayedHistory : The whole histories with the same weights.
    sktransrec.HistoryRecommender : Fits a supervised recommender to these steps.

    Notes
    -----
    The first item of a history follows nothing, so a history of n items has n - 1 steps. They are
    in the order of the rows, and in the order of time within a row.

    Examples
    --------
    >>> from sktransrec.interactions import history_steps
    >>> known, following = history_steps([[1, 2, 3], [3, 1, 0]], decay=0.5)
    >>> known.toarray()
    array([[1. , 0. , 0. ],
           [0.5, 1. , 0. ],
           [0. , 0. , 1. ]], dtype=float32)
    >>> following.toarray()
    array([[0., 1., 0.],
           [0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    X = padded_at_end(item_ids_of_rows(histories))
    largest = int(X.max(initial=0))
    if n_items is not None and largest > n_items:
        raise ValueError(
            f"histories holds the item id {largest}, but n_items={n_items}: pass {largest} or "
            "more, or leave n_items at None."
        )
    n_items = n_items or largest
    rows, steps, _, following = pairs_in_order(X, 1)
    n_later = np.count_nonzero(X, axis=1)[rows] - 1 - steps
    is_step = np.full(len(rows), True) if max_steps is None else n_later < max_steps
    if not is_step.any():
        raise ValueError(
            "histories holds no item that follows another: no row has two items, so there is no "
            "step to learn from."
        )
    rows, steps, following = rows[is_step], steps[is_step], following[is_step]
    number = np.full(X.shape, -1, dtype=np.intp)
    number[rows, steps] = np.arange(len(rows))
    known = _known_items(X, number, (len(rows), n_items), decay, max_length)
    following = one_in_each_row(following, n_items)
    return (known, following, rows) if return_rows else (known, following)


def _known_items(X, number, shape, decay, max_length):
    """Return the weights of the items before each step; `number` is the row of each step or -1."""
    places, columns, weights = [], [], []
    n_lags = X.shape[1] - 1 if max_length is None else min(max_length, X.shape[1] - 1)
    for lag in range(1, n_lags + 1):
        rows, steps, earlier, _ = pairs_in_order(X, lag)
        numbers = number[rows, steps]
        places.append(numbers[numbers >= 0])
        columns.append(earlier[numbers >= 0])
        weights.append(np.full(len(places[-1]), decay_weights(decay, lag - 1)))
    entries = np.concatenate(weights), (np.concatenate(places), np.concatenate(columns))
    known = sp.csr_array(entries, shape=shape)
    known.sum_duplicates()
    return known
