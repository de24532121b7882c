# SPDX-License-Identifier: BSD-3-Clause
import copy
import functools
import pickle
import random
import subprocess
import sys

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sktransrec import Autoencoder, ReconstructionRecommender
from sktransrec._engine._trainer import NetworkTrainer

TINY = {
    "n_components": 3,
    "hidden_layer_sizes": (6,),
    "epochs": 2,
    "batch_size": 60,
    "run_eagerly": True,
    "random_state": 0,
}
IN_BATCHES = {**TINY, "batch_size": 30}
KINDS = ["plain", "denoising", "variational"]
LOSSES = ["mse", "binary_crossentropy", "multinomial"]
# Each kind and each loss in the default run, and all pairs of them in the slow one.
each_kind_and_loss = pytest.mark.parametrize(
    ("kind", "loss"),
    [
        pytest.param(kind, loss, marks=[] if i == j else pytest.mark.slow)
        for i, kind in enumerate(KINDS)
        for j, loss in enumerate(LOSSES)
    ],
)


def _interactions(n_rows=60, n_columns=14, seed=0):
    """Return 0/1 rows of two groups that take even and odd columns only."""
    rng = np.random.RandomState(seed)
    same_group = np.arange(n_rows)[:, None] % 2 == np.arange(n_columns) % 2
    return (same_group * (rng.uniform(size=same_group.shape) < 0.5)).astype(np.float32)


def _noisy(kind, loss):
    parameters = {"kind": kind, "loss": loss, "noise": 0.1, "validation_fraction": 0.2}
    return Autoencoder(**{**IN_BATCHES, "epochs": 1}, **parameters)


@functools.cache
def _fitted_noisy(kind, loss, form):
    """Return a fitted learner that no test changes."""
    return _noisy(kind, loss).fit(form(_interactions()))


@functools.cache
def _partially_fitted():
    """Return a learner after its first epoch, that no test changes."""
    return Autoencoder(**IN_BATCHES).partial_fit(_interactions())


def _loss_of(model, X):
    return ((model.inverse_transform(model.transform(X)) - X) ** 2).sum(axis=1).mean()


def _assert_same_weights(actual, expected):
    for path, weight in expected._fitted_network.weights.items():
        np.testing.assert_array_equal(actual._fitted_network.weights[path], weight, err_msg=path)


# The network


def _dense_layers(model):
    """Return the dense layers as (inputs, units, activation)."""
    layers = [layer for layer in model.network_.layers if hasattr(layer, "units")]
    return [(layer.kernel.shape[0], layer.units, layer.activation.__name__) for layer in layers]


def test_textbook_network():
    X = _interactions(n_columns=100)
    model = Autoencoder(loss="binary_crossentropy", run_eagerly=True).set_params(epochs=1).fit(X)
    assert _dense_layers(model) == [
        (100, 64, "relu"),
        (64, 32, "linear"),
        (32, 64, "relu"),
        (64, 100, "sigmoid"),
    ]
    parameters = Autoencoder().get_params()
    assert (parameters["optimizer"], parameters["epochs"], parameters["batch_size"]) == (
        "adam",
        100,
        32,
    )


@pytest.mark.slow
def test_textbook_network_learns():
    X = _interactions(400, 100)
    model = Autoencoder(loss="binary_crossentropy", random_state=0).fit(X)
    assert model.n_iter_ == len(model.loss_curve_) == 100
    assert model.loss_curve_[-1] < 0.6 * model.loss_curve_[0]
    decoded = model.inverse_transform(model.transform(X))
    assert decoded[X > 0].mean() > 2 * decoded[X == 0].mean()


