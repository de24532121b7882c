# SPDX-License-Identifier: BSD-3-Clause
"""What users have by default, more than one BLAS thread, where the other tests have one."""

import os
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from threadpoolctl import threadpool_info, threadpool_limits

from sktransrec import ALSRecommender, EASERecommender, GraphFilterRecommender, RidgeRecommender
from sktransrec._numerics import _memory

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def output_with_two_threads(program, *arguments):
    """Return what a program prints where BLAS has two threads, which may end the process."""
    run = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        env={**os.environ, **dict.fromkeys(THREADS, "2")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, f"The process ended with {run.returncode}.\n{run.stderr}"
    return run.stdout


@pytest.mark.slow
def test_more_columns_than_the_threaded_lapack_survives():
    """The inverse of 2I + 11ᵀ/n is I/2 - 11ᵀ/(6n)."""
    n = 36_001
    if _memory.available_memory() < 1.3 * 4 * n**2:
        pytest.skip(f"{1.3 * 4 * n**2 / 2**30:.0f} GiB of memory are not available")
    program = """
import sys
import numpy as np
from sktransrec._numerics import _memory, _spd
n = int(sys.argv[1])
A = np.full((n, n), 1 / n, dtype=np.float32)
A[np.diag_indices(n)] += 2
S = _spd.inverse(_spd.cholesky(A))
diagonal = S.diagonal().copy()
np.fill_diagonal(S, -1 / (6 * n))
print(abs(diagonal - 0.5 + 1 / (6 * n)).max(), max(abs(row + 1 / (6 * n)).max() for row in S))
"""
    errors = np.array(output_with_two_threads(program, n).split(), dtype=float)
    assert (errors < [1e-5, 1e-7]).all()


def _blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_two_threads_fit_what_one_does():
    rng = np.random.default_rng(0)
    X = sp.random_array((400, 300), density=0.02, format="csr", rng=rng, dtype=np.float32)
    y = sp.random_array((400, 200), density=0.02, format="csr", rng=rng, dtype=np.float32)
    dense = rng.random((400, 300), dtype=np.float32)
    models = [
        *((EASERecommender(1.0, solver=each), X) for each in ("primal", "dual", "sparse")),
        *((RidgeRecommender(1.0, solver=s), Z) for s in ("primal", "dual") for Z in (X, dense)),
        (GraphFilterRecommender(32, random_state=0), X),
        (ALSRecommender(32, max_iter=3, random_state=0), X),
    ]
    for model, Z in models:
        scores = []
        for n_threads in (1, 2):
            with threadpool_limits(n_threads, "blas"):
                assert _blas_threads() == {n_threads}
                scores.append(model.fit(Z, y).decision_function(Z))
        atol = 2e-4 * abs(scores[0]).max()
        assert_allclose(scores[1], scores[0], rtol=0, atol=atol, err_msg=str(model))
