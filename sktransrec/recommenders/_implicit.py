"""Fitting the matrix factorisations of implicit, of which only numpy arrays are kept."""

import functools
from numbers import Integral

import numpy as np
import scipy.sparse as sp
from joblib import effective_n_jobs
from sklearn.utils import check_random_state
from threadpoolctl import ThreadpoolController, threadpool_limits


@functools.cache
def _threadpools():
    return ThreadpoolController()


def one_blas_thread():
    """Return a context in which numpy, for many small products and systems, uses one thread."""
    return _threadpools().limit(limits=1, user_api="blas")


def fit_implicit(model_class, X, *, random_state, n_jobs, verbose, **parameters):
    """Return a model of implicit fitted to a canonical float32 `csr_array`."""
    # implicit runs its own threads and warns, when it is built, of a threaded BLAS beside them.
    with threadpool_limits(1, "blas"):
        model = model_class(
            num_threads=effective_n_jobs(n_jobs),
            random_state=_implicit_seed(random_state),
            **parameters,
        )
        model.fit(_implicit_csr(X), show_progress=bool(verbose))
    return model


def _implicit_seed(random_state):
    """Return an integer seed, which is all that every model of implicit takes."""
    if isinstance(random_state, Integral):
        return int(random_state)
    return check_random_state(random_state).randint(2**31 - 1)


def _implicit_csr(X):
    """Return X as `csr_matrix` on the same buffers, which are copied only where read-only."""
    buffers = [
        buffer if buffer.flags.writeable else buffer.copy()
        for buffer in (X.data, X.indices, X.indptr)
    ]
    return sp.csr_matrix(tuple(buffers), shape=X.shape, copy=False)


def check_finite_factors(estimator, *factors):
    """Raise if an array of factors holds anything but finite numbers."""
    if not all(np.isfinite(array).all() for array in factors):
        raise ValueError(
            f"{type(estimator).__name__} has diverged: its factors are not finite. Raise "
            f"regularization={estimator.regularization!r}, or lower what scales the updates "
            "(confidence, learning_rate, or the values of X)."
        )
