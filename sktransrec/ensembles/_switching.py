# SPDX-License-Identifier: BSD-3-Clause
"""A recommender that uses the history of a user if there is one, and features otherwise."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._columns import column_names
from .._typing import Estimator, MatrixLike
from .._validation import (
    COLUMNS,
    COUNT,
    ESTIMATOR,
    _safe_indexing,
    check_is_fitted,
    validated_fit_of_parts,
)
from .._wrapping import fitted_part, is_supervised, reads_histories
from ..content._item_features import check_order_of_items
from ._base import EnsembleRecommender


class SwitchingRecommender(EnsembleRecommender):
    """Serve users with a history by their interactions, and new users by their features.

    Use it when some users have no history but known features, such as an age group or a country.
    Try `SegmentPopularityRecommender` alone first if most users are new. It is an in-domain
    recommender: it learns from X alone, which holds the interactions and, beside them, the
    features. One recommender learns from the interactions. The other learns the map from the
    features to the interactions. Each row is served by one of the two.

    Parameters
    ----------
    recommender : estimator
        An in-domain recommender, or a `Pipeline` or search that holds one, for rows with a
        history. It gets only the columns `target_columns` of X.
    fallback : estimator, default=None
        A supervised recommender for the other rows, such as SegmentPopularityRecommender. It gets
        the other columns as X and the interactions as y. None means the popularity of the items.
    target_columns : array-like of int, mask of shape (n_features,) or slice, default=None
        The columns of X that hold the interactions. These are the items that are recommended, in
        ascending order. None means all columns, which leaves no features.
    min_interactions : int, default=1
        The least number of interactions that counts as a history, 1 or more. Rows with fewer
        interactions get the fallback.

    Attributes
    ----------
    recommender_ : estimator
        The recommender fitted on the interactions of all rows.
    fallback_ : estimator or None
        The fallback fitted on all rows with interactions.
    n_items_ : int
        Number of items that can be recommended.
    popularity_ : ndarray of shape (n_items_,), dtype float32
        The share of the rows that have each item.
    n_features_in_ : int
        Number of columns of X seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, if X had any.

    See Also
    --------
    TransferGate : Measures for which rows the source helps, if the rows are known in both domains.
    VotingRecommender : The mean of several recommenders for every row.
    SegmentPopularityRecommender : A baseline for rows without a history.

    Notes
    -----
    This is the switching hybrid of [1]_. A row with at least `min_interactions` interactions gets
    exactly the scores of `recommender_`; the other rows get those of `fallback_`. The two kinds of
    scores may be on different scales, so compare scores within a row only. `row_paths` tells which
    recommender serves each row.

    Whether one interaction tells more than the features depends on the data, so search over
    `min_interactions`.

    References
    ----------
    .. [1] R. Burke, "Hybrid recommender systems: survey and experiments", User Modeling and
       User-Adapted Interaction 12, 2002. :doi:`10.1023/A:1021240730564`

    Examples
    --------
    >>> import numpy as np
    >>> from sktransrec import EASERecommender, SegmentPopularityRecommender, SwitchingRecommender
    >>> history = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]])
    >>> age_group = np.array([[1], [1], [2], [2]])
    >>> model = SwitchingRecommender(
    ...     EASERecommender(1.0), SegmentPopularityRecommender(shrinkage=1), target_columns=range(4)
    ... ).fit(np.hstack([history, age_group]))
    >>> new = [[1, 0, 0, 0, 2], [0, 0, 0, 0, 2]]
    >>> items, _ = model.recommend(new, n_recommendations=1)
    >>> items.tolist(), model.row_paths(new).tolist()
    ([[1], [2]], ['history', 'features'])
    """

    recommender_: Estimator
    fallback_: Estimator | None

    _parameter_constraints: dict = {
        "recommender": ESTIMATOR,
        "fallback": [*ESTIMATOR, None],
        "target_columns": [*COLUMNS, None],
        "min_interactions": COUNT,
    }

    def __init__(
        self,
        recommender: Estimator,
        fallback: Estimator | None = None,
        *,
        target_columns: ArrayLike | slice | None = None,
        min_interactions: int = 1,
    ) -> None:
        self.recommender = recommender
        self.fallback = fallback
        self.target_columns = target_columns
        self.min_interactions = min_interactions

    def _parts(self):
        return [part for part in (self.recommender, self.fallback) if part is not None]

    def _leading_parts(self):
        return [self.recommender]

    def _fitted_parts(self):
        return [part for part in (self.recommender_, self.fallback_) if part is not None]

    @validated_fit_of_parts
    def fit(self, X: MatrixLike, y: Any = None) -> Self:
        """Fit one recommender on the interactions and the other on the features.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            Interactions with the items in `target_columns`, and features of the rows in the other
            columns.
        y : Ignored
            Not used in `fit`; `score` compares with it.

        Returns
        -------
        self : object
        """
        X = self._valid_rows(X, reset=True)
        self._check_parts(X)
        self._target = self._target_of(X, None)
        history = self._target.known(X)
        self.recommender_ = fitted_part(self.recommender, history, None)
        self.fallback_ = None
        if self.fallback is not None:
            has_history = self._target.activity(X) > 0
            features = _safe_indexing(self._target.others(X), np.flatnonzero(has_history))
            self.fallback_ = fitted_part(self.fallback, features, history[has_history])
        self._set_items(X, None)
        return self

    def _valid_rows(self, X, *, reset):
        if reset:
            check_order_of_items(self, column_names(X))
        return self._valid_features(X, reset=reset)

    def _check_parts(self, X):
        if is_supervised(self.recommender) or reads_histories(self.recommender):
            raise ValueError(
                f"recommender={self.recommender!r} does not learn from a matrix of interactions "
                "alone. Pass an in-domain recommender, such as EASERecommender()."
            )
        if self.fallback is None:
            return
        if not is_supervised(self.fallback):
            raise ValueError(
                f"fallback={self.fallback!r} does not learn the map from features to items: pass a "
                "supervised recommender, such as RidgeRecommender(), or None for the popularity."
            )
        if self.target_columns is None:
            raise ValueError(
                "target_columns=None means that all columns of X are items, which leaves the "
                "fallback no features. Pass target_columns: which of the "
                f"{X.shape[1]} columns hold the interactions."
            )

    def row_paths(self, X: MatrixLike) -> NDArray[np.str_]:
        """Tell whether each row is served by its history, its features or the popularity.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features_in_)
            Rows, seen in `fit` or not.

        Returns
        -------
        paths : ndarray of str of shape (n_rows,)
            "history" for rows with enough interactions. The other rows have "features", or
            "popularity" if there is no fallback.
        """
        check_is_fitted(self)
        otherwise = "popularity" if self.fallback_ is None else "features"
        return np.where(self._has_history(self._check_rows(X)), "history", otherwise)

    def _has_history(self, X):
        return self._target.activity(X) >= self.min_interactions

    def _unknown_rows(self, X):
        # Features that are all zero are still features: the fallback handles them.
        return np.zeros(X.shape[0], dtype=bool)

    def _member_scores(self, X):
        has_history = self._has_history(X)
        history = self._target.known(X)
        yield "recommender", self._scores_where(has_history, self.recommender_, history)
        if self.fallback_ is None:
            yield "popularity", np.outer(~has_history, self.popularity_).astype(np.float32)
        else:
            features = self._target.others(X)
            yield "fallback", self._scores_where(~has_history, self.fallback_, features)

    def _score_parts(self, X):
        if self._has_history(X).all():
            return self._target.score_parts(self.recommender_, X, self._target.columns)
        if self.fallback_ is None:
            return np.zeros(self.n_items_)
        others = np.delete(np.arange(X.shape[1]), self._target.columns)
        return self._target.score_parts(self.fallback_, X, others)
