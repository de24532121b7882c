# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import log_expit, log_softmax

from sktransrec._engine._dense import adversarial_autoencoder, autoencoder
from sktransrec._engine._network import Network
from sktransrec._engine._objectives import (
    DomainLabels,
    DomainTargets,
    EntryTargets,
    HeadLoss,
    Objective,
    kl_divergence,
    total_loss,
)
from sktransrec._engine._state import engine

LOSSES = ["mse", "binary_crossentropy", "multinomial"]


def _linear_and_targets(seed=0):
    """Return outputs, some of them extreme, and targets from 0 to 1 with an empty row."""
    rng = np.random.RandomState(seed)
    linear = rng.standard_normal((7, 9)) * 3
    linear[0, 0], linear[1, 1] = 60, -60
    targets = rng.uniform(size=linear.shape) * (rng.uniform(size=linear.shape) < 0.4)
    targets[3] = 0
    return linear.astype(np.float32), targets.astype(np.float32)


def _reference(linear, targets, loss):
    f, x = linear.astype(np.float64), targets.astype(np.float64)
    if loss == "mse":
        return ((x - f) ** 2).sum()
    if loss == "binary_crossentropy":
        return -(x * log_expit(f) + (1 - x) * log_expit(-f)).sum()
    return -(x * log_softmax(f, axis=1)).sum()


def _value_and_gradient(linear, targets, loss):
    import tensorflow as tf

    linear = tf.constant(linear)
    with tf.GradientTape() as tape:
        tape.watch(linear)
        value = total_loss(linear, targets, loss)
    return float(value), tape.gradient(value, linear).numpy()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_loss_is_the_formula(loss, form):
    linear, targets = _linear_and_targets()
    value, _ = _value_and_gradient(linear, engine().as_tensor(form(targets)), loss)
    np.testing.assert_allclose(value, _reference(linear, targets, loss), rtol=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_gradient_is_that_of_finite_differences(loss, form):
    linear, targets = _linear_and_targets()
    _, gradient = _value_and_gradient(linear, engine().as_tensor(form(targets)), loss)
    step = 1e-4
    for i, j in np.ndindex(linear.shape):
        moved = np.repeat(linear[None].astype(np.float64), 2, axis=0)
        moved[:, i, j] += [-step, step]
        below, above = (_reference(f, targets, loss) for f in moved)
        assert gradient[i, j] == pytest.approx((above - below) / (2 * step), abs=1e-3, rel=1e-4)


def test_divergence_is_the_integral():
    engine()
    mean, std = 0.7, 0.4
    z = np.linspace(-6, 6, 20001)
    density = np.exp(-0.5 * ((z - mean) / std) ** 2) / (std * np.sqrt(2 * np.pi))
    log_ratio = -0.5 * ((z - mean) / std) ** 2 - np.log(std) + 0.5 * z**2
    expected = np.trapezoid(density * log_ratio, z)
    actual = kl_divergence(np.float32([[mean, 0]]), np.log(np.float32([[std, 1]])))
    assert float(actual) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_domains_have_a_loss_each(form):
    import keras
    import tensorflow as tf

    linear, targets = _linear_and_targets()
    layer = keras.layers.Dense(9, kernel_initializer="identity", dtype="float32")
    layer.build((None, 9))
    head = HeadLoss(layer, None, "multinomial")
    parts = [engine().as_tensor(form(part)) for part in (targets[:, :4], targets[:, 4:])]
    f = tf.constant(linear)
    with tf.GradientTape() as tape:
        tape.watch(f)
        value = head(f, DomainTargets(*parts, 0.3))
    expected = [
        _value_and_gradient(linear[:, columns], targets[:, columns], "multinomial")
        for columns in (slice(0, 4), slice(4, None))
    ]
    assert float(value) == pytest.approx(0.3 * expected[0][0] + expected[1][0], rel=1e-6)
    np.testing.assert_allclose(
        tape.gradient(value, f).numpy(),
        np.hstack([0.3 * expected[0][1], expected[1][1]]),
        atol=1e-5,
    )


def test_the_objective_is_the_sum_of_the_terms():
    """Each computed alone, of a batch that has targets for all of them."""
    engine()
    network = adversarial_autoencoder(9, (4,), 3, (2,), activation="tanh", loss="mse", seed=0)
    _, rows = _linear_and_targets()
    domains = np.float32([1, 1, 1, -1, -1, -1, 0])
    inputs = [rows, np.sign(domains)[:, None]]
    targets = {"output": EntryTargets(rows), "domain": DomainLabels(domains, np.float32(0.5))}

    def value(*names):
        terms = {name: network.terms[name] for name in names}
        part = Network(network.model, ([], None), terms)
        return float(Objective(part, regularization=0.0)(inputs, targets, training=True))

    alone = value("output"), value("domain")
    assert min(alone) > 0
    assert value("output", "domain") == pytest.approx(sum(alone), rel=1e-6)


def test_regularization_is_the_weight_of_the_squares_of_all_kernels():
    engine()
    network = autoencoder(
        9, (4,), 3, activation="tanh", code_activation="linear", output_activation=None,
        loss="mse", variational=False, seed=0,
    )  # fmt: skip
    _, rows = _linear_and_targets()
    values = {
        regularization: float(
            Objective(network, regularization)([rows], {"output": EntryTargets(rows)}, True)
        )
        for regularization in (0.0, 0.25)
    }
    kernels = [each.numpy() for path, each in network.weights.items() if path.endswith("kernel")]
    assert len(kernels) == 4
    expected = 0.25 * sum((kernel**2).sum() for kernel in kernels)
    assert values[0.25] - values[0.0] == pytest.approx(expected, rel=1e-4)
