# SPDX-License-Identifier: BSD-3-Clause
"""Reading the columns of an event log from any kind of table."""

import importlib
from collections.abc import Mapping
from numbers import Integral

import narwhals.stable.v1 as nw
import numpy as np

from .._columns import as_column, check_none_missing, exact_array
from .._ids import coded_ids
from ._times import times_of


def frame_library(events):
    """Return the name of the data frame library of the log; None for a dict or an array."""
    if not nw.dependencies.is_into_dataframe(events):
        return None
    return nw.get_native_namespace(_frame(events)).__name__


def frame_of(columns, library):
    """Return a dict of columns as a DataFrame of a library; unchanged if that is None."""
    if library is None:
        return columns
    module = importlib.import_module(library)
    if library == "pandas":
        # As texts, None would become NaN, which no JSON holds.
        columns = {name: _with_none(module, values) for name, values in columns.items()}
    return module.table(columns) if library == "pyarrow" else module.DataFrame(columns)


def _with_none(pandas, values):
    """Return a column that keeps None."""
    is_partly_none = values.dtype == object and any(one is None for one in values.tolist())
    return pandas.Series(values, dtype=object) if is_partly_none else values


def has_column(events, column):
    """Return whether a log has a column that is given by name or position."""
    try:
        column_name(events, column, "time")
    except ValueError:
        return False
    return True


def has_columns(events, names):
    """Return whether a log has columns with all these names; an array never has."""
    return not isinstance(events, np.ndarray) and set(names) <= set(_column_names(events))


def column_name(events, column, role):
    """Return the key under which `events` holds a column that is given by name or position."""
    if not isinstance(events, np.ndarray):
        names = _column_names(events)
        if column in names:
            return column
        if _is_position(column) and column < len(names):
            return names[column]
        raise ValueError(
            f"events has no column {column!r}: its columns are {names}. Pass {role}= the name or "
            f"the position of the column that holds the {role}s."
        )
    if events.ndim != 2:
        raise ValueError(
            f"events is an array of shape {events.shape}, expected 2-D with one event per line; "
            "pass a dict of 1-D columns or a DataFrame if the columns differ in dtype."
        )
    if not _is_position(column) or column >= events.shape[1]:
        raise ValueError(
            f"events is an array with {events.shape[1]} unnamed columns, so {role}={column!r} "
            f"finds none: pass {role}= a position from 0 to {events.shape[1] - 1}."
        )
    return column


def read_ids(events, column, role):
    """Return the codes of the ids in a column of the log, and the ids in sorted order."""
    return coded_ids(*_column_and_name(events, column, role), f"{role} ids")


def read_times(events, column):
    """Return the times of the events."""
    return times_of(*_column_and_name(events, column, "time"))


def read_values(events, column):
    """Return the strengths of the events as float32, nonnegative and finite."""
    values, what = _column_and_name(events, column, "value")
    column = as_column(values, what)
    check_none_missing(column, what, "values")
    values = exact_array(column)
    if not len(values):
        return np.empty(0, dtype=np.float32)
    values = _as_floats(values, what)
    for wrong, word, cure in (
        (np.isinf(values), "infinite or too large for float32", "drop or clip those rows"),
        (values < 0, "negative", "drop those rows, or shift the scale to start above zero"),
    ):
        if wrong.any():
            raise ValueError(
                f"{what} holds {wrong.sum()} values that are {word}, the first in row "
                f"{wrong.argmax()}: {cure}."
            )
    return values


def _as_floats(values, what):
    is_object = values.dtype == object
    try:
        if not is_object and values.dtype.kind not in "biuf":
            raise TypeError
        if is_object and any(isinstance(value, str | bytes) for value in values):
            raise TypeError
        with np.errstate(over="ignore"):
            return values.astype(np.float32)
    except (TypeError, ValueError):
        raise ValueError(
            f"{what} must hold numbers to be the value of the events: convert it with "
            ".astype(float), or pass value=None to count events."
        ) from None
    except OverflowError:
        raise ValueError(
            f"{what} holds values that are too large for float32: drop or clip those rows."
        ) from None


def _column_and_name(events, column, role):
    """Return one column of the log, and its name for errors."""
    name = column_name(events, column, role)
    if nw.dependencies.is_into_dataframe(events):
        events = nw.to_native(events, strict=False)
    values = events[:, name] if isinstance(events, np.ndarray) else events[name]
    return values, f"Column {name!r} of events"


def _column_names(events):
    if isinstance(events, Mapping):
        return list(events)
    if nw.dependencies.is_into_dataframe(events):
        return list(_frame(events).columns)
    if hasattr(events, "collect"):
        raise ValueError(
            f"events is a lazy {type(events).__name__}: pass events.collect(), because the order "
            "of the events may matter."
        )
    raise ValueError(
        f"events is of type {type(events).__name__}, expected a DataFrame (pandas, polars, "
        "pyarrow), a dict of 1-D columns, or a 2-D array."
    )


def _frame(events):
    try:
        return nw.from_native(events, eager_only=True)
    except nw.exceptions.DuplicateError as error:
        raise ValueError(f"The columns of events must have different names: {error}.") from None


def _is_position(column):
    return isinstance(column, Integral) and column >= 0
