# SPDX-License-Identifier: BSD-3-Clause
"""Histories are learned from, served and judged as histories, popularity among them."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import make_column_transformer
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline

from sktransrec import (
    CollectiveMFRecommender,
    ContentKNNRecommender,
    EASERecommender,
    HistoryRecommender,
    ItemFeatures,
    ItemKNNRecommender,
    PopularityRecommender,
    RidgeRecommender,
    TransitionRecommender,
    align_domains,
    compare,
    recommend,
    transfer_gain,
    transfer_learning_curve,
)
from sktransrec.datasets import make_cross_domain
from sktransrec.evaluation import KShot
from sktransrec.evaluation._served_rows import ServedRows
from sktransrec.interactions import holdout_random
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
    found = seen.copy()
    np.put_along_axis(found, NEXT[:, None] - 1, 1, axis=1)
    expected = PopularityRecommender().fit(found[learned])
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


def test_models_of_matrices_get_the_items_of_histories():
    rows = served(NEXT, {**MODELS, "EASE": EASERecommender()})
    seen = np.eye(40)[HISTORIES - 1].sum(axis=1)
    model = rows.fitted(EASERecommender(), np.arange(80))
    expected = EASERecommender().fit(seen[:80])
    known = rows.known_of(EASERecommender(), np.arange(80, 120))
    assert_array_equal(model.decision_function(known), expected.decision_function(seen[80:]))


def test_protocols_of_matrices_hide_nothing_of_histories():
    with pytest.raises(ValueError, match="this protocol hides parts of a matrix"):
        compare(MODELS, HISTORIES, cv=KShot(2))


def test_target_items_are_those_in_the_target_columns():
    domains = make_cross_domain(200, 60, 40, n_cold_users=0, random_state=0)
    known, y = holdout_random(domains.Y_target, 0.4, random_state=0)
    X = sp.hstack([domains.X_source, known], format="csr")
    columns = slice(60, None)
    models = {
        "EASE": EASERecommender(),
        "collective": CollectiveMFRecommender(columns, n_components=4, max_iter=8, random_state=0),
    }
    settings = {"target_columns": columns, "cv": 2, "random_state": 0}
    result = compare(models, X, y, **settings)
    for name, model in models.items():
        gain = transfer_gain(model, None, X, y, **settings)
        assert result.means["NDCG@10"][name] == pytest.approx(gain.overall.transfer)
    hidden = compare(models, X, target_columns=columns, cv="known", metrics=["ndcg", "novelty"])
    assert not hidden.errors
    assert hidden.scores["NDCG@10"]["popularity"].shape == (200,)
    curve = transfer_learning_curve(
        {**models, "popularity": None}, X, train_sizes=[100], **settings
    )
    assert all(means[0] > 0.1 for means in curve.means.values())


def test_only_target_items_are_hidden():
    X = sp.csr_array((RNG.random((50, 30)) < 0.5).astype(np.float32))
    options = {"holdout": 0.5, "random_state": np.random.RandomState(0)}
    rows = ServedRows.of(X, None, {}, target_columns=slice(20, None), **options)
    assert rows.y.shape == (50, 10)
    assert_array_equal(rows.X.toarray(), X.toarray())
    assert_array_equal(rows.known[:, :20].toarray(), X[:, :20].toarray())
    assert_array_equal((rows.known[:, 20:] + rows.y).toarray(), X[:, 20:].toarray())
    model = rows.fitted(None, np.arange(40))
    assert_allclose(model.popularity_, X[:40, 20:].mean(axis=0), rtol=1e-6)
    assert rows.known_of(None, np.arange(3)).shape == (3, 10)


def test_a_model_of_the_target_alone_is_no_model_of_all_columns():
    X = sp.csr_array((RNG.random((60, 30)) < 0.5).astype(np.float32))
    model = CollectiveMFRecommender(slice(20, None), n_components=2, max_iter=1, random_state=0)
    result = compare({"collective": model}, X, cv=2, random_state=0)
    assert "pass as target_columns the columns of X" in result.errors["collective"]


def test_the_map_to_y_is_not_learned_from_what_is_hidden():
    with pytest.raises(ValueError, match="pass y as well"):
        compare({**MODELS, "ridge": RidgeRecommender()}, HISTORIES)


def test_items_that_y_does_not_hold_are_items():
    X = sp.csr_array((RNG.random((40, 12)) < 0.4).astype(np.float32))
    y = np.array([np.flatnonzero(row == 0)[0] for row in X.toarray()])
    assert y.max() < 11
    assert not compare({"EASE": EASERecommender()}, X, y, cv=2).errors
    of_target = {"target_columns": slice(6, 12), "cv": [(slice(0, 20), slice(20, 40))]}
    of_two = X.toarray()
    of_two[:, 8] = 0
    assert not compare({"EASE": EASERecommender()}, of_two, np.full(40, 2), **of_target).errors


def test_other_models_change_neither_the_baseline_nor_what_is_left_out():
    """Rows with target columns are no cold rows, whatever else is compared."""
    shops = make_cross_domain(random_state=1)
    known, y = holdout_random(shops.X_source, 0.3, random_state=0)
    X = sp.hstack([shops.Y_target, known], format="csr")
    columns = np.arange(shops.Y_target.shape[1], X.shape[1])
    models = {"EASE": EASERecommender(100.0), "ridge": RidgeRecommender(30.0)}
    settings = {"target_columns": columns, "cv": 2, "random_state": 0}
    both = compare(models, X, y, **settings)
    alone = compare({"EASE": models["EASE"]}, X, y, **settings)
    for name in ("EASE", "popularity"):
        np.testing.assert_array_equal(both.scores["NDCG@10"][name], alone.scores["NDCG@10"][name])
    gain = transfer_gain(models["ridge"], None, X, y, **settings)
    assert both.means["NDCG@10"]["ridge"] == pytest.approx(gain.overall.transfer, abs=1e-6)


def test_what_is_known_is_not_looked_for():
    X = make_cross_domain(random_state=0).X_source
    known, _ = holdout_random(X, 0.3, random_state=0)
    for judge in (compare, transfer_learning_curve):
        with pytest.raises(ValueError, match="of the interactions to find in y are known in X"):
            judge({"EASE": EASERecommender()}, known, X)


def test_negative_values_are_nothing_to_find():
    X = make_cross_domain(random_state=0)
    y = X.Y_target.toarray()
    y[::2, 0] = -1
    comparison = compare({"ridge": RidgeRecommender(30.0)}, X.X_source, y, random_state=0)
    assert not comparison.errors


def _rows_of_both_domains(n_rows):
    """Return rows with the source and a part of the target, the rest of it, and its columns."""
    domains = make_cross_domain(n_rows, 60, 40, source_density=0.2, random_state=0)
    known, y = holdout_random(domains.Y_target, 0.4, random_state=0)
    return sp.hstack([domains.X_source, known], format="csr"), y, range(60, 100)


def _with_strangers(matrix, n_strangers):
    """Return a matrix with more rows, in which nothing stands."""
    return sp.csr_array(sp.vstack([matrix, sp.csr_array((n_strangers, matrix.shape[1]))]))


def test_rows_without_target_items_make_no_interval_narrower():
    X, y, target_columns = _rows_of_both_domains(100)
    model = EASERecommender(50.0)
    settings = {"target_columns": target_columns, "random_state": 0}
    widths, errors, n_train = [], [], []
    for n_strangers in (0, 900):
        more, found = (_with_strangers(matrix, n_strangers) for matrix in (X, y))
        low, high = transfer_gain(model, None, more, found, **settings).overall.interval
        comparison = compare({"EASE": model}, more, found, **settings)
        curve = transfer_learning_curve({"EASE": model}, more, found, train_sizes=[0.5], **settings)
        widths.append(high - low)
        errors.append(comparison.standard_errors["NDCG@10"]["EASE"])
        n_train.append([comparison.n_train, curve.n_train])
    assert_allclose(n_train[1], n_train[0], rtol=0.01)
    # The folds differ, and so do the scores.
    assert_allclose(widths[1], widths[0], rtol=0.15)
    assert_allclose(errors[1], errors[0], rtol=0.15)


def test_popularity_is_the_same_baseline_everywhere():
    X, y, target_columns = _rows_of_both_domains(120)
    settings = {"target_columns": target_columns, "cv": KFold(3, shuffle=True, random_state=0)}
    gain = transfer_gain(RidgeRecommender(), None, X, y, **settings)
    means = compare({"ridge": RidgeRecommender()}, X, y, **settings).means["NDCG@10"]
    assert_allclose([gain.overall.transfer, gain.overall.baseline], list(means.values()))


@pytest.mark.parametrize("target_columns", [None, range(60, 100)])
def test_y_with_its_columns_in_another_order_is_refused(target_columns):
    X, y, columns = _rows_of_both_domains(60)
    X = pd.DataFrame(X.toarray(), columns=[f"item {column}" for column in range(100)])
    y = pd.DataFrame(y.toarray(), columns=X.columns[columns])
    model = RidgeRecommender()
    if target_columns is None:
        X, model = X[y.columns], EASERecommender(50.0)
    shuffled = y.sample(frac=1, axis=1, random_state=0)
    settings = {"target_columns": target_columns, "cv": 2, "random_state": 0}
    for measure in (
        lambda y: transfer_gain(model, None, X, y, **settings),
        lambda y: compare({"model": model}, X, y, **settings),
        lambda y: transfer_learning_curve({"model": model}, X, y, train_sizes=[9], **settings),
    ):
        measure(y)
        with pytest.raises(ValueError, match=r"y has the column .* where the model has the item"):
            measure(shuffled)


def test_aligned_domains_are_both_matrices():
    domains = make_cross_domain(60, 30, 20, source_density=0.2, random_state=0)
    aligned = align_domains(domains.source.events, domains.target.events)
    models, settings = {"ridge": RidgeRecommender()}, {"cv": 3, "random_state": 0}
    curve_settings = {"train_sizes": [0.5], **settings}
    parts = aligned.X_source, aligned.X_target
    for measure, options in ((compare, settings), (transfer_learning_curve, curve_settings)):
        whole, of_parts = measure(models, aligned, **options), measure(models, *parts, **options)
        assert str(whole.means) == str(of_parts.means)
        with pytest.raises(ValueError, match="leave y at None"):
            measure(models, aligned, aligned.X_target, **options)


def test_rows_that_models_learn_from_are_not_held_out():
    X, y, target_columns = _rows_of_both_domains(60)
    rows = np.arange(60)
    settings = {"target_columns": target_columns, "cv": [(rows, rows[:30]), (rows, rows[30:])]}
    model = EASERecommender(50.0)
    for measure in (
        lambda: transfer_gain(model, None, X, y, **settings),
        lambda: compare({"EASE": model}, X, y, **settings),
        lambda: transfer_learning_curve({"EASE": model}, X, y, train_sizes=[9], **settings),
    ):
        with pytest.raises(ValueError, match="holds out 30 rows that the models learn from"):
            measure()


def test_models_see_the_names_of_columns():
    X, _, _ = _rows_of_both_domains(60)
    table = pd.DataFrame(X.toarray(), columns=[f"item {column}" for column in range(100)])
    by_name = make_column_transformer(("passthrough", list(table.columns)))
    models = {"EASE": make_pipeline(by_name, EASERecommender(50.0))}
    for target_columns in (None, range(60, 100)):
        settings = {"cv": 2, "random_state": 0, "target_columns": target_columns}
        comparison = compare(models, table, **settings)
        assert not comparison.errors
        plain = compare({"EASE": EASERecommender(50.0)}, X, **settings)
        assert comparison.means["NDCG@10"] == plain.means["NDCG@10"]


def test_no_model_recommends_what_rows_have_if_one_recommends_the_columns_of_X():
    X, y = holdout_random(
        make_cross_domain(200, 60, 40, n_cold_users=0, random_state=0).Y_target, 0.3, random_state=1
    )
    models = {"ridge": RidgeRecommender(), "EASE": EASERecommender()}
    columns, settings = np.arange(40), {"cv": 2, "random_state": 0}
    expected = compare(models, X, y, target_columns=columns, **settings).means["NDCG@10"]
    assert compare(models, X, y, **settings).means["NDCG@10"] == expected
    alone = compare({"EASE": models["EASE"]}, X, y, **settings).means["NDCG@10"]
    assert alone["popularity"] == expected["popularity"]
    sized = {"train_sizes": [100], **settings}
    curve = transfer_learning_curve({**models, "popularity": None}, X, y, **sized)
    assert (
        curve.means["popularity"]
        == transfer_learning_curve(
            {**models, "popularity": None}, X, y, target_columns=columns, **sized
        ).means["popularity"]
    )
    gain = transfer_gain(*models.values(), X, y, **settings).overall
    assert (gain.transfer, gain.baseline) == pytest.approx((expected["ridge"], expected["EASE"]))


def test_columns_are_no_items_to_supervised_models_alone():
    domains = make_cross_domain(200, 40, 40, n_cold_users=0, random_state=0)
    rows = ServedRows.of(
        *(domains.X_source, domains.Y_target, {"ridge": RidgeRecommender(), "popularity": None}),
        **{"holdout": None, "random_state": None},
    )
    assert not rows.target.are_in_rows


def test_models_of_two_domains_find_their_own_target_columns_beside_supervised_ones():
    domains = make_cross_domain(200, 60, 40, n_cold_users=0, random_state=0)
    known, y = holdout_random(domains.Y_target, 0.4, random_state=0)
    X = sp.hstack([domains.X_source, known], format="csr")
    collective = CollectiveMFRecommender(slice(60, None), n_components=4, max_iter=4)
    models = {"ridge": RidgeRecommender(), "collective": collective.set_params(random_state=0)}
    assert not compare(models, X, y, random_state=0).errors


@pytest.mark.parametrize("form", [np.ndarray.tolist, pd.DataFrame, sp.dia_array, sp.bsr_array])
def test_every_form_of_rows_is_compared_alike(form):
    """Known items are left out and cross-listed ones are looked for."""
    rng = np.random.RandomState(5)
    X = (rng.uniform(size=(60, 12)) < 0.25).astype(float)
    y = (rng.uniform(size=(60, 12)) < 0.2) * (X == 0) * 1.0
    models = {"ridge": RidgeRecommender(1.0), "ease": EASERecommender()}
    means = compare(models, X, y, cv=2, random_state=0).means
    gain = transfer_gain(*models.values(), X, y, cv=2, random_state=0)
    rows = form(X)
    assert compare(models, rows, y, cv=2, random_state=0).means == means
    other = transfer_gain(*models.values(), rows, y, cv=2, random_state=0)
    assert (other.overall, other.buckets) == (gain.overall, gain.buckets)


@pytest.mark.parametrize(
    "form", [np.ndarray.tolist, lambda X: pd.DataFrame(X).add_prefix("c").astype({"c4": object})]
)
def test_cross_listed_items_are_found_in_every_form_of_rows(form):
    rng = np.random.RandomState(0)
    X = (rng.uniform(size=(120, 8)) < 0.3).astype(float)
    y = np.hstack([X[:, :3], (rng.uniform(size=(120, 9)) < 0.15)])
    gain = transfer_gain(RidgeRecommender(1.0), None, form(X), y, cv=2, random_state=0)
    expected = transfer_gain(RidgeRecommender(1.0), None, X, y, cv=2, random_state=0)
    assert gain.n_given_away == expected.n_given_away > 50
    assert gain.clean == expected.clean
