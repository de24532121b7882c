# SPDX-License-Identifier: BSD-3-Clause
"""The base class of autoencoders across domains: encoders of rows, and an output layer of items."""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import loguniform, uniform

from ..._engine._denoising import corrupted
from ..._engine._dense import towers
from ..._engine._learner import NetworkLearner
from ..._numerics._row_totals import row_lengths
from ..._numerics._unit_rows import unit_rows
from ..._typing import MatrixLike
from ..._validation import validated_fit
from ...base import FactorRecommenderMixin


class TowerRecommender(FactorRecommenderMixin, NetworkLearner):
    """Base of recommenders whose network has an encoder for each domain and scores by mean codes.

    A subclass implements

    - ``_domains(X)``, which returns the rows of each domain as the network reads them;
    - ``_rows_to_learn(*data, reset)``, which returns (X, y) for the network from valid data;
    - what `NetworkLearner` asks for, except the builder.
    """

    _matches_columns_by_place = True

    search_distributions: ClassVar = {
        "n_components": [16, 32, 64, 128, 256],
        "learning_rate": loguniform(0.0003, 0.01),
        "input_dropout": uniform(0, 0.8),
    }

    @validated_fit
    def partial_fit(self, X: MatrixLike, y: MatrixLike | None = None) -> Self:
        """Train the network for one epoch on the rows of X, going on from its present weights.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            Rows as in `fit`, with the same columns as before.
        y : {array-like, sparse matrix} of shape (n_rows, n_items), default=None
            The interactions of the rows, as in `fit`; ignored where `fit` ignores it.

        Returns
        -------
        self : object
            Its `popularity_` counts the rows of all calls since the last `fit`, and of that one.
        """
        is_first = not hasattr(self, "_fitted_network")
        data = self._valid_data(X, y, reset=is_first)
        self._partial_fit_network(*self._rows_to_learn(*data, reset=is_first))
        items = self._items_of(*data)
        self._count_popularity(items, anew=is_first)
        self.n_items_ = items.shape[1]
        return self

    def _fit(self, *data):
        self._fit_network(*self._rows_to_learn(*data, reset=True))
        self._n_learned_rows = data[0].shape[0]

    @property
    def item_factors_(self) -> NDArray[np.float32]:
        """The vectors of the items, from the kernel of the output layer."""
        return self._weights_of_output("kernel").T

    @property
    def item_bias_(self) -> NDArray[np.float32]:
        """The biases of the items, from the output layer."""
        return self._weights_of_output("bias")

    def _weights_of_output(self, name):
        if not hasattr(self, "_fitted_network"):
            raise AttributeError(f"This {type(self).__name__} is not fitted yet.")
        return self._fitted_network.weights[f"output/{name}"]

    def _builder(self, X, y):
        domains = self._domains(X)
        n_items = X.shape[1] if y is None else y.shape[1]
        return towers, {
            "n_features": tuple(rows.shape[1] for rows in domains),
            "n_outputs": n_items,
            "hidden_layer_sizes": self._layer_sizes("hidden_layer_sizes"),
            "n_components": self.n_components,
            "activation": self.activation,
            "loss": "multinomial",
            "variational": self.kind == "variational",
        }

    @property
    def _wants_unit_rows(self):
        return bool(self.normalize)

    def _read(self, rows, rng):
        """Return the rows of a domain as the network reads them, corrupted if `rng` is given."""
        rows = unit_rows(rows) if self._reads_unit_rows else rows
        return rows if rng is None else corrupted(rows, self.input_dropout, rng)

    def _row_factors(self, X):
        return self._forward("encoder", X, (self._n_features_out,))


def known_shares(domains):
    """Return the weight of each domain in the mean code of a row: equal for all that know it."""
    is_known = np.column_stack([row_lengths(rows) > 0 for rows in domains])
    return (is_known / np.maximum(is_known.sum(axis=1, keepdims=True), 1)).astype(np.float32)
