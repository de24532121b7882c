# SPDX-License-Identifier: BSD-3-Clause
"""Nothing depends on the language: texts, ids and names of all scripts go through everything."""

import functools
import os
import subprocess
import sys

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from sktransrec import (
    Autoencoder,
    CNNEncoder,
    InteractionEncoder,
    ItemFeatures,
    RidgeRecommender,
    RNNEncoder,
    TextSequences,
    align_domains,
    recommend,
)
from sktransrec.datasets import make_content_domain
from sktransrec.metrics import ndcg_at_k

LANGUAGES = {
    "Arabic": {"languages": ["arabic"]},
    "Chinese": {"languages": ["chinese"]},
    "Hebrew": {"languages": ["hebrew"]},
    "Thai": {"languages": ["thai"]},
    "Chinese and English": {"languages": ["chinese", "english"]},
    "all at once": {"languages": ["arabic", "chinese", "english"], "language_mixing": 0.3},
}
each_language = pytest.mark.parametrize("language", LANGUAGES)
NETWORK = {
    **{"n_components": 16, "loss": "multinomial", "unknown": "ignore", "random_state": 0},
    **{"embedding_size": 16, "learning_rate": 0.01, "epochs": 12},
}


@functools.cache
def _corpus(language):
    """Return the texts of old and new items, and who chose them."""
    domain = make_content_domain(
        *(300, 250, 100), n_choices=60, text_signal=0.9, image_size=4, random_state=0,
        **LANGUAGES[language],
    )  # fmt: skip
    old = np.flatnonzero(domain.X.sum(axis=0))
    y_old, y_new = domain.X[:, old].T, domain.Y[:, domain.new_items].T
    return domain.texts[old], y_old.tocsr(), domain.texts[domain.new_items], y_new.tocsr()


def _tfidf(**parameters):
    analyzer = TextSequences(**parameters).build_analyzer()
    return make_pipeline(TfidfVectorizer(analyzer=analyzer), RidgeRecommender(3))


def _network(encoder):
    texts = TextSequences(analyzer="mixed", min_df=2)
    return make_pipeline(texts, encoder, RidgeRecommender())


def _quality(pipeline, corpus):
    """Return the NDCG@10 of the users to whom new items are shown."""
    texts, y, new_texts, y_new = corpus
    users, _ = recommend(pipeline.fit(texts, y), new_texts)
    return ndcg_at_k(y_new, users, k=10)


@functools.cache
def _quality_of_words(language, **parameters):
    return _quality(_tfidf(**parameters), _corpus(language))


def _most_active(corpus):
    _, y, new_texts, y_new = corpus
    users = np.argsort(-y.sum(axis=0), kind="stable")[:10]
    return ndcg_at_k(y_new, np.tile(users, (len(new_texts), 1)), k=10)


@each_language
@pytest.mark.parametrize(
    "parameters",
    [{"analyzer": "mixed"}, {"analyzer": "char", "ngram_range": (2, 2)}],
    ids=["mixed", "pairs of characters"],
)
def test_words_of_each_language_tell_taste(language, parameters):
    corpus = _corpus(language)
    floor = _most_active(corpus)
    quality = _quality_of_words(language, **parameters)
    assert quality > 1.8 * floor
    # What is left where letters other than the Latin ones are lost.
    with_ascii_only = _tfidf(**parameters, strip_accents="ascii")
    if "english" not in LANGUAGES[language]["languages"]:
        with pytest.raises(ValueError, match="empty vocabulary"):
            _quality(with_ascii_only, corpus)
    else:
        assert _quality(with_ascii_only, corpus) < quality - 0.02


@pytest.mark.parametrize("language", ["Chinese", "Thai", "all at once"])
def test_words_between_spaces_are_none_where_a_script_has_no_spaces(language):
    by_words, mixed = (_quality_of_words(language, analyzer=name) for name in ("word", "mixed"))
    assert mixed > by_words + 0.02


@each_language
@pytest.mark.slow
@pytest.mark.parametrize(
    "encoder",
    [CNNEncoder(kernel_sizes=(1, 2), **NETWORK), RNNEncoder(**NETWORK)],
    ids=["cnn", "rnn"],
)
def test_networks_learn_each_language(language, encoder, tmp_path):
    corpus = _corpus(language)
    pipeline = _network(clone(encoder))
    assert _quality(pipeline, corpus) > 1.5 * _most_active(corpus)
    joblib.dump(pipeline, tmp_path / "לינקים 電影.joblib")
    loaded = joblib.load(tmp_path / "לינקים 電影.joblib")
    for actual, expected in zip(
        recommend(loaded, corpus[2]), recommend(pipeline, corpus[2]), strict=True
    ):
        assert_array_equal(actual, expected)


# A log, a table and a catalogue without an ASCII letter outside of the names of the arguments.
LOG = {
    "משתמש": ["דנה", "דנה", "יוסי", "米", "米", "Zoë"],
    "סרט": ["七武士", "דיונה", "七武士", "דיונה", "Amélie", "Amélie"],
    "時間": [3, 1, 2, 5, 4, 6],
}
ENCODER = InteractionEncoder("משתמש", "סרט", time="時間")


@pytest.fixture(params=["dict", "DataFrame"])
def log(request):
    return LOG if request.param == "dict" else pytest.importorskip("pandas").DataFrame(LOG)


