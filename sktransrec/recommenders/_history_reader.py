# SPDX-License-Identifier: BSD-3-Clause
"""The base of closed-form recommenders that read histories and weight recent items more."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator

from .._auto import best_of, held_out_last_items
from .._histories import decay_weights, decayed_items, seen_items
from .._numerics._linked_scores import linked_scores
from .._numerics._row_sums import RowSums
from .._validation import (
    AUTO,
    FROM_0_TO_1,
    N_ITEMS,
    UNKNOWN,
    check_known_histories,
    validated_fit_of_parts,
)
from ..base import RecommenderMixin, SimilarItemsMixin
from ._row_sums import RowSumsMixin

# The first one is also the value for data that are too small to judge.
_DECAYS = (0.8, 0.9, 0.7, 0.6, 1.0)


class HistoryRowsMixin:
    """Mixin of recommenders whose rows are histories. A subclass has the parameter `unknown`."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.input_tags.categorical = True
        tags.input_tags.positive_only = True
        return tags

    def _check_rows(self, X):
        return check_known_histories(self, X, reset=False)


class HistoryReader(HistoryRowsMixin, RecommenderMixin, BaseEstimator):
    """Base of recommenders that learn in closed form and score the decayed items of a history.

    A subclass has the parameters `decay`, `n_items` and `unknown`. It implements ``_fit(X)``, which
    gets int32 histories with zeros at the end, and ``_score_items(items)``, which gets the decayed
    items as a `csr_array`.
    """

    _parameter_constraints: dict = {
        "decay": [*FROM_0_TO_1, *AUTO],
        "n_items": N_ITEMS,
        "unknown": UNKNOWN,
    }

    @validated_fit_of_parts
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Learn from the histories in X.

        Parameters
        ----------
        X : array-like of int of shape (n_rows, n_steps)
            Item ids from 1 on, earliest first, padded with 0.
        y : Ignored
            `fit` never reads it; `score` compares with it.

        Returns
        -------
        self : object
        """
        return self._fit_on_valid(X, y)

    def _valid_data(self, X, y, *, reset):
        X = check_known_histories(self, X, reset=reset, n_items=self._n_expected, grows=True)
        if reset and not X.any():
            raise ValueError("X holds no interactions: pass histories with at least one item id.")
        return (X,)

    @property
    def _n_expected(self):
        """The number of items before `fit`; None means the largest id."""
        return self.n_items

    def _items_of(self, X):
        return seen_items(X, self.n_items_)

    def _score_rows(self, X):
        return self._score_items(decayed_items(X, self._n_read, self.decay_))

    @property
    def _n_read(self):
        """The number of items whose ids in a history count."""
        return self.n_items_


class LinkedHistoryReader(RowSumsMixin, SimilarItemsMixin, HistoryReader):
    """Base of readers of histories whose scores are sums of links from item to item.

    A subclass is a `RowSumsMixin`. It sets ``item_links_`` of shape (`n_items_`, `n_items_`), a
    `csr_array`: at [i, j], the weight of an item i of the history in the score of item j.
    """

    item_links_: csr_array
    row_sums_: RowSums
    decay_: float

    def _score_items(self, items):
        return linked_scores(items, self.item_links_)

    def _score_parts(self, X):
        columns = X[X > 0] - 1
        weights = decay_weights(self.decay_, np.arange(len(columns))[::-1])
        return weights[:, None] * self._item_similarities(columns)

    def _item_similarities(self, items):
        return self.item_links_[items].toarray()


def has_steps(X):
    """Return whether a history, with zeros at the end, has two items."""
    return X.shape[1] > 1 and X[:, 1].any()


def check_has_steps(X):
    """Raise an error if no history has two items."""
    if not has_steps(X):
        raise ValueError(
            "X holds no interactions that follow another: no history has two items "
            f"(n_features = {X.shape[1]}), so there is no next item to learn: pass longer "
            "histories. An ensemble that holds out the last item of each needs one more."
        )


def best_decay(X, n_items, fitted_scorer):
    """Return the first decay with which the last items of some histories are found best.

    As good as the best is what is within a standard error.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_steps)
        Histories, with zeros at the end.
    n_items : int
    fitted_scorer : callable
        From histories to learn from to a function that scores decayed items.
    """
    held_out = held_out_last_items(X, n_items)
    if held_out is None:
        return _DECAYS[0]
    known, judged, part = held_out
    score = fitted_scorer(known)
    ndcg = [
        part._replace(rows=decayed_items(judged, n_items, decay)).ndcg(score) for decay in _DECAYS
    ]
    return best_of(_DECAYS, ndcg)
