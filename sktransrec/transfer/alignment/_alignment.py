# SPDX-License-Identifier: BSD-3-Clause
"""Linear maps that move the features of the target onto those of the source."""

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from ..._columns import check_row_labels
from ..._validation import (
    AUTO,
    FROM_0_TO_1,
    check_is_fitted,
    check_sample_domain,
    validate_data,
    validated_fit,
    warn_of_ignored_domains,
)
from ..._validation._finite import finite_output
from ..._version_stamp import VersionStampMixin
from ..bridges._procrustes import ProcrustesRegressor


class LinearAligner(VersionStampMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Base of transformers that move target rows by a linear map and keep source rows.

    A subclass implements ``_map_to_source(source, target)``, which gets the float64 rows of both
    domains and returns the (coef, intercept) of the map.
    """

    coef_: NDArray[Any]
    intercept_: NDArray[Any]
    n_features_in_: int
    feature_names_in_: NDArray[Any]

    _parameter_constraints: dict = {}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    # The names of the columns stay, but each one becomes a sum of several.
    mixes_columns = True

    @validated_fit
    def fit(self, X: ArrayLike, y: Any = None, sample_domain: ArrayLike | None = None) -> Self:
        """Learn the map from the rows of both domains.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            The features of the source rows and the target rows together.
        y : Ignored
            Not used; pipelines of scikit-learn pass it.
        sample_domain : array-like of shape (n_rows,), default=None
            One number for each row: above zero for the source, below zero for the target. None
            means that all rows are of one domain, so that there is nothing to move.

        Returns
        -------
        self : object
        """
        warn_of_ignored_domains(y, sample_domain)
        self._set_map(*self._valid_rows_and_domains(X, sample_domain, reset=True))
        return self

    @finite_output
    def transform(self, X: ArrayLike, sample_domain: ArrayLike | None = None) -> NDArray[Any]:
        """Move the rows of the target.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features_in_)
            Rows, seen in `fit` or not.
        sample_domain : array-like of shape (n_rows,) or number, default=None
            Above zero for rows of the source, which stay as they are, and below zero for those of
            the target. A single number is used for all rows. None means that all rows are of the
            target.

        Returns
        -------
        aligned : ndarray of shape (n_rows, n_features_in_)
            The rows, with the dtype of X if that is float32 or float64.
        """
        check_is_fitted(self)
        X, is_source = self._valid_rows_and_domains(X, sample_domain, reset=False)
        aligned = (X @ self.coef_.T + self.intercept_).astype(X.dtype, copy=False)
        return aligned if is_source is None else np.where(is_source[:, None], X, aligned)

    def fit_transform(
        self, X: ArrayLike, y: Any = None, sample_domain: ArrayLike | None = None
    ) -> NDArray[Any]:
        """Learn the map from the rows of both domains, and move those of the target.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            The features of the source rows and the target rows together.
        y : Ignored
            Not used; pipelines of scikit-learn pass it.
        sample_domain : array-like of shape (n_rows,), default=None
            One number for each row: above zero for the source, below zero for the target.

        Returns
        -------
        aligned : ndarray of shape (n_rows, n_features_in_)
        """
        return self.fit(X, y, sample_domain).transform(X, sample_domain)

    def _valid_rows_and_domains(self, X, sample_domain, *, reset):
        """Return valid rows, and the mask of those of the source or None."""
        valid = validate_data(self, X, reset=reset, dtype=(np.float64, np.float32))
        return valid, check_sample_domain(sample_domain, X, len(valid), both=reset)

    def _set_map(self, X, is_source):
        """Set the map that a function finds, or the identity if there is only one domain."""
        coef, intercept = np.eye(X.shape[1]), np.zeros(X.shape[1])
        if is_source is not None:
            rows = X.astype(np.float64, copy=False)
            coef, intercept = self._map_to_source(rows[is_source], rows[~is_source])
        self.coef_, self.intercept_ = coef.astype(X.dtype), intercept.astype(X.dtype)


class CORALAligner(LinearAligner):
    r"""Give the features of the target the mean and the covariance of the source (CORAL).

    Use it when the features mean the same in both domains but are distributed differently, such as
    the content of the items of two catalogues. It is the aligner to try first: it is fast, and
    needs no rows that are known in both domains. If the domains have different axes, use
    `ProcrustesAligner`. A recommender that was fitted on the features of the source can then read
    ``transform(X_target)``.

    Parameters
    ----------
    covariance_shrinkage : float or "auto", default="auto"
        How much both covariances are shrunk towards a multiple of the identity, from 0 (not at all)
        to 1 (only one scale for all features is left). "auto" uses the amount of Ledoit and Wolf
        for each domain, which is larger for fewer rows.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features_in_, n_features_in_)
        The matrix of the map; a target row is multiplied by it from the left.
    intercept_ : ndarray of shape (n_features_in_,)
        The offset that is then added.
    n_features_in_ : int
        Number of columns of X seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, if X had any.

    See Also
    --------
    MMDAligner : Aligns more than the first two moments.
    ProcrustesAligner : A rotation, learned from rows that are known in both domains.
    DomainAdversarialAutoencoder : Learns features by which the domains cannot be told apart.
    sktransrec.evaluation.proxy_a_distance : How well a classifier can tell the domains apart.

    Notes
    -----
    With the means :math:`\mu` and the shrunk covariances C of source s and target t, a row x of the
    target becomes

    .. math:: \mu_s + C_s^{1/2} C_t^{-1/2} (x - \mu_t) .

    This is the map of [1]_ with the domains swapped, and it moves the means as well. In [1]_, the
    source is moved, and a model is then fitted to it. Here, the target is moved, so an existing
    model of the source can be used. To move the source instead, change the signs of
    `sample_domain`. Covariances do not show a rotation: the map undoes a distortion of the target
    exactly if the distortion is symmetric, positive definite and commutes with the covariance of
    the source. Directions without any variance in the target are dropped.

    The cost is :math:`O(n d^2 + d^3)` for n rows of d features. If d is large, reduce it first, for
    example with :class:`~sklearn.decomposition.TruncatedSVD`. The result is deterministic.

    References
    ----------
    .. [1] B. Sun, J. Feng and K. Saenko, "Return of frustratingly easy domain adaptation", AAAI
       2016. :arxiv:`1511.05547`

    Examples
    --------
    >>> import numpy as np
    >>> from sktransrec import CORALAligner
    >>> X_source = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> X_target = 5 * X_source + 2
    >>> X, domain = np.vstack([X_source, X_target]), [1, 1, 1, 1, -1, -1, -1, -1]
    >>> aligner = CORALAligner(covariance_shrinkage=0).fit(X, sample_domain=domain)
    >>> aligner.transform(X_target).round(6)
    array([[0., 0.],
           [1., 0.],
           [0., 1.],
           [1., 1.]])
    """

    _parameter_constraints: dict = {"covariance_shrinkage": [*FROM_0_TO_1, *AUTO]}

    def __init__(self, *, covariance_shrinkage: float | Literal["auto"] = "auto") -> None:
        self.covariance_shrinkage = covariance_shrinkage

    def _map_to_source(self, source, target):
        return moment_map(source, target, self.covariance_shrinkage)


class ProcrustesAligner(LinearAligner):
    """Rotate the features of the target onto those of the source, by rows in both (anchors).

    Use it when the features were learned in each domain separately, such as the factors of two
    models, so that each domain has its own axes. It needs anchors: rows that are the same person
    or product in both domains show how the axes correspond. Try `CORALAligner` first if the
    features mean the same in both domains, as content does. A recommender that was fitted on the
    features of the source can then read ``transform(X_target)``.

    Parameters
    ----------
    fit_intercept : bool, default=True
        Whether to centre the anchors of both domains first. If not, the origin stays where it is.
    fit_scale : bool, default=True
        Whether to learn one scale for all features. If not, lengths are kept.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features_in_, n_features_in_)
        The matrix of the map, an orthogonal matrix times the scale; a target row is multiplied by
        it from the left.
    intercept_ : ndarray of shape (n_features_in_,)
        The offset that is then added.
    n_features_in_ : int
        Number of columns of X seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, if X had any.

    See Also
    --------
    ProcrustesRegressor : The map itself, between any numbers of features.
    CORALAligner : Needs no anchors, but does not see rotations.

    Notes
    -----
    `ProcrustesRegressor` learns the map [1]_ from the target rows of the anchors to their source
    rows. Use at least as many anchors as features: in directions that no anchor spans, the rotation
    is arbitrary. If one domain has fewer features, fill them up with columns of zeros.

    The cost is that of the singular value decomposition of a matrix of n_features by n_features.
    The result is deterministic.

    References
    ----------
    .. [1] P. H. Schönemann, "A generalized solution of the orthogonal Procrustes problem",
       Psychometrika 31(1), 1966. :doi:`10.1007/BF02289451`

    Examples
    --------
    >>> import numpy as np
    >>> from sktransrec import ProcrustesAligner
    >>> X_source = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    >>> X_target = X_source @ [[0.0, 1.0], [-1.0, 0.0]]
    >>> X, domain = np.vstack([X_source, X_target]), [1, 1, 1, -1, -1, -1]
    >>> aligner = ProcrustesAligner().fit(X, sample_domain=domain, anchor_ids=[7, 8, 9, 7, 8, 9])
    >>> abs(aligner.transform(X_target)).round(6)
    array([[0., 0.],
           [1., 0.],
           [0., 2.]])
    """

    _parameter_constraints: dict = ProcrustesRegressor._parameter_constraints

    def __init__(self, *, fit_intercept: bool = True, fit_scale: bool = True) -> None:
        self.fit_intercept = fit_intercept
        self.fit_scale = fit_scale

    @validated_fit
    def fit(
        self,
        X: ArrayLike,
        y: Any = None,
        sample_domain: ArrayLike | None = None,
        anchor_ids: ArrayLike | None = None,
    ) -> Self:
        """Learn the map from the anchors.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            The features of the source rows and the target rows together.
        y : Ignored
            Not used; pipelines of scikit-learn pass it.
        sample_domain : array-like of shape (n_rows,), default=None
            One number for each row: above zero for the source, below zero for the target. None
            means that all rows are of one domain, so that there is nothing to move.
        anchor_ids : array-like of int of shape (n_rows,), default=None
            One number for each row. A source row and a target row with the same number, 0 or more,
            are an anchor; -1 stands for all other rows. Required if there are two domains.

        Returns
        -------
        self : object
        """
        warn_of_ignored_domains(y, sample_domain)
        check_row_labels(X, anchor_ids, name="anchor_ids")
        X, is_source = self._valid_rows_and_domains(X, sample_domain, reset=True)
        if is_source is not None:
            source_rows, target_rows = _anchor_rows(anchor_ids, is_source)
            rows = np.concatenate([source_rows, target_rows])
            X, is_source = X[rows], is_source[rows]
        self._set_map(X, is_source)
        return self

    def fit_transform(
        self,
        X: ArrayLike,
        y: Any = None,
        sample_domain: ArrayLike | None = None,
        anchor_ids: ArrayLike | None = None,
    ) -> NDArray[Any]:
        """Learn the map from the anchors, and move the rows of the target.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_features)
            The features of the source rows and the target rows together.
        y : Ignored
            Not used; pipelines of scikit-learn pass it.
        sample_domain : array-like of shape (n_rows,), default=None
            One number for each row: above zero for the source, below zero for the target.
        anchor_ids : array-like of int of shape (n_rows,), default=None
            One number for each row, the same for the source row and the target row of an anchor;
            -1 for all other rows.

        Returns
        -------
        aligned : ndarray of shape (n_rows, n_features_in_)
        """
        return self.fit(X, y, sample_domain, anchor_ids).transform(X, sample_domain)

    def _map_to_source(self, source, target):
        regressor = ProcrustesRegressor(fit_intercept=self.fit_intercept, fit_scale=self.fit_scale)
        regressor.fit(target, source)
        return regressor.coef_, regressor.intercept_


def moment_map(source, target, shrinkage):
    """Return (coef, intercept) of the map that gives target rows the moments of the source."""
    for name, rows in (("source", source), ("target", target)):
        if len(rows) < 2:
            raise ValueError(
                f"sample_domain has one row of the {name}, but a covariance needs 2 or more: pass "
                "more rows."
            )
    source_covariance, target_covariance = (
        _covariance(rows, shrinkage) for rows in (source, target)
    )
    coef = _power(source_covariance, 0.5) @ _power(target_covariance, -0.5)
    return coef, source.mean(axis=0) - coef @ target.mean(axis=0)


def _covariance(rows, shrinkage):
    from sklearn.covariance import (  # slow to import
        empirical_covariance,
        ledoit_wolf,
        shrunk_covariance,
    )

    if shrinkage == "auto":
        return ledoit_wolf(rows)[0]
    return shrunk_covariance(empirical_covariance(rows), shrinkage)


def _power(covariance, exponent):
    """Return a power of a symmetric matrix; directions with eigenvalue zero stay zero."""
    eigenvalues, vectors = np.linalg.eigh(covariance)
    is_zero = eigenvalues <= eigenvalues.max() * len(eigenvalues) * np.finfo(float).eps
    powers = np.where(is_zero, 0, np.where(is_zero, 1, eigenvalues) ** exponent)
    return (vectors * powers) @ vectors.T


def _anchor_rows(anchor_ids, is_source):
    """Return the source rows and the target rows of the anchors, in the same order."""
    if anchor_ids is None:
        raise ValueError(
            "anchor_ids is None: pass a number for each row of X, the same number for a source row "
            "and a target row that belong together, and -1 for all other rows."
        )
    ids = np.asarray(anchor_ids)
    if ids.shape != is_source.shape or ids.dtype.kind not in "iu":
        raise ValueError(
            f"anchor_ids has shape {ids.shape} and dtype {ids.dtype}, but X has {len(is_source)} "
            "rows: pass one integer for each row."
        )
    of_domain = {
        "source": ids[is_source & (ids >= 0)],
        "target": ids[~is_source & (ids >= 0)],
    }
    for name, own in of_domain.items():
        if len(np.unique(own)) < len(own):
            raise ValueError(
                f"anchor_ids repeats a number within the {name}: each anchor must be one row of "
                "each domain."
            )
    shared = np.intersect1d(*of_domain.values())
    if not shared.size:
        raise ValueError(
            "anchor_ids has no number that is in both source and target: give the two rows of an "
            "anchor the same number."
        )
    rows = np.flatnonzero(np.isin(ids, shared))
    rows = rows[np.argsort(ids[rows], kind="stable")]
    return rows[is_source[rows]], rows[~is_source[rows]]
