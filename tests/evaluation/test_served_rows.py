"""Histories are learned from, served and judged as histories, popularity among them."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal

from sktransrec import (
    ContentKNNRecommender,
    EASERecommender,
    HistoryRecommender,
    ItemFeatures,
    ItemKNNRecommender,
    PopularityRecommender,
    TransitionRecommender,
    compare,
    recommend,
    transfer_learning_curve,
)
from sktransrec.evaluation import KShot
from sktransrec.evaluation._served_rows import ServedRows
from sktransrec.metrics import ndcg_at_k

RNG = np.random.default_rng(0)
SHARES = 1 / np.arange(1, 31)
HISTORIES = RNG.choice(np.arange(1, 31), size=(120, 6), p=SHARES / SHARES.sum())
HISTORIES[0, 0] = 40  # an item that most folds do not have
NEXT = RNG.choice(np.arange(1, 31), size=120, p=SHARES / SHARES.sum())
MODELS = {"transitions": TransitionRecommender(), "popularity": None}


def served(y, models=MODELS):
    return ServedRows.of(HISTORIES, y, models, holdout=1, random_state=None)


def test_popularity_is_that_of_the_items_in_histories():
    rows = served(NEXT)
    learned, held_out = np.arange(80), np.arange(80, 120)
    model = rows.fitted(None, learned)
    seen = np.zeros((120, 40))
    np.put_along_axis(seen, HISTORIES - 1, 1, axis=1)
    expected = PopularityRecommender().fit(seen[learned])
    assert_array_equal(
        recommend(model, rows.known_of(None, held_out))[0], recommend(expected, seen[held_out])[0]
    )


def test_what_is_compared_is_the_next_item():
    models = {"transitions": TransitionRecommender(n_items=40), "popularity": None}
    result = compare(models, HISTORIES, NEXT, cv=[(np.arange(80), np.arange(80, 120))])
    assert not result.errors
    model = TransitionRecommender(n_items=40).fit(HISTORIES[:80])
    items, _ = model.recommend(HISTORIES[80:])
    expected = ndcg_at_k(sp.csr_array(np.eye(40)[NEXT[80:] - 1]), items)
    assert result.means["NDCG@10"]["transitions"] == pytest.approx(expected)
    assert result.means["NDCG@10"]["popularity"] > 0.05


def test_folds_without_an_item_know_it():
    models = {**MODELS, "neighbors": HistoryRecommender(ItemKNNRecommender(), decay=0.7)}
    assert not compare(models, HISTORIES, NEXT, cv=3, random_state=0).errors
    assert not compare(models, HISTORIES, cv=3, random_state=0).errors
    curve = transfer_learning_curve(models, HISTORIES, NEXT, train_sizes=[30], random_state=0)
    assert all(np.isfinite(means).all() for means in curve.means.values())


@pytest.mark.parametrize(
    ("models", "y", "n_items"),
    [
        (MODELS, NEXT, 40),
        (MODELS, NEXT[:, None], 40),
        (MODELS, np.where(np.arange(120) == 3, 50, NEXT), 50),
        (MODELS, sp.csr_array(np.eye(45)[NEXT - 1]), 45),
        (MODELS, np.eye(45)[NEXT - 1], 45),
        ({"transitions": TransitionRecommender(n_items=60)}, NEXT, 60),
        (MODELS, None, 40),
        (
            {"content": HistoryRecommender(ContentKNNRecommender(ItemFeatures(np.eye(44))))},
            NEXT,
            44,
        ),
    ],
)
def test_the_number_of_items(models, y, n_items):
    assert served(y, models).y.shape == (120, n_items)


def test_the_latest_items_are_hidden_without_y():
    rows = served(None)
    is_new = ~(HISTORIES[:, :-1] == HISTORIES[:, -1:]).any(axis=1)
    assert_array_equal(rows.y[is_new].toarray(), np.eye(40)[HISTORIES[is_new, -1] - 1])
    assert_array_equal(rows.known[is_new, :-1], HISTORIES[is_new, :-1])
    assert not rows.known[is_new, -1].any()
    assert_array_equal(rows.X, HISTORIES)


def test_a_matrix_is_not_compared_with_histories():
    with pytest.raises(ValueError, match="wrap it in a HistoryRecommender"):
        compare({**MODELS, "EASE": EASERecommender()}, HISTORIES, NEXT)
    with pytest.raises(ValueError, match="this protocol hides interactions of a matrix"):
        compare(MODELS, HISTORIES, cv=KShot(2))
