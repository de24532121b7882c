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
def test_each_column_is_regressed_on_its_own_neighbors(n_neighbors):
    X = interactions(60, 20)
    ridges = np.random.default_rng(2).uniform(0.1, 2, size=20)
    cross = strongest_cross(X, ridges, n_neighbors)
    assert np.diff(cross.indptr).max() <= n_neighbors
    for lookup in lookups(X):
        weights = neighbor_ridge(lookup, cross, ridges).toarray()
        for target, row in enumerate(weights):
            columns = cross[[target]].indices
            A, y = X[:, columns].toarray(), X[:, target].toarray()
            expected = np.linalg.solve(A.T @ A + np.diag(ridges[columns]), A.T @ y)
            assert_allclose(row[columns], expected, rtol=1e-8)
            assert np.count_nonzero(row) == len(columns)


def test_the_columns_that_lower_the_error_most_alone():
    X = interactions(60, 20, density=0.5)
    ridges = np.random.default_rng(2).uniform(0.1, 20, size=20)
    gram = (X.T @ X).toarray()
    gains = gram**2 / (gram.diagonal() + ridges)
    np.fill_diagonal(gains, 0)
    np.fill_diagonal(gram, 0)
    best = np.sort(np.argsort(-gains, axis=1)[:, :5], axis=1)
    cross = strongest_cross(X, ridges, 5)
    assert_array_equal(cross.indices.reshape(20, 5), best)
    assert_allclose(cross.data.reshape(20, 5), np.take_along_axis(gram, best, axis=1))
    again = strongest_entries(sp.csr_array(gram), column_squares(X), ridges, 5)
    assert_allclose(again.toarray(), cross.toarray())


def test_no_column_predicts_itself():
    assert not strongest_cross(interactions(60, 20), np.ones(20), 20).diagonal().any()


def test_a_target_without_columns_has_no_weights():
    lookup = GramLookup.of_columns(interactions(10, 5))
    weights = neighbor_ridge(lookup, sp.csr_array((3, 5)), np.ones(5))
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
