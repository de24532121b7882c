# SPDX-License-Identifier: BSD-3-Clause
"""Rows to learn from and to serve: what is known of them, and what there is to find."""

from dataclasses import dataclass
from typing import Any

import scipy.sparse as sp
from sklearn.utils import indexable

from .._recommend import n_rows_of
from .._validation import _safe_indexing, check_sparse
from .._wrapping import fitted_part, is_supervised, reads_histories
from ..metrics._wanted import wanted_items
from ..recommenders import PopularityRecommender


@dataclass(frozen=True, eq=False)
class ServedRows:
    """The rows to learn from, what is known of a row when it is served, and what it should find."""

    X: Any
    known: Any
    y: sp.csr_array
    is_cold: bool

    @classmethod
    def of(cls, X, y, estimators, hold_out):
        """Return the rows for some estimators; None among them is the popularity of the items.

        If y is None, `hold_out` returns what is known of the rows of X, and what they should find.
        """
        models = [model for model in estimators.values() if model is not None]
        is_cold = any(is_supervised(model) for model in models)
        if y is None and is_cold:
            raise ValueError("Some of the estimators learn the map from X to y: pass y as well.")
        readers = [model for model in models if reads_histories(model)]
        if y is None and readers:
            raise ValueError(
                f"{readers[0]!r} reads histories, of which no part is hidden here: pass the next "
                "items as y, and X without them."
            )
        if y is None:
            known, y = hold_out(X)
            X = known + y
        else:
            check_sparse(X, name="X")
            check_sparse(y, name="y")
            X, y = indexable(X, y)
            known, y = (
                X,
                wanted_items(
                    [*readers, *models, PopularityRecommender()][0], y, n_rows=n_rows_of(y)
                ),
            )
        if not (y.data > 0).any():
            raise ValueError("There is nothing to find: no held-out value is above zero.")
        return cls(X, known, y, is_cold)

    @property
    def n_rows(self):
        return self.y.shape[0]

    def fitted(self, model, rows):
        """Return a model that has learned from some rows; None learns what is known of all."""
        if model is None and self.is_cold and rows is not None:
            return PopularityRecommender().fit(self.y[rows])
        model = PopularityRecommender() if model is None else model
        if rows is None:
            return fitted_part(model, self.known, None)
        learned = _safe_indexing(self.X, rows)
        return fitted_part(model, learned, self.y[rows] if is_supervised(model) else None)

    def known_of(self, model, rows):
        """Return what is known of some rows, in the form that the fitted `model` reads."""
        if model is None and self.is_cold:
            return sp.csr_array((len(rows), self.y.shape[1]), dtype="float32")
        return _safe_indexing(self.known, rows)

    def wanted_by(self, rows):
        """Return what some rows should find."""
        return self.y[rows] > 0
