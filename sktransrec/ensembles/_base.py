# SPDX-License-Identifier: BSD-3-Clause
"""The base classes of ensembles: what their members read and learn from."""

import copy
from contextlib import suppress
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils import Bunch, get_tags
from sklearn.utils.parallel import Parallel, delayed

from .._columns import check_order, check_order_of_part, check_row_labels, column_names
from .._histories import padded_at_end
from .._ids import DecodesItems
from .._numerics._row_sums import column_shares
from .._recommend import check_is_complete, empty_rows, n_rows_of, withheld_items
from .._typing import Estimator, MatrixLike
from .._validation import (
    BETWEEN_0_AND_1,
    COLUMNS,
    COUNT,
    ESTIMATOR,
    HOLDOUT,
    N_JOBS,
    StrOptions,
    _BaseComposition,
    _safe_indexing,
    available_if,
    check_histories,
    check_interactions,
    check_is_fitted,
    check_rows,
    check_rows_or_content,
    check_table,
    check_target_columns,
    check_targets,
    is_content,
    is_table,
)
from .._wrapping import (
    check_order_kept,
    expected_n_items,
    fitted_part,
    ignores_unknown,
    is_supervised,
    moved_to_items,
    reads_histories,
    recommender_of,
    take_input_tags,
    takes_content,
)
from ..base import RecommenderMixin
from ..content import ItemFeatures
from ..content._item_features import check_order_of_items
from ..evaluation._gain import measured_gain
from ..interactions._target_items import TargetItems
from ..metrics._table import METRICS
from ._later_items import knows_content, with_later_items

# Features may be ids or dates, which single precision does not tell apart: members convert them.
_EXACT = (np.float64, np.float32)


