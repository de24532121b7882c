"""A recommender whose popular items are held back."""

from numbers import Real

import numpy as np
from sklearn.base import clone

from .._validation import HasMethods, Interval, _fit_context, restores_on_error
from ._base import EnsembleRecommender, standardized


class DiscountedRecommender(EnsembleRecommender):
    r"""Recommend as another recommender does, with popular items held back.

    It is as the recommender that it wraps: supervised if that learns the map from X to y,
    in-domain if it learns from X alone. Few items get most of what a recommender shows; this
    takes from them what they owe to their popularity, and how much of it is a number to search.

    Parameters
    ----------
    recommender : estimator
        The recommender, or a `Pipeline` or search that holds one. It is cloned and fitted.
    discount : float, default=0.3
        How many standard deviations of its scores an item loses for each standard deviation by
        which its log-popularity is above the mean, 0 or more. 0 leaves the ranking as it is; at 1
        popularity weighs as much as all that the recommender says.

    Attributes
    ----------
    recommender_ : estimator
        The fitted recommender.
    discounts_ : ndarray of shape (n_items_,), dtype float32
        What is taken from the standardised scores of each item; 0 on average.
    n_items_ : int
        Number of items that can be recommended.
    popularity_ : ndarray of shape (n_items_,), dtype float32
        The share of rows that have each item, which are the scores of an empty row.
    n_features_in_ : int
        Number of columns of X seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, where X had any.

    See Also
    --------
    sktransrec.metrics.debiased_scorer : Chooses the discount without paying for popularity.
    sktransrec.metrics.metrics_by_bucket : Shows what head and tail gain and lose.
    PopularityScaler : Holds popular items back in what a recommender learns from.

    Notes
    -----
    With the standardised scores :math:`z(r, i)` of row r, of mean 0 and variance 1 over the items
    i, and the number :math:`n_i` of rows of `fit` that have item i, the score is

    .. math:: z(r, i) - \gamma \, \frac{\log \max(1, n_i) - \mu}{\sigma} ,

    :math:`\gamma` being `discount`, :math:`\mu` and :math:`\sigma` the mean and the standard
    deviation over the items. For scores that are log-probabilities, subtracting a multiple of
    the log-popularity is the logit adjustment of [1]_ after the fact, and dividing by a power of
    it; being standardised, the same discount means as much to a recommender of any scale.

    An empty row says nothing of its taste and still gets the popular items.

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

    _parameter_constraints: dict = {
        "recommender": [HasMethods(["fit"])],
        "discount": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, recommender, *, discount=0.3):
        self.recommender = recommender
        self.discount = discount

    def _parts(self):
        return [self.recommender]

    def _fitted_parts(self):
        return [self.recommender_]

    @restores_on_error
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Fit the recommender and learn how popular the items are.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            What the recommender takes.
        y : {array-like, sparse matrix} of shape (n_rows, n_items), default=None
            Interactions with the items, if the recommender learns from these.

        Returns
        -------
        self : object
        """
        X, y = self._checked(X, y)
        self.recommender_ = clone(self.recommender).fit(X, y)
        self._target = self._target_of(X, y, [self.recommender_])
        self._check_items({"recommender": self.recommender_})
        self._set_items(X, y)
        n_rows_with = np.maximum(1, self.popularity_ * X.shape[0])
        self.discounts_ = np.float32(self.discount) * standardized(np.log(n_rows_with)[None])[0]
        return self

    def _score_rows(self, X):
        return standardized(self._target.scores(self.recommender_, X)) - self.discounts_
