# SPDX-License-Identifier: BSD-3-Clause
import copy
import functools
import pickle
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sktransrec import (
    ALSRecommender,
    ContentKNNRecommender,
    HybridRecommender,
    ItemFeatures,
    PretrainedEncoder,
    RidgeRecommender,
    load,
    save,
)
from sktransrec.content import OnnxModel

TITLES = ["green tea", "tea", "green tea", "סרט ישן", "古い映画", "tea", "a long title of tea"]
DISTINCT = sorted(set(TITLES))
X = (np.random.RandomState(0).uniform(size=(12, len(TITLES))) < 0.5) * 1.0
X[0] = 1


def letters(texts):
    """Return three numbers for each text."""
    return np.array([[len(text), text.count("t"), ord(text[0]) % 7] for text in texts])


class Network:
    """A large encoder that notes what it is asked."""

    def __init__(self):
        self.asked = []

    def encode(self, texts):
        self.asked += [list(texts)]
        return letters(texts)

    @property
    def texts(self):
        return [text for batch in self.asked for text in batch]

    def __deepcopy__(self, memo):
        raise AssertionError("the network is copied")

    def __getstate__(self):
        raise AssertionError("the network is saved")


def test_each_distinct_text_is_encoded_once_in_batches_of_like_lengths():
    network = Network()
    vectors = PretrainedEncoder(network.encode, batch_size=2).fit_transform(TITLES)
    assert vectors.dtype == np.float32
    assert_array_equal(vectors, letters(TITLES))
    assert sorted(network.texts) == DISTINCT
    assert [len(batch) for batch in network.asked] == [2, 2, 1]
    assert network.texts == sorted(network.texts, key=len)


@pytest.mark.parametrize(
    "texts", [TITLES, np.array(TITLES), np.array(TITLES, dtype=object), pd.Series(TITLES)]
)
def test_texts_of_all_libraries(texts):
    encoder = PretrainedEncoder(letters).fit(texts)
    assert_array_equal(encoder.transform(texts), letters(TITLES))
    assert encoder.get_feature_names_out().tolist() == [f"pretrainedencoder{i}" for i in range(3)]


def test_arrays_are_passed_as_arrays_and_told_apart_by_their_values():
    pictures = np.random.RandomState(0).uniform(size=(5, 4, 4, 1)).astype(np.float32)
    pictures[3] = pictures[1]
    seen = []

    def mean_colors(batch):
        seen.append(batch.shape)
        return batch.mean(axis=(1, 2))

    for X in (pictures, list(pictures), pd.Series(list(pictures))):
        seen.clear()
        assert_array_equal(
            PretrainedEncoder(mean_colors).fit_transform(X), pictures.mean(axis=(1, 2))
        )
        assert seen == [(4, 4, 4, 1)]


def test_sparse_vectors_stay_sparse():
    hashing = HashingVectorizer(n_features=32)
    expected = hashing.transform(TITLES)
    for encoder in (hashing, hashing.transform):
        vectors = PretrainedEncoder(encoder, batch_size=2).fit_transform(TITLES)
        assert sp.issparse(vectors)
        assert_array_equal(vectors.toarray(), expected.toarray().astype(np.float32))


def test_a_fitted_transformer_is_used_as_it_is():
    words = TfidfVectorizer().fit(["red tea", "green tea"])
    vectors = PretrainedEncoder(words).fit_transform(TITLES)
    assert_array_equal(vectors.toarray(), words.transform(TITLES).toarray().astype(np.float32))
    with pytest.raises(ValueError, match="not fitted"):
        PretrainedEncoder(TfidfVectorizer()).fit(TITLES)


@pytest.mark.parametrize("is_memory", [False, True])
def test_a_cache_keeps_each_content(tmp_path, is_memory, monkeypatch):
    monkeypatch.setattr("sktransrec.content._encoder._N_SAVED_AT_ONCE", 2)
    memory = joblib.Memory(tmp_path, verbose=0) if is_memory else tmp_path
    asked = tmp_path / "asked"
    noting = functools.partial(_noting, asked)
    vectors = PretrainedEncoder(noting, batch_size=1, memory=memory).fit_transform(TITLES[:4])
    assert_array_equal(vectors, letters(TITLES[:4]))
    again = PretrainedEncoder(noting, memory=str(tmp_path) if not is_memory else memory)
    assert_array_equal(again.fit_transform(TITLES[::-1]), letters(TITLES[::-1]))
    assert sorted(asked.read_text(encoding="utf-8").splitlines()) == DISTINCT
    if is_memory:
        memory.clear(warn=False)
        again.fit_transform(TITLES)
        assert len(asked.read_text(encoding="utf-8").splitlines()) == 2 * len(DISTINCT)


