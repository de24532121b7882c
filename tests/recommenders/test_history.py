# SPDX-License-Identifier: BSD-3-Clause
"""Recommenders of matrices in `HistoryRecommender`: fitted plainly, asked with decayed items."""

from typing import ClassVar

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import TruncatedSVD
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from sktransrec import (
    ContentKNNRecommender,
    DecayedHistory,
    HistoryRecommender,
    ItemFeatures,
    ItemKNNRecommender,
    PopularityRecommender,
    PopularityScaler,
    RidgeRecommender,
    VotingRecommender,
    history_steps,
)
from sktransrec._histories import seen_items

RNG = np.random.RandomState(0)
X = RNG.randint(1, 9, size=(40, 6)) * (np.arange(6) < RNG.randint(2, 7, size=(40, 1)))
ITEMS = DecayedHistory(0.6, n_items=8).fit(X).transform(X)


def test_an_in_domain_recommender_learns_without_decay_and_is_asked_with_it():
    model = HistoryRecommender(ItemKNNRecommender(), decay=0.6).fit(X)
    plain = ItemKNNRecommender().fit(seen_items(X, 8))
    assert_allclose(model.decision_function(X), plain.decision_function(ITEMS))


def test_a_supervised_recommender_learns_the_steps():
    ridge = RidgeRecommender(regularization=1.0)
    options = {"max_length": 3, "max_steps": 2}
    model = HistoryRecommender(ridge, decay=0.6, **options).fit(X)
    known, following = history_steps(X, decay=0.6, n_items=8, **options)
    direct = RidgeRecommender(regularization=1.0).fit(known, following)
    assert_allclose(model.decision_function(X), direct.decision_function(ITEMS), rtol=1e-5)


def test_a_pipeline_may_stand_inside():
    inner = make_pipeline(TruncatedSVD(2, random_state=0), RidgeRecommender())
    model = HistoryRecommender(inner, decay=0.6).fit(X)
    expected = model.recommender_.decision_function(ITEMS)
    assert_allclose(model.decision_function(X), expected, rtol=1e-5)


def test_rows_do_not_depend_on_their_order_or_padding():
    vote = VotingRecommender(
        [
            ("neighbours", HistoryRecommender(ItemKNNRecommender())),
            ("popularity", HistoryRecommender(PopularityRecommender())),
        ]
    ).fit(X)
    items, scores = vote.recommend(X, n_recommendations=3)
    at_the_left = np.array([np.roll(row, np.count_nonzero(row == 0)) for row in X])
    other_items, other_scores = vote.recommend(at_the_left[::-1], n_recommendations=3)
    assert_array_equal(other_items[::-1], items)
    assert_allclose(other_scores[::-1], scores, rtol=1e-5)
    assert not seen_items(X, 8).toarray()[np.arange(len(X))[:, None], items][items >= 0].any()


@pytest.mark.parametrize(("place", "decays"), [(-1, {0.6, 0.7}), (0, {1.0})])
def test_decay_is_chosen_by_what_comes_next(place, decays):
    rng = np.random.RandomState(0)
    # Items 2k + 1 and 2k + 2 are a pair, and the partner of one item of the row comes next.
    pairs = np.array([rng.permutation(60)[:4] for _ in range(400)])
    side = rng.randint(2, size=pairs.shape)
    items = 1 + 2 * pairs + side
    partner = 2 + 2 * pairs[:, place] - side[:, place]
    rows = np.column_stack([items, partner])
    # Their last item is not new, so they are learned from as they are.
    known = 1 + 2 * np.arange(60)[:, None] + [0, 1, 0, 0, 0]
    model = HistoryRecommender(ItemKNNRecommender()).fit(np.vstack([rows, known]))
    assert model.decay_ in decays


class Choosing(PopularityRecommender):
    """A recommender whose "auto" depends on how much it learns from."""

    used: ClassVar = []

    def __init__(self, amount="auto"):
        self.amount = amount

    def _choose(self, X):
        self.amount_ = X.nnz if self.amount == "auto" else self.amount
        self.used.append(self.amount_)


def test_the_decay_is_chosen_for_the_values_in_use():
    histories = np.array([np.random.RandomState(row).permutation(100) + 1 for row in range(250)])
    model = HistoryRecommender(Choosing()).fit(histories[:, :4])
    assert Choosing.used == [1000, 1000]
    assert model.recommender_.amount == "auto"


