# SPDX-License-Identifier: BSD-3-Clause
"""The times of events, exactly as in their log, compared with a point in time."""

import datetime
import math
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real
from zoneinfo import ZoneInfo

import narwhals.stable.v1 as nw
import numpy as np

from .._columns import as_column, check_none_missing, exact_array

_EPOCH = datetime.datetime(1970, 1, 1)
_MICROSECOND = datetime.timedelta(microseconds=1)
# The years in which an offset from UTC is defined, with a day to spare on both sides.
_CLOCK_SECONDS = tuple(
    (end - _EPOCH) // datetime.timedelta(seconds=1)
    for end in (datetime.datetime(1, 1, 2), datetime.datetime(9999, 12, 30))
)
_SECONDS = {"W": 604_800, "D": 86_400, "h": 3_600, "m": 60} | {
    unit: Fraction(1, 1000**n) for n, unit in enumerate(("s", "ms", "us", "ns", "ps", "fs", "as"))
}
_DATE = re.compile(r"\d{4}(?!\d)")
_TIME_WITH_OFFSET = re.compile(r"(\d{4}-\d\d-\d\d[T ][^Zz+-]+)([Zz]|[+-]\d\d(?::?\d\d)?)")
_FIXED_OFFSET = re.compile(r"(?:UTC)?([+-])(\d\d):?(\d\d)?")


@dataclass(frozen=True, eq=False)
class Times:
    """The times of events: numbers as in the log, or units of time since 1970 in UTC.

    Attributes
    ----------
    numbers : ndarray of shape (n_events,)
        A larger number is later.
    unit : Fraction or None
        The unit in seconds. None if the times of the log are numbers.
    zone : tzinfo, str or None
        The time zone of the log, or its name; None if it has none.
    """

    numbers: np.ndarray
    unit: Fraction | None = None
    zone: datetime.tzinfo | str | None = None

    def __len__(self):
        return len(self.numbers)

    def __getitem__(self, which):
        return replace(self, numbers=self.numbers[which])

    def are_from(self, time):
        """Return the mask of the times at or after a point in time."""
        is_number = isinstance(time, Real) and not isinstance(time, np.timedelta64)
        if is_number != (self.unit is None) or time != time:
            expected = "a number" if self.unit is None else "a datetime or an ISO 8601 string"
            found = "numbers" if self.unit is None else "datetimes"
            raise ValueError(
                f"time must be {expected}, since the times of the log are {found}; got {time!r}."
            )
        if isinstance(time, Integral):
            # The integers of numpy would be rounded as float64.
            time = int(time)
        if self.unit is not None:
            time = (clock_seconds(time) - self._offset_at(time)) / self.unit
        # Whole numbers are compared with the next integer, which numpy does exactly.
        is_whole = self.numbers.dtype.kind in "iu" and math.isfinite(time)
        return self.numbers >= (math.ceil(time) if is_whole else time)

    def span(self):
        """Return the first and the last time as text."""
        return f"{self._in_words(self.numbers.min())} to {self._in_words(self.numbers.max())}"

    def _offset_at(self, time):
        """Return the offset from UTC, in seconds, of the clock that shows a point in time."""
        offset = offset_seconds(time)
        if offset is None:
            return 0 if self.zone is None else _offset_of(self.zone, clock_seconds(time))
        if self.zone is None:
            raise ValueError(
                f"time={time!r} has a time zone and the times of the log have none: pass a time "
                "without a zone, as the clock of the log shows it, or give the times of the log a "
                "zone."
            )
        return offset

    def _in_words(self, number):
        if self.unit is None:
            return str(number)
        try:
            moment = _EPOCH + math.floor(int(number) * self.unit * 10**6) * _MICROSECOND
        except OverflowError:
            return f"{float(int(number) * self.unit):g} seconds after 1970"
        return moment.isoformat() + ("" if self.zone is None else "Z")


def times_of(values, what):
    """Return the times in a column of numbers, datetimes or dates."""
    column = as_column(values, what)
    zone = None
    if isinstance(column, nw.Series) and column.dtype == nw.Datetime:
        zone = column.dtype.time_zone
    check_none_missing(column, what, "times")
    times = exact_array(column)
    if times.dtype.kind in "biuf" or _all_are(times, Real | Decimal):
        return Times(times)
    if times.dtype.kind == "M":
        numbers, unit = _counts(times)
        return Times(numbers, unit, zone)
    if _all_are(times, datetime.date | np.datetime64):
        return _times_of_objects(times.tolist(), what)
    raise ValueError(
        f"{what} cannot be sorted by time: it must hold numbers, datetimes or dates. Convert "
        "strings with pandas.to_datetime or .astype('datetime64[s]')."
    )


