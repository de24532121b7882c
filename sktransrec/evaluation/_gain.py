# SPDX-License-Identifier: BSD-3-Clause
"""Measure the gain by a source: the same rows scored with it and without it."""

from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import KFold, check_cv
from sklearn.utils import check_random_state

from .._columns import check_row_labels
from .._recommend import n_rows_of
from .._typing import Estimator, MatrixLike
from .._validation import (
    BETWEEN_0_AND_1,
    COUNT,
    ESTIMATOR,
    N_JOBS,
    Interval,
    StrOptions,
    check_is_fitted,
    check_sparse,
    indexable_rows,
    validate_params,
)
from .._wrapping import recommender_of
from ..interactions._cross_listed import twin_lines
from ..interactions._target_items import column_labels
from ..metrics._buckets import bucket_edges, bucket_names, bucket_of
from ..metrics._table import METRICS
from ..metrics._wanted import check_same_rows, wanted_items
from ._comparison import (
    Comparison,
    check_order_of_target,
    matrices_and_names,
    side_without,
    target_among,
    tells_of_target,
)
from ._gain_report import gain_html, gain_page
from ._paired import GainEstimate, estimate_gain


@dataclass(frozen=True, eq=False, repr=False)
class TransferGain:
    """The result of `transfer_gain`: whether transfer helped, and which rows; print it to read it.

    Attributes
    ----------
    metric : str
        The metric, such as "NDCG@10".
    overall : GainEstimate
        The gain over all rows and all interactions to find.
    clean : GainEstimate
        The gain without cross-listed target items. It is `overall` itself if no interaction is
        given away by a twin.
    buckets : tuple of GainEstimate
        The gain in each bucket of rows with a similar number of interactions, without cross-listed
        items. The intervals hold for all buckets together: each is at level
        ``1 - (1 - confidence_level) / len(buckets)``.
    bucket_edges : ndarray of shape (n_buckets - 1,)
        The smallest activity in each bucket except the first.
    activity : ndarray of shape (n_rows,)
        The number of interactions of each row, by which rows go into buckets.
    scores : ndarray of shape (n_rows, 2)
        The score of each row with the source and without it; NaN if the row has nothing to find.
    clean_scores : ndarray of shape (n_rows, 2)
        The same without cross-listed target items.
    counted : str
        Which interactions the activity counts, in words.
    twins : tuple of (source item, target item, share, n_common_users), or None
        The cross-listed items, see :func:`~sktransrec.interactions.find_cross_listed`; None if
        there are no source interactions to look at.
    n_pairs : int
        Number of interactions to find.
    n_given_away : int
        How many of them are given away by a twin: the row already has the same product in the
        source.

    See Also
    --------
    transfer_gain : Measures the gain.
    """

    metric: str
    overall: GainEstimate
    clean: GainEstimate
    buckets: tuple
    bucket_edges: np.ndarray
    activity: np.ndarray
    counted: str
    scores: np.ndarray
    clean_scores: np.ndarray
    twins: tuple | None
    n_pairs: int
    n_given_away: int

    @property
    def verdict(self) -> str:
        """Whether the source "helps" or "harms", or there is "no evidence", without cross-listed \
items."""
        return self.clean.verdict

    @property
    def negative_transfer_gap(self) -> float:
        """The score without the source minus the score with it; above zero, transfer is \
negative."""
        return -self.clean.gain

    def without_rows(self) -> "TransferGain":
        """Return a copy without the values of single rows, to keep or save less.

        Returns
        -------
        gain : TransferGain
            The same result, but `activity`, `scores` and `clean_scores` are empty.
        """
        fields = ("activity", "scores", "clean_scores")
        return replace(self, **{name: getattr(self, name)[:0].copy() for name in fields})

    def __repr__(self) -> str:
        level = f"{self.overall.confidence_level:.0%}"
        return "\n".join(
            [
                f"{self.metric} without the source -> with it, the gain and its {level} interval",
                *_lines([self.overall]),
                *self._cross_listed_lines(),
                *self._bucket_lines(),
                *self._share_lines(),
                f"Verdict: {self.sentence}",
            ]
        )

    def _cross_listed_lines(self):
        if self.twins is None:
            return ["Cross-listed items: not looked for, as there are no source interactions."]
        if not self.twins:
            return ["Cross-listed items: none."]
        lines = [
            f"Cross-listed items: {len(self.twins)} pairs look like one product under two ids, and "
            f"give away {self.n_given_away} of the {self.n_pairs} interactions to find.",
            *twin_lines(self.twins),
        ]
        if self.n_given_away:
            lines += ["Without these items:", *_lines([self.clean])]
        return lines

    def _bucket_lines(self):
        if len(self.buckets) == 1:
            return []
        return [f"By {self.counted} (intervals that hold all at once):", *_lines(self.buckets)]

    def _share_lines(self):
        if not self.clean.n_rows:
            return []
        return [
            f"The source serves {self.clean.share_helped:.0%} of the rows better and "
            f"{self.clean.share_hurt:.0%} worse.",
            f"Negative-transfer gap: {self.negative_transfer_gap:+.4f}",
        ]

    def _repr_html_(self):
        return gain_html(self)

    def to_html(self, path: str | PathLike[str]) -> None:
        """Write the result as a page, with a picture of the intervals.

        Parameters
        ----------
        path : str or Path
            The file.
        """
        Path(path).write_text(gain_page(self), "utf-8")

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        without_twins = "without cross-listed items, " if self.n_given_away else ""
        if self.verdict == "helps":
            return f"{without_twins}transfer helps."
        if self.verdict == "harms":
            return f"{without_twins}transfer harms: leave the source out."
        if self.overall.verdict == "helps" and self.clean.gain < self.overall.gain:
            return "no evidence that more is transferred than cross-listed items give away."
        if self.overall.verdict == "helps" and self.clean.gain >= self.overall.gain:
            return "without cross-listed items, the gain is no smaller, but not certain."
        return f"{without_twins}no evidence that transfer helps or harms."


