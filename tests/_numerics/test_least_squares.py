# SPDX-License-Identifier: BSD-3-Clause
"""The minima of weighted squares are those that numpy finds row by row in float64."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from sktransrec._numerics import _least_squares
from sktransrec._numerics._least_squares import (
    all_row_minima,
    balanced_confidence,
    gram_eigen,
    minimum_parts,
    row_minima,
    value_minima,
    value_parts,
)


def _problem(n_rows=50, n_columns=40, n_components=9):
    """Return weights C of rows from none to nearly all columns, V, ridges and missing weights."""
    rng = np.random.RandomState(0)
    density = np.linspace(0, 0.95, n_rows)[:, None]
    C = rng.uniform(0.1, 30, (n_rows, n_columns))
    C *= rng.uniform(size=C.shape) < density
    V = rng.standard_normal((n_columns, n_components))
    ridges, missing_weights = rng.uniform(0.1, 3, n_rows), rng.uniform(0, 2, n_columns)
    arrays = (array.astype(np.float32) for array in (V, ridges, missing_weights))
    return sp.csr_array(C.astype(np.float32)), *arrays


def _normal_equations(C, V, ridges, missing_weights):
    V, minima = V.astype(float), []
    for c, ridge in zip(C.toarray().astype(float), ridges, strict=True):
        weights = np.where(c > 0, c, missing_weights)
        A = V.T @ (weights[:, None] * V) + ridge * np.eye(V.shape[1])
        minima.append(np.linalg.solve(A, V.T @ c))
    return minima


@pytest.mark.parametrize("n_components", [1, 9, 60])
def test_minima_solve_the_normal_equations(n_components):
    C, V, ridges, missing_weights = _problem(n_components=n_components)
    expected = _normal_equations(C, V, ridges, missing_weights)
    eigen = gram_eigen(V, missing_weights)
    assert [array.dtype for array in eigen] == [np.float32] * 2
    assert_allclose(
        row_minima(C, V, eigen, ridges, missing_weights), expected, rtol=1e-3, atol=1e-4
    )
    assert_allclose(all_row_minima(C, V, ridges, missing_weights), expected, rtol=1e-3, atol=1e-4)


def test_threads_are_as_many_as_wanted(monkeypatch):
    C, V, ridges, missing_weights = _problem(n_rows=5)
    seen = []
    monkeypatch.setattr(_least_squares, "in_threads", lambda *call: seen.append(call[2]) or [])
    all_row_minima(C, V, ridges, missing_weights, n_jobs=2)
    value_minima(C, V, ridges[:, None] * np.ones_like(V[:1]), n_jobs=3)
    assert seen == [2, 3]


def test_threads_and_rows_beside_change_no_bit():
    C, V, ridges, missing_weights = _problem()
    eigen = gram_eigen(V, missing_weights)
    U = row_minima(C, V, eigen, ridges, missing_weights)
    alone = [
        row_minima(C[[row]], V, eigen, ridges[[row]], missing_weights) for row in range(C.shape[0])
    ]
    assert_array_equal(np.concatenate(alone), U)
    assert U.dtype == np.float32
    assert_array_equal(
        all_row_minima(C, V, ridges, missing_weights, n_jobs=2),
        all_row_minima(C, V, ridges, missing_weights),
    )


def test_empty_rows_have_factors_of_zero():
    C, V, ridges, missing_weights = _problem()
    is_empty = np.diff(C.indptr) == 0
    assert 0 < is_empty.sum() < C.shape[0]
    assert not all_row_minima(C, V, ridges, missing_weights)[is_empty].any()


@pytest.mark.parametrize("n_components", [1, 9, 60])
def test_minima_of_values_are_those_of_ridge_regression(n_components):
    X, V, _, _ = _problem(n_components=n_components)
    X.data -= 15
    X.data[::9] = 0  # a stored zero is a value
    ridges = np.random.RandomState(1).uniform(0.1, 3, (X.shape[0], n_components))
    ridges = ridges.astype(np.float32)
    U = value_minima(X, V, ridges)
    for row, (u, ridge) in enumerate(zip(U, ridges.astype(float), strict=True)):
        stored = slice(X.indptr[row], X.indptr[row + 1])
        Z, x = V[X.indices[stored]].astype(float), X.data[stored].astype(float)
        expected = np.linalg.solve(Z.T @ Z + np.diag(ridge), Z.T @ x)
        assert_allclose(u, expected, rtol=1e-3, atol=1e-3)
    assert_array_equal(value_minima(X, V, ridges, n_jobs=2), U)


def test_parts_of_a_minimum_are_those_of_each_value():
    """With the weights of the row as given, a minimum is linear in its values."""
    C, V, ridges, missing_weights = _problem()
    row = C[[30]]
    parts = minimum_parts(row, V, gram_eigen(V, missing_weights), ridges[30], missing_weights)
    weights = missing_weights.astype(float)
    weights[row.indices] = row.data
    A = (V.T.astype(float) * weights) @ V + ridges[30] * np.eye(9)
    for part, item, c in zip(parts, row.indices, row.data, strict=True):
        assert_allclose(part, np.linalg.solve(A, c * V[item].astype(float)), rtol=1e-4, atol=1e-5)


def test_parts_of_a_minimum_of_values_are_those_of_each_value():
    X, V, _, _ = _problem()
    row, ridges = X[[30]], np.arange(1, 10, dtype=np.float32)
    parts = value_parts(row, V, ridges)
    stored = V[row.indices].astype(float)
    A = stored.T @ stored + np.diag(ridges)
    for part, vector, x in zip(parts, stored, row.data, strict=True):
        assert_allclose(part, np.linalg.solve(A, x * vector))


def test_interactions_of_balanced_confidence_weigh_a_tenth_of_the_entries():
    assert balanced_confidence((20, 30), 40) == 0.1 * 20 * 30 / 40
