# SPDX-License-Identifier: BSD-3-Clause
"""CollectiveMFRecommender: its optimum, its limits, what is shared, and related data."""

import functools

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sktransrec import (
    ALSRecommender,
    CollectiveMFRecommender,
    PopularityRecommender,
    holdout_random,
    ranking_scorer,
)
from sktransrec.datasets import make_cross_domain
from sktransrec.metrics import held_out_ranks
from sktransrec.transfer.shared_factors import _collective

N_SOURCE, N_TARGET = 14, 10


def interactions(n_rows=60, seed=0):
    """Return counts of two domains; rows are known in both, in one or, two of them, in none."""
    rng = np.random.RandomState(seed)
    density = np.linspace(0.1, 0.9, n_rows)[:, None]
    counts = rng.randint(1, 4, (n_rows, N_SOURCE + N_TARGET))
    counts *= rng.uniform(size=counts.shape) < density
    counts[5:20, :N_SOURCE] = 0
    counts[18:35, N_SOURCE:] = 0
    counts[:, [3, N_SOURCE + 2]] = 0
    return sp.csr_array(counts.astype(np.float32))


# Six of the items are in both domains; two of these are those that no row has in one of them.
ITEM_IDS = [*range(N_SOURCE), 3, 100, 0, 5, 101, 102, 2, 7, 9, 103]
TIED = np.array([[3, 0, 5, 2, 7, 9], np.array([0, 2, 3, 6, 7, 8]) + N_SOURCE])


def collective(**parameters):
    parameters = {"n_components": 3, "max_iter": 5, "random_state": 0, **parameters}
    return CollectiveMFRecommender(slice(N_SOURCE, None), **parameters)


def all_factors(model):
    """Return the factors of the items of the source and of the target."""
    return np.vstack([model.source_item_factors_, model.item_factors_])


def dense_weights(model, X):
    """Return the weights of all entries of X, as the docstring has them."""
    X = X.toarray().astype(float)
    alpha = np.repeat([model.source_weight, 1.0], [N_SOURCE, N_TARGET])
    confidence = np.repeat(model.confidence_, [N_SOURCE, N_TARGET])
    weights = alpha * np.where(X > 0, confidence * X, 1)
    if model.empty_rows == "unknown":
        for columns in (slice(0, N_SOURCE), slice(N_SOURCE, None)):
            weights[:, columns] *= X[:, columns].any(axis=1, keepdims=True)
    return weights


def objective(model, X):
    """Return the objective of the docstring at the fitted items and their rows, in float64."""
    C, U = dense_weights(model, X), model.transform(X).astype(float)
    V = all_factors(model).astype(float)
    row_weights, item_weights = C.sum(axis=1), C.sum(axis=0)
    if not model.scale_regularization:
        row_weights, item_weights = np.ones(len(U)), np.ones(len(V))
        item_weights[model.tied_items_[1]] = 0
    penalty = row_weights @ (U**2).sum(axis=1) + item_weights @ (V**2).sum(axis=1)
    error = (X.toarray() > 0) - U @ V.T
    return (C * error**2).sum() + model.regularization_ * penalty


def minima(C, is_one, V, model):
    """Return the minimum of the weighted squares of each row, by its normal equations."""
    U = np.zeros((len(C), V.shape[1]))
    for row in np.flatnonzero(is_one.any(axis=1)):
        c = C[row]
        ridge = model.regularization_ * (c.sum() if model.scale_regularization else 1)
        A = V.T @ (c[:, None] * V) + ridge * np.eye(V.shape[1])
        U[row] = np.linalg.solve(A, V.T @ (c * is_one[row]))
    return U


def item_minima(C, is_one, U, model):
    """Return the minima of the items, a tied one over its entries in both domains."""
    V = minima(C.T, is_one.T, U, model)
    source, target = model.tied_items_
    C, is_one = (np.vstack([A[:, source], A[:, target]]) for A in (C, is_one))
    V[source] = V[target] = minima(C.T, is_one.T, np.vstack([U, U]), model)
    return V


