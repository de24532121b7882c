# SPDX-License-Identifier: BSD-3-Clause
"""Displays of what models have learned: losses, maps of items, and reasons."""

import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.preprocessing import normalize

from .._numerics._entries import as_dense
from .._typing import Estimator, MatrixLike
from .._wrapping import held_estimators
from ..recommenders import NextItemRecommender
from ._display import Display, legend_label, literal, side_by_side
from ._explain import Explanation, explain

# Past this width, names of columns are no longer legible.
_MAX_COLUMNS = 16
_NAME_WIDTH = 28


class LossCurveDisplay(Display):
    """Draw the losses of fitted networks by epoch.

    Use it to see whether training has ended, and whether a fine-tuned network needs fewer epochs
    than one from scratch. Compare losses of the same kind on the same data only. It needs
    matplotlib.

    Parameters
    ----------
    curves : dict of str to ndarray of shape (n_epochs,)
        The losses, by the name of the curve.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        The figure that holds them.
    lines_ : dict of str to matplotlib Line2D
        The curves.

    See Also
    --------
    TransferLearningCurveDisplay : How well the networks rank.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sktransrec.inspection import LossCurveDisplay
    >>> display = LossCurveDisplay({"scratch": [1.0, 0.6, 0.5], "fine-tuned": [0.6, 0.5]}).plot()
    >>> display.ax_.get_xlabel()
    'epoch'
    """

    def __init__(self, curves: dict[str, NDArray[Any]]) -> None:
        self.curves = curves

    @classmethod
    def from_estimators(
        cls, estimators: dict[str, Estimator], *, ax: Any = None
    ) -> "LossCurveDisplay":
        """Draw the losses of fitted estimators.

        Parameters
        ----------
        estimators : dict of str to estimator
            Fitted estimators by name, with `loss_curve_`, or pipelines, searches and recommenders
            that hold one. The losses of a validation part, if there is one, are drawn as well;
            for :class:`~sktransrec.NextItemRecommender` these are 1 - NDCG@10, as the label says.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : LossCurveDisplay
            The display, drawn.
        """
        if not isinstance(estimators, dict):
            raise TypeError(
                f"estimators is of type {type(estimators).__name__}: pass a dict from names to "
                'fitted estimators, such as {"scratch": model}.'
            )
        curves = {}
        for name, estimator in estimators.items():
            learner = _learner_with_losses(name, estimator)
            curves[name] = np.asarray(learner.loss_curve_)
            of_validation = getattr(learner, "validation_loss_curve_", None)
            if of_validation is not None and len(of_validation):
                is_ndcg = isinstance(learner, NextItemRecommender)
                measure = " (1 - NDCG@10)" if is_ndcg else ""
                curves[f"{name}, validation{measure}"] = np.asarray(of_validation)
        return cls(curves).plot(ax=ax)

    def plot(self, ax: Any = None) -> "LossCurveDisplay":
        """Draw the losses; those of a validation part are dashed.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : LossCurveDisplay
            The display itself.
        """
        ax = self._axes(ax)
        self.lines_ = {}
        for name, losses in self.curves.items():
            learned_from = name.partition(", validation")[0]
            whole = self.lines_.get(learned_from)
            style = {} if whole is None else {"linestyle": "--", "color": whole.get_color()}
            epochs = np.arange(1, len(losses) + 1)
            style["marker"] = "o" if len(losses) == 1 else ""  # a line of one point is not seen
            (self.lines_[name],) = ax.plot(
                epochs, losses, linewidth=2, label=legend_label(name), **style
            )
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.grid(axis="y", alpha=0.3)
        ax.set(xlabel="epoch", ylabel="loss")
        ax.legend(fontsize="small")
        return self


