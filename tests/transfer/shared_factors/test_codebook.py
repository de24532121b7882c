# SPDX-License-Identifier: BSD-3-Clause
"""CodebookRecommender: known clusters and codebooks, its objective, and what is transferred."""

import functools

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax, xlogy
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sktransrec import (
    ALSRecommender,
    CodebookRecommender,
    PopularityRecommender,
    TransferGate,
    holdout_random,
    ranking_scorer,
    recommend,
)
from sktransrec.datasets import make_cluster_domains
from sktransrec.metrics import ndcg_at_k

# Which of three clusters of rows has how much of each of four clusters of items.
PATTERN = np.array([[4, 1, 0, 1], [0, 3, 2, 1], [1, 0, 5, 2]])


def blocks(n_rows, n_items, seed, pattern=PATTERN):
    """Return counts that are the same for all of a block, and the clusters, in random order."""
    rng = np.random.RandomState(seed)
    row_clusters = rng.permutation(np.arange(n_rows) % len(pattern))
    item_clusters = rng.permutation(np.arange(n_items) % pattern.shape[1])
    X = pattern[row_clusters][:, item_clusters].astype(np.float32)
    return sp.csr_array(X), row_clusters, item_clusters


def lifts(X, row_clusters, item_clusters):
    """Return the interactions of each pair of clusters over those that their totals make expect."""
    rows, items = (np.eye(c.max() + 1)[c] for c in (row_clusters, item_clusters))
    observed = rows.T @ X @ items
    return observed / np.outer(observed.sum(axis=1), observed.sum(axis=0)) * observed.sum()


def codebook(n_row_clusters=3, n_item_clusters=4, **parameters):
    parameters = {"n_init": 4, "max_iter": 30, "random_state": 0, **parameters}
    return CodebookRecommender(n_row_clusters, n_item_clusters, **parameters)


@functools.cache
def source_codebook(**parameters):
    """Return a codebook of the blocks of a source, which no test changes."""
    return codebook(**parameters).fit(blocks(60, 48, seed=0)[0])


def row_memberships(model, X):
    """Return those of the best clustering."""
    return model.transform(X)[:, : len(model.codebook_)]


def found_clusters(model, X):
    return row_memberships(model, X).argmax(axis=1), model.item_memberships_.argmax(axis=1)


def test_noise_free_blocks_are_recovered():
    X, row_clusters, item_clusters = blocks(60, 48, seed=0)
    model = source_codebook(regularization=1e-3)
    rows, items = found_clusters(model, X)
    assert adjusted_rand_score(rows, row_clusters) == 1
    assert adjusted_rand_score(items, item_clusters) == 1
    assert_allclose(model.codebook_, lifts(X, rows, items), atol=5e-3)
    assert_allclose(
        np.sort(model.codebook_.ravel()),
        np.sort(lifts(X, row_clusters, item_clusters).ravel()),
        atol=5e-3,
    )
    assert model.transform(X).max(axis=1).min() > 0.99


def test_scores_of_noise_free_blocks_are_the_shares_of_the_blocks():
    X, _, _ = blocks(60, 48, seed=0)
    scores = source_codebook(regularization=1e-3).decision_function(X)
    X = X.toarray()
    assert_allclose(scores, X / X.sum(axis=1, keepdims=True), atol=1e-3)


@pytest.mark.parametrize("regularization", [0.1, 30.0, np.inf])
def test_transferred_codebook_expands_to_the_blocks_of_the_target(regularization):
    """The target is smaller, has other shares of the clusters, and much of it is not known."""
    source = source_codebook(regularization=1e-2)
    X, row_clusters, item_clusters = blocks(40, 30, seed=1)
    keep = np.random.RandomState(0).uniform(size=X.shape) < 0.6
    sparse = X.multiply(keep).tocsr()
    model = codebook(pretrained=FrozenEstimator(source), regularization=regularization).fit(sparse)
    rows, items = found_clusters(model, sparse)
    assert adjusted_rand_score(rows, row_clusters) == 1
    assert adjusted_rand_score(items, item_clusters) == 1
    # The clusters have the source's numbers: each likes what it likes there.
    liked = np.argsort(source.codebook_, axis=1)[:, -1]
    assert_array_equal(np.argsort(model.codebook_, axis=1)[:, -1], liked)
    unknown = (X.toarray() > 0) & ~keep
    scores = model.decision_function(sparse)
    assert scores[unknown].min() > scores[X.toarray() == 0].max()


def test_infinite_regularization_keeps_the_codebook_but_for_the_scales():
    source = source_codebook()
    X = make_cluster_domains(random_state=0).X_target
    model, near = (
        codebook(pretrained=FrozenEstimator(source), n_init=2, regularization=value).fit(X)
        for value in (np.inf, 1e9)
    )
    scales = np.outer(model.row_cluster_scales_, model.item_cluster_scales_)
    assert_allclose(model.codebook_ / scales, source.codebook_, rtol=1e-10)
    assert abs(scales - 1).max() > 0.01
    assert_allclose(model.codebook_, near.codebook_, rtol=1e-5)


