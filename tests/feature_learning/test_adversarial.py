# SPDX-License-Identifier: BSD-3-Clause
"""DomainAdversarialAutoencoder: codes without a domain, rows reconstructed all the same."""

import copy
import functools
import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sktransrec import (
    DomainAdversarialAutoencoder,
    PopularityRecommender,
    RidgeRecommender,
    recommend,
)
from sktransrec._engine._dense import adversarial_autoencoder
from sktransrec._engine._objectives import DomainLabels, EntryTargets, Objective
from sktransrec.datasets import make_cross_domain
from sktransrec.metrics import ndcg_at_k

TINY = {
    "n_components": 3,
    "hidden_layer_sizes": (6,),
    "discriminator_layer_sizes": (5,),
    "epochs": 2,
    "batch_size": 40,
    "run_eagerly": True,
    "random_state": 0,
}
IN_BATCHES = {**TINY, "batch_size": 20}


def two_domains(n_rows=300, n_features=12, seed=0, factors=None):
    """Rows made of latent factors, the target's columns shifted and scaled; and the factors."""
    rng = np.random.default_rng(seed)
    factors = rng.standard_normal((2 * n_rows, 3)) if factors is None else factors
    X = factors @ rng.standard_normal((3, n_features))
    X += 0.3 * rng.standard_normal(X.shape)
    X[n_rows:] *= np.exp(0.5 * rng.standard_normal(n_features))
    X[n_rows:] += 1.5 * rng.standard_normal(n_features)
    return (X / X.std()).astype(np.float32), np.repeat([1, -1], n_rows), factors


def accuracy(codes, domain):
    """How often a logistic regression that has not seen a row tells its domain."""
    classifier = make_pipeline(StandardScaler(), LogisticRegression())
    return cross_val_score(classifier, codes, domain, cv=5).mean()


def explained(X, reconstructed):
    return 1 - ((X - reconstructed) ** 2).sum() / ((X - X.mean(axis=0)) ** 2).sum()


@functools.cache
def learned_from_two_domains(weight):
    """Return rows of two domains, and what was learned from them with an adversarial weight."""
    X, domain, factors = two_domains()
    return X, domain, factors, learned(X, domain, adversarial_weight=weight)


def learned(X, domain, **parameters):
    model = DomainAdversarialAutoencoder(
        6,
        hidden_layer_sizes=(24,),
        epochs=50,
        batch_size=150,
        learning_rate=6e-3,
        random_state=0,
    )
    return model.set_params(**parameters).fit(X, sample_domain=domain)


@functools.cache
def tiny_fitted(batch_size):
    """Return a learner of forty rows of two domains, which no test changes."""
    X, domain, _ = two_domains(n_rows=20)
    model = DomainAdversarialAutoencoder(**{**TINY, "batch_size": batch_size})
    return model.fit(X, sample_domain=domain)


def test_codes_do_not_tell_the_domain_and_rows_are_reconstructed():
    found = {}
    for weight in (0, 3):
        X, domain, factors, model = learned_from_two_domains(weight)
        codes = model.transform(X)
        probe = Ridge().fit(codes[domain > 0], factors[domain > 0])
        found[weight] = (
            accuracy(codes, domain),
            explained(X, model.inverse_transform(codes, domain)),
            probe.score(codes[domain < 0], factors[domain < 0]),
        )
    print(accuracy(X, domain), found)
    assert found[0][0] > 0.95
    assert found[3][0] < 0.6
    assert found[3][1] > 0.95
    # What was learned in the source holds in the target.
    assert found[3][2] > 0.85 > 0.5 > found[0][2]


@pytest.mark.slow
def test_recommender_of_source_codes_serves_the_items_of_the_target():
    """Rows are items, columns of y users; the content of the target is distorted."""
    domains = make_cross_domain(
        300,
        300,
        300,
        n_cold_users=0,
        n_components=3,
        source_density=0.1,
        random_state=0,
        return_truth=True,
    )
    factors = np.vstack([domains.truth.source_factors, domains.truth.target_factors])
    X, domain, _ = two_domains(factors=3 * factors)
    buyers, wanted = domains.X_source.T, domains.Y_target.T
    codes, ndcg = learned(X, domain).transform(X), {}
    # What "auto" finds best in the source need not be best in a target that is distorted.
    for name, Z, regularization in (("raw", X, 1.0), ("auto", X, "auto"), ("codes", codes, 1.0)):
        ridge = RidgeRecommender(regularization=regularization).fit(Z[domain > 0], buyers)
        ndcg[name] = ridge.score(Z[domain < 0], wanted)
    most_active, _ = PopularityRecommender().fit(buyers).recommend(wanted * 0)
    ndcg["popularity"] = ndcg_at_k(wanted, most_active)
    print(ndcg)
    assert ndcg.pop("codes") > 1.1 * max(ndcg.values())


def test_rows_are_reconstructed_in_either_domain():
    X, domain, factors, model = learned_from_two_domains(3)
    codes = model.transform(X)
    as_source = model.inverse_transform(codes, 1)
    probe = Ridge().fit(X[domain > 0], factors[domain > 0])
    scores = [probe.score(rows[domain < 0], factors[domain < 0]) for rows in (X, as_source)]
    assert scores[1] > 0.8 > scores[0]
    assert_array_equal(model.inverse_transform(codes), model.inverse_transform(codes, -1))


