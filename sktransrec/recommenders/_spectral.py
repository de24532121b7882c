# SPDX-License-Identifier: BSD-3-Clause
"""Filters on the graph of rows and items."""

from typing import ClassVar, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.stats import loguniform, uniform
from sklearn.utils import check_random_state
from sklearn.utils.extmath import randomized_svd

from .._auto import Numbers, choice_on_curves, logarithms, values_to_try
from .._numerics._entries import as_sparse, column_sums
from .._numerics._gram import scaled_columns
from .._numerics._linked_scores import linked_scores
from .._numerics._row_blocks import entry_rows
from .._numerics._row_sums import gram_sum
from .._numerics._row_totals import row_totals, scaled_rows
from .._numerics._strongest_links import strongest_links, strongest_of
from .._numerics._threads import in_threads
from .._validation import AT_LEAST_0, AUTO, COUNT
from ..base import FactorRecommenderMixin, InDomainRecommender
from ._row_sums import RowSumsMixin

# What "auto" chooses from, exponents of rows and items; the first ones are those for small data.
_EXPONENTS = ((0.2, 0.15), (0.2, 0.3), (0.2, 0.0), (0.5, 0.3))
_LOW_PASS_WEIGHTS = Numbers(
    0.1, (0.03, 0.3, 3.0), [0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 3.0], scale=logarithms
)
# More power iterations cost time, and change the NDCG@20 on no data set by .001.
_ITERATIONS = 4
# A trial needs no exact singular vectors.
_TRIAL_SEED, _TRIAL_ITERATIONS = 0, 2
# The share of nonzero entries from which on a matrix is multiplied as an array.
_FULL = 0.05
# A singular value below this share of the largest is zero: float32 squares tell no more.
_ROUNDING = 1e-3


