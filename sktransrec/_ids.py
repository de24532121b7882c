# SPDX-License-Identifier: BSD-3-Clause
"""Ids (strings or integers): exact arrays of ids, their positions, and decoding columns."""

from collections.abc import Callable
from itertools import repeat
from numbers import Integral
from typing import Any

import narwhals.stable.v1 as nw
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._columns import (
    as_column,
    check_none_missing,
    check_order,
    column_names,
    exact_array,
    objects_of,
)

_MAX_INT64 = np.iinfo(np.int64).max


def coded_ids(values, what, noun):
    """Return the codes of the ids in a column, and the distinct ids in sorted order.

    Integers come before strings. An array of ids has an integer dtype, or objects where some are
    strings or too large for one. `what` names the column and `noun` its ids in errors.
    """
    column = as_column(values, what)
    check_none_missing(column, what, noun)
    if _is_pandas_text(column):
        # pandas finds the distinct texts, and sorts them, in a third of the time.
        series = column.to_native()
        holds_texts_only = series.dtype not in (object, "category") and len(series) > 0
        codes, distinct = series.factorize(sort=holds_texts_only)
        if holds_texts_only:
            return codes, objects_of(distinct.tolist())
        codes_of_distinct, ids = coded_ids(np.asarray(distinct, dtype=object), what, noun)
        return codes_of_distinct[codes], ids
    codes, ids = _factorized(_checked(exact_array(column), what, noun))
    if ids.dtype == object:
        _check_one_type(ids, what, noun)
    if ids.dtype.kind in "iu" and (ids[1:] > ids[:-1]).all():
        return codes, ids
    order = _sorted_order(ids)
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return rank[codes], ids[order]


def id_array(values, what):
    """Return an exact array of ids, in the given order."""
    codes, ids = coded_ids(values, what, "ids")
    return ids[codes]


def check_order_by_ids(X, item_ids):
    """Raise if X is a table with columns that are called as `item_ids`, in another order."""
    names = None if item_ids is None else column_names(X)
    if names is None:
        return
    # A table made from an array numbers its columns from 0, whatever their ids are.
    if type(getattr(X, "columns", None)).__name__ == "RangeIndex" and names[:1] == [0]:
        return
    check_order(id_array(item_ids, "item_ids").tolist(), names, name="X")


def distinct_ids(values, what, noun="ids"):
    """Return an exact array of ids, in the given order; raise if one is repeated."""
    codes, ids = coded_ids(values, what, noun)
    if len(ids) < len(codes):
        counts = np.bincount(codes)
        repeated = ids.tolist()[counts.argmax()]
        raise ValueError(
            f"{what} repeats {repeated!r}, which stands {counts.max()} times among {len(codes)} "
            f"{noun}: ids must be different."
        )
    return ids[codes]


def joined_ids(parts):
    """Return arrays of ids as one array; integers stay integers and strings stay strings."""
    dtypes = {part.dtype for part in parts}
    if len(dtypes) > 1:
        parts = [part.astype(object) for part in parts]
    return np.concatenate(parts)


def positions(ids, known):
    """Return the position of each id in `known`, -1 if it is not there."""
    index = dict(zip(known.tolist(), range(len(known)), strict=True))
    return np.fromiter(map(index.get, ids.tolist(), repeat(-1)), dtype=np.intp, count=len(ids))


def _check_one_type(ids, what, noun):
    """Raise if two ids differ in their type alone, such as 1 and "1"."""
    numbers = [one for one in ids.tolist() if not isinstance(one, str)]
    texts = set(map(str, numbers)).intersection(ids.tolist()) if numbers else ()
    if texts:
        one = min(texts)
        raise ValueError(
            f"{what} holds {one!r} and {int(one)!r}, which are different {noun}: convert all of "
            "them to one type, for example with .astype(str)."
        )


def equal_as_strings(ids, known):
    """Return the mask of the ids that are in `known` only as another type, such as 1 and "1"."""
    others = objects_of(map(_of_other_type, ids.tolist()))
    return (positions(ids, known) < 0) & (positions(others, known) >= 0)


