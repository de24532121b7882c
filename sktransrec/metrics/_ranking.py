# SPDX-License-Identifier: BSD-3-Clause
"""Metrics of ranked items, for each row or as a mean; an item is relevant or it is not."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._typing import MatrixLike
from ._hits import hits_and_counts


def average_precision_at_k(
    y_true: MatrixLike, items: ArrayLike, k: int = 10, *, per_row: bool = False
) -> float | NDArray[np.float64]:
    r"""Return the average precision of the first k items; its mean over rows is MAP.

    Use it where a row has several relevant items and all of them should come early.

    Parameters
    ----------
    y_true : array-like or sparse matrix of shape (n_rows, n_items), or int array of shape (n_rows,)
        Values above zero mark the relevant items. A 1-D array holds the column of the one relevant
        item of each row.
    items : array-like of int of shape (n_rows, n_ranked)
        Item columns, best first, as `recommend` returns them. -1 marks an empty place.
    k : int, default=10
        Number of items per row that count, from 1 to `n_ranked`.
    per_row : bool, default=False
        Whether to return one value per row instead of the mean over rows.

    Returns
    -------
    score : float or ndarray of shape (n_rows,), dtype float64
        Between 0 and 1. A row without a relevant item gets NaN and does not count in the mean.

    See Also
    --------
    ndcg_at_k : Discounts each hit by its own rank alone.

    Notes
    -----
    With :math:`R` the set of the relevant items of a row and :math:`h_r` equal to 1 if the item at
    rank :math:`r` is in :math:`R` and to 0 otherwise:

    .. math:: \frac{1}{|R|} \sum_{r=1}^{k} h_r \, \frac{1}{r} \sum_{s=1}^{r} h_s

    The denominator is :math:`|R|`, as in the TREC evaluations, so a row with more than k relevant
    items cannot reach 1. Some libraries divide by :math:`\min(|R|, k)` instead.

    Examples
    --------
    >>> from sktransrec.metrics import average_precision_at_k
    >>> y_true = [[1, 0, 1, 0], [0, 1, 0, 0]]
    >>> items = [[3, 0], [2, 3]]
    >>> average_precision_at_k(y_true, items, k=2, per_row=True)
    array([0.25, 0.  ])
    """
    return _over_rows(_average_precision, y_true, items, k, per_row)


def f1_at_k(
    y_true: MatrixLike, items: ArrayLike, k: int = 10, *, per_row: bool = False
) -> float | NDArray[np.float64]:
    r"""Return the harmonic mean of precision and recall of the first k items.

    Use it where a wrong item and a missed item are equally bad, and the order does not matter.

    Parameters
    ----------
    y_true : array-like or sparse matrix of shape (n_rows, n_items), or int array of shape (n_rows,)
        Values above zero mark the relevant items. A 1-D array holds the column of the one relevant
        item of each row.
    items : array-like of int of shape (n_rows, n_ranked)
        Item columns, best first, as `recommend` returns them. -1 marks an empty place.
    k : int, default=10
        Number of items per row that count, from 1 to `n_ranked`.
    per_row : bool, default=False
        Whether to return one value per row instead of the mean over rows.

    Returns
    -------
    score : float or ndarray of shape (n_rows,), dtype float64
        Between 0 and 1. A row without a relevant item gets NaN and does not count in the mean.

    See Also
    --------
    precision_at_k : The share of the first k items that are relevant.
    recall_at_k : The share of the relevant items that are found.

    Notes
    -----
    With :math:`R` the set of the relevant items of a row and :math:`h_r` equal to 1 if the item at
    rank :math:`r` is in :math:`R` and to 0 otherwise:

    .. math:: \frac{2 P R_k}{P + R_k} = \frac{2}{k + |R|} \sum_{r=1}^{k} h_r

    where :math:`P` and :math:`R_k` are the precision and the recall at k. The value is 0 without a
    hit. The mean over rows is the mean of the F1 values; it is not computed from the mean precision
    and the mean recall.

    Examples
    --------
    >>> from sktransrec.metrics import f1_at_k
    >>> y_true = [[1, 0, 1, 0], [0, 1, 0, 0]]
    >>> items = [[3, 0], [2, 3]]
    >>> f1_at_k(y_true, items, k=2, per_row=True)
    array([0.5, 0. ])
    """
    return _over_rows(_f1, y_true, items, k, per_row)


def hit_rate_at_k(
    y_true: MatrixLike, items: ArrayLike, k: int = 10, *, per_row: bool = False
) -> float | NDArray[np.float64]:
    r"""Return whether at least one of the first k items is relevant.

    Use it where one good item is enough, or where each row has one item to find.

    Parameters
    ----------
    y_true : array-like or sparse matrix of shape (n_rows, n_items), or int array of shape (n_rows,)
        Values above zero mark the relevant items. A 1-D array holds the column of the one relevant
        item of each row.
    items : array-like of int of shape (n_rows, n_ranked)
        Item columns, best first, as `recommend` returns them. -1 marks an empty place.
    k : int, default=10
        Number of items per row that count, from 1 to `n_ranked`.
    per_row : bool, default=False
        Whether to return one value per row instead of the mean over rows.

    Returns
    -------
    score : float or ndarray of shape (n_rows,), dtype float64
        Between 0 and 1. A row without a relevant item gets NaN and does not count in the mean.

    See Also
    --------
    recall_at_k : The same number where each row has one relevant item.

    Notes
    -----
    With :math:`R` the set of the relevant items of a row and :math:`h_r` equal to 1 if the item at
    rank :math:`r` is in :math:`R` and to 0 otherwise:

    .. math:: \max_{r \le k} h_r

    Examples
    --------
    >>> from sktransrec.metrics import hit_rate_at_k
    >>> y_true = [[1, 0, 1, 0], [0, 1, 0, 0]]
    >>> items = [[3, 0], [2, 3]]
    >>> hit_rate_at_k(y_true, items, k=2, per_row=True)
    array([1., 0.])
    """
    return _over_rows(_hit_rate, y_true, items, k, per_row)


def ndcg_at_k(
    y_true: MatrixLike, items: ArrayLike, k: int = 10, *, per_row: bool = False
) -> float | NDArray[np.float64]:
    r"""Return the normalised discounted cumulative gain (NDCG) of the first k items.

    Use it first: it counts the relevant items that are found, and counts early ones more.

    Parameters
    ----------
    y_true : array-like or sparse matrix of shape (n_rows, n_items), or int array of shape (n_rows,)
        Values above zero mark the relevant items. A 1-D array holds the column of the one relevant
        item of each row.
    items : array-like of int of shape (n_rows, n_ranked)
        Item columns, best first, as `recommend` returns them. -1 marks an empty place.
    k : int, default=10
        Number of items per row that count, from 1 to `n_ranked`.
    per_row : bool, default=False
        Whether to return one value per row instead of the mean over rows.

    Returns
    -------
    score : float or ndarray of shape (n_rows,), dtype float64
        Between 0 and 1. A row without a relevant item gets NaN and does not count in the mean.

    See Also
    --------
    sklearn.metrics.ndcg_score : Takes dense scores and graded relevance.

    Notes
    -----
    With :math:`R` the set of the relevant items of a row and :math:`h_r` equal to 1 if the item at
    rank :math:`r` is in :math:`R` and to 0 otherwise:

    .. math:: \frac{\sum_{r=1}^{k} h_r / \log_2(1 + r)}{\sum_{r=1}^{\min(|R|, k)} 1 / \log_2(1 + r)}

    The denominator is the gain of a perfect ranking, so every row can reach 1 [1]_.

    References
    ----------
    .. [1] K. Järvelin and J. Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM
       Transactions on Information Systems 20(4), 2002. :doi:`10.1145/582415.582418`

    Examples
    --------
    >>> from sktransrec.metrics import ndcg_at_k
    >>> y_true = [[1, 0, 1, 0], [0, 1, 0, 0]]
    >>> items = [[3, 0], [2, 3]]
    >>> ndcg_at_k(y_true, items, k=2, per_row=True)
    array([0.38685281, 0.        ])
    """
    return _over_rows(ndcg_of_hits, y_true, items, k, per_row)


def precision_at_k(
    y_true: MatrixLike, items: ArrayLike, k: int = 10, *, per_row: bool = False
) -> float | NDArray[np.float64]:
    r"""Return the share of the first k items that are relevant.

    Use it where all k items are shown and each bad one costs something.

    Parameters
    ----------
    y_true : array-like or sparse matrix of shape (n_rows, n_items), or int array of shape (n_rows,)
        Values above zero mark the relevant items. A 1-D array holds the column of the one relevant
        item of each row.
    items : array-like of int of shape (n_rows, n_ranked)
        Item columns, best first, as `recommend` returns them. -1 marks an empty place.
    k : int, default=10
        Number of items per row that count, from 1 to `n_ranked`.
    per_row : bool, default=False
        Whether to return one value per row instead of the mean over rows.

    Returns
    -------
    score : float or ndarray of shape (n_rows,), dtype float64
        Between 0 and 1. A row without a relevant item gets NaN and does not count in the mean.

    See Also
    --------
    recall_at_k : The share of the relevant items that are found.

    Notes
    -----
    With :math:`R` the set of the relevant items of a row and :math:`h_r` equal to 1 if the item at
    rank :math:`r` is in :math:`R` and to 0 otherwise:

    .. math:: \frac{1}{k} \sum_{r=1}^{k} h_r

    An empty place (-1) counts as a miss.

    Examples
    --------
    >>> from sktransrec.metrics import precision_at_k
    >>> y_true = [[1, 0, 1, 0], [0, 1, 0, 0]]
    >>> items = [[3, 0], [2, 3]]
    >>> precision_at_k(y_true, items, k=2, per_row=True)
    array([0.5, 0. ])
    """
    return _over_rows(_precision, y_true, items, k, per_row)


def recall_at_k(
    y_true: MatrixLike, items: ArrayLike, k: int = 10, *, per_row: bool = False
) -> float | NDArray[np.float64]:
    r"""Return the share of the relevant items that are among the first k items.

    Use it where the relevant items should be found and their order does not matter, for example for
    a first selection that another model ranks again.

    Parameters
    ----------
    y_true : array-like or sparse matrix of shape (n_rows, n_items), or int array of shape (n_rows,)
        Values above zero mark the relevant items. A 1-D array holds the column of the one relevant
        item of each row.
    items : array-like of int of shape (n_rows, n_ranked)
        Item columns, best first, as `recommend` returns them. -1 marks an empty place.
    k : int, default=10
        Number of items per row that count, from 1 to `n_ranked`.
    per_row : bool, default=False
        Whether to return one value per row instead of the mean over rows.

    Returns
    -------
    score : float or ndarray of shape (n_rows,), dtype float64
        Between 0 and 1. A row without a relevant item gets NaN and does not count in the mean.

    See Also
    --------
    precision_at_k : The share of the first k items that are relevant.

    Notes
    -----
    With :math:`R` the set of the relevant items of a row and :math:`h_r` equal to 1 if the item at
    rank :math:`r` is in :math:`R` and to 0 otherwise:

    .. math:: \frac{1}{|R|} \sum_{r=1}^{k} h_r

    The denominator is :math:`|R|`, so a row with more than k relevant items cannot reach 1.

    Examples
    --------
    >>> from sktransrec.metrics import recall_at_k
    >>> y_true = [[1, 0, 1, 0], [0, 1, 0, 0]]
    >>> items = [[3, 0], [2, 3]]
    >>> recall_at_k(y_true, items, k=2, per_row=True)
    array([0.5, 0. ])
    """
    return _over_rows(_recall, y_true, items, k, per_row)


def reciprocal_rank_at_k(
    y_true: MatrixLike, items: ArrayLike, k: int = 10, *, per_row: bool = False
) -> float | NDArray[np.float64]:
    r"""Return the reciprocal rank of the first relevant item; its mean over rows is MRR.

    Use it where only the first good item matters.

    Parameters
    ----------
    y_true : array-like or sparse matrix of shape (n_rows, n_items), or int array of shape (n_rows,)
        Values above zero mark the relevant items. A 1-D array holds the column of the one relevant
        item of each row.
    items : array-like of int of shape (n_rows, n_ranked)
        Item columns, best first, as `recommend` returns them. -1 marks an empty place.
    k : int, default=10
        Number of items per row that count, from 1 to `n_ranked`.
    per_row : bool, default=False
        Whether to return one value per row instead of the mean over rows.

    Returns
    -------
    score : float or ndarray of shape (n_rows,), dtype float64
        Between 0 and 1. A row without a relevant item gets NaN and does not count in the mean.

    See Also
    --------
    rank_metrics : The same for each held-out item by itself, from its rank.

    Notes
    -----
    With :math:`R` the set of the relevant items of a row and :math:`h_r` equal to 1 if the item at
    rank :math:`r` is in :math:`R` and to 0 otherwise:

    .. math:: \max_{r \le k} h_r / r

    which is 0 if none of the first k items is relevant.

    Examples
    --------
    >>> from sktransrec.metrics import reciprocal_rank_at_k
    >>> y_true = [[1, 0, 1, 0], [0, 1, 0, 0]]
    >>> items = [[3, 0], [2, 3]]
    >>> reciprocal_rank_at_k(y_true, items, k=2, per_row=True)
    array([0.5, 0. ])
    """
    return _over_rows(_reciprocal_rank, y_true, items, k, per_row)


def _precision(hits, n_relevant):
    return hits.mean(axis=1)


def _recall(hits, n_relevant):
    return hits.sum(axis=1) / n_relevant


def _f1(hits, n_relevant):
    return 2 * hits.sum(axis=1) / (hits.shape[1] + n_relevant)


def _hit_rate(hits, n_relevant):
    return hits.any(axis=1).astype(np.float64)


def ndcg_of_hits(hits, n_relevant):
    """Return the NDCG of each row from whether each of its places has a relevant item."""
    gains = gains_at(_ranks(hits))
    best_gains = np.cumsum(gains)
    return hits @ gains / best_gains[np.minimum(n_relevant, len(gains)) - 1]


def _average_precision(hits, n_relevant):
    precisions = np.cumsum(hits, axis=1) / _ranks(hits)
    return (hits * precisions).sum(axis=1) / n_relevant


def _reciprocal_rank(hits, n_relevant):
    return (hits / _ranks(hits)).max(axis=1)


def _ranks(hits):
    """Return the ranks 1, ..., k of the places."""
    return np.arange(1, hits.shape[1] + 1)


def gains_at(ranks):
    """Return the discounted gain of a hit at each rank."""
    return 1 / np.log2(1 + ranks)


def _over_rows(formula, y_true, items, k, per_row):
    """Return ``formula(hits, n_relevant)`` for each row with something to find, or its mean."""
    hits, n_relevant = hits_and_counts(y_true, items, k)
    has_relevant = n_relevant > 0
    values = formula(hits[has_relevant], n_relevant[has_relevant])
    if per_row:
        by_row = np.full(len(hits), np.nan)
        by_row[has_relevant] = values
        return by_row
    if not has_relevant.any():
        raise ValueError(
            f"y_true marks no relevant item in any of its {len(hits)} rows, so the mean is not "
            "defined: pass at least one row with a value above zero."
        )
    return float(values.mean())