class GraphFilterRecommender(RowSumsMixin, FactorRecommenderMixin, InDomainRecommender):
    r"""Recommend fast and well, also from large catalogues, by a graph filter (GF-CF).

    Use it where speed counts: it learns in closed form, in seconds. Compare it with
    `EASERecommender`, which takes longer. The filter smooths the interactions of a row over the
    graph of rows and items. It is an in-domain recommender: it learns from X alone. It is also a
    transformer: `transform` gives the row vectors of its low-pass filter.

    Parameters
    ----------
    n_components : int, default=64
        Number of singular vectors that the low-pass filter keeps, 1 or more; at most
        min(n_rows, n_items) are used.
    low_pass_weight : float or "auto", default="auto"
        Weight :math:`\alpha` of the low-pass filter, which is added to the linear filter, 0 or
        more. 0 makes recommending faster. The paper uses 0.3. "auto" takes a value from 0.03 to 3,
        see the Notes.
    row_exponent : float or "auto", default="auto"
        The interactions of a row are divided by this power of its degree, 0 or more. With a larger
        value, rows with many interactions have less influence. The paper uses 0.5. "auto" takes 0.2
        or 0.5, see the Notes.
    item_exponent : float or "auto", default="auto"
        The interactions of an item are divided by this power of its degree, 0 or more. With a
        larger value, fewer popular items are recommended. The paper uses 0.5, which is too much on
        most data. The fewer interactions the rows have, the smaller the best value. "auto" takes a
        value from 0 to 0.3, see the Notes.
    n_neighbors : int or None, default=200
        Number of other items that are linked to each item in the linear filter, those with the
        strongest links. None keeps all. Fewer links make recommending faster and the model smaller.
    random_state : int, RandomState instance or None, default=None
        Draws the test matrix of the randomised SVD. Pass an int for the same model at every call
        of `fit`.

    Attributes
    ----------
    item_factors_ : ndarray of shape (n_items_, n_components), dtype float32
        :math:`D_i^{b} U`. The inner products of the row factors with these are the scores of the
        low-pass filter, up to a constant.
    row_projection_ : ndarray of shape (n_items_, n_components), dtype float32
        :math:`D_i^{-b} U`. It maps a row, divided by the root of its degree, to its factors.
    item_links_ : csr_array of shape (n_items_, n_items_), dtype float32
        The linear filter: at [i, j], the weight of an item i that a row has in the score of item j.
    singular_values_ : ndarray of shape (n_components,), dtype float32
        The singular values of the normalised interactions, in descending order.
    low_pass_weight_ : float
        The weight :math:`\alpha` of the low-pass filter.
    row_exponent_ : float
        The exponent a of the rows.
    item_exponent_ : float
        The exponent b of the items.
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
    ItemKNNRecommender : The linear filter alone, with other similarities.
    EASERecommender : Regression of each item on the others, in closed form.
    BridgeRecommender : Predicts the row factors of a target domain from a source domain.

    Notes
    -----
    With the interactions R, the diagonal matrices :math:`D_u, D_i` of the sums of their rows and
    columns, the exponents a and b of rows and items, and the first singular values
    :math:`\sigma_k` and right singular vectors U of

    .. math:: \tilde R = D_u^{-a} R D_i^{-b},

    the scores are

    .. math::

        D_u^{-1/2} R \left(\tilde R^\top \tilde R
        + \alpha \sigma_1^2 D_i^{-b} U U^\top D_i^{b}\right) .

    With both exponents 0.5 and all links kept, :math:`\sigma_1 = 1` and the rankings are those of
    [1]_. Smaller exponents do better on most data. The diagonal of the linear filter is left out,
    because it only adds to items that the row has. The first factor does not change the ranking of
    a row. It brings the row factors :math:`D_u^{-1/2} R D_i^{-b} U` of rows with many and with few
    interactions to one size, so that a regressor can learn them.

    "auto" holds out a fifth of the interactions of up to 1,000 rows and learns from the rest. It
    ranks for these rows with a few pairs of exponents and three weights each. A parabola through
    the NDCG@20 of a pair, on a logarithmic scale, gives it for the weights between them. The choice
    is that with the largest gain over the exponents 0.2 and 0.15 and the weight 0.1, less the
    standard error of this gain. It is always the same for the same X. Each pair takes about a third
    of the time of a decomposition, and three rankings for these rows. In large catalogues, only
    rows that may have a held-out item among the best are ranked for. In all, that is two to six
    times as long as a fit with fixed values, and at least about half a second. With fewer than 200
    rows that have two items, or with fewer than 100 items, the exponents are 0.2 and 0.15 and the
    weight 0.1.

    `partial_fit` keeps the sum over the rows of :math:`d_r^{-2a} x_{ri} x_{rj}` for all pairs of
    items in the same row, and finds the singular vectors in this matrix. So what it learns in parts
    is what it learns at once. But the randomised SVD of `fit` finds other vectors where singular
    values lie close together, so its scores differ by more than rounding, unless all vectors are
    kept or `low_pass_weight` is 0. The exponents and the weight stay as they were chosen first.

    `fit` takes :math:`O(nnz \cdot k)` for the randomised SVD. The linear filter takes one step for
    each pair of interactions in the same row. Scoring a row takes n_neighbors steps for each of its
    interactions, and :math:`O(n_{items} k)` for the low-pass filter. A row unseen in `fit` is
    treated like any other. An item without interactions scores 0.

    References
    ----------
    .. [1] Y. Shen, Y. Wu, Y. Zhang, C. Shan, J. Zhang, K. B. Letaief and D. Li, "How powerful is
       graph convolution for recommendation?", CIKM 2021. :arxiv:`2108.07567`

    Examples
    --------
    >>> from sktransrec import GraphFilterRecommender
    >>> X = [[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    >>> model = GraphFilterRecommender(n_components=2, random_state=0).fit(X)
    >>> items, _ = model.recommend([[1, 0, 0, 0], [0, 0, 0, 1]], n_recommendations=1)
    >>> items
    array([[1],
           [2]])
    """

    item_factors_: NDArray[np.float32]
    row_projection_: NDArray[np.float32]
    item_links_: csr_array
    singular_values_: NDArray[np.float32]
    low_pass_weight_: float
    row_exponent_: float
    item_exponent_: float

    _parameter_constraints: dict = {
        "n_components": COUNT,
        "low_pass_weight": [*AT_LEAST_0, *AUTO],
        "row_exponent": [*AT_LEAST_0, *AUTO],
        "item_exponent": [*AT_LEAST_0, *AUTO],
        "n_neighbors": [*COUNT, None],
        "random_state": ["random_state"],
    }

    search_distributions: ClassVar = {
        "n_components": [16, 32, 64, 128, 256, 512],
        "low_pass_weight": loguniform(0.01, 10),
        "row_exponent": uniform(0, 0.8),
        "item_exponent": uniform(0, 0.8),
    }

    def __init__(
        self,
        n_components: int = 64,
        *,
        low_pass_weight: float | Literal["auto"] = "auto",
        row_exponent: float | Literal["auto"] = "auto",
        item_exponent: float | Literal["auto"] = "auto",
        n_neighbors: int | None = 200,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_components = n_components
        self.low_pass_weight = low_pass_weight
        self.row_exponent = row_exponent
        self.item_exponent = item_exponent
        self.n_neighbors = n_neighbors
        self.random_state = random_state

    _not_in_sums = ("item_exponent", "low_pass_weight")

    @property
    def _settings(self):
        is_auto = self.row_exponent == "auto"
        return {"row_exponent": float(self.row_exponent_ if is_auto else self.row_exponent)}

    def _choose(self, X):
        (self.row_exponent_, self.item_exponent_), self.low_pass_weight_ = choice_on_curves(
            X,
            self._exponent_candidates(),
            self.low_pass_weight,
            _LOW_PASS_WEIGHTS,
            self._ndcg_of_each_pair,
        )

    def _learn(self, X):
        normalized = _normalized(X, self.row_exponent_, self.item_exponent_)
        self.row_projection_, self.item_factors_, self.singular_values_ = self._low_pass(
            X, normalized, self.item_exponent_, self.random_state
        )
        # The product is symmetric, so a row of it holds the links to an item as well.
        self.item_links_ = strongest_links(normalized.T, normalized, self.n_neighbors).T.tocsr()

    def _sums_of(self, X):
        row_weights = _degree_power(row_totals(X), -2 * self.row_exponent_)
        return {"gram": gram_sum(X, row_weights), "item_degrees": column_sums(X)}

    def _solve(self, sums):
        item_scales = sp.diags_array(_degree_power(sums["item_degrees"], -self.item_exponent_))
        # A product with a full matrix is faster if it is not sparse.
        gram = (item_scales @ sums["gram"] @ item_scales).astype(np.float32)
        eigenvectors, eigenvalues, _ = randomized_svd(
            gram,
            min(self.n_components, sums["n_rows"], self.n_items_),
            n_iter=_ITERATIONS,
            random_state=check_random_state(self.random_state),
        )
        self.singular_values_ = np.sqrt(eigenvalues).astype(np.float32)
        self.row_projection_, self.item_factors_ = _projection_and_factors(
            _of_rank(eigenvectors.astype(np.float32), self.singular_values_),
            sums["item_degrees"].astype(np.float32),
            self.item_exponent_,
        )
        self.item_links_ = strongest_of(
            as_sparse(gram), self.n_neighbors, sums["n_rows_with"]
        ).T.tocsr()

    def _exponent_candidates(self):
        """Return the pairs of exponents of rows and items to choose from."""
        pairs = [
            (
                *values_to_try(self.row_exponent, [of_rows]),
                *values_to_try(self.item_exponent, [of_items]),
            )
            for of_rows, of_items in _EXPONENTS
        ]
        return list(dict.fromkeys(pairs))

    def _ndcg_of_each_pair(self, part, pairs, weights):
        return list(
            in_threads(lambda exponents: self._ndcg_of_each(part, exponents, weights), zip(pairs))
        )

    def _ndcg_of_each(self, part, exponents, weights):
        """Return the NDCG of each judged row, for each weight of the low-pass filter.

        For some rows, two products with X are cheaper than the links. The diagonal stays in,
        because it only adds to items that the row has.
        """
        row_exponent, item_exponent = exponents
        normalized = _normalized(part.known, row_exponent, item_exponent)
        projection, factors, singular_values = self._low_pass(
            part.known, normalized, item_exponent, _TRIAL_SEED, n_iter=_TRIAL_ITERATIONS
        )
        factors *= singular_values[0] ** 2
        transposed = normalized.T.tocsr()

        def scores_of(rows, items):
            rows = _divided_by_root_degree(rows)
            linear = _dense_product(rows @ transposed, transposed[items])
            low_pass = (rows @ projection) @ factors[items].T
            scores = np.empty_like(linear)
            for weight in weights:
                np.multiply(low_pass, np.float32(weight), out=scores)
                scores += linear
                yield scores

        return part.ndcg_of_columns(scores_of)

    def _low_pass(self, X, normalized, item_exponent, random_state, n_iter=_ITERATIONS):
        """Return the projection to row factors, the item factors, and the singular values."""
        _, singular_values, components = randomized_svd(
            normalized,
            min(self.n_components, *X.shape),
            n_iter=n_iter,
            random_state=check_random_state(random_state),
        )
        U = _of_rank(np.ascontiguousarray(components.T), singular_values)
        factors = _projection_and_factors(U, X.sum(axis=0), item_exponent)
        return *factors, singular_values

    def _row_factors(self, X):
        return _divided_by_root_degree(X) @ self.row_projection_

    def _score_rows(self, X):
        return self._scores_of(_divided_by_root_degree(X))

    def _score_parts(self, X):
        return self._scores_of(entry_rows(_divided_by_root_degree(X)))

    def _scores_of(self, rows):
        """Return the scores of rows that are divided by the root of their degree."""
        scores = linked_scores(rows, self.item_links_)
        weight = self.low_pass_weight_ * self.singular_values_[0] ** 2
        if weight > 0:
            scores += (weight * (rows @ self.row_projection_)) @ self.item_factors_.T
        return scores


def _dense_product(left, right_columns):
    """Return left @ right_columns.T as an array; sparse sums of full rows would take longer."""
    if left.nnz < _FULL * np.prod(left.shape):
        return (left @ right_columns.T).toarray()
    return np.ascontiguousarray((right_columns @ np.ascontiguousarray(left.toarray().T)).T)


def _of_rank(U, singular_values):
    """Return the singular vectors U; those of the singular value 0 are chance, and become zeros."""
    return U * (singular_values > _ROUNDING * singular_values[0])


def _projection_and_factors(U, item_degrees, item_exponent):
    """Return the singular vectors U, divided and multiplied by the power of the item degrees."""
    divided, multiplied = (
        U * _degree_power(item_degrees, sign * item_exponent)[:, None] for sign in (-1, 1)
    )
    return divided, np.asfortranarray(multiplied)


def _normalized(X, row_exponent, item_exponent):
    """Return the interactions divided by powers of the degrees of their row and item."""
    row_scale = _degree_power(row_totals(X), -row_exponent)
    item_scale = _degree_power(X.sum(axis=0), -item_exponent)
    return scaled_columns(scaled_rows(X, row_scale), item_scale)


def _divided_by_root_degree(X):
    """Return X with each row divided by the root of its sum."""
    return scaled_rows(X, _degree_power(row_totals(X), -0.5))


def _degree_power(degrees, exponent):
    """Return the power of each degree, 0 where the degree is 0."""
    powers = np.zeros_like(degrees)
    return np.power(degrees, np.float32(exponent), out=powers, where=degrees > 0)
