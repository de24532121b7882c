# SPDX-License-Identifier: BSD-3-Clause
"""Vectors whose filled columns are dense and whose other columns are sparse."""

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from sklearn.preprocessing import normalize
from sklearn.utils.extmath import row_norms

from ._entries import as_dense, column_counts

# A stored number costs about this share of the time that it takes in a dense product.
_FILLED = 0.2


@dataclass(frozen=True)
class MixedVectors:
    """Vectors, one in each row, such as the words of texts beside the vectors of a language model.

    Attributes
    ----------
    is_filled : ndarray of bool of shape (n_columns,)
        The columns that are dense.
    parts : tuple of csr_array or ndarray, each of shape (n_vectors, n_columns_of_this_part)
        The sparse columns and the dense ones; a part without columns is left out.
    """

    is_filled: np.ndarray
    parts: tuple

    @classmethod
    def unit(cls, vectors, like=None):
        """Return the rows of a matrix at length 1, with columns split as in other vectors."""
        vectors = normalize(vectors)
        is_filled = _filled_columns(vectors) if like is None else like.is_filled
        parts = []
        if not is_filled.all():
            parts.append(sp.csr_array(vectors if not is_filled.any() else vectors[:, ~is_filled]))
        if is_filled.any():
            parts.append(as_dense(vectors if is_filled.all() else vectors[:, is_filled]))
        return cls(is_filled, tuple(parts))

    def __len__(self):
        return self.parts[0].shape[0]

    def of(self, rows):
        """Return some of the vectors."""
        return replace(self, parts=tuple(part[rows] for part in self.parts))

    def weighted_sums(self, weights):
        """Return the sums of the vectors with weights of shape (n_sums, n_vectors)."""
        return replace(self, parts=tuple(weights @ part for part in self.parts))

    def plus(self, other):
        """Return the sums of these vectors and as many others."""
        parts = (one + two for one, two in zip(self.parts, other.parts, strict=True))
        return replace(self, parts=tuple(parts))

    def lengths(self):
        """Return the Euclidean lengths."""
        return np.sqrt(sum(row_norms(part, squared=True) for part in self.parts))

    def products(self, other):
        """Return the inner products with other vectors, of shape (len(self), len(other))."""
        pairs = zip(self.parts, other.parts, strict=True)
        return sum(as_dense(one @ two.T) for one, two in pairs)


def _filled_columns(vectors):
    """Return the columns of which so much is stored that a dense product is cheaper."""
    n_rows, n_columns = vectors.shape
    if not sp.issparse(vectors):
        return np.ones(n_columns, dtype=bool)
    return column_counts(vectors) > _FILLED * n_rows