class EnsembleRecommender(RecommenderMixin, BaseEstimator):
    """Base of ensembles, the recommenders that are made of others.

    A subclass implements ``_parts()``, which returns the unfitted members, ``_fitted_parts()``,
    and ``_member_scores(X)``, which yields the names of the members and new arrays of what each
    adds to the scores of valid rows. The ensemble is supervised if a leading member learns the map
    from X to y. It is in-domain if all leading members learn from X alone. It never recommends an
    item that a member withholds.
    """

    target_columns: ArrayLike | slice | None = None
    _takes_frames = True
    _passes_frames = False
    _reads_texts = True

    def _leading_parts(self):
        """Return the members that decide what X and y are; the others get parts of X and y."""
        return self._parts()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        parts, leading = self._parts(), self._leading_parts()
        take_input_tags(tags, parts)
        tags.input_tags.categorical = all(map(reads_histories, leading))
        is_mapping = any(map(is_supervised, leading))
        tags.target_tags.required = tags.target_tags.multi_output = is_mapping
        tags.target_tags.single_output = not is_mapping
        tags.target_tags.positive_only = any(
            get_tags(part).target_tags.positive_only for part in parts
        )
        return tags

    def _checked(self, X, y):
        """Return valid X, and valid y, or None if no leading member learns from y."""
        names = column_names(X)
        check_row_labels(X, y)
        X = self._valid_rows(X, reset=True)
        if not is_supervised(self):
            return X, None
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None. "
                "It learns the map from X to y: pass the interactions to learn as y."
            )
        self._keep_names_of(y)
        if names is not None and self.target_columns is not None:
            columns = check_target_columns(self.target_columns, len(names))
            check_order([names[column] for column in columns], column_names(y))
        return X, check_targets(y, n_rows=X.shape[0])

    def _valid_rows(self, X, *, reset):
        if reset:
            check_order_of_items(self, column_names(X))
            self._check_kinds()
        if is_supervised(self):
            return self._valid_features(X, reset=reset)
        if reads_histories(self):
            ignores = self.unknown == "ignore"
            X = check_histories(self, X, reset=reset, ignores_gaps=ignores)
            n_items = self._n_items_of_readers() if reset else self.n_items_
            if ignores and n_items is not None:
                X = np.where(n_items >= X, X, 0)
            return padded_at_end(X)
        nonnegative = get_tags(self).input_tags.positive_only
        return check_interactions(self, X, reset=reset, nonnegative=nonnegative)

    def _valid_features(self, X, *, reset):
        is_pandas = hasattr(X, "select_dtypes")
        allow_nan = get_tags(self).input_tags.allow_nan
        options = {"reset": reset, "dtype": _EXACT, "allow_nan": allow_nan}
        is_text_table = is_table(X)
        holds_texts = is_text_table or (not is_pandas and is_content(X))
        if reset:
            self._reads_texts = holds_texts
            # Members may choose columns by name. To take rows of a sparse frame would be slow.
            is_dense = is_pandas and not hasattr(X, "sparse")
            self._passes_frames = self._takes_frames and is_dense
        elif holds_texts and not self._reads_texts:
            # A fallback reads no rows, and would serve any.
            return check_rows(self, X, **options)
        if not is_pandas and is_text_table and n_rows_of(X):
            return check_table(self, X, reset=reset)
        valid = (check_rows_or_content if holds_texts else check_rows)(self, X, **options)
        return X if is_pandas and self._passes_frames else valid

    def _n_items_of_readers(self):
        """Return how many items the readers of histories expect, None if none says so."""
        return max(filter(None, map(expected_n_items, self._leading_parts())), default=None)

    @property
    def unknown(self) -> str:
        """Whether unknown items of histories are left out, "ignore", or are an "error"."""
        return "ignore" if all(map(ignores_unknown, self._leading_parts())) else "error"

    def _check_kinds(self):
        """Raise if some leading members read histories, and others matrices of interactions."""
        in_domain = [part for part in self._leading_parts() if not is_supervised(part)]
        readers = [part for part in in_domain if reads_histories(part)]
        others = [part for part in in_domain if not reads_histories(part)]
        if readers and others:
            raise ValueError(
                f"{readers[0]!r} reads histories, and {others[0]!r} a matrix of interactions: wrap "
                "the second in a HistoryRecommender."
            )

    def _target_of(self, X, y, models=()):
        """Return the items that are recommended.

        If `target_columns` is None, fitted models of two domains say which columns these are. For
        histories, a fitted model says how many items there are.
        """
        recommenders = list(map(recommender_of, models))
        n_items = None if y is None else y.shape[1]
        if reads_histories(self):
            n_items = recommenders[0].n_items_
        columns = self.target_columns
        for recommender in recommenders:
            columns = getattr(recommender, "item_columns_", None) if columns is None else columns
        names = getattr(self, "feature_names_in_", None)
        return TargetItems.among(columns, self, X, n_items, names=names)

    def member_scores(self, X: MatrixLike) -> dict[str, NDArray[np.float32]]:
        """Return what each member adds to the scores of the items.

        Use it to see which member an item owes its place to; :func:`sktransrec.inspection.trace`
        shows it for one row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features_in_)
            Rows, seen in `fit` or not.

        Returns
        -------
        scores : dict of str to ndarray of shape (n_rows, n_items_), dtype float32
            By the name of the member. They sum to what `decision_function` returns. A row about
            which nothing is known gets its scores from "popularity". A stack also has "log
            popularity", what it adds for the popularity of the items. With a `final_estimator`, a
            stack has "final_estimator" alone, which holds the whole scores.
        """
        check_is_fitted(self)
        X = self._check_rows(X)
        scores = dict(self._member_scores(X))
        unknown = self._unknown_rows(X)
        if unknown.any():
            for of_member in scores.values():
                of_member[unknown] = 0
            scores.setdefault("popularity", np.zeros((n_rows_of(X), self.n_items_), np.float32))
            scores["popularity"][unknown] = self.popularity_
        return scores

    def _scores_where(self, chosen, model, X):
        """Return the scores that a model gives to the chosen rows, and zeros for the others."""
        scores = np.zeros((len(chosen), self.n_items_), dtype=np.float32)
        if chosen.any():
            scores[chosen] = self._target.scores(model, _safe_indexing(X, np.flatnonzero(chosen)))
        return scores

    def _score_rows(self, X):
        (_, total), *others = self._member_scores(X)
        for _, scores in others:
            total += scores
        return total

    def _set_items(self, X, y):
        self.n_items_ = self._target.n_items
        self._knows_empty_rows = is_supervised(self) and bool(empty_rows(X).any())
        self.popularity_ = column_shares(self._target.known(X) if y is None else y)

    def _check_items(self, models):
        """Raise an error if one of the fitted models, given by name, has other items.

        A model that recommends all columns of X is allowed too, if these include the target items.
        """
        for name, model in models.items():
            recommender = recommender_of(model)
            check_is_complete(recommender)
            if is_supervised(model):
                check_order_of_part(recommender, self.item_names_)
            else:
                check_order_kept(model)
                self._check_no_source_items(name, recommender)
            self._check_same_items(name, recommender)

    def _check_same_items(self, name, recommender):
        """Raise if a member recommends other columns of X, or other than all of them."""
        target, n_items = self._target, recommender.n_items_
        recommends_all = target.columns.size > 0 and n_items == self.n_features_in_
        if n_items != target.n_items and not recommends_all:
            raise ValueError(
                f"{name!r} recommends {n_items} items where there are {target.n_items}: all "
                "recommenders must recommend the same items, the columns of X or those of y."
            )
        columns = getattr(recommender, "item_columns_", None)
        has_both = columns is not None and target.columns.size > 0
        if has_both and not np.array_equal(columns, target.columns):
            raise ValueError(
                f"{name!r} recommends other columns of X than the ensemble: "
                f"{_first_difference(columns, target.columns)}. All recommenders must have the "
                "same target_columns."
            )

    def _check_no_source_items(self, name, recommender):
        """Raise if a member recommends named columns of X, and none of them is an item of y."""
        own, names = self.item_names_, getattr(recommender, "item_names_", None)
        if own is None or names is None or self._target.columns.size or set(names) & set(own):
            return
        raise ValueError(
            f"{name!r} recommends the columns of X, such as {names[0]!r}, and the items of y are "
            f"others, such as {own[0]!r}: pass a model that learns y, or target_columns."
        )

    @property
    def item_columns_(self) -> NDArray[np.intp] | None:
        """The columns of X that are the items, in order; None if all columns are, or none is."""
        columns = self._target.columns
        return columns if 0 < columns.size < self.n_features_in_ else None

    @property
    def withheld_items_(self) -> NDArray[np.bool_] | None:
        """The mask of the items that are never recommended; None if there are none."""
        return withheld_items(self._fitted_parts(), self.n_items_, self._target.columns)


