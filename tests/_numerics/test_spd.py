# SPDX-License-Identifier: BSD-3-Clause
"""Blocked factors, solutions and inverses are those of LAPACK, however many threads there are."""

import functools

import numpy as np
import pytest
import scipy.linalg
from threadpoolctl import threadpool_limits

from sktransrec._numerics import _spd


@pytest.fixture(params=[1, 3, 4, 7, 40])
def _block_size(request, monkeypatch):
    monkeypatch.setattr(_spd, "BLOCK_SIZE", request.param)
    monkeypatch.setattr(_spd, "_MIN_BLOCKS", 1)


def positive_definite(n, dtype, condition=100.0):
    """Return such a matrix with rubbish below the diagonal, and the same in float64."""
    rng = np.random.RandomState(n)
    Q, _ = np.linalg.qr(rng.normal(size=(n, n)))
    exact = ((Q * np.geomspace(1, condition, n)) @ Q.T).astype(dtype)
    exact = np.triu(exact) + np.triu(exact, 1).T
    return np.triu(exact) + np.tril(np.full((n, n), np.nan, dtype=dtype), -1), exact.astype(float)


@pytest.mark.usefixtures("_block_size")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 12, 29])
def test_agrees_with_scipy(n, dtype):
    A, exact = positive_definite(n, dtype)
    tolerance = {"rtol": 2e3 * np.finfo(dtype).eps, "atol": 2e2 * np.finfo(dtype).eps}
    right = np.random.RandomState(0).normal(size=(n, 3)).astype(dtype)

    U = _spd.cholesky(A)
    assert U is A
    np.testing.assert_allclose(np.triu(U), scipy.linalg.cholesky(exact), **tolerance)

    expected = np.linalg.solve(exact, right.astype(float))
    solution = _spd.solve(U, right)
    assert solution is right
    np.testing.assert_allclose(solution, expected, **tolerance)

    S = _spd.inverse(U)
    assert S is A
    assert S.dtype == dtype
    np.testing.assert_array_equal(S, S.T)
    np.testing.assert_allclose(S, np.linalg.inv(exact), **tolerance)


@pytest.mark.usefixtures("_block_size")
@pytest.mark.parametrize("column", [0, 2, 3, 8])
@pytest.mark.parametrize("bad", [-1.0, 0.0, np.nan])
def test_what_is_not_positive_definite_is_refused(column, bad):
    A = np.eye(9, dtype=np.float32)
    A[column, column] = bad
    with pytest.raises(np.linalg.LinAlgError, match=f"column {column} .*float32"):
        _spd.cholesky(A)


@functools.cache
def ill_conditioned():
    """Return such a matrix, its inverse in float64, and the largest error of LAPACK in float32."""
    A, exact = positive_definite(900, np.float32, condition=1e4)
    factor, _ = scipy.linalg.lapack.spotrf(A.T, lower=True)
    lower, _ = scipy.linalg.lapack.spotri(factor, lower=True)
    theirs = np.tril(lower) + np.tril(lower, -1).T
    expected = np.linalg.inv(exact)
    return A, expected, abs(theirs - expected).max()


@pytest.mark.parametrize("n_threads", [1, 2])
def test_precision_is_that_of_lapack(n_threads):
    A, expected, error_of_lapack = ill_conditioned()
    with threadpool_limits(n_threads, "blas"):
        ours = _spd.inverse(_spd.cholesky(A.copy()))
    assert abs(ours - expected).max() < 2 * error_of_lapack
