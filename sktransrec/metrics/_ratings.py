# SPDX-License-Identifier: BSD-3-Clause
"""Errors of predicted ratings, and a scorer for them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .._columns import check_row_labels
from .._numerics._row_totals import rows_of_entries
from .._recommend import n_rows_of, seen_interactions
from .._typing import Estimator, MatrixLike
from .._validation import HOLDOUT, StrOptions, check_is_fitted, validate_params
from .._wrapping import recommender_and_rows
from ._pairs import mean_and_standard_error
from ._scorer import HoldoutScorer
from ._wanted import wanted_items


def rating_errors(model: Estimator, X: MatrixLike, y: MatrixLike) -> dict[str, Any]:
    r"""Return RMSE and MAE of the ratings that a model predicts, with standard errors.

    Use it where the question is how well ratings are predicted. If the question is which items to
    show, use ranking metrics: a low RMSE does not mean a good ranking.

    Parameters
    ----------
    model : estimator
        A fitted recommender with `predict_ratings`, or a `Pipeline`, search or `FrozenEstimator`
        that holds one.
    X : {array-like, sparse matrix} of shape (n_rows, n_items_)
        The known ratings of the rows.
    y : {array-like, sparse matrix} of shape (n_rows, n_items_)
        The held-out ratings, which X does not hold. A zero means that there is no rating.

    Returns
    -------
    errors : dict
        A pair (value, standard error) of floats for each of "rmse" and "mae".

    See Also
    --------
    rating_scorer : The same as a scorer.
    rank_metrics : Metrics of a ranking.

    Notes
    -----
    With the errors :math:`e_p` of n pairs, RMSE is :math:`\sqrt{\sum_p e_p^2 / n}` and MAE is
    :math:`\sum_p |e_p| / n`. The standard errors are clustered by row as in `rank_metrics`. The
    standard error of RMSE is the one of the mean square, divided by 2 RMSE.

    Examples
    --------
    >>> from sktransrec import BiasedMFRecommender
    >>> from sktransrec.metrics import rating_errors
    >>> X = [[5, 4, 1, 0], [4, 5, 0, 1], [5, 0, 1, 2], [1, 2, 5, 0]]
    >>> model = BiasedMFRecommender(1, regularization=0.1, random_state=0).fit(X)
    >>> errors = rating_errors(model, X, [[0, 0, 0, 1], [0, 0, 2, 0], [0, 4, 0, 0], [0, 0, 0, 5]])
    >>> round(errors["mae"][0], 1)
    0.7
    """
    check_row_labels(X, y)
    recommender, X = recommender_and_rows(model, X)
    if not hasattr(recommender, "predict_ratings"):
        raise TypeError(
            f"{type(recommender).__name__} predicts no ratings: pass a recommender with the method "
            "predict_ratings, such as BiasedMFRecommender."
        )
    check_is_fitted(recommender)
    n_rows = n_rows_of(X)
    if np.ndim(y) == 1:
        raise ValueError("y has one axis, and ratings need their items: pass a matrix of them.")
    y = wanted_items(model, y, n_rows=n_rows, n_items=recommender.n_items_)
    if not y.nnz:
        raise ValueError("y holds no rating to predict: pass at least one value that is not zero.")
    errors = recommender.predict_ratings(X, y).data.astype(np.float64) - y.data
    _check_not_all_known(y, seen_interactions(recommender, X))
    rows = rows_of_entries(y)
    weights = np.ones(len(errors))
    mean_square, its_error = mean_and_standard_error(errors**2, weights, rows)
    rmse = np.sqrt(mean_square)
    return {
        "rmse": (float(rmse), float(its_error / (2 * rmse)) if rmse else 0.0),
        "mae": mean_and_standard_error(np.abs(errors), weights, rows),
    }


def _check_not_all_known(wanted, known):
    """Raise if the rows have all ratings already that are to be predicted."""
    if known is not None and wanted.multiply(known != 0).nnz == wanted.nnz:
        raise ValueError(
            f"All {wanted.nnz} ratings in y are also in X, so the model knows what it is to "
            "predict: hold them out of X, for example with holdout_random."
        )


@validate_params(
    {
        "metric": [StrOptions({"mae", "rmse"})],
        "holdout": [None, *HOLDOUT],
        "random_state": ["random_state"],
    }
)
def rating_scorer(
    metric: Literal["mae", "rmse"] = "rmse",
    *,
    holdout: float | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> Callable[..., Any]:
    """Make a scorer of predicted ratings for a search.

    Use it as ``scoring`` of `GridSearchCV` with a model that predicts ratings. It returns minus the
    error, so higher is better.

    Parameters
    ----------
    metric : {"mae", "rmse"}, default="rmse"
        The error to use.
    holdout : float or int, default=None
        Hide this share (between 0 and 1) or number (1 or more) of the ratings of each row in X, and
        predict them from the others. None predicts the ratings in y or, if no y is passed, the
        ratings that the `score` of the model hides.
    random_state : int, RandomState instance or None, default=None
        Chooses what `holdout` hides. Pass an int to compare all models on the same ratings.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y=None)`` returns minus the error over all pairs, a float. It takes
        a fitted recommender with `predict_ratings`, or a `Pipeline`, search or `FrozenEstimator`
        that holds one, and can be pickled.

    See Also
    --------
    rating_errors : The errors with their standard errors.
    ranking_scorer : Scores recommended items.

    Notes
    -----
    Nothing is hidden of a row with fewer than two ratings.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sktransrec import BiasedMFRecommender
    >>> from sktransrec.metrics import rating_scorer
    >>> X = [[5, 4, 0, 1], [4, 5, 1, 0], [1, 0, 5, 4], [2, 1, 4, 0]]
    >>> search = GridSearchCV(
    ...     BiasedMFRecommender(1, random_state=0),
    ...     {"regularization": [0.1, 10]},
    ...     scoring=rating_scorer(holdout=1, random_state=0),
    ...     cv=2,
    ... ).fit(X)
    >>> bool(search.best_score_ < 0)
    True
    """
    return _RatingScorer(None, holdout, random_state, metric)


@dataclass(repr=False, eq=False)
class _RatingScorer(HoldoutScorer):
    metric: str

    def __repr__(self):
        return f"rating_scorer({self.metric!r}{self._common_options()})"

    def __call__(self, estimator, X, y=None):
        X, y = self._rows_and_wanted(estimator, X, y)
        return -rating_errors(estimator, X, y)[self.metric][0]
