# SPDX-License-Identifier: BSD-3-Clause
"""ALSRecommender: a known optimum, implicit itself, and files that load without it."""

import warnings

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_info, threadpool_limits

from sktransrec import ALSRecommender
from sktransrec.interactions import holdout_random
from sktransrec.recommenders._als import _Factors, _groups


def _random_counts(n_rows=80, n_items=50, seed=0):
    """Return counts whose rows hold from none to nearly all of the items."""
    rng = np.random.RandomState(seed)
    density = np.linspace(0, 0.9, n_rows)[:, None]
    counts = (rng.uniform(size=(n_rows, n_items)) < density) * rng.randint(1, 5, (n_rows, n_items))
    counts[:, 7] = 0
    return sp.csr_array(counts.astype(np.float32))


def _objective(model, X, U):
    """Return the objective of the docstring, computed densely in float64."""
    X, V, U = X.toarray().astype(float), model.item_factors_.astype(float), U.astype(float)
    C = np.where(X > 0, model.confidence_ * X, 1)
    row_weights, item_weights = C.sum(axis=1), C.sum(axis=0)
    if not model.scale_regularization:
        row_weights, item_weights = np.ones(len(U)), np.ones(len(V))
    penalty = row_weights @ (U**2).sum(axis=1) + item_weights @ (V**2).sum(axis=1)
    return (C * ((X > 0) - U @ V.T) ** 2).sum() + model.regularization_ * penalty


@pytest.mark.parametrize("scale_regularization", [False, True])
def test_checkerboard(scale_regularization, checkerboard):
    X = checkerboard
    model = ALSRecommender(2, scale_regularization=scale_regularization, random_state=0).fit(X)
    items, _ = model.recommend(X, n_recommendations=1)
    assert_array_equal(items[:, 0], np.arange(X.shape[0]))