def test_a_log_is_encoded_and_decoded(log):
    encoder = clone(ENCODER)
    X = encoder.fit_transform(log)
    assert encoder.users_.tolist() == sorted(set(LOG["משתמש"]))
    assert encoder.items_.tolist() == sorted(set(LOG["סרט"]))
    decoded = encoder.inverse_transform(X)
    assert list(decoded) == ["משתמש", "סרט", "value"]
    pairs = zip(decoded["משתמש"], decoded["סרט"], strict=True)
    assert set(pairs) == set(zip(LOG["משתמש"], LOG["סרט"], strict=True))
    histories = encoder.decode_items(encoder.sequences(log, users=["דנה"])[0] - 1)
    assert histories.tolist() == ["דיונה", "七武士"]


def test_errors_say_names_as_they_are(log):
    encoder = clone(ENCODER).fit(log)
    with pytest.raises(ValueError, match=r"no column '電影': its columns are .*'משתמש', 'סרט'"):
        InteractionEncoder("משתמש", "電影").fit(log)
    with pytest.raises(ValueError, match=r"item ids of 1 .*such as '羅生門'; .* such as 'Amélie'"):
        encoder.transform({"משתמש": ["דנה"], "סרט": ["羅生門"], "時間": [1]})
    with pytest.raises(ValueError, match="Item 'דיונה' has no text"):
        ItemFeatures(["seven samurai", ""], ids=["七武士", "דיונה"])
    with pytest.raises(ValueError, match="no item '羅生門'"):
        ItemFeatures(["七人の侍"], ids=["七武士"]).of(["羅生門"])


def test_spellings_of_an_id_that_look_alike_are_told_apart():
    """Which is why the documentation says to bring ids into one form first."""
    spellings = {"משתמש": ["a", "b"], "סרט": ["Amélie", "Ame\u0301lie"], "時間": [1, 2]}
    assert clone(ENCODER).fit(spellings).n_items_ == 2


def test_two_domains_are_aligned_and_cross_listed_items_named(log):
    shop = {"משתמש": ["דנה", "יוסי", "משה", "米"], "סרט": ["七人の侍"] * 3 + ["Dune"]}
    shop["時間"] = [1, 2, 3, 4]
    aligned = align_domains(
        log, type(log)(shop), source_encoder=ENCODER, threshold=0.6, min_common_users=2
    )
    assert aligned.shared_ids.tolist() == ["דנה", "יוסי", "米"]
    assert [twin[:2] for twin in aligned.report.twins] == [("七武士", "七人の侍")]
    assert "source '七武士' is target '七人の侍'" in str(aligned.report)


def test_columns_of_a_table_keep_their_names():
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"כותרת": ["דיונה", "七武士", "Amélie"], "שנה": [2021, 1954, 2001]})
    columns = ColumnTransformer(
        [("טקסט", TextSequences(analyzer="char"), "כותרת"), ("年", "passthrough", ["שנה"])]
    ).set_output(transform="pandas")
    out = columns.fit_transform(table)
    assert out.columns.tolist()[-2:] == ["טקסט__textsequences5", "年__שנה"]


def test_items_are_found_by_their_names_in_another_catalogue():
    pd = pytest.importorskip("pandas")
    encoder = clone(ENCODER)
    X = pd.DataFrame(encoder.fit_transform(LOG).toarray(), columns=encoder.items_)
    learner = Autoencoder(2, hidden_layer_sizes=(), epochs=1, run_eagerly=True, random_state=0)
    source = clone(learner).fit(X)
    assert_array_equal(source.feature_names_in_, encoder.items_)
    tuned = clone(learner).set_params(pretrained=FrozenEstimator(source)).fit(X[["七武士"]])
    assert {layer.n_columns for layer in tuned.transferred_layers_ if layer.copied} >= {1}
    with pytest.raises(ValueError, match="羅生門"):
        source.transform(X.rename(columns={"七武士": "羅生門"}))


_IN_ASCII_LOCALE = """
import locale, sys
import joblib, numpy as np
from sktransrec import recommend
from sktransrec.datasets import load_movielens
assert locale.getpreferredencoding(False) != "UTF-8", locale.getpreferredencoding(False)
movielens = load_movielens("films", data_home=sys.argv[1])
model, encoder = joblib.load(sys.argv[1] + "/model.joblib")
items, scores = recommend(model, movielens.movies.title, n_recommendations=2)
try:
    encoder.transform({"user": ["דנה"], "item": ["羅生門"]})
except ValueError as error:
    message = str(error)
joblib.dump((movielens.movies.title, items, encoder.decode_items(items), message), sys.argv[2])
"""


def test_a_process_whose_locale_is_ascii_reads_and_recommends_the_same(tmp_path):
    titles = ["七武士 Seven Samurai", "דיונה", "七人の侍", "חולית"]
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,1,3.0,1\n")
    lines = [f"{movie},{title},劇情|דרמה" for movie, title in enumerate(titles)]
    (folder / "movies.csv").write_text(
        "\n".join(["movieId,title,genres", *lines, ""]), encoding="utf-8"
    )
    encoder = InteractionEncoder().fit({"user": ["דנה", "米"], "item": ["七武士", "דיונה"]})
    model = _tfidf(analyzer="mixed").fit(titles, sp.csr_array([[1, 0], [0, 1], [1, 0], [0, 1]]))
    joblib.dump((model, encoder), tmp_path / "model.joblib")
    (tmp_path / "program.py").write_text(_IN_ASCII_LOCALE, encoding="utf-8")
    ascii_only = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    subprocess.run(
        [sys.executable, str(tmp_path / "program.py"), str(tmp_path), str(tmp_path / "result")],
        check=True,
        env={**os.environ, **ascii_only},
    )
    read, items, names, message = joblib.load(tmp_path / "result")
    assert read.tolist() == titles
    assert_array_equal(items, recommend(model, titles, n_recommendations=2)[0])
    assert_array_equal(names, encoder.items_[items])
    assert "'羅生門'" in message
