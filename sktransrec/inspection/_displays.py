# SPDX-License-Identifier: BSD-3-Clause
"""Displays: results of the package, drawn with matplotlib."""

from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy as np

from .._typing import Estimator, MatrixLike
from ..evaluation import (
    ModelComparison,
    TransferGain,
    TransferLearningCurve,
    compare,
    transfer_gain,
    transfer_learning_curve,
)
from ._display import LABEL_WIDTH, Display, literal, side_by_side

_AXIS_LABEL_WIDTH = 48

_TITLES = {
    "helps": "Transfer helps",
    "harms": "Transfer harms",
    "no evidence": "No evidence that transfer helps or harms",
}


class ModelComparisonDisplay(Display):
    """Draw how much better models score than a baseline on the same rows.

    Use :meth:`from_estimators` to compare and draw, or :meth:`from_comparison` if you have the
    result of `compare`. It needs matplotlib.

    Parameters
    ----------
    comparison : ModelComparison
        The result to draw.

    Attributes
    ----------
    comparison : ModelComparison
        The result that is drawn.
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        The figure that holds them.
    errorbar_ : matplotlib ErrorbarContainer
        The differences with their intervals, the best model on top.

    See Also
    --------
    sktransrec.compare : The comparison that is drawn.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sktransrec import EASERecommender, ItemKNNRecommender
    >>> from sktransrec.datasets import make_cross_domain
    >>> from sktransrec.inspection import ModelComparisonDisplay
    >>> X = make_cross_domain(200, 60, random_state=0).X_source
    >>> models = {"EASE": EASERecommender(), "neighbours": ItemKNNRecommender()}
    >>> display = ModelComparisonDisplay.from_estimators(models, X, random_state=0)
    >>> display.ax_.get_xlabel()
    'NDCG@10 minus that of popularity (0.2176)'
    """

    def __init__(self, comparison: ModelComparison) -> None:
        self.comparison = comparison

    @classmethod
    def from_estimators(
        cls,
        models: dict[str, Estimator | None],
        X: MatrixLike,
        y: MatrixLike | None = None,
        *,
        ax: Any = None,
        color: Any = None,
        **options: Any,
    ) -> "ModelComparisonDisplay":
        """Compare recommenders and draw the result.

        Parameters
        ----------
        models : dict of str to estimator or None
            Recommenders by name; None is the popularity of the items.
        X : array-like or sparse matrix of shape (n_rows, ...)
            What is known about the rows.
        y : {array-like, sparse matrix} of shape (n_rows, n_items), default=None
            What there is to find; None hides a part of X.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        color : matplotlib color, default=None
            The color of the differences; None takes the next one of the cycle.
        **options : dict
            Further arguments of :func:`sktransrec.compare`.

        Returns
        -------
        display : ModelComparisonDisplay
            The display, drawn.
        """
        return cls.from_comparison(compare(models, X, y, **options), ax=ax, color=color)

    @classmethod
    def from_comparison(
        cls,
        comparison: ModelComparison,
        *,
        metric: str | None = None,
        ax: Any = None,
        color: Any = None,
    ) -> "ModelComparisonDisplay":
        """Draw the result of a comparison.

        Parameters
        ----------
        comparison : ModelComparison
            What :func:`sktransrec.compare` returned.
        metric : str, default=None
            One of its metrics, such as "NDCG@10"; None is the first one.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        color : matplotlib color, default=None
            The color of the differences; None takes the next one of the cycle.

        Returns
        -------
        display : ModelComparisonDisplay
            The display, drawn.
        """
        return cls(comparison).plot(metric=metric, ax=ax, color=color)

    def plot(
        self, metric: str | None = None, ax: Any = None, *, color: Any = None
    ) -> "ModelComparisonDisplay":
        """Draw the differences to the baseline with their intervals, one line each.

        Parameters
        ----------
        metric : str, default=None
            One of the metrics, such as "NDCG@10"; None is the first one.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        color : matplotlib color, default=None
            The color of the differences; None takes the next one of the cycle.

        Returns
        -------
        display : ModelComparisonDisplay
            The display itself.
        """
        comparison = self.comparison
        metric = comparison.label_of(metric)
        differences = comparison.differences(metric)
        if not differences:
            raise ValueError(
                "The comparison has no model but the baseline that could be served: pass another "
                "one to compare."
            )
        names = sorted(differences, key=lambda name: -differences[name].difference)
        means, baseline = comparison.means[metric], comparison.baseline
        labels = [fill(f"{name} ({means[name]:.4f})", LABEL_WIDTH) for name in names]
        n_lines = sum(label.count("\n") + 1 for label in labels)
        ax = self._axes(ax, (7, 1.5 + 0.2 * (len(labels) + n_lines)))
        self._draw_intervals(
            ax,
            [differences[name].difference for name in names],
            [differences[name].interval for name in names],
            labels,
            color,
        )
        of_axis = f"{metric} minus that of {baseline} ({means[baseline]:.4f})"
        ax.set(xlabel=literal(fill(of_axis, _AXIS_LABEL_WIDTH)))
        return self