def test_gradient_of_the_code_is_reversed_and_that_of_the_discriminator_is_not():
    import tensorflow as tf

    X, domain, _ = two_domains(n_rows=8)
    network = adversarial_autoencoder(12, (6,), 3, (5,), activation="tanh", loss="mse", seed=0)
    variables = network.model.trainable_variables
    objective = Objective(network, regularization=0.0)
    signs = domain.astype(np.float32)
    gradients = []
    for reversal in (0.0, 1.0, 2.0):
        with tf.GradientTape() as tape:
            labels = DomainLabels(signs, np.float32(reversal))
            targets = {"output": EntryTargets(X), "domain": labels}
            loss = objective([X, signs[:, None]], targets, training=True)
        found = tape.gradient(loss, variables)
        gradients.append({each.path: value for each, value in zip(variables, found, strict=True)})
    for name in ("discriminator/kernel", "discriminator_1/kernel", "output/kernel"):
        assert_allclose(gradients[2][name], gradients[0][name], atol=1e-6)
    for name in ("encoder_1/kernel", "code/kernel"):
        once, twice = (each[name] - gradients[0][name] for each in gradients[1:])
        assert abs(np.array(once)).max() > 1e-3
        assert_allclose(twice, 2 * once, atol=1e-5)


def test_reversal_rises_as_in_the_paper():
    model = DomainAdversarialAutoencoder(epochs=10, adversarial_weight=2)
    for p in (0, 0.1, 0.5, 1):
        assert model._reversal(10 * p) == pytest.approx(2 * (2 / (1 + np.exp(-10 * p)) - 1))


def test_both_domains_count_alike():
    _, weights = DomainAdversarialAutoencoder()._check_fit_rows(
        np.ones((5, 2)), [1, -1, -1, -1, -1], reset=True
    )
    assert_allclose(weights, [2.5, -0.625, -0.625, -0.625, -0.625])


@pytest.mark.parametrize("loss", ["mse", "binary_crossentropy", "multinomial"])
def test_sparse_rows_are_as_dense_ones(loss):
    X = (two_domains(n_rows=20)[0] > 0.5).astype(np.float32)
    domain = np.repeat([1, -1], 20)
    dense, sparse = (
        DomainAdversarialAutoencoder(**TINY, loss=loss).fit(Z, sample_domain=domain)
        for Z in (X, sp.csr_array(X))
    )
    assert_allclose(dense.transform(X), sparse.transform(sp.csr_array(X)), atol=1e-5)
    assert dense.inverse_transform(dense.transform(X)).shape == X.shape


def test_one_domain_trains_an_autoencoder_alone():
    X, _, _ = two_domains(n_rows=20)
    alone = DomainAdversarialAutoencoder(**TINY).fit(X)
    unheeded = DomainAdversarialAutoencoder(**TINY, adversarial_weight=0).fit(X)
    assert_array_equal(alone.transform(X), unheeded.transform(X))
    heeded = tiny_fitted(40)
    assert abs(heeded.transform(X) - alone.transform(X)).max() > 1e-4


def test_runs_are_the_same_and_saved():
    X, domain, _ = two_domains(n_rows=20)
    model = tiny_fitted(20)
    again = DomainAdversarialAutoencoder(**IN_BATCHES)
    codes = again.fit_transform(X, sample_domain=domain)
    assert_array_equal(codes, model.transform(X))
    loaded = pickle.loads(pickle.dumps(model))
    assert_array_equal(loaded.transform(X), codes)
    assert_array_equal(loaded.inverse_transform(codes, 1), model.inverse_transform(codes, 1))


def test_partial_fits_are_the_epochs_of_a_fit():
    X, domain, _ = two_domains(n_rows=20)
    whole = tiny_fitted(20)
    parts = DomainAdversarialAutoencoder(**IN_BATCHES)
    for _ in range(2):
        parts.partial_fit(X, sample_domain=domain)
    assert_allclose(parts.transform(X), whole.transform(X), atol=1e-6)


def test_domains_reach_a_step_of_a_pipeline():
    X, domain, _ = two_domains(n_rows=20)
    y = (np.random.default_rng(0).uniform(size=(40, 12)) < 0.4).astype(np.float32)
    pipeline = make_pipeline(DomainAdversarialAutoencoder(**TINY), RidgeRecommender())
    pipeline.fit(X, y, domainadversarialautoencoder__sample_domain=domain)
    codes = tiny_fitted(40).transform(X)
    assert_array_equal(
        recommend(pipeline, X)[0], RidgeRecommender().fit(codes, y).recommend(codes)[0]
    )


def test_bad_domains_leave_the_model_as_it_was():
    X, domain, _ = two_domains(n_rows=20)
    model = copy.deepcopy(tiny_fitted(40))
    before = model.transform(X)
    with pytest.raises(ValueError, match="sample_domain holds zeros"):
        model.fit(X, sample_domain=domain * 0)
    with pytest.raises(ValueError, match="All rows of sample_domain are of the source"):
        model.partial_fit(X, sample_domain=domain**2)
    with pytest.raises(ValueError, match="sample_domain has shape"):
        model.inverse_transform(before, [1, -1])
    assert_array_equal(model.transform(X), before)
