"""The rotation that takes one set of factors to another."""

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.extmath import safe_sparse_dot

from ..._validation import (
    _check_sample_weight,
    _fit_context,
    check_is_fitted,
    restores_on_error,
    validate_data,
)
from ..._validation._finite import check_magnitude, finite_output
from ..._version_stamp import VersionStampMixin

_SPARSE_FORMATS = ("csr", "csc", "coo")


class ProcrustesRegressor(VersionStampMixin, MultiOutputMixin, RegressorMixin, BaseEstimator):
    r"""Orthogonal map from X to several targets, which keeps lengths and angles (Procrustes).

    A regressor with several outputs that has no more freedom than a rotation or reflection, one
    scale and an offset: between the factors of two domains it needs far fewer shared rows than a
    free linear map, and suits domains whose factors are the same taste seen from another angle.

    Parameters
    ----------
    fit_intercept : bool, default=True
        Whether to centre X and y first. If not, the origin is mapped to the origin.
    fit_scale : bool, default=True
        Whether to learn one scale for all outputs. If not, lengths are kept, as in [1]_, so that
        factors which are shrunk more in one domain than in the other are mapped too long or too
        short.

    Attributes
    ----------
    coef_ : ndarray of shape (n_outputs, n_features_in_) or (n_features_in_,)
        The scale times the map. The map has orthonormal rows where there are at least as many
        features as outputs, and orthonormal columns otherwise; it has one axis where y has one.
    intercept_ : ndarray of shape (n_outputs,) or float
        The offset, zero without `fit_intercept`.
    scale_ : float
        The scale, 1 without `fit_scale`.
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
    With X and Y centred and weighted by the diagonal matrix S of the sample weights, the thin
    singular value decomposition :math:`X^\top S Y = P \Sigma Q^\top` gives

    .. math:: W = P Q^\top = \arg\min_W \|S^{1/2} (X W - Y)\|_F^2, \qquad
        s = \frac{\mathrm{tr}\,\Sigma}{\|S^{1/2} X W\|_F^2},

    over orthogonal W. Where the widths differ, the narrower of X and Y is padded with columns of
    zeros, which makes W square, and the padding is then left out of W. The scale s is the best one
    for this W. The cost is one product of X and Y, and :math:`O(k_x k_y \min(k_x, k_y))`. Sparse X
    is never made dense. The result is deterministic.

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

    _parameter_constraints: dict = {"fit_intercept": ["boolean"], "fit_scale": ["boolean"]}

    def __init__(self, *, fit_intercept=True, fit_scale=True):
        self.fit_intercept = fit_intercept
        self.fit_scale = fit_scale

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @restores_on_error
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Learn the map from X to y.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Such as the factors of rows in the source.
        y : array-like of shape (n_samples, n_outputs) or (n_samples,)
            Such as their factors in the target.
        sample_weight : array-like of shape (n_samples,) or float, default=None
            Weights of the rows, 0 or more; None weighs all alike.

        Returns
        -------
        self : object
        """
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=_SPARSE_FORMATS,
            dtype=(np.float64, np.float32),
            multi_output=True,
            y_numeric=True,
        )
        weights = _check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)
        if not weights.any():
            raise ValueError("sample_weight is zero for every row: give some rows a weight.")
        Y = y.reshape(len(y), -1).astype(X.dtype, copy=False)
        check_magnitude(Y, name="y")
        X_mean, Y_mean = self._centre(X, weights), self._centre(Y, weights)
        W, total = _orthogonal_map(X, Y - Y_mean, weights)
        self.scale_ = self._scale(X @ W - X_mean @ W, total, weights)
        coef = self.scale_ * W.T
        intercept = Y_mean - coef @ X_mean
        one_output = y.ndim == 1
        self.coef_ = coef[0] if one_output else coef
        self.intercept_ = float(intercept[0]) if one_output else intercept
        return self

    @finite_output
    def predict(self, X):
        """Map rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features_in_)
            The rows.

        Returns
        -------
        y : ndarray of shape (n_samples, n_outputs) or (n_samples,)
        """
        check_is_fitted(self)
        X = validate_data(
            self, X, reset=False, accept_sparse=_SPARSE_FORMATS, dtype=(np.float64, np.float32)
        )
        return safe_sparse_dot(X, self.coef_.T, dense_output=True) + self.intercept_

    def _centre(self, X, weights):
        """Return what is taken off each row of X."""
        if not self.fit_intercept:
            return np.zeros(X.shape[1], dtype=X.dtype)
        return (X.T @ weights) / weights.sum()

    def _scale(self, mapped, total, weights):
        """Return the scale of the mapped rows that fits best."""
        squares = float(weights @ (mapped**2).sum(axis=1))
        return total / squares if self.fit_scale and squares > 0 else 1.0


def _orthogonal_map(X, Y, weights):
    """Return the orthogonal map from X to Y that fits best, and the sum of singular values."""
    P, singular_values, Qt = np.linalg.svd(X.T @ (weights[:, None] * Y), full_matrices=False)
    return P @ Qt, float(singular_values.sum())
