# SPDX-License-Identifier: BSD-3-Clause
"""What items are like, as arrays, texts or tables: reading and checking it."""

import reprlib
from collections.abc import Mapping

import narwhals.stable.v1 as nw
import numpy as np
import scipy.sparse as sp

from .._columns import objects_of
from .._numerics._row_totals import rows_of_entries
from .._validation import check_sparse, reading


def _item(name):
    """Return how an error begins that is about one item of an argument."""
    return "Item" if name == "values" else f"{name}: item"


def _as_list(values, name):
    """Return a collection with one value for each item as a list."""
    is_single = isinstance(values, str | bytes) or getattr(values, "shape", None) == ()
    if is_single or not hasattr(values, "__iter__"):
        raise ValueError(
            f"{name} is {reprlib.repr(values)}: pass one row of numbers, one text or one image for "
            "each item."
        )
    if isinstance(values, Mapping):
        raise ValueError(
            f"{name} is a dict, of which only the keys would be read: pass a list of its values, "
            "and the keys as ids."
        )
    values = list(values)
    if not values:
        raise ValueError(f"{name} holds no items: pass at least one.")
    return values


def checked_values(values, ids, name="values"):
    """Return the features as a new csr_array, DataFrame or array."""
    if hasattr(values, "iloc"):
        return values.copy().set_axis(ids, axis=0)
    if sp.issparse(values):
        check_sparse(values, name=name)
        return sp.csr_array(values, copy=True)
    values = _as_array(values, ids, name)
    if values.dtype.kind not in "fiubO":
        raise ValueError(
            f"{name} has shape {values.shape} and dtype {values.dtype}: pass one row of numbers, "
            "one text or one image for each item."
        )
    if values.dtype.kind in "fiub" and values.ndim == 1:
        raise ValueError(
            f"{name} is a single row of numbers: pass shape (n_items, n_features), with "
            f"{name}.reshape(-1, 1) for one number per item."
        )
    return values


def frozen(values):
    """Make the arrays in the values read-only, in place, and return the values."""
    arrays = [values] if isinstance(values, np.ndarray) else []
    if sp.issparse(values):
        arrays = [values.data, values.indices, values.indptr]
    for array in arrays:
        array.setflags(write=False)
    return values


def _as_array(values, ids, name):
    """Return an array of numbers, or an array of objects if the values are texts."""
    with reading(values, name=name):
        if isinstance(values, np.ndarray) and values.dtype.kind in "fiubc":
            return values.copy()
        values = list(values)
        if any(isinstance(value, str | bytes) or value is None for value in values):
            return objects_of(values)
        shapes = [np.shape(value) for value in values]
    for item, shape in zip(ids.tolist(), shapes, strict=True):
        if shape != shapes[0]:
            raise ValueError(
                f"{_item(name)} {item!r} has values of shape {shape}, the first item of shape "
                f"{shapes[0]}: describe all items by the same number of values, and scale images "
                "to one size."
            )
    try:
        numbers = np.array(values)
        if numbers.dtype.kind in "iu":  # token ids
            return numbers
        if np.iscomplexobj(numbers):
            raise TypeError
        return np.array(numbers if numbers.dtype.kind == "f" else values, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        item, value = next(
            pair for pair in zip(ids.tolist(), values, strict=True) if not _are_numbers(pair[1])
        )
        raise ValueError(
            f"{_item(name)} {item!r} has {reprlib.repr(value)}, which is neither a text nor only "
            "numbers: pass one kind of content, or a DataFrame with several kinds."
        ) from None


def _are_numbers(value):
    if np.iscomplexobj(np.asarray(value)):
        return False
    try:
        np.asarray(value, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def without_library(values, name="values"):
    """Return values as a pandas DataFrame, a sparse matrix, an array or a list."""
    if hasattr(values, "iloc"):
        return values if values.ndim == 2 else values.to_numpy()
    if nw.dependencies.is_into_series(values):
        return nw.from_native(values, series_only=True).to_list()
    if nw.dependencies.is_into_dataframe(values):
        library = type(values).__module__.partition(".")[0]
        raise ValueError(
            f"{name} is a {type(values).__name__} of {library}: pass {name}.to_pandas(), or an "
            "array where all columns are numbers."
        )
    return values if getattr(values, "shape", ()) else _as_list(values, name)


def check_items(values, ids, name="values"):
    """Raise if an item lacks its text, or has NaN or infinity."""
    for bad, what in _faults(values):
        bad = np.flatnonzero(bad)
        if len(bad):
            first = ids.tolist()[bad[0]]
            raise ValueError(
                f"{_item(name)} {first!r} has {what} ({len(bad)} of {len(ids)} items do): fill it "
                "in, or leave the item out."
            )


def _faults(values):
    """Yield the mask of the items with a fault, and what it is."""
    if hasattr(values, "iloc"):
        yield values.isna().to_numpy().any(axis=1), "a missing value"
        texts = {}
        for name in values.columns:
            column = values[name].to_numpy()
            if holds_texts(column):
                texts[name] = column
                yield _are_no_texts(column), f"no text in the column {name!r}, which holds texts"
            elif column.dtype.kind == "f":
                yield ~np.isfinite(column), f"infinity in the column {name!r}"
        if texts:
            lack_all = np.all([_lack_text(column) for column in texts.values()], axis=0)
            yield lack_all, f"no text in the columns of texts {list(texts)}"
    elif sp.issparse(values):
        rows = rows_of_entries(values)
        bad_rows = rows[~np.isfinite(values.data)]
        yield np.isin(np.arange(values.shape[0]), bad_rows), "NaN or infinity"
    elif values.dtype == object:
        yield _lack_text(values), "no text"
    else:
        axes = tuple(range(1, values.ndim))
        yield ~np.isfinite(values).all(axis=axes), "NaN or infinity"


def holds_texts(column):
    """Return whether there are texts among the values of a column of a table."""
    return column.dtype == object and any(isinstance(value, str) for value in column)


def _are_no_texts(values):
    return [not isinstance(value, str) for value in values]


def _lack_text(values):
    return [not isinstance(value, str) or not value.strip() for value in values]
