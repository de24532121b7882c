# SPDX-License-Identifier: BSD-3-Clause
"""What every feature learner is: a transformer whose features a network learns."""

from typing import Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin

from .._columns import check_row_labels, column_names, first_displaced
from .._engine._learner import NetworkLearner
from .._typing import MatrixLike
from .._validation import check_array, check_is_fitted, check_no_id_names, check_rows, validated_fit
from .._validation._finite import finite_output
from .._version_stamp import VersionStampMixin


class FeatureLearner(
    VersionStampMixin,
    NetworkLearner,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Base of transformers whose features are the layer "code" of a neural network.

    A subclass adds the parameters that it needs, and implements what `NetworkLearner` asks for and
    ``_check_rows(X, reset)``, where X is no matrix of features.
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @validated_fit
    def fit(self, X: MatrixLike, y: MatrixLike | None = None) -> Self:
        """Train the network on the rows of X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            The rows, in a form that the class takes. A sparse matrix is never made dense as a
            whole.
        y : {array-like, sparse matrix} of shape (n_rows, n_outputs) or (n_rows,), default=None
            What the features are to predict. With one axis, it holds the column of the single item
            of each row if the loss is "multinomial", and a number for each row otherwise. A
            recommender after this step of a `Pipeline` always reads one axis as columns: pass a
            matrix, which both read alike. Ignored by `Autoencoder`.

        Returns
        -------
        self : object
        """
        check_row_labels(X, y)
        return self._fit_network(X, y)

    @validated_fit
    def partial_fit(self, X: MatrixLike, y: MatrixLike | None = None) -> Self:
        """Train the network for one epoch on the rows of X, going on from its present weights.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            The rows.
        y : {array-like, sparse matrix} of shape (n_rows, n_outputs) or (n_rows,), default=None
            What the features are to predict, as in `fit`. Ignored by `Autoencoder`.

        Returns
        -------
        self : object
        """
        check_row_labels(X, y)
        return self._partial_fit_network(X, y)

    @finite_output
    def transform(self, X: MatrixLike) -> NDArray[np.float32]:
        """Return the features of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features_in_)
            Rows, seen in `fit` or not.

        Returns
        -------
        features : ndarray of shape (n_rows, n_components), dtype float32
        """
        check_is_fitted(self)
        X = self._check_rows(X, reset=False)
        return self._forward("encoder", X, (self._n_features_out,))

    def _finish(self, trainer, history, *, keep_trainer):
        super()._finish(trainer, history, keep_trainer=keep_trainer)
        self._n_features_out = self.n_components

    def _check_rows(self, X, *, reset):
        if reset:
            check_no_id_names(X, name="X")
        return check_rows(self, X, reset=reset)

    def _check_codes(self, X):
        """Return validated features, as `transform` returns them."""
        names = column_names(X)
        if names is not None:
            self._check_order_of_features(names)
        codes = check_array(X, dtype=np.float32, input_name="X")
        if codes.shape[1] != self._n_features_out:
            raise ValueError(
                f"X has {codes.shape[1]} columns, but {type(self).__name__} has "
                f"{self._n_features_out} features: pass what transform returned."
            )
        return codes

    def _check_order_of_features(self, names):
        """Raise if the features that `transform` returns are called so, in another order."""
        known = self.get_feature_names_out()
        place = first_displaced(names, known)
        if place is not None:
            raise ValueError(
                f"X has the feature {names[place]!r} where transform returns {known[place]!r}: "
                "pass the features in the order of get_feature_names_out."
            )


def check_range(X, loss, *, name):
    """Raise unless the loss takes all values of a dense or sparse matrix."""
    values = X.data if sp.issparse(X) else X
    smallest, largest = values.min(initial=0), values.max(initial=0)
    if loss != "mse" and smallest < 0:
        raise ValueError(
            f"Negative values in data passed to {name}: the smallest is {smallest:g}, and "
            f'loss="{loss}" takes none. Shift or drop them, or choose loss="mse".'
        )
    if loss == "binary_crossentropy" and largest > 1:
        raise ValueError(
            f'{name} holds values up to {largest:g}, and loss="binary_crossentropy" takes those '
            f"from 0 to 1: make them 0 and 1 ({name} > 0), scale them, or choose another loss."
        )
