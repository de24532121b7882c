# SPDX-License-Identifier: BSD-3-Clause
"""What the learners of sequences have in common: forms of input, targets, padding, state."""

import copy
import functools
import pickle
import random

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from sktransrec import CNNEncoder, RNNEncoder, TextEncoder, TextSequences

TRAINING = {
    "n_components": 2,
    "embedding_size": 3,
    "epochs": 2,
    "batch_size": 18,
    "learning_rate": 0.01,
    "dropout": 0.0,
    "run_eagerly": True,
    "random_state": 0,
}
TINY = {"hidden_layer_sizes": (4,), **TRAINING}
LEARNERS = [CNNEncoder(kernel_sizes=(2, 3), **TINY), RNNEncoder(cell="simple", **TINY)]
OF_TOKENS = [*LEARNERS, TextEncoder(n_layers=1, **TRAINING)]
FORMS = ["tokens", "signals", "vectors", "images"]
LOSSES = ["mse", "binary_crossentropy", "multinomial"]

each_learner = pytest.mark.parametrize("learner", LEARNERS, ids=lambda it: type(it).__name__)
first_learner = pytest.mark.parametrize(
    "learner",
    [LEARNERS[0], *(pytest.param(each, marks=pytest.mark.slow) for each in OF_TOKENS[1:])],
    ids=lambda it: type(it).__name__,
)
each_learner_of_tokens = pytest.mark.parametrize(
    "learner", OF_TOKENS, ids=lambda it: type(it).__name__
)
each_form_of_a_learner = pytest.mark.parametrize(
    ("learner", "form"),
    [
        pytest.param(learner, form, id=f"{type(learner).__name__}-{form}")
        for learner in OF_TOKENS
        for form in (FORMS[: learner._max_dimensions] if learner in LEARNERS else ["tokens"])
    ],
)


def _rows(form, n_rows=18):
    rng = np.random.RandomState(0)
    if form == "tokens":
        X = rng.randint(1, 9, (n_rows, 5))
        X[: n_rows // 3, 3:] = 0
        return X
    shape = {"signals": (5,), "vectors": (5, 3), "images": (7, 5, 2)}[form]
    return rng.uniform(size=(n_rows, *shape)).astype(np.float32)


def _object_column(rows):
    column = np.empty(len(rows), dtype=object)
    column[:] = list(rows)
    return column


def _targets(n_rows=18):
    rng = np.random.RandomState(1)
    return (rng.uniform(size=(n_rows, 5)) < 0.4).astype(np.float32)


@functools.cache
def _fitted(learner, form, is_supervised, /):
    """Return a fitted learner that no test changes."""
    return clone(learner).fit(_rows(form), _targets() if is_supervised else None)


def _assert_same_weights(actual, expected):
    for path, weight in expected._fitted_network.weights.items():
        np.testing.assert_array_equal(actual._fitted_network.weights[path], weight, err_msg=path)


# Forms of X


@each_form_of_a_learner
@pytest.mark.parametrize("is_supervised", [True, False])
def test_features_of_all_forms(learner, form, is_supervised):
    X = _rows(form)
    model = _fitted(learner, form, is_supervised)
    features = model.transform(X)
    assert features.shape == (18, 2)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    if is_supervised or learner in LEARNERS:  # the tokens to predict are drawn anew otherwise
        assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert model.n_features_in_ == X.shape[1]
    assert model.n_outputs_ == (5 if is_supervised else None)
    assert model.n_tokens_ == (9 if form == "tokens" else None)
    restored = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(restored.transform(X), features)


@each_form_of_a_learner
def test_rows_of_another_shape_are_refused(learner, form):
    X = _rows(form)
    model = _fitted(learner, form, True)
    shapes = [X[..., :-1], X[:, :, None], X[:, 0] if X.ndim > 2 else X[:, :3]]
    for other in shapes:
        with pytest.raises(ValueError, match=r"rows of shape|is expecting"):
            model.transform(other)


def test_too_many_dimensions():
    with pytest.raises(ValueError, match=r"X has 4 dimensions, and RNNEncoder takes 2 .* or 3"):
        RNNEncoder(**TINY).fit(_rows("images"))
    with pytest.raises(ValueError, match="X has 5 dimensions"):
        CNNEncoder(**TINY).fit(_rows("images")[..., None])


@each_learner
@pytest.mark.parametrize("form", [list, lambda rows: np.array(rows, dtype=object)])
def test_ragged_rows_are_refused(learner, form):
    with pytest.raises(ValueError, match="pad them to one length"):
        clone(learner).fit(form([[1, 2], [1, 2, 3], [1]]))


@each_learner
@pytest.mark.parametrize("form", [list, _object_column])
def test_a_column_of_arrays_is_one_array(learner, form):
    X, y = _rows("vectors"), _targets()
    expected = _fitted(learner, "vectors", True)
    model = clone(learner).fit(form(X), y)
    _assert_same_weights(model, expected)
    np.testing.assert_array_equal(model.transform(form(X)), expected.transform(X))


def _named_images(first):
    """Return a column of images, the first one replaced."""
    pd = pytest.importorskip("pandas")
    images = [first, *_rows("images")[1:]]
    return pd.Series(images, index=[f"電影{i}" for i in range(len(images))])


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((5, 5, 2)), r"Row 0 of X \('電影0'\) is of shape \(5, 5, 2\)"),
        (np.zeros((7, 5)), r"Row 0 of X \('電影0'\) is of shape \(7, 5\)"),
        (np.zeros((7, 5, 1)), r"Row 0 of X \('電影0'\) is of shape \(7, 5, 1\)"),
        (None, r"Row 0 of X \('電影0'\) is of shape NoneType"),
        (np.full((7, 5, 2), np.nan), r"contains NaN. Row 0 of X \('電影0'\) is the first"),
        (np.full((7, 5, 2), np.inf), r"contains infinity.* Row 0 of X \('電影0'\) is the first"),
    ],
)
def test_bad_images_name_their_item(image, message):
    fitted = _fitted(LEARNERS[0], "images", True)
    bad = _named_images(image)
    for method in (CNNEncoder(**TINY).fit, fitted.transform):
        with pytest.raises(ValueError, match=message):
            method(bad)


