# SPDX-License-Identifier: BSD-3-Clause
import pytest


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


def test_the_choice_goes_by_the_figure_named_or_by_a_rule(search):
    def evaluate(parameters):
        return {"NDCG": parameters["n"], "RMSE": (parameters["n"] - 2) ** 2}

    grid = {"n": [1, 2, 3]}
    assert search.searched(evaluate, grid, by="RMSE", lowest=True)["chosen"] == {"n": 2}
    result = search.searched(evaluate, grid, choose=lambda points: points[1]["parameters"])
    assert result["chosen"] == {"n": 2}
