# SPDX-License-Identifier: BSD-3-Clause
"""Linear recommenders in closed form: regression of y on X, or of X on its other columns."""

from itertools import pairwise
from typing import Any, ClassVar, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.utils import gen_batches
from sklearn.utils.random import sample_without_replacement

from .._auto import best_of, held_out_rows
from .._numerics._entries import as_dense, as_sparse, column_counts, column_sums, entries_of
from .._numerics._gram import (
    DualMap,
    asks_for_regularization,
    factorize,
    gram_dtype,
    products_by_gemm,
    scaled_columns,
    smaller_solver,
    solver_dtype,
    subtract_outer_sum,
    upper_gram,
)
from .._numerics._linked_scores import linked_scores
from .._numerics._memory import fits_memory, require_memory
from .._numerics._neighbor_ridge import (
    GramLookup,
    neighbor_ridge,
    regression_bytes,
    strongest_cross,
    strongest_entries,
)
from .._numerics._row_blocks import entry_rows
from .._numerics._row_sums import cross_sum, gram_sum
from .._numerics._row_totals import rows_of_entries
from .._numerics._spd import inverse, solve
from .._recommend import empty_rows
from .._validation import ABOVE_0, AT_LEAST_0, AUTO, COUNT, StrOptions, get_chunk_n_rows
from ..base import InDomainRecommender, SimilarItemsMixin, SupervisedRecommender
from ._row_sums import RowSumsMixin

# What `regularization="auto"` is in EASE if all interactions are ones.
_EASE_REGULARIZATION = 60.0
# What "auto" chooses from in ridge regression; the first factor is that for small data.
_RIDGE_FACTORS = (80.0, 20.0, 320.0)
# More rows would cost more than they tell.
_MAX_KNOWN = 2500
# The part of a sum of squares that rounding may leave.
_ROUNDING = 1e-6
# Dense matrices up to this size take about a minute.
_MAX_DENSE = 15_000


