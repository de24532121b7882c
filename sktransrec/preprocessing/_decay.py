# SPDX-License-Identifier: BSD-3-Clause
"""Histories as matrices of interactions whose latest entries weigh most."""

from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from scipy.stats import uniform
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin

from .._histories import decayed_items
from .._validation import (
    FROM_0_TO_1,
    N_ITEMS,
    UNKNOWN,
    check_is_fitted,
    check_known_histories,
    validated_fit,
)
from .._version_stamp import VersionStampMixin


class DecayedHistory(  # type: ignore[call-arg]  # a keyword of scikit-learn
    VersionStampMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,
):
    r"""Turn histories into a matrix of interactions in which recent items weigh more.

    Use it in a `Pipeline` in front of a recommender that reads a matrix, so that it knows which
    items are recent. The pipeline then reads histories and recommends the next item, without the
    items that the history has. `HistoryRecommender` does more: it fits the recommender to
    undecayed interactions, which is often better, and it can choose the decay. To judge or search
    such a pipeline, pass ``scoring=ranking_scorer()``: the `score` of a `Pipeline` hides a part of
    the matrix and not the last items, and takes y for columns and not for ids. A row of X is a
    history: item ids from 1 on, from the earliest to the latest, padded with 0 at one end, as
    :meth:`InteractionEncoder.sequences <sktransrec.InteractionEncoder.sequences>` returns it. Item
    id j + 1 is column j of the matrix.

    Parameters
    ----------
    decay : float, default=0.8
        The weight of an item relative to the item after it, from 0 to 1: 0.6 to 0.9 suits most
        histories. 1 counts all items alike, as ``InteractionEncoder.transform`` does. 0
        leaves nothing but the last item, beside weights that are too small to matter and only say
        which items are known.
    n_items : int, default=None
        Number of items. None means the largest id of `fit`.
    unknown : {"error", "ignore"}, default="error"
        What to do with ids above the number of items, and with zeros between ids: raise an error,
        or leave them out.

    Attributes
    ----------
    n_items_ : int
        Number of items, which are the columns of the matrix.
    n_features_in_ : int
        Number of columns of X seen in `fit`.

    See Also
    --------
    HistoryRecommender : Fits a recommender to histories, and asks it with decayed ones.
    history_steps : Histories as a supervised task: what was known before each step, and what came.
    NextItemRecommender : A network that learns from the order itself.

    Notes
    -----
    With the items :math:`x_1, \dots, x_n` of a history and the decay d, item i has the weight

    .. math:: \sum_{t : x_t = i} d^{\,n - t} .

    Weights below 1e-12 are set to 1e-12, so that each item stays known, however long the history
    is. A row is transformed by itself: `fit` learns the number of items only.

    Examples
    --------
    >>> from sktransrec.preprocessing import DecayedHistory
    >>> X = [[1, 2, 3, 0], [3, 1, 0, 0]]
    >>> DecayedHistory(decay=0.5).fit_transform(X).toarray()
    array([[0.25, 0.5 , 1.  ],
           [1.  , 0.  , 0.5 ]], dtype=float32)
    """

    n_items_: int
    n_features_in_: int

    _parameter_constraints: dict = {"decay": FROM_0_TO_1, "n_items": N_ITEMS, "unknown": UNKNOWN}

    search_distributions: ClassVar = {"decay": uniform(0.4, 0.6)}

    def __init__(
        self,
        decay: float = 0.8,
        *,
        n_items: int | None = None,
        unknown: Literal["error", "ignore"] = "error",
    ) -> None:
        self.decay = decay
        self.n_items = n_items
        self.unknown = unknown

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.positive_only = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @property
    def _n_features_out(self):
        return self.n_items_

    @validated_fit
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Learn the number of items.

        Parameters
        ----------
        X : array-like of int of shape (n_rows, n_steps)
            Item ids from 1 on, earliest first, padded with 0.
        y : Ignored
            Present for the pipelines of scikit-learn.

        Returns
        -------
        self : object
        """
        X = check_known_histories(self, X, reset=True, n_items=self.n_items)
        if not np.any(X):
            raise ValueError("X holds no interactions: pass histories with at least one item id.")
        return self

    def transform(self, X: ArrayLike) -> csr_array:
        """Weight the items of each history.

        Parameters
        ----------
        X : array-like of int of shape (n_rows, n_steps)
            Item ids from 1 on, earliest first, padded with 0; rows seen in `fit` or not.

        Returns
        -------
        weights : csr_array of shape (n_rows, n_items_), dtype float32
        """
        check_is_fitted(self)
        X = check_known_histories(self, X, reset=False)
        return decayed_items(X, self.n_items_, self.decay)
