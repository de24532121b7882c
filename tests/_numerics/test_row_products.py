# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sktransrec._numerics._row_products import N_ROWS, RowProducts, filled_up, row_products


@pytest.mark.parametrize(
    ("n_columns", "n_outputs"), [(1, 1), (7, 3), (64, 192), (600, 500), (33, 9000)]
)
def test_a_row_is_the_same_to_the_bit_in_any_batch(n_columns, n_outputs):
    rng = np.random.RandomState(0)
    rows = rng.standard_normal((61, n_columns)).astype(np.float32)
    matrix = rng.standard_normal((n_columns, n_outputs)).astype(np.float32)
    products = row_products(rows, matrix)
    assert_allclose(products, rows @ matrix, rtol=1e-4, atol=1e-4)
    order = rng.permutation(len(rows))
    assert_array_equal(row_products(rows[order], matrix), products[order])
    for n_rows in (1, 2, 7, 8, 20):
        part = slice(5, 5 + n_rows)
        assert_array_equal(row_products(rows[part], matrix), products[part])


def test_rows_may_have_any_number_of_axes():
    rng = np.random.RandomState(0)
    rows = rng.standard_normal((2, 3, 5)).astype(np.float32)
    matrix = rng.standard_normal((5, 4)).astype(np.float32)
    products = row_products(rows, matrix)
    assert products.shape == (2, 3, 4)
    assert products.dtype == np.float32
    assert_allclose(products, rows @ matrix, rtol=1e-5, atol=1e-6)
    assert row_products(rows[:0], matrix).shape == (0, 3, 4)


def test_products_with_one_matrix_again_and_again():
    rng = np.random.RandomState(0)
    rows = rng.standard_normal((2, 11, 5)).astype(np.float32)
    matrix = rng.standard_normal((5, 4)).astype(np.float32)
    multiply = RowProducts(11, matrix)
    for some in rows:
        assert_array_equal(multiply(some), row_products(some, matrix))
    assert multiply(some).dtype == np.float32


def test_filled_up_with_zeros():
    array = np.ones((3, N_ROWS), dtype=np.float32)
    assert filled_up(array, axis=1) is array
    filled = filled_up(array)
    assert filled.shape == (N_ROWS, N_ROWS)
    assert_array_equal(filled.sum(axis=1), [N_ROWS] * 3 + [0] * (N_ROWS - 3))
    assert_array_equal(filled_up(array.T, axis=1), filled.T)
