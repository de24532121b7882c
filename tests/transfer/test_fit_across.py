# SPDX-License-Identifier: BSD-3-Clause
"""Each part of a model across domains learns from all rows of its own domain."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from sktransrec import (
    ALSRecommender,
    BridgeRecommender,
    RidgeRecommender,
    StackingRecommender,
    TransferGate,
    VotingRecommender,
    fit_across_domains,
)
from sktransrec.datasets import make_cross_domain

SHARED = slice(0, 60)


@pytest.fixture(scope="module")
def domains():
    return make_cross_domain(200, n_source_items=40, n_target_items=30, random_state=0)


def als(n_components=4):
    return ALSRecommender(n_components, max_iter=3, random_state=0)


def bridge():
    return make_pipeline(als(), BridgeRecommender(als(3), Ridge()))


def across(model, domains):
    return fit_across_domains(
        model,
        domains.X_source[SHARED],
        domains.Y_target[SHARED],
        X_source=domains.X_source,
        Y_target=domains.Y_target,
    )


def by_hand(domains):
    encoder = FrozenEstimator(als().fit(domains.X_source))
    target = FrozenEstimator(als(3).fit(domains.Y_target))
    model = make_pipeline(encoder, BridgeRecommender(target, Ridge()))
    return model.fit(domains.X_source[SHARED], domains.Y_target[SHARED])


def test_it_is_what_freezing_each_part_by_hand_gives(domains):
    model = across(bridge(), domains)
    expected = by_hand(domains)
    X = domains.X_source
    assert_array_equal(model.decision_function(X), expected.decision_function(X))
    alone = bridge().fit(X[SHARED], domains.Y_target[SHARED])
    assert not np.allclose(model.decision_function(X), alone.decision_function(X))


def test_members_of_a_vote_are_fitted_so_as_well(domains):
    X = domains.X_source
    model = VotingRecommender(
        [("bridge", bridge()), ("items", make_pipeline(als(), RidgeRecommender()))]
    )
    vote = across(model, domains)
    of_bridge = vote.named_estimators_["bridge"].decision_function(X)
    assert_allclose(of_bridge, by_hand(domains).decision_function(X), rtol=1e-6)


def test_folds_of_a_gate_do_not_know_their_own_rows(domains):
    gate = across(TransferGate(bridge(), cv=2, n_buckets=1, random_state=0), domains)
    encoder, last = gate.transfer[0], gate.transfer[-1]
    assert_array_equal(encoder.estimator.item_factors_, als().fit(domains.X_source).item_factors_)
    assert not isinstance(last.recommender, FrozenEstimator)


def test_folds_of_a_stack_do_not_know_their_own_rows(domains):
    stack = across(StackingRecommender([("bridge", bridge())], cv=2, random_state=0), domains)
    encoder, last = stack.estimators[0][1]
    assert_array_equal(encoder.estimator.item_factors_, als().fit(domains.X_source).item_factors_)
    assert not isinstance(last.recommender, FrozenEstimator)


def test_without_more_rows_it_is_fit_and_the_model_stays_unfitted(domains):
    X, y = domains.X_source[SHARED], domains.Y_target[SHARED]
    model = bridge()
    fitted = fit_across_domains(model, X, y)
    assert_array_equal(fitted.decision_function(X), bridge().fit(X, y).decision_function(X))
    across(model, domains)
    assert not hasattr(model[0], "item_factors_")


def test_what_is_frozen_already_stays_as_it_is(domains):
    encoder = FrozenEstimator(als().fit(domains.X_source[:30]))
    model = across(make_pipeline(encoder, RidgeRecommender()), domains)
    assert_array_equal(model[0].item_factors_, encoder.item_factors_)


@pytest.mark.parametrize("step", ["passthrough", None, FrozenEstimator(MaxAbsScaler())])
def test_steps_that_need_no_fit_are_passed(step, domains):
    X, y = domains["X_source"][SHARED], domains["Y_target"][SHARED]
    if step is not None and step != "passthrough":
        step.estimator.fit(domains["X_source"])
    pipeline = Pipeline([("first", step), ("als", als()), ("ridge", RidgeRecommender())])
    model = fit_across_domains(pipeline, X, y, X_source=domains["X_source"])
    expected = als().fit(domains["X_source"]).item_factors_
    assert_allclose(model["als"].estimator.item_factors_, expected, rtol=1e-4, atol=1e-6)


def test_domains_have_the_same_columns_in_all_matrices(domains):
    X, y = domains.X_source[SHARED], domains.Y_target[SHARED]
    for options in ({"X_source": domains.X_source[:, 1:]}, {"Y_target": domains.Y_target[:, 1:]}):
        (name,) = options
        with pytest.raises(ValueError, match=rf"{name} has (39|29) columns and \w has (40|30)"):
            fit_across_domains(bridge(), X, y, **options)


@pytest.mark.parametrize("model", [als(), make_pipeline(MaxAbsScaler(), als())], ids=repr)
def test_a_model_that_would_ignore_the_target_is_refused(model, domains):
    with pytest.raises(ValueError, match="learns from X alone, so it would ignore y and Y_target"):
        across(model, domains)
