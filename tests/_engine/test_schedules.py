# SPDX-License-Identifier: BSD-3-Clause
"""The rate that the optimizer has in each epoch is that of the formula."""

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from sktransrec import (
    Autoencoder,
    CNNEncoder,
    CrossDomainAutoencoderRecommender,
    NextItemRecommender,
    RNNEncoder,
    TextEncoder,
    TwoTowerAutoencoderRecommender,
)
from sktransrec._engine._network import Network
from sktransrec._engine._objectives import EntryTargets, HeadLoss
from sktransrec._engine._schedules import LearningRates, n_stalls
from sktransrec._engine._trainer import NetworkTrainer, TrainerSettings

RATE = 0.02
TINY = {"n_components": 3, "learning_rate": RATE, "run_eagerly": True, "random_state": 0}
# Of many steps in all, which one compiled network takes.
HIDDEN = {"hidden_layer_sizes": (4,), **TINY, "run_eagerly": False}
TOKENS = {"hidden_layer_sizes": (4,), "embedding_size": 3, "n_tokens": 6, **TINY}

# Warm-up from 0 in thirds, then half a cosine in four steps from 0 to 180 degrees.
WARM_COSINE = {"learning_rate_schedule": "cosine", "warmup_epochs": 2, "epochs": 6}
WARM_COSINE_SHARES = [1 / 3, 2 / 3, 1, (1 + 0.5**0.5) / 2, 1 / 2, (1 - 0.5**0.5) / 2]


def _rows(n_rows=24, n_columns=6, seed=0):
    return np.random.RandomState(seed).poisson(0.8, size=(n_rows, n_columns)).astype(np.float32)


def _tokens():
    return np.random.RandomState(0).randint(1, 6, size=(12, 5))


LEARNERS = [
    pytest.param(Autoencoder(**HIDDEN), (_rows(),), id="Autoencoder"),
    pytest.param(
        NextItemRecommender("cnn", n_layers=1, **TINY), (_tokens(),), id="NextItemRecommender"
    ),
    *(
        pytest.param(learner, data, id=type(learner).__name__, marks=pytest.mark.slow)
        for learner, data in (
            (CNNEncoder(**TOKENS, kernel_sizes=(2,)), (_tokens(), _rows(12))),
            (RNNEncoder(**TOKENS), (_tokens(),)),
            (TextEncoder(n_layers=1, embedding_size=3, **TINY), (_tokens(),)),
            (CrossDomainAutoencoderRecommender(**TINY), (_rows(), _rows(seed=1))),
            (TwoTowerAutoencoderRecommender(slice(3, None), **TINY), (_rows() + 1,)),
        )
    ),
]


@pytest.fixture
def rates(monkeypatch):
    """Return the list to which each epoch adds the rate that its optimizer has."""
    seen = []
    trained_epoch = NetworkTrainer._trained_epoch

    def watched(trainer, *arguments):
        seen.append(float(trainer.network.model.optimizer.learning_rate.numpy()))
        return trained_epoch(trainer, *arguments)

    monkeypatch.setattr(NetworkTrainer, "_trained_epoch", watched)
    return seen


def _line(seed):
    """Return the network w x + b, w and b being 0: no seed is needed."""
    import keras

    rows = keras.Input((1,))
    layer = keras.layers.Dense(1, name="output", kernel_initializer="zeros")
    model = keras.Model(rows, layer(rows))
    return Network(model, ([rows], rows), {"output": HeadLoss(layer, rows, "mse")})


def _weights(model):
    return model._fitted_network.weights


def _assert_same_weights(model, other):
    for path, weight in _weights(model).items():
        assert_array_equal(_weights(other)[path], weight)


@pytest.mark.parametrize(
    ("losses", "n_epochs", "expected"),
    [
        ([], 2, 0),
        ([3, 2, 1], 1, 0),
        ([3, 3, 3], 1, 2),
        ([3, 4, 5, 2], 2, 1),
        ([3, 4, 2, 4, 1], 2, 0),
        ([1, 2, 2, 2, 2, 2], 2, 2),
        ([1, 2, 2, 0, 2, 2, 2], 3, 1),
    ],
)
def test_stalls(losses, n_epochs, expected):
    assert n_stalls(losses, n_epochs) == expected


