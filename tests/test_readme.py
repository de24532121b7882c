# SPDX-License-Identifier: BSD-3-Clause
"""README works on the page of an index as well."""

import re
import tomllib
from pathlib import Path

import sktransrec

ROOT = Path(__file__).parents[1]
LINKS = re.compile(r"\]\((?P<inline>[^)]+)\)|^\[[^\]]+\]: (?P<reference>\S+)", re.MULTILINE)


def test_links_are_absolute_and_lead_to_files():
    text = (ROOT / "README.md").read_text("utf-8")
    links = [match["inline"] or match["reference"] for match in LINKS.finditer(text)]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    repository = project["urls"]["Source"]
    assert [link for link in links if not link.startswith("https://")] == []
    ours = [re.sub("/(blob|tree)/main", "", link) for link in links if repository in link]
    assert ours
    paths = [ROOT / link.removeprefix(f"{repository}/") for link in ours]
    assert [path for path in paths if not path.exists()] == []


def test_the_version_and_its_date_are_the_same_everywhere():
    read = {name: (ROOT / name).read_text("utf-8") for name in ("CHANGELOG.md", "CITATION.cff")}
    newest, date = re.search(r"^## \[(\S+)\](?: - (\S+))?$", read["CHANGELOG.md"], re.M).groups()
    if date is None:  # unreleased changes
        assert sktransrec.__version__.endswith(".dev0")
        return
    assert newest == sktransrec.__version__
    assert f"\nversion: {newest}\ndate-released: {date}\n" in read["CITATION.cff"]
    assert f"\n[{newest}]: https://" in read["CHANGELOG.md"]
