# SPDX-License-Identifier: BSD-3-Clause
"""Metrics of buckets are those of their pairs alone; buckets are what they say."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from sktransrec.metrics import metrics_by_bucket, rank_metrics
from sktransrec.metrics._buckets import bucket_edges, bucket_names, bucket_of, popularity_thirds


@pytest.fixture(scope="module")
def pairs():
    """Return rows, items and ranks of pairs whose ranks grow with the item, and popularity."""
    rng = np.random.default_rng(0)
    rows = np.sort(rng.integers(200, size=900))
    items = rng.integers(60, size=900)
    ranks = rng.integers(1, 3 + items)
    return rows, items, ranks, 1000.0 / np.arange(1, 61)


def test_metrics_are_those_of_the_pairs_of_a_bucket(pairs):
    rows, items, ranks, popularity = pairs
    activity = np.arange(200) % 9
    report = metrics_by_bucket(*pairs[:3], popularity=popularity, activity=activity, k=5)
    parts = popularity_thirds(popularity)[items]
    edges = bucket_edges(activity[np.unique(rows)], 3)
    masks = [parts == part for part in range(3)]
    masks += [bucket_of(activity[rows], edges) == part for part in range(3)]
    assert len(report.buckets) == 6
    for bucket, mask in zip(report.buckets, masks, strict=True):
        expected = rank_metrics(ranks[mask], rows=rows[mask], k=5)
        assert bucket.n_pairs == mask.sum()
        assert (bucket.reciprocal_rank, bucket.reciprocal_rank_error) == expected["reciprocal_rank"]
        assert (bucket.ndcg, bucket.ndcg_error) == expected["ndcg"]
        assert (bucket.hit_rate, bucket.hit_rate_error) == expected["hit_rate"]
    by_popularity, by_activity = report.buckets[:3], report.buckets[3:]
    assert [bucket.bucket for bucket in by_popularity] == ["head", "middle", "tail"]
    assert sum(bucket.size for bucket in by_popularity) == 60
    assert sum(bucket.size for bucket in by_activity) == len(np.unique(rows))
    assert by_popularity[0].ndcg > by_popularity[1].ndcg > by_popularity[2].ndcg
    # All pairs are in one bucket of either kind: their mean is the mean of the buckets.
    overall = rank_metrics(ranks, rows=rows, k=5)["ndcg"][0]
    for buckets in (by_popularity, by_activity):
        sizes = [bucket.n_pairs for bucket in buckets]
        assert_allclose(np.average([bucket.ndcg for bucket in buckets], weights=sizes), overall)


def test_report_is_a_text_and_a_table(pairs):
    report = metrics_by_bucket(*pairs[:3], popularity=pairs[3], activity=np.ones(200), k=7)
    lines = repr(report).split("\n")
    assert len(lines) == 5
    assert "NDCG@7" in lines[0]
    assert lines[1].startswith("head (")
    assert lines[4].startswith("interactions: any number (")
    assert f"{report.buckets[1].ndcg:.4f} ± {report.buckets[1].ndcg_error:.4f}" in lines[2]
    assert len({len(line) for line in lines}) == 1
    table = pd.DataFrame(report.buckets)
    assert table.loc[2, ["by", "bucket"]].tolist() == ["popularity", "tail"]
    assert table["n_pairs"].sum() == 2 * 900


def test_a_bucket_without_pairs_has_no_metrics():
    report = metrics_by_bucket([0, 1], [0, 0], [1, 2], popularity=[9, 8, 7])
    assert [bucket.n_pairs for bucket in report.buckets] == [2, 0, 0]
    assert np.isnan(report.buckets[2].ndcg)
    assert "nan" in str(report)


def test_thirds_of_known_popularity():
    assert_array_equal(popularity_thirds(np.array([1.0, 30, 10, 0, 20, 29])), [2, 0, 2, 2, 1, 1])
    assert_array_equal(popularity_thirds(np.full(6, 5.0)), [0, 0, 1, 1, 2, 2])
    assert_array_equal(popularity_thirds(np.zeros(3)), [2, 2, 2])


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40), st.integers(1, 10**6))
@example([7, 7, 7], 384)
def test_thirds_of_counts_and_of_shares_of_rows_are_the_same(counts, n_rows):
    shares = (np.array(counts) / n_rows).astype(np.float32)
    assert_array_equal(popularity_thirds(shares), popularity_thirds(np.array(counts)))


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40))
def test_thirds_are_ordered_and_hold_about_a_third(popularity):
    popularity = np.array(popularity, dtype=float)
    parts = popularity_thirds(popularity)
    for part in (0, 1):
        inside = popularity[parts == part]
        after = popularity[parts > part]
        if len(inside) and len(after):
            assert inside.min() >= after.max()
        # The last item may reach beyond the third, but does not begin there.
        assert inside.sum() - inside.min(initial=np.inf if len(inside) else 0) <= (
            popularity.sum() / 3 + 1e-9
        )


@pytest.mark.parametrize(
    ("activity", "n_buckets", "edges"),
    [
        (np.arange(300), 3, [100, 200]),
        (np.arange(300), 1, []),
        (np.arange(59), 3, []),
        (np.repeat([1, 2], [200, 100]), 3, [2]),
        (np.repeat([1, 2, 9], [40, 240, 20]), 3, []),
        (np.repeat([0, 7], 150), 4, [7]),
        (np.full(300, 5), 3, []),
        (np.empty(0, dtype=int), 3, []),
    ],
)
def test_buckets_are_about_equal_and_never_small(activity, n_buckets, edges):
    actual = bucket_edges(activity, n_buckets)
    assert_array_equal(actual, edges)
    sizes = np.bincount(bucket_of(activity, actual))
    assert len(sizes) in (0, len(edges) + 1)
    assert not len(edges) or sizes.min() >= 30


def test_names_say_what_the_buckets_hold():
    edges = np.array([3, 4, 9])
    assert bucket_names(edges) == ["fewer than 3", "3", "4 to 8", "9 or more"]
    assert_array_equal(bucket_of(np.array([0, 2, 3, 4, 8, 9, 50]), edges), [0, 0, 1, 2, 2, 3, 3])
    assert bucket_names(edges[:0]) == ["any number"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rows": [0.5, 1]}, "rows must be a 1-D array of integers"),
        ({"items": [[0, 1]]}, "items must be a 1-D array of integers"),
        ({"items": [0, -1]}, "items must be a 1-D array of integers"),
        ({"ranks": [1]}, "rows, items and ranks hold 2, 2 and 1 values"),
        ({"ranks": [0, 1]}, "ranks must be 1-D and start at 1"),
        ({"popularity": [1]}, "popularity has shape"),
        ({"popularity": [1, -1]}, "popularity has shape"),
        ({"activity": [3]}, "activity has shape"),
        ({"activity": [0.5, 1]}, "activity holds fractions"),
        ({"n_buckets": 0}, "n_buckets"),
    ],
)
def test_bad_input(arguments, message):
    defaults = {"rows": [0, 1], "items": [0, 1], "ranks": [1, 2], "popularity": [2, 1]}
    with pytest.raises(ValueError, match=message):
        metrics_by_bucket(**{**defaults, **arguments})
