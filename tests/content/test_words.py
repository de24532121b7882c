# SPDX-License-Identifier: BSD-3-Clause
"""Texts become the vectors of their words, in a table those of each column."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.feature_extraction.text import TfidfVectorizer

from sktransrec import ContentKNNRecommender, HybridRecommender, ItemFeatures
from sktransrec.content._words import vectorizer_for


def test_texts_are_turned_into_vectors_and_nothing_else():
    assert isinstance(vectorizer_for(ItemFeatures(["one text", "another"])), TfidfVectorizer)
    assert vectorizer_for(ItemFeatures(np.eye(4))) is None


def test_a_table_of_texts_is_compared_column_by_column():
    """The cosine is the mean of those of the columns, also for later items."""
    table = pd.DataFrame(
        {"title": ["red tea", "green tea", "tea pot"], "kind": ["drink", "cold drink", "tool"]}
    )
    later = pd.DataFrame({"title": ["red pot"], "kind": ["cold tool"]}, index=["later"])
    model = ContentKNNRecommender(ItemFeatures(table)).fit(np.eye(3))
    model = model.with_items(ItemFeatures(later))
    vectors = [TfidfVectorizer(sublinear_tf=True).fit(table[name]) for name in table]
    cosines = [
        (vectorizer.transform(table[name]) @ vectorizer.transform([*table[name], *later[name]]).T)
        for vectorizer, name in zip(vectors, table, strict=True)
    ]
    assert_allclose(model.decision_function(np.eye(3)), sum(cosines).toarray() / 2, rtol=1e-5)


@pytest.mark.parametrize("model", [ContentKNNRecommender(), HybridRecommender(random_state=0)])
def test_a_table_of_texts_and_numbers_asks_for_a_transformer(model):
    table = ItemFeatures(pd.DataFrame({"title": list("abcd"), "price": [1.0, 2, 3, 4]}))
    with pytest.raises(ValueError, match=r"1 columns of texts, such as 'title', and 1 other ones"):
        model.set_params(item_features=table).fit(np.eye(4))
