# SPDX-License-Identifier: BSD-3-Clause
"""The code of the documentation and of the README runs, block after block."""

import re
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"

IMPORTS = """
import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
import sklearn
from sktransrec import *
from sktransrec.datasets import make_content_domain, make_cross_domain

domains = make_cross_domain(
    60, 40, 30, n_cold_users=10, source_density=0.2, target_density=0.15, random_state=0
)
X_source, Y_target, X_target = domains.X_source, domains.Y_target, domains.Y_target
X_cold_users, X = domains.X_cold, domains.X_source
X_all_source_users = sp.vstack([domains.X_source, domains.X_cold], format="csr")
Y_all_target_users = Y_target
pipe = make_pipeline(RidgeRecommender(10.0))
words = "space ship love war king sea dog moon train snow".split()
rng = np.random.default_rng(0)
item_texts = [" ".join(rng.choice(words, 4)) for _ in range(X.shape[1])]

def log_of(X, prefix=""):
    rows, columns = X.nonzero()
    return pd.DataFrame({
        "user": rows, "item": [f"{prefix}{column}" for column in columns],
        "timestamp": rng.permutation(len(rows)),
    })

events = log_of(X)
encoder = InteractionEncoder()
encoder.fit(events)
"""

SMALL_SHOPS = "make_cross_domain(80, n_cold_users=20, random_state=0)"
GENERATED = {"_build", "auto_examples", "generated"}
ON_REAL_DATA = {"popularity"}
TRAIN_NETWORKS = {"content", "export", "networks", "next_item", "transfer"}
# Long enough in the guide to learn something, and here only to run.
SHORTER = [
    (
        r"ALSRecommender\(\), sources, ALSRecommender\(\)",
        "ALSRecommender(4, max_iter=2), sources, ALSRecommender(4, max_iter=2)",
    ),
    (r"target_columns=target, random_state", "target_columns=target, cv=2, random_state"),
    (r"ALSRecommender\(128\)", "ALSRecommender(4, max_iter=2)"),
    (r"DiscountedRecommender\(ALSRecommender\(\)", "DiscountedRecommender(ALSRecommender(4)"),
    (r"\(\"factors\", ALSRecommender\(random", '("factors", ALSRecommender(4, random'),
    (r"metrics=\[\"ndcg\", \"coverage\"\], k", 'metrics=["ndcg", "coverage"], cv=2, k'),
    (r"\[20, 50\], \"regularization\": \[8, 12, 16\]", '[2, 4], "regularization": [8, 12]'),
    (r"\[0, 0\.1, 0\.2, 0\.3, 0\.5\]", "[0, 0.3]"),
    (r"\bepochs=\d+", "epochs=2"),
    (r"n_iter=20", "n_iter=2"),
    (
        r"BiasedMFRecommender\(random_state=0\),\n",
        "BiasedMFRecommender(max_iter=2, random_state=0),\n",
    ),
    (r"make_content_domain\(300, 150, 50", "make_content_domain(150, 80, 20"),
    (r"Autoencoder\(n_components=64", "Autoencoder(n_components=64, epochs=2"),
    (r"CNNEncoder\(n_components=64", "CNNEncoder(n_components=4, epochs=2"),
    (r"RNNEncoder\(n_components=64\)", "RNNEncoder(n_components=4, epochs=2)"),
    (r"TextEncoder\(unknown", "TextEncoder(epochs=2, unknown"),
    (r"TextEncoder\(\n", "TextEncoder(\n    epochs=2,\n"),
    (r"NextItemRecommender\(item_features", "NextItemRecommender(epochs=1, item_features"),
    (r"loss=\"multinomial\",\n( +)hidden", r'epochs=1, loss="multinomial",\n\1hidden'),
    (r"train_sizes=\[10, 30, 60\]", "train_sizes=[4, 12], cv=2"),
    (
        r"TwoTowerAutoencoderRecommender\(target_columns",
        "TwoTowerAutoencoderRecommender(target_columns, epochs=1",
    ),
    (
        r"pretrained=FrozenEstimator\(source\)\)\.fit\(X_source",
        "pretrained=FrozenEstimator(source), epochs=1).fit(X_source",
    ),
]


