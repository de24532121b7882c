# SPDX-License-Identifier: BSD-3-Clause
"""Records: what a run was, on what machine, and its figures, as a JSON file in `docs/records`.

`Record` keeps the tables of a run, `SearchRecord` the searches of `--tune`. A benchmark reads the
parameters that a search chose with `chosen`.
"""

import argparse
import datetime
import inspect
import json
import math
import os
import platform
import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from _report import Estimate, format_table
from _search import check_search, searched
from sklearn.base import BaseEstimator

ROOT = Path(__file__).parents[1]
RECORDS = ROOT / "docs" / "records"
# Of what ran in this process before, and of the children of a shell that it has replaced.
_CPU_SECONDS_BEFORE = sum(os.times()[:4])


def argument_parser(documentation):
    """Return a parser with the options of every benchmark, described by its documentation."""
    parser = argparse.ArgumentParser(
        description=inspect.cleandoc(documentation),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--record",
        nargs="?",
        type=Path,
        const=RECORDS,
        metavar="FOLDER",
        help="write the figures to a record, in docs/records unless a folder is given",
    )
    parser.add_argument("--markdown", action="store_true", help="print tables as markdown")
    return parser


class Record:
    """The tables of a run: printed as they come, and written at the end where asked.

    Parameters
    ----------
    name : str
        Name of the file, without ".json".
    documentation : str
        That of the benchmark; its paragraphs other than commands are the protocol.
    arguments : argparse.Namespace
        What `argument_parser` has read.
    packages : sequence of str
        Packages whose versions matter.
    seeds : sequence of int
        All seeds that the run draws with.
    parameters : dict
        Parameters of the models by name, empty if there is nothing to set. An estimator stands for
        those of its parameters that are not the default. What the run itself chooses is added to
        the attribute of this name.
    threads : str
        How many threads there were.
    **facts
        What else there is to say of the run, such as the size of its data.
    """

    def __init__(
        self,
        name,
        documentation,
        arguments,
        packages,
        *,
        seeds,
        parameters,
        threads="one BLAS thread",
        **facts,
    ):
        self._arguments = arguments
        self._facts = {"seeds": list(seeds), **facts}
        self._name = name
        self._run = {
            **this_run(arguments, packages, threads),
            "protocol": _protocol(documentation),
        }
        self._tables = {}
        self.parameters = dict(parameters)
        facts = (f"{key}: {value}" for key, value in self._facts.items())
        print(_summary(self._run), *facts, sep="\n")

    def add(self, title, columns, lines):
        """Print a table and keep it: lines of a name and its figures."""
        if title in self._tables:
            raise ValueError(f"There is a table {title!r} already: its name must be another.")
        lines = [list(line) for line in lines]
        print("", title, format_table(columns, lines, markdown=self._arguments.markdown), sep="\n")
        sys.stdout.flush()
        names = list(columns)
        self._tables[title] = {
            "columns": columns,
            "rows": {line[0]: dict(zip(names[1:], line[1:], strict=True)) for line in lines},
        }

    def save(self):
        """Write the record if the run was asked to."""
        if self._arguments.record is None:
            return
        content = {
            **self._run,
            "cpu_seconds": round(cpu_seconds(), 1),
            **self._facts,
            "parameters": self.parameters,
            "tables": self._tables,
        }
        write(self._arguments.record, self._name, content)


class SearchRecord:
    """The searches of `--tune`, each printed and written as it ends.

    A record holds searches of several runs; one of the same name is replaced.
    """

    def __init__(self, name, arguments, packages, *, folds):
        self._arguments = arguments
        self._benchmark = name
        self._name = search_record_name(name)
        self._choices = {}
        self._run = this_run(arguments, packages)
        self._folds = folds
        print(_summary(self._run), folds, sep="\n")

    def search(self, title, evaluate, grid, **options):
        """Search a grid, print and keep what it came to, and return the choice."""
        start = cpu_seconds()
        search = searched(evaluate, grid, **options)
        self._print(title, search)
        if self._arguments.record is not None:
            check_search(self._name, title, search)
            searches = read_searches(self._name, self._arguments.record)
            run = {**self._run, "cpu_seconds": round(cpu_seconds() - start, 1)}
            searches[title] = {**run, "folds": self._folds, **search}
            write(self._arguments.record, self._name, {"searches": searches})
        self._choices[title] = search["chosen"]
        return search["chosen"]

    def choice(self, title):
        """Return what a search of this run, or else of the record, has chosen."""
        if title in self._choices:
            return self._choices[title]
        return chosen(self._benchmark, title, self._arguments.record or RECORDS)

    def _print(self, title, search):
        figures = list(search["results"][0]["figures"])
        columns = {title: "", **dict.fromkeys(figures, ".4f")}
        lines = [
            [str(point["parameters"]), *map(point["figures"].get, figures)]
            for point in search["results"]
        ]
        print("", format_table(columns, lines), f"chosen: {search['chosen']}", sep="\n", flush=True)


