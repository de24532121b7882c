"""A scorer under which popularity alone is near chance."""

from numbers import Integral, Real

import numpy as np

from .._recommend import exclusions, n_rows_of
from .._validation import Interval, StrOptions, validate_params
from .._wrapping import recommender_and_rows
from ._choice_odds import choice_odds
from ._pairs import held_out_ranks, rank_metrics
from ._propensity import inverse_propensity_weights
from ._scorer import HoldoutScorer
from ._wanted import wanted_items


@validate_params(
    {
        "metric": [StrOptions({"hit_rate", "mrr", "ndcg"})],
        "k": [Interval(Integral, 1, None, closed="left")],
        "propensity_exponent": [Interval(Real, 0, None, closed="left")],
        "max_weight": [Interval(Real, 1, None, closed="left"), None],
        "n_negatives": [Interval(Integral, 1, None, closed="left"), None],
        "negative_exponent": [Interval(Real, 0, None, closed="left")],
        "exclude_seen": ["boolean", StrOptions({"auto"})],
        "candidates": ["array-like", None],
        "holdout": [
            None,
            Interval(Real, 0, 1, closed="neither"),
            Interval(Integral, 1, None, closed="left"),
        ],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def debiased_scorer(
    metric="ndcg",
    k=10,
    *,
    propensity_exponent=1.0,
    max_weight=10.0,
    n_negatives=None,
    negative_exponent=0.0,
    exclude_seen="auto",
    candidates=None,
    holdout=None,
    random_state=None,
):
    r"""Make a scorer that ranks held-out pairs and does not pay for popularity.

    Parameters
    ----------
    metric : {"hit_rate", "mrr", "ndcg"}, default="ndcg"
        What to measure on the rank of each held-out pair, see `rank_metrics`.
    k : int, default=10
        The last rank that counts for NDCG and the hit rate.
    propensity_exponent : float, default=1.0
        Pairs are weighted by this power of the inverse of the odds of their item, 0 or more.
    max_weight : float, default=10.0
        Weights above this are cut to it, see `inverse_propensity_weights`; None cuts nothing.
    n_negatives : int, default=None
        Number of random unseen items that each pair is ranked against; None is all of them.
    negative_exponent : float, default=0.0
        Power of an item's odds with which it is drawn as a negative, 0 or more. It has an effect
        with `n_negatives` only.
    exclude_seen : bool or "auto", default="auto"
        Whether to leave out what a row already has in X, as in `recommend`.
    candidates : array-like of int or mask of shape (n_items_,), default=None
        Item columns that take part, also in what is looked for; None lets all of them.
    holdout : float or int, default=None
        Hide this share (between 0 and 1) or count (1 and up) of each row's interactions in X, the
        latest ones of a history, and rank these. None ranks what is in the y that is passed and,
        without y, what the `score` of the model hides.
    random_state : int, RandomState instance or None, default=None
        Chooses what `holdout` hides, and the negatives. Pass an int to judge every model alike.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y=None)`` returns the weighted mean over the pairs, a float. It
        takes a fitted recommender or a `Pipeline`, search or `FrozenEstimator` that holds one, and
        can be pickled.

    See Also
    --------
    ranking_scorer : Scores the best k items of each row, and pays for popularity.
    held_out_ranks : Makes the ranks.
    inverse_propensity_weights : Makes the weights.
    choice_odds : Makes the odds.

    Notes
    -----
    The odds of an item are its `choice_odds`, by the `popularity_` of the model, which is that of
    the rows that it learned from, and by how much the rows of X have: what is held out is not
    looked at for them.

    Where rows choose by popularity alone, every ranking that is the same for all rows is worth as
    much as a random one if `propensity_exponent` is 1, or with sampled negatives, if it and
    `negative_exponent` sum to 1: 1 and 0 with all items or uniform negatives, 0 and 1 with
    negatives as popular as what is looked for. The latter needs no weights, and its errors are
    smaller. With `n_negatives` n, a random ranking has a hit rate of :math:`k / (n + 1)`.

    The weights are normalised over all pairs, not by row as in [1]_: a row with a single pair
    would not be weighted at all. Exponents between 0 and 1 are between the two views; what rows
    really see is not known, so compare models under more than one. Popularity comes out above
    chance where the popularity of items is not all that rows with the same number of items have in
    common, and a model that recommends the rarest items comes out above it as well: what few rows
    have by chance is weighted too much. `max_weight` is there against the latter.

    References
    ----------
    .. [1] L. Yang, Y. Cui, Y. Xuan, C. Wang, S. Belongie and D. Estrin, "Unbiased offline
       recommender evaluation for missing-not-at-random implicit feedback", RecSys 2018.
       :doi:`10.1145/3240323.3240355`

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sktransrec import DiscountedRecommender, EASERecommender
    >>> from sktransrec.datasets import make_cross_domain
    >>> from sktransrec.metrics import debiased_scorer
    >>> X = make_cross_domain(random_state=0).X_source
    >>> scorer = debiased_scorer(holdout=0.2, random_state=0)
    >>> model = DiscountedRecommender(EASERecommender())
    >>> search = GridSearchCV(model, {"discount": [0, 0.3]}, scoring=scorer, cv=2).fit(X)
    >>> search.best_params_
    {'discount': 0.3}
    """
    return _DebiasedScorer(
        *(metric, k, propensity_exponent, max_weight, n_negatives, negative_exponent),
        *(exclude_seen, candidates, holdout, random_state),
    )


class _DebiasedScorer(HoldoutScorer):
    def __init__(
        self,
        metric,
        k,
        propensity_exponent,
        max_weight,
        n_negatives,
        negative_exponent,
        exclude_seen,
        candidates,
        holdout,
        random_state,
    ):
        self.metric = metric
        self.k = k
        self.propensity_exponent = propensity_exponent
        self.max_weight = max_weight
        self.n_negatives = n_negatives
        self.negative_exponent = negative_exponent
        self.exclude_seen = exclude_seen
        self.candidates = None if candidates is None else np.asarray(candidates)
        self.holdout = holdout
        self.random_state = random_state

    def __repr__(self):
        options = f", propensity_exponent={self.propensity_exponent!r}"
        if self.n_negatives is not None:
            options += f", n_negatives={self.n_negatives}"
            options += f", negative_exponent={self.negative_exponent!r}"
        if self.holdout is not None:
            options += f", holdout={self.holdout!r}, random_state={self.random_state!r}"
        return f"debiased_scorer({self.metric!r}, k={self.k}{options})"

    def __call__(self, estimator, X, y=None):
        X, y = self._rows_and_wanted(estimator, X, y)
        recommender, X = recommender_and_rows(estimator, X)
        y = wanted_items(recommender, y, n_rows=n_rows_of(X), n_items=recommender.n_items_)
        odds = self._odds(recommender, X)
        rows, items, ranks = held_out_ranks(
            recommender,
            X,
            self._among_candidates(y),
            n_negatives=self.n_negatives,
            negative_exponent=self.negative_exponent,
            popularity=odds,
            candidates=self.candidates,
            exclude_seen=self.exclude_seen,
            random_state=self.random_state,
        )
        weights = inverse_propensity_weights(
            odds, exponent=self.propensity_exponent, max_weight=self.max_weight
        )
        metrics = rank_metrics(ranks, rows=rows, weights=weights[items], k=self.k)
        return metrics[self.metric][0]

    def _odds(self, recommender, X):
        """Return the odds of choosing each item by popularity, for rows as active as those of X."""
        seen = exclusions(recommender, X, n_rows_of(X), self.exclude_seen)
        activity = [np.diff(interactions.indptr) for interactions in seen]
        return choice_odds(recommender.popularity_, *activity)
