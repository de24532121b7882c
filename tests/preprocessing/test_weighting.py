# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import TruncatedSVD
from sklearn.pipeline import make_pipeline

from sktransrec import ALSRecommender, ItemKNNRecommender, RidgeRecommender
from sktransrec.preprocessing import BM25Transformer, PopularityScaler


def counts(n_rows, n_columns, seed=0, density=0.5):
    X = np.random.RandomState(seed).poisson(density, size=(n_rows, n_columns))
    X[0, 0] = 1
    return X.astype(np.float32)


def dense_bm25(X, new, k1, b):
    """Return the weights of `new` after a fit on X, an entry at a time."""
    n_documents = len(X)
    mean_length = sum(sum(row) for row in X.tolist()) / n_documents
    weights = np.zeros(new.shape)
    for d, row in enumerate(new.tolist()):
        for t, count in enumerate(row):
            idf = np.log((n_documents + 2) / (1 + np.sum(X[:, t] > 0)))
            saturation = k1 * (1 - b + b * sum(row) / mean_length) + count
            weights[d, t] = (k1 + 1) * count / saturation * idf if count else 0
    return weights


@given(
    n_rows=st.integers(1, 20),
    n_columns=st.integers(1, 20),
    k1=st.sampled_from([0.0, 1.2, 100.0]),
    b=st.sampled_from([0.0, 0.75, 1.0]),
)
def test_bm25_agrees_with_the_formula(n_rows, n_columns, k1, b):
    X, new = counts(n_rows, n_columns), counts(5, n_columns, seed=1)
    transformer = BM25Transformer(k1=k1, b=b).fit(sp.csr_array(X))
    for rows in (X, new):
        np.testing.assert_allclose(
            transformer.transform(rows).toarray(), dense_bm25(X, rows, k1, b), rtol=1e-5
        )


def test_bm25_agrees_with_implicit():
    """With two empty documents, which change the mean length, implicit's idf is the same."""
    from implicit.nearest_neighbours import bm25_weight

    X = counts(30, 12, density=0.3)
    longer = sp.csr_matrix(np.pad(X.astype(np.float64), ((0, 2), (0, 0))))
    expected = bm25_weight(longer, K1=1.5, B=0).toarray()[:30]
    weights = BM25Transformer(k1=1.5, b=0).fit_transform(X).toarray()
    np.testing.assert_allclose(weights, expected, rtol=1e-5)


def test_bm25_is_that_of_item_neighbours():
    """There the items are the documents, so the products of their weights are the links."""
    X = counts(60, 10)
    weights = BM25Transformer().fit_transform(X.T)
    links = (weights @ weights.T).toarray()
    np.fill_diagonal(links, 0)
    model = ItemKNNRecommender(10, shrinkage=0, popularity_exponent=0).fit(X)
    np.testing.assert_allclose(model.item_links_.toarray(), links, rtol=1e-4)


def test_bm25_keeps_terms_that_all_documents_have():
    X = np.array([[3, 1, 0], [1, 0, 1], [2, 1, 1]])
    weights = BM25Transformer().fit_transform(X)
    assert weights.nnz == 7
    assert BM25Transformer().fit(X).transform([[0, 0, 0]]).shape == (1, 3)


def test_bm25_gives_unseen_terms_the_largest_weight():
    X = np.array([[1, 0, 1], [1, 0, 0], [0, 0, 1], [0, 0, 0]])
    transformer = BM25Transformer().fit(X)
    np.testing.assert_allclose(transformer.idf_[1], np.log(6), rtol=1e-6)
    assert transformer.transform([[1, 1, 1]]).toarray().argmax() == 1


def test_bm25_refuses_negative_counts_and_empty_matrices():
    with pytest.raises(ValueError, match="Negative values in data passed to X"):
        BM25Transformer().fit([[1, -1]])
    with pytest.raises(ValueError, match="entries are zero"):
        BM25Transformer().fit(np.zeros((3, 2)))


