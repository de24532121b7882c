"""README works on the page of an index as well."""

import re
import tomllib
from pathlib import Path

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
