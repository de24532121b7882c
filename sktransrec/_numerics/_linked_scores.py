# SPDX-License-Identifier: BSD-3-Clause
"""Scores that are sums of sparse links from the items of a row."""

import numpy as np
import scipy.sparse as sp

from ._row_totals import row_lengths

# Rows are halved until they have no more links than this, which bounds the memory.
_MOST_LINKS = 2**22


def linked_scores(X, links):
    """Return X @ links as a dense array.

    A product of sparse matrices would first find out which entries the result has, which costs more
    than the sums. The scores of a row do not depend on the other rows.

    Parameters
    ----------
    X : csr_array of shape (n_rows, n_items), dtype float32
    links : csr_array of shape (n_items, n_columns), dtype float32

    Returns
    -------
    scores : ndarray of shape (n_rows, n_columns), dtype float32
    """
    items, values = X.indices[: X.nnz], X.data[: X.nnz]
    if X.shape[0] == 1:
        return _scores_of_row(items, values, links)
    if row_lengths(links)[items].sum() > _MOST_LINKS:
        half = X.shape[0] // 2
        return np.concatenate([linked_scores(part, links) for part in (X[:half], X[half:])])
    chosen = links[items]
    parts = chosen.data * np.repeat(values, row_lengths(chosen))
    # Scipy adds up what has the same row and column, and lets other threads run meanwhile.
    entries = parts, chosen.indices, chosen.indptr[X.indptr]
    return sp.csr_array(entries, shape=(X.shape[0], links.shape[1])).toarray()


def _scores_of_row(items, values, links):
    """Return the same for a single row, in half of the time."""
    scores = np.zeros((1, links.shape[1]), dtype=np.float32)
    if not len(items):
        return scores
    firsts, ends = links.indptr[items], links.indptr[items + 1]
    n_links = ends - firsts
    of_items = list(map(slice, firsts.tolist(), ends.tolist()))
    # `add.at` is twenty times slower if the dtype of its argument is a copy from a pickle.
    parts = np.empty(n_links.sum(), dtype=np.float32)
    np.concatenate([links.data[each] for each in of_items], out=parts)
    parts *= np.repeat(values, n_links)
    np.add.at(scores[0], np.concatenate([links.indices[each] for each in of_items]), parts)
    return scores
