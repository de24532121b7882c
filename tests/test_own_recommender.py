# SPDX-License-Identifier: BSD-3-Clause
"""What the page "Add your own recommender" says works as it stands there."""

import re
import subprocess
import sys
import textwrap
from importlib.util import find_spec
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "own_recommender.rst"

_FINDINGS = """
assert items.shape == (X.shape[0], 5)
assert 0 < search.best_score_ < 1
"""


# What the page imports for the model of torch.
_IMPORTS = """
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data
"""


def _run(*programs):
    """Run what the page shows as one program, whose classes can be pickled."""
    command = [sys.executable, "-W", "error", "-c", "\n".join(programs)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]


def _programs():
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"\.\. code-block:: python\n\n((?:   .*\n|\n)+)", text)
    return [textwrap.dedent(block) for block in blocks]


def test_the_models_keep_the_contract():
    """The page checks the subclass and the reader of histories by `check_recommender`."""
    subclass, torch, reader, *rest = _programs()
    if find_spec("torch"):
        _run(subclass, torch, reader, *rest, _FINDINGS)
    else:
        _run(subclass, _IMPORTS, reader)
