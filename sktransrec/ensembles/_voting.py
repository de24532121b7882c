# SPDX-License-Identifier: BSD-3-Clause
"""Several recommenders in one: the mean of their scores on one scale."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from .._typing import Estimator, MatrixLike
from .._validation import validated_fit_of_parts
from ._base import CombiningRecommender
from ._standardized import standardized, standardized_parts


class VotingRecommender(CombiningRecommender):
    r"""Combine several recommenders: rank items by the weighted mean of their scores.

    Use it when different recommenders find different good items, for example neighbours and
    factors. Tune each recommender alone first: the vote must beat the best of them. All must
    recommend the same items. The vote is supervised if one of them learns the map from X to y, and
    in-domain if all learn from X alone.

    Parameters
    ----------
    estimators : list of (str, estimator) tuples
        Names and recommenders; a `Pipeline` or search that holds one works too. They are cloned
        and fitted on the same data. One that is set to "drop" is left out.
    weights : array-like of float of shape (n_estimators,), default=None
        The weight of each recommender, 0 or more. None gives all the same weight.
    n_jobs : int, default=None
        Number of recommenders to fit at a time, as in scikit-learn, and of threads of `recommend`.

    Attributes
    ----------
    estimators_ : list of estimators
        The fitted recommenders.
    named_estimators_ : :class:`~sklearn.utils.Bunch`
        The fitted recommenders by name.
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
    StackingRecommender : Learns the weights from held-out interactions.
    TransferGate : Chooses between two recommenders for each group of rows.
    sklearn.ensemble.VotingRegressor : The same for numbers.

    Notes
    -----
    Different models score on different scales, so the scores are standardised in each row before
    the mean is taken [1]_. The score of item i for row r is

    .. math:: \frac{\sum_m w_m (s_m(r, i) - \mu_m(r)) / \sigma_m(r)}{\sum_m w_m} .

    Here :math:`s_m(r, i)` is the score of model m with weight :math:`w_m`, and :math:`\mu_m(r)` and
    :math:`\sigma_m(r)` are the mean and the standard deviation of these scores over the items. A
    model that gives all items the same score has no influence. The vote never recommends an item
    that one of the models withholds, as ``HybridRecommender(cold_policy="exclude")`` does.

    References
    ----------
    .. [1] M. Montague and J. A. Aslam, "Relevance score normalization for metasearch", CIKM 2001.
       :doi:`10.1145/502585.502657`

    Examples
    --------
    >>> from sktransrec import EASERecommender, ItemKNNRecommender, VotingRecommender
    >>> X = [[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    >>> vote = VotingRecommender([("ease", EASERecommender()), ("knn", ItemKNNRecommender())])
    >>> items, _ = vote.fit(X).recommend([[1, 0, 0, 0], [0, 0, 0, 1]], n_recommendations=1)
    >>> items
    array([[1],
           [2]])
    """

    _parameter_constraints: dict = CombiningRecommender._parameter_constraints | {
        "weights": ["array-like", None],
    }

    def __init__(
        self,
        estimators: list[tuple[str, Estimator]],
        *,
        weights: ArrayLike | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.estimators = estimators
        self.weights = weights
        self.n_jobs = n_jobs

    @validated_fit_of_parts
    def fit(self, X: MatrixLike, y: MatrixLike | None = None) -> Self:
        """Fit all recommenders.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            What is known about the rows: interactions with the items if all recommenders learn
            from X alone; texts or a table with columns of texts if all are pipelines that read
            these.
        y : {array-like, sparse matrix} of shape (n_rows, n_items), default=None
            The interactions of the rows with the items. Required if a recommender learns the map
            from X to y.

        Returns
        -------
        self : object
        """
        weights = self._checked_weights()
        X, y = self._checked(X, y)
        self._fit_members(X, y)
        self._shares = _shares(weights)
        return self

    def _checked_weights(self):
        """Return the weights of the recommenders that are not dropped."""
        self._check_members()
        n_parts = len(self.estimators)
        weights = self._used_weights(np.ones(n_parts) if self.weights is None else self.weights)
        if weights is None:
            raise ValueError(
                f"weights={self.weights!r}: pass a number of 0 or more for each of the {n_parts} "
                "estimators, and one above 0."
            )
        return weights

    def _keep_weights_of(self, are_kept):
        self._shares = _shares(self._shares[are_kept])

    def _member_scores(self, X):
        for weight, name in zip(self._shares, self.named_estimators_, strict=True):
            scores = self._target.scores(self.named_estimators_[name], X)
            yield name, weight * standardized(scores)

    def _score_parts(self, X):
        total = np.zeros(self.n_items_)
        for weight, model in zip(self._shares, self.estimators_, strict=True):
            parts = self._target.score_parts(model, X)
            if parts is None:
                return None
            total = total + weight * standardized_parts(parts, self._target.scores(model, X))
        return total


def _shares(weights):
    """Return weights with sum 1, equal ones if all are 0."""
    weights = weights if weights.any() else np.ones(len(weights))
    return (weights / weights.sum()).astype(np.float32)