def _noting(path, texts):
    with Path(path).open("a", encoding="utf-8") as file:
        file.writelines(f"{text}\n" for text in texts)
    return letters(texts)


def test_an_interrupted_run_goes_on(tmp_path):
    short = PretrainedEncoder(Limited(10), batch_size=1, memory=tmp_path)
    with pytest.raises(ValueError, match="too long"):
        short.fit_transform(TITLES)
    known = [joblib.load(path)[0] for path in tmp_path.rglob("*.joblib")]
    assert [len(keys) for keys in known] == [len(DISTINCT) - 1]


class Limited:
    """An encoder of short texts."""

    def __init__(self, limit):
        self.limit = limit

    def __call__(self, texts):
        if max(map(len, texts)) > self.limit:
            raise ValueError("too long")
        return letters(texts) + self.limit


def test_encoders_do_not_share_a_cache(tmp_path):
    for limit in (50, 60):
        encoder = PretrainedEncoder(Limited(limit), memory=tmp_path)
        for _ in range(2):
            assert_array_equal(encoder.fit_transform(TITLES), letters(TITLES) + limit)


@pytest.mark.parametrize("verbose", [0, 1])
def test_a_bar_is_shown_on_demand(capsys, verbose):
    PretrainedEncoder(letters, verbose=verbose).fit_transform(TITLES)
    assert ("5/5" in capsys.readouterr().err) == bool(verbose)


def _models(encode):
    titles = ItemFeatures(TITLES)
    yield ContentKNNRecommender(titles, transformer=encode)
    yield ContentKNNRecommender(titles, transformer=PretrainedEncoder(encode))
    factors = ALSRecommender(2, max_iter=2, random_state=0)
    regressor = make_pipeline(PretrainedEncoder(encode), Ridge())
    yield HybridRecommender(factors, regressor, item_features=titles, content_scale=1.0)


def test_models_never_copy_or_save_the_network():
    for model in _models(Network().encode):
        fitted = clone(copy.deepcopy(copy.copy(model))).fit(X)
        loaded = pickle.loads(pickle.dumps(fitted))
        assert_array_equal(loaded.decision_function(X), fitted.decision_function(X))
        later = ItemFeatures(["new tea"], ids=["new"])
        expected = fitted.with_items(later).decision_function(X)
        with pytest.raises(RuntimeError, match=r"encoder Network.encode was left out when"):
            loaded.with_items(later)
        part = getattr(loaded, "transformer_", None) or loaded.regressor_[0]
        part.set_params(encoder=Network().encode)
        assert_array_equal(loaded.with_items(later).decision_function(X), expected)
        GridSearchCV(model, {}, cv=2, error_score="raise").fit(X)


def test_what_a_name_or_a_path_stands_for_is_saved():
    for encode in (letters, HashingVectorizer(n_features=8)):
        model = PretrainedEncoder(encode).fit(TITLES)
        loaded = pickle.loads(pickle.dumps(model))
        expected = model.transform(TITLES)
        difference = abs(loaded.transform(TITLES) - expected)
        assert difference.max() == 0


def test_the_encoder_is_saved_if_asked():
    asked = PretrainedEncoder(Limited(50), saves_encoder=True).fit(TITLES)
    loaded = pickle.loads(pickle.dumps(asked))
    assert_array_equal(loaded.transform(TITLES), letters(TITLES) + 50)
    left_out = pickle.loads(pickle.dumps(asked.set_params(saves_encoder=False)))
    with pytest.raises(RuntimeError, match="left out"):
        left_out.transform(TITLES)
    assert "UnsavedEncoder" in repr(pickle.loads(pickle.dumps(left_out)))


