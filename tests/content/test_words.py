# SPDX-License-Identifier: BSD-3-Clause
"""Texts become the vectors of their words, in a table those of all columns together."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.feature_extraction.text import TfidfVectorizer

from sktransrec import ContentKNNRecommender, HybridRecommender, ItemFeatures
from sktransrec.content._words import vectorizer_for, words_of


def test_texts_are_turned_into_vectors_and_nothing_else():
    assert isinstance(vectorizer_for(ItemFeatures(["one text", "another"])), TfidfVectorizer)
    assert vectorizer_for(ItemFeatures(np.eye(4))) is None


def test_the_texts_of_a_table_are_joined():
    """The cosine is that of the joined texts, also for later items."""
    table = pd.DataFrame(
        {"title": ["red tea", "green tea", "tea pot"], "kind": ["drink", "cold drink", "tool"]}
    )
    later = pd.DataFrame({"title": ["red pot"], "kind": ["cold tool"]}, index=["later"])
    texts, later_texts = (list(each["title"] + " " + each["kind"]) for each in (table, later))
    of_table, of_texts = (
        ContentKNNRecommender(ItemFeatures(values)).fit(np.eye(3)) for values in (table, texts)
    )
    expected = of_texts.with_items(ItemFeatures(later_texts, ids=["later"]))
    of_table = of_table.with_items(ItemFeatures(later))
    assert_array_equal(of_table.decision_function(np.eye(3)), expected.decision_function(np.eye(3)))


@pytest.mark.parametrize(
    "model",
    [
        ContentKNNRecommender(),
        HybridRecommender(random_state=0),
        ContentKNNRecommender(transformer=words_of("kind")),
    ],
    ids=["neighbours", "hybrid", "neighbours by the column"],
)
def test_an_item_may_lack_a_text_if_it_has_another(model):
    table = pd.DataFrame({"title": ["red tea", "tea pot", "red pot"], "kind": ["tea", "", "pot"]})
    model = model.set_params(item_features=ItemFeatures(table)).fit(np.eye(3))
    assert np.isfinite(model.decision_function(np.eye(3))).all()


@pytest.mark.parametrize("model", [ContentKNNRecommender(), HybridRecommender(random_state=0)])
def test_a_table_of_texts_and_numbers_asks_for_a_transformer(model):
    table = ItemFeatures(pd.DataFrame({"title": list("abcd"), "price": [1.0, 2, 3, 4]}))
    with pytest.raises(ValueError, match=r"1 columns of texts, such as 'title', and 1 other ones"):
        model.set_params(item_features=table).fit(np.eye(4))
