# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from sktransrec import CNNEncoder

TINY = {
    "n_components": 3,
    "hidden_layer_sizes": (6,),
    "epochs": 1,
    "run_eagerly": True,
    "random_state": 0,
}


def _adjacent(n_rows, seed):
    """Return rows with the tokens 1 and 2 in each, and whether 2 follows right upon 1."""
    rng = np.random.RandomState(seed)
    X = rng.randint(3, 7, (n_rows, 8))
    y = np.arange(n_rows) % 2
    for row, is_pair in zip(X, y, strict=True):
        first = rng.randint(0, 6)
        row[first] = 1
        row[first + 1 if is_pair else rng.choice([i for i in range(8) if abs(i - first) > 1])] = 2
    return X, y


def _counts(X):
    return np.stack([np.bincount(row, minlength=7) for row in X])


def test_neighbours_that_a_bag_of_words_does_not_see():
    X, y = _adjacent(400, 0)
    new, expected = _adjacent(200, 1)
    model = CNNEncoder(
        4,
        hidden_layer_sizes=(12,),
        kernel_sizes=(2,),
        embedding_size=6,
        loss="binary_crossentropy",
        dropout=0.0,
        learning_rate=0.05,
        epochs=30,
        batch_size=400,
        random_state=0,
    ).fit(X, y)
    head = LogisticRegression(C=100).fit(model.transform(X), y)
    assert head.score(model.transform(new), expected) > 0.97
    bag = LogisticRegression(C=100).fit(_counts(X), y)
    assert bag.score(_counts(new), expected) < 0.65


def _layers(model):
    return {layer.name: layer.output.shape[1:] for layer in model.network_.layers}


def test_network_of_texts_is_that_of_the_paper():
    X = np.random.RandomState(0).randint(0, 9, (10, 7))
    model = CNNEncoder(**TINY, embedding_size=5).fit(X, np.ones((10, 4)))
    layers = _layers(model)
    assert layers["embedding"] == (7, 5)
    widths = [model._fitted_network.weights[f"convolution_1_{j}/kernel"].shape for j in (1, 2, 3)]
    assert widths == [(3, 5, 6), (4, 5, 6), (5, 5, 6)]
    assert layers["pooling"] == (18,)
    assert layers["code"] == (3,)
    assert layers["output"] == (4,)


def test_decoder_mirrors_the_encoder():
    X = np.zeros((4, 9, 7, 2))
    model = CNNEncoder(**{**TINY, "hidden_layer_sizes": (6, 5, 4)}, kernel_sizes=(3,)).fit(X)
    layers = _layers(model)
    assert [layers[f"convolution_{i}_1"] for i in (1, 2, 3)] == [(9, 7, 6), (5, 4, 5), (3, 2, 4)]
    assert [layers[f"decoder_{i}_1"] for i in (3, 2, 1)] == [(3, 2, 4), (5, 4, 5), (9, 7, 6)]
    assert layers["output"] == (9, 7, 2)


@pytest.mark.parametrize("pooling", ["max", "flatten", "auto"])
def test_pooling(pooling):
    layers = _layers(CNNEncoder(**TINY, kernel_sizes=(3,), pooling=pooling).fit(np.eye(8)))
    assert layers["pooling"] == ((6,) if pooling == "max" else (48,))


@pytest.mark.parametrize(
    "X",
    [
        np.eye(6, 8)[np.arange(60) % 6],
        np.eye(6, 24)[np.arange(60) % 6].reshape(60, 4, 3, 2),
    ],
    ids=["signals", "images"],
)
def test_rows_are_reconstructed(X):
    model = CNNEncoder(
        6, hidden_layer_sizes=(8,), kernel_sizes=(3,), learning_rate=0.01, epochs=60, random_state=0
    ).set_params(dropout=0.0)
    decoded = model.fit(X).inverse_transform(model.transform(X))
    assert decoded.shape == X.shape
    assert decoded.dtype == np.float32
    assert ((decoded - X) ** 2).sum() < 0.1 * ((X - X.mean(axis=0)) ** 2).sum()


def test_token_ids_are_reconstructed():
    X = np.array([[1, 2, 3, 0], [3, 3, 1, 2], [2, 0, 0, 0], [1, 3, 2, 1]])[np.arange(40) % 4]
    model = CNNEncoder(
        8,
        hidden_layer_sizes=(16,),
        kernel_sizes=(2,),
        learning_rate=0.05,
        epochs=40,
        random_state=0,
    )
    decoded = (
        model.set_params(dropout=0.0, batch_size=40).fit(X).inverse_transform(model.transform(X))
    )
    assert decoded.dtype == np.int32
    np.testing.assert_array_equal(decoded, X)


def test_no_reconstruction_from_targets():
    model = CNNEncoder(**TINY).fit(np.eye(8), np.arange(8))
    with pytest.raises(ValueError, match="fit it with y=None"):
        model.inverse_transform(np.ones((2, 3)))
