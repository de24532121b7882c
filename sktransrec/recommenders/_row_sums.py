# SPDX-License-Identifier: BSD-3-Clause
"""Learn, forget and merge: models whose fit needs sums over the rows only."""

import copy
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from .._numerics._entries import positive_counts
from .._numerics._row_sums import RowSums
from .._typing import Estimator, MatrixLike
from .._validation import available_if, check_is_fitted, restores_on_error, validated_fit
from .._wrapping import is_supervised


def _can_go_on(model):
    """Return whether the model is new or keeps the sums over its rows."""
    return not hasattr(model, "row_sums_") or model._kept_sums() is not None


class RowSumsMixin:
    """Mixin for recommenders whose `fit` needs sums over the rows, and not the rows.

    So they can learn more rows, forget rows, and be merged, and all of it gives what `fit` gives
    with the rows that are left. A subclass implements

    - ``_choose(*data)``: sets the values of parameters that are "auto", by default none;
    - ``_sums_of(*data)``: returns a dict of sums over valid rows;
    - ``_solve(sums)``: learns from the `RowSums`;
    - ``_settings``: the values that the sums depend on, a dict; by default empty;
    - ``_learn(*data)``, if `fit` has a cheaper way than the sums. It keeps no sums then.

    The base gives ``_valid_data(X, y, reset)`` and ``_items_of(*data)``.
    """

    row_sums_: RowSums | None
    _valid_data: Callable[..., tuple[Any, ...]]

    _settings: dict = {}
    # Parameters that may be "auto", on whose values the sums do not depend.
    _not_in_sums: tuple = ()

    @available_if(_can_go_on)
    @validated_fit
    def partial_fit(self, X: MatrixLike, y: MatrixLike | None = None) -> Self:
        """Learn more rows, without the earlier ones.

        With fixed parameters, the result is that of learning all rows at once. Values of parameters
        that are "auto" are chosen at the first call and kept. The model keeps sums over the rows in
        `row_sums_`. Begin with this method: a model that was learned by a `fit` that keeps no sums
        does not have it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            Rows that were in no call before. X may have more columns than before: those of new
            items, after all known ones. In histories, ids above the known ones are new items.
        y : {array-like, sparse matrix} of shape (n_rows, n_items), default=None
            What a supervised recommender learns; it may have more columns as well. Others ignore
            it.

        Returns
        -------
        self : object
        """
        if not hasattr(self, "row_sums_"):
            data = self._valid_data(X, y, reset=True)
            self._choose(*data)
            return self._learn_sums(self._row_sums_of(*data))
        return self._learn_sums(self._kept_sums() + self.row_sums(X, y))

    def _take_fixed_values(self):
        """Take the values of parameters that were set to numbers after the first call."""
        for name in self._not_in_sums:
            value = getattr(self, name)
            if value != "auto":
                setattr(self, f"{name}_", float(value))

    @restores_on_error
    def forget(self, X: MatrixLike, y: MatrixLike | None = None) -> Self:
        """Take away what was learned from some rows.

        The sums are then those of the rows that are left. Values that were chosen for "auto"
        parameters stay.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features_in_)
            The rows, exactly as they were learned, with zeros in columns that came later.
        y : {array-like, sparse matrix} of shape (n_rows, n_items_), default=None
            Their y, if the recommender is a supervised one.

        Returns
        -------
        self : object
        """
        check_is_fitted(self)
        left = self._kept_sums() - self.row_sums(X, y)
        if left["n_rows"] < 1 or not left["n_rows_with"].any():
            raise ValueError(
                f"X holds all rows that {type(self).__name__} has learned: nothing would be left. "
                "Make a new model instead."
            )
        return self._learn_sums(left)

    @restores_on_error
    def merge(self, other: Estimator) -> Self:
        """Learn what another model has learned, without its rows.

        Parameters
        ----------
        other : estimator
            A fitted model of the same class, which has learned other rows over the same columns.
            It may know more or fewer of the last columns. It does not change.

        Returns
        -------
        self : object
            The model, which has now learned the rows of both. It keeps its own parameters, and its
            own values of those that are "auto".
        """
        check_is_fitted(self)
        if type(other) is not type(self):
            raise TypeError(
                f"other is of type {type(other).__name__}, expected {type(self).__name__}: only "
                "models of one class can be merged."
            )
        check_is_fitted(other)
        return self._learn_sums(self._kept_sums() + other._kept_sums())

    def row_sums(self, X: MatrixLike, y: MatrixLike | None = None) -> RowSums:
        """Return the sums over some rows; the model does not change.

        Add them up where the parts of the rows lie in several places, and learn from the total with
        `fit_row_sums`. The model must have learned something before, with `fit` or `partial_fit`,
        because the sums may depend on values that are "auto".

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            The rows.
        y : {array-like, sparse matrix} of shape (n_rows, n_items), default=None
            Their y, if the recommender is a supervised one.

        Returns
        -------
        row_sums : RowSums
            To be added with ``+`` to those of other rows.
        """
        check_is_fitted(self)
        other = copy.copy(self)
        data = other._valid_data(X, y, reset=self._is_wider(X))
        if len(data) > 1 and data[1].shape[1] < self.n_items_:
            raise ValueError(
                f"y has {data[1].shape[1]} columns, but {type(self).__name__} has learned "
                f"{self.n_items_} items: pass a column for each of them, and those of new items "
                "after them."
            )
        return other._row_sums_of(*data)

    @restores_on_error
    def fit_row_sums(self, row_sums: RowSums) -> Any:
        """Learn from sums over rows, and forget all else.

        The model must have learned something before, as for `row_sums`.

        Parameters
        ----------
        row_sums : RowSums
            The sums over all rows: those that `row_sums` returns for each part, added up.

        Returns
        -------
        self : object
        """
        check_is_fitted(self)
        if not isinstance(row_sums, RowSums):
            raise TypeError(
                f"row_sums is of type {type(row_sums).__name__}, expected what row_sums(X) returns."
            )
        row_sums.check_settings(self._all_settings)
        return self._learn_sums(row_sums)

    def _fit(self, *data):
        self.row_sums_ = None
        self._choose(*data)
        self._learn(*data)

    def _choose(self, *data):
        """Set the values of parameters that are "auto"."""

    def _learn(self, *data):
        self._learn_sums(self._row_sums_of(*data))

    def _row_sums_of(self, *data):
        items = self._items_of(*data)
        sums = {
            "n_rows": items.shape[0],
            "n_rows_with": positive_counts(items),
            **self._sums_of(*data),
        }
        names = getattr(self, "feature_names_in_", None)
        names_of_y = self.item_names_ if is_supervised(self) else None
        return RowSums(sums, self._all_settings, self.n_features_in_, names, names_of_y)

    @property
    def _all_settings(self):
        return {"model": type(self).__name__, **self._settings}

    def _learn_sums(self, row_sums):
        self._take_fixed_values()
        if row_sums.feature_names is not None:
            self.feature_names_in_ = row_sums.feature_names
        if row_sums.item_names is not None:
            self._names_of_y = row_sums.item_names
        self.n_features_in_ = row_sums.n_features
        self.row_sums_ = row_sums
        self.n_items_ = len(row_sums["n_rows_with"])
        self.popularity_ = (row_sums["n_rows_with"] / row_sums["n_rows"]).astype(np.float32)
        self._solve(row_sums)
        return self

    def _is_wider(self, X):
        """Return whether X has more columns than those before."""
        shape = X.shape if hasattr(X, "shape") else np.shape(X)
        return len(shape) == 2 and shape[1] > self.n_features_in_

    def _kept_sums(self):
        if self.row_sums_ is None:
            raise ValueError(
                f"This {type(self).__name__} was learned by fit, which keeps no sums over the "
                "rows: begin with partial_fit to learn more rows later, to forget rows or to merge."
            )
        return self.row_sums_
