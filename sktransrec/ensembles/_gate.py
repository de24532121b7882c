# SPDX-License-Identifier: BSD-3-Clause
"""A recommender that uses the source only if it helps, and only for the rows that it helps."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from .._typing import Estimator, MatrixLike
from .._validation import COUNT, check_is_fitted, validated_fit_of_parts
from .._wrapping import expecting_items, fitted_part
from ..evaluation._comparison import Comparison, side_without
from ..evaluation._gain import TransferGain, shuffled_folds
from ..metrics._buckets import bucket_of
from ._base import DecidingRecommender


class TransferGate(DecidingRecommender):
    """Use the source if it is shown to help, and not for the users whom it is shown to harm.

    Use it when you have a recommender with the source and one without, and want the better one
    served without a decision by hand. Try `transfer_gain` first if you only want to know whether
    the source helps. The gate cross-validates both recommenders on the training rows. It decides
    for all rows together, and makes exceptions for buckets of rows with a similar number of
    interactions. It is supervised if `transfer` learns the map from X to y, and in-domain if
    `transfer` learns from X alone.

    Parameters
    ----------
    transfer : estimator
        A recommender that uses the source, or a `Pipeline` or search that holds one.
    fallback : estimator, default=None
        The recommender without the source, supervised or in-domain as `transfer` is. It gets only
        the target columns of X, those of `target_columns` or, if that is None, of a `transfer` that
        has its own; otherwise it gets all of X. If X holds histories and the fallback cannot read
        them, it gets the matrix of the items that each row has. None means the popularity of the
        target items.
    target_columns : array-like of int, mask of shape (n_features,) or slice, default=None
        The columns of X that hold the target items, if X holds the source as well, in ascending
        order. The columns of y have the same order. The gate recommends only these items. None
        means all columns of X if the gate is in-domain, and no columns if it is supervised.
    holdout : float or int, default=0.2
        How many of the target interactions of each row to hold out for the comparison, as a share
        or a count. Only an in-domain gate uses it: it holds out the latest interactions of
        histories, and random ones otherwise. A supervised gate looks for y.
    cv : int, cross-validation splitter or iterable, default=5
        How to hold rows out. An int shuffles the rows into that many folds.
    metric : str, default="ndcg"
        The metric to compare, on the best `k` items of each row: "average_precision", "f1",
        "hit_rate", "ndcg", "precision", "recall" or "reciprocal_rank".
    k : int, default=10
        Number of items compared; all items if there are fewer.
    n_buckets : int, default=3
        Number of buckets of rows, all of about the same size. Rows go into buckets by the number
        of their interactions: those with the target items if X has any, otherwise those with the
        source. A bucket has at least 30 training rows, so there may be fewer buckets. With more
        buckets, harm to a small group of rows is easier to see.
    confidence_level : float, default=0.95
        The level of the confidence intervals, above 0 and below 1. The higher it is, the more
        evidence the gate needs to use the source.
    n_jobs : int, default=None
        Number of folds to run at a time, as in scikit-learn, and of threads of `recommend`.
    random_state : int, RandomState instance or None, default=None
        Shuffles the rows, draws the held-out interactions and the bootstrap samples. Pass an int
        for the same decision every time.

    Attributes
    ----------
    decision_ : str
        Which recommender serves which rows, and why, as a text to print.
    uses_transfer_ : ndarray of bool of shape (n_buckets,)
        Whether each bucket of rows gets the recommendations of `transfer_`.
    bucket_edges_ : ndarray of int of shape (n_buckets - 1,)
        The smallest number of interactions in each bucket except the first.
    gain_ : TransferGain
        The comparison, without the scores of single rows. Call `transfer_gain` to get these too.
    transfer_ : estimator
        `transfer` fitted on all rows.
    fallback_ : estimator
        `fallback` fitted on all rows; a `PopularityRecommender` if `fallback` is None.
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
    SourceSelectorRecommender : Chooses among several sources, the same ones for all rows.
    transfer_gain : The comparison alone.

    Notes
    -----
    The source helps if the confidence interval of its gain (see :func:`transfer_gain`) lies above
    zero, and it harms (negative transfer [1]_) if the interval lies below zero. The gate decides as
    follows:

    - If the source helps all rows together, it is used for all rows except those in buckets that
      it harms.
    - Otherwise the source is not used, with one exception: if it harms one bucket and helps
      another, it is used in the bucket that it helps.

    The intervals of the buckets hold together (Bonferroni). So if the source helps nobody, the
    chance that it is used is at most about ``(1 - confidence_level) / 2``. Cross-listed items are
    left out of the comparison, because finding them is no evidence of transfer. They are still
    recommended.

    Each row is scored by the model of its bucket, so the scores of rows in different buckets may
    be on different scales. Compare scores within a row only.

    Both models get the same rows. If the source is other users with the same items, pass the rows
    of the target as X, and a `transfer` that holds those of the source, as in
    :doc:`the guide </guide/transfer>`. With the rows of both in X, a model would be compared with
    itself.

    A gate costs ``cv`` + 1 fits of both models.

    References
    ----------
    .. [1] Z. Wang, Z. Dai, B. Póczos and J. Carbonell, "Characterizing and avoiding negative
       transfer", CVPR 2019. :arxiv:`1811.09751`

    Examples
    --------
    >>> from sktransrec import RidgeRecommender, TransferGate
    >>> from sktransrec.datasets import make_cross_domain
    >>> related, unrelated = (
    ...     make_cross_domain(relatedness=relatedness, random_state=0) for relatedness in (1, 0)
    ... )
    >>> gate = TransferGate(RidgeRecommender(), random_state=0)
    >>> gate.fit(related.X_source, related.Y_target).uses_transfer_
    array([ True,  True,  True])
    >>> gate.fit(unrelated.X_source, unrelated.Y_target).uses_transfer_
    array([False, False, False])
    """

    uses_transfer_: NDArray[np.bool_]
    bucket_edges_: NDArray[np.intp]
    gain_: TransferGain
    transfer_: Estimator
    fallback_: Estimator

    _parameter_constraints: dict = DecidingRecommender._parameter_constraints | {"n_buckets": COUNT}

    def __init__(
        self,
        transfer: Estimator,
        fallback: Estimator | None = None,
        *,
        target_columns: ArrayLike | slice | None = None,
        holdout: float = 0.2,
        cv: Any = 5,
        metric: str = "ndcg",
        k: int = 10,
        n_buckets: int = 3,
        confidence_level: float = 0.95,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.transfer = transfer
        self.fallback = fallback
        self.target_columns = target_columns
        self.holdout = holdout
        self.cv = cv
        self.metric = metric
        self.k = k
        self.n_buckets = n_buckets
        self.confidence_level = confidence_level
        self.n_jobs = n_jobs
        self.random_state = random_state

    @validated_fit_of_parts
    def fit(self, X: MatrixLike, y: MatrixLike | None = None) -> Self:
        """Compare both recommenders on the training rows, decide, and fit both on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            What is known about the rows: the source, or source and target side by side. If
            `transfer` reads them, also histories (rows of item ids), texts, or a table with
            columns of texts.
        y : {array-like, sparse matrix} of shape (n_rows, n_items), default=None
            The interactions of the rows with the target items. An in-domain gate does not read y.

        Returns
        -------
        self : object
        """
        random_state = check_random_state(self.random_state)
        X, y = self._checked(X, y)
        self.transfer_ = fitted_part(self.transfer, X, y)
        self._target = target = self._target_of(X, y, [self.transfer_])
        self._check_items({"transfer": self.transfer_})
        # Readers of histories expect all items in every fold.
        transfer, fallback = (
            None if part is None else expecting_items(part, target.n_items)
            for part in (self.transfer, self.fallback)
        )
        X_kept, wanted = self._to_judge_by(X, y, random_state)
        without = side_without(fallback, X_kept, wanted, target)
        gain = self._gain(
            Comparison.of(transfer, without, X_kept, wanted, target),
            shuffled_folds(self.cv, wanted, random_state),
            n_buckets=self.n_buckets,
            confidence_level=self.confidence_level,
            random_state=random_state,
        )
        self.gain_ = gain.without_rows()
        self.bucket_edges_ = self.gain_.bucket_edges
        self.uses_transfer_ = _uses_transfer(self.gain_)
        self.decision_ = _in_words(self.gain_, self.uses_transfer_)
        self.fallback_ = side_without(fallback, X, y, target).fitted(y)
        self._set_items(X, y)
        return self

    def _fitted_parts(self):
        return [self.transfer_, self.fallback_]

    def row_paths(self, X: MatrixLike) -> NDArray[np.str_]:
        """Tell whether each row is served with the source or without it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features_in_)
            Rows, seen in `fit` or not.

        Returns
        -------
        paths : ndarray of str of shape (n_rows,)
            "transfer" or "fallback", or "popularity" for an empty row about which nothing is known:
            a supervised gate that has learned from empty rows serves them like all others.
        """
        check_is_fitted(self)
        X = self._check_rows(X)
        paths = np.where(self._uses_transfer_for(X), "transfer", "fallback")
        return np.where(self._unknown_rows(X), "popularity", paths)

    def _uses_transfer_for(self, X):
        """Return for each row whether it is served with the source."""
        return self.uses_transfer_[bucket_of(self._target.activity(X), self.bucket_edges_)]

    def _member_scores(self, X):
        uses_transfer = self._uses_transfer_for(X)
        yield "transfer", self._scores_where(uses_transfer, self.transfer_, X)
        without = self._target.rows_without(self.fallback, X)
        yield "fallback", self._scores_where(~uses_transfer, self.fallback_, without)

    def _score_parts(self, X):
        if self._uses_transfer_for(X).all():
            return self._target.score_parts(self.transfer_, X)
        return self._parts_without_source(self.fallback_, X)


def _uses_transfer(gain):
    """Return for each bucket whether its rows are served with the source."""
    verdicts = np.array([bucket.verdict for bucket in gain.buckets])
    harms = verdicts == "harms"
    if gain.verdict == "helps":
        return ~harms
    return (verdicts == "helps") & harms.any()


def _in_words(gain, uses_transfer):
    """Return which recommender serves which rows, and why, as a text."""
    lines = [f"{gain.metric} without the source -> with it:"]
    lines += [f"  all ({gain.clean.n_rows} rows)", f"    {gain.clean}"]
    lines += [_finding(gain.verdict, uses_transfer), f"By {gain.counted}:"]
    for bucket, is_used in zip(gain.buckets, uses_transfer, strict=True):
        choice = "transfer" if is_used else "fallback"
        lines += [f"  {bucket.rows} ({bucket.n_rows} rows): {choice}", f"    {bucket}"]
    return "\n".join(lines)


def _finding(verdict, uses_transfer):
    if verdict == "helps":
        exception = "" if uses_transfer.all() else ", except those that the source harms"
        return f"The source helps: transfer for all rows{exception}."
    exception = ", except those that the source helps" if uses_transfer.any() else ""
    finding = "harms" if verdict == "harms" else "is not shown to help"
    return f"The source {finding}: fallback for all rows{exception}."
