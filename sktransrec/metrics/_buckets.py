"""What the ranks come to for popular and for rare items, for more and less active rows."""

from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral

import numpy as np

from .._validation import Interval, check_array, validate_params
from ._pairs import checked_ranks, rank_metrics

_MIN_BUCKET_ROWS = 30
_POPULARITY_BUCKETS = ("head", "middle", "tail")


@dataclass(frozen=True)
class BucketMetrics:
    """What the ranks of the held-out pairs in a bucket come to.

    Attributes
    ----------
    by : str
        What the bucket goes by, "popularity" of the items or "activity" of the rows.
    bucket : str
        Which of them, in words.
    size : int
        Number of items, or of rows with a held-out pair, in the bucket.
    n_pairs : int
        Number of held-out pairs.
    mrr, mrr_error, ndcg, ndcg_error, hit_rate, hit_rate_error : float
        Means and their standard errors, see `rank_metrics`; NaN without pairs.

    See Also
    --------
    BucketReport : Holds one for each bucket.
    """

    by: str
    bucket: str
    size: int
    n_pairs: int
    mrr: float
    mrr_error: float
    ndcg: float
    ndcg_error: float
    hit_rate: float
    hit_rate_error: float


@dataclass(frozen=True)
class BucketReport:
    """What the ranks come to bucket by bucket; ``print`` reads it out.

    Attributes
    ----------
    k : int
        The last rank that counts for NDCG and the hit rate.
    buckets : tuple of BucketMetrics
        Those of the items by popularity, then those of the rows by activity.
        ``pandas.DataFrame(report.buckets)`` is a table of them.

    See Also
    --------
    metrics_by_bucket : Makes it.
    """

    k: int
    buckets: tuple

    def __str__(self):
        cells = [("bucket", "pairs", "MRR", f"NDCG@{self.k}", f"HR@{self.k}")]
        cells += [_cells(bucket) for bucket in self.buckets]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
            for row in cells
        ]
        return "\n".join(lines)


def _cells(metrics):
    """Return the metrics of a bucket as the strings of a line."""
    of = "items" if metrics.by == "popularity" else "rows"
    values = [
        f"{getattr(metrics, name):.4f} ± {getattr(metrics, f'{name}_error'):.4f}"
        for name in ("mrr", "ndcg", "hit_rate")
    ]
    what = metrics.bucket if of == "items" else f"interactions: {metrics.bucket}"
    return (f"{what} ({metrics.size} {of})", str(metrics.n_pairs), *values)


