# SPDX-License-Identifier: BSD-3-Clause
import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.linear_model import Ridge

from sktransrec import EASERecommender, RidgeRecommender, recommend
from sktransrec._numerics import _memory


def domain(n_rows, n_features, n_items, *, seed=0, sparse=True):
    rng = np.random.RandomState(seed)
    X = rng.poisson(0.4, size=(n_rows, n_features)).astype(np.float32)
    X[:, 0] += 1
    y = rng.poisson(0.3, size=(n_rows, n_items)).astype(np.float32)
    return (sp.csr_array(X) if sparse else X), sp.csr_array(y)


@given(
    n_rows=st.integers(2, 40),
    n_features=st.integers(1, 40),
    n_items=st.integers(2, 40),
    regularization=st.floats(0.1, 100),
    fit_intercept=st.booleans(),
    sparse=st.booleans(),
    solver=st.sampled_from(["primal", "dual"]),
)
def test_agrees_with_ridge_regression(
    n_rows, n_features, n_items, regularization, fit_intercept, sparse, solver
):
    X, y = domain(n_rows, n_features, n_items, sparse=sparse)
    dense = X.toarray() if sparse else X
    expected = Ridge(alpha=regularization, fit_intercept=fit_intercept).fit(dense, y.toarray())
    model = RidgeRecommender(regularization, fit_intercept=fit_intercept, solver=solver).fit(X, y)
    np.testing.assert_allclose(
        model.decision_function(X), expected.predict(dense).reshape(y.shape), atol=1e-3
    )
    np.testing.assert_allclose(model.coef_, expected.coef_.reshape(n_items, -1), atol=1e-3)
    np.testing.assert_allclose(model.intercept_, expected.intercept_, atol=1e-3)


@pytest.mark.parametrize(("shape", "solver"), [((30, 20), "primal"), ((20, 30), "dual")])
def test_auto_inverts_the_smaller_matrix(shape, solver):
    X, y = domain(*shape, 10)
    model = RidgeRecommender().fit(X, y)
    assert model.solver_ == solver
    np.testing.assert_allclose(
        model.decision_function(X),
        RidgeRecommender(solver=solver).fit(X, y).decision_function(X),
        atol=1e-6,
    )


@pytest.mark.parametrize("solver", ["primal", "dual"])
def test_ill_conditioned_features_are_solved_in_float64(solver):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(60, 20)) * np.logspace(-2, 3, 20) + 100
    y = sp.csr_array(rng.poisson(0.3, size=(60, 15)).astype(float))
    X = X.astype(np.float32)
    expected = Ridge(alpha=1.0, solver="svd").fit(X.astype(float), y.toarray())
    model = RidgeRecommender(1.0, solver=solver).fit(X, y)
    np.testing.assert_allclose(model.decision_function(X), expected.predict(X), atol=2e-3)


@pytest.mark.parametrize("solver", ["primal", "dual"])
def test_checkerboard(solver):
    """Even source items lead to even target items, odd ones to odd ones."""
    X = np.kron(np.ones((10, 6)), np.eye(2))
    y = np.kron(np.ones((10, 4)), np.eye(2))
    model = RidgeRecommender(1.0, solver=solver).fit(X, y)
    new_rows = np.array([[1.0, 0.0] + [0.0] * 10, [0.0, 1.0] + [0.0] * 10])
    items, _ = recommend(model, new_rows, n_recommendations=4)
    assert (items % 2 == [[0], [1]]).all()


def test_blocks_of_items_do_not_matter(monkeypatch):
    X, y = domain(50, 20, 30)
    expected = RidgeRecommender().fit(X, y).coef_
    monkeypatch.setattr("sktransrec.recommenders._linear.get_chunk_n_rows", lambda **_: 7)
    np.testing.assert_allclose(RidgeRecommender().fit(X, y).coef_, expected, atol=1e-6)


def test_strong_regularization_leaves_the_popularity():
    X, y = domain(50, 20, 30)
    scores = RidgeRecommender(1e9).fit(X, y).decision_function(X)
    np.testing.assert_allclose(scores, np.tile(y.mean(axis=0), (50, 1)), atol=1e-5)


