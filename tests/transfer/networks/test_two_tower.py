# SPDX-License-Identifier: BSD-3-Clause
"""TwoTowerAutoencoderRecommender: its objective, its codes, hidden targets and cold rows."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax, softmax
from sklearn.frozen import FrozenEstimator

from sktransrec import PopularityRecommender, TwoTowerAutoencoderRecommender
from sktransrec.datasets import make_cross_domain

N_SOURCE, N_TARGET = 16, 12
TARGET = np.arange(N_SOURCE, N_SOURCE + N_TARGET)
TINY = {
    "target_columns": slice(N_SOURCE, None),
    "n_components": 3,
    "epochs": 2,
    "batch_size": 80,
    "run_eagerly": True,
    "random_state": 0,
}
IN_BATCHES = {**TINY, "batch_size": 40}


def stacked(n_rows=80, seed=0):
    """Return both domains, in which even rows prefer even items; some rows are in one only."""
    rng = np.random.RandomState(seed)
    same_parity = np.arange(n_rows)[:, None] % 2 == np.arange(N_SOURCE + N_TARGET) % 2
    X = rng.uniform(size=same_parity.shape) < 0.6 * same_parity
    X[:10, :N_SOURCE] = False
    X[10:20, N_SOURCE:] = False
    return sp.csr_array(X.astype(np.float32))


def without(X, domain):
    """Return rows of which one domain knows nothing."""
    X = X.toarray()
    X[:, slice(0, N_SOURCE) if domain == "source" else slice(N_SOURCE, None)] = 0
    return sp.csr_array(X)


def weights(model):
    return model._fitted_network.weights


@pytest.mark.parametrize("hidden_layer_sizes", [(), (5,)])
def test_code_is_the_mean_over_the_domains_that_know_the_row(hidden_layer_sizes):
    X = stacked()
    model = TwoTowerAutoencoderRecommender(**TINY, hidden_layer_sizes=hidden_layer_sizes).fit(X)
    source, target = (model.transform(without(X, domain)) for domain in ("target", "source"))
    assert_allclose(model.transform(X)[20:], (source + target)[20:] / 2, atol=1e-6)
    assert_allclose(model.transform(X)[:10], target[:10], atol=1e-6)
    assert_allclose(model.transform(X)[10:20], source[10:20], atol=1e-6)
    assert not np.allclose(source[20:], target[20:], atol=0.01)


@pytest.mark.parametrize("source_weight", [0.0, 0.7])
def test_objective_is_the_formula(source_weight):
    X = stacked()
    model = TwoTowerAutoencoderRecommender(
        **{**TINY, "epochs": 1},
        source_weight=source_weight,
        learning_rate=1e-9,
        input_dropout=0,
        target_dropout=0,
    ).fit(X)
    kernel, bias = (weights(model)[f"output/{name}"].astype(float) for name in ("kernel", "bias"))
    scores, counts = model.transform(X) @ kernel + bias, X.toarray()
    source, target = (
        -(counts[:, columns] * log_softmax(scores[:, columns], axis=1)).sum(axis=1)
        for columns in (slice(0, N_SOURCE), slice(N_SOURCE, None))
    )
    expected = (source_weight * source + target).mean()
    assert model.loss_curve_[0] == pytest.approx(expected, rel=1e-5)


def test_cold_rows_reach_the_frequencies_of_their_group():
    rng = np.random.RandomState(0)
    groups = np.repeat([0, 1, 2], [20, 30, 40])
    chosen = rng.randint(0, 5, size=len(groups))
    X = np.hstack([np.eye(3)[groups], np.eye(5)[chosen]])
    model = TwoTowerAutoencoderRecommender(
        slice(3, None),
        3,
        activation="linear",
        input_dropout=0,
        target_dropout=1.0,
        source_weight=0,
        learning_rate=0.1,
        epochs=95,
        batch_size=90,
        random_state=0,
    ).fit(X)
    counts = np.array([np.bincount(chosen[groups == group], minlength=5) for group in range(3)])
    scores = model.decision_function(np.hstack([np.eye(3), np.zeros((3, 5))]))
    frequencies = counts / counts.sum(axis=1, keepdims=True)
    assert_allclose(softmax(scores, axis=1), frequencies, atol=0.002)


@pytest.mark.parametrize("target_dropout", [0.0, 1.0])
def test_hidden_targets_are_not_read(target_dropout):
    X = stacked()[20:]
    parameters = {**TINY, "target_dropout": target_dropout}
    before, after = (
        TwoTowerAutoencoderRecommender(**{**parameters, "epochs": epochs}).fit(X)
        for epochs in (1, 3)
    )
    moved = {
        path: not np.array_equal(values, weights(before)[path])
        for path, values in weights(after).items()
    }
    assert moved.pop("target_code/kernel") == (target_dropout == 0)
    assert moved.pop("target_code/bias") == (target_dropout == 0)
    assert all(moved.values())


def test_rows_known_in_the_target_alone_are_never_hidden():
    X = stacked()
    alone = without(X, "source")[np.r_[0:10, 20:80]]
    both = sp.vstack([alone, X[10:20]], format="csr")
    shown, hidden = (
        TwoTowerAutoencoderRecommender(**TINY, target_dropout=share).fit(both)
        for share in (0.0, 1.0)
    )
    for path, values in weights(shown).items():
        assert_array_equal(values, weights(hidden)[path])


def test_source_without_weight_is_read_but_not_learned():
    X = stacked()
    model = TwoTowerAutoencoderRecommender(**TINY, source_weight=0)
    before, after = (
        weights(model.set_params(epochs=epochs).fit(X))["output/kernel"] for epochs in (1, 3)
    )
    assert_array_equal(after[:, :N_SOURCE], before[:, :N_SOURCE])
    assert not np.isclose(after[:, N_SOURCE:], before[:, N_SOURCE:]).any()
    assert_array_equal(model.item_factors_, after[:, N_SOURCE:].T)


@pytest.mark.parametrize("kind", ["denoising", "variational"])
def test_preferred_half_is_found_whatever_is_known(kind):
    X = stacked()
    parameters = {**TINY, "epochs": 6, "batch_size": 70, "learning_rate": 0.4}
    parameters["kl_annealing_epochs"] = 3
    model = TwoTowerAutoencoderRecommender(**parameters, kind=kind).fit(X[:70])
    for rows in (X[70:], without(X[70:], "source"), without(X[70:], "target")):
        items, _ = model.recommend(rows, n_recommendations=4, exclude_seen=False)
        assert (items % 2 == np.arange(70, 80)[:, None] % 2).all()


def test_layers_of_both_towers_are_transferred():
    X = stacked()
    first = TwoTowerAutoencoderRecommender(**TINY, hidden_layer_sizes=(4,)).fit(X)
    model = TwoTowerAutoencoderRecommender(
        **TINY, hidden_layer_sizes=(4,), pretrained=FrozenEstimator(first), trainable="head"
    ).fit(X)
    frozen = {layer.name for layer in model.transferred_layers_ if layer.frozen}
    assert frozen == {"source_encoder_1", "target_encoder_1", "source_code", "target_code"}
    for name in frozen:
        assert_array_equal(weights(model)[f"{name}/kernel"], weights(first)[f"{name}/kernel"])


def test_partial_fits_are_the_epochs_of_a_fit():
    X = stacked()
    whole = TwoTowerAutoencoderRecommender(**IN_BATCHES).fit(X)
    parts = TwoTowerAutoencoderRecommender(**IN_BATCHES).partial_fit(X)
    parts = pickle.loads(pickle.dumps(parts)).partial_fit(X)
    assert parts.loss_curve_ == whole.loss_curve_
    for ours, theirs in (
        (parts.item_factors_, whole.item_factors_),
        (parts.popularity_, whole.popularity_),
    ):
        assert_array_equal(ours, theirs)
    assert_array_equal(parts.decision_function(X), whole.decision_function(X))


@pytest.mark.parametrize("first", ["fit", "partial_fit"])
def test_partial_fit_counts_the_popularity_of_all_rows(first):
    X = stacked()
    model = getattr(TwoTowerAutoencoderRecommender(**TINY), first)(X[:30])
    n_before = model.n_iter_
    model.partial_fit(X[30:])
    assert_allclose(model.popularity_, X[:, TARGET].toarray().mean(axis=0), rtol=1e-6)
    assert model.n_iter_ == n_before + 1
    with pytest.raises(ValueError, match="X has 26 features"):
        model.partial_fit(X[:, :26])
    assert_allclose(model.popularity_, X[:, TARGET].toarray().mean(axis=0), rtol=1e-6)


@pytest.mark.parametrize(
    ("target_columns", "empty", "message"),
    [
        (slice(None), None, "leaves no columns for the source"),
        (TARGET, "source", "no interactions in the source"),
        (TARGET, "target", "no interactions in the target"),
    ],
)
def test_domains_must_be_there(target_columns, empty, message):
    X = without(stacked(), empty) if empty else stacked()
    model = TwoTowerAutoencoderRecommender(**{**TINY, "target_columns": target_columns})
    with pytest.raises(ValueError, match=message):
        model.fit(X)


@pytest.mark.slow
def test_taste_is_transferred_to_cold_rows():
    domains = make_cross_domain(600, random_state=0)
    X = sp.hstack([domains.X_source, domains.Y_target], format="csr")
    n_source = domains.X_source.shape[1]
    model = TwoTowerAutoencoderRecommender(
        slice(n_source, None), 32, epochs=40, random_state=0
    ).fit(X)
    cold = sp.hstack([domains.X_cold, sp.csr_array(domains.Y_cold.shape)], format="csr")
    scores = model.decision_function(cold)
    popularity = PopularityRecommender().fit(domains.Y_target)
    best = np.argsort(-scores, axis=1)[:, :10]
    hits = np.take_along_axis(domains.Y_cold.toarray(), best, axis=1).sum()
    most_popular = np.argsort(-popularity.popularity_)[:10]
    assert hits > 1.3 * domains.Y_cold[:, most_popular].sum()
