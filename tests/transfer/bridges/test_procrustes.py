# SPDX-License-Identifier: BSD-3-Clause
"""ProcrustesRegressor: known rotations, other widths, weights, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from scipy.linalg import orthogonal_procrustes
from scipy.stats import ortho_group
from sklearn.linear_model import Ridge

from sktransrec import ProcrustesRegressor


def factors(n_rows=40, n_features=5, seed=0):
    return np.random.RandomState(seed).standard_normal((n_rows, n_features)) + 3


def test_rotation_scale_and_offset_are_found():
    X, rotation = factors(), ortho_group.rvs(5, random_state=1)
    Y = 2.5 * X @ rotation + np.arange(5)
    model = ProcrustesRegressor().fit(X, Y)
    assert model.scale_ == pytest.approx(2.5)
    assert_allclose(model.coef_, 2.5 * rotation.T, atol=1e-10)
    assert_allclose(model.predict(X), Y, atol=1e-10)
    assert model.score(X, Y) == pytest.approx(1)


def test_the_map_is_that_of_scipy():
    X, Y = factors(seed=0), factors(seed=1)
    model = ProcrustesRegressor(fit_intercept=False, fit_scale=False).fit(X, Y)
    rotation, _ = orthogonal_procrustes(X, Y)
    assert_allclose(model.coef_, rotation.T, atol=1e-12)
    assert model.scale_ == 1
    assert_allclose(model.intercept_, 0)


@pytest.mark.parametrize("n_outputs", [1, 3, 8])
def test_other_widths_are_padded_with_zeros(n_outputs):
    X, Y = factors(), factors(n_features=n_outputs, seed=1)
    model = ProcrustesRegressor(fit_intercept=False, fit_scale=False).fit(X, Y)
    width = max(5, n_outputs)
    padded = [np.pad(Z, ((0, 0), (0, width - Z.shape[1]))) for Z in (X, Y)]
    rotation, _ = orthogonal_procrustes(*padded)
    fitted_trace = np.trace(model.coef_ @ X.T @ Y)
    assert fitted_trace == pytest.approx(np.trace(rotation.T @ padded[0].T @ padded[1]))
    narrow = model.coef_ if n_outputs <= 5 else model.coef_.T
    assert_allclose(narrow @ narrow.T, np.eye(len(narrow)), atol=1e-12)


def test_no_other_scale_fits_better():
    X, Y = factors(seed=0), factors(n_features=3, seed=1)
    model = ProcrustesRegressor().fit(X, Y)
    error = ((Y - model.predict(X)) ** 2).sum()
    centre = Y.mean(axis=0)
    for factor in (0.9, 1.1):
        assert ((Y - centre - factor * (model.predict(X) - centre)) ** 2).sum() > error


def test_weights_count_like_copies_of_rows():
    X, Y = factors(seed=0), factors(seed=1)
    weights = np.arange(40) % 4
    copies = np.repeat(np.arange(40), weights)
    weighted = ProcrustesRegressor().fit(X, Y, sample_weight=weights)
    repeated = ProcrustesRegressor().fit(X[copies], Y[copies])
    assert_allclose(weighted.coef_, repeated.coef_, atol=1e-10)
    assert_allclose(weighted.intercept_, repeated.intercept_, atol=1e-10)


def test_sparse_rows_are_as_dense_ones():
    X, Y = factors() * (factors(seed=2) > 3), factors(seed=1)
    dense = ProcrustesRegressor().fit(X, Y)
    sparse = ProcrustesRegressor().fit(sp.csr_array(X), Y)
    assert_allclose(sparse.coef_, dense.coef_, atol=1e-10)
    assert_allclose(sparse.predict(sp.coo_array(X)), dense.predict(X), atol=1e-10)
    columns = pd.DataFrame(Y).astype(pd.SparseDtype(float, 0))
    assert_allclose(ProcrustesRegressor().fit(X, columns).coef_, dense.coef_, atol=1e-10)


def test_few_rows_suffice_where_a_free_map_needs_many():
    X, rotation = factors(200, 30), ortho_group.rvs(30, random_state=1)
    noise = np.random.RandomState(2).standard_normal(X.shape)
    Y = X @ rotation + 0.3 * noise
    few, rest = slice(0, 35), slice(35, None)
    free_scores = [Ridge(alpha).fit(X[few], Y[few]).score(X[rest], Y[rest]) for alpha in (0.1, 1)]
    assert (
        ProcrustesRegressor().fit(X[few], Y[few]).score(X[rest], Y[rest]) > max(free_scores) + 0.1
    )


def test_weights_of_zero_alone_are_refused():
    X = factors()
    with pytest.raises(ValueError, match=r"(?i)sample.weight"):
        ProcrustesRegressor().fit(X, X, sample_weight=np.zeros(40))


def test_targets_are_numbers_in_a_dense_array():
    X = np.eye(40, 2)
    with pytest.raises(TypeError, match=r"y is a sparse matrix: pass y\.toarray\(\)"):
        ProcrustesRegressor().fit(X, sp.csr_array(X))
    with pytest.raises(ValueError, match=r"y: could not convert"):
        ProcrustesRegressor().fit(X, np.full((40, 2), b"a"))


def test_a_rotation_far_from_zero_is_found_in_single_precision():
    rng = np.random.RandomState(0)
    Z = rng.randn(2000, 3) * [1, 2, 3] + 2000
    turn = ortho_group.rvs(3, random_state=0)
    y = (Z - 2000) @ turn + 200
    model = ProcrustesRegressor().fit(Z.astype(np.float32), y.astype(np.float32))
    assert model.coef_.dtype == np.float32
    assert_allclose(model.coef_, turn.T, atol=1e-3)
