# SPDX-License-Identifier: BSD-3-Clause
"""Zeros are features where a model has learned from rows of zeros, and nothing where it has not."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sktransrec import (
    ALSRecommender,
    BridgeRecommender,
    DiscountedRecommender,
    EASERecommender,
    RidgeRecommender,
    SegmentPopularityRecommender,
    SourceSelectorRecommender,
    StackingRecommender,
    SwitchingRecommender,
    TransferGate,
    VotingRecommender,
)
from sktransrec.inspection import explain

RNG = np.random.default_rng(0)
GROUP = np.repeat([0.0, 1.0], [60, 140])[:, None]
LIKES = np.repeat([[0.7, 0.05], [0.05, 0.7]], 8, axis=1)[GROUP[:, 0].astype(int)]
Y = (RNG.random(LIKES.shape) < LIKES).astype(float)
FIRST_HALF = set(range(8))
RIDGE = RidgeRecommender(1.0)
BRIDGE = BridgeRecommender(ALSRecommender(4, random_state=0))
MODELS = [
    RIDGE,
    BRIDGE,
    SegmentPopularityRecommender(),
    VotingRecommender([("ridge", RIDGE), ("segments", SegmentPopularityRecommender())]),
    StackingRecommender(
        [("ridge", RIDGE), ("bridge", BRIDGE)],
        random_state=0,
    ),
    TransferGate(RIDGE, random_state=0),
    SourceSelectorRecommender(RIDGE, random_state=0),
    DiscountedRecommender(RIDGE, discount=0),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_zeros_that_were_learned_from_are_features(model):
    items, scores = model.fit(GROUP, Y).recommend([[0.0]], n_recommendations=5)
    assert set(items[0]) <= FIRST_HALF
    assert_array_equal(scores[0], model.decision_function([[0.0], [1.0]])[0, items[0]])


def test_a_switch_asks_what_has_learned_from_zeros():
    X = np.hstack([np.zeros_like(Y), GROUP])
    columns = slice(0, Y.shape[1])
    model = SwitchingRecommender(EASERecommender(), RIDGE, target_columns=columns)
    model.fit(np.hstack([Y, GROUP]))
    items, _ = model.recommend(X[:1], n_recommendations=5)
    assert set(items[0]) <= FIRST_HALF


@pytest.mark.parametrize(
    "model",
    [
        RIDGE,
        BRIDGE,
        VotingRecommender([("r", RIDGE)]),
    ],
)
def test_zeros_that_no_row_had_are_nothing(model):
    model.fit(GROUP + 1, Y)
    assert_allclose(model.decision_function([[0.0]])[0], Y.mean(axis=0), rtol=1e-6)


def test_learning_on_and_forgetting_count_rows_of_zeros():
    model = RidgeRecommender(1.0).partial_fit(GROUP[60:], Y[60:])
    assert_allclose(model.decision_function([[0.0]])[0], Y[60:].mean(axis=0), rtol=1e-6)
    model.partial_fit(GROUP[:60], Y[:60])
    expected = RIDGE.fit(GROUP, Y).decision_function([[0.0]])
    assert_allclose(model.decision_function([[0.0]]), expected, atol=1e-6)
    model.forget(GROUP[:60], Y[:60])
    assert_allclose(model.decision_function([[0.0]])[0], Y[60:].mean(axis=0), rtol=1e-6)


@pytest.mark.parametrize("model", MODELS[:1] + MODELS[1:2] + MODELS[3:5])
def test_a_row_of_zeros_has_no_reasons(model):
    found = explain(model.fit(GROUP, Y), np.zeros((1, 1)), n_recommendations=2)
    assert found.columns.size == 0
    assert_array_equal(found.scores, model.decision_function([[0.0]])[0, found.items])
