# SPDX-License-Identifier: BSD-3-Clause
"""The metrics at k agree with hand-computed values and with ranx."""

import re

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from sktransrec.metrics import (
    average_precision_at_k,
    f1_at_k,
    hit_rate_at_k,
    ndcg_at_k,
    precision_at_k,
    recall_at_k,
    reciprocal_rank_at_k,
)

RANX_NAMES = {
    average_precision_at_k: "map",
    f1_at_k: "f1",
    hit_rate_at_k: "hit_rate",
    ndcg_at_k: "ndcg",
    precision_at_k: "precision",
    recall_at_k: "recall",
    reciprocal_rank_at_k: "mrr",
}
METRICS = pytest.mark.parametrize("metric", RANX_NAMES, ids=RANX_NAMES.values())


def _rankings(n_rows=200, n_items=40, n_ranked=12, seed=0):
    """Return random (y_true, items); some rows have nothing to find, others have padding."""
    rng = np.random.default_rng(seed)
    items = rng.permuted(np.tile(np.arange(n_items), (n_rows, 1)), axis=1)[:, :n_ranked]
    n_filled = rng.integers(1, n_ranked + 1, size=n_rows)
    items[::3] = np.where(np.arange(n_ranked) < n_filled[:, None], items, -1)[::3]
    y_true = sp.random_array((n_rows, n_items), density=0.1, rng=rng, format="csr")
    return y_true, items


def _ranx_values(y_true, items, name):
    """Return ranx's value of each row with something to find."""
    import numba

    numba.config.DISABLE_JIT = True  # compiling takes a minute, interpreting this little data none
    import ranx

    dense = y_true.toarray()
    rows = np.flatnonzero(dense.any(axis=1))
    qrels = {str(row): {str(item): 1 for item in np.flatnonzero(dense[row])} for row in rows}
    run = {
        str(row): {str(item): -rank for rank, item in enumerate(items[row]) if item >= 0}
        for row in rows
    }
    evaluated = ranx.Run(run)
    ranx.evaluate(ranx.Qrels(qrels), evaluated, [name, f"{name}@1"])
    return rows, np.array([evaluated.scores[name][str(row)] for row in rows])


@pytest.mark.filterwarnings("ignore")  # numba's own
@METRICS
@pytest.mark.parametrize("k", [1, 3, 12])
def test_agrees_with_ranx(metric, k):
    y_true, items = _rankings()
    rows, expected = _ranx_values(y_true, items, f"{RANX_NAMES[metric]}@{k}")
    values = metric(y_true, items, k, per_row=True)
    np.testing.assert_allclose(values[rows], expected, rtol=1e-12)
    assert np.isnan(np.delete(values, rows)).all()
    assert 0 < len(rows) < len(items)
    np.testing.assert_allclose(metric(y_true, items, k), expected.mean(), rtol=1e-12)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (precision_at_k, [2 / 4, 1 / 4]),
        (recall_at_k, [2 / 3, 1]),
        (f1_at_k, [4 / 7, 2 / 5]),
        (hit_rate_at_k, [1, 1]),
        (average_precision_at_k, [(1 / 2 + 2 / 4) / 3, 1]),
        (reciprocal_rank_at_k, [1 / 2, 1]),
        (
            ndcg_at_k,
            [(1 / np.log2(3) + 1 / np.log2(5)) / (1 + 1 / np.log2(3) + 1 / np.log2(4)), 1],
        ),
    ],
)
def test_values_by_hand(metric, expected):
    y_true = np.array([[1, 0, 1, 0, 1, 0], [0, 0, 0, 0, 0, 5], [0, 0, 0, 0, 0, 0]])
    items = np.array([[1, 2, 3, 4, 0], [5, 4, 3, -1, -1], [0, 1, 2, 3, 4]])
    np.testing.assert_allclose(metric(y_true, items, 4, per_row=True), [*expected, np.nan])
    np.testing.assert_allclose(metric(y_true, items, 4), np.mean(expected))


