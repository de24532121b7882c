# SPDX-License-Identifier: BSD-3-Clause
"""Ids of items, from whatever recommends them back to what they are called."""

import ast
import datetime
import enum
import re
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from sklearn.pipeline import make_pipeline

import sktransrec
from sktransrec import (
    CollectiveMFRecommender,
    ContentKNNRecommender,
    HybridRecommender,
    ItemFeatures,
    ItemKNNRecommender,
    NextItemRecommender,
    StackingRecommender,
    VotingRecommender,
)
from sktransrec.interactions import InteractionEncoder, align_domains, stack_domains

ROOT = Path(__file__).parents[1]
X = sp.csr_array([[1, 1, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]], dtype=np.float32)
CONTENT = [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]
LOG = {"user": [1, 1, 2, 2], "item": [30, 10, 10, 20]}
OTHER_LOG = {"user": [2, 2, 1], "item": [2**60, 2**60 + 1, 10]}
HISTORIES = [[1, 2, 3], [2, 3, 0], [3, 1, 0]]


def _content_knn(ids):
    return ContentKNNRecommender(ItemFeatures(CONTENT, ids=ids)).fit(X)


def _vote(ids):
    knn = ContentKNNRecommender(ItemFeatures(CONTENT, ids=ids))
    return VotingRecommender([("a", knn), ("b", knn)]).fit(X)


def _network(**params):
    params = {"n_components": 2, "epochs": 1, "run_eagerly": True, "random_state": 0} | params
    with warnings.catch_warnings():
        # One step teaches it nothing.
        warnings.filterwarnings("ignore", message="The code")
        return NextItemRecommender(**params).fit(HISTORIES)


class _OfDomain:
    """The items of a domain, as what decodes them."""

    def __init__(self, domains, domain):
        self.decode_items = partial(domains.decode_items, domain=domain)


def _with_ids():
    """Yield (name, what decodes, the ids of its items)."""
    later = ItemFeatures([[1.0, 0.0]], ids=["new"])
    content_ids, mixed = [10, 20, 30], [10, 20, 30, "new"]
    yield "encoder", InteractionEncoder().fit(LOG), content_ids
    yield "features", ItemFeatures(CONTENT, ids=content_ids), content_ids
    yield "aligned", align_domains(LOG, OTHER_LOG), [10, 2**60, 2**60 + 1]
    yield "aligned on items", align_domains(LOG, OTHER_LOG, on="items"), [10]
    both = [10, 20, 30, 10, 2**60, 2**60 + 1]
    yield "both aligned", _OfDomain(align_domains(LOG, OTHER_LOG), "both"), both
    yield "stacked", _OfDomain(stack_domains(LOG, OTHER_LOG, on="both"), "both"), both
    named = stack_domains(LOG, {"user": [1, 2], "item": ["a", "b"]}, on="users")
    yield "stacked of two types", _OfDomain(named, "both"), [10, 20, 30, "a", "b"]
    yield "stacked source", _OfDomain(named, "source"), [10, 20, 30]
    yield "stacked target", _OfDomain(named, "target"), ["a", "b"]
    yield "content", _content_knn(content_ids), content_ids
    yield "later items", _content_knn(content_ids).with_items(later), mixed
    hybrid = HybridRecommender(item_features=ItemFeatures(CONTENT, ids=content_ids)).fit(X)
    yield "hybrid", hybrid.with_items(later), mixed
    yield "vote", _vote(content_ids).with_items(later), mixed
    collective = CollectiveMFRecommender([1, 2], 2, item_ids=["x", "x", 5], max_iter=1).fit(X)
    yield "collective", collective, ["x", 5]
    yield "network", _network(item_ids=["x", "y", 5]), ["x", "y", 5]
    yield (
        "network of features",
        _network(item_features=ItemFeatures(CONTENT, ids=list("xyz"))),
        "xyz",
    )


@pytest.fixture(scope="module")
def with_ids():
    return {name: (decoder, list(ids)) for name, decoder, ids in _with_ids()}


NAMES = [
    *("encoder", "features", "aligned", "aligned on items", "both aligned"),
    *("stacked", "stacked of two types", "stacked source", "stacked target"),
    *("content", "later items", "hybrid", "vote", "collective", "network", "network of features"),
]


@pytest.mark.parametrize("name", NAMES)
def test_what_has_ids_decodes_columns_and_none(with_ids, name):
    decoder, ids = with_ids[name]
    columns = np.arange(len(ids))
    found = decoder.decode_items(columns)
    assert found.tolist() == ids
    assert {type(one) for one in found.tolist()} == {type(one) for one in ids}
    padded = decoder.decode_items([[*columns, -1], [-1] * (len(ids) + 1)])
    assert padded.tolist() == [[*ids, None], [None] * (len(ids) + 1)]
    for wrong in ([len(ids)], [-2], [0.5], ["a"], [True]):
        with pytest.raises(ValueError, match="items must be integers from -1"):
            decoder.decode_items(wrong)


def test_all_are_tested(with_ids):
    assert sorted(NAMES) == sorted(with_ids)


