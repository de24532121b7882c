# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge


@pytest.fixture
def search(benchmark_module):
    return benchmark_module("_search")


def parabola(optimum):
    """Return figures that are best at an optimum."""
    return lambda parameters: {"NDCG": -((parameters["shrinkage"] - optimum) ** 2)}


@pytest.mark.parametrize(("optimum", "chosen"), [(80, 90), (10, 10), (2, 1.1)])
def test_a_grid_is_widened_until_its_best_value_is_inside(search, optimum, chosen):
    result = search.searched(parabola(optimum), {"shrinkage": [3.3, 10, 30]})
    assert result["chosen"]["shrinkage"] == pytest.approx(chosen)
    assert min(result["grid"]["shrinkage"]) < chosen < max(result["grid"]["shrinkage"])
    assert len(result["results"]) == len(result["grid"]["shrinkage"])
    search.check_search("kNN", "phone", result)


def test_a_natural_bound_is_no_edge(search):
    bounds = {"shrinkage": {0: "no shrinkage"}}
    result = search.searched(parabola(-5), {"shrinkage": [0, 3, 10]}, bounds=bounds)
    assert result["grid"]["shrinkage"] == [0, 3, 10]
    assert result["natural_bounds"] == bounds
    search.check_search("kNN", "phone", result)


def test_a_best_value_at_the_edge_is_refused(search):
    result = search.searched(parabola(1e9), {"shrinkage": [3, 10]})
    with pytest.raises(ValueError, match=r"kNN, phone.*shrinkage=.*edge of the grid. Widen"):
        search.check_search("kNN", "phone", result)


def test_what_has_no_order_has_no_edge(search):
    def evaluate(parameters):
        return {"NDCG": len(parameters["weighting"]) + parameters["is_cut"]}

    result = search.searched(evaluate, {"weighting": ["bm25", "tfidf"], "is_cut": [True, False]})
    assert result["chosen"] == {"weighting": "tfidf", "is_cut": True}
    assert len(result["results"]) == 4


@pytest.mark.parametrize("optimum", [300.0, 0.02])
def test_the_grid_of_a_cross_validation_is_widened_too(search, optimum):
    def closeness(model, X, y):
        return -abs(np.log(model.alpha / optimum))

    grid = {"alpha": [1.0, 10.0], "fit_intercept": [True]}
    X, y = np.eye(6), np.arange(6)
    found = search.WideningSearchCV(Ridge(), grid, scoring=closeness, cv=2)
    found = clone(found).fit(X, y)
    tried = sorted({each["alpha"] for each in found.cv_results_["params"]})
    assert found.best_params_["alpha"] not in (tried[0], tried[-1])
    assert abs(np.log10(found.best_params_["alpha"] / optimum)) < 1
    assert len(found.cv_results_["params"]) == len(tried)
    assert grid["alpha"] == [1.0, 10.0]


def test_a_cross_validation_does_not_end_at_an_edge(search):
    def most(model, X, y):
        return model.alpha

    grid = {"alpha": [1.0, 10.0]}
    found = search.WideningSearchCV(Ridge(), grid, scoring=most, cv=2)
    with pytest.raises(ValueError, match="cross-validation, Ridge: the best values alpha="):
        found.fit(np.eye(6), np.arange(6))
    found.set_params(bounds={"alpha": {10: "enough"}})
    assert found.fit(np.eye(6), np.arange(6)).best_params_ == {"alpha": 10.0}


def test_numbers_that_count_stay_above_zero(search):
    assert search.widened([2, 8, 32], 2) == [1, 2, 8, 32]
    assert search.widened([0, 3], 0) == [-3, 0, 3]


def test_the_choice_goes_by_the_figure_named_or_by_a_rule(search):
    def evaluate(parameters):
        return {"NDCG": parameters["n"], "RMSE": (parameters["n"] - 2) ** 2}

    grid = {"n": [1, 2, 3]}
    assert search.searched(evaluate, grid, by="RMSE", lowest=True)["chosen"] == {"n": 2}
    result = search.searched(evaluate, grid, choose=lambda points: points[1]["parameters"])
    assert result["chosen"] == {"n": 2}
