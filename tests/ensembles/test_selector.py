# SPDX-License-Identifier: BSD-3-Clause
"""The selector picks the sources that help, weighs them, and picks none where none does."""

import numpy as np
import pytest
import scipy.sparse as sp
from _domains import N_SOURCE, N_TARGET, several_sources
from joblib import dump, load
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sktransrec import (
    ALSRecommender,
    EASERecommender,
    ItemKNNRecommender,
    NextItemRecommender,
    PopularityRecommender,
    RidgeRecommender,
    SourceSelectorRecommender,
    VotingRecommender,
    holdout_random,
    ranking_scorer,
)
from sktransrec.datasets import load_amazon_pair
from sktransrec.ensembles import _selector
from sktransrec.metrics import ndcg_at_k

pytestmark = pytest.mark.usefixtures("few_draws")


def selector(sources, cv=3, **parameters):
    """Return a selector that judges by few folds."""
    return SourceSelectorRecommender(
        RidgeRecommender(), sources, cv=cv, random_state=0, **parameters
    )


@pytest.fixture(scope="module")
def fitted():
    X, y, sources = several_sources([0.0, 0.8, 0.7])
    return selector(sources).fit(X, y), X, y, sources


def test_all_measurements_share_the_fits_of_the_fallback():
    fits = []

    class Counted(RidgeRecommender):
        def fit(self, X, y):
            fits.append(X.shape)
            return super().fit(X, y)

    X, y, sources = several_sources([0.8, 0.7])
    model = selector(sources, fallback=Counted(1e6)).fit(X, y)
    assert len(fits) == 3
    expected = selector(sources, fallback=RidgeRecommender(1e6)).fit(X, y)
    assert_array_equal(model.weights_, expected.weights_)
    assert model.gain_.clean == expected.gain_.clean


def test_the_related_source_is_weighed_most_and_the_unrelated_one_left_out(fitted):
    model, _, _, sources = fitted
    assert model.weights_[0] == 0
    assert model.weights_[1] > model.weights_[2] > 0
    assert model.weights_.sum() == pytest.approx(1)
    assert model.gain_.clean.verdict == "helps"
    assert [score.name for score in model.source_scores_] == [name for name, _ in sources]
    probes = [score.probe for score in model.source_scores_]
    assert probes[1] > probes[2] > probes[0]
    assert model.decision_.count("\n") == 6
    assert "Used: related 0.8, 1, related 0.7, 2" in model.decision_
    assert model.gain_.clean.gain > max(score.gain.gain for score in model.source_scores_)


def test_sources_vote_by_their_gains(fitted):
    model, X, y, sources = fitted
    used = [i for i in range(3) if model.weights_[i]]
    gains = np.array([model.source_scores_[i].gain.gain for i in used])
    assert_allclose(model.weights_[used], gains / gains.sum())
    total = 0
    for i in used:
        rows = X[:, sources[i][1]]
        scores = RidgeRecommender().fit(rows, y).decision_function(rows)
        centred = scores - scores.mean(axis=1, keepdims=True)
        total = total + model.weights_[i] * centred / scores.std(axis=1, keepdims=True)
    assert_allclose(model.decision_function(X), total, atol=1e-4)


def test_intervals_hold_for_all_sources_at_once(fitted):
    """Those that the probe left out included, as it has seen the same rows."""
    model, X, y, _ = fitted
    assert {score.gain.confidence_level for score in model.source_scores_} == {1 - 0.05 / 3}
    model = clone(model).set_params(max_sources=1, cv=2).fit(X, y)
    assert model.gain_.clean.confidence_level == 1 - 0.05 / 3
    assert model.gain_.buckets[0].confidence_level == 1 - 0.05 / 3