def objective(model, prior, X, parts):
    """Return the objective of the docstring at a state of the block model."""
    rows, items, row_scales, item_scales, cell_lifts = parts
    X = X.toarray().astype(float)
    chance = np.outer(X.sum(axis=1), X.sum(axis=0)) / X.sum()
    means = row_scales[:, None] * cell_lifts * item_scales
    value = (rows.T @ chance @ items * means).sum() - xlogy(rows.T @ X @ items, means).sum()
    ratio = cell_lifts / prior
    value += model.regularization * (prior * (ratio - 1 - np.log(ratio))).sum()
    for scales in (row_scales, item_scales):
        value += (scales - np.log(scales)).sum()
    return value + xlogy(rows, rows).sum() + xlogy(items, items).sum()


@pytest.mark.parametrize("regularization", [0.3, 20.0])
@pytest.mark.parametrize("transferred", [False, True])
def test_climb_never_raises_the_objective_of_the_docstring(regularization, transferred):
    from sktransrec._numerics._block_model import BlockModel, spectral_clusters

    domains = make_cluster_domains(60, 40, 50, 30, target_density=0.3, random_state=0)
    prior = np.ones((3, 4))
    if transferred:
        prior = codebook(n_init=1).fit(domains.X_source).codebook_
    X, rng = domains.X_target, np.random.RandomState(0)
    model = BlockModel(X, prior, regularization)
    model.begin(*spectral_clusters(X, prior.shape, rng)(), rng)
    estimator = CodebookRecommender(regularization=regularization)
    values, losses = [], []
    for _ in range(12):
        losses += model.climb(1)
        parts = model.rows, model.items, model.row_scales, model.item_scales, model._cell_lifts
        values.append(objective(estimator, prior, X, parts))
    assert (np.diff(values) <= 1e-9 * abs(values[0])).all()
    assert values[-1] < values[0] - 1
    assert_allclose(np.diff(losses), np.diff(values), atol=1e-6)


def test_loss_curve_falls_and_more_starts_do_not_lose():
    X = make_cluster_domains(random_state=0).X_target
    few, many = (codebook(10, 10, n_init=n_init).fit(X) for n_init in (1, 4))
    assert (np.diff(few.loss_curve_) <= 1e-9 * abs(few.loss_curve_[0])).all()
    assert len(few.loss_curve_) == few.n_iter_
    assert many.loss_curve_[-1] <= few.loss_curve_[-1]


def test_clusters_of_generated_data_are_found():
    domains = make_cluster_domains(random_state=0, return_truth=True)
    model = codebook(10, 10).fit(domains.X_source)
    rows, items = found_clusters(model, domains.X_source)
    assert adjusted_rand_score(rows, domains.truth.source_user_clusters) > 0.8
    assert adjusted_rand_score(items, domains.truth.source_item_clusters) > 0.9


def test_row_memberships_are_those_of_bayes_and_do_not_depend_on_the_rows_beside():
    X = make_cluster_domains(random_state=0).X_target
    model = codebook(n_init=3).fit(X[:150])
    memberships = row_memberships(model, X[150:])
    alone = np.concatenate([row_memberships(model, X[[row]]) for row in range(150, 200)])
    assert_allclose(memberships, alone, rtol=1e-5, atol=1e-6)
    assert_allclose(memberships.sum(axis=1), 1, rtol=1e-5)
    row, Q, M = X[[160]].toarray()[0].astype(float), model.item_memberships_, model.codebook_
    log_likelihood = (row @ Q) @ np.log(M).T - row.sum() * M @ model.item_cluster_shares_
    expected = np.exp(log_likelihood - log_likelihood.max())
    assert_allclose(memberships[10], expected / expected.sum(), rtol=1e-4, atol=1e-6)


def test_popular_items_come_first_without_clusters():
    X = make_cluster_domains(random_state=0).X_target
    scores = codebook(1, 1, n_init=1).fit(X).decision_function(X)
    shares = X.sum(axis=0) / X.sum()
    assert_allclose(scores, np.tile(shares, (200, 1)), rtol=1e-2)


def test_search_compares_the_own_codebook_with_the_transferred():
    domains = make_cluster_domains(random_state=0)
    source = make_pipeline(codebook(10, 10, n_init=2, max_iter=10)).fit(domains.X_source)
    grid = {"pretrained": [None, FrozenEstimator(source)], "regularization": [1.0, 30.0]}
    search = GridSearchCV(
        codebook(10, 10, n_init=1, max_iter=10),
        grid,
        cv=2,
        scoring=ranking_scorer(holdout=1, random_state=0),
    ).fit(domains.X_target)
    assert len(set(search.cv_results_["mean_test_score"])) == 4


def test_the_source_stays_as_it_was():
    source = codebook(n_init=1).fit(blocks(60, 48, seed=0)[0])
    before = source.codebook_.copy()
    model = codebook(pretrained=FrozenEstimator(source), n_init=1).fit(blocks(40, 30, seed=1)[0])
    assert_array_equal(source.codebook_, before)
    assert model.codebook_.shape == (3, 4)


