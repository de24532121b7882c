"""Reading the columns of an event log, whatever table holds them."""

from collections.abc import Mapping
from itertools import repeat
from numbers import Integral

import numpy as np

_MAX_INT64 = np.iinfo(np.int64).max


def is_frame(events):
    """Return whether the log is a pandas DataFrame, without importing pandas."""
    return hasattr(events, "iloc") and hasattr(events, "columns")


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
            f"events is an array of shape {events.shape}, expected 2-D with one event a row; pass "
            "a dict of 1-D columns or a DataFrame where columns differ in dtype."
        )
    if not _is_position(column) or column >= events.shape[1]:
        raise ValueError(
            f"events is an array with {events.shape[1]} unnamed columns, so {role}={column!r} "
            f"finds none: pass {role}= a position from 0 to {events.shape[1] - 1}."
        )
    return column


def read_column(events, column, role):
    """Return one column of the log as a 1-D array or Series of at least one entry."""
    name = column_name(events, column, role)
    values = events[:, name] if isinstance(events, np.ndarray) else events[name]
    return check_column(values, f"Column {name!r} of events")


def check_column(values, what):
    """Return values as a 1-D array or Series of at least one entry."""
    if not hasattr(values, "dtype"):
        values = _as_array(values)
    if values.ndim != 1:
        raise ValueError(f"{what} must be 1-D, got {values.ndim} dimensions.")
    if len(values) == 0:
        raise ValueError(f"{what} is empty: pass at least one entry.")
    return values


def read_ids(events, column, role):
    """Return the codes of the ids in a column of the log, and the ids in sorted order."""
    return coded_ids(read_column(events, column, role), f"Column {column!r} of events", role)


def coded_ids(values, what, role):
    """Return the codes of the ids in a column, and the distinct ids in sorted order."""
    codes, ids = _factorized(values)
    if len(missing := _missing_rows(codes, ids)):
        raise ValueError(
            f"{what} misses {len(missing)} {role} ids, the first in row {missing[0]}: drop those "
            "rows or give them an id."
        )
    ids = _checked_ids(ids, what, role)
    order = _sorted_order(ids)
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return rank[codes], ids[order]


def read_values(events, column):
    """Return the strengths of the events as float32, nonnegative and finite."""
    values = _numeric(read_column(events, column, "value"))
    if values is None:
        raise ValueError(
            f"Column {column!r} of events must hold numbers to be the value of the events: convert "
            "it with .astype(float), or pass value=None to count events."
        )
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    for wrong, word, cure in (
        (np.isnan(values), "NaN", "drop or fill those rows"),
        (np.isinf(values), "infinite or too large for float32", "drop or clip those rows"),
        (values < 0, "negative", "drop those rows, or shift the scale to start above zero"),
    ):
        if wrong.any():
            raise ValueError(
                f"Column {column!r} of events holds {wrong.sum()} values that are {word}, the "
                f"first in row {wrong.argmax()}: {cure}."
            )
    return values


def read_times(events, column):
    """Return the times of the events as a numeric or datetime64 array."""
    times = read_column(events, column, "time")
    if getattr(times.dtype, "kind", "O") == "M":
        times = np.asarray(times, dtype="datetime64[ns]")
    else:
        times = _numeric(times)
    if times is None:
        raise ValueError(
            f"Column {column!r} of events cannot be sorted by time: it must hold numbers or "
            "datetime64. Convert strings with pandas.to_datetime or .astype('datetime64[s]')."
        )
    missing = np.isnan(times)
    if missing.any():
        raise ValueError(
            f"Column {column!r} of events misses {missing.sum()} times, the first in row "
            f"{missing.argmax()}: drop those rows or give them a time."
        )
    return times


def positions(ids, known):
    """Return where `known` holds each of the ids, -1 for the others."""
    index = dict(zip(known.tolist(), range(len(known)), strict=True))
    return np.fromiter(map(index.get, ids.tolist(), repeat(-1)), dtype=np.intp, count=len(ids))


