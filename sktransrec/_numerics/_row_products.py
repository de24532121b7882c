# SPDX-License-Identifier: BSD-3-Clause
"""Products of rows with a matrix, in which no row depends on the others."""

import numpy as np

# Kernels of BLAS round a row by its place among the rows of a product. Those of this many rows
# treat all alike.
N_ROWS = 8

# Numbers of the matrix that the caches of a processor hold while the rows pass by.
_CACHED_NUMBERS = 2**18


def row_products(rows, matrix):
    """Return rows @ matrix, each row the same to the last bit whatever rows stand beside it.

    Parameters
    ----------
    rows : ndarray of shape (..., n_columns), dtype float32
    matrix : ndarray of shape (n_columns, n_outputs), dtype float32

    Returns
    -------
    products : ndarray of shape (..., n_outputs), dtype float32
    """
    n_columns, n_outputs = matrix.shape
    flat = rows.reshape(-1, n_columns)
    filled = filled_up(flat)
    products = np.empty((len(filled), n_outputs), dtype=np.float32)
    groups = filled.reshape(-1, N_ROWS, n_columns)
    grouped_products = products.reshape(-1, N_ROWS, n_outputs)
    width = max(N_ROWS, _CACHED_NUMBERS // max(1, n_columns))
    for start in range(0, n_outputs, width):
        some = slice(start, start + width)
        np.matmul(groups, matrix[:, some], out=grouped_products[..., some])
    return products[: len(flat)].reshape(*rows.shape[:-1], n_outputs)


def filled_up(array, axis=0):
    """Return the array with zeros after it along an axis, a multiple of `N_ROWS` in all."""
    n_lacking = -array.shape[axis] % N_ROWS
    if not n_lacking:
        return array
    shape = list(array.shape)
    shape[axis] = n_lacking
    return np.concatenate([array, np.zeros(shape, dtype=array.dtype)], axis=axis)


class RowProducts:
    """`row_products` of a number of rows with one matrix, again and again.

    Each call overwrites what the one before it returned.
    """

    def __init__(self, n_rows, matrix):
        n_columns, n_outputs = matrix.shape
        n_groups = -(-n_rows // N_ROWS)
        self._matrix = matrix
        self._groups = np.zeros((n_groups, N_ROWS, n_columns), dtype=np.float32)
        self._grouped_products = np.empty((n_groups, N_ROWS, n_outputs), dtype=np.float32)
        self._rows = self._groups.reshape(-1, n_columns)[:n_rows]
        self._products = self._grouped_products.reshape(-1, n_outputs)[:n_rows]

    def __call__(self, rows):
        self._rows[:] = rows
        np.matmul(self._groups, self._matrix, out=self._grouped_products)
        return self._products