@given(
    n_rows=st.integers(1, 20),
    n_columns=st.integers(1, 20),
    exponent=st.sampled_from([0.0, 0.5, 1.0, 2.0]),
)
def test_popularity_scaler_agrees_with_the_formula(n_rows, n_columns, exponent):
    X = counts(n_rows, n_columns, density=0.3) * np.where(np.arange(n_columns) % 2, 1, -1)
    popularity = (X != 0).sum(axis=0)
    expected = X / np.maximum(popularity, 1.0) ** exponent
    scaler = PopularityScaler(exponent).fit(X)
    np.testing.assert_allclose(scaler.transform(X), expected, rtol=1e-5)
    sparse = scaler.transform(sp.csc_matrix(X))
    np.testing.assert_allclose(sparse.toarray(), expected, rtol=1e-5)
    np.testing.assert_allclose(scaler.inverse_transform(sparse).toarray(), X, rtol=1e-5)
    assert sparse.nnz == (X != 0).sum()


@pytest.mark.parametrize(("exponent", "order"), [(0.5, 2), (1.0, 1)])
def test_popularity_scaler_levels_the_columns(exponent, order):
    X = counts(50, 8) > 0
    norms = np.linalg.norm(PopularityScaler(exponent).fit_transform(X), ord=order, axis=0)
    np.testing.assert_allclose(norms, 1, rtol=1e-5)


def test_columns_that_nobody_has_stay_zero():
    X = np.array([[1.0, 0.0], [1.0, 0.0]])
    scaler = PopularityScaler(1.0).fit(X)
    np.testing.assert_array_equal(scaler.transform(X), [[0.5, 0], [0.5, 0]])
    np.testing.assert_array_equal(scaler.transform([[0, 3]]), [[0, 3]])


@pytest.mark.parametrize("transformer", [BM25Transformer(), PopularityScaler()])
class TestBoth:
    @pytest.mark.parametrize("form", [sp.csr_array, sp.csr_matrix, sp.csc_array, sp.coo_matrix])
    def test_input_is_kept_and_sparse_output_is_its_own(self, transformer, form):
        X = form(counts(20, 6))
        before = X.toarray()
        weights = transformer.fit(X).transform(X)
        assert isinstance(weights, sp.csr_array)
        assert weights.dtype == np.float32
        weights.indices[:] = 0
        weights.data[:] = 0
        np.testing.assert_array_equal(X.toarray(), before)

    def test_read_only_buffers_are_taken(self, transformer):
        X = sp.csr_array(counts(20, 6))
        expected = transformer.fit_transform(X).toarray()
        for buffer in (X.data, X.indices, X.indptr):
            buffer.flags.writeable = False
        np.testing.assert_array_equal(transformer.fit_transform(X).toarray(), expected)

    def test_names_of_columns_are_kept(self, transformer):
        pd = pytest.importorskip("pandas")
        frame = pd.DataFrame(counts(20, 2), columns=["x", "y"])
        names = transformer.fit(frame).get_feature_names_out()
        np.testing.assert_array_equal(names, ["x", "y"])

    def test_stands_before_a_recommender(self, transformer):
        X = sp.csr_array(counts(30, 8))
        svd, ridge = TruncatedSVD(3, random_state=0), RidgeRecommender()
        scores = make_pipeline(transformer, svd, ridge).fit(X, X).decision_function(X)
        factors = svd.fit_transform(transformer.fit_transform(X))
        np.testing.assert_array_equal(scores, ridge.fit(factors, X).decision_function(factors))


@pytest.mark.parametrize(
    ("transformer", "parameter"),
    [
        (BM25Transformer(k1=-1), "k1"),
        (BM25Transformer(b=1.5), "b"),
        (PopularityScaler(-0.5), "item_exponent"),
    ],
)
def test_bad_parameters_are_named(transformer, parameter):
    with pytest.raises(ValueError, match=f"'{parameter}' parameter"):
        transformer.fit(counts(5, 3))


def test_popularity_scaler_before_als_weighs_interactions_by_inverse_propensity():
    """The factors of a row are the minimum of the weighted squares, spelt out in float64."""
    X = counts(200, 12, density=0.4)
    als = ALSRecommender(
        3, confidence=9.0, regularization=0.5, scale_regularization=False, random_state=0
    )
    pipeline = make_pipeline(PopularityScaler(0.7), als).fit(X)
    V = pipeline[-1].item_factors_.astype(np.float64)
    propensities = (X > 0).sum(axis=0) ** 0.7
    for x, u in zip(X, pipeline.transform(X), strict=True):
        weights = np.where(x > 0, 9 * x / propensities, 1)
        A = V.T @ (weights[:, None] * V) + 0.5 * np.eye(3)
        np.testing.assert_allclose(u, np.linalg.solve(A, V.T @ (weights * (x > 0))), rtol=1e-3)