def test_mult_vae_network():
    model = Autoencoder(
        **{**TINY, "hidden_layer_sizes": (8, 5)},
        kind="variational",
        loss="multinomial",
        activation="tanh",
    ).fit(_interactions())
    assert _dense_layers(model) == [
        (14, 8, "tanh"),
        (8, 5, "tanh"),
        (5, 3, "linear"),
        (5, 3, "linear"),
        (3, 5, "tanh"),
        (5, 8, "tanh"),
        (8, 14, "softmax"),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_without_hidden_layers(kind):
    X = _interactions()
    model = Autoencoder(**{**TINY, "hidden_layer_sizes": ()}, kind=kind).fit(sp.csr_array(X))
    weights = model._fitted_network.weights
    code = X @ weights["code/kernel"] + weights["code/bias"]
    np.testing.assert_allclose(model.transform(X), code, atol=1e-5)
    decoded = code @ weights["output/kernel"] + weights["output/bias"]
    np.testing.assert_allclose(model.inverse_transform(code), decoded, atol=1e-5)


# What is learned


def test_linear_network_reaches_principal_components():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((64, 2)) @ rng.standard_normal((2, 8))
    X = (X + 0.1 * rng.standard_normal(X.shape)).astype(np.float32)
    pca = PCA(2).fit(X)
    best = _loss_of(pca, X)
    model = Autoencoder(
        2,
        hidden_layer_sizes=(),
        activation="linear",
        learning_rate=0.05,
        epochs=400,
        batch_size=64,
        random_state=0,
    ).fit(X)
    assert best <= _loss_of(model, X) < 1.05 * best
    assert model.loss_curve_[-1] == pytest.approx(best, rel=0.1)


@each_kind_and_loss
def test_held_back_items_of_the_own_group_come_first(kind, loss):
    X = _interactions(200, 24)
    model = ReconstructionRecommender(
        Autoencoder(
            4,
            hidden_layer_sizes=(16,),
            kind=kind,
            loss=loss,
            learning_rate=0.05,
            epochs=40,
            batch_size=200,
            random_state=0,
        )
    ).fit(X)
    new = _interactions(30, 24, seed=1)
    items, _ = model.recommend(new, n_recommendations=2)
    assert (items % 2 == np.arange(30)[:, None] % 2).mean() > 0.98


def test_large_kl_weight_leaves_the_standard_normal_distribution():
    X = _interactions()
    options = {**TINY, "epochs": 60, "learning_rate": 0.04, "kl_annealing_epochs": 0}
    options |= {"batch_size": 60, "run_eagerly": False}
    codes = [
        Autoencoder(**options, kind="variational", kl_weight=kl_weight).fit_transform(X)
        for kl_weight in (0.0, 1e3)
    ]
    assert codes[0].std(axis=0).max() > 0.5
    assert np.abs(codes[1]).max() < 0.05


def _divergence_weight(model, progress):
    """Return what a batch says the divergence weighs after so many epochs."""
    _, targets = model._batch(_interactions(), None, np.random.RandomState(0), progress)
    return targets["divergence"]


def test_kl_weight_is_annealed():
    model = Autoencoder(kind="variational", kl_weight=0.4, kl_annealing_epochs=4)
    weights = [_divergence_weight(model, progress) for progress in (0, 1, 2.5, 4, 9, np.inf)]
    np.testing.assert_allclose(weights, [0, 0.1, 0.25, 0.4, 0.4, 0.4])
    at_once = Autoencoder(kind="variational", kl_weight=0.4, kl_annealing_epochs=0)
    assert _divergence_weight(at_once, 0) == np.float32(0.4)


def test_regularization_shrinks_the_kernels():
    sizes = [
        np.abs(
            Autoencoder(**TINY, regularization=regularization)
            .set_params(epochs=40, learning_rate=0.02, batch_size=60, run_eagerly=False)
            .fit(_interactions())
            ._fitted_network.weights["encoder_1/kernel"]
        ).mean()
        for regularization in (0, 1.0)
    ]
    assert sizes[1] < 0.2 * sizes[0]


@pytest.mark.parametrize(
    ("loss", "normalize", "norm"),
    [("mse", "auto", 5), ("multinomial", "auto", 1), ("mse", True, 1)],
)
def test_rows_are_normalized_on_their_way_in(loss, normalize, norm):
    X = np.float32([[3, 4, 0], [0, 0, 0]])
    rows = Autoencoder(loss=loss, normalize=normalize)._normalized(X)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), [norm, 0], rtol=1e-6)


# Output


def test_reconstructions_are_probabilities():
    X = _interactions()
    of_columns = Autoencoder(**TINY, loss="binary_crossentropy").fit(X)
    decoded = of_columns.inverse_transform(of_columns.transform(X))
    assert decoded.dtype == np.float32
    assert ((decoded > 0) & (decoded < 1)).all()
    of_row = Autoencoder(**TINY, loss="multinomial").fit(X)
    decoded = of_row.inverse_transform(of_row.transform(X))
    np.testing.assert_allclose(decoded.sum(axis=1), 1, rtol=1e-5)


