# SPDX-License-Identifier: BSD-3-Clause
"""Two domains side by side in one matrix, and the columns of each."""

import numpy as np
from numpy.typing import NDArray

from .._validation import COLUMNS, check_target_columns
from ..base import InDomainRecommender


class TwoDomainRecommender(InDomainRecommender):
    """Base of recommenders that learn from source and target side by side in X.

    They recommend the items of the target. A subclass has the parameter `target_columns`. Its `fit`
    calls ``_find_domains(X)``, and it calls ``_stacked(X)`` to bring rows into the form in which
    the columns of the source come first.
    """

    _parameter_constraints: dict = {"target_columns": COLUMNS}

    def _find_domains(self, X):
        """Set the columns of both domains; raise unless X has interactions in both."""
        n_columns = X.shape[1]
        names = getattr(self, "feature_names_in_", None)
        self._target = check_target_columns(self.target_columns, n_columns, names)
        self._source = np.delete(np.arange(n_columns), self._target)
        if not self._source.size:
            raise ValueError(
                f"target_columns={self.target_columns!r} are all n_features={n_columns} columns of "
                "X, which leaves no columns for the source. Pass only the columns of the target."
            )
        for domain, columns in (("source", self._source), ("target", self._target)):
            if not X[:, columns].nnz:
                raise ValueError(
                    f"X holds no interactions in the {domain}, with target_columns="
                    f"{self.target_columns!r} as the target. Check these, or use a recommender "
                    "of one domain, such as ALSRecommender."
                )

    @property
    def item_columns_(self) -> NDArray[np.intp]:
        """The columns of X that are the items: those of the target."""
        return self._target

    def _items_of(self, X):
        return X[:, self._target]

    def _stacked(self, X):
        """Return X with the columns of the source before those of the target."""
        order = np.concatenate([self._source, self._target])
        if (np.diff(order) > 0).all():
            return X
        stacked = X[:, order]
        stacked.sort_indices()
        return stacked

    @property
    def _columns_of_domains(self):
        """The columns of source and target in a stacked matrix."""
        n_source_items = len(self._source)
        return slice(0, n_source_items), slice(n_source_items, None)
