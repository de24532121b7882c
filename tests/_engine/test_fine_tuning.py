# SPDX-License-Identifier: BSD-3-Clause
"""Copied weights start where they did elsewhere, and move at the rate that they are told to."""

import functools

import _networks
import numpy as np
import pytest
import scipy.sparse as sp

from sktransrec._engine._convolutional import convolutional
from sktransrec._engine._dense import autoencoder
from sktransrec._engine._fine_tuning import (
    FineTuner,
    FineTuning,
    MatchedColumns,
    TrainedNetwork,
    layer_depths,
    matching_columns,
)
from sktransrec._engine._objectives import EntryTargets
from sktransrec._engine._recurrent import recurrent
from sktransrec._engine._trainer import NetworkTrainer, TrainerSettings

SIZES = {**_networks.SIZES, "n_features": 7, "output_activation": "linear", "loss": "mse"}
DEPTHS = {"output": 0, "decoder_1": 1, "code": 2, "encoder_1": 3}
AXES = {"encoder_1/kernel": 0, "output/kernel": 1, "output/bias": 0}


def _rows():
    rng = np.random.RandomState(0)
    return sp.csr_array(rng.uniform(size=(12, 7)).astype(np.float32))


def _batches(_):
    rows = _rows()
    for start in (0, 6):
        batch = rows[start : start + 6]
        yield [batch], {"output": EntryTargets(batch)}


def _fine_tuning(source=None, **options):
    if source is None:
        source = _source()
    settings = {"trainable": "all", "unfreeze_every": None, "layer_decay": None, "l2_sp": 0.0}
    return FineTuning(TrainedNetwork(source, AXES, None), **(settings | options))


def _trainer(fine_tuning=None, *, optimizer="sgd", run_eagerly=True, seed=1):
    return NetworkTrainer(
        TrainerSettings(
            autoencoder,
            {**SIZES, "seed": seed},
            regularization=0.0,
            optimizer=optimizer,
            learning_rate=0.01,
            run_eagerly=run_eagerly,
            fine_tuning=fine_tuning,
        )
    )


@functools.cache
def _source():
    """Return the weights of a trained network, which no test changes."""
    trainer = _trainer(seed=0)
    trainer.train(_batches, epochs=1)
    return trainer.weights


def _changes(trainer, start, *, epochs=1):
    """Return by path how far training takes the weights."""
    trainer.train(lambda _: [next(_batches(0))], epochs=epochs)
    return {path: weight - start[path] for path, weight in trainer.weights.items()}


def _depth(path):
    return DEPTHS[path.partition("/")[0]]


def test_depths_count_layers_with_weights_from_the_output():
    assert layer_depths(autoencoder(**SIZES)) == DEPTHS
    variational = layer_depths(autoencoder(**{**SIZES, "variational": True}))
    assert list(variational.items()) == [
        *(("output", 0), ("decoder_1", 1), ("code", 2), ("code_log_std", 2), ("encoder_1", 3))
    ]


def test_layers_side_by_side_have_the_same_depth():
    shared = {"code_activation": "tanh", "loss": "mse", "dropout": 0.1, "seed": 0}
    both_ways = recurrent((5,), 7, 3, True, (4, 4), "gru", True, 2, 3, **shared)
    assert layer_depths(both_ways) == {
        **{"output": 0, "code": 1, "forward_2": 2, "backward_2": 2},
        **{"forward_1": 3, "backward_1": 3, "embedding": 4},
    }
    shared["activation"] = "tanh"
    wide = convolutional((6,), 7, 3, True, (4, 4), (2, 3), "max", 2, 3, **shared)
    depths = layer_depths(wide)
    assert depths["convolution_1_1"] == depths["convolution_1_2"] == 3
    assert (depths["convolution_2_1"], depths["embedding"]) == (2, 4)


def test_columns_are_matched_by_name():
    columns = matching_columns(np.array(["a", "b", "c"]), np.array(["c", "x", "b"]))
    np.testing.assert_array_equal(columns.theirs, [2, 1])
    np.testing.assert_array_equal(columns.ours, [0, 2])
    assert matching_columns(np.array([1, 2]), np.array([1, 2])) is None
    assert matching_columns(None, np.array([1, 2])) is None
    with pytest.raises(ValueError, match="hold '1' of type str, but the known ids are of type int"):
        matching_columns(np.array([1, 2]), np.array(["1", "2"]))


def test_everything_is_copied_before_the_first_step():
    source = _source()
    for path, weight in _trainer(_fine_tuning(source)).weights.items():
        np.testing.assert_array_equal(weight, source[path])


