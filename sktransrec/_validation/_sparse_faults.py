# SPDX-License-Identifier: BSD-3-Clause
"""Checks that the arrays of a sparse matrix are consistent; scipy does not check this."""

from numbers import Integral

import numpy as np
import scipy.sparse as sp


def check_sparse(X, *, name):
    """Raise if X is sparse and its arrays are inconsistent: reading them could end the process."""
    if not sp.issparse(X):
        return
    try:
        fault = _fault(X)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        fault = f"its parts cannot be read ({error})"
    if fault:
        raise ValueError(
            f"{name} is a broken sparse matrix: {fault}. Build it again from its entries, such as "
            "scipy.sparse.coo_array((values, (rows, columns)), shape=shape), which checks them."
        )


def _fault(X):
    """Return what is wrong with the arrays of a sparse matrix, None if nothing is."""
    if not all(isinstance(n, Integral) and n >= 0 for n in X.shape):
        return f"its shape is {X.shape}"
    find = _FAULTS.get(X.format)
    return find(X) if find else None


def _compressed_fault(X):
    is_by_row = X.format == "csr"
    shape = (1, *X.shape)[-2:]  # an array with one axis is a row
    n_lines, n_places = shape if is_by_row else shape[::-1]
    return _lines_fault(X, n_lines, n_places, "column" if is_by_row else "row")


def _blocks_fault(X):
    if X.data.ndim != 3:
        return f"its data has {X.data.ndim} dimensions, and blocks have 3"
    (n_rows, n_columns), (height, width) = X.shape, X.data.shape[1:]
    if not height or not width or n_rows % height or n_columns % width:
        return f"blocks of shape {(height, width)} do not fill the shape {X.shape}"
    return _lines_fault(X, n_rows // height, n_columns // width, "block")


def _lines_fault(X, n_lines, n_places, of_place):
    indices, indptr = X.indices, X.indptr
    if indptr.shape != (n_lines + 1,):
        return f"indptr has shape {indptr.shape}, and its shape {X.shape} asks for {n_lines + 1}"
    if indices.shape != X.data.shape[:1]:
        return f"indices has shape {indices.shape}, and data {X.data.shape}"
    fault = _integers_fault(indptr, "indptr") or _integers_fault(indices, "indices")
    if fault:
        return fault
    if indptr[0] != 0 or not 0 <= indptr[-1] <= len(indices):
        return f"indptr runs from {indptr[0]} to {indptr[-1]}, and there are {len(indices)} entries"
    if n_lines > 1 and (indptr[1:] < indptr[:-1]).any():
        return "indptr decreases"
    return _range_fault(indices[: indptr[-1]], n_places, of_place)


def _coordinates_fault(X):
    if len(X.coords) != len(X.shape):
        return f"it has {len(X.coords)} arrays of coordinates, and the shape {X.shape}"
    for axis, places in enumerate(X.coords):
        if places.shape != X.data.shape or places.ndim != 1:
            return f"the coordinates of axis {axis} have shape {places.shape}, data {X.data.shape}"
    return _places_fault(X.coords, X.shape)


def _diagonals_fault(X):
    offsets = X.offsets
    if X.data.ndim != 2 or offsets.shape != X.data.shape[:1]:
        return f"offsets has shape {offsets.shape}, and data {X.data.shape}"
    if len(np.unique(offsets)) < len(offsets):
        return "its diagonals repeat"
    fault = _integers_fault(offsets, "offsets")
    n_rows, n_columns = X.shape
    if not fault and not ((-n_rows <= offsets) & (offsets <= n_columns)).all():
        fault = f"a diagonal lies outside of the shape {X.shape}"
    return fault


def _keys_fault(X):
    keys = list(X.keys())
    if not keys:
        return None
    coordinates = np.array(keys).reshape(len(keys), -1).T
    if len(coordinates) != len(X.shape):
        return f"it has keys of {len(coordinates)} places, and the shape {X.shape}"
    return _places_fault(coordinates, X.shape)


def _lists_fault(X):
    lines = (X.shape[0],)
    if X.rows.shape != lines or X.data.shape != lines:
        return f"rows has shape {X.rows.shape}, data {X.data.shape}, and there are {lines[0]} rows"
    if [len(row) for row in X.rows] != [len(values) for values in X.data]:
        return "a row has more columns than values, or fewer"
    columns = np.array([column for row in X.rows for column in row])
    if not len(columns):
        return None
    return _integers_fault(columns, "column") or _range_fault(columns, X.shape[1], "column")


def _places_fault(coordinates, shape):
    """Return what is wrong with the coordinates of entries, axis by axis."""
    for axis, (places, n_places) in enumerate(zip(coordinates, shape, strict=True)):
        of_place = f"coordinate of axis {axis}"
        fault = _integers_fault(places, of_place) or _range_fault(places, n_places, of_place)
        if fault:
            return fault
    return None


def _integers_fault(values, name):
    return None if values.dtype.kind == "i" else f"{name} holds {values.dtype} values"


def _range_fault(places, n_places, of_place):
    if not len(places):
        return None
    lowest, highest = places.min(), places.max()
    if lowest >= 0 and highest < n_places:
        return None
    outside = lowest if lowest < 0 else highest
    return f"it holds the {of_place} {outside}, and there are {n_places}, counted from 0"


_FAULTS = {
    "bsr": _blocks_fault,
    "coo": _coordinates_fault,
    "csc": _compressed_fault,
    "csr": _compressed_fault,
    "dia": _diagonals_fault,
    "dok": _keys_fault,
    "lil": _lists_fault,
}
