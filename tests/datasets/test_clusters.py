# SPDX-License-Identifier: BSD-3-Clause
"""make_cluster_domains: what is chosen is what was said to be liked."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sktransrec.datasets import make_cluster_domains


def one_hot(clusters):
    return np.eye(clusters.max() + 1)[clusters]


def log_lifts(X, user_clusters, item_clusters):
    """Return the logarithm of how much more the clusters have than activity and popularity say."""
    U, V = one_hot(user_clusters), one_hot(item_clusters)
    observed = U.T @ X @ V
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / observed.sum()
    return np.log(observed / expected)


def test_shapes_densities_and_clusters():
    domains = make_cluster_domains(random_state=0, return_truth=True)
    for name, shape, density in (("source", (400, 150), 0.15), ("target", (200, 100), 0.05)):
        X, truth = domains[f"X_{name}"], domains.truth
        assert X.shape == shape
        assert X.dtype == np.float32
        assert set(X.data) == {1}
        assert X.sum(axis=1).min() >= 1
        assert X.nnz / np.prod(shape) == pytest.approx(density, rel=0.1)
        for of, n in zip(("user", "item"), shape, strict=True):
            assert_array_equal(np.bincount(truth[f"{name}_{of}_clusters"]), np.full(10, n // 10))
        assert truth[f"{name}_popularity"].sum() == pytest.approx(1)


@pytest.mark.parametrize("name", ["source", "target"])
def test_clusters_choose_what_they_like(name):
    sizes = {f"n_{name}_users": 10000, f"n_{name}_items": 400, f"{name}_density": 0.0075}
    domains = make_cluster_domains(
        **sizes, n_user_clusters=3, n_item_clusters=4, random_state=0, return_truth=True
    )
    truth = domains.truth
    lifts = log_lifts(
        domains[f"X_{name}"], truth[f"{name}_user_clusters"], truth[f"{name}_item_clusters"]
    )
    expected = 2 * truth[f"{name}_likings"]
    for matrix in (lifts, expected):
        matrix -= matrix.mean(axis=1, keepdims=True)
        matrix -= matrix.mean(axis=0)
    # Without replacement, what is liked most runs out a little.
    np.testing.assert_allclose(lifts, expected, atol=0.3)
    assert np.corrcoef(lifts.ravel(), expected.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("relatedness", [0, 0.6, 1])
def test_relatedness_is_the_correlation_of_the_likings(relatedness):
    truth = make_cluster_domains(
        n_source_users=1,
        n_target_users=1,
        n_user_clusters=100,
        n_item_clusters=100,
        relatedness=relatedness,
        random_state=0,
        return_truth=True,
    ).truth
    likings = truth.source_likings, truth.target_likings
    correlation = np.corrcoef(*(values.ravel() for values in likings))[0, 1]
    assert correlation == pytest.approx(relatedness, abs=0.03)
    for values in likings:
        assert values.std() == pytest.approx(1, abs=0.03)


def test_random_state():
    first, same, other = (make_cluster_domains(random_state=seed) for seed in (0, 0, 1))
    for name in ("X_source", "X_target"):
        assert (first[name] != same[name]).nnz == 0
        assert (first[name] != other[name]).nnz > 0
    assert "truth" not in first


def test_less_than_one_item_a_user_is_an_error():
    with pytest.raises(ValueError, match=r"target_density=0\.005 of n_target_items=100"):
        make_cluster_domains(target_density=0.005)