def chosen(name, title, folder=RECORDS):
    """Return the parameters that a search chose, as its record says."""
    search = read_searches(search_record_name(name), folder).get(title)
    if search is None:
        raise SystemExit(
            f"No search for {title!r} in {search_record_name(name)}.json: run the benchmark with "
            "--tune --record first."
        )
    return {key: _number(value) for key, value in search["chosen"].items()}


def search_record_name(name):
    return f"{name}-tuning"


def record_name(benchmark, *parts):
    """Return the name of the record of a part of a benchmark: a data set, or some models."""
    words = re.findall(r"[a-z0-9_]+", " ".join(parts).lower())
    return "-".join([benchmark, *words])


def read_searches(name, folder=RECORDS):
    path = Path(folder) / f"{name}.json"
    return json.loads(path.read_text("utf-8"))["searches"] if path.exists() else {}


def write(folder, name, content):
    path = Path(folder) / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_plain({"name": name, **content}), indent=1, ensure_ascii=False)
    # A figure and its error on one line.
    text = re.sub(r'\{\s+("value": [^,]+),\s+("error": \S+)\s+\}', r"{\1, \2}", text)
    path.write_text(text + "\n", encoding="utf-8")
    print(f"\nwritten: {path.name}", file=sys.stderr)


def this_run(arguments, packages, threads="one BLAS thread"):
    """Return how, when and where the present run takes place."""
    options = {
        name: value
        for name, value in vars(arguments).items()
        if name not in ("record", "markdown") and value is not None
    }
    return {
        "command": command(sys.argv),
        "commit": commit(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{machine()}, {threads}",
        "versions": {
            "Python": platform.python_version(),
            **{package: version(package) for package in packages},
        },
        "options": options,
    }


def command(argv):
    """Return the command line without what says where the record goes."""
    script, *words = argv
    kept, is_folder = [], False
    for word in words:
        if word == "--record":
            is_folder = True
        elif not is_folder or word.startswith("-"):
            kept.append(word)
            is_folder = False
        else:
            is_folder = False
    return shlex.join(["python", f"benchmarks/{Path(script).name}", *kept])


def commit():
    """Return the commit of the code, and whether files differ from it."""

    def git(*words):
        return subprocess.run(
            ["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        changes = git("status", "--porcelain", "--", "sktransrec", "benchmarks")
        return git("rev-parse", "--short=10", "HEAD") + (", with changes" if changes else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def machine():
    """Return the processor, the number of cores and the memory in words."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{_cpu_name()}, {os.cpu_count()} cores, {memory:.0f} GiB"


def cpu_seconds():
    """Return the CPU seconds of this process, and of those it has started, since this import."""
    return sum(os.times()[:4]) - _CPU_SECONDS_BEFORE


def _summary(run):
    versions = ", ".join(f"{package} {number}" for package, number in run["versions"].items())
    return f"{run['machine']}, {versions}"


def _protocol(documentation):
    """Return the paragraphs of a benchmark's documentation that are not commands."""
    paragraphs = inspect.cleandoc(documentation).split("\n\n")
    return [" ".join(text.split()) for text in paragraphs if not text.startswith(" ")]


def _cpu_name():
    try:
        cpu_info = Path("/proc/cpuinfo").read_text()
        return cpu_info.split("model name")[1].split("\n")[0].strip("\t: ")
    except (OSError, IndexError):
        return platform.processor() or platform.machine()


def _plain(value):
    """Return a value as JSON can hold it, numbers with six digits."""
    if isinstance(value, Estimate):
        return {"value": _plain(value.value), "error": _plain(value.error)}
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | range | np.ndarray):
        return [_plain(each) for each in value]
    if isinstance(value, float | np.floating):
        if math.isnan(value):
            return None
        return float(f"{value:.6g}") if math.isfinite(value) else str(float(value))
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, int | str | None) else _in_words(value)


def _in_words(value):
    """Return any other value on one line, an estimator in full, without addresses in memory."""
    text = value.__repr__(N_CHAR_MAX=10**6) if isinstance(value, BaseEstimator) else str(value)
    return re.sub(" at 0x[0-9a-f]+", "", " ".join(text.split()))


def _number(value):
    return math.inf if value == "inf" else value