@validate_params(
    {
        "k": [Interval(Integral, 1, None, closed="left")],
        "n_buckets": [Interval(Integral, 1, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def metrics_by_bucket(rows, items, ranks, *, popularity, activity=None, k=10, n_buckets=3):
    """Return what the ranks come to for popular and rare items, for more and less active rows.

    A mean over all pairs is mostly one over the popular items and the active rows; this shows what
    a method does for the others.

    Parameters
    ----------
    rows, items : array-like of int of shape (n_pairs,)
        The row and the item column of each held-out pair, as `held_out_ranks` returns them.
    ranks : array-like of shape (n_pairs,)
        The rank of each pair from 1 up, infinite for a pair that is not ranked.
    popularity : array-like of shape (n_items,)
        How many rows have each item, or their share, such as the `popularity_` of a recommender.
    activity : array-like of int of shape (n_rows,), default=None
        How many interactions are known of each row. None leaves the buckets of rows out.
    k : int, default=10
        The last rank that counts for NDCG and the hit rate.
    n_buckets : int, default=3
        Number of buckets of about as many rows each, of those with a held-out pair. A bucket has
        at least 30 rows, so there may be fewer.

    Returns
    -------
    report : BucketReport
        Immutable; ``print(report)`` reads it out.

    See Also
    --------
    rank_metrics : The same for all pairs.
    transfer_gain : Compares two models on rows that are about as active.

    Notes
    -----
    The items are sorted by popularity. Those at the top that make up the first third of all
    interactions are the head, those that make up the second third the middle, and the others,
    those without interactions included, the tail: few items are the head, and most are the tail.

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
    rows, items = (_checked_columns(*pair) for pair in ((rows, "rows"), (items, "items")))
    ranks = checked_ranks(ranks)
    popularity = _checked_numbers(popularity, "popularity", items, "items")
    if not len(rows) == len(items) == len(ranks):
        raise ValueError(
            f"rows, items and ranks hold {len(rows)}, {len(items)} and {len(ranks)} values: pass "
            "those of the same pairs, as held_out_ranks returns them."
        )
    parts = popularity_thirds(popularity)
    buckets = _buckets("popularity", _POPULARITY_BUCKETS, parts, parts[items], rows, ranks, k)
    if activity is not None:
        activity = _checked_numbers(activity, "activity", rows, "rows")
        present = np.unique(rows)
        edges = bucket_edges(activity[present], n_buckets)
        parts = bucket_of(activity, edges)
        names = bucket_names(edges)
        buckets += _buckets("activity", names, parts[present], parts[rows], rows, ranks, k)
    return BucketReport(k, tuple(buckets))


def popularity_thirds(popularity):
    """Return 0 for each item of the head, 1 for the middle and 2 for the tail."""
    order = np.argsort(-popularity, kind="stable")
    total = popularity.sum()
    share_above = (np.cumsum(popularity[order]) - popularity[order]) / (total or 1)
    thirds = np.empty(len(popularity), dtype=np.intp)
    # An item belongs to the third in which its interactions begin.
    thirds[order] = np.minimum(np.floor(3 * share_above), 2)
    thirds[popularity == 0] = 2
    return thirds


def bucket_edges(activity, n_buckets):
    """Return the smallest activity of each bucket but the first, for buckets of about equal size.

    There are fewer buckets where rows are few or have the same activity.
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
    """Return the activity of each bucket in words."""
    if not len(edges):
        return ["any number"]
    between = [
        f"{first} to {after - 1}" if after - 1 > first else f"{first}"
        for first, after in pairwise(edges)
    ]
    return [f"fewer than {edges[0]}", *between, f"{edges[-1]} or more"]


def _buckets(by, names, part_of_each, part_of_pair, rows, ranks, k):
    """Return the metrics of each bucket, given those of the items or rows and of the pairs."""
    return [
        BucketMetrics(
            *(by, name, int(np.count_nonzero(part_of_each == part))),
            int(np.count_nonzero(part_of_pair == part)),
            *_metrics(rows[part_of_pair == part], ranks[part_of_pair == part], k),
        )
        for part, name in enumerate(names)
    ]


def _metrics(rows, ranks, k):
    """Return MRR, NDCG and hit rate of pairs, each followed by its standard error."""
    if not len(ranks):
        return [np.nan] * 6
    metrics = rank_metrics(ranks, rows=rows, k=k)
    return [*metrics["mrr"], *metrics["ndcg"], *metrics["hit_rate"]]


def _checked_columns(columns, name):
    columns = np.asarray(columns)
    if columns.ndim != 1 or columns.dtype.kind not in "iu" or columns.min(initial=0) < 0:
        raise ValueError(
            f"{name} must be a 1-D array of integers from 0 on, as held_out_ranks returns it; got "
            f"dtype {columns.dtype} and shape {columns.shape}."
        )
    return columns


def _checked_numbers(numbers, name, columns, of):
    """Return one number of 0 or more for each row or item that there is."""
    numbers = check_array(numbers, ensure_2d=False, dtype=np.float64, input_name=name)
    if numbers.ndim != 1 or numbers.min() < 0 or len(numbers) <= columns.max(initial=0):
        raise ValueError(
            f"{name} has shape {numbers.shape} and a smallest value of {numbers.min():g}, expected "
            f"a number of 0 or more for each of {columns.max(initial=0) + 1} {of} or more."
        )
    return numbers
