# SPDX-License-Identifier: BSD-3-Clause
"""Errors of predicted ratings are those of scikit-learn, and their standard errors the spread."""

import functools
import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import mean_absolute_error, root_mean_squared_error
from sklearn.pipeline import make_pipeline

from sktransrec import BiasedMFRecommender, PopularityRecommender, rating_scorer
from sktransrec.interactions import holdout_random
from sktransrec.metrics import rating_errors


@pytest.fixture(scope="module")
def ratings():
    rng = np.random.default_rng(0)
    X = rng.integers(1, 6, size=(300, 12)) * (rng.uniform(size=(300, 12)) < 0.6)
    return holdout_random(X, 0.3, random_state=0)


@pytest.fixture(scope="module")
def model(ratings):
    return BiasedMFRecommender(2, random_state=0).fit(ratings[0])


def test_errors_agree_with_sklearn(model, ratings):
    X, y = ratings
    predictions = model.predict_ratings(X, y).data
    errors = rating_errors(model, X, y)
    assert_allclose(errors["rmse"][0], root_mean_squared_error(y.data, predictions))
    assert_allclose(errors["mae"][0], mean_absolute_error(y.data, predictions), rtol=1e-6)
    for wrapped in (make_pipeline(model), FrozenEstimator(model)):
        assert rating_errors(wrapped, X, y) == errors
    assert rating_errors(model, X.toarray(), y.toarray()) == errors


def test_standard_errors_are_the_spread_over_samples_of_rows(model, ratings):
    X, y = ratings
    rng = np.random.default_rng(0)
    samples = []
    for _ in range(200):
        rows = rng.integers(300, size=300)
        errors = rating_errors(model, X[rows], y[rows])
        samples.append([errors["rmse"][0], errors["mae"][0]])
    estimated = [error for _, error in rating_errors(model, X, y).values()]
    assert_allclose(np.std(samples, axis=0), estimated, rtol=0.15)


def test_perfect_predictions_have_no_error():
    X = np.full((5, 4), 3.0)
    model = BiasedMFRecommender(0).fit(X)
    assert rating_errors(model, X * (np.arange(4) > 0), X)["rmse"] == (0, 0)


def test_columns_of_y_in_another_order_are_refused(ratings):
    names = [f"film {item}" for item in range(12)]
    X, y = (pd.DataFrame(each.toarray(), columns=names) for each in ratings)
    model = BiasedMFRecommender(2, random_state=0).fit(X)
    assert rating_errors(model, X, y) == rating_errors(model, X, y.to_numpy())
    for predict in (
        model.predict_ratings,
        functools.partial(rating_errors, model),
        functools.partial(rating_errors, make_pipeline(model)),
        functools.partial(rating_scorer(), model),
    ):
        with pytest.raises(ValueError, match="y has the column 'film 11' where"):
            predict(X, y[names[::-1]])


def test_ratings_that_are_all_known_are_refused(ratings):
    X, y = ratings
    for known in (X + y, (X + y).toarray()):
        model = BiasedMFRecommender(2, random_state=0).fit(known)
        for errors in (rating_errors, rating_scorer()):
            with pytest.raises(ValueError, match=f"All {y.nnz} ratings in y are also in X"):
                errors(model, known, y)
    assert rating_errors(model, X, X + y)["rmse"][0] > 0


def test_scorer_is_minus_the_error(model, ratings):
    X, y = ratings
    errors = rating_errors(model, X, y)
    for metric in ("rmse", "mae"):
        assert rating_scorer(metric)(model, X, y) == -errors[metric][0]
    scorer = rating_scorer("mae", holdout=0.2, random_state=1)
    kept, hidden = holdout_random(X, 0.2, random_state=1)
    assert scorer(model, X) == -rating_errors(model, kept, hidden)["mae"][0]
    assert repr(scorer) == "rating_scorer('mae', holdout=0.2, random_state=1)"
    kept, hidden = holdout_random(X, 0.2, random_state=0)
    assert rating_scorer("mae")(model, X) == -rating_errors(model, kept, hidden)["mae"][0]
    assert pickle.loads(pickle.dumps(scorer))(model, X) == scorer(model, X)


def test_bad_input(model, ratings):
    X, y = ratings
    with pytest.raises(TypeError, match="PopularityRecommender predicts no ratings"):
        rating_errors(PopularityRecommender().fit(X), X, y)
    with pytest.raises(ValueError, match="y holds no rating"):
        rating_errors(model, X, sp.csr_array(y.shape))
    with pytest.raises(ValueError, match="y has one axis, and ratings need their items"):
        rating_errors(model, X, np.full(X.shape[0], 4))
    with pytest.raises(ValueError, match="y has shape"):
        rating_errors(model, X, y[:, :-1])
    with pytest.raises(ValueError, match="y was passed as well"):
        rating_scorer(holdout=1)(model, X, y)
    with pytest.raises(ValueError, match="metric"):
        rating_scorer("mse")


def test_an_unfitted_model_is_named():
    with pytest.raises(NotFittedError, match="BiasedMFRecommender"):
        rating_errors(BiasedMFRecommender(), np.eye(3), np.ones((3, 3)) - np.eye(3))
