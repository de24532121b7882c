# SPDX-License-Identifier: BSD-3-Clause
"""A network, its config and its state are three forms of one thing."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sktransrec._engine._state import FittedNetwork

SIZES = {
    **{"n_features": 6, "hidden_layer_sizes": (4,), "n_components": 2, "activation": "tanh"},
    **{"code_activation": "linear", "output_activation": None, "loss": "mse"},
    "variational": False,
}
ROWS = np.random.RandomState(0).rand(5, 6).astype(np.float32)


def network(seed=0):
    from sktransrec._engine._dense import autoencoder

    return autoencoder(**SIZES, seed=seed)


def arrays(net):
    return {path: weight.numpy() for path, weight in net.weights.items()}


def test_parts_are_the_layers_between_their_ends():
    net = network()
    W = arrays(net)
    hidden = np.tanh(ROWS @ W["encoder_1/kernel"] + W["encoder_1/bias"])
    code = hidden @ W["code/kernel"] + W["code/bias"]
    assert_allclose(net.part("encoder")([ROWS]), code, atol=1e-6)
    hidden = np.tanh(code @ W["decoder_1/kernel"] + W["decoder_1/bias"])
    decoded = hidden @ W["output/kernel"] + W["output/bias"]
    assert_allclose(net.part("decoder")([code]), decoded, atol=1e-6)
    assert net.part("encoder") is net.part("encoder")


def test_axes_of_items_count_the_columns_of_x():
    net = network()
    W = arrays(net)
    assert {W[path].shape[axis] for path, axis in net.item_axes.items()} == {6}
    assert sum(6 in array.shape for array in W.values()) == len(net.item_axes)


def test_the_config_builds_the_same_network():
    net = network()
    other = type(net).from_config(net.config)
    other.assign(arrays(net))
    assert_array_equal(other.part("encoder")([ROWS]), net.part("encoder")([ROWS]))
    code = np.ones((2, 2), dtype=np.float32)
    assert_array_equal(other.part("decoder")([code]), net.part("decoder")([code]))


def test_weights_of_other_sizes_are_refused():
    net = network()
    weights = arrays(net) | {"code/kernel": np.zeros((4, 3))}
    with pytest.raises(ValueError, match="layers changed since it was fitted"):
        net.assign(weights)


def test_the_seed_is_all_that_the_weights_depend_on():
    np.random.seed(1)  # noqa: NPY002
    first = arrays(network(seed=3))
    np.random.seed(2)  # noqa: NPY002
    again, other = arrays(network(seed=3)), arrays(network(seed=4))
    for path, array in first.items():
        assert_array_equal(again[path], array)
        assert path.endswith("bias") or not np.array_equal(other[path], array)


def test_a_pickled_state_is_config_and_arrays():
    net = network()
    state = FittedNetwork(net.config, arrays(net), net.item_axes)
    assert_allclose(state.served.run("encoder", ROWS), net.part("encoder")([ROWS]), atol=1e-6)
    loaded = pickle.loads(pickle.dumps(state))
    assert loaded._served is None
    assert_array_equal(loaded.served.run("encoder", ROWS), state.served.run("encoder", ROWS))
