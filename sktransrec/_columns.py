# SPDX-License-Identifier: BSD-3-Clause
"""Columns of tables from any library: exact arrays of their values, their names and orders."""

from collections.abc import Mapping, Set

import narwhals.stable.v1 as nw
import numpy as np
import scipy.sparse as sp

_NEVER_MISSING = {bool, int, str}
_TOO_WIDE_FOR_NUMPY = {"Int128", "UInt128"}
_TEXTS = (nw.String, nw.Categorical, nw.Enum)


def as_column(values, what):
    """Return 1-D values as an ndarray, or as a narwhals Series if a data frame library holds them.

    No conversion loses information: a list with numbers of several types becomes an object array.
    """
    values = _as_series(values)
    if isinstance(values, nw.Series):
        return values
    if not isinstance(values, np.ndarray):
        is_one = isinstance(values, str | bytes | Mapping | Set) or not hasattr(values, "__iter__")
        if is_one:
            raise ValueError(f"{what} must be 1-D, got {values!r}.")
        values = objects_of(values)
    if values.ndim != 1:
        raise ValueError(f"{what} must be 1-D, got {values.ndim} dimensions.")
    return values


def column_names(X):
    """Return the column names of a DataFrame of any library, None for anything else."""
    # Narwhals takes as long to tell that an array is no table as a model takes to score a row.
    if isinstance(X, np.ndarray) or sp.issparse(X) or not nw.dependencies.is_into_dataframe(X):
        return None
    return list(X.columns if hasattr(X, "iloc") else nw.from_native(X, eager_only=True).columns)


def framed_like(X, values):
    """Return the values with the column names of X, if X is a DataFrame that has them."""
    names = column_names(X)
    if not names or not all(isinstance(name, str) for name in names):
        return values
    if hasattr(X, "sparse"):
        return type(X).sparse.from_spmatrix(sp.csr_array(values), columns=names)
    dense = values.toarray() if sp.issparse(values) else np.asarray(values)
    backend = nw.get_native_namespace(X)
    return nw.from_numpy(dense, schema=names, backend=backend).to_native()


def first_displaced(names, others):
    """Return the first place where the same names stand in another order, None if none does.

    Either may be None, if there are no names.
    """
    if names is None or others is None:
        return None
    names, others = list(names), list(others)
    if names == others or len(names) != len(others) or set(names) != set(others):
        return None
    return next(place for place, name in enumerate(names) if name != others[place])


def row_labels(X):
    """Return the index of a table of pandas, None if it only numbers the rows, or of another X."""
    labels = getattr(X, "index", None)
    if not hasattr(labels, "equals") or type(labels).__name__ == "RangeIndex":
        return None
    return labels


def check_row_labels(X, y, *, name="y", of="X"):
    """Raise if two arguments, X and y, are tables with the same row labels in another order."""
    first, second = row_labels(X), row_labels(y)
    if first is None or second is None or first.equals(second):
        return
    place = first_displaced(first, second)
    if place is not None:
        raise ValueError(
            f"Row {place} of {of} is called {first[place]!r}, and that of {name} "
            f"{second[place]!r}: row i of {name} must hold what row i of {of} has. Pass "
            f"{name}.loc[{of}.index]."
        )


def check_order(known, names, *, name="y", of="the model has the item"):
    """Raise if the columns of an argument are called as the known ones, in another order."""
    place = first_displaced(names, known)
    if place is not None:
        raise ValueError(
            f"{name} has the column {names[place]!r} where {of} {known[place]!r}: pass {name} with "
            "its columns in that order."
        )


def check_order_of_labels(known, values, *, name, of="item", cure=None):
    """Raise if the rows of an argument are called as the known items, in another order."""
    labels = row_labels(values)
    place = first_displaced(labels, known)
    if place is not None:
        raise ValueError(
            f"Row {place} of {name} is called {labels[place]!r}, but the {of} there is "
            f"{known[place]!r}: pass {cure or f'{name} in the order of the {of}s'}."
        )


