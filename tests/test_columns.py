# SPDX-License-Identifier: BSD-3-Clause
"""One column of values, exact whatever library holds it."""

import datetime
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp
from _instances import ESTIMATORS
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from sktransrec import (
    ALSRecommender,
    Autoencoder,
    BiasedMFRecommender,
    BridgeRecommender,
    CNNEncoder,
    CollectiveMFRecommender,
    ContentKNNRecommender,
    CORALAligner,
    CrossDomainAutoencoderRecommender,
    DomainAdversarialAutoencoder,
    EASERecommender,
    HybridRecommender,
    InteractionEncoder,
    ItemFeatures,
    PopularityRecommender,
    ProcrustesAligner,
    ProcrustesRegressor,
    RidgeRecommender,
    SegmentPopularityRecommender,
    StackingRecommender,
    VotingRecommender,
    compare,
    cross_listed_mask,
    debiased_scorer,
    eligible_scores,
    find_cross_listed,
    fit_across_domains,
    ranking_scorer,
    recommend,
    transfer_gain,
)
from sktransrec._columns import (
    as_column,
    check_none_missing,
    column_names,
    exact_array,
    first_displaced,
    framed_like,
    objects_of,
)
from sktransrec._wrapping import reads_histories
from sktransrec.datasets import make_cross_domain
from sktransrec.evaluation import proxy_a_distance
from sktransrec.inspection import explain, trace
from sktransrec.metrics import held_out_auc, held_out_ranks, rating_errors

HOLDERS = {
    "list": list,
    "tuple": tuple,
    "numpy": lambda values: np.array(values),
    "pandas": pd.Series,
    "pandas index": pd.Index,
    "polars": pl.Series,
    "pyarrow": pa.array,
}


@pytest.mark.parametrize("holder", HOLDERS.values(), ids=HOLDERS)
@pytest.mark.parametrize(
    "values", [[3, 1, 2**62 + 1], [0.5, -1.0], [True, False], ["a", "b\0", ""]], ids=repr
)
def test_values_come_through_exactly(holder, values):
    if "b\0" in values and holder is HOLDERS["numpy"]:
        pytest.skip("numpy itself drops the zero")
    assert exact_array(as_column(holder(values), "x")).tolist() == values


def test_integers_have_the_type_that_holds_them_all():
    dtypes = [
        exact_array(as_column(values, "x")).dtype for values in ([1], [2**63], [2**64], [1, "a"])
    ]
    assert dtypes == [np.int64, np.uint64, object, object]


def test_dates_stay_dates():
    day = datetime.date(2020, 2, 29)
    for column in (pl.Series([day]), pa.array([day])):
        assert exact_array(as_column(column, "x"))[0] == np.datetime64("2020-02-29")


@pytest.mark.parametrize(
    "values",
    [
        [1.0, None],
        [1.0, float("nan")],
        np.array([1.0, np.nan]),
        np.array(["2020", "NaT"], dtype="datetime64[D]"),
        np.ma.masked_array([1, 2], mask=[False, True]),
        pd.Series([1, pd.NA], dtype="Int64"),
        [1, pd.NA],
        pl.Series([1.0, float("nan")]),
        pl.Series(["a", None]),
        pa.array([1, None]),
    ],
    ids=lambda values: type(values).__module__.split(".")[0],
)
def test_a_missing_value_is_named_with_its_row(values):
    with pytest.raises(ValueError, match=r"'user' misses 1 ids .*, the first in row 1"):
        check_none_missing(as_column(values, "'user'"), "'user'", "ids")


def test_what_is_no_column_is_refused():
    for values in ("abc", b"abc", {"a": 1}, {1, 2}, 5):
        with pytest.raises(ValueError, match="x must be 1-D, got "):
            as_column(values, "x")
    with pytest.raises(ValueError, match="x must be 1-D, got 2 dimensions"):
        as_column(np.eye(2), "x")


def test_names_of_columns():
    table = {"b": [1, 2], "a": [3, 4]}
    for frame in (pd.DataFrame(table), pl.DataFrame(table), pa.table(table)):
        assert column_names(frame) == ["b", "a"]
    assert column_names(pd.DataFrame(np.eye(2))) == [0, 1]
    assert column_names(np.eye(2)) is None


def test_objects_are_kept_one_by_one():
    objects = objects_of([[1, 2], [3, 4]])
    assert objects.dtype == object
    assert_array_equal(objects[1], [3, 4])
    assert len(objects_of([])) == 0


