# SPDX-License-Identifier: BSD-3-Clause
"""Which of the ranked items are relevant."""

import numpy as np

from .._numerics._row_totals import row_lengths
from .._validation import check_count, check_relevance


def hits_and_counts(y_true, items, k):
    """Return whether each of the first k items is relevant, and the number of relevant items.

    The shapes are (n_rows, k) and (n_rows,).
    """
    items = first_items(items, k)
    relevant = check_relevance(y_true, n_rows=len(items), name="y_true") > 0
    n_items = relevant.shape[1]
    if np.ndim(y_true) == 1:
        n_items = max(n_items, int(items.max(initial=0)) + 1)
    elif items.max(initial=0) >= n_items:
        raise ValueError(
            f"items holds column {items.max()}, but y_true has {n_items} columns: the columns of "
            "y_true must be the items that the recommender numbers."
        )
    n_relevant = row_lengths(relevant)
    row_starts = n_items * np.arange(len(items), dtype=np.int64)
    cells = np.repeat(row_starts, n_relevant) + relevant.indices
    wanted = np.where(items >= 0, row_starts[:, None] + items, -1)
    return _is_member(wanted, cells), n_relevant


def _is_member(values, sorted_values):
    if sorted_values.size == 0:
        return np.zeros(values.shape, dtype=bool)
    positions = np.searchsorted(sorted_values, values)
    return sorted_values[np.minimum(positions, sorted_values.size - 1)] == values


def first_items(items, k):
    """Return the first k columns of validated ranked items."""
    items = np.asarray(items)
    if items.ndim != 2 or items.dtype.kind not in "iu":
        raise ValueError(
            "items must be an integer array of shape (n_rows, n_ranked), as recommend returns it; "
            f"got dtype {items.dtype} and shape {items.shape}."
        )
    check_count(k, name="k", maximum=items.shape[1], of="n_ranked")
    items = items[:, :k]
    if items.min(initial=0) < -1:
        raise ValueError(f"items holds {items.min()}: columns start at 0, and -1 is padding.")
    in_order = np.sort(items, axis=1)
    repeated = (in_order[:, 1:] == in_order[:, :-1]) & (in_order[:, 1:] >= 0)
    if repeated.any():
        row, place = np.argwhere(repeated)[0]
        raise ValueError(
            f"items holds column {in_order[row, place]} more than once in row {row}: a ranking "
            "must not repeat an item."
        )
    return items