class DecidingRecommender(EnsembleRecommender):
    """Base of ensembles that compare `transfer` and `fallback` on training rows, and decide.

    A subclass has the parameters below.
    """

    decision_: str

    _parameter_constraints: dict = {
        "transfer": ESTIMATOR,
        "fallback": [*ESTIMATOR, None],
        "target_columns": [*COLUMNS, None],
        "holdout": HOLDOUT,
        "cv": ["cv_object"],
        "metric": [StrOptions(set(METRICS))],
        "k": COUNT,
        "confidence_level": BETWEEN_0_AND_1,
        "n_jobs": N_JOBS,
        "random_state": ["random_state"],
    }

    def _parts(self):
        return [part for part in (self.transfer, self.fallback) if part is not None]

    def _leading_parts(self):
        return [self.transfer]

    def _to_judge_by(self, X, y, random_state):
        """Return X and the interactions to find, which are held out of X if there is no y."""
        if y is not None:
            return X, y
        return self._target.held_out(X, self.holdout, random_state)

    def _gain(self, comparison, folds, **options):
        """Return the gain that a `Comparison` finds."""
        return measured_gain(
            comparison, folds, metric=self.metric, k=self.k, n_jobs=self.n_jobs, **options
        )

    def _parts_without_source(self, fitted, X):
        """Return what each entry of a row adds to the scores of the fitted fallback, or None."""
        if self.fallback is None:
            return np.zeros(self.n_items_)
        columns = self._target.columns
        return self._target.score_parts(fitted, X, columns if columns.size else None)


