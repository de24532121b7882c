# SPDX-License-Identifier: BSD-3-Clause
"""Counts by segment, shrunk as the formula says; new segments get the overall popularity."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from sktransrec import PopularityRecommender, SegmentPopularityRecommender, recommend


def _domain(n_rows=80, n_items=9, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.integers(-1, 2, size=(n_rows, 3)).astype(float)
    return X, (rng.uniform(size=(n_rows, n_items)) < 0.3) * rng.integers(1, 4, (n_rows, n_items))


def _expected_scores(X, y, new, columns, shrinkage):
    """Return the scores, a row and its segment at a time."""
    overall = (y > 0).mean(axis=0)
    scores = []
    for row in new[:, columns]:
        alike = y[(X[:, columns] == row).all(axis=1)]
        counts = (alike > 0).sum(axis=0)
        scores.append((counts + shrinkage * overall) / (len(alike) + shrinkage))
    return scores


@given(
    columns=st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True),
    shrinkage=st.sampled_from([0.01, 1.0, 50.0]),
    seed=st.integers(0, 5),
)
def test_scores_are_those_of_the_formula(columns, shrinkage, seed):
    (X, y), (new, _) = _domain(seed=seed), _domain(seed=seed + 10)
    new[::5] *= 7  # segments that no row of fit is in, and zeros
    expected = _expected_scores(X, y, new, columns, shrinkage)
    for as_format in (np.asarray, sp.csr_array, sp.csc_matrix):
        model = SegmentPopularityRecommender(columns, shrinkage=shrinkage)
        model.fit(as_format(X), as_format(y))
        assert_allclose(model.decision_function(as_format(new)), expected, rtol=1e-5)


def test_all_columns_make_the_segment_unless_told():
    X, y = _domain()
    model = SegmentPopularityRecommender().fit(X, y)
    assert_allclose(model.decision_function(X), _expected_scores(X, y, X, [0, 1, 2], 10), rtol=1e-5)
    assert_array_equal(model.segments_, np.unique(X, axis=0))
    assert model.segment_sizes_.sum() == len(X)
    mask = SegmentPopularityRecommender([False, True, False]).fit(X, y)
    by_index = SegmentPopularityRecommender([1]).fit(X, y)
    assert_array_equal(mask.decision_function(X), by_index.decision_function(X))


def test_a_new_segment_is_recommended_what_is_popular():
    X, y = _domain()
    model = SegmentPopularityRecommender().fit(X, y)
    expected = PopularityRecommender().fit(y).popularity_
    assert_allclose(model.decision_function([[5, 5, 5]])[0], expected, rtol=1e-6)


def test_zeros_are_a_segment_like_any_other():
    X = np.repeat([[0.0], [1.0]], 20, axis=0)
    y = np.repeat([[1, 0, 1], [0, 1, 1]], 20, axis=0)
    model = SegmentPopularityRecommender(shrinkage=1).fit(X, y)
    items, _ = model.recommend([[0.0], [-0.0], [1.0]], n_recommendations=2)
    assert [set(row) for row in items.tolist()] == [{0, 2}, {0, 2}, {1, 2}]


def test_many_rows_get_the_same_as_each_by_itself():
    X, y = _domain(n_rows=300, n_items=5000)
    X = X[:, :1]
    model = SegmentPopularityRecommender().fit(X, y)
    X[::3] = 9  # in no segment
    together = model.recommend(X, exclude_interactions=y)
    rows = [0, 3, 100, 101, 299]
    alone = [model.recommend(X[[row]], exclude_interactions=y[[row]]) for row in rows]
    for ours, theirs in zip(together, zip(*alone, strict=True), strict=True):
        assert_array_equal(ours[rows], np.concatenate(theirs))


def test_names_are_encoded_before():
    table = pd.DataFrame({"country": ["de", "jp", "de", "jp"] * 10, "name": list("abcd") * 10})
    y = np.array([[1, 0], [0, 1]] * 20)
    pipeline = make_pipeline(OrdinalEncoder(), SegmentPopularityRecommender([0])).fit(table, y)
    items, _ = recommend(pipeline, table[:2], n_recommendations=1)
    assert_array_equal(items, [[0], [1]])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"segment_columns": [3]}, "segment_columns must lie between 0 and"),
        ({"segment_columns": []}, "segment_columns must be a non-empty"),
        ({"shrinkage": 0}, "shrinkage"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        SegmentPopularityRecommender(**parameters).fit(*_domain())


@pytest.mark.parametrize("kind", ["DataFrame", "categories", "objects", "lists", "polars"])
def test_texts_and_categories_make_segments(kind):
    rows = [["DE", 31], ["FR", 52], ["DE", 47], ["FR", 29], [None, 29]]
    new = [["FR", 1], ["DE", 1], ["IT", 1], [None, 1]]
    y = np.array([[1, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 1], [0, 1, 0]])
    as_kind = {
        "DataFrame": lambda rows: pd.DataFrame(rows, columns=["country", "age"]),
        "categories": lambda rows: pd.DataFrame(rows, columns=["country", "age"]).astype(
            {"country": "category"}
        ),
        "objects": lambda rows: np.array(rows, dtype=object),
        "lists": lambda rows: rows,
        "polars": lambda rows: pytest.importorskip("polars").DataFrame(
            rows, schema=["country", "age"], orient="row"
        ),
    }[kind]
    model = SegmentPopularityRecommender([0], shrinkage=1e-3).fit(as_kind(rows), y)
    scores = model.decision_function(as_kind(new))
    expected = [[0, 0.5, 1], [1, 0.5, 0], y.mean(axis=0), [0, 1, 0]]
    assert_allclose(scores, expected, atol=1e-3)
    segments = model.segments_[:, 0].tolist()
    assert sorted(value for value in segments if not pd.isna(value)) == ["DE", "FR"]
    assert len(segments) == 3
    loaded = pickle.loads(pickle.dumps(model))
    assert_allclose(loaded.decision_function(as_kind(new)), scores)
    by_both = SegmentPopularityRecommender(shrinkage=1e-3).fit(as_kind(rows), y)
    assert len(by_both.segments_) == 5
    assert_allclose(by_both.decision_function(as_kind(rows)), y, atol=1e-2)


def test_segments_are_columns_by_name():
    table = pd.DataFrame({"age": [1, 2, 1, 2], "country": ["a", "a", "b", "b"]})
    y = np.eye(4)[[0, 0, 1, 2]]
    by_name = SegmentPopularityRecommender(["country"]).fit(table, y)
    by_number = SegmentPopularityRecommender([1]).fit(table, y)
    np.testing.assert_array_equal(
        by_name.decision_function(table), by_number.decision_function(table)
    )
    with pytest.raises(ValueError, match=r"names the columns \['town'\]"):
        SegmentPopularityRecommender(["town"]).fit(table, y)
    with pytest.raises(ValueError, match="pass a DataFrame, or numbers of columns"):
        SegmentPopularityRecommender(["town"]).fit(np.eye(4), y)


def test_numbers_that_single_precision_does_not_tell_apart_are_segments():
    days = np.repeat([20260103, 20260104], 30)[:, None]
    y = np.zeros((60, 3))
    y[:30, 0], y[30:, 1] = 1, 1
    model = SegmentPopularityRecommender(shrinkage=1).fit(days, y)
    assert model.segments_.ravel().tolist() == [20260103, 20260104]
    assert model.decision_function(days[[0, 30]]).argmax(axis=1).tolist() == [0, 1]


def test_what_is_missing_is_one_segment_whatever_the_library():
    values = ["de", "de", "fr", "fr", None, None]
    y = np.repeat(np.eye(3), 2, axis=0)
    tables = {
        "categories": pd.DataFrame({"country": pd.Categorical(values)}),
        "objects": pd.DataFrame({"country": np.array(values, dtype=object)}),
        "NaN": pd.DataFrame({"country": [np.nan if one is None else one for one in values]}),
        "nullable": pd.DataFrame({"country": pd.array(values, dtype="string")}),
        "polars": pl.DataFrame({"country": values}),
        "array": np.array(values, dtype=object)[:, None],
    }
    for fitted_on in tables.values():
        model = SegmentPopularityRecommender(shrinkage=1e-6).fit(fitted_on, y)
        names = "columns" if hasattr(fitted_on, "columns") else None
        for served in tables.values():
            if (names is None) == hasattr(served, "columns"):
                continue
            found = model.decision_function(served)
            assert_allclose(found, np.repeat(np.eye(3), 2, axis=0), atol=1e-5)
