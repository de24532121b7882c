# SPDX-License-Identifier: BSD-3-Clause
"""A recommender that shows popular items less often."""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import uniform

from .._typing import Estimator, MatrixLike
from .._validation import AT_LEAST_0, ESTIMATOR, validated_fit_of_parts
from .._wrapping import fitted_part
from ._base import EnsembleRecommender
from ._standardized import standardized, standardized_parts


class DiscountedRecommender(EnsembleRecommender):
    r"""Show popular items less often, in the recommendations of another recommender.

    Use it when a few popular items fill most recommendations and less known items should be shown
    too. Fit the recommender alone first: a discount can cost accuracy, and a search over
    `discount` shows how much. It is supervised if the wrapped recommender learns the map from X to
    y, and in-domain if that learns from X alone.

    Parameters
    ----------
    recommender : estimator
        The recommender, or a `Pipeline` or search that holds one. It is cloned and fitted.
    discount : float, default=0.3
        How strongly popular items lose, 0 or more. An item whose log-popularity is one standard
        deviation above the mean loses this many standard deviations of its row's scores. 0 leaves
        the ranking as it is. At 1, popularity weighs as much as the scores of the recommender.

    Attributes
    ----------
    recommender_ : estimator
        The fitted recommender.
    discounts_ : ndarray of shape (n_items_,), dtype float32
        The number that is subtracted from the standardised scores of each item; 0 on average.
    n_items_ : int
        Number of items that can be recommended.
    popularity_ : ndarray of shape (n_items_,), dtype float32
        The share of the rows that have each item. An empty row gets these as its scores, unless
        y was learned from rows of which some were empty.
    n_features_in_ : int
        Number of columns of X seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, if X had any.

    See Also
    --------
    sktransrec.metrics.debiased_scorer : A metric for the search that does not reward popularity.
    sktransrec.metrics.metrics_by_bucket : Shows what head and tail gain and lose.
    PopularityScaler : Gives popular items less weight in the training data.

    Notes
    -----
    The score of item i for row r is

    .. math:: z(r, i) - \gamma \, \frac{\log \max(1, n_i) - \mu}{\sigma} .

    Here :math:`z(r, i)` are the scores of the recommender, standardised in each row to mean 0 and
    variance 1 over the items. :math:`n_i` is the number of training rows that have item i.
    :math:`\gamma` is `discount`, and :math:`\mu` and :math:`\sigma` are the mean and the standard
    deviation of :math:`\log \max(1, n_i)` over the items.

    If the scores are log-probabilities, this is the logit adjustment of [1]_, applied after
    training: the probabilities are divided by a power of the popularity. As the scores are
    standardised, a discount has the same effect whatever the scale of the recommender.

    An empty row about which nothing is known still gets the popular items.

    References
    ----------
    .. [1] A. K. Menon, S. Jayasumana, A. S. Rawat, H. Jain, A. Veit and S. Kumar, "Long-tail
       learning via logit adjustment", ICLR 2021. :arxiv:`2007.07314`

    Examples
    --------
    >>> from sktransrec import DiscountedRecommender, EASERecommender
    >>> from sktransrec.datasets import make_cross_domain
    >>> X = make_cross_domain(random_state=0).X_source
    >>> for discount in (0, 0.5):
    ...     model = DiscountedRecommender(EASERecommender(), discount=discount).fit(X)
    ...     items, _ = model.recommend(X)
    ...     print(model.popularity_[items].mean().round(2))
    0.2
    0.14
    """

    recommender_: Estimator
    discounts_: NDArray[np.float32]

    _parameter_constraints: dict = {"recommender": ESTIMATOR, "discount": AT_LEAST_0}

    search_distributions: ClassVar = {"discount": uniform(0, 1)}

    def __init__(self, recommender: Estimator, *, discount: float = 0.3) -> None:
        self.recommender = recommender
        self.discount = discount

    def _parts(self):
        return [self.recommender]

    def _fitted_parts(self):
        return [self.recommender_]

    @validated_fit_of_parts
    def fit(self, X: MatrixLike, y: MatrixLike | None = None) -> Self:
        """Fit the recommender and learn how popular the items are.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            The rows, in the form that the recommender reads.
        y : {array-like, sparse matrix} of shape (n_rows, n_items), default=None
            Interactions with the items. Required if the recommender learns the map from X to y.

        Returns
        -------
        self : object
        """
        X, y = self._checked(X, y)
        self.recommender_ = fitted_part(self.recommender, X, y)
        self._target = self._target_of(X, y, [self.recommender_])
        self._check_items({"recommender": self.recommender_})
        self._set_items(X, y)
        n_rows_with = np.maximum(1, self.popularity_ * X.shape[0])
        self.discounts_ = np.float32(self.discount) * standardized(np.log(n_rows_with)[None])[0]
        return self

    def _member_scores(self, X):
        scores = standardized(self._target.scores(self.recommender_, X))
        yield "recommender", scores
        yield "discount", np.tile(-self.discounts_, (len(scores), 1))

    def _score_parts(self, X):
        parts = self._target.score_parts(self.recommender_, X)
        if parts is None:
            return None
        return standardized_parts(parts, self._target.scores(self.recommender_, X))
