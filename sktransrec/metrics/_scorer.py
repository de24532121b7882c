# SPDX-License-Identifier: BSD-3-Clause
"""Ranking metrics as scorers for scikit-learn's searches."""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from .._columns import check_order_of_labels, check_row_labels, row_labels
from .._numerics._entries import entries_of
from .._recommend import (
    candidates_of,
    exclusions,
    n_rows_of,
    recommend,
    rows_and_exclusions,
    seen_interactions,
)
from .._typing import MatrixLike
from .._validation import (
    AUTO,
    COUNT,
    HOLDOUT,
    StrOptions,
    check_candidates,
    check_is_fitted,
    validate_params,
)
from ..interactions._hidden import hidden_by_default, hidden_part
from ._auc import held_out_auc
from ._table import BEYOND_ACCURACY, METRICS
from ._wanted import check_not_all_seen, is_matrix_of_items, wanted_items

_AT_K = METRICS | BEYOND_ACCURACY
_NEEDS = {"auc": ("y_true",)} | {name: metric.needs for name, metric in _AT_K.items()}


@validate_params(
    {
        "metric": [StrOptions(set(_NEEDS)), list, tuple],
        "k": [*COUNT, list, tuple],
        "exclude_seen": ["boolean", *AUTO],
        "candidates": ["array-like", None],
        "holdout": [None, *HOLDOUT],
        "item_vectors": ["array-like", "sparse matrix", None],
        "item_classes": ["array-like", "sparse matrix", None],
        "random_state": ["random_state"],
    }
)
def ranking_scorer(
    metric: str | list[str] = "ndcg",
    k: int | list[int] = 10,
    *,
    exclude_seen: bool | Literal["auto"] = "auto",
    candidates: ArrayLike | None = None,
    holdout: float | None = None,
    item_vectors: MatrixLike | None = None,
    item_classes: MatrixLike | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> Callable[..., Any]:
    """Make a scorer of recommended items for a search, of one metric or of several.

    Use it as ``scoring`` of `GridSearchCV` and other tools of scikit-learn. The scorer recommends
    items to the rows of X and compares them with y, or with interactions that it hides from X.

    Parameters
    ----------
    metric : str or list of str, default="ndcg"
        The metrics of the best `k` items of each row.
        Of relevance: "auc", "average_precision", "f1", "hit_rate", "ndcg", "precision", "recall"
        and "reciprocal_rank". Of what is recommended: "calibration_error", "coverage",
        "diversity", "gini", "novelty", "popularity_lift" and "serendipity". "auc" is
        `held_out_auc` and has no `k`; each other name is that of a function, such as `ndcg_at_k`.
    k : int or list of int, default=10
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
        the `score` of a recommender hides: always the same fifth of the items of each row, or the
        last item of a history. It is hidden before the steps of a `Pipeline`, whose own `score`
        hides items after its steps.
    item_vectors : {array-like, sparse matrix} of shape (n_items_, n_features), default=None
        What the items are like; "diversity" needs it.
    item_classes : {array-like, sparse matrix} of shape (n_items_, n_classes), default=None
        The classes of the items, such as genres; "calibration_error" needs it.
    random_state : int, RandomState instance or None, default=None
        Chooses what `holdout` hides. Pass an int to compare all models on the same interactions.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y=None)`` returns a float or, if `metric` or `k` is a list, a dict
        with a float for each metric, named like "ndcg@10". Such a scorer ranks once for all
        metrics; a search with it needs ``refit="ndcg@10"``. It takes a fitted recommender or a
        `Pipeline`, search or `FrozenEstimator` that holds one, and can be pickled.

    See Also
    --------
    sktransrec.recommend : The function that recommends.
    debiased_scorer : A scorer that gives popularity alone a score near chance.
    held_out_ranks : Ranks held-out pairs among all or among sampled items.

    Notes
    -----
    Metrics of relevance are means over the rows with something to find, the others over all rows.
    Of "gini" and "calibration_error", for which smaller values are better, the scorer returns minus
    the value, because a search takes the largest score. No value of "popularity_lift" is the best
    one, so do not search by it. The popularity is that of the model's training data, `popularity_`.
    With `candidates`, coverage, Gini and serendipity are as if there were no other items.
    "popularity_lift" and "calibration_error" compare with what is known of a row in X, items that
    are no candidates included, and not with what is held out.

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
    >>> sorted(ranking_scorer(["recall", "coverage"], k=[1, 2])(search, X))
    ['coverage@1', 'coverage@2', 'recall@1', 'recall@2']
    """
    facts = {"item_vectors": item_vectors, "item_classes": item_classes}
    return _RankingScorer(
        *(candidates, holdout, random_state, metric, k, exclude_seen),
        {name: value for name, value in facts.items() if value is not None},
    )


@dataclass(repr=False, eq=False)
class HoldoutScorer:
    """Base of scorers that compare with y, or with a part of X that they hide."""

    candidates: ArrayLike | None
    holdout: float | None
    random_state: int | np.random.RandomState | None

    def __post_init__(self):
        if self.candidates is not None and row_labels(self.candidates) is None:
            self.candidates = np.asarray(self.candidates)

    def _common_options(self):
        """Return the options of all scorers, as in the call that makes the scorer."""
        options = ""
        if getattr(self, "exclude_seen", "auto") != "auto":
            options += f", exclude_seen={self.exclude_seen!r}"
        if self.candidates is not None:
            options += f", candidates=<array of shape {self.candidates.shape}>"
        if self.holdout is not None:
            options += f", holdout={self.holdout!r}, random_state={self.random_state!r}"
        return options

    def _rows_and_wanted(self, estimator, X, y):
        """Return the rows to recommend to, and the items to find."""
        check_row_labels(X, y)
        if self.holdout is None:
            return (X, y) if y is not None else hidden_by_default(estimator, X, self.candidates)
        if y is not None:
            raise ValueError(
                f"{self!r} hides a part of X to look for, but y was passed as well: call the "
                "scorer without y, or make it without holdout."
            )
        return hidden_part(
            estimator, X, self.holdout, random_state=self.random_state, candidates=self.candidates
        )

    def _among_candidates(self, interactions):
        """Return the interactions with the candidates; the columns stay those of all items."""
        if self.candidates is None:
            return interactions
        candidates = check_candidates(self.candidates, interactions.shape[1])
        return entries_of(interactions, np.isin(interactions.indices, candidates))


@dataclass(repr=False, eq=False)
class _RankingScorer(HoldoutScorer):
    metric: str | list[str]
    k: int | list[int]
    exclude_seen: bool | str
    item_facts: dict

    def __post_init__(self):
        super().__post_init__()
        self._metrics = listed(self.metric, name="metric", allowed=sorted(_NEEDS))
        self._ks = listed(self.k, name="k")
        for name in self._metrics:
            for fact in ("item_vectors", "item_classes"):
                if fact in _NEEDS[name] and fact not in self.item_facts:
                    raise ValueError(f"The metric {name!r} needs {fact}, which is None.")

    def __repr__(self):
        options = self._common_options()
        for name, value in self.item_facts.items():
            options += f", {name}=<{np.shape(value)[0]} items>"
        return f"ranking_scorer({self.metric!r}, k={self.k}{options})"

    def __call__(self, estimator, X, y=None):
        X, y = self._rows_and_wanted(estimator, X, y)
        recommender, X, left_out = rows_and_exclusions(estimator, X, self.exclude_seen)
        check_is_fitted(recommender)
        n_items = recommender.n_items_
        wanted = wanted_items(estimator, y, n_rows=n_rows_of(X), n_items=n_items)
        if is_matrix_of_items(estimator, y, n_items) and self._reads_y():
            check_not_all_seen(wanted, exclusions(recommender, X, **left_out))
        scores = self._scores(recommender, X, self._among_candidates(wanted), left_out)
        if isinstance(self.metric, str) and not isinstance(self.k, list | tuple):
            (score,) = scores.values()
            return score
        return scores

    def _reads_y(self):
        """Return whether a metric compares with what there is to find."""
        return any("y_true" in _NEEDS[name] for name in self._metrics)

    def _scores(self, recommender, X, y, left_out):
        """Return the score of each metric and k, from one ranking of the rows."""
        options = {"candidates": self.candidates, **left_out}
        n_items = recommender.n_items_
        items, _ = recommend(
            recommender, X, n_recommendations=min(max(self._ks), n_items), **options
        )
        candidates = candidates_of(recommender, self.candidates)
        scores = {}
        for name in self._metrics:
            if name == "auc":
                scores[name] = held_out_auc(recommender, X, y, **options)
                continue
            metric = _AT_K[name]
            facts = [self._fact(need, recommender, X, y, items) for need in metric.needs]
            if metric.numbers_items and candidates is not None:
                named = zip(metric.needs, facts, strict=True)
                facts = [_about(candidates, need, fact) for need, fact in named]
            for k in self._ks:
                value = metric.function(*facts, min(k, n_items))
                scores[f"{name}@{k}"] = metric.sign * value
        return scores

    def _fact(self, need, recommender, X, y, items):
        """Return an argument of a metric's function."""
        if need == "interactions":
            return _interactions(recommender, X)
        known = {
            "y_true": y,
            "items": items,
            "n_items": recommender.n_items_,
            "popularity": recommender.popularity_,
        }
        if need in known:
            return known[need]
        names, fact = getattr(recommender, "item_names_", None), self.item_facts[need]
        check_order_of_labels(names, fact, name=need)
        return fact


def _about(candidates, need, fact):
    """Return an argument of a metric's function as if there were no items but the candidates."""
    if need == "items":
        return np.where(fact >= 0, np.searchsorted(candidates, fact), -1)
    if need == "n_items":
        return len(candidates)
    return fact[:, candidates] if need == "y_true" else fact[candidates]


def _interactions(recommender, X):
    """Return what the rows have among the items."""
    interactions = seen_interactions(recommender, X)
    if interactions is None:
        raise ValueError(
            f"X does not hold the items that {type(recommender).__name__} recommends, so the "
            'metrics "popularity_lift" and "calibration_error" cannot compare with what the rows '
            "have: call their functions with it."
        )
    return interactions


def listed(values, *, name, allowed=None):
    """Return one value or several as a list without repetitions."""
    distinct = list(dict.fromkeys(values if isinstance(values, list | tuple) else [values]))
    for value in distinct:
        is_valid = value in allowed if allowed else isinstance(value, Integral) and value >= 1
        if not is_valid:
            known = f"one of {', '.join(allowed)}" if allowed else "an int of 1 or more"
            raise ValueError(f"{name} holds {value!r}, but each must be {known}.")
    if not distinct:
        raise ValueError(f"{name} is empty: pass at least one value.")
    return distinct
