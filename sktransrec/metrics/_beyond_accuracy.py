# SPDX-License-Identifier: BSD-3-Clause
"""Metrics of ranked items that ask more than whether they are relevant."""

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata
from sklearn.preprocessing import normalize
from sklearn.utils.extmath import row_norms

from .._numerics._row_totals import row_lengths
from .._typing import MatrixLike
from .._validation import check_array, check_count, check_matrix
from ._hits import first_items, hits_and_counts
from ._propensity import checked_popularity, positive_popularity

# Steck (2018) mixes this share of the profile into the recommendations, so that all are finite.
_PROFILE_SHARE = 0.01


def coverage_at_k(items: ArrayLike, n_items: int, k: int = 10) -> float:
    r"""Return the share of all items that are recommended to at least one row.

    Use it to see whether a recommender uses the catalogue or only its most popular part.

    Parameters
    ----------
    items : array-like of int of shape (n_rows, n_ranked)
        Item columns, best first, as `recommend` returns them. -1 marks an empty place.
    n_items : int
        Number of items that could be recommended.
    k : int, default=10
        Number of items per row that count, from 1 to `n_ranked`.

    Returns
    -------
    score : float
        Between 0 and 1.

    See Also
    --------
    gini_at_k : How evenly the places are shared out.

    Notes
    -----
    With :math:`L_u` the first k items of row u: :math:`|\bigcup_u L_u| / n_{items}`. It grows with
    the number of rows, so compare models on the same rows.

    Examples
    --------
    >>> from sktransrec.metrics import coverage_at_k
    >>> coverage_at_k([[0, 1], [0, 2]], n_items=4, k=2)
    0.75
    """
    return float(np.count_nonzero(_exposure(items, n_items, k)) / n_items)


def gini_at_k(items: ArrayLike, n_items: int, k: int = 10) -> float:
    r"""Return the Gini coefficient of how often each item is recommended.

    Use it to see whether a few items take most of the places.

    Parameters
    ----------
    items : array-like of int of shape (n_rows, n_ranked)
        Item columns, best first, as `recommend` returns them. -1 marks an empty place.
    n_items : int
        Number of items that could be recommended.
    k : int, default=10
        Number of items per row that count, from 1 to `n_ranked`.

    Returns
    -------
    score : float
        From 0, if all items are recommended equally often, to :math:`1 - 1 / n_{items}`, if only
        one is.

    See Also
    --------
    coverage_at_k : The share of the items that are recommended at all.

    Notes
    -----
    With :math:`x_1 \le \dots \le x_n` the numbers of rows that the n items are recommended to:

    .. math:: \frac{\sum_{i=1}^{n} (2 i - n - 1) \, x_i}{n \sum_{i=1}^{n} x_i}

    Examples
    --------
    >>> from sktransrec.metrics import gini_at_k
    >>> gini_at_k([[0, 1], [0, 1]], n_items=4, k=2)
    0.5
    """
    exposure = np.sort(_exposure(items, n_items, k))
    total = exposure.sum()
    if not total:
        raise ValueError("items holds only empty places (-1), so no item is recommended.")
    ranks = np.arange(1, n_items + 1)
    return float((2 * ranks - n_items - 1) @ exposure / (n_items * total))


def novelty_at_k(
    items: ArrayLike, popularity: ArrayLike, k: int = 10, *, per_row: bool = False
) -> float | NDArray[np.float64]:
    r"""Return the mean self-information of the recommended items, in bits.

    Use it to see how far a recommender goes beyond what everybody knows.

    Parameters
    ----------
    items : array-like of int of shape (n_rows, n_ranked)
        Item columns, best first, as `recommend` returns them. -1 marks an empty place.
    popularity : array-like of shape (n_items,)
        The share of the training rows that have each item, such as the `popularity_` of a
        recommender.
    k : int, default=10
        Number of items per row that count, from 1 to `n_ranked`.
    per_row : bool, default=False
        Whether to return one value per row instead of the mean over rows.

    Returns
    -------
    score : float or ndarray of shape (n_rows,), dtype float64
        In bits. A row without a recommended item gets NaN and does not count in the mean.

    See Also
    --------
    popularity_lift_at_k : Compares with the popularity of what the rows have.

    Notes
    -----
    With :math:`p_i` the popularity of item i, the mean of :math:`-\log_2 p_i` over the recommended
    items [1]_. An item without interactions counts like the least popular item that has some.

    References
    ----------
    .. [1] P. Castells, N. J. Hurley and S. Vargas, "Novelty and diversity in recommender systems",
       Recommender Systems Handbook, 2nd edition, 2015. :doi:`10.1007/978-1-4899-7637-6_26`

    Examples
    --------
    >>> from sktransrec.metrics import novelty_at_k
    >>> novelty_at_k([[0, 1], [2, -1]], popularity=[0.5, 0.25, 0.125], k=2, per_row=True)
    array([1.5, 3. ])
    """
    items = first_items(items, k)
    shares = _of_items(popularity, items)
    if shares.max(initial=0) > 1:
        raise ValueError(
            f"popularity holds {shares.max():g}, and must hold the shares of the rows that have "
            "each item, from 0 to 1: divide numbers of rows by the number of all rows."
        )
    information = -np.log2(positive_popularity(shares))
    return over_rows(_mean_of_places(information, items), per_row)


