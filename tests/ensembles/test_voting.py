# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
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
    PopularityRecommender,
    ReconstructionRecommender,
    RidgeRecommender,
    TransitionRecommender,
    VotingRecommender,
    ranking_scorer,
)


def _vote(**parameters):
    return VotingRecommender(
        [("ease", EASERecommender()), ("knn", ItemKNNRecommender())], **parameters
    )


def _standardized(scores):
    scores = scores.astype(np.float64)
    return (scores - scores.mean(axis=1)[:, None]) / scores.std(axis=1)[:, None]


def test_scores_are_the_mean_of_standardized_scores(X):
    parts = [EASERecommender().fit(X), ItemKNNRecommender().fit(X)]
    ease, knn = (_standardized(part.decision_function(X)) for part in parts)
    assert_allclose(_vote().fit(X).decision_function(X), (ease + knn) / 2, atol=1e-5)
    vote = _vote(weights=[3, 1]).fit(X)
    assert_allclose(vote.decision_function(X), 0.75 * ease + 0.25 * knn, atol=1e-5)


def test_one_vote_ranks_as_its_recommender(X):
    vote = _vote(weights=[1, 0]).fit(X)
    assert_array_equal(vote.recommend(X)[0], EASERecommender().fit(X).recommend(X)[0])


def test_scale_of_a_model_does_not_matter(domains):
    """Ridge scores are linear in y."""
    svd = make_pipeline(TruncatedSVD(3, random_state=0), RidgeRecommender())
    parts = [("ridge", RidgeRecommender()), ("svd", svd)]
    votes = [
        VotingRecommender(parts).fit(domains.X_source, factor * domains.Y_target)
        for factor in (1, 1000)
    ]
    scores = [vote.decision_function(domains.X_cold) for vote in votes]
    assert_allclose(*scores, atol=1e-3)


def test_a_model_without_an_opinion_has_no_say(X):
    parts = [("popularity", PopularityRecommender()), ("flat", _Flat())]
    vote = VotingRecommender(parts).fit(X)
    assert_array_equal(vote.recommend(X)[0], PopularityRecommender().fit(X).recommend(X)[0])


class _Flat(PopularityRecommender):
    def _score_rows(self, X):
        return np.full((X.shape[0], self.n_items_), 0.1, dtype=np.float32)


def test_parts_may_be_dropped_and_named(X):
    vote = _vote(weights=[1, 3]).set_params(knn="drop", ease__regularization=7.0).fit(X)
    assert list(vote.named_estimators_) == ["ease"]
    assert vote.named_estimators_.ease.regularization == 7.0
    assert len(vote.estimators_) == 1
    assert vote.estimators[0][1] is not vote.estimators_[0]


def test_search_over_weights(X):

    scorer = ranking_scorer(holdout=1, random_state=0)
    grid = [{"weights": [None, [1, 0]]}, {"knn": ["drop"]}]
    search = GridSearchCV(_vote(), grid, scoring=scorer, cv=2, error_score="raise").fit(X)
    scores = search.cv_results_["mean_test_score"]
    assert scores[1] == scores[2]


def test_frozen_parts_are_used_as_they_are(X):
    ease = EASERecommender().fit(X[:50])
    vote = VotingRecommender([("ease", FrozenEstimator(ease))]).fit(X)
    assert_array_equal(vote.recommend(X)[0], ease.recommend(X)[0])


def test_tags_are_those_of_the_parts(X):
    assert get_tags(_vote()).input_tags.positive_only
    assert not get_tags(_vote()).target_tags.required
    assert get_tags(VotingRecommender([("ridge", RidgeRecommender())])).target_tags.required


def test_empty_rows_get_the_popularity(X):
    vote = _vote().fit(X)
    empty = sp.csr_array((2, X.shape[1]))
    assert_array_equal(vote.decision_function(empty), np.tile(vote.popularity_, (2, 1)))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"weights": [1]}, "for each of the 2 estimators"),
        ({"weights": [0, 0]}, "one above 0"),
        ({"weights": [-1, 2]}, "0 or more"),
        ({"weights": ["x", "y"]}, "0 or more"),
        ({"weights": [np.nan, 2]}, "0 or more"),
        ({"ease": "drop", "knn": "drop"}, "no recommender"),
    ],
)
def test_bad_parameters(X, parameters, message):
    with pytest.raises(ValueError, match=message):
        _vote().set_params(**parameters).fit(X)


