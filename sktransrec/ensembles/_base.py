"""What recommenders that are made of others share: they are as their parts are."""

import numpy as np
from sklearn.utils import get_tags

from .._histories import padded_at_end, seen_items
from .._recommend import withheld_items
from .._validation import check_histories, check_interactions, check_rows_or_content, check_targets
from .._wrapping import (
    ignores_unknown,
    is_supervised,
    reads_histories,
    recommender_and_rows,
    take_input_tags,
)
from ..base import RecommenderMixin, _column_shares


class CompositeMixin(RecommenderMixin):
    """Mixin for recommenders made of others, all of which recommend the same items.

    A subclass implements ``_parts()``, which returns the unfitted recommenders, and
    ``_fitted_parts()``. It is supervised if one of them learns the map from X to y, and in-domain
    if all learn from X alone. What one of them never recommends, it does not recommend either.
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        parts = self._parts()
        take_input_tags(tags, parts)
        tags.input_tags.categorical = all(reads_histories(part) for part in parts)
        is_mapping = any(is_supervised(part) for part in parts)
        tags.target_tags.required = tags.target_tags.multi_output = is_mapping
        tags.target_tags.single_output = not is_mapping
        tags.target_tags.positive_only = any(
            get_tags(part).target_tags.positive_only for part in parts
        )
        return tags

    @property
    def _reads_histories(self):
        return all(reads_histories(part) for part in self._parts())

    def _checked(self, X, y):
        """Return valid X, and y or None if no part learns from it."""
        X = self._valid_rows(X, reset=True)
        if not is_supervised(self):
            return X, None
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None: "
                "it learns the map from X to y, so pass the interactions to learn."
            )
        return X, check_targets(y, n_rows=X.shape[0])

    def _valid_rows(self, X, *, reset):
        if is_supervised(self):
            return check_rows_or_content(self, X, reset=reset)
        if self._reads_histories:
            ignores_gaps = all(ignores_unknown(part) for part in self._parts())
            return padded_at_end(check_histories(self, X, reset=reset, ignores_gaps=ignores_gaps))
        nonnegative = get_tags(self).input_tags.positive_only
        return check_interactions(self, X, reset=reset, nonnegative=nonnegative)

    def _check_rows(self, X):
        return self._valid_rows(X, reset=False)

    @property
    def withheld_items_(self):
        return withheld_items(self._fitted_parts(), self.n_items_)

    def _set_items(self, X, y, models):
        """Set the number of items and their popularity; the fitted models must agree on them."""
        n_items = {name: _n_items(model, X) for name, model in models.items()}
        interactions = X if y is None else y
        self.n_items_ = interactions.shape[1]
        if self._reads_histories:
            self.n_items_ = max(n_items.values())
            interactions = seen_items(X, self.n_items_)
        for name, n in n_items.items():
            if n != self.n_items_:
                raise ValueError(
                    f"{name!r} recommends {n} items where there are {self.n_items_}: all "
                    "recommenders must recommend the columns of X, or all those of y."
                )
        self.popularity_ = _column_shares(interactions)


def scores_of(model, X):
    """Return the scores that a fitted model gives to all items for rows of X."""
    recommender, rows = recommender_and_rows(model, X)
    return recommender.decision_function(rows)


def standardized(scores):
    """Return scores with mean 0 and standard deviation 1 in each row, or all 0."""
    scores = scores - scores.mean(axis=1, keepdims=True)
    deviations = scores.std(axis=1, keepdims=True)
    return np.divide(scores, deviations, out=np.zeros_like(scores), where=deviations > 1e-12)


def _n_items(model, X):
    return recommender_and_rows(model, X[:1])[0].n_items_
