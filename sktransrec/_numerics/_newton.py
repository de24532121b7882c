# SPDX-License-Identifier: BSD-3-Clause
"""Newton's method for the factors of many rows, each with its own convex loss."""

import numpy as np

_MAX_NEWTON_STEPS = 30
# Newton's method stops when the expected decrease is less than this share of the loss.
_NEWTON_TOLERANCE = 1e-4


def newton_minima(loss, n_rows, n_dims):
    """Return the minimum of the loss of each row, by Newton's method with damping.

    Parameters
    ----------
    loss : callable
        Takes an array of shape (n_rows, n_dims) and returns the loss of each row, its gradient and
        its Hessian, or a positive definite approximation of it. It multiplies matrices row by row
        (3-D products), so that no row depends on the other rows.
    n_rows, n_dims : int
        The shape of the minima.

    Returns
    -------
    minima : ndarray of shape (n_rows, n_dims), dtype float32
    """
    u = np.zeros((n_rows, n_dims), dtype=np.float32)
    value, gradient, hessian = loss(u)
    damping = np.ones(n_rows, dtype=np.float32)
    is_active = np.ones(n_rows, dtype=bool)
    for _ in range(_MAX_NEWTON_STEPS):
        step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        next_u = u - damping[:, None] * step
        next_value, next_gradient, next_hessian = loss(next_u)
        moves = is_active & (next_value <= value)
        is_active &= (gradient * step).sum(axis=1) > _NEWTON_TOLERANCE * value
        u[moves], value[moves] = next_u[moves], next_value[moves]
        gradient[moves], hessian[moves] = next_gradient[moves], next_hessian[moves]
        damping = np.where(moves, 1, damping / 4).astype(np.float32)
        if not is_active.any():
            break
    return u


def softplus_and_sigmoid(x):
    """Return log(1 + exp(x)) and its slope 1 / (1 + exp(-x)), several times faster than scipy."""
    small = np.exp(-np.abs(x))
    return np.maximum(x, 0) + np.log1p(small), np.where(x < 0, small, 1) / (1 + small)
