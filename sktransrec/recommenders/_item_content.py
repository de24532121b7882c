# SPDX-License-Identifier: BSD-3-Clause
"""The shared part of recommenders that read the content of items, also of later ones."""

import copy
import reprlib
from collections.abc import Callable
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .._columns import check_order, column_names
from .._ids import DecodesItems, check_type_of_ids, id_array, joined_ids, positions
from .._typing import Estimator, MatrixLike
from .._validation import check_is_fitted, restores_on_error
from ..content import ItemFeatures


class ItemContentMixin(DecodesItems):
    """Mixin for in-domain recommenders that know items by their content, also later items.

    A subclass has the parameter `item_features`, calls ``_content_of_columns(X)`` in ``_fit`` and
    implements ``_add_items(item_features)``. That method is called on a shallow copy of the fitted
    recommender: it may replace attributes, but must not change their values in place.
    """

    n_items_: int
    popularity_: NDArray[np.float32]
    _add_items: Callable[[ItemFeatures], None]

    @property
    def item_ids_(self) -> NDArray[Any]:
        return joined_ids(self._item_ids)

    def _ids_of_items(self):
        check_is_fitted(self)
        return self.item_ids_

    @restores_on_error
    def fit(self, X: MatrixLike, y: Any = None) -> Self:
        """Learn from the interactions in X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_items)
            Interactions; a stored zero is no interaction. If X is a DataFrame, its column names are
            the ids of the items. Rows to recommend to have the columns in the same order.
        y : Ignored
            `fit` never reads it; `score` compares with it.

        Returns
        -------
        self : object
        """
        self._column_names = self._names_of_columns(X)
        return super().fit(X, y)  # type: ignore[misc]  # of the recommender

    def with_items(self, item_features: ItemFeatures) -> Estimator:
        """Return a copy of this fitted recommender that also recommends later items.

        Use it if items arrive after `fit`. Nothing is learned again, and the copy shares all
        learned arrays.

        Parameters
        ----------
        item_features : ItemFeatures
            The content of the later items, in the same form as in `fit`, with new ids.

        Returns
        -------
        recommender : estimator
            A fitted copy. The columns of the later items come after the known ones, in the order of
            `item_features`. X keeps the columns of `fit`; a `ContentKNNRecommender` also takes X
            with the columns of all items. More items can be added to the copy in the same way.
        """
        check_is_fitted(self)
        self._check_later_items(item_features)
        other = copy.copy(self)
        other.n_items_ = self.n_items_ + item_features.n_items
        # No row has a later item.
        other.popularity_ = np.pad(self.popularity_, (0, item_features.n_items))
        other._item_ids = (*self._item_ids, item_features.ids)
        other._add_items(item_features)
        return other

    def _check_rows(self, X):
        self._check_order_of_columns(X)
        return super()._check_rows(X)

    def _check_order_of_columns(self, X):
        """Raise if X is a table with the known items in another order."""
        names = column_names(X)
        if names is not None:
            check_order(self.item_ids_[: len(names)].tolist(), names, name="X")

    def _names_of_columns(self, X):
        """Return the names of the columns of X, None if they are not ids of items."""
        labels = column_names(X)
        if labels is None or not all(isinstance(label, str | Integral) for label in labels):
            return None
        labels = id_array(labels, "The columns of X")
        if self.item_features is None or labels.dtype == object:
            return labels
        # A table made from an array has numbers as column names.
        is_numbered = np.array_equal(labels, np.arange(len(labels)))
        is_known = positions(labels, self.item_features.ids) >= 0
        return None if is_numbered and not is_known.all() else labels

    def _content_of_columns(self, X):
        """Return the features of the columns of X, in their order; None without item_features."""
        names = self._column_names
        if self.item_features is None:
            self._item_ids = (np.arange(X.shape[1]) if names is None else names,)
            return None
        content = _in_order_of_columns(self.item_features, X.shape[1], names)
        self._item_ids = (content.ids,)
        return content

    def _check_later_items(self, item_features):
        check_item_features(self, item_features)
        for known in self._item_ids:
            check_type_of_ids(item_features.ids, known, "the ids of item_features", "hold")
            repeated = item_features.ids[positions(item_features.ids, known) >= 0].tolist()
            if repeated:
                raise ValueError(
                    f"Item {reprlib.repr(repeated[0])} is known already ({len(repeated)} of the "
                    f"{item_features.n_items} items are): pass new items only, with new ids."
                )


def check_item_features(recommender, item_features):
    """Raise unless items are described like those that a fitted recommender knows."""
    if not isinstance(item_features, ItemFeatures):
        raise TypeError(f"item_features must be an ItemFeatures, got {item_features!r}.")
    if recommender.item_features is None:
        raise ValueError(
            f"{type(recommender).__name__} was fitted without item_features, so it knows items by "
            "their interactions alone: fit it with the content of the columns of X."
        )
    item_features.check_described_as(recommender.item_features)


def _in_order_of_columns(item_features, n_columns, names):
    """Return the features of the columns of X, found by the column names if X has any."""
    if names is None:
        if item_features.n_items != n_columns:
            raise ValueError(
                f"item_features has {item_features.n_items} items and X has {n_columns} columns: "
                "pass the content of every column in their order, such as item_features.of(ids). "
                "Outside of ensembles and pipelines, X may also be a DataFrame whose column names "
                "are the ids of the items."
            )
        return item_features
    missing = names[positions(names, item_features.ids) < 0].tolist()
    if missing:
        raise ValueError(
            f"item_features has no item {missing[0]!r}, which is a column of X ({len(missing)} of "
            f"its {n_columns} columns are missing), and has ids such as "
            f"{item_features.ids.tolist()[0]!r}: pass the content of every column, with the column "
            "name as id, of the same type."
        )
    if np.array_equal(names, item_features.ids):
        return item_features
    return item_features.of(names)
