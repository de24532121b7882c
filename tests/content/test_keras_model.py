# SPDX-License-Identifier: BSD-3-Clause
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sktransrec import ContentKNNRecommender, ItemFeatures, PretrainedEncoder
from sktransrec.content import KerasModel

keras = pytest.importorskip("keras")

# Keras saves and loads weights in a way that numpy warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

PICTURES = np.random.RandomState(0).uniform(size=(6, 4, 4, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A classifier whose features are the mean colours, and whose classes are their doubles."""
    inputs = keras.Input((4, 4, 3))
    features = keras.layers.GlobalAveragePooling2D(name="features")(inputs)
    classes = keras.layers.Dense(3, use_bias=False, name="classes")
    model = keras.Model(inputs, classes(features))
    model.get_layer("classes").set_weights([2 * np.eye(3)])
    path = tmp_path_factory.mktemp("keras") / "model.keras"
    model.save(path)
    return path


@pytest.mark.parametrize(
    ("layer", "expected"),
    [(None, 2 * PICTURES.mean(axis=(1, 2))), ("features", PICTURES.mean(axis=(1, 2)))],
)
def test_the_output_of_a_model_or_of_a_layer(path, layer, expected):
    assert_allclose(KerasModel(path, layer=layer)(PICTURES), expected, rtol=1e-5)


def test_an_output_with_places_is_averaged(path):
    first = keras.saving.load_model(path).layers[0].name
    assert_allclose(KerasModel(path, layer=first)(PICTURES), PICTURES.mean(axis=(1, 2)), rtol=1e-5)


def test_a_saved_recommender_holds_the_path_alone(path):
    X = np.eye(6) + np.eye(6)[::-1]
    encoder = PretrainedEncoder(KerasModel(path), batch_size=4)
    model = ContentKNNRecommender(ItemFeatures(PICTURES), transformer=encoder).fit(X)
    loaded = pickle.loads(pickle.dumps(model))
    later = ItemFeatures(PICTURES[:1], ids=["new"])
    scores = loaded.with_items(later).decision_function(X)
    assert_allclose(scores[:, 6], model.decision_function(X)[:, 0], rtol=1e-5)