def test_few_histories_choose_no_decay():
    assert HistoryRecommender(ItemKNNRecommender()).fit(X).decay_ == 0.8


def test_new_items_by_content():
    content = ItemFeatures(np.eye(8), ids=list(range(8)))
    model = HistoryRecommender(ContentKNNRecommender(content), decay=0).fit(X)
    later = model.with_items(ItemFeatures(np.eye(8)[[2]], ids=[8]))
    items, _ = later.recommend([[1, 3, 0, 0, 0, 0], [3, 9, 0, 0, 0, 0]], n_recommendations=1)
    assert items[0, 0] == 8
    assert items[1, 0] != 8
    assert not hasattr(HistoryRecommender(ItemKNNRecommender()), "with_items")


def test_items_and_their_ids_are_those_of_the_content():
    content = ItemFeatures(np.random.RandomState(0).rand(9, 3), ids=[f"film {i}" for i in range(9)])
    model = HistoryRecommender(ContentKNNRecommender(content), decay=0.5).fit(X[:, :3])
    assert model.n_items_ == 9
    assert model.decode_items([8, -1]).tolist() == ["film 8", None]
    vote = VotingRecommender([("content", model)]).fit(X)
    assert vote.encode_items(["film 2"]).tolist() == [2]
    with pytest.raises(ValueError, match="does not know the ids"):
        HistoryRecommender(ItemKNNRecommender(), decay=0.5).fit(X).decode_items([0])


def test_steps_before_the_recommender_stay_when_items_are_added():
    content = ItemFeatures(np.random.RandomState(0).rand(8, 3), ids=range(8))
    pipeline = make_pipeline(PopularityScaler(2.0), ContentKNNRecommender(content))
    model = HistoryRecommender(pipeline, decay=0.5).fit(X)
    later = model.with_items(ItemFeatures(np.random.RandomState(1).rand(2, 3), ids=[8, 9]))
    assert later.decision_function(X).shape[1] == 10
    assert_allclose(later.decision_function(X)[:, :8], model.decision_function(X), rtol=1e-6)
    with pytest.raises(ValueError, match="steps that have learned from the columns"):
        model.with_item_features(content.of(range(4)))


def test_what_recommends_other_items_is_refused():
    with pytest.raises(ValueError, match="no history has two items"):
        HistoryRecommender(RidgeRecommender()).fit([[1, 0], [2, 0]])


def test_new_items_in_histories_count_by_their_content():
    content = ItemFeatures(np.random.RandomState(0).rand(8, 3))
    X = np.array([[1, 2, 3, 0], [4, 5, 6, 1], [2, 6, 0, 0]])
    rows = np.array([[1, 7, 8, 0], [8, 2, 0, 0]])
    neighbors = ContentKNNRecommender(content.of(range(6)))
    model = HistoryRecommender(neighbors, decay=0.5).fit(X).with_items(content.of([6, 7]))
    expected = ContentKNNRecommender(content).fit(np.eye(8))
    known = [[0.25, 0, 0, 0, 0, 0, 0.5, 1], [0, 1, 0, 0, 0, 0, 0, 0.5]]
    assert_allclose(model.decision_function(rows), expected.decision_function(known), rtol=1e-6)


def test_another_catalogue_is_read_without_its_histories():
    content = ItemFeatures(np.random.RandomState(0).rand(9, 3), ids=range(10, 19))
    neighbors = ContentKNNRecommender(content.of(range(10, 14)))
    moved = HistoryRecommender(neighbors, decay=0.5).fit([[1, 2, 3, 4]])
    moved = moved.with_item_features(content.of(range(14, 19)))
    expected = ContentKNNRecommender(moved.recommender_.item_features).fit(np.eye(5))
    assert_allclose(
        moved.decision_function([[5, 2, 0, 0]]),
        expected.decision_function([[0, 1, 0, 0, 0.5]]),
        rtol=1e-6,
    )
    with pytest.raises(AttributeError, match="with_item_features"):
        HistoryRecommender(ItemKNNRecommender()).fit([[1, 2, 3]]).with_item_features(content)


def test_a_frozen_recommender_is_asked_as_it_is():
    matrix = ItemKNNRecommender().fit(ITEMS)
    model = HistoryRecommender(FrozenEstimator(matrix), decay=0.6, n_items=8).fit(X)
    assert_allclose(model.decision_function(X[:5]), matrix.decision_function(ITEMS[:5]), rtol=1e-5)
