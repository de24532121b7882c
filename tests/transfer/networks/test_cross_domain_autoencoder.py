# SPDX-License-Identifier: BSD-3-Clause
"""CrossDomainAutoencoderRecommender: what it converges to, what it recommends, what it lends."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax, softmax
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import normalize

from sktransrec import CrossDomainAutoencoderRecommender, PopularityRecommender, ranking_scorer
from sktransrec.datasets import make_cross_domain

KINDS = ["denoising", "variational"]
TINY = {
    "n_components": 3,
    "epochs": 2,
    "batch_size": 80,
    "run_eagerly": True,
    "random_state": 0,
}
IN_BATCHES = {**TINY, "batch_size": 40}


def two_domains(n_rows=80, n_source=16, n_target=12, seed=0):
    """Return interactions in which even rows prefer the even items of either domain."""
    rng = np.random.RandomState(seed)

    def interactions(n_items):
        same_parity = np.arange(n_rows)[:, None] % 2 == np.arange(n_items) % 2
        return (rng.uniform(size=(n_rows, n_items)) < 0.6 * same_parity).astype(np.float32)

    return interactions(n_source), interactions(n_target)


def test_linear_network_is_the_softmax_regression():
    rng = np.random.RandomState(0)
    groups = np.repeat([0, 1, 2], [20, 30, 40])
    X, y = np.eye(3)[groups], rng.randint(0, 5, size=len(groups))
    model = CrossDomainAutoencoderRecommender(
        3,
        activation="linear",
        input_dropout=0,
        learning_rate=0.1,
        epochs=100,
        batch_size=90,
        random_state=0,
    ).fit(X, y)
    counts = np.array([np.bincount(y[groups == group], minlength=5) for group in range(3)])
    frequencies = counts / counts.sum(axis=1, keepdims=True)
    # With one indicator a group, the maximum of the likelihood is the frequencies of each group.
    assert_allclose(softmax(model.decision_function(np.eye(3)), axis=1), frequencies, atol=0.002)
    entropy = -np.log(frequencies[groups, y]).mean()
    assert model.loss_curve_[-1] == pytest.approx(entropy, abs=1e-3)


@pytest.mark.parametrize("hidden_layer_sizes", [(), (5,), (6, 4)])
def test_scores_are_those_of_the_network(hidden_layer_sizes):
    X, y = two_domains()
    model = CrossDomainAutoencoderRecommender(**TINY, hidden_layer_sizes=hidden_layer_sizes)
    scores = model.fit(X, y).decision_function(X)
    shares = model.network_([normalize(X)]).numpy()
    assert_allclose(softmax(scores, axis=1), shares, atol=1e-5)
    assert_allclose(scores, model.transform(X) @ model.item_factors_.T + model.item_bias_)
    units = [layer.units for layer in model.network_.layers if hasattr(layer, "units")]
    assert units == [*hidden_layer_sizes, 3, 12]


def test_objective_is_the_formula():
    X, y = two_domains()
    still = {**TINY, "epochs": 1, "learning_rate": 1e-9, "input_dropout": 0}
    model = CrossDomainAutoencoderRecommender(**still).fit(X, y)
    log_p = log_softmax(model.decision_function(X).astype(float), axis=1)
    assert model.loss_curve_[0] == pytest.approx(-(y * log_p).sum(axis=1).mean(), rel=1e-5)
    penalised = CrossDomainAutoencoderRecommender(**still, regularization=0.5).fit(X, y)
    weights = model._fitted_network.weights
    squares = sum((weights[f"{name}/kernel"] ** 2).sum() for name in ("code", "output"))
    assert penalised.loss_curve_[0] == pytest.approx(model.loss_curve_[0] + 0.5 * squares, rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_preferred_half_is_found_for_new_rows(kind):
    X, y = two_domains()
    parameters = {**TINY, "epochs": 8, "batch_size": 70, "learning_rate": 0.4}
    parameters["kl_annealing_epochs"] = 4
    model = CrossDomainAutoencoderRecommender(**parameters, kind=kind).fit(X[:70], y[:70])
    items, _ = model.recommend(X[70:], n_recommendations=4)
    assert (items % 2 == np.arange(70, 80)[:, None] % 2).all()


def test_codes_of_a_variational_network_are_its_means():
    X, y = two_domains()
    model = CrossDomainAutoencoderRecommender(**TINY, kind="variational").fit(X, y)
    assert_array_equal(model.transform(X), model.transform(X))
    weights = model._fitted_network.weights
    expected = normalize(X) @ weights["code/kernel"] + weights["code/bias"]
    assert_allclose(model.transform(X), expected, atol=1e-5)


def test_sparse_and_dense_rows_teach_the_same():
    X, y = two_domains()
    dense = CrossDomainAutoencoderRecommender(**TINY).fit(X, y)
    sparse = CrossDomainAutoencoderRecommender(**TINY).fit(sp.csr_array(X), sp.csr_array(y))
    assert_allclose(dense.item_factors_, sparse.item_factors_, atol=1e-5)
    assert_allclose(dense.decision_function(X), sparse.decision_function(X), atol=1e-5)


@pytest.mark.parametrize("trainable", ["head", "all"])
def test_encoder_of_the_source_alone_is_a_start(trainable):
    X, y = two_domains()
    source = CrossDomainAutoencoderRecommender(**TINY).fit(X, X)
    model = CrossDomainAutoencoderRecommender(
        **TINY, pretrained=FrozenEstimator(source), trainable=trainable
    ).fit(X, y)
    copied = {layer.name: (layer.copied, layer.frozen) for layer in model.transferred_layers_}
    assert copied == {"output": ("no", False), "code": ("whole", trainable == "head")}
    is_same = np.array_equal(
        model._fitted_network.weights["code/kernel"], source._fitted_network.weights["code/kernel"]
    )
    assert is_same == (trainable == "head")


def test_fit_goes_on_where_asked():
    X, y = two_domains()
    model = CrossDomainAutoencoderRecommender(**TINY, warm_start=True).fit(X, y)
    first = model.loss_curve_
    model.fit(X, y)
    assert model.loss_curve_[:2] == first
    assert model.n_iter_ == 4
    assert model.set_params(warm_start=False).fit(X, y).loss_curve_ == first


def test_partial_fits_are_the_epochs_of_a_fit():
    X, y = two_domains()
    parameters = {**IN_BATCHES, "epochs": 2, "kind": "variational"}
    whole = CrossDomainAutoencoderRecommender(**parameters).fit(X, y)
    parts = CrossDomainAutoencoderRecommender(**parameters).partial_fit(X, y)
    parts = pickle.loads(pickle.dumps(parts)).partial_fit(X, y)
    assert parts.loss_curve_ == whole.loss_curve_
    for ours, theirs in (
        (parts.item_factors_, whole.item_factors_),
        (parts.popularity_, whole.popularity_),
    ):
        assert_array_equal(ours, theirs)
    assert_array_equal(parts.decision_function(X), whole.decision_function(X))


@pytest.mark.parametrize("first", ["fit", "partial_fit"])
def test_partial_fit_counts_the_popularity_of_all_rows(first):
    X, y = two_domains()
    model = getattr(CrossDomainAutoencoderRecommender(**TINY), first)(X[:30], y[:30])
    n_before = model.n_iter_
    model.partial_fit(X[30:], y[30:])
    assert_allclose(model.popularity_, y.mean(axis=0), rtol=1e-6)
    assert model.n_iter_ == n_before + 1
    with pytest.raises(ValueError, match="X has 9 features"):
        model.partial_fit(X[:, :9], y)
    assert_allclose(model.popularity_, y.mean(axis=0), rtol=1e-6)


def test_early_stopping_keeps_the_best_weights():
    X, y = two_domains()
    parameters = {**TINY, "epochs": 60, "learning_rate": 0.2, "input_dropout": 0}
    model = CrossDomainAutoencoderRecommender(**parameters, validation_fraction=0.3, patience=2)
    curve = model.fit(X, y).validation_loss_curve_
    assert model.n_iter_ == len(curve) < 60
    assert np.argmin(curve) == len(curve) - 3


def test_bad_input():
    X, y = two_domains()
    model = CrossDomainAutoencoderRecommender(**TINY)
    with pytest.raises(ValueError, match="no interactions"):
        model.fit(X, np.zeros_like(y))
    with pytest.raises(ValueError, match="Negative values in data passed to y"):
        model.fit(X, y - 1)
    with pytest.raises(ValueError, match="hidden_layer_sizes must hold integers"):
        model.set_params(hidden_layer_sizes=(0,)).fit(X, y)
    with pytest.raises(AttributeError, match="not fitted"):
        _ = model.item_factors_


@pytest.mark.slow
def test_taste_is_transferred_to_cold_rows():
    domains = make_cross_domain(600, random_state=0)
    search = GridSearchCV(
        CrossDomainAutoencoderRecommender(32, random_state=0),
        {"epochs": [10, 30], "kind": KINDS},
        scoring=ranking_scorer("ndcg", k=10),
        cv=3,
        n_jobs=2,
    ).fit(domains.X_source, domains.Y_target)
    popularity = PopularityRecommender().fit(domains.Y_target)
    without = popularity.score(sp.csr_array(domains.Y_cold.shape), domains.Y_cold)
    assert search.score(domains.X_cold, domains.Y_cold) > 1.3 * without
