# SPDX-License-Identifier: BSD-3-Clause
"""What holds for the network of every learner."""

import contextlib
import functools
import multiprocessing
import pickle
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from sktransrec import (
    Autoencoder,
    CNNEncoder,
    CrossDomainAutoencoderRecommender,
    DomainAdversarialAutoencoder,
    NextItemRecommender,
    RNNEncoder,
    TextEncoder,
    TwoTowerAutoencoderRecommender,
)
from sktransrec._engine._numpy_layers import ACTIVATION_FUNCTIONS
from sktransrec._engine._seeded_layers import ACTIVATIONS
from sktransrec._engine._state import FittedNetwork, engine

N_ROWS, N_STEPS, N_COLUMNS = 3, 3, 8
LENGTHS = np.array([3, 2, 0])
# Whole numbers are of numpy, as searches over a range pass them.
TINY = {
    **{"n_components": np.int64(3), "epochs": np.int64(1), "batch_size": np.int64(3)},
    **{"run_eagerly": True, "random_state": 0},
}


def rows(n_columns=N_COLUMNS):
    """Return nonnegative rows, the values of which are at most 1."""
    rng = np.random.RandomState(0)
    values = rng.uniform(size=(N_ROWS, n_columns)) * (rng.uniform(size=(N_ROWS, n_columns)) < 0.6)
    return sp.csr_array(values.astype(np.float32))


def tokens():
    """Return ids from 1 to 5, padded with zeros at the end."""
    ids = np.random.RandomState(0).randint(1, 6, (N_ROWS, N_STEPS)) * is_step()
    ids[0] = [1, 5, 4]
    return ids


def vectors():
    values = np.random.RandomState(0).standard_normal((N_ROWS, N_STEPS, 2)) * is_step()[..., None]
    return values.astype(np.float32)


def is_step():
    return np.arange(N_STEPS) < LENGTHS[:, None]


SIGNALS = np.random.RandomState(0).standard_normal((N_ROWS, N_STEPS)).astype(np.float32)
IMAGES = np.random.RandomState(0).uniform(size=(N_ROWS, 5, 4, 2)).astype(np.float32)
DOMAINS = np.where(np.arange(N_ROWS) % 3, 1, -1)
CNN = {"hidden_layer_sizes": (4, 3), "kernel_sizes": (2, 3), "dropout": 0.0}
RNN = {"hidden_layer_sizes": (4,), "dropout": 0.0}
NEXT = {"n_layers": np.int64(1), "dropout": 0.0}

# The learner, its rows and what `fit` takes beside them.
NETWORKS = {
    "autoencoder": (Autoencoder(), rows(), {}),
    "autoencoder, denoising": (
        Autoencoder(kind="denoising", loss="binary_crossentropy"),
        rows(),
        {},
    ),
    "autoencoder, variational": (Autoencoder(kind="variational", loss="multinomial"), rows(), {}),
    "adversarial": (
        DomainAdversarialAutoencoder(regularization=0.0),
        rows(),
        {"sample_domain": DOMAINS},
    ),
    "cnn, tokens": (CNNEncoder(embedding_size=4, **CNN), tokens(), {}),
    "cnn, tokens with y": (CNNEncoder(loss="multinomial", **CNN), tokens(), {"y": rows()}),
    "cnn, vectors": (CNNEncoder(**CNN), vectors(), {}),
    "cnn, signals": (CNNEncoder(**CNN), SIGNALS, {}),
    "cnn, images": (CNNEncoder(loss="binary_crossentropy", **CNN), IMAGES, {}),
    "cnn, images with y": (CNNEncoder(pooling="max", **CNN), IMAGES, {"y": rows()}),
    "gru, tokens": (RNNEncoder(**RNN), tokens(), {}),
    "gru, sampled tokens": (RNNEncoder(n_negatives=5, **RNN), tokens(), {}),
    "lstm, vectors": (RNNEncoder(cell="lstm", **RNN), vectors(), {}),
    "simple, signals": (RNNEncoder(cell="simple", **RNN), SIGNALS, {}),
    "both ways, tokens with y": (
        RNNEncoder(bidirectional=True, **{**RNN, "hidden_layer_sizes": (4, 3)}),
        tokens(),
        {"y": rows()},
    ),
    "text": (TextEncoder(embedding_size=4, **NEXT), tokens(), {}),
    "text with y": (TextEncoder(embedding_size=np.int64(4), **NEXT), tokens(), {"y": rows()}),
    "next item, attention": (NextItemRecommender(**NEXT), tokens(), {}),
    "next item, attention, sampled": (NextItemRecommender(n_negatives=5, **NEXT), tokens(), {}),
    "next item, cnn": (NextItemRecommender("cnn", **NEXT), tokens(), {}),
    "next item, gru": (NextItemRecommender("gru", **NEXT), tokens(), {}),
    "next item, lstm": (NextItemRecommender("lstm", **NEXT), tokens(), {}),
    "two towers": (TwoTowerAutoencoderRecommender(slice(3, None)), rows(), {}),
    "two towers, variational": (
        TwoTowerAutoencoderRecommender(slice(3, None), kind="variational"),
        rows(),
        {},
    ),
    "across domains": (CrossDomainAutoencoderRecommender(), rows(), {"y": rows(5)}),
}

