# SPDX-License-Identifier: BSD-3-Clause
"""Embedding and mapping (EMCDR): a regression from X to the factors of the target."""

from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.stats import uniform
from sklearn.base import clone
from sklearn.utils import get_tags

from ..._auto import best_of, held_out_rows
from ..._columns import check_order_of_part
from ..._factor_regression import fitted_to_factors
from ..._numerics._entries import column_sums
from ..._numerics._row_totals import row_lengths
from ..._score_parts import additive_parts
from ..._typing import Estimator
from ..._validation import AT_LEAST_0, COUNT, HasMethods, visual_block
from ..._wrapping import (
    entry_tags,
    recommender_and_rows,
    transformed,
    with_chosen_values,
    without_names,
)
from ...base import FactorRecommenderMixin, SupervisedRecommender

# The penalty of the default regression, in shares of the mean scatter of the columns of X. The
# first one is that for few rows.
_RIDGE_SHARES = (0.1, 1.0, 10.0, 100.0)


class BridgeRecommender(FactorRecommenderMixin, SupervisedRecommender):
    r"""Recommend to users who are new in the target, by predicting their factors there (EMCDR).

    Use it when many users are known in the target but only some of them have X, such as a history
    in the source: the factor model learns from all of them (see `fit_across_domains`). Try
    `RidgeRecommender` first, which predicts the items directly. It is a supervised recommender: a
    factor model learns from y alone, and a regressor learns the map from X to its row factors. New
    rows are scored by their predicted factors. As a transformer, it returns these factors.

    Parameters
    ----------
    recommender : estimator
        The factor model of the target, such as `ALSRecommender`, or a `Pipeline` that ends in
        one. It is cloned and fitted on y. A fitted one inside a
        :class:`~sklearn.frozen.FrozenEstimator` is used without fitting, so it may have learned
        from target rows that have no X.
    regressor : estimator, default=None
        Any scikit-learn regressor that can predict several outputs, inside a
        :class:`~sklearn.frozen.FrozenEstimator` if it is already fitted. It gets X in single
        precision and without names of columns, dense or sparse. None means
        :class:`~sklearn.linear_model.Ridge` with an `alpha` chosen from the data, see the Notes.
    min_interactions : int, default=1
        The regressor learns only from rows with at least this number of target items, 1 or more.
        The factors of rows with very few items are mostly noise.
    activity_exponent : float, default=0.0
        The weight of a row in the regression is its number of target items to this power, 0 or
        more. The weights are divided by their mean, so that a penalty keeps its meaning. 0 gives
        all rows the same weight. A larger value trusts rows with many items more, because their
        factors are more certain. Values other than 0 need a regressor whose `fit` takes
        `sample_weight`.

    Attributes
    ----------
    recommender_ : estimator
        The factor model fitted on y.
    regressor_ : estimator
        The regressor fitted on X and the target factors.
    item_factors_ : ndarray of shape (n_items_, n_components)
        The factors of the target items, from `recommender_`.
    item_bias_ : ndarray of shape (n_items_,) or None
        The biases of the target items; None if `recommender_` has none.
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
    fit_across_domains : Fits the encoder and the factor model on all rows of their domains.
    ProcrustesRegressor : A regressor for few shared rows, which learns only a rotation.
    RidgeRecommender : Regression to the items themselves.
    ALSRecommender : A factor model for either domain.

    Notes
    -----
    With the row factors :math:`u_r`, item factors :math:`v_i` and item biases :math:`b_i` of the
    recommender in the target, it learns [1]_

    .. math:: \min_f \sum_{r : |y_r| \ge m} |y_r|^a \|f(x_r) - u_r\|^2, \qquad
        \mathrm{score}(x, i) = f(x)^\top v_i + b_i.

    Here m is `min_interactions`, a is `activity_exponent`, whose weights are divided by their mean,
    and f is a function that the regressor can learn. In the paper, x are the factors of a row in
    the source, and f is linear or has one hidden layer. The linear form is
    ``make_pipeline(ALSRecommender(), BridgeRecommender(ALSRecommender()))``. For a hidden layer,
    pass ``MLPRegressor(hidden_layer_sizes=(64,), activation="tanh")`` as `regressor`. Pass
    `ProcrustesRegressor` to allow only a rotation.

    Without a `regressor`, `alpha` is 0.1, 1, 10 or 100 times the mean scatter of the columns of X
    (the sum of squares about the mean), so the unit of X does not matter. It holds out up to 1,000
    rows, at most a fifth, fits both parts to the others, with the values that the factor model has
    chosen on all rows, and takes the smallest `alpha` whose NDCG\@20 is within a standard error of
    the best. The choice is always the same for the same data if the factor model is. It takes about
    the time of another fit. With fewer than 1,000 rows that have items, or with fewer than 100
    items, it takes the smallest. The chosen value is ``regressor_.alpha``.

    The cost is that of its two parts. The result is deterministic if theirs is.

    References
    ----------
    .. [1] T. Man, H. Shen, X. Jin and X. Cheng, "Cross-domain recommendation: an embedding and
       mapping approach", IJCAI 2017. https://www.ijcai.org/proceedings/2017/343

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sktransrec import ALSRecommender, BridgeRecommender
    >>> X_source = [[1, 0], [1, 0], [0, 1], [0, 1]]
    >>> Y_target = [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    >>> target = ALSRecommender(n_components=2, random_state=0)
    >>> model = BridgeRecommender(target, Ridge(alpha=0.1)).fit(X_source, Y_target)
    >>> items, _ = model.recommend([[0, 1]], n_recommendations=2)
    >>> sorted(items[0].tolist())
    [2, 3]
    """

    recommender_: Estimator
    regressor_: Estimator
    item_factors_: NDArray[Any]
    item_bias_: NDArray[Any] | None

    _parameter_constraints: dict = {
        "recommender": [HasMethods(["fit", "transform"])],
        "regressor": [None, HasMethods(["fit", "predict"])],
        "min_interactions": COUNT,
        "activity_exponent": AT_LEAST_0,
    }

    # The part that learns from y alone, and so may also learn from rows that have no X.
    target_parts = ("recommender",)
    # None stands for a regression whose penalty is chosen.
    default_parts = ("regressor",)

    search_distributions: ClassVar = {
        "activity_exponent": uniform(0, 1),
        "min_interactions": [1, 2, 3, 5],
    }

    def __init__(
        self,
        recommender: Estimator,
        regressor: Estimator | None = None,
        *,
        min_interactions: int = 1,
        activity_exponent: float = 0.0,
    ) -> None:
        self.recommender = recommender
        self.regressor = regressor
        self.min_interactions = min_interactions
        self.activity_exponent = activity_exponent

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if self.regressor is not None:
            tags.input_tags.sparse = get_tags(self.regressor).input_tags.sparse
        return tags

    def _sk_visual_block_(self):
        from sklearn.linear_model import Ridge  # slow to import

        regressor = Ridge() if self.regressor is None else self.regressor
        names = [
            f"{part}: {type(estimator).__name__}"
            for part, estimator in (("bridge", regressor), ("to the factors of", self.recommender))
        ]
        parts = [regressor, self.recommender]
        return visual_block(parts, names, list(map(str, parts)))

    @property
    def _nonnegative_y(self):
        return entry_tags(self.recommender).input_tags.positive_only

    def _fit(self, X, y):
        rows = self._informative_rows(y)
        self.recommender_ = clone(self.recommender).fit(y, None)
        self.regressor_ = self._ridge(X, y) if self.regressor is None else clone(self.regressor)
        target = self._fit_regressors([self.regressor_], self.recommender_, X[rows], y[rows])
        self.item_factors_ = target.item_factors_
        self.item_bias_ = getattr(target, "item_bias_", None)

    def _informative_rows(self, y):
        """Return the rows with enough target items to learn from."""
        rows = np.flatnonzero(row_lengths(y) >= self.min_interactions)
        if not rows.size:
            raise ValueError(
                f"No row of y has min_interactions={self.min_interactions} target items, so the "
                "regressor has no rows to learn from. Lower it, or pass y with more interactions."
            )
        return rows

    def _fit_regressors(self, regressors, recommender, X, y):
        """Fit regressors, in place, to the factors of rows, and return the factor model."""
        target, rows = recommender_and_rows(recommender, y)
        check_order_of_part(target, self.item_names_)
        if not hasattr(target, "item_factors_"):
            raise TypeError(
                "recommender must be a factor model with item_factors_, such as ALSRecommender, "
                f"or a Pipeline that ends in one, got {self.recommender!r}."
            )
        factors = transformed(without_names(target), rows)
        for regressor in regressors:
            fitted_to_factors(regressor, X, factors, row_lengths(y), self.activity_exponent)
        return target

    def _ridge(self, X, y):
        """Return the ridge regression whose predicted factors find held-out rows' items best."""
        from sklearn.linear_model import Ridge

        ridges = [Ridge(alpha=share * _mean_scatter(X)) for share in _RIDGE_SHARES]
        part = held_out_rows(X, y)
        if part is None:
            return ridges[0]
        rows, fitted = self._informative_rows(part.y), list(map(clone, ridges))
        recommender = with_chosen_values(self.recommender, self.recommender_).fit(part.y, None)
        target = self._fit_regressors(fitted, recommender, part.known[rows], part.y[rows])
        bias = getattr(target, "item_bias_", None)

        def scores_of(rows):
            for regressor in fitted:
                scores = _as_factors(regressor.predict(rows)) @ target.item_factors_.T
                yield scores if bias is None else scores + bias

        return best_of(ridges, part.ndcg_of_each(scores_of))

    def _row_factors(self, X):
        return _as_factors(self.regressor_.predict(X))

    def _row_factor_parts(self, X):
        return additive_parts(self._row_factors, X)


def _as_factors(predicted):
    """Return what a regressor predicts as float32 factors, also if there is only one."""
    return predicted.reshape(len(predicted), -1).astype(np.float32, copy=False)


def _mean_scatter(X):
    """Return the mean over the columns of the squares about their mean, summed; 1 if it is 0."""
    n_rows, n_columns = X.shape
    squares = np.square(X.data if sp.issparse(X) else X, dtype=np.float64).sum()
    means = column_sums(X) / n_rows
    scatter = (squares - n_rows * np.square(means).sum()) / n_columns
    return float(scatter) if scatter > 0 else 1.0
