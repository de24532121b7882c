# SPDX-License-Identifier: BSD-3-Clause
"""An ensemble reads what its parts read, and never recommends what one of them withholds."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.utils import get_tags

from sktransrec import (
    ALSRecommender,
    CollectiveMFRecommender,
    ContentKNNRecommender,
    DiscountedRecommender,
    EASERecommender,
    HistoryRecommender,
    HybridRecommender,
    ItemFeatures,
    ItemKNNRecommender,
    NextItemRecommender,
    PopularityRecommender,
    RidgeRecommender,
    SegmentPopularityRecommender,
    SourceSelectorRecommender,
    StackingRecommender,
    SwitchingRecommender,
    TransferGate,
    TransitionRecommender,
    VotingRecommender,
    ranking_scorer,
)
from sktransrec.inspection import explain

X = sp.csr_array((np.random.RandomState(0).uniform(size=(30, 6)) < 0.4).astype(np.float32))


class Withholding(PopularityRecommender):
    """Popularity, but for one item."""

    def __init__(self, item=0):
        self.item = item

    @property
    def withheld_items_(self):
        return np.arange(self.n_items_) == self.item


def vote(*recommenders):
    return VotingRecommender([(f"part {i}", each) for i, each in enumerate(recommenders)])


@pytest.mark.parametrize(
    ("parts", "is_supervised", "reads_histories"),
    [
        ([EASERecommender(), PopularityRecommender()], False, False),
        ([RidgeRecommender(), RidgeRecommender()], True, False),
        ([NextItemRecommender(), NextItemRecommender()], False, True),
    ],
)
def test_tags_are_those_of_the_parts(parts, is_supervised, reads_histories):
    tags = get_tags(vote(*parts))
    assert tags.target_tags.required == tags.target_tags.multi_output == is_supervised
    assert tags.input_tags.categorical == reads_histories


def test_a_deciding_ensemble_is_as_what_it_decides_on():
    tags = get_tags(TransferGate(RidgeRecommender(), PopularityRecommender()))
    assert tags.target_tags.required
    assert not get_tags(TransferGate(EASERecommender())).target_tags.required


def test_withheld_items_of_all_parts_are_withheld():
    model = vote(Withholding(1), PopularityRecommender(), Withholding(4)).fit(X)
    assert_array_equal(np.flatnonzero(model.withheld_items_), [1, 4])
    items, _ = model.recommend(X, n_recommendations=6, exclude_seen=False)
    assert set(items[:, :4].ravel()) == {0, 2, 3, 5}
    assert (items[:, 4:] == -1).all()
    assert vote(PopularityRecommender()).fit(X).withheld_items_ is None


def test_popularity_is_that_of_what_is_recommended():
    y = X[:, :4]
    assert_allclose(vote(EASERecommender()).fit(X).popularity_, X.mean(axis=0), rtol=1e-6)
    assert_allclose(vote(RidgeRecommender()).fit(X, y).popularity_, y.mean(axis=0), rtol=1e-6)
    with pytest.raises(ValueError, match="VotingRecommender requires y to be passed"):
        vote(RidgeRecommender()).fit(X)


def test_histories_and_matrices_do_not_mix():
    members = [("a", TransitionRecommender()), ("b", EASERecommender())]
    with pytest.raises(ValueError, match="wrap the second in a HistoryRecommender"):
        VotingRecommender(members).fit([[1, 2, 3], [3, 1, 2]])


BY_NAME = make_pipeline(
    make_column_transformer((MaxAbsScaler(), ["s0", "s1"]), remainder="passthrough"),
    RidgeRecommender(5.0),
)
OF_NAMES = {
    "vote": VotingRecommender([("by name", BY_NAME), ("ridge", RidgeRecommender(5.0))]),
    "stack": StackingRecommender([("by name", BY_NAME)], cv=2, random_state=0),
    "gate": TransferGate(BY_NAME, cv=2, random_state=0),
    "discount": DiscountedRecommender(BY_NAME),
}


@pytest.mark.parametrize("name", OF_NAMES)
def test_members_may_choose_columns_by_name(name):
    rng = np.random.RandomState(0)
    X = pd.DataFrame((rng.uniform(size=(60, 6)) < 0.5) * 1.0, columns=[f"s{i}" for i in range(6)])
    y = (rng.uniform(size=(60, 5)) < 0.5) * 1.0
    ensemble = clone(OF_NAMES[name]).fit(X, y)
    scores = ensemble.decision_function(X)
    assert scores.shape == y.shape
    np.testing.assert_allclose(ensemble.decision_function(X[5:9]), scores[5:9], rtol=1e-5)
    items, _ = ensemble.recommend(X, n_recommendations=2)
    assert (items >= 0).all()


@pytest.mark.parametrize(
    "ensemble",
    [
        vote,
        lambda model: StackingRecommender([("one", model)], cv=2, regularization=np.inf),
        DiscountedRecommender,
    ],
)
@pytest.mark.parametrize("member", [BY_NAME, RidgeRecommender(5.0)], ids=["by name", "ridge"])
def test_a_table_may_be_sparse_in_fit_or_later(ensemble, member):
    rng = np.random.RandomState(0)
    values, y = rng.uniform(size=(60, 6)) < 0.5, (rng.uniform(size=(60, 5)) < 0.5) * 1.0
    dense = pd.DataFrame(values * 1.0, columns=[f"s{i}" for i in range(6)])
    first, later = dense, dense.astype(pd.SparseDtype(float, 0))
    if member is not BY_NAME:
        first, later = later, first
    model = ensemble(member).fit(first, y)
    assert_allclose(model.decision_function(later), model.decision_function(first), rtol=1e-5)


def _readers():
    settings = {"n_items": 20, "unknown": "ignore"}
    return [
        ("transitions", TransitionRecommender(**settings)),
        ("neighbors", HistoryRecommender(ItemKNNRecommender(), **settings)),
    ]


@pytest.mark.parametrize(
    "ensemble",
    [
        VotingRecommender(_readers()),
        StackingRecommender(_readers(), holdout=1, n_buckets=3, random_state=0),
        TransferGate(_readers()[0][1], _readers()[1][1], random_state=0),
    ],
)
def test_ids_that_are_left_out_of_histories_count_nowhere(ensemble):
    rng = np.random.default_rng(0)
    histories = rng.integers(1, 21, size=(90, 12)) * (np.arange(12) < rng.integers(3, 13, (90, 1)))
    model = clone(ensemble).fit(histories)
    with_unknown = np.where(histories == 0, 21 + np.arange(12), histories)
    learned = clone(ensemble).fit(with_unknown)
    for one in (model, learned):
        for X in (histories, with_unknown):
            assert_array_equal(one.recommend(X)[0], model.recommend(histories)[0])
    explained, plain = (explain(model, X[[0]], items=[7]) for X in (with_unknown, histories))
    assert_array_equal(explained.columns, plain.columns)
    assert_allclose(explained.contributions, plain.contributions)


def test_members_without_content_stay_beside_new_items():
    features = ItemFeatures(np.eye(6, 4))
    members = [ContentKNNRecommender(), ContentKNNRecommender(features), ItemKNNRecommender()]
    model = vote(*members).fit(X)
    assert model.with_items(ItemFeatures(np.ones((1, 4)), ids=["new"])).n_items_ == 7
    assert model.with_item_features(ItemFeatures(np.ones((3, 4)))).n_items_ == 3
    for kind in (ContentKNNRecommender(), HistoryRecommender(ContentKNNRecommender())):
        assert not hasattr(vote(kind), "with_items")
        assert not hasattr(vote(kind), "with_item_features")


def test_the_model_inside_a_member_moves_unless_steps_stand_before_it():
    features, others = ItemFeatures(np.eye(6, 4)), ItemFeatures(np.eye(3, 4))
    content = ContentKNNRecommender(features)
    expected = vote(content).fit(X).with_item_features(others).decision_function(np.eye(3))
    for member in (GridSearchCV(content, {}, cv=2), make_pipeline(content)):
        moved = vote(member).fit(X).with_item_features(others)
        assert_allclose(moved.decision_function(np.eye(3)), expected)
    with pytest.raises(ValueError, match="steps that have learned from the columns"):
        vote(make_pipeline(MaxAbsScaler(), content)).fit(X).with_item_features(others)


@pytest.mark.parametrize(
    "ensemble",
    [VotingRecommender(_readers()), DiscountedRecommender(_readers()[0][1], discount=0.1)],
)
def test_zeros_between_ids_are_left_out_by_ensembles_too(ensemble):
    histories = np.array([[1, 2, 3, 0], [2, 0, 3, 4], [3, 1, 4, 0], [1, 4, 2, 0]] * 5)
    model = clone(ensemble).fit(histories)
    assert 0 <= model.score(histories) <= 1
    assert 0 <= ranking_scorer()(model, histories) <= 1


DATES = np.repeat(np.arange(20240101, 20240107), 5)[:, None]
BY_DATE = np.repeat(np.eye(6), 5, axis=0)
SEGMENTS = SegmentPopularityRecommender(shrinkage=1)
OF_SEGMENTS = [
    DiscountedRecommender(SEGMENTS, discount=0),
    VotingRecommender([("one", SEGMENTS)]),
    StackingRecommender([("one", SEGMENTS)], regularization=np.inf),
    TransferGate(SEGMENTS, SEGMENTS, cv=2, random_state=0),
]


@pytest.mark.parametrize("model", OF_SEGMENTS)
def test_members_get_dates_that_single_precision_merges(model):
    items, _ = model.fit(DATES, BY_DATE).recommend(DATES[::5], n_recommendations=1)
    assert_array_equal(items[:, 0], np.arange(6))
    with pytest.raises(ValueError, match=r"0 sample|could not convert"):
        model.decision_function(np.empty((0, 1), dtype=str))


def two_domains(target):
    return CollectiveMFRecommender(target, 2, max_iter=1, random_state=0)


@pytest.mark.parametrize(
    "model",
    [
        VotingRecommender([("a", two_domains(range(6))), ("b", two_domains(range(6, 12)))]),
        VotingRecommender([("a", two_domains([0, 1, 5])), ("b", two_domains([0, 2, 5]))]),
        TransferGate(two_domains(range(6)), target_columns=range(6, 12), cv=2, random_state=0),
    ],
)
def test_members_that_recommend_other_columns_are_refused(model):
    with pytest.raises(ValueError, match=r"its item \d is column \d+, and that of the others \d+"):
        model.fit(sp.hstack([X, X], format="csr"))


def test_a_member_that_recommends_the_source_is_refused():
    source = pd.DataFrame(X.toarray(), columns=[f"source {n}" for n in range(6)])
    y = pd.DataFrame(X.toarray(), columns=[f"target {n}" for n in range(6)])
    with pytest.raises(ValueError, match="'part 1' recommends the columns of X, such as 'source "):
        vote(RidgeRecommender(), PopularityRecommender()).fit(source, y)


@pytest.mark.parametrize(
    "ensemble",
    [
        lambda model: VotingRecommender([("one", model)]),
        lambda model: StackingRecommender([("one", model)], random_state=0),
        lambda model: TransferGate(model, model, cv=2, random_state=0),
        DiscountedRecommender,
    ],
)
def test_gaps_reach_members_that_fill_them(ensemble):
    rng = np.random.default_rng(0)
    features, y = rng.normal(size=(60, 5)), (rng.uniform(size=(60, 12)) < 0.3).astype(float)
    features[::7, 2] = np.nan
    model = make_pipeline(SimpleImputer(), RidgeRecommender())
    found = ensemble(model).fit(features, y).recommend(features, n_recommendations=1)
    assert_array_equal(found[0].shape, (60, 1))
    with pytest.raises(ValueError, match="contains NaN"):
        ensemble(RidgeRecommender()).fit(features, y)


COUNTRIES = pd.DataFrame({"country": np.repeat(list("uvwxyz"), 5)})


@pytest.mark.parametrize(
    "table",
    [
        COUNTRIES,
        pl.DataFrame(COUNTRIES.to_dict("list")),
        COUNTRIES.to_numpy(),
        COUNTRIES.values.tolist(),
    ],
    ids=["pandas", "polars", "objects", "lists"],
)
@pytest.mark.parametrize("model", OF_SEGMENTS)
def test_members_get_tables_of_texts(model, table):
    items, _ = model.fit(table, BY_DATE).recommend(table[::5], n_recommendations=1)
    assert_array_equal(items[:, 0], np.arange(6))


@pytest.mark.parametrize(
    "ensemble",
    [
        lambda model: VotingRecommender([("one", model)]),
        lambda model: StackingRecommender([("one", model)], regularization=np.inf),
        lambda model: TransferGate(model, model, cv=2, random_state=0),
        lambda model: SwitchingRecommender(model),
        DiscountedRecommender,
        HybridRecommender,
    ],
)
def test_a_frozen_member_that_knows_names_gives_no_warning(ensemble):
    table = pd.DataFrame(X.toarray(), columns=list("abcdef"))
    frozen = FrozenEstimator(ALSRecommender(2, max_iter=1, random_state=0).fit(table))
    ensemble(frozen).fit(table).recommend(table, n_recommendations=1)
    assert frozen.feature_names_in_.tolist() == list("abcdef")


@pytest.mark.parametrize("ensemble", [TransferGate, SourceSelectorRecommender])
def test_texts_are_refused_after_numbers_also_where_the_fallback_reads_no_rows(ensemble):
    rng = np.random.RandomState(1)
    rows, y = rng.uniform(size=(80, 6)) < 0.4, rng.uniform(size=(80, 8)) < 0.3
    sources = [[("all", slice(None))]] if ensemble is SourceSelectorRecommender else []
    model = ensemble(RidgeRecommender(), *sources, cv=2, random_state=0).fit(rows, y)
    for bad in (np.full((3, 6), "film"), pd.DataFrame(np.full((3, 6), "film"))):
        with pytest.raises(ValueError, match="could not convert string to float"):
            model.decision_function(bad)


@pytest.mark.parametrize("ensemble", [VotingRecommender, StackingRecommender])
@pytest.mark.parametrize("member", [EASERecommender(), "ease", ("ease", EASERecommender(), 1)])
def test_members_without_a_name_are_refused(ensemble, member):
    with pytest.raises(ValueError, match=r"estimators holds .*: pass \(name, recommender\) tuples"):
        ensemble([member]).fit(np.ones((4, 4)))


def test_the_name_of_a_part_of_the_scores_is_taken():
    stack = StackingRecommender([("log popularity", EASERecommender())])
    with pytest.raises(ValueError, match="'log popularity', which StackingRecommender uses"):
        stack.fit(np.ones((4, 4)))
