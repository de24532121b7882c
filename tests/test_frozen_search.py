# SPDX-License-Identifier: BSD-3-Clause
"""Searches and comparisons of models that hold a frozen estimator, in processes and in threads."""

import numpy as np
import pytest
from joblib import parallel_backend
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline

from sktransrec import (
    ALSRecommender,
    BridgeRecommender,
    HybridRecommender,
    PopularityRecommender,
    RidgeRecommender,
    SwitchingRecommender,
    VotingRecommender,
    compare,
    frozen,
)
from sktransrec.testing._samples import interactions

pytestmark = pytest.mark.usefixtures("few_draws")

X, Y = interactions(60, 24, seed=0), interactions(60, 20, seed=1)
OF_X, OF_Y = (ALSRecommender(3, max_iter=2, random_state=0).fit(Z) for Z in (X, Y))
OURS = [
    BridgeRecommender(FrozenEstimator(OF_Y)),
    HybridRecommender(FrozenEstimator(OF_X)),
    SwitchingRecommender(FrozenEstimator(OF_X)),
    VotingRecommender([("one", FrozenEstimator(OF_X)), ("two", PopularityRecommender())]),
]
PIPELINE = make_pipeline(FrozenEstimator(OF_X), RidgeRecommender())
NAMED = make_pipeline(frozen(OF_X), RidgeRecommender())


def scores(model, n_jobs, backend=None):
    wanted = Y if isinstance(model, Pipeline | BridgeRecommender) else X[:, ::-1]
    search = GridSearchCV(model, {}, cv=4, n_jobs=n_jobs, error_score="raise")
    if backend is None:
        search.fit(X, wanted)
    else:
        with parallel_backend(backend):
            search.fit(X, wanted)
    return [search.cv_results_[f"split{i}_test_score"][0] for i in range(4)]


@pytest.mark.parametrize("model", [*OURS, NAMED], ids=lambda each: type(each).__name__)
def test_our_wrappers_are_searched_in_threads(model):
    np.testing.assert_array_equal(scores(model, 4, "threading"), scores(model, 1))


def test_clones_of_a_pipeline_share_what_is_frozen():
    # This is why scikit-learn's searches of such a pipeline need processes, as the guide says.
    assert clone(PIPELINE)[0] is PIPELINE[0]


def test_clones_of_a_named_one_share_only_what_it_holds():
    one, other = (clone(NAMED)[0] for _ in range(2))
    assert one is not other
    assert one is not NAMED[0]
    assert one.estimator is other.estimator is OF_X
    assert repr(one) == repr(NAMED[0])


@pytest.mark.parametrize(
    "model",
    [
        PIPELINE,
        NAMED,
        VotingRecommender([("one", PIPELINE), ("two", NAMED)]),
        GridSearchCV(NAMED, {"ridgerecommender__regularization": [1.0, 3.0]}, cv=2),
    ],
    ids=["pipeline", "named", "vote", "search"],
)
def test_models_with_frozen_steps_are_compared_in_threads(model):
    means = []
    for n_jobs in (1, 4):
        with parallel_backend("threading"):
            found = compare({"a": model, "b": model}, X, Y, cv=2, n_jobs=n_jobs, random_state=0)
        assert not any(found.errors.values())
        means.append(found.means)
    assert means[0] == means[1]


@pytest.mark.slow
def test_pipelines_are_searched_in_processes():
    np.testing.assert_array_equal(scores(PIPELINE, 2, "loky"), scores(PIPELINE, 1))