@given(items=arrays(np.intp, array_shapes(min_dims=0, min_side=0), elements=st.integers(-1, 2)))
def test_arrays_of_every_shape_are_decoded(items):
    ids = InteractionEncoder().fit(LOG).decode_items(items)
    assert ids.shape == items.shape
    decoded = {-1: None, 0: 10, 1: 20, 2: 30}
    assert np.ravel(ids).tolist() == [decoded[item] for item in items.ravel().tolist()]


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (CollectiveMFRecommender([1, 2], 2, max_iter=1), "item_ids is None.*StackedDomains"),
        (
            VotingRecommender([("a", CollectiveMFRecommender([1, 2], 2))]),
            "None of the recommenders",
        ),
    ],
)
def test_what_has_no_ids_says_so(model, words):
    with pytest.raises(ValueError, match=words):
        model.fit(X).decode_items([0])
    with pytest.raises(ValueError, match=r"item_ids is None.*InteractionEncoder"):
        _network().decode_items([0])


def test_items_of_stacked_domains_have_a_number_in_each():
    stacked = stack_domains(LOG, OTHER_LOG, on="both")
    assert stacked.encode_items([10, 30, 2**60], domain="source").tolist() == [0, 2, -1]
    assert stacked.encode_items([10, 30, 2**60], domain="target").tolist() == [0, -1, 1]
    columns = stacked.encode_items([10, 30, 2**60], domain="both")
    assert columns.tolist() == [3, 2, 4]
    assert stacked.decode_items(columns, domain="both").tolist() == [10, 30, 2**60]
    with pytest.raises(ValueError, match="item_ids holds '10' of type str"):
        stacked.encode_items(["10"], domain="target")


def test_domains_decode_their_own_columns():
    aligned = align_domains(LOG, OTHER_LOG)
    assert aligned.decode_items([0, 2], domain="source").tolist() == [10, 30]
    for domains in (aligned, stack_domains(LOG, OTHER_LOG, on="both")):
        for wrong in ("all", None, ["target"]):
            with pytest.raises(ValueError, match="domain must be"):
                domains.decode_items([0], domain=wrong)


def _collective(stacked):
    columns, ids = stacked.target_columns, stacked.item_ids
    return CollectiveMFRecommender(columns, 2, item_ids=ids, random_state=0)


def _stack_of(stacked, *members):
    named = [(f"{place}", member) for place, member in enumerate(members)]
    return StackingRecommender(named, target_columns=stacked.target_columns, random_state=0)


def _by_content(ids):
    return ContentKNNRecommender(ItemFeatures(np.eye(len(ids)), ids=ids))


ENSEMBLES = {
    "collective": lambda stacked, ids: _collective(stacked),
    "vote": lambda stacked, ids: VotingRecommender(
        [("content", _by_content(ids)), ("collective", _collective(stacked))]
    ),
    "stack": lambda stacked, ids: _stack_of(stacked, _by_content(ids), ItemKNNRecommender()),
    "stack of a vote": lambda stacked, ids: _stack_of(
        stacked, VotingRecommender([("content", _by_content(ids))]), ItemKNNRecommender()
    ),
    "stack of a pipeline": lambda stacked, ids: _stack_of(
        stacked, ItemKNNRecommender(), make_pipeline("passthrough", _by_content(ids))
    ),
}


@pytest.mark.parametrize("name", ENSEMBLES)
def test_what_is_recommended_in_the_target_is_decoded_there(name):
    """The target has other items than the source, so a number means another item in each."""
    old = {"user": [0, 0, 1, 1, 2, 2], "item": ["A", "B", "A", "B", "C", "D"]}
    new = {"user": [5, 5, 6, 6, 7], "item": ["C", "D", "E", "F", "E"]}
    stacked = stack_domains(old, new, on="items")
    of_columns = [f"{name}, {column}" for column, name in enumerate(stacked.item_ids)]
    ids = of_columns if name != "collective" else stacked.item_ids
    model = ENSEMBLES[name](stacked, ids).fit(stacked.X)
    items, _ = model.recommend(stacked.X[stacked.target_rows], n_recommendations=3)
    wanted = stacked.decode_items(items, domain="target")
    found = model.decode_items(items)
    assert set(wanted[items >= 0]) <= {"C", "D", "E", "F"}
    if name != "collective":
        found = [[one and one.partition(",")[0] for one in row] for row in found.tolist()]
    np.testing.assert_array_equal(found, wanted)
    columns = np.where(items < 0, -1, stacked.target_columns[items])
    np.testing.assert_array_equal(stacked.decode_items(columns, domain="both"), wanted)


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("recommender", [ContentKNNRecommender, HybridRecommender])
def test_content_is_found_by_the_names_of_columns(recommender, library):
    model = recommender(item_features=ItemFeatures(CONTENT, ids=["c", "b", "a"]))
    columns = dict(zip("abc", X.toarray().T, strict=True))
    if library == "pandas":
        table = pd.DataFrame(columns)
    else:
        module = pytest.importorskip(library)
        table = module.table(columns) if library == "pyarrow" else module.DataFrame(columns)
    assert model.fit(table).decode_items([0, 1, 2]).tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("recommender", [ContentKNNRecommender, HybridRecommender])
