"""Holding interactions out by row: what stays known in X, what is to be found in y."""

from numbers import Integral, Real

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_random_state

from .._validation import Interval, check_matrix, validate_params


@validate_params(
    {
        "size": [
            Interval(Real, 0, 1, closed="neither"),
            Interval(Integral, 1, None, closed="left"),
        ],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def holdout_random(X, size=0.2, *, random_state=None):
    """Hold out a random part of each row's interactions.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_rows, n_items)
        Interactions; a stored zero counts as none.
    size : float or int, default=0.2
        How much of each row to hold out: a share strictly between 0 and 1 of its interactions,
        rounded to the nearest count (halves to the even one), or the count itself from 1 up.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same choice at every call.

    Returns
    -------
    X_kept : csr_array of shape (n_rows, n_items), dtype float32
        What stays known.
    y : csr_array of shape (n_rows, n_items), dtype float32
        What is held out; ``X_kept + y`` is X again.

    See Also
    --------
    holdout_last : Hold out the latest interactions of each row.
    holdout_after : Hold out whatever happened from a point in time on.

    Notes
    -----
    A row of two interactions or more loses at least one and keeps at least one. A row of fewer
    has nothing to spare: it is kept whole in `X_kept`, and its row of `y` is empty.

    Examples
    --------
    >>> from sktransrec.interactions import holdout_random
    >>> X = [[1, 1, 1, 1, 1], [0, 0, 2, 0, 0]]
    >>> X_kept, y = holdout_random(X, size=0.4, random_state=0)
    >>> (X_kept > 0).sum(axis=1).tolist(), (y > 0).sum(axis=1).tolist()
    ([3, 1], [2, 0])
    """
    X = check_matrix(X, name="X")
    n_interactions = np.diff(X.indptr)
    rows = np.repeat(np.arange(X.shape[0]), n_interactions)
    draws = check_random_state(random_state).uniform(size=X.nnz)
    shuffled = np.lexsort((draws, rows))
    rank_in_row = np.arange(X.nnz) - X.indptr[rows]
    held_out = np.empty(X.nnz, dtype=bool)
    held_out[shuffled] = rank_in_row < _n_held_out(n_interactions, size)[rows]
    return _entries(X, ~held_out), _entries(X, held_out)


def _n_held_out(n_interactions, size):
    """Return how many of each row's interactions to hold out."""
    wanted = size if isinstance(size, Integral) else np.rint(size * n_interactions)
    n_spare = np.maximum(n_interactions - 1, 0)
    return np.minimum(np.maximum(wanted, 1), n_spare)


def _entries(X, chosen):
    """Return X with only the chosen ones of its stored entries."""
    n_before = np.concatenate([[0], np.cumsum(chosen)]).astype(X.indptr.dtype)
    return sp.csr_array((X.data[chosen], X.indices[chosen], n_before[X.indptr]), shape=X.shape)
