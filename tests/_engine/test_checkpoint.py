# SPDX-License-Identifier: BSD-3-Clause
"""A training that is interrupted and called again comes to what it would have come to."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from sklearn.base import clone

from sktransrec import (
    Autoencoder,
    CrossDomainAutoencoderRecommender,
    NextItemRecommender,
    TwoTowerAutoencoderRecommender,
)
from sktransrec._engine._trainer import NetworkTrainer

X = (np.random.RandomState(0).uniform(size=(24, 8)) < 0.4) * np.float32(1)
HISTORIES = np.random.RandomState(0).randint(1, 6, (20, 4))
TINY = {"n_components": 3, "epochs": 3, "batch_size": 12, "run_eagerly": True, "random_state": 0}
SHALLOW = {**TINY, "hidden_layer_sizes": ()}
# All that training draws from or keeps: dropout, moments, noise, validation rows, thawing.
NETWORKS = {
    "autoencoder": (Autoencoder(kind="denoising", noise=0.1), (X,)),
    "early stopping": (Autoencoder(validation_fraction=0.3, learning_rate_schedule="cosine"), (X,)),
    "next item": (NextItemRecommender(n_layers=1, n_negatives=2, dropout=0.2), (HISTORIES,)),
    "two towers": (TwoTowerAutoencoderRecommender([1, 2, 3], kind="variational"), (X,)),
    "across domains": (CrossDomainAutoencoderRecommender(optimizer="nadam"), (X, sp.csr_array(X))),
}


@pytest.fixture
def interrupts(monkeypatch):
    """Return a function that lets trainings be interrupted in the middle of an epoch, or none."""
    trained_epoch = NetworkTrainer._trained_epoch

    def interrupted_in(number):
        def broken(self, epoch, batches, progress):
            if epoch != number:
                return trained_epoch(self, epoch, batches, progress)
            trained_epoch(self, epoch, [next(iter(batches))], progress)
            raise KeyboardInterrupt

        monkeypatch.setattr(NetworkTrainer, "_trained_epoch", broken)

    return interrupted_in


def interrupted_then_whole(model, rows, interrupts, *numbers):
    for number in numbers:
        interrupts(number)
        with pytest.raises(KeyboardInterrupt):
            clone(model).fit(*rows)
    interrupts(None)
    return clone(model).fit(*rows)


def assert_same(model, expected):
    assert model.loss_curve_ == expected.loss_curve_
    assert model.validation_loss_curve_ == expected.validation_loss_curve_
    for path, weight in expected._fitted_network.weights.items():
        assert_array_equal(model._fitted_network.weights[path], weight, err_msg=path)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name, marks=() if name in ("autoencoder", "early stopping") else pytest.mark.slow
        )
        for name in NETWORKS
    ],
)
def test_it_goes_on_where_it_was_interrupted(name, interrupts, tmp_path):
    model, rows = NETWORKS[name]
    model = clone(model).set_params(**TINY, checkpoint_folder=tmp_path / "new")
    expected = clone(model).set_params(checkpoint_folder=None).fit(*rows)
    found = interrupted_then_whole(model, rows, interrupts, 1, 2)
    assert_same(found, expected)
    assert not list((tmp_path / "new").iterdir())


def test_only_the_epochs_that_are_left_are_run(interrupts, tmp_path):
    """Called again, it reaches the last epoch without those before, which would be interrupted."""
    model = Autoencoder(**SHALLOW, checkpoint_folder=tmp_path)
    interrupts(2)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    interrupts(0)
    assert model.fit(X).n_iter_ == 3


@pytest.mark.parametrize(
    "change", [{"learning_rate": 0.1}, {"random_state": 1}, {"rows": X[::-1]}, {"rows": X[:20]}]
)
def test_another_training_has_a_file_of_its_own(change, interrupts, tmp_path):
    model = Autoencoder(**SHALLOW, checkpoint_folder=tmp_path)
    interrupts(2)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    interrupts(None)
    (file,) = tmp_path.iterdir()
    change = dict(change)
    rows = change.pop("rows", X)
    expected = Autoencoder(**{**SHALLOW, **change}).fit(rows)
    assert_same(clone(model).set_params(**change).fit(rows), expected)
    assert list(tmp_path.iterdir()) == [file]


def test_without_a_seed_it_goes_on_with_the_one_it_had(interrupts, tmp_path):
    model = Autoencoder(
        **{**SHALLOW, "epochs": 4, "random_state": None}, checkpoint_folder=tmp_path
    )
    interrupts(2)
    with pytest.warns(UserWarning, match="interrupted after 2 of 4 epochs"):
        begun = clone(model).set_params(warm_start=True).fit(X)
    interrupts(3)
    with pytest.warns(UserWarning, match="interrupted after 3 of 4 epochs"):
        resumed = clone(model).set_params(warm_start=True).fit(X)
    assert resumed.loss_curve_[:2] == begun.loss_curve_


def test_a_warm_start_begins_a_training_of_its_own(tmp_path):
    model = Autoencoder(**SHALLOW, warm_start=True, checkpoint_folder=tmp_path)
    expected = Autoencoder(**SHALLOW, warm_start=True)
    for _ in range(2):
        assert_same(model.fit(X), expected.fit(X))


def test_a_folder_that_is_a_file_is_named(tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(NotADirectoryError, match=r"checkpoint_folder='.*file' is a file"):
        Autoencoder(**SHALLOW, checkpoint_folder=file).fit(np.eye(12))
