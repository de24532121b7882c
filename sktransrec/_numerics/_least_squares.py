# SPDX-License-Identifier: BSD-3-Clause
"""The factors of rows that minimise squared errors, with the factors of the columns fixed."""

import numpy as np

from ._blas_threads import one_blas_thread
from ._row_blocks import padded_row_blocks
from ._threads import in_threads

# If confidence is balanced: the total weight of the interactions per entry of the matrix.
_BALANCE = 0.1


def balanced_confidence(shape, total):
    """Return the weight of an interaction of value 1 that suits the density of a matrix.

    It has the given shape, and `total` is the sum of its entries.
    """
    return _BALANCE * shape[0] * shape[1] / total


def gram_eigen(V, missing_weights, dtype=np.float64):
    """Return the eigenvalues and eigenvectors of V'MV in float32, M = diag(missing_weights).

    The product is computed in `dtype`.
    """
    W = np.sqrt(missing_weights[:, None], dtype=dtype) * V
    eigenvalues, eigenvectors = np.linalg.eigh((W.T @ W).astype(np.float64, copy=False))
    return np.maximum(eigenvalues, 0).astype(np.float32), eigenvectors.astype(np.float32)


def row_minima(C, V, eigen, ridges, missing_weights):
    """Return for each row the factors u that minimise its weighted squares.

    The squares are (1 - u'v_i)^2 for the stored columns of a row, with the weights in C, and
    (u'v_i)^2 for the others, with `missing_weights`. `ridges` is the weight of the squared norm of
    u. The result for a row does not depend on the other rows.

    Parameters
    ----------
    C : csr_array of shape (n_rows, n_columns), dtype float32
    V : ndarray of shape (n_columns, n_components), dtype float32
    eigen : tuple
        The result of ``gram_eigen(V, missing_weights)``.
    ridges : ndarray of shape (n_rows,), dtype float32
    missing_weights : ndarray of shape (n_columns,), dtype float32

    Returns
    -------
    U : ndarray of shape (n_rows, n_components), dtype float32
        Zeros if a row of C is empty.
    """
    eigenvalues, Q = eigen
    h = eigenvalues + ridges[:, None]
    with one_blas_thread():
        w = _minima(C, lambda items: V[items] @ Q, h, _above(missing_weights))
        return (Q @ w[:, :, None])[:, :, 0]


def minimum_parts(C, V, eigen, ridge, missing_weights):
    """Return what each stored value of a single row adds to the factors that are its minimum.

    The arguments are those of `row_minima`, with one row and its `ridge`. As in Hu, Koren and
    Volinsky (2008), section 5, the weights of the row are taken as given.

    Returns
    -------
    parts : ndarray of shape (n_stored, n_components), dtype float64
        Their sum is the row of `row_minima`.
    """
    eigenvalues, Q = (array.astype(np.float64) for array in eigen)
    stored, c = V[C.indices].astype(np.float64), C.data[:, None].astype(np.float64)
    A = (Q * (eigenvalues + ridge)) @ Q.T
    A += stored.T @ ((c - missing_weights[C.indices, None]) * stored)
    return np.linalg.solve(A, (c * stored).T).T


def all_row_minima(C, V, ridges, missing_weights, *, n_jobs=None):
    """Return the same as `row_minima`, faster for many rows.

    The rounding of a row depends on the other rows.
    """
    with one_blas_thread():
        eigenvalues, Q = gram_eigen(V, missing_weights, V.dtype)
        h = eigenvalues + ridges[:, None]
        return _minima(C, (V @ Q).__getitem__, h, _above(missing_weights), n_jobs) @ Q.T


def value_minima(X, V, ridges, *, n_jobs=None):
    """Return for each row the factors u that minimise the squares of its stored values alone.

    The squares are (x - u'v_i)^2, also for stored zeros. The result for a row does not depend on
    the other rows.

    Parameters
    ----------
    X : csr_array of shape (n_rows, n_columns), dtype float32
    V : ndarray of shape (n_columns, n_components), dtype float32
    ridges : ndarray of shape (n_rows, n_components), dtype float32
        The weights of the squares of u, above 0.
    n_jobs : int or None, default=None
        Number of threads. The result does not depend on it.

    Returns
    -------
    U : ndarray of shape (n_rows, n_components), dtype float32
        Zeros if a row of X is empty.
    """
    with one_blas_thread():
        return _minima(X, V.__getitem__, ridges, lambda x, items: np.ones_like(x), n_jobs)


def value_parts(X, V, ridges):
    """Return what each stored value of a single row adds to the factors that are its minimum.

    The arguments are those of `value_minima`, with one row and its `ridges`.

    Returns
    -------
    parts : ndarray of shape (n_stored, n_components), dtype float64
        Their sum is the row of `value_minima`.
    """
    stored = V[X.indices].astype(np.float64)
    A = stored.T @ stored + np.diag(ridges.astype(np.float64))
    return np.linalg.solve(A, (X.data[:, None] * stored).T).T


# With V'MV = Q diag(e) Q' and, for a row, the factors Z = VQ of its items, their weights c,
# D = diag(c - m) and H = diag(e + ridge), the factors u = Qw of the row solve (H + Z'DZ) w = Z'c.
# Padding has c = 0 and D = 0. Without missing entries, and with values c of weight 1, M = 0, Q = I
# and D = I.


def _above(missing_weights):
    """Return the function that computes the diagonal of D."""
    return lambda c, items: c - missing_weights[items]


def _minima(C, rotated, h, excess, n_jobs=None):
    """Return w of all rows, given the functions that compute Z and D, and the diagonal h of H."""
    w = np.zeros(h.shape, dtype=np.float32)

    def solve(rows, items, c, is_stored):
        Z = rotated(items)
        d = np.where(is_stored, excess(c, items), 0)[:, :, None]
        short = Z.shape[1] < Z.shape[2]
        minima = _minima_of_short_rows if short else _minima_of_long_rows
        w[rows] = minima(Z, h[rows], c, d)[:, :, 0]

    blocks = padded_row_blocks(C, lambda width: _n_floats(width, h.shape[1]))
    for _ in in_threads(solve, blocks, n_jobs):
        pass
    return w


def _n_floats(width, n_components):
    """Return how many numbers are in memory at once for a row with `width` items."""
    return width * n_components + 2 * min(width, n_components) ** 2


def _minima_of_short_rows(Z, h, c, d):
    """Return w = H^-1 Z' (I + D Z H^-1 Z')^-1 c; the system has the size of the items."""
    W = Z / h[:, None, :]
    A = d * (W @ Z.mT)
    A += np.eye(A.shape[1], dtype=A.dtype)
    return W.mT @ np.linalg.solve(A, c[:, :, None])


def _minima_of_long_rows(Z, h, c, d):
    """Return w = (H + Z'DZ)^-1 Z'c; the system has the size of the factors."""
    A = Z.mT @ (d * Z)
    A += h[:, :, None] * np.eye(h.shape[1], dtype=h.dtype)
    return np.linalg.solve(A, Z.mT @ c[:, :, None])
