# SPDX-License-Identifier: BSD-3-Clause
"""The shared part of the factor models of implicit that learn from sampled negative items."""

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from .._numerics._blas_threads import one_blas_thread
from .._numerics._newton import newton_minima
from .._numerics._row_blocks import padded_row_blocks
from .._validation import ABOVE_0, AT_LEAST_0, COUNT, N_JOBS
from ..base import FactorRecommenderMixin, InDomainRecommender
from ._implicit import fit_implicit, item_biases


class DrawnNegativesRecommender(FactorRecommenderMixin, InDomainRecommender):
    """Base of factor models whose rows are folded in by Newton's method.

    A subclass has the parameters below, the number of sampled items in the fold-in
    (``_n_negative_items``), the number of values to find for a row (``_n_row_dims``), and its loss
    (``_row_loss``).
    """

    item_factors_: NDArray[np.float32]
    item_bias_: NDArray[np.float32]
    negative_items_: NDArray[np.intp]
    n_iter_: int

    _parameter_constraints: dict = {
        "n_components": COUNT,
        "regularization": ABOVE_0,
        "learning_rate": ABOVE_0,
        "popularity_exponent": AT_LEAST_0,
        "max_iter": COUNT,
        "random_state": ["random_state"],
        "n_jobs": N_JOBS,
        "verbose": ["verbose"],
    }

    @property
    def _n_row_dims(self):
        return self._n_features_out

    def _weighted(self, X):
        """Return the interactions, each with its weight in the loss."""
        return X

    def _learn(self, X, model_class, **parameters):
        """Fit a model of implicit, and keep the factors and biases of the items."""
        model = fit_implicit(
            self, model_class, self._weighted(X), learning_rate=self.learning_rate, **parameters
        )
        # After the factors comes the bias of the items, then that of the rows if they have one.
        factors, bias = np.split(model.item_factors, [self.n_components], axis=1)
        self.item_factors_ = np.ascontiguousarray(factors)
        self._learned_bias, self.item_bias_ = item_biases(X, bias[:, 0], self.popularity_exponent)
        self.negative_items_ = popular_items_sample(
            X, self._n_negative_items, check_random_state(self.random_state)
        )
        self.n_iter_ = self.max_iter

    def _row_factors(self, X):
        n_components = self._n_features_out
        factors = np.zeros((X.shape[0], n_components), dtype=np.float32)
        blocks = padded_row_blocks(self._weighted(X), self._n_floats)
        with one_blas_thread():
            for rows, items, weights, is_stored in blocks:
                loss = self._row_loss(X[rows], items, weights, is_stored)
                minima = newton_minima(loss, len(rows), self._n_row_dims)
                factors[rows] = minima[:, :n_components]
        return factors


def popular_items_sample(X, n_samples, random_state):
    """Return items drawn in proportion to their number of rows, by systematic sampling.

    The row factors are fitted to these items, so draw several times as many items as factors.
    """
    positions = (random_state.uniform() + np.arange(n_samples)) / n_samples
    return np.sort(X.indices)[(positions * X.nnz).astype(np.intp)].astype(np.intp)