def test_the_first_name_in_another_place_is_found():
    assert first_displaced(["a", "b", "c"], np.array(["a", "c", "b"])) == 1
    for others in (["a", "b", "c"], ["a", "b"], ["a", "b", "d"], None):
        assert first_displaced(["a", "b", "c"], others) is None
    assert first_displaced(None, ["a"]) is None


def test_values_get_the_names_of_any_table():
    values = np.array([[0.0, 2.0], [3.0, 0.0]])
    tables = [pd.DataFrame(values, columns=["a", "b"]), pl.DataFrame({"a": [0, 3], "b": [2, 0]})]
    tables.append(pd.DataFrame.sparse.from_spmatrix(sp.csr_array(values), columns=["a", "b"]))
    for table in tables:
        for given in (values, sp.csr_array(values)):
            framed = framed_like(table, given)
            assert type(framed) is type(table)
            assert list(framed.columns) == ["a", "b"]
            assert_array_equal(np.asarray(framed), values)
    assert framed_like(values, values) is values
    assert framed_like(pd.DataFrame(values), values) is values


DOMAINS = make_cross_domain(
    60, 12, 10, n_cold_users=0, source_density=0.3, target_density=0.3, random_state=0
)
SOURCE, NUMBERS = (DOMAINS[name].toarray() for name in ("X_source", "Y_target"))
NAMED = pd.DataFrame(NUMBERS, columns=[f"item {n}" for n in range(10)])
REVERSED = NAMED.iloc[:, ::-1]
LATER = NAMED * (np.arange(10) >= 5)
FIRST, SECOND = slice(0, 30), slice(30, None)
ALS = ALSRecommender(4, random_state=0)
CONTENT = ItemFeatures(np.random.default_rng(0).normal(size=(10, 3)), ids=range(100, 110))
NUMBERED = pd.DataFrame(NUMBERS, columns=range(100, 110))


def ridge(X=SOURCE, y=NAMED):
    return RidgeRecommender(5.0).partial_fit(X, y)


WITH_SOURCE = pd.concat(
    [pd.DataFrame(SOURCE, columns=[f"source {n}" for n in range(12)]), 0 * NAMED], axis=1
)
IN_ANOTHER_ORDER = {
    "score": lambda y: ridge().score(SOURCE, y),
    "partial_fit": lambda y: ridge(SOURCE[FIRST], NAMED[FIRST]).partial_fit(SOURCE, y),
    "merge": lambda y: ridge().merge(ridge(y=y)),
    "partial_fit of a network": lambda y: (
        CrossDomainAutoencoderRecommender(2, epochs=1, random_state=0)
        .partial_fit(SOURCE, NAMED)
        .partial_fit(SOURCE, y)
    ),
    "exclude_interactions": lambda y: ridge().recommend(SOURCE, exclude_interactions=y),
    "a frozen target": lambda y: BridgeRecommender(FrozenEstimator(ALS.fit(y))).fit(SOURCE, NAMED),
    "Y_target": lambda y: fit_across_domains(BridgeRecommender(ALS), SOURCE, NAMED, Y_target=y),
    "a frozen factor model": lambda y: HybridRecommender(FrozenEstimator(ALS.fit(y))).fit(NAMED),
    "a frozen member": lambda y: VotingRecommender([("ridge", FrozenEstimator(ridge(y=y)))]).fit(
        SOURCE, NAMED
    ),
    "y of a stack": lambda y: StackingRecommender(
        [("ridge", RidgeRecommender()), ("ease", EASERecommender())],
        target_columns=range(12, 22),
        random_state=0,
    ).fit(WITH_SOURCE, y),
    "y of a mask": lambda y: cross_listed_mask(SOURCE, NAMED, y),
    "X_history": lambda y: cross_listed_mask(NAMED, NAMED, NAMED, X_history=y),
    "features of two domains": lambda y: proxy_a_distance(NAMED, y, cv=2),
}
LABELLED = {
    "recommend": lambda mask: recommend(ridge(), SOURCE, n_recommendations=1, candidates=mask),
    "eligible_scores": lambda mask: list(eligible_scores(ridge(), SOURCE, candidates=mask)),
    "held_out_ranks": lambda mask: held_out_ranks(ridge(), SOURCE, LATER, candidates=mask),
    "ranking_scorer": lambda mask: ranking_scorer(candidates=mask)(ridge(), SOURCE, LATER),
    "debiased_scorer": lambda mask: debiased_scorer(candidates=mask)(ridge(), SOURCE, LATER),
    "a scorer that hides": lambda mask: ranking_scorer(candidates=mask)(
        PopularityRecommender().fit(NAMED), NAMED
    ),
    "explain": lambda mask: explain(ridge(), SOURCE[:1], mask),
    "trace": lambda mask: trace(ridge(), SOURCE[:1], candidates=mask),
    "popularity": lambda mask: held_out_ranks(ridge(), SOURCE, NAMED, popularity=mask),
    "item_vectors": lambda mask: ranking_scorer("diversity", item_vectors=mask.to_frame())(
        ridge(), SOURCE, NAMED
    ),
    "item_classes": lambda mask: ranking_scorer(
        "calibration_error", item_classes=mask.to_frame().astype(float)
    )(PopularityRecommender().fit(NAMED), NAMED, LATER),
    "target_columns": lambda mask: CollectiveMFRecommender(mask, 2, max_iter=1).fit(NAMED),
    "target_columns of a stack": lambda mask: StackingRecommender(
        [("ease", EASERecommender())], target_columns=mask, regularization=np.inf
    ).fit(NAMED),
    "target_columns of a comparison": lambda mask: compare(
        {"popular": None}, NAMED, target_columns=mask, cv=2
    ),
    "segment_columns": lambda mask: SegmentPopularityRecommender(mask).fit(NAMED, NAMED),
}
BY_NUMBERS = {
    "decision_function": lambda m, X: m.decision_function(X),
    "score": lambda m, X: m.score(X),
    "recommend": lambda m, X: recommend(m, X, n_recommendations=1),
}


