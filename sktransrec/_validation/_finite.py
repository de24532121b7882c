# SPDX-License-Identifier: BSD-3-Clause
"""Checks that numbers are finite and do not overflow: in input, fitted attributes and output."""

import functools
from typing import cast

import numpy as np
import scipy.sparse as sp

from .._typing import Function

# This many squares of the largest allowed number can be summed without overflow.
_N_SUMMANDS = 1e8
# Up to this many numbers are looked at one by one, which takes less time than to sum them.
_FEW_NUMBERS = 2**17


def check_magnitude(X, *, name, dtype=None):
    """Raise if X holds numbers so large that the sum of their squares would overflow.

    `dtype` is the dtype of the computation; None means that of X.
    """
    values = X.data if sp.issparse(X) else X
    if values.dtype.kind != "f" or not values.size:
        return
    dtype = values.dtype if dtype is None else np.dtype(dtype)
    limit = largest_magnitude(dtype)
    largest = max(values.max(), -values.min())
    if largest > limit:
        raise ValueError(
            f"{name} holds numbers up to {largest:.3g} in magnitude, but {dtype} can compute only "
            f"with those up to {limit:.0e}: scale {name}, for example to a largest value of 1."
        )


@functools.cache
def largest_magnitude(dtype):
    """Return the largest number whose squares can be summed without overflow."""
    return float(np.sqrt(np.finfo(dtype).max / _N_SUMMANDS))


def all_finite(values):
    """Return whether all numbers of an array are finite."""
    if values.dtype.kind != "f":
        return True
    if values.size <= _FEW_NUMBERS:
        return bool(np.isfinite(values).all())
    rows = values.reshape(-1, values.shape[-1] if values.ndim else 1)
    # The sum of a row is fast and shows NaN and infinity. It may overflow: then look at the values.
    with np.errstate(over="ignore", invalid="ignore"):
        sums = rows @ np.ones(rows.shape[1], dtype=rows.dtype)
    return bool(np.isfinite(sums).all() or np.isfinite(rows).all())


def finite_output(method: Function) -> Function:
    """Decorate a method of rows so that NaN and infinity are an error and never returned."""

    @functools.wraps(method)
    def checked(self, X, *args, **kwargs):
        with np.errstate(all="ignore"):
            made = method(self, X, *args, **kwargs)
        if not all_finite(made.data if sp.issparse(made) else made):
            raise ValueError(
                f"{type(self).__name__}.{method.__name__} gave numbers that are not finite: X "
                "holds far larger numbers than fit saw, or its fitted parameters have diverged. "
                "Scale X as for fit, or fit again on X scaled to a largest value of 1."
            )
        return made

    return cast(Function, checked)


def check_learned(estimator, known):
    """Raise if a new attribute that `fit` has set is not finite."""
    for name, value in vars(estimator).items():
        if not name.endswith("_") or value is known.get(name):
            continue
        values = value.data if sp.issparse(value) else value
        if isinstance(values, np.ndarray) and not all_finite(values):
            raise ValueError(
                f"{type(estimator).__name__} has learned {name}, which is not finite: scale the "
                "values of X and y, for example to a largest value of 1, or regularize more."
            )
