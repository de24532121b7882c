import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context

from sktransrec import EASERecommender
from sktransrec._numerics import _gram
from sktransrec._numerics._gram import (
    factorize,
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


@pytest.mark.parametrize("columns_of_a_block", [1, 7, 30, 256])
def test_the_upper_triangle_is_that_of_the_product(X, columns_of_a_block, monkeypatch):
    monkeypatch.setattr(_gram, "_MIN_BLOCK_COLUMNS", columns_of_a_block)
    dense = X.toarray()
    assert_allclose(upper(upper_gram(X)), upper(dense.T @ dense))
    assert_allclose(upper(upper_gram(dense)), upper(dense.T @ dense))


def test_blocks_fit_into_the_working_memory(X):
    whole = upper_gram(X)
    with config_context(working_memory=1e-3):
        assert_array_equal(upper(upper_gram(X)), upper(whole))


def test_centring_agrees_with_the_gram_matrix_of_centred_columns(X):
    dense = X.toarray()
    sums, mean = dense.sum(axis=0), dense.mean(axis=0)
    gram = upper_gram(X)
    subtract_outer_sum(gram, sums, mean / 2)
    centred = dense - mean
    assert_allclose(upper(gram), upper(centred.T @ centred), atol=1e-12)


def test_the_factor_is_that_of_the_regularised_matrix(X):
    dense = X.toarray()
    factor = np.triu(factorize(upper_gram(X), 0.5, EASERecommender()))
    assert_allclose(factor.T @ factor, dense.T @ dense + 0.5 * np.eye(30), atol=1e-12)


def test_the_solver_inverts_the_smaller_matrix():
    assert [smaller_solver(shape) for shape in [(5, 4), (4, 4), (3, 4)]] == [
        *("primal", "primal"),
        "dual",
    ]


@pytest.mark.parametrize(("solver", "largest"), [("primal", 9999), ("dual", 99)])
def test_float32_is_kept_up_to_its_condition(solver, largest):
    """The condition of XᵀX + r I is 1 + s² / r, squared for the dual, with the singular value s."""
    X = sp.csr_array(np.diag([3.0, 1.0]))
    enough, too_little = 9 / (largest * 0.99), 9 / (largest * 1.01)
    assert solver_dtype(X, enough, solver) == np.float32
    assert solver_dtype(X, too_little, solver) == np.float64
