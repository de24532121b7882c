import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context

from sktransrec._numerics import _neighbor_ridge
from sktransrec._numerics._neighbor_ridge import (
    GramLookup,
    column_squares,
    lookup_bytes,
    neighbor_ridge,
    strongest_cross,
    strongest_entries,
)


def interactions(n_rows, n_columns, seed=0, density=0.2):
    rng = np.random.default_rng(seed)
    return sp.random_array((n_rows, n_columns), density=density, format="csr", rng=rng)


@pytest.fixture(params=[1, 5, 1000])
def n_dense(request, monkeypatch):
    """Dense entries for one column, for some, and for all."""
    monkeypatch.setattr(_neighbor_ridge, "_N_DENSE", request.param)


def lookups(X):
    yield GramLookup.of_columns(X)
    yield GramLookup.of_matrix(sp.csr_array(X.T @ X))


@pytest.mark.usefixtures("n_dense")
def test_entries_among_any_columns():
    X = interactions(30, 20)
    gram = (X.T @ X).toarray()
    for lookup in lookups(X):
        for columns in ([7], [3, 19, 0], np.random.RandomState(0).permutation(20), []):
            order, upper = lookup.upper_among(np.array(columns, dtype=int))
            columns = np.array(columns, dtype=int)[order]
            assert_allclose(np.triu(upper), np.triu(gram[np.ix_(columns, columns)]), atol=1e-12)


@pytest.mark.usefixtures("n_dense")
@pytest.mark.parametrize("n_neighbors", [4, 20])
def test_each_target_is_regressed_on_its_own_columns(n_neighbors):
    X, Y = interactions(60, 20), interactions(60, 8, seed=1)
    ridges = np.random.default_rng(2).uniform(0.1, 2, size=20)
    cross = strongest_cross(X, Y, ridges, n_neighbors)
    assert np.diff(cross.indptr).max() <= n_neighbors
    for lookup in lookups(X):
        weights = neighbor_ridge(lookup, cross, ridges).toarray()
        for target, row in enumerate(weights):
            columns = cross[[target]].indices
            A, y = X[:, columns].toarray(), Y[:, target].toarray()
            expected = np.linalg.solve(A.T @ A + np.diag(ridges[columns]), A.T @ y)
            assert_allclose(row[columns], expected, rtol=1e-8)
            assert np.count_nonzero(row) == len(columns)


def test_all_columns_give_ridge_regression():
    X, Y = interactions(60, 20, density=0.5), interactions(60, 8, seed=1, density=0.5)
    ridges = np.full(20, 3.0)
    weights = neighbor_ridge(
        GramLookup.of_columns(X), strongest_cross(X, Y, ridges, 20), ridges
    ).toarray()
    A = X.toarray()
    assert_allclose(weights.T, np.linalg.solve(A.T @ A + 3 * np.eye(20), A.T @ Y.toarray()))


def test_the_columns_that_lower_the_error_most_alone():
    X, Y = interactions(60, 20, density=0.5), interactions(60, 8, seed=1, density=0.5)
    ridges = np.random.default_rng(2).uniform(0.1, 20, size=20)
    A, B = X.toarray(), Y.toarray()
    gains = (B.T @ A) ** 2 / ((A**2).sum(axis=0) + ridges)
    best = np.sort(np.argsort(-gains, axis=1)[:, :5], axis=1)
    cross = strongest_cross(X, Y, ridges, 5)
    assert_array_equal(cross.indices.reshape(8, 5), best)
    assert_allclose(cross.data.reshape(8, 5), np.take_along_axis(B.T @ A, best, axis=1))
    again = strongest_entries(sp.csr_array(Y.T @ X), column_squares(X), ridges, 5)
    assert_allclose(again.toarray(), cross.toarray())


def test_a_column_need_not_predict_itself():
    X = interactions(60, 20)
    cross = strongest_cross(X, X, np.ones(20), 20, diagonal=False)
    assert not cross.diagonal().any()
    assert strongest_cross(X, X, np.ones(20), 20).diagonal().all()


def test_a_target_without_columns_has_no_weights():
    X, Y = interactions(10, 5), sp.csr_array((10, 3))
    weights = neighbor_ridge(
        GramLookup.of_columns(X), strongest_cross(X, Y, np.ones(5), 2), np.ones(5)
    )
    assert weights.shape == (3, 5)
    assert weights.nnz == 0


def test_a_matrix_that_is_not_positive_definite_is_an_error():
    gram = sp.csr_array(np.array([[1.0, 2.0], [2.0, 1.0]]))
    with pytest.raises(np.linalg.LinAlgError, match="pivot"):
        neighbor_ridge(GramLookup.of_matrix(gram), gram, np.full(2, 0.5))


def test_memory_is_as_stated(monkeypatch):
    monkeypatch.setattr(_neighbor_ridge, "_N_DENSE", 100)
    X = interactions(3000, 2000, density=0.004).astype(np.float32)
    tracemalloc.start()
    with config_context(working_memory=1):
        GramLookup.of_columns(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.3 * lookup_bytes(X, 4) < peak < 1.1 * lookup_bytes(X, 4) + 2**20
