# SPDX-License-Identifier: BSD-3-Clause
"""Curves and trade-offs show the numbers of a comparison, with paired errors."""

from itertools import pairwise

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
    with pytest.raises(ValueError, match="'recall' is not one of"):
        MetricCurveDisplay.from_comparison(comparison, metric="recall")


def test_names_of_metrics_are_read_in_upper_and_lower_case(comparison):
    for metric in ("NDCG", "ndcg", "ndcg@3"):
        curve = MetricCurveDisplay.from_comparison(comparison, metric=metric)
        assert curve.ax_.get_ylabel() == "NDCG"
        assert curve.lines_["EASE"].get_xdata().tolist() == [3, 10]
    ax = TradeOffDisplay.from_comparison(comparison, x="COVERAGE@3", y="ndcg@3").ax_
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("coverage@3", "NDCG@3")


def test_labels_of_close_places_are_left_out():
    X = make_cross_domain(100, 40, 30, random_state=0).X_source
    ks = range(1, 21)
    ax = MetricCurveDisplay.from_estimators({"popularity": None}, X, k=ks, cv=2).ax_
    assert ax.get_xticks().tolist() == list(ks)
    ax.figure.canvas.draw()
    shown = [label for label in ax.get_xticklabels() if label.get_text()]
    assert [label.get_text() for label in shown][:9] == list("123456789")
    assert 10 <= len(shown) < 20
    boxes = [label.get_window_extent() for label in shown]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


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
    with pytest.raises(ValueError, match="'diversity' is not one of"):
        TradeOffDisplay.from_comparison(comparison, x="diversity")
