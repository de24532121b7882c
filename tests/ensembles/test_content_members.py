# SPDX-License-Identifier: BSD-3-Clause
"""A stack by content: without a fit, with little data, and with new items."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression

from sktransrec import ContentKNNRecommender, ItemFeatures, StackingRecommender, content_members
from sktransrec.ensembles._evidence import Evidence, tempered
from sktransrec.recommenders import HistoryRecommender

RNG = np.random.RandomState(0)
N_ITEMS = 60
TASTE = np.repeat(np.eye(4), 15, axis=0)
FEATURES = ItemFeatures(TASTE + 0.3 * RNG.standard_normal((N_ITEMS, 4)))
OTHERS = ItemFeatures(TASTE[::2] + 0.3 * RNG.standard_normal((30, 4)), ids=range(100, 130))


def histories(n_rows, n_items=N_ITEMS, length=4):
    """Return histories of items of one kind each."""
    kinds = RNG.randint(4, size=n_rows)
    of_kind = n_items // 4
    return 1 + kinds[:, None] * of_kind + RNG.rand(n_rows, of_kind).argsort(axis=1)[:, :length]


@pytest.fixture(scope="module")
def source():
    return StackingRecommender(content_members(FEATURES), random_state=0).fit(histories(80))


def test_members_of_histories_and_of_a_matrix():
    names = [name for name, _ in content_members(FEATURES, {"a": None, "b": None})]
    assert names[:3] == ["a", "a, best match", "a, last item"]
    assert names[3:] == ["b", "b, best match", "b, last item", "links", "transitions"]
    of_matrix = content_members(FEATURES, decay=None)
    assert [name for name, _ in of_matrix] == ["words", "words, best match", "links"]
    X = np.zeros((30, N_ITEMS))
    np.put_along_axis(X, histories(30) - 1, 1, axis=1)
    stack = StackingRecommender(of_matrix, random_state=0).fit(X)
    moved = stack.with_item_features(OTHERS)
    assert moved.recommend(np.eye(30), n_recommendations=3)[0].shape == (30, 3)
    assert moved.prior_weights_.shape == moved.weights_[0].shape == (2,)


def test_each_column_of_texts_is_evidence_of_its_own():
    kinds = np.array(["tea", "pot", "cup", "jar"])[TASTE.argmax(axis=1)]
    table = pd.DataFrame({"title": kinds, "text": [f"sold here {i}" for i in range(N_ITEMS)]})
    members = content_members(ItemFeatures(table), decay=None)
    assert [name for name, _ in members if "match" not in name] == [
        *("words", "words of title", "words of text", "links")
    ]
    X = np.zeros((300, N_ITEMS))
    np.put_along_axis(X, histories(300) - 1, 1, axis=1)
    stack = StackingRecommender(members, random_state=0).fit(X)
    weights = dict(zip(stack.named_estimators_, stack.weights_[0], strict=True))
    assert weights["words of title"] > weights["words"] > weights["words of text"]
    others = pd.DataFrame({"title": kinds[::-2], "text": [f"new {i}" for i in range(30)]})
    moved = stack.with_item_features(ItemFeatures(others))
    best, _ = moved.recommend(np.eye(30), n_recommendations=1)
    assert (kinds[::-2][best[:, 0]] == kinds[::-2]).all()


def test_another_catalogue_gets_the_content_evidence_alone(source):
    moved = source.with_item_features(OTHERS)
    assert list(moved.named_estimators_) == ["words", "words, best match", "words, last item"]
    rows = np.array([[1, 9, 0, 0], [30, 0, 0, 0]])
    neighbors = ContentKNNRecommender(OTHERS).fit(np.eye(30))
    best = ContentKNNRecommender(OTHERS, pooling="max").fit(np.eye(30))
    decayed, last = np.zeros((2, 2, 30))
    decayed[0, [0, 8]], decayed[1, 29], last[[0, 1], [8, 29]] = (0.7, 1), 1, 1
    kinds = (neighbors, decayed), (best, decayed), (neighbors, last)
    known = sp.csr_array(decayed)
    evidence = [tempered(model.decision_function(X), known) for model, X in kinds]
    expected = np.tensordot(source.weights_[0, :3], evidence, axes=1)
    assert_allclose(moved.decision_function(rows), expected, rtol=1e-3, atol=1e-4)
    assert_array_equal(source.popularity_[source.popularity_ > 0], source.popularity_)


def test_kinds_are_found_in_another_catalogue(source):
    items, _ = source.with_item_features(OTHERS).recommend([[1, 2, 0, 0]], n_recommendations=5)
    assert (items < 8).all()


def test_new_items_come_at_any_time(source):
    new = ItemFeatures([[1.0, 0, 0, 0], [0, 0, 0, 1.0]], ids=["new", "newer"])
    later = source.with_items(new)
    assert_array_equal(later.named_estimators_.links.decision_function([[61, 1, 0, 0]])[0, 60:], 0)
    scores = later.decision_function([[1, 2, 3, 0], [60, 59, 0, 0], [62, 0, 0, 0]])
    assert (scores[0, 60] > scores[0, 61]) & (scores[1, 61] > scores[1, 60])
    assert later.recommend([[62, 0, 0, 0]], n_recommendations=3)[0].min() >= 45


def test_items_that_nobody_has_count_in_what_is_learned():
    """The held-out items are new to all rows, so the weights come from these alone."""
    known, last = histories(60, length=3), 1 + RNG.permutation(60)
    members = [("words", HistoryRecommender(ContentKNNRecommender(FEATURES), n_items=N_ITEMS))]
    of_kind = np.flatnonzero((known[:, 0] - 1) // 15 == (last - 1) // 15)
    rows = np.column_stack([known, last])[of_kind]
    rows[:, :3] = 1 + 15 * ((rows[:, :3] - 1) // 15)
    stack = StackingRecommender(members, holdout=1, random_state=0).fit(rows)
    assert stack.weights_[0, 0] > 0.5


def test_a_catalogue_of_items_with_rows_says_nothing_of_those_without():
    """Each item has one row: without the held-out ones, only these have none."""
    model = content_members(FEATURES, decay=None)[0][1].fit(np.eye(N_ITEMS))
    counts = (np.arange(N_ITEMS) >= 20).astype(int)
    evidence = Evidence([model], None, counts)
    all_of_them, few_of_them = (sp.csr_array(np.eye(N_ITEMS)[:n]) for n in (20, 5))
    assert_array_equal(evidence.known_items(all_of_them), counts > 0)
    assert evidence.known_items(few_of_them).all()
    assert_array_equal(Evidence([], None, counts).known_items(few_of_them), counts > 0)


def test_few_rows_stay_near_the_source(source):
    members = content_members(OTHERS)
    prior = FrozenEstimator(source)
    stack = StackingRecommender(members, prior=prior, random_state=0).fit(histories(4, 30))
    assert_allclose(stack.prior_weights_, source.weights_[0])
    with pytest.raises(ValueError, match="leave it at None"):
        StackingRecommender(content_members(FEATURES), LinearRegression(), random_state=0).fit(
            histories(40)
        ).with_item_features(OTHERS)
