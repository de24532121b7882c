# SPDX-License-Identifier: BSD-3-Clause
import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import config_context

from sktransrec import EASERecommender
from sktransrec._numerics import _gram, _memory, _neighbor_ridge, _spd
from sktransrec.recommenders import _linear


def interactions(n_rows, n_items, seed=0):
    counts = np.random.RandomState(seed).poisson(0.3, size=(n_rows, n_items))
    counts[0, 0] = 1
    return sp.csr_array(counts.astype(np.float32))


def closed_form(X, regularization, item_exponent=0.25):
    """Return the item-to-item weights in float64: of the paper, if `item_exponent` is 0."""
    n_items = X.shape[1]
    X = X.toarray().astype(float)
    counts = np.maximum((X > 0).sum(axis=0), 1)
    inverse = np.linalg.inv(X.T @ X + np.diag(regularization * counts**item_exponent))
    return np.eye(n_items) - inverse / np.diag(inverse)


@given(
    n_rows=st.integers(1, 50),
    n_items=st.integers(2, 50),
    regularization=st.floats(0.1, 1000),
    item_exponent=st.sampled_from([0, 0.25, 1]),
    solver=st.sampled_from(["primal", "dual"]),
)
def test_agrees_with_the_closed_form(n_rows, n_items, regularization, item_exponent, solver):
    X = interactions(n_rows, n_items)
    weights = closed_form(X, regularization, item_exponent)
    model = EASERecommender(regularization, item_exponent=item_exponent, solver=solver).fit(X)
    occupied = np.flatnonzero(np.diff(X.indptr))
    np.testing.assert_allclose(
        model.decision_function(X[occupied]), X[occupied] @ weights, rtol=1e-3, atol=2e-4
    )
    np.testing.assert_allclose(model.coef_, weights.T, rtol=1e-3, atol=1e-4)


@settings(max_examples=20, deadline=None)
@given(
    n_rows=st.integers(1, 50),
    n_items=st.integers(2, 50),
    regularization=st.floats(0.1, 1000),
    item_exponent=st.sampled_from([0, 0.25, 1]),
)
def test_with_all_neighbors_the_sparse_solver_is_the_others(
    n_rows, n_items, regularization, item_exponent
):
    X = interactions(n_rows, n_items).tolil()
    # Any two items have a row in common.
    X[0] = 1
    X = X.tocsr()
    arguments = {"regularization": regularization, "item_exponent": item_exponent}
    model = EASERecommender(solver="sparse", n_neighbors=n_items - 1, **arguments).fit(X)
    assert sp.issparse(model.coef_)
    np.testing.assert_allclose(model.coef_.toarray(), closed_form(X, **arguments).T, atol=1e-3)
    dense = EASERecommender(solver="primal", **arguments).fit(X)
    np.testing.assert_allclose(
        model.decision_function(X), dense.decision_function(X), rtol=1e-3, atol=1e-3
    )


def test_one_neighbor_of_three_items_by_hand():
    """Item 0 is in 4 rows, 1 in 3 and 2 in 2; 0 and 1 share 2 rows, 1 and 2 share 1."""
    X = sp.csr_array([[1, 1, 0], [1, 1, 0], [1, 0, 0], [1, 0, 0], [0, 1, 1], [0, 0, 1]])
    model = EASERecommender(1.0, item_exponent=0, solver="sparse", n_neighbors=1).fit(X)
    # 0 is predicted by 1: 2 / (3 + 1). Alone, 0 lowers the error of 1 by 4 / (4 + 1), 2 by 1 / 3.
    expected = [[0, 2 / 4, 0], [2 / 5, 0, 0], [0, 1 / 4, 0]]
    np.testing.assert_allclose(model.coef_.toarray(), expected, rtol=1e-6)
    np.testing.assert_allclose(model.decision_function([[1, 0, 1]]), [[0, 2 / 5, 0]], rtol=1e-6)


def test_auto_regularization_has_the_unit_of_the_interactions():
    X = interactions(40, 30)
    model, threefold = EASERecommender().fit(X), EASERecommender().fit(3 * X)
    assert model.regularization_ == pytest.approx(60 * np.mean(X.data**2))
    np.testing.assert_allclose(threefold.coef_, model.coef_, rtol=1e-3, atol=1e-6)
    assert EASERecommender(7).fit(X).regularization_ == 7


@pytest.mark.parametrize(("shape", "solver"), [((40, 30), "primal"), ((30, 40), "dual")])
def test_auto_inverts_the_smaller_matrix(shape, solver):
    X = interactions(*shape)
    model = EASERecommender(10.0).fit(X)
    assert model.solver_ == solver
    other = EASERecommender(10.0, solver="dual" if solver == "primal" else "primal").fit(X)
    np.testing.assert_allclose(
        model.decision_function(X), other.decision_function(X), rtol=1e-5, atol=1e-6
    )


def test_auto_is_sparse_where_the_smaller_matrix_is_too_large(monkeypatch):
    X = interactions(40, 30)
    monkeypatch.setattr(_linear, "_MAX_DENSE", 30)
    assert EASERecommender().fit(X).solver_ == "primal"
    monkeypatch.setattr(_linear, "fits_memory", lambda n_bytes: n_bytes < 4 * 30**2)
    assert EASERecommender().fit(X).solver_ == "sparse"
    monkeypatch.undo()
    monkeypatch.setattr(_linear, "_MAX_DENSE", 29)
    assert EASERecommender().fit(X).solver_ == "sparse"


SOLVERS = ["primal", "dual", "sparse"]


@pytest.mark.parametrize("solver", SOLVERS)
def test_checkerboard(solver):
    """Rows have all items of their parity but one: the one left out comes first."""
    X = np.kron(np.ones((10, 5)), np.eye(2))
    rows = np.arange(10)
    X[rows, rows] = 0
    items, _ = EASERecommender(1.0, solver=solver).fit(X).recommend(X[:10], n_recommendations=1)
    np.testing.assert_array_equal(items[:, 0], rows)


@pytest.mark.parametrize("solver", SOLVERS)
def test_no_item_predicts_itself(solver):
    X = interactions(40, 30)
    model = EASERecommender(5.0, solver=solver).fit(X)
    np.testing.assert_allclose(model.coef_.diagonal(), 0, atol=1e-6)


@pytest.mark.parametrize("solver", SOLVERS)
def test_similar_items_have_the_largest_weights(solver):
    X = interactions(40, 30)
    model = EASERecommender(5.0, solver=solver).fit(X)
    similar, similarities = model.similar_items([3, 7], n_similar=29)
    weights = model.coef_[:, [3, 7]].T
    weights = weights.toarray() if solver == "sparse" else weights
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


def test_memory_of_the_sparse_solver_is_as_stated(monkeypatch):
    monkeypatch.setattr(_neighbor_ridge, "_N_DENSE", 100)
    X = sp.random_array((400, 600), density=0.012, format="csr", rng=np.random.default_rng(0))
    X = X.astype(np.float32)
    tracemalloc.start()
    with config_context(working_memory=0.25):
        EASERecommender(solver="sparse", n_neighbors=30).fit(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    stated = _linear._ease_bytes("sparse", X, 4, 30)
    assert 0.3 * stated < peak < 1.2 * stated + 2**18


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
