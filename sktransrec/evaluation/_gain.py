"""Did it help? The same rows scored with the source and without it."""

from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.model_selection import KFold, check_cv
from sklearn.utils import check_random_state, indexable

from .._validation import (
    N_JOBS,
    HasMethods,
    Interval,
    StrOptions,
    check_sparse,
    validate_params,
)
from ..interactions._cross_listed import twin_lines
from ..interactions._target_items import TargetItems, column_names
from ..metrics._buckets import bucket_edges, bucket_names, bucket_of
from ..metrics._table import METRICS
from ..metrics._wanted import wanted_items
from ._comparison import Comparison
from ._paired import GainEstimate, estimate_gain


@dataclass(frozen=True, eq=False)
class TransferGain:
    """Whether transfer helped, and whom; ``print`` reads it out.

    Attributes
    ----------
    metric : str
        What was measured, such as "NDCG@10".
    overall : GainEstimate
        The gain over all rows and all that there is to find.
    clean : GainEstimate
        The gain without the target items that are cross-listed; `overall` itself where a twin
        gives nothing away.
    buckets : tuple of GainEstimate
        The gain, without cross-listed items, of rows that are about as active. Their intervals
        hold all at once: each is at level ``1 - (1 - confidence_level) / len(buckets)``.
    bucket_edges : ndarray of shape (n_buckets - 1,)
        The smallest activity of each bucket but the first.
    activity : ndarray of shape (n_rows,)
        The number of interactions of each row that the buckets go by.
    scores : ndarray of shape (n_rows, 2)
        The score of each row with the source and without it; NaN where there is nothing to find.
    clean_scores : ndarray of shape (n_rows, 2)
        The same without the target items that are cross-listed.
    counted : str
        What the activity is, in words.
    twins : tuple of (source item, target item, share, n_common_users), or None
        The cross-listed items, see :func:`~sktransrec.interactions.find_cross_listed`; None where
        X holds no source interactions to look at.
    n_pairs : int
        Number of interactions to find.
    n_given_away : int
        How many of them a twin in the row's source history gives away.

    See Also
    --------
    transfer_gain : Makes it.
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
    def verdict(self):
        """Whether the source "helps", "harms", or there is "no evidence", cross-listed items \
left out."""
        return self.clean.verdict

    @property
    def negative_transfer_gap(self):
        """The error with the source minus the error without it: above zero, transfer is \
negative."""
        return -self.clean.gain

    def without_rows(self):
        """Return this without what it holds of single rows: `activity` and both `scores`.

        Returns
        -------
        gain : TransferGain
            All else is the same; the three arrays have no rows.
        """
        fields = ("activity", "scores", "clean_scores")
        return replace(self, **{name: getattr(self, name)[:0].copy() for name in fields})

    def __str__(self):
        level = f"{self.overall.confidence_level:.0%}"
        return "\n".join(
            [
                f"{self.metric} without the source -> with it, the gain and its {level} interval",
                *_lines([self.overall]),
                *self._cross_listed_lines(),
                *self._bucket_lines(),
                *self._share_lines(),
                f"Verdict: {self._sentence()}",
            ]
        )

    def _cross_listed_lines(self):
        if self.twins is None:
            return ["Cross-listed items: not looked for, as there are no source interactions."]
        if not self.twins:
            return ["Cross-listed items: none."]
        lines = [
            f"Cross-listed items: {len(self.twins)} pairs look like one product under two ids, and "
            f"give {self.n_given_away} of the {self.n_pairs} interactions to find away.",
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

    def _sentence(self):
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
        "transfer": [HasMethods(["fit"])],
        "without": [None, HasMethods(["fit"])],
        "cv": ["cv_object", StrOptions({"prefit"})],
        "metric": [StrOptions(set(METRICS))],
        "k": [Interval(Integral, 1, None, closed="left")],
        "n_buckets": [Interval(Integral, 1, None, closed="left")],
        "confidence_level": [Interval(Real, 0, 1, closed="neither")],
        "n_resamples": [Interval(Integral, 100, None, closed="left")],
        "n_jobs": N_JOBS,
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def transfer_gain(
    transfer,
    baseline,
    X,
    y,
    *,
    target_columns=None,
    X_source=None,
    cv=5,
    metric="ndcg",
    k=10,
    n_buckets=3,
    confidence_level=0.95,
    n_resamples=5000,
    n_jobs=None,
    random_state=None,
):
    """Score the same rows with the source and without it.

    Whole rows are held out: each is served by models that have learned from the rows of the other
    folds only.

    Parameters
    ----------
    transfer : estimator
        A recommender that uses the source, or a `Pipeline` or search that holds one.
    baseline : estimator or None
        What to compare with. Where `target_columns` are known it gets these columns of X alone,
        which keeps the source from it; otherwise it gets X, and it is yours to select columns.
        Where X holds histories and it does not read these, it gets what the rows have as a matrix.
        None is the popularity of the target items among the rows learned from.
    X : array-like or sparse matrix of shape (n_rows, ...)
        What is known about the rows: the source for cold rows, ``hstack([source, target])`` for
        rows known in both domains, or histories, rows of item ids from 1 on, where
        `transfer` reads these.
    y : {array-like, sparse matrix} of shape (n_rows, n_target_items), or array-like of int of \
