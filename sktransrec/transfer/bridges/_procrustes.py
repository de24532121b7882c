# SPDX-License-Identifier: BSD-3-Clause
"""The rotation that maps one set of factors onto another."""

from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.extmath import safe_sparse_dot

from ..._columns import check_row_labels
from ..._numerics._entries import as_dense
from ..._typing import MatrixLike
from ..._validation import (
    SPARSE_FORMATS,
    _check_sample_weight,
    check_array,
    check_is_fitted,
    validate_data,
    validated_fit,
)
from ..._validation._finite import finite_output
from ..._version_stamp import VersionStampMixin


class ProcrustesRegressor(VersionStampMixin, MultiOutputMixin, RegressorMixin, BaseEstimator):
    r"""Learn a rotation from X to several outputs, from few rows (Procrustes).

    Use it as the regressor of a `BridgeRecommender` when few rows are known in both domains and
    the factors of both describe the same tastes with different axes. Try
    :class:`~sklearn.linear_model.Ridge` first if many rows are known in both: a free linear map
    can learn more, but needs far more rows. This regressor learns only a rotation or reflection,
    one scale and an offset.

    Parameters
    ----------
    fit_intercept : bool, default=True
        Whether to centre X and y first. If not, the origin is mapped to the origin.
    fit_scale : bool, default=True
        Whether to learn one scale for all outputs. If not, lengths are kept, as in [1]_. If the
        factors are shrunk more in one domain than in the other, the mapped factors are then too
        long or too short.

    Attributes
    ----------
    coef_ : ndarray of shape (n_outputs, n_features_in_) or (n_features_in_,)
        The scale times the map. The map has orthonormal rows if there are at least as many
        features as outputs, and orthonormal columns otherwise. It is one-dimensional if y is.
    intercept_ : ndarray of shape (n_outputs,) or float
        The offset; zero if `fit_intercept` is False.
    scale_ : float
        The scale; 1 if `fit_scale` is False.
    n_features_in_ : int
        Number of columns of X seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, if X had any.

    See Also
    --------
    BridgeRecommender : Takes any regressor as the bridge between two domains.
    sklearn.linear_model.Ridge : A free linear map.

    Notes
    -----
    X and Y are centred, and S is the diagonal matrix of the sample weights. The thin singular value
    decomposition :math:`X^\top S Y = P \Sigma Q^\top` gives

    .. math:: W = P Q^\top = \arg\min_W \|S^{1/2} (X W - Y)\|_F^2, \qquad
        s = \frac{\mathrm{tr}\,\Sigma}{\|S^{1/2} X W\|_F^2},

    over orthogonal W. If X and Y have different numbers of columns, :math:`k_x` and :math:`k_y`,
    the narrower one is padded with columns of zeros, which makes W square; the padding is then
    removed from W. The scale s is the best one for this W. The cost is one product of X and Y, and
    :math:`O(k_x k_y \min(k_x, k_y))`. Sparse X is never made dense. The result is deterministic.

    References
    ----------
    .. [1] P. H. Schönemann, "A generalized solution of the orthogonal Procrustes problem",
       Psychometrika 31(1), 1966. :doi:`10.1007/BF02289451`

    Examples
    --------
    >>> import numpy as np
    >>> from sktransrec import ProcrustesRegressor
    >>> X = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> quarter_turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    >>> model = ProcrustesRegressor().fit(X, 2 * X @ quarter_turn + 5)
    >>> round(model.scale_, 6)
    2.0
    >>> model.predict([[2.0, 0.0]]).round(6)
    array([[5., 9.]])
    """

    coef_: NDArray[Any]
    intercept_: float | NDArray[Any]
    scale_: float
    n_features_in_: int
    feature_names_in_: NDArray[Any]

    _parameter_constraints: dict = {"fit_intercept": ["boolean"], "fit_scale": ["boolean"]}

    def __init__(self, *, fit_intercept: bool = True, fit_scale: bool = True) -> None:
        self.fit_intercept = fit_intercept
        self.fit_scale = fit_scale

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @validated_fit
    def fit(self, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn the map from X to y.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The inputs, for example the factors of rows in the source.
        y : array-like of shape (n_samples, n_outputs) or (n_samples,)
            The outputs, for example the factors of the same rows in the target.
        sample_weight : array-like of shape (n_samples,) or float, default=None
            Weights of the rows, 0 or more; None gives all rows the same weight.

        Returns
        -------
        self : object
        """
        if sp.issparse(y):
            raise TypeError("y is a sparse matrix: pass y.toarray().")
        check_row_labels(X, y)
        check_row_labels(X, sample_weight, name="sample_weight")
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=SPARSE_FORMATS,
            dtype=(np.float64, np.float32),
            multi_output=True,
            y_numeric=True,
        )
        y = as_dense(y)  # a DataFrame with sparse columns has become a sparse matrix
        weights = _check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)
        if not weights.any():
            raise ValueError("sample_weight is zero for every row: give some rows a weight.")
        Y = check_array(y.reshape(len(y), -1), dtype=X.dtype, input_name="y")
        dtype = X.dtype
        # Products of means far from zero lose the rotation in float32.
        X, Y, weights = (each.astype(np.float64, copy=False) for each in (X, Y, weights))
        X_mean, Y_mean = self._centre(X, weights), self._centre(Y, weights)
        W, total = _orthogonal_map(X, Y - Y_mean, weights)
        self.scale_ = self._scale(X @ W - X_mean @ W, total, weights)
        coef = self.scale_ * W.T
        intercept = (Y_mean - coef @ X_mean).astype(dtype)
        coef = coef.astype(dtype)
        one_output = y.ndim == 1
        self.coef_ = coef[0] if one_output else coef
        self.intercept_ = float(intercept[0]) if one_output else intercept
        return self

    @finite_output
    def predict(self, X: MatrixLike) -> NDArray[Any]:
        """Map rows from the space of X to the space of y.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features_in_)
            Rows, seen in `fit` or not.

        Returns
        -------
        y : ndarray of shape (n_samples, n_outputs) or (n_samples,)
        """
        check_is_fitted(self)
        X = validate_data(
            self, X, reset=False, accept_sparse=SPARSE_FORMATS, dtype=(np.float64, np.float32)
        )
        return safe_sparse_dot(X, self.coef_.T, dense_output=True) + self.intercept_

    def _centre(self, X, weights):
        """Return the vector that is subtracted from each row of X."""
        if not self.fit_intercept:
            return np.zeros(X.shape[1], dtype=X.dtype)
        return (X.T @ weights) / weights.sum()

    def _scale(self, mapped, total, weights):
        """Return the best scale for the mapped rows."""
        squares = float(weights @ (mapped**2).sum(axis=1))
        return total / squares if self.fit_scale and squares > 0 else 1.0


def _orthogonal_map(X, Y, weights):
    """Return the best orthogonal map from X to Y, and the sum of the singular values."""
    P, singular_values, Qt = np.linalg.svd(X.T @ (weights[:, None] * Y), full_matrices=False)
    return P @ Qt, float(singular_values.sum())
