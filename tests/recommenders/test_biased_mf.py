# SPDX-License-Identifier: BSD-3-Clause
"""Predicted ratings: the minimum of the loss, matrices of known rank, and films."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import GridSearchCV

from sktransrec import BiasedMFRecommender, rating_scorer
from sktransrec.datasets import load_movielens
from sktransrec.metrics import rating_errors


def _ratings(n_rows=60, n_items=25, rank=2, density=0.5, seed=0):
    """Return the ratings of all items and the matrix of those that are known."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n_rows, rank)) @ rng.normal(size=(rank, n_items))
    full = 3 + rng.normal(size=(n_rows, 1)) + rng.normal(size=n_items) + factors
    return full, sp.csr_array(full * (rng.uniform(size=full.shape) < density))


def _loss(model, U, X):
    """Return the regularised loss of a fitted model with the factors and biases U of its rows."""
    rows, columns = X.nonzero()
    V = np.column_stack([model.item_factors_, model.item_bias_])
    predictions = model.mean_ + U[rows, -1] + V[columns, -1]
    predictions += (U[rows, :-1] * V[columns, :-1]).sum(axis=1)
    squares = (U**2).sum(axis=0), (V**2).sum(axis=0)
    penalty = model.regularization * sum(part[:-1].sum() for part in squares)
    penalty += model.bias_regularization * sum(part[-1] for part in squares)
    return ((X.data - predictions) ** 2).sum() + penalty


@pytest.mark.parametrize("n_components", [0, 1, 4, 40])
def test_rows_are_folded_in_at_the_minimum(n_components):
    """Factors and bias solve the normal equations of a row, spelt out in float64."""
    _, X = _ratings()
    model = BiasedMFRecommender(
        n_components, regularization=0.7, bias_regularization=2.0, max_iter=3, random_state=0
    ).fit(X)
    _, new = _ratings(seed=1)
    scores, factors = model.decision_function(new), model.transform(new)
    Z = np.column_stack([model.item_factors_, np.ones(25)]).astype(np.float64)
    ridge = np.diag([0.7] * n_components + [2.0])
    for row, x in enumerate(new.toarray()):
        has = x != 0
        target = (x - model.mean_ - model.item_bias_)[has]
        u = np.linalg.solve(Z[has].T @ Z[has] + ridge, Z[has].T @ target)
        assert_allclose(factors[row], u[:-1], rtol=1e-3, atol=1e-4)
        assert_allclose(scores[row], model.mean_ + model.item_bias_ + Z @ u, rtol=1e-3, atol=1e-3)


def test_sweeps_lower_the_loss_to_a_stationary_point():
    _, X = _ratings()
    losses = []
    for max_iter in (1, 2, 5, 20, 200):
        model = BiasedMFRecommender(
            3, regularization=0.5, bias_regularization=0.5, max_iter=max_iter, random_state=0
        ).fit(X)
        losses.append(_loss(model, model._row_minima(X).astype(np.float64), X))
    assert (np.diff(losses) < 0).all()
    # At the end the items are at their minimum given the rows, as the rows are given the items.
    U = model._row_minima(X)
    V = np.column_stack([model.item_factors_, model.item_bias_])
    assert_allclose(model._minima(X.T.tocsr(), U), V, atol=2e-3)


def test_noise_free_matrix_of_low_rank_is_recovered():
    full, X = _ratings(n_rows=120, n_items=50)
    model = BiasedMFRecommender(
        2, regularization=1e-3, bias_regularization=1e-3, max_iter=200, random_state=0
    ).fit(X)
    held_out = sp.csr_array(full * (X.toarray() == 0))
    inside = (held_out.data >= X.data.min()) & (held_out.data <= X.data.max())
    predictions = model.predict_ratings(X, held_out)
    assert_allclose(predictions.data[inside], held_out.data[inside], atol=0.05)
    assert full.std() > 1.5
    # New rows of the same items, too.
    new = full[:30] + 0.5
    known = sp.csr_array(new * (X.toarray()[:30] != 0))
    assert_allclose(model.decision_function(known), new, atol=0.15)


def test_biases_alone_recover_additive_ratings():
    full, X = _ratings(rank=1, seed=3)
    full = full.mean(axis=1, keepdims=True) + full.mean(axis=0)
    X = sp.csr_array(full * (X.toarray() != 0))
    model = BiasedMFRecommender(0, bias_regularization=1e-3, max_iter=50).fit(X)
    assert_allclose(model.decision_function(X), full, atol=0.01)
    assert model.transform(X).shape == (60, 0)
    with pytest.raises(ValueError, match="With n_components=0, items have no factors"):
        model.similar_items([0])