def test_constant_rate_is_the_learning_rate_to_the_last_bit():
    rates = LearningRates(0.1, "constant", warmup_epochs=0, epochs=3, patience=2)
    assert [rates.after([1.0] * epoch) for epoch in range(9)] == [0.1] * 9


def test_warmup_rises_evenly():
    rates = LearningRates(0.1, "constant", warmup_epochs=3, epochs=9, patience=2)
    shares = [rates.after([1.0] * epoch) / 0.1 for epoch in range(5)]
    assert_allclose(shares, [0.25, 0.5, 0.75, 1, 1])


@pytest.mark.parametrize(("model", "data"), LEARNERS)
def test_every_learner_follows_the_cosine(model, data, rates):
    clone(model).set_params(**WARM_COSINE).fit(*data)
    assert_allclose(rates, np.multiply(RATE, WARM_COSINE_SHARES), rtol=1e-6)


@pytest.fixture(scope="module")
def compiled_line():
    return NetworkTrainer(
        TrainerSettings(
            _line,
            {"seed": 0},
            regularization=0.0,
            optimizer="sgd",
            learning_rate=0.1,
            run_eagerly=False,
        )
    )


@pytest.fixture
def line_trainer(compiled_line):
    """Return a trainer of the line before its first step."""
    compiled_line.start_anew(0.1)
    return compiled_line


def _point(y):
    targets = EntryTargets(np.full((1, 1), y, np.float32))
    return [np.ones((1, 1), np.float32)], {"output": targets}


def test_compiled_steps_have_the_rate_of_their_epoch(rates, line_trainer):
    """The error of w + b shrinks by the rate times the curvature of its square, which is 4."""
    expected = [0.05, 0.2, 0.0, 0.1]
    losses = line_trainer.train(
        lambda _: [_point(1)], epochs=4, learning_rate=lambda losses: expected[len(losses)]
    )["loss"]
    assert_allclose(rates, expected)
    shrinkage = np.sqrt(np.divide(losses[1:], losses[:-1]))
    assert_allclose(shrinkage, 1 - 4 * np.array(expected[:-1]), rtol=1e-5)


@pytest.mark.parametrize(
    ("schedule", "smallest", "largest"),
    [("adaptive", 0, 0.5), ("constant", 0.99, 1.01), ("cosine", 0, 0.3)],
)
def test_falling_rate_ends_nearer_to_the_optimum(schedule, smallest, largest, line_trainer):
    """Targets of 1 and -1 in turn throw w + b from one side of 0 to the other."""
    rates = LearningRates(0.1, schedule, warmup_epochs=0, epochs=30, patience=4)
    line_trainer.train(lambda _: [_point(1), _point(-1)], epochs=30, learning_rate=rates.after)
    distance = abs(sum(weight.sum() for weight in line_trainer.weights.values()))
    # A step of size r takes p to p + 4 r (y - p), which is -p where p = 4 r y / (2 - 4 r).
    assert smallest <= distance / (4 * 0.1 / (2 - 4 * 0.1)) <= largest


def test_rate_is_cut_where_the_validation_loss_stalls(rates):
    """Too long steps on noise: the loss of the held-out rows stalls soon."""
    model = Autoencoder(**HIDDEN).set_params(
        learning_rate=0.1, learning_rate_schedule="adaptive", patience=5, validation_fraction=0.3
    )
    losses = model.fit(_rows()).validation_loss_curve_
    assert_allclose(
        rates, [0.1 / 5 ** n_stalls(losses[:epoch], 3) for epoch in range(len(losses))], rtol=1e-6
    )
    assert rates[-1] < rates[0]
    assert len(losses) == np.argmin(losses) + 1 + 5 < model.epochs


