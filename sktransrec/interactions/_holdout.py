# SPDX-License-Identifier: BSD-3-Clause
"""Holding out interactions of each row: X keeps the known ones, y gets those to find."""

from datetime import datetime
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from sklearn.utils import check_random_state

from .._numerics._entries import entries_of
from .._numerics._row_totals import row_lengths, rows_of_entries
from .._typing import MatrixLike
from .._validation import (
    COUNT,
    HOLDOUT,
    check_matrix,
    check_no_histories,
    check_no_log,
    validate_params,
)
from ._coded import merged_matrix
from ._encoder import InteractionEncoder
from ._events import read_times

_N_DRAWS = 2**32


@validate_params({"size": HOLDOUT, "random_state": ["random_state"]})
def holdout_random(
    X: MatrixLike, size: float = 0.2, *, random_state: int | np.random.RandomState | None = None
) -> tuple[csr_array, csr_array]:
    """Hold out a random part of the interactions of each row.

    Use it to compare recommenders if times are unknown. With times, `holdout_last` and
    `holdout_after` are closer to real use.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_rows, n_items)
        Interactions; a stored zero is no interaction.
    size : float or int, default=0.2
        How many interactions of each row to hold out: a share between 0 and 1, rounded to the
        nearest number (halves to the even one), or a number, 1 or more.
    random_state : int, RandomState instance or None, default=None
        Pass an int to get the same choice at every call.

    Returns
    -------
    X_kept : csr_array of shape (n_rows, n_items), dtype float32
        The interactions that stay known.
    y : csr_array of shape (n_rows, n_items), dtype float32
        The held-out interactions; ``X_kept + y`` is X again.

    See Also
    --------
    holdout_last : Hold out the latest interactions of each row.
    holdout_after : Hold out all interactions from a point in time on.

    Notes
    -----
    A row with two or more interactions loses at least one and keeps at least one. A row with fewer
    stays as it is in `X_kept`, and its row of `y` is empty.

    Examples
    --------
    >>> from sktransrec.interactions import holdout_random
    >>> X = [[1, 1, 1, 1, 1], [0, 0, 2, 0, 0]]
    >>> X_kept, y = holdout_random(X, size=0.4, random_state=0)
    >>> (X_kept > 0).sum(axis=1).tolist(), (y > 0).sum(axis=1).tolist()
    ([3, 1], [2, 0])
    """
    check_no_log(X, name="X")
    check_no_histories(X)
    X = check_matrix(X, name="X")
    return random_interactions(X, numbers_held_out(row_lengths(X), size), random_state)


@validate_params({"encoder": [InteractionEncoder], "n": COUNT})
def holdout_last(
    events: Any, encoder: InteractionEncoder, n: int = 1, *, users: ArrayLike | None = None
) -> tuple[csr_array, csr_array]:
    """Hold out the latest items of each user.

    Use it if each user should count equally in a comparison. If the past must not know anything of
    the future, of other users included, use `holdout_after`.

    Parameters
    ----------
    events : DataFrame, dict of 1-D columns, or 2-D array
        The log.
    encoder : InteractionEncoder
        A fitted encoder; its `time` orders the events.
    n : int, default=1
        Number of items to hold out of each row.
    users : array-like of ids of shape (n_rows,), default=None
        The users whose rows to return, as in :meth:`InteractionEncoder.transform`.

    Returns
    -------
    X : csr_array of shape (n_rows, n_items_), dtype float32
        The interactions of the user before the first held-out event.
    y : csr_array of shape (n_rows, n_items_), dtype float32
        The interactions of the user with the latest `n` items.

    See Also
    --------
    holdout_after : Hold out all interactions from a point in time on.
    holdout_random : Hold out a random part of each row.

    Notes
    -----
    The order of the items is that of their first events; if `encoder` has ``duplicates="last"``,
    the first since they were last taken back. X holds nothing from the first held-out
    event on, not even later events of older items. No item is in both X and y.

    A row with `n` items or fewer stays as it is in X, and its row of `y` is empty.

    Examples
    --------
    >>> from sktransrec.interactions import InteractionEncoder, holdout_last
    >>> log = {"user": [1, 1, 1, 2], "item": ["a", "b", "c", "a"], "time": [5, 9, 7, 1]}
    >>> X, y = holdout_last(log, InteractionEncoder(time="time").fit(log))
    >>> X.toarray()
    array([[1., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    >>> y.toarray()
    array([[0., 1., 0.],
           [0., 0., 0.]], dtype=float32)
    """
    coded = encoder._coded_events(events, users).by_row()
    counted = np.flatnonzero(coded.are_interactions(encoder.duplicates))
    is_first = np.zeros(len(coded.rows), dtype=bool)
    is_first[counted] = coded.chosen(counted).is_first_meeting()
    n_items = np.bincount(coded.rows[is_first], minlength=coded.shape[0])
    n_met_in_earlier_rows = np.cumsum(n_items) - n_items
    n_met = np.cumsum(is_first) - n_met_in_earlier_rows[coded.rows]
    n_kept = np.where(n_items > n, n_items - n, n_items)
    return _split(coded, n_met > n_kept[coded.rows], encoder.duplicates)