shape (n_rows,)
        What there is to find (values above zero), not contained in X. Supervised models learn
        from it in the other folds; in-domain models learn from X alone.
    target_columns : array-like of int or mask of shape (n_features,), default=None
        The columns of X that hold what is known of the items of y, in the order of the columns of
        y. Models that recommend the columns of X may recommend these only, and nothing that a row
        already has is recommended to it. None means all columns of X where `transfer`
        recommends the columns of X, and none where it learns the map from X to y.
    X_source : {array-like, sparse matrix} of shape (n_rows, n_source_items), default=None
        The interactions in the source, in which to look for cross-listed items. None takes all
        columns of X but `target_columns`, if X is a matrix.
    cv : int, cross-validation splitter, iterable or "prefit", default=5
        How to hold rows out. An int shuffles the rows into that many folds. "prefit" takes the
        models as they are, fitted on other rows: the intervals are then those of these very
        models, and say nothing of the same recommenders fitted on still other rows.
    metric : str, default="ndcg"
        What to measure on the best `k` items of each row.
        One of "average_precision", "f1", "hit_rate", "ndcg", "precision", "recall" and
        "reciprocal_rank".
    k : int, default=10
        Number of items recommended to each row; all of them where there are fewer.
    n_buckets : int, default=3
        Number of buckets of about as many rows each, by how many interactions are known of a row:
        those with the target items where there are any in X, otherwise those with the source. A
        bucket has at least 30 rows, so there may be fewer.
    confidence_level : float, default=0.95
        Of the interval of all rows, and of the intervals of the buckets together.
    n_resamples : int, default=5000
        Number of bootstrap samples for each interval, 100 or more.
    n_jobs : int, default=None
        Number of folds to run at a time, as in scikit-learn.
    random_state : int, RandomState instance or None, default=None
        Shuffles the rows and draws the bootstrap samples. Pass an int for the same result.

    Returns
    -------
    gain : TransferGain
        Immutable; ``print(gain)`` reads it out.

    See Also
    --------
    TransferGate : Uses the source only if it helps, and not for rows that it harms.
    sktransrec.inspection.TransferGainDisplay : Draws the result.
    sktransrec.interactions.cross_listed_mask : How what a twin gives away is found.

    Notes
    -----
    With :math:`a_r` the metric of row r with the source and :math:`b_r` without it, the gain is
    the mean of :math:`a_r - b_r` over the n rows that have something to find. It estimates the
    expected gain of models that learn from as many rows as these did, :math:`n_t` on average, over
    draws of the rows served and of the rows learned from. Both vary, and as in [3]_ the variance of
    the gain is taken to be :math:`\\sigma^2 (1 / n + 1 / n_t)` with :math:`\\sigma^2` that of
    :math:`a_r - b_r`; there is no unbiased estimate. On generated domains that is hardly less than
    the variance of the gain, and about twice as much for models that do not learn from y. It leaves
    out what the models draw themselves, such as a network's start.

    The interval is a paired bootstrap: rows are drawn with replacement, each with both of its
    scores, :math:`1 / (1 / n + 1 / n_t)` of them, so that their mean has that variance. As a
    percentile interval is too short for few rows, its tails are widened as in [2]_, counting the
    rows for which :math:`a_r \\ne b_r`; it takes 10 of them. Buckets are compared by Bonferroni's
    rule.

    With the error :math:`\\epsilon = 1 - \\mathrm{metric}`, the negative-transfer gap of [1]_ is
    :math:`\\epsilon(S, T) - \\epsilon(\\emptyset, T)`, that is, minus the gain.

    Twins are looked for in all rows, and a row does not count as a witness against its own
    interactions. An item is left out, neither looked for nor recommended, if a twin gives any
    interaction with it away: with the others it would still be known who does not have it.

    References
    ----------
    .. [1] Wang, Dai, Póczos and Carbonell (2019). Characterizing and avoiding negative transfer.
       CVPR. :arxiv:`1811.09751`
    .. [2] Hesterberg (2015). What teachers should know about the bootstrap. The American
       Statistician 69(4). :doi:`10.1080/00031305.2015.1089789`
    .. [3] Nadeau and Bengio (2003). Inference for the generalization error. Machine Learning 52(3).
       :doi:`10.1023/A:1024068626366`

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
    for name, matrix in (("X", X), ("y", y), ("X_source", X_source)):
        check_sparse(matrix, name=name)
    X, y, X_source = indexable(X, y, X_source)
    n_rows = y.shape[0] if hasattr(y, "shape") else len(y)
    relevance = wanted_items(transfer, y, n_rows=n_rows)
    if not (relevance.data > 0).any():
        raise ValueError("y holds nothing to find: pass at least one value above zero.")
    prefit = isinstance(cv, str)
    if baseline is None and prefit:
        raise ValueError(
            'baseline=None learns the popularity from folds, but cv="prefit" has none: pass a '
            "fitted model, such as PopularityRecommender, or another cv."
        )
    target = TargetItems.among(target_columns, transfer, X, relevance.shape[1])
    return measured_gain(
        Comparison.of(
            *(transfer, baseline, X, relevance, target),
            X_source=X_source,
            target_names=column_names(y, relevance.shape[1]),
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
    if isinstance(cv, Integral):
        cv = KFold(cv, shuffle=True, random_state=random_state)
    folds = list(check_cv(cv).split(y))
    if not folds:
        raise ValueError(f"cv={cv!r} has no folds: pass a number of folds from 2 on, or some.")
    return folds


def n_training_rows(folds, n_rows):
    """Return the mean number of rows learned from, infinite where the models are not refitted."""
    if folds is None:
        return np.inf
    return float(np.mean([np.arange(n_rows)[train].size for train, _ in folds]))


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
    """Return the gain of the first side over the second, items named by their columns."""
    scores, clean_scores = comparison.row_scores(folds, metric, k, n_jobs)
    estimate = partial(
        estimate_gain,
        n_train=n_training_rows(folds, len(comparison.activity)),
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