class TransferGainDisplay(Display):
    """Draw how much transfer helped, for all rows and for more and less active rows.

    Use :meth:`from_estimators` to compare and draw, or :meth:`from_gain` if you have the result of
    `transfer_gain`. It needs matplotlib.

    Parameters
    ----------
    gain : TransferGain
        The result to draw.

    Attributes
    ----------
    gain : TransferGain
        The result that is drawn.
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        The figure that holds them.
    errorbar_ : matplotlib ErrorbarContainer
        The gains with their intervals, from top to bottom.

    See Also
    --------
    sktransrec.transfer_gain : The comparison that is drawn.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sktransrec import RidgeRecommender
    >>> from sktransrec.datasets import make_cross_domain
    >>> from sktransrec.inspection import TransferGainDisplay
    >>> domains = make_cross_domain(random_state=0)
    >>> display = TransferGainDisplay.from_estimators(
    ...     RidgeRecommender(), None, domains.X_source, domains.Y_target, random_state=0
    ... )
    >>> display.ax_.get_xlabel()
    'gain in NDCG@10 by the source'
    """

    def __init__(self, gain: TransferGain) -> None:
        self.gain = gain

    @classmethod
    def from_estimators(
        cls,
        transfer: Estimator,
        baseline: Estimator | None,
        X: MatrixLike,
        y: MatrixLike | None = None,
        *,
        ax: Any = None,
        color: Any = None,
        **options: Any,
    ) -> "TransferGainDisplay":
        """Compare two recommenders and draw the result.

        Parameters
        ----------
        transfer : estimator
            A recommender that uses the source.
        baseline : estimator or None
            What to compare with; None is the popularity of the target items.
        X : array-like or sparse matrix of shape (n_rows, ...)
            What is known about the rows; or aligned domains, as in
            :func:`sktransrec.transfer_gain`.
        y : {array-like, sparse matrix} of shape (n_rows, n_target_items), default=None
            What there is to find.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        color : matplotlib color, default=None
            The color of the gains; None takes the next one of the cycle.
        **options : dict
            Further arguments of :func:`sktransrec.transfer_gain`.

        Returns
        -------
        display : TransferGainDisplay
            The display, drawn.
        """
        return cls.from_gain(transfer_gain(transfer, baseline, X, y, **options), ax=ax, color=color)

    @classmethod
    def from_gain(
        cls, gain: TransferGain, *, ax: Any = None, color: Any = None
    ) -> "TransferGainDisplay":
        """Draw the result of a comparison.

        Parameters
        ----------
        gain : TransferGain
            What :func:`sktransrec.transfer_gain` returned.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        color : matplotlib color, default=None
            The color of the gains; None takes the next one of the cycle.

        Returns
        -------
        display : TransferGainDisplay
            The display, drawn.
        """
        return cls(gain).plot(ax=ax, color=color)

    def plot(self, ax: Any = None, *, color: Any = None) -> "TransferGainDisplay":
        """Draw the gains with their intervals, one line each.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        color : matplotlib color, default=None
            The color of the gains; None takes the next one of the cycle.

        Returns
        -------
        display : TransferGainDisplay
            The display itself.
        """
        rows = self._rows()
        ax = self._axes(ax, (7, 1.5 + 0.5 * len(rows)))
        self._draw_intervals(
            ax,
            [estimate.gain for _, estimate in rows],
            [estimate.interval for _, estimate in rows],
            [f"{label} ({estimate.n_rows})" for label, estimate in rows],
            color,
        )
        ax.set(xlabel=f"gain in {self.gain.metric} by the source", title=_TITLES[self.gain.verdict])
        for place, (_, estimate) in enumerate(rows):
            _write_percent(ax, place, estimate)
        if self._n_buckets:
            _head_buckets(ax, len(rows) - self._n_buckets - 0.5, self.gain.counted)
        return self

    @property
    def _n_buckets(self):
        """The number of buckets to draw; a single bucket is not drawn, because it is all rows."""
        return len(self.gain.buckets) if len(self.gain.buckets) > 1 else 0

    def _rows(self):
        """Return pairs of a label and an estimate, from top to bottom."""
        rows = [("all rows", self.gain.overall)]
        if self.gain.n_given_away:
            rows.append(("without cross-listed items", self.gain.clean))
        return rows + [(bucket.rows, bucket) for bucket in self.gain.buckets[: self._n_buckets]]


