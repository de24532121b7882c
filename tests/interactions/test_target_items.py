# SPDX-License-Identifier: BSD-3-Clause
"""The target items, wherever they stand."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal

from sktransrec import EASERecommender, NextItemRecommender, RidgeRecommender
from sktransrec.interactions._target_items import HistoryItems, TargetItems

rng = np.random.RandomState(0)
X = sp.csr_array((rng.uniform(size=(20, 9)) < 0.4).astype(np.float32))
COLUMNS = np.array([1, 4, 8])
WARM = TargetItems.among(COLUMNS, EASERecommender(), X)
COLD = TargetItems.among(None, RidgeRecommender(), X, 3)
DENSE = X.toarray()


def test_source_and_target_columns_are_all_columns():
    assert_array_equal(WARM.known(X).toarray(), DENSE[:, COLUMNS])
    assert_array_equal(WARM.source(X).toarray(), np.delete(DENSE, COLUMNS, axis=1))
    frame = pd.DataFrame(DENSE, columns=list("abcdefghi"))
    assert "".join(WARM.source_names(frame)) == "acdfgh"
    assert_array_equal(WARM.rows_without(None, X).toarray(), DENSE[:, COLUMNS])


def test_cold_rows_know_nothing_of_the_target():
    assert not COLD.are_in_rows
    assert COLD.known(X).nnz == 0
    assert_array_equal(COLD.source(X).toarray(), DENSE)


def test_activity_is_counted_in_the_target_else_in_the_source():
    assert_array_equal(WARM.activity(X), DENSE[:, COLUMNS].sum(axis=1))
    assert_array_equal(COLD.activity(X), DENSE.sum(axis=1))


def test_what_is_held_out_comes_from_the_target_alone():
    kept, y = WARM.held_out(X, 1, random_state=0)
    assert_array_equal(kept.toarray()[:, [0, 2, 3]], DENSE[:, [0, 2, 3]])
    beside = WARM.beside_the_source(y, 9)
    assert_array_equal((kept + beside).toarray(), DENSE)


@pytest.mark.parametrize("candidates", [None, [0, 2]])
def test_rankings_are_those_of_the_scores(candidates):
    """By a model of the target alone, and by one of all columns of X."""
    y = X[:, COLUMNS]
    for target, model, rows in (
        (COLD, RidgeRecommender().fit(X, y), X),
        (WARM, EASERecommender().fit(X), X),
    ):
        known = target.known(rows)
        scores = np.array(target.scores(model, rows))
        scores[known.toarray() > 0] = -np.inf
        allowed = np.arange(3) if candidates is None else np.array(candidates)
        items = target.ranking(model, rows, 2, known, candidates)
        best = -np.sort(-scores[:, allowed], axis=1)[:, :2]
        found = np.where(items < 0, -np.inf, np.take_along_axis(scores, items, axis=1))
        assert_array_equal(found, best)
        assert set(items.ravel()) <= {-1, *allowed}
    assert_array_equal(COLD.ranking(None, X, 2, None, candidates=[]), np.full((20, 2), -1))


def test_items_that_do_not_fit_are_explained():
    with pytest.raises(ValueError, match="y has 4 columns, but 3 columns of X hold the target"):
        TargetItems.among(COLUMNS, EASERecommender(), X, 4)
    with pytest.raises(ValueError, match="EASERecommender recommends 9 items, but y has 3"):
        COLD.ranking(EASERecommender().fit(X), X, 2, COLD.known(X))


def test_histories_are_all_of_the_target():
    histories = np.array([[1, 3, 2], [2, 1, 0]])
    items = TargetItems.among(None, NextItemRecommender(), histories, 3)
    assert isinstance(items, HistoryItems)
    assert items.source(histories) is None
    assert_array_equal(items.known(histories).toarray(), [[1, 1, 1], [1, 1, 0]])
    assert_array_equal(items.activity(histories), [3, 2])
    kept, y = items.held_out(histories, 1, None)
    assert_array_equal(kept, [[1, 3, 0], [2, 0, 0]])
    assert_array_equal(y.toarray(), [[0, 1, 0], [1, 0, 0]])
    with pytest.raises(ValueError, match="leave target_columns at None"):
        TargetItems.among([0], NextItemRecommender(), histories, 3)


@pytest.mark.parametrize("entry", [b"twelve", object()])
def test_rows_that_are_no_numbers_are_named(entry):
    X = np.array([[1, entry, 0]], dtype=object)
    with pytest.raises((TypeError, ValueError), match=r"^X: "):
        TargetItems(3, np.array([], dtype=int)).activity(X)
