# SPDX-License-Identifier: BSD-3-Clause
"""Matrix factorisation of ratings; a missing rating is unknown."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.stats import loguniform
from sklearn.utils import check_random_state

from .._columns import check_order, check_row_labels, column_names
from .._numerics._entries import with_data
from .._numerics._least_squares import value_minima, value_parts
from .._numerics._row_totals import rows_of_entries
from .._typing import MatrixLike
from .._validation import ABOVE_0, COUNT, COUNT_FROM_0, N_JOBS, check_is_fitted, check_relevance
from .._validation._finite import finite_output
from ..base import FactorRecommenderMixin, InDomainRecommender

# The standard deviation of the initial item factors' inner products with vectors of length one.
_INITIAL_SCALE = 0.1


class BiasedMFRecommender(FactorRecommenderMixin, InDomainRecommender):
    r"""Predict ratings by matrix factorisation with biases.

    Use it if X holds ratings and you want to know how a row would rate an item. To choose which
    items to show, try a recommender of interactions first, such as `ALSRecommender` on ``X > 0``.
    `predict_ratings` gives the predictions, and `recommend` ranks by them. It is an in-domain
    recommender: it learns from X alone. Its stored values are ratings, and zeros are missing. It is
    also a transformer: `transform` gives the factors of any rows.

    Parameters
    ----------
    n_components : int, default=20
        Number of factors, 0 or more. With 0, only the biases are learned.
    regularization : float, default=12.0
        Weight :math:`\lambda` of the squared norms of the factors, above 0. With a larger value,
        the biases explain more of the ratings. Its unit is a number of ratings.
    bias_regularization : float, default=3.0
        Weight :math:`\lambda_b` of the squared biases, above 0.
    max_iter : int, default=20
        Number of sweeps over the rows and then the items, 1 or more. There is no early stopping.
    random_state : int, RandomState instance or None, default=None
        Draws the initial factors. Pass an int to get the same factors at every call of `fit`.
    n_jobs : int or None, default=None
        Number of threads of `fit` and `recommend`. None means 1 unless in a
        :func:`joblib.parallel_config` context, -1 means all processors. The factors do not
        depend on it.

    Attributes
    ----------
    mean_ : float
        The mean rating.
    rating_range_ : tuple of (float, float)
        The smallest and the largest rating. Predictions are clipped to this range.
    item_factors_ : ndarray of shape (n_items_, n_components), dtype float32
        The factors of the items.
    item_bias_ : ndarray of shape (n_items_,), dtype float32
        The bias of each item: above zero if it is rated better than the mean.
    n_iter_ : int
        Number of sweeps made.
    n_items_ : int
        Number of items that can be recommended.
    popularity_ : ndarray of shape (n_items_,), dtype float32
        The share of the rows of X that rate each item above 0; an empty row gets these as its
        scores.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, if X had any.

    See Also
    --------
    ALSRecommender : Learns from interactions, and counts missing ones as weak negatives.
    sktransrec.metrics.rating_scorer : Scores it in a search.
    sktransrec.metrics.rating_errors : Its errors on held-out ratings.

    Notes
    -----
    With the mean :math:`\mu`, the biases :math:`b_r` of the rows and :math:`b_i` of the items and
    the factors :math:`u_r` and :math:`v_i`, it predicts the rating :math:`\hat x_{ri} = \mu + b_r +
    b_i + u_r^\top v_i` and minimises [1]_

    .. math::

        \sum_{x_{ri} \ne 0} (x_{ri} - \hat x_{ri})^2
        + \lambda \Big(\sum_r \|u_r\|^2 + \sum_i \|v_i\|^2\Big)
        + \lambda_b \Big(\sum_r b_r^2 + \sum_i b_i^2\Big) .

    Each sweep finds the bias and the factors of the rows in closed form, with the items held fixed,
    and then those of the items. It takes :math:`O(nnz \cdot k^2)`. A row, seen in `fit` or not, is
    folded in in the same way, and does not depend on the other rows.

    An item without ratings has a bias and factors of zero. For an empty row, `predict_ratings`
    gives the mean plus the biases of the items, and `recommend` gives the popular items.

    A rating of zero looks like a missing one: if there are zeros, shift all ratings, for example by
    1. Users do not rate items at random. A ranking by predicted ratings puts first what a few users
    have rated highly, and this is not what a row will choose.

    References
    ----------
    .. [1] Y. Koren, R. Bell and C. Volinsky, "Matrix factorization techniques for recommender
       systems", Computer 42(8), 2009. :doi:`10.1109/MC.2009.263`

    Examples
    --------
    >>> import numpy as np
    >>> from sktransrec import BiasedMFRecommender
    >>> X = np.array([[5, 4, 1, 0], [4, 5, 0, 1], [5, 0, 1, 2], [1, 2, 5, 0], [2, 0, 5, 4]])
    >>> model = BiasedMFRecommender(1, regularization=1.0, random_state=0).fit(X)
    >>> model.predict_ratings(X, X == 0).data.round()
    array([2., 1., 4., 4., 3.], dtype=float32)
    """

    mean_: float
    rating_range_: tuple[float, float]
    item_factors_: NDArray[np.float32]
    item_bias_: NDArray[np.float32]
    n_iter_: int

    _parameter_constraints: dict = {
        "n_components": COUNT_FROM_0,
        "regularization": ABOVE_0,
        "bias_regularization": ABOVE_0,
        "max_iter": COUNT,
        "random_state": ["random_state"],
        "n_jobs": N_JOBS,
    }
    _nonnegative_X = False

    search_distributions: ClassVar = {
        "n_components": [0, 5, 10, 20, 50],
        "regularization": loguniform(1, 100),
        "bias_regularization": loguniform(0.3, 30),
    }

    def __init__(
        self,
        n_components: int = 20,
        *,
        regularization: float = 12.0,
        bias_regularization: float = 3.0,
        max_iter: int = 20,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_components = n_components
        self.regularization = regularization
        self.bias_regularization = bias_regularization
        self.max_iter = max_iter
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _fit(self, X):
        self.mean_ = float(X.data.mean(dtype=np.float64))
        self.rating_range_ = float(X.data.min()), float(X.data.max())
        items = X.T.tocsr()
        V = self._initial_item_factors(X.shape[1])
        for _ in range(self.max_iter):
            U = self._minima(X, V)
            V = self._minima(items, U)
        self.item_factors_, self.item_bias_ = np.asfortranarray(V[:, :-1]), V[:, -1].copy()
        self.n_iter_ = self.max_iter

    def _initial_item_factors(self, n_items):
        """Return random factors of the items, and biases of zero in the last column."""
        random_state = check_random_state(self.random_state)
        V = np.zeros((n_items, self.n_components + 1), dtype=np.float32)
        scale = _INITIAL_SCALE / np.sqrt(max(self.n_components, 1))
        V[:, :-1] = random_state.normal(scale=scale, size=(n_items, self.n_components))
        return V

    def _minima(self, X, V):
        """Return the best factors and biases of the rows of X, given those of its columns, V."""
        residuals, V = self._residuals(X, V[:, -1]), _with_ones(V[:, :-1])
        ridges = np.broadcast_to(self._ridges(V.shape[1]), (X.shape[0], V.shape[1]))
        return value_minima(residuals, V, ridges, n_jobs=self.n_jobs)

    def _residuals(self, X, column_bias):
        """Return the ratings without the mean and the biases of their columns."""
        return with_data(X, X.data - np.float32(self.mean_) - column_bias[X.indices])

    def _ridges(self, n_dims):
        """Return the weights of the squares of the factors, and of the bias, the last of all."""
        ridges = np.full(n_dims, self.regularization, dtype=np.float32)
        ridges[-1] = self.bias_regularization
        return ridges

    def _row_minima(self, X):
        """Return the factors of rows and their biases, of shape (n_rows, n_components + 1)."""
        return self._minima(X, np.hstack([self.item_factors_, self.item_bias_[:, None]]))

    def _row_factors(self, X):
        return self._row_minima(X)[:, :-1]

    def _score_rows(self, X):
        U = self._row_minima(X)
        scores = U[:, :-1] @ self.item_factors_.T
        scores += self.item_bias_
        scores += self.mean_ + U[:, -1:]
        return scores

    def _score_parts(self, X):
        V = _with_ones(self.item_factors_)
        return value_parts(self._residuals(X, self.item_bias_), V, self._ridges(V.shape[1])) @ V.T

    def _item_similarities(self, items):
        if self.item_factors_.shape[1] == 0:
            raise ValueError(
                "With n_components=0, items have no factors to compare: fit with n_components of "
                "1 or more to ask for similar items."
            )
        return super()._item_similarities(items)

    @finite_output
    def predict_ratings(self, X: MatrixLike, y: MatrixLike) -> csr_array:
        """Predict the ratings of some items by each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_items_)
            The known ratings of the rows. The rows may be new.
        y : {array-like, sparse matrix} of shape (n_rows, n_items_)
            Nonzero where a rating is to be predicted: held-out ratings, or a mask.

        Returns
        -------
        ratings : csr_array of shape (n_rows, n_items_), dtype float32
            The predictions, stored where y is not zero, in the same order. They lie between the
            smallest and the largest rating of `fit`.
        """
        check_is_fitted(self)
        check_row_labels(X, y)
        X = self._check_rows(X)
        check_order(self.item_names_, column_names(y))
        wanted = check_relevance(y, n_rows=X.shape[0], n_items=self.n_items_)
        rows = rows_of_entries(wanted)
        U = self._row_minima(X)
        ratings = self.mean_ + U[rows, -1] + self.item_bias_[wanted.indices]
        for u, v in zip(U.T[:-1], self.item_factors_.T, strict=True):
            ratings += u[rows] * v[wanted.indices]
        return with_data(wanted, np.clip(ratings, *self.rating_range_).astype(np.float32))


def _with_ones(V):
    """Return item factors with a last column of ones, which the bias of a row multiplies."""
    return np.hstack([V, np.ones((len(V), 1), dtype=np.float32)])