def test_output_activation_of_squared_error():
    X = _interactions()
    model = Autoencoder(**TINY, output_activation="softplus").fit(X)
    assert (model.inverse_transform(model.transform(X)) > 0).all()
    assert model.loss_curve_[-1] < model.loss_curve_[0]


def test_feature_names():
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame(_interactions(), columns=[f"item {j}" for j in range(14)])
    model = Autoencoder(**TINY).set_output(transform="pandas").fit(X)
    assert list(model.transform(X).columns) == ["autoencoder0", "autoencoder1", "autoencoder2"]
    assert list(model.feature_names_in_) == list(X.columns)


# Input


@each_kind_and_loss
def test_dense_and_sparse_rows_give_the_same(kind, loss):
    X = _interactions()
    dense, sparse = (
        _fitted_noisy(kind, loss, form).transform(X) for form in (np.asarray, sp.csr_array)
    )
    np.testing.assert_allclose(sparse, dense, atol=1e-5)


def test_all_formats_give_the_same():
    X = _interactions()
    model = _noisy("denoising", "binary_crossentropy")
    expected = _fitted_noisy("denoising", "binary_crossentropy", np.asarray).transform(X)
    read_only = sp.csr_array(X)
    read_only.data.setflags(write=False)
    for variant in (read_only, sp.csc_matrix(X), sp.coo_array(X), X.astype(np.float64)):
        np.testing.assert_allclose(clone(model).fit_transform(variant), expected, atol=1e-5)


def test_sparse_rows_are_never_dense(monkeypatch):
    def refuse(self, *args, **kwargs):
        raise AssertionError("made dense")

    X = sp.random_array((300, 5000), density=1e-3, rng=0, dtype=np.float32).tocsr()
    monkeypatch.setattr(sp.csr_array, "toarray", refuse)
    monkeypatch.setattr(sp.csr_array, "todense", refuse)
    model = Autoencoder(**{**TINY, "epochs": 1, "batch_size": 150}).fit(X)
    features = model.transform(X)
    monkeypatch.undo()
    np.testing.assert_allclose(features[:5], model.transform(X[:5].toarray()), atol=1e-6)