@METRICS
def test_first_relevant_items_are_perfect_unless_k_is_short_of_them(metric):
    y_true, items = [[1, 1, 1, 0]], [[2, 0, 1]]
    assert metric(y_true, items, 3) == 1
    below_1 = {f1_at_k: 2 * 2 / 5, recall_at_k: 2 / 3, average_precision_at_k: 2 / 3}
    np.testing.assert_allclose(metric(y_true, items, 2), below_1.get(metric, 1))


@METRICS
def test_one_integer_a_row_is_its_only_relevant_item(metric):
    _, items = _rankings()
    held_out = np.random.default_rng(1).integers(40, size=len(items))
    indicator = np.eye(40)[held_out]
    expected = metric(indicator, items, per_row=True)
    np.testing.assert_array_equal(metric(held_out, items, per_row=True), expected)
    np.testing.assert_array_equal(metric(held_out.tolist(), items, per_row=True), expected)
    assert metric([0, 0], [[7], [0]], 1) == metric([[1, 0], [1, 0]], [[1], [0]], 1)


@METRICS
def test_forms_of_y_true(metric):
    y_true, items = _rankings()
    expected = metric(y_true, items)
    for form in (y_true.toarray(), sp.csr_matrix(y_true), sp.csc_array(y_true), y_true.tocoo()):
        assert metric(form, items) == expected
    disliked = y_true.toarray()
    disliked[disliked == 0] = -1
    assert metric(disliked, items) == expected
    stored_zeros = sp.csr_array(y_true + y_true)
    stored_zeros.data[::2] = 0
    assert metric(stored_zeros, items) == metric(stored_zeros.toarray(), items) != expected


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_bounds_and_relations(seed, k):
    y_true, items = _rankings(n_rows=12, seed=seed)
    values = {metric: metric(y_true, items, k, per_row=True) for metric in RANX_NAMES}
    found = ~np.isnan(values[ndcg_at_k])
    for by_row in values.values():
        assert ((by_row[found] >= 0) & (by_row[found] <= 1)).all()
    hits = k * values[precision_at_k][found]
    np.testing.assert_array_equal(hits > 0, values[hit_rate_at_k][found] == 1)
    np.testing.assert_array_equal(hits > 0, values[reciprocal_rank_at_k][found] > 0)
    deeper = recall_at_k(y_true, items, 12, per_row=True)[found]
    assert (deeper >= values[recall_at_k][found]).all()


@METRICS
def test_nothing_to_find_is_an_error_and_nan_per_row(metric):
    items = [[0, 1], [1, 0]]
    with pytest.raises(ValueError, match="no relevant item in any of its 2 rows"):
        metric(np.zeros((2, 3)), items, 2)
    assert np.isnan(metric(np.zeros((2, 3)), items, 2, per_row=True)).all()


@pytest.mark.parametrize(
    ("y_true", "items", "k", "message"),
    [
        ([[1, 0]], [[0, 1]], 3, "k must be an integer from 1 to n_ranked=2, got 3"),
        ([[1, 0]], [[0, 1]], 0, "k must be"),
        ([[1, 0]], [[0, 1]], 1.0, "k must be"),
        ([[1, 0]], [[0, 1]], True, "k must be"),
        ([[1, 0]], [0, 1], 1, "items must be an integer array"),
        ([[1, 0]], [[0.0, 1.0]], 1, "items must be an integer array"),
        ([[1, 0]], [[2, 1]], 2, "items holds column 2, but y_true has 2 columns"),
        ([[1, 0]], [[-2, 1]], 2, "items holds -2"),
        ([[1, 0, 0]], [[1, 0, 1]], 3, "items holds column 1 more than once in row 0"),
        ([[1, 0], [0, 1]], [[0, 1]], 2, "y_true has shape"),
        ([0.5], [[0, 1]], 2, "y_true is 1-D"),
        ([-1], [[0, 1]], 2, "y_true holds column indices"),
        ([[np.nan, 1]], [[0, 1]], 2, "NaN"),
    ],
)
def test_bad_input(y_true, items, k, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        ndcg_at_k(y_true, items, k)
