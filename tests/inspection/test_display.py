# SPDX-License-Identifier: BSD-3-Clause
"""Names of models and items are drawn letter by letter, whatever they are."""

import numpy as np
import pytest

from sktransrec import EASERecommender, MMDAligner, RidgeRecommender, compare
from sktransrec import transfer_learning_curve as learning_curve
from sktransrec.datasets import make_cross_domain
from sktransrec.inspection import (
    ExplanationDisplay,
    ItemMapDisplay,
    LossCurveDisplay,
    MetricCurveDisplay,
    ModelComparisonDisplay,
    TradeOffDisplay,
    TransferLearningCurveDisplay,
    explain,
)

pytestmark = pytest.mark.usefixtures("pyplot")

FORMULA, HIDDEN = r"A$AP $\frac{1", "_begins with an underscore"
LONG = "a name " * 20


def drawn_texts(texts):
    """Return what is to be read in the figure; formulas would be read in another way or fail."""
    texts[0].figure.canvas.draw()
    return [text.get_text().replace(r"\$", "$").replace("\n", " ").strip() for text in texts]


@pytest.fixture(scope="module")
def comparison():
    X = make_cross_domain(60, 20, 20, random_state=0).X_source
    models = {FORMULA: EASERecommender(), HIDDEN: EASERecommender(10.0), LONG: None}
    return compare(models, X, metrics=["ndcg", "coverage"], baseline=FORMULA, cv=2, random_state=0)


def displays_with_legends(comparison):
    yield MetricCurveDisplay.from_comparison(comparison)
    yield TradeOffDisplay.from_comparison(comparison)
    domains = make_cross_domain(60, 20, 20, random_state=0)
    models = {FORMULA: RidgeRecommender(), HIDDEN: RidgeRecommender(1.0), LONG: None}
    curve = learning_curve(models, domains.X_source, domains.Y_target, train_sizes=[20], cv=2)
    yield TransferLearningCurveDisplay.from_curve(curve)
    aligner = MMDAligner()
    aligner.loss_curve_ = [2.0, 1.0]
    yield LossCurveDisplay.from_estimators(dict.fromkeys(models, aligner))


def test_legends_name_every_model(comparison):
    for display in displays_with_legends(comparison):
        legend = display.ax_.get_legend()
        assert sorted(drawn_texts(legend.get_texts())) == sorted([FORMULA, HIDDEN, LONG.strip()])
        assert legend.get_window_extent().width < 0.7 * display.ax_.bbox.width
    rows = np.eye(4)
    named = ItemMapDisplay((rows, rows), names=(FORMULA, HIDDEN)).plot()
    assert drawn_texts(named.axes_[0].get_legend().get_texts()) == [FORMULA, HIDDEN]


def test_ticks_and_axes_name_models_and_items(comparison):
    ax = ModelComparisonDisplay.from_comparison(comparison).ax_
    assert drawn_texts(ax.get_yticklabels())[0].startswith(HIDDEN)
    assert FORMULA in drawn_texts([ax.xaxis.label])[0]
    X = make_cross_domain(60, 20, 20, random_state=0).X_source
    found = explain(EASERecommender().fit(X), X[[0]])
    names = {"item_names": [FORMULA] * 20, "column_names": [HIDDEN] * 20}
    ax = ExplanationDisplay.from_explanation(found, **names).ax_
    assert drawn_texts(ax.get_xticklabels())[0] == HIDDEN
    assert drawn_texts(ax.get_yticklabels())[0].startswith(FORMULA)


def test_a_baseline_alone_has_no_differences_to_draw():
    X = make_cross_domain(60, 20, 20, random_state=0).X_source
    alone = compare({"popular": None}, X, cv=2, random_state=0)
    with pytest.raises(ValueError, match="no model but the baseline"):
        ModelComparisonDisplay.from_comparison(alone)
