# SPDX-License-Identifier: BSD-3-Clause
"""Rows to learn from and to serve: what is known of them, and what there is to find."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp

from .._columns import check_row_labels, column_names, framed_like
from .._histories import padded_at_end
from .._recommend import n_rows_of
from .._validation import (
    _safe_indexing,
    as_array,
    check_matrix,
    check_no_log,
    check_sparse,
    check_target_columns,
    indexable_rows,
    item_ids_of_rows,
)
from .._wrapping import (
    expected_n_items,
    expecting_items,
    fitted_part,
    ignores_unknown,
    is_supervised,
    reads_histories,
)
from ..content._item_features import check_order_of_items
from ..interactions import AlignedDomains, holdout_random
from ..interactions._hidden import without_latest
from ..interactions._target_items import HistoryItems, TargetItems
from ..metrics._wanted import check_same_rows, wanted_items
from ..recommenders import PopularityRecommender
from ._comparison import (
    check_none_known,
    check_order_of_target,
    matrices_and_names,
    target_among,
    tells_of_target,
)


@dataclass(frozen=True, eq=False)
class ServedRows:
    """The rows to learn from, what is known of a row when it is served, and what it should find.

    The model None is the popularity of the items.
    """

    X: Any
    known: Any
    y: sp.csr_array
    target: TargetItems

    @classmethod
    def of(cls, X, y, estimators, *, holdout, random_state, target_columns=None, protocol=None):
        """Return the rows for some estimators; None among them is the popularity of the items.

        If y is None, `holdout` of each row is held out, or what the `hold_out` of `protocol` says.
        """
        models = [model for model in estimators.values() if model is not None]
        if isinstance(X, AlignedDomains):
            X, y, _ = matrices_and_names(X, y)
        if y is None:
            if any(map(is_supervised, models)):
                raise ValueError(
                    "Some of the estimators learn the map from X to y: pass y as well."
                )
            for model in models:
                check_order_of_items(model, column_names(X))
        hold_out = getattr(protocol, "hold_out", None)
        if any(map(reads_histories, models)):
            served = cls._of_histories(X, y, models, holdout, hold_out, target_columns)
        elif y is None:
            if hold_out is None:
                hold_out = partial(holdout_random, size=holdout, random_state=random_state)
            served = cls._of_items(X, hold_out, target_columns)
        else:
            served = cls._of_both(X, y, models, target_columns)
        if not (served.y.data > 0).any():
            raise ValueError("There is nothing to find: no held-out value is above zero.")
        return served

    @classmethod
    def _of_items(cls, X, hold_out, target_columns):
        """Return rows of which a part is held out."""
        popularity = PopularityRecommender()
        if target_columns is None:
            known, y = hold_out(X)
            rows = (framed_like(X, part) for part in (known + y, known))
            return cls(*rows, y, TargetItems.among(None, popularity, y))
        matrix = check_matrix(X, name="X")
        target = TargetItems.among(target_columns, popularity, matrix, names=column_names(X))
        known, y = hold_out(target.known(matrix))
        n_columns = matrix.shape[1]
        source = matrix - target.beside_the_source(target.known(matrix), n_columns)
        parts = (source + target.beside_the_source(part, n_columns) for part in (known + y, known))
        return cls(*(framed_like(X, part) for part in parts), y, target)

    @classmethod
    def _of_both(cls, X, y, models, target_columns):
        """Return rows of which y is to be found."""
        check_sparse(X, name="X")
        check_sparse(y, name="y")
        check_no_log(y, name="y")
        check_same_rows(y, n_rows_of(X))
        check_row_labels(X, y)
        by_turns = sorted(models, key=is_supervised, reverse=True) or [PopularityRecommender()]
        X, y = indexable_rows(X, y)
        n_items = None
        if not is_supervised(by_turns[0]) and not sp.issparse(y) and np.ndim(y) == 1:
            n_items = X.shape[1]
            if target_columns is not None:
                n_items = len(check_target_columns(target_columns, n_items))
        wanted = wanted_items([*models, *by_turns][0], y, n_rows=n_rows_of(y), n_items=n_items)
        target = target_among(target_columns, by_turns, X, wanted.shape[1])
        check_order_of_target(target, X, y)
        check_none_known(target.known(X), wanted)
        return cls(X, X, wanted, target)

    @classmethod
    def _of_histories(cls, X, y, models, holdout, hold_out, target_columns):
        """Return histories of which the latest items are held out, or y is to be found.

        Models that read matrices get the items in them.
        """
        readers = list(filter(reads_histories, models))
        ids = item_ids_of_rows(X, ignores_gaps=all(map(ignores_unknown, readers)))
        n_items = _n_items_of_histories(ids, y, readers)
        if y is not None:
            check_same_rows(y, len(ids))
            known, y = indexable_rows(X, y)
            y = wanted_items(readers[0], y, n_rows=n_rows_of(y), n_items=n_items)
        elif hold_out is None:
            known, y = without_latest(padded_at_end(ids), holdout, np.ones(n_items, dtype=bool))
            known = framed_like(X, known)
        else:
            raise ValueError(
                f"{readers[0]!r} reads histories, and this protocol hides parts of a matrix: pass "
                "a number of folds as cv, or the next items as y and X without them."
            )
        target = HistoryItems.of(y.shape[1], target_columns)
        return cls(X, known, y, target)

    @property
    def n_rows(self):
        """The number of rows."""
        return self.y.shape[0]

    @property
    def tells_of_target(self):
        """The mask of the rows that have target items."""
        return tells_of_target(self.target.known(self.known), self.y)

    def fitted(self, model, rows):
        """Return a model that has learned from some rows; None learns what is known of all."""
        learned = self.known if rows is None else _safe_indexing(self.X, rows)
        learned = self._as_read_by(model, learned)
        if model is None:
            # All that is known of these rows, whatever the other models learn from.
            has_item = learned if rows is None else learned + self.wanted_by(rows)
            return PopularityRecommender().fit(has_item > 0)
        if reads_histories(model):
            model = expecting_items(model, self.y.shape[1])
        return fitted_part(model, learned, self.y[rows] if is_supervised(model) else None)

    def known_of(self, model, rows):
        """Return what is known of some rows, in the form that the fitted `model` reads."""
        return self._as_read_by(model, _safe_indexing(self.known, rows))

    def _as_read_by(self, model, X):
        """Return rows as a model reads them; the popularity reads the target items alone."""
        if model is None or isinstance(self.target, HistoryItems):
            return self.target.rows_without(model, X)
        return X

    def ranking(self, model, fitted, rows, k):
        """Return the best k target items of some rows, without those that they have."""
        known = self.target.known(_safe_indexing(self.known, rows))
        return self.target.ranking(fitted, self.known_of(model, rows), k, known)

    def wanted_by(self, rows):
        """Return what some rows should find."""
        return self.y[rows] > 0


def _n_items_of_histories(ids, y, models):
    """Return the number of items: what y or a model says, or the largest id."""
    if sp.issparse(y):
        return y.shape[1]
    said = [n_items for model in models if (n_items := expected_n_items(model))]
    if said:
        return max(said)
    largest = int(ids.max(initial=0))
    if y is None:
        return largest
    y = as_array(y, name="y")
    is_matrix = y.ndim == 2 and y.shape[1] >= largest
    return y.shape[1] if is_matrix else max(largest, int(y.max(initial=0)))
