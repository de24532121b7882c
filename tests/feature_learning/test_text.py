# SPDX-License-Identifier: BSD-3-Clause
"""TextEncoder: order at any distance, padding that changes nothing, what hidden tokens teach."""

import numpy as np
import pytest
from joblib import dump, load
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sktransrec import TextEncoder, TextSequences
from sktransrec.feature_learning._text import hidden_tokens

TINY = TextEncoder(
    4, n_layers=1, n_heads=2, embedding_size=8, epochs=2, run_eagerly=True, random_state=0
)


def ordered_texts(n_rows, seed):
    """Return texts that hold "first" and "second" once each, and whether in that order."""
    rng = np.random.RandomState(seed)
    texts, is_first = [], np.arange(n_rows) % 2
    for in_order in is_first:
        words = rng.choice(["a", "b", "c", "d"], rng.randint(6, 9)).astype(object)
        places = np.sort(rng.choice(len(words), 2, replace=False))
        words[places] = ["first", "second"] if in_order else ["second", "first"]
        texts.append(" ".join(words))
    return texts, is_first


def accuracy(features, texts, y, new_texts, new_y):
    """Return how often a logistic regression on features of texts is right about new ones."""
    classifier = LogisticRegression(C=100).fit(features.transform(texts), y)
    return classifier.score(features.transform(new_texts), new_y)


def test_order_that_a_bag_of_words_cannot_tell():
    texts, y = ordered_texts(200, 0)
    new_texts, expected = ordered_texts(100, 1)
    encoder = clone(TINY).set_params(
        embedding_size=16,
        loss="binary_crossentropy",
        dropout=0.0,
        learning_rate=0.01,
        epochs=12,
        run_eagerly=False,
    )
    learned = make_pipeline(TextSequences(token_pattern=r"\w+"), encoder).fit(texts, y)
    words = CountVectorizer(token_pattern=r"\w+").fit(texts)
    assert accuracy(learned, texts, y, new_texts, expected) > 0.95
    assert accuracy(words, texts, y, new_texts, expected) < 0.65


def topics(words, n_rows, seed, n_steps=8):
    """Return rows of words of one of two topics, each of 20 words, and which topic it is."""
    rng = np.random.RandomState(seed)
    y = np.arange(n_rows) % 2
    return rng.choice(words, (n_rows, n_steps)) + 20 * y[:, None], y


@pytest.mark.slow
def test_hidden_tokens_teach_what_few_labels_do_not():
    """The words of the labelled rows are others than those of the rows to be told apart.

    The rows that lend their network are longer than both.
    """
    known, others = np.arange(1, 6), np.arange(6, 21)
    encoder = clone(TINY).set_params(
        embedding_size=16, n_tokens=41, learning_rate=0.03, epochs=8, run_eagerly=False
    )
    masked = clone(encoder).fit(topics(np.arange(1, 21), 200, 0, n_steps=10)[0])
    rows, y = topics(known, 10, 1)
    new_rows, expected = topics(others, 200, 2)
    tuned = clone(encoder).set_params(pretrained=FrozenEstimator(masked), run_eagerly=True)
    tuned.fit(rows, y)
    scratch = clone(encoder).fit(rows, y)
    assert {layer.name for layer in tuned.transferred_layers_ if layer.copied == "no"} == {"output"}
    assert accuracy(tuned, rows, y, new_rows, expected) > 0.9
    assert accuracy(scratch, rows, y, new_rows, expected) < 0.75


def test_a_token_is_hidden_in_each_row():
    X = np.random.RandomState(0).randint(1, 100, (400, 12))
    X[:10] = 0
    X[10:20, 1:] = 0
    seen, is_predicted = hidden_tokens(X, 100, np.random.RandomState(0))
    assert not is_predicted[X == 0].any()
    assert is_predicted[10:].any(axis=1).all()
    assert_array_equal(seen[~is_predicted], X[~is_predicted])
    assert is_predicted[20:].mean() == pytest.approx(0.16, abs=0.02)
    predicted = seen[is_predicted]
    is_other = (predicted != 100) & (predicted != X[is_predicted])
    assert (predicted == 100).mean() == pytest.approx(0.8, abs=0.05)
    assert is_other.mean() == pytest.approx(0.1, abs=0.04)
    assert predicted.min() > 0


def test_padding_of_any_length_changes_nothing():
    X = np.random.RandomState(0).randint(1, 9, (12, 5))
    X[::3, 3:] = 0
    padding = np.zeros((12, 4), dtype=int)
    y = np.random.RandomState(1).uniform(size=(12, 2))
    model = clone(TINY).set_params(dropout=0.0).fit(X, y)
    for longer in (np.hstack([X, padding]), np.hstack([padding, X])):
        other = clone(model).fit(longer, y)
        assert_allclose(other.transform(longer), model.transform(X), atol=1e-5)
        assert_allclose(other.loss_curve_, model.loss_curve_, rtol=1e-5)
    assert np.abs(model.transform(X[:, ::-1]) - model.transform(X)).max() > 1e-4
    assert_array_equal(model.transform(0 * X), 0)


def test_pipelines_are_searched_and_saved(tmp_path):
    texts, y = ordered_texts(24, 0)
    pipeline = make_pipeline(
        TextSequences(),
        clone(TINY).set_params(unknown="ignore", epochs=1),
        LogisticRegression(),
    )
    search = GridSearchCV(pipeline, {"textencoder__n_layers": [1, 2]}, cv=2).fit(texts, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    dump(search, tmp_path / "search.joblib")
    expected = search.predict_proba(texts)
    assert_array_equal(load(tmp_path / "search.joblib").predict_proba(texts), expected)


@pytest.mark.parametrize(
    ("parameters", "X", "message"),
    [
        ({"n_heads": 3}, [[1, 2]], "n_heads=3 does not divide embedding_size=8"),
        ({}, [[0.5, 1.0]], "reads token ids"),
        ({}, [[0, 0]], "nothing but padding"),
        ({}, [[[1, 2]]], "X has 3 dimensions, and TextEncoder takes 2"),
    ],
)
def test_bad_input(parameters, X, message):
    with pytest.raises(ValueError, match=message):
        clone(TINY).set_params(**parameters).fit(np.array(X))
