# SPDX-License-Identifier: BSD-3-Clause
"""The factors that ALS starts from are the singular vectors of the scaled interactions."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import block_diag

from sktransrec import ALSRecommender
from sktransrec.recommenders._als_start import first_item_factors, scaled_pattern, scales_of


def _blocks():
    """Return counts of three groups of rows, each with its own items: a pattern of rank 3."""
    pattern = block_diag(np.ones((20, 5)), np.ones((8, 4)), np.ones((3, 6)))
    X = sp.csr_array(pattern, dtype=np.float32)
    X.data *= np.random.default_rng(0).integers(1, 9, size=X.nnz)
    return X


def test_their_products_are_the_root_of_the_gram_matrix():
    X = _blocks()
    scales = scales_of((X.toarray() > 0).sum(axis=0))
    scaled = first_item_factors(X, 3, 0) * scales[:, None]
    N = scaled_pattern(X, scales).toarray().astype(float)
    assert_allclose(np.linalg.matrix_power(scaled @ scaled.T, 2), N.T @ N, atol=1e-4)


def test_the_pattern_counts_and_not_the_values():
    X = _blocks()
    assert_array_equal(first_item_factors(X, 3, 0), first_item_factors(X.sign(), 3, 0))


@pytest.mark.parametrize("n_components", [2, 15, 20])
def test_any_number_of_components(n_components):
    V = first_item_factors(_blocks(), n_components, 0)
    assert V.shape == (15, n_components)
    assert np.isfinite(V).all()
    assert not V[:, 15:].any()


def test_an_item_that_nobody_has_starts_from_zero():
    X = sp.hstack([_blocks(), sp.csr_array((31, 2), dtype=np.float32)], format="csr")
    assert_allclose(first_item_factors(sp.csr_array(X), 3, 0)[15:], 0, atol=1e-6)


def test_one_sweep_tells_the_blocks_apart():
    X = _blocks()
    parameters = {"regularization": 0.02, "max_iter": 1, "random_state": 0}
    model = ALSRecommender(3, init="svd", **parameters).fit(X)
    rows = sp.csr_array(np.eye(15, dtype=np.float32))
    block = np.repeat([0, 1, 2], [5, 4, 6])
    items, _ = model.recommend(rows, n_recommendations=3)
    assert_array_equal(block[items], np.repeat(block[:, None], 3, axis=1))