class TransferLearningCurveDisplay(Display):
    """Draw the scores of models that learn from more and more rows.

    Use :meth:`from_estimators` to score and draw, or :meth:`from_curve` if you have the result of
    `transfer_learning_curve`. It needs matplotlib.

    Parameters
    ----------
    curve : TransferLearningCurve
        The result to draw.

    Attributes
    ----------
    curve : TransferLearningCurve
        The result that is drawn.
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        The figure that holds them.
    lines_ : dict of str to matplotlib Line2D
        The mean scores of each model.
    bands_ : dict of str to matplotlib collection
        The band of one standard error above and below the means, without what the models share.

    See Also
    --------
    sktransrec.transfer_learning_curve : The scores that are drawn.
    sklearn.model_selection.LearningCurveDisplay : The learning curve of a single model.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sktransrec import RidgeRecommender
    >>> from sktransrec.datasets import make_cross_domain
    >>> from sktransrec.inspection import TransferLearningCurveDisplay
    >>> domains = make_cross_domain(200, 60, random_state=0)
    >>> display = TransferLearningCurveDisplay.from_estimators(
    ...     {"transfer": RidgeRecommender(), "popularity": None},
    ...     *(domains.X_source, domains.Y_target),
    ...     random_state=0,
    ... )
    >>> display.ax_.get_ylabel()
    'NDCG@10'
    """

    def __init__(self, curve: TransferLearningCurve) -> None:
        self.curve = curve

    @classmethod
    def from_estimators(
        cls,
        estimators: dict[str, Estimator | None],
        X: MatrixLike,
        y: MatrixLike | None = None,
        *,
        ax: Any = None,
        **options: Any,
    ) -> "TransferLearningCurveDisplay":
        """Score models that learn from more and more rows, and draw the result.

        Parameters
        ----------
        estimators : dict of str to estimator or None
            Recommenders by name; None is the popularity of the items.
        X : array-like or sparse matrix of shape (n_rows, ...)
            What is known about the rows.
        y : {array-like, sparse matrix} of shape (n_rows, n_items), default=None
            What there is to find; None hides a part of X.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **options : dict
            Further arguments of :func:`sktransrec.transfer_learning_curve`.

        Returns
        -------
        display : TransferLearningCurveDisplay
            The display, drawn.
        """
        return cls.from_curve(transfer_learning_curve(estimators, X, y, **options), ax=ax)

    @classmethod
    def from_curve(
        cls, curve: TransferLearningCurve, *, ax: Any = None
    ) -> "TransferLearningCurveDisplay":
        """Draw the result of `transfer_learning_curve`.

        Parameters
        ----------
        curve : TransferLearningCurve
            What :func:`sktransrec.transfer_learning_curve` returned.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : TransferLearningCurveDisplay
            The display, drawn.
        """
        return cls(curve).plot(ax=ax)

    @classmethod
    def from_curves(
        cls, curves: dict[str, TransferLearningCurve], *, axes: Sequence[Any] | None = None
    ) -> "TransferLearningCurveDisplay":
        """Draw several results side by side, such as those of both directions of transfer.

        Parameters
        ----------
        curves : dict of str to TransferLearningCurve
            What :func:`sktransrec.transfer_learning_curve` returned, by the title to draw.
        axes : sequence of matplotlib Axes, default=None
            Where to draw, one for each; None makes a figure.

        Returns
        -------
        display : TransferLearningCurveDisplay
            The display of the last one, drawn; all share its figure.
        """
        if not curves:
            raise ValueError("curves is empty: pass at least one result by its title.")
        axes = side_by_side(axes, len(curves), 4.8, 4.2)
        for ax, (title, curve) in zip(axes, curves.items(), strict=True):
            display = cls.from_curve(curve, ax=ax)
            ax.set_title(literal(str(title)))
        return display

    def plot(self, ax: Any = None) -> "TransferLearningCurveDisplay":
        """Draw the mean of each model, with a band of one standard error above and below.

        All models serve the same rows, and the errors leave out what the rows have in common. So
        lines whose bands lie apart differ.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : TransferLearningCurveDisplay
            The display itself.
        """
        ax = self._axes(ax)
        curve = self.curve
        self._draw_bands(ax, curve.train_sizes, curve.means, curve.paired_errors)
        ax.set(xlabel="rows learned from", ylabel=curve.metric)
        return self


def _write_percent(ax, place, estimate):
    """Write the relative gain above a gain."""
    if np.isfinite(estimate.relative_gain):
        ax.annotate(
            f"{estimate.relative_gain:+.0%}",
            (estimate.gain, place),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            fontsize="small",
        )


def _head_buckets(ax, place, counted):
    """Draw a line above the buckets, with a label that says how they are made."""
    ax.axhline(place, color="0.8", linewidth=1, linestyle=":")
    ax.annotate(
        f"rows by {counted}",
        (0, place),
        xycoords=ax.get_yaxis_transform(),
        xytext=(-6, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        color="0.4",
        fontsize="small",
        annotation_clip=False,
    )