@pytest.mark.parametrize("dtype", [object, "Int64"])
def test_the_row_of_a_table_that_misses_a_token_is_named(dtype):
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame([[1, 2], [1, pd.NA]], index=["a", "b"], dtype=dtype)
    with pytest.raises(ValueError, match=r"contains NaN. Row 1 of X \('b'\) is the first"):
        RNNEncoder(2, epochs=1).fit(table)
    with pytest.raises(ValueError, match=r"contains NaN. Row 1 of X is the first"):
        RNNEncoder(2, epochs=1).fit(table.to_numpy(object))


def test_images_unlike_those_of_fit_are_refused():
    fitted = _fitted(LEARNERS[0], "images", True)
    for other in (_rows("images")[:, 1:], _rows("images")[..., :1], _rows("images")[..., 0]):
        with pytest.raises(ValueError, match=r"rows of shape .*, and fit saw \(7, 5, 2\)"):
            fitted.transform(other)
        with pytest.raises(ValueError, match=r"rows of shape .*, and fit saw \(7, 5, 2\)"):
            fitted.transform(_object_column(other))


@each_learner_of_tokens
def test_sparse_rows_are_refused(learner):
    with pytest.raises(TypeError, match="Sparse data was passed"):
        clone(learner).fit(sp.csr_array(_rows("tokens")))


@each_learner_of_tokens
def test_token_ids_outside_of_the_vocabulary(learner):
    X = _rows("tokens")
    model = copy.deepcopy(_fitted(learner, "tokens", False))
    with pytest.raises(ValueError, match=r"token id 9, and .* below 9"):
        model.transform(X + 1)
    with pytest.raises(ValueError, match="token id -1"):
        model.transform(X - 1)
    with pytest.raises(ValueError, match="token ids: pass integers"):
        model.transform(X + 0.5)
    larger = np.where(X == 3, 9, X)
    ignoring = model.set_params(unknown="ignore").transform(larger)
    np.testing.assert_array_equal(ignoring, model.transform(np.where(X == 3, 0, X)))
    with pytest.raises(ValueError, match="larger n_tokens"):
        clone(learner).set_params(n_tokens=8, unknown="ignore").fit(X)
    larger = clone(learner).set_params(n_tokens=np.int64(12), epochs=1).fit(X)
    assert larger.transform(X + 3).shape == (18, 2)


