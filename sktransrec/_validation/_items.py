# SPDX-License-Identifier: BSD-3-Clause
"""Checks of what names items: candidates, columns, ids and exclusions."""

import reprlib

import numpy as np

from .._columns import check_order_of_labels
from .._ids import distinct_ids
from ._arrays import SPARSE_FORMATS, _canonical_csr, as_array, check_array
from ._raw_logs import errors_about_transactions


def check_item_ids(item_ids, n_items, *, of):
    """Return the ids as an array; raise unless there are `n_items` ids, all different."""
    ids = distinct_ids(item_ids, "item_ids")
    if len(ids) != n_items:
        raise ValueError(
            f"item_ids has {len(ids)} ids, but there are {n_items} {of}: pass one id for each of "
            "them, all different, or None."
        )
    return ids


def check_candidates(
    candidates, n_items, *, name="candidates", takes_mask=True, holds_items=True, names=None
):
    """Return candidates, column indices or a boolean mask, as sorted unique indices.

    `names` are those of the items, or None: a mask may have them as labels.
    """
    if candidates is None:
        return None
    check_order_of_labels(names, candidates, name=name, of="item" if holds_items else "column")
    candidates = np.asarray(as_array(candidates, name=name))
    if takes_mask and candidates.dtype == bool and candidates.shape == (n_items,):
        candidates = np.flatnonzero(candidates)
    if candidates.ndim != 1 or candidates.dtype.kind not in "iu" or candidates.size == 0:
        mask = f", or a boolean mask of shape ({n_items},)" if takes_mask else ""
        of_ids = " InteractionEncoder.items_ holds the id of each column." if holds_items else ""
        raise ValueError(
            f"{name} must be a non-empty 1-D array of integer column indices{mask}; got "
            f"{reprlib.repr(candidates.tolist())}, of dtype {candidates.dtype} and shape "
            f"{candidates.shape}.{of_ids}"
        )
    if takes_mask and candidates.shape == (n_items,) and n_items > 2 and candidates.max() <= 1:
        raise ValueError(
            f"{name} holds nothing but 0 and 1, which are columns here, and would be a mask as "
            f"booleans: pass {name}.astype(bool)."
        )
    candidates = np.unique(candidates)
    if candidates[0] < 0 or candidates[-1] >= n_items:
        raise ValueError(
            f"{name} must lie between 0 and {n_items - 1}, got values from "
            f"{candidates[0]} to {candidates[-1]}."
        )
    return candidates


def check_columns(columns, n_columns, *, name, names=None):
    """Return columns of X, indices, a mask or a slice, as sorted unique indices."""
    if isinstance(columns, slice):
        found = np.arange(n_columns)[columns]
        if not found.size:
            raise ValueError(
                f"{name}={columns} holds none of the n_features={n_columns} columns of X."
            )
        columns = found
    return check_candidates(columns, n_columns, name=name, names=names)


def check_target_columns(target_columns, n_columns, names=None):
    """Return the target columns of X as indices; raise unless they are given in ascending order."""
    found = check_columns(target_columns, n_columns, name="target_columns", names=names)
    if isinstance(target_columns, slice):
        target_columns = np.arange(n_columns)[target_columns]
    given = np.asarray(as_array(target_columns, name="target_columns"))
    if given.dtype != bool and not np.array_equal(given, found):
        raise ValueError(
            "target_columns must be in ascending order, each column once, as the columns of y and "
            "of the recommendations are: pass np.sort(target_columns), and the columns of y in "
            "that order."
        )
    return found


def check_exclusions(exclude_interactions, shape):
    """Return the interactions to leave out as a `csr_array` of the given shape."""
    with errors_about_transactions("exclude_interactions"):
        excluded = check_array(
            exclude_interactions,
            accept_sparse=SPARSE_FORMATS,
            dtype=np.float32,
            input_name="exclude_interactions",
        )
    if excluded.shape != shape:
        raise ValueError(
            f"exclude_interactions has shape {excluded.shape}, expected {shape}: one row for each "
            "row of X, one column for each item that can be recommended."
        )
    return _canonical_csr(excluded)
