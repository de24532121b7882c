# SPDX-License-Identifier: BSD-3-Clause
"""Ridge regressions of each column of a sparse matrix on the few others that suit it best.

This is the restricted form of ridge regression for matrices whose Gram matrix does not fit into
memory. The steps are::

    cross = strongest_cross(X, ridges, n_neighbors)
    weights = neighbor_ridge(GramLookup.of_columns(X), cross, ridges)
"""

from itertools import pairwise

import numpy as np
import scipy.sparse as sp
from scipy.linalg import LinAlgError, lapack
from sklearn.utils import gen_batches

from .._validation import get_chunk_n_rows
from ._blas_threads import one_blas_thread
from ._entries import column_counts, with_data
from ._gram import upper_gram
from ._row_blocks import row_slices
from ._row_totals import row_lengths
from ._strongest_links import keep_largest, strongest_links
from ._threads import in_threads, rows_per_thread
from ._top_k import Preference

# The entries among so many columns take 16 MiB.
_N_DENSE = 2048
_MIN_BLOCKS = 16


def column_squares(X):
    """Return the squared norm of each column of a sparse X."""
    return np.bincount(X.indices, np.square(X.data, dtype=np.float64), minlength=X.shape[1])


def strongest_cross(X, ridges, n_neighbors):
    """Return the entries of XᵀX of the columns that predict each other column best alone.

    Alone, column x lowers the squared error of column y by (yᵀx)² / (xᵀx + its ridge).

    Parameters
    ----------
    X : csr_array of shape (n_rows, n_columns), its values at least 0
    ridges : ndarray of shape (n_columns,)
    n_neighbors : int
        How many columns are kept for each column.

    Returns
    -------
    cross : csr_array of shape (n_columns, n_columns)
    """
    scales = 1 / np.sqrt(column_squares(X) + ridges)
    scaled = with_data(X, X.data * scales[X.indices]).astype(X.dtype)
    cross = strongest_links(X.T, scaled, n_neighbors)
    cross.sort_indices()
    cross.data /= scales[cross.indices]
    return cross


def strongest_entries(cross, squares, ridges, n_neighbors, counts=None):
    """Return what `strongest_cross` does, of a YᵀX that is there already, and the `squares` of X.

    Of equally good columns, those with more `counts` are kept; None counts the targets for which
    they occur.
    """
    scales = 1 / np.sqrt(squares + ridges)
    gains = with_data(cross, cross.data * scales[cross.indices]).copy()
    if counts is None:
        counts = column_counts(cross)
    keep_largest(gains, n_neighbors, Preference.by_popularity(counts).places)
    gains.eliminate_zeros()
    gains.data /= scales[gains.indices]
    return gains


def neighbor_ridge(gram, cross, ridges):
    """Return the weights of the ridge regression of each target on its own columns.

    With G = XᵀX, N the columns stored in row c of `cross` and D = diag(ridges), a row of weights is
    (G_NN + D_NN)⁻¹ c_N at N and zero elsewhere. The targets are solved for in as many threads as
    `joblib.parallel_config` allows.

    Parameters
    ----------
    gram : GramLookup
    cross : csr_array of shape (n_targets, n_columns)
        Entries of YᵀX.
    ridges : ndarray of shape (n_columns,)

    Returns
    -------
    weights : csr_array of shape (n_targets, n_columns)
        Stored where `cross` is.

    Raises
    ------
    LinAlgError
        If a matrix is not positive definite in the precision of `gram`.
    """
    weights = np.empty(cross.nnz, dtype=gram.dtype)
    (posv,) = lapack.get_lapack_funcs(("posv",), dtype=gram.dtype)

    def solve(targets):
        for start, stop in pairwise(cross.indptr[targets.start : targets.stop + 1]):
            if start == stop:
                continue
            order, A = gram.upper_among(cross.indices[start:stop])
            order += start
            A[np.diag_indices_from(A)] += ridges[cross.indices[order]]
            # LAPACK reads in Fortran order, where the upper triangle is the lower one.
            _, weights[order], info = posv(A.T, cross.data[order], lower=True, overwrite_a=True)
            if info > 0:
                raise LinAlgError(f"The pivot of column {info - 1} is not positive in {A.dtype}.")

    n_targets = cross.shape[0]
    blocks = row_slices(n_targets, rows_per_thread(n_targets, n_targets))
    with one_blas_thread():
        for _ in in_threads(solve, zip(blocks)):
            pass
    return with_data(cross, weights)