@each_learner_of_tokens
def test_token_ids_of_all_integer_types(learner):
    X = _rows("tokens")
    model = _fitted(learner, "tokens", False)
    for dtype in (np.int8, np.uint8, np.int32, np.uint64):
        np.testing.assert_array_equal(model.transform(X.astype(dtype)), model.transform(X))
    _assert_same_weights(clone(learner).fit(X.astype(np.uint64)), model)


@each_learner
def test_images_and_vectors_may_be_integers(learner):
    X = np.random.RandomState(0).randint(0, 255, (18, 6, 3), dtype=np.uint8)
    model = clone(learner).set_params(epochs=1).fit(X, _targets())
    assert model.n_tokens_ is None
    np.testing.assert_array_equal(model.transform(X), model.transform(X.astype(float)))


# Padding


@each_learner
@pytest.mark.parametrize(("form", "is_supervised"), [("tokens", True), ("vectors", False)])
def test_padding_does_not_change_the_features(learner, form, is_supervised):
    """The same weights, moved into a network for longer rows."""
    learner = clone(learner).set_params(hidden_layer_sizes=(4, 3), epochs=1)
    X, y = _rows(form)[:, 1:], _targets() if is_supervised else None
    padding = np.zeros((18, 2, *X.shape[2:]), dtype=X.dtype)
    model = clone(learner).fit(X, y)
    at_end, at_start = (np.concatenate(each, axis=1) for each in ([X, padding], [padding, X]))
    other = clone(learner).fit(at_end, y)
    weights = other._fitted_network.weights
    for path, weight in model._fitted_network.weights.items():
        if not path.startswith(("decoder/", "output/")):
            weights[path] = weight
    other._fitted_network._served = None
    for longer in (at_end, at_start):
        np.testing.assert_allclose(other.transform(longer), model.transform(X), atol=1e-6)


def test_padding_does_not_change_either_way_of_reading():
    X, y = _rows("tokens")[6:, 2:], _targets(12)
    options = {**TINY, "hidden_layer_sizes": (4, 3), "epochs": 1}
    learner = RNNEncoder(**options, cell="simple", bidirectional=True)
    padding = np.zeros((12, 2), dtype=int)
    expected = clone(learner).fit(X, y)
    for longer in (np.hstack([X, padding]), np.hstack([padding, X])):
        actual = clone(learner).fit(longer, y)
        np.testing.assert_allclose(actual.transform(longer), expected.transform(X), atol=1e-5)
    backwards = expected.transform(X[:, ::-1])
    assert np.abs(backwards - expected.transform(X)).max() > 1e-3


@each_learner_of_tokens
def test_rows_of_nothing_but_padding(learner):
    X = _rows("tokens")
    X[3:5] = 0
    features = clone(learner).set_params(epochs=1).fit(X, _targets()).transform(X)
    assert np.isfinite(features).all()
    np.testing.assert_array_equal(features[3], features[4])


# Targets


@pytest.mark.parametrize("loss", LOSSES)
def test_dense_and_sparse_targets_are_the_same(loss):
    X, y = _rows("tokens"), _targets()
    model = clone(LEARNERS[0]).set_params(loss=loss)
    _, expected = model._check_fit_rows(X, y, reset=True)
    for variant in (sp.csr_array(y), sp.csc_matrix(y), sp.coo_array(y), y.astype(int)):
        _, actual = model._check_fit_rows(X, variant, reset=True)
        np.testing.assert_array_equal(actual.toarray(), expected.toarray())
        assert actual.dtype == expected.dtype


@first_learner
def test_dense_and_sparse_targets_give_the_same_bits(learner):
    X, y = _rows("tokens"), _targets()
    model = clone(learner).set_params(loss="multinomial", validation_fraction=0.2, batch_size=9)
    dense, sparse = clone(model).fit(X, y), clone(model).fit(X, sp.csc_matrix(y))
    _assert_same_weights(sparse, dense)
    assert sparse.loss_curve_ == dense.loss_curve_


