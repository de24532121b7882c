# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from sklearn import config_context

from sktransrec._numerics._strongest_links import (
    _item_batches,
    keep_largest,
    strongest_links,
    strongest_links_of_each,
    strongest_of,
)


def interactions(n_rows, n_items, seed):
    return sp.random_array((n_rows, n_items), density=0.4, rng=np.random.default_rng(seed))


@given(
    n_rows=st.integers(1, 20),
    n_items=st.integers(1, 20),
    n_links=st.none() | st.integers(1, 25),
    seed=st.integers(0, 1000),
)
def test_keeps_the_largest_entries_off_the_diagonal(n_rows, n_items, n_links, seed):
    X = interactions(n_rows, n_items, seed)
    links = strongest_links(X.T, X, n_links)
    expected = (X.T @ X).toarray()
    np.fill_diagonal(expected, 0)
    if n_links is not None:
        smallest_first = np.argsort(expected, axis=1)
        n_dropped = max(n_items - n_links, 0)
        np.put_along_axis(expected, smallest_first[:, :n_dropped], 0, axis=1)
    np.testing.assert_allclose(links.toarray(), expected)
    assert links.data.all()


@given(n_links=st.integers(1, 25), seed=st.integers(0, 1000))
def test_of_equal_links_those_of_popular_items_are_kept(n_links, seed):
    """Numbers of common rows tie often."""
    X = (interactions(15, 20, seed) > 0).astype(np.float32)
    links = strongest_links(X.T, X, n_links).toarray()
    all_links = (X.T @ X).toarray()
    np.fill_diagonal(all_links, 0)
    popularity, columns = X.sum(axis=0), np.arange(20)
    for kept, row in zip(links, all_links, strict=True):
        best = np.lexsort((columns, -popularity, -row))[:n_links]
        np.testing.assert_array_equal(np.flatnonzero(kept), np.sort(best[row[best] > 0]))


@pytest.mark.parametrize("scale", [1e-4, 1, 1e4])
@pytest.mark.parametrize(("n_links", "kept"), [(2, [0, 0, 1, 1, 0]), (4, [1, 1, 1, 1, 0])])
def test_links_that_differ_by_rounding_are_equal(scale, n_links, kept):
    row = scale * np.array([0.3, 0.3 * (1 + 2e-7), 0.3, 0.5, 0.2])
    links = sp.csr_array(np.tile(row, (7, 1)).astype(np.float32))
    keep_largest(links, n_links, places=np.array([2, 1, 0, 3, 4]))
    np.testing.assert_array_equal(links.toarray() > 0, [kept] * 7)


@pytest.mark.parametrize("n_links", [1, 30, 58, 59])
def test_of_many_equal_links_those_that_come_first_are_kept(n_links):
    places = np.random.RandomState(0).permutation(60)
    links = sp.csr_array(np.ones((1, 60), dtype=np.float32))
    keep_largest(links, n_links, places)
    np.testing.assert_array_equal(links.toarray()[0] > 0, places < n_links)


def test_blocks_do_not_matter():
    X = interactions(200, 90, seed=0)
    whole = strongest_links(X.T, X, 7)
    with config_context(working_memory=1e-2):
        blocked = strongest_links(X.T, X, 7)
    np.testing.assert_array_equal(whole.toarray(), blocked.toarray())


def test_a_batch_of_items_fits_into_the_working_memory():
    """The last item has links to 12 columns, and each of the others to 3."""
    left = sp.csr_array(np.vstack([np.eye(4), np.ones(4)]))
    right = sp.csr_array(np.eye(4, 50) + np.eye(4, 50, 4) + np.eye(4, 50, 8))
    with config_context(working_memory=2.5 * 16 * 12 / 2**20):
        assert list(_item_batches(left, right)) == [slice(0, 2), slice(2, 4), slice(4, 5)]


def test_links_that_few_rows_support_are_smaller():
    X = (interactions(15, 20, seed=0) > 0).astype(np.float32)
    common = (X.T @ X).toarray()
    np.fill_diagonal(common, 0)
    expected = common * common / (common + 4)
    links = strongest_links(X.T, X, shrinkage=4.0)
    np.testing.assert_allclose(links.toarray(), expected, rtol=1e-6)


@given(
    n_links=st.integers(1, 25),
    shrinkage=st.sampled_from([0.0, 4.0]),
    most=st.sampled_from([1, 2]),
    seed=st.integers(0, 1000),
)
def test_weightings_that_share_a_product_get_what_they_get_alone(n_links, shrinkage, most, seed):
    """Without weights, links tie often."""
    X = (interactions(15, 20, seed) > 0).astype(np.float32).tocsr()
    rng = np.random.RandomState(seed)
    row_weights = rng.uniform(1, most, 15).astype(np.float32)
    first, second = rng.uniform(1, most, (2, 20)).astype(np.float32)
    weightings = [(first, [shrinkage, 2.0]), (second, [shrinkage])]
    with config_context(working_memory=1e-3):
        shared = strongest_links_of_each(X, row_weights, weightings, n_links)
    kinds = [(first, shrinkage), (first, 2.0), (second, shrinkage)]
    for links, (of_items, h) in zip(shared, kinds, strict=True):
        W = sp.diags_array(row_weights) @ X @ sp.diags_array(of_items)
        alone = strongest_links(W.T, W, n_links, shrinkage=h)
        np.testing.assert_allclose(links.toarray(), alone.toarray(), rtol=1e-5)


def _in_another_order(X):
    """Return the same matrix with the entries of each row stored in reverse order."""
    entries = X.data[::-1], X.indices[::-1], X.nnz - X.indptr[::-1]
    return sp.csr_array(entries, shape=X.shape)[::-1]


@pytest.mark.parametrize("n_links", [None, 3])
@pytest.mark.parametrize("shrinkage", [0.0, 4.0])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_the_links_of_a_product_that_is_there_already(n_links, shrinkage, is_weighted):
    """Numbers of common rows tie often; weighted sums do not come from as many rows."""
    X = interactions(15, 20, seed=0).tocsr()
    if not is_weighted:
        X.data[:] = 1
    pattern = (X > 0).astype(float)
    product, support = (sp.csr_array(each.T @ each) for each in (X, pattern))
    before = product.toarray()
    counts = pattern.sum(axis=0)
    options = {"support": _in_another_order(support), "shrinkage": shrinkage} if shrinkage else {}
    links = strongest_of(product, n_links, counts, **options)
    expected = strongest_links(X.T, X, n_links, shrinkage=shrinkage)
    np.testing.assert_allclose(links.toarray(), expected.toarray())
    assert links.nnz == expected.nnz
    np.testing.assert_array_equal(product.toarray(), before)


@pytest.mark.parametrize("least", np.geomspace(1e-3, 1e3, 41, dtype=np.float32))
def test_as_many_links_are_kept_where_one_is_at_the_edge_of_rounding(least):
    edge = (least - np.float32(least * np.float32(1e-6))).view(np.int32)
    for near_the_edge in (edge + np.arange(-8, 9, dtype=np.int32)).view(np.float32):
        links = sp.csr_array(np.array([[near_the_edge, least, near_the_edge, 2 * least]]))
        keep_largest(links, 2, places=np.arange(4))
        assert links.data.astype(bool).sum() == 2
        assert links.data[-1]