@pytest.mark.parametrize("item_ids", [None, ITEM_IDS])
@pytest.mark.parametrize("empty_rows", ["unknown", "negative"])
@pytest.mark.parametrize("scale_regularization", [False, True])
@pytest.mark.parametrize("confidence", [0.7, 20.0, "balanced"])
def test_rows_and_items_solve_the_normal_equations(
    confidence, scale_regularization, empty_rows, item_ids
):
    X = interactions()
    parameters = {
        "source_weight": 0.4,
        "confidence": confidence,
        "source_confidence": 5.0,
        "scale_regularization": scale_regularization,
        "empty_rows": empty_rows,
        "item_ids": item_ids,
    }
    model = collective(max_iter=3, **parameters).fit(X)
    before = collective(max_iter=2, **parameters).fit(X)
    C, is_one = dense_weights(model, X), X.toarray() > 0
    V = all_factors(before).astype(float)
    U = minima(C, is_one, V, model)
    assert_allclose(before.transform(X), U, rtol=1e-3, atol=1e-4)
    assert_allclose(all_factors(model), item_minima(C, is_one, U, model), rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("item_ids", [None, ITEM_IDS])
@pytest.mark.parametrize("empty_rows", ["unknown", "negative"])
@pytest.mark.parametrize("scale_regularization", [False, True])
def test_no_sweep_raises_the_objective(scale_regularization, empty_rows, item_ids):
    X = interactions()
    parameters = {
        "scale_regularization": scale_regularization,
        "empty_rows": empty_rows,
        "item_ids": item_ids,
    }
    values = [
        objective(collective(max_iter=max_iter, **parameters).fit(X), X)
        for max_iter in (1, 2, 3, 5, 9)
    ]
    assert (np.diff(values) < 1e-5 * values[0]).all()
    assert values[-1] < 0.99 * values[0]


def test_equal_weights_are_those_of_one_stacked_matrix():
    X = interactions()
    X = X[np.diff(X.indptr) > 0]
    parameters = {"confidence": 4.0, "scale_regularization": False, "max_iter": 100}
    stacked = ALSRecommender(3, random_state=3, regularization=3, **parameters).fit(X)
    model = collective(source_weight=1, empty_rows="negative", regularization=3, **parameters)
    model.fit(X)
    expected = stacked.decision_function(X)[:, N_SOURCE:]
    assert_allclose(model.decision_function(X), expected, atol=2e-3)


def test_vanishing_source_is_the_target_alone():
    X = interactions()
    parameters = {"confidence": 4.0, "scale_regularization": False, "max_iter": 60}
    target = X[:, N_SOURCE:]
    alone = ALSRecommender(3, random_state=0, regularization=3, **parameters).fit(target)
    model = collective(
        source_weight=1e-6, empty_rows="negative", regularization=3, **parameters
    ).fit(X)
    known = np.diff(target.indptr) > 0
    assert_allclose(
        model.decision_function(X)[known],
        alone.decision_function(target)[known],
        atol=2e-3,
    )


def test_vanishing_source_teaches_the_target_nothing():
    X = interactions()
    source, target = X[:, :N_SOURCE], X[:, N_SOURCE:]
    in_both = np.flatnonzero((np.diff(source.indptr) > 0) & (np.diff(target.indptr) > 0))
    shuffled = X.tolil()
    shuffled[in_both, :N_SOURCE] = source[np.roll(in_both, 7)]
    target_scores = {}
    for source_weight in (1e-6, 1.0):
        parameters = {"source_weight": source_weight, "max_iter": 5}
        target_scores[source_weight] = [
            collective(**parameters).fit(rows).decision_function(rows)[in_both]
            for rows in (X, shuffled)
        ]
    assert_allclose(*target_scores[1e-6], atol=1e-3)
    assert not np.allclose(*target_scores[1.0], atol=0.1)


def test_confidence_balances_each_domain_or_is_what_is_said():
    X = interactions()
    model = collective().fit(X)
    for domain, columns in enumerate((slice(0, N_SOURCE), slice(N_SOURCE, None))):
        known = X[np.diff(X[:, columns].indptr) > 0][:, columns]
        expected = 0.1 * known.shape[0] * known.shape[1]
        assert model.confidence_[domain] * known.sum() == pytest.approx(expected)
    assert_array_equal(collective(confidence=3.0).fit(X).confidence_, [3, 3])
    assert_array_equal(collective(confidence=3.0, source_confidence=2).fit(X).confidence_, [2, 3])


def test_empty_rows_are_unknown_or_negative():
    X = interactions()
    unknown, negative = (collective(empty_rows=how).fit(X) for how in ("unknown", "negative"))
    source_only = X[np.diff(X[:, N_SOURCE:].indptr) == 0]
    scores, negative_scores = (
        model.decision_function(source_only) for model in (unknown, negative)
    )
    assert scores.mean() > 2 * negative_scores.mean()


def test_row_factors_do_not_depend_on_the_rows_beside():
    X = interactions()
    model = collective().fit(X)
    alone = np.concatenate([model.transform(X[[row]]) for row in range(X.shape[0])])
    assert_array_equal(model.transform(X), alone)


def test_cold_rows_are_served_from_either_domain():
    """Even rows like even items in both domains; the test rows know one domain each."""
    rng = np.random.RandomState(0)
    same = np.arange(100)[:, None] % 2 == np.arange(N_SOURCE + N_TARGET) % 2
    X = ((rng.uniform(size=same.shape) < 0.8) & same).astype(np.float32)
    source, target = np.arange(N_SOURCE), np.arange(N_SOURCE, N_SOURCE + N_TARGET)
    for known, columns in ((source, target), (target, source)):
        model = CollectiveMFRecommender(columns, 2, random_state=0).fit(X[:60])
        rows = np.zeros_like(X[60:])
        rows[:, known] = X[60:][:, known]
        items, _ = model.recommend(rows, n_recommendations=4)
        assert_array_equal(
            columns[items] % 2, np.repeat(np.arange(60, 100)[:, None] % 2, 4, axis=1)
        )


@pytest.mark.parametrize("as_mask", [False, True])
def test_columns_of_the_target_may_stand_anywhere(as_mask):
    X = interactions()
    model = collective(item_ids=ITEM_IDS).fit(X)
    order = np.random.RandomState(0).permutation(N_SOURCE + N_TARGET)
    # In either domain the columns keep their order.
    is_target = order >= N_SOURCE
    order[is_target], order[~is_target] = np.sort(order[is_target]), np.sort(order[~is_target])
    mixed = CollectiveMFRecommender(
        is_target if as_mask else np.flatnonzero(is_target),
        3,
        max_iter=5,
        random_state=0,
        item_ids=np.array(ITEM_IDS)[order],
    ).fit(X[:, order])
    assert_array_equal(mixed.decision_function(X[:, order]), model.decision_function(X))
    assert_array_equal(order[mixed.tied_items_], model.tied_items_)
    for found, expected in zip(
        mixed.recommend(X[:, order], n_recommendations=4),
        model.recommend(X, n_recommendations=4),
        strict=True,
    ):
        assert_array_equal(found, expected)
    assert_array_equal(mixed.decode_items([0, 1]), model.decode_items([0, 1]))


def test_tied_items_have_the_same_factors():
    model = collective(item_ids=ITEM_IDS).fit(interactions())
    assert_array_equal(model.tied_items_, TIED)
    source, target = model.tied_items_
    factors = all_factors(model)
    assert_array_equal(factors[source], factors[target])
    assert len(np.unique(factors, axis=0)) == N_SOURCE + N_TARGET - len(TIED[0])


def test_different_ids_tie_nothing():
    X = interactions()
    for ids in (np.arange(N_SOURCE + N_TARGET), [f"item {i}" for i in range(N_SOURCE + N_TARGET)]):
        model = collective(item_ids=ids).fit(X)
        assert_array_equal(all_factors(model), all_factors(collective().fit(X)))
        assert model.tied_items_.shape == (2, 0)


def stacked_users(n_items=12):
    """Return the counts of two groups of users who like the same thirds of the items alike."""
    rng = np.random.RandomState(1)
    groups = []
    for n_users in (25, 35):
        same = np.arange(n_users)[:, None] % 3 == np.arange(n_items) % 3
        likes = rng.uniform(size=same.shape) < np.where(same, [0.9, 0.7, 0.5] * 4, 0.1)
        groups.append(sp.csr_array((likes * rng.randint(1, 4, likes.shape)).astype(np.float32)))
    return groups


def beside_each_other(X_source, X_target):
    return sp.block_diag([sp.csr_array(X_source), sp.csr_array(X_target)], format="csr")


def test_shared_items_of_equal_weight_are_one_matrix():
    X_source, X_target = stacked_users()
    parameters = {"confidence": 4.0, "regularization": 3, "scale_regularization": False}
    parameters |= {"n_components": 3, "max_iter": 50, "random_state": 0}
    one = ALSRecommender(**parameters).fit(sp.vstack([X_source, X_target]))
    model = CollectiveMFRecommender(
        slice(12, None), source_weight=1, item_ids=[*range(12)] * 2, **parameters
    )
    scores = model.fit(beside_each_other(X_source, X_target)).decision_function(
        sp.hstack([sp.csr_array(X_target.shape), X_target])
    )
    assert_allclose(scores, one.decision_function(X_target), atol=2e-3)
    assert_array_equal(model.item_factors_, model.source_item_factors_)


def test_shared_items_are_shared_rows_transposed():
    X_source, X_target = stacked_users()
    parameters = {"source_weight": 0.3, "max_iter": 30, "n_components": 3, "random_state": 0}
    by_items = CollectiveMFRecommender(slice(12, None), item_ids=[*range(12)] * 2, **parameters)
    by_rows = CollectiveMFRecommender(slice(25, None), **parameters)
    scores = by_items.fit(beside_each_other(X_source, X_target)).decision_function(
        sp.hstack([sp.csr_array(X_target.shape), X_target])
    )
    transposed = sp.hstack([X_source.T, X_target.T])
    transposed_scores = by_rows.fit(transposed).decision_function(transposed)
    assert_allclose(scores, transposed_scores.T, atol=2e-3)


def test_vanishing_source_teaches_the_tied_items_nothing():
    X_source, X_target = stacked_users()
    parameters = {"confidence": 4.0, "n_components": 3, "max_iter": 40, "random_state": 0}
    parameters |= {"scale_regularization": False, "regularization": 3}
    alone = ALSRecommender(**parameters).fit(X_target).decision_function(X_target)
    model = CollectiveMFRecommender(slice(12, None), item_ids=[*range(12)] * 2, **parameters)
    X = beside_each_other(X_source, X_target)
    near, far = (
        model.set_params(source_weight=weight).fit(X).decision_function(X)[25:]
        for weight in (1e-6, 1.0)
    )
    assert_allclose(near, alone, atol=2e-3)
    assert not np.allclose(far, alone, atol=0.05)


def test_item_unknown_in_the_target_is_recommended_there():
    """Even rows like even items; in the target nobody has seen the last four items."""
    rng = np.random.RandomState(0)
    same = np.arange(80)[:, None] % 2 == np.arange(12) % 2
    X = ((rng.uniform(size=same.shape) < 0.8) & same).astype(np.float32)
    X_source, X_target = X[:40], X[40:] * (np.arange(12) < 8)
    model = CollectiveMFRecommender(slice(12, None), 2, item_ids=[*range(12)] * 2, random_state=0)
    X = beside_each_other(X_source, X_target)
    items, _ = model.fit(X).recommend(X[40:], n_recommendations=2, candidates=np.arange(8, 12))
    assert_array_equal(items % 2, np.repeat(np.arange(40)[:, None] % 2, 2, axis=1))


@pytest.mark.parametrize(
    ("item_ids", "message"),
    [
        (ITEM_IDS[:-1], r"shape \(23,\).*24 columns"),
        ([[item] for item in ITEM_IDS], r"item_ids holds \[0\] of type list"),
        ([0, 0, *ITEM_IDS[2:]], "of the source repeats 0, .* 2 times among 14"),
        ([*ITEM_IDS[:-1], 3], "of the target repeats 3, .* 2 times among 10"),
    ],
)
def test_item_ids_that_do_not_fit_are_an_error(item_ids, message):
    with pytest.raises(ValueError, match=message):
        collective(item_ids=item_ids).fit(interactions())


@pytest.mark.parametrize("new_state", [lambda: 0, lambda: np.random.RandomState(3)])
def test_threads_and_repetition_change_no_bit(new_state):
    X = interactions()
    first, *others = (
        collective(random_state=new_state(), n_jobs=n_jobs).fit(X) for n_jobs in (1, 1, 2, -1, None)
    )
    for other in others:
        assert_array_equal(first.item_factors_, other.item_factors_)
    another = collective(random_state=1).fit(X)
    assert not np.array_equal(another.item_factors_, first.item_factors_)


@pytest.mark.usefixtures("workers")
def test_search_over_the_weight_of_the_source():
    X = interactions()
    rest, held_out = holdout_random(X, random_state=0)
    grid = [{"source_weight": [0.01, 0.5]}, {"source_confidence": [30.0]}]
    serial, parallel = (
        GridSearchCV(
            collective(), grid, cv=2, n_jobs=n_jobs, refit=False, scoring=ranking_scorer()
        ).fit(rest, held_out[:, N_SOURCE:])
        for n_jobs in (1, 2)
    )
    scores = serial.cv_results_["mean_test_score"]
    assert len(set(scores)) > 1
    assert_array_equal(scores, parallel.cv_results_["mean_test_score"])


@pytest.mark.parametrize(
    ("target_columns", "message"),
    [
        (slice(None), "all n_features=24 columns of X, which leaves no columns for the source"),
        (slice(N_SOURCE + N_TARGET, None), "holds none of the n_features=24 columns"),
        ([N_SOURCE + N_TARGET], "target_columns must lie between 0 and 23"),
        (slice(4, None), "no interactions in the source"),
        (slice(20, None), "no interactions in the target"),
    ],
)
def test_a_domain_without_columns_or_interactions_is_an_error(target_columns, message):
    X = interactions().toarray()
    X[:, :4] = X[:, 20:] = 0
    with pytest.raises(ValueError, match=message):
        CollectiveMFRecommender(target_columns).fit(X)


def test_overflow_is_an_error_that_leaves_the_model():
    X = interactions()
    model = collective().fit(X)
    before = model.item_factors_.copy()
    message = r"not finite.*regularization=0\.02, or lower confidence"
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=message):
        model.set_params(confidence=1e38).fit(X)
    assert_array_equal(model.item_factors_, before)


