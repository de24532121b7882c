# SPDX-License-Identifier: BSD-3-Clause
"""Every public estimator passes scikit-learn's checks, every recommender ours as well."""

import inspect
import re

import numpy as np
import pytest
from _instances import (
    DEFAULTS,
    ESTIMATORS,
    LARGER_NETWORKS,
    RECOMMENDERS,
    TINY_NETWORK,
    WITH_ITEMS,
    are_first,
)
from joblib import dump, load
from numpydoc.docscrape import NumpyDocString
from sklearn.base import clone, is_regressor
from sklearn.model_selection import GridSearchCV
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from sktransrec import Autoencoder, HistoryRecommender, recommend
from sktransrec._engine._learner import NetworkLearner
from sktransrec._wrapping import is_supervised
from sktransrec.datasets import make_cross_domain
from sktransrec.metrics import held_out_ranks
from sktransrec.testing import recommender_checks
from sktransrec.testing._checks import seeded
from sktransrec.testing._samples import domain, seen_items

pytestmark = pytest.mark.usefixtures("few_draws")

# Some checks have values near 100 only, at which recurrent units say the same of all rows.
networks_may_saturate = pytest.mark.filterwarnings("ignore:The code of .* collapsed")


def parametrize_with_recommender_checks(estimators):
    """Run a test with each recommender among the estimators and each check of it."""
    recommenders = [each for each in estimators if get_tags(each).estimator_type == "recommender"]
    return pytest.mark.parametrize(("estimator", "check"), [*_recommender_checks(recommenders)])


def _recommender_checks(recommenders):
    """Yield each recommender with each check of it, slow but for the first of a class.

    With the content of items, a recommender is of another class.
    """
    kinds = [(type(each), getattr(each, "item_features", None) is None) for each in recommenders]
    for each, is_first in zip(recommenders, are_first(kinds), strict=True):
        marks = () if is_first else pytest.mark.slow
        for estimator, check in recommender_checks([each]):
            name = f"{type(each).__name__}-{check.__name__}"
            yield pytest.param(estimator, check, marks=marks, id=name)


# Checks of how a network is trained, kept and run, of which the layers decide nothing.
CHECKS_OF_TRAINING = {
    *("check_dict_unchanged", "check_dont_overwrite_parameters", "check_dtype_object"),
    *("check_estimator_sparse_array", "check_estimator_sparse_matrix"),
    *("check_estimators_dtypes", "check_estimators_fit_returns_self"),
    *("check_estimators_overwrite_params", "check_estimators_pickle"),
    *("check_f_contiguous_array_estimator", "check_fit_check_is_fitted", "check_fit_idempotent"),
    *("check_fit_score_takes_y", "check_methods_sample_order_invariance"),
    *("check_methods_subset_invariance", "check_pipeline_consistency"),
    *("check_readonly_memmap_input", "check_transformer_data_not_an_array"),
    *("check_transformer_general", "check_transformer_preserve_dtypes"),
}


def _impossible_checks(estimator):
    """Return the checks that a model of two domains cannot pass, with the reason."""
    if not hasattr(estimator, "source_weight"):
        return {}
    reason = "X has 3 columns for both domains, and y asks for 3 items of the target alone"
    return {"check_fit_score_takes_y": reason}


def _marks(estimator, check):
    impossible = _impossible_checks(estimator)
    if check in impossible:
        yield pytest.mark.xfail(reason=impossible[check])
    # The slow contract of larger networks has them all.
    is_another_network = (
        isinstance(estimator, NetworkLearner) and type(estimator) is not Autoencoder
    )
    if is_another_network and check in CHECKS_OF_TRAINING:
        yield pytest.mark.slow


def _sklearn_checks(estimators):
    """Yield each estimator with each check of scikit-learn, slow but for the first of a class."""
    for each, is_first in zip(estimators, are_first(map(type, estimators)), strict=True):
        for estimator, check in estimator_checks_generator(each):
            name = check.func.__name__
            marks = [*_marks(estimator, name), *(() if is_first else (pytest.mark.slow,))]
            yield pytest.param(estimator, check, marks=marks, id=f"{type(each).__name__}-{name}")


@networks_may_saturate
@pytest.mark.parametrize(("estimator", "check"), [*_sklearn_checks(ESTIMATORS)])
def test_sklearn_contract(estimator, check):
    check(estimator)


@pytest.mark.slow
@networks_may_saturate
@parametrize_with_checks(DEFAULTS)
def test_sklearn_contract_of_defaults(estimator, check):
    check(estimator)