def decoded(ids, columns, what):
    """Return the ids of columns; with a -1 among them, an object array with None there."""
    columns = np.asarray(columns)
    if columns.dtype.kind not in "iu" or not (
        columns.size == 0 or (columns.min() >= -1 and columns.max() < len(ids))
    ):
        raise ValueError(
            f"{what} must be integers from -1 to {len(ids) - 1}, the columns that have ids; got "
            f"{_range(columns)}."
        )
    is_none = columns == -1
    if not is_none.any():
        return ids[columns]
    found = np.full(columns.shape, None, dtype=object)
    found[~is_none] = ids[columns[~is_none]].astype(object)
    return found


def ids_of_domain(domain, *, source, target):
    """Return the ids of the items of one domain, or those of both, the source's first."""
    allowed = {"source": [source], "target": [target], "both": [source, target]}
    if not isinstance(domain, str) or domain not in allowed:
        raise ValueError(f'domain must be "source", "target" or "both", got {domain!r}.')
    return joined_ids(allowed[domain])


def check_type_of_ids(ids, known, name, holds):
    """Raise if some ids equal known ones only as strings; `name` and `holds` begin the error."""
    is_other_type = equal_as_strings(ids, known)
    if is_other_type.any():
        one = ids[is_other_type].tolist()[0]
        raise ValueError(
            f"{name} {holds} {one!r} of type {type(one).__name__}, but the known ids are of type "
            f"{type(known.tolist()[0]).__name__}, such as {known.tolist()[0]!r}: convert {name} to "
            "that type."
        )


def encoded(known, item_ids):
    """Return the columns of item ids among the known ones, -1 for an unknown id."""
    codes, ids = coded_ids(item_ids, "item_ids", "item ids")
    check_type_of_ids(ids, known, "item_ids", "holds")
    return positions(ids, known)[codes]


class DecodesItems:
    """Mixin for classes that know the ids of items; a subclass implements ``_ids_of_items()``."""

    _ids_of_items: Callable[[], NDArray[Any]]

    def encode_items(self, item_ids: ArrayLike) -> NDArray[np.intp]:
        """Return the columns of items, such as `candidates` or `similar_items` need them.

        Parameters
        ----------
        item_ids : array-like of ids of shape (n_ids,)
            Item ids, strings or integers.

        Returns
        -------
        items : ndarray of shape (n_ids,), dtype intp
            Their columns; -1 marks an unknown id.
        """
        return encoded(self._ids_of_items(), item_ids)

    def decode_items(self, items: ArrayLike) -> NDArray[Any]:
        """Return the item ids of columns, such as those that `recommend` returns.

        Parameters
        ----------
        items : array-like of int
            Column numbers, in any shape; -1 means no item.

        Returns
        -------
        item_ids : ndarray of the shape of `items`
            Their ids. If there is a -1, the array has dtype object and holds None there.
        """
        return decoded(self._ids_of_items(), items, "items")


def _range(columns):
    if columns.size and columns.dtype.kind in "iu":
        return f"values from {columns.min()} to {columns.max()}"
    return f"dtype {columns.dtype}"


def _is_pandas_text(column):
    if not (isinstance(column, nw.Series) and hasattr(column.to_native(), "factorize")):
        return False
    is_text = column.dtype == nw.String and not _are_merged(column.to_native())
    return is_text or column.dtype == nw.Categorical


def _are_merged(texts):
    """Return whether pandas takes different texts for equal: before 3.1, it stops at a NUL."""
    stops = len(type(texts)(["", "\0"], dtype=texts.dtype).factorize()[1]) == 1
    return stops and bool(texts.str.contains("\0", regex=False).any())


