# SPDX-License-Identifier: BSD-3-Clause
"""A scorer that gives popularity alone a score near chance."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from .._numerics._row_totals import row_lengths
from .._recommend import exclusions, n_rows_of, rows_and_exclusions
from .._validation import (
    AT_LEAST_0,
    AT_LEAST_1,
    AUTO,
    COUNT,
    HOLDOUT,
    StrOptions,
    check_candidates,
    check_is_fitted,
    validate_params,
)
from ._choice_odds import choice_odds
from ._pairs import held_out_ranks, rank_metrics
from ._propensity import inverse_propensity_weights
from ._scorer import HoldoutScorer
from ._wanted import wanted_items


@validate_params(
    {
        "metric": [StrOptions({"hit_rate", "reciprocal_rank", "ndcg"})],
        "k": COUNT,
        "propensity_exponent": AT_LEAST_0,
        "max_weight": [*AT_LEAST_1, None],
        "n_negatives": [*COUNT, None],
        "negative_exponent": AT_LEAST_0,
        "exclude_seen": ["boolean", *AUTO],
        "candidates": ["array-like", None],
        "holdout": [None, *HOLDOUT],
        "random_state": ["random_state"],
    }
)
def debiased_scorer(
    metric: Literal["hit_rate", "reciprocal_rank", "ndcg"] = "ndcg",
    k: int = 10,
    *,
    propensity_exponent: float = 1.0,
    max_weight: float | None = 10.0,
    n_negatives: int | None = None,
    negative_exponent: float = 0.0,
    exclude_seen: bool | Literal["auto"] = "auto",
    candidates: ArrayLike | None = None,
    holdout: float | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> Callable[..., Any]:
    r"""Make a scorer that gives no credit for recommending what is popular.

    Use it in a search beside `ranking_scorer`, if the model should find more than popular items.
    With its default values it weights pairs; with ``n_negatives=99, propensity_exponent=0,
    negative_exponent=1`` it ranks them among popular negatives, which has smaller errors.

    Parameters
    ----------
    metric : {"hit_rate", "reciprocal_rank", "ndcg"}, default="ndcg"
        The metric of the rank of each held-out pair, see `rank_metrics`.
    k : int, default=10
        The last rank that counts for NDCG and the hit rate.
    propensity_exponent : float, default=1.0
        Pairs are weighted by this power of the inverse odds of their item, 0 or more.
    max_weight : float or None, default=10.0
        Larger weights are cut to this value, see `inverse_propensity_weights`. None cuts nothing.
    n_negatives : int, default=None
        Number of random unseen items that each pair is ranked against. None means all of them.
    negative_exponent : float, default=0.0
        Items are drawn as negatives in proportion to this power of their odds, 0 or more. Without
        `n_negatives` it has no effect.
    exclude_seen : bool or "auto", default="auto"
        Whether to leave out the items that a row already has in X, as in `recommend`.
    candidates : array-like of int or mask of shape (n_items_,), default=None
        Item columns to rank. Held-out items outside of them do not count. None means all items.
    holdout : float or int, default=None
        Hide this share (between 0 and 1) or number (1 or more) of the interactions of each row in
        X, and rank them; of a history, the latest ones. None ranks the items in y or, if no y is
        passed, the items that the `score` of a recommender hides: always the same fifth of the
        items of each row, or the last item of a history. They are hidden before the steps of a
        `Pipeline`, whose own `score` hides items after its steps.
    random_state : int, RandomState instance or None, default=None
        Chooses what `holdout` hides, and draws the negatives. Pass an int to compare all models on
        the same pairs.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y=None)`` returns the weighted mean over the pairs, a float. It
        takes a fitted recommender or a `Pipeline`, search or `FrozenEstimator` that holds one, and
        can be pickled.

    See Also
    --------
    ranking_scorer : Scores the best k items of each row, and gives credit for popular items.
    held_out_ranks : The ranks that it uses.
    inverse_propensity_weights : The weights that it uses.
    choice_odds : The odds that it uses.

    Notes
    -----
    The odds of an item are its `choice_odds`. They depend on the `popularity_` of the model, from
    the training data, and on the number of interactions of each row of X. They do not depend on the
    held-out pairs. If the activity of the rows differs so much that no odds agree with the
    popularity, the odds are those for equally active rows.

    If rows choose by popularity alone, every ranking that is the same for all rows has the score of
    a random ranking. This needs ``propensity_exponent=1`` or, with sampled negatives,
    `propensity_exponent` and `negative_exponent` that sum to 1. With 1 and 0, use all items or
    uniform negatives. With 0 and 1, the negatives are as popular as the held-out items; this needs
    no weights, and its errors are smaller. With `n_negatives` n, a random ranking has a hit rate of
    :math:`k / (n + 1)`.

    The weights are normalised over all pairs, not by row as in [1]_, where a row with a single pair
    has no effective weight. A `propensity_exponent` of 1 takes all differences in popularity for
    differences in exposure, and 0 takes none of them. Nobody knows how much popularity comes from
    exposure, so compare models under more than one exponent.

    Popularity scores above chance if the rows with the same number of items have more in common
    than the popularity of the items. A model that recommends the rarest items can score above
    chance too, because items that a few rows have by chance get large weights. `max_weight` limits
    this.

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
        *(candidates, holdout, random_state, metric, k, exclude_seen),
        *(propensity_exponent, max_weight, n_negatives, negative_exponent),
    )


@dataclass(repr=False, eq=False)
class _DebiasedScorer(HoldoutScorer):
    metric: str
    k: int
    exclude_seen: bool | str
    propensity_exponent: float
    max_weight: float | None
    n_negatives: int | None
    negative_exponent: float

    def __repr__(self):
        options = f", propensity_exponent={self.propensity_exponent!r}"
        options += f", max_weight={self.max_weight!r}"
        if self.n_negatives is not None:
            options += f", n_negatives={self.n_negatives}"
            options += f", negative_exponent={self.negative_exponent!r}"
        return f"debiased_scorer({self.metric!r}, k={self.k}{options}{self._common_options()})"

    def __call__(self, estimator, X, y=None):
        X, y = self._rows_and_wanted(estimator, X, y)
        recommender, X, left_out = rows_and_exclusions(estimator, X, self.exclude_seen)
        check_is_fitted(recommender)
        y = wanted_items(estimator, y, n_rows=n_rows_of(X), n_items=recommender.n_items_)
        odds = self._odds(recommender, X, left_out)
        rows, items, ranks = held_out_ranks(
            recommender,
            X,
            self._among_candidates(y),
            n_negatives=self.n_negatives,
            negative_exponent=self.negative_exponent,
            popularity=odds,
            candidates=self.candidates,
            **left_out,
            random_state=self.random_state,
        )
        weights = self._weights(odds)
        metrics = rank_metrics(ranks, rows=rows, weights=weights[items], k=self.k)
        return metrics[self.metric][0]

    def _weights(self, odds):
        """Return the weight of each item that is ranked, 0 for the others."""
        ranked = check_candidates(self.candidates, len(odds))
        ranked = np.arange(len(odds)) if ranked is None else ranked
        weights = np.zeros(len(odds))
        weights[ranked] = inverse_propensity_weights(
            odds[ranked], exponent=self.propensity_exponent, max_weight=self.max_weight
        )
        return weights

    def _odds(self, recommender, X, left_out):
        """Return the odds of choosing each item by popularity, for rows as active as those of X."""
        seen = exclusions(recommender, X, **left_out)
        activity = [row_lengths(interactions) for interactions in seen]
        return choice_odds(recommender.popularity_, *activity)
