# SPDX-License-Identifier: BSD-3-Clause
"""The verdict on a transfer as HTML, for a notebook or a file."""

import html

import numpy as np

_WIDTH, _MARGIN = 260, 8
_COLORS = {"helps": "#1a7f37", "harms": "#b42318", "no evidence": "#6b7280"}
_MAX_TWINS = 20
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Does the source help?</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body {{font-family: sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em}}
td, th {{padding: .2em .8em .2em 0; text-align: left; vertical-align: middle}}</style>
</head><body>
{body}
</body></html>
"""


def gain_page(gain):
    """Return the report of a `TransferGain` as a whole page."""
    return _PAGE.format(body=gain_html(gain))


def gain_html(gain):
    """Return the report of a `TransferGain` as a part of a page."""
    level = f"{gain.overall.confidence_level:.0%}"
    parts = [
        f"<h3 style='color:{_COLORS[gain.verdict]}'>{_escaped(gain.sentence[:1].upper())}"
        f"{_escaped(gain.sentence[1:])}</h3>",
        f"<p>{_escaped(gain.metric)} with the source and without it, for the same rows; the gain "
        f"and its {level} interval.</p>",
        _estimates_table(gain),
        _winners(gain),
        _twins_table(gain),
    ]
    return "\n".join(part for part in parts if part)


def _escaped(text):
    return html.escape(str(text))


def _estimates_table(gain):
    estimates = [("all rows", gain.overall)]
    if gain.n_given_away:
        estimates.append(("all rows, without cross-listed items", gain.clean))
    if len(gain.buckets) > 1:
        estimates += [(f"{bucket.rows} {gain.counted}", bucket) for bucket in gain.buckets]
    scale = _scale([estimate for _, estimate in estimates])
    head = "".join(f"<th>{title}</th>" for title in ("", "rows", "without", "with", "gain", "", ""))
    rows = "".join(_estimate_row(label, estimate, scale) for label, estimate in estimates)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _estimate_row(label, estimate, scale):
    low, high = estimate.interval
    gain = "" if np.isnan(estimate.gain) else f"{estimate.gain:+.4f}"
    interval = "too few rows differ" if np.isnan(low) else f"[{low:+.4f}, {high:+.4f}]"
    cells = [
        _escaped(label),
        str(estimate.n_rows),
        f"{estimate.baseline:.4f}",
        f"{estimate.transfer:.4f}",
        gain,
        interval,
        _interval_picture(estimate, scale),
    ]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _scale(estimates):
    """Return the function from a gain to its place in the pictures."""
    ends = np.array([estimate.interval for estimate in estimates]).ravel()
    ends = np.append(ends[np.isfinite(ends)], 0.0)
    low, high = ends.min(), ends.max()
    width = (high - low) or 1.0
    return lambda value: _MARGIN + (value - low) / width * (_WIDTH - 2 * _MARGIN)


def _interval_picture(estimate, scale):
    """Return a dot for the gain, a line for its interval, and a thin line at 0, as SVG."""
    low, high = estimate.interval
    if np.isnan(low):
        return ""
    zero, middle, left, right = map(scale, (0.0, estimate.gain, low, high))
    color = _COLORS[estimate.verdict]
    return (
        f"<svg width='{_WIDTH}' height='16' role='img' aria-label='interval of the gain'>"
        f"<line x1='{zero:.1f}' x2='{zero:.1f}' y1='0' y2='16' stroke='#9ca3af'/>"
        f"<line x1='{left:.1f}' x2='{right:.1f}' y1='8' y2='8' stroke='{color}' stroke-width='2'/>"
        f"<circle cx='{middle:.1f}' cy='8' r='4' fill='{color}'/></svg>"
    )


def _winners(gain):
    if not gain.clean.n_rows:
        return ""
    return (
        f"<p>The source serves {gain.clean.share_helped:.0%} of the rows better and "
        f"{gain.clean.share_hurt:.0%} worse. Negative-transfer gap: "
        f"{gain.negative_transfer_gap:+.4f}.</p>"
    )


def _twins_table(gain):
    if gain.twins is None:
        return "<p>Cross-listed items were not looked for, without source interactions.</p>"
    if not gain.twins:
        return "<p>No item is cross-listed.</p>"
    rows = "".join(
        f"<tr><td>{_escaped(source)}</td><td>{_escaped(target)}</td><td>{n_common}</td>"
        f"<td>{share:.0%}</td></tr>"
        for source, target, share, n_common in gain.twins[:_MAX_TWINS]
    )
    n_more = len(gain.twins) - _MAX_TWINS
    more = f"<p>... and {n_more} more pairs.</p>" if n_more > 0 else ""
    return (
        f"<p>{len(gain.twins)} pairs of items look cross-listed, the same product under two ids. "
        f"They give away {gain.n_given_away} of the {gain.n_pairs} interactions to find.</p>"
        "<table><thead><tr><th>in the source</th><th>in the target</th><th>common users</th>"
        f"<th>share</th></tr></thead><tbody>{rows}</tbody></table>{more}"
    )