def test_content_is_found_by_numbers_that_name_columns(recommender):
    model = recommender(item_features=ItemFeatures(CONTENT, ids=[30, 20, 10]))
    table = pd.DataFrame(X.toarray(), columns=[10, 20, 30])
    assert model.fit(table).decode_items([0, 1, 2]).tolist() == [10, 20, 30]
    unnamed = pd.DataFrame(X.toarray())
    assert model.fit(unnamed).decode_items([0, 1, 2]).tolist() == [30, 20, 10]
    fitted = dict(vars(model))
    with pytest.raises(ValueError, match=r"no item 40, .* of the same type"):
        model.fit(pd.DataFrame(X.toarray(), columns=[10, 20, 40]))
    with pytest.raises(ValueError, match=r"no item '10', .* ids such as 30"):
        model.fit(pd.DataFrame(X.toarray(), columns=["10", "20", "30"]))
    assert vars(model) == fitted


def test_later_items_may_not_repeat_an_id():
    model = _content_knn([10, 20, "x"])
    with pytest.raises(ValueError, match="Item 'x' is known already"):
        model.with_items(ItemFeatures([[1.0, 0.0], [1.0, 1.0]], ids=["x", "30"]))
    with pytest.raises(ValueError, match="hold '10' of type str, but the known ids are of type"):
        model.with_items(ItemFeatures([[1.0, 0.0]], ids=["10"]))
    later = model.with_items(ItemFeatures([[1.0, 0.0]], ids=["30"]))
    assert later.item_ids_.tolist() == [10, 20, "x", "30"]


def test_a_network_is_told_where_ids_and_features_disagree():
    features = ItemFeatures(CONTENT, ids=["z", "y", "x"])
    with pytest.raises(ValueError, match=r"name item 1 differently, 'x' and 'z' \(2 items"):
        _network(item_ids=["x", "y", "z"], item_features=features)
    model = _network(item_ids=["z", "y", "x"], item_features=features)
    moved = model.with_item_features(ItemFeatures(CONTENT[:2], ids=["p", "q"]))
    assert moved.decode_items([1, -1]).tolist() == ["q", None]


BY_COLUMN = re.compile(r"\b(?:items_|item_ids_?|item_paths_|users_)\[(?!\d)[^\]]*\]")


def _written():
    """Yield (path, text) of all that tells users what to write."""
    documents = [ROOT / "README.md"]
    for pattern in ("*.rst", "guide/*.rst"):
        documents += (ROOT / "docs").glob(pattern)
    for path in [*documents, *(ROOT / "examples").rglob("*.py")]:
        yield path, path.read_text(encoding="utf-8")
    for path in Path(sktransrec.__file__).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if not BY_COLUMN.search(text):
            yield path, text  # its docstrings hold no more than it does
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.Module):
                yield path, ast.get_docstring(node) or ""


def test_nothing_that_is_written_reads_ids_by_columns_that_may_be_none():
    found = [(path.name, BY_COLUMN.findall(text)) for path, text in _written()]
    assert len(found) > 300
    assert not [by_column for by_column in found if by_column[1]]
    assert BY_COLUMN.search("later.item_ids_[items]")


@pytest.mark.parametrize("dtype", [object, "str", pd.StringDtype("python")], ids=str)
def test_texts_of_pandas_are_in_the_order_of_python(dtype):
    texts = ["b", "ä", "\U0001f600", "Z", "\uffff", "", "ä", "a\0", "a"]
    log = pd.DataFrame({"user": 1, "item": pd.Series(texts, dtype=dtype)})
    encoder = InteractionEncoder().fit(log)
    assert encoder.items_.tolist() == sorted(set(texts))
    assert encoder.encode_items(log["item"]).tolist() == list(map(sorted(set(texts)).index, texts))


class Colour(str, enum.Enum):  # noqa: UP042  # what a StrEnum prints is its text anyway
    RED, BLUE = "red", "blue"


@pytest.mark.parametrize("column", [list, pd.Series], ids=["list", "Series"])
def test_the_id_of_a_member_of_an_enumeration_is_its_text(column):
    items = column([Colour.RED, Colour.BLUE, Colour.RED])
    encoder = InteractionEncoder().fit({"user": [1, 1, 2], "item": items})
    assert encoder.items_.tolist() == ["blue", "red"]
    assert set(map(type, encoder.items_.tolist())) == {str}
    assert encoder.encode_items(["red", Colour.BLUE]).tolist() == [1, 0]


@pytest.mark.parametrize("place", [0, 150])
@pytest.mark.parametrize("other", [1.5, True, b"x", (1, 2), datetime.date(2020, 1, 1)], ids=repr)
def test_what_is_no_id_is_found_wherever_it_stands_among_texts(other, place):
    items = [f"item {number}" for number in range(150)]
    items.insert(place, other)
    log = pd.DataFrame({"user": 1, "item": pd.Series(items, dtype=object)})
    with pytest.raises(ValueError, match="strings or integers"):
        InteractionEncoder().fit(log)