class RidgeRecommender(RowSumsMixin, SupervisedRecommender):
    r"""Recommend to users who are new to a domain, by ridge regression on what is known of them.

    Use it if the rows have no history in the target, but are known in a source domain or by
    features. Try it on the source items themselves first, and put an encoder in front only if this
    is better on held-out rows. It is a supervised recommender: it learns the map from X to y in
    closed form. X may be dense (features) or sparse (the items of a source domain); y stays sparse.

    Parameters
    ----------
    regularization : float or "auto", default="auto"
        Weight :math:`\lambda` of the squared norm of the coefficients, above 0. It is in the units
        of the squared columns of X. A larger value moves the scores of all rows towards the mean of
        y. "auto" weights the coefficients of each column of X by how many rows have it, with one of
        three factors, chosen on held-out rows; see the Notes.
    fit_intercept : bool, default=True
        Whether to fit an intercept. With it, the scores of every row start from the popularity of
        the items. Neither y nor a sparse X is centred in memory.
    solver : {"auto", "primal", "dual"}, default="auto"
        "primal" inverts an (n_features, n_features) matrix, "dual" an (n_rows, n_rows) matrix, and
        "auto" takes the smaller one. They give the same scores. "dual" keeps the rows of X, and
        those of y if y has more columns than rows, also in a saved file. Choose "primal" if you
        want to share the file. `partial_fit` always takes "primal".

    Attributes
    ----------
    coef_ : ndarray of shape (n_items_, n_features_in_), dtype float32
        The coefficients; the dual solver computes them at each access.
    intercept_ : ndarray of shape (n_items_,), dtype float32
        The score of a row at the origin.
    regularization_ : float or ndarray of shape (n_features_in_,)
        The weight used; "auto" makes it one for each column of X.
    solver_ : {"primal", "dual"}
        The solver used.
    row_sums_ : RowSums or None
        What `partial_fit` keeps of the rows; None after `fit`.
    n_items_ : int
        Number of items that can be recommended.
    popularity_ : ndarray of shape (n_items_,), dtype float32
        The share of the rows that have each item. An empty row gets these as its scores, unless
        some rows of `fit` were empty.
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
    It minimises over W and b [1]_

    .. math:: \|Y - X W - 1 b^T\|_F^2 + \lambda \|W\|_F^2 .

    With X and Y centred (in algebra only), the primal solution is
    :math:`W = (X^T X + \lambda I)^{-1} X^T Y`, the dual one
    :math:`W = X^T (X X^T + \lambda I)^{-1} Y`.

    The primal solver takes n_features³/3 + 2 n_features² n_items flops and keeps W, which takes
    4 n_features n_items bytes. The dual solver takes n_rows³ flops and keeps X, y and the inverse,
    which takes 4 n_rows² bytes, or 4 n_rows n_items if that is less. Both work in float32 if the
    condition number allows it, and otherwise in float64, with 8 instead of 4 bytes for the inverted
    matrix. The result is deterministic.

    "auto" puts :math:`\lambda_j = c v n_j^{1/4}` for :math:`\lambda` in column j. Here :math:`n_j`
    is the number of nonzero entries of the column, and v is the sum of squares of the (centred) X,
    divided by the number of its nonzero entries. So the units of X do not matter. The factor c is
    80, unless 20 or 320 has a better NDCG\@20 on held-out rows, by more than a standard error. At
    most a fifth of the rows and 1,000 rows are held out, and it learns from at most half of the
    others and 2,500 rows. With fewer than 1,000 rows that have items, or with fewer than 100 items,
    it is 80.

    References
    ----------
    .. [1] A. E. Hoerl and R. W. Kennard, "Ridge regression: biased estimation for nonorthogonal
       problems", Technometrics 12, 1970. :doi:`10.1080/00401706.1970.10488634`

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

    intercept_: NDArray[np.float32]
    regularization_: float | NDArray[Any]
    solver_: Literal["primal", "dual"]

    _parameter_constraints: dict = {
        "regularization": [*ABOVE_0, *AUTO],
        "fit_intercept": ["boolean"],
        "solver": [StrOptions({"auto", "primal", "dual"})],
    }

    search_distributions: ClassVar = {"regularization": loguniform(1, 10000)}

    def __init__(
        self,
        regularization: float | Literal["auto"] = "auto",
        *,
        fit_intercept: bool = True,
        solver: Literal["auto", "primal", "dual"] = "auto",
    ) -> None:
        self.regularization = regularization
        self.fit_intercept = fit_intercept
        self.solver = solver

    @property
    def coef_(self) -> NDArray[Any]:
        weights = self._map if self.solver_ == "primal" else self._map.coefficients()
        return weights.T.astype(np.float32, copy=False)

    def _choose(self, X, y):
        self._factor = None if self.regularization != "auto" else self._best_factor(X, y)

    def _learn(self, X, y):
        self.regularization_ = self._ridges(*self._spread(X), self._factor)
        self._fit_map(X, y, self.regularization_)

    def _best_factor(self, X, y):
        part = held_out_rows(X, y)
        if part is None:
            return _RIDGE_FACTORS[0]
        part = _smaller_part(part)

        def scorer(factor):
            model = clone(self)
            model._fit_map(part.known, part.y, model._ridges(*model._spread(part.known), factor))
            return model._score_rows

        return best_of(_RIDGE_FACTORS, [part.ndcg(scorer(factor)) for factor in _RIDGE_FACTORS])

    def _spread(self, X):
        """Return how many entries of each column are not zero, and two sums over all entries.

        These are the sums of squares of X and of the centred X.
        """
        if sp.issparse(X):
            counts = np.bincount(X.indices[X.data != 0], minlength=X.shape[1])
            squares = np.sum(np.square(X.data, dtype=np.float64))
            return counts, squares, squares - X.shape[0] * np.sum(self._column_means(X) ** 2)
        centred = X - self._column_means(X).astype(np.float32)
        return np.count_nonzero(X, axis=0), _sum_of_squares(X), _sum_of_squares(centred)

    def _ridges(self, counts, squares, spread, factor):
        """Return the weights of the squares of each column's coefficients, one or one for each."""
        if self.regularization != "auto":
            return float(self.regularization)
        factor = factor or _RIDGE_FACTORS[0]  # after a number, there are no rows to judge by
        # Nothing but rounding is left of constant columns.
        mean_square = max(spread, _ROUNDING * squares) / max(counts.sum(), 1)
        return factor * (mean_square or 1.0) * np.maximum(counts, 1) ** 0.25

    def _fit_map(self, X, y, ridges):
        """Fit the map, with one weight of the squared coefficients or one for each column."""
        self.solver_ = smaller_solver(X.shape) if self.solver == "auto" else self.solver
        X_mean, y_mean = self._column_means(X), self._column_means(y)
        shifted = X if sp.issparse(X) else X - X_mean.astype(np.float32)
        dtype = solver_dtype(shifted, ridges, self.solver_)
        self._require_memory(X.shape[0], X.shape[1], y.shape[1], dtype)
        fit_map = self._primal_map if self.solver_ == "primal" else self._dual_map
        # The Gram matrix subtracts the means that are left: all of them if X is sparse.
        shifted_mean = self._column_means(shifted)
        ridges = np.full(X.shape[1], ridges, dtype=dtype)
        self._map = fit_map(shifted.astype(dtype, copy=False), y, shifted_mean, y_mean, ridges)
        self._set_intercept(X_mean, y_mean)

    def _require_memory(self, n_rows, n_features, n_items, dtype):
        require_memory(
            _ridge_bytes(self.solver_, (n_rows, n_features), n_items, dtype.itemsize),
            self,
            "Reduce the columns of X first, with TruncatedSVD or an encoder.",
        )

    def _set_intercept(self, X_mean, y_mean):
        mean_row = X_mean[None].astype(np.float32)
        self.intercept_ = (y_mean - self._mapped(mean_row)[0]).astype(np.float32)

    def _sums_of(self, X, y):
        return {
            "n_empty_rows": np.count_nonzero(empty_rows(X)),
            "gram": gram_sum(X),
            "cross": cross_sum(X, y),
            "column_counts": self._spread(X)[0],
            "column_sums": column_sums(X),
            "item_sums": column_sums(y),
        }

    def _solve(self, sums):
        n_rows, gram = sums["n_rows"], sums["gram"]
        self._knows_empty_rows = sums["n_empty_rows"] > 0
        X_mean, y_mean = (
            sums[name] / n_rows * self.fit_intercept for name in ("column_sums", "item_sums")
        )
        squares = gram.trace()
        spread = squares - n_rows * X_mean @ X_mean
        self.regularization_ = self._ridges(sums["column_counts"], squares, spread, self._factor)
        self.solver_ = "primal"
        dtype = gram_dtype(gram, self.regularization_)
        self._require_memory(n_rows, len(X_mean), len(y_mean), dtype)
        centred = as_dense(gram) - n_rows * np.outer(X_mean, X_mean)
        ridges = np.full(len(X_mean), self.regularization_, dtype=dtype)
        factor = factorize(centred.astype(dtype), ridges, self)
        columns = sp.csc_array(sums["cross"]) if sp.issparse(sums["cross"]) else sums["cross"]
        self._map = _solutions(factor, lambda items: columns[:, items], n_rows, X_mean, y_mean)
        self._set_intercept(X_mean, y_mean)

    def _column_means(self, X):
        if not self.fit_intercept:
            return np.zeros(X.shape[1])
        return column_sums(X) / X.shape[0]

    def _primal_map(self, X, y, X_mean, y_mean, ridges):
        """Return W, of shape (n_features, n_items), solved in blocks of items."""
        gram = upper_gram(X)
        subtract_outer_sum(gram, X_mean, X.shape[0] / 2 * X_mean)
        factor = factorize(gram, ridges, self)
        columns = y.tocsc()
        return _solutions(factor, lambda items: X.T @ columns[:, items], X.shape[0], X_mean, y_mean)

    def _dual_map(self, X, y, X_mean, y_mean, ridges):
        """Return the map from the centred Gram matrix of the rows, with columns scaled."""
        n_rows = X.shape[0]
        scales = 1 / np.sqrt(ridges)
        scaled, scaled_mean = scaled_columns(X, scales), X_mean * scales
        gram = upper_gram(scaled.T)
        offsets = scaled @ scaled_mean - scaled_mean @ scaled_mean / 2
        subtract_outer_sum(gram, offsets, np.ones(n_rows))
        symmetric = inverse(factorize(gram, 1.0, self))
        if self.fit_intercept:
            # This centres y: the vector of ones is an eigenvector of the inverse.
            symmetric -= 1 / n_rows
        return DualMap(scaled_columns(X, 1 / ridges), symmetric, y)

    def _mapped(self, X):
        return products_by_gemm(X, self._map) if self.solver_ == "primal" else self._map(X)

    def _score_rows(self, X):
        return self._mapped(X) + self.intercept_

    def _score_parts(self, X):
        return self._mapped(entry_rows(X))


