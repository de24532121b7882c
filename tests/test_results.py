# SPDX-License-Identifier: BSD-3-Clause
import json
import re
import sys
from decimal import ROUND_HALF_UP, Decimal
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

ROOT = Path(__file__).parents[1]
RECORDS = sorted((ROOT / "docs" / "records").glob("*.json"))


def searches_in(content, title=""):
    """Yield the title and the search of each search in a record, wherever it is."""
    if {"grid", "chosen", "natural_bounds"} <= content.keys():
        yield title, content
    for name, each in content.items():
        if isinstance(each, dict):
            yield from searches_in(each, name)


SEARCHES = [
    pytest.param(path.stem, title, search, id=f"{path.stem}, {title}")
    for path in RECORDS
    for title, search in searches_in(json.loads(path.read_text("utf-8")))
]


@pytest.fixture
def build_results(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    yield import_module("build_results")
    del sys.modules["build_results"]


def test_the_pages_show_every_record(build_results):
    page = "\n".join(map(build_results.page, build_results.PAGES))
    assert not re.search(r"\{\{|\.\. (record|searches)::", page)
    for path in RECORDS:
        record = json.loads(path.read_text("utf-8"))
        shown = record.get("searches") or [record["command"]]
        assert all(build_results.escaped(each) in page or each in page for each in shown), path.stem


def test_a_figure_that_no_record_has_is_an_error(build_results):
    with pytest.raises(ValueError, match="no record 'ratinks'"):
        build_results.figure("ratinks | Errors | mean | RMSE")
    with pytest.raises(KeyError):
        build_results.figure("ratings | Errors | the mean | RMSE")


def test_a_part_run_by_itself_replaces_its_lines(build_results, monkeypatch, tmp_path):
    def write(name, **lines):
        run = {"command": f"run {name}", "date": "today", "commit": "0", "machine": "a machine"}
        rows = {line: {"NDCG": value} for line, value in lines.items()}
        table = {"columns": {"model": "", "NDCG": ".1f"}, "rows": rows}
        content = {**run, "tables": {f"NDCG, {data}": table for data in ("films", "shops")}}
        (tmp_path / f"{name}.json").write_text(json.dumps(content))

    write("part", old=1.0, both=2.0)
    write("part-again", both=3.0)
    write("other", both=4.0)
    monkeypatch.setattr(build_results, "RECORDS", tmp_path)
    text = build_results.joined("part")
    assert re.findall(r"``run (\S+)``", text) == ["part", "part-again"]
    cells = re.findall(r"^   [* ] - (.*)$", text, flags=re.M)
    assert cells == [
        *("data", "model", "NDCG"),
        *("films", "both", "3.0", "films", "old", "1.0"),
        *("shops", "both", "3.0", "shops", "old", "1.0"),
    ]
    with pytest.raises(ValueError, match="no record 'parts'"):
        build_results.joined("parts")


def test_the_chart_shows_the_gains_of_the_records(build_results):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    figure = build_results.draw_chart()
    (axes,) = figure.axes
    shown = axes.containers[0].lines[0].get_xdata()
    assert list(shown) == [value for _, value, _ in build_results.gains()]
    pyplot.close(figure)


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_record_says_how_it_was_made(path):
    text = path.read_text("utf-8")
    content = json.loads(text)
    assert content["name"] == path.stem
    for run in content.get("searches", {"": content}).values():
        assert run["command"].startswith("python benchmarks/")
        assert re.fullmatch(r"[0-9a-f]{7,}(, with changes)?", run["commit"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", run["date"])
        assert {"machine", "versions", "options"} <= set(run)
    assert not re.search(r"/(home|root|tmp|usr|mnt|work|Users)/", text)


@pytest.mark.parametrize(("record", "title", "search"), SEARCHES)
def test_no_choice_is_at_the_edge_of_its_grid(record, title, search, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    try:
        import_module("_search").check_search(record, title, search)
    finally:
        sys.modules.pop("_search", None)


# Quoted figures


def exact_cell(value, _, *part):
    """Return what stands at a path of a record as text, with all its digits."""
    value = value[part[0]] if part else value
    return " ± ".join(map(str, value.values() if isinstance(value, dict) else [value]))


def rounded(cell, unit):
    """Return the figures of a cell, rounded to a unit."""
    numbers = (Decimal(word).quantize(Decimal(unit), ROUND_HALF_UP) for word in cell.split(" ± "))
    return " ± ".join(map(str, numbers))


def in_tenths(cell):
    return rounded(cell, "0.1")


def in_thousandths(cell):
    return rounded(cell, "0.001").split(" ")[0].removeprefix("0")


ATTENTION = "next_item-{0}-attention | What comes next, {0} | attention | NDCG@10"
CLOSED = "next_item-{0}-closed-form | What comes next, {0} | {1} | NDCG@10"
CDS = (
    "ranking-amazon_cds-{}-of-item-knn-als-ease-and-graph-filter | "
    "All unseen items ranked, amazon_cds"
)
MEMBERS = "of item kNN, ALS, EASE and graph filter"
STACK_OF_CDS = f"{CDS.format('stack')} | stack {MEMBERS}"
VOTE_OF_CDS = f"{CDS.format('popularity-vote')} | vote {MEMBERS}"
SIMPLEX = f"{CDS.format('stack')} | SimpleX, arXiv 2109.12613, published"
STACKS = "transfer-{}-fixed-stacks | {}, 999 random unseen items | {} | clean: NDCG@10"
BRIDGES = (
    "transfer-game_video-popularity-stack-of-three-kernel-bridges-and-ridge-to-the-items | {}, "
    "cold users, 999 random unseen items | {} | clean: NDCG@10"
)
STACK_OF_BRIDGES = "stack of three kernel bridges and ridge to the items"
# What README quotes: the path of a figure in a record.
TRANSFER = {
    f"| {pair} | {{}} | {{}} | {{}} |": [
        STACKS.format(data, pair, method)
        for method in ("popularity", "stack, target alone", "stack, on both and target alone")
    ]
    for data, pair in (
        ("sport_cloth", "sport (cloth)"),
        ("sport_cloth", "cloth (sport)"),
        ("sport_phone", "phone (sport)"),
        ("sport_phone", "sport (phone)"),
    )
} | {
    (
        "has {} for video (game),\n"
        "where popularity has {}, and {} for game (video), where it has {}."
    ): [
        BRIDGES.format(pair, method)
        for pair in ("video (game)", "game (video)")
        for method in (STACK_OF_BRIDGES, "popularity")
    ]
}
NEXT_ITEM = {
    "| Beauty | {} | {} | {} | {} | **{}** |": [
        CLOSED.format("beauty", "S3-Rec, published"),
        ATTENTION.format("beauty"),
        CLOSED.format("beauty", "item kNN, no order"),
        CLOSED.format("beauty", "next-item ridge"),
        CLOSED.format("beauty", "vote of these four"),
    ],
    "| LastFM | {} | {} | {} | {} | **{}** |": [
        CLOSED.format("lastfm", "S3-Rec, published"),
        ATTENTION.format("lastfm"),
        CLOSED.format("lastfm", "item kNN, no order"),
        CLOSED.format("lastfm", "next-item ridge"),
        CLOSED.format("lastfm", "vote of these four"),
    ],
    "the vote reaches {} on Beauty and {} on": [
        CLOSED.format("beauty", "vote of these five"),
        CLOSED.format("lastfm", "vote of these five"),
    ],
    "a Recall@20 of {} and an NDCG@20 of {}, and": [
        f"{STACK_OF_CDS} | Recall@20",
        f"{STACK_OF_CDS} | NDCG@20",
    ],
    "a vote of the same {} and {}.": [f"{VOTE_OF_CDS} | Recall@20", f"{VOTE_OF_CDS} | NDCG@20"],
    "on this split are {} and {} (SimpleX)": [f"{SIMPLEX} | Recall@20", f"{SIMPLEX} | NDCG@20"],
}
QUOTED = [
    pytest.param(text, sources, rounding, id=text.split("|")[1 if text[0] == "|" else 0].strip())
    for quotations, rounding in ((TRANSFER, in_tenths), (NEXT_ITEM, in_thousandths))
    for text, sources in quotations.items()
]
README = (ROOT / "README.md").read_text("utf-8")


@pytest.fixture
def quotation(build_results):
    """Return a function that fills in the figures of a quotation."""

    def filled(text, sources, rounding):
        values = map(build_results.value_at, sources)
        return text.format(*(rounding(exact_cell(*value)) for value in values))

    return filled


@pytest.mark.parametrize(("text", "sources", "rounding"), QUOTED)
def test_the_readme_quotes_figures_as_they_are(text, sources, rounding, quotation):
    assert quotation(text, sources, rounding) in README


def test_the_readme_quotes_no_other_figures(quotation):
    text = README
    for param in QUOTED:
        text = text.replace(quotation(*param.values), "")
    assert not figures(text)


PAGES = sorted(
    path
    for path in (ROOT / "docs").rglob("*.rst")
    if path.name not in ("results.rst", "performance.rst")
    and not {"_build", "auto_examples", "generated"} & set(path.parts)
)
TEMPLATES = sorted((ROOT / "docs").glob("*.rst.in"))
BENCHMARKS = sorted((ROOT / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("path", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda path: path.stem)
def test_pages_leave_figures_to_the_results(path):
    lines = path.read_text("utf-8").split("\n")
    # What is indented and in no table is code and what it prints.
    prose = [line for line in lines if re.match(r"\S|   \* - |     - ", line)]
    assert not figures("\n".join(prose))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_templates_take_figures_from_records(path):
    typed = re.sub(r"\{\{.+?\}\}", "", path.read_text("utf-8"), flags=re.S)
    assert not figures(typed, least_digits=2)


def test_a_typed_figure_is_found():
    assert figures("an NDCG of .0693, by .014 ± .002") == [".0693", ".014 ± .002"]
    assert figures("by .25 points of 69.4, in version 1.0.25", least_digits=2) == [".25"]
    assert not figures("by .25 points")


def figures(text, least_digits=3):
    """Return the figures with errors, and the metrics, that a text quotes."""
    metric = rf"(?<![\w.])0?\.\d{{{least_digits},4}}\b(?! *±)"
    return re.findall(rf"[\d.]+ ± [\d.]+|{metric}", text)


def test_what_a_billion_interactions_would_take_is_that_of_the_record(build_results):
    (table,) = build_results.read("scale-in-full")["tables"].values()
    steps = {name: cells for name, cells in table["rows"].items() if name.startswith("dask: ")}
    of_workers = [int(re.match(r"workers (\d+) CPU s", step["what"])[1]) for step in steps.values()]
    seconds = np.diff([0, *of_workers]) + [step["CPU s"] for step in steps.values()]
    page = (ROOT / "docs" / "guide" / "distributed.rst").read_text("utf-8")
    shown = re.findall(r"     - (\d+) s\n     - ([\d.]+) (minutes|hours)", page)
    assert [int(of_record) for of_record, *_ in shown] == np.round(seconds).tolist()
    billion = [float(time) * {"minutes": 60, "hours": 3600}[unit] for _, time, unit in shown]
    assert_allclose(billion, seconds * [10, 10, 10, 1000], rtol=0.02)


@pytest.mark.parametrize("path", [*TEMPLATES, *BENCHMARKS], ids=lambda path: path.name)
def test_a_row_is_a_row_of_a_matrix(path):
    """What stands in a table of figures is a line; a row is a user or an item."""
    text = " ".join(path.read_text("utf-8").split())
    of_lines = r"published row|rows? of the table|\brow without|only these rows|the last two rows"
    assert not re.search(of_lines, text)
