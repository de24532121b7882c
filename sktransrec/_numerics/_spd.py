# SPDX-License-Identifier: BSD-3-Clause
"""Symmetric positive definite matrices of any size: Cholesky factors, solutions and inverses.

LAPACK gets only small blocks of the diagonal, because the threaded ``potrf`` of OpenBLAS 0.3.30 can
end the process from about 30,000 columns on. All other work is products of large blocks, which run
at full speed with any number of threads.

A matrix A is an ndarray in C order; only its upper triangle is read. Its Cholesky factor U, upper
triangular with A = UᵀU, is written over this triangle. The lower triangle is never read. Besides
the matrix, the functions need memory for one block of rows.
"""

import numpy as np
from scipy.linalg import LinAlgError, blas, lapack
from sklearn.utils import gen_batches

# Products of blocks of this width run at full speed; other work grows with the width.
BLOCK_SIZE = 384
# Keeps the panel small compared with a small matrix.
_MIN_BLOCKS = 16


def cholesky(A):
    """Write U over A and return it, in n³/3 flops.

    Raises `LinAlgError` if A is not positive definite in its precision.
    """
    for block, rest, panel in _panels(A):
        above = A[: block.start, block]
        A[block, block] -= above.T @ above
        A[block, block] = _block_factor(A[block, block], first_column=block.start)
        np.matmul(above.T, A[: block.start, rest], out=panel)
        np.subtract(A[block, rest], panel, out=panel)
        A[block, rest] = _divided(panel, A[block, block], transposed=True)
    return A


def solve(U, right):
    """Return the solution x of UᵀU x = `right`, of shape (n, n_right); it overwrites `right`."""
    blocks = list(gen_batches(len(U), BLOCK_SIZE))
    for block in blocks:
        right[block] -= U[: block.start, block].T @ right[: block.start]
        right[block] = _divided(right[block], U[block, block], transposed=True)
    for block in reversed(blocks):
        right[block] -= U[block, block.stop :] @ right[block.stop :]
        right[block] = _divided(right[block], U[block, block], transposed=False)
    return right


def inverse(U):
    """Write the inverse S of UᵀU over U, in full and exactly symmetric, in 2n³/3 flops."""
    # US = U⁻ᵀ gives the rows of S from the last up. With D a block on the diagonal of U, R what is
    # right of it and T the part of S below, they are -D⁻¹RT, and D⁻¹(D⁻ᵀ - R(-D⁻¹RT)ᵀ) before that.
    for block, rest, panel in reversed(list(_panels(U))):
        D, R = U[block, block].copy(), U[block, rest]
        np.matmul(R, U[rest, rest], out=panel)
        panel = _divided(np.negative(panel, out=panel), D, transposed=False)
        corner = _divided(np.eye(len(D), dtype=D.dtype), D, transposed=True)
        corner = np.triu(_divided(corner - R @ panel.T, D, transposed=False))
        U[block, block] = corner + np.triu(corner, 1).T
        U[block, rest] = panel
        U[rest, block] = panel.T
    return U


def _panels(A):
    """Yield slices of the rows of a block and of the columns right of it, and memory for both."""
    n = len(A)
    block_size = min(BLOCK_SIZE, -(-n // _MIN_BLOCKS))
    memory = np.empty(block_size * n, dtype=A.dtype)
    for block in gen_batches(n, block_size):
        shape = block.stop - block.start, n - block.stop
        yield block, slice(block.stop, n), memory[: shape[0] * shape[1]].reshape(shape)


def _block_factor(block, *, first_column):
    """Return the Cholesky factor of a block on the diagonal."""
    (potrf,) = lapack.get_lapack_funcs(("potrf",), (block,))
    # LAPACK reads in Fortran order, where the upper triangle is the lower one.
    factor, info = potrf(block.T, lower=True, clean=True)
    finite = np.isfinite(factor.diagonal())
    if info > 0 or not finite.all():
        # OpenBLAS does not stop at a NaN.
        column = first_column + (info - 1 if info > 0 else np.argmin(finite))
        raise LinAlgError(f"The pivot of column {column} is not positive in {block.dtype}.")
    return factor.T


def _divided(right, U, *, transposed):
    """Return U⁻ᵀ `right` if `transposed`, else U⁻¹ `right`; it overwrites `right`, in C order."""
    if right.size == 0:
        return right
    (trsm,) = blas.get_blas_funcs(("trsm",), (U, right))
    return trsm(1.0, U.T, right.T, side=1, lower=1, trans_a=int(transposed), overwrite_b=1).T
