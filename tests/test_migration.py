# SPDX-License-Identifier: BSD-3-Clause
"""The tables of the migration pages: what they say of this package runs, cell by cell."""

import inspect
import re
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).parents[1] / "docs" / "migration").glob("*.rst"))
# The names that the tables use, fitted on ratings of 12 users and 20 items.
NAMES = """
import joblib
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
import sktransrec
import sktransrec.inspection
from sktransrec import *
from sktransrec import feature_learning

users, items = np.divmod(np.arange(12 * 20)[::3], 20)
df = events = pd.DataFrame({"user": users, "item": items, "rating": 1 + items % 5, "time": items})
pairs = df[["user", "item"]].astype(str).to_numpy()
encoder = InteractionEncoder(value="rating", time="time")
X = rows = user_items = encoder.fit_transform(df)
y = (X.toarray() == 0) * 1.0
model = BiasedMFRecommender(2, random_state=0).fit(X)
als = ALSRecommender(2, max_iter=2).fit(X)
bpr = BPRRecommender(2, max_iter=2).fit(X)
rec = EASERecommender()
service = RecommendationService(model, encoder)
features, texts = np.arange(12.0)[:, None], ["tea", "cup"]
models = {"neighbours": ItemKNNRecommender()}
members = [("EASE", EASERecommender()), ("neighbours", ItemKNNRecommender())]
final_estimator, grid, metrics = None, {"n_components": [1, 2]}, ["ndcg"]
users, items, userid, itemid, k, time, path = [1, 2], [0, 3], 0, 0, 2, 3, "a.service"
"""
# There, events are an array.
PAIRS = """
encoder = InteractionEncoder(user=0, item=1)
service = RecommendationService(rec.fit(encoder.fit_transform(pairs)), encoder)
y = (encoder.transform(pairs).toarray() == 0) * 1.0
"""
# Whose methods, attributes and parameters stand in the tables without a name in front.
OWNERS = ["model", "encoder", "service", "als", "bpr"]
CALLS = ["model.recommend", "service.recommend", "ALSRecommender"]


@pytest.fixture
def space():
    names = {}
    exec(NAMES, names)
    return names


def cells(text):
    """Return the code and the linked names of the last column of a page's table."""
    table = text.split(":header-rows: 1")[1].split("\n\n", 2)[1]
    for cell in re.findall(r"   \* - .*?\n     - (.*?)(?=\n   \*|$)", table, re.DOTALL):
        yield from re.findall(r"``(.+?)``", cell)
        yield from re.findall(r":(?:class|func):`~?(.+?)`", cell)


def _parameters(space):
    signatures = [inspect.signature(eval(call, space)) for call in CALLS]
    return {name for signature in signatures for name in signature.parameters}


def _run_cell(code, space):
    first = re.match(r"\w*", code)[0]
    if re.fullmatch(r"\w+=\S+", code):
        code = first  # an argument: "exclude_seen=False"
    if code in _parameters(space):
        return
    owner = next((each for each in OWNERS if first and hasattr(space[each], first)), None)
    exec(code if owner is None or first in space else f"{owner}.{code}", space)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "path", [path for path in PAGES if path.stem != "index"], ids=lambda path: path.stem
)
def test_the_cells_of_a_table_run(path, space, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if path.stem == "skrecsys":
        exec(PAIRS, space)
    found = list(cells(path.read_text("utf-8")))
    assert len(found) > 10
    for code in found:
        _run_cell(code, space)


@pytest.mark.parametrize(
    "code", ["exclude_sen=False", "item_factor_", "model.recommendations(X)", "sktransrec.nothing"]
)
def test_a_misspelt_cell_is_noticed(code, space):
    with pytest.raises((NameError, AttributeError)):
        _run_cell(code, space)
