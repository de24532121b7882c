# SPDX-License-Identifier: BSD-3-Clause
"""Rows with a history are served by it to the bit, the others better than by popularity."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from scipy.stats import ttest_rel
from sklearn.decomposition import TruncatedSVD
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sktransrec import (
    ALSRecommender,
    EASERecommender,
    PopularityRecommender,
    PopularityScaler,
    RidgeRecommender,
    SegmentPopularityRecommender,
    SwitchingRecommender,
    ranking_scorer,
    recommend,
)
from sktransrec.datasets import load_amazon_pair, make_cross_domain
from sktransrec.interactions import holdout_random
from sktransrec.metrics import held_out_ranks, ndcg_at_k

N_ITEMS = 100
N_COLD = 250


@pytest.fixture(scope="module")
def users():
    """Return the histories of users, and features that show their tastes with some noise."""
    domains = make_cross_domain(
        *(800, 10, N_ITEMS),
        n_cold_users=0,
        source_density=0.5,
        target_density=0.12,
        random_state=0,
        return_truth=True,
    )
    tastes = domains.truth.target_tastes
    noise = np.random.default_rng(0).normal(size=tastes.shape)
    return domains.target.matrix, (tastes + 0.5 * noise).astype(np.float32)


def _side_by_side(history, features):
    return sp.hstack([history, sp.csr_array(features)], format="csr")


@pytest.fixture(scope="module")
def warm(users):
    history, features = users
    return _side_by_side(history[N_COLD:], features[N_COLD:])


def _switch(fallback=None, **parameters):
    return SwitchingRecommender(
        EASERecommender(), fallback, target_columns=range(N_ITEMS), **parameters
    )


def _signs(X):
    """Return whether each of the first three features is above zero."""
    return np.sign(X[:, :3].toarray()).astype(np.float32)


SEGMENTS = make_pipeline(
    FunctionTransformer(_signs, accept_sparse=True), SegmentPopularityRecommender()
)


@pytest.mark.parametrize("fallback", [RidgeRecommender(), SEGMENTS], ids=["ridge", "segments"])
def test_cold_rows_are_served_better_than_by_popularity(users, warm, fallback):
    history, features = users
    model = _switch(fallback).fit(warm)
    cold = _side_by_side(sp.csr_array((N_COLD, N_ITEMS)), features[:N_COLD])
    assert set(model.row_paths(cold)) == {"features"}
    popularity = _switch().fit(warm)
    assert set(popularity.row_paths(cold)) == {"popularity"}
    scores = [
        ndcg_at_k(history[:N_COLD], part.recommend(cold)[0], per_row=True)
        for part in (model, popularity)
    ]
    assert ttest_rel(*scores).confidence_interval(0.99).low > 0.05


def test_rows_with_a_history_are_served_by_it_to_the_bit(users, warm):
    history, _ = users
    plain = EASERecommender().fit(history[N_COLD:])
    model = _switch(RidgeRecommender()).fit(warm)
    assert set(model.row_paths(warm)) == {"history"}
    assert_array_equal(model.decision_function(warm), plain.decision_function(history[N_COLD:]))
    for ours, theirs in zip(model.recommend(warm), plain.recommend(history[N_COLD:]), strict=True):
        assert_array_equal(ours, theirs)


def test_each_row_is_served_by_the_path_that_is_said(users, warm):
    history, features = users
    model = _switch(RidgeRecommender(), min_interactions=8).fit(warm)
    n_known = np.diff(history.indptr)
    X = _side_by_side(history, features)
    expected = np.where(n_known >= 8, "history", "features")
    assert 100 < np.count_nonzero(expected == "history") < 700
    assert_array_equal(model.row_paths(X), expected)
    by_features = RidgeRecommender().fit(sp.csr_array(features[N_COLD:]), history[N_COLD:])
    scores = np.where(
        (expected == "history")[:, None],
        EASERecommender().fit(history[N_COLD:]).decision_function(history),
        by_features.decision_function(sp.csr_array(features)),
    )
    np.testing.assert_allclose(model.decision_function(X), scores, rtol=1e-5, atol=1e-6)
    # What a row has is left out on either path, however little it is.
    items, _ = model.recommend(X, n_recommendations=30)
    is_seen = np.take_along_axis(history.toarray() > 0, items, axis=1)
    assert not is_seen[items >= 0].any()


class WithoutFirstItem(RidgeRecommender):
    """Never recommend the first item."""

    @property
    def withheld_items_(self):
        return np.arange(self.n_items_) == 0


def test_what_a_part_never_recommends_is_not_recommended(users, warm):
    _, features = users
    model = _switch(WithoutFirstItem()).fit(warm)
    cold = _side_by_side(sp.csr_array((N_COLD, N_ITEMS)), features[:N_COLD])
    for rows in (warm, cold):
        assert 0 not in model.recommend(rows, n_recommendations=N_ITEMS, exclude_seen=False)[0]


def test_dense_rows_and_columns_in_any_place(users, warm):
    history, features = users
    mixed = np.hstack([features[:, :2], history.toarray(), features[:, 2:]])
    model = SwitchingRecommender(
        EASERecommender(), RidgeRecommender(), target_columns=range(2, 2 + N_ITEMS)
    ).fit(mixed[N_COLD:])
    expected = _switch(RidgeRecommender()).fit(warm)
    new = mixed[:50].copy()
    new[::2, 2 : 2 + N_ITEMS] = 0
    rows = _side_by_side(sp.csr_array(new[:, 2 : 2 + N_ITEMS]), features[:50])
    assert_array_equal(model.row_paths(new), ["features", "history"] * 25)
    np.testing.assert_allclose(
        model.decision_function(new), expected.decision_function(rows), rtol=1e-4, atol=1e-5
    )


def test_rows_without_a_history_teach_the_fallback_nothing(users, warm):
    _, features = users
    cold = _side_by_side(sp.csr_array((N_COLD, N_ITEMS)), features[:N_COLD])
    model = _switch(RidgeRecommender()).fit(sp.vstack([warm, cold], format="csr"))
    expected = _switch(RidgeRecommender()).fit(warm)
    assert_array_equal(model.decision_function(cold), expected.decision_function(cold))


def test_features_of_zero_are_features():
    """Popularity is what an empty row gets elsewhere; here its segment is known."""
    history = np.repeat([[1, 1, 0, 0], [0, 0, 1, 1]], 20, axis=0)
    history = np.vstack([history, [[0, 0, 1, 1]] * 20])
    group = np.repeat([[0], [1], [1]], 20, axis=0)
    model = SwitchingRecommender(
        EASERecommender(), SegmentPopularityRecommender(), target_columns=range(4)
    ).fit(np.hstack([history, group]))
    items, _ = model.recommend([[0, 0, 0, 0, 0], [0, 0, 0, 0, 1]], n_recommendations=2)
    assert_array_equal(np.sort(items), [[0, 1], [2, 3]])


def test_pipelines_inside_and_searches_outside(users, warm):
    history, _ = users
    kept, y = holdout_random(history[N_COLD:], 0.3, random_state=0)
    X = _side_by_side(kept, warm[:, N_ITEMS:].toarray())
    model = SwitchingRecommender(
        make_pipeline(PopularityScaler(), EASERecommender()),
        RidgeRecommender(),
        target_columns=range(N_ITEMS),
    )
    search = GridSearchCV(
        model,
        {"min_interactions": [1, 50], "fallback__regularization": [1.0, 1e6]},
        scoring=ranking_scorer(),
        cv=2,
        error_score="raise",
    ).fit(X, y)
    assert recommend(search, X)[0].shape == (len(y.indptr) - 1, 10)
    assert search.best_params_["fallback__regularization"] == 1.0 or (
        search.best_params_["min_interactions"] == 1
    )


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (SwitchingRecommender(RidgeRecommender()), "recommender=RidgeRecommender.. does not learn"),
        (_switch(PopularityRecommender()), "fallback=PopularityRecommender.. does not learn"),
        (
            SwitchingRecommender(EASERecommender(), RidgeRecommender()),
            "target_columns=None means that all columns",
        ),
        (_switch(RidgeRecommender(), min_interactions=0), "min_interactions"),
        (
            SwitchingRecommender(EASERecommender(), target_columns=[999]),
            "target_columns must lie between 0 and",
        ),
    ],
)
def test_bad_parameters(warm, model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(warm)


@pytest.mark.slow
@pytest.mark.data
def test_cold_people_by_their_history_in_another_domain(data_home):
    """The features are what people have in games; those scored have nothing in videos yet."""
    pair = load_amazon_pair("game", "video", data_home=data_home)
    videos, games = pair.target.matrix, pair.source.matrix
    place = {person: row for row, person in enumerate(pair.source.user_ids)}
    known = [row for row, person in enumerate(pair.target.user_ids) if person in place]
    sources = [place[pair.target.user_ids[row]] for row in known]
    shape = (videos.shape[0], games.shape[0])
    is_person = sp.csr_array((np.ones(len(known)), (known, sources)), shape=shape)
    X = sp.hstack([videos, is_person @ games], format="csr")
    cold = sp.hstack([sp.csr_array(pair.Y_cold.shape), pair.X_cold], format="csr")
    svd = make_pipeline(TruncatedSVD(64, random_state=0), RidgeRecommender(10.0))
    by_row = []
    for fallback in (svd, None):
        model = SwitchingRecommender(
            ALSRecommender(16, max_iter=2, random_state=0),
            fallback,
            target_columns=range(videos.shape[1]),
        ).fit(X)
        rows, _, ranks = held_out_ranks(model, cold, pair.Y_cold, n_negatives=999, random_state=0)
        gains = np.where(ranks <= 10, 1 / np.log2(1 + ranks), 0)
        by_row.append(
            np.bincount(rows, gains)[np.unique(rows)] / np.unique(rows, return_counts=True)[1]
        )
    assert len(by_row[0]) > 150
    assert ttest_rel(*by_row).confidence_interval(0.99).low > 0.005
    assert np.mean(by_row[0]) > 1.4 * np.mean(by_row[1])


def test_the_fallback_reads_texts_and_exact_numbers_of_a_table():
    history = np.repeat(np.eye(4), 5, axis=0)
    table = pd.DataFrame(history, columns=list("abcd"))
    table["country"] = np.repeat(list("wxyz"), 5)
    table["day"] = np.repeat(range(20240101, 20240105), 5)
    new = table[::5].assign(a=0, b=0, c=0, d=0)
    for column in ("country", "day"):
        fallback = SegmentPopularityRecommender([column], shrinkage=1)
        model = SwitchingRecommender(EASERecommender(), fallback, target_columns=range(4))
        items, _ = model.fit(table).recommend(new, n_recommendations=1)
        assert_array_equal(items[:, 0], range(4))
