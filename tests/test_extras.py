# SPDX-License-Identifier: BSD-3-Clause
"""Who lacks a package reads how to install it, and what went wrong."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from sktransrec import EASERecommender, search_space, to_onnx
from sktransrec._extras import asks_to_install
from sktransrec.content import OnnxModel, SentenceTransformerModel
from sktransrec.distributed import fit_parts
from sktransrec.inspection import ExplanationDisplay, ItemMapDisplay, explain, trace

ROWS = np.eye(3)
EASE = EASERecommender().fit(ROWS)


def test_a_missing_package_is_asked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "a_package", None)
    with (
        pytest.raises(ImportError, match=r"^pip install a_package$") as raised,
        asks_to_install("pip install a_package"),
    ):
        import a_package  # noqa: F401
    assert "a_package" in str(raised.value.__cause__)


def test_other_errors_stay_what_they_are():
    with pytest.raises(ZeroDivisionError), asks_to_install("pip install a_package"):
        1 / 0  # noqa: B018


@pytest.mark.parametrize(
    ("package", "use"),
    [
        ("pandas", lambda: trace(EASE, ROWS[:1]).to_frame()),
        ("pandas", lambda: explain(EASE, ROWS[:1], [1]).to_frame()),
        ("matplotlib", lambda: ExplanationDisplay(explain(EASE, ROWS[:1], [1])).plot()),
        ("matplotlib", lambda: ItemMapDisplay((ROWS, ROWS)).plot()),
        ("optuna", lambda: search_space(EASE, library="optuna")),
        ("sentence_transformers", lambda: SentenceTransformerModel("a model")(["text"])),
        ("onnxruntime", lambda: OnnxModel(__file__)([[0.0]])),
        ("tokenizers", lambda: OnnxModel(__file__, tokenizer=__file__)(["text"])),
        ("onnx", lambda: to_onnx(EASE, "model.onnx")),
        ("dask", lambda: fit_parts(EASE, [ROWS])),
    ],
)
def test_what_needs_a_package_asks_for_it(package, use, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", SimpleNamespace(InferenceSession=None))
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=r'needs? .*: pip install ("sktransrec\[\w+\]"|optuna)$'):
        use()
