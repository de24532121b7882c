# SPDX-License-Identifier: BSD-3-Clause
"""The examples run on generated data, as in a clone that has no other."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "examples"
EXAMPLES = sorted(FOLDER.rglob("plot_*.py"))

# Runs the program and writes each of its figures to a file.
_WITH_FIGURES = """
import runpy, sys
import matplotlib.pyplot as plt
runpy.run_path(sys.argv[1])
for number in plt.get_fignums():
    plt.figure(number).savefig(f"figure_{number}.png", dpi=60)
"""


def test_each_scene_has_an_example():
    scenes = {path.stem for path in EXAMPLES if path.parent.name == "scenes"}
    assert scenes == {"plot_movies", "plot_news", "plot_products"}


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs_and_draws(path, tmp_path):
    pytest.importorskip("matplotlib")
    environment = {"MPLBACKEND": "Agg", "SKTRANSREC_DATA": str(tmp_path / "nothing")}
    run = subprocess.run(
        [sys.executable, "-W", "error::FutureWarning", "-c", _WITH_FIGURES, str(path)],
        cwd=tmp_path,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert "±" in run.stdout or "->" in run.stdout
    assert list(tmp_path.glob("figure_*.png"))
