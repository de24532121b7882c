# SPDX-License-Identifier: BSD-3-Clause
"""Features that differ between rows, on every kind of input."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp

from sktransrec import (
    Autoencoder,
    CNNEncoder,
    DomainAdversarialAutoencoder,
    RNNEncoder,
    TextEncoder,
)
from sktransrec.datasets import make_content_domain

N_COMPONENTS = 8
CNN = {"hidden_layer_sizes": (16,), "kernel_sizes": (2, 3)}
SMALL = {"n_components": N_COMPONENTS, "epochs": 1, "run_eagerly": True, "random_state": 0}

DOMAIN = make_content_domain(
    40, 48, 0, n_choices=10, languages=["english"], image_signal=0.5, random_state=0
)
# Of mean one half, as pictures usually are.
IMAGES = np.stack(DOMAIN.images)[:, ::2, ::2].astype(np.float32)
SIGNALS = IMAGES.mean(axis=3).reshape(len(IMAGES), -1)[:, :6]
VECTORS = IMAGES[:, 0].copy()
TOKENS = 1 + (7 * SIGNALS).astype(int)
for padded in (VECTORS, TOKENS):
    padded[::3, 4:] = 0
Y = DOMAIN.X.T.tocsr()


def _cases():
    """Yield an unfitted learner, X, y and the name of the form of X."""
    sparse = sp.csr_array(Y, dtype=np.float32)
    for kind, loss in [
        *(("plain", "mse"), ("plain", "binary_crossentropy"), ("denoising", "multinomial")),
        ("variational", "multinomial"),
    ]:
        yield Autoencoder(kind=kind, loss=loss), sparse, None, "sparse"
    for loss in ("mse", "binary_crossentropy"):
        yield Autoencoder(loss=loss), SIGNALS, None, "dense"
    yield Autoencoder(), SIGNALS + 10, None, "far from zero"
    yield DomainAdversarialAutoencoder(), SIGNALS, None, "dense"
    for form, X in {"signals": SIGNALS, "vectors": VECTORS, "images": IMAGES}.items():
        for loss in ("mse", "binary_crossentropy"):
            yield CNNEncoder(loss=loss, **CNN), X, None, form
    yield CNNEncoder(**CNN), TOKENS, None, "tokens"
    for form, X in {"signals": SIGNALS, "images": IMAGES, "tokens": TOKENS}.items():
        for loss in ("mse", "multinomial"):
            yield CNNEncoder(loss=loss, **CNN), X, Y, form
    yield CNNEncoder(pooling="max", **CNN), IMAGES, None, "images"
    for form, X in {"signals": SIGNALS, "vectors": VECTORS, "tokens": TOKENS}.items():
        yield RNNEncoder(hidden_layer_sizes=(16,)), X, None, form
        yield RNNEncoder(hidden_layer_sizes=(16,), loss="multinomial"), X, Y, form
    for y in (None, Y):
        yield TextEncoder(n_layers=1, embedding_size=8), TOKENS, y, "tokens"


def _name(learner, y, form):
    target = "" if y is None else " with y"
    parameters = learner.get_params()
    kind = parameters.get("kind", parameters.get("pooling", ""))
    return f"{type(learner).__name__} {kind} {learner.loss} {form}{target}"


CASES = {_name(learner, y, form): (learner, X, y) for learner, X, y, form in _cases()}


def n_constant(features):
    return np.count_nonzero(np.ptp(features, axis=0) <= 1e-5 * np.abs(features).max())


# One of each kind of learner and of input; the others are slow together.
OFTEN = {
    *("Autoencoder plain mse dense", "Autoencoder plain mse far from zero"),
    *("Autoencoder variational multinomial sparse", "CNNEncoder auto mse images"),
    *("CNNEncoder auto mse signals", "CNNEncoder auto mse vectors", "CNNEncoder max mse images"),
    *("CNNEncoder auto multinomial tokens with y", "DomainAdversarialAutoencoder  mse dense"),
    *("RNNEncoder  mse tokens", "TextEncoder  mse tokens"),
}
assert CASES.keys() > OFTEN


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in OFTEN else pytest.mark.slow) for name in CASES],
)
def test_no_feature_is_constant(name):
    learner, X, y = CASES[name]
    features = learner.set_params(**SMALL, batch_size=len(IMAGES)).fit(X, y).transform(X)
    assert features.shape == (len(IMAGES), N_COMPONENTS)
    assert n_constant(features) == 0


DEAD = {**SMALL, "epochs": 2, "code_activation": "relu", "learning_rate": 0.1}


@pytest.mark.parametrize(
    ("learner", "X"), [(Autoencoder(**DEAD), SIGNALS), (CNNEncoder(**CNN, **DEAD), IMAGES)]
)
def test_a_collapsed_code_warns_once(learner, X):
    with pytest.warns(UserWarning, match=r"collapsed: \d of its 8.*code_activation") as record:
        learner.fit(X)
    assert len(record) == 1
    assert n_constant(learner.transform(X)) >= N_COMPONENTS / 2


@pytest.mark.parametrize("to_rows", [np.asarray, sp.csr_array])
def test_rows_that_are_the_same_do_not_warn(to_rows):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Autoencoder(**{**DEAD, "epochs": 1}).fit(to_rows(np.ones((5, 4), dtype=np.float32)))
        Autoencoder(**{**DEAD, "epochs": 1}).fit(to_rows(np.eye(1, 4, dtype=np.float32)))