def test_rate_is_cut_where_the_training_loss_stalls(rates):
    model = Autoencoder(**HIDDEN).set_params(
        learning_rate=0.3, learning_rate_schedule="adaptive", patience=4, epochs=30
    )
    losses = model.fit(_rows()).loss_curve_
    assert_allclose(
        rates, [0.3 / 5 ** n_stalls(losses[:epoch], 2) for epoch in range(30)], rtol=1e-6
    )
    assert rates[-1] < rates[0]


@pytest.mark.parametrize("schedule", ["adaptive", "cosine"])
def test_partial_fits_are_the_epochs_of_a_fit(schedule, rates):
    model = Autoencoder(**HIDDEN).set_params(
        learning_rate=0.3, learning_rate_schedule=schedule, warmup_epochs=1, epochs=8, patience=1
    )
    whole = clone(model).fit(_rows())
    of_fit = rates.copy()
    rates.clear()
    parts = clone(model).partial_fit(_rows())
    for epoch in range(7):
        parts = (pickle.loads(pickle.dumps(parts)) if epoch == 3 else parts).partial_fit(_rows())
    _assert_same_weights(parts, whole)
    assert rates == of_fit
    assert len(set(rates)) > 2


def test_partial_fit_keeps_the_last_rate_of_the_cosine(rates):
    model = Autoencoder(**HIDDEN, **WARM_COSINE)
    for _ in range(8):
        model.partial_fit(_rows())
    assert_allclose(rates, np.multiply(RATE, WARM_COSINE_SHARES + WARM_COSINE_SHARES[-1:] * 2))
    assert rates[-1] > 0


def test_partial_fit_returns_to_the_whole_rate():
    model = Autoencoder(**HIDDEN).set_params(**WARM_COSINE).partial_fit(_rows())
    saved = pickle.loads(pickle.dumps(model))
    for each in (model, saved):
        each.set_params(learning_rate_schedule="constant", warmup_epochs=0).partial_fit(_rows())
    _assert_same_weights(model, saved)


def test_warm_start_begins_the_schedule_anew(rates):
    model = Autoencoder(**HIDDEN, **WARM_COSINE, warm_start=True).fit(_rows())
    model.fit(_rows())
    assert len(rates) == 12
    assert rates[6:] == rates[:6]


@pytest.mark.parametrize("options", [{"layer_decay": 2.0}, {"unfreeze_every": 1}, {"l2_sp": 1.0}])
def test_copied_layers_move_at_a_share_of_the_rate(options):
    """In one step of gradient descent, from the same weights, half the rate goes half the way."""
    source = Autoencoder(epochs=2, **HIDDEN).fit(_rows())
    model = Autoencoder(**HIDDEN, **options).set_params(
        optimizer="sgd", batch_size=99, random_state=1, pretrained=FrozenEstimator(source)
    )
    model.set_params(run_eagerly=True)
    whole = _weights(clone(model).partial_fit(_rows()))
    half = _weights(clone(model).set_params(warmup_epochs=1).partial_fit(_rows()))
    start = _weights(source)
    for path, weight in whole.items():
        assert_allclose(half[path] - start[path], (weight - start[path]) / 2, atol=1e-7)
    assert np.abs(whole["output/kernel"] - start["output/kernel"]).max() > 1e-4


def test_fit_is_reproducible():
    model = Autoencoder(**HIDDEN, **WARM_COSINE, validation_fraction=0.5)
    _assert_same_weights(clone(model).fit(_rows()), clone(model).fit(_rows()))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_warmup_leaves_epochs_to_the_cosine(method):
    model = Autoencoder(**HIDDEN, epochs=2).fit(_rows())
    before = copy.deepcopy(model)
    model.set_params(learning_rate_schedule="cosine", warmup_epochs=2)
    with pytest.raises(ValueError, match="warmup_epochs=2 leaves none of epochs=2"):
        getattr(model, method)(_rows())
    _assert_same_weights(model, before)


@pytest.mark.parametrize("bad", [{"learning_rate_schedule": "linear"}, {"warmup_epochs": -1}])
def test_bad_parameters(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        Autoencoder(**HIDDEN, **bad).fit(_rows())
