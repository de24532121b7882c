# SPDX-License-Identifier: BSD-3-Clause
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def benchmark_module(monkeypatch):
    """Return a function that imports a module of the benchmarks by name."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    before = set(sys.modules)
    yield import_module
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(BENCHMARKS)):
            del sys.modules[name]


@pytest.fixture
def run_benchmark(tmp_path):
    """Return a function that runs a benchmark and returns its records by name."""

    def run(name, *options):
        command = [sys.executable, BENCHMARKS / name, *options, "--record", tmp_path]
        run.printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return {path.stem: json.loads(path.read_text("utf-8")) for path in tmp_path.glob("*.json")}

    return run
