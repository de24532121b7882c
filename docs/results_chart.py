# SPDX-License-Identifier: BSD-3-Clause
"""Draw the chart of the results when the documentation is built."""

from build_results import draw_chart

draw_chart()
