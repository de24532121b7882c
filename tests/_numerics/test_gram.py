# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context

from sktransrec import EASERecommender
from sktransrec._numerics import _gram
from sktransrec._numerics._entries import as_dense
from sktransrec._numerics._gram import (
    DualMap,
    factorize,
    gram_dtype,
    products_by_gemm,
    scaled_columns,
    smaller_solver,
    solver_dtype,
    subtract_outer_sum,
    upper_gram,
)


@pytest.fixture
def X():
    return sp.random_array(
        (40, 30), density=0.3, format="csr", random_state=np.random.default_rng(0)
    )


def upper(matrix):
    return matrix[np.triu_indices(len(matrix))]


def rows_of_blocks(monkeypatch):
    """Return a list to which each block of a sparse product adds its number of rows."""
    seen = []
    monkeypatch.setattr(
        _gram, "as_dense", lambda block: seen.append(block.shape[0]) or as_dense(block)
    )
    return seen


@pytest.mark.parametrize("columns_of_a_block", [1, 7, 30, 256])
def test_the_upper_triangle_is_that_of_the_product(X, columns_of_a_block, monkeypatch):
    monkeypatch.setattr(_gram, "_MIN_BLOCK_COLUMNS", columns_of_a_block)
    seen = rows_of_blocks(monkeypatch)
    dense = X.toarray()
    assert_allclose(upper(upper_gram(X)), upper(dense.T @ dense))
    assert_allclose(upper(upper_gram(dense)), upper(dense.T @ dense))
    assert max(seen) == min(columns_of_a_block, 30)
    assert upper_gram(X.astype(np.float32)).dtype == np.float32


def test_blocks_fit_into_the_working_memory(X, monkeypatch):
    whole, seen = upper_gram(X), rows_of_blocks(monkeypatch)
    with config_context(working_memory=1e-3):
        assert_array_equal(upper(upper_gram(X)), upper(whole))
    assert max(seen) == 2**20 // 1000 // (16 * 30)


@pytest.mark.parametrize(("dtype", "atol"), [(np.float64, 1e-12), (np.float32, 1e-4)])
def test_centring_agrees_with_the_gram_matrix_of_centred_columns(X, dtype, atol):
    X = X.astype(dtype)
    dense = X.toarray()
    sums, mean = dense.sum(axis=0), dense.mean(axis=0)
    gram = upper_gram(X)
    subtract_outer_sum(gram, sums, mean / 2)
    centred = dense - mean
    assert_allclose(upper(gram), upper(centred.T @ centred), atol=atol)


def test_the_factor_is_that_of_the_regularised_matrix(X):
    dense = X.toarray()
    factor = np.triu(factorize(upper_gram(X), 0.5, EASERecommender()))
    assert_allclose(factor.T @ factor, dense.T @ dense + 0.5 * np.eye(30), atol=1e-12)


def test_what_has_no_factor_asks_for_regularization():
    message = r"EASERecommender: .* in float32 with regularization=0\.5\. Pass a larger"
    with pytest.raises(ValueError, match=message):
        factorize(-np.eye(3, dtype=np.float32), np.array([2.0, 0.5, 2.0]), EASERecommender())


def test_the_solver_inverts_the_smaller_matrix():
    assert [smaller_solver(shape) for shape in [(5, 4), (4, 4), (3, 4)]] == [
        *("primal", "primal"),
        "dual",
    ]


@pytest.mark.parametrize(("solver", "largest"), [("primal", 9999), ("dual", 99)])
def test_float32_is_kept_up_to_its_condition(solver, largest):
    """The condition of XᵀX + r I is 1 + s² / r, squared for the dual, with the singular value s."""
    X = sp.csr_array(np.diag([3.0, 2.0, 2.0, 1.0]))
    enough, too_little = 9 / (largest * 0.99), 9 / (largest * 1.01)
    assert solver_dtype(X, enough, solver) == np.float32
    assert solver_dtype(X, too_little, solver) == np.float64
    assert solver_dtype(0 * X, too_little, solver) == np.float32


def test_the_condition_is_also_known_from_the_product():
    gram = sp.csr_array(np.diag([9.0, -4.0, 4.0, 1.0]))
    assert gram_dtype(gram, 9 / (9999 * 0.99)) == np.float32
    assert gram_dtype(gram, 9 / (9999 * 1.01)) == np.float64


@pytest.mark.parametrize("as_format", [sp.csr_array, sp.csr_array.toarray])
@pytest.mark.parametrize("n_rows", [1, 40])
@pytest.mark.parametrize("n_outputs", [1, 7])
def test_products_of_rows(X, as_format, n_rows, n_outputs):
    weights = np.random.RandomState(0).normal(size=(30, n_outputs))
    products = products_by_gemm(as_format(X)[:n_rows], weights)
    assert_allclose(products, X[:n_rows].toarray() @ weights)


@pytest.mark.parametrize("as_format", [sp.csr_array, sp.csr_array.toarray])
@pytest.mark.parametrize("n_items", [39, 40, 41])
def test_the_map_of_a_dual_solution(X, as_format, n_items):
    rng = np.random.RandomState(0)
    symmetric, y = rng.normal(size=(40, 40)), rng.normal(size=(40, n_items))
    symmetric += symmetric.T
    rows, expected = X[:3].toarray(), X.T @ symmetric @ y
    dual = DualMap(as_format(X), symmetric, y)
    y[:] = np.nan  # is the caller's
    assert_allclose(dual.coefficients(), expected)
    assert_allclose(dual(as_format(X)[:3]), rows @ expected)


@pytest.mark.parametrize("as_format", [sp.csr_array, sp.csr_array.toarray])
def test_columns_are_multiplied_in_their_type(X, as_format):
    X = as_format(X.astype(np.float32))
    scales = np.arange(30.0)
    scaled = scaled_columns(X, scales)
    assert scaled.dtype == np.float32
    assert_allclose(as_dense(scaled), as_dense(X) * scales, rtol=1e-6)
