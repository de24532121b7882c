# SPDX-License-Identifier: BSD-3-Clause
"""Event logs to matrices and sequences, and matrices back to logs."""

import warnings
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, clone

from .._columns import check_order_of_labels
from .._ids import (
    DecodesItems,
    check_order_by_ids,
    coded_ids,
    decoded,
    distinct_ids,
    equal_as_strings,
    joined_ids,
    positions,
)
from .._numerics._row_totals import rows_of_entries
from .._typing import MatrixLike
from .._validation import (
    COUNT,
    COUNT_FROM_0,
    UNKNOWN,
    StrOptions,
    check_count,
    check_is_fitted,
    check_matrix,
    restores_on_error,
    validated_fit,
)
from .._version_stamp import VersionStampMixin
from ._coded import CodedEvents, core, latest_columns, merged_matrix
from ._events import (
    column_name,
    frame_library,
    frame_of,
    has_column,
    has_columns,
    read_ids,
    read_times,
    read_values,
)

_ROLES = ("user", "item", "value", "time")

# If this many users have the ids of items, and their items those of users, it is no chance.
_FEW = 3


class InteractionEncoder(DecodesItems, VersionStampMixin, BaseEstimator):
    """Turn a log of events into a user-item matrix or into sequences, and back.

    Use it first: recommenders take the matrices that it makes. An event is one line of a log: a
    user met an item, perhaps with a strength and a time. `fit` learns the users (the rows) and the
    items (the columns). `transform` makes a matrix from the same log or from another one, for
    example from a log of new users.

    Parameters
    ----------
    user : str or int, default="user"
        Name or position of the column with the user ids, strings or integers. A column that `fit`
        found by position is found by its name in later logs, if they have the same names of the
        user and the item column.
    item : str or int, default="item"
        Name or position of the column with the item ids, likewise.
    value : str, int or None, default=None
        Name or position of the column with the strength of each event, 0 or more. An event of value
        0 is no interaction; as the latest event it takes back earlier ones if `duplicates` is
        "last". None gives every event the value 1.
    time : str, int or None, default=None
        Name or position of the column with the time of each event: numbers, datetimes or dates.
        With None, the order of the log is the order of time.
    duplicates : {"sum", "max", "last"}, default="sum"
        The value of several events of one user with one item: the sum of their values, the
        largest value, or the value of the latest event.
    min_user_interactions : int, default=1
        Users with fewer distinct items are left out.
    min_item_interactions : int, default=1
        Items with fewer distinct users are left out. Without these items, some users may have too
        few interactions, and the reverse, so both rules are repeated until all that is left
        satisfies them.
    unknown : {"error", "ignore"}, default="error"
        What `transform` does with ids that `fit` has not seen: raise an error, or leave their
        events out, with a warning if no item of the log is known. Users and items that `fit` left
        out as too rare are always left out.

    Attributes
    ----------
    users_ : ndarray of shape (n_users_,)
        Ids of the rows: integers in ascending order, then strings in alphabetical order. Those that
        `partial_fit` has added come after them.
    items_ : ndarray of shape (n_items_,)
        Ids of the columns, in the same order.
    n_users_ : int
        Number of users.
    n_items_ : int
        Number of items.
    rare_users_ : ndarray
        Ids of the users that `fit` left out because of too few interactions.
    rare_items_ : ndarray
        The same for items.

    See Also
    --------
    align_domains : Encode two logs so that row i is the same user in both.
    holdout_last : Hold out the latest interactions of each row.

    Notes
    -----
    A log is a DataFrame of pandas, polars, pyarrow or another library that narwhals reads, a dict
    of 1-D columns, or a 2-D array. The columns of an array are given by position, as in
    ``InteractionEncoder(user=0, item=1)``. A dict or an array needs no data frame library.

    Ids and times are read exactly. Whole floats count as integers if they are exact, below 2**53 in
    float64. An integer is never the same id as a string: if ids equal the known ones only as
    strings, this is an error.

    The order of the events matters only where `time` is missing or two times are equal.

    The cost is a few sorts of the n events, O(n log n) in time and O(n) in memory.

    The lines of a log are events, not samples, so this is not a step of a `Pipeline`. The tags of
    scikit-learn say so, as for `DictVectorizer`.

    Examples
    --------
    >>> from sktransrec.interactions import InteractionEncoder
    >>> log = {"user": ["ann", "bob", "ann", "ann"], "item": [20, 30, 30, 20]}
    >>> encoder = InteractionEncoder()
    >>> encoder.fit_transform(log).toarray()
    array([[2., 1.],
           [0., 1.]], dtype=float32)
    >>> encoder.items_
    array([20, 30])
    >>> new = {"user": ["eve"], "item": [30]}
    >>> encoder.transform(new, users=["eve"]).toarray()
    array([[0., 1.]], dtype=float32)
    >>> encoder.decode_items([[1, -1]])
    array([[30, None]], dtype=object)
    """

    users_: NDArray[Any]
    items_: NDArray[Any]
    n_users_: int
    n_items_: int
    rare_users_: NDArray[Any]
    rare_items_: NDArray[Any]

    # False in the copies with which a service reads: it warns itself.
    _warns = True

    _parameter_constraints: dict = {
        "user": [str, *COUNT_FROM_0],
        "item": [str, *COUNT_FROM_0],
        "value": [str, *COUNT_FROM_0, None],
        "time": [str, *COUNT_FROM_0, None],
        "duplicates": [StrOptions({"sum", "max", "last"})],
        "min_user_interactions": COUNT,
        "min_item_interactions": COUNT,
        "unknown": UNKNOWN,
    }

    def __init__(
        self,
        user: str | int = "user",
        item: str | int = "item",
        value: str | int | None = None,
        time: str | int | None = None,
        *,
        duplicates: Literal["sum", "max", "last"] = "sum",
        min_user_interactions: int = 1,
        min_item_interactions: int = 1,
        unknown: Literal["error", "ignore"] = "error",
    ) -> None:
        self.user = user
        self.item = item
        self.value = value
        self.time = time
        self.duplicates = duplicates
        self.min_user_interactions = min_user_interactions
        self.min_item_interactions = min_item_interactions
        self.unknown = unknown

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.dict = True
        return tags

    def fit(self, events: Any) -> Self:
        """Learn the users and the items of a log.

        Parameters
        ----------
        events : DataFrame, dict of 1-D columns, or 2-D array
            The log, one event per line.

        Returns
        -------
        self : object
        """
        self.fit_transform(events)
        return self

    @validated_fit
    def fit_transform(self, events: Any) -> csr_array:
        """Learn the users and the items of a log and encode it.

        Parameters
        ----------
        events : DataFrame, dict of 1-D columns, or 2-D array
            The log, one event per line.

        Returns
        -------
        X : csr_array of shape (n_users_, n_items_), dtype float32
        """
        X, user_stays, item_stays = self._learn(events)
        self._check_any_left(X)
        return X if user_stays.all() and item_stays.all() else X[user_stays][:, item_stays]

    def _learn(self, events):
        """Learn the ids of a log; return its matrix, and masks of the users and items to keep."""
        self._names, self._library = self._column_names(events), frame_library(events)
        self._check_distinct_columns()
        rows, users = read_ids(events, self.user, "user")
        columns, items = read_ids(events, self.item, "item")
        if not len(users):
            raise ValueError(f"Column {self.user!r} of events is empty: fit on at least one event.")
        coded = self._coded(events, rows, columns, (len(users), len(items)))
        X = merged_matrix(coded, self.duplicates)
        user_stays, item_stays = core(X, self.min_user_interactions, self.min_item_interactions)
        self.users_, self.rare_users_ = users[user_stays], users[~user_stays]
        self.items_, self.rare_items_ = items[item_stays], items[~item_stays]
        self.n_users_, self.n_items_ = len(self.users_), len(self.items_)
        return X, user_stays, item_stays

    @validated_fit
    def partial_fit(self, events: Any) -> Self:
        """Learn the users and the items of a later log; new ones come after all known ones.

        So rows and columns keep their numbers, and a model that learns further with its own
        `partial_fit` finds the new items where it looks for them.

        Parameters
        ----------
        events : DataFrame, dict of 1-D columns, or 2-D array
            The later log, one event per line.

        Returns
        -------
        self : object
        """
        if not hasattr(self, "users_"):
            return self.fit(events)
        self._add_ids(encoder_of_part(self, events, self._names), _appended)
        return self

    @restores_on_error
    def merge(self, other: "InteractionEncoder") -> Self:
        """Learn the users and the items of another encoder, as if `fit` had seen both logs.

        Parameters
        ----------
        other : InteractionEncoder
            A fitted encoder of another log. It does not change.

        Returns
        -------
        self : object
            The encoder. All ids are sorted anew, so rows and columns get other numbers.
        """
        check_is_fitted(self)
        if not isinstance(other, InteractionEncoder):
            raise TypeError(
                f"other is of type {type(other).__name__}, expected InteractionEncoder: pass a "
                "fitted encoder of another log, or use partial_fit for a log."
            )
        check_is_fitted(other)
        self._add_ids(other, _sorted)
        return self

    def _add_ids(self, other, in_order):
        """Add the ids that another encoder knows, in the order that a function gives them."""
        self._check_keeps_rare()
        for role in ("user", "item"):
            known, theirs = (getattr(each, f"{role}s_") for each in (self, other))
            ids = in_order(known, self._new_ids(role, theirs, known))
            rare = _sorted(*(getattr(each, f"rare_{role}s_") for each in (self, other)))
            setattr(self, f"rare_{role}s_", rare[positions(rare, ids) < 0])
            setattr(self, f"{role}s_", ids)
            setattr(self, f"n_{role}s_", len(ids))

    def _check_keeps_rare(self):
        """Raise if users or items are left out that may be frequent with other events."""
        for name in ("min_user_interactions", "min_item_interactions"):
            if getattr(self, name) > 1:
                raise ValueError(
                    f"{name}={getattr(self, name)} needs all events at once: set it to 1, and drop "
                    "rare users and items afterwards."
                )

    def transform(self, events: Any, *, users: ArrayLike | None = None) -> csr_array:
        """Encode a log with the items seen in `fit` as columns.

        Parameters
        ----------
        events : DataFrame, dict of 1-D columns, or 2-D array
            The log, one event per line. It may be empty.
        users : array-like of ids of shape (n_rows,), default=None
            The users whose rows to return, in this order; they may be new. Events of other users
            are left out, and a user without events gets an empty row. None means `users_`, so that
            the rows are those of `fit`; then a new user is an error, or is left out.

        Returns
        -------
        X : csr_array of shape (n_rows, n_items_), dtype float32
        """
        check_is_fitted(self)
        needs_times = self.duplicates == "last" and self.time is not None
        with_times = needs_times and has_column(events, self._column("time", events))
        coded = self._coded_events(events, users, with_times=with_times)
        if needs_times and not with_times and coded.has_repetitions():
            # A log without times, such as a decoded one, will do if no pair occurs twice.
            coded = self._coded_events(events, users)
        return merged_matrix(coded, self.duplicates)

    def inverse_transform(self, X: MatrixLike, *, users: ArrayLike | None = None) -> Any:
        """Turn a matrix back into a log.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_items_)
            Interactions; zeros are no events.
        users : array-like of ids of shape (n_rows,), default=None
            The user ids of the rows; None means `users_`.

        Returns
        -------
        events : DataFrame, or dict of 1-D columns
            A DataFrame of the same library as the log of `fit`, or a dict if that was no DataFrame.
            One event for each nonzero entry, ordered by row and column, with the column names of
            the encoder. The column of the entries is called "value" if the encoder has no name for
            it, and "weight" if another column is called so. There are no times.
        """
        check_is_fitted(self)
        users = self._row_ids(users)
        check_order_by_ids(X, self.items_)
        check_order_of_labels(users.tolist(), X, name="X", of="user", cure="users=X.index")
        X = check_matrix(X, name="X")
        if X.shape != (len(users), self.n_items_):
            raise ValueError(
                f"X has shape {X.shape}, expected ({len(users)}, {self.n_items_}): a row for each "
                "of the users and a column for each item seen in fit."
            )
        rows = rows_of_entries(X)
        columns = users[rows], self.items_[X.indices], X.data.copy()
        names = [self._names[role] for role in ("user", "item", "value")]
        return frame_of(dict(zip(names, columns, strict=True)), self._library)

    def sequences(
        self, events: Any, *, users: ArrayLike | None = None, max_length: int | None = None
    ) -> NDArray[Any]:
        """Return the items of each user in the order of time, for models that read histories.

        Parameters
        ----------
        events : DataFrame, dict of 1-D columns, or 2-D array
            The log, one event per line.
        users : array-like of ids of shape (n_rows,), default=None
            The users whose rows to return, as in `transform`.
        max_length : int, default=None
            Number of columns of the result: the latest events of each user are kept. None keeps all
            events, and the longest row determines the number of columns, which is at least 1.

        Returns
        -------
        sequences : ndarray of shape (n_rows, length), dtype int32
            The columns of the items plus 1, earliest first, with repetitions, padded with 0 at the
            end.

        See Also
        --------
        sktransrec.TextSequences : The same for texts; there, `fit` remembers the width.

        Notes
        -----
        Pass `max_length` if a network learns from the sequences: a fitted network takes rows of one
        width, and without `max_length` another log may give another width.
        """
        if max_length is not None:
            check_count(max_length, name="max_length")
        coded = self._coded_events(events, users).interactions(self.duplicates)
        return latest_columns(coded, max_length)

    def decode_users(self, users: ArrayLike) -> NDArray[Any]:
        """Return the user ids of rows, for example if users are recommended to items.

        Parameters
        ----------
        users : array-like of int
            Row numbers of the encoded matrix, in any shape; -1 means no user.

        Returns
        -------
        user_ids : ndarray of the shape of `users`
            Their ids. If there is a -1, the array has dtype object and holds None there.
        """
        check_is_fitted(self)
        return decoded(self.users_, users, "users")

    def _ids_of_items(self):
        check_is_fitted(self)
        return self.items_

    def _coded_events(self, events, users, *, with_times=True):
        """Return the events of the known items and the wanted users as `CodedEvents`."""
        check_is_fitted(self)
        user_codes, user_ids = read_ids(events, self._column("user", events), "user")
        item_codes, item_ids = read_ids(events, self._column("item", events), "item")
        _check_lengths(len(user_codes), item=item_codes)
        row_ids = self._row_ids(users)
        rows, columns = positions(user_ids, row_ids), positions(item_ids, self.items_)
        new_items = self._new_ids("item", item_ids[columns < 0])
        new_users = self._new_ids("user", user_ids[rows < 0], None if users is None else row_ids)
        self._check_not_swapped(user_ids, item_ids, columns)
        if len(new_items) == len(item_ids):
            self._warn_of_unknown(new_items)
        if users is not None and len(new_items) and self.unknown == "error":
            item_ids = item_ids[np.unique(item_codes[rows[user_codes] >= 0])]
            new_items = new_items[positions(new_items, item_ids) >= 0]
        self._check_unknown(new_items, item_ids, "item")
        if users is None:
            self._check_unknown(new_users, user_ids, "user")
        shape = (len(row_ids), self.n_items_)
        return self._coded(events, rows[user_codes], columns[item_codes], shape, with_times)

    def _coded(self, events, rows, columns, shape, with_times=True):
        """Return the coded events that have a row and a column."""
        values = np.ones(len(rows), np.int32)
        if self.value is not None:
            values = read_values(events, self._column("value", events))
        times = None
        if with_times and self.time is not None:
            times = read_times(events, self._column("time", events))
        _check_lengths(len(rows), item=columns, value=values, time=times)
        coded = CodedEvents(rows, columns, values, times, shape)
        is_known = (rows >= 0) & (columns >= 0)
        return coded if is_known.all() else coded.chosen(is_known)

    def _check_any_left(self, X):
        """Raise if the matrix of a log has too few interactions for any user."""
        if not self.n_users_:
            raise ValueError(
                f"No interactions are left of {X.nnz} between {X.shape[0]} users and {X.shape[1]} "
                f"items with min_user_interactions={self.min_user_interactions} and "
                f"min_item_interactions={self.min_item_interactions}: lower them, or check that "
                "user and item name the right columns."
            )

    def _row_ids(self, users):
        if users is None:
            return self.users_
        ids = distinct_ids(users, "users", "user ids")
        if not len(ids):
            raise ValueError("users is empty: name at least one user, or leave it at None.")
        return ids

    def _column(self, role, events):
        """Return the column of a role in a log; a position in `fit` counts as the name there."""
        column, names = getattr(self, role), self._names
        is_named = has_columns(events, [names["user"], names["item"]])
        return names[role] if is_named and not isinstance(column, str) else column

    def _column_names(self, events):
        """Return the column names of a log by role, with one for values that it lacks."""
        names = {role: column_name(events, getattr(self, role), role) for role in self._roles}
        return {"value": "weight" if "value" in names.values() else "value"} | names

    @property
    def _roles(self):
        """The roles that have a column."""
        return [role for role in _ROLES if getattr(self, role) is not None]

    def _check_distinct_columns(self):
        if self._names["user"] == self._names["item"]:
            raise ValueError(
                f"user={self.user!r} and item={self.item!r} are the same column: pass the column "
                "of the item ids as item."
            )

    def _new_ids(self, role, ids, known=None):
        """Return the ids that are not known; raise if they differ from known ones by type alone.

        If `known` is None, the known ids are all that `fit` has seen.
        """
        if not len(ids):
            return ids
        where = "fit has seen" if known is None else "users holds"
        if known is None:
            known = joined_ids([getattr(self, f"{role}s_"), getattr(self, f"rare_{role}s_")])
        new = ids[positions(ids, known) < 0]
        alike = new[equal_as_strings(new, known)]
        if not len(alike):
            return new
        one = alike.tolist()[0]
        other = str(one) if not isinstance(one, str) else int(one)
        raise ValueError(
            f"The {role} column {getattr(self, role)!r} of events holds {len(alike)} {role} ids "
            f"that equal known ones as strings but are of another type, such as {one!r} where "
            f"{where} {other!r}: convert one of the two, for example with .astype(str)."
        )

    def _check_unknown(self, unknown, ids, role):
        """Raise if there are unknown ids and `unknown` is "error"."""
        if self.unknown == "ignore" or not len(unknown):
            return
        new, seen = unknown.tolist(), getattr(self, f"{role}s_").tolist()[0]
        names_users = (
            f"The rows are the users of fit unless you name them: pass users={_first(new)} to get "
            "the rows of these. "
        )
        raise ValueError(
            f"Column {getattr(self, role)!r} of events holds {len(unknown)} {role} ids of "
            f"{len(ids)} that fit has not seen, such as {new[0]!r}; fit has seen ids such as "
            f"{seen!r}. {names_users if role == 'user' else ''}Set unknown='ignore' to leave their "
            "events out, or fit on a log that has them."
        )

    def _warn_of_unknown(self, unknown):
        """Warn that no item of a log is known, if that is no error."""
        if self.unknown == "ignore" and self._warns and len(unknown):
            warnings.warn(
                f"None of the {len(unknown)} item ids in column {self.item!r} of events is known, "
                f"so all rows are empty: there is {unknown.tolist()[0]!r}, and fit has seen ids "
                f"such as {self.items_.tolist()[0]!r}. If these are the same items, read their ids "
                "with the same type and in the same form as for fit.",
                UserWarning,
                stacklevel=4,
            )

    def _check_not_swapped(self, user_ids, item_ids, columns):
        """Raise if no item is known, but the user column holds known items.

        Where unknown items are no error, both columns must look like the other one: a few users may
        have the numbers of items.
        """
        if (columns >= 0).any():
            return
        n_items_among_users = (positions(user_ids, self.items_) >= 0).sum()
        if self.unknown == "ignore":
            n_users_among_items = (positions(item_ids, self.users_) >= 0).sum()
            is_full = n_items_among_users == len(user_ids) and n_users_among_items == len(item_ids)
            if len(user_ids) < _FEW or not is_full:
                return
        if n_items_among_users:
            raise ValueError(
                f"No id in the item column {self.item!r} is a known item, but "
                f"{n_items_among_users} in the user column {self.user!r} are: the two columns "
                "seem to be swapped in this log."
            )


def encoder_of_part(encoder, events, names):
    """Return a clone fitted on a part of a log, which may have no interactions.

    A column that is given by position is found by its name in `names`, if there are any.
    """
    part = clone(encoder)
    part._validate_params()
    if names is not None:
        part._names = names
        part.set_params(**{role: part._column(role, events) for role in part._roles})
    part._learn(events)
    return part.set_params(**encoder.get_params())


def names_of_columns(encoder, events):
    """Return the column names of a log by role."""
    return encoder._column_names(events)


def _check_lengths(n_events, **columns):
    """Raise unless all columns are as long as that of the users."""
    for role, column in columns.items():
        if column is not None and len(column) != n_events:
            raise ValueError(
                f"The columns of events differ in length: the {role} column has {len(column)} "
                f"entries, the user column {n_events}."
            )


def _first(ids):
    """Return some ids as they are written in code."""
    more = ", ..." if len(ids) > 3 else ""
    return f"[{', '.join(map(repr, ids[:3]))}{more}]"


def _appended(known, new):
    return joined_ids([known, new])


def _sorted(known, new):
    return coded_ids(joined_ids([known, new]), "The encoder", "ids")[1]
