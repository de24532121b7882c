# SPDX-License-Identifier: BSD-3-Clause
"""The closed-form ridge equals direct least squares on the steps."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import LinAlgError

from sktransrec import HistoryRecommender, NextItemRidgeRecommender, RidgeRecommender, history_steps
from sktransrec.recommenders import _next_item_ridge

RNG = np.random.RandomState(0)
X = RNG.randint(1, 9, size=(60, 6)) * (np.arange(6) < RNG.randint(2, 7, size=(60, 1)))


@pytest.mark.parametrize("n_neighbors", [3, 8])
def test_weights_solve_least_squares_on_the_neighbours(n_neighbors):
    options = {"decay": 0.6, "max_length": 3}
    model = NextItemRidgeRecommender(2.0, n_neighbors=n_neighbors, **options).fit(X)
    known, following = (part.toarray() for part in history_steps(X, **options))
    gains = (known.T @ following) / np.sqrt((known**2).sum(axis=0) + 2)[:, None]
    for j, weights in enumerate(model.item_links_.toarray().T):
        best = np.sort(np.argsort(-gains[:, j])[:n_neighbors])
        assert_array_equal(np.flatnonzero(weights), best)
        rows = np.vstack([known[:, best], np.sqrt(2) * np.eye(len(best))])
        wanted = np.append(following[:, j], np.zeros(len(best)))
        assert_allclose(weights[best], np.linalg.lstsq(rows, wanted)[0], rtol=1e-3, atol=1e-6)


def test_with_all_neighbours_it_is_ridge_regression():
    ridge = RidgeRecommender(5.0, fit_intercept=False)
    expected = HistoryRecommender(ridge, decay=0.7).fit(X).decision_function(X)
    model = NextItemRidgeRecommender(5.0, decay=0.7).fit(X)
    assert_allclose(model.decision_function(X), expected, rtol=1e-3, atol=1e-5)


def test_rows_learned_in_parts_are_rows_learned_at_once():
    whole = NextItemRidgeRecommender(n_items=8).fit(X)
    parts = NextItemRidgeRecommender(n_items=8).partial_fit(X[:15]).partial_fit(X[15:])
    parts.partial_fit(np.zeros((1, 6), dtype=int))
    assert_allclose(parts.item_links_.toarray(), whole.item_links_.toarray(), rtol=1e-4)
    assert_allclose(parts.popularity_ * 61, whole.popularity_ * 60, rtol=1e-6)


def test_the_order_of_rows_and_the_side_of_the_padding_do_not_matter():
    at_the_left = np.array([np.roll(row, np.count_nonzero(row == 0)) for row in X])
    scores = NextItemRidgeRecommender().fit(X).decision_function(X)
    others = NextItemRidgeRecommender().fit(at_the_left[::-1]).decision_function(at_the_left)
    assert_allclose(others, scores, rtol=1e-4)


def test_too_little_regularization_is_named(monkeypatch):
    def fail(*_):
        raise LinAlgError

    monkeypatch.setattr(_next_item_ridge, "neighbor_ridge", fail)
    with pytest.raises(ValueError, match="regularization=1e-12"):
        NextItemRidgeRecommender(1e-12).fit(X)