def test_one_source_alone_ranks_as_its_recommender():
    X, y, sources = several_sources([0.0, 1.0])
    model = selector(sources, max_sources=1)
    items, _ = model.fit(X, y).recommend(X)
    assert_array_equal(model.weights_, [0, 1])
    assert model.source_scores_[0].gain is None
    assert "not shortlisted" in model.decision_
    ridge = RidgeRecommender().fit(X[:, N_SOURCE:], y)
    assert_array_equal(items, ridge.recommend(X[:, N_SOURCE:])[0])


def test_a_source_that_adds_nothing_is_left_out(monkeypatch):
    X, y, sources = several_sources([1.0, 0.7])
    model = selector(sources)
    vote = model._vote
    monkeypatch.setattr(
        model,
        "_vote",
        lambda weights, columns: (
            VotingRecommender([("x", PopularityRecommenderOfY())])
            if len(weights) > 1
            else vote(weights, columns)
        ),
    )
    model.fit(X, y)
    assert_array_equal(model.weights_, [1, 0])
    assert model.source_scores_[1].gain.verdict == "helps"
    assert "adds nothing" in model.decision_
    assert model.gain_.clean.gain == model.source_scores_[0].gain.gain


class PopularityRecommenderOfY(RidgeRecommender):
    """Ridge regression so heavy that nothing but the mean of y is left."""

    def __init__(self):
        super().__init__(1e9)


def test_no_source_is_chosen_where_none_is_related():
    X, y, sources = several_sources([0.0, 0.0])
    model = selector(sources).fit(X, y)
    assert_array_equal(model.weights_, [0, 0])
    assert model.gain_ is None
    assert "Used: no source" in model.decision_
    popular, _ = PopularityRecommender().fit(y).recommend(y * 0)
    assert_array_equal(model.recommend(X)[0], popular)


@pytest.mark.slow
def test_unrelated_sources_are_refused_over_seeds():
    n_used = 0
    for seed in range(100):
        X, y, sources = several_sources([0.0, 0.0, 0.0], seed=seed)
        model = SourceSelectorRecommender(RidgeRecommender(), sources, random_state=seed)
        n_used += model.fit(X, y).weights_.any()
    print(f"no source is chosen in {100 - n_used} of 100 seeds")
    assert n_used <= 5


@pytest.mark.slow
def test_related_sources_are_found_over_seeds():
    right = []
    for seed in range(20):
        X, y, sources = several_sources([0.5, 0.0, 1.0, 0.0], seed=seed)
        model = SourceSelectorRecommender(RidgeRecommender(), sources, random_state=seed)
        weights = model.fit(X, y).weights_
        right.append((np.argmax(weights) == 2, weights[0] > 0, not weights[[1, 3]].any()))
    print("the related one most, the half related one at all, no other:", np.sum(right, axis=0))
    assert np.sum(right, axis=0)[0] >= 19
    assert np.sum(right, axis=0)[2] >= 19


def test_fallback_serves_what_is_known_of_the_target():
    X_unrelated, y, sources = several_sources([0.0])
    rng = np.random.default_rng(0)
    kept = y.multiply(rng.uniform(size=y.shape) < 0.5)
    wanted = sp.csr_array(y - kept)
    X = sp.hstack([X_unrelated, kept], format="csr")
    target = np.arange(N_SOURCE, N_SOURCE + N_TARGET)
    model = SourceSelectorRecommender(
        RidgeRecommender(1000),
        sources,
        RidgeRecommender(),
        target_columns=target,
        cv=3,
        random_state=0,
    ).fit(X, wanted)
    assert not model.weights_.any()
    alone = RidgeRecommender().fit(kept, wanted)
    assert_allclose(model.decision_function(X), alone.decision_function(kept), atol=1e-5)
    items, _ = model.recommend(X)
    assert not np.take_along_axis(kept.toarray(), items, axis=1).any()