# One of each builder of networks, and of each kind of its layers.
BUILT = (
    *("autoencoder, variational", "adversarial", "cnn, tokens with y", "cnn, signals"),
    *("cnn, images", "gru, sampled tokens", "both ways, tokens with y", "text with y"),
    *("next item, attention", "next item, cnn", "two towers, variational"),
)


@functools.cache
def fitted(name):
    """Return a learner fitted on its rows, and these as its network takes them with targets.

    No test changes them.
    """
    return newly_fitted(name)


def newly_fitted(name):
    learner, X, others = NETWORKS[name]
    learner = clone(learner).set_params(**TINY).fit(X, **others)
    targets = others.get("sample_domain", others.get("y"))
    return learner, *learner._check_fit_rows(X, targets, reset=False)


def loss_and_gradients(learner, trainer, X, y):
    """Return the loss of a batch, and its gradient for each weight."""
    import tensorflow as tf

    rng = np.random.RandomState(0) if getattr(learner, "n_negatives", None) else None
    batch = tf.nest.map_structure(engine().as_tensor, learner._batch(X, y, rng, 3.0))
    variables = trainer.network.model.trainable_variables
    with tf.GradientTape() as tape:
        loss = trainer._objective(*batch, training=True)
    gradients = tape.gradient(loss, variables, unconnected_gradients="zero")
    gradients = {
        variable.path: tf.convert_to_tensor(gradient).numpy()
        for variable, gradient in zip(variables, gradients, strict=True)
    }
    return {"loss": loss.numpy(), **gradients}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in BUILT else pytest.mark.slow)
        for name in NETWORKS
        if name != "text"  # which hides tokens by the batch
    ],
)
def test_a_row_is_the_same_alone_and_in_a_batch(name):
    """The loss and the gradient of a batch are the means of those of its rows."""
    learner, X, y = fitted(name)
    _check_codes(learner, X)
    trainer = learner._trainer(X, y, keep_optimizer=False)
    X, places, _ = learner._held_out(trainer, X, y, 0)

    def of_rows(rows):
        return loss_and_gradients(learner, trainer, X[rows], None if y is None else y[rows])

    alone = [of_rows([place]) for place in places]
    for path, actual in of_rows(places).items():
        expected = np.mean([alone[place][path] for place in places], axis=0)
        assert_allclose(actual, expected, rtol=1e-4, atol=1e-5, err_msg=path)


def _check_codes(learner, X):
    """A code is the same to the last bit in any batch."""
    shape = (learner.n_components,)
    alone = np.array([learner._forward("encoder", X[[i]], shape)[0] for i in range(N_ROWS)])
    for batch in (np.arange(N_ROWS), [2, 1], np.arange(30) % N_ROWS):
        assert_array_equal(learner._forward("encoder", X[batch], shape), alone[batch])


@pytest.mark.parametrize("name", NETWORKS)
def test_numpy_and_keras_agree(name):
    """Also where weights are larger than those of a network that has just started."""
    learner, X, _ = fitted(name)
    state = learner._fitted_network
    rng = np.random.RandomState(0)
    weights = {
        path: weight + rng.normal(0, 0.3, weight.shape).astype(weight.dtype)
        for path, weight in state.weights.items()
    }
    state = FittedNetwork(state.config, weights, state.item_axes)
    rows = learner._inputs("encoder", X)
    codes = _checked_against_keras(state, "encoder", rows)
    if isinstance(learner, Autoencoder | DomainAdversarialAutoencoder | CNNEncoder):
        if name == "adversarial":
            codes = np.hstack([codes, DOMAINS[:, None]])
        _checked_against_keras(state, "decoder", codes)


