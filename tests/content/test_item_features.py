# SPDX-License-Identifier: BSD-3-Clause
import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler

from sktransrec import (
    Autoencoder,
    ContentKNNRecommender,
    DiscountedRecommender,
    EASERecommender,
    HistoryRecommender,
    ItemFeatures,
    NextItemRecommender,
    PopularityRecommender,
    ReconstructionRecommender,
    RidgeRecommender,
    StackingRecommender,
    SwitchingRecommender,
    TransferGate,
    VotingRecommender,
    compare,
    transfer_learning_curve,
)

NUMBERS = np.arange(12.0).reshape(4, 3)
CONTENT = {
    "numbers": NUMBERS,
    "sparse": sp.coo_matrix(NUMBERS),
    "texts": ["Alien", "返回", "سلام", "Brazil"],
    "images": np.zeros((4, 5, 6, 3), dtype=np.uint8),
    "series": pd.Series(["one", "two", "three", "four"]),
    "table": pd.DataFrame({"title": list("abcd"), "year": [1, 2, 3, 4]}),
}


@pytest.mark.parametrize("content", CONTENT.values(), ids=CONTENT)
def test_every_kind_of_content(content):
    features = ItemFeatures(content, ids=list("wxyz"))
    assert len(features) == features.n_items == features.values.shape[0] == 4
    assert repr(features).startswith("ItemFeatures(4 items, ")
    chosen = features.of(["z", "x"])
    assert chosen.ids.tolist() == ["z", "x"]
    assert type(chosen.values) is type(features.values)
    loaded = pickle.loads(pickle.dumps(features))
    assert loaded.ids.tolist() == features.ids.tolist()


def test_copies_are_the_same_object():
    features = ItemFeatures(NUMBERS)
    assert clone(features, safe=False) is copy.copy(features) is copy.deepcopy(features) is features
    model = NextItemRecommender(item_features=features)
    assert clone(model).item_features is copy.deepcopy(model).item_features is features


def test_cross_validation_does_not_slice():
    """There are as many rows as items."""
    rng = np.random.RandomState(0)
    features = ItemFeatures(rng.standard_normal((12, 3)))
    X = rng.randint(1, 13, size=(12, 5))
    options = {"n_components": 4, "n_layers": 1, "epochs": 1, "run_eagerly": True}
    model = NextItemRecommender("cnn", item_features=features, random_state=0, **options)
    search = GridSearchCV(model, {}, cv=2, error_score="raise").fit(X, 1 + np.arange(12))
    assert search.best_estimator_.item_features is features


def test_content_cannot_be_changed():
    features = ItemFeatures(NUMBERS)
    with pytest.raises(AttributeError, match="cannot be changed"):
        features.values = NUMBERS
    with pytest.raises(ValueError, match="read-only"):
        features.values[0, 0] = 1
    assert NUMBERS.flags.writeable


@pytest.mark.parametrize("name", ["numbers", "sparse", "images", "series", "table"])
def test_the_content_is_nobody_elses(name):
    content = CONTENT[name].tocsr() if name == "sparse" else CONTENT[name].copy()
    given = content.data if name == "sparse" else content
    features = ItemFeatures(content, ids=list("wxyz"))
    before = pickle.dumps(features.values)
    if hasattr(given, "iloc"):
        given.iloc[0] = given.iloc[1]
    else:
        given[:] = 7
    assert pickle.dumps(features.values) == before


@pytest.mark.parametrize("name", ["numbers", "sparse", "images", "texts"])
def test_arrays_stay_read_only_when_they_are_loaded(name):
    features = pickle.loads(pickle.dumps(ItemFeatures(CONTENT[name], ids=list("wxyz"))))
    values = features.values
    arrays = [values.data, values.indices, values.indptr] if name == "sparse" else [values]
    assert not any(array.flags.writeable for array in [*arrays, features.ids])