def test_source_and_known_target_are_read_together():
    X_source, y, _ = several_sources([1.0])
    rng = np.random.default_rng(0)
    kept = sp.csr_array(y.multiply(rng.uniform(size=y.shape) < 0.5))
    X = sp.hstack([kept, X_source], format="csr")
    model = SourceSelectorRecommender(
        RidgeRecommender(),
        fallback=RidgeRecommender(),
        target_columns=np.arange(N_TARGET),
        cv=3,
        random_state=0,
    ).fit(X, y - kept)
    assert model.weights_[0] == 1
    both = RidgeRecommender().fit(sp.hstack([X_source, kept], format="csr"), y - kept)
    expected, _ = both.recommend(
        sp.hstack([X_source, kept], format="csr"), exclude_interactions=kept
    )
    assert (model.recommend(X)[0] == expected).mean() > 0.99


# In-domain, on sources and target side by side


def als():
    return ALSRecommender(5, regularization=0.01, random_state=0)


def side_by_side(relatedness, n_users=250, **parameters):
    """Return sources and the target beside each other, and a selector between models of these."""
    X_sources, y, sources = several_sources(relatedness, n_users)
    target = range(X_sources.shape[1], X_sources.shape[1] + N_TARGET)
    model = SourceSelectorRecommender(
        als(), sources, als(), target_columns=target, random_state=0, **{"cv": 3, **parameters}
    )
    return sp.hstack([X_sources, y], format="csr"), model, target


def test_in_domain_selector_uses_the_columns_of_the_related_source_only():
    X, model, target = side_by_side([0.0, 1.0])
    assert_array_equal(model.fit(X).weights_, [0, 1])
    alone = X.toarray()
    alone[:, :N_SOURCE] = 0
    expected = als().fit(alone).decision_function(alone)[:, target]
    assert_allclose(model.decision_function(X), expected, rtol=1e-4, atol=1e-5)
    items, _ = model.recommend(X)
    assert not np.take_along_axis(X[:, target].toarray(), items, axis=1).any()
    assert model.n_items_ == N_TARGET
    assert_allclose(model.popularity_, X[:, target].mean(axis=0), rtol=1e-6)


