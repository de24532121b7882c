"""What recommenders share that decide on the training rows whether to use a source."""

from sklearn.base import BaseEstimator
from sklearn.utils import get_tags

from .._histories import padded_at_end
from .._validation import check_histories, check_interactions, check_rows_or_content, check_targets
from .._wrapping import ignores_unknown, is_supervised, reads_histories, take_input_tags
from ..base import RecommenderMixin, _column_shares


class DecidingRecommender(RecommenderMixin, BaseEstimator):
    """Base of recommenders of the target items, with the source or with a fallback.

    A subclass has the parameters `transfer`, `fallback`, `target_columns` and `holdout`. It is
    supervised if `transfer` learns the map from X to y, and in-domain if it learns from X alone.
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        parts = [part for part in (self.transfer, self.fallback) if part is not None]
        take_input_tags(tags, parts)
        tags.input_tags.categorical = reads_histories(self.transfer)
        is_mapping = is_supervised(self.transfer)
        tags.target_tags.required = tags.target_tags.multi_output = is_mapping
        tags.target_tags.single_output = not is_mapping
        return tags

    def _checked(self, X, y):
        """Return valid X, and y or None if it is not to be read."""
        if not is_supervised(self.transfer):
            return self._valid_rows(X, reset=True), None
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None: "
                "its transfer learns the map from X to y, so pass the interactions to learn."
            )
        X = self._valid_rows(X, reset=True)
        return X, check_targets(y, n_rows=X.shape[0])

    def _valid_rows(self, X, *, reset):
        if is_supervised(self.transfer):
            return check_rows_or_content(self, X, reset=reset)
        if reads_histories(self.transfer):
            ignores_gaps = ignores_unknown(self.transfer)
            return padded_at_end(check_histories(self, X, reset=reset, ignores_gaps=ignores_gaps))
        nonnegative = get_tags(self).input_tags.positive_only
        return check_interactions(self, X, reset=reset, nonnegative=nonnegative)

    def _to_judge_by(self, X, y, random_state):
        """Return X and what there is to find, held out of X if there is no y."""
        if y is not None:
            return X, y
        return self._target.held_out(X, self.holdout, random_state)

    def _set_items(self, X, y):
        self.n_items_ = self._target.n_items
        self.popularity_ = _column_shares(self._target.known(X) if y is None else y)

    def _check_rows(self, X):
        return self._valid_rows(X, reset=False)

    @property
    def item_columns_(self):
        return self._target.columns if self._target.columns.size else None
