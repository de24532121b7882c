# SPDX-License-Identifier: BSD-3-Clause
"""The area under the ROC curve of each row."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._numerics._row_totals import nonempty_rows
from .._typing import Estimator, MatrixLike
from ._beyond_accuracy import over_rows
from ._pairs import held_out_and_scores


def held_out_auc(
    model: Estimator,
    X: MatrixLike,
    y: MatrixLike,
    *,
    candidates: ArrayLike | None = None,
    exclude_seen: bool | Literal["auto"] = "auto",
    exclude_interactions: MatrixLike | None = None,
    per_row: bool = False,
) -> float | NDArray[np.float64]:
    r"""Return the chance that a held-out item is scored above another unseen item.

    Use it to judge the whole ranking of a row and not only its first places, for example where a
    later stage ranks again.

    Parameters
    ----------
    model : estimator
        A fitted recommender, or a `Pipeline`, search or `FrozenEstimator` that holds one.
    X : array-like or sparse matrix of shape (n_rows, ...)
        What `model` takes.
    y : array-like or sparse matrix of shape (n_rows, n_items_), or int array of shape (n_rows,)
        Values above zero mark the held-out items. A 1-D array holds the column of the one held-out
        item of each row or, for a model that reads histories, the id of the next item.
    candidates : array-like of int or mask of shape (n_items_,), default=None
        Item columns that count. None means all of them.
    exclude_seen : bool or "auto", default="auto"
        Whether the items that a row has in X count as seen, as in `recommend`.
    exclude_interactions : array-like or sparse matrix of shape (n_rows, n_items_), default=None
        Nonzero entries count as seen as well.
    per_row : bool, default=False
        Whether to return one value per row instead of the mean over rows.

    Returns
    -------
    score : float or ndarray of shape (n_rows,), dtype float64
        Between 0 and 1; .5 is chance. A row without a held-out item, or without another unseen
        item, gets NaN and does not count in the mean.

    See Also
    --------
    held_out_ranks : The rank of each held-out item.
    sklearn.metrics.roc_auc_score : The same for one row.

    Notes
    -----
    With P the held-out items of a row and N its other unseen items:

    .. math:: \frac{1}{|P| \, |N|} \sum_{i \in P} \sum_{j \in N}
        [s_i > s_j] + \tfrac{1}{2} [s_i = s_j]

    A held-out item that counts as seen, or that the model never recommends, is below all others.

    Examples
    --------
    >>> from sktransrec import PopularityRecommender
    >>> from sktransrec.metrics import held_out_auc
    >>> X = [[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0]]
    >>> model = PopularityRecommender().fit(X)
    >>> held_out_auc(model, X, [2, 3, 1], per_row=True)
    array([1., 0., 1.])
    """
    _, held_out, candidates, scores_of = held_out_and_scores(
        model, X, y, candidates, exclude_seen, exclude_interactions
    )
    held_out = held_out if candidates is None else held_out[:, candidates]
    rows = nonempty_rows(held_out)
    if not len(rows):
        raise ValueError("y marks no item that counts: pass at least one value above zero.")
    values = np.full(held_out.shape[0], np.nan)
    for block, scores in scores_of(rows):
        wanted = held_out[rows[block]].toarray()
        values[rows[block]] = list(map(_auc, scores, wanted))
    return over_rows(values, per_row)


def _auc(scores, is_wanted):
    """Return the area under the curve of a row."""
    negatives = np.sort(scores[~is_wanted & (scores > -np.inf)])
    if not len(negatives):
        return np.nan
    wanted = scores[is_wanted]
    n_below = np.searchsorted(negatives, wanted, "left")
    n_not_above = np.searchsorted(negatives, wanted, "right")
    return (n_below + n_not_above).mean() / (2 * len(negatives))
