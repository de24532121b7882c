"""`best_products` agrees with a full sort of all products; integers make them exact."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sktransrec._numerics import _top_k_products
from sktransrec._numerics._top_k import Preference, top_k
from sktransrec._numerics._top_k_products import TileMask, are_finite, best_products, suits_tiles


@pytest.fixture(autouse=True, scope="module")
def small_tiles():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_top_k_products, "_FIRST_ITEMS", 64)
        patch.setattr(_top_k_products, "_TILE_ITEMS", 16)
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
    seed=st.integers(0, 2**32 - 1),
)
def test_exact(n_rows, n_items, k, largest, density, has_bias, ascending, seed):
    rng = np.random.default_rng(seed)
    rows, items = (
        rng.integers(-largest, largest + 1, size=(n, 3)).astype(np.float32)
        for n in (n_rows, n_items)
    )
    bias = rng.integers(3, size=n_items).astype(np.float32) if has_bias else None
    if ascending:
        items = items[np.argsort(items[:, 0])]
    excluded = [entries(rng, (n_rows, n_items), each) for each in (density, 0.05)]
    withheld = rng.uniform(size=n_items) < 0.1
    preference = Preference.by_popularity(rng.integers(3, size=n_items))
    left_out = rng.uniform(size=n_rows) < 0.1

    columns, values, is_open = best_products(
        rows,
        items,
        bias,
        k,
        preference,
        mask=TileMask(excluded, withheld),
        open_rows=left_out,
    )
    scores = rows @ items.T + (0 if bias is None else bias)
    scores[(sum(excluded) != 0).toarray() | withheld] = -np.inf
    expected_columns, expected_values = top_k(scores, k, preference)
    assert_array_equal(columns[~is_open], expected_columns[~is_open])
    assert_array_equal(values[~is_open], expected_values[~is_open])
    assert is_open[left_out].all()
    if largest == 1000 and density < 0.9:
        assert_array_equal(is_open, left_out)


def test_rows_with_many_equal_products_are_left_open():
    rows = np.array([[0, 0], [1, 2]], dtype=np.float32)
    items = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    *_, is_open = best_products(
        rows,
        items,
        None,
        3,
        Preference.by_popularity(np.zeros(200)),
        mask=TileMask([], None),
        open_rows=np.zeros(2, dtype=bool),
    )
    assert_array_equal(is_open, [True, False])


def test_a_stored_zero_excludes_nothing():
    mask = TileMask([sp.csr_array(([0.0, 1.0], ([0, 1], [2, 3])), shape=(2, 5))], None)
    products = np.zeros((3, 2), dtype=np.float32)
    mask(slice(2, 5), products)
    assert_array_equal(products, [[0, 0], [0, -np.inf], [0, 0]])


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_factors_whose_products_may_overflow(bad):
    factors = np.ones((3, 2), dtype=np.float32)
    worse = factors.copy()
    worse[1, 1] = bad
    assert are_finite(factors, factors)
    assert are_finite(factors, factors, np.ones(3))
    assert not are_finite(worse, factors)
    assert not are_finite(factors, worse)
    assert are_finite(factors, factors, worse[1]) == (bad == 1e30)


def test_small_problems_have_no_tiles():
    assert suits_tiles(64, 256, 8)
    assert not suits_tiles(63, 256, 8)
    assert not suits_tiles(64, 255, 8)
    assert not suits_tiles(64, 256, 9)
