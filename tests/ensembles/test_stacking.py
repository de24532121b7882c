# SPDX-License-Identifier: BSD-3-Clause
from typing import ClassVar

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from sktransrec import (
    ALSRecommender,
    ContentKNNRecommender,
    EASERecommender,
    HistoryRecommender,
    ItemFeatures,
    ItemKNNRecommender,
    PopularityRecommender,
    StackingRecommender,
    TransitionRecommender,
)
from sktransrec.base import InDomainRecommender, SupervisedRecommender
from sktransrec.datasets import make_cross_domain
from sktransrec.ensembles._evidence import tempered
from sktransrec.metrics import held_out_ranks, rank_metrics

N_ITEMS, N_FEATURES = 60, 8


class Known(SupervisedRecommender):
    """A map from features to scores that is known beforehand."""

    def __init__(self, seed=0):
        self.seed = seed

    def _fit(self, X, y):
        pass

    def _score_rows(self, X):
        W = np.random.RandomState(self.seed).normal(size=(N_FEATURES, N_ITEMS))
        return X @ W.astype(np.float32)


class Choosing(InDomainRecommender):
    """A recommender whose "auto" depends on how much it learns from."""

    used: ClassVar = []

    def __init__(self, amount="auto"):
        self.amount = amount

    def _fit(self, X):
        self.amount_ = float(X.sum()) if self.amount == "auto" else self.amount
        self.used.append(self.amount_)

    def _score_rows(self, X):
        return X @ np.eye(X.shape[1], k=1, dtype=np.float32)


MEMBERS = [(name, Known(seed)) for name, seed in (("a", 1), ("b", 2), ("c", 3))]


def drawn(n_rows, weights, seed=0):
    """Return features of rows, and one item for each, drawn from the model of the stack."""
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n_rows, N_FEATURES)).astype(np.float32)
    utility = sum(
        weight * tempered(model._score_rows(X))
        for weight, (_, model) in zip(weights, MEMBERS, strict=True)
    )
    items = (utility + rng.gumbel(size=utility.shape)).argmax(axis=1)
    return X, sp.csr_array(np.eye(N_ITEMS, dtype=np.float32)[items])


def stack(members=MEMBERS, **parameters):
    return StackingRecommender(members, **{"cv": 2, "random_state": 0, **parameters})


def ndcg(model, X, y):
    rows, _, ranks = held_out_ranks(model, X, y)
    return rank_metrics(ranks, rows=rows)["ndcg"]


def test_weights_are_learned_with_the_parameters_of_the_members_in_use(monkeypatch):
    X = make_cross_domain(200, 60, random_state=0).X_source
    monkeypatch.setattr(Choosing, "used", [])
    members = [("choosing", Choosing()), ("ease", EASERecommender(10.0))]
    stack(members).fit(X)
    assert Choosing.used == [X.sum(), X.sum()]


def test_weights_that_made_the_data_are_found():
    model = stack().fit(*drawn(2000, [1.5, 0.5, 0.0]))
    assert_allclose(model.weights_, [[1.5, 0.5, 0.0]], atol=0.12)
    assert_allclose(model.popularity_weights_, 0, atol=0.12)


def test_one_good_member_is_not_spoiled_by_others():
    X_new, y_new = drawn(500, [3.0, 0, 0], seed=1)
    X, y = drawn(300, [3.0, 0, 0])
    best, error = ndcg(MEMBERS[0][1].fit(X, y), X_new, y_new)
    vote, _ = ndcg(stack(regularization=1e9).fit(X, y), X_new, y_new)
    assert ndcg(stack().fit(X, y), X_new, y_new)[0] > best - error
    assert ndcg(stack().fit(X[:60], y[:60]), X_new, y_new)[0] > vote + 3 * error
    assert vote < best - 10 * error


def test_strong_regularization_ranks_by_the_prior():
    X, y = drawn(100, [1, 0, 0])
    model = stack(prior=[1, 2, 3], regularization=1e9).fit(X, y)
    assert_allclose(model.weights_[0] / model.weights_[0, 0], [1, 2, 3], rtol=1e-3)
    expected = sum(
        (place + 1) * tempered(each.fit(X, y).decision_function(X))
        for place, (_, each) in enumerate(MEMBERS)
    )
    correlation = spearmanr(model.decision_function(X)[0], expected[0]).statistic
    assert correlation > 0.9999


