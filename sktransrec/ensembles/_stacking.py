# SPDX-License-Identifier: BSD-3-Clause
"""Several recommenders in one: the weights are learned from held-out interactions."""

from numbers import Real
from typing import Any, Literal, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils import check_random_state

from .._auto import surest_gain
from .._numerics._conditional_logit import (
    best_multiple,
    conditional_logit_weights,
    feature_correlations,
    held_out_losses,
    held_out_ndcg,
    joined_choices,
)
from .._numerics._entries import column_counts
from .._recommend import n_rows_of
from .._typing import Estimator, MatrixLike
from .._validation import (
    AUTO,
    COLUMNS,
    COUNT,
    ESTIMATOR,
    HOLDOUT,
    Interval,
    _safe_indexing,
    validated_fit_of_parts,
)
from .._wrapping import expecting_items, recommender_of, with_chosen_values
from ..evaluation._gain import shuffled_folds
from ..interactions._cross_listed import cross_listed_mask
from ..metrics._buckets import bucket_edges, bucket_of
from ._base import CombiningRecommender
from ._evidence import Evidence, best_of_each, held_out_choices, tempered_parts

_MAX_ROWS = 2000
_N_BEST, _N_RANDOM = 20, 100
# With fewer rows, chance would choose a member.
_MIN_ROWS_TO_CHOOSE = 30
# Rows that show whether a recommender scores the items alike for all.
_N_TO_COMPARE = 100
# Recommenders whose evidence correlates more say the same.
_SAME = 0.999