@pytest.mark.parametrize("name", ["series", "table"])
def test_ids_that_contradict_the_index_are_an_error(name):
    content = CONTENT[name].set_axis(list("wxyz"))
    assert ItemFeatures(content, ids=list("wxyz")).ids.tolist() == list("wxyz")
    with pytest.raises(ValueError, match=r"item 0 is 'z' by ids and 'w' by the index.*values.loc"):
        ItemFeatures(content, ids=list("zyxw"))
    filtered = CONTENT[name].iloc[[3, 1]]
    with pytest.raises(ValueError, match=r"item 0 is 'd' by ids and 3 by the index.*reset_index"):
        ItemFeatures(filtered, ids=["d", "b"])
    with_its_index = pd.Series(list("abcd")).iloc[[3, 1]]
    assert ItemFeatures(filtered, ids=with_its_index).ids.tolist() == ["d", "b"]
    assert ItemFeatures(filtered.reset_index(drop=True), ids=["d", "b"]).ids.tolist() == ["d", "b"]


def test_ids_stay_what_they_are():
    features = ItemFeatures(NUMBERS, ids=["2", 1, 2**60 + 1, 2**60])
    assert features.ids.tolist() == ["2", 1, 2**60 + 1, 2**60]
    assert features.of([1]).values[0, 0] == 3
    with pytest.raises(ValueError, match="1 equal known ids only as strings"):
        features.of([1, str(2**60)])
    assert features.decode_items([[3, -1]]).tolist() == [[2**60, None]]


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_columns_of_other_libraries(library):
    module = pytest.importorskip(library)
    series = module.Series if library == "polars" else lambda x: module.chunked_array([x])
    texts, ids = series(["one", "two"]), series([7, 5])
    features = ItemFeatures(texts, ids=ids)
    assert features.values.tolist() == ["one", "two"]
    assert features.ids.tolist() == [7, 5]
    table = (module.DataFrame if library == "polars" else module.table)({"a": [1, 2]})
    with pytest.raises(ValueError, match=rf"values is a \w+ of {library}: pass values.to_pandas"):
        ItemFeatures(table)


def test_ids_come_from_the_table():
    table = CONTENT["table"].set_index(pd.Index([7, 5, 3, 1]))
    assert_array_equal(ItemFeatures(table).ids, [7, 5, 3, 1])
    assert ItemFeatures(table).of([3, 7]).values["title"].tolist() == ["c", "a"]


@pytest.mark.parametrize(
    ("values", "ids", "message"),
    [
        ([["a"], "b"], None, "Item .*0.* has no text"),
        (["a", "b", ""], list("xyz"), "Item .*'z'.* has no text"),
        (["a", None], None, "Item .*1.* has no text"),
        ([[1.0, 2.0], [np.nan, 1.0]], [5, 6], "Item .*6.* has NaN"),
        (sp.csr_array([[1.0, 2.0], [np.inf, 1.0]]), None, "Item .*1.* has NaN"),
        (pd.DataFrame({"a": [1.0, np.nan]}), None, "Item .*1.* has a missing value"),
        (["a", 3.5], list("uv"), "Item 'v' has no text"),
        (["a", b"b"], list("uv"), "Item 'v' has no text"),
        ([[1.0, 2.0], [1.0, "x"]], list("uv"), "Item 'v' has .*neither a text nor only numbers"),
        (np.ma.masked_equal([[1.0], [2.0]], 2), list("uv"), r"masked array.*filled\(0\)"),
        ([[[1.0], 2.0], [3.0, 4.0]], list("uv"), "values: .* inhomogeneous"),
        ([[1.0], [10**400]], list("uv"), "Item 'v' has .*neither a text nor only numbers"),
        ([{"a": 1}, {"a": 2}], list("uv"), "Item 'u' has .*neither a text nor only numbers"),
        (pd.Series(["a", None], index=list("uv")), None, "Item 'v' has no text"),
        (pd.DataFrame({"t": ["a", 3]}, index=list("uv")), None, "Item 'v' has no text in .*'t'"),
        (pd.DataFrame({"t": ["a", " "]}, index=list("uv")), None, "Item 'v' has no text in .*'t'"),
        (
            pd.DataFrame({"t": ["a", " "], "d": ["", ""]}, index=list("uv")),
            None,
            r"Item 'v' has no text in the columns of texts \['t', 'd'\]",
        ),
        (pd.DataFrame({"t": [1, np.inf]}, index=list("uv")), None, "Item 'v' has infinity in"),
        (
            [np.zeros((2, 2, 1)), np.zeros((2, 3, 1))],
            list("uv"),
            r"Item 'v' has values of shape \(2, 3, 1\), the first item of shape \(2, 2, 1\)",
        ),
        ([[1.0, 2.0], [1.0]], None, r"Item 1 has values of shape \(1,\)"),
        ("a text", None, "values is 'a text'"),
        (np.array("a text"), None, "values is array.*pass one row"),
        (np.array(1.0), None, "values is array.*pass one row"),
        ([], None, "holds no items"),
        (NUMBERS * 1j, None, "dtype complex"),
        ([1.0, 2.0], None, "single row of numbers"),
        (NUMBERS, [1, 2, 2, 3], "ids repeats 2, which stands 2 times"),
        (NUMBERS, [1, 2], "ids has 2 ids, but values has 4 items"),
        (NUMBERS, ["a", "b", None, "c"], "ids misses 1 ids.*row 2"),
        (NUMBERS, ["a", "b", pd.NA, "c"], "ids misses 1 ids.*row 2"),
        (NUMBERS, [1.0, 2.0, np.nan, 3.0], "ids misses 1 ids.*row 2"),
        (NUMBERS, np.array(["a", 1, "b", 1], dtype=object), "ids repeats 1, which stands 2 times"),
    ],
)
def test_bad_content_names_the_item(values, ids, message):
    with pytest.raises(ValueError, match=message):
        ItemFeatures(values, ids)


