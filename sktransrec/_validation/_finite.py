"""Numbers that floats can hold: at the door, in what was learned and in what is returned."""

import functools

import numpy as np
import scipy.sparse as sp

# So many squares of the largest number allowed can be summed before they overflow.
_N_SUMMANDS = 1e8


def check_magnitude(X, *, name, dtype=None):
    """Raise if X holds numbers whose squares cannot be summed, which would end in infinity.

    `dtype` is what is computed in, None that of X.
    """
    values = X.data if sp.issparse(X) else X
    if values.dtype.kind != "f" or not values.size:
        return
    dtype = values.dtype if dtype is None else np.dtype(dtype)
    limit = largest_magnitude(dtype)
    largest = max(values.max(), -values.min())
    if largest > limit:
        raise ValueError(
            f"{name} holds numbers up to {largest:.3g} in magnitude, and {dtype} computes "
            f"with those up to {limit:.0e}: scale {name}, for example to a largest value of 1."
        )


def largest_magnitude(dtype):
    """Return how large numbers may be for the sum of their squares not to overflow."""
    return float(np.sqrt(np.finfo(dtype).max / _N_SUMMANDS))


def all_finite(values):
    """Return whether all numbers of an array are finite."""
    if values.dtype.kind != "f" or not values.size:
        return True
    rows = values.reshape(-1, values.shape[-1] if values.ndim else 1)
    # The sum of a row shows what is not, at the speed of reading; where it merely overflows, look.
    with np.errstate(over="ignore", invalid="ignore"):
        sums = rows @ np.ones(rows.shape[1], dtype=rows.dtype)
    return bool(np.isfinite(sums).all() or np.isfinite(rows).all())


def finite_output(method):
    """Decorate a method of rows so that what is not finite is an error, and never returned."""

    @functools.wraps(method)
    def checked(self, X, *args, **kwargs):
        with np.errstate(all="ignore"):
            made = method(self, X, *args, **kwargs)
        if not all_finite(made.data if sp.issparse(made) else made):
            raise ValueError(
                f"{type(self).__name__}.{method.__name__} makes numbers of X that are not finite: "
                "X holds far larger numbers than fit saw, or what was learned has diverged. Scale "
                "X as for fit, or fit again on X scaled to a largest value of 1."
            )
        return made

    return checked


def check_learned(estimator, known):
    """Raise if an attribute that `fit` has set, and that is none of those known, is not finite."""
    for name, value in vars(estimator).items():
        if not name.endswith("_") or value is known.get(name):
            continue
        values = value.data if sp.issparse(value) else value
        if isinstance(values, np.ndarray) and not all_finite(values):
            raise ValueError(
                f"{type(estimator).__name__} has learned {name} from X, which is not finite: scale "
                "the values of X and y, for example to a largest value of 1, or regularize more."
            )
