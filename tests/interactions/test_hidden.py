# SPDX-License-Identifier: BSD-3-Clause
"""What is hidden of the rows is gone from X, may be recommended, and comes back in y."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal

from sktransrec import EASERecommender, NextItemRecommender, RidgeRecommender
from sktransrec.interactions._hidden import (
    hidden_by_default,
    hidden_part,
    without_latest,
    without_random,
)

rng = np.random.RandomState(0)
X = sp.csr_array((rng.uniform(size=(40, 10)) < 0.5).astype(np.float32))
EASE = EASERecommender().fit(X)


class WithoutEvenItems(EASERecommender):
    @property
    def withheld_items_(self):
        return np.arange(self.n_items_) % 2 == 0


@pytest.mark.parametrize("size", [1, 3, 0.2, 0.5])
def test_parts_add_up_and_each_row_keeps_one(size):
    kept, hidden = hidden_part(EASE, X, size, random_state=0)
    assert_array_equal((kept + hidden).toarray(), X.toarray())
    n_had = np.diff(X.indptr)
    wanted = np.full(40, size) if size >= 1 else np.maximum(1, np.rint(size * n_had))
    assert_array_equal(np.diff(hidden.indptr), np.minimum(wanted, np.maximum(n_had - 1, 0)))


def test_what_score_hides_is_always_the_same_fifth():
    first, second = (hidden_by_default(EASE, X)[1] for _ in range(2))
    assert_array_equal(first.toarray(), second.toarray())
    assert_array_equal(first.toarray(), hidden_part(EASE, X, 0.2, random_state=0)[1].toarray())
    with pytest.raises(ValueError, match="RidgeRecommender learned the map from X to y"):
        hidden_by_default(RidgeRecommender().fit(X, X), X)


def test_only_what_may_be_recommended_is_hidden():
    _, hidden = hidden_part(WithoutEvenItems().fit(X), X, 0.5, random_state=0, candidates=range(6))
    assert set(hidden.indices) == {1, 3, 5}


def test_items_that_are_some_columns_of_x():
    columns = np.array([7, 2, 4])
    kept, hidden = without_random(X, 1, columns, random_state=0)
    assert hidden.shape == (40, 3)
    back = np.zeros(X.shape)
    back[:, columns] = hidden.toarray()
    assert_array_equal(kept.toarray() + back, X.toarray())


def test_histories_lose_what_follows_the_first_hidden_item():
    histories = np.array([[1, 2, 3, 4], [2, 1, 2, 0], [3, 0, 0, 0]])
    kept, y = without_latest(histories, 1, np.ones(4, dtype=bool))
    assert_array_equal(kept, [[1, 2, 3, 0], [2, 1, 0, 0], [3, 0, 0, 0]])
    # The second history ends in an item that it had before: there is nothing new to find.
    assert_array_equal(y.toarray(), [[0, 0, 0, 1], [0] * 4, [0] * 4])
    kept, y = without_latest(histories, 1, np.array([True, True, True, False]))
    assert_array_equal(kept[0], [1, 2, 0, 0])
    assert_array_equal(y.toarray()[0], [0, 0, 1, 0])


def test_a_frame_stays_a_frame():
    names = [f"item {i}" for i in range(10)]
    frame = pd.DataFrame(X.toarray(), columns=names)
    kept, hidden = hidden_part(EASERecommender().fit(frame), frame, 1, random_state=0)
    assert list(kept.columns) == names
    assert_array_equal(kept.to_numpy() + hidden.toarray(), X.toarray())


def test_nothing_to_hide_is_an_error():
    with pytest.raises(ValueError, match="X has nothing to hide: none of its 3 rows"):
        hidden_part(EASE, np.eye(10)[:3], 1)
    with pytest.raises(ValueError, match="X has 9 columns and EASERecommender recommends 10"):
        hidden_part(EASE, np.ones((3, 9)), 1)


def test_the_last_item_of_a_history_is_hidden_by_default():
    histories = np.array([[1, 2, 3, 0], [2, 3, 4, 1]] * 5)
    model = NextItemRecommender(
        n_components=4, n_layers=1, epochs=1, run_eagerly=True, random_state=0
    ).fit(histories)
    kept, y = hidden_by_default(model, histories)
    assert_array_equal(kept[:2], [[1, 2, 0, 0], [2, 3, 4, 0]])
    assert_array_equal(y.indices[:2], [2, 0])