def test_predictions_stand_where_they_are_asked_for():
    _, X = _ratings()
    X.data = np.clip(np.round(X.data), 1, 5)
    model = BiasedMFRecommender(2, random_state=0).fit(X)
    wanted = np.zeros(X.shape, dtype=int)
    wanted[3, [7, 1]] = 1
    wanted[5, 2] = 9
    for pattern in (wanted, sp.coo_matrix(wanted)):
        predictions = model.predict_ratings(X, pattern)
        assert predictions.dtype == np.float32
        assert_array_equal(predictions.nonzero(), wanted.nonzero())
        expected = model.decision_function(X)[wanted.nonzero()]
        assert_allclose(predictions.data, np.clip(expected, 1, 5), rtol=1e-5)
    assert model.rating_range_ == (1, 5)


def test_empty_rows_and_unrated_items():
    _, X = _ratings()
    X = X.toarray()
    X[:, 4] = 0
    model = BiasedMFRecommender(2, random_state=0).fit(X)
    assert model.item_bias_[4] == 0
    assert not model.item_factors_[4].any()
    predictions = model.predict_ratings(np.zeros((1, 25)), np.ones((1, 25)))
    expected = np.clip(model.mean_ + model.item_bias_, *model.rating_range_)
    assert_allclose(predictions.toarray()[0], expected, rtol=1e-6)
    assert_array_equal(model.decision_function(np.zeros((1, 25)))[0], model.popularity_)


def test_ranking_is_by_predicted_rating():
    full, X = _ratings()
    model = BiasedMFRecommender(
        2, regularization=1e-3, bias_regularization=1e-3, max_iter=200, random_state=0
    ).fit(X)
    items, scores = model.recommend(X, n_recommendations=1)
    best = np.where(X.toarray() == 0, full, -np.inf).max(axis=1)
    assert np.mean(np.isclose(scores[:, 0], best, atol=0.1)) > 0.9
    assert not X.toarray()[np.arange(60), items[:, 0]].any()


def test_ratings_may_be_negative_and_shifted():
    _, X = _ratings()
    shifted = X.copy()
    shifted.data -= 100
    model = BiasedMFRecommender(2, random_state=0)
    predictions = model.fit(X).predict_ratings(X, X).data
    assert_allclose(
        model.fit(shifted).predict_ratings(shifted, X).data, predictions - 100, atol=1e-3
    )


def test_threads_change_no_bit():
    _, X = _ratings()
    models = [BiasedMFRecommender(3, random_state=0, n_jobs=n_jobs).fit(X) for n_jobs in (None, 2)]
    assert_array_equal(*(model.item_factors_ for model in models))


@pytest.mark.slow
@pytest.mark.data
def test_films(data_home):
    """Factors help beyond biases, biases beyond the mean; parameters are from validation."""
    ratings = load_movielens(data_home=data_home).ratings
    users, items = (
        np.unique(ids, return_inverse=True)[1] for ids in (ratings.user_id, ratings.movie_id)
    )
    is_test = np.random.RandomState(0).permutation(len(users)) < 20_000
    X, y = (
        sp.csr_array(
            (ratings.rating[part], (users[part], items[part])),
            shape=(users.max() + 1, items.max() + 1),
        )
        for part in (~is_test, is_test)
    )
    mean_error = np.sqrt(np.mean((y.data - X.data.mean()) ** 2))
    bias = BiasedMFRecommender(0).fit(X)
    factors = BiasedMFRecommender(random_state=0).fit(X)
    rmse = rating_errors(factors, X, y)["rmse"][0]
    assert rmse < 0.885
    assert rmse < rating_errors(bias, X, y)["rmse"][0] - 0.005
    assert rating_errors(bias, X, y)["rmse"][0] < mean_error - 0.1


def test_search_finds_the_rank():
    _, X = _ratings(n_rows=120, n_items=40, rank=2)
    search = GridSearchCV(
        BiasedMFRecommender(regularization=0.05, bias_regularization=0.05, random_state=0),
        {"n_components": [0, 2]},
        scoring=rating_scorer(holdout=0.2, random_state=0),
        cv=3,
        error_score="raise",
    ).fit(X)
    assert search.best_params_ == {"n_components": 2}