class ItemMapDisplay(Display):
    """Draw the items of two domains in a plane, before and after alignment.

    Use it to see whether the factors or features of two domains lie in one space: items of both
    should mix, and twins should lie together. All vectors are drawn at length 1, since similar
    items are those at a small angle. The plane holds the two directions of largest variance of both
    domains together, so what lies apart in it does differ, and what lies together may not. It needs
    matplotlib.

    Parameters
    ----------
    before : tuple of array-like, each of shape (n_items_of_domain, n_features)
        The vectors of the items of the source, and those of the target.
    after : tuple of array-like, default=None
        The same after alignment.
    twins : tuple of array-like of int, default=None
        The rows of the source and the rows of the target that are the same items, such as
        ``(twins["source"], twins["target"])`` of the `twins` that `align_domains` found.
    names : tuple of str, default=("source", "target")
        The names of the domains.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        The axes drawn on, one for each state.
    figure_ : matplotlib Figure
        The figure that holds them.

    See Also
    --------
    sktransrec.ProcrustesAligner : Aligns two domains by what they share.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> import numpy as np
    >>> from sktransrec.inspection import ItemMapDisplay
    >>> rng = np.random.default_rng(0)
    >>> source, target = rng.normal(size=(2, 30, 5))
    >>> display = ItemMapDisplay((source, target + 3), (source, target)).plot()
    >>> [ax.get_title() for ax in display.axes_]
    ['before alignment', 'after alignment']
    """

    axes_: NDArray[Any]

    def __init__(
        self,
        before: tuple[ArrayLike, ...],
        after: tuple[ArrayLike, ...] | None = None,
        *,
        twins: tuple[ArrayLike, ...] | None = None,
        names: tuple[str, ...] = ("source", "target"),
    ) -> None:
        self.before = before
        self.after = after
        self.twins = twins
        self.names = names

    def plot(self, axes: Sequence[Any] | None = None) -> "ItemMapDisplay":
        """Draw a map for each state.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default=None
            Where to draw, one for each state; None makes a figure.

        Returns
        -------
        display : ItemMapDisplay
            The display itself.
        """
        self._check()
        states = {"before alignment": self.before}
        if self.after is not None:
            states["after alignment"] = self.after
        self.axes_ = side_by_side(axes, len(states), 4.5, 4.3)
        self.figure_ = self.axes_[0].figure
        for ax, (title, vectors) in zip(self.axes_, states.items(), strict=True):
            self._draw_map(ax, vectors)
            ax.set_title(title)
        self.axes_[0].legend(fontsize="small", markerscale=2)
        return self

    def _check(self):
        """Raise unless the vectors are those of two domains in one space, and twins their rows."""
        for name, state in (("before", self.before), ("after", self.after)):
            if state is None:
                continue
            shapes = [np.shape(vectors) for vectors in state]
            are_matrices = len(shapes) == 2 and all(len(shape) == 2 for shape in shapes)
            if not are_matrices or shapes[0][1] != shapes[1][1] or shapes[0][1] < 2:
                raise ValueError(
                    f"{name} holds {len(shapes)} arrays of the shapes {reprlib.repr(shapes)}: pass "
                    "a tuple of two, the vectors of the source and those of the target, with the "
                    "same number of columns, 2 or more."
                )
        is_structured = getattr(self.twins, "dtype", None) is not None and self.twins.dtype.names
        if self.twins is not None and (is_structured or len(self.twins) != 2):
            raise ValueError(
                f"twins is of type {type(self.twins).__name__} and length {len(self.twins)}: pass "
                'a tuple of two arrays, such as (twins["source"], twins["target"]) for what '
                "find_cross_listed returns."
            )

    def _draw_map(self, ax, vectors):
        """Draw the items of both domains, and a line between each pair of twins."""
        from sklearn.decomposition import PCA  # slow to import

        source, target = (as_dense(normalize(of_domain)) for of_domain in vectors)
        places = PCA(2, random_state=0).fit_transform(np.concatenate([source, target]))
        of_domains = places[: len(source)], places[len(source) :]
        for own, name, marker in zip(of_domains, self.names, "o^", strict=True):
            ax.scatter(
                *own.T, s=12, alpha=0.5, linewidths=0, marker=marker, label=legend_label(name)
            )
        if self.twins is not None:
            ends = [own[rows] for own, rows in zip(of_domains, self.twins, strict=True)]
            ax.plot(*np.stack(ends).transpose(2, 0, 1), color="0.3", linewidth=0.6, alpha=0.5)
        ax.set_aspect("equal", adjustable="datalim")
        ax.set(xticks=[], yticks=[])