def _all_are(objects, types):
    return objects.dtype == object and all(
        isinstance(one, types) and not isinstance(one, np.timedelta64) for one in objects
    )


def _times_of_objects(values, what):
    """Return Python's dates and datetimes as times."""
    offsets = [offset_seconds(value) for value in values]
    n_naive = offsets.count(None)
    if 0 < n_naive < len(values):
        raise ValueError(
            f"{what} holds {n_naive} times without a time zone and {len(values) - n_naive} with "
            "one: give all of them a zone, or none."
        )
    seconds = [
        clock_seconds(value) - (offset or 0) for value, offset in zip(values, offsets, strict=True)
    ]
    nanoseconds = as_column([math.floor(s / _SECONDS["ns"]) for s in seconds], what)
    zones = {getattr(value, "tzinfo", None) for value in values}
    zone = zones.pop() if len(zones) == 1 else "several zones"
    return Times(exact_array(nanoseconds), _SECONDS["ns"], zone)


def clock_seconds(time):
    """Return the seconds from 1970 to a point in time, by its own clock."""
    if isinstance(time, str):
        time = _parsed(time)[0]
    elif isinstance(time, datetime.datetime):
        time = time.replace(tzinfo=None)
        # Only the datetimes of pandas have nanoseconds.
        time = time.to_datetime64() if hasattr(time, "to_datetime64") else np.datetime64(time)
    elif isinstance(time, datetime.date):
        time = np.datetime64(time)
    if not isinstance(time, np.datetime64) or np.isnat(time):
        raise ValueError(f"time must be a datetime or an ISO 8601 string, got {time!r}.")
    count, unit = _counts(time)
    return int(count) * unit


def offset_seconds(time):
    """Return the offset from UTC of a point in time, in seconds; None without a zone."""
    if isinstance(time, str):
        return _parsed(time)[1]
    offset = time.utcoffset() if isinstance(time, datetime.datetime) else None
    return None if offset is None else _seconds_of(offset)


def _parsed(text):
    """Return the clock time of an ISO 8601 string, and its offset from UTC or None."""
    with_offset = _TIME_WITH_OFFSET.fullmatch(text)
    clock, offset = with_offset.groups() if with_offset else (text, None)
    try:
        if not _DATE.match(text):
            raise ValueError
        clock = np.datetime64(clock)
    except ValueError:
        raise ValueError(
            f"time={text!r} is not an ISO 8601 string: write it as '2020-01-31' or "
            "'2020-01-31T12:00:00+01:00'."
        ) from None
    if offset is None:
        return clock, None
    return clock, _seconds_of(datetime.timedelta(0) if offset in "Zz" else _fixed_offset(offset))


def _counts(times):
    """Return datetime64 as integers, and their unit in seconds."""
    unit, count = np.datetime_data(times.dtype)
    if unit not in _SECONDS:
        # Years and months differ in length.
        times, unit, count = times.astype("datetime64[D]"), "D", 1
    return times.astype(np.int64), Fraction(_SECONDS[unit] * count)


def _offset_of(zone, seconds):
    """Return the offset of a zone from UTC, in seconds, when its clock shows `seconds`."""
    if isinstance(zone, str):
        zone = _zone_named(zone)
    low, high = _CLOCK_SECONDS
    clock = _EPOCH + datetime.timedelta(seconds=min(max(math.floor(seconds), low), high))
    return _seconds_of(clock.replace(tzinfo=zone).utcoffset())


def _zone_named(name):
    if _FIXED_OFFSET.fullmatch(name):
        return datetime.timezone(_fixed_offset(name))
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(
            f"time has no time zone, and this system does not know the zone of the log, {name!r}: "
            "pass a time with a zone, such as an ISO 8601 string with an offset."
        ) from None


def _fixed_offset(text):
    sign, hours, minutes = _FIXED_OFFSET.fullmatch(text).groups(default="0")
    offset = datetime.timedelta(hours=int(hours), minutes=int(minutes))
    return -offset if sign == "-" else offset


def _seconds_of(delta):
    return Fraction(delta // _MICROSECOND, 10**6)