def test_progress_is_shown_if_asked_for(capfd):
    collective().fit(interactions())
    assert capfd.readouterr() == ("", "")
    collective(max_iter=3, verbose=1).fit(interactions())
    assert "3/3" in capfd.readouterr().err


def beside(X_source, X_target):
    return sp.csr_array(sp.hstack([X_source, X_target]))


def pair_ndcg(model, X, y):
    """Return NDCG@10 of each held-out target item."""
    _, _, ranks = held_out_ranks(model, X, y)
    return np.where(ranks <= 10, 1 / np.log2(ranks + 1), 0)


OF_GAINS = {"confidence": 5.0, "regularization": 0.05, "max_iter": 10, "random_state": 0}


@functools.cache
def large_domains(relatedness):
    """Return two domains, the target with an item of each row held out, and what it tells alone."""
    domains = make_cross_domain(
        600,
        200,
        150,
        n_cold_users=200,
        relatedness=relatedness,
        target_density=0.04,
        random_state=0,
    )
    Y, held_out = holdout_random(domains.Y_target, 1, random_state=0)
    alone = ALSRecommender(8, **OF_GAINS).fit(Y)
    return domains, Y, held_out, pair_ndcg(alone, Y, held_out)


def gains(relatedness, source_weight):
    """Return the mean gain over the target alone in standard errors, warm, and that of cold rows.

    What cold rows gain is over popularity.
    """
    domains, Y, held_out, of_target_alone = large_domains(relatedness)
    X = beside(domains.X_source, Y)
    model = CollectiveMFRecommender(
        slice(200, None), 8, source_weight=source_weight, **OF_GAINS
    ).fit(X)
    nothing = sp.csr_array(domains.Y_cold.shape, dtype=np.float32)
    X_cold, popularity = beside(domains.X_cold, nothing), PopularityRecommender().fit(Y)
    for gain in (
        pair_ndcg(model, X, held_out) - of_target_alone,
        pair_ndcg(model, X_cold, domains.Y_cold) - pair_ndcg(popularity, nothing, domains.Y_cold),
    ):
        yield gain.mean() / (gain.std() / np.sqrt(len(gain)))


