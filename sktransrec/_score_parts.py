# SPDX-License-Identifier: BSD-3-Clause
"""What each entry of a single row adds to scores, also through pipelines."""

import numpy as np
import scipy.sparse as sp

from ._columns import framed_like
from ._numerics._entries import as_dense
from ._numerics._row_blocks import entry_rows
from ._validation import check_matrix
from ._wrapping import as_matrix, keeps_columns, reads_histories, recommender_and_rows

# Values add up if they do so up to this share of the largest.
_TOLERANCE = 1e-5


def score_parts(model, X):
    """Return what each entry of a row adds to the scores of a fitted model.

    Parameters
    ----------
    model : estimator
        A fitted recommender, or a `Pipeline`, search or `FrozenEstimator` that holds one.
    X : array-like or sparse matrix of shape (1, ...)
        The row that `model` reads.

    Returns
    -------
    columns_and_parts : tuple of ndarray, or None
        As `RecommenderMixin.score_parts` returns them, for the entries of X. None if the scores
        are no sum of parts, or if the output of the steps before the recommender is none.
    """
    recommender, row = recommender_and_rows(model, X)
    if not hasattr(recommender, "score_parts"):
        return None
    if row is X:
        return recommender.score_parts(X)
    if reads_histories(model):
        return None
    found = recommender.score_parts(row)
    if found is None:
        return None
    if keeps_columns(model):
        return parts_of_entries(check_matrix(X, name="X").indices, *found)
    return _through_mixed_columns(model, X, *found)


def additive_parts(function, X):
    """Return what each entry of a row adds to the values of a function, if these add up.

    Parameters
    ----------
    function : callable
        From rows to their values, of shape (n_rows, n_values).
    X : {ndarray, csr_array} of shape (1, n_features)
        The row.

    Returns
    -------
    parts : ndarray of shape (n_entries, n_values), or None
        The values of each entry alone minus those of an empty row. None if they do not sum to the
        values of the row minus those of an empty row.
    """
    empty, entries = sp.csr_array(X.shape, dtype=X.dtype), entry_rows(X)
    if not sp.issparse(X):
        empty, entries = empty.toarray(), entries.toarray()
    of_empty, of_row = function(empty), function(X)
    if not entries.shape[0]:  # most functions refuse no rows at all
        return np.empty((0, of_empty.shape[1]))
    of_entries = function(entries)
    parts = np.asarray(of_entries, dtype=np.float64) - of_empty
    difference = parts.sum(axis=0) - (np.asarray(of_row, dtype=np.float64) - of_empty)[0]
    tolerance = _TOLERANCE * max(np.abs(parts).max(initial=0), np.abs(of_row).max(initial=0))
    return parts if np.abs(difference).max(initial=0) <= tolerance else None


def _through_mixed_columns(model, X, known, parts):
    """Return the columns and parts of the entries of X, if each adds its own to what is read.

    `parts` are those of the columns `known` of the row that the recommender reads.
    """

    def read(rows):
        read = as_matrix(recommender_and_rows(model, rows)[1])
        return as_dense(read)[:, known]

    matrix = check_matrix(X, name="X") if sp.issparse(X) else np.asarray(X)
    added = additive_parts(lambda rows: read(framed_like(X, rows)), matrix)
    if added is None:
        return None
    of_row = read(X)[0]
    shares = np.divide(added, of_row, out=np.zeros_like(added), where=of_row != 0)
    return sp.csr_array(matrix).indices.astype(np.intp), (shares @ parts).astype(np.float32)


def parts_of_entries(columns, known, parts):
    """Return the columns, and the parts of each; a column without parts adds nothing.

    Parts of other columns are no reasons: the row does not have these.
    """
    of_columns = np.zeros((len(columns), parts.shape[1]), dtype=parts.dtype)
    _, own, places = np.intersect1d(columns, known, return_indices=True)
    of_columns[own] = parts[places]
    return columns.astype(np.intp), of_columns