def popularity_lift_at_k(
    items: ArrayLike,
    popularity: ArrayLike,
    interactions: MatrixLike,
    k: int = 10,
    *,
    per_row: bool = False,
) -> float | NDArray[np.float64]:
    r"""Return by how much recommended items are more popular than what the rows have.

    Use it to see whether a recommender pushes popular items more than its users' own choices do.

    Parameters
    ----------
    items : array-like of int of shape (n_rows, n_ranked)
        Item columns, best first, as `recommend` returns them. -1 marks an empty place.
    popularity : array-like of shape (n_items,)
        The share of the training rows that have each item, such as the `popularity_` of a
        recommender.
    interactions : {array-like, sparse matrix} of shape (n_rows, n_items)
        What the rows have: values above zero count.
    k : int, default=10
        Number of items per row that count, from 1 to `n_ranked`.
    per_row : bool, default=False
        Whether to return one value per row instead of that of all rows together.

    Returns
    -------
    score : float or ndarray of shape (n_rows,), dtype float64
        0 if both are equally popular, 1 if the recommended items are twice as popular. A row that
        has no items, or only items of popularity 0, gets NaN and does not count.

    See Also
    --------
    novelty_at_k : The popularity of the recommended items alone.

    Notes
    -----
    With :math:`a_u` and :math:`b_u` the mean popularity of the recommended items and of the items
    that row u has, the lift of rows U is [1]_

    .. math:: \frac{\sum_{u \in U} a_u}{\sum_{u \in U} b_u} - 1

    References
    ----------
    .. [1] H. Abdollahpouri, M. Mansoury, R. Burke and B. Mobasher, "The connection between
       popularity bias, calibration, and fairness in recommendation", RecSys 2020.
       :doi:`10.1145/3383313.3418487`

    Examples
    --------
    >>> from sktransrec.metrics import popularity_lift_at_k
    >>> popularity_lift_at_k([[0]], [0.75, 0.25], [[0, 1]], k=1)
    2.0
    """
    items = first_items(items, k)
    popularity = _of_items(popularity, items)
    profiles = _profiles(interactions, (len(items), len(popularity)))
    recommended = _mean_of_places(popularity, items)
    had = _divided(profiles @ popularity, row_lengths(profiles))
    counts = (had > 0) & ~np.isnan(recommended)
    if per_row:
        return np.where(counts, _divided(recommended, had), np.nan) - 1
    if not counts.any():
        raise ValueError(
            "No row has both recommended items and items of its own with a popularity above 0, so "
            "the lift is not defined."
        )
    return float(recommended[counts].sum() / had[counts].sum() - 1)


def diversity_at_k(
    items: ArrayLike, item_vectors: MatrixLike, k: int = 10, *, per_row: bool = False
) -> float | NDArray[np.float64]:
    r"""Return how different the items of a list are from each other (intra-list diversity).

    Use it where ten variants of one thing are a bad list.

    Parameters
    ----------
    items : array-like of int of shape (n_rows, n_ranked)
        Item columns, best first, as `recommend` returns them. -1 marks an empty place.
    item_vectors : {array-like, sparse matrix} of shape (n_items, n_features)
        What the items are like, such as TF-IDF vectors of their texts, their genres, or the
        `item_factors_` of a model.
    k : int, default=10
        Number of items per row that count, from 1 to `n_ranked`.
    per_row : bool, default=False
        Whether to return one value per row instead of the mean over rows.

    Returns
    -------
    score : float or ndarray of shape (n_rows,), dtype float64
        0 if all items of a list point in the same direction, 1 if they have nothing in common. A
        row with fewer than two items gets NaN and does not count in the mean.

    See Also
    --------
    coverage_at_k : How different the lists are from each other.

    Notes
    -----
    The mean of :math:`1 - \cos(v_i, v_j)` over all pairs :math:`i \ne j` of a list [1]_. A vector
    of zeros has nothing in common with any other.

    References
    ----------
    .. [1] C.-N. Ziegler, S. M. McNee, J. A. Konstan and G. Lausen, "Improving recommendation lists
       through topic diversification", WWW 2005. :doi:`10.1145/1060745.1060754`

    Examples
    --------
    >>> from sktransrec.metrics import diversity_at_k
    >>> genres = [[1, 0], [0, 1], [1, 0]]
    >>> diversity_at_k([[0, 1], [0, 2]], genres, k=2, per_row=True)
    array([1., 0.])
    """
    items = first_items(items, k)
    units = normalize(_checked_rows_of_items(item_vectors, items, "item_vectors"))
    lists = _indicators(items, units.shape[0])
    # The sum of all cosines of a list is the squared length of the sum of its unit vectors.
    sums = lists @ units
    n_places = row_lengths(lists)
    of_pairs = row_norms(sums, squared=True) - lists @ row_norms(units, squared=True)
    similarity = _divided(of_pairs, n_places * (n_places - 1))
    return over_rows(np.clip(1 - similarity, 0, 2), per_row)


