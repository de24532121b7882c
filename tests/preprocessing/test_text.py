# SPDX-License-Identifier: BSD-3-Clause
import inspect
import itertools
import pickle
import re
import unicodedata

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpydoc.docscrape import NumpyDocString
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import check_estimator

from sktransrec import InteractionEncoder, RidgeRecommender
from sktransrec.preprocessing import TextSequences

TEXTS = ["the cat sat on the mat", "the dog sat", "", "a cat and a dog"]


def halves(text):
    """Segment as a segmenter of Chinese would: lazily, two characters at a time."""
    for start in range(0, len(text), 2):
        yield text[start : start + 2]


def decoded(encoder, texts):
    tokens = encoder.inverse_transform(encoder.transform(texts))
    return [row.tolist() for row in tokens]


def words(text, **parameters):
    """Return the tokens of one text."""
    encoder = TextSequences(**parameters).fit([text])
    return decoded(encoder, [text])[0]


def token_counts(encoder, texts):
    """Return the counts of the known tokens of each text."""
    rows = np.zeros((len(texts), len(encoder.vocabulary_) + 2), dtype=int)
    for row, sequence in zip(rows, encoder.transform(texts), strict=True):
        np.add.at(row, sequence, 1)
    return rows[:, 2:]


def test_ids_stand_in_the_order_of_the_text():
    encoder = TextSequences().fit(["b a", "c b a b"])
    assert encoder.vocabulary_ == {"a": 2, "b": 3, "c": 4}
    sequences = encoder.transform(["c b a", "b z", "", "a a a a a a"])
    assert sequences.dtype == np.int32
    np.testing.assert_array_equal(
        sequences, [[4, 3, 2, 0], [3, 1, 0, 0], [0, 0, 0, 0], [2, 2, 2, 2]]
    )


def test_is_padded_like_the_sequences_of_a_log():
    log = {"user": ["u", "u", "v"], "item": ["a", "b", "b"]}
    histories = InteractionEncoder().fit(log).sequences(log)
    texts = TextSequences().fit_transform(["a b", "b"])
    np.testing.assert_array_equal(histories == 0, texts == 0)
    assert histories.dtype == texts.dtype


@given(
    texts=st.lists(st.text(alphabet="aAbé אب中文ि. ", max_size=12), min_size=1, max_size=6),
    analyzer=st.sampled_from(["word", "char", "char_wb", halves]),
    max_features=st.sampled_from([None, 3]),
    min_df=st.sampled_from([1, 2]),
)
def test_counts_are_those_of_the_count_vectorizer(texts, analyzer, max_features, min_df):
    texts = [*texts, "a b", "a b"]
    parameters = {"analyzer": analyzer, "max_features": max_features, "min_df": min_df}
    pattern = {"token_pattern": r"(?u)\b\w\w+\b|\b\w\b"} if analyzer == "word" else {}
    peer = CountVectorizer(**parameters, **pattern)
    expected = peer.fit_transform([unicodedata.normalize("NFKC", text) for text in texts])
    encoder = TextSequences(**parameters, **pattern)
    sequences = encoder.fit_transform(texts)
    assert list(encoder.vocabulary_) == peer.get_feature_names_out().tolist()
    np.testing.assert_array_equal(token_counts(encoder, texts), expected.toarray())
    np.testing.assert_array_equal(sequences, encoder.transform(texts))
    assert (np.diff(np.minimum(sequences, 1)) <= 0).all()


def test_no_token_is_lost():
    """Known or not, all tokens keep their places: as many as the analyzer finds."""
    analyze = CountVectorizer(token_pattern=r"\w+").build_analyzer()
    encoder = TextSequences(min_df=2).fit(TEXTS)
    lengths = [len(analyze(text)) for text in TEXTS]
    np.testing.assert_array_equal((encoder.transform(TEXTS) > 0).sum(axis=1), lengths)
    assert encoder.max_length_ == max(lengths)
    assert decoded(encoder, ["the mat and the cat"]) == [["the", None, None, "the", "cat"]]


