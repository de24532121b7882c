# SPDX-License-Identifier: BSD-3-Clause
"""A fitted recommender beside items that came later, of which it knows nothing."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import get_tags

from .._histories import padded_at_end
from .._recommend import withheld_items
from .._score_parts import score_parts
from .._wrapping import reads_histories, recommender_of, scores_by, takes_content, with_added_items
from ..base import RecommenderMixin


class BesideLaterItems(RecommenderMixin, BaseEstimator):
    """Score later items like the median of the known ones, and leave them out of histories.

    Parameters
    ----------
    recommender : estimator
        A fitted recommender, or a `Pipeline` or search that holds one.
    n_later : int
        Number of later items. Their columns come after those that the recommender knows.
    """

    def __init__(self, recommender, n_later):
        self.recommender = recommender
        self.n_later = n_later

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        of_recommender = get_tags(recommender_of(self.recommender))
        tags.input_tags, tags.target_tags = of_recommender.input_tags, of_recommender.target_tags
        return tags

    def __sklearn_is_fitted__(self):
        return True

    @property
    def n_items_(self):
        return recommender_of(self.recommender).n_items_ + self.n_later

    @property
    def popularity_(self):
        return np.pad(recommender_of(self.recommender).popularity_, (0, self.n_later))

    @property
    def withheld_items_(self):
        withheld = withheld_items([self.recommender], self.n_items_ - self.n_later)
        return None if withheld is None else np.pad(withheld, (0, self.n_later))

    def decision_function(self, X):
        """Score every item for each row of X, as the recommender does for those it knows."""
        scores = scores_by(self.recommender, self._without_later(X))
        # On MovieLens and CiteULike, votes and stacks rank better with it than with the least one.
        middle = np.median(scores, axis=1, keepdims=True)
        return np.hstack([scores, np.repeat(middle, self.n_later, axis=1)])

    def score_parts(self, X):
        """Return what each entry of a row adds to the scores: to those of later items, nothing."""
        found = score_parts(self.recommender, self._without_later(X))
        if found is None:
            return None
        columns, parts = found
        parts = np.pad(parts, ((0, 0), (0, self.n_later)))
        if not reads_histories(self.recommender):
            return columns, parts
        items = np.asarray(X)
        items = items[items > 0] - 1
        of_steps = np.zeros((len(items), self.n_items_), dtype=parts.dtype)
        of_steps[items < self.n_items_ - self.n_later] = parts
        return items, of_steps

    def _without_later(self, X):
        if not reads_histories(self.recommender):
            return X
        X = np.asarray(X)
        return padded_at_end(np.where(self.n_items_ - self.n_later < X, 0, X))


def knows_content(model):
    """Return whether a fitted model takes later items by their content."""
    return takes_content(model, "with_items")


def with_later_items(model, item_features):
    """Return a fitted model that also recommends later items, by their content if it can."""
    if knows_content(model):
        return with_added_items(model, item_features)
    return BesideLaterItems(model, item_features.n_items)