def serendipity_at_k(
    y_true: MatrixLike,
    items: ArrayLike,
    popularity: ArrayLike,
    k: int = 10,
    *,
    per_row: bool = False,
) -> float | NDArray[np.float64]:
    r"""Return how many relevant items stand higher than their popularity alone would put them.

    Use it to reward hits that a list of popular items does not have.

    Parameters
    ----------
    y_true : array-like or sparse matrix of shape (n_rows, n_items), or int array of shape (n_rows,)
        Values above zero mark the relevant items. A 1-D array holds the column of the one relevant
        item of each row.
    items : array-like of int of shape (n_rows, n_ranked)
        Item columns, best first, as `recommend` returns them. -1 marks an empty place.
    popularity : array-like of shape (n_items,)
        The share of the training rows that have each item, such as the `popularity_` of a
        recommender.
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
    novelty_at_k : The same question without asking whether items are relevant.

    Notes
    -----
    With :math:`h_r` equal to 1 if the item at rank r is relevant and to 0 otherwise, :math:`q_r`
    the rank of this item by popularity (ties by the middle of their places), and n items:

    .. math:: \frac{1}{k} \sum_{r=1}^{k} h_r \, \max\Big(0, \frac{q_r - r}{n}\Big)

    This is the difference in the linear chance of being shown, :math:`(n + 1 - r) / n`, between the
    row's own ranking and that by popularity [1]_.

    References
    ----------
    .. [1] T. Murakami, K. Mori and R. Orihara, "Metrics for evaluating the serendipity of
       recommendation lists", New Frontiers in Artificial Intelligence, 2008.
       :doi:`10.1007/978-3-540-78197-4_5`

    Examples
    --------
    >>> from sktransrec.metrics import serendipity_at_k
    >>> serendipity_at_k([[0, 0, 0, 1]], [[3]], popularity=[0.9, 0.7, 0.5, 0.1], k=1)
    0.75
    """
    hits, n_relevant = hits_and_counts(y_true, items, k)
    items = first_items(items, k)
    popularity = _of_items(popularity, items)
    places = rankdata(-popularity)[items] - np.arange(1, items.shape[1] + 1)
    surprise = (hits * np.maximum(places, 0)).mean(axis=1) / len(popularity)
    return over_rows(np.where(n_relevant > 0, surprise, np.nan), per_row)


