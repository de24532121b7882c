# SPDX-License-Identifier: BSD-3-Clause
"""The shape that all displays share."""

from textwrap import fill
from typing import Any

import numpy as np

from .._extras import import_pyplot

# Characters of a line, past which names of models leave no room for the axes or are cut off.
LABEL_WIDTH = 32


class Display:
    """Base of displays: `plot` draws on the axes of `_axes`, and returns the display itself."""

    ax_: Any
    figure_: Any
    lines_: dict[str, Any]
    bands_: dict[str, Any]
    errorbar_: Any

    def _axes(self, ax, size=None):
        """Return the axes to draw on, new ones if there are none, and keep them."""
        if ax is None:
            _, ax = import_pyplot().subplots(figsize=size, layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        return ax

    def _draw_intervals(self, ax, middles, intervals, labels, color):
        """Draw a point and its interval for each label, from top to bottom, and a line at zero."""
        places, middles = np.arange(len(labels)), np.array(middles)
        ax.axvline(0, color="0.5", linewidth=1)
        self.errorbar_ = ax.errorbar(
            *(middles, places),
            xerr=np.abs(np.array(intervals) - middles[:, None]).T,
            fmt="o",
            capsize=4,
            color=color,
        )
        ax.set(
            yticks=places, yticklabels=list(map(literal, labels)), ylim=(len(labels) - 0.5, -0.5)
        )

    def _draw_bands(self, ax, places, means, errors):
        """Draw a line for each name over a logarithmic axis, with a band of one error."""
        self.lines_, self.bands_ = {}, {}
        for name, of_name in means.items():
            (self.lines_[name],) = ax.plot(
                *(places, of_name), marker="o", linewidth=2, label=legend_label(name)
            )
            self.bands_[name] = ax.fill_between(
                *(places, of_name - errors[name], of_name + errors[name]),
                alpha=0.2,
                color=self.lines_[name].get_color(),
            )
        ax.grid(axis="y", alpha=0.3)
        ax.set_xscale("log")
        ax.minorticks_off()
        ax.set_xticks(places, labels=list(map(str, places)))
        ax.set_xticks(places, labels=_apart(ax.get_xticklabels()))
        ax.legend(fontsize="small")


def literal(text):
    """Return a text as matplotlib writes it letter by letter, also with signs for formulas."""
    return text.replace("$", r"\$")


def legend_label(name):
    """Return the name of a model in lines for a legend, which leaves out what begins with "_"."""
    lines = fill(literal(str(name)), LABEL_WIDTH)
    return f" {lines}" if lines.startswith("_") else lines


def _apart(labels):
    """Return the texts of labels from left to right, empty for those that would overlap."""
    texts, end = [], -np.inf
    for label in labels:
        box = label.get_window_extent()
        is_apart = box.x0 > end + box.height / 3
        texts.append(label.get_text() if is_apart else "")
        end = box.x1 if is_apart else end
    return texts


def side_by_side(axes, n_axes, width, height):
    """Return axes in one figure as an array, new ones of this size in inches if there are none."""
    if axes is None:
        size = (width * n_axes, height)
        _, axes = import_pyplot().subplots(1, n_axes, figsize=size, layout="constrained")
    return np.atleast_1d(axes)