@parametrize_with_recommender_checks(RECOMMENDERS)
def test_recommender_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "estimator", [pytest.param(each, id=f"{type(each).__name__}") for each in RECOMMENDERS]
)
def test_one_rule_of_ties(estimator):
    """Equals are shown by popularity and then by column, and count half where ranks are counted."""
    X, y = domain(estimator)
    model = clone(estimator).fit(X, y)
    n_items, popularity = model.n_items_, model.popularity_
    model._score_rows = lambda X: np.zeros((X.shape[0], n_items), dtype=np.float32)
    model._item_similarities = lambda items: np.zeros((len(items), n_items))
    order = np.lexsort((np.arange(n_items), -popularity))
    assert (np.diff(popularity[order]) == 0).any()
    assert (np.diff(popularity[order]) < 0).any()

    items, _ = model.recommend(X, n_recommendations=n_items, exclude_seen=False)
    np.testing.assert_array_equal(items, np.tile(order, (X.shape[0], 1)))
    candidates = np.arange(1, n_items, 3)
    items, _ = model.recommend(
        X, n_recommendations=len(candidates), candidates=candidates, exclude_seen=False
    )
    expected = order[np.isin(order, candidates)]
    np.testing.assert_array_equal(items, np.tile(expected, (X.shape[0], 1)))
    if hasattr(model, "similar_items"):
        similar, _ = model.similar_items([4], n_similar=n_items - 1)
        np.testing.assert_array_equal(similar[0], order[order != 4])

    is_seen = np.zeros((X.shape[0], n_items), dtype=bool)
    if not is_supervised(estimator):
        is_seen = seen_items(model, X)
    rows = np.flatnonzero(~is_seen[:, 7])
    middle = 1 + (n_items - 1 - is_seen[rows].sum(axis=1)) / 2
    wanted = np.eye(n_items)[np.full(len(rows), 7)]
    _, _, ranks = held_out_ranks(model, X[rows], wanted)
    np.testing.assert_array_equal(ranks, middle)


# What a model has learned with, and cannot change before it learns again.
_OTHER_SHAPES = {"n_components": 7, "hidden_layer_sizes": (5,), "normalize": False}


@pytest.mark.parametrize(
    "estimator",
    [
        pytest.param(each, id=f"{type(each).__name__}")
        for each in [*RECOMMENDERS, Autoencoder(**TINY_NETWORK, loss="multinomial")]
        if _OTHER_SHAPES.keys() & each.get_params(deep=False).keys()
    ],
)
def test_a_fitted_model_keeps_the_shapes_that_it_was_fitted_with(estimator):
    X, y = domain(estimator)
    model = seeded(estimator).fit(X, y)
    ask = model.decision_function if hasattr(model, "decision_function") else model.transform
    before = ask(X)
    parameters = model.get_params(deep=False).keys()
    model.set_params(**{name: _OTHER_SHAPES[name] for name in _OTHER_SHAPES.keys() & parameters})
    np.testing.assert_array_equal(ask(X), before)


@pytest.mark.slow
@parametrize_with_recommender_checks(DEFAULTS)
def test_recommender_contract_of_defaults(estimator, check):
    check(estimator)


@pytest.mark.slow
@networks_may_saturate
@parametrize_with_checks(LARGER_NETWORKS, expected_failed_checks=_impossible_checks)
def test_sklearn_contract_of_larger_networks(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_recommender_checks(LARGER_NETWORKS)
def test_recommender_contract_of_larger_networks(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.parametrize(
    "estimator", [pytest.param(each, id=f"{type(each).__name__}") for each in RECOMMENDERS]
)
def test_recommenders_are_searched_in_parallel_and_saved(estimator, tmp_path):
    estimator = seeded(estimator)
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


def fitted(estimator):
    """Return the estimator fitted on two domains."""
    domains = make_cross_domain(60, 24, 20, n_cold_users=0, target_density=0.2, random_state=0)
    X = domains.X_source if get_tags(estimator).input_tags.sparse else domains.X_source.toarray()
    if get_tags(estimator).input_tags.categorical:
        X, _ = domain(estimator)
    y = domains.Y_target.toarray() if is_regressor(estimator) else domains.Y_target
    return seeded(estimator).fit(X, y)


def documented_attributes(model):
    return NumpyDocString(inspect.getdoc(type(model)))["Attributes"]


@pytest.mark.parametrize("estimator", ESTIMATORS + WITH_ITEMS)
def test_fitted_attributes_are_documented(estimator):
    model = fitted(estimator)
    public = {name for name in vars(model) if name.endswith("_") and not name.startswith("_")}
    documented = {
        name for attribute in documented_attributes(model) for name in attribute.name.split(", ")
    }
    assert public <= documented
    missing = {name for name in documented if not hasattr(model, name)}
    of_content = {"item_ids_"} if isinstance(model, HistoryRecommender) else set()
    assert missing <= {"feature_names_in_", *of_content}


@pytest.mark.parametrize("estimator", ESTIMATORS + WITH_ITEMS)
def test_fitted_attributes_have_the_documented_types(estimator):
    """No scalars of numpy, which print in another way, and no dtype that depends on X."""
    model = fitted(estimator)
    for attribute in documented_attributes(model):
        value = getattr(model, attribute.name, None)
        if attribute.type in {"int", "float"}:
            assert type(value).__name__ == attribute.type, attribute.name
        dtype = re.search(r"dtype (\w+)$", attribute.type)
        if dtype and value is not None:
            assert value.dtype == np.dtype(dtype[1]), attribute.name
