# SPDX-License-Identifier: BSD-3-Clause
"""The target items: where they are in X, and in what a model recommends."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from .._columns import column_names, exact_array, objects_of
from .._histories import seen_items
from .._numerics._entries import at_columns
from .._numerics._row_totals import row_lengths
from .._recommend import n_rows_of, recommend
from .._score_parts import parts_of_entries, score_parts
from .._validation import _safe_indexing, check_matrix, check_target_columns, is_table, reading
from .._wrapping import (
    check_order_kept,
    is_supervised,
    reads_histories,
    recommender_and_rows,
    recommender_of,
    scores_by,
)
from ._hidden import without_latest, without_random


def column_labels(X, n_columns):
    """Return the names of the columns of X, or their numbers if they have no names."""
    names = column_names(X)
    return np.arange(n_columns) if names is None else exact_array(objects_of(names))


def _is_matrix(X):
    """Return whether the columns of X are numbers, of which none is missing."""
    if len(getattr(X, "shape", ())) != 2 or is_table(X):
        return False
    with reading(X, name="X"):
        values = X.data if sp.issparse(X) else np.asarray(X)
        values = values.astype(np.float64) if values.dtype == object else values
    return values.dtype.kind != "f" or not np.isnan(values).any()


@dataclass(frozen=True)
class TargetItems:
    """The number of the target items, and the columns of X that hold interactions with them.

    `columns` is empty if X holds nothing about the target, for example if all rows are cold.
    """

    n_items: int
    columns: np.ndarray

    @classmethod
    def among(cls, target_columns, model, X, n_items=None, *, names=None):
        """Return the target items in X: the target columns, or all columns of an in-domain model.

        `n_items` is None if there is no y with a column for each of them. `names` are those of the
        columns; None means those that X has.
        """
        if reads_histories(model):
            return HistoryItems.of(n_items, target_columns)
        if target_columns is None and is_supervised(model):
            return cls(n_items, np.empty(0, dtype=np.intp))
        n_columns = X.shape[1]
        columns = np.arange(n_columns)
        if target_columns is not None:
            names = column_names(X) if names is None else names
            columns = check_target_columns(target_columns, n_columns, names)
        if n_items is None:
            n_items = len(columns)
        if len(columns) != n_items:
            raise ValueError(
                f"y has {n_items} columns, but {len(columns)} columns of X hold the target items: "
                "pass as target_columns the columns of X that are the columns of y, in that order."
            )
        return cls(n_items, columns)

    @property
    def are_in_rows(self):
        """Whether X holds interactions with the target items."""
        return self.columns.size > 0

    def rows_without(self, model, X):
        """Return X without the source, in the form that `model` reads; None is the popularity."""
        if model is None:
            return self.known(X)
        return _safe_indexing(X, self.columns, axis=1) if self.are_in_rows else X

    def source(self, X):
        """Return the source columns of X as a `csr_array`, or None if there are none."""
        if not _is_matrix(X) or X.shape[1] == self.columns.size:
            return None
        return check_matrix(self.others(X), name="X")

    def others(self, X):
        """Return the columns of X without the target columns, dense or sparse like X."""
        return _safe_indexing(X, np.delete(np.arange(X.shape[1]), self.columns), axis=1)

    def source_names(self, X):
        """Return the names of the columns of `source`, or None if there are none."""
        if not _is_matrix(X):
            return None
        return np.delete(column_labels(X, X.shape[1]), self.columns)

    def known(self, X):
        """Return the known interactions of the rows with the target items, a `csr_array`."""
        if self.are_in_rows:
            return check_matrix(_safe_indexing(X, self.columns, axis=1), name="X")
        return sp.csr_array((n_rows_of(X), self.n_items), dtype=np.float32)

    def activity(self, X):
        """Return the number of known interactions of each row: in the target, else the source."""
        counted = self.known(X) if self.are_in_rows else self.source(X)
        return np.zeros(n_rows_of(X), dtype=int) if counted is None else row_lengths(counted)

    def held_out(self, X, holdout, random_state):
        """Return X without some of the interactions with the target items, and those taken out."""
        X = check_matrix(X, name="X")
        return without_random(X, holdout, self.columns, random_state=random_state)

    def beside_the_source(self, interactions, n_columns):
        """Return interactions with the target items as a matrix with the columns of X."""
        return at_columns(interactions, self.columns, n_columns)

    def ranking(self, model, X, k, known=None, candidates=None):
        """Return the best k target items for the rows of X, all or those among the candidates.

        `known` are interactions with them that X does not hold; None means that there are none.
        """
        if candidates is not None and not len(candidates):
            return np.full((n_rows_of(X), k), -1)
        if not is_supervised(model):
            check_order_kept(model)
        recommender, X = recommender_and_rows(model, X)
        is_among_others = self._are_among_others(recommender)
        if is_among_others:
            candidates = self.columns if candidates is None else self.columns[candidates]
            if known is not None:
                known = self.beside_the_source(known, recommender.n_items_)
        items, _ = recommend(
            recommender, X, n_recommendations=k, candidates=candidates, exclude_interactions=known
        )
        if is_among_others:
            items = np.where(items < 0, -1, np.searchsorted(self.columns, items))
        return items

    def popularity(self, model):
        """Return the popularity of the target items to a fitted model."""
        recommender = recommender_of(model)
        return self.of_target(recommender, recommender.popularity_)

    def scores(self, model, X):
        """Return the scores that a fitted model gives to the target items."""
        return self.of_target(recommender_of(model), scores_by(model, X))

    def score_parts(self, model, X, columns=None):
        """Return what each entry of a row adds to the scores of the target items, or None.

        `columns` are those that the model reads, in ascending order; None means all.
        """
        found = score_parts(model, X if columns is None else _safe_indexing(X, columns, axis=1))
        if found is None:
            return None
        parts = self.of_target(recommender_of(model), found[1])
        if columns is None:
            return parts
        entries = check_matrix(X, name="X").indices
        return parts_of_entries(entries, columns[found[0]], parts)[1]

    def of_target(self, recommender, values):
        """Return those of the values of a recommender's items that belong to target items."""
        return values[..., self.columns] if self._are_among_others(recommender) else values

    def _are_among_others(self, recommender):
        """Return whether a recommender recommends all columns of X, the source included."""
        if recommender.n_items_ == self.n_items:
            return False
        if self.columns.size and recommender.n_items_ > self.columns[-1]:
            return True
        raise ValueError(
            f"{type(recommender).__name__} recommends {recommender.n_items_} items, but y has "
            f"{self.n_items} columns: pass a model that recommends the columns of y, or pass as "
            "target_columns the columns of X that they are."
        )


