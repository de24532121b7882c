# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from sktransrec import RNNEncoder

TINY = {
    "n_components": 3,
    "hidden_layer_sizes": (4,),
    "epochs": 1,
    "run_eagerly": True,
    "random_state": 0,
}
each_cell = pytest.mark.parametrize("cell", ["simple", pytest.param("gru", marks=pytest.mark.slow)])


def _ordered(n_rows, seed):
    """Return rows with the tokens 1 and 2 in each, and whether 1 comes before 2."""
    rng = np.random.RandomState(seed)
    X = rng.randint(3, 7, (n_rows, 8))
    y = np.arange(n_rows) % 2
    for row, is_first in zip(X, y, strict=True):
        places = np.sort(rng.choice(8, 2, replace=False))
        row[places] = [1, 2] if is_first else [2, 1]
    return X, y


@pytest.mark.parametrize("bidirectional", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_order_at_any_distance(bidirectional):
    X, y = _ordered(400, 0)
    new, expected = _ordered(200, 1)
    model = RNNEncoder(
        4,
        hidden_layer_sizes=(16,),
        embedding_size=8,
        bidirectional=bidirectional,
        loss="binary_crossentropy",
        dropout=0.0,
        learning_rate=0.05,
        epochs=15,
        batch_size=200,
        random_state=0,
    ).fit(X, y)
    head = LogisticRegression(C=100).fit(model.transform(X), y)
    assert head.score(model.transform(new), expected) > 0.95


def _next_scores(model, X):
    """Return the probabilities of the token after the last one of rows without padding."""
    output, _ = model.network_(X)
    return output.numpy()[:, -1]


@pytest.mark.parametrize(
    ("cell", "n_negatives"),
    [
        ("simple", None),
        *(pytest.param("gru", n, marks=pytest.mark.slow) for n in (None, 20)),
        pytest.param("lstm", None, marks=pytest.mark.slow),
    ],
)
def test_rule_of_the_next_token(cell, n_negatives):
    """Each token is followed by the next larger one, the largest by the first."""
    n = 7
    starts = np.random.RandomState(0).randint(0, n, 120)
    X = (starts[:, None] + np.arange(6)) % n + 1
    X[::3, 4:] = 0
    model = RNNEncoder(
        8,
        cell=cell,
        n_negatives=n_negatives,
        hidden_layer_sizes=(16,),
        embedding_size=8,
        dropout=0.0,
        learning_rate=0.05,
        epochs=30,
        batch_size=120,
        random_state=0,
    ).fit(X)
    whole = X[1::3]
    following = whole[:, -1] % n + 1
    np.testing.assert_array_equal(_next_scores(model, whole).argmax(axis=1), following)
    # Draws that hit the next token contrast with it, so that the sampled loss stays above 0.
    least = 0.3 if n_negatives is None else 0.5
    assert model.loss_curve_[-1] < least * model.loss_curve_[0]


@each_cell
def test_rule_of_the_next_number(cell):
    """A wave is followed by what its last two values say."""
    phases = np.random.RandomState(0).uniform(0, 2 * np.pi, (100, 1))
    X = np.sin(phases + 0.7 * np.arange(9))
    model = RNNEncoder(
        6,
        cell=cell,
        hidden_layer_sizes=(16,),
        dropout=0.0,
        learning_rate=0.05,
        epochs=40,
        batch_size=100,
        random_state=0,
    ).fit(X)
    assert model.loss_curve_[-1] < 0.1 * (X[:, 1:] ** 2).sum(axis=1).mean()


@pytest.mark.parametrize("form", ["tokens", "vectors"])
def test_targets_are_the_steps_after_others(form):
    tokens = np.array([[1, 2, 3, 0], [0, 0, 4, 5], [6, 0, 0, 0]])
    X = tokens if form == "tokens" else np.stack([tokens, -tokens], axis=2).astype(float)
    model = RNNEncoder(**TINY).fit(X)
    targets = model._own_targets(X)
    assert targets.steps.tolist() == [0, 1, 6]
    if form == "tokens":
        assert targets.values.indices.tolist() == [2, 3, 5]
        assert targets.values.shape == (3, 7)
    else:
        np.testing.assert_array_equal(targets.values, [[2, -2], [3, -3], [5, -5]])


@each_cell
def test_padding_does_not_change_what_is_learned(cell):
    X = np.random.RandomState(0).randint(1, 6, (12, 3))
    padding = np.zeros((12, 2), dtype=int)
    models = [
        RNNEncoder(**{**TINY, "epochs": 2}, cell=cell, dropout=0.0).fit(rows)
        for rows in (X, np.hstack([X, padding]), np.hstack([padding, X]))
    ]
    for model in models[1:]:
        assert model.loss_curve_ == pytest.approx(models[0].loss_curve_, rel=1e-5)
        for path, weight in models[0]._fitted_network.weights.items():
            np.testing.assert_allclose(model._fitted_network.weights[path], weight, atol=1e-5)


@pytest.mark.parametrize(
    ("cell", "bidirectional"), [("gru", True), ("lstm", False), ("simple", True)]
)
def test_layers(cell, bidirectional):
    X = np.random.RandomState(0).randint(0, 9, (10, 3))
    model = RNNEncoder(
        **{**TINY, "hidden_layer_sizes": (6, 5)}, cell=cell, bidirectional=bidirectional
    ).fit(X, np.ones((10, 4)))
    layers = {layer.name: layer.output.shape[1:] for layer in model.network_.layers}
    ways = 1 + bidirectional
    assert layers["recurrent_1"] == (3, 6 * ways)
    assert layers["recurrent_2"] == (5 * ways,)
    assert (layers["code"], layers["output"]) == ((3,), (4,))
    kernels = [path for path in model._fitted_network.weights if path.endswith("/kernel")]
    assert len(kernels) == 2 * ways + 2


def test_bidirectional_needs_targets():
    with pytest.raises(ValueError, match="bidirectional=True needs y"):
        RNNEncoder(**TINY, bidirectional=True).fit(np.ones((4, 3), dtype=int))


@pytest.mark.parametrize("X", [[[1, 0], [0, 2]], [[0, 0]], [[3]], [[0.5]]])
def test_nothing_to_predict(X):
    with pytest.raises(ValueError, match="No row of X has two steps"):
        RNNEncoder(**TINY).fit(np.array(X))


@pytest.mark.parametrize("run_eagerly", [True, pytest.param(False, marks=pytest.mark.slow)])
@each_cell
def test_batches_without_a_next_token(cell, run_eagerly):
    X = np.array([[1, 2, 3], [2, 0, 0], [0, 0, 0], [3, 1, 2]])
    options = {**TINY, "cell": cell, "epochs": 2, "run_eagerly": run_eagerly}
    model = RNNEncoder(**options, batch_size=1, learning_rate=0.01).fit(X)
    assert np.isfinite(model.loss_curve_).all()
    assert model.loss_curve_[-1] < model.loss_curve_[0]
