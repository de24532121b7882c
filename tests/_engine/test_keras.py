# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
from _networks import SIZES, sparse_rows

from sktransrec._engine import _layers
from sktransrec._engine._dense import autoencoder
from sktransrec._engine._state import FittedNetwork, engine


def test_sparse_product_and_its_gradient():
    engine()
    import tensorflow as tf

    X = sparse_rows()
    dense = tf.Variable(np.random.RandomState(1).standard_normal((12, 4)).astype(np.float32))
    upstream = np.random.RandomState(2).standard_normal((20, 4)).astype(np.float32)
    with tf.GradientTape() as tape:
        product = _layers._sparse_product(engine().as_tensor(X), tf.convert_to_tensor(dense))
        total = tf.reduce_sum(product * upstream)
    np.testing.assert_allclose(product, X @ dense.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(tape.gradient(total, dense), X.T @ upstream, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("variational", [False, True])
def test_rebuilt_network_is_the_same(variational):
    engine()
    network = autoencoder(**{**SIZES, "variational": variational})
    weights = {path: each.numpy() for path, each in network.weights.items()}
    fitted = FittedNetwork(network.config, weights, network.item_axes)
    assert fitted.network is fitted.network
    inputs = [np.ones((2, 12), np.float32), np.ones((2, 3), np.float32)][: 1 + variational]
    np.testing.assert_array_equal(fitted.network.model(inputs), network.model(inputs))
    codes = fitted.served.run("encoder", inputs[0])
    assert fitted.served.run("decoder", codes).shape == (2, 12)
    assert fitted.network.config == network.config


def test_another_backend_is_refused(monkeypatch):
    import keras

    engine()
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ImportError, match="KERAS_BACKEND"):
        engine()
