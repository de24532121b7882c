# SPDX-License-Identifier: BSD-3-Clause

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sktransrec import ContentKNNRecommender, ItemFeatures
from sktransrec.recommenders._shared_vectors import _is_same, _made, made_once

PIPE = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), TruncatedSVD(2, random_state=0))


@pytest.mark.parametrize(
    ("changes", "is_same"),
    [
        ({}, True),
        ({"truncatedsvd__n_components": 3}, False),
        ({"tfidfvectorizer__ngram_range": (1, 1)}, False),
        ({"truncatedsvd__random_state": np.random.RandomState(0)}, False),
        ({"truncatedsvd": "passthrough"}, False),
    ],
)
def test_transformers_are_known_by_their_parameters(changes, is_same):
    assert _is_same(PIPE, clone(PIPE).set_params(**changes)) == is_same


def test_the_latest_are_kept_as_long_as_the_content():
    content = ItemFeatures([[1.0], [2.0]])
    calls = []
    for n_components in (1, 1, 2, 3, 4, 5, 1):
        made_once(content, TruncatedSVD(n_components), lambda: calls.append(0))
    assert len(calls) == 6
    before = len(_made)
    del content
    assert len(_made) == before - 1


def test_models_of_one_content_share_the_vectors():
    content = ItemFeatures(["a thing", "two things", "nothing"])
    one, other, third = (
        ContentKNNRecommender(content, transformer=transformer, pooling=pooling).fit(np.eye(3))
        for transformer, pooling in ((None, "mean"), (None, "max"), (TfidfVectorizer(), "mean"))
    )
    assert one._unit_vectors[0] is other._unit_vectors[0]
    assert third._unit_vectors[0] is not one._unit_vectors[0]


def test_frozen_transformers_that_differ_in_what_they_learned_make_their_own_vectors():
    content = ItemFeatures([[1.0, 4.0], [2.0, 5.0], [3.0, 9.0]])
    for data in (content.values, -2 + content.values**2):
        scaler = StandardScaler().fit(data)
        model = ContentKNNRecommender(content, transformer=FrozenEstimator(scaler)).fit(np.eye(3))
        expected = cosine_similarity(scaler.transform(content.values))
        assert_allclose(model.decision_function(np.eye(3)), expected, atol=1e-6)


class Network:
    """Vectors by a matrix that learns."""

    def __init__(self):
        self.weights = np.eye(4)

    def encode(self, values):
        return np.asarray(values) @ self.weights


def test_an_encoder_that_has_learned_more_is_asked_again():
    rng = np.random.RandomState(0)
    features, network = ItemFeatures(rng.normal(size=(6, 4))), Network()
    model, X = ContentKNNRecommender(features, transformer=network.encode), np.eye(6)
    before = model.fit(X).decision_function(X)
    network.weights = rng.normal(size=(4, 4))
    expected = ContentKNNRecommender(ItemFeatures(features.values), transformer=network.encode).fit(
        X
    )
    after = model.fit(X).decision_function(X)
    np.testing.assert_array_equal(after, expected.decision_function(X))
    assert np.abs(after - before).max() > 0.1
    scaler = StandardScaler().fit(features.values)
    frozen = ContentKNNRecommender(features, transformer=FrozenEstimator(scaler))
    before = frozen.fit(X).decision_function(X)
    scaler.fit(features.values * [1, 5, 1, 1] + 3)
    assert np.abs(frozen.fit(X).decision_function(X) - before).max() > 0.1


def test_parameters_changed_in_place_make_new_vectors():
    texts = ["a thing", "two things", "nothing at all"]
    features, X = ItemFeatures(texts), np.eye(3)
    model = ContentKNNRecommender(features, transformer=TfidfVectorizer()).fit(X)
    model.set_params(transformer__max_features=2).fit(X)
    assert len(model.transformer_.vocabulary_) == 2
    expected = ContentKNNRecommender(
        ItemFeatures(texts), transformer=TfidfVectorizer(max_features=2)
    )
    assert_allclose(model.decision_function(X), expected.fit(X).decision_function(X))


FACTORS = [1.0, 1.0]


def _times(values):
    return np.asarray(values) * FACTORS


def test_functions_are_asked_again(monkeypatch):
    features, X = ItemFeatures([[1.0, 4.0], [2.0, 5.0], [3.0, -9.0]]), np.eye(3)
    for factors in ([1.0, 1.0], [1.0, 9.0]):
        monkeypatch.setitem(globals(), "FACTORS", factors)
        model = ContentKNNRecommender(features, transformer=_times).fit(X)
        expected = cosine_similarity(features.values * factors)
        assert_allclose(model.decision_function(X), expected, atol=1e-6)
