# SPDX-License-Identifier: BSD-3-Clause
"""Known items by their interactions and new items by their content, together."""

import reprlib
import warnings
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from .._columns import check_order_of_part
from .._numerics._entries import column_counts
from .._numerics._row_totals import nonempty_rows, row_lengths
from .._recommend import empty_rows, n_rows_of
from .._typing import Estimator, MatrixLike
from .._validation import (
    ABOVE_0,
    AT_LEAST_0,
    AUTO,
    COUNT,
    HasMethods,
    StrOptions,
    _safe_indexing,
    check_is_fitted,
)
from .._wrapping import (
    entry_tags,
    recommender_and_rows,
    scores_of,
    transformed,
    without_names,
)
from ..base import FactorRecommenderMixin, InDomainRecommender
from ..content import ItemFeatures
from ._als import ALSRecommender
from ._content_calibration import chosen_on_held_out
from ._content_neighbors import ContentKNNRecommender
from ._content_regression import fitted_regressor, unfitted_neighbors
from ._item_blocks import ItemBlocksMixin
from ._item_content import ItemContentMixin

# Rows from whose scores the spread of factors and of neighbours is known.
_N_ROWS_OF_SPREAD = 200
# Rows whose scores are compared with the products of factors, and by how much both may differ,
# relative to the largest score.
_N_ROWS_COMPARED = 8
_ROUNDING = 1e-4
# Cosines that differ by less than this are all the same.
_LEAST_SPREAD = 1e-6
_COLD_PATHS = {"content": "content", "popularity": "popularity", "exclude": "excluded"}