def _checked(values, what, noun):
    """Return values as integers, or as objects that are strings or integers."""
    if values.dtype.kind in "iu" or not len(values):
        # The type of an empty column depends on its library.
        return values if values.dtype.kind in "iu" else np.empty(0, dtype=np.int64)
    if values.dtype.kind == "f":
        # A column of integers becomes float if a table once had gaps in it.
        limit = 2.0 ** (np.finfo(values.dtype).nmant + 1)
        _check_whole(values, limit, what, noun)
        return values.astype(np.int64)
    types = set(map(type, values.tolist() if values.dtype.kind in "OUT" else values))
    wrong = [one for one in types if not _may_be_id(one)]
    if wrong:
        one = next(value for value in values if type(value) is wrong[0])
        cure = '.str.decode("utf-8")' if isinstance(one, bytes) else ".astype(str)"
        raise ValueError(
            f"{what} holds {one!r} of type {wrong[0].__name__}, but ids must be strings or "
            f"integers: convert them, for example with {cure}."
        )
    floats = [one for one in types if not issubclass(one, str | Integral)]
    if floats:
        found = np.array([one for one in values.tolist() if type(one) in floats], dtype=float)
        _check_whole(found, 2.0**53, what, noun)
    return values


def _may_be_id(one):
    """Return whether values of a type may be ids; whole floats count as integers."""
    is_number = issubclass(one, Integral | float) and not issubclass(one, bool | np.timedelta64)
    return is_number or issubclass(one, str)


def _check_whole(floats, limit, what, noun):
    """Raise unless floats are whole numbers, small enough to be exact."""
    if not np.array_equal(floats, np.rint(floats)) or np.isinf(floats).any():
        raise ValueError(
            f"{what} holds fractional numbers, which cannot be {noun}: pass strings or integers."
        )
    largest = np.abs(floats).max(initial=0)
    if largest >= limit:
        raise ValueError(
            f"{what} holds the float {largest:.0f}, and floats of this type from {limit:.0f} on do "
            f"not tell neighbouring integers apart: read the {noun} as integers or strings."
        )


def _factorized(values):
    """Return the codes of checked ids, and the distinct ids, unsorted."""
    if values.dtype.kind in "iu":
        codes, ids = _distinct_integers(values)
        fits = not len(ids) or ids.max() <= _MAX_INT64
        return codes, ids.astype(np.int64) if fits else ids
    values = values.tolist()
    index = {one: code for code, one in enumerate(dict.fromkeys(values))}
    codes = np.fromiter(map(index.__getitem__, values), dtype=np.intp, count=len(values))
    # For a member of an enumeration, str(one) is its name and not its text.
    ids = [str.__str__(one) if isinstance(one, str) else int(one) for one in index]
    if any(isinstance(one, str) for one in ids):
        return codes, objects_of(ids)
    return codes, exact_array(as_column(ids, "ids"))


def _distinct_integers(values):
    if not len(values):
        return np.empty(0, dtype=np.intp), values
    low, high = int(values.min()), int(values.max())
    if high - low > 4 * len(values):
        ids, codes = np.unique(values, return_inverse=True)
        return codes, ids
    # If the range is not much wider than the log is long, a table is faster than a sort.
    wide = values.astype(np.int64 if high <= _MAX_INT64 else np.uint64, copy=False)
    offsets = (wide - wide.dtype.type(low)).astype(np.intp, copy=False)
    is_present = np.zeros(high - low + 1, dtype=bool)
    is_present[offsets] = True
    codes = (np.cumsum(is_present) - 1)[offsets]
    return codes, np.flatnonzero(is_present).astype(wide.dtype) + wide.dtype.type(low)


def _sorted_order(ids):
    """Return the order that sorts ids: integers by size, then strings alphabetically."""
    if ids.dtype.kind in "iu":
        return np.argsort(ids)
    listed = ids.tolist()
    text_types = {each for each in set(map(type, listed)) if issubclass(each, str)}
    is_text = [type(one) in text_types for one in listed]
    # Each kind alone: comparing pairs of kind and id takes three times as long.
    kinds = np.flatnonzero(np.logical_not(is_text)), np.flatnonzero(is_text)
    order = [sorted(places.tolist(), key=listed.__getitem__) for places in kinds]
    return np.array([*order[0], *order[1]], dtype=np.intp)


def _of_other_type(one):
    """Return an integer as a string, a string of an integer as integer, and None otherwise."""
    if not isinstance(one, str):
        return str(one)
    try:
        number = int(one)
    except ValueError:
        return None
    return number if str(number) == one else None