def test_all_must_recommend_the_same_items(domains):
    parts = [("ridge", RidgeRecommender()), ("ease", EASERecommender())]
    with pytest.raises(ValueError, match="'ease' recommends 40 items where there are 30"):
        VotingRecommender(parts).fit(domains.X_source, domains.Y_target)
    with pytest.raises(ValueError, match="requires y to be passed"):
        VotingRecommender(parts).fit(domains.X_source)


def test_later_items_reach_all_parts(X):
    content = ItemFeatures(np.random.RandomState(0).uniform(size=(X.shape[1] + 3, 4)))
    known, later = content.of(range(X.shape[1])), content.of(range(X.shape[1], X.shape[1] + 3))
    als = ALSRecommender(4, random_state=0)
    parts = [
        ("hybrid", HybridRecommender(als, item_features=known, min_interactions=1)),
        ("content", ContentKNNRecommender(known)),
    ]
    vote = VotingRecommender(parts).fit(X)
    extended = vote.with_items(later)
    assert (vote.n_items_, extended.n_items_) == (X.shape[1], X.shape[1] + 3)
    separate = [part.with_items(later).decision_function(X) for part in vote.estimators_]
    expected = sum(map(_standardized, separate)) / 2
    assert_allclose(extended.decision_function(X), expected, atol=1e-5)
    assert extended.named_estimators_.content.n_items_ == extended.n_items_
    assert vote.named_estimators_.content.n_items_ == vote.n_items_
    assert_array_equal(extended.decision_function(sp.csr_array((1, X.shape[1])))[0, -3:], 0)
    with pytest.raises(AttributeError, match="with_items"):
        _vote().fit(X).with_items(later)
    moved = vote.set_params(hybrid="drop").fit(X).with_item_features(later)
    assert_allclose(moved.decision_function(np.eye(3)).argmax(axis=1), range(3))


@pytest.mark.parametrize("wrapped", [FrozenEstimator, make_pipeline])
def test_items_that_a_part_excludes_are_not_recommended(X, wrapped):
    X = X.toarray()
    X[:, 5:8] = 0
    content = ItemFeatures(np.random.RandomState(0).uniform(size=(X.shape[1] + 1, 4)))
    hybrid = HybridRecommender(
        ALSRecommender(4, random_state=0),
        item_features=content.of(range(X.shape[1])),
        cold_policy="exclude",
    )
    parts = [
        ("hybrid", wrapped(hybrid.fit(X))),
        ("content", ContentKNNRecommender(content.of(range(X.shape[1])))),
    ]
    vote = VotingRecommender(parts).fit(X)
    for model in (vote, DiscountedRecommender(vote).fit(X)):
        items, _ = model.recommend(X, n_recommendations=X.shape[1], exclude_seen=False)
        assert (items[:, -3:] == -1).all()
        assert not np.isin(items, [5, 6, 7]).any()
        assert np.isfinite(model.decision_function(X)).all()
    later = (
        VotingRecommender(
            [("hybrid", hybrid), ("content", ContentKNNRecommender(content.of(range(X.shape[1]))))]
        )
        .fit(X)
        .with_items(content.of([X.shape[1]]))
    )
    assert X.shape[1] not in later.recommend(X, n_recommendations=X.shape[1] + 1)[0]


