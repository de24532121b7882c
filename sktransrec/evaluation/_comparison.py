# SPDX-License-Identifier: BSD-3-Clause
"""Two models, with the source and without it, scored on the same rows and items."""

from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.utils.parallel import Parallel, delayed

from .._columns import check_order, column_names
from .._numerics._entries import entries_of
from .._numerics._row_totals import row_lengths
from .._validation import _safe_indexing, check_matrix
from .._wrapping import fitted_part, is_supervised, reads_histories
from ..interactions import AlignedDomains, cross_listed_mask, find_cross_listed
from ..interactions._cross_listed import named_twins
from ..interactions._target_items import TargetItems, column_labels
from ..metrics._table import METRICS
from ..recommenders import PopularityRecommender


@dataclass(frozen=True)
class Side:
    """A model, the rows that it learns from, and the rows that it recommends to."""

    model: Any
    X_train: Any
    X: Any

    def fitted(self, y, rows=None):
        """Return the model fitted on some rows, or on all of them."""
        X, y = (part if rows is None else _safe_indexing(part, rows) for part in (self.X_train, y))
        return fitted_part(self.model, X, y if is_supervised(self.model) else None)


@dataclass(frozen=True)
class SideFittedOnce(Side):
    """A side of several comparisons on the same folds: its model is fitted once on each of them."""

    _models: dict = field(default_factory=dict)

    def fitted(self, y, rows=None):
        key = None if rows is None else rows.tobytes()
        if key not in self._models:
            self._models[key] = super().fitted(y, rows)
        return self._models[key]


def side_without(baseline, X, y, target):
    """Return the side without the source, which is popularity if `baseline` is None.

    `y` is None if X holds all that is known of the target.
    """
    rows = target.rows_without(baseline, X)
    if baseline is not None:
        return Side(baseline, rows, rows)
    has_item = rows if y is None else (rows + (y > 0) > 0).astype(np.float32)
    return Side(PopularityRecommender(), has_item, rows)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two sides, the interactions to find, and what is known of the rows in target and source."""

    sides: tuple
    y: sp.csr_array
    target: TargetItems
    known: sp.csr_array
    activity: np.ndarray
    source: sp.csr_array | None
    source_names: np.ndarray | None
    target_names: np.ndarray

    @classmethod
    def of(
        cls, transfer, without, X, y, target, *, X_source=None, source_names=None, target_names=None
    ):
        """Return the comparison of a model, on valid X and y, with the side without the source."""
        known = target.known(X)
        check_none_known(known, y)
        source, names = target.source(X), target.source_names(X)
        activity = target.activity(X)
        if X_source is not None:
            source = check_matrix(X_source, name="X_source")
            names = column_labels(X_source, source.shape[1])
            activity = activity if target.are_in_rows else row_lengths(source)
        return cls(
            sides=(Side(transfer, X, X), without),
            y=y,
            target=target,
            known=known,
            activity=activity,
            source=source,
            source_names=names if source_names is None else source_names,
            target_names=column_labels(None, y.shape[1]) if target_names is None else target_names,
        )

    @property
    def counted(self):
        """The interactions that `activity` counts, in words."""
        return f"interactions in the {'target' if self.target.are_in_rows else 'source'}"

    @cached_property
    def wanted(self):
        """The interactions to find."""
        return (self.y > 0).astype(np.float32)

    @cached_property
    def twins(self):
        """The cross-listed items, or None if there are no source interactions."""
        return None if self.source is None else find_cross_listed(self.source, self._all_known)

    @cached_property
    def given_away(self):
        """The interactions to find whose item the row already has in the source, as a twin."""
        if self.source is None:
            return sp.csr_array(self.y.shape, dtype=np.float32)
        mask = cross_listed_mask(self.source, self._all_known, self.wanted)
        return mask.astype(np.float32)

    def named_twins(self):
        """Return the cross-listed items by name, or None."""
        if self.twins is None:
            return None
        return named_twins(self.twins, self.source_names, self.target_names)

    @property
    def _all_known(self):
        return self.known + self.wanted

    def row_scores(self, folds, metric, k, n_jobs):
        """Return the scores of each row and side, with cross-listed items and without them.

        `folds` are (training rows, held-out rows) pairs; None means that the models are fitted.
        """
        k = min(k, self.target.n_items)
        measure = partial(METRICS[metric].function, k=k, per_row=True)
        questions = [(self.wanted, None)]
        if self.given_away.nnz:
            clean = np.setdiff1d(np.arange(self.target.n_items), self.given_away.indices)
            is_clean = np.isin(self.wanted.indices, clean)
            questions.append((entries_of(self.wanted, is_clean), clean))
        if folds is None:
            folds = [(None, np.arange(self.y.shape[0]))]
        scores = np.full((len(questions), self.y.shape[0], len(self.sides)), np.nan)
        tasks = [(fold, side) for fold in folds for side in range(len(self.sides))]
        results = Parallel(n_jobs=n_jobs)(
            delayed(_fold_scores)(
                *(self.sides[side], self.y, self.target, self.known, questions, fold, measure, k)
            )
            for fold, side in tasks
        )
        for ((_, rows), side), result in zip(tasks, results, strict=True):
            scores[:, rows, side] = result
        return scores[0], scores[-1]


def matrices_and_names(X, y):
    """Return X and y, and the names of the items of aligned domains."""
    if not isinstance(X, AlignedDomains):
        if y is None:
            raise ValueError("y is None: pass the interactions to find, or aligned domains as X.")
        return X, y, {}
    if y is not None or X.report.on != "users":
        raise ValueError(
            "Pass what align_domains returns for logs with common users as X, and leave y at None."
        )
    names = {"source_names": X.source_encoder.items_, "target_names": X.target_encoder.items_}
    return X.X_source, X.X_target, names


def target_among(target_columns, models, X, n_items):
    """Return the target items in X.

    If X has a column for each item, a model that learns from X alone recommends these columns, so
    they are the items to all models. Otherwise the first model says what the target items are.
    """
    in_domain = [model for model in models if not (is_supervised(model) or reads_histories(model))]
    has_columns = getattr(X, "shape", ())[1:] == (n_items,)
    model = in_domain[0] if in_domain and has_columns else models[0]
    return TargetItems.among(target_columns, model, X, n_items)


def tells_of_target(known, y):
    """Return the mask of the rows that have target items, known ones or some to find.

    The others, such as users of the source alone, make no figure about the target more certain.
    """
    return (row_lengths(known) > 0) | (row_lengths(y > 0) > 0)


def check_order_of_target(target, X, y):
    """Raise if y names the target items as X does, in another order."""
    names = column_names(X)
    if names is not None and target.are_in_rows:
        check_order([names[column] for column in target.columns], column_names(y))


def check_none_known(known, y):
    """Raise if interactions to find in y are among the known ones."""
    n_known_too = known.multiply(y > 0).count_nonzero()
    if n_known_too:
        raise ValueError(
            f"{n_known_too} of the interactions to find in y are known in X as well. Hold them out "
            "of X, for example with holdout_random."
        )


def _fold_scores(side, y, target, known, questions, fold, measure, k):
    """Return the scores of the held-out rows, of shape (n_questions, n_rows)."""
    training_rows, rows = fold
    model = side.model if training_rows is None else side.fitted(y, training_rows)
    X = _safe_indexing(side.X, rows)
    return [
        measure(wanted[rows], target.ranking(model, X, k, known[rows], candidates))
        for wanted, candidates in questions
    ]