def check_order_of_part(part, names):
    """Raise if a fitted part of a model knows the items by the same names in another order."""
    known = getattr(part, "item_names_", None)
    place = first_displaced(known, names)
    if place is not None:
        raise ValueError(
            f"{type(part).__name__}, which is fitted already, has the item {known[place]!r} where "
            f"the items to learn have {names[place]!r}: bring the columns into one order."
        )


def joined_names(known, names):
    """Return the longer of two arrays of items' names or None; they must begin with the same."""
    if known is None or names is None:
        return names if known is None else known
    n_common = min(len(known), len(names))
    differs = np.flatnonzero(known[:n_common] != names[:n_common])
    if differs.size:
        place = differs[0]
        raise ValueError(
            f"The items have other names than those learned before: {names[place]!r} in place "
            f"{place}, where {known[place]!r} was. Pass them in the order of before, and new ones "
            "after all of them."
        )
    return max(known, names, key=len)


def check_none_missing(column, what, noun):
    """Raise if a column from `as_column` has missing values."""
    missing = np.flatnonzero(_is_missing(column))
    if len(missing):
        raise ValueError(
            f"{what} misses {len(missing)} {noun} (None or NaN), the first in row {missing[0]}: "
            "drop those rows or fill them in."
        )


def exact_array(column):
    """Return a column without missing values as an array of one type, or of objects."""
    if isinstance(column, nw.Series):
        column = _array_of_series(column)
    return _of_one_type(column) if column.dtype == object else np.asarray(column)


def _as_series(values):
    """Return a column of a data frame library as a narwhals Series, anything else unchanged."""
    if hasattr(values, "to_native"):
        values = values.to_native()
    pandas, pyarrow = nw.dependencies.get_pandas(), nw.dependencies.get_pyarrow()
    if pandas is not None and isinstance(
        values, pandas.Index | pandas.api.extensions.ExtensionArray
    ):
        values = pandas.Series(values)
    elif pyarrow is not None and isinstance(values, pyarrow.Array):
        values = pyarrow.chunked_array([values])
    return nw.from_native(values, series_only=True, strict=False)


def _is_missing(column):
    if isinstance(column, nw.Series):
        # Some libraries do not treat NaN as a missing value.
        is_nan = column.dtype.is_float() and column.is_nan().fill_null(True).to_numpy()
        return column.is_null().to_numpy() | is_nan
    if np.ma.isMaskedArray(column):
        return np.ma.getmaskarray(column)
    if column.dtype.kind in "fcmM":
        return np.isnat(column) if column.dtype.kind in "mM" else np.isnan(column)
    if column.dtype != object or set(map(type, column.tolist())) <= _NEVER_MISSING:
        return np.zeros(len(column), dtype=bool)
    return np.array([_is_missing_value(value) for value in column.tolist()], dtype=bool)


def _is_missing_value(value):
    """Return whether a value is None, or not equal to itself, like NaN and NaT."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except TypeError:
        # Comparing pandas.NA gives no boolean.
        return True
    except ValueError:
        return False


def _array_of_series(series):
    if series.dtype == nw.Date:
        series = series.cast(nw.Datetime("us"))
    # Arrays of strings of a fixed width would lose null characters at the end.
    if str(series.dtype) in _TOO_WIDE_FOR_NUMPY or series.dtype in _TEXTS:
        return objects_of(series.to_list())
    return series.to_numpy()


def _of_one_type(objects):
    """Return an array of objects as an array of numbers if all have one type of number."""
    values = objects.tolist()
    types = set(map(type, values))
    if types == {int}:
        return _integers(values)
    if len(types) == 1 and issubclass(types.pop(), float | bool | np.number | np.bool_):
        return np.array(values)
    return objects


def _integers(values):
    """Return Python integers as an array of a type that can hold them all."""
    for dtype in (np.int64, np.uint64):
        try:
            return np.array(values, dtype=dtype)
        except OverflowError:
            continue
    return objects_of(values)


def objects_of(values):
    """Return values as a 1-D array of objects, without any conversion."""
    values = list(values)
    objects = np.empty(len(values), dtype=object)
    objects[:] = values
    return objects