def test_unknown_ids():
    with pytest.raises(ValueError, match="no item 'q'"):
        ItemFeatures(NUMBERS, ids=list("wxyz")).of(["w", "q"])


def test_a_catalogue_is_encoded_once_for_all_models():
    asked = []

    def lengths(texts):
        asked.extend(texts)
        return np.array([[len(text), text.count("a")] for text in texts])

    titles = ItemFeatures(["Alien", "Brazil", "Alien", "返回"], ids=list("wxyz"))
    vectors = titles.encoded(lengths, batch_size=2)
    assert sorted(asked) == ["Alien", "Brazil", "返回"]
    assert_array_equal(vectors.values, [[5, 0], [6, 1], [5, 0], [2, 0]])
    assert vectors.ids.tolist() == list("wxyz")
    assert not ItemFeatures(["Alien"]).encoded(lengths).has_own_ids
    asked.clear()
    X = np.ones((6, 4))
    search = GridSearchCV(ContentKNNRecommender(vectors), {"pooling": ["mean", "max"]}, cv=2)
    search.fit(X).best_estimator_.with_items(ItemFeatures(["B"], ids=["v"]).encoded(lengths))
    assert asked == ["B"]


NAMES = [f"i{place}" for place in range(8)]
TABLE = pd.DataFrame((np.random.RandomState(0).rand(30, 8) < 0.5) * 1.0, columns=NAMES)
BY_CONTENT = ContentKNNRecommender(ItemFeatures(np.eye(8), ids=NAMES))


def _fine_tuned(**options):
    source = Autoencoder(2, epochs=1, random_state=0, run_eagerly=True).fit(TABLE)
    options |= {"epochs": 1, "run_eagerly": True, "random_state": 0}
    return Autoencoder(pretrained=FrozenEstimator(source), **options)


@pytest.mark.parametrize(
    "fit",
    [
        VotingRecommender([("content", BY_CONTENT)]).fit,
        StackingRecommender([("content", BY_CONTENT), ("popularity", PopularityRecommender())]).fit,
        TransferGate(BY_CONTENT).fit,
        DiscountedRecommender(BY_CONTENT).fit,
        SwitchingRecommender(BY_CONTENT).fit,
        VotingRecommender([("content", make_pipeline(MaxAbsScaler(), BY_CONTENT))]).fit,
        lambda X: compare({"content": BY_CONTENT}, X, cv=2),
        lambda X: transfer_learning_curve({"content": BY_CONTENT}, X, train_sizes=[5]),
        lambda X: ReconstructionRecommender(_fine_tuned()).fit(X),
    ],
)
def test_parts_that_get_no_names_know_the_items_in_the_order_of_the_columns(fit):
    fit(TABLE)
    with pytest.raises(ValueError, match="has the columns of X in another order"):
        fit(TABLE.iloc[:, ::-1])


