# SPDX-License-Identifier: BSD-3-Clause
"""Losses, maps and reasons are drawn as they are."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from sklearn.pipeline import make_pipeline

from sktransrec import EASERecommender, MMDAligner, NextItemRecommender, RidgeRecommender
from sktransrec.datasets import make_cross_domain
from sktransrec.inspection import ExplanationDisplay, ItemMapDisplay, LossCurveDisplay, explain
from sktransrec.interactions import find_cross_listed

pytestmark = pytest.mark.usefixtures("pyplot")


def test_losses_of_held_estimators_are_drawn_by_epoch():
    X = np.random.default_rng(0).normal(size=(30, 4))
    aligner = MMDAligner(n_components=5, max_iter=4).fit(X, sample_domain=np.repeat([1, -1], 15))
    aligner.validation_loss_curve_ = [1.0, 0.5]
    model = make_pipeline(aligner, RidgeRecommender())
    display = LossCurveDisplay.from_estimators({"aligned": model})
    assert_allclose(display.lines_["aligned"].get_ydata(), aligner.loss_curve_)
    assert display.lines_["aligned"].get_xdata()[0] == 1
    dashed = display.lines_["aligned, validation"]
    assert dashed.get_linestyle() == "--"
    assert dashed.get_color() == display.lines_["aligned"].get_color()
    with pytest.raises(ValueError, match="'ridge' has no loss_curve_"):
        LossCurveDisplay.from_estimators({"ridge": RidgeRecommender()})


def test_a_validation_measure_that_is_no_loss_is_named():
    model = NextItemRecommender(n_components=4, validation_fraction=0.5, random_state=0)
    model.set_params(n_layers=1, epochs=2, batch_size=16, run_eagerly=True)
    histories = np.tile(np.arange(1, 7), (8, 1))
    display = LossCurveDisplay.from_estimators({"attention": model.fit(histories)})
    dashed = display.lines_["attention, validation (1 - NDCG@10)"]
    assert dashed.get_linestyle() == "--"
    assert_allclose(dashed.get_ydata(), model.validation_loss_curve_)


def test_equal_vectors_lie_together_on_a_map():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(20, 4))
    rotated = vectors @ np.linalg.qr(rng.normal(size=(4, 4)))[0]
    twins = np.arange(3), np.arange(3)
    display = ItemMapDisplay((vectors, rotated), (vectors, 2 * vectors), twins=twins).plot()
    before, after = display.axes_
    assert len(after.lines) == 3
    distances = [
        np.linalg.norm(np.subtract(*np.array(ax.lines[0].get_data()).T)) for ax in (before, after)
    ]
    assert distances[0] > 0.1
    assert_allclose(distances[1], 0, atol=1e-6)
    assert len(ItemMapDisplay((vectors, rotated)).plot().axes_) == 1
    of_sparse = ItemMapDisplay((sp.csr_array(vectors), sp.csr_array(rotated))).plot()
    assert len(of_sparse.axes_[0].collections) == 2


def test_a_single_epoch_is_seen():
    aligner = MMDAligner()
    aligner.loss_curve_ = [0.5]
    (line,) = LossCurveDisplay.from_estimators({"one": aligner}).lines_.values()
    assert line.get_marker() == "o"


def test_a_heat_map_shows_the_strongest_contributions():
    X = make_cross_domain(100, 40, 30, source_density=0.45, random_state=0).X_source
    model = EASERecommender(10.0).fit(X)
    found = explain(model, X[[0]], n_recommendations=2)
    names = [f"film {column}" for column in range(40)]
    display = ExplanationDisplay.from_explanation(found, item_names=names, column_names=names)
    drawn = np.asarray(display.image_.get_array())
    assert drawn.shape == (2, 16)
    strongest = np.abs(found.contributions).max(axis=0)
    assert_allclose(np.abs(drawn).max(axis=0), np.sort(strongest)[::-1][:16])
    low, high = display.image_.get_clim()
    assert low == -high
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels[0] == f"film {found.items[0]} ({found.scores[0]:.2f})"
    n_left_out = len(found.columns) - 16
    assert f"{n_left_out} weaker ones are left out" in display.ax_.get_xlabel()
    with pytest.raises(ValueError, match="2 items by 0 columns has nothing to draw"):
        ExplanationDisplay.from_estimator(model, X[[0]] * 0, [1, 2])
    shorter = ExplanationDisplay.from_estimator(model, X[[0]], [found.items[0]])
    assert_allclose(shorter.image_.get_array()[0].max(), found.contributions[0].max())


@pytest.mark.parametrize(
    ("states", "message"),
    [
        (((np.ones((5, 3)), np.ones((5, 4))),), r"before holds 2 arrays of the shapes"),
        (((np.ones((5, 1)), np.ones((5, 1))),), "same number of columns, 2 or more"),
        ((np.ones((5, 3)),), r"before holds 5 arrays.*pass a tuple of two"),
        (((np.ones((5, 3)),) * 2, (np.ones((5, 3)),)), "after holds 1 arrays"),
    ],
)
def test_vectors_that_make_no_map_are_refused(states, message):
    with pytest.raises(ValueError, match=message):
        ItemMapDisplay(*states).plot()


def test_twins_as_they_are_found_are_refused():
    X = np.eye(4)
    twins = find_cross_listed(X, X, min_common_users=1)
    with pytest.raises(ValueError, match=r"length 4: pass a tuple of two arrays"):
        ItemMapDisplay((np.ones((4, 2)), np.ones((4, 2))), twins=twins).plot()


def test_too_few_names_are_refused():
    explanation = explain(EASERecommender(1.0).fit(np.ones((3, 3))), [[1, 0, 1]], [1])
    with pytest.raises(ValueError, match="The 1 names do not reach column 1"):
        ExplanationDisplay(explanation, item_names=["a"]).plot()


def test_losses_need_names():
    with pytest.raises(TypeError, match="estimators is of type list: pass a dict"):
        LossCurveDisplay.from_estimators([EASERecommender()])