class EASERecommender(RowSumsMixin, SimilarItemsMixin, InDomainRecommender):
    r"""Linear autoencoder in closed form, whose items do not predict themselves (EASE).

    Use it for catalogues of any size: it needs no training, and its defaults suit most data. For an
    answer in less time, use `GraphFilterRecommender` or `ItemKNNRecommender`. It is an in-domain
    recommender: it learns from X alone the weight of each item in the score of each other. If X
    holds the columns of two domains side by side, it learns weights across the domains too.

    Parameters
    ----------
    regularization : float or "auto", default="auto"
        Weight :math:`\lambda` of the squares of the weights, above 0. "auto" is 60 times the mean
        square of the interactions, so it is 60 if they are ones. A larger value leaves items with
        few interactions with little influence.
    item_exponent : float, default=0.25
        The squares of the weights of item i count :math:`\lambda n_i^\gamma`, with this number
        :math:`\gamma`, 0 or more, and the number :math:`n_i` of rows that have the item. With 0,
        as in the paper, the best :math:`\lambda` depends more on the data: from 10 to 1000.
    solver : {"auto", "primal", "dual", "sparse"}, default="auto"
        "primal" inverts an (n_items, n_items) matrix, "dual" an (n_rows, n_rows) matrix. They give
        the same scores, up to rounding: with more rows than items and almost no regularization,
        "dual" loses digits. "dual" keeps the rows of X, also in a saved file. Choose another one if
        you want to share the file. "sparse" finds the weights of a few neighbours of each item
        only. "auto" takes the smaller one of the two matrices, but "sparse" if this has more than
        15,000 rows or does not fit into the available memory. `partial_fit` takes "primal" for
        "dual".
    n_neighbors : int, default=256
        For "sparse": from how many items each item is predicted, 1 or more.

    Attributes
    ----------
    coef_ : ndarray or sparse array of shape (n_items_, n_items_), dtype float32
        At [j, i], the weight of item i in the score of item j; zero on the diagonal. The sparse
        solver makes it sparse. The dual solver computes it at each access.
    regularization_ : float
        The :math:`\lambda` used.
    solver_ : {"primal", "dual", "sparse"}
        The solver used.
    row_sums_ : RowSums or None
        What `partial_fit` keeps of the rows; None after `fit`.
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
    GraphFilterRecommender : Another closed form, which takes less time.
    ItemKNNRecommender : Neighbours by similarity, without regression.
    RidgeRecommender : Regression from one set of columns to another.

    Notes
    -----
    With :math:`\Lambda = \mathrm{diag}(\lambda n_i^\gamma)`, it minimises over B

    .. math:: \|X - X B\|_F^2 + \|\Lambda^{1/2} B\|_F^2 \quad \text{subject to} \quad
        \mathrm{diag}(B) = 0 ,

    which gives :math:`B = I - P\, \mathrm{diag}(P)^{-1}` with :math:`P = (X^\top X +
    \Lambda)^{-1}` [1]_. The primal solver computes P in place, in n_items³ flops and 4 n_items²
    bytes. The dual one uses

    .. math:: \Lambda P = I - X^\top K^{-1} X \Lambda^{-1}, \qquad K = X \Lambda^{-1} X^\top + I ,

    so that the scores :math:`x B = x - x P\, \mathrm{diag}(P)^{-1}` need :math:`K^{-1}` only, in
    n_rows³ flops and 4 n_rows² bytes.

    The sparse solver regresses each item on its neighbours N alone. With the Gram matrix
    :math:`G = X^\top X`, the weights of item j are :math:`(G_{NN} + \Lambda_{NN})^{-1} G_{Nj}`. Of
    the items in the same rows as j, the neighbours are those with the largest
    :math:`G_{ij}^2 / (G_{ii} + \Lambda_{ii})`: by so much an item alone lowers the squared error.
    This takes up to n_items n_neighbors³ / 3 flops, 24 n_items n_neighbors bytes, and 16 bytes for
    each pair of items in the same row. Another sparse approximation is in [2]_.

    If the condition number does not allow float32, all of them work in float64. If a fit does not
    fit into the available memory, it raises an error before it starts. With the same solver, the
    result is deterministic. A row is scored by its own interactions, seen in `fit` or not. An item
    without interactions scores zero.

    References
    ----------
    .. [1] H. Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019.
       :arxiv:`1905.03375`
    .. [2] H. Steck, "Markov random fields for collaborative filtering", NeurIPS 2019.
       :arxiv:`1910.09645`

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

    regularization_: float
    solver_: Literal["primal", "dual", "sparse"]

    _parameter_constraints: dict = {
        "regularization": [*ABOVE_0, *AUTO],
        "item_exponent": AT_LEAST_0,
        "solver": [StrOptions({"auto", "primal", "dual", "sparse"})],
        "n_neighbors": COUNT,
    }

    search_distributions: ClassVar = {"regularization": loguniform(5, 1000)}

    def __init__(
        self,
        regularization: float | Literal["auto"] = "auto",
        *,
        item_exponent: float = 0.25,
        solver: Literal["auto", "primal", "dual", "sparse"] = "auto",
        n_neighbors: int = 256,
    ) -> None:
        self.regularization = regularization
        self.item_exponent = item_exponent
        self.solver = solver
        self.n_neighbors = n_neighbors

    @property
    def coef_(self) -> NDArray[Any]:
        if self.solver_ == "dual":
            return self._item_similarities(slice(None)).T
        return self._map.T

    def _learn(self, X):
        squares = np.sum(np.square(X.data, dtype=np.float64))
        counts = column_counts(X)
        ridges = self._ridges(counts, squares)
        self.solver_ = self._chosen_solver(X, ridges)
        dtype = solver_dtype(X, ridges, self.solver_)
        self._require_memory(_ease_bytes(self.solver_, X, dtype.itemsize, self.n_neighbors))
        fit_solver = getattr(self, f"_fit_{self.solver_}")
        fit_solver(X.astype(dtype, copy=False), ridges.astype(dtype))

    def _ridges(self, counts, squares):
        """Return the weights of the squares of each item's weights, and set `regularization_`.

        `counts` are the numbers of rows that have each item, and `squares` is the sum of all
        squared interactions.
        """
        mean_square = squares / counts.sum() if counts.any() else 1.0
        is_auto = self.regularization == "auto"
        self.regularization_ = (
            _EASE_REGULARIZATION * float(mean_square) if is_auto else float(self.regularization)
        )
        return self.regularization_ * np.power(np.maximum(counts, 1), float(self.item_exponent))

    def _require_memory(self, n_bytes):
        require_memory(
            n_bytes, self, 'Drop the rarest columns, or pass solver="sparse" and fewer n_neighbors.'
        )

    def _chosen_solver(self, X, ridges):
        if self.solver != "auto":
            return self.solver
        dense = smaller_solver(X.shape)
        itemsize = solver_dtype(X, ridges, dense).itemsize
        n_bytes = _ease_bytes(dense, X, itemsize, self.n_neighbors)
        return dense if min(X.shape) <= _MAX_DENSE and fits_memory(n_bytes) else "sparse"

    def _fit_primal(self, X, ridges):
        self._invert(upper_gram(X), ridges)

    def _invert(self, gram, ridges):
        """Set the map from the inverse P of the Gram matrix and the ridges, in place."""
        weights = inverse(factorize(gram, ridges, self))
        weights /= -weights.diagonal()
        np.fill_diagonal(weights, 0)
        self._map = weights.astype(np.float32, copy=False)

    def _fit_dual(self, X, ridges):
        scaled = scaled_columns(X, 1 / np.sqrt(ridges))
        symmetric = inverse(factorize(upper_gram(scaled.T), 1.0, self))
        self._self_prediction = _quadratic_forms(symmetric, scaled)
        self._map = DualMap(scaled_columns(X, 1 / ridges), symmetric, X)

    def _fit_sparse(self, X, ridges):
        cross = strongest_cross(X, ridges, self.n_neighbors)
        self._regress(GramLookup.of_columns(X), cross, ridges)

    def _regress(self, lookup, cross, ridges):
        """Set the map from the regressions of each item on its neighbours."""
        with asks_for_regularization(self, ridges, lookup.dtype):
            weights = neighbor_ridge(lookup, cross, ridges)
        self._map = weights.T.tocsr().astype(np.float32, copy=False)

    def _sums_of(self, X):
        return {"gram": gram_sum(X)}

    def _solve(self, sums):
        gram, counts = sums["gram"], sums["n_rows_with"]
        ridges = self._ridges(counts, gram.trace())
        dtype = gram_dtype(gram, ridges)
        n_items = len(counts)
        n_bytes = 2 * dtype.itemsize * n_items**2
        fits = n_items <= _MAX_DENSE and fits_memory(n_bytes)
        is_sparse = self.solver == "sparse" or (self.solver == "auto" and not fits)
        self.solver_ = "sparse" if is_sparse else "primal"
        gram, ridges = gram.astype(dtype), ridges.astype(dtype)
        if self.solver_ == "primal":
            self._require_memory(n_bytes)
            self._invert(as_dense(gram), ridges)
            return
        gram = as_sparse(gram)
        others = entries_of(gram, gram.indices != rows_of_entries(gram))
        cross = strongest_entries(others, gram.diagonal(), ridges, self.n_neighbors, counts)
        self._regress(GramLookup.of_matrix(gram), cross, ridges)

    def _score_rows(self, X):
        if self.solver_ == "sparse":
            return linked_scores(X, self._map)
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


def _sum_of_squares(X):
    """Return the sum of the squares of an ndarray, in float64."""
    return np.einsum("ij,ij->", X, X, dtype=np.float64)


def _solutions(factor, cross_of, n_rows, X_mean, y_mean):
    """Return W of shape (n_features, n_items), in blocks of items.

    `factor` is that of the Gram matrix of the centred X, and `cross_of` returns columns of XᵀY.
    """
    n_features, n_items = len(X_mean), len(y_mean)
    weights = np.empty((n_features, n_items), dtype=np.float32)
    block_size = get_chunk_n_rows(
        row_bytes=4 * n_features * factor.dtype.itemsize, max_n_rows=n_items
    )
    for items in gen_batches(n_items, block_size):
        correlation = as_dense(cross_of(items)) - np.outer(n_rows * X_mean, y_mean[items])
        weights[:, items] = solve(factor, correlation.astype(factor.dtype, copy=False))
    return weights


def _smaller_part(part):
    """Return a held-out part without the rows that cost more than they tell."""
    n_known = part.known.shape[0]
    n_sampled = min(n_known // 2, _MAX_KNOWN)
    known = np.sort(sample_without_replacement(n_known, n_sampled, random_state=0))
    return part._replace(known=part.known[known], y=part.y[known])


def _ridge_bytes(solver, shape, n_items, itemsize):
    """Return the bytes of the inverted matrix and of the matrices that are kept."""
    n_rows, n_features = shape
    if solver == "primal":
        return itemsize * n_features**2 + 4 * n_features * n_items
    return itemsize * n_rows * (n_rows + (n_items if n_items < n_rows else 0))


def _ease_bytes(solver, X, itemsize, n_neighbors):
    """Return the bytes of the inverted matrix and of the matrices that are kept."""
    n_items = X.shape[1]
    if solver == "sparse":
        return regression_bytes(X, n_neighbors, itemsize)
    if solver == "primal":
        return (itemsize if itemsize == 4 else itemsize + 4) * n_items**2
    return _ridge_bytes(solver, X.shape, n_items, itemsize)


def _quadratic_forms(symmetric, X):
    """Return xᵀ S x for each column x of a sparse X."""
    columns = X.tocsc()
    forms = np.empty(X.shape[1])
    for column, (start, stop) in enumerate(pairwise(columns.indptr)):
        rows, values = columns.indices[start:stop], columns.data[start:stop]
        forms[column] = values @ symmetric[rows[:, None], rows] @ values
    return forms
