# SPDX-License-Identifier: BSD-3-Clause
"""Sounds as arrays of (time, mel bands): tones of which some rise and others fall."""

import functools

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sktransrec import (
    CNNEncoder,
    ContentKNNRecommender,
    ItemFeatures,
    RidgeRecommender,
    RNNEncoder,
    recommend,
)
from sktransrec.metrics import ndcg_at_k

OLD, NEW = slice(0, 250), slice(250, None)
TRAINING = {"loss": "multinomial", "learning_rate": 1e-2, "epochs": 5, "random_state": 0}
CNN = CNNEncoder(8, kernel_sizes=(3,), pooling="max", **TRAINING)
RNN = RNNEncoder(8, **TRAINING)


@functools.cache
def _learned(network):
    """Return a network that has heard the old sounds, which no test changes."""
    sounds, y = _sounds()
    return FrozenEstimator(clone(network).fit(sounds[OLD], y[OLD]))


@functools.cache
def _sounds(n_sounds=350, n_steps=16, n_bands=12, length=8):
    """Return tones from any pitch at any time, and who likes them: all rising or all falling ones.

    Both kinds have the same bands on average, and silence is 0.
    """
    rng = np.random.RandomState(0)
    rises = rng.uniform(size=n_sounds) < 0.5
    step = np.arange(n_steps) - rng.randint(n_steps - length, size=(n_sounds, 1))
    is_heard = (step >= 0) & (step < length)
    pitch = rng.randint(5, size=(n_sounds, 1))
    pitch = pitch + np.where(rises[:, None], step, length - 1 - step)
    bands = np.exp(-((np.arange(n_bands) - pitch[..., None]) ** 2) / 2)
    noise = 0.1 * rng.uniform(size=bands.shape)
    chance = np.where(rises[:, None] == (rng.uniform(size=60) < 0.5), 0.3, 0.03)
    likes = rng.uniform(size=chance.shape) < chance
    sounds = ((bands + noise) * is_heard[..., None]).astype(np.float32)
    return sounds, sp.csr_array(likes.astype(np.float32))


def _quality(*steps):
    """Return the NDCG@10 of the users whom one would tell of each new sound."""
    sounds, y = _sounds()
    model = make_pipeline(*steps, StandardScaler(), RidgeRecommender(10)).fit(sounds[OLD], y[OLD])
    return ndcg_at_k(y[NEW], recommend(model, sounds[NEW])[0], k=10)


def _of_the_most_active():
    _, y = _sounds()
    users = np.argsort(-y[OLD].sum(axis=0), kind="stable")[:10]
    return ndcg_at_k(y[NEW], np.tile(users, (y[NEW].shape[0], 1)), k=10)


def _mean_bands(sounds):
    return sounds.mean(axis=1)


@pytest.mark.parametrize(
    "network", [CNN, pytest.param(RNN, marks=pytest.mark.slow)], ids=["cnn", "rnn"]
)
def test_networks_hear_what_the_mean_of_the_bands_does_not_tell(network):
    floor = _of_the_most_active()
    assert _quality(FunctionTransformer(_mean_bands)) < 1.25 * floor
    assert _quality(_learned(network)) > 1.5 * floor


def test_features_of_a_network_are_ready_vectors_for_other_models():
    sounds, y = _sounds()
    qualities = []
    for encoder in (_mean_bands, _learned(CNN)):
        old, new = (ItemFeatures(sounds[part]).encoded(encoder).values for part in (OLD, NEW))
        columns = np.arange(len(sounds))
        model = ContentKNNRecommender(ItemFeatures(old, columns[OLD])).fit(y[OLD].T)
        later = model.with_items(ItemFeatures(new, columns[NEW]))
        shown, _ = later.recommend(y[OLD].T, candidates=columns[NEW])
        qualities.append(ndcg_at_k(y[NEW].T, shown - columns[NEW][0], k=10))
    assert qualities[1] > 1.5 * qualities[0]


def test_silence_at_the_end_changes_nothing():
    """So sounds of any length can be padded with 0."""
    sounds, _ = _sounds()
    network = _learned(CNN)
    early = sounds[:, :12][~sounds[:, 12:].any(axis=(1, 2))]
    padded = np.pad(early, ((0, 0), (0, 4), (0, 0)))
    shifted = np.pad(early[:, 1:], ((0, 0), (0, 5), (0, 0)))[~early[:, 0].any(axis=1)]
    same = network.transform(padded[~early[:, 0].any(axis=1)])
    np.testing.assert_allclose(network.transform(shifted), same, rtol=1e-4, atol=1e-5)