@pytest.mark.parametrize(
    "pretrained",
    [codebook(), FrozenEstimator(codebook()), FrozenEstimator(PopularityRecommender())],
)
def test_what_holds_no_fitted_codebook_is_an_error(pretrained):
    with pytest.raises(
        ValueError, match="pretrained must be a FrozenEstimator around a fitted Code"
    ):
        codebook(pretrained=pretrained).fit(blocks(40, 30, seed=1)[0])


def test_random_state():
    X = make_cluster_domains(random_state=0).X_target
    first, same, other = (codebook(random_state=seed, n_init=1).fit(X) for seed in (0, 0, 1))
    assert_array_equal(first.item_factors_, same.item_factors_)
    assert not np.array_equal(first.item_factors_, other.item_factors_)


def test_scores_are_the_mean_of_what_the_clusterings_that_count_say():
    X = make_cluster_domains(n_target_users=30, random_state=0).X_target
    model = codebook(10, 10, n_init=5, regularization=0.1).fit(X)
    losses = np.array([each.loss for each in model._clusterings])
    assert 1 < len(losses) <= 5
    assert losses[0] == model.loss_curve_[-1] == losses.min()
    weights = softmax(-losses / 3)
    scores = 0
    for weight, each in zip(weights, model._clusterings, strict=True):
        of_clusters = each.lifts @ each.items.T * each.item_shares
        scores += weight * each.row_memberships(X.astype(np.float64)) @ of_clusters
    assert_allclose(model.decision_function(X), scores, rtol=1e-4, atol=1e-7)
    assert_allclose(model.transform(X).sum(axis=1), len(losses), rtol=1e-5)


def test_auto_regularization_depends_on_whether_there_is_a_codebook_to_go_by():
    X = make_cluster_domains(random_state=0).X_target
    source = FrozenEstimator(source_codebook())
    for pretrained, value in ((None, 0.3), (source, 30.0)):
        auto, same, other = (
            codebook(pretrained=pretrained, n_init=1, regularization=each).fit(X).codebook_
            for each in ("auto", value, 3.0)
        )
        assert_array_equal(auto, same)
        assert not np.array_equal(auto, other)


# None of these served to choose the models, their parameters or the size of the target.
FRESH_SEEDS = range(7000, 7030)


def transferred_and_own(domains, n_init):
    """Return the model with the codebook of the source, and its twin without a source."""
    own = codebook(10, 10, n_init=n_init, max_iter=100)
    source = FrozenEstimator(codebook(10, 10, n_init=10, max_iter=50).fit(domains.X_source))
    return clone(own).set_params(pretrained=source), own


def searched(model, grid):
    """Return a model that chooses its parameters on the rows that it learns from."""
    scorer = ranking_scorer("ndcg", k=10, holdout=0.2, random_state=0)
    return GridSearchCV(model, grid, scoring=scorer, cv=3)


def scores_of_small_target(seed):
    """Return NDCG@10 of the transferred codebook and of its rivals, on new users of the target."""
    domains = make_cluster_domains(n_target_users=1025, random_state=seed)
    X, new = domains.X_target[:25], domains.X_target[25:]
    known, hidden = holdout_random(new, 1, random_state=seed)
    transferred, own = transferred_and_own(domains, n_init=10)
    als_grid = {"n_components": [4, 8, 16], "regularization": [0.02, 0.04, 0.08]}
    models = [
        transferred,
        searched(own, {"regularization": [0.1, 0.3, 1.0]}),
        searched(ALSRecommender(random_state=0), als_grid),
        PopularityRecommender(),
    ]
    for model in models:
        items, _ = recommend(model.fit(X), known)
        yield ndcg_at_k(hidden, items, k=10)


@pytest.mark.slow
def test_small_target_is_served_better_by_the_codebook_of_the_source_than_by_itself():
    """Nothing overlaps but the pattern: better than what learns from the target alone."""
    scores = np.array([[*scores_of_small_target(seed)] for seed in FRESH_SEEDS])
    gains = scores[:, :1] - scores[:, 1:]
    errors = gains.std(axis=0, ddof=1) / np.sqrt(len(gains))
    print("NDCG@10:", scores.mean(axis=0), "gains:", gains.mean(axis=0), "errors:", errors)
    over_own, over_als, over_popularity = gains.mean(axis=0) / errors
    assert over_own > 2
    assert over_als > 2
    assert over_popularity > 2


@pytest.mark.slow
def test_nothing_is_gained_where_the_pattern_is_another():
    n_used = n_helps = 0
    for seed in FRESH_SEEDS[:10]:
        domains = make_cluster_domains(n_target_users=150, relatedness=0, random_state=seed)
        gate = TransferGate(*transferred_and_own(domains, n_init=10), cv=3, random_state=0)
        n_used += gate.fit(domains.X_target).uses_transfer_.any()
        n_helps += gate.gain_.overall.verdict == "helps"
    print(f"used in {n_used} of 10 seeds, said to help over all rows in {n_helps}")
    assert n_used <= 1
    assert n_helps <= 1
