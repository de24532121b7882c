# SPDX-License-Identifier: BSD-3-Clause
"""LogisticMFRecommender: implicit itself, and a fold-in that is the optimum of the row."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize

from sktransrec import LogisticMFRecommender
from sktransrec.datasets import make_cross_domain
from sktransrec.interactions import holdout_random
from sktransrec.metrics import ndcg_at_k


def _peer(X, n_components, **parameters):
    from implicit.cpu.lmf import LogisticMatrixFactorization

    peer = LogisticMatrixFactorization(n_components, num_threads=1, **parameters)
    peer.fit(sp.csr_matrix(X), show_progress=False)
    return peer


def test_checkerboard(checkerboard):
    X = checkerboard
    model = LogisticMFRecommender(8, random_state=0).fit(X)
    items, _ = model.recommend(X, n_recommendations=1)
    assert_array_equal(items[:, 0], np.arange(X.shape[0]))


def test_items_are_those_of_implicit(counts):
    X = counts
    parameters = {"regularization": 1.5, "learning_rate": 0.5, "random_state": 5}
    peer = _peer(X * np.float32(0.5), 4, iterations=20, **parameters)
    parameters |= {"confidence": 0.5, "popularity_exponent": 0}
    model = LogisticMFRecommender(4, max_iter=20, **parameters).fit(X)
    assert_array_equal(model.item_factors_, peer.item_factors[:, :4])
    assert_array_equal(model.item_bias_[:-1], peer.item_factors[:-1, 4])


@pytest.mark.parametrize("confidence", [0.3, 1.0])
def test_fold_in_is_the_optimum_of_the_row(confidence, counts):
    X = counts
    model = LogisticMFRecommender(4, confidence=confidence, random_state=0).fit(X)
    V = np.column_stack([model.item_factors_, np.ones(X.shape[1])]).astype(float)
    unchanged = LogisticMFRecommender(
        4, confidence=confidence, popularity_exponent=0, random_state=0
    ).fit(X)
    negatives = model.negative_items_

    def loss(u, x):
        logits = V @ u + unchanged.item_bias_
        n_negatives = min(30 * (x > 0).sum(), 4 + 2)
        return (
            confidence * x @ np.logaddexp(0, -logits)
            + n_negatives * np.logaddexp(0, logits[negatives]).mean()
            + model.regularization / 2 * u @ u
        )

    rows = [0, 5, 20, 59]
    for x, factors in zip(X[rows].toarray(), model.transform(X[rows]), strict=True):
        expected = minimize(loss, np.zeros(5), args=(x,), tol=1e-9)
        assert_allclose(factors, expected.x[:-1], rtol=0.02, atol=0.02)


def test_fold_in_ranks_like_the_factors_of_training():
    X, held_out = holdout_random(make_cross_domain(random_state=0).Y_target, random_state=0)
    model = LogisticMFRecommender(16, popularity_exponent=0, random_state=0).fit(X)
    peer = _peer(X, 16, iterations=model.max_iter, regularization=2.0, random_state=0)
    rows = np.flatnonzero((np.diff(X.indptr) > 0) & (np.diff(held_out.indptr) > 0))
    trained = peer.user_factors[rows, :16] @ model.item_factors_.T + model.item_bias_
    folded = model.decision_function(X[rows])
    correlations = [np.corrcoef(pair)[0, 1] for pair in zip(trained, folded, strict=True)]
    assert np.mean(correlations) > 0.9
    trained[X[rows].nonzero()] = -np.inf
    ndcg = ndcg_at_k(held_out[rows], np.argsort(-trained, axis=1)[:, :10], k=10)
    assert model.score(X[rows], held_out[rows]) > 0.97 * ndcg


@pytest.mark.parametrize("n_jobs", [None, 1, 2])
def test_fit_with_a_seed_is_reproducible(n_jobs, counts):
    X = counts
    first, second = (
        LogisticMFRecommender(4, n_jobs=n_jobs, random_state=0).fit(X) for _ in range(2)
    )
    assert_array_equal(first.item_factors_, second.item_factors_)
    assert_array_equal(first.negative_items_, second.negative_items_)


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (3, 2)])
def test_fewer_rows_or_items_than_components(shape):
    X = np.ones(shape)
    model = LogisticMFRecommender(8, random_state=0).fit(X)
    scores = model.decision_function(X)
    assert_allclose(scores, np.tile(scores[0], (len(X), 1)), atol=1e-6)
    products = model.transform(X) @ model.item_factors_.T + model.item_bias_
    assert_allclose(scores, products, atol=1e-5)