def tastes(share_of_noise, n_rows=400, n_items=100, n_tastes=8):
    """Return rows of five source and five target items of one taste, some of them without any."""
    rng = np.random.RandomState(0)
    has_taste = rng.randint(n_tastes, size=(n_rows, 1)) == np.arange(n_items) % n_tastes
    chance = np.where(has_taste, (1 - share_of_noise) * n_tastes, share_of_noise) * 5 / n_items
    return sp.csr_array((rng.uniform(size=(n_rows, 2 * n_items)) < np.tile(chance, 2)) * 1.0)


def test_auto_regularizes_noisy_data_more():
    models = [
        CollectiveMFRecommender(slice(100, None), 32, max_iter=1, random_state=0).fit(tastes(share))
        for share in (0.0, 0.6)
    ]
    assert models[0].regularization_ < models[1].regularization_


@pytest.mark.parametrize("scale_regularization", [False, True])
def test_auto_is_the_fit_with_the_chosen_value(scale_regularization):
    X = tastes(0.5)
    parameters = {"scale_regularization": scale_regularization, "max_iter": 2, "random_state": 0}
    auto = CollectiveMFRecommender(slice(100, None), 8, **parameters).fit(X)
    fixed = clone(auto).set_params(regularization=auto.regularization_).fit(X)
    assert_array_equal(fixed.item_factors_, auto.item_factors_)
    if not scale_regularization:
        assert auto.regularization_ > 1


