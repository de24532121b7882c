# SPDX-License-Identifier: BSD-3-Clause
"""`best_products` agrees with a full sort of all products; integers make them exact."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sktransrec._numerics import _top_k_products
from sktransrec._numerics._top_k import Preference, top_k
from sktransrec._numerics._top_k_products import OrderedItems, TileMask, best_products, suits_tiles


@pytest.fixture(autouse=True, scope="module")
def small_tiles():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_top_k_products, "_FIRST_ITEMS", 64)
        patch.setattr(_top_k_products, "_TILE_PRODUCTS", 64)
        yield


def entries(rng, shape, density):
    return sp.csr_array((rng.uniform(size=shape) < density).astype(np.float32))


@given(
    n_rows=st.integers(1, 12),
    n_items=st.sampled_from([64, 65, 200, 333]),
    k=st.integers(1, 8),
    largest=st.sampled_from([0, 1, 20, 1000]),
    density=st.sampled_from([0, 0.1, 0.99]),
    has_bias=st.booleans(),
    ascending=st.booleans(),
    longest_first=st.booleans(),
    largest_scale=st.sampled_from([1, 6]),
    seed=st.integers(0, 2**32 - 1),
)
def test_exact(
    n_rows, n_items, k, largest, density, has_bias, ascending, longest_first, largest_scale, seed
):
    rng = np.random.default_rng(seed)
    rows, items = (
        rng.integers(-largest, largest + 1, size=(n, 3)).astype(np.float32)
        for n in (n_rows, n_items)
    )
    items *= 2 ** rng.integers(largest_scale, size=(n_items, 1))
    bias = rng.integers(3, size=n_items).astype(np.float32) if has_bias else None
    if ascending:
        items = items[np.argsort(items[:, 0])]
    excluded = [entries(rng, (n_rows, n_items), each) for each in (density, 0.05)]
    withheld = rng.uniform(size=n_items) < 0.1
    preference = Preference.by_popularity(rng.integers(3, size=n_items))
    left_out = rng.uniform(size=n_rows) < 0.1

    ordered = OrderedItems.of(items, bias, longest_first=longest_first)
    columns, values, is_open = best_products(
        rows,
        ordered,
        k,
        preference,
        mask=TileMask(excluded, withheld, ordered.columns),
        open_rows=left_out,
    )
    scores = rows @ items.T + (0 if bias is None else bias)
    scores[(sum(excluded) != 0).toarray() | withheld] = -np.inf
    expected_columns, expected_values = top_k(scores, k, preference)
    assert (columns.dtype, values.dtype) == (np.intp, np.float32)
    assert_array_equal(columns[~is_open], expected_columns[~is_open])
    assert_array_equal(values[~is_open], expected_values[~is_open])
    assert is_open[left_out].all()
    if largest == 1000 and density < 0.9:
        assert_array_equal(is_open, left_out)


def test_rows_with_many_equal_products_are_left_open():
    rows = np.array([[0, 0], [1, 2]], dtype=np.float32)
    factors = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    items = OrderedItems.of(factors, None, longest_first=True)
    *_, is_open = best_products(
        rows,
        items,
        3,
        Preference.by_popularity(np.zeros(200)),
        mask=TileMask([], None, items.columns),
        open_rows=np.zeros(2, dtype=bool),
    )
    assert_array_equal(is_open, [True, False])


def test_short_items_are_not_multiplied():
    """After the first tile, no item is long enough for the first row, and few for the second."""
    factors = (1 + np.arange(300, 0, -1)[:, None] / 4096).astype(np.float32)
    bias = np.zeros(300, dtype=np.float32)
    items = OrderedItems.of(factors, bias, longest_first=True)
    looked_at = []

    def mask(tile, products, places):
        looked_at.append((tile.stop, places.tolist()))
        if len(looked_at) == 1:
            products[:62, 1] = -np.inf

    columns, _, is_open = best_products(
        np.ones((2, 1), dtype=np.float32),
        items,
        2,
        Preference.by_popularity(np.zeros(300)),
        mask=mask,
        open_rows=np.zeros(2, dtype=bool),
    )
    assert looked_at == [(64, [0, 1]), (128, [-1, 0])]
    assert not is_open.any()
    assert_array_equal(columns, [[0, 1], [62, 63]])


def test_withheld_items_come_last():
    factors = np.array([[3.0], [1.0], [2.0], [9.0]], dtype=np.float32)
    withheld = np.array([True, False, False, False])
    items = OrderedItems.of(factors, None, longest_first=True, withheld=withheld)
    assert_array_equal(items.columns, [3, 2, 1, 0])
    assert_array_equal(items.lengths_left, [9, 2, 1, 0, -np.inf])


def test_a_bias_goes_with_its_item():
    factors = np.array([[1.0], [2.0], [9.0]], dtype=np.float32)
    bias = np.array([3.0, 5.0, 4.0], dtype=np.float32)
    items = OrderedItems.of(factors, bias, longest_first=True)
    assert_array_equal(items.columns, [2, 1, 0])
    assert_array_equal(items.bias, [4, 5, 3])
    assert_array_equal(items.biases_left, [5, 5, 3, -np.inf])


@pytest.mark.parametrize("longest_first", [True, False])
def test_items_of_about_one_length_stay_as_they_are(longest_first):
    factors = np.asfortranarray([[1, 1], [2, -1], [2, 0]], dtype=np.float32)
    items = OrderedItems.of(factors, None, longest_first=longest_first)
    assert_array_equal(items.columns, [0, 1, 2])
    assert_array_equal(items.factors, factors)


def test_lengths_whose_squares_vanish():
    rows = np.full((1, 1), 1e10, dtype=np.float32)
    factors = (1e-25 * np.linspace(1, 2, 300)[:, None]).astype(np.float32)
    factors[200] = 1e-24
    items = OrderedItems.of(factors, None, longest_first=True)
    columns, values, _ = best_products(
        rows,
        items,
        1,
        Preference.by_popularity(np.arange(300)),
        mask=TileMask([], None, items.columns),
        open_rows=np.zeros(1, dtype=bool),
    )
    assert_array_equal(columns, [[200]])
    assert_array_equal(values, rows @ factors[[200]].T)


def test_a_stored_zero_excludes_nothing():
    excluded = [sp.csr_array(([0.0, 1.0], ([0, 1], [2, 3])), shape=(2, 5))]
    mask = TileMask(excluded, None, np.arange(5))
    products = np.zeros((3, 2), dtype=np.float32)
    mask(slice(2, 5), products, np.array([0, 1]))
    assert_array_equal(products, [[0, 0], [0, -np.inf], [0, 0]])


def test_masks_follow_the_order_of_items_and_the_rows_that_are_left():
    excluded = [sp.csr_array(([1.0, 1.0, 1.0], ([0, 1, 2], [0, 3, 2])), shape=(3, 4))]
    withheld = np.array([False, True, False, False])
    mask = TileMask(excluded, withheld, np.array([3, 2, 1, 0]))
    products = np.zeros((4, 2), dtype=np.float32)
    mask(slice(0, 4), products, np.array([0, 1, -1]))
    out = -np.inf
    assert_array_equal(products, [[0, out], [0, 0], [out, out], [out, 0]])


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30, 1e19])
@pytest.mark.parametrize("longest_first", [True, False])
def test_factors_whose_products_may_overflow(bad, longest_first):
    factors = np.ones((3, 2), dtype=np.float32)
    worse = factors.copy()
    worse[1, 1] = bad

    def are_finite(row_factors, item_factors, bias=None):
        items = OrderedItems.of(item_factors, bias, longest_first=longest_first)
        return items.are_finite_with(row_factors)

    assert are_finite(factors, factors)
    assert are_finite(factors, factors, np.ones(3, dtype=np.float32))
    assert not are_finite(worse, factors)
    assert not are_finite(factors, worse)
    assert are_finite(factors, factors, worse[:, 1]) == np.isfinite(bad)


def test_small_problems_have_no_tiles():
    assert suits_tiles(64, 256, 8)
    assert not suits_tiles(63, 256, 8)
    assert not suits_tiles(64, 255, 8)
    assert not suits_tiles(64, 256, 9)