@pytest.mark.parametrize("confidence", [0.5, 1.0, 20.0])
@pytest.mark.parametrize("random_state", [0, 42])
def test_item_factors_are_those_of_implicit(confidence, random_state):
    from implicit.cpu.als import AlternatingLeastSquares

    X = _random_counts()
    X = X[np.diff(X.indptr) > 0]
    parameters = {"regularization": 0.1, "random_state": random_state}
    with threadpool_limits(1, "blas"):
        peer = AlternatingLeastSquares(8, alpha=confidence, num_threads=1, **parameters)
        peer.fit(sp.csr_matrix(X), show_progress=False)
    model = ALSRecommender(8, confidence=confidence, scale_regularization=False, **parameters)
    model.fit(X)
    assert_array_equal(model.item_factors_, peer.item_factors)
    with threadpool_limits(1, "blas"):
        expected = peer.recalculate_user(np.arange(X.shape[0]), sp.csr_matrix(X))
    assert_allclose(model.transform(X), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("confidence", [0.3, 5.0, "balanced"])
@pytest.mark.parametrize("scale_regularization", [False, True])
@pytest.mark.parametrize("n_components", [1, 6, 60])
def test_fold_in_solves_the_normal_equations(n_components, scale_regularization, confidence):
    X = _random_counts()
    model = ALSRecommender(
        n_components,
        regularization=0.05,
        confidence=confidence,
        scale_regularization=scale_regularization,
        random_state=0,
    ).fit(X)
    V = model.item_factors_.astype(float)
    expected = []
    for x in X.toarray():
        c = np.where(x > 0, model.confidence_ * x, 1)
        ridge = 0.05 * (c.sum() if scale_regularization else 1)
        A = V.T @ (c[:, None] * V) + ridge * np.eye(n_components)
        expected.append(np.linalg.solve(A, V.T @ (c * (x > 0))))
    assert_allclose(model.transform(X), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("scale_regularization", [False, True])
def test_fit_reaches_the_minimum(scale_regularization):
    X = _random_counts()
    parameters = {"scale_regularization": scale_regularization, "random_state": 0}
    model = ALSRecommender(4, max_iter=200, **parameters).fit(X)
    U = model.transform(X)
    reached = _objective(model, X, U)
    rng = np.random.RandomState(0)
    V = model.item_factors_.copy()
    for _ in range(20):
        model.item_factors_ = V * (1 + 0.05 * rng.standard_normal(V.shape)).astype(np.float32)
        assert _objective(model, X, U) > reached
    few = ALSRecommender(4, max_iter=1, **parameters).fit(X)
    assert _objective(few, X, few.transform(X)) > reached


def test_a_shared_regularization_is_the_mean_of_those_who_share_it():
    C = _random_counts(n_rows=300)
    model = ALSRecommender(4)
    ridges = np.where(C.toarray() > 0, C.toarray(), 1).sum(axis=1)
    groups = _groups(C, model._shared_ridges(model._ridges(C, 1.0)))
    rows = np.concatenate([rows for rows, _, _ in groups])
    assert_array_equal(np.sort(rows), np.arange(300))
    for rows, _, ridge in groups:
        assert_allclose(ridge, ridges[rows].mean(), rtol=1e-6)
        assert ridges[rows].max() / ridges[rows].min() < 1.5
    assert any(np.ptp(ridges[rows]) > 0 for rows, _, _ in groups)


def test_row_factors_do_not_depend_on_the_rows_beside():
    X = _random_counts()
    model = ALSRecommender(6, random_state=0).fit(X)
    alone = np.concatenate([model.transform(X[[row]]) for row in range(X.shape[0])])
    assert_array_equal(model.transform(X), alone)


def test_balanced_confidence_weighs_all_interactions_a_tenth_of_the_entries():
    X = _random_counts()
    model = ALSRecommender(2, random_state=0).fit(X)
    n_telling = np.count_nonzero(np.diff(X.indptr))
    assert model.confidence_ * X.sum() == pytest.approx(0.1 * n_telling * X.shape[1])
    scaled = ALSRecommender(2, random_state=0).fit(X * 1000)
    assert_allclose(scaled.item_factors_, model.item_factors_, rtol=1e-3, atol=1e-4)
    same = ALSRecommender(2, confidence=model.confidence_, random_state=0).fit(X)
    assert_array_equal(same.item_factors_, model.item_factors_)


def _tastes(share_of_noise, n_rows=400, n_items=120, n_tastes=8, n_own=5, seed=0):
    """Return rows of five items, of the row's taste or drawn without any."""
    rng = np.random.RandomState(seed)
    X = np.zeros((n_rows, n_items), dtype=np.float32)
    for row, taste in enumerate(rng.randint(n_tastes, size=n_rows)):
        n_noise = rng.binomial(n_own, share_of_noise)
        own = rng.choice(np.arange(taste, n_items, n_tastes), n_own - n_noise, replace=False)
        X[row, own] = 1
        X[row, rng.choice(n_items, n_noise, replace=False)] = 1
    return sp.csr_array(X)


def test_auto_regularizes_noisy_data_more():
    clean, noisy = (
        ALSRecommender(16, max_iter=1, random_state=0).fit(_tastes(share)) for share in (0.0, 0.5)
    )
    assert clean.regularization_ < noisy.regularization_


@pytest.mark.parametrize("scale_regularization", [False, True])
def test_auto_is_the_fit_with_the_chosen_value(scale_regularization):
    X = _tastes(0.5)
    parameters = {"scale_regularization": scale_regularization, "max_iter": 2, "random_state": 0}
    model, again = (ALSRecommender(8, **parameters).fit(X) for _ in range(2))
    fixed = ALSRecommender(8, regularization=model.regularization_, **parameters).fit(X)
    for other in (again, fixed):
        assert_array_equal(other.item_factors_, model.item_factors_)


def test_small_data_and_fixed_values_are_not_judged(monkeypatch):
    small = ALSRecommender(4, max_iter=1).fit(_random_counts())
    assert small.regularization_ == 0.02
    monkeypatch.setattr("sktransrec.recommenders._als.held_out_interactions", None)
    assert (
        ALSRecommender(4, regularization=0.3, max_iter=1).fit(_tastes(0.5)).regularization_ == 0.3
    )


def test_auto_takes_less_than_15_sweeps(monkeypatch):
    """So, with the default number of sweeps, fit takes less than two and a half."""
    n_sweeps = []
    sweep = _Factors.sweep

    def counted(self, regularization, n, **options):
        n_sweeps.append(n)
        sweep(self, regularization, n, **options)

    monkeypatch.setattr(_Factors, "sweep", counted)
    ALSRecommender(4).fit(_tastes(0.5))
    assert sum(n_sweeps[:-1]) < n_sweeps[-1] == 15


@pytest.mark.parametrize("new_state", [lambda: 0, lambda: np.random.RandomState(3)])
def test_threads_and_repetition_change_no_bit(new_state):
    X = _random_counts()
    first, *others = (
        ALSRecommender(6, max_iter=3, random_state=new_state(), n_jobs=n_jobs).fit(X)
        for n_jobs in (1, 1, 2, -1, None)
    )
    for other in others:
        assert_array_equal(first.item_factors_, other.item_factors_)
    different = ALSRecommender(6, max_iter=3, random_state=1).fit(X)
    assert not np.array_equal(different.item_factors_, first.item_factors_)


@pytest.mark.usefixtures("workers")
def test_search_in_parallel_is_the_serial_one():
    X = _random_counts()
    rest, held_out = holdout_random(X, random_state=0)
    grid = {"regularization": [0.01, 0.1], "n_components": [2, 8]}
    serial, parallel = (
        GridSearchCV(ALSRecommender(random_state=0), grid, cv=2, n_jobs=n_jobs).fit(rest, held_out)
        for n_jobs in (1, 2)
    )
    assert_array_equal(
        serial.cv_results_["mean_test_score"], parallel.cv_results_["mean_test_score"]
    )
    assert_array_equal(serial.best_estimator_.item_factors_, parallel.best_estimator_.item_factors_)


def test_read_only_input_fits_the_same():
    X = _random_counts()
    expected = ALSRecommender(3, confidence=1.0, random_state=0).fit(X).item_factors_
    for buffer in (X.data, X.indices, X.indptr):
        buffer.setflags(write=False)
    model = ALSRecommender(3, confidence=1.0, random_state=0).fit(X)
    assert_array_equal(model.item_factors_, expected)


def test_similar_items_are_of_the_same_colour(checkerboard):
    model = ALSRecommender(2, random_state=0).fit(checkerboard)
    similar, similarities = model.similar_items([0, 1, 8], n_similar=29)
    assert_array_equal(similar % 2, np.repeat([[0], [1], [0]], 29, axis=1))
    assert (similarities > 0.9).all()


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (1, 1), (3, 2)])
def test_fewer_rows_or_items_than_components(shape):
    """Where all rows have all items, one score stands for all of them."""
    model = ALSRecommender(8, random_state=0).fit(np.ones(shape))
    assert model.transform(np.ones(shape)).shape == (shape[0], 8)
    assert_allclose(model.decision_function(np.ones(shape)), np.ones(shape), atol=0.1)


