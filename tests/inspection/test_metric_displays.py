"""Curves and trade-offs show the numbers of a comparison, with paired errors."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sktransrec import EASERecommender, ItemKNNRecommender, compare
from sktransrec.datasets import make_cross_domain
from sktransrec.evaluation._paired import paired_errors
from sktransrec.inspection import MetricCurveDisplay, TradeOffDisplay

pytestmark = pytest.mark.usefixtures("pyplot")

MODELS = {"EASE": EASERecommender(10.0), "neighbours": ItemKNNRecommender()}


@pytest.fixture(scope="module")
def comparison():
    X = make_cross_domain(100, 40, 30, random_state=0).X_source
    return compare(MODELS, X, metrics=["ndcg", "coverage"], k=[10, 3], cv=2, random_state=0)


def test_errors_of_two_models_are_half_that_of_their_difference():
    one, two = np.random.default_rng(0).normal(size=(2, 50))
    errors = paired_errors({"one": one, "two": two}, np.inf)
    expected = np.std(one - two, ddof=1) / np.sqrt(50) / np.sqrt(2)
    assert_allclose([errors["one"], errors["two"]], expected)
    alone = paired_errors({"one": one}, np.inf)["one"]
    assert_allclose(alone, np.std(one, ddof=1) / np.sqrt(50))
    shared = paired_errors({"one": one, "two": one + 1}, np.inf)
    assert_allclose(shared["one"], 0, atol=1e-12)


def test_a_curve_has_the_means_of_each_k_in_order(comparison):
    display = MetricCurveDisplay.from_comparison(comparison)
    for name, line in display.lines_.items():
        assert line.get_xdata().tolist() == [3, 10]
        expected = [comparison.means[metric][name] for metric in ("NDCG@3", "NDCG@10")]
        assert_allclose(line.get_ydata(), expected)
        heights = display.bands_[name].get_paths()[0].get_extents().height
        assert heights > 0
    assert display.ax_.get_ylim()[0] > 0
    with pytest.raises(ValueError, match="'recall' is none of the metrics"):
        MetricCurveDisplay.from_comparison(comparison, metric="recall")


def test_a_curve_from_estimators_compares(comparison):
    X = make_cross_domain(100, 40, 30, random_state=0).X_source
    display = MetricCurveDisplay.from_estimators(MODELS, X, k=[3, 10], cv=2, random_state=0)
    expected = comparison.means["NDCG@3"]["EASE"]
    assert_allclose(display.lines_["EASE"].get_ydata()[0], expected)


def test_a_trade_off_has_a_named_point_for_each_model(comparison):
    display = TradeOffDisplay.from_comparison(comparison, x="coverage@10", y="NDCG@10")
    for name in comparison.models:
        point = display.points_[name][0]
        place = [comparison.means[metric][name] for metric in ("coverage@10", "NDCG@10")]
        assert_allclose(np.ravel(point.get_data()).astype(float), place)
    legend = display.ax_.get_legend().get_texts()
    assert [text.get_text() for text in legend] == comparison.models
    with pytest.raises(ValueError, match="'diversity' is none of the metrics"):
        TradeOffDisplay.from_comparison(comparison, x="diversity")