def drawn_at_the_top(n_rows, seed=0):
    """Return rows of which half have the best item of "a", half one of the better 30 of "b"."""
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n_rows, N_FEATURES)).astype(np.float32)
    of_a, of_b = (model._score_rows(X) for _, model in MEMBERS[:2])
    better = np.argsort(-of_b, axis=1)[np.arange(n_rows), rng.randint(30, size=n_rows)]
    items = np.where(rng.uniform(size=n_rows) < 0.5, of_a.argmax(axis=1), better)
    return X, sp.csr_array(np.eye(N_ITEMS, dtype=np.float32)[items])


def test_a_member_is_followed_alone_if_the_sum_ranks_worse():
    """The member "b" makes the choices more likely, and spoils the first ranks of "a"."""
    X, y = drawn_at_the_top(600)
    new = drawn_at_the_top(300, seed=1)
    likely = stack(MEMBERS[:2], regularization=1.0).fit(X, y)
    assert likely.weights_[0, 1] > 0.3
    alone = stack(MEMBERS[:2], n_buckets=2).fit(X, y)
    assert_array_equal(alone.weights_[:, 1], 0)
    assert alone.regularization_ == np.inf
    assert ndcg(alone, *new)[0] > ndcg(likely, *new)[0] + 0.05


def drawn_by_popularity(n_rows, n_popular, seed=0):
    """Return rows of which half have the best item of "a", half one of the popular items."""
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n_rows, N_FEATURES)).astype(np.float32)
    best = MEMBERS[0][1]._score_rows(X).argmax(axis=1)
    items = np.where(rng.uniform(size=n_rows) < 0.5, best, rng.randint(n_popular, size=n_rows))
    return X, sp.csr_array(np.eye(N_ITEMS, dtype=np.float32)[items])


def test_popularity_counts_only_if_it_ranks_better():
    """Many popular items make the choices more likely, and spoil the first ranks of "a"."""
    X, y = drawn_by_popularity(400, n_popular=30)
    new = drawn_by_popularity(300, n_popular=30, seed=1)
    likely = stack(MEMBERS[:1], regularization=1.0).fit(X, y)
    chosen = stack(MEMBERS[:1], n_buckets=2).fit(X, y)
    assert likely.popularity_weights_[0] > 0.5
    assert_array_equal(chosen.popularity_weights_, 0)
    assert ndcg(chosen, *new)[0] > ndcg(likely, *new)[0] + 0.05
    few_popular = stack(MEMBERS[:1]).fit(*drawn_by_popularity(400, n_popular=2))
    assert few_popular.popularity_weights_[0] > 0.5


class Popular(SupervisedRecommender):
    def _fit(self, X, y):
        pass

    def _score_rows(self, X):
        return np.tile(self.popularity_, (X.shape[0], 1))


def test_members_that_are_popularity_count_only_if_they_rank_better():
    copies = [(f"popularity {copy}", Popular()) for copy in range(3)]
    X, y = drawn_by_popularity(400, n_popular=30)
    model = stack([*MEMBERS[:1], *copies]).fit(X, y)
    assert_array_equal(model.weights_[0, 1:], 0)
    assert_allclose(model.weights_[0, 0], stack(MEMBERS[:1]).fit(X, y).weights_[0, 0], rtol=0.05)
    assert (stack(copies).fit(X, y).weights_ > 0).all()
    few_popular = stack([*MEMBERS[:1], *copies]).fit(*drawn_by_popularity(400, n_popular=2))
    assert (few_popular.weights_ > 0.1).all()


def test_a_prior_asks_for_members_that_are_popularity():
    X, y = drawn_by_popularity(400, n_popular=4)
    members = [MEMBERS[0], ("popularity", Popular())]
    assert stack(members).fit(X, y).weights_[0, 1] == 0
    assert stack(members, prior=[1, 1]).fit(X, y).weights_[0, 1] > 1


def test_links_are_as_strong_to_new_rows_as_to_training_rows():
    """What rows have themselves is what members of few training rows know best."""

    def rows(seed):
        order = np.random.RandomState(seed).uniform(size=(60, 300)).argsort(axis=1)
        return sp.csr_array((order < 6).astype(np.float32))

    model = stack([("links", ItemKNNRecommender())], regularization=np.inf).fit(rows(0))

    def strongest(X):
        links = model.member_scores(X)["links"]
        links[X.nonzero()] = 0
        return links.max(axis=1).mean()

    assert_allclose(strongest(rows(0)), strongest(rows(1)), rtol=0.1)