@pytest.mark.parametrize("call", IN_ANOTHER_ORDER)
def test_items_by_name_in_another_order_are_refused(call):
    IN_ANOTHER_ORDER[call](NAMED)
    with pytest.raises(ValueError, match=r"item 9.*item 0"):
        IN_ANOTHER_ORDER[call](REVERSED)


@pytest.mark.parametrize("call", LABELLED)
def test_values_of_items_by_label_in_another_order_are_refused(call):
    mask = pd.Series(np.arange(10) >= 5, index=NAMED.columns)
    LABELLED[call](mask)
    with pytest.raises(ValueError, match=r"Row 0 of .* 'item 9', but the .* there is 'item 0'"):
        LABELLED[call](mask[::-1])


@pytest.mark.parametrize("call", BY_NUMBERS)
@pytest.mark.parametrize(
    "model", [ContentKNNRecommender(CONTENT), HybridRecommender(ALS, item_features=CONTENT)]
)
def test_items_by_number_in_another_order_are_refused(model, call):
    model = clone(model).fit(NUMBERED)
    BY_NUMBERS[call](model, NUMBERED)
    with pytest.raises(ValueError, match="X has the column 109 where the model has the item 100"):
        BY_NUMBERS[call](model, NUMBERED.iloc[:, ::-1])


@pytest.mark.filterwarnings("ignore:X has feature names")
@pytest.mark.parametrize("order", [NAMED.columns, range(100, 110)], ids=["texts", "numbers"])
@pytest.mark.parametrize(
    "model",
    [
        model
        for model in ESTIMATORS
        if {"item_ids", "item_features"} & {*model.get_params(deep=False)}
        and not reads_histories(model)
    ],
    ids=lambda model: type(model).__name__,
)
def test_columns_are_in_the_order_of_their_ids_or_found_by_name(model, order):
    ids, X = list(order), pd.DataFrame(NUMBERS, columns=order)
    if "item_features" in model.get_params(deep=False):
        content = ItemFeatures(CONTENT.values, ids=ids)
        fitted = clone(model).set_params(item_features=content).fit(X.iloc[:, ::-1])
        assert fitted.decode_items(np.arange(10)).tolist() == ids[::-1]
        return
    model = clone(model).set_params(item_ids=ids)
    for rows in (X, NUMBERS):
        fitted = clone(model).fit(rows)
    clone(model).set_params(item_ids=range(10)[::-1]).fit(pd.DataFrame(NUMBERS))
    use = getattr(fitted, "transform", None) or fitted.recommend
    for call in (clone(model).fit, use):
        with pytest.raises(ValueError, match=f"X has the column {ids[-1]!r} where the model has"):
            call(X.iloc[:, ::-1])


def test_new_names_come_after_the_known_ones():
    model = ridge(SOURCE[FIRST], NAMED.iloc[FIRST, :6]).partial_fit(SOURCE[SECOND], NAMED[SECOND])
    assert model.item_names_.tolist() == NAMED.columns.tolist()
    assert ridge(y=NUMBERS).partial_fit(SOURCE, NAMED).item_names_.tolist() == list(NAMED)


