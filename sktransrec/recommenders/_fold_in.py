"""Factors of many rows at once, each the minimum of its own convex loss, the items held fixed."""

import functools

import numpy as np
from sklearn.utils import gen_batches
from threadpoolctl import ThreadpoolController

# The temporary arrays of a block of rows hold about this many numbers.
_BLOCK_FLOATS = 2**20
_MAX_NEWTON_STEPS = 30
# Newton's method stops once the decrease it expects is this share of the loss.
_NEWTON_TOLERANCE = 1e-4


@functools.cache
def _threadpools():
    return ThreadpoolController()


def one_blas_thread():
    """Return a context in which numpy uses one thread, as suits many small products and systems.

    It is cheap enough to be entered for every block of rows.
    """
    return _threadpools().limit(limits=1, user_api="blas")


def padded_row_blocks(X, n_floats):
    """Yield the rows of X that are not empty in blocks of rows with about as many items.

    The number of items is rounded up to a power of two, so that how a row is padded does not
    depend on the rows beside it.

    Parameters
    ----------
    X : csr_array
    n_floats : callable
        Gives the numbers that must be held at once for one row of a given width.

    Yields
    ------
    rows : ndarray of shape (n_rows,)
    items, values, is_stored : ndarray of shape (n_rows, width)
        The stored entries of each row; item 0 with value 0 where `is_stored` is False.
    """
    n_stored = np.diff(X.indptr)
    widths = 2 ** np.ceil(np.log2(np.maximum(n_stored, 1))).astype(int)
    for width in np.unique(widths[n_stored > 0]):
        same_width = np.flatnonzero((widths == width) & (n_stored > 0))
        slots = np.arange(width)
        block_rows = max(1, _BLOCK_FLOATS // n_floats(width))
        for block in gen_batches(len(same_width), block_rows):
            rows = same_width[block]
            is_stored = slots < n_stored[rows, None]
            positions = np.where(is_stored, X.indptr[rows, None] + slots, 0)
            items = np.where(is_stored, X.indices[positions], 0)
            values = np.where(is_stored, X.data[positions], 0)
            yield rows, items, values, is_stored


def newton_minima(loss, n_rows, n_dims):
    """Return the minimum of the loss of each row by Newton's method, damped where it overshoots.

    Parameters
    ----------
    loss : callable
        To make no row depend on those beside it, it multiplies matrices row by row (3-D products).
        Takes an array of shape (n_rows, n_dims) and returns the loss of each row, its gradient
        and its Hessian, or something positive definite near it.

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
    """Return log(1 + exp(x)) and its slope 1 / (1 + exp(-x)), several times as fast as scipy's."""
    small = np.exp(-np.abs(x))
    return np.maximum(x, 0) + np.log1p(small), np.where(x < 0, small, 1) / (1 + small)


def popular_items_sample(X, n_samples, random_state):
    """Return items drawn in proportion to their number of rows, by systematic sampling.

    The row factors are fitted to these items, of which there should be several times as many as
    factors.
    """
    positions = (random_state.uniform() + np.arange(n_samples)) / n_samples
    return np.sort(X.indices)[(positions * X.nnz).astype(np.intp)]
