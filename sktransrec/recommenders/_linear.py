"""Linear recommenders in closed form: regression of y on X, or of X on its other columns."""

from itertools import pairwise
from numbers import Real
from typing import ClassVar

import numpy as np
import scipy.sparse as sp
from scipy.stats import loguniform
from sklearn.utils import gen_batches

from .._numerics._gram import (
    DualMap,
    as_dense,
    factorize,
    row_products,
    smaller_solver,
    solver_dtype,
    subtract_outer_sum,
    upper_gram,
)
from .._numerics._memory import require_memory
from .._numerics._row_blocks import entry_rows
from .._numerics._spd import inverse, solve
from .._validation import Interval, StrOptions, get_chunk_n_rows
from ..base import InDomainRecommender, SimilarItemsMixin, SupervisedRecommender

_SOLVERS = StrOptions({"auto", "primal", "dual"})


class RidgeRecommender(SupervisedRecommender):
    r"""Recommend to users who are new to a domain, by ridge regression on what is known of them.

    Use it if the rows have no history in the target, but are known in a source domain or by
    features. Try it on the source items themselves first, and put an encoder in front only if this
    is better on held-out rows. It is a supervised recommender: it learns the map from X to y in
    closed form. X may be dense (features) or sparse (the items of a source domain); y stays sparse.

    Parameters
    ----------
    regularization : float, default=50.0
        Weight :math:`\lambda` of the squared norm of the coefficients, above 0. It is in the units
        of the squared columns of X: 50 to 100 suits the interactions of a source domain, less suits
        the features of an encoder. A larger value moves the scores of all rows towards the mean of
        y.
    fit_intercept : bool, default=True
        Whether to fit an intercept. With it, the scores of every row start from the popularity of
        the items. Neither y nor a sparse X is centred in memory.
    solver : {"auto", "primal", "dual"}, default="auto"
        "primal" inverts an (n_features, n_features) matrix, "dual" an (n_rows, n_rows) matrix, and
        "auto" takes the smaller one. They give the same scores. "dual" keeps the rows of X, and
        those of y if y has more columns than rows, also in a saved file. Choose "primal" if you
        want to share the file.

    Attributes
    ----------
    coef_ : ndarray of shape (n_items_, n_features_in_), dtype float32
        The coefficients; the dual solver computes them at each access.
    intercept_ : ndarray of shape (n_items_,), dtype float32
        The score of a row at the origin.
    solver_ : {"primal", "dual"}
        The solver used.
    n_items_ : int
        Number of items that can be recommended.
    popularity_ : ndarray of shape (n_items_,), dtype float32
        The share of the rows that have each item; an empty row gets these as its scores.
    n_features_in_ : int
        Number of columns of X seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, if X had any.

    See Also
    --------
    BridgeRecommender : Regression to the factors of the target rather than to its items.
    EASERecommender : The same within one domain, where an item must not predict itself.

    Notes
    -----
    With n rows, it minimises over W and b

    .. math:: \|Y - X W - 1 b^T\|_F^2 + \lambda \|W\|_F^2 .

    With X and Y centred (in algebra only), the primal solution is
    :math:`W = (X^T X + \lambda I)^{-1} X^T Y`, the dual one
    :math:`W = X^T (X X^T + \lambda I)^{-1} Y`.

    The primal solver takes n_features³/3 + 2 n_features² n_items flops and keeps W, which takes
    4 n_features n_items bytes. The dual solver takes n_rows³ flops and keeps X, y and the inverse,
    which takes 4 n_rows² bytes, or 4 n_rows n_items if that is less. Both work in float32 if the
    condition number allows it, and otherwise in float64, with 8 instead of 4 bytes for the inverted
    matrix. The result is deterministic.

    References
    ----------
    .. [1] Hoerl and Kennard (1970). Ridge Regression: Biased Estimation for Nonorthogonal
       Problems. Technometrics 12. :doi:`10.1080/00401706.1970.10488634`

    Examples
    --------
    >>> from sktransrec import RidgeRecommender
    >>> X_source = [[1, 0], [1, 0], [0, 1], [0, 1]]
    >>> Y_target = [[1, 0, 1], [1, 0, 0], [0, 1, 0], [0, 1, 1]]
    >>> model = RidgeRecommender(regularization=0.1).fit(X_source, Y_target)
    >>> items, _ = model.recommend([[0, 1]], n_recommendations=2)
    >>> items
    array([[1, 2]])
    """

    _parameter_constraints: dict = {
        "regularization": [Interval(Real, 0, None, closed="neither")],
        "fit_intercept": ["boolean"],
        "solver": [_SOLVERS],
    }

    search_distributions: ClassVar = {"regularization": loguniform(1, 10000)}

    def __init__(self, regularization=50.0, *, fit_intercept=True, solver="auto"):
        self.regularization = regularization
        self.fit_intercept = fit_intercept
        self.solver = solver

    @property
    def coef_(self):
        weights = self._map if self.solver_ == "primal" else self._map.coefficients()
        return weights.T.astype(np.float32, copy=False)

    def _fit(self, X, y):
        self.solver_ = smaller_solver(X.shape) if self.solver == "auto" else self.solver
        X_mean, y_mean = self._column_means(X), self._column_means(y)
        shifted = X if sp.issparse(X) else X - X_mean.astype(np.float32)
        dtype = solver_dtype(shifted, self.regularization, self.solver_)
        require_memory(
            _ridge_bytes(self.solver_, X.shape, y.shape[1], dtype.itemsize),
            self,
            "Reduce the columns of X first, with TruncatedSVD or an encoder.",
        )
        fit_map = self._primal_map if self.solver_ == "primal" else self._dual_map
        # The Gram matrix subtracts the means that are left: all of them if X is sparse.
        self._map = fit_map(
            shifted.astype(dtype, copy=False), y, self._column_means(shifted), y_mean
        )
        mean_row = X_mean[None].astype(np.float32)
        self.intercept_ = (y_mean - self._mapped(mean_row)[0]).astype(np.float32)

    def _column_means(self, X):
        if not self.fit_intercept:
            return np.zeros(X.shape[1])
        return X.mean(axis=0, dtype=np.float64)

    def _primal_map(self, X, y, X_mean, y_mean):
        """Return W, of shape (n_features, n_items), solved in blocks of items."""
        (n_rows, n_features), n_items = X.shape, y.shape[1]
        gram = upper_gram(X)
        subtract_outer_sum(gram, X_mean, n_rows / 2 * X_mean)
        factor = factorize(gram, self.regularization, self)
        weights = np.empty((n_features, n_items), dtype=np.float32)
        y_columns = y.tocsc()
        block_size = get_chunk_n_rows(
            row_bytes=4 * n_features * X.dtype.itemsize, max_n_rows=n_items
        )
        for items in gen_batches(n_items, block_size):
            correlation = as_dense(X.T @ y_columns[:, items])
            correlation -= np.outer(n_rows * X_mean, y_mean[items])
            weights[:, items] = solve(factor, correlation)
        return weights

    def _dual_map(self, X, y, X_mean, y_mean):
        """Return the map from the centred Gram matrix of the rows."""
        n_rows = X.shape[0]
        gram = upper_gram(X.T)
        subtract_outer_sum(gram, X @ X_mean - X_mean @ X_mean / 2, np.ones(n_rows))
        symmetric = inverse(factorize(gram, self.regularization, self))
        if self.fit_intercept:
            # This centres y: the vector of ones is an eigenvector of the inverse.
            symmetric -= 1 / (n_rows * self.regularization)
        return DualMap(X, symmetric, y)

    def _mapped(self, X):
        return row_products(X, self._map) if self.solver_ == "primal" else self._map(X)

    def _score_rows(self, X):
        return self._mapped(X) + self.intercept_

    def _score_parts(self, X):
        return self._mapped(entry_rows(X))