def _lines(estimates):
    """Return a line for each estimate, aligned."""
    labels = [f"{estimate.rows} ({estimate.n_rows} rows)" for estimate in estimates]
    width = max(map(len, labels))
    return [
        f"  {label:{width}}  {estimate}" for label, estimate in zip(labels, estimates, strict=True)
    ]


@validate_params(
    {
        "transfer": ESTIMATOR,
        "baseline": [*ESTIMATOR, None],
        "cv": ["cv_object", StrOptions({"prefit"})],
        "metric": [StrOptions(set(METRICS))],
        "k": COUNT,
        "n_buckets": COUNT,
        "confidence_level": BETWEEN_0_AND_1,
        "n_resamples": [Interval(Integral, 100, None, closed="left")],
        "n_jobs": N_JOBS,
        "random_state": ["random_state"],
    }
)
def transfer_gain(
    transfer: Estimator,
    baseline: Estimator | None,
    X: MatrixLike,
    y: MatrixLike | None = None,
    *,
    target_columns: ArrayLike | slice | None = None,
    X_source: MatrixLike | None = None,
    cv: Any = 5,
    metric: str = "ndcg",
    k: int = 10,
    n_buckets: int = 3,
    confidence_level: float = 0.95,
    n_resamples: int = 5000,
    n_jobs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> "TransferGain":
    """Measure whether the source helps: score the same rows with it and without it.

    Use it before you trust a transfer model: it compares the model with a baseline, gives
    confidence intervals, and leaves out cross-listed items. Whole rows are held out: each row is
    served by models that were fitted on the rows of the other folds.

    Parameters
    ----------
    transfer : estimator
        A recommender that uses the source, or a `Pipeline` or search that holds one.
    baseline : estimator or None
        The recommender to compare with. If `target_columns` are known, it gets only these columns
        of X, so it cannot see the source. Otherwise it gets all of X and must select columns by
        itself. If X holds histories and the baseline cannot read them, it gets the matrix of the
        items that each row has. None means the popularity of the target items among the training
        rows, y included; a `PopularityRecommender` learns it from X alone, as other in-domain
        models do.
    X : array-like or sparse matrix of shape (n_rows, ...), or AlignedDomains
        What is known about the rows: the source for cold rows, ``hstack([source, target])`` for
        rows known in both domains, or histories (rows of item ids from 1 on) if `transfer` reads
        these. What `align_domains` returns stands for its `X_source` and `X_target` as X and y;
        cross-listed items are then named by their ids.
    y : {array-like, sparse matrix} of shape (n_rows, n_target_items), or array-like of int of \
shape (n_rows,), default=None
        The interactions to find (values above zero), which X must not hold. Supervised models
        learn from y in the other folds; in-domain models learn from X alone. Required unless X is
        an `AlignedDomains`.
    target_columns : array-like of int, mask of shape (n_features,) or slice, default=None
        The columns of X that hold the known interactions with the items of y, in ascending order.
        The columns of y have the same order. Models that recommend columns of X recommend only
        these, and no row is recommended an item that it already has. None means all columns of X if
        `transfer` learns from X alone, or if `baseline` does and X has as many columns as y.
        Otherwise it means no columns.
    X_source : {array-like, sparse matrix} of shape (n_rows, n_source_items), default=None
        The interactions in the source, to look for cross-listed items. None takes all columns of
        X except `target_columns`, if X is a matrix.
    cv : int, cross-validation splitter, iterable or "prefit", default=5
        How to hold rows out. An int shuffles the rows into that many folds. "prefit" uses models
        that are already fitted on other rows. The intervals then hold for these fitted models
        only, not for the same recommenders fitted on other training rows.
    metric : str, default="ndcg"
        The metric to measure, on the best `k` items of each row: "average_precision", "f1",
        "hit_rate", "ndcg", "precision", "recall" or "reciprocal_rank".
    k : int, default=10
        Number of items recommended to each row; all items if there are fewer.
    n_buckets : int, default=3
        Number of buckets of rows, all of about the same size. Rows go into buckets by the number
        of their known interactions: those with the target items if X has any, otherwise those with
        the source. A bucket has at least 30 rows, so there may be fewer buckets.
    confidence_level : float, default=0.95
        The level of the interval for all rows, and of the intervals of all buckets together.
    n_resamples : int, default=5000
        Number of bootstrap samples for each interval, 100 or more.
    n_jobs : int, default=None
        Number of folds to run at a time, as in scikit-learn.
    random_state : int, RandomState instance or None, default=None
        Shuffles the rows and draws the bootstrap samples. Pass an int for the same result.

    Returns
    -------
    gain : TransferGain
        The result, which cannot be changed; ``print(gain)`` shows it as text.

    See Also
    --------
    TransferGate : Uses the source only if it helps, and not for rows that it harms.
    sktransrec.inspection.TransferGainDisplay : Draws the result.
    sktransrec.interactions.cross_listed_mask : Finds the interactions that a twin gives away.

    Notes
    -----
    Let :math:`a_r` be the metric of row r with the source and :math:`b_r` without it. The gain is
    the mean of :math:`a_r - b_r` over the n rows that have something to find. It estimates the
    expected gain of models with as many training rows as these have, :math:`n_t` on average. The
    gain varies with the held-out rows and with the training rows. As in [3]_, its variance is
    estimated by :math:`\\sigma^2 (1 / n + 1 / n_t)`, where :math:`\\sigma^2` is the variance of
    :math:`a_r - b_r`; an unbiased estimate does not exist. On generated domains, the estimate is
    hardly less than the true variance, and about twice as large for models that do not learn from
    y. It does not count the randomness of the models, such as the initial weights of a network.

    The interval is a paired bootstrap: rows are drawn with replacement, each with both of its
    scores. It draws :math:`1 / (1 / n + 1 / n_t)` rows, so that their mean has that variance. A
    percentile interval is too short for few rows, so its tails are widened as in [2]_, by the
    number of rows with :math:`a_r \\ne b_r`; at least 10 such rows are needed. The intervals of the
    buckets hold together (Bonferroni).

    With the error :math:`\\epsilon = 1 - \\mathrm{metric}`, the negative-transfer gap of [1]_ is
    :math:`\\epsilon(S, T) - \\epsilon(\\emptyset, T)`, that is, minus the gain.

    Twins are looked for in all rows. To decide whether a twin gives an interaction away, the row
    of this interaction is not counted. If a twin gives any interaction with an item away, the item
    is left out completely: it is neither looked for nor recommended. Leaving out only those
    interactions would not be enough, because the twin also tells which rows do not have the item.

    References
    ----------
    .. [1] Z. Wang, Z. Dai, B. Póczos and J. Carbonell, "Characterizing and avoiding negative
       transfer", CVPR 2019. :arxiv:`1811.09751`
    .. [2] T. Hesterberg, "What teachers should know about the bootstrap", The American Statistician
       69(4), 2015. :doi:`10.1080/00031305.2015.1089789`
    .. [3] C. Nadeau and Y. Bengio, "Inference for the generalization error", Machine Learning
       52(3), 2003. :doi:`10.1023/A:1024068626366`

    Examples
    --------
    >>> from sktransrec import RidgeRecommender, transfer_gain
    >>> from sktransrec.datasets import make_cross_domain
    >>> domains = make_cross_domain(random_state=0)
    >>> gain = transfer_gain(
    ...     RidgeRecommender(), None, domains.X_source, domains.Y_target, random_state=0
    ... )
    >>> gain.verdict
    'helps'
    """
    random_state = check_random_state(random_state)
    X, y, names = matrices_and_names(X, y)
    for name, matrix in (("X", X), ("y", y), ("X_source", X_source)):
        check_sparse(matrix, name=name)
    if X_source is not None:
        check_same_rows(X_source, n_rows_of(X), name="X_source", what="source items")
    relevance = wanted_items(transfer, y, n_rows=n_rows_of(X))
    check_row_labels(X, y)
    check_row_labels(X, X_source, name="X_source")
    X, y, X_source = indexable_rows(X, y, X_source)
    if not (relevance.data > 0).any():
        raise ValueError("y holds nothing to find: pass at least one value above zero.")
    prefit = isinstance(cv, str)
    if baseline is None and prefit:
        raise ValueError(
            'baseline=None learns the popularity from folds, but cv="prefit" has none. Pass a '
            "fitted model that reads the same rows, or another cv."
        )
    for model in (transfer, baseline) if prefit else ():
        check_is_fitted(recommender_of(model))
    models = [transfer] if baseline is None else [transfer, baseline]
    target = target_among(target_columns, models, X, relevance.shape[1])
    check_order_of_target(target, X, y)
    return measured_gain(
        Comparison.of(
            *(transfer, side_without(baseline, X, relevance, target), X, relevance, target),
            X_source=X_source,
            **(names or {"target_names": column_labels(y, relevance.shape[1])}),
        ),
        None if prefit else shuffled_folds(cv, relevance, random_state),
        metric=metric,
        k=k,
        n_buckets=n_buckets,
        confidence_level=confidence_level,
        n_resamples=n_resamples,
        n_jobs=n_jobs,
        random_state=random_state,
    )


def shuffled_folds(cv, y, random_state):
    """Return the (training rows, held-out rows) of each fold."""
    is_number = isinstance(cv, Integral)
    splitter = KFold(cv, shuffle=True, random_state=random_state) if is_number else check_cv(cv)
    all_rows = np.arange(y.shape[0])
    try:
        folds = [tuple(_rows_of(all_rows, part) for part in fold) for fold in splitter.split(y)]
    except (IndexError, TypeError, ValueError) as error:
        raise ValueError(f"cv={cv!r} does not split the {y.shape[0]} rows of X: {error}") from error
    _check_folds(folds, cv)
    return folds


def _check_folds(folds, cv):
    """Raise unless each row is held out at most once, from models that do not learn from it."""
    if not folds:
        raise ValueError(f"cv={cv!r} has no folds: pass a number of 2 or more, or a list of folds.")
    for train, test in folds:
        n_learned_too = np.isin(test, train).sum()
        if n_learned_too:
            raise ValueError(
                f"cv holds out {n_learned_too} rows that the models learn from: hold out rows that "
                'they meet for the first time, or pass cv="known" to compare, and fitted models '
                'with cv="prefit" to transfer_gain.'
            )
    times_held_out = np.bincount(np.concatenate([test for _, test in folds]))
    if times_held_out.max(initial=0) > 1:
        raise ValueError(
            f"cv={cv!r} holds a row out {times_held_out.max()} times, and each row has one score: "
            "pass a splitter that holds each row out once, and other values of random_state to "
            "repeat the comparison."
        )


def _rows_of(all_rows, part):
    """Return the rows of a part of a fold: integers, a mask or a slice."""
    if isinstance(part, slice):
        return all_rows[part]
    return all_rows[np.asarray(part, dtype=None if len(part) else np.intp)]


def n_training_rows(folds, tells_of_target):
    """Return the mean number of training rows in the mask; infinite without folds to fit on."""
    if folds is None:
        return np.inf
    return max(1.0, float(np.mean([tells_of_target[train].sum() for train, _ in folds])))


def measured_gain(
    comparison,
    folds,
    *,
    metric,
    k,
    n_buckets,
    confidence_level,
    n_jobs,
    random_state,
    n_resamples=5000,
):
    """Return the gain of the first side over the second."""
    scores, clean_scores = comparison.row_scores(folds, metric, k, n_jobs)
    estimate = partial(
        estimate_gain,
        n_train=n_training_rows(folds, tells_of_target(comparison.known, comparison.y)),
        n_resamples=n_resamples,
        random_state=random_state,
    )
    overall = clean = estimate("all", scores, confidence_level=confidence_level)
    if comparison.given_away.nnz:
        clean = estimate("all", clean_scores, confidence_level=confidence_level)
    counts = ~np.isnan(clean_scores).any(axis=1)
    edges = bucket_edges(comparison.activity[counts], n_buckets)
    buckets = bucket_of(comparison.activity, edges)
    names = bucket_names(edges)
    return TransferGain(
        metric=f"{METRICS[metric].label}@{k}",
        overall=overall,
        clean=clean,
        buckets=tuple(
            estimate(
                name,
                clean_scores[buckets == bucket],
                confidence_level=1 - (1 - confidence_level) / len(names),
            )
            for bucket, name in enumerate(names)
        ),
        bucket_edges=edges,
        activity=comparison.activity,
        counted=comparison.counted,
        scores=scores,
        clean_scores=clean_scores,
        twins=comparison.named_twins(),
        n_pairs=comparison.wanted.nnz,
        n_given_away=comparison.given_away.nnz,
    )
