# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sktransrec._factor_regression import fitted_to_factors, support_weights

COUNTS = np.array([1, 4, 9])


def test_weights_are_powers_of_the_counts_with_mean_one():
    assert_allclose(support_weights(Ridge(), COUNTS, 0.5)["sample_weight"], [0.5, 1.0, 1.5])
    assert_allclose(support_weights(Ridge(), COUNTS, 1)["sample_weight"], COUNTS / COUNTS.mean())
    assert support_weights(Ridge(), COUNTS, 0) == {}


def test_weights_reach_the_last_step_of_nested_pipelines():
    pipeline = make_pipeline(make_pipeline(StandardScaler(), Ridge()))
    weights = support_weights(pipeline, COUNTS, 1)
    assert list(weights) == ["pipeline__ridge__sample_weight"]
    X, y = np.array([[0.0], [1.0], [3.0]]), np.array([0.0, 2.0, 1.0])
    scaled = StandardScaler().fit_transform(X)
    expected = Ridge().fit(scaled, y, sample_weight=COUNTS / COUNTS.mean())
    assert_allclose(pipeline.fit(X, y, **weights).predict(X), expected.predict(scaled))


def test_a_regressor_without_weights_is_named():
    assert support_weights(KNeighborsRegressor(), COUNTS, 0) == {}
    with pytest.raises(ValueError, match=r"activity_exponent=1 .*KNeighborsRegressor\(\) takes no"):
        support_weights(make_pipeline(KNeighborsRegressor()), COUNTS, 1)


@pytest.mark.parametrize("X", [np.eye(3), np.array(["a", "b", "c"])])
def test_an_error_of_a_regressor_says_what_it_had_to_learn(X):
    regressor = LogisticRegression() if X.ndim == 2 else Ridge()
    with pytest.raises(ValueError, match=r"regressor=.* cannot learn the factors, 2 numbers"):
        fitted_to_factors(regressor, X, np.ones((3, 2)), COUNTS, 0)


def test_a_regressor_that_is_not_fitted_says_so():
    with pytest.raises(NotFittedError):
        fitted_to_factors(FrozenEstimator(Ridge()), np.eye(3), np.ones((3, 2)), COUNTS, 0)
