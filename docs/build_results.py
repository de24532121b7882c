# SPDX-License-Identifier: BSD-3-Clause
"""Build `results.rst` and `performance.rst` from their templates and the records of benchmarks.

    python docs/build_results.py

The documentation does so by itself, and the pages are not kept under version control.

In a template, `{{record | table | line | column}}` stands for a figure, with its error, and
`{{... | value}}` for the figure alone. A line `.. record:: name` or `.. record:: name | table`
stands for the tables of a record and how they were made, `.. joined:: name` for the tables of all
records whose names start so, as one, and `.. searches::` for what all searches came to.
"""

import json
import re
from pathlib import Path

DOCS = Path(__file__).parent
PAGES = ("results", "performance")
RECORDS = DOCS / "records"
NOTE = ".. Built by build_results.py from {}.rst.in and records/: edit these.\n\n"

SHARED = "shared_items-movielens | Shared items | {} | {} late users"
SHOPS = "transfer-sport_phone-{0}-one-and-both | {0} ({1}), 999 random unseen items | {2} | {3}"
# What the chart shows: a label, and the paths of a paired gain and of its baseline.
GAINS = [
    (
        f"{size} late film users,\nearly ones as source",
        SHARED.format("collective, tied items over ALS, target alone", size),
        SHARED.format("ALS, target alone", size),
    )
    for size in (10, 30, 90, 175)
] + [
    (
        f"{target} from {source},\nALS on both",
        SHOPS.format(target, source, "ALS on both", "over ALS, target alone"),
        SHOPS.format(target, source, "ALS, target alone", "clean: NDCG@10"),
    )
    for target, source in (("phone", "sport"), ("sport", "phone"))
]


def main():
    """Write the pages."""
    for name in PAGES:
        (DOCS / f"{name}.rst").write_text(page(name), encoding="utf-8")


def page(name):
    """Return the text of a page."""
    text = (DOCS / f"{name}.rst.in").read_text("utf-8")
    text = re.sub(r"\{\{(.+?)\}\}", lambda match: escaped(figure(match[1])), text, flags=re.S)
    text = re.sub(r"^\.\. record:: (.+)$", lambda match: tables(match[1]), text, flags=re.M)
    text = re.sub(r"^\.\. joined:: (.+)$", lambda match: joined(match[1]), text, flags=re.M)
    text = re.sub(r"^\.\. searches::$", lambda match: searches(), text, flags=re.M)
    return NOTE.format(name) + text


def read(name):
    """Return the content of a record."""
    path = RECORDS / f"{name}.json"
    if not path.exists():
        raise ValueError(f"There is no record {name!r} in docs/records: have {names()}.")
    return json.loads(path.read_text("utf-8"))


def names():
    """Return the names of all records."""
    return sorted(path.stem for path in RECORDS.glob("*.json"))


def figure(path):
    """Return a figure of a record as text, by its path: record | table | line | column | part."""
    value, spec, *part = value_at(path)
    return formatted(value[part[0]] if part else value, spec)


def value_at(path):
    """Return what stands at a path, the format of its column, and the part asked for if any."""
    record, table, line, column, *part = (" ".join(word.split()) for word in path.split("|"))
    table = read(record)["tables"][table]
    return table["rows"][line][column], table["columns"][column], *part


def formatted(value, spec):
    """Return a number, a figure with its error, or nothing as text."""
    if isinstance(value, dict):
        return f"{value['value']:{spec}} ± {value['error']:{spec.lstrip('+')}}"
    if value is None:
        return "–"
    return value if isinstance(value, str) else f"{value:{spec}}"


def tables(words):
    """Return the tables of a record, or one of them, and how they were made."""
    name, *chosen = (word.strip() for word in words.split("|"))
    record = read(name)
    parts = [provenance(record)]
    for title, table in record["tables"].items():
        if not chosen or title in chosen:
            header = list(table["columns"])
            lines = [
                [line, *(formatted(cells[column], table["columns"][column]) for column in cells)]
                for line, cells in table["rows"].items()
            ]
            parts.append(list_table(title, header, lines))
    return "\n\n".join(parts)


def joined(name):
    """Return the tables of all records whose names start so as one, and how they were made.

    A line that stands in several records is that of the longest name: the part run by itself.
    """
    runs, header, lines = [], [], {}
    for each in sorted((each for each in names() if each.startswith(name)), key=len):
        record = read(each)
        runs.append(f"- {provenance(record)}")
        for title, table in record["tables"].items():
            what, _, data = title.partition(", ")
            columns = table["columns"]
            header = ["data", *columns]
            for line, cells in table["rows"].items():
                lines[data, line] = [formatted(cells[column], columns[column]) for column in cells]
    if not runs:
        raise ValueError(f"There is no record {name!r}... in docs/records: have {names()}.")
    rows = [[*place, *cells] for place, cells in sorted(lines.items())]
    return "\n\n".join(["\n".join(runs), list_table(what, header, rows)])


def provenance(record):
    """Return the command of a record, when and where it ran."""
    run = (
        f"``{record['command']}``, {record['date']}, commit {record['commit']}, "
        f"{record['machine']}."
    )
    return f"{run} {record['note']}" if "note" in record else run


def searches():
    """Return the table of all searches: what was searched, and what was chosen."""
    lines = []
    for name in names():
        for title, search in read(name).get("searches", {}).items():
            grid = "; ".join(f"{key}: {_listed(values)}" for key, values in search["grid"].items())
            chosen = "; ".join(f"{key}: {_listed([v])}" for key, v in search["chosen"].items())
            lines.append([name.removesuffix("-tuning"), title, grid, chosen])
    return list_table("Searches", ["benchmark", "search", "grid", "chosen"], lines)


def _listed(values):
    return ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values)


def list_table(title, header, lines):
    """Return a table in the markup of the page."""
    rows = [
        "\n     - ".join(f"{escaped(cell)}".rstrip() for cell in line) for line in [header, *lines]
    ]
    body = "\n".join(f"   * - {row}" for row in rows)
    return f".. list-table:: {escaped(title)}\n   :header-rows: 1\n\n{body}"


def escaped(text):
    """Return a text whose @, * and _ are no markup."""
    return re.sub(r"([@*_|`])", r"\\\1", text)


def gains():
    """Return the label, the gain and its error of each line of the chart, in per cent."""
    lines = []
    for label, gain, baseline in GAINS:
        (gain, _), (base, _) = value_at(gain), value_at(baseline)
        percent = 100 / base["value"]
        lines.append((label, percent * gain["value"], percent * gain["error"]))
    return lines


def draw_chart():
    """Draw the gains of transfer over the baselines and return the figure."""
    import matplotlib.pyplot as plt

    labels, values, errors = zip(*gains(), strict=True)
    # Narrow, so that the letters can still be read on a telephone.
    figure, axes = plt.subplots(figsize=(5, 0.8 + 0.45 * len(labels)), layout="constrained")
    places = range(len(labels))[::-1]
    axes.errorbar(values, places, xerr=[1.96 * error for error in errors], fmt="o", capsize=3)
    axes.axvline(0, color="grey", linewidth=1)
    axes.set_yticks(places, labels)
    axes.set_ylim(-0.6, len(labels) - 0.4)
    axes.set_xlabel("gain in NDCG@10, % of the baseline")
    return figure


if __name__ == "__main__":
    main()
