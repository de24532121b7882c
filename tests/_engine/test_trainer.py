# SPDX-License-Identifier: BSD-3-Clause
import gc
import logging
import queue
import weakref
from logging.handlers import QueueHandler

import numpy as np
import pytest
import scipy.sparse as sp
from _networks import SIZES, sparse_rows

from sktransrec._engine._dense import autoencoder
from sktransrec._engine._objectives import EntryTargets
from sktransrec._engine._parameters import OPTIMIZERS
from sktransrec._engine._state import engine
from sktransrec._engine._trainer import NetworkTrainer, TrainerSettings


def _trainer(*, optimizer="adam", run_eagerly=True, **sizes):
    return NetworkTrainer(
        TrainerSettings(
            autoencoder,
            {**SIZES, **sizes},
            regularization=0.0,
            optimizer=optimizer,
            learning_rate=0.01,
            run_eagerly=run_eagerly,
        )
    )


def _batches(rows, size):
    def epoch(_):
        for start in range(0, rows.shape[0], size):
            batch = rows[start : start + size]
            yield [batch], {"output": EntryTargets(batch)}

    return epoch


def test_one_trace_for_batches_of_all_sizes():
    trainer = _trainer(run_eagerly=False)
    trainer.train(_batches(sparse_rows(23), 5), epochs=2)
    (step,) = trainer._functions.values()
    assert step.experimental_get_tracing_count() == 1


def test_nothing_keeps_the_graph_of_a_trainer():
    trainer = _trainer(run_eagerly=False)
    trainer.train(_batches(sparse_rows(), 20), epochs=1)
    (step,) = trainer._functions.values()
    graph = weakref.ref(step.get_concrete_function().graph)
    del trainer, step
    gc.collect()
    assert graph() is None


@pytest.mark.slow
def test_many_short_trainings_are_silent(monkeypatch):
    engine()
    records = queue.SimpleQueue()
    monkeypatch.setattr(logging.getLogger("tensorflow"), "handlers", [QueueHandler(records)])
    for _ in range(6):
        _trainer(run_eagerly=False).train(_batches(sparse_rows(), 20), epochs=1)
    assert records.empty()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_lowers_the_loss_and_goes_on_from_a_saved_state(optimizer):
    whole, second = (_trainer(optimizer=optimizer) for _ in range(2))
    batches, saved = _batches(sparse_rows(), 20), []

    def noted_batches(epoch):
        saved.append((whole.weights, whole.optimizer_state))
        return batches(epoch)

    losses = whole.train(noted_batches, epochs=2)["loss"]
    assert losses[1] < losses[0]
    second.load(*saved[1])
    second.train(batches, epochs=1)
    for path, weight in whole.weights.items():
        np.testing.assert_array_equal(second.weights[path], weight)


def test_best_weights_are_kept():
    """Rows for validation that training moves away from: the first epoch is the best one."""
    rows = sparse_rows()
    away = sp.csr_array(1 - rows.toarray())
    trainer, short = _trainer(), _trainer()
    history = trainer.train(
        _batches(rows, 20),
        epochs=50,
        validation_loss=lambda: trainer.mean_loss(_batches(away, 7)(0)),
        patience=3,
    )
    best = int(np.argmin(history["val_loss"]))
    assert len(history["val_loss"]) == best + 1 + 3 < 50
    short.train(_batches(rows, 20), epochs=best + 1)
    for path, weight in short.weights.items():
        np.testing.assert_array_equal(trainer.weights[path], weight)


def test_weights_of_other_sizes_are_refused():
    with pytest.raises(ValueError, match="layers changed since it was fitted"):
        _trainer().load(_trainer(n_components=4).weights)