def test_copies_of_a_member_share_its_weight():
    X, y = drawn(12, [1.0, 1.0, 0.0])
    copies = [MEMBERS[0], ("a again", Known(1)), ("and again", Known(1)), *MEMBERS[1:]]
    once, thrice = stack().fit(X, y), stack(copies).fit(X, y)
    assert_array_equal(once.prior_weights_, 1)
    assert_allclose(thrice.prior_weights_, [1 / 3, 1 / 3, 1 / 3, 1, 1])
    new, _ = drawn(5, [1.0, 1.0, 0.0], seed=1)
    assert_allclose(thrice.weights_[0, :3].sum(), once.weights_[0, 0], rtol=0.2)
    correlation = spearmanr(*(each.decision_function(new).ravel() for each in (once, thrice)))
    assert correlation.statistic > 0.98


def test_few_rows_do_not_choose_how_to_learn():
    few = stack(MEMBERS[:2]).fit(*drawn_at_the_top(29))
    assert (few.weights_ > 0).all()
    assert_array_equal(few.popularity_weights_, 0)


def test_infinite_regularization_keeps_the_weights_of_a_fitted_stack():
    X, y = drawn(400, [2.0, 1.0, 0.0])
    learned = stack().fit(X, y)
    frozen = [(name, FrozenEstimator(each)) for name, each in learned.named_estimators_.items()]
    again = stack(frozen, prior=FrozenEstimator(learned), regularization=np.inf).fit(X, y)
    assert_array_equal(again.weights_, learned.weights_)
    assert_allclose(again.decision_function(X), learned.decision_function(X), rtol=1e-6)


class Memorising(SupervisedRecommender):
    """Finds what it has learned in rows it has learned from, and guesses for others."""

    def _fit(self, X, y):
        self._answers = {row.tobytes(): answer for row, answer in zip(X, y.toarray(), strict=True)}

    def _score_rows(self, X):
        guesses = np.random.RandomState(0).normal(size=(len(X), self.n_items_))
        return [self._answers.get(*pair) for pair in zip(map(bytes, X), guesses, strict=True)]


def test_members_that_know_the_rows_do_not_judge_the_weights():
    X, y = drawn(400, [2.0, 0, 0])
    members = [MEMBERS[0], ("learner", Memorising())]
    learned = stack(members).fit(X, y)
    knowing = [(name, FrozenEstimator(each.fit(X, y))) for name, each in members]
    judged, taken = (
        stack(knowing, prior=FrozenEstimator(learned), regularization=number).fit(X, y)
        for number in (1e9, np.inf)
    )
    assert_array_equal(judged.prior_weights_, 1)
    assert_array_equal(taken.weights_, learned.weights_)
    assert taken.regularization_ == np.inf
    X_new, y_new = drawn(300, [2.0, 0, 0], seed=1)
    assert ndcg(taken, X_new, y_new)[0] > 1.2 * ndcg(judged, X_new, y_new)[0]


def test_infinite_regularization_leaves_a_final_estimator_nothing():
    with pytest.raises(ValueError, match="final_estimator=LogisticRegression"):
        stack(final_estimator=LogisticRegression(), regularization=np.inf).fit(*drawn(9, [1, 0, 0]))


def test_without_anything_held_out_the_prior_decides():
    X = np.eye(6)
    members = [("ease", EASERecommender(1.0)), ("knn", ItemKNNRecommender())]
    model = stack(members, prior={"ease": 2.0, "knn": 1.0}).fit(X)
    assert_allclose(model.weights_, [[2, 1]], rtol=1e-5)


def test_prior_of_another_stack():
    source = stack().fit(*drawn(1000, [2.0, 1.0, 0.0]))
    few = drawn(3, [2.0, 1.0, 0.0], seed=2)
    model = stack(prior=FrozenEstimator(source)).fit(*few)
    shares = model.weights_[0] / model.weights_[0].sum()
    assert_allclose(shares, source.weights_[0] / source.weights_[0].sum(), atol=0.12)
    new = stack([*MEMBERS[:1], ("new", Known(9))], prior=FrozenEstimator(source)).fit(*few)
    assert new.weights_[0, 0] > new.weights_[0, 1]
    assert clone(model).fit(*few).weights_[0, 0] == model.weights_[0, 0]


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        ([1, 2], "for each of the 3"),
        ([1, 2, -1], "0 or more"),
        (["x", 2, 1], "0 or more"),
        ({"a": 0.0}, "one above 0"),
        ({"z": 1.0}, "prior names \\['z'\\]"),
        (StackingRecommender(MEMBERS), "FrozenEstimator"),
        (FrozenEstimator(EASERecommender()), "FrozenEstimator"),
    ],
)
def test_bad_priors(prior, message):
    with pytest.raises(ValueError, match=message):
        stack(prior=prior).fit(*drawn(10, [1, 1, 1]))