def _known_ids(recommender):
    """Return the ids of the items of a fitted recommender, None if it knows none."""
    if hasattr(recommender, "decode_items"):
        with suppress(ValueError):
            return recommender.decode_items(np.arange(recommender.n_items_))
    return None


def _members(ensemble):
    """Return the members, fitted or not."""
    return getattr(ensemble, "estimators_", None) or ensemble._parts()


def _has_member_with_content(ensemble):
    return any(map(knows_content, _members(ensemble)))


def _has_member_that_moves(ensemble):
    return any(takes_content(member, "with_item_features") for member in _members(ensemble))


class CombiningRecommender(DecodesItems, EnsembleRecommender, _BaseComposition):
    """Base of ensembles that add up the standardised scores of named members.

    A subclass has the parameters `estimators`, a list of (name, recommender), and `n_jobs`.
    """

    estimators_: list[Estimator]
    named_estimators_: Bunch

    _parameter_constraints: dict = {"estimators": [list], "n_jobs": N_JOBS}
    _own_names: tuple[str, ...] = ()

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, and those of each recommender as ``name__parameter``.

        Parameters
        ----------
        deep : bool, default=True
            Whether to return the parameters of the recommenders as well.

        Returns
        -------
        params : dict
        """
        return self._get_params("estimators", deep=deep)

    def set_params(self, **params: Any) -> Self:
        """Set parameters, and those of a recommender as ``name__parameter``.

        Parameters
        ----------
        **params : dict
            Parameters. The name of a recommender replaces it by another one, or by "drop", which
            leaves it out.

        Returns
        -------
        self : object
        """
        self._set_params("estimators", **params)
        return self

    @available_if(_has_member_with_content)
    def with_items(self, item_features: ItemFeatures) -> Self:
        """Add new items to the fitted ensemble, without fitting it again.

        At least one recommender must know items by their content; see
        :meth:`HybridRecommender.with_items`. To the others, a new item is like the median
        of the items that they know.

        Parameters
        ----------
        item_features : ItemFeatures
            The content of the new items, in the same form as that of the items in `fit`. Their ids
            must be new.

        Returns
        -------
        recommender : estimator
            A fitted copy that recommends the new items as well. Their columns come after those of
            the items known so far. A matrix X keeps the columns of `fit`.
        """
        check_is_fitted(self)
        if self.item_columns_ is not None:
            raise ValueError(
                "target_columns says which columns of X are the items, and later items have none: "
                "add them to a model of the target alone."
            )
        later = [with_later_items(model, item_features) for model in self.estimators_]
        return self._with_members(list(self.named_estimators_), later, item_features.n_items)

    @available_if(_has_member_that_moves)
    def with_item_features(self, item_features: ItemFeatures) -> Self:
        """Return this fitted ensemble for the items of another catalogue.

        No interactions with the new items are needed. The recommenders that know items by their
        content are taken there, with their weights, and the others are left out.

        Parameters
        ----------
        item_features : ItemFeatures
            The content of the new items, in the same form as that of the items in `fit`.

        Returns
        -------
        recommender : estimator
            A fitted copy. Its columns are the items of `item_features`, which have no popularity.
        """
        check_is_fitted(self)
        if self.target_columns is not None:
            raise ValueError(
                "target_columns says which columns of X are the items, and another catalogue has "
                "other columns: leave it at None."
            )
        moves = [takes_content(model, "with_item_features") for model in self.estimators_]
        names = [name for name, is_in in zip(self.named_estimators_, moves, strict=True) if is_in]
        moved = [moved_to_items(self.named_estimators_[name], item_features) for name in names]
        other = self._with_members(names, moved, item_features.n_items - self.n_items_)
        if not reads_histories(self):
            other.n_features_in_ = item_features.n_items
            other._target = TargetItems(other.n_items_, np.arange(other.n_items_))
            vars(other).pop("feature_names_in_", None)
        other.popularity_ = np.zeros(item_features.n_items, dtype=np.float32)
        other._keep_weights_of(np.array(moves))
        return other

    def _with_members(self, names, models, n_more):
        """Return a copy with other fitted members, which recommend so many more items."""
        other = copy.copy(self)
        other._name_members(names, models)
        other.n_items_ = self.n_items_ + n_more
        other._target = replace(self._target, n_items=other.n_items_)
        other.popularity_ = np.pad(self.popularity_, (0, max(n_more, 0)))
        return other

    def _ids_of_items(self):
        check_is_fitted(self)
        for recommender in map(recommender_of, self.estimators_):
            ids = _known_ids(recommender)
            if ids is not None:
                return self._target.of_target(recommender, ids)
        raise ValueError(
            "None of the recommenders knows the ids of the items. HybridRecommender and "
            "ContentKNNRecommender would. Use decode_items of the InteractionEncoder that made X."
        )

    def _parts(self):
        return [part for _, part in self.estimators if not isinstance(part, str)]

    def _used_weights(self, weights):
        """Return those of a weight for each recommender that are not dropped.

        None if these are no numbers of 0 or more, or none is above 0.
        """
        is_used = [not isinstance(part, str) for _, part in self.estimators]
        try:
            weights = np.asarray(weights, dtype=np.float64)
        except (TypeError, ValueError):
            return None
        if weights.shape != (len(is_used),):
            return None
        used = weights[is_used]
        return used if used.min() >= 0 and 0 < used.sum() < np.inf else None

    def _fitted_parts(self):
        return self.estimators_

    def _check_members(self):
        cure = 'pass (name, recommender) tuples, such as ("neighbours", ItemKNNRecommender()).'
        names = names_of_pairs(self.estimators, "estimators", cure)
        self._validate_names(names)
        for name in set(names).intersection(self._own_names):
            raise ValueError(
                f"estimators holds the name {name!r}, which {type(self).__name__} uses for a part "
                "of the scores: choose another name."
            )
        if not self._parts():
            raise ValueError("estimators holds no recommender: pass (name, recommender) tuples.")

    def _fit_members(self, X, y):
        """Fit all members on valid X and y, and learn what is recommended."""
        names = [name for name, part in self.estimators if not isinstance(part, str)]
        self._name_members(names, self._fitted_on(map(clone, self._parts()), X, y))
        self._target = self._target_of(X, y, self.estimators_)
        self._check_items(self.named_estimators_)
        self._set_items(X, y)

    def _fitted_on(self, parts, X, y):
        """Return recommenders, fitted on X and y."""
        return Parallel(n_jobs=self.n_jobs)(delayed(fitted_part)(part, X, y) for part in parts)

    def _name_members(self, names, models):
        self.estimators_ = models
        self.named_estimators_ = Bunch(**dict(zip(names, models, strict=True)))


def names_of_pairs(pairs, argument, cure):
    """Return the names of (name, value) tuples; raise if an element is none."""
    for each in pairs:
        if not isinstance(each, list | tuple) or len(each) != 2:
            raise ValueError(f"{argument} holds {each!r}: {cure}")
    return [name for name, _ in pairs]


def _first_difference(columns, others):
    """Return in words what distinguishes columns from others."""
    if len(columns) != len(others):
        return f"it has {len(columns)} items, and the ensemble {len(others)}"
    place = np.flatnonzero(columns != others)[0]
    return f"its item {place} is column {columns[place]}, and that of the others {others[place]}"