@pytest.mark.parametrize("optimizer", ["adagrad", "adam", "adamw", "nadam", "rmsprop", "sgd"])
def test_layer_decay_shortens_the_steps_of_every_optimizer(optimizer):
    source = _source()
    batch = next(_batches(0))
    changes = []
    for layer_decay in (None, 2.0):
        trainer = _trainer(_fine_tuning(source, layer_decay=layer_decay), optimizer=optimizer)
        trainer.train(lambda _: iter([batch]), epochs=1)
        changes.append({path: weight - source[path] for path, weight in trainer.weights.items()})
    even, decayed = changes
    for path, change in even.items():
        assert np.abs(change).max() > 1e-5
        np.testing.assert_allclose(decayed[path], change / 2 ** _depth(path), atol=2e-7)


@pytest.mark.parametrize(("layer_decay", "divisor"), [(None, 1), ("auto", 2.6), (3.0, 3)])
def test_rates_by_depth(layer_decay, divisor):
    rates = [_fine_tuning(_source(), layer_decay=layer_decay).rate(depth) for depth in range(3)]
    np.testing.assert_allclose(rates, [1, 1 / divisor, 1 / divisor**2])


@pytest.mark.parametrize("run_eagerly", [True, False])
def test_one_more_layer_moves_in_each_stage(run_eagerly):
    source = _source()
    tuner = _trainer(_fine_tuning(source, unfreeze_every=2), run_eagerly=run_eagerly)
    before = source
    for epoch in range(8):
        tuner.start_epoch(epoch)
        changes = _changes(tuner, before)
        before = tuner.weights
        moving = {path for path, change in changes.items() if change.any()}
        assert moving == {path for path in source if _depth(path) <= epoch // 2}


def test_frozen_layers_have_no_optimizer_state():
    trainer = _trainer(_fine_tuning(trainable=2), optimizer="adam")
    changes = _changes(trainer, _source(), epochs=2)
    assert {_depth(path) for path, change in changes.items() if change.any()} == {0, 1}
    assert not any("encoder" in path for path in trainer.optimizer_state)
    assert [layer.frozen for layer in trainer.transferred_layers] == [False, False, True, True]


def test_penalty_is_half_the_squared_distance_of_what_was_copied():
    source = _source()
    columns = MatchedColumns(np.array([0, 5]), np.array([4, 1]), np.arange(7), np.arange(7))
    settings = _fine_tuning(l2_sp=0.3)._replace(source=TrainedNetwork(source, AXES, columns))
    network = autoencoder(**{**SIZES, "seed": 1})
    tuner = FineTuner(network, settings)
    assert float(tuner.penalty()) == 0
    for weight in network.weights.values():
        weight.assign(weight + 2.0)
    n_copied = 2 * 5 + 5 + 5 * 3 + 3 + 3 * 5 + 5 + 5 * 2 + 2
    assert float(tuner.penalty()) == pytest.approx(0.3 / 2 * 4 * n_copied)


def test_penalty_pulls_back():
    """Under plain gradient descent, a step from w differs by -rate * l2_sp * (w - w0)."""
    source = _source()
    weights = {path: weight + np.float32(0.1) for path, weight in source.items()}
    batch = next(_batches(0))
    results = []
    for l2_sp in (0.0, 0.5):
        trainer = _trainer(_fine_tuning(source, l2_sp=l2_sp))
        trainer.load(weights)
        (loss,) = trainer.train(lambda _: iter([batch]), epochs=1)["loss"]
        results.append((loss, trainer.weights))
    (loss, free), (penalised, held) = results
    n_weights = sum(weight.size for weight in weights.values())
    assert penalised - loss == pytest.approx(0.25 * 0.01 * n_weights, rel=1e-4)
    for path, weight in free.items():
        np.testing.assert_allclose(held[path] - weight, -0.01 * 0.5 * 0.1, atol=1e-6)


def test_compiled_and_eager_tuning_are_the_same():
    options = {"unfreeze_every": 1, "layer_decay": 2.6, "l2_sp": 0.1}
    weights = []
    for run_eagerly in (True, False):
        trainer = _trainer(_fine_tuning(**options), optimizer="adam", run_eagerly=run_eagerly)
        for epoch in range(3):
            trainer.start_epoch(epoch)
            trainer.train(_batches, epochs=1)
        weights.append(trainer.weights)
    for path, weight in weights[0].items():
        np.testing.assert_allclose(weights[1][path], weight, atol=1e-6)


def test_a_network_of_which_nothing_fits_is_refused():
    with pytest.raises(ValueError, match="pretrained has no layer of the same name and shape"):
        _trainer(_fine_tuning({"code/kernel": np.ones((2, 2), dtype=np.float32)}))