class HistoryItems(TargetItems):
    """The target items of histories: the rows of X hold their ids, from 1 on, in order of time."""

    @classmethod
    def of(cls, n_items, target_columns):
        if target_columns is not None:
            raise ValueError(
                "target_columns says which columns of X hold the target items, but the columns of "
                "these histories are points in time: leave target_columns at None."
            )
        return cls(n_items, np.empty(0, dtype=np.intp))

    @property
    def are_in_rows(self):
        return True

    def rows_without(self, model, X):
        return self.known(X) if model is None or not reads_histories(model) else X

    def source(self, X):
        return None

    def source_names(self, X):
        return None

    def known(self, X):
        return seen_items(np.asarray(X), self.n_items)

    def held_out(self, X, holdout, random_state):
        """Return the histories without their latest items, and those latest items that are new."""
        return without_latest(X, holdout, np.ones(self.n_items, dtype=bool))

    def activity(self, X):
        return np.count_nonzero(X, axis=1)

    def score_parts(self, model, X, columns=None):
        return super().score_parts(model, X) if reads_histories(model) else None

    def _are_among_others(self, recommender):
        if recommender.n_items_ == self.n_items:
            return False
        raise ValueError(
            f"{type(recommender).__name__} learned from some of the rows, which hold "
            f"{recommender.n_items_} items, but all rows hold {self.n_items}: set its "
            f"n_items={self.n_items}."
        )
