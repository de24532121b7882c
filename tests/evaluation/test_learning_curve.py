# SPDX-License-Identifier: BSD-3-Clause
"""Scores of models that learn from more and more rows."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from sktransrec import (
    EASERecommender,
    PopularityRecommender,
    RidgeRecommender,
    ranking_scorer,
    transfer_learning_curve,
)
from sktransrec.datasets import make_cross_domain
from sktransrec.metrics import recall_at_k


@pytest.fixture(scope="module")
def domains():
    return make_cross_domain(
        200, 60, 40, n_cold_users=0, source_density=0.2, target_density=0.1, random_state=0
    )


def _two_groups(n_rows):
    """Return rows that like the even items or the odd ones."""
    likes = np.arange(20) % 2 == np.arange(n_rows)[:, None] % 2
    return sp.csr_array(likes.astype(np.float32))


def test_scores_are_those_of_a_loop(domains):
    X, y = domains.X_source, domains.Y_target
    cv = KFold(4)
    curve = transfer_learning_curve(
        {"ridge": RidgeRecommender(), "popularity": None},
        *(X, y),
        train_sizes=[150],
        cv=cv,
        metric="recall",
        k=5,
    )
    for rows, held_out in cv.split(X):
        model = RidgeRecommender().fit(X[rows], y[rows])
        items, _ = model.recommend(X[held_out], n_recommendations=5)
        expected = recall_at_k(y[held_out], items, k=5, per_row=True)
        assert_allclose(curve.scores["ridge"][0, held_out], expected)
        popularity = PopularityRecommender().fit(y[rows])
        items, _ = popularity.recommend(0 * y[held_out], n_recommendations=5)
        expected = recall_at_k(y[held_out], items, k=5, per_row=True)
        assert_allclose(curve.scores["popularity"][0, held_out], expected)
    ridge = curve.scores["ridge"][0]
    assert_allclose(curve.means["ridge"], [ridge.mean()])
    # The rows served vary, and the 150 rows learned from.
    assert_allclose(curve.errors["ridge"], [ridge.std(ddof=1) * np.sqrt(1 / 200 + 1 / 150)])
    assert curve.metric == "recall@5"
    assert f"{ridge.mean():.4f}" in repr(curve)


def test_what_is_hidden_is_found_once_there_are_rows_to_learn_from():
    X = _two_groups(60)
    curve = transfer_learning_curve(
        {"EASE": EASERecommender(10.0), "popularity": None},
        X,
        train_sizes=[1, 40],
        holdout=2,
        k=2,
        metric="hit_rate",
        random_state=0,
    )
    few, many = curve.means["EASE"]
    assert many == 1 > few
    assert curve.means["popularity"][1] < 0.8
    again = transfer_learning_curve(
        {"EASE": EASERecommender(10.0)}, X, train_sizes=[40], holdout=2, k=2, random_state=0
    )
    assert again.scores["EASE"].shape == (1, 60)


def test_models_in_domain_are_judged_by_y_and_do_not_learn_it(domains):
    X = domains.X_source
    y = X.copy()
    y.data[::2] = 0
    y.eliminate_zeros()
    known = X - y
    known.eliminate_zeros()
    models = {"EASE": EASERecommender(), "as a step": make_pipeline(EASERecommender())}
    given = transfer_learning_curve(models, known, y, train_sizes=[160], cv=KFold(5))
    model = EASERecommender().fit(known[40:])
    assert_allclose(given.scores["EASE"][0, :40].mean(), model.score(known[:40], y[:40]), rtol=1e-6)
    assert_array_equal(given.scores["EASE"], given.scores["as a step"])


@pytest.mark.usefixtures("workers")
def test_shares_searches_and_jobs(domains):
    search = GridSearchCV(
        make_pipeline(MaxAbsScaler(), RidgeRecommender()),
        {"ridgerecommender__regularization": [1.0, 100.0]},
        scoring=ranking_scorer(k=10),
        cv=2,
    )
    curves = [
        transfer_learning_curve(
            {"ridge": search},
            *(domains.X_source, domains.Y_target),
            train_sizes=[0.25, 1.0],
            cv=2,
            n_jobs=n_jobs,
            random_state=0,
        )
        for n_jobs in (None, 2)
    ]
    assert_array_equal(curves[0].train_sizes, [25, 100])
    assert_array_equal(curves[0].scores["ridge"], curves[1].scores["ridge"])
    first, last = curves[0].means["ridge"]
    assert last > first


@pytest.mark.parametrize("train_sizes", [[0], [161], [0.0, 0.5], [1.5], [], ["all"], [[1, 2]]])
def test_sizes_that_there_are_not(domains, train_sizes):
    with pytest.raises(ValueError, match="train_sizes must"):
        transfer_learning_curve(
            {"ridge": RidgeRecommender()},
            *(domains.X_source, domains.Y_target),
            train_sizes=train_sizes,
        )


def test_fewer_items_than_k_are_ranked_whole():
    draws = np.random.RandomState(0).uniform(size=(30, 5))
    X, y = (draws < 0.4) * 1.0, (draws > 0.6) * 1.0
    options = {"train_sizes": [10], "random_state": 0}
    curve = transfer_learning_curve({"popularity": None}, X, y, k=10, **options)
    of_all = transfer_learning_curve({"popularity": None}, X, y, k=5, **options)
    np.testing.assert_array_equal(curve.means["popularity"], of_all.means["popularity"])


def test_what_cannot_be_judged(domains):
    with pytest.raises(ValueError, match="pass y as well"):
        transfer_learning_curve({"ridge": RidgeRecommender()}, domains.X_source)
    with pytest.raises(ValueError, match="nothing to find"):
        transfer_learning_curve({"EASE": EASERecommender()}, np.eye(20))


def test_no_estimators_are_an_error():
    with pytest.raises(ValueError, match="estimators is empty"):
        transfer_learning_curve({}, np.eye(3), np.eye(3))
