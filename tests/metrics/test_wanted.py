# SPDX-License-Identifier: BSD-3-Clause
"""What there is to find, in all forms in which users pass it."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from sklearn.base import clone

from sktransrec import (
    CollectiveMFRecommender,
    EASERecommender,
    HistoryRecommender,
    NextItemRecommender,
    PopularityRecommender,
    RidgeRecommender,
    TransitionRecommender,
    compare,
    transfer_gain,
    transfer_learning_curve,
)
from sktransrec._histories import seen_items
from sktransrec.metrics import held_out_auc, held_out_ranks, ranking_scorer
from sktransrec.metrics._wanted import wanted_items

READER = NextItemRecommender()
WANTED = np.array([[0, 1, 0, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize(
    "y",
    [
        [2, 4],
        np.array([[2], [4]]),
        [[2, 0], [4, 0]],
        WANTED,
        sp.csr_array(WANTED),
        WANTED * 0.5,
    ],
    ids=["one each", "a column", "padded", "matrix", "sparse matrix", "floats"],
)
def test_a_reader_of_histories_takes_ids_and_matrices(y):
    found = wanted_items(READER, y, n_rows=2, n_items=4)
    assert_array_equal(found.toarray() > 0, WANTED > 0)


def test_other_models_number_items_from_zero():
    found = wanted_items(PopularityRecommender(), [1, 3], n_rows=2, n_items=4)
    assert_array_equal(found.toarray(), WANTED)
    negative = wanted_items(PopularityRecommender(), -WANTED, n_rows=2, n_items=4)
    assert not (negative.toarray() > 0).any()


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 3], "from 0 to 3, .* ids from 1 to 4"),
        ([1, 5], "from 1 to 5, .* ids from 1 to 4"),
        ([[2, 0, 0, 0], [4, 0, 0, 0]], "y has 4 columns, as many as there are items"),
    ],
)
def test_ids_that_may_be_meant_otherwise_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        wanted_items(READER, y, n_rows=2, n_items=4)


def test_unknown_ids_are_left_out_on_request():
    lenient = NextItemRecommender(unknown="ignore")
    found = wanted_items(lenient, [[2, 9], [4, 0]], n_rows=2, n_items=4)
    assert_array_equal(found.toarray() > 0, WANTED > 0)


@pytest.mark.parametrize(
    "measure",
    [
        lambda model, X: model.score(X, X),
        lambda model, X: ranking_scorer()(model, X, X),
        lambda model, X: ranking_scorer("auc")(model, X, X),
        lambda model, X: held_out_auc(model, X, X),
        lambda model, X: held_out_ranks(model, X, X),
    ],
)
def test_looking_for_what_the_rows_have_is_an_error(measure):
    """It would be zero for every model, and a search would choose by chance."""
    X = np.random.default_rng(0).integers(2, size=(20, 8))
    with pytest.raises(ValueError, match=f"All {X.sum()} held-out pairs in y are also in X"):
        measure(EASERecommender(1.0).fit(X), X)


@pytest.mark.parametrize("measure", [lambda m, *Xy: m.score(*Xy), ranking_scorer("recall")])
@pytest.mark.parametrize("form", [sp.csr_array, sp.csr_array.toarray])
@pytest.mark.parametrize(
    "model", [TransitionRecommender(), HistoryRecommender(EASERecommender(1.0))]
)
def test_a_matrix_of_what_histories_hold_is_an_error_and_repeated_ids_are_not(model, form, measure):
    histories = np.random.default_rng(0).integers(1, 9, size=(20, 4))
    model = clone(model).fit(histories)
    seen = form(seen_items(histories, model.n_items_))
    with pytest.raises(ValueError, match="held-out pairs in y are also in X"):
        measure(model, histories, seen)
    assert measure(model, histories, histories[:, 0]) == 0
    assert ranking_scorer("recall", exclude_seen=False)(model, histories, seen) > 0


def test_rows_may_be_lists():
    X = np.eye(8, dtype=int) + np.eye(8, k=1, dtype=int)
    model = CollectiveMFRecommender([4, 5, 6, 7], n_components=2, max_iter=1, random_state=0)
    model.fit(X)
    y = np.roll(X[:, 4:], 2, axis=0)
    assert model.score(X.tolist(), y.tolist()) == model.score(X, y)


def test_coverage_needs_nothing_to_find():
    X = np.random.default_rng(0).integers(2, size=(20, 8))
    assert ranking_scorer("coverage", k=2)(EASERecommender(1.0).fit(X), X, X) > 0


MEASURES = {
    "fit": lambda model, X, y: model.fit(X, y),
    "score": lambda model, X, y: model.score(X, y),
    "scorer": lambda model, X, y: ranking_scorer()(model, X, y),
    "gain": lambda model, X, y: transfer_gain(model, None, X, y),
    "comparison": lambda model, X, y: compare({"model": model}, X, y),
    "curve": lambda model, X, y: transfer_learning_curve({"model": model}, X, y),
}


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.ones((19, 4)), "X has 20 rows and y has 19: row i of y must hold the target items of"),
        ([[0, 3], [1]] * 10, "y must be a matrix .* it holds the ids of the items of each row"),
    ],
    ids=["fewer rows", "lists of ids"],
)
def test_y_without_a_row_for_each_of_X_has_the_same_error_everywhere(measure, y, message):
    X = np.random.default_rng(0).integers(2, size=(20, 8))
    model = RidgeRecommender().fit(X, np.ones((20, 4)))
    with pytest.raises(ValueError, match=message):
        measure(model, X, y)


def test_next_items_of_fewer_rows_are_refused():
    histories, y = np.ones((20, 3), dtype=int), np.ones(19, dtype=int)
    for measure in ("gain", "comparison", "curve"):
        with pytest.raises(ValueError, match=r"X has 20 rows and y has 19.* align_domains"):
            MEASURES[measure](NextItemRecommender(n_items=4), histories, y)
