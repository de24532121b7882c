# SPDX-License-Identifier: BSD-3-Clause
"""Gram matrices and their factors, in place and in the lowest precision that is enough."""

from contextlib import contextmanager

import numpy as np
import scipy.sparse as sp
from scipy.linalg import blas
from sklearn.utils import gen_batches

from .._validation import get_chunk_n_rows
from ._entries import as_dense, with_data
from ._spd import cholesky

# Largest condition number at which float32 still gives about three digits.
_MAX_FLOAT32_CONDITION = 1e4
_N_POWER_ITERATIONS = 6
# Blocks of fewer columns cost more in calls than the half of the products that they leave out.
_MIN_BLOCK_COLUMNS = 256
_MIN_GRAM_BLOCKS = 16


def smaller_solver(shape):
    """Return the solver that inverts the smaller matrix."""
    n_rows, n_columns = shape
    return "primal" if n_columns <= n_rows else "dual"


def solver_dtype(X, ridges, solver):
    """Return the precision that a solver of XᵀX + diag(`ridges`) needs."""
    magnitudes = abs(X)
    transposed = magnitudes.T
    condition = _condition(lambda v: transposed @ (magnitudes @ v), X.shape[1], ridges)
    if solver == "dual":
        # Its scores are small differences of products with the inexact inverse.
        condition **= 2
    return _dtype_for(condition)


def gram_dtype(gram, ridges):
    """Return the precision that a solver of a matrix XᵀX + diag(`ridges`) needs."""
    magnitudes = abs(gram)
    return _dtype_for(_condition(lambda v: magnitudes @ v, gram.shape[1], ridges))


def _dtype_for(condition):
    return np.dtype(np.float32 if condition < _MAX_FLOAT32_CONDITION else np.float64)


def _condition(product, n_columns, ridges):
    """Return a bound of the condition number of a Gram matrix + diag(`ridges`), scaled to ones.

    It is found by power iteration. `product` multiplies a matrix G of no smaller numbers, such as
    |X|ᵀ|X|, by a vector.
    """
    scales = 1 / np.sqrt(np.broadcast_to(ridges, n_columns), dtype=np.float64)
    vector = np.ones(n_columns)
    eigenvalue = 0.0
    for _ in range(_N_POWER_ITERATIONS):
        vector = scales * product(scales * vector)
        eigenvalue = np.linalg.norm(vector)
        if eigenvalue == 0:
            break
        vector /= eigenvalue
    return 1 + eigenvalue


def scaled_columns(X, scales):
    """Return X with its columns times `scales`, in the type of X."""
    if not sp.issparse(X):
        return X * scales.astype(X.dtype, copy=False)
    data = X.data * scales.astype(X.dtype, copy=False)[X.indices]
    return with_data(X, data)


def upper_gram(X):
    """Return XᵀX in C order; only the upper triangle is always filled.

    A sparse X is multiplied in blocks of columns, so that the memory needed is the result plus
    scikit-learn's `working_memory`.
    """
    if not sp.issparse(X):
        return np.ascontiguousarray(X.T @ X)
    n_columns = X.shape[1]
    gram = np.zeros((n_columns, n_columns), dtype=X.dtype)
    columns, rows = X.T.tocsr(), X.tocsc()
    # A sparse product as full as this one holds a value and an index for each entry.
    wanted = max(_MIN_BLOCK_COLUMNS, n_columns // _MIN_GRAM_BLOCKS)
    block_size = get_chunk_n_rows(row_bytes=16 * n_columns, max_n_rows=wanted)
    for block in gen_batches(n_columns, block_size):
        gram[block, block.start :] = as_dense(columns[block] @ rows[:, block.start :].tocsr())
    return gram


def subtract_outer_sum(upper, x, y):
    """Subtract x yᵀ + y xᵀ from the upper triangle, in place: the centring of a Gram matrix."""
    (syr2,) = blas.get_blas_funcs(("syr2",), (upper,))
    syr2(-1.0, x, y, a=upper.T, lower=True, overwrite_a=True)


def factorize(upper, ridges, estimator):
    """Return the Cholesky factor of `upper` + diag(`ridges`), written over `upper`."""
    upper[np.diag_indices_from(upper)] += ridges
    with asks_for_regularization(estimator, ridges, upper.dtype):
        return cholesky(upper)


@contextmanager
def asks_for_regularization(estimator, ridges, dtype):
    """Raise an error that names the cure where a matrix is not positive definite."""
    try:
        yield
    except np.linalg.LinAlgError as error:
        raise ValueError(
            f"{type(estimator).__name__}: the Gram matrix is not positive definite in {dtype} with "
            f"regularization={np.min(ridges):g}. Pass a larger regularization."
        ) from error


def products_by_gemm(X, weights):
    """Return X @ `weights`, the same to the last digit wherever X is in memory.

    With a single row or column, numpy uses gemv, whose rounding depends on the memory address of a
    row. The rounding of gemm does not, but it depends on the number of rows.
    """
    if sp.issparse(X):
        return X @ weights
    (gemm,) = blas.get_blas_funcs(("gemm",), (X, weights))
    return gemm(1.0, weights.T, X.T).T


class DualMap:
    """The map x → (x Xᵀ) S y of a dual solution, with a symmetric S of shape (n_rows, n_rows).

    S y is computed in advance if y has fewer columns than rows. Otherwise a sparse y stays sparse.
    """

    def __init__(self, X, symmetric, y):
        rows_last = X.T
        self.rows_last = rows_last.tocsr() if sp.issparse(X) else rows_last
        self.left, self.right = symmetric, None
        if y.shape[1] < y.shape[0]:
            self.left = np.ascontiguousarray(symmetric @ y)
        else:
            self.right = y.copy()  # the caller may change y

    def __call__(self, X):
        mapped = (X @ self.rows_last) @ self.left
        return mapped if self.right is None else mapped @ self.right

    def coefficients(self):
        """Return Xᵀ S y, of shape (n_features, n_items)."""
        return self.rows_last @ (self.left if self.right is None else self.left @ self.right)