def blocks(text):
    """Return the Python blocks of a page, without their indentation."""
    found = re.findall(r"\.\. code-block:: python\n\n((?:[ ]+[^\n]*\n|\n)+)", text)
    return [_unindented(block) for block in found]


def outputs(text):
    """Return what a page says that its Python blocks print, with the numbers of these blocks."""
    found = re.findall(r"\.\. code-block:: (python|text)\n\n((?:[ ]+[^\n]*\n|\n)+)", text)
    number, shown = -1, []
    for kind, block in found:
        number += kind == "python"
        if kind == "text":
            shown.append((number, _unindented(block)))
    return shown


def _check_shown(expected, printed):
    """Compare line by line; "..." stands for more lines."""
    found = [_words_and_fractions(line) for line in printed.splitlines()]
    for line in expected.splitlines():
        words, fractions = _words_and_fractions(line)
        if words and words != ["..."]:
            same = [other for other_words, other in found if other_words == words]
            assert any(np.allclose(other, fractions, atol=1e-3) for other in same), (line, printed)


def _words_and_fractions(line):
    """Return the words of a line and its fractions apart, without the two columns of seconds."""
    line = re.sub(r"( +\d+\.\d\d){2}$", "", line)
    fraction = r"[-+]?\d+\.\d+"
    return re.sub(fraction, "#", line).split(), [float(each) for each in re.findall(fraction, line)]


def _unindented(block):
    lines = block.split("\n")
    margin = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    return "\n".join(line[margin:] for line in lines)


def _run(code, name, space):
    for pattern, replacement in SHORTER:
        code = re.sub(pattern, replacement, code)
    exec(compile(code, name, "exec"), space)


def _pages():
    """Return the pages with code, but for the one that has a test of its own."""
    written = [path for path in DOCS.rglob("*.rst") if not GENERATED & set(path.parts)]
    others = {"own_recommender", "results"}
    return sorted(
        path for path in written if path.stem not in others and blocks(path.read_text("utf-8"))
    )


def _marked(path):
    marks = [pytest.mark.slow] if path.stem in {*TRAIN_NETWORKS, "distributed"} else []
    return pytest.param(path, marks=marks, id=path.stem)


@pytest.fixture
def dask_client():
    """What the page starts in a script, in threads of this process."""
    distributed = pytest.importorskip("distributed")
    with distributed.Client(processes=False, dashboard_address=":0") as client:
        yield client


@pytest.mark.filterwarnings("ignore", "error:Scoring failed", "error:One or more of the test")
@pytest.mark.parametrize("path", [_marked(path) for path in _pages()])
def test_the_code_of_a_page_runs(path, tmp_path, monkeypatch, capsys, request):
    monkeypatch.chdir(tmp_path)
    mpl.use("agg")
    space = {}
    if path.stem == "distributed":
        request.getfixturevalue("dask_client")
    shown = [] if path.stem in ON_REAL_DATA else outputs(path.read_text("utf-8"))
    for number, block in enumerate(blocks(path.read_text("utf-8"))):
        if "fastapi" in block:
            pytest.importorskip("fastapi")
        if not shown:
            block = block.replace("make_cross_domain(random_state=0)", SMALL_SHOPS)
        _run(block, f"block {number} of {path.name}", space)
        printed = capsys.readouterr().out
        for after, expected in shown:
            if after == number:
                _check_shown(expected, printed)
    if path.stem == "serving":
        _check_web_service(space)


def _check_web_service(space):
    client = pytest.importorskip("fastapi.testclient").TestClient(space["app"])
    answer = client.post("/recommend", params={"n_recommendations": 2}, json=["film-1"])
    assert answer.status_code == 200
    expected = space["service"].recommend(baskets=[["film-1"]], n_recommendations=2)
    assert [line["item"] for line in answer.json()] == expected["item"].tolist()
    assert client.post("/recommend", json={"basket": 1}).status_code == 422


def test_the_code_of_the_readme_runs():
    text = (ROOT / "README.md").read_text("utf-8")
    space = {}
    exec(IMPORTS, space)
    found = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert found
    for number, block in enumerate(found):
        _run(block, f"block {number} of README.md", space)