@each_learner
def test_one_dimensional_targets(learner):
    learner = clone(learner).set_params(epochs=1)
    X, y = _rows("tokens"), np.arange(18) % 3
    column = clone(learner).fit(X, y)
    assert column.n_outputs_ == 1
    _assert_same_weights(column, clone(learner).fit(X, y[:, None]))
    of_items = clone(learner).set_params(loss="multinomial").fit(X, y)
    assert of_items.n_outputs_ == 3
    _assert_same_weights(
        of_items, clone(learner).set_params(loss="multinomial").fit(X, np.eye(3)[y])
    )
    assert of_items.partial_fit(X[:2], y[:2]).n_outputs_ == 3


@each_learner
@pytest.mark.parametrize(
    ("parameters", "X", "y", "message"),
    [
        ({"loss": "binary_crossentropy"}, None, 2 * _targets(), "y holds values up to 2"),
        ({"loss": "multinomial"}, None, -_targets(), "Negative values in data passed to y"),
        ({}, None, _targets()[:5], "X has 18 rows and y has 5"),
        ({}, None, np.full((18, 1), np.nan), "y contains NaN"),
        ({"loss": "multinomial"}, _rows("signals"), None, "needs y or token ids"),
        ({"loss": "binary_crossentropy"}, 3 * _rows("signals"), None, "X holds values up to"),
        ({"hidden_layer_sizes": ()}, None, _targets(), "hidden_layer_sizes is empty"),
        ({"hidden_layer_sizes": (0,)}, None, _targets(), "hidden_layer_sizes must hold"),
        ({"dropout": 1.0}, None, _targets(), "dropout"),
    ],
)
def test_errors_leave_the_model_as_it_was(learner, parameters, X, y, message):
    X = _rows("tokens") if X is None else X
    model = copy.deepcopy(_fitted(learner, "tokens", False))
    expected = copy.deepcopy(vars(model))
    with pytest.raises(ValueError, match=message):
        model.set_params(**parameters).fit(X, y)
    assert vars(model).keys() == expected.keys()
    assert model.loss_curve_ == expected["loss_curve_"]
    assert model.n_outputs_ is None


@each_learner
def test_going_on_with_or_without_targets(learner):
    X, y = _rows("tokens"), _targets()
    with pytest.raises(ValueError, match="unlike in the fit before"):
        clone(learner).partial_fit(X, y).partial_fit(X)
    with pytest.raises(ValueError, match="y has shape"):
        clone(learner).partial_fit(X, y).partial_fit(X, y[:, :3])


# Training in parts, determinism, saving


@first_learner
@pytest.mark.parametrize("is_supervised", [pytest.param(True, marks=pytest.mark.slow), False])
def test_partial_fits_are_the_epochs_of_a_fit(learner, is_supervised):
    X, y = _rows("tokens"), _targets() if is_supervised else None
    learner = clone(learner).set_params(dropout=0.5, epochs=2)
    whole = clone(learner).fit(X, y)
    parts = clone(learner).partial_fit(X, y)
    parts = pickle.loads(pickle.dumps(parts)).partial_fit(X, y)
    _assert_same_weights(parts, whole)
    assert parts.loss_curve_ == whole.loss_curve_


@first_learner
def test_warm_start_and_early_stopping(learner):
    X, y = _rows("tokens"), np.random.RandomState(2).standard_normal((18, 3))
    model = clone(learner).set_params(warm_start=True).fit(X, y)
    first = list(model.loss_curve_)
    assert model.fit(X, y).loss_curve_[:2] == first
    assert model.n_iter_ == 4
    model = clone(learner).set_params(
        validation_fraction=0.3, patience=2, epochs=200, learning_rate=0.05
    )
    curve = model.fit(X, y).validation_loss_curve_
    assert int(np.argmin(curve)) == len(curve) - 1 - 2
    assert model.n_iter_ < 200


@each_form_of_a_learner
@pytest.mark.parametrize("is_supervised", [pytest.param(True, marks=pytest.mark.slow), False])
def test_same_bits_in_every_run(learner, form, is_supervised, forget_networks):
    X, y = _rows(form), _targets() if is_supervised else None
    expected = _fitted(learner, form, is_supervised)
    forget_networks()
    _assert_same_weights(clone(learner).fit(X, y), expected)


