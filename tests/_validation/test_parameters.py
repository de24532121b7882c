# SPDX-License-Identifier: BSD-3-Clause
from numbers import Integral, Real

import numpy as np
import pytest

from sktransrec._validation import Interval, positive_integers
from sktransrec._validation._parameters import N_JOBS, check_count


def test_integers_have_32_bits_and_are_no_booleans():
    counts = Interval(Integral, 1, None, closed="left")
    assert [counts.is_satisfied_by(value) for value in (1, np.int8(5), 2**31 - 1)] == [True] * 3
    assert not any(counts.is_satisfied_by(value) for value in (0, 2**31, True, 1.0, "1"))


def test_positive_numbers_are_those_of_float32():
    positive = Interval(Real, 0, None, closed="neither")
    smallest = float(np.finfo(np.float32).tiny)
    assert positive.is_satisfied_by(smallest)
    assert positive.is_satisfied_by(3)
    assert not any(positive.is_satisfied_by(value) for value in (0, smallest / 2, -1.0, True))
    assert Interval(Real, 0, None, closed="left").is_satisfied_by(0)


def test_jobs_may_be_negative():
    assert N_JOBS[1].is_satisfied_by(-1)
    assert not N_JOBS[1].is_satisfied_by(0.5)


def test_counts_and_sizes():
    check_count(3, name="k", maximum=3, of="n_items_")
    for bad in (4, 0, True, 1.5):
        with pytest.raises(ValueError, match="k must be an integer from 1 to n_items_=3, got"):
            check_count(bad, name="k", maximum=3, of="n_items_")
    assert positive_integers(np.array([3, 1]), name="sizes") == (3, 1)
    assert positive_integers([], name="sizes") == ()
    with pytest.raises(ValueError, match=r"sizes must hold integers from 1 on, got \(2, 0\)"):
        positive_integers([2, 0], name="sizes")
