"""Items by their interactions and by their content, in one space of factors."""

import reprlib
from numbers import Integral, Real

import numpy as np
from sklearn.base import clone
from sklearn.utils import get_tags

from .._validation import HasMethods, Interval, StrOptions, _safe_indexing, check_is_fitted
from .._wrapping import recommender_and_rows, transformed
from ..base import FactorRecommenderMixin, InDomainRecommender, _empty_rows
from ..content import ItemFeatures
from ._als import ALSRecommender
from ._content_calibration import new_item_calibration
from ._content_regression import fitted_regressor
from ._item_blocks import ItemBlocksMixin
from ._item_content import ItemContentMixin

_COLD_PATHS = {"content": "content", "popularity": "popularity", "exclude": "excluded"}


class HybridRecommender(
    ItemContentMixin, ItemBlocksMixin, FactorRecommenderMixin, InDomainRecommender
):
    r"""Recommend items by their interactions where they have many, and by their content otherwise.

    An in-domain recommender: a factor model learns from X alone, a regressor learns what the
    content of an item says of its factors, and items with few interactions or none get factors
    from both or from their content. It also serves items that arrive after `fit`, by
    `with_items`. As a transformer, it gives the row factors of the factor model.

    Parameters
    ----------
    recommender : estimator, default=None
        The factor model: `ALSRecommender`, `BPRRecommender`, `LogisticMFRecommender` or another
        whose scores are the inner products of factors, or a `Pipeline` that ends in one. It is
        cloned and fitted on X; a fitted one inside a :class:`~sklearn.frozen.FrozenEstimator` is
        used as it is. None means `ALSRecommender()` with the `random_state` below.
    regressor : estimator, default=None
        What predicts several numbers, the factors, from the content of an item: a regressor, or a
        `Pipeline` from content to features to a regressor, such as
        ``make_pipeline(TfidfVectorizer(), Ridge())`` or, with a network in between,
        ``make_pipeline(TextSequences(), CNNEncoder(), Ridge())``. It is cloned and fitted on the
        values of `item_features`. None means `Ridge()`, for texts after
        ``TfidfVectorizer(sublinear_tf=True)``.
    item_features : ItemFeatures, default=None
        The content of the columns of X, in their order; where X is a DataFrame, its columns are
        the ids of the items, in any order. In a vote or a `Pipeline` X has no names, and the order
        counts. None leaves everything to the factor model.
    shrinkage : float, default=1.0
        How much content adds to the factors of an item with fewer than `min_interactions`: with
        this number :math:`\kappa` of interactions, 0 or more, half of the factors predicted from
        its content. 0 leaves all items that have interactions to the factor model.
    min_interactions : int, default=3
        Number of interactions, 1 or more, from which an item's own factors are trusted: the
        regressor learns from these items alone, and content has no part in them.
    activity_exponent : float, default=0.0
        An item's weight in the regression is its number of interactions to this power, 0 or more:
        0 weighs all items alike, 1 trusts an item the more the more there is to tell its factors
        from. Other than 0 it needs a regressor whose `fit` takes `sample_weight`.
    content_scale : float or "auto", default="auto"
        What the scores of items without interactions are multiplied by, above 0. A regression
        predicts factors shorter than they turn out to be, which ranks new items too low. "auto"
        finds the scale and a bias with which a new item and a known one of the same score are as
        likely to be had, at the price of one more fit of both parts, a frozen one included.
    cold_policy : {"content", "popularity", "exclude", "error"}, default="content"
        What happens to items without interactions. "content" scores them by their content,
        "popularity" by the score that the mean row would give to their content, the same for all
        rows; "exclude" never recommends them, and "error" refuses them.
    random_state : int, RandomState instance or None, default=None
        Seeds the `ALSRecommender` that ``recommender=None`` stands for; one that is passed has a
        seed of its own. Pass an int for the same result at every call of `fit`.

    Attributes
    ----------
    recommender_ : estimator
        The factor model fitted on X.
    regressor_ : estimator or None
        The regressor fitted on the content and the factors of items; None without `item_features`.
    content_scale_ : float
        What the scores of items without interactions are multiplied by.
    content_bias_ : float
        What is added to them then; 0 unless `content_scale` is "auto".
    item_paths_ : ndarray of str of shape (n_items_,)
        What serves each item: "factors" of its own, a "blend" of these and its content, "content"
        alone, "popularity", or nothing as it is "excluded".
    item_ids_ : ndarray of shape (n_items_,)
        The ids of the items; without `item_features` the names or numbers of the columns.
    item_factors_ : ndarray of shape (n_items_, n_components)
        The factors of the items by the path that serves them, put together at each access.
    item_bias_ : ndarray of shape (n_items_,) or None
        Their bias in the same way, None where neither the factor model nor content has one.
    n_items_ : int
        Number of items that can be recommended.
    popularity_ : ndarray of shape (n_items_,), dtype float32
        The share of the rows of X that have each item: the scores of an empty row.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, where X had any.

    See Also
    --------
    ContentKNNRecommender : By content alone, without learning: the row to beat.
    BridgeRecommender : The same idea for rows: from what is known of them to their factors.
    NextItemRecommender : A network that reads items by their content.

    Notes
    -----
    With the factors :math:`v_i` that the factor model gives to the items, the number :math:`n_i`
    of rows that have item i and its content :math:`c_i`, it learns

    .. math:: \min_f \sum_{i : n_i \ge m} n_i^a \|f(c_i) - v_i\|^2

    [1]_, m being `min_interactions` and a `activity_exponent`. The score of item i is
    :math:`u_r^\top \tilde v_i`, with

    .. math::

        \tilde v_i = \begin{cases} v_i & n_i \ge m \\
        v_i + \dfrac{\kappa}{n_i + \kappa} f(c_i) & 0 < n_i < m \\
        s f(c_i) & n_i = 0 , \end{cases}

    and for :math:`n_i = 0` a bias t. The regularisation of a factor model leaves the factors of
    items with few interactions near zero, so that content is added to them. A bias, where the
    factor model has one, is learned beside the factors; that of an item with few interactions
    becomes the weighted mean of both, that of one without is scaled.

    The scale s is `content_scale`, with t = 0. If "auto", all interactions of a fifth of the items
    are held out and a fifth of the others of each row, and both parts are fitted to what is left.
    Two logistic regressions [2]_ tell from the score x of a pair, with s = 1, whether it was held
    out: with log-odds :math:`\alpha + \beta x` for known items and :math:`\alpha' + \beta' x` for
    new ones, :math:`s = \beta' / \beta` and :math:`t = (\alpha' - \alpha) / \beta` make them
    one. New items thus count as if all that rows will have of them were still to come, and of known
    ones a fifth. How many new items there are makes no difference. Where fewer than ten pairs of
    either kind are held out, or the odds do not rise with the score, s = 1 and t = 0.

    It costs what its two parts cost, each fitted once for good and, for "auto", once more, and is
    as deterministic as they are. The factors of items that keep their own are never copied. A row
    is folded in by the factor model, and an empty one gets the popularity of the items, which for
    items without interactions is 0.

    What serves each item is in `item_paths_`, and what served each row in ``row_paths(X)``. A
    few hundred factors cannot hold all that the words of a text say: where content is rich, a
    `VotingRecommender` of this and a `ContentKNNRecommender` is better than either.

    References
    ----------
    .. [1] A. van den Oord, S. Dieleman and B. Schrauwen, "Deep content-based music
       recommendation", NIPS 2013.
    .. [2] J. Platt, "Probabilistic outputs for support vector machines and comparisons to
       regularized likelihood methods", Advances in Large Margin Classifiers, 1999.

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

    _parameter_constraints: dict = {
        "recommender": [HasMethods(["fit", "transform"]), None],
        "regressor": [HasMethods(["fit", "predict"]), None],
        "item_features": [ItemFeatures, None],
        "shrinkage": [Interval(Real, 0, None, closed="left")],
        "min_interactions": [Interval(Integral, 1, None, closed="left")],
        "activity_exponent": [Interval(Real, 0, None, closed="left")],
        "content_scale": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "cold_policy": [StrOptions({*_COLD_PATHS, "error"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        recommender=None,
        regressor=None,
        *,
        item_features=None,
        shrinkage=1.0,
        min_interactions=3,
        activity_exponent=0.0,
        content_scale="auto",
        cold_policy="content",
        random_state=None,
    ):
        self.recommender = recommender
        self.regressor = regressor
        self.item_features = item_features
        self.shrinkage = shrinkage
        self.min_interactions = min_interactions
        self.activity_exponent = activity_exponent
        self.content_scale = content_scale
        self.cold_policy = cold_policy
        self.random_state = random_state

    @property
    def _nonnegative_X(self):
        return get_tags(self._unfitted_recommender()).input_tags.positive_only

    def row_paths(self, X):
        """Return what serves each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features_in_)
            Rows, seen in `fit` or not.

        Returns
        -------
        paths : ndarray of str of shape (n_rows,)
            "factors", or "popularity" where the row is empty.
        """
        check_is_fitted(self)
        return np.where(_empty_rows(self._check_rows(X)), "popularity", "factors")

    def _unfitted_recommender(self):
        return ALSRecommender() if self.recommender is None else self.recommender

    def _new_recommender(self):
        """Return what to fit; what is passed has a seed of its own."""
        recommender = clone(self._unfitted_recommender())
        is_default = self.recommender is None
        return recommender.set_params(random_state=self.random_state) if is_default else recommender

    def _fit(self, X):
        content = self._content_of_columns(X)
        n_rows_with = np.bincount(X.indices, minlength=X.shape[1])
        cold = np.flatnonzero(n_rows_with == 0)
        self._check_policy(self._item_ids[0][cold])
        self.recommender_ = self._new_recommender().fit(X, None)
        self._model, rows = recommender_and_rows(self.recommender_, X)
        self._check_factors(X.shape[1])
        if self.cold_policy == "popularity":
            is_empty = np.diff(X.indptr) == 0
            self._mean_row = transformed(self._model, rows)[~is_empty].mean(axis=0)
        self.regressor_, self._blocks = None, ()
        self.content_scale_ = 1.0 if self.content_scale == "auto" else self.content_scale
        self.content_bias_ = 0.0
        if content is not None:
            self._learn_content(content, n_rows_with)
            if self.content_scale == "auto":
                calibration = new_item_calibration(self, X, content)
                self.content_scale_, self.content_bias_ = calibration
            self._add_blend(content, n_rows_with)
            if len(cold):
                self._add_cold(cold, _safe_indexing(content.values, cold))
        elif self.cold_policy == "exclude" and len(cold):
            self._add_block(cold, "excluded", self._own_targets()[cold])

    def _check_factors(self, n_items):
        """Raise unless the recommender scores all items by their factors."""
        score_rows = getattr(type(self._model), "_score_rows", None)
        if score_rows is not FactorRecommenderMixin._score_rows:
            raise TypeError(
                "recommender must score items by the inner products of factors alone, as "
                "ALSRecommender does, or be a Pipeline that ends in such a model, got "
                f"{self.recommender!r}."
            )
        if len(self._model.item_factors_) != n_items:
            raise ValueError(
                f"recommender has factors of {len(self._model.item_factors_)} items and X has "
                f"{n_items} columns: it must recommend the columns of X."
            )

    def _check_policy(self, cold_ids):
        """Raise if items without interactions are refused."""
        if self.cold_policy == "error" and len(cold_ids):
            raise ValueError(
                f"Item {reprlib.repr(cold_ids.tolist()[0])} has no interactions ({len(cold_ids)} "
                'items have none), which cold_policy="error" refuses: leave it out, or choose '
                "another cold_policy."
            )

    def _learn_content(self, content, n_rows_with):
        """Fit the regressor from content to factors."""
        trusted = np.flatnonzero(n_rows_with >= self.min_interactions)
        if not len(trusted):
            raise ValueError(
                f"No item has min_interactions={self.min_interactions} interactions, so that there "
                "are no factors to learn from. Lower it, or pass X with more interactions."
            )
        self.regressor_ = fitted_regressor(
            self.regressor,
            content,
            trusted,
            targets=self._own_targets(),
            n_rows_with=n_rows_with,
            exponent=self.activity_exponent,
        )

    def _predicted_targets(self, values):
        """Return factors, and where there is one the bias, as the content of items says."""
        predicted = np.asarray(self.regressor_.predict(values), dtype=np.float32)
        return predicted.reshape(len(predicted), -1)

    def _add_blend(self, content, n_rows_with):
        """Let content have its part in the factors of items with few interactions."""
        columns = np.flatnonzero((n_rows_with > 0) & (n_rows_with < self.min_interactions))
        if self.shrinkage == 0 or not len(columns):
            return
        own = self._own_targets()[columns]
        move = self._predicted_targets(_safe_indexing(content.values, columns))
        # Few interactions leave factors near zero, but not the bias.
        bias = slice(self._n_features_out, None)
        move[:, bias] -= own[:, bias]
        share = self.shrinkage / (n_rows_with[columns, None] + self.shrinkage)
        self._add_block(columns, "blend", own + share.astype(np.float32) * move)

    def _add_cold(self, columns, values):
        """Serve items without interactions as `cold_policy` says."""
        targets = self._predicted_targets(values) * np.float32(self.content_scale_)
        path = _COLD_PATHS[self.cold_policy]
        self._add_block(columns, path, targets, self.content_bias_)

    def _add_items(self, item_features):
        self._check_policy(item_features.ids)
        columns = slice(self.n_items_ - item_features.n_items, self.n_items_)
        self._add_cold(columns, item_features.values)

    def _row_factors(self, X):
        model, rows = recommender_and_rows(self.recommender_, X)
        return transformed(model, rows)