def test_a_file_without_code_holds_paths_as_texts(tmp_path):
    encoder = OnnxModel(tmp_path / "model.onnx", tokenizer=tmp_path / "tokenizer.json")
    save(PretrainedEncoder(encoder, memory=tmp_path / "vectors"), tmp_path / "encoder.model")
    loaded = load(tmp_path / "encoder.model")
    assert loaded.memory == str(tmp_path / "vectors")
    assert loaded.encoder.path == str(encoder.path)
    assert loaded.encoder.identity() == encoder.identity()


def test_one_column_of_a_table():
    table = pd.DataFrame({"title": TITLES, "price": np.arange(len(TITLES), dtype=float)})
    columns = ColumnTransformer(
        [("title", PretrainedEncoder(letters), "title"), ("price", "passthrough", ["price"])]
    )
    model = make_pipeline(columns, RidgeRecommender()).fit(table, X.T)
    expected = make_pipeline(RidgeRecommender()).fit(
        np.column_stack([letters(TITLES), table.price]), X.T
    )
    np.testing.assert_allclose(
        model.decision_function(table),
        expected.decision_function(np.column_stack([letters(TITLES), table.price])),
        rtol=1e-4, atol=1e-5,
    )  # fmt: skip


def test_whole_tables():
    table = pd.DataFrame({"title": TITLES, "price": [1.0, 2, 1, 2, 2, 2, 2]})
    tables = []

    def encode(table):
        tables.append(table)
        return np.column_stack([letters(table.title), table.price])

    vectors = ItemFeatures(table).encoded(encode, batch_size=3).values
    assert_array_equal(vectors, np.column_stack([letters(TITLES), table.price]))
    assert sorted(pd.concat(tables).title) == DISTINCT
    with pytest.raises(ValueError, match="a missing value"):
        PretrainedEncoder(encode).fit(table.assign(brand=[None, *TITLES[1:]]))


def test_a_table_of_numbers_keeps_its_names():
    table = pd.DataFrame({"price": [1.0, 2, 1, 4], "year": [1, 1, 1, 2]}, index=list("abcd"))
    scale = make_column_transformer((StandardScaler(), ["price"])).fit(table)
    vectors = ItemFeatures(table).encoded(scale)
    np.testing.assert_allclose(vectors.values, scale.transform(table), rtol=1e-6)
    by_name = PretrainedEncoder(lambda part: part[["year"]]).fit_transform(table)
    assert_array_equal(by_name, table[["year"]])
    # Sparse columns come as a sparse matrix, since most encoders would make them dense.
    sparse = pd.DataFrame.sparse.from_spmatrix(sp.eye_array(3), columns=list("abc"))
    assert_array_equal(PretrainedEncoder(lambda X: X.toarray()).fit_transform(sparse), np.eye(3))


@pytest.mark.parametrize(
    ("encode", "message"),
    [
        (len, r"array of shape \(\) from 5 rows of X: it must make one vector"),
        (lambda texts: np.ones(len(texts)), r"array of shape \(5,\)"),
        (lambda texts: np.ones((1, 3)), r"array of shape \(1, 3\)"),
        (
            lambda texts: np.full((len(texts), 3), np.nan),
            "the vectors that encoder makes of X contains NaN",
        ),
    ],
)
def test_what_is_no_vector_is_refused(encode, message):
    with pytest.raises(ValueError, match=message):
        PretrainedEncoder(encode).fit_transform(TITLES)


def test_another_encoder_than_in_fit_is_refused():
    model = PretrainedEncoder(letters).fit(TITLES)
    model.set_params(encoder=lambda texts: letters(texts)[:, :2])
    with pytest.raises(ValueError, match="makes vectors of 2 numbers, and made 3 in fit"):
        model.transform(TITLES)


@pytest.mark.parametrize("value", [5, "a title", np.array(1.0), np.array("a title")])
def test_a_single_value_is_refused(value):
    with pytest.raises(ValueError, match=r"^X"):
        PretrainedEncoder(len).fit(value)


def test_no_rows_are_refused():
    table = pd.DataFrame({"a": ["x", "y"]})
    model = PretrainedEncoder(lambda table: np.ones((len(table), 2))).fit(table)
    for method in (model.fit, model.transform):
        with pytest.raises(ValueError, match="X holds no rows: pass at least one"):
            method(table[:0])
