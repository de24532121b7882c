# SPDX-License-Identifier: BSD-3-Clause
"""Decayed histories: weights by position, alike for both kinds of padding, and in pipelines."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline

from sktransrec import (
    DecayedHistory,
    InteractionEncoder,
    ItemKNNRecommender,
    PopularityRecommender,
    VotingRecommender,
    recommend,
)
from sktransrec.testing import recommender_checks

HISTORIES = np.array([[1, 2, 3, 1], [4, 1, 0, 0], [2, 0, 0, 0], [0, 0, 0, 0]])
WEIGHTS = [[1.125, 0.25, 0.5, 0], [1, 0, 0, 0.5], [0, 1, 0, 0], [0, 0, 0, 0]]


def test_weights_fall_with_each_step_back():
    assert_allclose(DecayedHistory(0.5).fit_transform(HISTORIES).toarray(), WEIGHTS)


def test_the_side_of_the_padding_does_not_matter():
    at_the_left = np.array([[1, 2, 3, 1], [0, 0, 4, 1], [0, 0, 0, 2], [0, 0, 0, 0]])
    assert_allclose(DecayedHistory(0.5).fit_transform(at_the_left).toarray(), WEIGHTS)


def test_without_decay_it_is_the_matrix_of_the_encoder():
    log = {"user": [0, 0, 0, 1, 1], "item": list("abaca"), "time": [1, 2, 3, 1, 2]}
    encoder = InteractionEncoder(time="time").fit(log)
    X = DecayedHistory(1).fit_transform(encoder.sequences(log))
    assert_array_equal(X.toarray(), encoder.transform(log).toarray())


def test_unknown_items_are_no_steps():
    model = DecayedHistory(0.5, n_items=3, unknown="ignore").fit([[1, 2, 3]])
    assert_allclose(model.transform([[1, 9, 2]]).toarray(), [[0.5, 1, 0]])
    with pytest.raises(ValueError, match=r"item id 9.*n_items"):
        DecayedHistory(n_items=3).fit([[1, 2, 9]])
    with pytest.raises(ValueError, match="no interactions"):
        DecayedHistory().fit([[0, 0]])


def pipeline(recommender):
    return make_pipeline(DecayedHistory(n_items=24, unknown="ignore"), recommender)


def test_a_pipeline_recommends_new_items_by_the_recent_ones():
    X = np.array([[1, 2], [1, 2], [3, 4], [3, 4]])
    model = make_pipeline(DecayedHistory(0.5), ItemKNNRecommender(weighting="cosine")).fit(X)
    items, _ = recommend(model, [[1, 3], [3, 1]], n_recommendations=2)
    assert_array_equal(items, [[3, 1], [1, 3]])


@pytest.mark.parametrize(
    "check", ["check_seen", "check_eligible_scores", "check_wrapped", "check_ranks"]
)
def test_a_vote_of_pipelines_keeps_the_contract(check):
    members = [ItemKNNRecommender(), PopularityRecommender()]
    vote = VotingRecommender([(str(i), pipeline(each)) for i, each in enumerate(members)])
    checks = {
        function.__name__: (model, function) for model, function in recommender_checks([vote])
    }
    model, function = checks[check]
    function(model)
