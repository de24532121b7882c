# SPDX-License-Identifier: BSD-3-Clause
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sktransrec import ItemFeatures
from sktransrec.content import OnnxModel

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

VECTORS = np.random.RandomState(0).standard_normal((10, 3)).astype(np.float32)


def _saved(path, nodes, inputs, constants=()):
    """Save a graph of nodes that ends in "output"."""
    helper, types = onnx.helper, onnx.TensorProto
    values = [
        helper.make_tensor_value_info(name, types.INT64 if is_ids else types.FLOAT, shape)
        for name, is_ids, shape in inputs
    ]
    output = helper.make_tensor_value_info("output", types.FLOAT, None)
    graph = helper.make_graph(
        [helper.make_node(kind, ins, ["output"]) for kind, ins in nodes],
        *("tiny", values, [output]),
        [onnx.numpy_helper.from_array(value, name) for name, value in constants],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def test_arrays(tmp_path):
    kernel = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]], dtype=np.float32)
    inputs = [("x", False, [None, 3])]
    path = _saved(tmp_path / "m.onnx", [("MatMul", ["x", "w"])], inputs, [("w", kernel)])
    encoder = OnnxModel(path)
    assert_allclose(encoder(VECTORS.astype(np.float64)), VECTORS @ kernel, rtol=1e-5)
    loaded = pickle.loads(pickle.dumps(encoder))
    assert set(vars(loaded)) == {"path", "tokenizer", "prompt", "max_length"}
    assert_allclose(loaded(VECTORS), VECTORS @ kernel, rtol=1e-5)


def test_what_has_places_is_averaged(tmp_path):
    path = _saved(tmp_path / "m.onnx", [("Relu", ["x"])], [("x", False, [None, 2, 2, 3])])
    pictures = VECTORS[:8].reshape(2, 2, 2, 3)
    expected = np.maximum(pictures, 0).mean(axis=(1, 2))
    assert_allclose(OnnxModel(path)(pictures), expected, rtol=1e-5)


@pytest.fixture
def language_model(tmp_path):
    """A model whose vectors of tokens are rows of a table."""
    inputs = [("input_ids", True, [None, None])]
    nodes = [("Gather", ["table", "input_ids"])]
    return _saved(tmp_path / "m.onnx", nodes, inputs, [("table", VECTORS)])


def _lengths(texts):
    """Return a token for each word, which is its length, padded with 0."""
    ids = np.zeros((len(texts), max(len(text.split()) for text in texts)), dtype=int)
    for row, text in zip(ids, texts, strict=True):
        words = text.split()
        row[: len(words)] = [len(word) for word in words]
    return {"input_ids": ids, "attention_mask": ids > 0}


def test_the_vectors_of_tokens_are_averaged_without_padding(language_model):
    encoder = OnnxModel(language_model, tokenizer=_lengths)
    vectors = ItemFeatures(["green tea", "tea"]).encoded(encoder, batch_size=2).values
    assert_allclose(vectors, [VECTORS[[5, 3]].mean(axis=0), VECTORS[3]], rtol=1e-5)
    prompted = OnnxModel(language_model, tokenizer=_lengths, prompt="q: ")
    assert_allclose(prompted(["tea"]), [VECTORS[[2, 3]].mean(axis=0)], rtol=1e-5)


def test_the_file_of_a_tokenizer(language_model, tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    words = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({"[UNK]": 0, "green": 1, "tea": 2}, unk_token="[UNK]")
    )
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    words.save(str(tmp_path / "tokenizer.json"))
    encoder = OnnxModel(language_model, tokenizer=tmp_path / "tokenizer.json", max_length=3)
    expected = [VECTORS[[1, 2]].mean(axis=0), VECTORS[[2, 2, 2]].mean(axis=0)]
    assert_allclose(encoder(["green tea", "tea tea tea green"]), expected, rtol=1e-5)


def test_texts_need_a_tokenizer(tmp_path):
    path = _saved(tmp_path / "m.onnx", [("Relu", ["x"])], [("x", False, [None, 2])])
    with pytest.raises(ValueError, match="has no tokenizer, and its input holds texts"):
        OnnxModel(path)(["green tea", "old film"])
