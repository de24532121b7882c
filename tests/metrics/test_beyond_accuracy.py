# SPDX-License-Identifier: BSD-3-Clause
"""Each metric equals the formula in its docstring, written as a loop over rows and items."""

import math

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics.pairwise import cosine_distances

from sktransrec.metrics import (
    calibration_error_at_k,
    coverage_at_k,
    diversity_at_k,
    gini_at_k,
    novelty_at_k,
    popularity_lift_at_k,
    serendipity_at_k,
)


@st.composite
def rankings(draw):
    """Return the lists of a few rows, some with empty places at the end, and facts of the items."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_rows, n_items, k = draw(st.integers(1, 6)), draw(st.integers(2, 9)), draw(st.integers(1, 4))
    k = min(k, n_items)
    items = np.array([rng.permutation(n_items)[:k] for _ in range(n_rows)])
    n_filled = rng.integers(draw(st.integers(0, 1)), k + 1, size=n_rows)
    items[np.arange(k) >= n_filled[:, None]] = -1
    popularity = rng.choice([0, 0.1, 0.25, 0.25, 0.5, 1.0], size=n_items)
    interactions = (rng.uniform(size=(n_rows, n_items)) < 0.4).astype(float)
    vectors = rng.integers(0, 3, size=(n_items, 3)).astype(float)
    return items, popularity, interactions, vectors


def _filled(row):
    return [item for item in row if item >= 0]


def _assert_rows_and_mean(function, expected, *arguments):
    expected = np.array(expected, dtype=float)
    found = function(*arguments, per_row=True)
    assert_allclose(found, expected, rtol=1e-6, atol=1e-9)
    if np.isnan(expected).all():
        with pytest.raises(ValueError, match="not defined"):
            function(*arguments)
    else:
        assert_allclose(function(*arguments), np.nanmean(expected), rtol=1e-6, atol=1e-9)


@given(rankings())
def test_coverage_and_gini(case):
    items, popularity, _, _ = case
    n_items, k = len(popularity), items.shape[1]
    counts = [sum(item in row for row in items.tolist()) for item in range(n_items)]
    assert_allclose(coverage_at_k(items, n_items, k), np.mean(np.array(counts) > 0))
    if sum(counts):
        differences = sum(abs(a - b) for a in counts for b in counts)
        assert_allclose(
            gini_at_k(items, n_items, k),
            differences / (2 * n_items * sum(counts)),
            atol=1e-12,
        )


@given(rankings())
def test_novelty(case):
    items, popularity, _, _ = case
    rarest = min((p for p in popularity if p > 0), default=1.0)
    expected = [
        np.mean([-math.log2(popularity[i] or rarest) for i in _filled(row)])
        if _filled(row)
        else np.nan
        for row in items
    ]
    _assert_rows_and_mean(novelty_at_k, expected, items, popularity, items.shape[1])


@given(rankings())
def test_popularity_lift(case):
    items, popularity, interactions, _ = case
    pairs = []
    for row, had in zip(items, interactions, strict=True):
        own = popularity[had > 0].mean() if had.any() else 0
        given_to = np.mean(popularity[_filled(row)]) if _filled(row) else np.nan
        pairs.append((given_to, own if own > 0 and _filled(row) else np.nan))
    given_to, own = np.array(pairs).T
    arguments = items, popularity, interactions, items.shape[1]
    assert_allclose(popularity_lift_at_k(*arguments, per_row=True), given_to / own - 1)
    defined = ~np.isnan(own)
    if defined.any():
        expected = given_to[defined].sum() / own[defined].sum() - 1
        assert_allclose(popularity_lift_at_k(*arguments), expected)
    else:
        with pytest.raises(ValueError, match="lift is not defined"):
            popularity_lift_at_k(*arguments)


@given(rankings())
def test_diversity(case):
    items, _, _, vectors = case
    distances = cosine_distances(vectors)
    expected = []
    for row in map(_filled, items):
        pairs = [distances[i, j] for i in row for j in row if i != j]
        expected.append(np.mean(pairs) if pairs else np.nan)
    for given_vectors in (vectors, sp.csr_array(vectors)):
        _assert_rows_and_mean(diversity_at_k, expected, items, given_vectors, items.shape[1])


@given(rankings())
def test_serendipity(case):
    items, popularity, y, _ = case
    n_items = len(popularity)
    expected = []
    for row, relevant in zip(items, y, strict=True):
        gains = []
        for rank, item in enumerate(row, start=1):
            above = np.sum(popularity > popularity[item])
            tied = np.sum(popularity == popularity[item])
            by_popularity = above + (tied + 1) / 2
            is_hit = item >= 0 and relevant[item] > 0
            gains.append(is_hit * max(0, by_popularity - rank) / n_items)
        expected.append(np.mean(gains) if relevant.any() else np.nan)
    _assert_rows_and_mean(serendipity_at_k, expected, y, items, popularity, items.shape[1])


@given(rankings())
def test_calibration_error(case):
    items, _, interactions, classes = case
    sums = classes.sum(axis=1, keepdims=True)
    shares = np.divide(classes, sums, out=np.zeros_like(classes), where=sums > 0)
    expected = []
    for row, had in zip(items, interactions, strict=True):
        p, q = shares[had > 0].sum(axis=0), shares[_filled(row)].sum(axis=0)
        if not p.any() or not q.any():
            expected.append(np.nan)
            continue
        p, q = p / p.sum(), q / q.sum()
        terms = [a * math.log(a / (0.99 * b + 0.01 * a)) for a, b in zip(p, q, strict=True) if a]
        expected.append(sum(terms))
    arguments = items, interactions, classes, items.shape[1]
    _assert_rows_and_mean(calibration_error_at_k, expected, *arguments)


def test_extremes_by_hand():
    everyone_gets_the_same = np.tile([[0, 1]], (5, 1))
    assert coverage_at_k(everyone_gets_the_same, 10, 2) == 0.2
    assert_allclose(gini_at_k(everyone_gets_the_same[:, :1], 10, 1), 0.9)
    one_each = np.arange(10)[:, None]
    assert coverage_at_k(one_each, 10, 1) == 1
    assert_allclose(gini_at_k(one_each, 10, 1), 0, atol=1e-12)
    assert_array_equal(diversity_at_k([[0, 1]], np.eye(2), 2, per_row=True), [1])


ITEMS = [[0, 1], [2, -1]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: coverage_at_k(ITEMS, 2, 2), "items holds column 2, but n_items has 2 items"),
        (lambda: coverage_at_k(ITEMS, 0, 2), "n_items"),
        (lambda: gini_at_k([[-1]], 3, 1), "only empty places"),
        (lambda: novelty_at_k(ITEMS, [0.5, 0.5], 2), "items holds column 2, but popularity"),
        (lambda: novelty_at_k(ITEMS, [0.5, -0.5, 0.1], 2), "0 or more"),
        (lambda: novelty_at_k(ITEMS, [5, 3, 1], 2), "divide numbers of rows"),
        (lambda: diversity_at_k(ITEMS, np.eye(2), 2), "items holds column 2, but item_vectors"),
        (lambda: diversity_at_k(ITEMS, np.full((3, 2), np.nan), 2), "item_vectors contains NaN"),
        (
            lambda: popularity_lift_at_k(ITEMS, [0.1] * 3, np.eye(3), 2),
            r"interactions has shape \(3, 3\), but there are 2 rows",
        ),
        (
            lambda: calibration_error_at_k(ITEMS, np.eye(3)[:2], -np.eye(3), 2),
            "item_classes holds -1",
        ),
        (
            lambda: calibration_error_at_k(ITEMS, np.eye(3)[:2], ["drama", "crime", "drama"], 2),
            "item_classes is 1-D: pass a row for each item.*OneHotEncoder",
        ),
        (lambda: diversity_at_k(ITEMS, [1.5, 2.5, 2.0], 2), "item_vectors is 1-D"),
        (lambda: novelty_at_k([[0, 0]], [0.5], 2), "more than once"),
        (lambda: novelty_at_k(ITEMS, [0.1] * 3, 3), "k"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
