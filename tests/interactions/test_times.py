# SPDX-License-Identifier: BSD-3-Clause
"""Times as they stand in the log, compared exactly with a point in time."""

import datetime
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sktransrec.interactions._times import clock_seconds, offset_seconds, times_of

UTC = datetime.UTC
NAIVE = st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2100, 1, 1))


@given(st.lists(NAIVE, min_size=1, max_size=5), NAIVE)
def test_order_is_that_of_python(moments, point):
    times = times_of(moments, "time")
    assert_array_equal(times.are_from(point), [each >= point for each in moments])
    assert_array_equal(np.argsort(times.numbers, kind="stable"), np.argsort(moments, kind="stable"))
    assert_array_equal(times.are_from(point.isoformat()), times.are_from(point))


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1), st.floats(allow_nan=False))
def test_numbers_are_compared_without_rounding(numbers, point):
    times = times_of(np.array(numbers, dtype=np.int64), "time")
    assert_array_equal(times.are_from(point), [each >= point for each in numbers])


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_integers_of_numpy_are_points_without_rounding(dtype):
    numbers = 1_700_000_000_000_000_000 + np.arange(60, dtype=np.int64)
    is_from = times_of(numbers, "time").are_from(dtype(numbers[30]))
    assert_array_equal(is_from, np.arange(60) >= 30)


@given(NAIVE, st.integers(-12, 12))
def test_a_zone_shifts_the_clock_alone(moment, hours):
    zone = datetime.timezone(datetime.timedelta(hours=hours))
    there = moment.replace(tzinfo=UTC).astimezone(zone)
    assert clock_seconds(there) - offset_seconds(there) == clock_seconds(moment)
    assert times_of([there], "time").numbers == times_of([moment], "time").numbers


def test_seconds_by_hand():
    assert clock_seconds("1970-01-02") == 86_400
    assert clock_seconds("1969-12-31T23:59:59.999") == Fraction(-1, 1000)
    assert clock_seconds(datetime.date(1970, 1, 3)) == 2 * 86_400
    assert clock_seconds(np.datetime64("1971")) == 365 * 86_400
    assert offset_seconds("1970-01-02T00:00:00-01:30") == -5400
    assert offset_seconds("1970-01-02T00:00:00Z") == 0
    assert offset_seconds("1970-01-02") is None


def test_the_span_in_words():
    assert times_of([3, 1, 2], "time").span() == "1 to 3"
    days = np.array(["2020-02-29", "1999-12-31"], dtype="datetime64[D]")
    assert times_of(days, "time").span() == "1999-12-31T00:00:00 to 2020-02-29T00:00:00"
    aware = datetime.datetime(2020, 1, 1, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
    assert times_of([aware], "time").span() == "2020-01-01T10:00:00Z to 2020-01-01T10:00:00Z"


@pytest.mark.parametrize("point", ["2020-01-01", float("nan")])
def test_points_must_be_as_the_log(point):
    with pytest.raises(ValueError, match="time must be a number"):
        times_of([1, 2], "time").are_from(point)
    with pytest.raises(ValueError, match="time must be a datetime"):
        times_of([datetime.date(2020, 1, 1)], "time").are_from(3)
