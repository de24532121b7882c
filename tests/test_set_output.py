# SPDX-License-Identifier: BSD-3-Clause
"""What transformers are set to give, tables or arrays, changes no number."""

import functools

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from _instances import ESTIMATORS, WITH_ITEMS, are_first
from numpy.testing import assert_allclose
from sklearn import config_context
from sklearn.base import clone, is_regressor
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import NMF, PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from sktransrec import (
    ALSRecommender,
    BM25Transformer,
    BridgeRecommender,
    ContentKNNRecommender,
    CORALAligner,
    HybridRecommender,
    ItemFeatures,
    MMDAligner,
    PretrainedEncoder,
    ReconstructionRecommender,
    RidgeRecommender,
    SegmentPopularityRecommender,
    SourceSelectorRecommender,
)
from sktransrec.evaluation import proxy_a_distance
from sktransrec.testing._checks import seeded
from sktransrec.testing._samples import domain, interactions

pytestmark = pytest.mark.usefixtures("few_draws")

TABLES = ("pandas", "polars")
RNG = np.random.RandomState(0)
FEATURES = ItemFeatures(RNG.rand(24, 5))
TEXTS = ItemFeatures([f"word{i % 5} other{i % 3}" for i in range(24)])


def factors(output=None):
    return ALSRecommender(3, max_iter=2, random_state=0).set_output(transform=output)


def parts(output=None):
    """Yield recommenders of which a part is itself set to give tables."""
    weighted = make_pipeline(BM25Transformer(), factors(output))
    yield HybridRecommender(weighted, item_features=FEATURES, cold_policy="popularity")
    yield HybridRecommender(factors(output), item_features=TEXTS, min_interactions=2)
    yield ReconstructionRecommender(PCA(2, random_state=0).set_output(transform=output))
    yield ReconstructionRecommender(NMF(2, random_state=0).set_output(transform=output))
    scaled_pca = make_pipeline(StandardScaler(), PCA(2, random_state=0))
    yield ReconstructionRecommender(scaled_pca.set_output(transform=output))
    yield BridgeRecommender(factors(output), PLSRegression(2))
    yield ContentKNNRecommender(FEATURES, transformer=PCA(2).set_output(transform=output))
    yield ContentKNNRecommender(FEATURES, transformer=np.sqrt)
    few = [("one", [0, 1]), ("all", slice(None))]
    yield SourceSelectorRecommender(RidgeRecommender(), few, cv=2, random_state=0)


def data(estimator):
    X, y = domain(estimator)
    if y is None:
        y = interactions(X.shape[0], 24, seed=1)
    # What the encoder here makes of a sparse matrix is one, which is no table.
    is_dense = not get_tags(estimator).input_tags.sparse or isinstance(estimator, PretrainedEncoder)
    if sp.issparse(X) and is_dense:
        X = X.toarray()
    return X, y.toarray() if is_regressor(estimator) else y


def fitted(estimator, X, y):
    return seeded(estimator).fit(X, y)


def outputs(model, X, y):
    """Return all numbers that a fitted model gives, by method."""
    found = {}
    for method in ("decision_function", "transform", "predict"):
        if hasattr(model, method):
            given = getattr(model, method)(X)
            found[method] = given.toarray() if sp.issparse(given) else np.asarray(given)
    if hasattr(model, "recommend"):
        _, found["recommend"] = model.recommend(X, n_recommendations=3)
        found["score"] = model.score(X, y[:, -model.n_items_ :])
    return found


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for method, numbers in expected.items():
        assert_allclose(found[method], numbers, rtol=1e-4, atol=1e-5, err_msg=method)


INSTANCES = [*ESTIMATORS, *WITH_ITEMS]
IS_FIRST = are_first(map(type, ESTIMATORS)) + are_first(map(type, WITH_ITEMS))


@pytest.mark.parametrize(
    "estimator",
    [
        *(
            pytest.param(each, marks=() if is_first else pytest.mark.slow)
            for each, is_first in zip(INSTANCES, IS_FIRST, strict=True)
        ),
        *parts(),
    ],
    ids=lambda each: type(each).__name__,
)
def test_tables_everywhere_change_no_number(estimator):
    X, y = data(estimator)
    model = fitted(estimator, X, y)
    expected = outputs(model, X, y)
    has_parts = "run_eagerly" not in estimator.get_params()
    for output in TABLES:
        with config_context(transform_output=output):
            model = fitted(estimator, X, y) if has_parts else model
            assert_same(outputs(model, X, y), expected)


@functools.cache
def outputs_of_plain_parts(place):
    plain = list(parts())[place]
    X, y = data(plain)
    return outputs(fitted(plain, X, y), X, y)


@pytest.mark.parametrize("output", TABLES)
@pytest.mark.parametrize("place", range(len(list(parts()))))
def test_parts_that_give_tables_change_no_number(place, output):
    tabular = list(parts(output))[place]
    X, y = data(tabular)
    assert_same(outputs(fitted(tabular, X, y), X, y), outputs_of_plain_parts(place))


@pytest.mark.parametrize("output", TABLES)
@pytest.mark.parametrize(
    "aligner", [MMDAligner(n_components=20, max_iter=3, random_state=0), CORALAligner()]
)
def test_tables_change_no_alignment(aligner, output):
    X, sample_domain = RNG.rand(40, 3), np.repeat([1, -1], 20)
    expected = clone(aligner).fit_transform(X, sample_domain=sample_domain)
    with config_context(transform_output=output):
        found = clone(aligner).fit_transform(X, sample_domain=sample_domain)
    assert not isinstance(found, np.ndarray)
    assert_allclose(np.asarray(found), expected)


def test_tables_change_no_distance():
    X = interactions(40, 6, seed=0)
    expected = proxy_a_distance(X[:20], X[20:], random_state=0)
    with config_context(transform_output="pandas"):
        assert proxy_a_distance(X[:20], X[20:], random_state=0) == expected


@pytest.mark.parametrize("output", TABLES)
def test_transformers_give_the_table_that_they_are_set_to(output):
    X = interactions(40, 6, seed=0)
    table = factors(output).fit(X).transform(X)
    assert type(table).__module__.split(".")[0] == output
    assert [*table.columns] == ["alsrecommender0", "alsrecommender1", "alsrecommender2"]


@pytest.mark.parametrize("output", TABLES)
def test_tables_change_no_segment_of_texts(output):
    X = pd.DataFrame({"country": ["at", "de", "at", "ch"] * 10, "age": ["1", "2"] * 20})
    y = interactions(40, 6, seed=0)
    model = SegmentPopularityRecommender([0])
    expected = model.fit(X, y).decision_function(X)
    with config_context(transform_output=output):
        assert_allclose(clone(model).fit(X, y).decision_function(X), expected)
