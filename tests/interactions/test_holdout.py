import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from sktransrec.interactions import holdout_random


def _random_matrix(n_rows, n_items, seed=0):
    rng = np.random.RandomState(seed)
    density = rng.uniform(size=(n_rows, 1))
    counts = rng.randint(1, 5, size=(n_rows, n_items)) * (
        rng.uniform(size=(n_rows, n_items)) < density
    )
    return sp.csr_array(counts.astype(np.float32))


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    size=st.one_of(st.floats(0.01, 0.99), st.integers(1, 12)),
    n_rows=st.integers(1, 15),
)
def test_random_holdout_takes_exact_counts_and_loses_nothing(seed, size, n_rows):
    X = _random_matrix(n_rows, 9, seed)
    X_kept, y = holdout_random(X, size=size, random_state=seed)
    assert (abs(X_kept + y - X)).nnz == 0
    assert X_kept.multiply(y).nnz == 0
    for n, n_held in zip(np.diff(X.indptr), np.diff(y.indptr), strict=True):
        wanted = size if isinstance(size, int) else round(size * n)
        assert n_held == (min(max(wanted, 1), n - 1) if n >= 2 else 0)


def test_random_holdout_is_uniform_over_the_row():
    X_kept, y = holdout_random(np.ones((4000, 5)), size=0.4, random_state=0)
    np.testing.assert_allclose(y.mean(axis=0), 0.4, atol=0.03)
    assert X_kept.dtype == y.dtype == np.float32


def test_random_holdout_follows_random_state_and_not_the_storage():
    X = _random_matrix(30, 20)
    _, y = holdout_random(X, random_state=3)
    for variant in (X.toarray(), sp.csc_matrix(X), X[:, ::-1][:, ::-1]):
        assert (holdout_random(variant, random_state=3)[1] != y).nnz == 0
    assert (holdout_random(X, random_state=4)[1] != y).nnz > 0


def test_random_holdout_keeps_its_input():
    X = _random_matrix(10, 8)
    before = X.copy()
    holdout_random(X, random_state=0)
    assert (before != X).nnz == 0


@pytest.mark.parametrize("size", [0, 1.0, -0.1, "half", None])
def test_random_holdout_refuses_a_size_that_is_none(size):
    with pytest.raises(ValueError, match="'size' parameter of holdout_random"):
        holdout_random(np.ones((2, 2)), size=size)


def test_random_holdout_refuses_nan():
    with pytest.raises(ValueError, match="X contains NaN"):
        holdout_random([[1, np.nan]])