def test_in_domain_selector_weighs_columns_by_the_gains():
    X, model, target = side_by_side([0.8, 0.8], 500)
    weights = model.fit(X).weights_
    gains = np.array([score.gain.gain for score in model.source_scores_])
    assert_allclose(weights, gains / gains.sum())
    of_columns = np.repeat([*gains / gains.max(), 1], [N_SOURCE, N_SOURCE, N_TARGET])
    weighted = X.toarray() * np.float32(of_columns)
    expected = als().fit(weighted).decision_function(weighted)[:, target]
    assert_allclose(model.decision_function(X), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("order", [1, -1])
def test_a_column_of_two_sources_has_the_larger_weight(monkeypatch, order):
    X, model, target = side_by_side([0.8, 0.8], 100)
    weights = {"first": 0.2, "wide": 0.8}
    monkeypatch.setattr(_selector, "_chosen", lambda gains, measured: (weights, gains["wide"]))
    sources = [("first", slice(0, N_SOURCE)), ("wide", slice(N_SOURCE - 10, 2 * N_SOURCE))][::order]
    weights = {name: weights[name] for name, _ in sources}
    model.set_params(sources=sources, cv=2).fit(X)
    of_columns = np.repeat([0.25, 1], [N_SOURCE - 10, N_SOURCE + 10 + N_TARGET])
    weighted = X.toarray() * np.float32(of_columns)
    expected = als().fit(weighted).decision_function(weighted)[:, target]
    assert_allclose(model.decision_function(X), expected, rtol=1e-3, atol=1e-4)


def test_in_domain_selector_falls_back_on_the_target_alone():
    X, model, target = side_by_side([0.0, 0.0])
    assert not model.fit(X).weights_.any()
    alone = X[:, target]
    expected = als().fit(alone).decision_function(alone)
    assert_allclose(model.decision_function(X), expected, atol=1e-6)


def test_in_domain_selector_does_not_read_y():
    X, model, _ = side_by_side([0.0, 1.0], 100, cv=2, max_sources=1)
    assert not model.__sklearn_tags__().target_tags.required
    scores = [clone(model).fit(X, y).decision_function(X) for y in (None, X[:, :N_TARGET])]
    assert_array_equal(*scores)


@pytest.mark.usefixtures("workers")
def test_in_domain_selector_is_searched_and_saved_and_scores_rows_alone(tmp_path):
    X, model, target = side_by_side([0.0, 1.0], 300, cv=2, max_sources=1)
    _, held_out = holdout_random(X[:, target], 0.5, random_state=0)
    X = X - sp.hstack([sp.csr_array((X.shape[0], target.start)), held_out], format="csr")
    searches = [
        GridSearchCV(
            model,
            {"transfer__regularization": [0.01, 10.0]},
            scoring=ranking_scorer(),
            cv=2,
            n_jobs=n_jobs,
            refit=n_jobs == 2,
            error_score="raise",
        ).fit(X, held_out)
        for n_jobs in (1, 2)
    ]
    ndcg, of_processes = (search.cv_results_["mean_test_score"] for search in searches)
    assert_array_equal(ndcg, of_processes)
    assert ndcg[0] > ndcg[1] + 0.03
    best = searches[1].best_estimator_
    assert_array_equal(best.weights_, [0, 1])
    dump(best, tmp_path / "selector.joblib")
    loaded = load(tmp_path / "selector.joblib")
    scores = best.decision_function(X)
    assert_array_equal(loaded.decision_function(X), scores)
    assert_allclose(best.decision_function(X[7:9].toarray()), scores[7:9], rtol=1e-4, atol=1e-6)
    nothing_known = best.decision_function(np.zeros((1, X.shape[1])))
    assert_allclose(nothing_known[0], best.popularity_)


@pytest.mark.slow
def test_in_domain_selector_refuses_unrelated_sources_over_seeds():
    n_used = 0
    for seed in range(40):
        X_sources, y, sources = several_sources([0.0, 0.0], seed=seed)
        target = range(2 * N_SOURCE, 2 * N_SOURCE + N_TARGET)
        model = SourceSelectorRecommender(
            als(), sources, als(), target_columns=target, cv=3, random_state=seed
        )
        n_used += model.fit(sp.hstack([X_sources, y], format="csr")).weights_.any()
    print(f"no source is chosen in {40 - n_used} of 40 seeds")
    assert n_used <= 2


def test_masks_and_indices_name_the_same_columns():
    X, y, sources = several_sources([0.0, 1.0], n_users=100)
    indices = [(name, np.arange(X.shape[1])[places]) for name, places in sources]
    masks = [(name, np.isin(np.arange(X.shape[1]), places)) for name, places in indices]
    scores = [
        selector(same, cv=2, max_sources=1).fit(X, y).decision_function(X)
        for same in (sources, indices, masks)
    ]
    assert_array_equal(scores[0], scores[1])
    assert_array_equal(scores[0], scores[2])


def test_selector_is_searched_and_saved(tmp_path):
    X, y, sources = several_sources([0.0, 1.0], n_users=100)
    search = GridSearchCV(
        selector(sources, cv=2, max_sources=1),
        {"transfer__regularization": [10, 100]},
        scoring=ranking_scorer(),
        cv=2,
        error_score="raise",
    ).fit(X, y)
    model = search.best_estimator_
    dump(model, tmp_path / "selector.joblib")
    loaded = load(tmp_path / "selector.joblib")
    assert_array_equal(loaded.decision_function(X), model.decision_function(X))
    assert loaded.decision_ == model.decision_


def test_bad_arguments_are_explained():
    X, y, sources = several_sources([1.0])
    ridge = RidgeRecommender()
    for bad, message in (
        ([], "sources has the names"),
        ([*sources, *sources], "with different names"),
        ([("games", [999])], "columns of the source 'games' must lie between 0 and"),
        ([("games", slice(5, 5))], "columns of the source 'games'=.* holds none"),
    ):
        with pytest.raises(ValueError, match=message):
            SourceSelectorRecommender(ridge, bad).fit(X, y)
    overlapping = SourceSelectorRecommender(ridge, [("all", slice(None))], target_columns=slice(20))
    with pytest.raises(ValueError, match="'all' holds column 0 of X, which is one"):
        overlapping.fit(X, y[:, :20])
    with pytest.raises(ValueError, match="learns from X alone: say as target_columns"):
        SourceSelectorRecommender(EASERecommender(), sources).fit(X, y)
    with pytest.raises(ValueError, match="reads histories"):
        SourceSelectorRecommender(NextItemRecommender(), sources).fit(X, y)
    with pytest.raises(ValueError, match="y holds nothing to find"):
        SourceSelectorRecommender(ridge, sources).fit(X, y * 0)
    in_domain = SourceSelectorRecommender(EASERecommender(), sources, target_columns=[0])
    with pytest.raises(ValueError, match="The target in X holds nothing to find"):
        in_domain.fit(X.toarray() * (np.arange(X.shape[1]) > 0))
    with pytest.raises(ValueError, match="requires y to be passed"):
        SourceSelectorRecommender(ridge, sources).fit(X, None)


@pytest.mark.data
@pytest.mark.slow
def test_shuffled_copy_of_a_real_source_is_refused(data_home):
    pair = load_amazon_pair("game", "video", data_home=data_home)
    n_users, n_items = pair.X_source.shape
    decoy = pair.X_source[np.random.default_rng(0).permutation(n_users)]
    sources = [("games", slice(0, n_items)), ("decoy", slice(n_items, 2 * n_items))]
    model = SourceSelectorRecommender(RidgeRecommender(300), sources, random_state=0)
    model.fit(sp.hstack([pair.X_source, decoy], format="csr"), pair.Y_target)
    print(model.decision_)
    assert_array_equal(model.weights_, [1, 0])
    X_cold = sp.hstack([pair.X_cold, pair.X_cold], format="csr")
    popular = PopularityRecommender().fit(pair.Y_target).recommend(pair.Y_cold * 0)[0]
    gains = ndcg_at_k(pair.Y_cold, model.recommend(X_cold)[0], per_row=True) - ndcg_at_k(
        pair.Y_cold, popular, per_row=True
    )
    assert np.nanmean(gains) > 2 * np.nanstd(gains) / np.sqrt(len(gains))


@pytest.mark.data
@pytest.mark.slow
def test_in_domain_selector_refuses_a_shuffled_copy_of_a_real_source(data_home):
    pair = load_amazon_pair("cloth", "sport", data_home=data_home)
    X_source, X_target, y = pair.X_source[:4000], pair.Y_target[:4000], pair.Y_held_out[:4000]
    decoy = X_source[np.random.default_rng(0).permutation(4000)]
    n_items = X_source.shape[1]
    target = range(2 * n_items, 2 * n_items + X_target.shape[1])
    neighbors = ItemKNNRecommender(weighting="tfidf")
    model = SourceSelectorRecommender(
        neighbors,
        [("clothes", slice(0, n_items)), ("decoy", slice(n_items, 2 * n_items))],
        neighbors,
        target_columns=target,
        cv=3,
        random_state=0,
    )
    X = sp.hstack([X_source, decoy, X_target], format="csr")
    print(model.fit(X).decision_)
    assert_array_equal(model.weights_, [1, 0])
    alone, _ = clone(model.fallback).fit(X_target).recommend(X_target)
    gains = ndcg_at_k(y, model.recommend(X)[0], per_row=True) - ndcg_at_k(y, alone, per_row=True)
    assert np.nanmean(gains) > 2 * np.nanstd(gains) / np.sqrt(np.isfinite(gains).sum())


def test_sources_without_a_name_are_refused():
    with pytest.raises(ValueError, match=r"sources holds 'films': pass \(name, columns\) tuples"):
        SourceSelectorRecommender(RidgeRecommender(), ["films"]).fit(np.eye(4), np.eye(4))
