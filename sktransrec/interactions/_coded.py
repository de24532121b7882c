# SPDX-License-Identifier: BSD-3-Clause
"""Events as numbers (rows, columns, values, times), and the arrays made from them."""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from .._numerics._entries import column_counts, entries_of
from .._numerics._row_totals import row_lengths, rows_of_entries
from .._validation._finite import check_magnitude
from ._times import Times


class CodedEvents(NamedTuple):
    """Events with row numbers for users and column numbers for items, in the order of the log."""

    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    times: Times | None
    shape: tuple

    def chosen(self, which):
        """Return some of the events, in the order given by indices or a mask."""
        times = None if self.times is None else self.times[which]
        return CodedEvents(
            self.rows[which], self.columns[which], self.values[which], times, self.shape
        )

    def time_order(self):
        """Return the order of the events by time; those of equal time keep the order of the log."""
        if self.times is None:
            return np.arange(len(self.rows))
        return _stable_order(self.times.numbers)

    def in_time_order(self):
        """Return the events sorted by time; events of equal time keep the order of the log."""
        return self if self.times is None else self.chosen(self.time_order())

    def by_row(self):
        """Return the events sorted by row and, within a row, by time."""
        events = self.in_time_order()
        return events.chosen(_stable_order(events.rows))

    def pairs(self):
        """Return one integer for each event, equal for equal pairs (row, column)."""
        return self.rows.astype(np.int64) * self.shape[1] + self.columns

    def by_pair(self):
        """Return the order that groups equal pairs, and where in it each group starts."""
        pairs = self.pairs()
        order = _stable_order(pairs)
        return order, _group_starts(pairs[order])

    def has_repetitions(self):
        """Return whether a pair (row, column) has several events."""
        _, starts = self.by_pair()
        return len(starts) < len(self.rows)

    def are_interactions(self, duplicates):
        """Return the mask of the events with a value above 0.

        With "last", an event without takes back the earlier ones of its pair (row, column): they
        are left out too.
        """
        are_above = self.values > 0
        if duplicates != "last" or are_above.all():
            return are_above
        order = self.time_order()
        order = order[_stable_order(self.pairs()[order])]
        starts = _group_starts(self.pairs()[order])
        sizes, places = np.diff(np.append(starts, len(order))), np.arange(len(order))
        last_without = np.maximum.reduceat(np.where(are_above[order], -1, places), starts)
        are_kept = np.empty(len(order), dtype=bool)
        are_kept[order] = places > np.repeat(last_without, sizes)
        return are_kept

    def interactions(self, duplicates):
        """Return the events of `are_interactions`."""
        are_interactions = self.are_interactions(duplicates)
        return self if are_interactions.all() else self.chosen(are_interactions)

    def one_of_each_pair(self, duplicates):
        """Return an event of each pair, with the largest ("max") or the latest value ("last")."""
        events = self.in_time_order() if duplicates == "last" else self
        order, starts = events.by_pair()
        if duplicates == "last":
            return events.chosen(order[np.append(starts[1:], len(order))[: len(starts)] - 1])
        largest = np.maximum.reduceat(self.values[order], starts)
        return self.chosen(order[starts])._replace(values=largest)

    def is_first_meeting(self):
        """Return the mask of the first event of each pair (row, column)."""
        order, starts = self.by_pair()
        is_first = np.zeros(len(order), dtype=bool)
        is_first[order[starts]] = True
        return is_first


def latest_columns(coded, n_latest):
    """Return the latest columns of each row plus 1, in time order, padded with 0 at the end.

    The result has `n_latest` columns. With None, it has as many as the longest row needs, and at
    least one.
    """
    coded = coded.by_row()
    lengths = np.bincount(coded.rows, minlength=coded.shape[0])
    width = lengths.max(initial=1) if n_latest is None else n_latest
    ends = np.cumsum(lengths)
    starts = np.maximum(ends - lengths, ends - width)
    position = np.arange(len(coded.rows)) - starts[coded.rows]
    is_kept = position >= 0
    padded = np.zeros((coded.shape[0], width), dtype=np.int32)
    padded[coded.rows[is_kept], position[is_kept]] = coded.columns[is_kept] + 1
    return padded


def merged_matrix(coded, duplicates):
    """Return coded events as a canonical float32 `csr_array`, one entry per (row, column) pair.

    A pair whose value is not above 0 has none.
    """
    coded = coded.interactions(duplicates)
    if duplicates != "sum":
        coded = coded.one_of_each_pair(duplicates)
    index_dtype = sp.get_index_dtype(maxval=max(*coded.shape, len(coded.rows)))
    places = coded.rows.astype(index_dtype), coded.columns.astype(index_dtype)
    is_count = coded.values.dtype.kind == "i"
    values = coded.values if is_count else coded.values.astype(np.float64)
    X = sp.coo_array((values, places), shape=coded.shape)
    if duplicates == "sum":
        # So scipy orders them by column and then by row, without a sort. Others are in order.
        X.has_canonical_format = True
        X = X.tocsc()
    X = X.tocsr()
    X.sum_duplicates()
    check_magnitude(X.data, name="the column of values", dtype=np.float32)
    return X.astype(np.float32)


def core(X, min_row_entries, min_column_entries):
    """Return masks of the rows and the columns that are left when all have enough entries.

    Without some rows, a column may have too few entries, and the reverse: hence the loop.
    """
    while True:
        row_stays = row_lengths(X) >= min_row_entries
        column_stays = column_counts(X) >= min_column_entries
        if row_stays.all() and column_stays.all():
            return row_stays, column_stays
        stays = row_stays[rows_of_entries(X)] & column_stays[X.indices]
        if stays.all():
            return row_stays, column_stays
        X = entries_of(X, stays)


def _group_starts(ordered):
    """Return the positions where a run of equal values starts."""
    return np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)])


def _stable_order(keys):
    """Return the order that sorts the keys; equal keys keep their order."""
    n_keys = len(keys)
    if keys.dtype.kind == "i" and n_keys:
        low, high = int(keys.min()), int(keys.max())
        if (high - low + 1) * n_keys < 2**63:
            # Sorting the keys with their positions inside is several times faster than argsort.
            packed = (keys.astype(np.int64) - low) * n_keys + np.arange(n_keys)
            packed.sort()
            return packed % n_keys
    return np.argsort(keys, kind="stable")
