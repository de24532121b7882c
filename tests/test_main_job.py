# SPDX-License-Identifier: BSD-3-Clause
"""The job that the package exists for, end to end, on data of which the answer is known."""

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sktransrec import (
    ALSRecommender,
    Autoencoder,
    BridgeRecommender,
    PopularityRecommender,
    RidgeRecommender,
    ranking_scorer,
    recommend,
)
from sktransrec.datasets import make_cross_domain

ndcg = ranking_scorer("ndcg", k=10)


def _domains(**kwargs):
    return make_cross_domain(random_state=0, **kwargs)


def _autoencoder(**kwargs):
    options = {
        "n_components": 8,
        "hidden_layer_sizes": (),
        "kind": "denoising",
        "loss": "multinomial",
        "activation": "linear",
        "learning_rate": 0.01,
        "epochs": 8,
        "batch_size": 50,
        "random_state": 0,
    }
    return Autoencoder(**(options | kwargs))


def _pipelines():
    return [
        pytest.param(make_pipeline(RidgeRecommender(100)), id="ridge"),
        pytest.param(
            make_pipeline(TruncatedSVD(8, random_state=0), RidgeRecommender(1)), id="svd-ridge"
        ),
        pytest.param(make_pipeline(_autoencoder(), RidgeRecommender(1)), id="autoencoder-ridge"),
        pytest.param(
            make_pipeline(
                ALSRecommender(8, max_iter=5, random_state=0),
                BridgeRecommender(ALSRecommender(8, max_iter=5, random_state=0), Ridge()),
            ),
            id="emcdr",
        ),
    ]


@pytest.mark.parametrize("pipeline", _pipelines())
def test_a_related_source_helps_cold_users(pipeline):
    domains = _domains()
    fitted = clone(pipeline).fit(domains.X_source, domains.Y_target)
    assert ndcg(fitted, domains.X_cold, domains.Y_cold) > 1.3 * _popularity(domains)


@pytest.mark.parametrize("pipeline", _pipelines())
def test_shuffled_source_rows_remove_the_gain(pipeline):
    domains = _domains()
    order = np.random.RandomState(0).permutation(domains.X_source.shape[0])
    shuffled = clone(pipeline).fit(domains.X_source[order], domains.Y_target)
    assert ndcg(shuffled, domains.X_cold, domains.Y_cold) < 1.1 * _popularity(domains)


def _popularity(domains):
    """Return the NDCG@10 of the target's popularity for the cold users."""
    popularity = PopularityRecommender().fit(domains.Y_target)
    return ndcg(popularity, sp.csr_array(domains.Y_cold.shape), domains.Y_cold)


def test_search_over_a_frozen_encoder_refits_it_never():
    domains = _domains(n_users=200)
    encoder = _autoencoder().fit(domains.source.matrix)
    pipeline = make_pipeline(FrozenEstimator(encoder), RidgeRecommender())
    search = GridSearchCV(
        pipeline, {"ridgerecommender__regularization": [1, 10, 100]}, scoring=ndcg, cv=3
    ).fit(domains.X_source, domains.Y_target)
    assert search.best_estimator_[0].estimator is encoder
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    items, _ = recommend(search, domains.X_cold, n_recommendations=5)
    assert items.shape == (100, 5)


@pytest.mark.parametrize(
    ("pipeline", "grid"),
    [
        pytest.param(
            make_pipeline(_autoencoder(epochs=2), RidgeRecommender()),
            {"autoencoder__n_components": [4, 8], "ridgerecommender__regularization": [1, 10]},
            id="autoencoder",
        ),
        pytest.param(
            make_pipeline(
                ALSRecommender(8, max_iter=3, random_state=0),
                BridgeRecommender(ALSRecommender(8, max_iter=3, random_state=0), Ridge()),
            ),
            {"bridgerecommender__regressor__alpha": [0.1, 10]},
            id="emcdr",
        ),
    ],
)
@pytest.mark.usefixtures("workers")
def test_parallel_search_equals_serial_to_the_last_digit(pipeline, grid):
    domains = _domains(n_users=120)
    scores = [
        GridSearchCV(pipeline, grid, scoring=ndcg, cv=2, n_jobs=n_jobs)
        .fit(domains.X_source, domains.Y_target)
        .cv_results_["mean_test_score"]
        for n_jobs in (1, 2)
    ]
    np.testing.assert_array_equal(*scores)


_LOAD_AND_RECOMMEND = """
import sys
import joblib
import numpy as np
from sktransrec import recommend
for path in paths:
    model, X = joblib.load(path)
    items, scores = recommend(model, X, n_recommendations=5)
    np.savez(path.with_suffix(".npz"), items=items, scores=scores)
    assert not {"implicit", "keras", "tensorflow"} & set(sys.modules)
"""


def test_saved_pipelines_recommend_the_same_in_a_fresh_process(run_in_new_process, tmp_path):
    """What was fitted needs numpy and scipy alone."""
    domains = _domains(n_users=120)
    pipelines = {case.id: case.values[0] for case in _pipelines()}
    names = sorted(pipelines)
    for name in names:
        pipelines[name].fit(domains.X_source, domains.Y_target)
        joblib.dump((pipelines[name], domains.X_cold), tmp_path / f"{name}.joblib")
    paths = [tmp_path / f"{name}.joblib" for name in names]
    assert run_in_new_process(_LOAD_AND_RECOMMEND, paths=paths) == 0
    for name in names:
        items, scores = recommend(pipelines[name], domains.X_cold, n_recommendations=5)
        loaded = np.load(tmp_path / f"{name}.npz")
        np.testing.assert_array_equal(loaded["items"], items)
        np.testing.assert_array_equal(loaded["scores"], scores)