def test_long_documents_keep_their_first_tokens():
    encoder = TextSequences(max_length=2).fit(TEXTS)
    assert decoded(encoder, TEXTS) == [["the", "cat"], ["the", "dog"], [], ["a", "cat"]]
    wide = TextSequences(max_length=9).fit_transform(TEXTS)
    assert wide.shape == (4, 9)
    assert not wide[:, 6:].any()


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("Hindi", "हिन्दी में किताब।", ["हिन्दी", "में", "किताब"]),
        ("Arabic", "السَّلَامُ عَلَيْكُم، كتاب", ["السَّلَامُ", "عَلَيْكُم", "كتاب"]),
        ("Hebrew", "שָׁלוֹם, עולם!", ["שָׁלוֹם", "עולם"]),
        ("Persian", "می\u200cخواهم کتاب", ["میخواهم", "کتاب"]),
        ("Thai", "การอ่าน หนังสือ", ["การอ่าน", "หนังสือ"]),
        ("Greek and Russian", "Οδύσσεια; Война", ["οδύσσεια", "война"]),
        ("Turkish", "İstanbul", ["i̇stanbul"]),
        ("Chinese", "《流浪地球》The Wandering Earth", ["流浪地球", "the", "wandering", "earth"]),
        ("signs", "Good ❤️ — 10/10 👩‍👩‍👧 _x", ["good", "10", "10", "_x"]),
    ],
)
@pytest.mark.parametrize("analyzer", ["word", "mixed"])
def test_words_of_many_scripts(analyzer, language, text, expected):
    expected = [unicodedata.normalize("NFKC", word) for word in expected]
    if analyzer == "mixed" and language in ("Chinese", "Thai"):
        expected = [pair for word in expected for pair in pairs(word)]
    assert words(text, analyzer=analyzer) == expected


def pairs(word):
    """Return the pairs of neighbouring characters, with their marks, of a word in no Latin."""
    characters = re.findall(r"[^\W\u0e31\u0e34-\u0e3a\u0e47-\u0e4e][\u0e31\u0e34-\u0e4e]*", word)
    return [word] if word.isascii() else list(map("".join, itertools.pairwise(characters)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026年iPhone手机", ["2026", "年", "iphone", "手机"]),
        ("看Netflix的電影", ["看", "netflix", "的電", "電影"]),
        ("日本のアニメ々", ["日本", "本の", "のア", "アニ", "ニメ", "メ々"]),
        ("ｱﾆﾒ ガ", ["アニ", "ニメ", "ガ"]),
        ("한국 영화", ["한국", "영화"]),
        ("ဗမာစကား", ["ဗမာ", "မာစ", "စကား"]),
        ("ភាសាខ្មែរ", ["ភាសា", "សាខ្", "ខ្មែ", "មែរ"]),
        ("שלום世界שלום", ["שלום", "世界", "שלום"]),
        ("葛\U000e0100城 _x", ["葛城", "_x"]),
    ],
)
def test_mixed_reads_each_script_in_its_way(text, expected):
    expected = [unicodedata.normalize("NFC", word) for word in expected]
    assert words(text, analyzer="mixed") == expected


@given(text=st.text(alphabet="aB1_ é-אבכ中文字のカーไทยุ้한ि။", max_size=15))
def test_mixed_tokens_lose_no_letter_and_leave_spaced_words_whole(text):
    by_word = TextSequences().build_analyzer()(text)
    mixed = TextSequences(analyzer="mixed").build_analyzer()(text)
    assert set("".join(mixed)) == set("".join(by_word))
    unspaced = re.compile("[中文字のカーไทยุ้]")
    whole = [word for word in by_word if not unspaced.search(word)]
    assert set(whole) <= set(mixed)


def test_stop_words_and_n_grams_of_mixed_tokens():
    text = "The new 電影院 the"
    for stop_words in (["the"], lambda word: word == "the"):
        parameters = {"analyzer": "mixed", "stop_words": stop_words}
        assert words(text, **parameters) == ["new", "電影", "影院"]
        assert words(text, **parameters, ngram_range=(2, 2)) == ["new 電影", "電影 影院"]


