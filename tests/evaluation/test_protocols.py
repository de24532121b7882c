# SPDX-License-Identifier: BSD-3-Clause
"""Protocols hold out what they name, nothing else, and work as cv."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Binarizer

from sktransrec import (
    ALSRecommender,
    CollectiveMFRecommender,
    EASERecommender,
    HybridRecommender,
    InteractionEncoder,
    ItemFeatures,
    ItemKNNRecommender,
    TransitionRecommender,
    compare,
    holdout_random,
    ranking_scorer,
)
from sktransrec.evaluation import (
    ColdItems,
    GlobalTime,
    HeldOutInteractions,
    KShot,
    LastOneOut,
    NewUsers,
)

EASE = EASERecommender(10.0)
LOG = {"user": [1, 1, 1, 2, 2], "item": ["a", "b", "c", "a", "b"], "time": [5, 9, 7, 1, 2]}


@pytest.fixture(scope="module")
def X():
    """Return a checkerboard, in which every row has six items or more."""
    rng = np.random.default_rng(0)
    same = (np.arange(80)[:, None] + np.arange(24)) % 2 == 0
    return sp.csr_array((same & (rng.uniform(size=same.shape) < 0.85)).astype(np.float32))


@pytest.mark.parametrize(
    "protocol",
    [
        NewUsers(3, random_state=0),
        KShot(3, random_state=0),
        HeldOutInteractions(2, random_state=0),
        ColdItems(random_state=0),
    ],
    ids=repr,
)
def test_what_is_known_and_what_to_find_are_the_parts_of_X(X, protocol):
    known, y = protocol.hold_out(X)
    assert_array_equal((known + y).toarray(), X.toarray())
    assert not known.multiply(y).nnz
    assert known.nnz
    assert y.nnz


def test_new_rows_are_in_one_test_fold_each_and_never_in_training(X):
    folds = list(NewUsers(4, random_state=0).split(X))
    assert len(folds) == KShot(n_splits=4).get_n_splits() == 4
    assert_array_equal(np.sort(np.concatenate([test for _, test in folds])), np.arange(80))
    assert all(not np.intersect1d(train, test).size for train, test in folds)


def test_known_rows_are_all_rows(X):
    ((train, test),) = HeldOutInteractions().split(X, X)
    assert_array_equal(train, np.arange(80))
    assert_array_equal(test, np.arange(80))


def test_k_interactions_are_known_and_fewer_are_among_more(X):
    few, _ = KShot(1, random_state=0).hold_out(X)
    more, _ = KShot(4, random_state=0).hold_out(X)
    assert set(np.diff(more.indptr)) == {4}
    assert few.multiply(more).nnz == few.nnz == 80
    nobody, everything = KShot(0, random_state=0).hold_out(X)
    assert (nobody.nnz, everything.nnz) == (0, X.nnz)
    assert not KShot(24).hold_out(X)[1].nnz


def test_cold_items_have_no_interactions_and_all_of_theirs_are_to_find(X):
    protocol = ColdItems(0.25, random_state=3)
    known, y = protocol.hold_out(X)
    cold = protocol.cold_items(X)
    assert len(cold) == 6
    assert_array_equal(np.unique(y.indices), cold)
    assert not np.isin(known.indices, cold).any()


def test_content_finds_cold_items_and_interactions_do_not(X):
    content = ItemFeatures(np.arange(24)[:, None] % 2 * 2.0 - 1)
    models = {
        "content": HybridRecommender(item_features=content, random_state=0),
        "neighbours": ItemKNNRecommender(),
    }
    protocol = ColdItems(random_state=0)
    (found,) = compare(models, X, cv=protocol, metrics="recall", k=5).means.values()
    assert found["content"] > 3 * max(found["neighbours"], 0.05)


def test_protocols_by_time_hold_out_what_the_functions_do():
    encoder = InteractionEncoder(time="time").fit(LOG)
    X, y = LastOneOut().hold_out(LOG, encoder)
    assert y.toarray().tolist() == [[0, 1, 0], [0, 1, 0]]
    assert X.toarray().tolist() == [[1, 0, 1], [1, 0, 0]]
    X, y = GlobalTime(7).hold_out(LOG, encoder, users=[1])
    assert y.toarray().tolist() == [[0, 1, 1]]
    for protocol in (LastOneOut(), GlobalTime(7)):
        with pytest.raises(ValueError, match=r"needs times.* hold_out\(events, encoder\)"):
            compare({"EASE": EASE}, X, cv=protocol)


def test_compare_learns_and_serves_as_the_protocol_says(X):
    known, y = holdout_random(X, 0.25, random_state=5)
    by_name = compare({"EASE": EASE}, X, cv=HeldOutInteractions(0.25, random_state=5))
    by_hand = compare({"EASE": EASE}, known, y, cv="known")
    assert by_name.means == by_hand.means
    assert by_name.n_train == np.inf
    two = compare({"EASE": EASE}, X, cv=KShot(2, n_splits=2, random_state=0))
    one = compare({"EASE": EASE}, X, cv=KShot(1, n_splits=2, random_state=0))
    assert two.n_train == 40
    assert two.means["NDCG@10"]["EASE"] != one.means["NDCG@10"]["EASE"]


def test_searches_take_protocols(X):
    grid = {"regularization": [1.0, 10.0]}
    for protocol in (NewUsers(2, random_state=0), KShot(2, n_splits=2, random_state=0)):
        scorer = protocol.scorer(["ndcg", "recall"], k=3)
        search = GridSearchCV(EASE, grid, cv=protocol, scoring=scorer, refit="recall@3").fit(X)
        train, test = next(protocol.split(X))
        known, y = protocol.hold_out(X[test])
        model = clone(EASE).set_params(regularization=1.0).fit(X[train])
        expected = ranking_scorer("recall", k=3)(model, known, y)
        assert search.cv_results_["split0_test_recall@3"][0] == pytest.approx(expected)
        assert repr(protocol) in repr(scorer)
    known, y = HeldOutInteractions(random_state=0).hold_out(X)
    search = GridSearchCV(EASE, grid, cv=HeldOutInteractions(), scoring=ranking_scorer())
    model = clone(EASE).set_params(regularization=10.0).fit(known)
    expected = ranking_scorer()(model, known, y)
    assert search.fit(known, y).cv_results_["mean_test_score"][1] == pytest.approx(expected)
    protocol = NewUsers(2, random_state=0)
    assert len(cross_validate(EASE, X, cv=protocol, scoring=protocol.scorer())["test_score"]) == 2


def test_bad_values_are_named(X):
    with pytest.raises(ValueError, match="n_known must be an integer of 0 or more, got -1"):
        KShot(-1)
    with pytest.raises(ValueError, match="share must lie between 0 and 1, got 1"):
        ColdItems(1)


@pytest.mark.parametrize("n_known", [-1, 0.5, 2.5])
def test_known_interactions_are_counted(n_known):
    with pytest.raises(ValueError, match="n_known must be an integer of 0 or more"):
        KShot(n_known)


@pytest.mark.parametrize("protocol", [HeldOutInteractions(), ColdItems(), LastOneOut()])
def test_what_serves_known_rows_needs_what_they_should_find(X, protocol):
    search = GridSearchCV(EASE, {"regularization": [1.0, 10.0]}, cv=protocol)
    with pytest.raises(ValueError, match="serves the rows that were learned from, and y is None"):
        search.fit(X)


def test_cold_items_are_the_same_in_each_call(X):
    for random_state in (None, np.random.RandomState(0)):
        protocol = ColdItems(random_state=random_state)
        _, y = protocol.hold_out(X)
        assert_array_equal(protocol.cold_items(X), np.unique(y.indices))


@pytest.mark.parametrize("protocol", [NewUsers(2), KShot(2, n_splits=2)])
def test_a_search_compares_all_candidates_on_the_same_items(X, protocol):
    grid = {"regularization": [10.0, 10.0]}
    search = GridSearchCV(EASE, grid, cv=protocol, scoring=protocol.scorer()).fit(X)
    first, second = search.cv_results_["mean_test_score"]
    assert first == second


def score_in_folds(model, X, protocol):
    search = GridSearchCV(model, {}, cv=protocol, scoring=protocol.scorer(), error_score="raise")
    return search.fit(X).best_score_


@pytest.mark.parametrize(
    "protocol", [NewUsers(2, random_state=0), KShot(2, n_splits=2, random_state=0)], ids=repr
)
def test_scorers_keep_names_and_target_columns(X, protocol):
    table = pd.DataFrame(X.toarray(), columns=[f"item {i}" for i in range(24)])
    by_name = make_column_transformer(
        (Binarizer(), list(table.columns)), verbose_feature_names_out=False
    )
    of_matrix = score_in_folds(EASE, X, protocol)
    assert score_in_folds(EASE, table, protocol) == of_matrix
    assert score_in_folds(make_pipeline(by_name, EASE), table, protocol) == of_matrix
    both = sp.hstack([X[:, :8], X], format="csr")
    collective = CollectiveMFRecommender(slice(8, None), n_components=2, max_iter=4)
    assert score_in_folds(collective.set_params(random_state=0), both, protocol) > 0
    train, test = next(protocol.split(both))
    known, y = protocol.hold_out(X[test])
    known = sp.hstack([both[test, :8], known], format="csr")
    fitted = collective.fit(both[train])
    expected = ranking_scorer()(fitted, known, y)
    assert protocol.scorer()(fitted, both[test]) == pytest.approx(expected)


@pytest.mark.parametrize("protocol", [NewUsers(2), KShot(1, n_splits=2)], ids=repr)
def test_scorers_hold_out_what_the_model_recommends(X, protocol):
    model = HybridRecommender(
        ALSRecommender(2, max_iter=1), item_features=ItemFeatures(np.eye(24)), cold_policy="exclude"
    )
    fitted = model.fit(X * (np.arange(24) < 12))
    assert protocol.scorer("recall", k=24)(fitted, X) == 1


def test_scorers_hold_out_the_latest_items_of_histories_or_say_that_they_cannot():
    histories = np.random.default_rng(0).integers(1, 13, size=(40, 6))
    model = TransitionRecommender(n_items=12)
    protocol = NewUsers(2, holdout=1, random_state=0)
    fitted = clone(model).fit(histories)
    expected = ranking_scorer(holdout=1)(fitted, histories)
    assert protocol.scorer()(fitted, histories) == expected
    with pytest.raises(ValueError, match="this protocol hides parts of a matrix"):
        score_in_folds(model, histories, KShot(2, n_splits=2))


@pytest.mark.parametrize("share", ["a", 0, 1, None])
def test_a_share_of_cold_items_is_a_number_between_0_and_1(share):
    with pytest.raises(ValueError, match="share must lie between 0 and 1"):
        ColdItems(share)
