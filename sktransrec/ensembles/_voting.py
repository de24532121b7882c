"""Several recommenders in one: the mean of their scores on one scale."""

import copy
from dataclasses import replace

import numpy as np
from sklearn.base import clone
from sklearn.utils import Bunch
from sklearn.utils.parallel import Parallel, delayed

from .._ids import DecodesItems
from .._validation import (
    N_JOBS,
    _BaseComposition,
    _fit_context,
    check_is_fitted,
    restores_on_error,
)
from ._base import EnsembleRecommender, standardized


class VotingRecommender(DecodesItems, EnsembleRecommender, _BaseComposition):
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
        Number of recommenders to fit at a time, as in scikit-learn.

    Attributes
    ----------
    estimators_ : list of estimators
        The fitted recommenders.
    named_estimators_ : :class:`~sklearn.utils.Bunch`
        The fitted recommenders by name.
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

    _parameter_constraints: dict = {
        "estimators": [list],
        "weights": ["array-like", None],
        "n_jobs": N_JOBS,
    }

    def __init__(self, estimators, *, weights=None, n_jobs=None):
        self.estimators = estimators
        self.weights = weights
        self.n_jobs = n_jobs

    def get_params(self, deep=True):
        """Return the parameters, and those of each recommender as ``name__parameter``.

        Parameters
        ----------
        deep : bool, default=True
            Whether to return the parameters of the recommenders as well.

        Returns
        -------
        params : dict
        """
        return self._get_params("estimators", deep=deep)

    def set_params(self, **params):
        """Set parameters, and those of a recommender as ``name__parameter``.

        Parameters
        ----------
        **params : dict
            Parameters. The name of a recommender replaces it by another one, or by "drop", which
            leaves it out.

        Returns
        -------
        self : object
        """
        self._set_params("estimators", **params)
        return self

    def _named_parts(self):
        return [(name, part) for name, part in self.estimators if not isinstance(part, str)]

    def _parts(self):
        return [part for _, part in self._named_parts()]

    def _fitted_parts(self):
        return self.estimators_

    @restores_on_error
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
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
        names, parts = zip(*self._named_parts(), strict=True)
        self.estimators_ = Parallel(n_jobs=self.n_jobs)(
            delayed(_fitted)(part, X, y) for part in parts
        )
        self.named_estimators_ = Bunch(**dict(zip(names, self.estimators_, strict=True)))
        self._shares = (weights / weights.sum()).astype(np.float32)
        self._target = self._target_of(X, y, self.estimators_)
        self._check_items(self.named_estimators_)
        self._set_items(X, y)
        return self

    def with_items(self, item_features):
        """Add new items to the fitted vote, without fitting it again.

        All recommenders must know items by their content; see
        :meth:`HybridRecommender.with_items`.

        Parameters
        ----------
        item_features : ItemFeatures
            The content of the new items, in the same form as that of the items in `fit`. Their ids
            must be new.

        Returns
        -------
        recommender : VotingRecommender
            A fitted copy that recommends the new items as well. Their columns come after those of
            the items known so far. X keeps the columns of `fit`.
        """
        check_is_fitted(self)
        for name, model in self.named_estimators_.items():
            if not hasattr(model, "with_items"):
                raise TypeError(
                    f"{name!r} does not know items by their content ({model!r}). All recommenders "
                    "must do so, as HybridRecommender and ContentKNNRecommender do."
                )
        other = copy.copy(self)
        other.estimators_ = [model.with_items(item_features) for model in self.estimators_]
        other.named_estimators_ = Bunch(
            **dict(zip(self.named_estimators_, other.estimators_, strict=True))
        )
        other.n_items_ = self.n_items_ + item_features.n_items
        other._target = replace(self._target, n_items=other.n_items_)
        other.popularity_ = np.pad(self.popularity_, (0, item_features.n_items))
        return other

    def _ids_of_items(self):
        check_is_fitted(self)
        for model in self.estimators_:
            if hasattr(model, "item_ids_"):
                return model.item_ids_
        raise ValueError(
            "None of the recommenders knows the ids of the items. HybridRecommender and "
            "ContentKNNRecommender would. Use decode_items of the InteractionEncoder that made X."
        )

    def _checked_weights(self):
        """Return the weights of the recommenders that are not dropped."""
        self._validate_names([name for name, _ in self.estimators])
        if not self._parts():
            raise ValueError("estimators holds no recommender: pass (name, recommender) tuples.")
        is_used = [not isinstance(part, str) for _, part in self.estimators]
        weights = np.ones(len(is_used)) if self.weights is None else np.asarray(self.weights)
        if weights.shape == (len(is_used),):
            weights = weights[is_used]
            if weights.min() >= 0 and 0 < weights.sum() < np.inf:
                return weights
        raise ValueError(
            f"weights={self.weights!r}: pass a number of 0 or more for each of the {len(is_used)} "
            "estimators, and one above 0."
        )

    def _score_rows(self, X):
        total = np.zeros((X.shape[0], self.n_items_), dtype=np.float32)
        for weight, model in zip(self._shares, self.estimators_, strict=True):
            total += weight * standardized(self._target.scores(model, X))
        return total


def _fitted(model, X, y):
    return clone(model).fit(X, y)