def _checked_against_keras(state, part, rows):
    actual = state.served.run(part, rows)
    expected = engine().forward(state.network.part(part), rows)
    assert actual.dtype == np.float32
    assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)
    return actual


WITHOUT_TENSORFLOW = """
import pickle, sys, warnings
class NoTensorFlow:
    def find_spec(name, *args):
        if name.partition(".")[0] in {"tensorflow", "keras", "scikeras"}:
            raise ImportError(name + " is not installed here")
sys.meta_path.insert(0, NoTensorFlow)
warnings.simplefilter("error")
saved = pickle.loads(path.read_bytes())
for name, (method, model, X, expected) in saved.items():
    assert (getattr(model, method)(X) == expected).all(), name
_, model, X, _ = saved["autoencoder"]
try:
    model.fit(X)
except ImportError as error:
    assert "pip install tensorflow scikeras" in str(error)
else:
    raise AssertionError("it was fitted")
"""


def test_saved_networks_run_without_tensorflow(run_in_new_process, tmp_path):
    saved = {name: _saved_with_outcome(name) for name in NETWORKS}
    path = tmp_path / "models.pickle"
    path.write_bytes(pickle.dumps(saved))
    assert run_in_new_process(WITHOUT_TENSORFLOW, path=path) == 0


def _saved_with_outcome(name):
    """Return a method, the fitted model that has it, its rows and what it makes of them."""
    model, (_, X, _) = fitted(name)[0], NETWORKS[name]
    method = "transform" if hasattr(model, "transform") else "decision_function"
    return method, model, X, getattr(model, method)(X)


@pytest.mark.parametrize("name", [*ACTIVATIONS, "exponential", "softmax"])
def test_activations_are_those_of_keras(name):
    engine()
    import keras

    x = np.linspace(-20, 20, 2002).reshape(2, 1001).astype(np.float32)
    x[0, :3] = [-200, 0, 200] if name != "exponential" else 0
    expected = np.asarray(keras.activations.get(name)(x))
    with np.errstate(over="ignore"):
        assert_allclose(ACTIVATION_FUNCTIONS[name](x), expected, rtol=2e-6, atol=2e-6)


@contextlib.contextmanager
def other_settings_of_keras():
    engine()
    import keras

    settings = {
        "floatx": "float64",
        "image_data_format": "channels_first",
        "dtype_policy": "mixed_float16",
    }
    before = {name: getattr(keras.config, name)() for name in settings}
    for name, value in settings.items():
        getattr(keras.config, f"set_{name}")(value)
    try:
        yield
    finally:
        for name, value in before.items():
            getattr(keras.config, f"set_{name}")(value)


@pytest.mark.parametrize("name", BUILT)
def test_the_global_state_of_keras_changes_nothing(name, forget_networks):
    expected = _weights_and_codes(fitted(name))
    forget_networks()
    with other_settings_of_keras():
        actual = _weights_and_codes(newly_fitted(name))
    for path, value in expected.items():
        assert_array_equal(actual[path], value, err_msg=path)


def _weights_and_codes(fit):
    learner, X, _ = fit
    codes = learner._forward("encoder", X, (learner.n_components,))
    return {**learner._fitted_network.weights, "codes": codes}


def _errors_in_a_fork(model, X, queue):
    errors = []
    for action in (model.partial_fit, Autoencoder(**TINY).fit, model.transform):
        try:
            action(X)
        except RuntimeError as error:
            errors.append(str(error))
    queue.put(errors)


def test_training_in_a_fork_is_refused():
    """Where TensorFlow was started before; it would hang. Running a fitted network needs none."""
    model = Autoencoder(**TINY).partial_fit(rows())
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads
        child = context.Process(target=_errors_in_a_fork, args=(model, rows(), queue), daemon=True)
        child.start()
    child.join(timeout=60)
    assert child.exitcode == 0
    errors = queue.get()
    assert len(errors) == 2
    assert all('"loky"' in error and "is a fork" in error for error in errors)
