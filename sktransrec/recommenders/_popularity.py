# SPDX-License-Identifier: BSD-3-Clause
"""The most popular items for everybody: the baseline that every comparison needs."""

import numpy as np

from .._numerics._row_sums import RowSums
from ..base import InDomainRecommender
from ._row_sums import RowSumsMixin


class PopularityRecommender(RowSumsMixin, InDomainRecommender):
    """Recommend the most popular items, the same for all rows.

    Use it as the baseline of every comparison: a model that does not beat it has learned nothing
    about the rows. Other recommenders give its scores to an empty row. It is an in-domain
    recommender: it learns from X alone.

    Attributes
    ----------
    popularity_ : ndarray of shape (n_items_,), dtype float32
        The share of the rows of X that have each item.
    row_sums_ : RowSums
        The number of rows and that of the rows with each item, see `partial_fit`.
    n_items_ : int
        Number of items that can be recommended.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, if X had any.

    See Also
    --------
    ItemKNNRecommender : The simplest recommender that looks at the row.
    SegmentPopularityRecommender : What is popular among similar rows.

    Examples
    --------
    >>> from sktransrec import PopularityRecommender
    >>> model = PopularityRecommender().fit([[1, 0, 1], [1, 1, 0], [0, 1, 0], [0, 1, 0]])
    >>> items, _ = model.recommend([[1, 0, 0]], n_recommendations=2)
    >>> items
    array([[1, 2]])
    """

    row_sums_: RowSums

    def _sums_of(self, X):
        return {}

    def _solve(self, sums):
        pass

    def _score_rows(self, X):
        return np.repeat(self.popularity_[None], X.shape[0], axis=0)

    def _alike_rows(self, X):
        return np.zeros(X.shape[0], dtype=np.intp)

    def _score_parts(self, X):
        return np.zeros(self.n_items_)