@each_learner_of_tokens
def test_another_seed_gives_other_weights(learner):
    X = _rows("tokens")
    other = clone(learner).set_params(random_state=1).fit(X, _targets())
    assert not np.array_equal(other.transform(X), _fitted(learner, "tokens", True).transform(X))


@pytest.mark.slow
@each_form_of_a_learner
@pytest.mark.parametrize("is_supervised", [True, False])
def test_compiled_training_is_the_same(learner, form, is_supervised):
    X, y = _rows(form), _targets() if is_supervised else None
    learner = clone(learner).set_params(dropout=0.5)
    eager = clone(learner).fit(X, y)
    compiled = clone(learner).set_params(run_eagerly=False).fit(X, y)
    for path, weight in eager._fitted_network.weights.items():
        actual = compiled._fitted_network.weights[path]
        if path.endswith("queries_keys_values/bias"):
            # The bias of the keys has no effect. Adam makes whole steps of its rounding errors.
            keys = np.arange(len(weight) // 3, 2 * len(weight) // 3)
            actual, weight = np.delete(actual, keys), np.delete(weight, keys)
        np.testing.assert_allclose(actual, weight, atol=1e-6, err_msg=path)
    np.testing.assert_allclose(compiled.transform(X), eager.transform(X), atol=1e-5)
    again = clone(learner).set_params(run_eagerly=False).fit(X, y)
    _assert_same_weights(again, compiled)


@pytest.mark.parametrize(
    "learner",
    [*LEARNERS, RNNEncoder(**TINY), RNNEncoder(cell="lstm", **TINY)],
    ids=["cnn", "simple", "gru", "lstm"],
)
def test_no_global_state_moves(learner, forget_networks):
    import tensorflow as tf

    def state():
        return np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002

    forget_networks()
    before = state()
    model = clone(learner).set_params(dropout=0.5, epochs=1).fit(_rows("tokens"))
    pickle.loads(pickle.dumps(model)).transform(_rows("tokens"))
    assert state() == before
    tf.random.uniform([2])  # raises where op determinism was switched on


@pytest.mark.parametrize("optimizer", ["adagrad", "adamw", "nadam", "rmsprop", "sgd"])
def test_every_optimizer_trains_embeddings(optimizer):
    model = clone(LEARNERS[0]).set_params(optimizer=optimizer, kernel_sizes=(2,))
    curve = model.fit(_rows("tokens"), _targets()).loss_curve_
    assert curve[-1] < curve[0]


@each_learner_of_tokens
def test_pipeline_from_texts(learner):
    texts = ["the red fox", "a red dog", "the blue fox runs", "", "a blue dog wakes up"]
    y = np.arange(10.0).reshape(5, 2)
    learner = clone(learner).set_params(unknown="ignore", epochs=1)
    pipeline = make_pipeline(TextSequences(max_length=3), learner, Ridge()).fit(texts, y)
    assert pipeline[1].n_tokens_ < len(pipeline[0].vocabulary_) + 2
    assert pipeline.predict(["blue dog wakes", "unknown words"]).shape == (2, 2)


@pytest.mark.parametrize("learner", [CNNEncoder(), RNNEncoder(), TextEncoder()])
@pytest.mark.parametrize("texts", [["a b", "c"], pd.Series(["a b", "c"]), np.array(["a b", "c"])])
def test_texts_need_numbers_for_their_words(learner, texts):
    with pytest.raises(ValueError, match=r"X holds texts.* put TextSequences\(\) before it"):
        clone(learner).fit(texts)


@pytest.mark.parametrize("dtype", ["Int64", "int64[pyarrow]", object])
def test_integers_of_a_table_are_token_ids_whatever_their_type(dtype):
    table = pd.DataFrame(np.random.RandomState(0).randint(1, 9, (12, 4)))
    model, other = (
        RNNEncoder(2, embedding_size=3, epochs=1, run_eagerly=True, random_state=0).fit(rows)
        for rows in (table, table.astype(dtype))
    )
    assert other.n_tokens_ == model.n_tokens_ == 9
    np.testing.assert_array_equal(other.transform(table.astype(dtype)), model.transform(table))