@validate_params({"encoder": [InteractionEncoder]})
def holdout_after(
    events: Any,
    encoder: InteractionEncoder,
    time: float | str | datetime,
    *,
    users: ArrayLike | None = None,
) -> tuple[csr_array, csr_array]:
    """Hold out all interactions from a point in time on, the same for all users.

    Use it to see how a model would have done in use: it learns from the past of all users and is
    tested on their future.

    Parameters
    ----------
    events : DataFrame, dict of 1-D columns, or 2-D array
        The log.
    encoder : InteractionEncoder
        A fitted encoder with a `time` column.
    time : float, str or datetime
        The first moment that is held out: a number if the times of the log are numbers, otherwise a
        date, a datetime or an ISO 8601 string. A time without a zone or an offset is read on the
        clock of the log. A time with a zone needs a log whose times have a zone.
    users : array-like of ids of shape (n_rows,), default=None
        The users whose rows to return, as in :meth:`InteractionEncoder.transform`.

    Returns
    -------
    X : csr_array of shape (n_rows, n_items_), dtype float32
        The interactions before `time`.
    y : csr_array of shape (n_rows, n_items_), dtype float32
        The interactions from `time` on, without items that the row already has in X.

    See Also
    --------
    holdout_last : Hold out the same number of items of each row.
    holdout_random : Hold out a random part of each row.

    Notes
    -----
    A user without events from `time` on has an empty row of `y`. A user without events before
    `time` has an empty row of X, because nothing was known then.

    Times are compared exactly, in the unit of the log. When summer time ends, the clock shows some
    times twice; the first one counts. When summer time begins, the clock skips some times; such a
    time is read as if the clock had not been changed yet.

    Examples
    --------
    >>> from sktransrec.interactions import InteractionEncoder, holdout_after
    >>> log = {"user": [1, 1, 1, 2], "item": ["a", "b", "c", "a"], "time": [5, 9, 7, 1]}
    >>> X, y = holdout_after(log, InteractionEncoder(time="time").fit(log), time=7)
    >>> X.toarray()
    array([[1., 0., 0.],
           [1., 0., 0.]], dtype=float32)
    >>> y.toarray()
    array([[0., 1., 1.],
           [0., 0., 0.]], dtype=float32)
    """
    coded = encoder._coded_events(events, users)
    if coded.times is None:
        raise ValueError(
            "encoder has time=None, so the times of the events are unknown: fit an "
            "InteractionEncoder with the time column, or use holdout_last."
        )
    is_later = coded.times.are_from(time)
    if is_later.all() or not is_later.any():
        named = users is not None
        times = read_times(events, encoder._column("time", events)) if named else coded.times
        _check_parts(times, time)
    return _split(coded, is_later, encoder.duplicates)


def _check_parts(times, time):
    """Raise if all times are before a point in time, or all from it on."""
    is_later = times.are_from(time)
    if len(is_later) and (is_later.all() or not is_later.any()):
        raise ValueError(
            f"time={time!r} leaves no event {'before' if is_later.any() else 'after'} it: the "
            f"known events run from {times.span()}."
        )


def _split(coded, is_later, duplicates):
    """Return the matrix of the earlier events, and that of the new items in the later ones."""
    X = merged_matrix(coded.chosen(~is_later), duplicates)
    y = merged_matrix(coded.chosen(is_later), duplicates)
    return X, y - y.multiply(X != 0)


def random_interactions(X, n_chosen, random_state):
    """Return X without random interactions, `n_chosen` of each row, and these."""
    rows = rows_of_entries(X)
    draws = check_random_state(random_state).randint(_N_DRAWS, size=X.nnz, dtype=np.int64)
    shuffled = np.argsort(rows * _N_DRAWS + draws, kind="stable")
    rank_in_row = np.arange(X.nnz) - X.indptr[rows]
    is_chosen = np.empty(X.nnz, dtype=bool)
    is_chosen[shuffled] = rank_in_row < n_chosen[rows]
    return entries_of(X, ~is_chosen), entries_of(X, is_chosen)


def numbers_held_out(n_interactions, size):
    """Return the number of interactions to hold out of each row."""
    wanted = size if isinstance(size, Integral) else np.rint(size * n_interactions)
    n_spare = np.maximum(n_interactions - 1, 0)
    return np.minimum(np.maximum(wanted, 1), n_spare)