class StackingRecommender(CombiningRecommender):
    r"""Combine several recommenders by weights that are learned from held-out interactions.

    Use it when several recommenders are good at different things and you do not want to weigh them
    by hand. Try `VotingRecommender` first if there are only two or three recommenders, all about
    equally good: it costs half as much, and nothing is learned. A member that knows nothing gets a
    weight near 0 here, and spoils a vote. The stack is supervised if one of the recommenders learns
    the map from X to y, and in-domain if all learn from X alone.

    Parameters
    ----------
    estimators : list of (str, estimator) tuples
        Names and recommenders; a `Pipeline` or search that holds one works too. They are cloned
        and fitted on everything, and without the held-out interactions, where "auto" and a search
        keep to what they have chosen on everything. One inside a `FrozenEstimator` is used as it
        is; then X and y must be rows that it has not learned from. One that is set to "drop" is
        left out.
    final_estimator : estimator, default=None
        A classifier or regressor that orders the candidates, the best items of the members. Its
        features are the evidence of all members, the popularity of the item and the logarithm of
        the number of interactions of the row; its target is 1 for held-out items and 0 for others.
        It orders by `decision_function`, `predict_proba` or `predict`, the first that it has. None
        orders all items by the learned weights.
    prior : array-like of shape (n_estimators,), dict or FrozenEstimator, default=None
        The weights, 0 or more, near which the learned ones stay, up to a common factor. A dict maps
        names to weights, and recommenders that it does not name have 0. A `FrozenEstimator` around
        a fitted `StackingRecommender`, for example one of a source domain, passes on the weights of
        the recommenders with the same names. They are not used if equal weights predict held-out
        interactions better by more than a standard error. Members that have learned from X and y
        already cannot show this: use ``regularization=np.inf`` for them. None means equal weights;
        members whose evidence correlates by more than .999 share one.
    regularization : float or "auto", default="auto"
        How strongly the weights are held at the prior, 0 or more. The unit is rows: the penalty is
        half of this number times the squared distance from the prior. "auto" finds it from the
        held-out interactions, and follows one member alone where it is surely better. ``np.inf``
        takes the prior as it is: nothing is held out, and each member is fitted once. With the
        prior of a fitted stack, this serves members that have learned from more rows by the weights
        found before.
    holdout : float or int, default=0.2
        How many of the target interactions of each row to hold out, as a share or a count. Only an
        in-domain stack uses it: it holds out the latest interactions of histories, and random ones
        otherwise.
    cv : int, cross-validation splitter or iterable, default=5
        How a supervised stack holds rows out. An int shuffles the rows into that many folds, and
        the members are fitted once for each fold.
    n_buckets : int, default=1
        Number of buckets of rows that have weights of their own. Rows go into buckets by the number
        of their interactions: those with the target items if X has any, otherwise those with the
        source. The weights of a bucket stay near those of all rows. A bucket has at least 30
        training rows, so there may be fewer.
    n_candidates : int, default=100
        Number of best items of each member among which `final_estimator` chooses. The other items
        follow them, ordered by the learned weights.
    target_columns : array-like of int, mask of shape (n_features,) or slice, default=None
        The columns of X that hold the target items, if X holds a source as well. Only these are
        recommended. None means all columns of X if the stack is in-domain, and no columns if it is
        supervised.
    learn_cross_listed : bool, default=False
        Whether to learn from held-out interactions with a product that the row has in the source
        under another id (see :func:`~sktransrec.interactions.cross_listed_mask`). The default
        leaves these out, because a member that finds nothing else does not help the row. It matters
        only if X has columns of a source.
    n_jobs : int, default=None
        Number of recommenders to fit at a time, as in scikit-learn, and of threads of `recommend`.
    random_state : int, RandomState instance or None, default=None
        Draws the held-out interactions, the folds and the items to compare with. Pass an int for
        the same weights every time.

    Attributes
    ----------
    weights_ : ndarray of shape (n_buckets, n_estimators)
        The learned weight of each recommender that is not dropped, 0 or more.
    prior_weights_ : ndarray of shape (n_estimators,)
        The weights near which the learned ones stay, up to a factor.
    popularity_weights_ : ndarray of shape (n_buckets,)
        The learned weight of the popularity of the items, which may be below 0. It is 0 if the
        ranking is not surely better with it.
    regularization_ : float
        The regularization that was used; ``np.inf`` if nothing was learned but which recommender to
        follow alone.
    bucket_edges_ : ndarray of int of shape (n_buckets - 1,)
        The smallest number of interactions in each bucket except the first.
    final_estimator_ : estimator or None
        The fitted final estimator.
    estimators_ : list of estimators
        The recommenders, fitted on everything.
    named_estimators_ : :class:`~sklearn.utils.Bunch`
        The fitted recommenders by name.
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
    VotingRecommender : The weighted mean, without learning.
    TransferGate : Chooses between two recommenders for each group of rows.
    sklearn.ensemble.StackingClassifier : The same for classes.

    Notes
    -----
    Stacking [1]_ learns on interactions that the members have not seen. The evidence :math:`z_m(r,
    i)` of recommender m on item i for row r is its score, standardised to :math:`s` over the items
    that the row does not have. It is tempered to :math:`s / \sqrt{1 + |s|}`, so that a few extreme
    scores do not decide alone. The items of the row do not count, because recommenders have learned
    that training rows have them: if they counted, all other evidence would be weaker for training
    rows than for new ones, most of all where rows are few. The logarithm of the number of rows that
    have the item is evidence too. The weights :math:`w` are those of a conditional logit [2]_: row
    r takes item i rather than another one with probability

    .. math:: p(i \mid r) = \frac{e^{\sum_m w_m z_m(r, i)}}{\sum_j e^{\sum_m w_m z_m(r, j)}} .

    The sum is over the items that the row does not have, and item i. It is estimated from the best
    items of each member and a sample of the others. With :math:`w_0` the prior times the factor
    that fits best, the weights minimise

    .. math:: -\sum_r \operatorname{mean}_i \log p(i \mid r) + \frac{\lambda}{2} \|w - w_0\|^2 ,

    where i runs over the held-out items of row r, and those of members are 0 or more, as
    Breiman [3]_ advises. With ``regularization="auto"``, :math:`\lambda` is the value under which
    the held-out items are most likely, found by MacKay's iteration. With few rows the weights stay
    close to the prior. At most 2,000 random rows take part.

    The likelihood counts all ranks, and users see the first ones. So with "auto", and 30 rows or
    more, weights that are learned from one half of the rows are judged by the NDCG@20 of the other
    half. Popularity has a weight only if the ranking is better with it by more than the standard
    error. The reason is that it puts all new items, which no row has yet, behind known ones. The
    same rule holds for recommenders that score the items alike for all rows, unless you pass a
    `prior`. Beside personal recommenders, they make the interactions likelier and the first ranks
    worse. Then each recommender alone is compared with the weights. If some are better by more than
    the standard error, the one with the largest such gain is followed alone.

    Products that stand in both domains under two ids are easy to find, and of no use to a row that
    has them already. If held-out interactions with them counted, the weights would go to the
    members that find them. So a held-out interaction with such a product is left out of the
    likelihood if the row has the product in the source, on both sides. A product that a row has in
    the source only counts as not chosen. Pass ``learn_cross_listed=True`` if finding them is what
    you want.

    Scores are compared within a row only. Every fit costs two fits of each member, or `cv` + 1 if
    the stack is supervised.

    References
    ----------
    .. [1] D. H. Wolpert, "Stacked generalization", Neural Networks 5, 1992.
       :doi:`10.1016/S0893-6080(05)80023-1`
    .. [2] D. McFadden, "Conditional logit analysis of qualitative choice behavior", in Frontiers in
       Econometrics, 1974.
    .. [3] L. Breiman, "Stacked regressions", Machine Learning 24, 1996. :doi:`10.1007/BF00117832`

    Examples
    --------
    >>> from sktransrec import EASERecommender, ItemKNNRecommender, StackingRecommender
    >>> from sktransrec.datasets import make_cross_domain
    >>> X = make_cross_domain(200, 60, random_state=0).X_source
    >>> stack = StackingRecommender(
    ...     [("ease", EASERecommender()), ("knn", ItemKNNRecommender())], random_state=0
    ... ).fit(X)
    >>> stack.weights_.shape
    (1, 2)
    >>> items, _ = stack.recommend(X[:2], n_recommendations=3)
    >>> items.shape
    (2, 3)
    """

    weights_: NDArray[Any]
    prior_weights_: NDArray[Any]
    popularity_weights_: NDArray[Any]
    regularization_: float
    bucket_edges_: NDArray[np.intp]
    final_estimator_: Estimator | None

    _own_names = ("log popularity",)
    # "auto" also chooses the evidence.
    chosen_with_others = ("regularization",)

    _parameter_constraints: dict = CombiningRecommender._parameter_constraints | {
        "final_estimator": [*ESTIMATOR, None],
        "prior": ["array-like", dict, *ESTIMATOR, None],
        "regularization": [Interval(Real, 0, np.inf, closed="both"), *AUTO],
        "holdout": HOLDOUT,
        "cv": ["cv_object"],
        "n_buckets": COUNT,
        "n_candidates": COUNT,
        "target_columns": [*COLUMNS, None],
        "learn_cross_listed": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimators: list[tuple[str, Estimator]],
        final_estimator: Estimator | None = None,
        *,
        prior: ArrayLike | dict[str, float] | Estimator | None = None,
        regularization: float | Literal["auto"] = "auto",
        holdout: float = 0.2,
        cv: Any = 5,
        n_buckets: int = 1,
        n_candidates: int = 100,
        target_columns: ArrayLike | slice | None = None,
        learn_cross_listed: bool = False,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimators = estimators
        self.final_estimator = final_estimator
        self.prior = prior
        self.regularization = regularization
        self.holdout = holdout
        self.cv = cv
        self.n_buckets = n_buckets
        self.n_candidates = n_candidates
        self.target_columns = target_columns
        self.learn_cross_listed = learn_cross_listed
        self.n_jobs = n_jobs
        self.random_state = random_state

    @validated_fit_of_parts
    def fit(self, X: MatrixLike, y: MatrixLike | None = None) -> Self:
        """Learn the weights on held-out interactions, and fit the recommenders on everything.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            What is known about the rows: interactions with the items, or histories, if all
            recommenders learn from X alone; texts or a table with columns of texts if all are
            pipelines that read these.
        y : {array-like, sparse matrix} of shape (n_rows, n_items), default=None
            The interactions of the rows with the items. Required if a recommender learns the map
            from X to y.

        Returns
        -------
        self : object
        """
        self._check_members()
        prior = self._prior_weights()
        X, y = self._checked(X, y)
        self._fit_members(X, y)
        self._n_rows = n_rows_of(X if y is None else y)
        if self.regularization == np.inf:
            return self._take(prior)
        random_state = check_random_state(self.random_state)
        choices, activity, are_candidates = self._held_out_choices(X, y, random_state)
        self.bucket_edges_ = bucket_edges(activity, self.n_buckets)
        prior = self._trusted_prior(choices, prior)
        self._set_weights(prior, *self._learned_weights(X, choices, activity, prior))
        self.final_estimator_ = self._fitted_final_estimator(choices, activity, are_candidates)
        return self

    def _take(self, prior):
        """Combine the members by the prior weights as they are."""
        if self.final_estimator is not None:
            raise ValueError(
                f"regularization={self.regularization} holds nothing out for "
                f"final_estimator={self.final_estimator!r} to learn from: pass a finite "
                'regularization or "auto", or leave final_estimator at None.'
            )
        self.bucket_edges_ = np.empty(0, dtype=np.intp)
        self._set_weights(prior, prior[None], self.regularization)
        self.final_estimator_ = None
        return self

    def _set_weights(self, prior, weights, regularization):
        self.prior_weights_, self.regularization_ = prior[:-1], float(regularization)
        self.weights_, self.popularity_weights_ = weights[:, :-1], weights[:, -1]

    def _prior_weights(self):
        """Return the prior weights of the recommenders that are not dropped, and of popularity."""
        names = [name for name, _ in self.estimators]
        weights, of_popularity = self.prior, 0.0
        if weights is None:
            weights = np.ones(len(names))
        elif hasattr(weights, "fit"):
            weights, of_popularity = _passed_on(weights, names)
        elif isinstance(weights, dict):
            _check_named(weights, names)
            weights = [weights.get(name, 0.0) for name in names]
        weights = self._used_weights(weights)
        if weights is None:
            raise ValueError(
                f"prior={self.prior!r}: pass a weight of 0 or more for each of the {len(names)} "
                "estimators, and one above 0, or a dict from their names to such weights."
            )
        return np.append(weights, of_popularity)

    def _trusted_prior(self, choices, prior):
        """Return the prior weights, or equal ones where those of another stack do harm."""
        if self.prior is None:
            is_same = feature_correlations(choices)[:-1, :-1] > _SAME
            return np.append(prior[:-1] / np.maximum(is_same.sum(axis=1), 1), 0.0)
        if not hasattr(self.prior, "fit"):
            return prior
        equal = np.append(np.ones(len(prior) - 1), 0.0)
        losses = held_out_losses(
            choices, [prior, equal], self.regularization, _is_popularity(prior)
        )
        is_judged = losses.shape[1] > 1
        return equal if is_judged and surest_gain(losses[0] - losses) else prior

    def _held_out_choices(self, X, y, random_state):
        """Return the choices, and how active their rows and which of them are candidates."""
        splits = list(self._splits(X, y, random_state))
        is_final = self.final_estimator is not None
        parts, activity, are_candidates = [], [], []
        for X_train, y_train, X_known, y_held_out, given_away in splits:
            choices, rows, are_among = held_out_choices(
                self._evidence_of(X_train, y_train),
                X_known,
                y_held_out,
                given_away,
                n_best=self.n_candidates if is_final else _N_BEST,
                n_random=_N_RANDOM,
                max_rows=-(-_MAX_ROWS // len(splits)),
                rng=random_state,
            )
            parts.append(choices)
            activity.append(self._target.activity(X_known)[rows])
            are_candidates.append(are_among)
        return joined_choices(parts), np.concatenate(activity), np.concatenate(are_candidates)

    def _splits(self, X, y, random_state):
        """Yield X and y to learn from, rows and their held-out interactions, and a mask of these.

        It is True for the interactions that a cross-listed item in the source gives away.
        """
        if y is None:
            X_known, y_held_out = self._target.held_out(X, self.holdout, random_state)
            given_away = self._given_away(X, self._target.known(X), y_held_out)
            yield X_known, None, X_known, y_held_out, given_away
            return
        given_away = self._given_away(X, self._target.known(X) + y, y)
        for training_rows, rows in shuffled_folds(self.cv, y, random_state):
            X_train, X_known = (_safe_indexing(X, part) for part in (training_rows, rows))
            yield X_train, y[training_rows], X_known, y[rows], given_away[rows]

    def _given_away(self, X, items, y):
        """Return the mask of the interactions of y that the source in X gives away."""
        source = None if self.learn_cross_listed else self._target.source(X)
        if source is None:
            return sp.csr_array(y.shape, dtype=bool)
        return cross_listed_mask(source, items, y)

    def _evidence_of(self, X, y):
        """Return the evidence of members that learn from X and y alone."""
        items = self._target.known(X) if y is None else y
        # Weights suit the members that have the same parameters. In histories, the item with the
        # largest id may be held out.
        parts = [
            expecting_items(with_chosen_values(part, fitted), self.n_items_)
            for part, fitted in zip(self._parts(), self.estimators_, strict=True)
        ]
        models = self._fitted_on(parts, X, y)
        return Evidence(models, self._target, column_counts(items))

    def _need_no_proof(self, X):
        """Return the mask of the evidence that is used without a test.

        Popularity is tested. So are recommenders that score the items alike for all rows, unless
        all do so or there is a `prior`.
        """
        some = _safe_indexing(X, np.arange(min(X.shape[0], _N_TO_COMPARE)))
        is_personal = np.array([self._is_personal(model, some) for model in self.estimators_])
        if self.prior is not None or not is_personal.any():
            is_personal[:] = True
        return np.append(is_personal, False)

    def _is_personal(self, model, X):
        scores = self._target.scores(model, X)
        return bool((scores != scores[:1]).any())

    def _learned_weights(self, X, choices, activity, prior):
        """Return the weights of each bucket of rows, and the regularization for all rows."""
        is_used, member = self._used_evidence(X, choices, prior)
        if member is not None:
            weights = best_multiple(choices, member)
            return np.tile(weights, (len(self.bucket_edges_) + 1, 1)), np.inf
        weights, regularization = self._likely_weights(choices, prior, is_used)
        if not len(self.bucket_edges_):
            return weights[None], regularization
        buckets = bucket_of(activity, self.bucket_edges_)
        of_buckets = [
            self._likely_weights(choices.of_rows(buckets == bucket), weights, is_used)[0]
            for bucket in range(len(self.bucket_edges_) + 1)
        ]
        return np.stack(of_buckets), regularization

    def _likely_weights(self, choices, prior, is_used):
        """Return the weights, 0 for evidence that is not used, and the regularization."""
        weights = np.zeros(len(prior))
        weights[is_used], regularization = conditional_logit_weights(
            choices.of_features(is_used),
            prior[is_used],
            self.regularization,
            _is_popularity(prior)[is_used],
        )
        return weights, regularization

    def _used_evidence(self, X, choices, prior):
        """Return the mask of the evidence to use, and the weights of a member alone, or None.

        Evidence that is not sure is used only if the ranking is surely better with it. A member
        that is surely better than the weighted sum is followed alone.
        """
        everything, members = np.ones(len(prior), dtype=bool), ~_is_popularity(prior)
        if self.regularization != "auto":
            return everything, None
        if len(np.unique(choices.rows)) < _MIN_ROWS_TO_CHOOSE:
            return members | (prior != 0), None

        def learner(is_used):
            return lambda rows: self._likely_weights(choices.of_rows(rows), prior, is_used)[0]

        # In order of size.
        sums = np.unique([self._need_no_proof(X), members, everything], axis=0)
        alone = np.eye(len(prior))[members]
        of_alone = [lambda _, each=each: each for each in alone]
        ndcg = held_out_ndcg(choices, [*map(learner, sums), *of_alone])
        best = surest_gain(ndcg[: len(sums)] - ndcg[0])
        place = surest_gain(np.vstack([ndcg[best], ndcg[len(sums) :]]) - ndcg[best])
        return sums[best], alone[place - 1] if place else None

    def _keep_weights_of(self, are_kept):
        if self.final_estimator_ is not None:
            raise ValueError(
                f"final_estimator={self.final_estimator!r} has learned from the evidence of all "
                "recommenders, of which some cannot be taken to another catalogue: leave it at "
                "None."
            )
        self.prior_weights_ = self.prior_weights_[are_kept]
        weights = self.weights_[:, are_kept]
        self.weights_ = np.where(weights.any(axis=1, keepdims=True), weights, 1.0)

    def _fitted_final_estimator(self, choices, activity, are_candidates):
        if self.final_estimator is None:
            return None
        is_rejected = choices.represents > 0
        is_rejected[:, -_N_RANDOM:] = False
        rejected_rows, _ = np.nonzero(is_rejected)
        features = np.concatenate([choices.chosen[are_candidates], choices.rejected[is_rejected]])
        rows = np.concatenate([choices.rows[are_candidates], rejected_rows])
        is_chosen = (np.arange(len(rows)) < np.count_nonzero(are_candidates)).astype(int)
        if not is_chosen.any():
            raise ValueError(
                "No held-out item of X or y is among the candidates, so final_estimator has "
                "nothing to learn from: pass more rows, or more than "
                f"n_candidates={self.n_candidates}."
            )
        return clone(self.final_estimator).fit(_with_activity(features, activity[rows]), is_chosen)

    @property
    def _evidence(self):
        return Evidence(self.estimators_, self._target, self.popularity_ * self._n_rows)

    def _row_weights(self, X):
        """Return the weights of the recommenders and of popularity for each row."""
        weights = np.column_stack([self.weights_, self.popularity_weights_]).astype(np.float32)
        return weights[bucket_of(self._target.activity(X), self.bucket_edges_)]

    def _member_scores(self, X):
        if self.final_estimator_ is not None:
            yield "final_estimator", self._score_rows(X)
            return
        names = [*self.named_estimators_, *self._own_names]
        weights = self._row_weights(X)
        for name, own, kind in zip(names, weights.T, self._evidence.kinds(X), strict=True):
            yield name, own[:, None] * kind

    def _score_parts(self, X):
        of_members = self._tempered_parts(X)
        if of_members is None:
            return None
        (weights,) = self._row_weights(X)
        total = _weighted_sum(weights[None], of_members)
        return total if self.final_estimator_ is None else self._final_parts(X, of_members, total)

    def _tempered_parts(self, X):
        """Return what each entry of a row adds to the evidence of each member, or None."""
        of_members, known = [], self._target.known(X)
        for model in self.estimators_:
            parts = self._target.score_parts(model, X)
            if parts is None:
                return None
            of_members.append(tempered_parts(parts, self._target.scores(model, X), known))
        return of_members

    def _final_parts(self, X, of_members, otherwise):
        """Return what each entry adds to the scores of candidates, and `otherwise` for the rest."""
        evidence = self._evidence.of(X)
        is_candidate, _, features = self._candidates(X, evidence)
        weights = _linear_weights(self.final_estimator_, features)
        if weights is None:
            return None
        return np.where(is_candidate[0], _weighted_sum(weights[None], of_members), otherwise)

    def _score_rows(self, X):
        weights = self._row_weights(X)
        if self.final_estimator_ is None:
            return _weighted_sum(weights, self._evidence.kinds(X))
        evidence = self._evidence.of(X)
        scores = _weighted_sum(weights, evidence)
        return self._with_candidates_first(X, scores, evidence)

    def _candidates(self, X, evidence):
        """Return the mask of the candidates, their places, and what the final estimator reads."""
        is_eligible = self._evidence.eligible(X)
        best, _ = best_of_each(evidence, is_eligible, self.n_candidates, self._evidence.preference)
        is_candidate = np.zeros_like(is_eligible)
        np.put_along_axis(is_candidate, np.hstack(best), True, axis=1)
        is_candidate &= is_eligible
        rows, items = np.nonzero(is_candidate)
        features = _with_activity(evidence[:, rows, items].T, self._target.activity(X)[rows])
        return is_candidate, (rows, items), features

    def _with_candidates_first(self, X, scores, evidence):
        """Return the scores, where the final estimator scores the candidates, above the rest."""
        is_candidate, places, features = self._candidates(X, evidence)
        if not len(features):
            return scores
        of_candidates = np.full_like(scores, np.inf)
        of_candidates[places] = _preferences(self.final_estimator_, features)
        lowest = of_candidates.min(axis=1, keepdims=True)
        lowest[np.isinf(lowest)] = 0
        below = scores - scores.max(axis=1, keepdims=True) + lowest - 1
        return np.where(is_candidate, of_candidates, below)


def _is_popularity(weights):
    """Return the mask of the weight of the popularity, the last one, which may be below 0."""
    return np.arange(len(weights)) == len(weights) - 1


def _passed_on(prior, names):
    """Return the weights of the named recommenders in another stack, and that of popularity."""
    other = recommender_of(prior)
    if not isinstance(other, StackingRecommender) or not hasattr(other, "weights_"):
        raise ValueError(
            f"prior={prior!r} is not a fitted StackingRecommender: write "
            "prior=FrozenEstimator(stack.fit(X))."
        )
    known = dict(zip(other.named_estimators_, other.weights_.mean(axis=0), strict=True))
    if not set(known) & set(names):
        raise ValueError(
            f"prior holds weights of {sorted(known)}, and the estimators are {sorted(names)}: give "
            "the recommenders that play the same part in both the same name."
        )
    return [known.get(name, 0.0) for name in names], other.popularity_weights_.mean()


def _check_named(weights, names):
    unknown = sorted(set(weights) - set(names))
    if unknown:
        raise ValueError(
            f"prior names {unknown}, but the estimators are {sorted(names)}: use their names."
        )


def _weighted_sum(weights, kinds):
    """Return the sum of the kinds of evidence, each weighted in each row."""
    return sum(weights[:, [column]] * kind for column, kind in enumerate(kinds))


def _with_activity(features, activity):
    return np.column_stack([features, np.log1p(activity, dtype=np.float32)])


def _linear_weights(estimator, features):
    """Return what a final estimator weighs each feature with, None if it is not linear in them."""
    n_features = features.shape[1]
    alone = np.vstack([np.zeros(n_features), np.eye(n_features)])
    at_zero, *at_units = _preferences(estimator, alone.astype(features.dtype))
    weights = np.asarray(at_units) - at_zero
    if not len(features):
        return weights
    preferences = _preferences(estimator, features)
    tolerance = 1e-5 * np.abs(preferences).max()
    is_linear = np.allclose(at_zero + features @ weights, preferences, rtol=0, atol=tolerance)
    return weights if is_linear else None


def _preferences(estimator, features):
    """Return how much a fitted classifier or regressor prefers each candidate."""
    if hasattr(estimator, "decision_function"):
        return estimator.decision_function(features)
    if hasattr(estimator, "predict_proba"):
        return estimator.predict_proba(features)[:, -1]
    return estimator.predict(features)
