"""What the page "Add your own recommender" says works as it stands there."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

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


def test_the_subclass_keeps_the_contract():
    subclass, *_ = _programs()
    _run(subclass)


def test_the_reader_of_histories_keeps_the_contract():
    subclass, _, reader, *_ = _programs()
    _run(subclass, _IMPORTS, reader)


def test_the_model_of_torch_works_everywhere():
    pytest.importorskip("torch")
    _run(*_programs(), _FINDINGS)