def calibration_error_at_k(
    items: ArrayLike,
    interactions: MatrixLike,
    item_classes: MatrixLike,
    k: int = 10,
    *,
    per_row: bool = False,
) -> float | NDArray[np.float64]:
    r"""Return how far the recommended classes of items are from those that the rows have.

    Use it to see whether a reader of 70 % crime and 30 % poetry gets both, in these shares.

    Parameters
    ----------
    items : array-like of int of shape (n_rows, n_ranked)
        Item columns, best first, as `recommend` returns them. -1 marks an empty place.
    interactions : {array-like, sparse matrix} of shape (n_rows, n_items)
        What the rows have: values above zero count.
    item_classes : {array-like, sparse matrix} of shape (n_items, n_classes)
        How much each item belongs to each class, such as genres: 0 or more.
    k : int, default=10
        Number of items per row that count, from 1 to `n_ranked`.
    per_row : bool, default=False
        Whether to return one value per row instead of the mean over rows.

    Returns
    -------
    score : float or ndarray of shape (n_rows,), dtype float64
        0 if the shares are equal, and larger the more they differ. A row whose items, or whose
        recommended items, have no class gets NaN and does not count in the mean.

    See Also
    --------
    diversity_at_k : How different the items of a list are.

    Notes
    -----
    The classes of an item share a weight of 1. With :math:`p(g)` the share of class g in what a row
    has and :math:`q(g)` its share in the recommended items [1]_:

    .. math:: \sum_g p(g) \log \frac{p(g)}{0.99 \, q(g) + 0.01 \, p(g)}

    References
    ----------
    .. [1] H. Steck, "Calibrated recommendations", RecSys 2018. :doi:`10.1145/3240323.3240372`

    Examples
    --------
    >>> from sktransrec.metrics import calibration_error_at_k
    >>> genres = [[1, 0], [0, 1], [1, 0], [0, 1]]
    >>> X = [[1, 1, 0, 0]]
    >>> calibration_error_at_k([[2, 3]], X, genres, k=2)
    0.0
    """
    items = first_items(items, k)
    classes = normalize(_checked_classes(item_classes, items), norm="l1")
    profiles = _profiles(interactions, (len(items), classes.shape[0]))
    had = normalize(profiles @ classes, norm="l1").toarray()
    given = normalize(_indicators(items, classes.shape[0]) @ classes, norm="l1").toarray()
    mixed = (1 - _PROFILE_SHARE) * given + _PROFILE_SHARE * had
    divergence = (had * np.log(np.divide(had, mixed, out=np.ones_like(had), where=had > 0))).sum(1)
    is_defined = had.any(axis=1) & given.any(axis=1)
    return over_rows(np.where(is_defined, np.maximum(divergence, 0), np.nan), per_row)


def _exposure(items, n_items, k):
    """Return how many rows each item is recommended to."""
    items = first_items(items, k)
    check_count(n_items, name="n_items", maximum=np.iinfo(np.int64).max, of="the largest index")
    _check_n_items(items, n_items, "n_items")
    return np.bincount(items[items >= 0], minlength=n_items)


def _of_items(popularity, items):
    """Return the popularity as a valid array that has a value for each recommended item."""
    popularity = checked_popularity(popularity)
    _check_n_items(items, len(popularity), "popularity")
    return popularity


def _checked_rows_of_items(values, items, name):
    """Return what is known of each item as a valid sparse array."""
    if np.ndim(values) == 1:
        # The cure of scikit-learn, one column, would make all items alike.
        raise ValueError(
            f"{name} is 1-D: pass a row for each item, with several columns. If it holds a label "
            "for each item: OneHotEncoder().fit_transform(np.reshape(labels, (-1, 1)))."
        )
    values = check_array(values, accept_sparse="csr", dtype=np.float64, input_name=name)
    _check_n_items(items, values.shape[0], name)
    return sp.csr_array(values)


def _checked_classes(item_classes, items):
    classes = _checked_rows_of_items(item_classes, items, "item_classes")
    if classes.data.min(initial=0) < 0:
        raise ValueError(
            f"item_classes holds {classes.data.min():g}: how much an item belongs to a class must "
            "be 0 or more."
        )
    return classes


def _check_n_items(items, n_items, name):
    if items.max(initial=-1) >= n_items:
        raise ValueError(
            f"items holds column {items.max()}, but {name} has {n_items} items: it must have all "
            "items that the recommender numbers."
        )


def _indicators(items, n_items):
    """Return the lists as a matrix of shape (n_rows, n_items)."""
    is_filled = items >= 0
    indptr = np.concatenate([[0], np.cumsum(is_filled.sum(axis=1))])
    columns = items[is_filled]
    return sp.csr_array((np.ones(len(columns)), columns, indptr), shape=(len(items), n_items))


def _profiles(interactions, shape):
    """Return the indicators of what the rows have."""
    profiles = check_matrix(interactions, name="interactions") > 0
    if profiles.shape != shape:
        raise ValueError(
            f"interactions has shape {profiles.shape}, but there are {shape[0]} rows of "
            f"recommended items and {shape[1]} items: pass what the same rows have of the same "
            "items."
        )
    return profiles.astype(np.float64)


def _mean_of_places(values, items):
    """Return the mean value of the items of each row, NaN if it has none."""
    is_filled = items >= 0
    return _divided(np.where(is_filled, values[items], 0).sum(axis=1), is_filled.sum(axis=1))


def _divided(numerator, denominator):
    out = np.full(np.shape(denominator), np.nan)
    return np.divide(numerator, denominator, out=out, where=denominator > 0)


def over_rows(values, per_row):
    if per_row:
        return values
    if np.isnan(values).all():
        raise ValueError(f"The metric is not defined for any of the {len(values)} rows.")
    return float(np.nanmean(values))
