# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer, TfidfVectorizer
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, normalize

from sktransrec import ContentKNNRecommender, ItemFeatures
from sktransrec.datasets import load_citeulike
from sktransrec.interactions import holdout_random
from sktransrec.metrics import recall_at_k

TITLES = [
    "Ridge regression for sparse text",
    "Sparse regression",
    "Gene expression networks",
    "Networks of genes and text",
    "深度学习 推荐",
    "深度学习 回归",
]


@pytest.fixture
def X():
    rng = np.random.RandomState(0)
    counts = rng.poisson(0.8, size=(20, len(TITLES))).astype(np.float32)
    counts[:, 0] += 1
    return counts


@pytest.mark.parametrize("as_sparse", [False, True])
def test_scores_are_the_cosines_of_profiles(X, as_sparse):
    vectors = np.random.RandomState(1).standard_normal((len(TITLES), 4))
    features = ItemFeatures(sp.csr_array(vectors) if as_sparse else vectors)
    unit = vectors / np.linalg.norm(vectors, axis=1)[:, None]
    model = ContentKNNRecommender(features).fit(X)
    expected = cosine_similarity(X @ unit, unit)
    assert_allclose(model.decision_function(X), expected, rtol=1e-5, atol=1e-6)
    assert_allclose(model.decision_function(sp.csr_array(X)), expected, rtol=1e-5, atol=1e-6)
    similar, similarities = model.similar_items([2], n_similar=1)
    nearest = np.argsort(-cosine_similarity(unit)[2])[1]
    assert similar[0, 0] == nearest
    assert similarities[0, 0] == pytest.approx(unit[2] @ unit[nearest], rel=1e-5)


@pytest.mark.parametrize("as_sparse", [False, True])
def test_the_best_match_counts(X, as_sparse):
    vectors = np.random.RandomState(1).standard_normal((len(TITLES), 4))
    features = ItemFeatures(sp.csr_array(vectors) if as_sparse else vectors)
    model = ContentKNNRecommender(features, pooling="max").fit(X)
    X[1:3] = 0
    X[1, [0, 2]] = 1, 0.5
    X[2, 5] = 1
    cosines = cosine_similarity(vectors)
    expected = [
        np.max([weight * cosines[i] for i, weight in enumerate(row) if weight], axis=0) for row in X
    ]
    with config_context(working_memory=1e-4):
        assert_allclose(model.decision_function(X), expected, rtol=1e-5, atol=1e-6)


def test_words_of_texts_are_weighted_by_default(X):
    default = ContentKNNRecommender(ItemFeatures(TITLES)).fit(X)
    tfidf = TfidfVectorizer(sublinear_tf=True)
    vectors = tfidf.fit_transform(TITLES)
    as_numbers = ContentKNNRecommender(ItemFeatures(vectors)).fit(X)
    assert_allclose(default.decision_function(X), as_numbers.decision_function(X), rtol=1e-5)
    only_gene = np.eye(6)[[2, 4]]
    items, _ = default.recommend(only_gene, n_recommendations=1)
    assert items[:, 0].tolist() == [3, 5]


def test_any_embedding(X):
    def lengths(texts):
        return np.array([[len(text), text.count(" ")] for text in texts])

    for transformer in (lengths, make_pipeline(TfidfVectorizer(), TruncatedSVD(2, random_state=0))):
        model = ContentKNNRecommender(ItemFeatures(TITLES), transformer=transformer).fit(X)
        later = model.with_items(ItemFeatures(TITLES[:2], ids=["a", "b"]))
        scores = later.decision_function(X)
        assert_allclose(scores[:, -2:], scores[:, :2], rtol=1e-4)
        assert_array_equal(scores[:, :6], model.decision_function(X))


def test_words_and_vectors_together(X):
    vectors = normalize(np.random.RandomState(1).standard_normal((len(TITLES), 4)))
    words = TfidfVectorizer(sublinear_tf=True).fit(TITLES)
    both = make_union(words, FunctionTransformer(lambda texts: vectors))
    both.set_params(transformer_weights={"functiontransformer": 0.5})
    model = ContentKNNRecommender(ItemFeatures(TITLES), transformer=both, pooling="max").fit(X)
    expected = cosine_similarity(words.transform(TITLES)) + 0.25 * cosine_similarity(vectors)
    assert_allclose(model.decision_function(np.eye(6)), expected / 1.25, rtol=1e-5, atol=1e-6)


def test_popularity_is_added(X):
    X[:, 1:4] = 0
    X[:3, 1] = X[0, 2] = 1
    without = ContentKNNRecommender(ItemFeatures(TITLES)).fit(X).decision_function(X)
    model = ContentKNNRecommender(ItemFeatures(TITLES), popularity_weight=0.3).fit(X)
    counts = np.count_nonzero(X, axis=0)
    expected = without + 0.3 * np.log1p(counts) / np.log1p(counts.max())
    assert_allclose(model.decision_function(X), expected, rtol=1e-5)
    later = model.with_items(ItemFeatures(TITLES[3:4], ids=["new"]))
    assert_array_equal(later.decision_function(X)[:, 6], later.decision_function(X)[:, 3])


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_rows_may_hold_later_items(X, pooling):
    features = ItemFeatures(np.random.RandomState(2).rand(8, 3))
    X = np.hstack([X, X[:, :2]])
    given = ContentKNNRecommender(features, pooling=pooling).fit(X)
    later = ContentKNNRecommender(features.of(range(6)), pooling=pooling).fit(X[:, :6])
    later = later.with_items(features.of([6])).with_items(features.of([7]))
    assert_allclose(later.decision_function(X), given.decision_function(X), rtol=1e-5)
    assert_allclose(
        later.decision_function(X[:, :6]), given.decision_function(X * (np.arange(8) < 6))
    )
    with pytest.raises(ValueError, match="Negative values"):
        later.decision_function(-X)