class HybridRecommender(
    ItemContentMixin, ItemBlocksMixin, FactorRecommenderMixin, InDomainRecommender
):
    r"""Recommend new items, with content but few or no interactions, together with known ones.

    Use it if new items keep arriving: `with_items` adds items after `fit`, without learning again.
    Compare it with `ContentKNNRecommender` first, which learns nothing. A factor model learns from
    X, and a regressor learns to predict the factors of an item from its content. Items without
    interactions get the predicted factors, and items with few interactions get a mixture. The
    neighbours of an item by content count beside the factors, so that a few rows are enough to
    start with. It is an in-domain recommender: it learns from X alone. As a transformer, it gives
    the row factors of the factor model.

    Parameters
    ----------
    recommender : estimator, default=None
        The factor model: `ALSRecommender`, `BPRRecommender`, `LogisticMFRecommender` or another
        model whose scores are the inner products of factors, or a `Pipeline` that ends in one. It
        is cloned and fitted on X; a fitted one inside a :class:`~sklearn.frozen.FrozenEstimator` is
        used as it is. None means `ALSRecommender()` with the `random_state` below.
    regressor : estimator, default=None
        Predicts the factors of an item from its content: a multi-output regressor, or a `Pipeline`
        from content to features to a regressor. Examples are
        ``make_pipeline(TfidfVectorizer(), Ridge())`` and, with a network in between,
        ``make_pipeline(TextSequences(), CNNEncoder(), Ridge())``. It is cloned and fitted on the
        values of `item_features`. None means `Ridge()`, after
        ``TfidfVectorizer(sublinear_tf=True)`` if the content is texts; of a table of texts, the
        words of the first column, which should hold the titles, and of all columns together.
    item_features : ItemFeatures, default=None
        The content of the columns of X, in their order. If X is a DataFrame, its column names are
        the ids of the items, and the order does not matter. In a vote or a `Pipeline`, X has no
        names, and the order counts. With None, the factor model does everything.
    content_weight : float, default=1.0
        The weight of the content in the factors of an item with fewer than `min_interactions`,
        counted in interactions, 0 or more: with this number :math:`\kappa` of them, half of the
        predicted factors is added. 0 adds nothing.
    min_interactions : int, default=3
        An item with this number of interactions or more, 1 or more, keeps its own factors. The
        regressor learns from these items alone. If X has so few rows that no item has this number,
        it is 1, see `min_interactions_`.
    activity_exponent : float, default=0.0
        The weight of an item in the regression is its number of interactions to this power, 0 or
        more. 0 weights all items equally; 1 gives more weight to items with many interactions,
        whose factors are better known. If it is not 0, `fit` of the regressor must take
        `sample_weight`.
    content_scale : float or "auto", default="auto"
        The scores of items without interactions are multiplied by this, above 0. A regression
        predicts factors that are too short, which ranks new items too low. "auto" fits scale and
        offset so that equal scores of a new and of a known item mean equal probability. This costs
        one more fit of both parts, also of a frozen one.
    neighbor_weight : float or "auto", default="auto"
        How much the cosine of an item to those of the row counts beside the score by factors, 0 or
        more, see `ContentKNNRecommender`. 1 gives both the same spread; 0 leaves it out, which
        makes scoring faster. "auto" is 1 unless another value finds held-out interactions better;
        the fit without these is that of ``content_scale="auto"``. Texts are compared by their
        words, and other content by what the last step of the regressor reads. Tables are compared
        only if a step before it scales their columns to one unit. Only used with
        ``cold_policy="content"`` or "error", and if X holds no negative values.
    cold_policy : {"content", "popularity", "exclude", "error"}, default="content"
        What to do with items without interactions. "content" scores them by their content.
        "popularity" scores them by the score of the mean row for their content, the same for all
        rows. "exclude" never recommends them. "error" raises an error.
    random_state : int, RandomState instance or None, default=None
        Seeds the `ALSRecommender` of ``recommender=None``; a recommender that is passed has its own
        seed. Pass an int to get the same result at every call of `fit`.

    Attributes
    ----------
    recommender_ : estimator
        The factor model fitted on X.
    regressor_ : estimator or None
        The regressor fitted on the content and the factors of items; None without `item_features`.
    neighbors_ : ContentKNNRecommender or None
        The neighbours by content, None if they do not count.
    neighbor_weight_ : float
        Their weight, 0 if they do not count.
    min_interactions_ : int
        `min_interactions`, or 1 if no item has this number.
    content_scale_ : float
        The scale of the scores of items without interactions.
    content_bias_ : float
        The offset of the scores of items that `with_items` adds, added after the scale; 0 unless
        `content_scale` is "auto".
    column_bias_ : float
        The same for the columns of X without interactions; smaller, as rows may have passed these
        items over.
    item_paths_ : ndarray of str of shape (n_items_,)
        How each item is scored: by its own "factors", by a "blend" of these and its content, by
        "content" alone, by "popularity", or not at all ("excluded").
    item_ids_ : ndarray of shape (n_items_,)
        The ids of the items. Without `item_features`, the names or numbers of the columns.
    item_factors_ : ndarray of shape (n_items_, n_components)
        The factors of the items that the scores use, computed at each access. With `neighbors_`,
        the scores are not the inner products alone.
    item_bias_ : ndarray of shape (n_items_,) or None
        The bias of the items in the same way. None if neither the factor model nor the content
        has one.
    n_items_ : int
        Number of items that can be recommended.
    popularity_ : ndarray of shape (n_items_,), dtype float32
        The share of the rows of X that have each item; an empty row gets these as its scores.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, if X had any.

    See Also
    --------
    ContentKNNRecommender : By content alone, without learning: the baseline to beat.
    BridgeRecommender : The same idea for rows: predicts the factors of a row from its features.
    NextItemRecommender : A network that reads items by their content.

    Notes
    -----
    With the factors :math:`v_i` that the factor model gives to the items, the number :math:`n_i`
    of rows that have item i and its content :math:`c_i`, it learns

    .. math:: \min_f \sum_{i : n_i \ge m} n_i^a \|f(c_i) - v_i\|^2

    [1]_, where m is `min_interactions` and a is `activity_exponent`. The score of item i is
    :math:`u_r^\top \tilde v_i + \tilde w_i q_{ri}`, with

    .. math::

        \tilde v_i = \begin{cases} v_i & n_i \ge m \\
        v_i + \dfrac{\kappa}{n_i + \kappa} f(c_i) & 0 < n_i < m \\
        s f(c_i) & n_i = 0 , \end{cases}

    the cosine :math:`q_{ri}` of the item to those of the row by content, and its weight
    :math:`\tilde w_i`: `neighbor_weight` times the ratio of the standard deviations of both parts
    over 200 rows. For :math:`n_i = 0` it is multiplied by s as well, and an offset t is added.
    Regularisation keeps the factors of items with few interactions near zero, so the predicted
    factors are added to them. If the factor model has a bias, the regressor predicts it too. The
    bias of an item with few interactions is the weighted mean of both; the bias of an item without
    interactions is scaled.

    The scale s is `content_scale`, with t = 0. With "auto", all interactions of a fifth of the
    items, those without any among them, are held out, and a fifth of the other interactions of each
    row. Both parts are fitted on the rest, with the values that the factor model has chosen on X.
    Two logistic regressions [2]_ predict from the score x of a pair, with s = 1, whether the pair
    was held out. With the log-odds :math:`\alpha + \beta x` for known items and :math:`\alpha' +
    \beta' x` for new items, the two agree if :math:`s = \beta' / \beta` and :math:`t = (\alpha' -
    \alpha) / \beta`. Held-out pairs of new items weigh a fifth, so that both kinds of items count
    with the same share of their interactions. Items that `with_items` adds have all their
    interactions still to come: their odds are five times higher, which adds :math:`\log(5) / \beta`
    to t. A column of X without interactions may be as new, or rows may have passed it over. An item
    that was on offer has no interaction in X with the probability d, the share of the interactions
    whose item has no other [3]_. With even odds beforehand, the column is new with probability 1 /
    (1 + d), and its t lies between the two. But s = 1 and t = 0 if fewer than ten pairs of either
    kind are held out, or if the odds do not rise with the score. With 100 items or more, s = 1 and
    t = 0 are also taken if they have a better NDCG\@20 on the held-out interactions, known and new,
    by more than a standard error. So a handful of interactions cannot bury the new items.

    With `neighbor_weight` "auto", s and t are found in this way for weights of 1, 2, 1/2, 4, 1/4,
    16 and 0. The first of these is taken whose NDCG\@20 on the held-out interactions with known
    items is within a standard error of the best. With fewer than 200 rows to judge by, or fewer
    than 100 items, it is 1.

    The cost is that of its two parts. Each is fitted once, and once more for "auto". The result is
    deterministic if theirs is. The factors of items that keep their own are never copied. The
    factor model folds rows in. An empty row gets the popularity of the items, which is 0 for items
    without interactions.

    A few hundred factors cannot hold all that the words of a text say, and the factors of a few
    rows hold next to nothing. This is why neighbours count.

    References
    ----------
    .. [1] A. van den Oord, S. Dieleman and B. Schrauwen, "Deep content-based music
       recommendation", NIPS 2013.
    .. [2] J. Platt, "Probabilistic outputs for support vector machines and comparisons to
       regularized likelihood methods", Advances in Large Margin Classifiers, 1999.
    .. [3] I. J. Good, "The population frequencies of species and the estimation of population
       parameters", Biometrika, 1953.

    Examples
    --------
    >>> from sktransrec import ALSRecommender, HybridRecommender, ItemFeatures
    >>> X = [[1, 1, 0, 0, 0], [1, 1, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 1, 1, 0]]
    >>> items = ItemFeatures([[1.0, 0.0], [0.9, 0.0], [0.0, 1.0], [0.0, 0.9], [0.1, 1.0]])
    >>> als = ALSRecommender(n_components=2, random_state=0)
    >>> model = HybridRecommender(als, item_features=items, min_interactions=2).fit(X)
    >>> model.item_paths_.tolist()
    ['factors', 'factors', 'factors', 'factors', 'content']
    >>> model.recommend([[0, 0, 1, 1, 0]], n_recommendations=1)[0]
    array([[4]])
    >>> later = model.with_items(ItemFeatures([[1.0, 0.1]], ids=["new"]))
    >>> later.recommend([[1, 1, 0, 0, 0]], n_recommendations=1)[0]
    array([[5]])
    """

    recommender_: Estimator
    regressor_: Estimator | None
    neighbors_: ContentKNNRecommender | None
    neighbor_weight_: float
    min_interactions_: int
    content_scale_: float
    content_bias_: float
    column_bias_: float

    _parameter_constraints: dict = {
        "recommender": [HasMethods(["fit", "transform"]), None],
        "regressor": [HasMethods(["fit", "predict"]), None],
        "item_features": [ItemFeatures, None],
        "content_weight": AT_LEAST_0,
        "min_interactions": COUNT,
        "activity_exponent": AT_LEAST_0,
        "content_scale": [*ABOVE_0, *AUTO],
        "neighbor_weight": [*AT_LEAST_0, *AUTO],
        "cold_policy": [StrOptions({*_COLD_PATHS, "error"})],
        "random_state": ["random_state"],
    }

    # "auto" also chooses the offsets.
    chosen_with_others = ("content_scale",)
    # None stands for a model that chooses values.
    default_parts = ("recommender",)

    def __init__(
        self,
        recommender: Estimator | None = None,
        regressor: Estimator | None = None,
        *,
        item_features: ItemFeatures | None = None,
        content_weight: float = 1.0,
        min_interactions: int = 3,
        activity_exponent: float = 0.0,
        content_scale: float | Literal["auto"] = "auto",
        neighbor_weight: float | Literal["auto"] = "auto",
        cold_policy: Literal["content", "popularity", "exclude", "error"] = "content",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.recommender = recommender
        self.regressor = regressor
        self.item_features = item_features
        self.content_weight = content_weight
        self.min_interactions = min_interactions
        self.activity_exponent = activity_exponent
        self.content_scale = content_scale
        self.neighbor_weight = neighbor_weight
        self.cold_policy = cold_policy
        self.random_state = random_state

    @property
    def _nonnegative_X(self):
        return entry_tags(self._unfitted_recommender()).input_tags.positive_only

    def row_paths(self, X: MatrixLike) -> NDArray[np.str_]:
        """Return how each row is scored.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features_in_)
            Rows, seen in `fit` or not.

        Returns
        -------
        paths : ndarray of str of shape (n_rows,)
            "factors", or "popularity" if the row is empty.
        """
        check_is_fitted(self)
        return np.where(empty_rows(self._check_rows(X)), "popularity", "factors")

    def _unfitted_recommender(self):
        return ALSRecommender() if self.recommender is None else self.recommender

    def _new_recommender(self):
        """Return the factor model to fit; only the default one gets our `random_state`."""
        recommender = clone(self._unfitted_recommender())
        is_default = self.recommender is None
        return recommender.set_params(random_state=self.random_state) if is_default else recommender

    def _fit(self, X):
        content = self._content_of_columns(X)
        n_rows_with = column_counts(X)
        is_reached = n_rows_with.max() >= self.min_interactions
        self.min_interactions_ = self.min_interactions if is_reached else 1
        cold = np.flatnonzero(n_rows_with == 0)
        self._check_policy(self._item_ids[0][cold])
        self.recommender_ = self._new_recommender().fit(X, None)
        model, rows = recommender_and_rows(self.recommender_, X)
        check_order_of_part(model, self.item_names_)
        self._model = without_names(model)
        self._check_factors(rows, X.shape[1])
        if self.cold_policy == "popularity":
            is_empty = row_lengths(X) == 0
            self._mean_row = transformed(self._model, rows)[~is_empty].mean(axis=0)
        self.n_items_ = X.shape[1]
        self.regressor_, self.neighbors_, self._blocks = None, None, ()
        self.content_scale_, self.neighbor_weight_ = 1.0, 0.0
        self.content_bias_ = self.column_bias_ = 0.0
        if content is not None:
            self._learn_content(content, n_rows_with)
            self._add_blend(content, n_rows_with)
            if len(cold):
                self._add_cold(cold, _safe_indexing(content.values, cold))
            self._add_neighbors(content, X)
            self.neighbor_weight_, calibration = chosen_on_held_out(
                self, X, content, has_neighbors=self.neighbors_ is not None
            )
            self._calibrate(calibration, cold)
        elif self.cold_policy == "exclude" and len(cold):
            self._add_block(cold, "excluded", self._own_targets()[cold])

    def _check_factors(self, X, n_items):
        """Raise unless the recommender, which reads X, scores all items by their factors."""
        of_items = getattr(self._model, "item_factors_", None)
        if of_items is not None and len(of_items) != n_items:
            raise ValueError(
                f"recommender has factors of {len(of_items)} items, but X has {n_items} columns: "
                "it must recommend the columns of X."
            )
        if of_items is None or not _scores_by_factors(self._model, X):
            raise TypeError(
                "recommender must score items by the inner products of factors alone, as "
                "ALSRecommender does, or be a Pipeline that ends in such a model, got "
                f"{self.recommender!r}."
            )

    def _check_policy(self, cold_ids):
        """Raise if there are items without interactions and `cold_policy` is "error"."""
        if self.cold_policy == "error" and len(cold_ids):
            raise ValueError(
                f"Item {reprlib.repr(cold_ids.tolist()[0])} has no interactions ({len(cold_ids)} "
                'items have none), and cold_policy="error" does not allow this: leave it out, or '
                "choose another cold_policy."
            )

    def _learn_content(self, content, n_rows_with):
        """Fit the regressor from content to factors."""
        trusted = np.flatnonzero(n_rows_with >= self.min_interactions_)
        self.regressor_ = fitted_regressor(
            self.regressor,
            content,
            trusted,
            targets=self._own_targets(),
            n_rows_with=n_rows_with,
            exponent=self.activity_exponent,
        )

    def _add_neighbors(self, content, X):
        """Fit the neighbours by content, if they are wanted and can be compared."""
        is_wanted = self.neighbor_weight != 0 and self.cold_policy in ("content", "error")
        neighbors = unfitted_neighbors(self.regressor_, content) if is_wanted else None
        if is_wanted and neighbors is None and self.neighbor_weight != "auto":
            warnings.warn(
                f"neighbor_weight={self.neighbor_weight!r} has no effect: the columns of the table "
                "in item_features have different units, so items cannot be compared. Put a step "
                "that scales them first in regressor, such as StandardScaler().",
                UserWarning,
                stacklevel=2,
            )
        if neighbors is None or (X.data < 0).any():
            return
        neighbors.fit(X)
        rows = np.random.RandomState(0).permutation(nonempty_rows(X))
        X = X[rows[:_N_ROWS_OF_SPREAD]]
        spread = float(neighbors.decision_function(X).std())
        if spread > _LEAST_SPREAD:
            self.neighbors_ = neighbors
            self._neighbor_unit = np.float32(super()._score_rows(X).std() / spread)

    def _calibrate(self, calibration, cold):
        """Scale and shift the scores of items without interactions, by factors and neighbours."""
        self.content_scale_, self.column_bias_, self.content_bias_ = calibration
        if len(cold):
            block = self._blocks[-1]
            scaled = block._replace(
                factors=np.float32(self.content_scale_) * block.factors,
                bias=np.float32(self.content_scale_) * block.bias + np.float32(self.column_bias_),
            )
            self._blocks = (*self._blocks[:-1], scaled)
        if self.neighbor_weight_ == 0:
            self.neighbors_ = None
            return
        weight = np.float32(self.neighbor_weight_ * self._neighbor_unit)
        self._neighbor_weights = np.full(self.n_items_, weight)
        self._neighbor_weights[cold] *= np.float32(self.content_scale_)

    def _evidence(self, X):
        """Return the scores by factors, and the cosines in their unit; 0 without neighbours."""
        of_factors = super()._score_rows(X)
        if self.neighbors_ is None:
            return of_factors, np.zeros_like(of_factors)
        return of_factors, self._neighbor_unit * self.neighbors_.decision_function(X)

    def _score_rows(self, X):
        scores = super()._score_rows(X)
        if self.neighbors_ is not None:
            scores += self._neighbor_weights * self.neighbors_.decision_function(X)
        return scores

    def _score_parts(self, X):
        parts = super()._score_parts(X)
        if parts is not None and self.neighbors_ is not None:
            parts = parts + self._neighbor_weights * self.neighbors_.score_parts(X)[1]
        return parts

    def _predicted_targets(self, values):
        """Return the factors, and the bias if there is one, predicted from the content of items."""
        predicted = np.asarray(self.regressor_.predict(values), dtype=np.float32)
        return predicted.reshape(len(predicted), -1)

    def _add_blend(self, content, n_rows_with):
        """Add predicted factors to the factors of items with few interactions."""
        columns = np.flatnonzero((n_rows_with > 0) & (n_rows_with < self.min_interactions_))
        if self.content_weight == 0 or not len(columns):
            return
        own = self._own_targets()[columns]
        move = self._predicted_targets(_safe_indexing(content.values, columns))
        # With few interactions the factors are near zero, but the bias is not.
        bias = slice(self._n_features_out, None)
        move[:, bias] -= own[:, bias]
        share = self.content_weight / (n_rows_with[columns, None] + self.content_weight)
        self._add_block(columns, "blend", own + share.astype(np.float32) * move)

    def _add_cold(self, columns, values, bias=0.0):
        """Score items without interactions according to `cold_policy`."""
        targets = self._predicted_targets(values) * np.float32(self.content_scale_)
        self._add_block(columns, _COLD_PATHS[self.cold_policy], targets, bias)

    def _add_items(self, item_features):
        self._check_policy(item_features.ids)
        columns = slice(self.n_items_ - item_features.n_items, self.n_items_)
        self._add_cold(columns, item_features.values, self.content_bias_)
        if self.neighbors_ is not None:
            self.neighbors_ = self.neighbors_.with_items(item_features)
            weight = self.neighbor_weight_ * self._neighbor_unit * self.content_scale_
            self._neighbor_weights = np.append(
                self._neighbor_weights, np.full(item_features.n_items, weight, dtype=np.float32)
            )

    def _row_factors(self, X):
        model, rows = recommender_and_rows(self.recommender_, X)
        return transformed(without_names(model), rows)

    def _row_factor_parts(self, X):
        model, rows = recommender_and_rows(self.recommender_, X)
        # A step before the model may mix the columns.
        has_parts = rows is X and isinstance(model, FactorRecommenderMixin)
        return model._row_factor_parts(rows) if has_parts else None


def _scores_by_factors(model, X):
    """Return whether the scores of a few rows of X are products of factors, but for a bias."""
    rows = _safe_indexing(X, np.flatnonzero(~empty_rows(X))[:_N_ROWS_COMPARED])
    if not n_rows_of(rows):
        return True
    factors, of_items = transformed(model, rows), np.asarray(model.item_factors_)
    scores = scores_of(model, rows)
    if factors.shape[1:] != of_items.shape[1:] or scores.shape[1] != len(of_items):
        return False
    products = factors @ of_items.T
    bias = getattr(model, "item_bias_", None)
    if bias is not None:
        products = products + bias
    return np.abs(scores - products).max() <= _ROUNDING * np.abs(scores).max()