def test_products_that_both_domains_sell_do_not_decide(monkeypatch):
    """Nothing is held out of the target items whose twins in the source have the same users."""
    X = tastes(0.5)
    X = sp.csr_array(sp.hstack([X, X[:, :50]]))
    held_out = []

    def kept(X, candidates):
        held_out.append(candidates)

    monkeypatch.setattr(_collective, "held_out_interactions", kept)
    CollectiveMFRecommender(slice(100, None), 4, max_iter=1).fit(X)
    (candidates,) = held_out
    assert candidates[:, :100].nnz == candidates[:, 200:].nnz == 0
    assert_array_equal(candidates[:, 100:200].toarray(), X[:, 100:200].toarray())


def test_small_targets_and_fixed_values_are_not_judged(monkeypatch):
    X = tastes(0.5)
    small = CollectiveMFRecommender(slice(101, None), 4, max_iter=1).fit(X)
    assert small.regularization_ == 0.02
    monkeypatch.setattr(_collective, "held_out_interactions", None)
    fixed = CollectiveMFRecommender(slice(100, None), 4, regularization=0.3, max_iter=1).fit(X)
    assert fixed.regularization_ == 0.3


def test_related_source_helps_warm_and_cold_rows():
    warm, cold = gains(relatedness=1, source_weight=0.3)
    assert warm > 3
    assert cold > 3


def test_unrelated_source_of_little_weight_does_no_harm():
    harmless, _ = gains(relatedness=0, source_weight=0.01)
    harmful, _ = gains(relatedness=0, source_weight=1.0)
    assert harmful < -3
    assert abs(harmless) < 2
