# SPDX-License-Identifier: BSD-3-Clause
"""Displays show the numbers that they are given."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sktransrec import (
    EASERecommender,
    ItemKNNRecommender,
    RidgeRecommender,
    compare,
    transfer_gain,
    transfer_learning_curve,
)
from sktransrec.datasets import make_cross_domain
from sktransrec.inspection import (
    ModelComparisonDisplay,
    TransferGainDisplay,
    TransferLearningCurveDisplay,
)

pytestmark = pytest.mark.usefixtures("pyplot")


@pytest.fixture(scope="module")
def domains():
    return make_cross_domain(
        300, 60, 40, n_cold_users=0, source_density=0.2, target_density=0.1, random_state=0
    )


@pytest.fixture(scope="module")
def gain(domains):
    X = np.hstack([domains.X_source.toarray(), domains.Y_target[:, [3]].toarray()])
    return transfer_gain(RidgeRecommender(), None, X, domains.Y_target, random_state=0)


def test_gains_and_intervals_are_drawn(gain):
    display = TransferGainDisplay.from_gain(gain, color="tab:green")
    estimates = [gain.overall, gain.clean, *gain.buckets]
    points, _, (bars,) = display.errorbar_
    assert_allclose(points.get_xdata(), [estimate.gain for estimate in estimates])
    ends = np.array([segment[:, 0] for segment in bars.get_segments()])
    assert_allclose(ends, [estimate.interval for estimate in estimates])
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels[:2] == ["all rows (300)", f"without cross-listed items ({gain.clean.n_rows})"]
    assert labels[2].startswith(gain.buckets[0].rows)
    assert display.ax_.get_title() == "Transfer helps"
    assert points.get_color() == "tab:green"
    texts = [text.get_text() for text in display.ax_.texts]
    assert f"{gain.overall.relative_gain:+.0%}" in texts
    assert "rows by interactions in the source" in texts


def test_a_single_bucket_is_not_repeated(domains, pyplot):
    _, ax = pyplot.subplots()
    display = TransferGainDisplay.from_estimators(
        *(RidgeRecommender(), None, domains.X_source, domains.Y_target),
        ax=ax,
        n_buckets=1,
        random_state=0,
    )
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert len(ax.get_yticks()) == 1


def test_what_cannot_be_estimated_is_left_empty(domains):
    few = slice(0, 8)
    gain = transfer_gain(
        RidgeRecommender(), None, domains.X_source[few], domains.Y_target[few], random_state=0
    )
    display = TransferGainDisplay(gain).plot()
    display.figure_.canvas.draw()
    assert display.ax_.get_title() == "No evidence that transfer helps or harms"


def test_learning_curves_are_drawn(domains, pyplot):
    estimators = {"transfer": RidgeRecommender(), "popularity": None}
    data = domains.X_source, domains.Y_target
    options = {"train_sizes": [30, 60, 240], "random_state": 0}
    curve = transfer_learning_curve(estimators, *data, **options)
    display = TransferLearningCurveDisplay.from_curve(curve)
    for name, line in display.lines_.items():
        assert_allclose(line.get_xdata(), [30, 60, 240])
        assert_allclose(line.get_ydata(), curve.means[name])
        heights = display.bands_[name].get_paths()[0].vertices[:, 1]
        assert_allclose(heights.max(), (curve.means[name] + curve.paired_errors[name]).max())
    assert display.ax_.get_ylabel() == "NDCG@10"
    labels = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert labels == ["30", "60", "240"]
    legend = display.ax_.get_legend().get_texts()
    assert [text.get_text() for text in legend] == list(estimators)
    _, ax = pyplot.subplots()
    again = TransferLearningCurveDisplay.from_estimators(estimators, *data, ax=ax, **options)
    assert again.figure_ is ax.figure
    assert_allclose(again.curve.means["transfer"], curve.means["transfer"])


def test_differences_of_models_are_drawn_the_best_on_top(domains):
    models = {"neighbours": ItemKNNRecommender(), "EASE": EASERecommender()}
    options = {"metrics": ["ndcg", "recall"], "cv": 2, "random_state": 0}
    comparison = compare(models, domains.X_source, **options)
    for metric in comparison.metrics:
        display = ModelComparisonDisplay.from_comparison(comparison, metric=metric, color="k")
        found = comparison.differences(metric)
        names = sorted(found, key=lambda name: -found[name].difference)
        points, _, (bars,) = display.errorbar_
        assert_allclose(points.get_xdata(), [found[name].difference for name in names])
        ends = np.array([segment[:, 0] for segment in bars.get_segments()])
        assert_allclose(ends, [found[name].interval for name in names])
        labels = [label.get_text() for label in display.ax_.get_yticklabels()]
        assert labels == [f"{name} ({comparison.means[metric][name]:.4f})" for name in names]
    again = ModelComparisonDisplay.from_estimators(models, domains.X_source, **options)
    assert again.ax_.get_xlabel().startswith("NDCG@10 minus that of popularity")


def test_long_names_of_models_stay_within_the_figure(domains):
    long = "neighbours of items by the cosine of their rows, with 100 neighbours, and discounted"
    models = {long: ItemKNNRecommender(), "EASE": EASERecommender()}
    for baseline in (long, "EASE"):
        comparison = compare(models, domains.X_source, baseline=baseline, cv=2, random_state=0)
        display = ModelComparisonDisplay.from_comparison(comparison)
        display.figure_.canvas.draw()
        for label in (display.ax_.xaxis.label, *display.ax_.get_yticklabels()):
            box = label.get_window_extent()
            assert 0 <= box.x0 < box.x1 <= display.figure_.bbox.width
            assert box.y0 >= 0


def test_no_curves_are_an_error():
    with pytest.raises(ValueError, match="curves is empty"):
        TransferLearningCurveDisplay.from_curves({})
