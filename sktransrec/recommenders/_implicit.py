# SPDX-License-Identifier: BSD-3-Clause
"""Fitting the matrix factorisations of implicit; only numpy arrays are kept."""

from numbers import Integral

import numpy as np
import scipy.sparse as sp
from joblib import effective_n_jobs
from sklearn.utils import check_random_state

from .._numerics._blas_threads import one_blas_thread
from .._numerics._entries import column_counts


def fit_implicit(estimator, model_class, X, **parameters):
    """Return a model of implicit fitted to a canonical float32 `csr_array`."""
    from implicit.recommender_base import ModelFitError

    # implicit runs its own threads, and warns if BLAS uses several threads too.
    with one_blas_thread():
        model = model_class(
            factors=estimator.n_components,
            regularization=estimator.regularization,
            iterations=estimator.max_iter,
            num_threads=effective_n_jobs(estimator.n_jobs),
            random_state=implicit_seed(estimator.random_state),
            **parameters,
        )
        try:
            model.fit(implicit_csr(X), show_progress=bool(estimator.verbose))
        except ModelFitError as error:
            raise _diverged(estimator) from error
    check_finite_factors(estimator, model.user_factors, model.item_factors)
    return model


def implicit_seed(random_state):
    """Return an integer seed: the models of implicit take nothing else."""
    if isinstance(random_state, Integral):
        return int(random_state)
    return check_random_state(random_state).randint(2**31 - 1)


def implicit_csr(X):
    """Return X as a `csr_matrix` on the same buffers; read-only buffers are copied."""
    buffers = [
        buffer if buffer.flags.writeable else buffer.copy()
        for buffer in (X.data, X.indices, X.indptr)
    ]
    return sp.csr_matrix(tuple(buffers), shape=X.shape, copy=False)


def item_biases(X, learned_bias, popularity_exponent):
    """Return the learned item biases, and these biases with a part of the popularity added.

    If negatives are drawn in proportion to popularity, a model learns the log-odds of an item minus
    its log-popularity. The second biases add `popularity_exponent` times the log-popularity. An
    item without interactions gets the smallest bias of all: implicit leaves it at zero, above all
    rare items.
    """
    n_rows_with = column_counts(X)
    is_known = n_rows_with > 0
    log_popularity = np.log(np.maximum(n_rows_with, 1))
    log_popularity -= log_popularity[is_known].mean()
    bias = learned_bias + (popularity_exponent * log_popularity).astype(np.float32)
    return tuple(np.where(is_known, b, b[is_known].min()) for b in (learned_bias, bias))


def check_finite_factors(estimator, *factors):
    """Raise if an array of factors holds anything but finite numbers."""
    if not all(np.isfinite(array).all() for array in factors):
        raise _diverged(estimator)


def _diverged(estimator):
    """Return the error for factors that are not finite."""
    regularization = getattr(estimator, "regularization_", estimator.regularization)
    others = [name for name in ("learning_rate", "confidence") if hasattr(estimator, name)]
    return ValueError(
        f"{type(estimator).__name__} has diverged: its factors are not finite. Raise "
        f"regularization={regularization!r}, or lower {' or '.join([*others, 'the values of X'])}."
    )