@pytest.mark.parametrize(("shape", "solver"), [((1000, 800), "primal"), ((800, 5000), "dual")])
def test_memory_is_little_more_than_what_is_stated(shape, solver):
    rng = np.random.default_rng(0)
    X = sp.random_array(shape, density=0.002, format="csr", rng=rng, dtype=np.float32)
    y = sp.random_array((shape[0], 1600), density=0.002, format="csr", rng=rng, dtype=np.float32)
    n_bytes = 4 * 800**2 + (4 * 800 * 1600 if solver == "primal" else 0)
    tracemalloc.start()
    with config_context(working_memory=0.25):
        model = RidgeRecommender(solver=solver).fit(X, y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert model.solver_ == solver
    assert peak < 1.3 * n_bytes


def test_too_large_a_fit_is_refused_before_it_starts(monkeypatch):
    X, y = domain(50, 20, 30)
    monkeypatch.setattr(_memory, "available_memory", lambda: 1000)
    RidgeRecommender().fit(X, y)
    monkeypatch.setattr(_memory, "_ALWAYS_AVAILABLE", 0)
    with pytest.raises(MemoryError, match=r"RidgeRecommender needs .* GiB .* TruncatedSVD"):
        RidgeRecommender().fit(X, y)


@pytest.mark.parametrize("solver", ["primal", "dual"])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_auto_has_a_weight_for_each_column(solver, sparse, fit_intercept):
    X, y = domain(30, 12, 15)
    dense = X.toarray().astype(float)
    model = RidgeRecommender(fit_intercept=fit_intercept, solver=solver)
    model.fit(X if sparse else X.toarray(), y)
    A, Y = dense, y.toarray()
    if fit_intercept:
        A, Y = A - A.mean(axis=0), Y - Y.mean(axis=0)
    counts = np.count_nonzero(dense, axis=0)
    ridges = 80 * (A**2).sum() / counts.sum() * counts**0.25
    np.testing.assert_allclose(model.regularization_, ridges, rtol=1e-4)
    expected = np.linalg.solve(A.T @ A + np.diag(ridges), A.T @ Y).T
    np.testing.assert_allclose(model.coef_, expected, rtol=1e-3, atol=1e-5)


def test_auto_does_not_depend_on_the_units_of_X():
    X, y = domain(30, 12, 15)
    scores = RidgeRecommender().fit(X, y).decision_function(X)
    scaled = RidgeRecommender().fit(5 * X, y).decision_function(5 * X)
    np.testing.assert_allclose(scaled, scores, atol=1e-5)


@pytest.mark.parametrize(("n_noisy", "factor"), [(0, 80), (5, 20)])
def test_auto_is_chosen_on_held_out_rows(n_noisy, factor):
    """Each row has an item and what predicts it, alone (any factor finds it) or among others."""
    rng = np.random.RandomState(0)
    rows, groups = np.arange(2000), rng.randint(100, size=2000)
    y = sp.csr_array((np.ones(2000), (rows, groups)), shape=(2000, 100))
    X = np.zeros((2000, 600), dtype=np.float32)
    X[rows, groups] = 1
    X[rows[:, None], 100 + rng.randint(500, size=(2000, n_noisy))] = 1
    model = RidgeRecommender().fit(X, y)
    np.testing.assert_allclose(model.regularization_, model._ridges(*model._spread(X), factor))


def test_auto_of_constant_columns_gives_the_popularity():
    _, y = domain(30, 12, 15)
    X = np.full((30, 4), 3.7, dtype=np.float32)
    scores = RidgeRecommender().fit(X, y).decision_function(X)
    np.testing.assert_allclose(scores, np.tile(y.mean(axis=0), (30, 1)), atol=1e-4)


@pytest.mark.parametrize("regularization", [0, -1, "much"])
def test_regularization_must_be_positive(regularization):
    X, y = domain(50, 20, 30)
    with pytest.raises(ValueError, match="regularization"):
        RidgeRecommender(regularization).fit(X, y)


def test_columns_far_from_zero_are_learned_from_sparse_rows_too():
    """A year beside indicators, as ColumnTransformer returns it."""
    rng = np.random.RandomState(0)
    n_rows = 5000
    jobs, years = rng.randint(20, size=n_rows), rng.randint(2010, 2021, size=n_rows)
    X = np.column_stack([np.eye(20)[jobs], years])
    logits = rng.randn(20, 50)[jobs] - 2 + np.outer((years - 2015) / 6, rng.randn(50))
    y = rng.uniform(size=(n_rows, 50)) < 1 / (1 + np.exp(-logits))
    dense, sparse = (
        RidgeRecommender().fit(of_type(X), y) for of_type in (np.asarray, sp.csr_array)
    )
    np.testing.assert_allclose(sparse.regularization_, dense.regularization_, rtol=1e-4)
    scores = (model.decision_function(X[:50]) for model in (sparse, dense))
    np.testing.assert_allclose(*scores, atol=2e-3)


@pytest.mark.parametrize("model", [RidgeRecommender(1.0), EASERecommender(1.0)])
def test_a_fitted_model_does_not_change_with_what_it_learned_from(model):
    X, y = (sp.random_array((9, n), density=0.5, format="csr", rng=0) for n in (30, 20))
    X, y = X.astype(np.float32), y.astype(np.float32)
    asked = X.copy()
    before = model.fit(X, y).decision_function(asked)
    assert model.solver_ == "dual"
    X.data[:], y.data[:] = 5, 0
    np.testing.assert_array_equal(model.decision_function(asked), before)


def test_auto_after_a_number_is_the_first_value():
    X, y = domain(60, 8, 10)
    model = RidgeRecommender(5.0).partial_fit(X[:30], y[:30])
    later = model.set_params(regularization="auto").partial_fit(X[30:], y[30:])
    expected = RidgeRecommender().fit(X, y)  # too few rows to judge by
    np.testing.assert_allclose(later.regularization_, expected.regularization_, rtol=1e-5)
