# SPDX-License-Identifier: BSD-3-Clause
"""Constraints of parameters, and checks of single numbers."""

import numbers

import numpy as np

from ._sklearn import HasMethods, StrOptions, _SklearnInterval

_LARGEST_INTEGER = 2**31 - 1

_SMALLEST_POSITIVE = float(np.finfo(np.float32).tiny)


class Interval(_SklearnInterval):
    """The interval of scikit-learn, without booleans and without numbers that overflow.

    Integers have at most 32 bits, and positive numbers are at least the smallest float32.
    """

    def __init__(self, type, left, right, *, closed):
        if type is numbers.Integral and right is None:
            right, closed = _LARGEST_INTEGER, "both" if closed == "left" else "right"
        elif type is numbers.Real and left == 0 and right is None and closed == "neither":
            left, closed = _SMALLEST_POSITIVE, "left"
        super().__init__(type, left, right, closed=closed)

    def is_satisfied_by(self, value):
        return not isinstance(value, bool) and super().is_satisfied_by(value)


_COUNT = Interval(numbers.Integral, 1, None, closed="left")
COUNT = [_COUNT]
COUNT_FROM_0 = [Interval(numbers.Integral, 0, None, closed="left")]
COUNT_FROM_2 = [Interval(numbers.Integral, 2, None, closed="left")]
AT_LEAST_0 = [Interval(numbers.Real, 0, None, closed="left")]
ABOVE_0 = [Interval(numbers.Real, 0, None, closed="neither")]
AT_LEAST_1 = [Interval(numbers.Real, 1, None, closed="left")]
FROM_0_TO_1 = [Interval(numbers.Real, 0, 1, closed="both")]
UP_TO_1 = [Interval(numbers.Real, 0, 1, closed="right")]
BETWEEN_0_AND_1 = [Interval(numbers.Real, 0, 1, closed="neither")]
# A share of the interactions of a row, or their number.
HOLDOUT = [*BETWEEN_0_AND_1, *COUNT]
# One less than the largest integer, because ids are counted from 1 on.
N_ITEMS = [Interval(numbers.Integral, 1, _LARGEST_INTEGER, closed="left"), None]
N_JOBS = [None, Interval(numbers.Integral, None, None, closed="neither")]
AUTO = [StrOptions({"auto"})]
UNKNOWN = [StrOptions({"error", "ignore"})]
COLUMNS = ["array-like", slice]
ESTIMATOR = [HasMethods(["fit"])]


def check_count(value, *, name, maximum=np.inf, of=""):
    """Raise unless `value` is an integer from 1 to `maximum`, which the error calls `of`."""
    if type(value) is int and 1 <= value <= maximum:
        return  # the constraint of scikit-learn takes longer than a hundred such comparisons
    if not _COUNT.is_satisfied_by(value) or value > maximum:
        most = f"to {of}={maximum}" if of else "on"
        raise ValueError(f"{name} must be an integer from 1 {most}, got {value!r}.")


def positive_integers(sizes, *, name):
    """Return the sizes as a tuple of int, each at least 1."""
    sizes = tuple(sizes)
    if not all(_COUNT.is_satisfied_by(size) for size in sizes):
        raise ValueError(f"{name} must hold integers from 1 on, got {sizes!r}.")
    return tuple(int(size) for size in sizes)
