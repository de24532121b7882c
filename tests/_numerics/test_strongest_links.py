import numpy as np
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from sklearn import config_context

from sktransrec._numerics._strongest_links import (
    keep_largest,
    strongest_links,
    strongest_links_of_each,
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


def test_links_that_differ_by_rounding_are_equal():
    links = sp.csr_array(np.array([[0.3, 0.3 * (1 + 2e-7), 0.3, 0.5, 0.2]], dtype=np.float32))
    keep_largest(links, 2, places=np.array([2, 1, 0, 3, 4]))
    np.testing.assert_array_equal(links.toarray() > 0, [[False, False, True, True, False]])


def test_blocks_do_not_matter():
    X = interactions(200, 90, seed=0)
    whole = strongest_links(X.T, X, 7)
    with config_context(working_memory=1e-2):
        blocked = strongest_links(X.T, X, 7)
    np.testing.assert_array_equal(whole.toarray(), blocked.toarray())


@given(n_links=st.integers(1, 25), shrinkage=st.sampled_from([0.0, 4.0]), seed=st.integers(0, 1000))
def test_weightings_that_share_a_product_get_what_they_get_alone(n_links, shrinkage, seed):
    X = (interactions(15, 20, seed) > 0).astype(np.float32).tocsr()
    rng = np.random.RandomState(seed)
    row_weights = rng.uniform(1, 2, 15).astype(np.float32)
    scales, shrinkages = rng.uniform(1, 2, (2, 20)).astype(np.float32), (shrinkage, 1.0)
    with config_context(working_memory=1e-3):
        shared = strongest_links_of_each(X, row_weights, scales, shrinkages, n_links)
    for links, of_items, h in zip(shared, scales, shrinkages, strict=True):
        W = sp.diags_array(row_weights) @ X @ sp.diags_array(of_items)
        alone = strongest_links(W.T, W, n_links, shrinkage=h)
        np.testing.assert_allclose(links.toarray(), alone.toarray(), rtol=1e-5)
