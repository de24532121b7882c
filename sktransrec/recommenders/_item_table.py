# SPDX-License-Identifier: BSD-3-Clause
"""The items of a network that reads histories: learned vectors, or maps of item features."""

import copy
from typing import Any, Self

import numpy as np

from .._typing import Estimator
from .._validation import check_is_fitted
from ..content import ItemFeatures
from ._item_content import check_item_features


class ItemTableMixin:
    """Mixin of recommenders whose network has the layer "items", which may read features.

    A subclass has the parameters of `NetworkLearner`, `n_items` and those below.
    """

    item_features: ItemFeatures | None
    learns_item_features: bool
    _fitted_network: Any

    _parameter_constraints: dict = {
        "item_features": [ItemFeatures, None],
        "learns_item_features": ["boolean"],
    }

    def with_item_features(self, item_features: ItemFeatures) -> Self:
        """Return this fitted recommender for the items of another catalogue.

        The network stays as it is, and reads the new items by their features. No history of the
        new items is needed. These items have no bias and no popularity.

        Parameters
        ----------
        item_features : ItemFeatures
            The features of the new items: the same numbers in the same order as in `fit`.

        Returns
        -------
        recommender : NextItemRecommender
            A fitted copy. Item id j + 1 is item j of `item_features`.
        """
        check_is_fitted(self)
        if self.item_features is None or self.learns_item_features:
            raise ValueError(
                "This network has learned a vector for each of its items, so it cannot read other "
                "items: fit it with item_features and learns_item_features=False."
            )
        check_item_features(self, item_features)
        _check_features(item_features)
        other: Estimator = copy.copy(self)
        other.set_params(item_features=item_features, item_ids=None, n_items=None)
        other._column_names = item_features.ids if item_features.has_own_ids else None
        other._n_learned_rows = 0
        other.n_items_ = item_features.n_items
        other.popularity_ = np.zeros(other.n_items_, dtype=np.float32)
        weights = {
            "items/features": np.asarray(item_features.values, dtype=np.float32),
            "items/bias": other.popularity_,
        }
        settings = {"n_items": other.n_items_}
        other._fitted_network = self._fitted_network.changed("items", settings, weights)
        other._keep_items()
        return other

    def _number_of_items(self):
        """Return the number of items according to the parameters, or None."""
        if self.item_features is None:
            return self.n_items
        _check_features(self.item_features)
        if self.n_items not in (None, self.item_features.n_items):
            raise ValueError(
                f"n_items={self.n_items}, but item_features has {self.item_features.n_items} "
                "items: leave n_items at None."
            )
        return self.item_features.n_items

    def _finish(self, trainer, history, *, keep_trainer):
        super()._finish(trainer, history, keep_trainer=keep_trainer)
        self._keep_items()

    def _keep_items(self):
        """Keep the vectors and biases of the items as the attributes that `recommend` reads."""
        weights = self._fitted_network.weights
        self.item_bias_ = weights["items/bias"]
        if self.item_features is None:
            self.item_factors_ = weights["items/embeddings"]
        else:
            self.item_factors_ = weights["items/features"] @ weights["items/kernel"]


def check_same_items(item_ids, item_features):
    """Raise if item_ids and the ids of item_features name an item differently."""
    if item_features is None or not item_features.has_own_ids:
        return
    differ = np.flatnonzero([a != b for a, b in zip(item_ids, item_features.ids, strict=True)])
    if len(differ):
        place = differ[0]
        raise ValueError(
            f"item_ids and item_features name item {place + 1} differently, "
            f"{item_ids.tolist()[place]!r} and {item_features.ids.tolist()[place]!r} "
            f"({len(differ)} items differ): pass the features in the order of item_ids, "
            "item_features.of(item_ids)."
        )


def _check_features(item_features):
    """Raise unless the features are numbers that a network can take."""
    values = item_features.values
    if not isinstance(values, np.ndarray) or values.ndim != 2:
        found = f"a {type(values).__name__} of shape {values.shape}"
        raise ValueError(
            "item_features must hold a dense matrix of numbers, one row for each item, got "
            f"{found}: turn texts and sparse matrices into some hundred numbers first, for example "
            "by item_features.encoded(encoder), where the encoder is a language model or a fitted "
            "make_pipeline(TfidfVectorizer(), TruncatedSVD(100))."
        )