def test_another_catalogue_needs_no_fit(X):
    moved = ContentKNNRecommender(ItemFeatures(TITLES), popularity_weight=1).fit(X)
    moved = moved.with_item_features(ItemFeatures(["rice noodles", "egg noodles", "cocoa"]))
    fitted = ContentKNNRecommender(moved.item_features).fit(np.eye(3))
    rows = np.array([[1, 0, 0], [0, 2, 1]])
    assert_array_equal(moved.decision_function(rows), fitted.decision_function(rows))
    with pytest.raises(ValueError, match="are numbers"):
        moved.with_item_features(ItemFeatures(np.eye(2)))


def test_later_items_are_those_given_at_fit(X):
    numbers = sp.csr_array(np.random.RandomState(2).poisson(1.0, size=(8, 5)) + np.eye(8, 5))
    features = ItemFeatures(numbers)
    given = ContentKNNRecommender(features).fit(np.pad(X, ((0, 0), (0, 2))))
    early = ContentKNNRecommender(features.of(range(6))).fit(X)
    later = early.with_items(features.of([6])).with_items(features.of([7]))
    assert (early.n_items_, later.n_items_) == (6, 8)
    assert_array_equal(later.item_ids_, np.arange(8))
    assert_allclose(
        later.decision_function(X), given.decision_function(np.pad(X, ((0, 0), (0, 2)))), rtol=1e-6
    )
    assert_array_equal(
        later.similar_items([7, 1], n_similar=4)[0], given.similar_items([7, 1], n_similar=4)[0]
    )
    assert later._unit_vectors[0] is early._unit_vectors[0]
    with pytest.raises(ValueError, match="Item 3 is known already"):
        early.with_items(features.of([6, 3]))
    with pytest.raises(ValueError, match="Item 7 is known already"):
        later.with_items(features.of([7]))


def test_columns_are_found_by_name(X):
    names = list("uvwxyz")
    frame = pd.DataFrame(X, columns=names)
    order = [3, 1, 5, 0, 2, 4]
    shuffled = ItemFeatures([TITLES[i] for i in order], ids=[names[i] for i in order])
    model = ContentKNNRecommender(shuffled).fit(frame)
    assert model.item_ids_.tolist() == names
    expected = ContentKNNRecommender(ItemFeatures(TITLES)).fit(X).decision_function(X)
    assert_allclose(model.decision_function(frame), expected, rtol=1e-6)


def test_without_content_items_are_known_by_their_rows(X):
    model = ContentKNNRecommender().fit(X)
    unit = X.T / np.linalg.norm(X.T, axis=1)[:, None]
    assert_allclose(model.decision_function(X), cosine_similarity(X @ unit, unit), rtol=1e-5)
    with pytest.raises(ValueError, match="fitted without item_features"):
        model.with_items(ItemFeatures(TITLES))


def test_what_is_no_vector_is_refused(X):
    images = ItemFeatures(np.ones((6, 2, 2, 1)))
    with pytest.raises(ValueError, match=r"makes an array of shape \(6, 2, 2, 1\)"):
        ContentKNNRecommender(images).fit(X)
    with pytest.raises(ValueError, match="must make one vector for each"):
        ContentKNNRecommender(ItemFeatures(TITLES), transformer=len).fit(X)


@pytest.mark.data
def test_new_papers_are_found_by_their_words(data_home):
    papers = load_citeulike(data_home=data_home)
    rows = np.flatnonzero(np.diff(papers.interactions.indptr) >= 10)[:500]
    X, y = holdout_random(papers.interactions[rows], 0.3, random_state=0)
    words = ItemFeatures(papers.words)
    model = ContentKNNRecommender(words, transformer=TfidfTransformer(sublinear_tf=True)).fit(X)
    items, _ = model.recommend(X, n_recommendations=100)
    popular = np.argsort(-model.popularity_, kind="stable")[:100]
    floor = recall_at_k(y, np.tile(popular, (len(rows), 1)), k=100)
    assert recall_at_k(y, items, k=100) > 2 * floor


def test_score_hides_what_rows_without_later_items_have(X):
    content = np.random.default_rng(0).normal(size=(X.shape[1], 3))
    model = ContentKNNRecommender(ItemFeatures(content, ids=range(X.shape[1]))).fit(X)
    later = model.with_items(ItemFeatures(content[:2], ids=[100, 101]))
    wide = sp.hstack([X, sp.csr_array((X.shape[0], 2))], format="csr")
    assert 0 < later.score(X) == later.score(wide)


@pytest.mark.parametrize(
    ("content", "transformer"),
    [
        (pd.DataFrame({"genre": ["crime", "noir"], "year": [1941, 1942]}), FunctionTransformer()),
        (np.ones((2, 3)), TfidfVectorizer()),
    ],
)
def test_a_transformer_that_cannot_read_the_content_is_named(content, transformer):
    model = ContentKNNRecommender(ItemFeatures(content), transformer=transformer)
    with pytest.raises(ValueError, match=r"transformer=.* makes no vectors of ItemFeatures"):
        model.fit(np.eye(2))
