"""Ranking metrics as scorers for scikit-learn's searches."""

from numbers import Integral, Real

import numpy as np
import scipy.sparse as sp

from .._recommend import recommend
from .._validation import (
    Interval,
    StrOptions,
    check_candidates,
    validate_params,
)
from .._wrapping import recommender_and_rows
from ..interactions._hidden import hidden_by_default, hidden_part
from ._table import METRICS
from ._wanted import wanted_items


@validate_params(
    {
        "metric": [StrOptions(set(METRICS))],
        "k": [Interval(Integral, 1, None, closed="left")],
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
def ranking_scorer(
    metric="ndcg", k=10, *, exclude_seen="auto", candidates=None, holdout=None, random_state=None
):
    """Make a scorer of recommended items for a search.

    Use it as ``scoring`` of `GridSearchCV` and other tools of scikit-learn. The scorer recommends
    items to the rows of X and compares them with y, or with interactions that it hides from X.

    Parameters
    ----------
    metric : str, default="ndcg"
        The metric of the best `k` items of each row.
        One of "average_precision", "f1", "hit_rate", "ndcg", "precision", "recall" and
        "reciprocal_rank".
    k : int, default=10
        Number of items recommended to each row, 1 or more. If the model has fewer items, all of
        them are recommended.
    exclude_seen : bool or "auto", default="auto"
        Whether to leave out the items that a row already has in X, as in `recommend`.
    candidates : array-like of int or mask of shape (n_items_,), default=None
        Item columns that may be recommended. Other items do not count, even if they are relevant
        or held out. Pass the target columns to score a model of two domains on the target. None
        allows all items.
    holdout : float or int, default=None
        Hide this share (between 0 and 1) or number (1 or more) of the interactions of each row in
        X, recommend from the others, and look for the hidden ones; of a history, the latest ones
        are hidden. X must hold the items. None compares with y or, if no y is passed, hides what
        the `score` of the model hides.
    random_state : int, RandomState instance or None, default=None
        Chooses what `holdout` hides. Pass an int to compare all models on the same interactions.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y=None)`` returns the mean over the rows with something to find, a
        float. It takes a fitted recommender or a `Pipeline`, search or `FrozenEstimator` that
        holds one, and can be pickled.

    See Also
    --------
    sktransrec.recommend : The function that recommends.
    debiased_scorer : A scorer that gives popularity alone a score near chance.
    held_out_ranks : Ranks held-out pairs among all or among sampled items.

    Notes
    -----
    If no row has anything to find, or if the model cannot recommend, the scorer raises an error. It
    never returns NaN. A search turns errors into NaN and a warning; ``error_score="raise"`` shows
    the errors.

    A row with fewer than two items does not count, because nothing can be hidden. Only items that
    the model can recommend, and that are candidates, are hidden. A history is cut before the first
    hidden item. A hidden item that also occurs before the cut does not count.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sktransrec import PopularityRecommender
    >>> from sktransrec.metrics import ranking_scorer
    >>> X = [[1, 1, 0, 1], [1, 1, 0, 0], [1, 0, 1, 1], [0, 1, 1, 0]]
    >>> scorer = ranking_scorer("recall", k=2, holdout=1, random_state=0)
    >>> scorer
    ranking_scorer('recall', k=2, holdout=1, random_state=0)
    >>> search = GridSearchCV(PopularityRecommender(), {}, scoring=scorer, cv=2).fit(X)
    >>> bool(0 <= search.best_score_ <= 1)
    True
    """
    return _RankingScorer(metric, k, exclude_seen, candidates, holdout, random_state)


class HoldoutScorer:
    """Base of scorers that compare with y, or with a part of X that they hide.

    A subclass sets `candidates`, `holdout` and `random_state`.
    """

    def _rows_and_wanted(self, estimator, X, y):
        """Return the rows to recommend to, and the items to find."""
        if self.holdout is None:
            return (X, y) if y is not None else hidden_by_default(estimator, X, self.candidates)
        if y is not None:
            raise ValueError(
                f"{self!r} hides a part of X to look for, but y was passed as well: call the "
                "scorer without y, or make it without holdout."
            )
        return hidden_part(
            estimator,
            X,
            self.holdout,
            random_state=self.random_state,
            candidates=self.candidates,
        )

    def _among_candidates(self, interactions):
        """Return the interactions with the candidates; the columns stay those of all items."""
        if self.candidates is None:
            return interactions
        n_items = interactions.shape[1]
        is_candidate = np.zeros(n_items, dtype=interactions.dtype)
        is_candidate[check_candidates(self.candidates, n_items)] = 1
        return interactions @ sp.diags_array(is_candidate)


class _RankingScorer(HoldoutScorer):
    def __init__(self, metric, k, exclude_seen, candidates, holdout, random_state):
        self.metric = metric
        self.k = k
        self.exclude_seen = exclude_seen
        self.candidates = None if candidates is None else np.asarray(candidates)
        self.holdout = holdout
        self.random_state = random_state

    def __repr__(self):
        options = "" if self.exclude_seen == "auto" else f", exclude_seen={self.exclude_seen!r}"
        if self.candidates is not None:
            options += f", candidates=<array of shape {self.candidates.shape}>"
        if self.holdout is not None:
            options += f", holdout={self.holdout!r}, random_state={self.random_state!r}"
        return f"ranking_scorer({self.metric!r}, k={self.k}{options})"

    def __call__(self, estimator, X, y=None):
        X, y = self._rows_and_wanted(estimator, X, y)
        recommender, X = recommender_and_rows(estimator, X)
        k = min(self.k, recommender.n_items_)
        items, _ = recommend(
            recommender,
            X,
            n_recommendations=k,
            candidates=self.candidates,
            exclude_seen=self.exclude_seen,
        )
        y = wanted_items(recommender, y, n_rows=len(items), n_items=recommender.n_items_)
        return METRICS[self.metric].function(self._among_candidates(y), items, k)