@pytest.mark.parametrize("kind", [list, np.array, pd.Series])
def test_parts_may_read_texts(kind):
    rng = np.random.RandomState(0)
    topic = rng.randint(2, size=60)
    texts = kind([f"topic{t} word{i}" for t, i in zip(topic, rng.randint(9, size=60), strict=True)])
    y = (rng.uniform(size=(60, 8)) < np.where(topic[:, None] == np.arange(8) % 2, 0.6, 0.1)) * 1.0
    words = make_pipeline(TfidfVectorizer(), RidgeRecommender())
    letters = make_pipeline(TfidfVectorizer(analyzer="char"), RidgeRecommender())
    vote = VotingRecommender([("words", words), ("letters", letters)]).fit(texts, y)
    assert get_tags(vote).input_tags.string
    scores = [
        _standardized(part.fit(texts, y)[-1].decision_function(part[:-1].transform(texts)))
        for part in (words, letters)
    ]
    assert_allclose(vote.decision_function(texts), np.mean(scores, axis=0), atol=1e-4)
    items, _ = vote.recommend(kind(["topic0", "topic1", ""]), n_recommendations=1)
    assert (items[:2, 0] % 2 == [0, 1]).all()
    with pytest.raises(ValueError, match="Row 1 of X is 3"):
        vote.fit(["topic0", 3], y[:2])


def test_parts_may_read_columns_of_a_table():
    rng = np.random.RandomState(0)
    topic, size = rng.randint(2, size=(2, 60))
    table = pd.DataFrame({"text": [f"topic{t}" for t in topic], "size": size})
    y = (rng.uniform(size=(60, 8)) < np.where(topic[:, None] == np.arange(8) % 2, 0.6, 0.1)) * 1.0
    reader = ColumnTransformer(
        [("text", TfidfVectorizer(), "text"), ("size", "passthrough", ["size"])]
    )
    vote = VotingRecommender([("table", make_pipeline(reader, RidgeRecommender()))]).fit(table, y)
    assert vote.feature_names_in_.tolist() == ["text", "size"]
    items, _ = vote.recommend(
        pd.DataFrame({"text": ["topic0", "topic1"], "size": [0, 0]}), n_recommendations=1
    )
    assert (items[:, 0] % 2 == [0, 1]).all()
    with pytest.raises(ValueError, match="feature names should match"):
        vote.decision_function(table[["size", "text"]])


def test_the_error_of_a_part_says_whose_it_is(X):
    svd = ReconstructionRecommender(TruncatedSVD(2))
    vote = VotingRecommender([("svd", svd), ("popularity", PopularityRecommender())])
    with pytest.raises(ValueError, match="TruncatedSVD") as raised:
        vote.fit(X[:, :1])
    assert raised.value.__notes__ == [
        f"This is an error of the part {part!r}, which was fitted on X."
        for part in (svd.transformer, svd)
    ]


def test_recommenders_of_histories():
    X = 1 + np.random.default_rng(0).integers(9, size=(30, 4))
    X[::2, 2:] = 0
    members = [
        TransitionRecommender(n_items=10, decay=0.8),
        HistoryRecommender(ItemKNNRecommender(), decay=0.5, n_items=10),
    ]
    vote = VotingRecommender(list(zip("ab", members, strict=True))).fit(X)
    scores = [_standardized(member.fit(X).decision_function(X)) for member in members]
    assert_allclose(vote.decision_function(X), np.mean(scores, axis=0), rtol=1e-3, atol=1e-4)
    assert_array_equal(vote.popularity_, members[0].popularity_)
    items, _ = vote.recommend(X, n_recommendations=6)
    assert not (items[:, :, None] == X[:, None, :] - 1).any()


@pytest.mark.parametrize("with_all", [False, True])
def test_a_vote_on_two_domains_recommends_the_items_of_the_target(X, with_all):
    """A member of the target and one of all columns have their say on the target's items."""
    n_items = X.shape[1]
    target = np.arange(n_items // 2, n_items)
    collective = CollectiveMFRecommender(target, 2, max_iter=3, random_state=0)
    other = ALSRecommender(2, max_iter=3, random_state=0) if with_all else clone(collective)
    vote = VotingRecommender([("collective", collective), ("other", other)]).fit(X)
    assert vote.n_items_ == len(target)
    assert_array_equal(vote.item_columns_, target)
    members = collective.fit(X), other.fit(X)
    scores = [_standardized(each.decision_function(X)[:, -len(target) :]) for each in members]
    assert_allclose(vote.decision_function(X), np.mean(scores, axis=0), atol=1e-5)
    items, _ = vote.recommend(X, n_recommendations=1)
    assert not np.take_along_axis(X.toarray()[:, target], items, axis=1)[items >= 0].any()
