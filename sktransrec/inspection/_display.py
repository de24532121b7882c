# SPDX-License-Identifier: BSD-3-Clause
"""The shape that all displays share."""

from typing import Any


class Display:
    """Base of displays: `plot` draws on the axes of `_axes`, and returns the display itself."""

    ax_: Any
    figure_: Any
    lines_: dict[str, Any]
    bands_: dict[str, Any]
    errorbar_: Any

    def _axes(self, ax, size=None):
        """Return the axes to draw on, new ones if there are none, and keep them."""
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(figsize=size, layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        return ax

    def _draw_bands(self, ax, places, means, errors):
        """Draw a line for each name, with a band of one error, and name them in a legend."""
        self.lines_, self.bands_ = {}, {}
        for name, of_name in means.items():
            (self.lines_[name],) = ax.plot(places, of_name, marker="o", linewidth=2, label=name)
            self.bands_[name] = ax.fill_between(
                *(places, of_name - errors[name], of_name + errors[name]),
                alpha=0.2,
                color=self.lines_[name].get_color(),
            )
        ax.grid(axis="y", alpha=0.3)
