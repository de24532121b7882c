"""Every public estimator passes scikit-learn's checks, every recommender ours as well."""

import inspect

import numpy as np
import pytest
from joblib import dump, load
from numpydoc.docscrape import NumpyDocString
from sklearn.base import clone, is_regressor
from sklearn.model_selection import GridSearchCV
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from sktransrec import recommend
from sktransrec.datasets import make_cross_domain
from sktransrec.testing import recommender_checks
from sktransrec.testing._checks import _set_random_state
from sktransrec.testing._instances import ESTIMATORS, RECOMMENDERS, WITH_ITEMS
from sktransrec.testing._samples import domain


@parametrize_with_checks(ESTIMATORS)
def test_sklearn_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        pytest.param(estimator, check, id=f"{type(estimator).__name__}-{check.__name__}")
        for estimator, check in recommender_checks(RECOMMENDERS)
    ],
)
def test_recommender_contract(estimator, check):
    check(estimator)


COMPILED = [
    clone(estimator).set_params(run_eagerly=False)
    for estimator in ESTIMATORS
    if "run_eagerly" in estimator.get_params(deep=False)
]


@pytest.mark.slow
@parametrize_with_checks(COMPILED)
def test_sklearn_contract_of_compiled_networks(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        pytest.param(estimator, check, id=f"{type(estimator).__name__}-{check.__name__}")
        for estimator, check in recommender_checks(
            estimator
            for estimator in COMPILED
            if get_tags(estimator).estimator_type == "recommender"
        )
    ],
)
def test_recommender_contract_of_compiled_networks(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.parametrize(
    "estimator", [pytest.param(each, id=f"{type(each).__name__}") for each in RECOMMENDERS]
)
def test_recommenders_are_searched_in_parallel_and_saved(estimator, tmp_path):
    estimator = clone(estimator)
    _set_random_state(estimator)
    X, y = domain(estimator)
    serial, parallel = (
        GridSearchCV(estimator, {}, cv=2, n_jobs=n_jobs).fit(X, y) for n_jobs in (1, 2)
    )
    assert serial.best_score_ > 0
    np.testing.assert_array_equal(
        serial.cv_results_["split1_test_score"], parallel.cv_results_["split1_test_score"]
    )
    dump(parallel, tmp_path / "search.joblib")
    for mmap_mode in (None, "r"):
        loaded = load(tmp_path / "search.joblib", mmap_mode=mmap_mode)
        for ours, theirs in zip(recommend(loaded, X), recommend(parallel, X), strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("estimator", ESTIMATORS + WITH_ITEMS)
def test_fitted_attributes_are_documented(estimator):
    domains = make_cross_domain(60, 24, 20, n_cold_users=0, target_density=0.2, random_state=0)
    X = domains.X_source if get_tags(estimator).input_tags.sparse else domains.X_source.toarray()
    if get_tags(estimator).input_tags.categorical:
        X = X.astype(int)
    y = domains.Y_target.toarray() if is_regressor(estimator) else domains.Y_target
    model = clone(estimator).fit(X, y)
    fitted = {name for name in vars(model) if name.endswith("_") and not name.startswith("_")}
    documented = {
        name
        for attribute in NumpyDocString(inspect.getdoc(type(model)))["Attributes"]
        for name in attribute.name.split(", ")
    }
    assert fitted <= documented
    missing = {name for name in documented if not hasattr(model, name)}
    assert missing <= {"feature_names_in_"}