class GramLookup:
    """A sparse Gram matrix XᵀX, of which the entries among a few columns are looked up.

    The columns are numbered from the most popular one down. The entries among the first of them
    are dense, since most are not zero and every column has many neighbours there. Of the others,
    the lower triangle is sparse.

    Use `of_columns` or `of_matrix`.
    """

    def __init__(self, ranks, head, tail):
        self._ranks, self._head, self._tail = ranks, head, tail

    @classmethod
    def of_columns(cls, X):
        """Return the Gram matrix of a sparse X, computed in blocks of columns."""
        order, ranks = _by_popularity(column_counts(X))
        X = X.tocsc()[:, order]
        tail = [
            _lower(X.T[rows] @ X[:, : rows.stop].tocsr(), rows) for rows in _tail_blocks(X.shape[1])
        ]
        return cls(ranks, upper_gram(X[:, :_N_DENSE].tocsr()), _stacked(tail, X))

    @classmethod
    def of_matrix(cls, gram):
        """Return the lookup of a sparse symmetric matrix."""
        gram = gram.tocsr()
        order, ranks = _by_popularity(row_lengths(gram))
        gram = gram[order][:, order]
        tail = [_lower(gram[rows], rows) for rows in _tail_blocks(gram.shape[0])]
        return cls(ranks, gram[:_N_DENSE, :_N_DENSE].toarray(), _stacked(tail, gram))

    @property
    def dtype(self):
        return self._head.dtype

    def upper_among(self, columns):
        """Return an order of `columns`, and the upper triangle of the matrix among them in it."""
        ranks = self._ranks[columns]
        order = np.argsort(ranks)
        ranks = ranks[order]
        upper = np.zeros((len(ranks), len(ranks)), dtype=self.dtype)
        n_head = np.searchsorted(ranks, len(self._head))
        head = ranks[:n_head]
        upper[:n_head, :n_head] = self._head[head[:, None], head]
        upper[:, n_head:] = self._tail[ranks[n_head:] - len(self._head)][:, ranks].toarray().T
        return order, upper


def regression_bytes(X, n_neighbors, itemsize):
    """Return an upper bound of the bytes of the three steps, besides blocks."""
    # The strongest entries in blocks and as a whole, the weights, and these by column.
    n_weights = X.shape[1] * min(n_neighbors, X.shape[1])
    return lookup_bytes(X, itemsize) + 3 * (4 + itemsize) * n_weights


def lookup_bytes(X, itemsize):
    """Return an upper bound of the bytes that `GramLookup.of_columns` takes, besides blocks."""
    n_columns = X.shape[1]
    n_head = min(n_columns, _N_DENSE)
    _, ranks = _by_popularity(column_counts(X))
    # Every pair of entries in a row adds to an entry at most.
    in_tail = np.append(0, np.cumsum(ranks[X.indices] >= n_head))
    n_in_tail = np.diff(in_tail[X.indptr]).astype(float)
    in_triangle = (n_columns - n_head) * (n_columns + n_head + 1) / 2
    n_entries = min(n_in_tail @ row_lengths(X), in_triangle)
    # An entry is a value and an index; the blocks and the whole are there at the same time.
    return itemsize * n_head**2 + 2 * (4 + itemsize) * n_entries


def _by_popularity(counts):
    """Return the columns from the most popular one down, and the rank of each."""
    order, places = Preference.by_popularity(counts)
    return order, places[:-1]


def _tail_blocks(n_columns):
    if n_columns <= _N_DENSE:
        return
    block_size = get_chunk_n_rows(row_bytes=16 * n_columns, max_n_rows=-(-n_columns // _MIN_BLOCKS))
    for block in gen_batches(n_columns - _N_DENSE, block_size):
        yield slice(_N_DENSE + block.start, _N_DENSE + block.stop)


def _lower(product, rows):
    """Return some rows of a symmetric matrix up to the diagonal."""
    return sp.tril(product, rows.start, format="csr")[:, : rows.stop]


def _stacked(blocks, like):
    n_columns = like.shape[1]
    for block in blocks:
        block.resize(block.shape[0], n_columns)
    empty = sp.csr_array((0, n_columns), dtype=like.dtype)
    return sp.vstack([empty, *blocks], format="csr")
