# SPDX-License-Identifier: BSD-3-Clause
"""Scores that are sums of sparse links from the items of a row."""

import numpy as np

# So many links are added at once: the temporary arrays stay in the cache.
_BLOCK_LINKS = 2**15


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
    n_rows, n_columns = X.shape[0], links.shape[1]
    items, values = X.indices[: X.nnz], X.data[: X.nnz]
    firsts = links.indptr[items]
    n_links = links.indptr[items + 1] - firsts
    row_starts = np.repeat(np.arange(n_rows) * n_columns, np.diff(X.indptr))
    scores = np.zeros((n_rows, n_columns), dtype=np.float32)
    for entries in _blocks(n_links):
        n = n_links[entries]
        places = _ranges(firsts[entries], n)
        columns = links.indices[places] + np.repeat(row_starts[entries], n)
        # `add.at` is twenty times slower if the dtype of its argument is a copy from a pickle.
        parts = np.empty(len(places), dtype=np.float32)
        np.multiply(links.data[places], np.repeat(values[entries], n), out=parts)
        np.add.at(scores.reshape(-1), columns, parts)
    return scores


def _blocks(n_links):
    """Return slices of entries with about the same number of links."""
    ends = np.cumsum(n_links)
    if not len(ends) or ends[-1] <= _BLOCK_LINKS:
        return [slice(None)]
    limits = np.arange(_BLOCK_LINKS, ends[-1] + _BLOCK_LINKS, _BLOCK_LINKS)
    stops = np.unique(np.minimum(np.searchsorted(ends, limits, side="right") + 1, len(ends)))
    return [slice(*pair) for pair in zip([0, *stops[:-1]], stops, strict=True)]


def _ranges(firsts, lengths):
    """Return the integers from each first one on, side by side."""
    ends = np.cumsum(lengths)
    return np.repeat(firsts - (ends - lengths), lengths) + np.arange(ends[-1] if len(ends) else 0)
