# SPDX-License-Identifier: BSD-3-Clause
"""Events as numbers, against loops over the events."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sktransrec.interactions._coded import CodedEvents, core, latest_columns, merged_matrix
from sktransrec.interactions._times import Times

SHAPE = (3, 4)


@st.composite
def coded_events(draw):
    event = st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(1, 9), st.integers(-5, 5))
    events = draw(st.lists(event, max_size=12))
    rows, columns, values, times = np.array(events, dtype=np.int64).reshape(-1, 4).T
    return CodedEvents(rows, columns, values.astype(float), Times(times), SHAPE)


def in_order(coded):
    """Return the places of the events by time, those of equal time as they stand."""
    return sorted(range(len(coded.rows)), key=lambda i: coded.times.numbers[i])


@given(coded_events())
def test_events_are_sorted_stably(coded):
    by_time = in_order(coded)
    assert_array_equal(coded.in_time_order().values, coded.values[by_time])
    by_row = sorted(by_time, key=lambda i: coded.rows[i])
    assert_array_equal(coded.by_row().values, coded.values[by_row])


@given(coded_events(), st.sampled_from(["sum", "max", "last"]))
def test_repeated_pairs_are_merged(coded, duplicates):
    expected = np.zeros(SHAPE)
    for i in in_order(coded):
        place, value = (coded.rows[i], coded.columns[i]), coded.values[i]
        expected[place] = {
            "sum": expected[place] + value,
            "max": max(expected[place], value),
            "last": value,
        }[duplicates]
    merged = merged_matrix(coded, duplicates)
    assert merged.dtype == np.float32
    assert merged.has_canonical_format
    assert_array_equal(merged.toarray(), expected)


@given(coded_events(), st.sampled_from([None, 1, 2, 5]))
def test_the_latest_columns_of_each_row(coded, n_latest):
    histories = [[], [], []]
    for i in in_order(coded):
        histories[coded.rows[i]].append(1 + coded.columns[i])
    width = max(1, *map(len, histories)) if n_latest is None else n_latest
    expected = [[*each[max(0, len(each) - width) :], *[0] * width][:width] for each in histories]
    assert_array_equal(latest_columns(coded, n_latest), np.reshape(expected, (3, width)))


@given(coded_events())
def test_first_meetings(coded):
    met, expected = set(), []
    for pair in zip(coded.rows.tolist(), coded.columns.tolist(), strict=True):
        expected.append(pair not in met)
        met.add(pair)
    assert_array_equal(coded.is_first_meeting(), expected)


@pytest.mark.parametrize(("n_entries", "rows", "columns"), [(1, "1110", "111"), (2, "1100", "110")])
def test_the_core_shrinks_until_all_have_enough(n_entries, rows, columns):
    """Of two entries each, the third item has one row, and without it the third row one item."""
    X = sp.csr_array(np.array([[1, 1, 0], [1, 1, 0], [1, 0, 1], [0, 0, 0]]))
    found = core(X, n_entries, n_entries)
    assert_array_equal(found[0], [each == "1" for each in rows])
    assert_array_equal(found[1], [each == "1" for each in columns])
