# SPDX-License-Identifier: BSD-3-Clause
"""Checks of y: what a model learns or is compared with."""

import numpy as np
import scipy.sparse as sp

from ._arrays import (
    SPARSE_FORMATS,
    _canonical_csr,
    _check_nonnegative,
    _check_not_tiny,
    as_array,
    check_array,
    check_numbering,
)
from ._raw_logs import check_no_log, errors_about_interactions, errors_about_transactions


def check_targets(y, *, n_rows, nonnegative=False):
    """Return y as a canonical float32 `csr_array` with `n_rows` rows.

    `y` is a (n_rows, n_items) matrix, or one integer column index per row.
    """
    check_no_log(y, name="y")
    with errors_about_interactions("y"):
        y = _two_dimensional(y, n_items=None, name="y")
        y = check_array(y, accept_sparse=SPARSE_FORMATS, dtype=np.float32, input_name="y")
    if y.shape[0] != n_rows:
        raise ValueError(
            f"X has {n_rows} rows and y has {y.shape[0]}: row i of y must hold the target items "
            "of row i of X."
        )
    y = _canonical_csr(y)
    _check_not_tiny(y, "y")
    if nonnegative:
        _check_nonnegative(y, "y")
    return y


def check_relevance(y, *, n_rows, n_items=None, name="y"):
    """Return the relevant items of each row as a canonical `csr_array`.

    `y` is a (n_rows, n_items) matrix, or one integer column index per row.
    """
    with errors_about_transactions(name):
        y = _two_dimensional(y, n_items=n_items, name=name)
        y = check_array(y, accept_sparse=SPARSE_FORMATS, dtype=np.float32, input_name=name)
    if y.shape[0] != n_rows or (n_items is not None and y.shape[1] != n_items):
        columns = "n_items" if n_items is None else n_items
        raise ValueError(
            f"{name} has shape {y.shape}, expected ({n_rows}, {columns}): one row for each row of "
            "X and one column for each item that can be recommended."
        )
    return _canonical_csr(y)


def _two_dimensional(y, *, n_items, name):
    """Return y unchanged, or the indicator matrix of a y with one column index per row."""
    if getattr(y, "ndim", 1) != 1:
        return y  # check_array reads tables, also those with missing or sparse values
    y = as_array(y, name=name)
    if y.ndim != 1:
        return y
    if y.dtype.kind not in "iu":
        raise ValueError(
            f"{name} is 1-D with dtype {y.dtype}: a 1-D {name} must hold one integer column index "
            "for each row. Otherwise pass a 2-D matrix of shape (n_rows, n_items)."
        )
    if n_items is None:
        check_numbering(int(y.max(initial=0)), name, "column")
        n_items = int(y.max(initial=0)) + 1
    if y.size and not (y.min() >= 0 and y.max() < n_items):
        raise ValueError(
            f"{name} holds column indices from {y.min()} to {y.max()}, expected 0 to "
            f"{n_items - 1}: pass a matrix with a column for each item if fit has not seen some."
        )
    ones = np.ones(len(y), dtype=np.float32)
    return sp.csr_array((ones, y, np.arange(len(y) + 1)), shape=(len(y), n_items))
