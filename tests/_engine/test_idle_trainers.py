# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

from sktransrec import Autoencoder, ItemFeatures, NextItemRecommender, TextEncoder
from sktransrec._engine import _idle_trainers, _learner, _trainer

X = np.random.RandomState(0).uniform(size=(20, 6))
HISTORIES = 1 + np.arange(40).reshape(8, 5)
TINY = {"hidden_layer_sizes": (), "epochs": 1, "random_state": 0}
EAGER = {**TINY, "run_eagerly": True}


@pytest.fixture(autouse=True)
def n_built(monkeypatch, forget_networks):
    """Start without idle trainers, and return a list of those built since."""
    forget_networks()
    built = []
    start = _trainer.NetworkTrainer.__init__

    def counted(self, *args, **kwargs):
        built.append(self)
        start(self, *args, **kwargs)

    monkeypatch.setattr(_trainer.NetworkTrainer, "__init__", counted)
    return built


def test_a_search_builds_one_network(n_built):
    grids = [{"learning_rate": [0.1, 0.01], "epochs": [2]}, {"batch_size": [5]}]
    search = GridSearchCV(Autoencoder(2, **EAGER), grids, cv=2, error_score="raise")
    search.set_params(scoring=lambda model, X, y=None: -model.loss_curve_[-1]).fit(X)
    assert len(n_built) == 1
    assert search.best_params_["learning_rate"] == 0.1


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_components": 3},
        {"random_state": 1},
        {"regularization": 0.1},
        {"optimizer": "sgd"},
        {"run_eagerly": False},
        {"kind": "variational"},
    ],
)
def test_another_network_is_built(n_built, parameters):
    model = Autoencoder(2, **EAGER).fit(X)
    model.set_params(**parameters).fit(X)
    assert len(n_built) == 2


@pytest.mark.parametrize(
    ("learner", "rows"),
    [
        (NextItemRecommender("cnn", n_components=4, n_layers=1, dropout=0.5), HISTORIES),
        pytest.param(
            NextItemRecommender("gru", n_components=4, n_layers=1, dropout=0.5),
            HISTORIES,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            TextEncoder(4, n_layers=1, embedding_size=4, dropout=0.5),
            HISTORIES,
            marks=pytest.mark.slow,
        ),
        (Autoencoder(2, kind="variational", hidden_layer_sizes=(), optimizer="rmsprop"), X),
    ],
    ids=["next item", "next item, gru", "text", "variational"],
)
def test_a_reused_network_starts_as_a_new_one(n_built, learner, rows):
    """Dropout and optimizer included."""
    learner = clone(learner).set_params(epochs=2, random_state=0)
    first = clone(learner).fit(rows)
    second = clone(learner).set_params(learning_rate=0.5).fit(rows)
    third = clone(learner).fit(rows)
    assert len(n_built) == 1
    assert first.loss_curve_ == third.loss_curve_ != second.loss_curve_
    for path, weight in first._fitted_network.weights.items():
        assert_array_equal(third._fitted_network.weights[path], weight, err_msg=path)


def test_partial_fits_keep_their_own(n_built):
    one, other = (Autoencoder(2, **EAGER).partial_fit(X) for _ in range(2))
    assert len(n_built) == 2
    expected = [Autoencoder(2, **EAGER).set_params(epochs=2).fit(X).loss_curve_] * 2
    assert [each.partial_fit(X).loss_curve_ for each in (one, other)] == expected


def test_what_fits_cannot_share_is_not_kept(n_built, monkeypatch):
    features = ItemFeatures(np.eye(40, dtype=np.float32))
    tiny = {"n_components": 2, "n_layers": 1, "epochs": 1, "run_eagerly": True, "random_state": 0}
    learner = NextItemRecommender("cnn", item_features=features, **tiny)
    pretrained = FrozenEstimator(Autoencoder(2, **EAGER).fit(X))
    tuned = Autoencoder(2, pretrained=pretrained, **EAGER)
    monkeypatch.setattr(_trainer, "_SMALL_NETWORK", 10)
    large = Autoencoder(3, **EAGER)
    for each, rows in ((learner, HISTORIES), (tuned, X), (large, X)):
        clone(each).fit(rows)
        clone(each).fit(rows)
    assert len(n_built) == 1 + 2 * 3


def test_a_failed_training_keeps_nothing(n_built):
    model = Autoencoder(2, **EAGER)
    with pytest.raises(ValueError, match="diverged"):
        clone(model).set_params(optimizer="sgd", learning_rate=1e30, epochs=9).fit(X)
    clone(model).set_params(optimizer="sgd").fit(X)
    assert len(n_built) == 2


def test_the_latest_ones_wait(n_built, monkeypatch):
    monkeypatch.setattr(_idle_trainers, "_N_TRAINERS", 3)
    for seed in range(4):
        Autoencoder(1, **EAGER).set_params(random_state=seed).fit(X)
    n_before = len(n_built)
    Autoencoder(1, **EAGER).set_params(random_state=1).fit(X)
    assert len(n_built) == n_before
    Autoencoder(1, **EAGER).set_params(random_state=0).fit(X)
    assert len(n_built) == n_before + 1


def test_threads_do_not_share_a_trainer(n_built):
    Autoencoder(2, **EAGER).fit(X)
    settings = n_built[0].settings
    taken = _learner._idle_trainers.take(settings)
    assert taken is n_built[0]
    assert _learner._idle_trainers.take(settings) is None
