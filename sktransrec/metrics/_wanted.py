# SPDX-License-Identifier: BSD-3-Clause
"""The relevant items of each row, from the y that a user passes."""

import numpy as np
import scipy.sparse as sp

from .._columns import check_order, column_names
from .._histories import is_padded_at_one_end, seen_items
from .._recommend import n_rows_of
from .._validation import (
    as_array,
    check_no_log,
    check_numbering,
    check_relevance,
    errors_about_padding,
)
from .._wrapping import check_order_kept, ignores_unknown, innermost, is_supervised, reads_histories


def wanted_items(model, y, *, n_rows, n_items=None):
    """Return the relevant items of each row as a canonical `csr_array` of values above zero.

    `y` is a matrix of shape (n_rows, n_items), or the column of one item per row. For a model that
    reads histories, it may hold item ids: one per row, or several per row padded with 0. If
    `n_items` is None, y determines the number of items.
    """
    if not is_supervised(model):
        check_order_kept(model)
    check_order(getattr(innermost(model), "item_names_", None), column_names(y))
    if not reads_histories(model):
        check_no_log(y, name="y")
    elif not sp.issparse(y):
        with errors_about_padding("y"):
            ids = as_array(y, name="y")
        y = _of_ids(ids, n_items, ignores=ignores_unknown(model))
    check_same_rows(y, n_rows)
    return check_relevance(y, n_rows=n_rows, n_items=n_items)


def check_same_rows(y, n_rows, *, name="y", what="target items"):
    """Raise if y, or another argument, has not as many rows as X."""
    has_rows = getattr(y, "ndim", 1) > 0 and hasattr(y, "__len__")
    if has_rows and n_rows_of(y) != n_rows:
        raise ValueError(
            f"X has {n_rows} rows and {name} has {n_rows_of(y)}: row i of {name} must hold the "
            f"{what} of row i of X. align_domains makes such matrices of two logs."
        )


def is_matrix_of_items(model, y, n_items):
    """Return whether y has a column for each item, and no item ids or one item for each row.

    Only such a y must hold unseen items: the next item of a history may repeat one, and
    scikit-learn's checks pass one label for each row.
    """
    return np.ndim(y) > 1 and (not reads_histories(model) or np.shape(y)[1] == n_items > 1)


def check_not_all_seen(wanted, excluded):
    """Raise if there are items to find, and the rows have all of them already.

    `excluded` are matrices of what the rows have.
    """
    wanted = wanted > 0
    is_seen = sum((wanted.multiply(each != 0) for each in excluded), sp.csr_array(wanted.shape))
    if wanted.nnz and is_seen.nnz == wanted.nnz:
        raise ValueError(
            f"All {wanted.nnz} held-out pairs in y are also in X or in exclude_interactions, so "
            "they count as seen: hold them out of X, for example with holdout_random. If rows take "
            "the same item again, pass exclude_seen=False, for example to ranking_scorer."
        )


def _of_ids(y, n_items, *, ignores):
    """Return the indicator matrix of a y of item ids; return a y of another kind unchanged."""
    if y.dtype.kind not in "iu" or y.ndim not in (1, 2) or not y.size:
        return y
    is_one_each = y.ndim == 1
    ids = y[:, None] if is_one_each else y
    if not is_one_each and (n_items is None or y.shape[1] == n_items):
        if y.shape[1] > 1 and y.min() >= 0 and y.max() > 1 and is_padded_at_one_end(y):
            raise ValueError(
                f"y has {y.shape[1]} columns, as many as there are items, so it could be a matrix "
                "of items or rows of item ids. Pass a sparse matrix if it holds one column per "
                "item; pass fewer columns if it holds ids."
            )
        return y
    check_numbering(int(ids.max()), "y", "item id")
    n_items = int(ids.max()) if n_items is None else n_items
    has_gaps = (is_one_each and not ids.all()) or not is_padded_at_one_end(ids)
    if ids.min() < 0 or (not ignores and (has_gaps or ids.max() > n_items)):
        raise ValueError(
            f"y holds integers from {ids.min()} to {ids.max()}, but the next items of histories "
            f"are ids from 1 to {n_items}, one per row or several padded with 0 at one end. If y "
            "holds item columns, add 1. Remove rows without a next item. Or pass a sparse matrix "
            "of shape (n_rows, n_items_)."
        )
    return seen_items(ids, n_items)
