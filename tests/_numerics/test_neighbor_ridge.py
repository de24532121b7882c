# SPDX-License-Identifier: BSD-3-Clause
import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context

from sktransrec._numerics import _neighbor_ridge
from sktransrec._numerics._neighbor_ridge import (
    GramLookup,
    _tail_blocks,
    column_squares,
    lookup_bytes,
    neighbor_ridge,
    regression_bytes,
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


def test_of_equal_columns_those_with_more_counts_are_kept():
    equal = sp.csr_array(np.ones((1, 4)))
    kept = strongest_entries(equal, np.ones(4), 1.0, 2, counts=np.array([1, 3, 2, 1]))
    assert_array_equal(kept.toarray(), [[0, 1, 1, 0]])
    targets = sp.csr_array(np.array([[1.0, 1, 1, 1], [0, 0, 1, 1]]))
    kept = strongest_entries(targets, np.ones(4), 1.0, 2)
    assert_array_equal(kept.toarray(), [[0, 0, 1, 1]] * 2)


def test_squares_of_columns():
    assert_array_equal(column_squares(sp.csr_array([[1.0, 3, 0], [2, 0, 0]])), [5, 9, 0])


def test_a_target_without_columns_has_no_weights():
    """There may be more targets than columns."""
    lookup = GramLookup.of_columns(sp.csr_array(np.diag([1.0, 2.0])))
    cross = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 0.0], [4.0, 10.0]])
    weights = neighbor_ridge(lookup, sp.csr_array(cross), np.ones(2))
    assert_allclose(weights.toarray(), cross / [2, 5])
    assert weights.nnz == 3


@pytest.mark.usefixtures("n_dense")
def test_the_precision_is_that_of_the_columns():
    X = interactions(30, 20).astype(np.float32)
    cross = strongest_cross(X, np.ones(20), 4)
    assert cross.dtype == np.float32
    for lookup in lookups(X):
        assert lookup.upper_among(np.arange(3))[1].dtype == np.float32
        assert neighbor_ridge(lookup, cross, np.ones(20)).dtype == np.float32


@pytest.mark.parametrize("pivot", [-1.0, 1.0])
def test_a_matrix_that_is_not_positive_definite_is_an_error(pivot):
    gram = sp.csr_array(np.array([[pivot, 2.0], [2.0, 1.0]]))
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


@pytest.mark.parametrize("X", [np.ones((9, 20)), np.c_[np.ones((15, 1)), np.eye(15)]])
@pytest.mark.parametrize("n_head", [1, 5, 100])
def test_bytes_are_those_of_full_rows_and_of_rows_that_share_nothing(X, n_head, monkeypatch):
    monkeypatch.setattr(_neighbor_ridge, "_N_DENSE", n_head)
    X = sp.csr_array(X)
    lookup, n_columns = GramLookup.of_columns(X), X.shape[1]
    of_entries = 2 * (4 + 8) * lookup._tail.nnz
    assert lookup_bytes(X, 8) == 8 * min(n_head, n_columns) ** 2 + of_entries
    for n_neighbors, n_kept in (3, 3), (100, n_columns):
        of_weights = regression_bytes(X, n_neighbors, 8) - lookup_bytes(X, 8)
        assert of_weights == 3 * (4 + 8) * n_columns * n_kept


def test_blocks_of_the_tail_fit_into_the_working_memory(monkeypatch):
    monkeypatch.setattr(_neighbor_ridge, "_N_DENSE", 20)
    for working_memory, n_rows in (3.5 * 16 * 100 / 2**20, 3), (1, 7):
        with config_context(working_memory=working_memory):
            blocks = list(_tail_blocks(100))
        assert [block.start for block in blocks] == list(range(20, 100, n_rows))
        assert [block.stop for block in blocks] == [*range(20 + n_rows, 100, n_rows), 100]