HISTORIES = pd.DataFrame([[1, 2, 3], [4, 5, 6], [7, 8, 1]])
OF_NUMBERS = ItemFeatures(np.eye(8), ids=range(1, 9))


@pytest.mark.parametrize(
    ("model", "X"),
    [
        (HistoryRecommender(ContentKNNRecommender(ItemFeatures(np.eye(8)))), HISTORIES),
        (ContentKNNRecommender(OF_NUMBERS), pd.DataFrame(TABLE.to_numpy())),
        (ContentKNNRecommender(ItemFeatures(np.eye(8))), TABLE),
        (
            make_pipeline(
                FunctionTransformer(lambda X: X[:, ::-1]),
                FrozenEstimator(EASERecommender().fit(TABLE.iloc[:, ::-1])),
            ),
            TABLE,
        ),
    ],
)
def test_names_that_are_no_ids_are_no_order(model, X):
    VotingRecommender([("content", model)]).fit(X)


@pytest.mark.parametrize(
    "model",
    [
        SwitchingRecommender(BY_CONTENT, RidgeRecommender(), target_columns=slice(5, None)),
        TransferGate(EASERecommender(), BY_CONTENT, target_columns=slice(5, None)),
    ],
)
def test_parts_of_the_target_know_its_columns(model):
    source = pd.DataFrame(np.ones((30, 5)), columns=list("abcde"))
    model.fit(pd.concat([source, TABLE], axis=1))
    with pytest.raises(ValueError, match="has the columns of X in another order"):
        model.fit(pd.concat([source, TABLE.iloc[:, ::-1]], axis=1))


def test_target_columns_may_be_of_any_kind():
    both = pd.concat([pd.DataFrame(np.ones((30, 5)), columns=list("abcde")), TABLE], axis=1)
    columns = tuple(range(5, 13))
    SwitchingRecommender(BY_CONTENT, RidgeRecommender(), target_columns=columns).fit(both)
    with pytest.raises(ValueError, match="target_columns must lie between"):
        TransferGate(EASERecommender(), target_columns=[99]).fit(both)


def test_an_order_of_other_items_too_is_refused():
    with pytest.raises(ValueError, match="has the columns of X in another order"):
        VotingRecommender([("content", BY_CONTENT)]).fit(
            TABLE.rename(columns={"i7": "other"}).iloc[:, ::-1]
        )


def test_fitted_parts_have_an_order_too():
    fitted = FrozenEstimator(clone(BY_CONTENT).fit(TABLE))
    VotingRecommender([("content", fitted)]).fit(TABLE)
    with pytest.raises(ValueError, match="has the columns of X in another order"):
        VotingRecommender([("content", fitted)]).fit(TABLE.iloc[:, ::-1])


def test_ids_of_items_are_an_order_too():
    reordered = TABLE.iloc[:, ::-1]
    ReconstructionRecommender(_fine_tuned(item_ids=reordered.columns)).fit(reordered)


def test_token_ids_of_lists_stay_integers():
    assert ItemFeatures([[3, 1, 0], [2, 0, 0]]).values.dtype.kind == "i"
    assert ItemFeatures([[3, 1.5], [2, 0]]).values.dtype == np.float32
    for bad in ([[1j, 0], [0, 1]], [np.array([1j]), np.array([0])]):
        with pytest.raises(ValueError, match="neither a text nor only numbers"):
            ItemFeatures(bad)


def test_a_dict_is_refused():
    with pytest.raises(ValueError, match="values is a dict, of which only the keys"):
        ItemFeatures({"Alien": [1.0, 0.0], "Brazil": [0.5, 2.0]})