def test_item_that_nobody_has():
    X = _random_counts()
    model = ALSRecommender(4, random_state=0).fit(X)
    assert_array_equal(model.item_factors_[7], 0)
    assert np.isfinite(model.transform(X)).all()
    only_that = np.zeros((1, X.shape[1]))
    only_that[0, 7] = 1
    assert_array_equal(model.transform(only_that), 0)


def test_divergence_is_an_error_that_leaves_the_model():
    X = _random_counts()
    model = ALSRecommender(4, confidence=1.0, random_state=0).fit(X)
    before = model.item_factors_
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=r"diverged.*confidence"):
        model.set_params(confidence=1e38).fit(X)
    assert model.item_factors_ is before


def test_fit_is_silent_and_leaves_blas_as_it_was(capfd):
    def n_threads():
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before = n_threads()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ALSRecommender(4).fit(_random_counts()).recommend(_random_counts())
    assert n_threads() == before
    assert capfd.readouterr() == ("", "")
    ALSRecommender(4, max_iter=3, verbose=1).fit(_random_counts())
    assert "3/3" in capfd.readouterr().err


def test_memory_mapped_model_recommends_the_same(tmp_path):
    X = _random_counts()
    model = ALSRecommender(6, random_state=0).fit(X)
    joblib.dump(model, tmp_path / "model.joblib")
    mapped = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    assert isinstance(mapped.item_factors_, np.memmap)
    assert_array_equal(mapped.decision_function(X), model.decision_function(X))


@pytest.mark.parametrize("init", ["random", "svd"])
def test_rows_without_interactions_change_nothing(init):
    X = _random_counts()
    between = sp.csr_array(sp.vstack([X[:10], sp.csr_array((300, X.shape[1])), X[10:]]))
    model = ALSRecommender(4, init=init, max_iter=2, random_state=0)
    expected = ALSRecommender(4, init=init, max_iter=2, random_state=0).fit(X)
    assert_array_equal(model.fit(between).item_factors_, expected.item_factors_)
    assert model.confidence_ == expected.confidence_