def test_a_pattern_of_words_has_no_use_for_mixed_tokens():
    with pytest.warns(UserWarning, match="'token_pattern' will not be used"):
        TextSequences(analyzer="mixed", token_pattern="a").fit(["a"])


def test_scripts_without_spaces_are_read_by_characters_or_by_a_segmenter():
    assert words("流浪地球", analyzer="char") == ["流", "浪", "地", "球"]
    assert words("流浪地球", analyzer="char", ngram_range=(2, 2)) == ["流浪", "浪地", "地球"]
    assert words("流浪地球", analyzer=halves) == ["流浪", "地球"]
    assert words("ab שלו", analyzer="char_wb", ngram_range=(3, 3)) == [
        " ab",
        "ab ",
        " של",
        "שלו",
        "לו ",
    ]


@pytest.mark.parametrize("analyzer", ["word", "mixed", "char", halves])
@pytest.mark.parametrize(
    "spellings",
    [
        ["ﬁlm ｃａｆé", "film cafe\u0301"],
        ["ｶﾞﾝﾀﾞﾑ", "ガンダム"],
        ["２０２６年", "2026年"],
        ["\ufedb\ufe98\ufe8e\ufe8f", "كتاب"],
        ["\ufb2a\u05dc\u05d5\ufb4b", "\u05e9\u05c1\u05dc\u05d5\u05d5\u05b9"],
        ["한국", unicodedata.normalize("NFD", "한국")],
        ["می\u200cخواهم", "میخواهم"],
        ["क्\u200dष", "क्ष"],
        ["\u200fשלום\u200e", "שלום"],
        ["zusammen\u00adgesetzt", "zusammengesetzt"],
        ["\ufeff流\u2060浪", "流浪"],
        ["葛\U000e0100城", "葛城"],
    ],
    ids=lambda spellings: spellings[1].encode("ascii", "backslashreplace").decode(),
)
def test_one_spelling_after_normalization(analyzer, spellings):
    sequences = TextSequences(analyzer=analyzer).fit_transform(spellings)
    np.testing.assert_array_equal(sequences[0], sequences[1])
    raw = TextSequences(analyzer="char", normalization=None).fit(spellings)
    assert decoded(raw, spellings[:1]) != decoded(raw, spellings[1:])


def test_a_zero_width_space_parts_words():
    assert words("ភាសា\u200bខ្មែរ") == ["ភាសា", "ខ្មែរ"]


@pytest.mark.parametrize("analyzer", ["word", "mixed", "char_wb", halves])
@pytest.mark.parametrize("stop_words", [None, ["the"]])
def test_other_vectorizers_get_the_same_tokens(analyzer, stop_words):
    if stop_words and analyzer not in ("word", "mixed"):
        pytest.skip("stop words are for words")
    texts = ["The ＤＵＮＥ 沙丘 2", "dune und the \u200fחולית"]
    encoder = TextSequences(analyzer=analyzer, stop_words=stop_words).fit(texts)
    analyze = pickle.loads(pickle.dumps(encoder.build_analyzer()))
    assert [list(analyze(text)) for text in texts] == decoded(encoder, texts)
    counts = CountVectorizer(analyzer=clone(analyze, safe=False)).fit(texts)
    assert counts.get_feature_names_out().tolist() == list(encoder.vocabulary_)
    with pytest.raises(ValueError, match="'analyzer' parameter of TextSequences"):
        TextSequences(analyzer="words").build_analyzer()


@pytest.mark.parametrize(
    "stop_words",
    [["the", "caf\u00e9"], {"the", "cafe\u0301"}, ("the", "café"), lambda word: word[0] in "tc"],
)
def test_stop_words_leave_no_gap(stop_words):
    text = "The café by the sea"
    assert words(text, stop_words=stop_words) == ["by", "sea"]
    assert words(text, stop_words=stop_words, ngram_range=(2, 2)) == ["by sea"]


def test_english_stop_words_are_those_of_scikit_learn():
    assert words("the return of the thing", stop_words="english") == ["return", "thing"]


