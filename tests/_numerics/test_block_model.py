# SPDX-License-Identifier: BSD-3-Clause
"""Clusters of rows and of items that are planted are found again."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import poisson

from sktransrec._numerics import _block_model
from sktransrec._numerics._block_model import (
    BlockModel,
    _best_orders,
    _drawn,
    memberships,
    spectral_clusters,
)

LIFTS = np.array([[3.0, 0.2], [0.2, 2.0]])


@pytest.fixture(scope="module")
def planted():
    """Return interactions in blocks, and the clusters of rows and of items."""
    rng = np.random.RandomState(0)
    rows, items = np.arange(80) % 2, np.arange(60) // 20 > 0
    X = rng.poisson(0.3 * LIFTS[rows][:, items.astype(int)])
    return sp.csr_array(X.astype(np.float32)), rows, items.astype(int)


def are_the_same(labels, truth):
    """Return whether two labels of two clusters agree but for their names."""
    agreement = (labels == truth).mean()
    return max(agreement, 1 - agreement) > 0.97


def test_memberships_are_the_posterior_of_a_poisson_model():
    of_clusters, shares = np.array([[3.0, 1.0], [0.0, 5.0]]), np.array([0.4, 0.6])
    totals = of_clusters.sum(axis=1)
    likelihood = np.array(
        [
            [poisson.pmf(counts, total * lifts * shares).prod() for lifts in LIFTS]
            for counts, total in zip(of_clusters, totals, strict=True)
        ]
    )
    expected = likelihood / likelihood.sum(axis=1, keepdims=True)
    assert_allclose(memberships(of_clusters, totals, shares, LIFTS), expected)


def test_spectral_clusters_are_the_planted_ones(planted):
    X, rows, items = planted
    found_rows, found_items = spectral_clusters(X, (2, 2), np.random.RandomState(0))()
    assert_array_equal(found_rows.sum(axis=1), 1)
    assert are_the_same(found_rows.argmax(axis=1), rows)
    assert are_the_same(found_items.argmax(axis=1), items)


def test_climbing_lowers_the_loss_and_keeps_the_order_of_the_prior(planted):
    X, rows, items = planted
    rng = np.random.RandomState(0)
    model = BlockModel(X, LIFTS, regularization=1.0)
    swapped = [np.eye(2)[1 - labels] for labels in (rows, items)]
    model.begin(*swapped, rng)
    assert_array_equal(model.rows.argmax(axis=1), rows)
    assert_array_equal(model.items.argmax(axis=1), items)
    losses = model.climb(500)
    decreases, least = -np.diff(losses), 1e-6 * X.sum()
    assert (decreases >= -1e-9 * abs(losses[0])).all()
    assert len(losses) < 500
    assert decreases[-1] < least
    assert (decreases[:-1] >= least).all()
    assert losses[-1] == model.loss()
    assert are_the_same(model.rows.argmax(axis=1), rows)


def test_lifts_of_known_clusters_are_observed_over_expected(planted):
    X, rows, items = planted
    model = BlockModel(X, np.ones((2, 2)), regularization=0.0)
    model.begin(np.eye(2)[rows], np.eye(2)[items], np.random.RandomState(0))
    dense = X.toarray()
    observed = model.rows.T @ dense @ model.items
    expected = np.outer(
        dense.sum(axis=1) @ model.rows, dense.sum(axis=0) @ model.items / dense.sum()
    )
    assert_allclose(model.lifts, observed / expected, rtol=0.02)
    assert_allclose(model.item_shares, dense.sum(axis=0) / dense.sum())


def test_sampling_is_that_of_the_seed(planted):
    X, rows, items = planted
    found = []
    for _ in range(2):
        model = BlockModel(X, LIFTS, regularization=1.0)
        model.begin(np.eye(2)[rows], np.eye(2)[items], np.random.RandomState(0))
        model.sample(6, np.random.RandomState(3))
        found.append(model.items)
    assert_array_equal(*found)
    assert_allclose(found[0].sum(axis=1), 1)
    assert are_the_same(found[0].argmax(axis=1), items)


@pytest.mark.parametrize("regularization", [3.0, np.inf])
def test_a_climb_ends_where_all_other_values_have_larger_losses(
    planted, regularization, monkeypatch
):
    X, rows, items = planted
    monkeypatch.setattr(_block_model, "_TOLERANCE", -1)
    model = BlockModel(X[:12, 14:26], LIFTS, regularization)
    model.begin(np.eye(2)[rows[:12]], np.eye(2)[items[14:26]], np.random.RandomState(0))
    least = model.climb(40)[-1]
    scales, lifts = ["row_scales", "item_scales"], ["_cell_lifts"] * bool(regularization < np.inf)
    for name in ["rows", "items", *scales, *lifts]:
        best = getattr(model, name)
        for place in np.ndindex(best.shape):
            for factor in (0.99, 1.01):
                other = best.copy()
                other[place] *= factor
                if name in ("rows", "items"):
                    other /= other.sum(axis=1, keepdims=True)
                setattr(model, name, other)
                assert model.loss() > least or abs(other - best).max() < 1e-5
        setattr(model, name, best)


def test_clusters_are_put_in_the_order_that_fits_best():
    rng = np.random.RandomState(0)
    lifts, expected = rng.uniform(0.2, 3, size=(5, 3)), rng.uniform(20, 30, size=(5, 3))
    observed = lifts * expected
    rows, items = rng.permutation(5), rng.permutation(3)
    shuffled = observed[rows][:, items], expected[rows][:, items]
    row_order, item_order = _best_orders(*shuffled, lifts, rng)
    assert_array_equal(rows[row_order], np.arange(5))
    assert_array_equal(items[item_order], np.arange(3))


def test_draws_have_their_probabilities():
    probabilities = np.tile([0.2, 0.3, 0.5], (2000, 1))
    drawn = _drawn(probabilities, np.random.RandomState(0))
    assert_array_equal(drawn.sum(axis=1), 1)
    assert_allclose(drawn.mean(axis=0), [0.2, 0.3, 0.5], atol=0.04)
    rounded = np.zeros((5, 3))
    assert_array_equal(_drawn(rounded, np.random.RandomState(0)), [[0, 0, 1]] * 5)


def test_spectral_clusters_of_three_kinds_of_rows():
    rng = np.random.RandomState(0)
    rows, items = np.arange(90) % 3, np.arange(60) % 3
    activity = rng.uniform(0.2, 3, size=(90, 1))
    means = activity * np.where(rows[:, None] == items, 2.0, 0.1)
    X = sp.csr_array(rng.poisson(means).astype(np.float32))
    draws = [spectral_clusters(X, (3, 3), np.random.RandomState(1))() for _ in range(2)]
    for found, again, truth in zip(*draws, (rows, items), strict=True):
        assert_array_equal(found, again)
        shares = np.eye(3)[truth].T @ found / found.sum(axis=0)
        assert_allclose(np.sort(shares, axis=0)[-1], 1, atol=0.1)


@pytest.mark.parametrize("n_clusters", [(1, 1), (4, 5)])
def test_there_may_be_one_cluster_or_more_than_rows(n_clusters):
    X = sp.csr_array(np.array([[1, 0], [0, 1], [1, 1]], dtype=np.float32))
    found = spectral_clusters(X, n_clusters, np.random.RandomState(0))()
    for each, n_points, n in zip(found, X.shape, n_clusters, strict=True):
        assert each.shape == (n_points, n)
        assert_array_equal(each.sum(axis=1), 1)