def test_prior_with_other_names():
    X, y = drawn(30, [1, 1, 1])
    source = FrozenEstimator(stack([("other", Known(1))]).fit(X, y))
    with pytest.raises(ValueError, match="same name"):
        stack(prior=source).fit(X, y)


def test_dropped_members_have_no_weight():
    model = stack(prior=[1, 2, 3], regularization=1e9).set_params(b="drop")
    model.fit(*drawn(40, [1, 1, 1]))
    assert_allclose(model.weights_[0, 1] / model.weights_[0, 0], 3, rtol=1e-3)
    assert list(model.named_estimators_) == ["a", "c"]


def test_buckets_of_rows_have_their_own_weights():
    """Rows with one item know nothing of their taste, so popularity is all there is."""
    X = make_cross_domain(300, 40, 30, random_state=0).X_source
    members = [("ease", EASERecommender()), ("popularity", PopularityRecommender())]
    model = stack(members, n_buckets=2).fit(X)
    assert model.weights_.shape == (2, 2)
    assert model.bucket_edges_.shape == model.popularity_weights_[1:].shape == (1,)
    n_items = np.diff(X.indptr)
    few = np.flatnonzero(n_items < model.bucket_edges_[0])[:1]
    evidence = [tempered(each.decision_function(X[few]), X[few]) for each in model.estimators_]
    counts = np.log1p(model.popularity_ * X.shape[0])[None]
    evidence.append(tempered(counts))
    weights = [*model.weights_[0], model.popularity_weights_[0]]
    expected = sum(weight * kind for weight, kind in zip(weights, evidence, strict=True))
    assert_allclose(model.decision_function(X[few]), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("final", [LogisticRegression(), LinearSVC(), LinearRegression()])
def test_final_estimator_orders_the_candidates(final):
    X, y = drawn(300, [3.0, 0, 0])
    model = stack(final_estimator=final, n_candidates=10).fit(X, y)
    linear = stack(n_candidates=10).fit(X, y)
    X_new, y_new = drawn(300, [3.0, 0, 0], seed=1)
    (own, error), (of_linear, _) = ndcg(model, X_new, y_new), ndcg(linear, X_new, y_new)
    assert own > of_linear - 2 * error
    scores = model.decision_function(X_new)
    best = np.argsort(-MEMBERS[0][1].fit(X, y).decision_function(X_new), axis=1)
    worst_candidate = np.take_along_axis(scores, best[:, :10], axis=1).min(axis=1)
    n_above = (scores >= worst_candidate[:, None]).sum(axis=1)
    assert (n_above <= 4 * 10).all()


def test_final_estimator_without_examples():
    model = stack([("ease", EASERecommender(1.0))], final_estimator=LinearRegression())
    with pytest.raises(ValueError, match="n_candidates=3"):
        model.set_params(n_candidates=3).fit(np.eye(6))


@pytest.mark.parametrize("wrapped", [FrozenEstimator, make_pipeline])
def test_histories(wrapped):
    """The item with the largest id is the last of its only history, and so it is held out."""
    X = 1 + np.random.default_rng(0).integers(9, size=(30, 5))
    X[::2, 3:] = 0
    X[1, 4] = 10
    of_matrix = HistoryRecommender(EASERecommender(1.0), decay=0.5).fit(X)
    members = [("order", TransitionRecommender()), ("ease", wrapped(of_matrix))]
    model = stack(members).fit(X)
    assert model.n_items_ == 10
    assert of_matrix.n_items is None
    items, _ = model.recommend(X, n_recommendations=5)
    assert not (items[:, :, None] == X[:, None, :] - 1).any()


def test_two_domains():
    """Members of the target and of all columns have their say on the target's items."""
    domains = make_cross_domain(120, 20, 15, target_density=0.2, random_state=0)
    X = sp.csr_array(sp.hstack([domains.X_source, domains.Y_target]))
    target = np.arange(20, 35)
    members = [("both", ALSRecommender(3, max_iter=3)), ("ease", EASERecommender())]
    model = stack(members, target_columns=target).fit(X)
    assert model.n_items_ == 15
    assert_array_equal(model.item_columns_, target)
    items, _ = model.recommend(X, n_recommendations=3)
    assert not np.take_along_axis(domains.Y_target.toarray(), items, axis=1)[items >= 0].any()


TASTE = np.random.RandomState(0).normal(size=(20, 20)).astype(np.float32)


def scores_of_shop(finds, X):
    """Return scores of 20 products that the source sells too, and of 20 others."""
    nothing = np.zeros((X.shape[0], 20), dtype=np.float32)
    twins = X[:, :20].toarray()
    return np.hstack([twins, nothing] if finds == "twins" else [nothing, twins @ TASTE])


class OfSource(SupervisedRecommender):
    def __init__(self, finds="twins"):
        self.finds = finds

    def _fit(self, X, y):
        pass

    def _score_rows(self, X):
        return scores_of_shop(self.finds, X)


class OfBoth(InDomainRecommender):
    def __init__(self, finds="twins"):
        self.finds = finds

    def _fit(self, X):
        pass

    def _score_rows(self, X):
        return np.hstack([np.zeros((X.shape[0], 20)), scores_of_shop(self.finds, X)])


@pytest.mark.parametrize("learn_cross_listed", [False, True])
@pytest.mark.parametrize("member", [OfSource, OfBoth])
def test_finding_cross_listed_products_is_worth_nothing(member, learn_cross_listed):
    rng = np.random.RandomState(0)
    X = (rng.uniform(size=(300, 20)) < 0.3).astype(np.float32)
    others = (tempered(X @ TASTE) + 0.3 * rng.gumbel(size=(300, 20))).argsort(axis=1) >= 17
    y = np.hstack([X * (rng.uniform(size=X.shape) < 0.95), others]).astype(np.float32)
    members = [(finds, member(finds)) for finds in ("twins", "others")]
    model = stack(members, learn_cross_listed=learn_cross_listed)
    if member is OfSource:
        model.fit(sp.csr_array(X), sp.csr_array(y))
    else:
        model.set_params(target_columns=slice(20, None)).fit(sp.csr_array(np.hstack([X, y])))
    of_twins, of_others = model.weights_[0]
    assert of_others > 0.2
    assert (of_twins > of_others) if learn_cross_listed else (of_twins < 0.01)


@pytest.mark.parametrize("n_rows", [10, 400])
def test_weights_of_an_unlike_source_are_not_trusted(n_rows):
    source = FrozenEstimator(stack(MEMBERS).fit(*drawn(400, (3, 0, 0))))
    near = stack(MEMBERS, prior=source, regularization=200.0)
    like = clone(near).fit(*drawn(n_rows, (3, 0, 0), seed=1))
    unlike = clone(near).fit(*drawn(200, (0, 0.6, 0.6), seed=1))
    assert_allclose(like.prior_weights_, source.estimator.weights_[0])
    assert_array_equal(unlike.prior_weights_, 1)


def test_later_items():
    X = make_cross_domain(60, 20, 15, target_density=0.2, random_state=0).X_source
    content = ItemFeatures(np.random.RandomState(0).uniform(size=(23, 4)))
    members = [("content", ContentKNNRecommender(content.of(range(20))))]
    model = stack(members).fit(X)
    extended = model.with_items(content.of(range(20, 23)))
    assert extended.decision_function(X).shape == (60, 23)
    assert model.n_items_ == 20
    assert (extended.recommend(X, n_recommendations=23)[0] >= 20).any()


def test_search_over_the_regularization():
    X = make_cross_domain(60, 20, 15, target_density=0.2, random_state=0).X_source
    members = [("ease", EASERecommender()), ("popularity", PopularityRecommender())]
    grid = {"regularization": ["auto", 10.0], "ease__regularization": [10.0]}
    search = GridSearchCV(stack(members), grid, cv=2, error_score="raise").fit(X)
    assert 0 < search.best_score_ <= 1


def test_a_member_cannot_have_the_name_of_the_popularity():
    with pytest.raises(ValueError, match="holds the name 'log popularity', which Stack"):
        StackingRecommender([("log popularity", EASERecommender())]).fit(np.eye(6))