def test_stop_words_that_no_word_can_equal_are_reported():
    with pytest.warns(UserWarning, match="stop_words may be inconsistent"):
        TextSequences(stop_words=["don't"]).fit(TEXTS)


@pytest.mark.parametrize("stop_words", [["a"], lambda word: word == "a"])
def test_stop_words_are_for_words_only(stop_words):
    with pytest.warns(UserWarning, match="'stop_words' will not be used"):
        TextSequences(analyzer="char", stop_words=stop_words).fit(TEXTS)


def test_case_and_accents():
    assert words("Été") == ["été"]
    assert words("Été", lowercase=False, strip_accents="unicode") == ["Ete"]


@pytest.mark.parametrize(
    ("texts", "row"),
    [
        ([b"bytes", "a"], 0),
        (["a", None], 1),
        (["a", "b", np.nan], 2),
        (np.array(["a", 3], dtype=object), 1),
        ([["a", "b"]], 0),
    ],
)
def test_what_is_no_text_is_named_with_its_row(texts, row):
    fitted = TextSequences().fit(TEXTS)
    for method in (TextSequences().fit, fitted.transform):
        with pytest.raises(ValueError, match=rf"^Row {row} of X is .*must be a str"):
            method(texts)


@pytest.mark.parametrize(
    "texts",
    ["one text", b"bytes", {"a": 1}, {"a"}, None, 3, np.array("a"), np.array([["a"]]), sp.eye(2)],
)
def test_what_is_no_collection_of_texts_is_refused(texts):
    with pytest.raises(ValueError, match="X must be a 1-D sequence of documents"):
        TextSequences().fit(texts)


def test_no_documents_and_no_vocabulary_are_errors():
    with pytest.raises(ValueError, match="X holds no documents"):
        TextSequences().fit([])
    with pytest.raises(ValueError, match="empty vocabulary"):
        TextSequences().fit(["", " ...!"])
    with pytest.raises(ValueError, match="no terms remain"):
        TextSequences(min_df=2).fit(["a", "b"])


def test_an_error_leaves_the_fitted_encoder_as_it_was():
    encoder = TextSequences().fit(TEXTS)
    before = encoder.transform(TEXTS)
    with pytest.raises(ValueError, match="empty vocabulary"):
        encoder.fit([""])
    np.testing.assert_array_equal(encoder.transform(TEXTS), before)


@pytest.mark.parametrize("X", [[[9]], [[-1]], [[0.5]], [["a"]]])
def test_ids_out_of_range_are_refused(X):
    encoder = TextSequences().fit(["a b"])
    with pytest.raises(ValueError, match="X must hold token ids, integers from 0 to 3"):
        encoder.inverse_transform(X)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("analyzer", "syllable"),
        ("normalization", "nfkc"),
        ("stop_words", "french"),
        ("max_length", 0),
        ("min_df", -1),
        ("max_features", 0),
    ],
)
def test_bad_parameters_are_named(parameter, value):
    with pytest.raises(ValueError, match=f"'{parameter}' parameter of TextSequences"):
        TextSequences(**{parameter: value}).fit(TEXTS)


@pytest.mark.parametrize("texts", [tuple(TEXTS), np.array(TEXTS), iter(TEXTS)])
def test_any_sequence_of_texts_will_do(texts):
    expected = TextSequences().fit_transform(TEXTS)
    np.testing.assert_array_equal(TextSequences().fit_transform(texts), expected)


def test_scikit_learn_checks():
    """As of its own vectorisers, most checks are left out by scikit-learn: they pass matrices."""
    with pytest.warns(SkipTestWarning, match="Can't test estimator TextSequences"):
        check_estimator(TextSequences())


@pytest.mark.parametrize(
    "name",
    [
        "check_do_not_raise_errors_in_init_or_set_params",
        "check_estimator_repr",
        "check_estimator_tags_renamed",
        "check_get_params_invariance",
        "check_mixin_order",
        "check_no_attributes_set_in_init",
        "check_param_validation",
        "check_parameters_default_constructible",
        "check_set_params",
        "check_valid_tag_types",
    ],
)
def test_scikit_learn_checks_that_pass_no_matrix(name):
    getattr(estimator_checks, name)("TextSequences", TextSequences())


