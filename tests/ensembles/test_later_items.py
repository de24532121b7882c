# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from sktransrec import (
    ContentKNNRecommender,
    DecayedHistory,
    EASERecommender,
    HistoryRecommender,
    HybridRecommender,
    ItemFeatures,
    ItemKNNRecommender,
    PopularityScaler,
    TransitionRecommender,
    VotingRecommender,
)
from sktransrec.ensembles._later_items import BesideLaterItems, knows_content
from sktransrec.inspection import explain
from sktransrec.metrics import held_out_auc, held_out_ranks, ndcg_at_k, ranking_scorer

X = np.array([[1, 1, 0, 1], [0, 1, 1, 1], [1, 0, 1, 1]])
FEATURES = ItemFeatures(["ridge regression", "sparse regression", "gene expression", "genes"])


def test_a_later_item_is_like_the_median_of_the_known_ones():
    model = ItemKNNRecommender().fit(X)
    later = BesideLaterItems(model, 2)
    scores = model.decision_function(X)
    assert_array_equal(later.decision_function(X)[:, :4], scores)
    assert_array_equal(
        later.decision_function(X)[:, 4:], np.tile(np.median(scores, axis=1), (2, 1)).T
    )
    assert later.popularity_.tolist() == [*model.popularity_.tolist(), 0, 0]
    assert later.withheld_items_ is None
    assert not knows_content(later)
    assert knows_content(HybridRecommender(item_features=ItemFeatures(np.eye(4))))
    assert not knows_content(HybridRecommender())


def test_steps_before_a_recommender_stay_and_its_content_counts():
    content = ItemFeatures([[1.0, 0.1], [0.8, 0.3], [0.2, 1.0], [0.1, 0.9]])
    model = make_pipeline(PopularityScaler(2.0), ContentKNNRecommender(content)).fit(X)
    assert knows_content(model)
    ensemble = VotingRecommender([("content", model), ("neighbors", ItemKNNRecommender())]).fit(X)
    later = ensemble.with_items(ItemFeatures([[0.1, 0.9]], ids=["new"]))
    (of_content, _) = later.estimators_
    assert_allclose(of_content.decision_function(X)[:, :4], model.decision_function(X), rtol=1e-6)
    assert_allclose(*of_content.decision_function(X)[:, 3:].T, rtol=1e-6)


def test_later_items_are_left_out_of_histories():
    model = TransitionRecommender().fit([[1, 2, 3, 0], [3, 1, 2, 4]])
    later = BesideLaterItems(model, 2)
    expected = model.decision_function([[1, 3, 0, 0]])
    assert_array_equal(later.decision_function([[6, 1, 5, 3]])[:, :4], expected)


@pytest.mark.parametrize(
    "reader",
    [
        DecayedHistory(0.5, n_items=4),
        make_pipeline(DecayedHistory(0.5, n_items=4), PopularityScaler()),
        FrozenEstimator(DecayedHistory(0.5, n_items=4).fit([[1, 2, 3, 4]])),
    ],
    ids=["step", "steps", "frozen"],
)
def test_a_step_that_reads_histories_leaves_later_items_out(reader):
    content = make_pipeline(reader, ContentKNNRecommender(FEATURES))
    members = [("content", content), ("transitions", TransitionRecommender())]
    model = VotingRecommender(members).fit([[1, 2, 3, 0], [3, 1, 2, 4]])
    later = model.with_items(ItemFeatures(["regression"], ids=["new"]))
    scores = later.decision_function([[5, 1, 3, 0], [1, 5, 3, 5]])
    assert_array_equal(*scores)
    assert_array_equal(scores[:1], later.decision_function([[1, 3, 0, 0]]))
    items, _ = later.recommend([[5, 1, 3, 0]], n_recommendations=3)
    assert set(items[0]) == {1, 3, -1}
    with pytest.raises(ValueError, match="X holds the item id 5"):
        model.estimators_[0][0].transform([[5, 1, 3, 0]])


def test_what_speaks_for_an_item_is_still_known_beside_later_ones():
    content = ItemFeatures(np.random.RandomState(0).rand(5, 3), ids=range(5))
    members = [("content", ContentKNNRecommender(content.of(range(4))))]
    vote = VotingRecommender([*members, ("neighbors", ItemKNNRecommender())]).fit(X)
    later = vote.with_items(content.of([4]))
    reasons = explain(later, X[:1], [2, 4])
    assert (reasons.contributions != 0).all()
    histories = [("neighbors", HistoryRecommender(ItemKNNRecommender(), decay=0.5))]
    histories.append(("content", HistoryRecommender(members[0][1], decay=0.5)))
    vote = VotingRecommender(histories).fit([[1, 2, 3, 0], [3, 1, 2, 4]])
    reasons = explain(vote.with_items(content.of([4])), np.array([[1, 5, 2, 0]]), [2])
    assert reasons.columns.tolist() == [0, 4, 1]
    assert (reasons.contributions != 0).all()


@pytest.mark.parametrize(
    "model",
    [
        ContentKNNRecommender(FEATURES),
        HybridRecommender(item_features=FEATURES, random_state=0),
        VotingRecommender(
            [("content", ContentKNNRecommender(FEATURES)), ("ease", EASERecommender())]
        ),
    ],
)
def test_models_with_later_items_are_judged(model):
    later = clone(model).fit(X).with_items(ItemFeatures(["kernel regression"], ids=["new"]))
    y = np.zeros((3, 5))
    y[:, 4] = 1
    items, _ = later.recommend(X, n_recommendations=5)
    expected = ndcg_at_k(y, items, k=5)
    assert later.score(X, y) == ranking_scorer(k=5)(later, X, y) == pytest.approx(expected)
    assert 0 <= held_out_auc(later, X, y) <= 1
    _, _, ranks = held_out_ranks(later, X, y)
    assert_array_equal(ranks <= 1, items[:, 0] == 4)
    assert ranking_scorer("popularity_lift", k=1)(later, X, y) is not None
