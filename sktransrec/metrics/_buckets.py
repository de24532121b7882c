# SPDX-License-Identifier: BSD-3-Clause
"""Metrics for popular and rare items, and for more and less active rows."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from .._validation import COUNT, check_array, validate_params
from ._pairs import checked_ranks, rank_metrics

_MIN_BUCKET_ROWS = 30
_POPULARITY_BUCKETS = ("head", "middle", "tail")


@dataclass(frozen=True)
class BucketMetrics:
    """The metrics of the held-out pairs in one bucket.

    Attributes
    ----------
    by : str
        What the buckets are made by: "popularity" of the items or "activity" of the rows.
    bucket : str
        The name of the bucket, such as "head" or "16 to 26".
    size : int
        Number of items, or of rows with a held-out pair, in the bucket.
    n_pairs : int
        Number of held-out pairs.
    reciprocal_rank, reciprocal_rank_error, ndcg, ndcg_error, hit_rate, hit_rate_error : float
        Means and their standard errors, see `rank_metrics`. NaN if the bucket has no pairs.

    See Also
    --------
    BucketReport : The metrics of all buckets.
    """

    by: str
    bucket: str
    size: int
    n_pairs: int
    reciprocal_rank: float
    reciprocal_rank_error: float
    ndcg: float
    ndcg_error: float
    hit_rate: float
    hit_rate_error: float


@dataclass(frozen=True, repr=False)
class BucketReport:
    """The metrics of all buckets; ``print`` shows them as a table.

    Attributes
    ----------
    k : int
        The last rank that counts for NDCG and the hit rate.
    buckets : tuple of BucketMetrics
        The buckets of items by popularity, then the buckets of rows by activity.
        ``pandas.DataFrame(report.buckets)`` makes a table of them.

    See Also
    --------
    metrics_by_bucket : Returns such a report.
    """

    k: int
    buckets: tuple

    def __repr__(self) -> str:
        cells = [("bucket", "pairs", "MRR", f"NDCG@{self.k}", f"HR@{self.k}")]
        cells += [_cells(bucket) for bucket in self.buckets]
        return "\n".join(aligned(cells))


def aligned(rows):
    """Return rows of texts as lines, the first column to the left and the others to the right."""
    first, *widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join([row[0].ljust(first), *map(str.rjust, row[1:], widths)]) for row in rows]


def _cells(metrics):
    """Return the metrics of a bucket as strings, one for each column of the printed table."""
    of = "items" if metrics.by == "popularity" else "rows"
    values = [
        f"{getattr(metrics, name):.4f} ± {getattr(metrics, f'{name}_error'):.4f}"
        for name in ("reciprocal_rank", "ndcg", "hit_rate")
    ]
    what = metrics.bucket if of == "items" else f"interactions: {metrics.bucket}"
    return (f"{what} ({metrics.size} {of})", str(metrics.n_pairs), *values)


@validate_params({"k": COUNT, "n_buckets": COUNT})
def metrics_by_bucket(
    rows: ArrayLike,
    items: ArrayLike,
    ranks: ArrayLike,
    *,
    popularity: ArrayLike,
    activity: ArrayLike | None = None,
    k: int = 10,
    n_buckets: int = 3,
) -> "BucketReport":
    """Return metrics for popular and rare items, and for more and less active rows.

    Use it before you trust a mean over all pairs. Most pairs belong to popular items and active
    rows; this shows how well a method serves the others.

    Parameters
    ----------
    rows, items : array-like of int of shape (n_pairs,)
        The row and the item column of each held-out pair, as `held_out_ranks` returns them.
    ranks : array-like of shape (n_pairs,)
        The rank of each pair, from 1 up. An infinite rank is a miss.
    popularity : array-like of shape (n_items,)
        The number or the share of rows that have each item, such as the `popularity_` of a
        recommender.
    activity : array-like of int of shape (n_rows,), default=None
        The number of known interactions of each row. None makes no buckets of rows.
    k : int, default=10
        The last rank that counts for NDCG and the hit rate.
    n_buckets : int, default=3
        Number of buckets of rows. The rows with a held-out pair are divided into buckets of about
        equal size. A bucket has at least 30 rows, so there may be fewer buckets.

    Returns
    -------
    report : BucketReport
        Immutable; ``print(report)`` shows it as a table.

    See Also
    --------
    rank_metrics : The metrics of all pairs together.
    transfer_gain : Compares two models on rows with about the same activity.

    Notes
    -----
    The items are sorted by popularity. The first items, with a third of all interactions, are the
    head. The next items, with the second third, are the middle. All others, including items without
    interactions, are the tail. So the head has few items and the tail has most of them.

    Examples
    --------
    >>> from sktransrec import PopularityRecommender
    >>> from sktransrec.metrics import held_out_ranks, metrics_by_bucket
    >>> X = [[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 0]]
    >>> model = PopularityRecommender().fit(X)
    >>> pairs = held_out_ranks(model, X, [2, 3, 1, 1, 0])
    >>> report = metrics_by_bucket(*pairs, popularity=model.popularity_)
    >>> [(part.bucket, part.size, part.n_pairs) for part in report.buckets]
    [('head', 1, 1), ('middle', 1, 2), ('tail', 2, 2)]
    """
    rows, items = _checked_columns(rows, "rows"), _checked_columns(items, "items")
    ranks = checked_ranks(ranks)
    popularity = _checked_numbers(popularity, "popularity", items, "items")
    if not len(rows) == len(items) == len(ranks):
        raise ValueError(
            f"rows, items and ranks hold {len(rows)}, {len(items)} and {len(ranks)} values: pass "
            "three arrays of the same pairs, as held_out_ranks returns them."
        )
    parts = popularity_thirds(popularity)
    buckets = _buckets("popularity", _POPULARITY_BUCKETS, parts, parts[items], rows, ranks, k)
    if activity is not None:
        activity = _checked_numbers(activity, "activity", rows, "rows")
        if (activity % 1).any():
            raise ValueError("activity holds fractions: pass the number of interactions of rows.")
        present = np.unique(rows)
        edges = bucket_edges(activity[present], n_buckets)
        parts = bucket_of(activity, edges)
        names = bucket_names(edges)
        buckets += _buckets("activity", names, parts[present], parts[rows], rows, ranks, k)
    return BucketReport(k, tuple(buckets))


def popularity_thirds(popularity):
    """Return the third of each item: 0 for the head, 1 for the middle and 2 for the tail."""
    order = np.argsort(-popularity, kind="stable")
    popularity = popularity.astype(np.float64)
    total = popularity.sum()
    share_above = (np.cumsum(popularity[order]) - popularity[order]) / (total or 1)
    thirds = np.empty(len(popularity), dtype=np.intp)
    # An item on the border belongs to the third in which its first interaction lies.
    # Counts and shares of rows, which are float32, must not differ in the last digits.
    thirds[order] = np.minimum(np.floor(3 * share_above + 1e-6), 2)
    thirds[popularity == 0] = 2
    return thirds


def bucket_edges(activity, n_buckets):
    """Return the smallest activity of each bucket but the first, for buckets of about equal size.

    There are fewer buckets if there are few rows, or if many rows have the same activity.
    """
    values, counts = np.unique(activity, return_counts=True)
    n_wanted = max(len(activity) / n_buckets, _MIN_BUCKET_ROWS)
    edges, n_below = [], 0
    for value, n_before in zip(values[1:], np.cumsum(counts)[:-1], strict=True):
        n_left = len(activity) - n_before
        if n_before - n_below >= n_wanted and n_left >= _MIN_BUCKET_ROWS:
            edges.append(value)
            n_below = n_before
    return np.array(edges, dtype=np.intp)


def bucket_of(activity, edges):
    """Return the bucket of each row, counted from 0."""
    return np.searchsorted(edges, activity, side="right")


def bucket_names(edges):
    """Return the names of the buckets, such as "16 to 26"."""
    if not len(edges):
        return ["any number"]
    between = [
        f"{first} to {after - 1}" if after - 1 > first else f"{first}"
        for first, after in pairwise(edges)
    ]
    return [f"fewer than {edges[0]}", *between, f"{edges[-1]} or more"]


def _buckets(by, names, part_of_each, part_of_pair, rows, ranks, k):
    """Return the metrics of each bucket, given the bucket of each item or row and of each pair."""
    buckets = []
    for part, name in enumerate(names):
        is_in = part_of_pair == part
        size, n_pairs = int((part_of_each == part).sum()), int(is_in.sum())
        metrics = _metrics(rows[is_in], ranks[is_in], k)
        buckets.append(BucketMetrics(by, name, size, n_pairs, *metrics))
    return buckets


def _metrics(rows, ranks, k):
    """Return MRR, NDCG and hit rate of pairs, each followed by its standard error."""
    if not len(ranks):
        return [np.nan] * 6
    metrics = rank_metrics(ranks, rows=rows, k=k)
    return [*metrics["reciprocal_rank"], *metrics["ndcg"], *metrics["hit_rate"]]


def _checked_columns(columns, name):
    columns = np.asarray(columns)
    if columns.ndim != 1 or columns.dtype.kind not in "iu" or columns.min(initial=0) < 0:
        raise ValueError(
            f"{name} must be a 1-D array of integers of 0 or more, as held_out_ranks returns it; "
            f"got dtype {columns.dtype} and shape {columns.shape}."
        )
    return columns


def _checked_numbers(numbers, name, columns, of):
    """Return the numbers as an array; raise unless there is one of 0 or more for each column."""
    numbers = check_array(numbers, ensure_2d=False, dtype=np.float64, input_name=name)
    if numbers.ndim != 1 or numbers.min() < 0 or len(numbers) <= columns.max(initial=0):
        raise ValueError(
            f"{name} has shape {numbers.shape} and a smallest value of {numbers.min():g}: pass "
            f"numbers of 0 or more, one for each of at least {columns.max(initial=0) + 1} {of}."
        )
    return numbers
