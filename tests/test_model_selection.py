# SPDX-License-Identifier: BSD-3-Clause
"""search_space: ready distributions of all parts, within what the parameters may be."""

import inspect

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import ParameterSampler, RandomizedSearchCV
from sklearn.pipeline import make_pipeline

import sktransrec
from sktransrec import (
    ALSRecommender,
    BM25Transformer,
    BridgeRecommender,
    EASERecommender,
    ItemKNNRecommender,
    TransferGate,
    VotingRecommender,
    ranking_scorer,
    search_space,
)
from sktransrec.datasets import make_cross_domain

WITH_SPACES = [
    each
    for each in map(sktransrec.__dict__.get, sktransrec.__all__)
    if inspect.isclass(each) and hasattr(each, "search_distributions")
]


@pytest.mark.parametrize("estimator", WITH_SPACES)
def test_what_is_drawn_is_allowed(estimator):
    """Each draw satisfies the constraints, and no parameter is always the same."""
    space = estimator.search_distributions
    constraints = estimator._parameter_constraints
    for name, values in space.items():
        n_draws = len(values) if isinstance(values, list) else 20
        drawn = {draw[name] for draw in ParameterSampler({name: values}, n_draws, random_state=0)}
        assert len(drawn) > 1
        assert name in inspect.signature(estimator).parameters
        for value in drawn:
            allowed = [
                constraint.is_satisfied_by(value)
                for constraint in constraints[name]
                if hasattr(constraint, "is_satisfied_by")
            ]
            assert any(allowed) or value is None


@pytest.mark.parametrize("estimator", WITH_SPACES)
def test_the_default_is_within_the_range(estimator):
    """Otherwise a search could be worse than no search."""
    for name, values in estimator.search_distributions.items():
        default = inspect.signature(estimator).parameters[name].default
        if isinstance(default, str) or default in (0, inspect.Parameter.empty):
            continue
        if isinstance(values, list):
            assert default in values
        else:
            low, high = values.support()
            assert low <= default <= high


def test_parts_are_searched_by_their_names():
    bridge = make_pipeline(ALSRecommender(), BridgeRecommender(ALSRecommender(), Ridge()))
    assert {name.rsplit("__", 1)[0] for name in search_space(bridge)} == {
        "alsrecommender",
        "bridgerecommender",
        "bridgerecommender__recommender",
    }
    vote = VotingRecommender([("ease", EASERecommender()), ("out", "drop")])
    gate = TransferGate(vote, ItemKNNRecommender())
    assert "transfer__ease__regularization" in search_space(gate)
    assert "fallback__shrinkage" in search_space(gate)
    for model in (bridge, gate):
        draw = next(iter(ParameterSampler(search_space(model), 1, random_state=0)))
        clone(model).set_params(**draw)


def test_what_is_frozen_is_left_out():
    X = make_cross_domain(60, 30, 20, n_cold_users=0, random_state=0).X_source
    frozen = FrozenEstimator(ALSRecommender(2, max_iter=1, random_state=0).fit(X))
    model = make_pipeline(frozen, sktransrec.RidgeRecommender())
    assert list(search_space(model)) == ["ridgerecommender__regularization"]


def test_estimators_of_others_may_have_a_space():
    class Own(BaseEstimator):
        search_distributions = {"depth": [1, 2]}

        def __init__(self, depth=1):
            self.depth = depth

    assert search_space(make_pipeline(Own())) == {"own__depth": [1, 2]}


def test_a_randomised_search_of_it_is_no_worse_than_the_default():
    X = make_cross_domain(random_state=0).X_source
    model = make_pipeline(BM25Transformer(), EASERecommender())
    scorer = ranking_scorer(holdout=0.2, random_state=0)
    search = RandomizedSearchCV(
        model, search_space(model), n_iter=8, scoring=scorer, cv=2, random_state=0
    ).fit(X)
    default = RandomizedSearchCV(model, {}, n_iter=1, scoring=scorer, cv=2, random_state=0).fit(X)
    assert search.best_score_ >= default.best_score_ * 0.98


def test_distributions_of_optuna_have_the_same_bounds():
    distributions = pytest.importorskip("optuna").distributions
    space, of_optuna = (
        search_space(ALSRecommender(), library=library) for library in ("scipy", "optuna")
    )
    assert space.keys() == of_optuna.keys()
    low, high = space["regularization"].support()
    expected = distributions.FloatDistribution(low, high, log=True)
    assert of_optuna["regularization"] == expected
    assert of_optuna["n_components"].choices == tuple(space["n_components"])
    exponent = search_space(ItemKNNRecommender(), library="optuna")["popularity_exponent"]
    assert exponent == distributions.FloatDistribution(0, 0.8)
    assert np.isfinite([exponent.low, exponent.high]).all()


@pytest.mark.parametrize("model", ["ease", EASERecommender])
def test_what_is_no_estimator_is_named(model):
    with pytest.raises(TypeError, match=r"is no estimator: pass one"):
        search_space(model)
