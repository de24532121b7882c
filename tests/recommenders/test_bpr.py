# SPDX-License-Identifier: BSD-3-Clause
"""BPRRecommender: implicit itself, and a fold-in that is the optimum of the row."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from sklearn.model_selection import GridSearchCV

from sktransrec import BPRRecommender
from sktransrec.datasets import make_cross_domain
from sktransrec.interactions import holdout_random
from sktransrec.metrics import ndcg_at_k


def _peer(X, n_components, **parameters):
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    peer = BayesianPersonalizedRanking(n_components, num_threads=1, **parameters)
    peer.fit(sp.csr_matrix(X), show_progress=False)
    return peer


def test_checkerboard(checkerboard):
    X = checkerboard
    items, _ = BPRRecommender(3, random_state=0).fit(X).recommend(X, n_recommendations=1)
    assert_array_equal(items[:, 0], np.arange(X.shape[0]))


def test_items_are_those_of_implicit(counts):
    X = counts
    parameters = {"regularization": 0.03, "learning_rate": 0.07, "random_state": 5}
    peer = _peer(X, 4, iterations=20, **parameters)
    model = BPRRecommender(4, max_iter=20, popularity_exponent=0, **parameters).fit(X)
    assert_array_equal(model.item_factors_, peer.item_factors[:, :4])
    assert_array_equal(model.item_bias_[:-1], peer.item_factors[:-1, 4])


def test_fold_in_is_the_optimum_of_the_row(counts):
    X = counts
    model = BPRRecommender(4, random_state=0).fit(X)
    unchanged = BPRRecommender(4, popularity_exponent=0, random_state=0).fit(X)
    V, bias = model.item_factors_.astype(float), unchanged.item_bias_.astype(float)

    def loss(u, x):
        scores = V @ u + bias
        lacking = model.negative_items_[x[model.negative_items_] == 0]
        margins = scores[x > 0][:, None] - scores[lacking]
        return np.logaddexp(0, -margins).mean() + model.regularization / 2 * u @ u

    rows = [0, 5, 20, 59]
    for x, factors in zip(X[rows].toarray(), model.transform(X[rows]), strict=True):
        expected = minimize(loss, np.zeros(4), args=(x,), tol=1e-9)
        assert loss(factors, x) <= expected.fun + 1e-4
        assert_allclose(factors, expected.x, rtol=0.05, atol=0.05)


def test_fold_in_ranks_like_the_factors_of_training():
    X, held_out = holdout_random(make_cross_domain(random_state=0).Y_target, random_state=0)
    parameters = {"regularization": 0.02, "learning_rate": 0.1, "random_state": 0}
    model = BPRRecommender(16, popularity_exponent=0, **parameters).fit(X)
    peer = _peer(X, 16, iterations=model.max_iter, **parameters)
    rows = np.flatnonzero((np.diff(X.indptr) > 0) & (np.diff(held_out.indptr) > 0))
    trained = peer.user_factors[rows, :16] @ model.item_factors_.T + model.item_bias_
    folded = model.decision_function(X[rows])
    correlations = [np.corrcoef(pair)[0, 1] for pair in zip(trained, folded, strict=True)]
    assert np.mean(correlations) > 0.9
    trained[X[rows].nonzero()] = -np.inf
    ndcg = ndcg_at_k(held_out[rows], np.argsort(-trained, axis=1)[:, :10], k=10)
    assert model.score(X[rows], held_out[rows]) > 0.95 * ndcg


def test_same_factors_whatever_the_values(counts):
    factors, others = (
        BPRRecommender(4, random_state=0).fit(X).item_factors_ for X in (counts, counts > 0)
    )
    assert_array_equal(factors, others)


def test_fit_with_a_seed_is_reproducible_and_without_one_is_not(counts):
    X = counts
    first, second = (BPRRecommender(4, random_state=0).fit(X) for _ in range(2))
    assert_array_equal(first.item_factors_, second.item_factors_)
    assert_array_equal(first.negative_items_, second.negative_items_)
    assert not np.array_equal(BPRRecommender(4).fit(X).item_factors_, first.item_factors_)
    threaded = BPRRecommender(4, n_jobs=2, random_state=0).fit(X)
    assert np.isfinite(threaded.decision_function(X)).all()


@pytest.mark.usefixtures("workers")
def test_search_in_parallel_is_the_serial_one(counts):
    rest, held_out = holdout_random(counts, random_state=0)
    grid = {"regularization": [0.01, 0.1]}
    serial, parallel = (
        GridSearchCV(BPRRecommender(4, random_state=0), grid, cv=2, n_jobs=n_jobs).fit(
            rest, held_out
        )
        for n_jobs in (1, 2)
    )
    assert_array_equal(
        serial.cv_results_["mean_test_score"], parallel.cv_results_["mean_test_score"]
    )


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (3, 2)])
def test_rows_that_lack_nothing(shape):
    model = BPRRecommender(8, random_state=0).fit(np.ones(shape))
    assert_array_equal(model.transform(np.ones(shape)), 0)
    assert np.isfinite(model.decision_function(np.ones(shape))).all()


def test_more_negative_items_change_little(monkeypatch):
    X = make_cross_domain(random_state=0).Y_target
    few = BPRRecommender(16, max_iter=20, random_state=0).fit(X)
    monkeypatch.setattr(BPRRecommender, "_n_negative_items", 2048)
    many = BPRRecommender(16, max_iter=20, random_state=0).fit(X)
    assert_array_equal(few.item_factors_, many.item_factors_)
    scores = few.decision_function(X[:200]), many.decision_function(X[:200])
    assert np.corrcoef(scores[0].ravel(), scores[1].ravel())[0, 1] > 0.98
