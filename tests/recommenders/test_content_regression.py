# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sktransrec import ItemFeatures
from sktransrec.recommenders._content_regression import fitted_regressor, unfitted_neighbors

rng = np.random.RandomState(0)
VALUES, TARGETS = rng.rand(8, 3), rng.rand(8, 2)
TEXTS = [f"word{i % 3} other{i % 2}" for i in range(8)]
ITEMS, N_ROWS_WITH = np.array([0, 2, 3, 5, 7]), np.arange(1, 9)


def fitted(regressor, values, exponent=0.0):
    return fitted_regressor(
        regressor,
        ItemFeatures(values),
        ITEMS,
        targets=TARGETS,
        n_rows_with=N_ROWS_WITH,
        exponent=exponent,
    )


def test_it_is_the_regression_of_these_items_weighted_by_their_rows():
    weights = N_ROWS_WITH[ITEMS] ** 0.5
    expected = Ridge(0.3).fit(VALUES[ITEMS], TARGETS[ITEMS], weights / weights.mean())
    unfitted = Ridge(0.3)
    found = fitted(unfitted, VALUES, exponent=0.5)
    assert_allclose(found.predict(VALUES), expected.predict(VALUES))
    assert not hasattr(unfitted, "coef_")


def test_texts_are_weighted_words_by_default():
    expected = make_pipeline(TfidfVectorizer(sublinear_tf=True), Ridge())
    expected.fit([TEXTS[i] for i in ITEMS], TARGETS[ITEMS])
    assert_allclose(fitted(None, TEXTS).predict(TEXTS), expected.predict(TEXTS))
    assert isinstance(fitted(None, VALUES), Ridge)


def test_weights_ask_for_a_regressor_that_takes_them():
    with pytest.raises(ValueError, match=r"KNeighborsRegressor.* takes no sample_weight"):
        fitted(KNeighborsRegressor(2), VALUES, exponent=1)


@pytest.mark.parametrize(
    ("values", "regressor", "expected"),
    [
        (VALUES, None, VALUES),
        (VALUES, make_pipeline(StandardScaler(), Ridge()), None),
        (TEXTS, None, TfidfVectorizer(sublinear_tf=True).fit_transform(TEXTS)),
        (TEXTS, make_pipeline(CountVectorizer(), Ridge()), CountVectorizer().fit_transform(TEXTS)),
    ],
    ids=["numbers", "scaled numbers", "words", "counts of words"],
)
def test_neighbors_read_what_the_regressor_reads(values, regressor, expected):
    X = np.eye(8)
    own = fitted(regressor, values)
    neighbors = unfitted_neighbors(own, ItemFeatures(values)).fit(X)
    expected = own[:-1].transform(values) if expected is None else expected
    assert_allclose(neighbors.decision_function(X), cosine_similarity(expected), atol=1e-6)


def test_pictures_have_no_neighbors_unless_features_are_made_of_them():
    pictures = ItemFeatures(np.zeros((8, 2, 2, 1)))
    assert unfitted_neighbors(Ridge(), pictures) is None
