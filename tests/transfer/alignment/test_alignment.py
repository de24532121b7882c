# SPDX-License-Identifier: BSD-3-Clause
"""Linear aligners: moments, discrepancies and rotations by construction, and a catalogue served."""

import numpy as np
import pandas as pd
import pytest
from _domains import gaussians
from joblib import dump, load
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import ortho_group
from sklearn import config_context
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.pipeline import make_pipeline

from sktransrec import (
    CORALAligner,
    DomainAdversarialAutoencoder,
    MMDAligner,
    PopularityRecommender,
    ProcrustesAligner,
    RidgeRecommender,
    recommend,
)
from sktransrec.datasets import make_cross_domain
from sktransrec.metrics import ndcg_at_k

ALIGNERS = [
    CORALAligner(),
    MMDAligner(n_components=50, max_iter=5, random_state=0),
    ProcrustesAligner(),
]


def fitted(aligner, X, domain):
    anchors = {}
    if isinstance(aligner, ProcrustesAligner):
        anchors["anchor_ids"] = np.tile(np.arange(len(X) // 2), 2)
    return clone(aligner).fit(X, sample_domain=domain, **anchors)


@pytest.mark.parametrize(
    "learner",
    [*ALIGNERS, DomainAdversarialAutoencoder(2, epochs=1, run_eagerly=True, random_state=0)],
    ids=repr,
)
def test_domains_that_are_passed_as_y_are_noticed(learner):
    X, domain = gaussians(n_rows=20)
    with pytest.warns(UserWarning, match="y is ignored, and it holds -1 and 1"):
        clone(learner).fit(X, domain)
    for y in (None, np.arange(40), list("ab" * 20), [[1], [1, 2]]):
        clone(learner).fit(X, y)


def test_coral_gives_the_target_the_moments_of_the_source():
    X, domain = gaussians()
    aligned = (
        CORALAligner(covariance_shrinkage=0).fit(X, sample_domain=domain).transform(X[domain < 0])
    )
    assert_allclose(np.cov(aligned.T), np.cov(X[domain > 0].T), atol=1e-10)
    assert_allclose(aligned.mean(axis=0), X[domain > 0].mean(axis=0), atol=1e-10)


def test_coral_undoes_a_symmetric_distortion_of_uncorrelated_features():
    source = gaussians()[0]
    source = np.linalg.qr(source - source.mean(axis=0))[0]
    distortion = np.diag([3, 1, 0.5, 2]) + 0.2
    X, domain = np.vstack([source, source @ distortion + 4]), np.repeat([1, -1], len(source))
    aligned = CORALAligner(covariance_shrinkage=0).fit_transform(X, sample_domain=domain)
    assert_allclose(aligned[domain < 0], source, atol=1e-10)


def test_coral_with_full_shrinkage_only_shifts_and_scales():
    X, domain = gaussians()
    coef = CORALAligner(covariance_shrinkage=1).fit(X, sample_domain=domain).coef_
    variances = [X[side].var(axis=0).mean() for side in (domain > 0, domain < 0)]
    assert_allclose(coef, np.eye(4) * np.sqrt(variances[0] / variances[1]), atol=1e-10)


@pytest.mark.parametrize("shrinkage", [0, "auto"])
def test_coral_of_fewer_rows_than_features_is_finite(shrinkage):
    X, domain = gaussians(n_rows=5, n_features=12)
    X[:, 3] = 7
    aligned = CORALAligner(covariance_shrinkage=shrinkage).fit_transform(X, sample_domain=domain)
    assert np.isfinite(aligned).all()
    assert_allclose(aligned[domain < 0].mean(axis=0), X[domain > 0].mean(axis=0), atol=1e-10)


def test_procrustes_recovers_a_rotation_from_a_few_anchors():
    rng = np.random.default_rng(0)
    source = rng.standard_normal((200, 5))
    turned = 3 * source @ ortho_group.rvs(5, random_state=1) + 2
    order = rng.permutation(200)
    X, domain = np.vstack([source, turned[order]]), np.repeat([1, -1], 200)
    ids = np.concatenate([np.arange(200), order])
    ids[ids >= 8] = -1
    aligner = ProcrustesAligner().fit(X, sample_domain=domain, anchor_ids=ids)
    assert_allclose(aligner.transform(turned), source, atol=1e-10)


@pytest.mark.parametrize("aligner", ALIGNERS)
def test_source_rows_stay_as_they_are(aligner):
    X, domain = gaussians()
    model = fitted(aligner, X, domain)
    both = model.transform(X, domain)
    assert_array_equal(both[domain > 0], X[domain > 0])
    assert_array_equal(both[domain < 0], model.transform(X[domain < 0]))
    assert_array_equal(model.transform(X, 1), X)
    assert_array_equal(model.transform(X, -1), model.transform(X))


@pytest.mark.parametrize("aligner", ALIGNERS)
def test_one_domain_needs_no_map(aligner):
    X, _ = gaussians()
    assert_array_equal(clone(aligner).fit_transform(X), X)


@pytest.mark.parametrize("aligner", ALIGNERS)
def test_formats(aligner):
    X, domain = gaussians()
    exact = fitted(aligner, X, domain).transform(X)
    single = fitted(aligner, X.astype(np.float32), domain).transform(X.astype(np.float32))
    assert (exact.dtype, single.dtype) == (np.float64, np.float32)
    assert_allclose(single, exact, rtol=0.02, atol=0.02)
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = fitted(aligner, frame, domain).set_output(transform="pandas")
    assert list(model.transform(frame).columns) == list("abcd")
    assert_array_equal(model.transform(frame), exact)


@pytest.mark.parametrize("aligner", ALIGNERS[:2])
def test_domains_reach_a_step_of_a_pipeline_and_a_search(aligner):
    X, domain = gaussians()
    y = (np.random.default_rng(0).uniform(size=(600, 12)) < 0.3).astype(float)
    name = type(aligner).__name__.lower()
    pipeline = make_pipeline(clone(aligner), RidgeRecommender())
    pipeline.fit(X, y, **{f"{name}__sample_domain": domain})
    model = fitted(aligner, X, domain)
    ridge = RidgeRecommender().fit(model.transform(X, domain), y)
    assert_array_equal(recommend(pipeline, X)[0], ridge.recommend(model.transform(X))[0])
    # Rows of the source train in every fold, rows of the target are held out.
    folds = np.where(domain > 0, -1, np.arange(600) % 2)
    search = GridSearchCV(
        pipeline,
        {"ridgerecommender__regularization": [1, 10]},
        cv=PredefinedSplit(folds),
        error_score="raise",
    ).fit(X, y, **{f"{name}__sample_domain": domain})
    assert search.best_score_ > 0


def test_domains_reach_a_step_by_metadata_routing_as_well():
    X, domain = gaussians()
    y = (np.random.default_rng(0).uniform(size=(600, 12)) < 0.3).astype(float)
    plain = make_pipeline(CORALAligner(), RidgeRecommender())
    plain.fit(X, y, coralaligner__sample_domain=domain)
    with config_context(enable_metadata_routing=True):
        aligner = CORALAligner().set_fit_request(sample_domain=True)
        aligner.set_transform_request(sample_domain=True)
        routed = make_pipeline(aligner, RidgeRecommender()).fit(X, y, sample_domain=domain)
    assert_array_equal(routed[-1].coef_, plain[-1].coef_)


def test_saved_aligner_is_the_same(tmp_path):
    X, domain = gaussians()
    model = CORALAligner().fit(X, sample_domain=domain)
    dump(model, tmp_path / "aligner.joblib")
    assert_array_equal(load(tmp_path / "aligner.joblib").transform(X), model.transform(X))


def test_recommender_of_the_source_serves_an_undistorted_target_catalogue():
    """Rows are items, columns of y users: the target's content is on another scale."""
    domains = make_cross_domain(
        300, 400, 400, n_cold_users=0, source_density=0.1, random_state=0, return_truth=True
    )
    rng = np.random.default_rng(0)
    source, target = domains.truth.source_factors, domains.truth.target_factors
    distortion = np.diag([4, 1, 0.3, 2, 0.6]) + 0.1
    content_source = source + 0.05 * rng.standard_normal(source.shape)
    content_target = (target + 0.05 * rng.standard_normal(target.shape)) @ distortion + 2
    X, domain = np.vstack([content_source, content_target]), np.repeat([1, -1], 400)
    buyers_source, buyers_target = domains.X_source.T, domains.Y_target.T
    ridge = RidgeRecommender().fit(content_source, buyers_source)
    ndcg = {
        "popularity": _ndcg(
            PopularityRecommender().fit(buyers_source), buyers_source, buyers_target
        ),
        "no alignment": ridge.score(content_target, buyers_target),
        "no distortion": ridge.score(target, buyers_target),
    }
    for aligner in (CORALAligner(), MMDAligner(random_state=0)):
        aligner.fit(X, sample_domain=domain)
        served = make_pipeline(FrozenEstimator(aligner), FrozenEstimator(ridge))
        ndcg[type(aligner).__name__] = served.score(content_target, buyers_target)
    print({name: round(value, 4) for name, value in ndcg.items()})
    for name in ("CORALAligner", "MMDAligner"):
        assert ndcg[name] > 1.2 * ndcg["no alignment"]
        assert ndcg[name] > 1.2 * ndcg["popularity"]
        assert ndcg[name] > 0.9 * ndcg["no distortion"]


def _ndcg(model, X, y):
    return ndcg_at_k(y, model.recommend(X * 0)[0])


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        ([1, -1], r"sample_domain has shape \(2,\)"),
        ([1, 0, -1, -1], "sample_domain holds zeros or NaN"),
        ([1, np.nan, -1, -1], "sample_domain holds zeros or NaN"),
        (["a", "b", "a", "b"], "sample_domain has shape .* dtype <U1"),
        ([1, 1, 2, 3], "All rows of sample_domain are of the source"),
        (-1, "All rows of sample_domain are of the target"),
        ([1, -1, -1, -1], "one row of the source"),
    ],
)
def test_bad_domains_are_explained(domain, message):
    X = np.eye(4)
    with pytest.raises(ValueError, match=message):
        CORALAligner().fit(X, sample_domain=domain)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (None, "anchor_ids is None"),
        ([1, 2, 3], r"anchor_ids has shape \(3,\)"),
        ([1.0, 2.0, 1.0, 2.0], "dtype float64"),
        ([1, 1, 1, 2], "repeats a number within the source"),
        ([1, 2, 3, 3], "repeats a number within the target"),
        ([1, 2, 3, -1], "no number that is in both"),
    ],
)
def test_bad_anchors_are_explained(ids, message):
    with pytest.raises(ValueError, match=message):
        ProcrustesAligner().fit(np.eye(4), sample_domain=[1, 1, -1, -1], anchor_ids=ids)
