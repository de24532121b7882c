# SPDX-License-Identifier: BSD-3-Clause
"""A table is saved as its columns, and is made again when something asks for it."""

import pickle

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from sktransrec import ContentKNNRecommender, HybridRecommender, ItemFeatures, load, save

TABLES = {
    "texts": pd.DataFrame({"title": list("abcd"), 7: ["é", "返回", "سلام", "x"]}),
    "objects": pd.DataFrame({"title": list("abcd")}, dtype=object),
    "strings": pd.DataFrame({"title": list("abcd")}, dtype="string"),
    "mixed": pd.DataFrame(
        {
            "title": list("abcd"),
            "price": np.arange(4, dtype=np.float32),
            "year": np.arange(4, dtype=np.int8),
            "is_new": [True, False, True, True],
            "since": pd.to_datetime(["2020-01-01", "2021-02-03", "2022-01-01", "2023-01-01"]),
            "picture": [np.ones((2, 2)), np.zeros((2, 2)), np.ones((2, 2)), np.eye(2)],
        },
        index=list("wxyz"),
    ),
    "levels": pd.DataFrame({("text", "title"): list("abcd"), ("text", "kind"): list("aabb")}),
    "twice": pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=["a", "a"]),
}
CATALOGUE = pd.DataFrame(
    {
        "title": ["red tea", "green tea", "tea pot", "old pot", "red pot"],
        "kind": ["drink", "cold drink", "tool", "tool", "cold tool"],
    },
    index=list("abcde"),
)
X = np.array([[1, 1, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 1, 1], [1, 0, 0, 0, 1]])


def by_file(item, folder):
    save(item, folder / "saved.model")
    return load(folder / "saved.model")


def by_mapped_file(item, folder):
    save(item, folder / "saved.model")
    return load(folder / "saved.model", mmap_mode="r")


def by_pickle(item, folder):
    return pickle.loads(pickle.dumps(item))


@pytest.mark.parametrize("way", [by_file, by_mapped_file, by_pickle])
@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_loaded_table_is_the_same(table, way, tmp_path):
    features = ItemFeatures(table)
    loaded = way(features, tmp_path)
    assert repr(loaded) == repr(features)
    once_more = way(loaded, tmp_path)  # nothing has asked for the table
    for each in (loaded, once_more):
        assert_frame_equal(each.values, features.values)
        assert each.values is each.values


@pytest.mark.parametrize("kind", [ContentKNNRecommender, HybridRecommender])
def test_a_loaded_model_says_the_same(kind, tmp_path):
    model = kind(item_features=ItemFeatures(CATALOGUE)).fit(X)
    loaded = by_file(model, tmp_path)
    np.testing.assert_array_equal(loaded.decision_function(X), model.decision_function(X))
    later = ItemFeatures(CATALOGUE.iloc[:2].set_axis(["new", "newer"]))
    expected = model.with_items(later).decision_function(X)
    np.testing.assert_array_equal(loaded.with_items(later).decision_function(X), expected)


def test_a_server_needs_no_pandas(tmp_path, monkeypatch):
    def import_pandas():
        raise ImportError

    model = ContentKNNRecommender(ItemFeatures(CATALOGUE)).fit(X)
    loaded = by_file(model, tmp_path)
    monkeypatch.setattr("sktransrec.content._table_columns.import_pandas", import_pandas)
    assert repr(loaded) == repr(model)
    np.testing.assert_array_equal(loaded.decision_function(X), model.decision_function(X))
    by_file(loaded, tmp_path)
    with pytest.raises(ImportError):
        _ = loaded.item_features.values


def test_a_category_is_pickled_alone(tmp_path):
    colours = pd.Categorical(["red", "blue"], categories=["red", "green", "blue"])
    features = ItemFeatures(pd.DataFrame({"colour": colours}))
    assert_frame_equal(pickle.loads(pickle.dumps(features)).values, features.values)
    with pytest.raises(TypeError, match=r"values\.arrays\[0\] is a pandas\.[\w.]*Categorical"):
        save(features, tmp_path / "saved.model")
