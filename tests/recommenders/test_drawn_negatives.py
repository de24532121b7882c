# SPDX-License-Identifier: BSD-3-Clause
"""What the negatives in proportion to popularity take from the scores, and get back."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from sktransrec import (
    BPRRecommender,
    InteractionEncoder,
    LogisticMFRecommender,
    PopularityRecommender,
)
from sktransrec.datasets import load_movielens
from sktransrec.interactions import holdout_random
from sktransrec.recommenders._drawn_negatives import popular_items_sample

MODELS = [BPRRecommender(4, max_iter=50), LogisticMFRecommender(4, max_iter=10)]
both_models = pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)


@pytest.fixture(scope="module")
def known_preferences():
    """Return rows of two groups, the group of each, and how likely its rows have each item."""
    rng = np.random.default_rng(0)
    popularity = np.exp(rng.uniform(np.log(0.01), np.log(0.3), size=60))
    lift = np.exp(np.where(np.arange(60) % 2, 1, -1))
    probabilities = np.stack([popularity * lift, popularity / lift]).clip(0, 0.9)
    group = np.arange(1000) % 2
    X = rng.uniform(size=(1000, 60)) < probabilities[group]
    return sp.csr_array(X.astype(np.float32)), group, probabilities


def _slope(x, y):
    return np.polyfit(x, y, 1)[0]


def test_scores_of_bpr_estimate_the_log_odds(known_preferences):
    """And without the popularity, by how much a row is more likely to have an item than others."""
    X, group, probabilities = known_preferences
    log_odds = np.log(probabilities / (1 - probabilities))
    lift = log_odds - np.log(probabilities.mean(axis=0))
    for exponent, estimated, other in ((1, log_odds, lift), (0, lift, log_odds)):
        model = BPRRecommender(4, max_iter=30, popularity_exponent=exponent, random_state=0)
        scores = model.fit(X).decision_function(X)
        for of_group in (0, 1):
            mean_scores = scores[group == of_group].mean(axis=0)
            assert_allclose(_slope(estimated[of_group], mean_scores), 1, atol=0.15)
            assert np.corrcoef(estimated[of_group], mean_scores)[0, 1] > 0.93
            assert np.corrcoef(other[of_group], mean_scores)[0, 1] < 0.9


@both_models
def test_each_part_of_the_exponent_is_one_of_the_log_popularity(model, known_preferences):
    X, _, _ = known_preferences
    models = [
        type(model)(4, max_iter=3, popularity_exponent=exponent, random_state=0).fit(X)
        for exponent in (0, 0.5, 2)
    ]
    log_popularity = np.log(X.sum(axis=0))
    log_popularity -= log_popularity.mean()
    for other, exponent in zip(models[1:], (0.5, 2), strict=True):
        change = other.item_bias_ - models[0].item_bias_
        assert_allclose(change, exponent * log_popularity, atol=1e-4)
        assert_array_equal(other.item_factors_, models[0].item_factors_)
        assert_array_equal(other.transform(X[:20]), models[0].transform(X[:20]))


@both_models
@pytest.mark.parametrize("exponent", [0.0, 1.0])
def test_items_that_nobody_has_get_no_factors_and_the_least_bias(exponent, model):
    X = np.random.default_rng(0).uniform(size=(50, 12)) < 0.4
    X[:, [2, 5]] = False
    model = clone(model).set_params(popularity_exponent=exponent, random_state=0).fit(X)
    assert_array_equal(model.item_factors_[[2, 5]], 0)
    bias = model.item_bias_
    assert np.isfinite(bias).all()
    assert_array_equal(bias[[2, 5]], np.delete(bias, [2, 5]).min())


@both_models
def test_row_factors_do_not_depend_on_the_rows_beside(model, counts):
    model = clone(model).set_params(random_state=0).fit(counts)
    alone = np.concatenate([model.transform(counts[[row]]) for row in range(counts.shape[0])])
    assert_array_equal(model.transform(counts), alone)


@pytest.mark.parametrize(
    "model",
    [BPRRecommender(4, learning_rate=1e30), LogisticMFRecommender(4, learning_rate=1e38)],
)
def test_divergence_is_an_error(model, counts):
    with pytest.raises(ValueError, match=rf"{type(model).__name__} has diverged.*learning_rate"):
        model.fit(counts)


@both_models
def test_a_negative_exponent_is_an_error(model):
    with pytest.raises(ValueError, match="'popularity_exponent' parameter"):
        type(model)(popularity_exponent=-0.5).fit(np.eye(3))


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(
    "model",
    [BPRRecommender(), LogisticMFRecommender(popularity_exponent=1)],
    ids=lambda model: type(model).__name__,
)
def test_far_better_than_popularity_on_films(model, data_home):
    ratings = load_movielens(data_home=data_home).ratings
    encoder = InteractionEncoder(user="user_id", item="movie_id")
    X, held_out = holdout_random(encoder.fit_transform(dict(ratings)), random_state=0)
    by_popularity = PopularityRecommender().fit(X).score(X, held_out)
    model.set_params(random_state=0).fit(X)
    assert model.score(X, held_out) > 1.3 * by_popularity


def test_popular_items_sample_has_the_shares_of_the_interactions():
    rng = np.random.RandomState(0)
    X = sp.csr_array((rng.uniform(size=(200, 10)) < np.linspace(0, 0.9, 10)).astype(np.float32))
    sample = popular_items_sample(X, 512, np.random.RandomState(0))
    shares = np.bincount(sample, minlength=10) / 512
    assert_allclose(shares, np.bincount(X.indices, minlength=10) / X.nnz, atol=2 / 512)