class EASERecommender(SimilarItemsMixin, InDomainRecommender):
    r"""Linear autoencoder in closed form, whose items do not predict themselves (EASE).

    Use it for catalogues of up to some ten thousand items: it has one parameter to search and needs
    no training. For larger catalogues, use `GraphFilterRecommender` or `ALSRecommender`. It is an
    in-domain recommender: it learns from X alone the weight of each item in the score of each
    other. If X holds the columns of two domains side by side, it learns weights across the domains
    too.

    Parameters
    ----------
    regularization : float, default=100.0
        Weight :math:`\lambda` of the squared norm of the weights, above 0. It is in units of
        interactions: an item with far fewer interactions than this has almost no influence.
    solver : {"auto", "primal", "dual"}, default="auto"
        "primal" inverts an (n_items, n_items) matrix, "dual" an (n_rows, n_rows) matrix, and "auto"
        takes the smaller one. They give the same scores, up to rounding: with more rows than items
        and almost no regularization, "dual" loses digits. "dual" keeps the rows of X, also in a
        saved file. Choose "primal" if you want to share the file.

    Attributes
    ----------
    coef_ : ndarray of shape (n_items_, n_items_), dtype float32
        At [j, i], the weight of item i in the score of item j; zero on the diagonal. The dual
        solver computes it at each access.
    solver_ : {"primal", "dual"}
        The solver used.
    n_items_ : int
        Number of items that can be recommended.
    popularity_ : ndarray of shape (n_items_,), dtype float32
        The share of the rows of X that have each item; an empty row gets these as its scores.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, if X had any.

    See Also
    --------
    RidgeRecommender : Regression from one set of columns to another.
    ItemKNNRecommender : Keeps a few neighbours of each item, for more items than fit here.

    Notes
    -----
    It minimises over B

    .. math:: \|X - X B\|_F^2 + \lambda \|B\|_F^2 \quad \text{subject to} \quad
        \mathrm{diag}(B) = 0 ,

    which gives :math:`B = I - P\, \mathrm{diag}(P)^{-1}` with :math:`P = (X^\top X + \lambda
    I)^{-1}` [1]_. The primal solver computes P in place, in n_items³ flops and 4 n_items² bytes.
    The dual one uses

    .. math:: \lambda P = I - X^\top K^{-1} X, \qquad K = X X^\top + \lambda I ,

    so that the scores :math:`x B = x - x P\, \mathrm{diag}(P)^{-1}` need :math:`K^{-1}` only, in
    n_rows³ flops and 4 n_rows² bytes. If the condition number does not allow float32, they work in
    float64. If the matrix does not fit into the available memory, `fit` raises an error before it
    starts. The result is deterministic. A row is scored by its own interactions, seen in `fit` or
    not. An item without interactions scores zero.

    References
    ----------
    .. [1] H. Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019.
       :arxiv:`1905.03375`

    Examples
    --------
    >>> from sktransrec import EASERecommender
    >>> X = [[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    >>> model = EASERecommender(regularization=1.0).fit(X)
    >>> items, _ = model.recommend([[1, 0, 0, 0], [0, 0, 0, 1]], n_recommendations=1)
    >>> items
    array([[1],
           [2]])
    """

    _parameter_constraints: dict = {
        "regularization": [Interval(Real, 0, None, closed="neither")],
        "solver": [_SOLVERS],
    }

    search_distributions: ClassVar = {"regularization": loguniform(1, 10000)}

    def __init__(self, regularization=100.0, *, solver="auto"):
        self.regularization = regularization
        self.solver = solver

    @property
    def coef_(self):
        if self.solver_ == "primal":
            return self._map.T
        return self._score_rows(sp.eye_array(self.n_items_, format="csr", dtype=np.float32)).T

    def _fit(self, X):
        self.solver_ = smaller_solver(X.shape) if self.solver == "auto" else self.solver
        dtype = solver_dtype(X, self.regularization, self.solver_)
        require_memory(
            _ease_bytes(self.solver_, X.shape, dtype.itemsize),
            self,
            "Drop the rarest columns, or use a model whose size does not grow with the square of "
            "both the rows and the columns, such as ItemKNNRecommender or ALSRecommender.",
        )
        fit_solver = self._fit_primal if self.solver_ == "primal" else self._fit_dual
        fit_solver(X.astype(dtype, copy=False))

    def _fit_primal(self, X):
        weights = inverse(factorize(upper_gram(X), self.regularization, self))
        weights /= -weights.diagonal()
        np.fill_diagonal(weights, 0)
        self._map = weights.astype(np.float32, copy=False)

    def _fit_dual(self, X):
        symmetric = inverse(factorize(upper_gram(X.T), self.regularization, self))
        self._self_prediction = _quadratic_forms(symmetric, X)
        self._map = DualMap(X, symmetric, X)

    def _score_rows(self, X):
        if self.solver_ == "primal":
            return X @ self._map
        scores = self._map(X)
        scores[X.nonzero()] -= X.data * self._self_prediction[X.indices]
        scores /= 1 - self._self_prediction
        return scores

    def _score_parts(self, X):
        return self._score_rows(entry_rows(X))

    def _item_similarities(self, items):
        return self._score_rows(sp.eye_array(self.n_items_, format="csr", dtype=np.float32)[items])


def _ridge_bytes(solver, shape, n_items, itemsize):
    """Return the bytes of the inverted matrix and of the matrices that are kept."""
    n_rows, n_features = shape
    if solver == "primal":
        return itemsize * n_features**2 + 4 * n_features * n_items
    return itemsize * n_rows * (n_rows + (n_items if n_items < n_rows else 0))


def _ease_bytes(solver, shape, itemsize):
    """Return the bytes of the inverted matrix and of the matrices that are kept."""
    n_rows, n_items = shape
    if solver == "primal":
        return (itemsize if itemsize == 4 else itemsize + 4) * n_items**2
    return itemsize * n_rows * (n_rows + (n_items if n_items < n_rows else 0))


def _quadratic_forms(symmetric, X):
    """Return xᵀ S x for each column x of a sparse X."""
    columns = X.tocsc()
    forms = np.empty(X.shape[1])
    for column, (start, stop) in enumerate(pairwise(columns.indptr)):
        rows, values = columns.indices[start:stop], columns.data[start:stop]
        forms[column] = values @ symmetric[rows[:, None], rows] @ values
    return forms
