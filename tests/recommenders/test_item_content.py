# SPDX-License-Identifier: BSD-3-Clause
"""The content of the columns of X, in their order, and of items that come later."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sktransrec import ContentKNNRecommender, ItemFeatures

IDS = ["a", "b", "c", "d"]
VALUES = np.eye(4)
X = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 0, 1.0]])


def fitted(rows, ids=IDS, values=VALUES):
    return ContentKNNRecommender(ItemFeatures(values, ids=ids)).fit(rows)


def test_names_of_columns_find_their_content_in_any_order():
    order = [2, 0, 3, 1]
    frame = pd.DataFrame(X[:, order], columns=[IDS[i] for i in order])
    found = fitted(frame)
    assert found.item_ids_.tolist() == ["c", "a", "d", "b"]
    assert_array_equal(found.decision_function(frame), fitted(X).decision_function(X)[:, order])


def test_columns_that_are_numbered_name_nothing():
    frame = pd.DataFrame(X)
    assert fitted(frame).item_ids_.tolist() == IDS
    assert_array_equal(fitted(frame).decision_function(frame), fitted(X).decision_function(X))
    without = ContentKNNRecommender().fit(frame)
    assert without.item_ids_.tolist() == [0, 1, 2, 3]


def test_later_items_follow_and_leave_the_recommender_as_it_was():
    model = fitted(X)
    more = model.with_items(ItemFeatures(VALUES[:2], ids=["e", "f"]))
    most = more.with_items(ItemFeatures(VALUES[2:3], ids=["g"]))
    assert most.decode_items([3, 4, 6]).tolist() == ["d", "e", "g"]
    assert [each.n_items_ for each in (model, more, most)] == [4, 6, 7]
    scores = most.decision_function(X)
    assert_array_equal(scores[:, :4], model.decision_function(X))
    # The content of e, f and g is that of a, b and c.
    assert_array_equal(scores[:, 4:], scores[:, :3])
    assert not most.popularity_[4:].any()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (X[:, :3], "item_features has 4 items and X has 3 columns"),
        (pd.DataFrame(X, columns=["a", "b", "c", "z"]), "no item 'z', which is a column of X"),
    ],
)
def test_columns_without_content_are_named(rows, message):
    with pytest.raises(ValueError, match=message):
        fitted(rows)


def test_bad_later_items():
    with pytest.raises(ValueError, match="Item 'b' is known already"):
        fitted(X).with_items(ItemFeatures(VALUES[:1], ids=["b"]))
    with pytest.raises(TypeError, match="item_features must be an ItemFeatures"):
        fitted(X).with_items(VALUES)
    with pytest.raises(ValueError, match="fitted without item_features"):
        ContentKNNRecommender().fit(X).with_items(ItemFeatures(VALUES[:1], ids=["e"]))
