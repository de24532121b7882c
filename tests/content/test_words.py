# SPDX-License-Identifier: BSD-3-Clause
"""Texts become the vectors of their words, in a table those of the title and of all columns."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.feature_extraction.text import TfidfVectorizer

from sktransrec import ContentKNNRecommender, HybridRecommender, ItemFeatures
from sktransrec.content._words import vectorizer_for, words_of


def test_texts_are_turned_into_vectors_and_nothing_else():
    assert isinstance(vectorizer_for(ItemFeatures(["one text", "another"])), TfidfVectorizer)
    assert vectorizer_for(ItemFeatures(np.eye(4))) is None


def test_titles_are_compared_and_the_texts_of_all_columns_together():
    """The cosine is the mean of the two, also for later items."""
    table = pd.DataFrame(
        {"title": ["red tea", "green tea", "tea pot"], "kind": ["drink", "cold drink", "tool"]}
    )
    later = pd.DataFrame({"title": ["red pot"], "kind": ["cold tool"]}, index=["later"])
    rows = np.eye(3)

    def scores(values, later_values):
        model = ContentKNNRecommender(ItemFeatures(values)).fit(rows)
        return model.with_items(ItemFeatures(later_values, ids=["later"])).decision_function(rows)

    joined = (each["title"] + " " + each["kind"] for each in (table, later))
    by_title = scores(table["title"], later["title"])
    assert_allclose(scores(table[["title"]], later[["title"]]), by_title, rtol=1e-6)
    assert_allclose(scores(table, later), (by_title + scores(*joined)) / 2, rtol=1e-5)


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
