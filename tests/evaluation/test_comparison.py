# SPDX-License-Identifier: BSD-3-Clause
"""Two sides are judged on the same rows and items, with what gives an item away and without."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import KFold

from sktransrec import EASERecommender, PopularityRecommender, RidgeRecommender
from sktransrec.evaluation._comparison import Comparison, side_without
from sktransrec.interactions._target_items import TargetItems
from sktransrec.metrics import ndcg_at_k

rng = np.random.RandomState(0)
TASTE = rng.randint(2, size=60)[:, None] == np.arange(8) % 2
X = sp.csr_array((rng.uniform(size=(60, 8)) < 0.1 + 0.5 * TASTE).astype(np.float32))
Y = sp.csr_array((rng.uniform(size=(60, 8)) < 0.1 + 0.5 * TASTE).astype(np.float32))
COLD = TargetItems.among(None, RidgeRecommender(), X, 8)
POPULAR = side_without(None, X, Y, COLD)
FOLDS = list(KFold(3, shuffle=True, random_state=0).split(X))


def test_the_side_without_the_source_is_popularity_or_learns_from_what_is_left():
    without = side_without(None, X, Y, COLD)
    assert isinstance(without.model, PopularityRecommender)
    assert without.X.nnz == 0
    assert_array_equal(without.X_train.toarray(), Y.toarray())
    columns = np.array([1, 3])
    target = TargetItems.among(columns, EASERecommender(), X)
    without = side_without(EASERecommender(), X, None, target)
    assert_array_equal(without.X.toarray(), X.toarray()[:, columns])


def test_scores_of_rows_are_those_of_models_that_have_not_seen_them():
    comparison = Comparison.of(RidgeRecommender(), POPULAR, X, Y, COLD)
    scores, _ = comparison.row_scores(FOLDS, "ndcg", 3, n_jobs=None)
    for training, held_out in FOLDS:
        ridge = RidgeRecommender().fit(X[training], Y[training])
        popularity = PopularityRecommender().fit(Y[training])
        for side, model in enumerate((ridge, popularity)):
            rows = X[held_out] if side == 0 else X[held_out] * 0
            items, _ = model.recommend(rows, n_recommendations=3)
            expected = ndcg_at_k(Y[held_out], items, k=3, per_row=True)
            assert_allclose(scores[held_out, side], expected)


def test_twins_are_given_away_and_left_out_of_the_clean_scores():
    """Column 8 of the source is item 2 under another id."""
    beside = sp.hstack([X, Y[:, [2]]], format="csr")
    target = TargetItems.among(None, RidgeRecommender(), beside, 8)
    comparison = Comparison.of(RidgeRecommender(), POPULAR, beside, Y, target)
    assert_array_equal(np.unique(comparison.given_away.indices), [2])
    assert_array_equal(comparison.given_away.toarray()[:, 2], Y.toarray()[:, 2])
    scores, clean = comparison.row_scores(FOLDS, "recall", 3, n_jobs=None)
    others = np.delete(Y.toarray(), 2, axis=1)
    assert_array_equal(np.isnan(scores[:, 0]), ~Y.toarray().any(axis=1))
    assert_array_equal(np.isnan(clean[:, 0]), ~others.any(axis=1))


def test_what_is_to_be_found_may_not_be_known():
    target = TargetItems.among(np.arange(8), EASERecommender(), X, 8)
    with pytest.raises(ValueError, match=f"{X.nnz} of the interactions to find in y are known"):
        Comparison.of(EASERecommender(), POPULAR, X, X, target)
    comparison = Comparison.of(RidgeRecommender(), POPULAR, X, Y, COLD)
    assert comparison.counted == "interactions in the source"