@pytest.mark.parametrize(
    "model", [RidgeRecommender(), VotingRecommender([("ridge", RidgeRecommender())])]
)
def test_rows_by_label_in_another_order_are_refused(model):
    X = pd.DataFrame(SOURCE, columns=[f"source {n}" for n in range(12)])
    X.index = y_index = [f"user {n}" for n in range(60)]
    y = NAMED.set_axis(y_index)
    clone(model).fit(X, y)
    clone(model).fit(X.reset_index(drop=True), y[::-1])
    fitted = clone(model).fit(X, y)
    for call in (
        clone(model).fit,
        fitted.score,
        partial(ranking_scorer(), fitted),
        partial(held_out_ranks, fitted),
        partial(held_out_auc, fitted),
        partial(transfer_gain, model, None),
        partial(compare, {"model": model}),
        partial(fit_across_domains, make_pipeline(TruncatedSVD(2), model)),
    ):
        with pytest.raises(ValueError, match="Row 0 of X is called 'user 0', and that of y 'user "):
            call(X, y[::-1])
    in_pipeline = make_pipeline(MaxAbsScaler(), model).fit(X, y)
    for call in (
        fitted.recommend,
        partial(recommend, in_pipeline),
        partial(held_out_ranks, in_pipeline, y=y),
    ):
        with pytest.raises(ValueError, match=r"Row 0 of X .* of exclude_interactions 'user 59'"):
            call(X, exclude_interactions=y[::-1])
    with pytest.raises(ValueError, match=r"Row 0 of X is .* that of X_source 'user 59'"):
        transfer_gain(model, None, X, y, X_source=X[::-1])


def test_rows_of_two_tables_by_label_are_in_one_order():
    X = NAMED.set_axis([f"user {n}" for n in range(60)])
    turned = X[::-1]
    ratings = BiasedMFRecommender(2, max_iter=1).fit(X)
    for call in (
        partial(find_cross_listed, X),
        partial(cross_listed_mask, X, X),
        partial(cross_listed_mask, X, X, X_history=X),
        partial(ratings.predict_ratings, X),
        partial(rating_errors, ratings, X),
        partial(CNNEncoder(2, epochs=1).fit, X),
        partial(ProcrustesRegressor().fit, X),
        partial(ProcrustesRegressor().fit, X, NUMBERS),
    ):
        with pytest.raises(ValueError, match=r"Row 0 of X.* is called 'user 0', and that of "):
            call(turned)


def test_a_table_is_decoded_by_its_labels():
    """They say what its columns and rows are; in another order, the log would be another one."""
    log = {"user": ["b", "a", "a"], "item": ["y", "x", "y"]}
    encoder = InteractionEncoder().fit(log)
    table = pd.crosstab(pd.Series(log["user"]), pd.Series(log["item"]))
    assert encoder.inverse_transform(table)["user"].tolist() == ["a", "a", "b"]
    assert encoder.inverse_transform(table[::-1], users=["b", "a"])["item"].tolist() == list("yxy")
    with pytest.raises(ValueError, match="Row 0 of X is called 'b', but the user there is 'a'"):
        encoder.inverse_transform(table[::-1])
    with pytest.raises(ValueError, match="X has the column 'y' where the model has the item 'x'"):
        encoder.inverse_transform(table[["y", "x"]])


def test_features_by_name_are_decoded_in_their_order():
    learner = Autoencoder(2, hidden_layer_sizes=(), epochs=1, run_eagerly=True)
    features = learner.set_output(transform="pandas").fit_transform(NAMED)
    assert learner.inverse_transform(features).shape == NAMED.shape
    with pytest.raises(ValueError, match="the feature 'autoencoder1' where transform returns"):
        learner.inverse_transform(features.iloc[:, ::-1])


def test_domains_of_rows_by_label_are_in_the_order_of_the_rows():
    X = NAMED.set_axis([f"user {n}" for n in range(60)])
    domain = pd.Series(np.repeat([1, -1], 30), index=X.index)
    anchors = pd.Series(np.tile(np.arange(30), 2), index=X.index)
    aligner = CORALAligner().fit(X, sample_domain=domain)
    anchored = partial(ProcrustesAligner().fit, sample_domain=domain)
    learner = DomainAdversarialAutoencoder(2, epochs=1, run_eagerly=True)
    for call, name, values in (
        (CORALAligner().fit, "sample_domain", domain),
        (aligner.transform, "sample_domain", domain),
        (learner.fit, "sample_domain", domain),
        (anchored, "anchor_ids", anchors),
    ):
        with pytest.raises(ValueError, match=f"Row 0 of X is .* that of {name} 'user 59'"):
            call(X, **{name: values[::-1]})
