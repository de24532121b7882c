# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.decomposition import NMF, FastICA, TruncatedSVD
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, Normalizer, StandardScaler
from sklearn.utils import get_tags

from sktransrec import ReconstructionRecommender, ranking_scorer


def counts(n_rows=60, n_items=20, seed=0):
    X = np.random.RandomState(seed).poisson(0.5, size=(n_rows, n_items)).astype(np.float32)
    X[:, 0] += 1
    return sp.csr_array(X)


def svd(n_components=3):
    return TruncatedSVD(n_components, algorithm="arpack", random_state=0)


def first_half(X):
    return X[:, : X.shape[1] // 2]


def test_is_pure_svd():
    X = counts()
    V = np.linalg.svd(X.toarray(), full_matrices=False)[2][:3].T
    model = ReconstructionRecommender(svd()).fit(X)
    new = counts(seed=1)
    np.testing.assert_allclose(model.decision_function(new), new @ V @ V.T, atol=1e-4)


def test_checkerboard():
    likes = (np.add.outer(np.arange(20), np.arange(20)) % 2 == 0).astype(np.float32)
    np.fill_diagonal(likes, 0)
    for transformer in (svd(2), NMF(2, init="nndsvd", random_state=0)):
        model = ReconstructionRecommender(transformer).fit(likes)
        items, _ = model.recommend(likes, n_recommendations=1)
        np.testing.assert_array_equal(items[:, 0], np.arange(20))


def test_the_transformer_is_cloned():
    transformer = svd()
    model = ReconstructionRecommender(transformer).fit(counts())
    assert not hasattr(transformer, "components_")
    assert model.transformer_ is not transformer
    assert clone(model).get_params()["transformer__n_components"] == 3
    assert (
        model.set_params(transformer__n_components=2).fit(counts()).transformer_.n_components == 2
    )


def test_a_frozen_transformer_is_used_as_it_is():
    fitted = svd().fit(counts(seed=1))
    model = ReconstructionRecommender(FrozenEstimator(fitted)).fit(counts())
    expected = fitted.inverse_transform(fitted.transform(counts()))
    np.testing.assert_allclose(model.decision_function(counts()), expected, rtol=1e-5)


def test_a_frozen_transformer_of_other_columns_is_refused():
    fitted = svd().fit(counts(n_items=12))
    with pytest.raises(ValueError, match="12 features"):
        ReconstructionRecommender(FrozenEstimator(fitted)).fit(counts(n_items=20))


@pytest.mark.parametrize("transformer", [svd(), FastICA(3, random_state=0, max_iter=1000)])
def test_rows_reach_the_transformer_as_it_takes_them(transformer, monkeypatch):
    seen = []
    fit = type(transformer).fit

    def recording_fit(self, X, y=None):
        seen.append(sp.issparse(X))
        return fit(self, X, y)

    monkeypatch.setattr(type(transformer), "fit", recording_fit)
    model = ReconstructionRecommender(transformer).fit(counts())
    assert seen == [get_tags(transformer).input_tags.sparse]
    expected = model.transformer_.inverse_transform(
        model.transformer_.transform(counts().toarray())
    )
    np.testing.assert_allclose(model.decision_function(counts()), expected, atol=1e-4)


def test_negative_values_where_the_transformer_allows_them():
    X = counts()
    X.data[0] = -1
    assert np.isfinite(ReconstructionRecommender(svd()).fit(X).decision_function(X)).all()
    with pytest.raises(ValueError, match="Negative values"):
        ReconstructionRecommender(NMF(2)).fit(X)


def test_pipelines_and_sparse_reconstructions():
    X = counts()
    pipeline = make_pipeline(StandardScaler(with_mean=False), svd())
    assert ReconstructionRecommender(pipeline).fit(X).decision_function(X).shape == X.shape
    identity = ReconstructionRecommender(MaxAbsScaler()).fit(X)
    np.testing.assert_allclose(identity.decision_function(X), X.toarray(), rtol=1e-6)


@pytest.mark.parametrize("transformer", [Normalizer(), make_pipeline(Normalizer(), svd()), None])
def test_needs_an_inverse_transform(transformer):
    with pytest.raises(ValueError, match=r"'transformer' parameter .* 'inverse_transform'"):
        ReconstructionRecommender(transformer).fit(counts())


def test_the_reconstruction_has_the_columns_of_X():
    shortened = FunctionTransformer(
        inverse_func=first_half, accept_sparse=True, check_inverse=False
    )
    with pytest.raises(ValueError, match="10 columns, but X has 20"):
        ReconstructionRecommender(shortened).fit(counts())


def test_grid_search_over_the_transformer():
    scorer = ranking_scorer("ndcg", holdout=0.3, random_state=0)
    search = GridSearchCV(
        ReconstructionRecommender(svd()),
        {"transformer__n_components": [1, 4]},
        scoring=scorer,
        cv=2,
        error_score="raise",
    ).fit(counts())
    assert search.best_params_["transformer__n_components"] in (1, 4)
    assert np.ptp(search.cv_results_["mean_test_score"]) > 0