class ExplanationDisplay(Display):
    """Draw what each thing that a row has adds to the scores of some items, as a heat map.

    Use :meth:`from_estimator` to explain and draw, or :meth:`from_explanation` if you have the
    result of `explain`. It needs matplotlib.

    Parameters
    ----------
    explanation : Explanation
        The result to draw.
    item_names : sequence or mapping of str, default=None
        The names of the item columns; None shows their numbers.
    column_names : sequence or mapping of str, default=None
        The names of the columns of X; None shows their numbers.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        The figure that holds them.
    image_ : matplotlib AxesImage
        The contributions: items from top to bottom, the strongest columns from left to right.

    See Also
    --------
    sktransrec.inspection.explain : The explanation that is drawn.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from sktransrec import EASERecommender
    >>> from sktransrec.datasets import make_cross_domain
    >>> from sktransrec.inspection import ExplanationDisplay
    >>> X = make_cross_domain(random_state=0).X_source
    >>> display = ExplanationDisplay.from_estimator(EASERecommender().fit(X), X[[0]])
    >>> display.image_.get_array().shape[0]
    5
    """

    image_: Any

    def __init__(
        self,
        explanation: Explanation,
        *,
        item_names: Sequence[str] | Mapping[Any, str] | None = None,
        column_names: Sequence[str] | Mapping[Any, str] | None = None,
    ) -> None:
        self.explanation = explanation
        self.item_names = item_names
        self.column_names = column_names

    @classmethod
    def from_estimator(
        cls,
        model: Estimator,
        X: MatrixLike,
        items: ArrayLike | None = None,
        *,
        item_names: Sequence[str] | Mapping[Any, str] | None = None,
        column_names: Sequence[str] | Mapping[Any, str] | None = None,
        ax: Any = None,
        **options: Any,
    ) -> "ExplanationDisplay":
        """Explain the scores of a row and draw the result.

        Parameters
        ----------
        model : estimator
            A fitted recommender, or a `Pipeline`, search or `FrozenEstimator` that holds one.
        X : array-like or sparse matrix of shape (1, ...)
            A single row.
        items : array-like of int or mask of shape (n_items_,), default=None
            The item columns to explain. None explains the best ones.
        item_names : sequence or mapping of str, default=None
            The names of the item columns.
        column_names : sequence or mapping of str, default=None
            The names of the columns of X.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **options : dict
            Further arguments of :func:`sktransrec.inspection.explain`.

        Returns
        -------
        display : ExplanationDisplay
            The display, drawn.
        """
        explanation = explain(model, X, items, **options)
        return cls.from_explanation(
            explanation, item_names=item_names, column_names=column_names, ax=ax
        )

    @classmethod
    def from_explanation(
        cls,
        explanation: Explanation,
        *,
        item_names: Sequence[str] | Mapping[Any, str] | None = None,
        column_names: Sequence[str] | Mapping[Any, str] | None = None,
        ax: Any = None,
    ) -> "ExplanationDisplay":
        """Draw the result of `explain`.

        Parameters
        ----------
        explanation : Explanation
            What :func:`sktransrec.inspection.explain` returned.
        item_names : sequence or mapping of str, default=None
            The names of the item columns.
        column_names : sequence or mapping of str, default=None
            The names of the columns of X.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : ExplanationDisplay
            The display, drawn.
        """
        return cls(explanation, item_names=item_names, column_names=column_names).plot(ax=ax)

    def plot(self, ax: Any = None) -> "ExplanationDisplay":
        """Draw the contributions of the columns that add or take away most.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : ExplanationDisplay
            The display itself.
        """
        found = self.explanation
        added = found.contributions
        if not added.size:
            raise ValueError(
                f"The explanation of {len(found.items)} items by {len(found.columns)} columns has "
                "nothing to draw: pass a row that has something, and items that it may get."
            )
        strongest = np.argsort(-np.abs(added).max(axis=0), kind="stable")[:_MAX_COLUMNS]
        added, columns = added[:, strongest], found.columns[strongest]
        n_items, n_columns = added.shape
        ax = self._axes(ax, (3.5 + 0.42 * max(n_columns, 4), 2.6 + 0.36 * n_items))
        limit = float(np.abs(added).max()) or 1.0
        self.image_ = ax.imshow(added, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
        items = _named(found.items, self.item_names)
        scores = found.scores
        ax.set_xticks(np.arange(n_columns), _named(columns, self.column_names))
        ax.tick_params(axis="x", rotation=45)
        for label in ax.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
        ax.set_yticks(
            np.arange(n_items),
            [f"{item} ({score:.2f})" for item, score in zip(items, scores, strict=True)],
        )
        left_out = len(found.columns) - n_columns
        rest = f"; {left_out} weaker ones are left out" if left_out else ""
        ax.set_xlabel(f"what the row has{rest}")
        ax.set_ylabel("recommended (score)")
        ax.figure.colorbar(self.image_, ax=ax, label="adds to the score")
        return self


def _learner_with_losses(name, estimator):
    """Return the estimator, or what it holds, that has a curve of losses."""
    found = [each for each in held_estimators(estimator) if hasattr(each, "loss_curve_")]
    if not found:
        raise ValueError(f"{name!r} has no loss_curve_: pass a fitted network.")
    return found[0]


def _named(columns, names):
    """Return the names of columns, shortened, or the numbers of those without a name."""
    if names is not None and not isinstance(names, Mapping) and len(names) <= columns.max():
        raise ValueError(
            f"The {len(names)} names do not reach column {columns.max()}: pass a name for each "
            "column, or a dict from columns to names."
        )
    if names is None or isinstance(names, Mapping):
        full = [str((names or {}).get(column, column)) for column in columns.tolist()]
    else:
        full = [str(names[column]) for column in columns.tolist()]
    short = (one if len(one) <= _NAME_WIDTH else one[: _NAME_WIDTH - 1] + "…" for one in full)
    return list(map(literal, short))