def _checked_ids(ids, what, role):
    """Return ids as an array of integers, or of objects that are strings or integers."""
    if ids.dtype.kind in "iu":
        return ids if ids.max() > _MAX_INT64 else ids.astype(np.int64)
    if ids.dtype.kind == "f":
        # A column of integers becomes float where a table once had gaps in it.
        if np.isfinite(ids).all() and (ids == np.rint(ids)).all():
            return ids.astype(np.int64)
        raise ValueError(
            f"{what} holds fractional numbers, which name no {role}: pass the column of {role} "
            "ids, strings or integers."
        )
    ids = ids.astype(object)
    for one in ids:
        if not isinstance(one, str | Integral) or isinstance(one, bool):
            raise ValueError(
                f"{what} holds {one!r} of type {type(one).__name__}, but {role} ids must be "
                "strings or integers: convert them, for example with .astype(str)."
            )
    return ids


def _column_names(events):
    if isinstance(events, Mapping) or hasattr(events, "columns"):
        return list(getattr(events, "columns", events))
    raise ValueError(
        f"events is of type {type(events).__name__}, expected a pandas DataFrame, a dict of 1-D "
        "columns, or a 2-D array."
    )


def _is_position(column):
    return isinstance(column, Integral) and column >= 0


def _as_array(values):
    array = np.asarray(values)
    # numpy would turn the integers of a mixed list into strings.
    return np.asarray(values, dtype=object) if array.dtype.kind == "U" else array


def _factorized(values):
    """Return codes and the distinct ids, pandas coding missing ones as -1."""
    if hasattr(values, "factorize"):
        codes, ids = values.factorize()
        return codes, np.asarray(ids)
    if values.dtype.kind in "iu":
        return _distinct_integers(values)
    if values.dtype.kind in "bf":
        ids, codes = np.unique(values, return_inverse=True)
        return codes, ids
    values = values.tolist()
    index = {one: code for code, one in enumerate(dict.fromkeys(values))}
    codes = np.fromiter(map(index.__getitem__, values), dtype=np.intp, count=len(values))
    ids = np.empty(len(index), dtype=object)
    ids[:] = list(index)
    return codes, ids


def _distinct_integers(values):
    low, high = int(values.min()), int(values.max())
    if high - low > 4 * len(values):
        ids, codes = np.unique(values, return_inverse=True)
        return codes, ids
    # A table over the range replaces the sort where the range is no wider than the log is long.
    wide = values.astype(np.int64 if high <= _MAX_INT64 else np.uint64, copy=False)
    offsets = (wide - wide.dtype.type(low)).astype(np.intp)
    is_present = np.zeros(high - low + 1, dtype=bool)
    is_present[offsets] = True
    codes = (np.cumsum(is_present) - 1)[offsets]
    return codes, np.flatnonzero(is_present).astype(wide.dtype) + wide.dtype.type(low)


def _missing_rows(codes, ids):
    """Return the rows whose id is None, NaN or pandas' missing value."""
    if ids.dtype.kind == "f":
        missing = np.isnan(ids)
    elif ids.dtype.kind == "O":
        missing = np.array([one is None or one != one for one in ids], dtype=bool)
    else:
        missing = np.zeros(len(ids), dtype=bool)
    return np.flatnonzero((codes < 0) | np.append(missing, True)[codes])


def _sorted_order(ids):
    """Return the order that sorts ids: integers by size, then strings by letters."""
    if ids.dtype.kind in "iu":
        return np.argsort(ids)
    listed = ids.tolist()
    order = sorted(range(len(listed)), key=lambda i: (isinstance(listed[i], str), listed[i]))
    return np.array(order, dtype=np.intp)


def _numeric(values):
    """Return a column of numbers as an array, or None if it holds something else."""
    kind = getattr(values.dtype, "kind", "O")
    if kind == "O":
        values = np.asarray(values.tolist())
        kind = values.dtype.kind
    if kind not in "biuf":
        return None
    if hasattr(values, "to_numpy") and not isinstance(values.dtype, np.dtype):
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(values)
