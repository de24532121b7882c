# SPDX-License-Identifier: BSD-3-Clause
"""Displays of a comparison by the number of items, and of one metric against another."""

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np

from .._typing import Estimator, MatrixLike
from ..evaluation import ModelComparison, compare
from ._display import Display, legend_label


class MetricCurveDisplay(Display):
    """Draw a metric of several models against the number of recommended items.

    Use :meth:`from_estimators` to compare and draw, or :meth:`from_comparison` if you have the
    result of `compare` with several `k`. It needs matplotlib.

    Parameters
    ----------
    comparison : ModelComparison
        The result to draw.

    Attributes
    ----------
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
    sktransrec.compare : The comparison that is drawn.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sktransrec import EASERecommender
    >>> from sktransrec.datasets import make_cross_domain
    >>> from sktransrec.inspection import MetricCurveDisplay
    >>> X = make_cross_domain(random_state=0).X_source
    >>> display = MetricCurveDisplay.from_estimators(
    ...     {"EASE": EASERecommender()}, X, k=[1, 5, 20], random_state=0
    ... )
    >>> display.ax_.get_ylabel()
    'NDCG'
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
        k: Sequence[int] = (1, 5, 10, 20, 50),
        ax: Any = None,
        **options: Any,
    ) -> "MetricCurveDisplay":
        """Compare recommenders and draw the result.

        Parameters
        ----------
        models : dict of str to estimator or None
            Recommenders by name; None is the popularity of the items.
        X : array-like or sparse matrix of shape (n_rows, ...)
            What is known about the rows.
        y : {array-like, sparse matrix} of shape (n_rows, n_items), default=None
            What there is to find; None hides a part of X.
        k : sequence of int, default=(1, 5, 10, 20, 50)
            Numbers of items recommended to each row.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **options : dict
            Further arguments of :func:`sktransrec.compare`.

        Returns
        -------
        display : MetricCurveDisplay
            The display, drawn.
        """
        return cls.from_comparison(compare(models, X, y, k=list(k), **options), ax=ax)

    @classmethod
    def from_comparison(
        cls, comparison: ModelComparison, *, metric: str | None = None, ax: Any = None
    ) -> "MetricCurveDisplay":
        """Draw the result of a comparison with several numbers of items.

        Parameters
        ----------
        comparison : ModelComparison
            What :func:`sktransrec.compare` returned.
        metric : str, default=None
            The name of a metric in upper or lower case, such as "NDCG". A number of items after it,
            as in "NDCG@10", is ignored. None is the first one.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : MetricCurveDisplay
            The display, drawn.
        """
        return cls(comparison).plot(metric=metric, ax=ax)

    def plot(self, metric: str | None = None, ax: Any = None) -> "MetricCurveDisplay":
        """Draw the means with a band of one standard error above and below.

        All models serve the same rows, and the errors leave out what the rows have in common. So
        lines whose bands lie apart differ.

        Parameters
        ----------
        metric : str, default=None
            The name of a metric in upper or lower case, such as "NDCG". A number of items after it,
            as in "NDCG@10", is ignored. None is the first one.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : MetricCurveDisplay
            The display itself.
        """
        comparison = self.comparison
        parts = [(*name.partition("@")[::2], name) for name in comparison.metrics]
        wanted = parts[0][0] if metric is None else str(metric).partition("@")[0]
        names = {int(k): name for label, k, name in parts if label.lower() == wanted.lower()}
        if not names:
            raise ValueError(f"metric={metric!r} is not one of: {', '.join(comparison.metrics)}.")
        ks = sorted(names)
        means, errors = comparison.means, [comparison.paired_errors(names[k]) for k in ks]
        sound = [name for name in comparison.models if name not in comparison.errors]
        ax = self._axes(ax)
        self._draw_bands(
            ax,
            ks,
            {name: np.array([means[names[k]][name] for k in ks]) for name in sound},
            {name: np.nan_to_num([of_k[name] for of_k in errors]) for name in sound},
        )
        ax.set(xlabel="number of items", ylabel=names[ks[0]].partition("@")[0])
        return self


class TradeOffDisplay(Display):
    """Draw one metric of several models against another, such as accuracy against coverage.

    Use :meth:`from_comparison` on the result of `compare` with several metrics. If no other model
    lies above and to the right of a model, no other is better in both metrics; for Gini, above and
    to the left. It needs matplotlib.

    Parameters
    ----------
    comparison : ModelComparison
        The result to draw.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        The figure that holds them.
    points_ : dict of str to matplotlib ErrorbarContainer
        The point of each model, with bars of one standard error, without what the models share.

    See Also
    --------
    sktransrec.compare : The comparison that is drawn.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sktransrec import EASERecommender, ItemKNNRecommender, compare
    >>> from sktransrec.datasets import make_cross_domain
    >>> from sktransrec.inspection import TradeOffDisplay
    >>> X = make_cross_domain(200, 60, random_state=0).X_source
    >>> models = {"EASE": EASERecommender(), "neighbours": ItemKNNRecommender()}
    >>> comparison = compare(models, X, metrics=["ndcg", "coverage"], random_state=0)
    >>> sorted(TradeOffDisplay.from_comparison(comparison).points_)
    ['EASE', 'neighbours', 'popularity']
    """

    points_: dict[str, Any]

    def __init__(self, comparison: ModelComparison) -> None:
        self.comparison = comparison

    @classmethod
    def from_comparison(
        cls,
        comparison: ModelComparison,
        *,
        x: str | None = None,
        y: str | None = None,
        ax: Any = None,
    ) -> "TradeOffDisplay":
        """Draw the result of a comparison with several metrics.

        Parameters
        ----------
        comparison : ModelComparison
            What :func:`sktransrec.compare` returned.
        x : str, default=None
            The metric from left to right, such as "coverage@10"; None is the second one.
        y : str, default=None
            The metric from below to above; None is the first one.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : TradeOffDisplay
            The display, drawn.
        """
        return cls(comparison).plot(x=x, y=y, ax=ax)

    def plot(self, x: str | None = None, y: str | None = None, ax: Any = None) -> "TradeOffDisplay":
        """Draw a named point for each model.

        Parameters
        ----------
        x : str, default=None
            The metric from left to right; None is the second one.
        y : str, default=None
            The metric from below to above; None is the first one.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : TradeOffDisplay
            The display itself.
        """
        comparison = self.comparison
        if len(comparison.metrics) < 2:
            raise ValueError(
                "The comparison has a single metric: pass several to compare, such as "
                'metrics=["ndcg", "coverage"].'
            )
        pairs = zip((y, x), comparison.metrics, strict=False)
        y, x = (comparison.label_of(name or metric) for name, metric in pairs)
        ax = self._axes(ax)
        errors = [comparison.paired_errors(metric) for metric in (x, y)]
        sound = [name for name in comparison.models if name not in comparison.errors]
        self.points_, shapes = {}, cycle("osD^vP")
        for name in sound:
            place = [comparison.means[metric][name] for metric in (x, y)]
            bars = [None if np.isnan(of[name]) else of[name] for of in errors]
            self.points_[name] = ax.errorbar(
                *place,
                xerr=bars[0],
                yerr=bars[1],
                fmt=next(shapes),
                markersize=8,
                capsize=3,
                label=legend_label(name),
            )
        ax.margins(0.1)
        ax.grid(alpha=0.3)
        ax.set(xlabel=x, ylabel=y)
        if sound:
            ax.legend()
        return self
