import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import config_context

from sktransrec import EASERecommender
from sktransrec._numerics import _gram, _memory, _spd


def interactions(n_rows, n_items, seed=0):
    counts = np.random.RandomState(seed).poisson(0.3, size=(n_rows, n_items))
    counts[0, 0] = 1
    return sp.csr_array(counts.astype(np.float32))


def closed_form(X, regularization):
    """Return the item-to-item weights of the paper, in float64."""
    n_items = X.shape[1]
    X = X.toarray().astype(float)
    inverse = np.linalg.inv(X.T @ X + regularization * np.eye(n_items))
    return np.eye(n_items) - inverse / np.diag(inverse)


@settings(max_examples=40, deadline=None)
@given(
    n_rows=st.integers(1, 50),
    n_items=st.integers(2, 50),
    regularization=st.floats(0.1, 1000),
    solver=st.sampled_from(["primal", "dual"]),
)
def test_agrees_with_the_closed_form(n_rows, n_items, regularization, solver):
    X = interactions(n_rows, n_items)
    weights = closed_form(X, regularization)
    model = EASERecommender(regularization, solver=solver).fit(X)
    occupied = np.flatnonzero(np.diff(X.indptr))
    np.testing.assert_allclose(
        model.decision_function(X[occupied]), X[occupied] @ weights, rtol=1e-3, atol=2e-4
    )
    np.testing.assert_allclose(model.coef_, weights.T, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("shape", "solver"), [((40, 30), "primal"), ((30, 40), "dual")])
def test_auto_inverts_the_smaller_matrix(shape, solver):
    X = interactions(*shape)
    model = EASERecommender(10.0).fit(X)
    assert model.solver_ == solver
    other = EASERecommender(10.0, solver="dual" if solver == "primal" else "primal").fit(X)
    np.testing.assert_allclose(
        model.decision_function(X), other.decision_function(X), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("solver", ["primal", "dual"])
def test_checkerboard(solver):
    """Rows have all items of their parity but one: the one left out comes first."""
    X = np.kron(np.ones((10, 5)), np.eye(2))
    rows = np.arange(10)
    X[rows, rows] = 0
    items, _ = EASERecommender(1.0, solver=solver).fit(X).recommend(X[:10], n_recommendations=1)
    np.testing.assert_array_equal(items[:, 0], rows)


@pytest.mark.parametrize("solver", ["primal", "dual"])
def test_no_item_predicts_itself(solver):
    X = interactions(40, 30)
    model = EASERecommender(5.0, solver=solver).fit(X)
    np.testing.assert_allclose(np.diag(model.coef_), 0, atol=1e-6)


@pytest.mark.parametrize("solver", ["primal", "dual"])
def test_similar_items_have_the_largest_weights(solver):
    X = interactions(40, 30)
    model = EASERecommender(5.0, solver=solver).fit(X)
    similar, similarities = model.similar_items([3, 7], n_similar=29)
    weights = model.coef_[:, [3, 7]].T
    np.testing.assert_allclose(similarities, np.take_along_axis(weights, similar, axis=1))
    assert not (similar == [[3], [7]]).any()


def test_dual_reaches_across_domains_too_wide_for_the_primal():
    rng = np.random.RandomState(0)
    group = np.arange(60) % 2
    prefers = np.arange(3000) % 2 == group[:, None]
    source, target = ((rng.uniform(size=prefers.shape) < 0.02 * prefers) for _ in range(2))
    X = sp.csr_array(np.hstack([source, target]).astype(np.float32))
    model = EASERecommender(1.0).fit(X)
    assert model.solver_ == "dual"
    only_source = sp.csr_array(np.hstack([source, np.zeros_like(target)]).astype(np.float32))
    items, _ = model.recommend(only_source, candidates=np.arange(3000, 6000))
    assert (items % 2 == group[:, None]).mean() > 0.95


@pytest.mark.parametrize(("shape", "solver"), [((200, 100), "primal"), ((100, 200), "dual")])
def test_ill_conditioned_problems_are_solved_in_float64(shape, solver):
    X = interactions(*shape)
    X.data *= 100
    model = EASERecommender(0.5).fit(X)
    assert model.solver_ == solver
    np.testing.assert_allclose(model.coef_, closed_form(X, 0.5).T, rtol=1e-3, atol=1e-4)


def test_blocks_of_columns_do_not_matter(monkeypatch):
    X = interactions(40, 30)
    expected = EASERecommender().fit(X).coef_
    monkeypatch.setattr(_gram, "get_chunk_n_rows", lambda **_: 7)
    monkeypatch.setattr(_spd, "BLOCK_SIZE", 8)
    np.testing.assert_allclose(EASERecommender().fit(X).coef_, expected, atol=1e-7)


@pytest.mark.parametrize(("shape", "solver"), [((2000, 1500), "primal"), ((1500, 9000), "dual")])
def test_memory_is_little_more_than_the_inverse(shape, solver):
    X = sp.random_array(shape, density=0.002, format="csr", rng=np.random.default_rng(0))
    tracemalloc.start()
    with config_context(working_memory=1):
        model = EASERecommender(solver=solver).fit(X.astype(np.float32))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert model.solver_ == solver
    assert peak < 1.3 * 4 * 1500**2


@pytest.mark.parametrize("solver", ["primal", "dual"])
def test_too_large_a_fit_is_refused_before_it_starts(solver, monkeypatch):
    X = interactions(40, 30)
    monkeypatch.setattr(_memory, "available_memory", lambda: 2**30)
    EASERecommender(solver=solver).fit(X)
    wide = sp.csr_array(([1.0], ([0], [0])), shape=(30_000, 40_000))
    with pytest.raises(
        MemoryError, match=r"needs (6\.0|3\.4) GiB .* 1\.0 GiB are available\. Drop"
    ):
        EASERecommender(solver=solver).fit(wide)


def test_a_matrix_that_is_not_positive_definite_asks_for_regularization():
    not_definite = np.array([[1.0, 2.0], [2.0, 1.0]], dtype=np.float32)
    with pytest.raises(ValueError, match=r"float32 with regularization=0\.5.*larger"):
        _gram.factorize(not_definite, 0.5, EASERecommender())
