# SPDX-License-Identifier: BSD-3-Clause
"""Sums over the rows of X: what can be added and subtracted without the rows."""

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from .._columns import joined_names
from ._entries import as_dense, positive_counts

# What is left of a number that was subtracted from itself, relative to it.
_ROUNDING = 1e-10
# Counts and sums of squares, on the diagonal of a matrix.
_NEVER_NEGATIVE = {"n_rows", "n_empty_rows", "n_rows_with", "column_counts", "item_counts"}
_NEVER_NEGATIVE |= {"gram", "support"}


class RowSums:
    """What a recommender learns from: sums over rows, without the rows.

    Use it to learn in several places: compute the sums of each part with ``model.row_sums(X)``, add
    them with ``+``, and learn from the total with ``model.fit_row_sums(total)``. The order of the
    parts does not matter, and ``-`` takes a part away again.

    If one part has more columns than another, the columns that it lacks count as zeros: these are
    new items, at the end of the catalogue.

    Parameters
    ----------
    sums : dict of str to number, ndarray or csr_array
        The sums by name. "n_rows" and "n_rows_with" are the number of rows and the number of rows
        that have each item.
    settings : dict of str to object
        The parameters that the sums depend on. Sums with different settings cannot be added.
    n_features : int
        The number of columns of X.
    feature_names : ndarray of str of shape (n_features,), or None
        The names of the columns of X, if it had any.
    item_names : ndarray of str of shape (n_items,), or None
        The names of the items, if these are columns of y and had any.
    """

    # Files of earlier versions have none.
    item_names: NDArray[Any] | None = None

    def __init__(
        self,
        sums: dict[str, Any],
        settings: dict[str, Any],
        n_features: int,
        feature_names: NDArray[np.str_] | None = None,
        item_names: NDArray[Any] | None = None,
    ) -> None:
        self.sums = sums
        self.settings = settings
        self.n_features = n_features
        self.feature_names = feature_names
        self.item_names = item_names

    def __getitem__(self, name):
        return self.sums[name]

    def __add__(self, other):
        return self._combined(other, _added)

    def __sub__(self, other):
        left = self._combined(other, _subtracted)
        if left is NotImplemented:
            return left
        for name, value in left.sums.items():
            if (
                name in _NEVER_NEGATIVE
                and _diagonal(value).min() < -1e-6 * _diagonal(self[name]).max()
            ):
                raise ValueError(
                    f"X holds rows that were never learned: without them, {name!r} would be below "
                    "zero. Pass the same rows as they were learned."
                )
        return left

    def __repr__(self) -> str:
        return f"RowSums({self['n_rows']} rows, {len(self['n_rows_with'])} items)"

    @property
    def nbytes(self) -> int:
        """The bytes of all sums."""
        return sum(_nbytes(value) for value in self.sums.values())

    def _combined(self, other, operation):
        if not isinstance(other, RowSums):
            return NotImplemented
        self.check_settings(other.settings)
        self._check_names(other)
        sums = {
            name: operation(*_of_one_shape(value, other[name])) for name, value in self.sums.items()
        }
        item_names = joined_names(self.item_names, other.item_names)
        wider = max(self, other, key=lambda one: one.n_features)
        return RowSums(sums, self.settings, wider.n_features, wider.feature_names, item_names)

    def check_settings(self, settings: dict[str, Any]) -> None:
        """Raise an error if the sums were computed with other settings.

        Parameters
        ----------
        settings : dict
            The settings of other sums, or of a model.
        """
        for name, value in self.settings.items():
            other = settings.get(name)
            if value != other:
                raise ValueError(
                    f"These sums over rows were computed with {name}={value!r}, and others with "
                    f"{name}={other!r}: use the same {name} for both, and compute one again."
                )

    def _check_names(self, other):
        if self.feature_names is None and other.feature_names is None:
            return
        narrow, wide = sorted([self, other], key=lambda one: one.n_features)
        if (
            narrow.feature_names is None
            or wide.feature_names is None
            or not np.array_equal(narrow.feature_names, wide.feature_names[: narrow.n_features])
        ):
            raise ValueError(
                "The feature names should match those that were passed during fit: the columns "
                f"are named {_first(self.feature_names)} and {_first(other.feature_names)}. New "
                "columns come after all known ones."
            )


def column_shares(X):
    """Return the share of the rows of a `csr_array` with more than 0 in each column, float32."""
    return (positive_counts(X) / X.shape[0]).astype(np.float32)


def joined_shares(shares, n_rows, others, n_others):
    """Return the shares among two groups of rows together, from those in each, float32."""
    total = n_rows * shares.astype(np.float64) + n_others * others.astype(np.float64)
    return (total / (n_rows + n_others)).astype(np.float32)


def gram_sum(X, weights=None):
    """Return Xᵀ diag(weights) X in float64, sparse unless half of it is filled."""
    left = X.astype(np.float64)
    right = left if weights is None else sp.diags_array(weights.astype(np.float64)) @ left
    return compact(left.T @ right)


def cross_sum(X, y):
    """Return Xᵀy in float64, sparse unless half of it is filled."""
    return compact(X.astype(np.float64).T @ y.astype(np.float64))


def compact(matrix):
    """Return a matrix as an ndarray if half of it is filled, and else as a `csr_array`."""
    if not sp.issparse(matrix):
        return matrix
    if matrix.nnz > matrix.shape[0] * matrix.shape[1] / 2:
        return matrix.toarray()
    return sp.csr_array(matrix)


def _of_one_shape(first, second):
    shape = tuple(np.maximum(np.shape(first), np.shape(second)))
    return _padded(first, shape), _padded(second, shape)


def _padded(value, shape):
    """Return a sum with zeros in the rows and columns that it lacks."""
    if np.shape(value) == shape:
        return value
    if sp.issparse(value):
        missing = np.full(shape[0] - value.shape[0], value.nnz, dtype=value.indptr.dtype)
        indptr = np.concatenate([value.indptr, missing])
        return sp.csr_array((value.data, value.indices, indptr), shape=shape)
    padding = [(0, wanted - held) for held, wanted in zip(value.shape, shape, strict=True)]
    return np.pad(value, padding)


def _added(first, second):
    return compact(first + second)


def _subtracted(total, part):
    """Return total - part, with zeros where only rounding is left."""
    if sp.issparse(total) and sp.issparse(part):
        left = sp.csr_array(total - part)
        left = sp.csr_array(left - left.multiply(abs(left) < _ROUNDING * abs(part)))
        left.eliminate_zeros()
        return left
    total, part = as_dense(total), as_dense(part)
    left = total - part
    if not isinstance(left, np.ndarray):
        return left
    left[np.abs(left) < _ROUNDING * np.abs(part)] = 0
    return left


def _diagonal(value):
    """Return the diagonal of a matrix, and the numbers of anything else."""
    return np.atleast_1d(value.diagonal() if np.ndim(value) == 2 else value)


def _nbytes(value):
    if sp.issparse(value):
        return value.data.nbytes + value.indices.nbytes + value.indptr.nbytes
    return np.asarray(value).nbytes


def _first(names):
    return None if names is None else names[:5].tolist()
