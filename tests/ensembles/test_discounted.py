# SPDX-License-Identifier: BSD-3-Clause
"""Popular items lose what the formula says, whatever the recommender, and nothing else changes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import TruncatedSVD
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags

from sktransrec import (
    ALSRecommender,
    DiscountedRecommender,
    EASERecommender,
    NextItemRecommender,
    PopularityRecommender,
    PopularityScaler,
    RidgeRecommender,
    recommend,
)


def _z(values):
    values = np.asarray(values, dtype=np.float64)
    deviations = values.std(axis=-1, keepdims=True)
    return (values - values.mean(axis=-1, keepdims=True)) / deviations


def test_scores_are_those_of_the_formula(X):
    scores = EASERecommender().fit(X).decision_function(X)
    log_popularity = np.log(np.maximum(1, (X > 0).sum(axis=0)))
    model = DiscountedRecommender(EASERecommender(), discount=0.4).fit(X)
    assert_allclose(
        model.decision_function(X), _z(scores) - 0.4 * _z(log_popularity), rtol=1e-4, atol=1e-5
    )
    assert_allclose(model.discounts_.mean(), 0, atol=1e-6)


@pytest.mark.parametrize(
    "recommender",
    [EASERecommender(), make_pipeline(PopularityScaler(), ALSRecommender(4, random_state=0))],
)
def test_no_discount_ranks_as_the_recommender(X, recommender):
    items, _ = DiscountedRecommender(recommender, discount=0).fit(X).recommend(X)
    assert_array_equal(items, recommend(recommender.fit(X), X)[0])


def test_rare_items_rise_with_the_discount(X):
    popularity = (X > 0).sum(axis=0)
    means = [
        popularity[
            DiscountedRecommender(EASERecommender(), discount=discount).fit(X).recommend(X)[0]
        ].mean()
        for discount in (0, 0.3, 0.6, 1)
    ]
    assert (np.diff(means) < -3).all()


def test_all_that_popularity_says_can_be_taken_back(X):
    """What is left of log-popularity is nothing: all items score alike, to rounding."""
    model = DiscountedRecommender(_LogPopularity(), discount=1).fit(X)
    assert_allclose(model.decision_function(X), 0, atol=1e-5)


class _LogPopularity(PopularityRecommender):
    def _score_rows(self, X):
        return np.log(super()._score_rows(X))


def test_items_without_interactions_count_as_rare(X):
    empty = X.toarray()
    empty[:, 3] = 0
    model = DiscountedRecommender(EASERecommender()).fit(empty)
    assert model.discounts_[3] == model.discounts_.min()
    assert np.isfinite(model.decision_function(empty)).all()


def test_items_of_equal_popularity_have_no_discount():
    X = np.eye(6) + np.roll(np.eye(6), 1, axis=0)
    assert_array_equal(DiscountedRecommender(EASERecommender()).fit(X).discounts_, 0)


def test_cross_domain(domains):
    ridge = make_pipeline(TruncatedSVD(5, random_state=0), RidgeRecommender())
    model = DiscountedRecommender(ridge, discount=0.5).fit(domains.X_source, domains.Y_target)
    assert get_tags(model).target_tags.required
    plain = ridge.fit(domains.X_source, domains.Y_target)
    scores = plain.decision_function(domains.X_cold)
    log_popularity = np.log(np.maximum(1, (domains.Y_target > 0).sum(axis=0)))
    assert_allclose(
        model.decision_function(domains.X_cold),
        _z(scores) - 0.5 * _z(log_popularity),
        rtol=1e-3,
        atol=1e-4,
    )
    with pytest.raises(ValueError, match="the target y is None"):
        model.fit(domains.X_source, None)


def test_histories():
    rng = np.random.default_rng(0)
    X = 1 + rng.integers(9, size=(40, 5)) * (np.arange(5) < rng.integers(2, 6, size=(40, 1)))
    network = NextItemRecommender(
        n_components=4, n_layers=1, epochs=2, n_items=10, run_eagerly=True, random_state=0
    )
    model = DiscountedRecommender(network, discount=0.5).fit(X)
    assert model.n_items_ == 10
    plain = network.fit(X)
    assert_array_equal(model.popularity_, plain.popularity_)
    log_popularity = np.log(np.maximum(1, plain.popularity_ * 40))
    assert_allclose(
        model.decision_function(X),
        _z(plain.decision_function(X)) - 0.5 * _z(log_popularity),
        rtol=1e-3,
        atol=1e-4,
    )
    items, _ = model.recommend(X, n_recommendations=5)
    assert not (items[:, :, None] == X[:, None, :] - 1).any()


def test_fitted_models_are_taken_as_they_are(X):
    ease = EASERecommender().fit(X)
    model = DiscountedRecommender(FrozenEstimator(ease)).fit(X[:50])
    assert model.recommender_.estimator is ease


def test_a_failed_fit_leaves_the_model(X):
    model = DiscountedRecommender(EASERecommender()).fit(X)
    before = model.decision_function(X)
    with pytest.raises(ValueError, match="'recommender' recommends 40 items where there are 39"):
        model.set_params(recommender=FrozenEstimator(EASERecommender().fit(X))).fit(X[:, :-1])
    with pytest.raises(ValueError, match="discount"):
        model.set_params(discount=-1).fit(X)
    assert_array_equal(model.decision_function(X), before)
