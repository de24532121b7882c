# SPDX-License-Identifier: BSD-3-Clause
"""Learning in parts, forgetting and merging give what learning all rows that are left gives."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.base import clone

from sktransrec import (
    EASERecommender,
    GraphFilterRecommender,
    ItemKNNRecommender,
    NextItemRidgeRecommender,
    PopularityRecommender,
    RidgeRecommender,
    SegmentPopularityRecommender,
    StackingRecommender,
    TransferGate,
    TransitionRecommender,
    VotingRecommender,
)

N_ITEMS = 6
KNN = {"shrinkage": 2.0, "popularity_exponent": 0.5}
GRAPH = {"row_exponent": 0.2, "item_exponent": 0.3, "low_pass_weight": 0.1, "random_state": 0}
MODELS = [
    PopularityRecommender(),
    EASERecommender(),
    EASERecommender(solver="sparse", n_neighbors=N_ITEMS),
    ItemKNNRecommender(weighting="cosine", **KNN),
    ItemKNNRecommender(weighting="tfidf", **KNN),
    ItemKNNRecommender(weighting="bm25", **KNN),
    GraphFilterRecommender(N_ITEMS, **GRAPH),
    RidgeRecommender(solver="dual"),
    RidgeRecommender(3.0, fit_intercept=False),
    TransitionRecommender(decay=0.8),
    NextItemRidgeRecommender(2.0, n_neighbors=N_ITEMS),
]


def rows_for(model, n_rows, seed, n_items=N_ITEMS):
    """Return the arguments of `fit`: rows that all models accept, each item in one of them."""
    rng = np.random.RandomState(seed)
    if isinstance(model, TransitionRecommender | NextItemRidgeRecommender):
        lengths = rng.randint(2, 5, size=(n_rows + n_items, 1))
        X = rng.randint(1, n_items + 1, size=(n_rows + n_items, 5)) * (np.arange(5) < lengths)
        X[n_rows:, 0] = 1 + np.arange(n_items)
        return (X,)
    X = (rng.uniform(size=(n_rows + n_items, n_items)) < 0.4) * 1.0
    X[n_rows:] = np.eye(n_items)
    # For BM25 and TF-IDF, such rows say something again if there are more items.
    X[X.sum(axis=1) >= n_items - 1, :2] = 0
    if isinstance(model, RidgeRecommender):
        return rng.normal(size=(len(X), 4)).astype(np.float32), sp.csr_array(X)
    return (sp.csr_array(X),)


def part(data, chosen):
    return tuple(each[chosen] for each in data)


def wider(data, model):
    """Return the rows with the columns that `rows_for` gives to two more items."""
    if isinstance(model, TransitionRecommender | NextItemRidgeRecommender):
        return data
    if isinstance(model, RidgeRecommender):
        return data[0], sp.hstack([data[1], sp.csr_array((data[1].shape[0], 2))], format="csr")
    return (sp.hstack([data[0], sp.csr_array((data[0].shape[0], 2))], format="csr"),)


def assert_same_model(model, expected, *data):
    scores = expected.decision_function(data[0])
    np.testing.assert_allclose(
        model.decision_function(data[0]), scores, rtol=0, atol=1e-5 * np.abs(scores).max()
    )
    np.testing.assert_allclose(model.popularity_, expected.popularity_, rtol=1e-6)
    assert model.n_items_ == expected.n_items_
    assert model.n_features_in_ == expected.n_features_in_


@pytest.mark.parametrize("model", MODELS, ids=repr)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6), n_rows=st.integers(4, 40), n_parts=st.integers(1, 3))
def test_parts_in_any_order_are_the_whole(model, seed, n_rows, n_parts):
    data = rows_for(model, n_rows, seed)
    whole = clone(model).fit(*data)
    labels = np.random.RandomState(seed).randint(n_parts, size=data[0].shape[0])
    first = part(data, np.arange(-N_ITEMS, 0))
    parts = clone(model).partial_fit(*first)
    labels[-N_ITEMS:] = -1
    for label in np.random.RandomState(seed + 1).permutation(np.unique(labels[:-N_ITEMS])):
        parts.partial_fit(*part(data, labels == label))
    assert_same_model(parts, whole, *data)


@pytest.mark.parametrize("model", MODELS, ids=repr)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6), n_rows=st.integers(4, 40))
def test_what_is_forgotten_was_never_there(model, seed, n_rows):
    data = rows_for(model, n_rows, seed)
    is_forgotten = np.random.RandomState(seed).uniform(size=data[0].shape[0]) < 0.4
    is_forgotten[0], is_forgotten[-N_ITEMS:] = True, False
    learned = clone(model).partial_fit(*data).forget(*part(data, is_forgotten))
    assert_same_model(learned, clone(model).fit(*part(data, ~is_forgotten)), *data)
    for name, value in learned.row_sums_.sums.items():
        expected = learned.row_sums(*part(data, ~is_forgotten))[name]
        if sp.issparse(value) and sp.issparse(expected):
            assert value.nnz == expected.nnz, name


@pytest.mark.parametrize("model", MODELS, ids=repr)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6), n_rows=st.integers(4, 40))
def test_merged_models_know_the_rows_of_both(model, seed, n_rows):
    ours, theirs = rows_for(model, n_rows, seed), rows_for(model, n_rows, seed + 1)
    both = tuple(
        (sp if sp.issparse(one) else np).vstack([one, other])
        for one, other in zip(ours, theirs, strict=True)
    )
    whole = clone(model).fit(*map(_csr, both))
    other = clone(model).partial_fit(*theirs)
    assert_same_model(clone(model).partial_fit(*ours).merge(other), whole, *ours)
    assert_same_model(other.merge(clone(model).partial_fit(*ours)), whole, *ours)


def _csr(X):
    return sp.csr_array(X) if sp.issparse(X) else X


@pytest.mark.parametrize("model", MODELS, ids=repr)
@pytest.mark.parametrize("action", ["partial_fit", "merge", "merge into"])
def test_new_items_come_after_the_known_ones(model, action):
    before, later = rows_for(model, 20, 0), rows_for(model, 20, 1, N_ITEMS + 2)
    grown = wider(before, model)
    both = tuple(
        _csr((sp if sp.issparse(one) else np).vstack([one, other]))
        for one, other in zip(grown, later, strict=True)
    )
    learned = clone(model).partial_fit(*before)
    if action == "partial_fit":
        learned.partial_fit(*later)
    elif action == "merge":
        learned.merge(clone(model).partial_fit(*later))
    else:
        learned = clone(model).partial_fit(*later).merge(learned)
    if isinstance(model, GraphFilterRecommender):
        # Six of eight vectors are not found to the last digit.
        model = clone(model).set_params(n_components=N_ITEMS)
    assert_same_model(learned, clone(model).partial_fit(*both), *later)


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_sums_of_parts_are_learned_as_one(model):
    data = rows_for(model, 30, 0)
    first, second, third = (part(data, np.arange(k, data[0].shape[0], 3)) for k in range(3))
    learned = clone(model).partial_fit(*data)
    before = pickle.dumps(learned)
    total = learned.row_sums(*second) + learned.row_sums(*third) + learned.row_sums(*first)
    assert pickle.dumps(learned) == before
    assert total.nbytes > 0
    expected = clone(model).partial_fit(*first).partial_fit(*third).partial_fit(*second)
    assert_same_model(learned.fit_row_sums(total), expected, *data)


def test_columns_have_names():
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(np.eye(3)[[0, 1, 2, 0]], columns=["a", "b", "c"])
    model = EASERecommender().partial_fit(X)
    model.partial_fit(X.assign(d=1.0))
    assert model.feature_names_in_.tolist() == ["a", "b", "c", "d"]
    with pytest.raises(ValueError, match="feature names should match"):
        model.partial_fit(X.assign(e=1.0, d=0.0))
    other = EASERecommender().partial_fit(X.rename(columns={"a": "z"}))
    with pytest.raises(ValueError, match="feature names should match"):
        model.merge(other)
    assert model.n_items_ == 4


X = (np.random.RandomState(0).uniform(size=(20, 5)) < 0.5) * 1.0


@pytest.mark.parametrize(
    ("action", "error", "message"),
    [
        (lambda m: m.forget(X), ValueError, "holds all rows"),
        (lambda m: m.forget(np.vstack([X, X])), ValueError, "never learned"),
        (lambda m: m.forget(9 * np.ones((1, 5))), ValueError, "never learned"),
        (lambda m: m.partial_fit(X[:, :4]), ValueError, "X has 4 features"),
        (lambda m: m.merge(PopularityRecommender().partial_fit(X)), TypeError, "one class"),
        (lambda m: m.merge(EASERecommender(solver="primal").fit(X)), ValueError, "begin with par"),
        (lambda m: m.fit_row_sums("sums"), TypeError, "row_sums is of type str"),
        (
            lambda m: m.fit_row_sums(PopularityRecommender().fit(X).row_sums_),
            ValueError,
            "model='PopularityRecommender'",
        ),
    ],
)
def test_errors_leave_the_model_as_it_was(action, error, message):
    model = EASERecommender().partial_fit(X)
    before = model.decision_function(X)
    with pytest.raises(error, match=message):
        action(model)
    np.testing.assert_array_equal(model.decision_function(X), before)
    assert model.row_sums_["n_rows"] == 20


def test_sums_with_other_settings_do_not_mix():
    model = GraphFilterRecommender(3, row_exponent=0.1).partial_fit(X)
    other = GraphFilterRecommender(3, row_exponent=0.2).partial_fit(X)
    with pytest.raises(ValueError, match=r"row_exponent=0\.1"):
        model.merge(other)
    model = ItemKNNRecommender(weighting="cosine").partial_fit(X)
    with pytest.raises(ValueError, match="weighting='tfidf'"):
        model.set_params(weighting="tfidf").partial_fit(X)


def test_bm25_learns_parts_of_ones_only():
    with pytest.raises(ValueError, match="pass X > 0 to partial_fit"):
        ItemKNNRecommender().partial_fit(3 * X)


def test_y_with_fewer_items_is_an_error():
    model = RidgeRecommender(1.0).partial_fit(X, X)
    with pytest.raises(ValueError, match="y has 4 columns"):
        model.partial_fit(X, X[:, :4])


def test_a_fit_begins_anew():
    model = EASERecommender(solver="primal").partial_fit(X).fit(X[:9])
    with pytest.raises(AttributeError, match="no attribute 'partial_fit'") as raised:
        model.partial_fit(X)
    assert "begin with partial_fit" in str(raised.value.__cause__)
    with pytest.raises(ValueError, match="begin with partial_fit"):
        model.forget(X)
    popularity = PopularityRecommender().fit(X[:9]).partial_fit(X[9:])
    np.testing.assert_allclose(popularity.popularity_, X.mean(axis=0), rtol=1e-6)


@pytest.mark.parametrize(
    ("model", "fixed"),
    [
        (ItemKNNRecommender(), {"popularity_exponent": 0.9}),
        (GraphFilterRecommender(row_exponent=0.5), {"item_exponent": 0.05, "low_pass_weight": 0.9}),
        (TransitionRecommender(decay=0.8), {"decay": 0.2}),
    ],
)
def test_a_number_that_is_set_later_counts_from_the_next_part_on(model, fixed):
    rng = np.random.RandomState(0)
    if isinstance(model, TransitionRecommender):
        X = rng.randint(1, 9, size=(60, 5))
    else:
        X = (rng.uniform(size=(60, 12)) < 0.4) * 1.0
    later = clone(model).partial_fit(X[:30]).set_params(**fixed).partial_fit(X[30:])
    whole = clone(model).set_params(**fixed).partial_fit(X)
    assert {name: getattr(later, f"{name}_") for name in fixed} == fixed
    assert_allclose(later.decision_function(X), whole.decision_function(X), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "model",
    [
        RidgeRecommender(),
        SegmentPopularityRecommender(),
        VotingRecommender([("ridge", RidgeRecommender())]),
        StackingRecommender([("ridge", RidgeRecommender())], cv=2, random_state=0),
        TransferGate(RidgeRecommender(), cv=2, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_what_is_given_back_is_not_popular(model):
    X = np.tile([[1.0, 0], [1, 0], [0, 1], [0, 1], [1, 1], [1, 0]], (3, 1))
    y = np.tile([[-1.0, 1, 0], [-1, 1, 0], [-1, 0, 1], [-1, 0, 0], [-1, 0, 1], [-1, 1, 0]], (3, 1))
    model = clone(model).fit(X, y)
    assert_allclose(model.popularity_, [0, 0.5, 1 / 3], rtol=1e-6)