def test_fitted_attributes_are_documented():
    encoder = TextSequences().fit(TEXTS)
    fitted = {name for name in vars(encoder) if name.endswith("_")}
    documented = NumpyDocString(inspect.getdoc(TextSequences))["Attributes"]
    assert fitted == {attribute.name for attribute in documented}


def test_must_be_fitted_first():
    for method in ("transform", "inverse_transform", "get_feature_names_out"):
        argument = [] if method == "get_feature_names_out" else [["a"]]
        with pytest.raises(NotFittedError):
            getattr(TextSequences(), method)(*argument)


@pytest.mark.parametrize("analyzer", ["word", "char", halves])
def test_pickle_and_clone(analyzer):
    encoder = TextSequences(analyzer=analyzer, min_df=2).fit(TEXTS)
    expected = encoder.transform(TEXTS)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(encoder)).transform(TEXTS), expected)
    np.testing.assert_array_equal(clone(encoder).fit_transform(TEXTS), expected)


def test_columns_of_a_frame():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"title": TEXTS, "year": [1, 2, 3, 4]}, index=[7, 7, 2, 0])
    expected = TextSequences().fit_transform(TEXTS)
    columns = ColumnTransformer(
        [("text", TextSequences(), "title"), ("year", "passthrough", ["year"])]
    )
    np.testing.assert_array_equal(columns.fit_transform(frame)[:, :6], expected)
    out = columns.set_output(transform="pandas").fit_transform(frame)
    assert out.columns.tolist() == [
        *(f"text__textsequences{i}" for i in range(6)),
        "year__year",
    ]
    assert (out.dtypes[:6] == np.int32).all()
    assert out.index.tolist() == [7, 7, 2, 0]
    with pytest.raises(ValueError, match=r"got of shape \(4, 1\)"):
        TextSequences().fit(frame[["title"]])
    frame.loc[2, "title"] = None
    with pytest.raises(ValueError, match="Row 2 of X"):
        TextSequences().fit(frame["title"])


def test_stands_before_a_network_and_is_saved_with_it(tmp_path):
    texts = ["good film", "bad film", "good good", "bad bad"] * 10
    likes = np.tile([1.0, 0.0], 20)
    network = MLPRegressor(hidden_layer_sizes=(8,), solver="lbfgs", max_iter=200, random_state=0)
    pipe = Pipeline([("text", TextSequences(max_length=2)), ("network", network)])
    pipe.fit(texts, likes)
    assert pipe.score(texts, likes) > 0.99
    joblib.dump(pipe, tmp_path / "pipe.joblib")
    loaded = joblib.load(tmp_path / "pipe.joblib")
    np.testing.assert_array_equal(loaded.predict(texts), pipe.predict(texts))


def test_its_parameters_can_be_searched():
    likes = np.eye(3)[[0, 1, 0, 1] * 10]
    pipe = make_pipeline(TextSequences(), RidgeRecommender())
    lengths = {"textsequences__max_length": [1, 2]}
    texts = ["one of them", "one or more", "one of all", "one or none"] * 10
    search = GridSearchCV(pipe, lengths, cv=2).fit(texts, likes)
    # The first word is the same in all of them, the second tells.
    assert search.best_params_ == {"textsequences__max_length": 2}


@pytest.mark.data
def test_movielens_titles(data_home):
    from sktransrec.datasets import load_movielens

    titles = load_movielens(data_home=data_home).movies.title
    assert (TextSequences().fit_transform(titles)[:, 0] > 1).all()
    encoder = TextSequences(token_pattern=r"\w+", min_df=2).fit(titles)
    peer = CountVectorizer(token_pattern=r"\w+", min_df=2)
    expected = peer.fit_transform([unicodedata.normalize("NFKC", title) for title in titles])
    assert (token_counts(encoder, titles) == expected.toarray()).all()
