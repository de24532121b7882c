# SPDX-License-Identifier: BSD-3-Clause
import functools
import importlib
import linecache

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal

from sktransrec.content import OnnxModel
from sktransrec.content._vector_store import VectorStore, _constant, _encoder_key, content_keys


def test_equal_contents_have_equal_keys():
    texts = np.array(["tea", "café", "cafe\u0301", "tea", "\ud800"], dtype=object)
    assert len(set(content_keys(texts))) == 4
    numbers = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    for values in (numbers, sp.csr_array(numbers), numbers[..., None]):
        first, second, third = content_keys(values)
        assert first == third != second
    of_one_byte = content_keys(np.zeros((1, 4), dtype=np.uint8))
    assert of_one_byte != content_keys(np.zeros((1, 2, 2), dtype=np.uint8))


def test_the_names_of_columns_are_content():
    table = pd.DataFrame({"title": ["tea"], "maker": ["café"]})
    swapped = table.rename(columns={"title": "maker", "maker": "title"})
    assert content_keys(table) != content_keys(swapped)


def test_an_encoder_is_another_one_once_its_method_is(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    keys = []
    for body in ("return [len(one) for one in texts]", "return [one.count(' ') for one in texts]"):
        (tmp_path / "own_encoders.py").write_text(
            f"class Encoder:\n    def encode(self, texts):\n        {body}\n    __call__ = encode\n"
        )
        importlib.invalidate_caches()
        linecache.clearcache()
        encoder = importlib.reload(importlib.import_module("own_encoders")).Encoder()
        keys += [_encoder_key(encoder.encode), _encoder_key(encoder)]
    assert len(set(keys)) == 4


def test_what_was_saved_is_found(tmp_path):
    store = VectorStore(tmp_path, len)
    store.save(np.array(["a", "b"]), np.array([[1.0], [2.0]]))
    store.save(np.array(["b", "c"]), np.array([[9.0], [3.0]]))
    found = store.load(np.array(["b", "c", "d"]))
    keys = np.concatenate([keys for keys, _ in found])
    vectors = np.concatenate([vectors for _, vectors in found])
    assert sorted(keys) == ["b", "c"]
    assert vectors[keys == "c"] == 3
    assert VectorStore(tmp_path, str).load(np.array(["a"])) == []
    assert VectorStore(None, len).load(np.array(["a"])) == []


def _scaled(factor):
    return lambda texts: factor * len(texts)


def _with_keyword(default):
    def encode(texts, *, factor=default):
        return factor

    return encode


class Weights:
    """An object whose pickle differs each time, and whose weights do not."""

    def __init__(self, weight):
        self.weight = weight

    def encode(self, texts):
        return texts

    def state_dict(self):
        return {"layer": Tensor(self.weight)}

    def __repr__(self):
        return "Weights()"

    def __getstate__(self):
        raise TypeError("no pickle")


class Pooled(Weights):
    """A network of modules, one of which is told how to pool."""

    def __init__(self, pooling):
        super().__init__(1.0)
        self.pooling, self.training = pooling, pooling == "sum"

    def modules(self):
        return [Weights(2.0), self]


class Tensor:
    def __init__(self, weight):
        self.weight = weight

    def cpu(self):
        return np.full(2, self.weight)


def test_encoders_are_told_apart_by_code_and_weights():
    alike = [
        (_scaled(2), _scaled(2)),
        (Weights(1.0).encode, Weights(1.0).encode),
        (functools.partial(_scaled, 2), functools.partial(_scaled, 2)),
    ]
    for one, other in alike:
        assert _encoder_key(one) == _encoder_key(other)
    different = [
        *(_scaled(2), _scaled(3), len, str, Weights(1.0).encode, Weights(2.0).encode),
        *(functools.partial(_scaled, 2), functools.partial(_scaled, 3), _scaled),
        *(_with_keyword(1), _with_keyword(2)),
        *(lambda texts: len(texts), lambda texts: 2 * len(texts), lambda texts: max(texts)),
        *(lambda texts: [len(one) for one in texts], lambda texts: [max(one) for one in texts]),
        *(lambda text: text in {"tea", "milk"}, lambda text: text in {"tea", "film"}),
        *(Pooled("max").encode, Pooled("mean").encode, Pooled(2).encode),
    ]
    assert len({_encoder_key(each) for each in different}) == len(different)


def test_a_set_in_the_code_of_a_function_has_no_order():
    one, other = frozenset([0, 8]), frozenset([8, 0])
    assert list(one) != list(other)
    assert _constant(one) == _constant(other) != _constant(frozenset([0, 9]))


def test_a_function_that_a_file_has_as_a_setting_is_known_by_its_code(tmp_path):
    keys = [_encoder_key(OnnxModel("m", tokenizer=_scaled(factor))) for factor in (2, 2, 3)]
    assert keys[0] == keys[1] != keys[2]
    path = tmp_path / "tokenizer.json"
    keys = []
    for text in ("{}", '{"a": 1}'):
        path.write_text(text)
        keys.append(_encoder_key(OnnxModel("m", tokenizer=path)))
    assert keys[0] != keys[1]


def test_an_encoder_without_identity_is_refused():
    class Unsavable:
        def __getstate__(self):
            raise TypeError("no pickle")

        def __call__(self, texts):
            return texts

    with pytest.raises(ValueError, match=r"cannot be told from others.*pass a function"):
        _encoder_key(Unsavable())


def test_vectors_may_be_sparse(tmp_path):
    store = VectorStore(tmp_path, len)
    store.save(np.array(["a", "b"]), sp.csr_array(np.eye(2)))
    [(keys, vectors)] = store.load(np.array(["b"]))
    assert keys.tolist() == ["b"]
    assert_array_equal(vectors.toarray(), [[0, 1]])
