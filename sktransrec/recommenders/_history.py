# SPDX-License-Identifier: BSD-3-Clause
"""Recommenders of matrices that read histories."""

import copy
from functools import partial
from typing import Any, Literal, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import clone

from .._histories import decay_weights, decayed_items, seen_items
from .._ids import DecodesItems
from .._recommend import withheld_items
from .._score_parts import score_parts
from .._typing import Estimator
from .._validation import COUNT, ESTIMATOR, available_if, check_is_fitted
from .._wrapping import (
    expected_n_items,
    is_supervised,
    moved_to_items,
    recommender_of,
    scores_by,
    takes_content,
    with_added_items,
    with_chosen_values,
)
from ..content import ItemFeatures
from ..interactions import history_steps
from ._history_reader import HistoryReader, best_decay, check_has_steps

# A supervised recommender learns from decayed items, so one fit cannot compare decays.
_DECAY_OF_STEPS = 0.8


def _takes_items(self):
    return takes_content(self.recommender, "with_items")


def _moves(self):
    return takes_content(self.recommender, "with_item_features")


class HistoryRecommender(DecodesItems, HistoryReader):
    r"""Make a next-item model of any recommender that reads a matrix.

    Use it when the order of a history matters: item neighbours or a graph filter that know which
    items are recent are fitted in seconds. Try them first where histories are long. Where they are
    short, a vote of such models, a `TransitionRecommender` and a `NextItemRidgeRecommender` is
    better. A row of X is a history: item ids from 1 on, from the earliest to the latest, padded
    with 0 at one end, as
    :meth:`InteractionEncoder.sequences <sktransrec.InteractionEncoder.sequences>` returns it. Item
    id j + 1 is column j of `recommend` and of y. It is an in-domain recommender: it learns from
    the histories alone.

    Parameters
    ----------
    recommender : estimator
        What scores the items, or a `Pipeline` that ends in it. If it learns from X alone, it is
        fitted to the matrix of all interactions, without decay: which items go together does not
        depend on when a row had them. If it learns the map from X to y, such as `RidgeRecommender`,
        it is fitted to the steps of the histories, from the decayed items before each step to the
        item of the step; see `history_steps`.
    decay : float or "auto", default="auto"
        The weight of an item relative to the item after it, in the rows that the recommender
        scores, from 0 (only the last item counts) to 1 (all count alike). "auto" takes the first of
        0.8, 0.9, 0.7, 0.6 and 1 with which the last items of a sample of the histories are found as
        well as with the best one, up to a standard error. It takes 0.8 if there are too few to
        judge by, or if the recommender learns the map from X to y.
    max_length : int or None, default=50
        How many items before a step count as known. Only used if the recommender learns the map
        from X to y.
    max_steps : int or None, default=None
        How many steps of each history are learned from, the latest ones; None takes all. Only used
        if the recommender learns the map from X to y.
    n_items : int, default=None
        Number of items. None means as many as the `item_features` of the recommender hold, or the
        largest id of `fit` if it has none.
    unknown : {"error", "ignore"}, default="error"
        What to do with ids above the number of items, and with zeros between ids: raise an error,
        or leave them out.

    Attributes
    ----------
    recommender_ : estimator
        The fitted recommender.
    decay_ : float
        The decay in use.
    item_ids_ : ndarray of shape (n_items_,)
        The ids of the items, if the recommender knows them.
    n_items_ : int
        Number of items that can be recommended.
    popularity_ : ndarray of shape (n_items_,), dtype float32
        The share of rows that have each item, which are the scores of an empty row.
    n_features_in_ : int
        Number of columns of X seen in `fit`.

    See Also
    --------
    TransitionRecommender : Learns what follows what.
    NextItemRecommender : A network that learns from the order itself.
    DecayedHistory : The decayed matrix alone, for a `Pipeline`.

    Notes
    -----
    A history :math:`x_1, \dots, x_n` is scored as a row in which item i has the weight
    :math:`\sum_{t : x_t = i} d^{\,n - t}` with the decay d. "auto" fits the recommender twice: to
    everything, and without the held-out items, with the values that it has chosen before. It reads
    nothing but X.

    Examples
    --------
    >>> from sktransrec import HistoryRecommender, ItemKNNRecommender
    >>> X = [[1, 2, 3, 0], [2, 3, 1, 0], [4, 5, 0, 0], [5, 4, 0, 0]]
    >>> neighbors = ItemKNNRecommender(weighting="cosine")
    >>> model = HistoryRecommender(neighbors, decay=0.5).fit(X)
    >>> items, scores = model.recommend([[1, 4, 0, 0], [4, 1, 0, 0]], n_recommendations=1)
    >>> items + 1  # the ids
    array([[5],
           [2]])
    """

    recommender_: Estimator
    decay_: float

    _parameter_constraints: dict = {
        **HistoryReader._parameter_constraints,
        "recommender": ESTIMATOR,
        "max_length": [*COUNT, None],
        "max_steps": [*COUNT, None],
    }

    def __init__(
        self,
        recommender: Estimator,
        *,
        decay: float | Literal["auto"] = "auto",
        max_length: int | None = 50,
        max_steps: int | None = None,
        n_items: int | None = None,
        unknown: Literal["error", "ignore"] = "error",
    ) -> None:
        self.recommender = recommender
        self.decay = decay
        self.max_length = max_length
        self.max_steps = max_steps
        self.n_items = n_items
        self.unknown = unknown

    def _fit(self, X):
        self._n_columns = self.n_items_
        if is_supervised(self.recommender):
            self.decay_ = _DECAY_OF_STEPS if self.decay == "auto" else float(self.decay)
            self.recommender_ = self._fitted_to_steps(X)
        else:
            self.recommender_ = self._fitted_to_items(self.recommender, X)
            self.decay_ = self._chosen_decay(X) if self.decay == "auto" else float(self.decay)
        n_items = recommender_of(self.recommender_).n_items_
        if n_items != self.n_items_:
            raise ValueError(
                f"recommender={self.recommender!r} recommends {n_items} items, but the histories "
                f"hold {self.n_items_}: pass a recommender of all columns of X."
            )

    def _chosen_decay(self, X):
        model = with_chosen_values(self.recommender, self.recommender_)
        return best_decay(
            X, self.n_items_, lambda known: partial(scores_by, self._fitted_to_items(model, known))
        )

    def _fitted_to_items(self, model, X):
        # Frozen recommenders ask for a y.
        return clone(model).fit(seen_items(X, self.n_items_), None)

    def _fitted_to_steps(self, X):
        check_has_steps(X)
        known, following = history_steps(
            X,
            decay=self.decay_,
            max_length=self.max_length,
            max_steps=self.max_steps,
            n_items=self.n_items_,
        )
        return clone(self.recommender).fit(known, following)

    def _score_items(self, items):
        return scores_by(self.recommender_, items)

    def _score_parts(self, X):
        items = decayed_items(X, self._n_read, self.decay_)
        found = score_parts(self.recommender_, items)
        if found is None:
            return None
        columns, parts = found
        return self._shares_of_steps(X, items)[:, columns] @ parts

    def _shares_of_steps(self, X, items):
        """Return the share of each step of a history in the weight of each item."""
        columns = X[X > 0] - 1
        steps = np.flatnonzero(columns < self._n_read)
        weights = decay_weights(self.decay_, np.arange(len(steps))[::-1])
        weights /= items.toarray()[0, columns[steps]]
        shape = (len(columns), self._n_read)
        return sp.csr_array((weights, (steps, columns[steps])), shape=shape)

    @property
    def _n_expected(self):
        return expected_n_items(self)

    @property
    def _n_read(self):
        # Steps before the recommender know the columns of `fit` only.
        reads_later = getattr(self.recommender_, "reads_later_items", False)
        return self.n_items_ if reads_later else self._n_columns

    @property
    def item_ids_(self) -> NDArray[Any]:
        """The ids of the items; the attribute is missing if the recommender does not know them."""
        return recommender_of(self.recommender_).item_ids_

    def _ids_of_items(self):
        check_is_fitted(self)
        if hasattr(self, "item_ids_"):
            return self.item_ids_
        raise ValueError(
            f"recommender={self.recommender!r} does not know the ids of the items. Use "
            "decode_items of the InteractionEncoder that made the histories."
        )

    @property
    def withheld_items_(self) -> NDArray[np.bool_] | None:
        """The mask of the items that are never recommended; None if there are none."""
        return withheld_items([self.recommender_], self.n_items_)

    @available_if(_takes_items)
    def with_items(self, item_features: ItemFeatures) -> Self:
        """Add new items, without fitting again, to a recommender that knows items by content.

        Parameters
        ----------
        item_features : ItemFeatures
            The content of the new items, in the same form as that of the items in `fit`.

        Returns
        -------
        recommender : HistoryRecommender
            A fitted copy that recommends the new items as well. Their ids come after those known
            so far. A new item in a history is not recommended again; it says what the user likes
            if the recommender is a `ContentKNNRecommender`, and nothing otherwise.
        """
        check_is_fitted(self)
        other = copy.copy(self)
        other.recommender_ = with_added_items(self.recommender_, item_features)
        other.n_items_ = self.n_items_ + item_features.n_items
        other.popularity_ = np.pad(self.popularity_, (0, item_features.n_items))
        return other

    @available_if(_moves)
    def with_item_features(self, item_features: ItemFeatures) -> Self:
        """Return this fitted recommender for the items of another catalogue.

        The recommender must be able to do so, as `ContentKNNRecommender` is. No histories of the
        new items are needed.

        Parameters
        ----------
        item_features : ItemFeatures
            The content of the new items, in the same form as that of the items in `fit`.

        Returns
        -------
        recommender : HistoryRecommender
            A fitted copy. Item id j + 1 is item j of `item_features`.
        """
        check_is_fitted(self)
        other = copy.copy(self)
        other.recommender_ = moved_to_items(self.recommender_, item_features)
        other.n_items_ = other._n_columns = item_features.n_items
        other.popularity_ = np.zeros(other.n_items_, dtype=np.float32)
        return other
