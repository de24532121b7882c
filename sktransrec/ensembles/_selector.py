# SPDX-License-Identifier: BSD-3-Clause
"""A recommender that measures which of several sources help, and uses only these."""

from dataclasses import replace
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import check_random_state

from .._typing import Estimator, MatrixLike
from .._validation import (
    COUNT,
    _safe_indexing,
    check_columns,
    is_content,
    is_table,
    validated_fit_of_parts,
)
from .._wrapping import is_supervised, reads_histories
from ..evaluation._comparison import Comparison, SideFittedOnce, side_without
from ..evaluation._gain import TransferGain, shuffled_folds
from ..evaluation._source_scores import (
    SourceScore,
    column_distance,
    decision_in_words,
    probe_gain,
    row_overlap,
)
from ._base import DecidingRecommender, names_of_pairs
from ._voting import VotingRecommender


class SourceSelectorRecommender(DecidingRecommender):
    r"""Choose from several sources those that are shown to help, and recommend with these.

    Use it when several source domains could help and you do not know which. Use `TransferGate` if
    there is only one source. X holds the sources side by side. A cheap probe makes a shortlist,
    cross-validation on the training rows measures which sources help, and those are weighted by
    their gains. If no source helps, the fallback recommends. The selector is supervised if
    `transfer` learns the map from X to y, the target. It is in-domain if `transfer` learns from X
    alone; then X must hold the target as well.

    Parameters
    ----------
    transfer : estimator
        A recommender, or a `Pipeline` or search that holds one. A supervised one is cloned for each
        source and gets the columns of that source, followed by `target_columns`. An in-domain one
        gets all columns of X; the columns of sources that are not used are empty.
    sources : list of (str, columns) tuples, default=None
        Names and columns of X, none of them in `target_columns`: an array-like of int, a mask of
        shape (n_features,), or a slice. None takes all columns except `target_columns` as one
        source.
    fallback : estimator, default=None
        The recommender to compare with, and to use if no source helps; supervised or in-domain as
        `transfer` is. It gets only the columns `target_columns` of X if these are given, and
        otherwise all of X. None means the popularity of the target items.
    target_columns : array-like of int, mask of shape (n_features,) or slice, default=None
        The columns of X that hold the known interactions with the target items, in ascending order.
        The columns of y have the same order. A row is not recommended the items that it already has
        there. None means that X holds nothing of the target; an in-domain recommender cannot learn
        from that.
    holdout : float or int, default=0.2
        How many of the target interactions of each row to hold out for the comparison, as a share
        or a count. Only an in-domain selector uses it; a supervised one looks for y.
    max_sources : int, default=3
        Number of sources on the shortlist, at least 1: those with the largest gain of the probe.
    cv : int, cross-validation splitter or iterable, default=5
        How to hold rows out. An int shuffles the rows into that many folds.
    metric : str, default="ndcg"
        The metric to compare, on the best `k` items of each row: "average_precision", "f1",
        "hit_rate", "ndcg", "precision", "recall" or "reciprocal_rank".
    k : int, default=10
        Number of items compared; all items if there are fewer.
    confidence_level : float, default=0.95
        The level of the confidence intervals, above 0 and below 1. The higher it is, the more
        evidence the selector needs to use a source.
    n_jobs : int, default=None
        Number of folds to run at a time, as in scikit-learn, and of threads of `recommend`.
    random_state : int, RandomState instance or None, default=None
        Shuffles the rows and draws the bootstrap samples. Pass an int for the same decision every
        time.

    Attributes
    ----------
    decision_ : str
        Which sources are used, and why, as a text to print.
    source_scores_ : list of SourceScore
        The scores of each source, in the order of `sources`.
    weights_ : ndarray of shape (n_sources,)
        The weight of each source in the recommendations; they sum to 1. All are 0 if no source is
        used.
    gain_ : TransferGain or None
        The gain of the chosen sources over the fallback, without the scores of single rows; None
        if no source is used.
    recommender_ : estimator
        The recommender that is used, fitted on all rows: a `VotingRecommender` of the sources, or
        `transfer` on weighted columns of X, or the fallback, which is a `PopularityRecommender` if
        `fallback` is None.
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
    TransferGate : Decides on one source, for each group of rows.
    VotingRecommender : Combines the sources that are used.
    sktransrec.evaluation.proxy_a_distance : One of the cheap scores.

    Notes
    -----
    The cheap scores are described in :class:`~sktransrec.evaluation.SourceScore`. Only the probe
    makes the shortlist, because only the probe looks at what the rows like; overlap and distance
    are just reported. On generated sources, the probe put the sources in the order of their
    relatedness. The distance did so less well, and could not tell a real source from a copy with
    shuffled rows.

    A source on the shortlist helps if the confidence interval of its gain (see
    :func:`transfer_gain`), without cross-listed items, lies above zero. The intervals are at level
    ``1 - (1 - confidence_level) / n_sources``, so that they hold for all sources together
    (Bonferroni). This counts the sources that are not on the shortlist as well, because the probe
    has seen the same rows. A source that does not help is not used, as it may harm (negative
    transfer [1]_). The best of those that help is used. Then each of the others that help, in the
    order of their gains, is added if the measured gain becomes larger. Weights are proportional to
    the gains. A supervised selector uses them as weights of a vote. An in-domain one multiplies the
    interactions with each source by its weight, divided by the largest weight; the target has
    weight 1, and a column of several sources has the largest of their weights.

    The probe sees only rows that have values both in the source and in the target. For a source of
    other users with the same items its gain says nothing, so `max_sources` must then be the number
    of sources. A `CollectiveMFRecommender` as `transfer` ties an item of the target to one column
    of the sources: where several of them have the item, give all but one of these columns an id
    that no other has in `item_ids`. To use all of them, compare models with the rows of each
    source, as in :doc:`the guide </guide/transfer>`.

    A measurement costs ``cv`` fits of `transfer` for each source in it. There is one measurement
    for each source on the shortlist, and one more for each source that helps, except the best. All
    of them share ``cv`` fits of `fallback`.

    References
    ----------
    .. [1] Z. Wang, Z. Dai, B. Póczos and J. Carbonell, "Characterizing and avoiding negative
       transfer", CVPR 2019. :arxiv:`1811.09751`

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> from sktransrec import RidgeRecommender, SourceSelectorRecommender
    >>> from sktransrec.datasets import make_cross_domain
    >>> domains = make_cross_domain(200, 60, random_state=0)
    >>> X = sp.hstack([domains.X_source, domains.X_source[::-1]], format="csr")
    >>> sources = [("games", slice(0, 60)), ("somebody else's", slice(60, 120))]
    >>> model = SourceSelectorRecommender(RidgeRecommender(), sources, cv=2, random_state=0)
    >>> model.fit(X, domains.Y_target).weights_
    array([1., 0.])
    """

    source_scores_: list[SourceScore]
    weights_: NDArray[Any]
    gain_: TransferGain | None
    recommender_: Estimator

    _takes_frames = False  # the columns of the sources are numbers

    _parameter_constraints: dict = DecidingRecommender._parameter_constraints | {
        "sources": [list, None],
        "max_sources": COUNT,
    }

    def __init__(
        self,
        transfer: Estimator,
        sources: list[tuple[str, Any]] | None = None,
        fallback: Estimator | None = None,
        *,
        target_columns: ArrayLike | slice | None = None,
        holdout: float = 0.2,
        max_sources: int = 3,
        cv: Any = 5,
        metric: str = "ndcg",
        k: int = 10,
        confidence_level: float = 0.95,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.transfer = transfer
        self.sources = sources
        self.fallback = fallback
        self.target_columns = target_columns
        self.holdout = holdout
        self.max_sources = max_sources
        self.cv = cv
        self.metric = metric
        self.k = k
        self.confidence_level = confidence_level
        self.n_jobs = n_jobs
        self.random_state = random_state

    @validated_fit_of_parts
    def fit(self, X: MatrixLike, y: MatrixLike | None = None) -> Self:
        """Score the sources, decide, and fit the chosen recommender on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            What is known about the rows: the sources side by side, and the target in the columns
            `target_columns`, if these are given.
        y : {array-like, sparse matrix} of shape (n_rows, n_items), default=None
            The interactions of the rows with the target items, without those in X. An in-domain
            selector does not read y.

        Returns
        -------
        self : object
        """
        X, y = self._checked(X, y)
        random_state = check_random_state(self.random_state)
        self._target = self._target_of(X, y)
        X_kept, wanted = self._to_judge_by(X, y, random_state)
        if not (wanted.data > 0).any():
            place = "The target in X" if y is None else "y"
            raise ValueError(f"{place} holds nothing to find: pass at least one value above zero.")
        columns = self._source_columns(X.shape[1])
        folds = shuffled_folds(self.cv, wanted, random_state)
        scores = {
            name: self._cheap_score(name, X_kept[:, places], wanted, folds, random_state)
            for name, places in columns.items()
        }

        side = side_without(self.fallback, X_kept, wanted, self._target)
        fallback = SideFittedOnce(side.model, side.X_train, side.X)

        def measured(weights):
            model = self._model(weights, columns)
            return self._gain(
                Comparison.of(model, fallback, X_kept, wanted, self._target),
                folds,
                n_buckets=1,
                # All sources share the level.
                confidence_level=1 - (1 - self.confidence_level) / len(columns),
                random_state=random_state,
            )

        gains = {name: measured({name: 1.0}) for name in self._shortlist(scores)}
        weights, gain = _chosen(gains, measured)
        self.gain_ = None if gain is None else gain.without_rows()
        self.source_scores_ = _completed(scores, gains, weights)
        self.weights_ = np.array([score.weight for score in self.source_scores_])
        self._uses_sources = bool(weights)
        self.recommender_ = self._fitted(weights, columns, X, y)
        metric = next(iter(gains.values())).metric
        self.decision_ = decision_in_words(self.source_scores_, self.gain_, metric)
        self._set_items(X, y)
        return self

    def _checked(self, X, y):
        """Return valid X, and valid y, or None if `fit` does not read y."""
        if not is_supervised(self.transfer):
            if reads_histories(self.transfer):
                raise ValueError(
                    f"transfer={self.transfer!r} reads histories, and their columns do not belong "
                    "to sources. Pass a recommender that reads a matrix of interactions."
                )
            if self.target_columns is None:
                raise ValueError(
                    f"transfer={self.transfer!r} learns from X alone: say as target_columns which "
                    "columns of X hold the target. Or pass a recommender that learns the map "
                    "from X to y, such as RidgeRecommender."
                )
        if is_content(X) or is_table(X):
            raise ValueError(
                f"X has strings or categories, and {type(self).__name__} compares its sources by "
                "numbers: encode them first, for example with OneHotEncoder."
            )
        return super()._checked(X, y)

    def _source_columns(self, n_columns):
        """Return the columns of each source by its name."""
        if self.sources is None:
            return {"source": np.setdiff1d(np.arange(n_columns), self._target.columns)}
        cure = 'pass (name, columns) tuples, such as ("films", slice(0, 100)).'
        names = names_of_pairs(self.sources, "sources", cure)
        if not names or len(set(names)) < len(names):
            raise ValueError(
                f"sources has the names {names}: pass one source or more, with different names."
            )
        of_columns = getattr(self, "feature_names_in_", None)
        columns = {
            name: check_columns(
                places, n_columns, name=f"the columns of the source {name!r}", names=of_columns
            )
            for name, places in self.sources
        }
        for name, places in columns.items():
            shared = np.intersect1d(places, self._target.columns)
            if len(shared):
                raise ValueError(
                    f"The source {name!r} holds column {shared[0]} of X, which is one of the "
                    "target_columns: pass the columns of the source alone."
                )
        return columns

    def _cheap_score(self, name, X, y, folds, random_state):
        return SourceScore(
            name=name,
            n_columns=X.shape[1],
            overlap=row_overlap(X, y),
            distance=column_distance(X, y, random_state),
            probe=probe_gain(X, y, folds, self.metric, self.k, random_state),
            gain=None,
            weight=0.0,
        )

    def _shortlist(self, scores):
        """Return the names of the sources with the largest gains of the probe."""
        by_probe = sorted(scores, key=lambda name: -np.nan_to_num(scores[name].probe, nan=-np.inf))
        return by_probe[: self.max_sources]

    def _model(self, weights, columns):
        """Return a recommender that uses the sources with the given weights."""
        if is_supervised(self.transfer):
            return self._vote(weights, columns)
        of_columns = np.zeros(self.n_features_in_, dtype=np.float32)
        for name, weight in weights.items():
            relative = weight / max(weights.values())
            of_columns[columns[name]] = np.maximum(of_columns[columns[name]], relative)
        of_columns[self._target.columns] = 1
        weighting = FunctionTransformer(_weighted, kw_args={"weights": of_columns})
        weighting.set_output(transform="default")
        return make_pipeline(weighting, clone(self.transfer))

    def _vote(self, weights, columns):
        """Return a recommender by the weighted mean of the scores from each source."""
        members = []
        for name in weights:
            places = np.concatenate([columns[name], self._target.columns])
            selection = FunctionTransformer(_safe_indexing, kw_args={"indices": places, "axis": 1})
            selection.set_output(transform="default")
            members.append((name, make_pipeline(selection, clone(self.transfer))))
        return VotingRecommender(members, weights=list(weights.values()))

    def _fitted(self, weights, columns, X, y):
        """Return the chosen recommender, fitted on all rows."""
        if weights:
            return self._model(weights, columns).fit(X, y)
        return side_without(self.fallback, X, y, self._target).fitted(y)

    def _fitted_parts(self):
        return [self.recommender_]

    def _member_scores(self, X):
        name = "transfer" if self._uses_sources else "fallback"
        if not self._uses_sources:
            X = self._target.rows_without(self.fallback, X)
        yield name, self._target.scores(self.recommender_, X)

    def _score_parts(self, X):
        if self._uses_sources:
            return self._target.score_parts(self.recommender_, X)
        return self._parts_without_source(self.recommender_, X)


def _weighted(X, weights):
    """Return X with its columns weighted; columns with weight 0 become empty."""
    weighted = sp.csr_array(X @ sp.diags_array(weights))
    weighted.eliminate_zeros()
    return weighted


def _completed(scores, gains, weights):
    """Return the scores with the gains that were measured, and with weights that sum to 1."""
    total = sum(weights.values()) or 1.0
    return [
        replace(
            score,
            gain=gains[name].clean if name in gains else None,
            weight=weights.get(name, 0.0) / total,
        )
        for name, score in scores.items()
    ]


def _chosen(gains, measured):
    """Return the weights of the sources to use by name, and their gain together.

    It starts with the best source and adds each next one if the gain becomes larger.
    """
    helpful = {
        name: gain.clean.gain for name, gain in gains.items() if gain.clean.verdict == "helps"
    }
    weights, best = {}, None
    for name in sorted(helpful, key=helpful.get, reverse=True):
        more = {**weights, name: helpful[name]}
        gain = measured(more) if weights else gains[name]
        if best is None or gain.clean.gain > best.clean.gain:
            weights, best = more, gain
    return weights, best
