# SPDX-License-Identifier: BSD-3-Clause
"""The report of a verdict says what the result says."""

import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from sktransrec import RidgeRecommender, align_domains, transfer_gain
from sktransrec.datasets import make_cross_domain


@pytest.fixture(scope="module")
def aligned():
    """Return two domains as aligned logs; film <7> is book 3 under another id."""
    domains = make_cross_domain(
        200, 40, 30, n_cold_users=0, source_density=0.2, target_density=0.15, random_state=0
    )
    X, y = domains.X_source.toarray(), domains.Y_target.toarray()
    X[:, 7] = y[:, 3]
    return align_domains(_log(X, "film <{}>"), _log(y, "book {}"))


def _log(matrix, name):
    rows, items = matrix.nonzero()
    return pd.DataFrame({"user": rows, "item": [name.format(item) for item in items]})


@pytest.fixture(scope="module")
def gain(aligned):
    return transfer_gain(RidgeRecommender(10.0), None, aligned, random_state=0)


def test_aligned_domains_are_their_matrices_with_names(aligned, gain):
    plain = transfer_gain(
        RidgeRecommender(10.0), None, aligned.X_source, aligned.X_target, random_state=0
    )
    np.testing.assert_array_equal(gain.scores, plain.scores)
    assert [twin[:2] for twin in gain.twins] == [("film <7>", "book 3")]
    assert "source 'film <7>' is target 'book 3'" in str(gain)


def test_the_page_is_well_formed_and_holds_the_figures(gain, tmp_path):
    path = tmp_path / "report.html"
    gain.to_html(path)
    page = path.read_text("utf-8")
    assert gain._repr_html_() in page
    body = re.search(r"<body>(.*)</body>", page, flags=re.DOTALL)[1]
    tree = ElementTree.fromstring(f"<body>{body}</body>")
    text = " ".join(tree.itertext())
    assert gain.sentence[1:] in text
    for estimate in [gain.overall, gain.clean, *gain.buckets]:
        low, high = estimate.interval
        assert f"{estimate.gain:+.4f}" in text
        assert f"[{low:+.4f}, {high:+.4f}]" in text
    assert "film <7>" in text
    pictures = tree.findall(".//svg")
    assert len(pictures) == 2 + len(gain.buckets)
    line, middle = pictures[0].findall("line")[1], pictures[0].find("circle")
    assert float(line.get("x1")) < float(middle.get("cx")) < float(line.get("x2"))


def test_a_result_without_intervals_or_twins_has_a_report():
    rng = np.random.default_rng(0)
    X, y = (rng.uniform(size=(2, 12, 8)) < 0.4).astype(float)
    gain = transfer_gain(RidgeRecommender(10.0), RidgeRecommender(10.0), X, y, cv=2, random_state=0)
    assert "too few rows differ" in gain._repr_html_()


def test_y_is_needed_unless_domains_are_aligned(aligned):
    with pytest.raises(ValueError, match="y is None: pass the interactions to find"):
        transfer_gain(RidgeRecommender(), None, aligned.X_source)
    with pytest.raises(ValueError, match="leave y at None"):
        transfer_gain(RidgeRecommender(), None, aligned, aligned.X_target)