def test_memory_mapped_rows(tmp_path):
    X = _interactions()
    for rows in (X, sp.csr_array(X)):
        joblib.dump(rows, tmp_path / "rows.joblib")
        mapped = joblib.load(tmp_path / "rows.joblib", mmap_mode="r")
        expected = Autoencoder(**TINY).fit_transform(rows)
        np.testing.assert_array_equal(Autoencoder(**TINY).fit_transform(mapped), expected)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"loss": "binary_crossentropy"}, "values up to 2"),
        ({"loss": "multinomial"}, "Negative values in data passed to X"),
        ({"loss": "multinomial", "output_activation": "relu"}, "output_activation"),
        ({"output_activation": "softmax"}, "output_activation"),
        ({"hidden_layer_sizes": (4, 0)}, "hidden_layer_sizes"),
        ({"hidden_layer_sizes": 4}, "hidden_layer_sizes"),
        ({"n_components": 0}, "n_components"),
        ({"input_dropout": 1.0}, "input_dropout"),
        ({"optimizer": "newton"}, "optimizer"),
        ({"validation_fraction": 0.999}, "validation_fraction"),
        ({"optimizer": "sgd", "learning_rate": 1e9}, "learning_rate"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_errors_leave_the_model_as_it_was(method, parameters, message):
    if method == "partial_fit" and "validation_fraction" in parameters:
        pytest.skip("partial_fit holds no rows out")
    X = _interactions()
    bad = X * np.float32(-1 if "Negative" in message else 2)
    expected = _partially_fitted()
    model = copy.deepcopy(expected)
    with pytest.raises(ValueError, match=message):
        getattr(model.set_params(**parameters), method)(bad)
    _assert_same_weights(model, expected)
    assert vars(model).keys() == vars(expected).keys()
    assert model.loss_curve_ == expected.loss_curve_


def test_diverged_partial_fit_can_be_taken_up_again():
    X = _interactions()
    model = Autoencoder(**{**TINY, "batch_size": 16}).partial_fit(X)
    expected = copy.deepcopy(model).partial_fit(X)
    with pytest.raises(ValueError, match="learning_rate"):
        model.partial_fit(X * np.float32(1e15))
    _assert_same_weights(model.partial_fit(X), expected)


def test_partial_fit_follows_changed_parameters():
    X = _interactions()
    model = Autoencoder(**TINY).partial_fit(X)
    saved = pickle.loads(pickle.dumps(model))
    for changed in ({"learning_rate": 0.05}, {"optimizer": "sgd"}):
        changes = [m.set_params(**changed).partial_fit(X) for m in (model, saved)]
        _assert_same_weights(*changes)
    with pytest.raises(ValueError, match="layers changed"):
        model.set_params(n_components=2).partial_fit(X)


def test_codes_of_another_width_are_refused():
    model = Autoencoder(**TINY).fit(_interactions())
    with pytest.raises(ValueError, match="X has 2 columns, but Autoencoder has 3 features"):
        model.inverse_transform(np.ones((4, 2)))


def test_unfitted():
    for call in (Autoencoder().transform, Autoencoder().inverse_transform):
        with pytest.raises(NotFittedError):
            call(_interactions())
    assert not hasattr(Autoencoder(), "network_")


# Training in parts


@pytest.mark.parametrize("kind", KINDS)
def test_partial_fits_are_the_epochs_of_a_fit(kind):
    X = _interactions()
    whole = Autoencoder(**{**IN_BATCHES, "epochs": 3}, kind=kind).fit(X)
    parts = Autoencoder(**IN_BATCHES, kind=kind).partial_fit(X).partial_fit(X)
    parts = pickle.loads(pickle.dumps(parts)).partial_fit(X)
    _assert_same_weights(parts, whole)
    assert parts.loss_curve_ == whole.loss_curve_
    assert parts.n_iter_ == whole.n_iter_ == 3


def test_warm_start_goes_on():
    X = _interactions()
    model = Autoencoder(**TINY, warm_start=True).fit(X)
    first = list(model.loss_curve_)
    model.fit(X)
    assert model.loss_curve_[:2] == first
    assert model.n_iter_ == len(model.loss_curve_) == 4
    assert model.loss_curve_[2] < first[-1]
    with pytest.raises(ValueError, match="warm_start=False"):
        model.set_params(n_components=2).fit(X)
    assert model.set_params(warm_start=False).fit(X).n_iter_ == 2


def test_fit_starts_its_optimizer_anew():
    X = _interactions()
    model = Autoencoder(**TINY, warm_start=True).partial_fit(X)
    bare = copy.deepcopy(model)
    bare._fitted_network.optimizer_state = None
    _assert_same_weights(model.fit(X), bare.fit(X))


@pytest.mark.parametrize("n_finished", [1, 2])
def test_an_interrupt_keeps_the_finished_epochs_if_asked(n_finished, monkeypatch):
    X = _interactions()
    expected = Autoencoder(**{**IN_BATCHES, "epochs": n_finished}).fit(X)
    model = Autoencoder(**{**IN_BATCHES, "epochs": 5}, warm_start=True)
    function = NetworkTrainer._function
    n_steps = 0

    def interrupted(self, *args):
        nonlocal n_steps
        n_steps += 1
        # In the middle of an epoch, so its first batches have changed the weights.
        if n_steps == (n_finished + 1) * -(-X.shape[0] // IN_BATCHES["batch_size"]):
            raise KeyboardInterrupt
        return function(self, *args)

    monkeypatch.setattr(NetworkTrainer, "_function", interrupted)
    with pytest.warns(UserWarning, match=f"interrupted after {n_finished} of 5 epochs"):
        model.fit(X)
    _assert_same_weights(model, expected)
    assert model.n_iter_ == n_finished
    n_steps = 0
    with pytest.raises(KeyboardInterrupt):
        expected.set_params(epochs=5).fit(X)
    _assert_same_weights(model, expected)


def test_early_stopping():
    rng = np.random.RandomState(0)
    X = rng.standard_normal((40, 10))
    model = Autoencoder(
        **{**TINY, "epochs": 500, "learning_rate": 0.1, "hidden_layer_sizes": (64,)},
        validation_fraction=0.25,
        patience=3,
    ).fit(X)
    curve = model.validation_loss_curve_
    assert model.n_iter_ == len(curve) == len(model.loss_curve_) < 500
    assert int(np.argmin(curve)) == len(curve) - 1 - 3
    assert Autoencoder(**TINY).fit(X).validation_loss_curve_ is None


# Determinism


def _global_state():
    import keras
    import tensorflow as tf

    return (
        np.random.get_state()[1].tolist(),  # noqa: NPY002
        random.getstate(),
        tf.random.get_global_generator().state.numpy().tolist(),
        keras.backend.floatx(),
        tf.config.functions_run_eagerly(),
    )


def test_no_global_state_moves(forget_networks):
    import tensorflow as tf

    forget_networks()
    before = _global_state()
    model = Autoencoder(**{**TINY, "run_eagerly": False}, kind="variational").fit(_interactions())
    model.inverse_transform(model.transform(_interactions()))
    assert _global_state() == before
    tf.random.uniform([2])  # raises where op determinism was switched on


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
@each_kind_and_loss
def test_same_bits_in_every_run(kind, loss, form, forget_networks):
    first = _fitted_noisy(kind, loss, form)
    forget_networks()
    second = _noisy(kind, loss).fit(form(_interactions()))
    _assert_same_weights(second, first)
    assert second.loss_curve_ == first.loss_curve_


def test_another_seed_gives_other_weights():
    X = _interactions()
    first = _fitted_noisy("plain", "mse", np.asarray)
    other = clone(first).set_params(random_state=1).fit(X)
    assert not np.array_equal(other.transform(X), first.transform(X))


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
@pytest.mark.parametrize(
    ("kind", "loss"),
    [
        ("variational", "multinomial"),
        *(
            pytest.param(kind, loss, marks=pytest.mark.slow)
            for kind in KINDS
            for loss in LOSSES
            if (kind, loss) != ("variational", "multinomial")
        ),
    ],
)
def test_same_bits_compiled_or_not(kind, loss, form):
    eager = _fitted_noisy(kind, loss, form)
    compiled = clone(eager).set_params(run_eagerly=False).fit(form(_interactions()))
    _assert_same_weights(compiled, eager)
    assert compiled.loss_curve_ == pytest.approx(eager.loss_curve_, rel=1e-6)


@pytest.mark.slow
def test_parallel_search_gives_the_digits_of_a_serial_one():
    X = sp.csr_array(_interactions(120))
    pipeline = make_pipeline(Autoencoder(**{**TINY, "run_eagerly": False}), Ridge())
    grid = {
        "autoencoder__n_components": [2, 3],
        "autoencoder__kind": ["plain", "variational"],
    }
    results = [
        GridSearchCV(pipeline, grid, cv=2, n_jobs=n_jobs).fit(X, X.toarray()[:, :3]).cv_results_
        for n_jobs in (1, 2)
    ]
    for split in ("split0_test_score", "split1_test_score"):
        assert np.isfinite(results[0][split]).all()
        np.testing.assert_array_equal(results[0][split], results[1][split])


# Saving


def test_fit_does_not_save_the_state_of_the_optimizer():
    X = _interactions(n_columns=2000)
    fitted = Autoencoder(**TINY).fit(X)
    whole, part = (
        len(pickle.dumps(model)) for model in (fitted, Autoencoder(**TINY).partial_fit(X))
    )
    n_weights = sum(w.size for w in fitted._fitted_network.weights.values())
    assert whole < 4 * n_weights + 20_000
    assert part > 12 * n_weights


def test_frozen_and_cloned():
    X = _interactions()
    model = Autoencoder(**TINY).fit(X)
    frozen = clone(FrozenEstimator(model)).fit(X, None)
    np.testing.assert_array_equal(frozen.transform(X), model.transform(X))
    assert not hasattr(clone(model), "n_iter_")


# What is shown


def test_progress_bar(capfd):
    Autoencoder(**TINY).fit(_interactions())
    assert capfd.readouterr() == ("", "")
    Autoencoder(**IN_BATCHES, verbose=1).fit(_interactions())
    shown = capfd.readouterr().err
    assert "4/4" in shown
    assert "epoch=2" in shown
    assert "loss=" in shown


@pytest.mark.slow
def test_first_fit_of_a_process_is_silent():
    program = f"""
import numpy as np
from sktransrec import Autoencoder
Autoencoder(**{TINY}).fit_transform(np.eye(8))
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert (run.stdout, run.stderr) == ("", "")
