"""Clusters of rows and of items that are planted are found again."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import poisson

from sktransrec._numerics._block_model import BlockModel, memberships, spectral_clusters

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
    losses = model.climb(20)
    assert (np.diff(losses) <= 1e-9 * abs(losses[0])).all()
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
        model.sample(8, np.random.RandomState(3))
        found.append(model.items)
    assert_array_equal(*found)
    assert_allclose(found[0].sum(axis=1), 1)
    assert are_the_same(found[0].argmax(axis=1), items)
