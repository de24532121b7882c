# SPDX-License-Identifier: BSD-3-Clause
"""Scores of several models on the same rows, and their paired differences."""

import inspect
import re
import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import t
from sklearn.model_selection import GridSearchCV, KFold, RepeatedKFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sktransrec import (
    EASERecommender,
    ItemKNNRecommender,
    PopularityRecommender,
    RidgeRecommender,
    SourceSelectorRecommender,
    TransferGate,
    TransitionRecommender,
    VotingRecommender,
    compare,
    recommend,
    transfer_gain,
    transfer_learning_curve,
)
from sktransrec.datasets import make_cross_domain
from sktransrec.evaluation._compare import _ALL
from sktransrec.evaluation._paired import holm_differences
from sktransrec.interactions import holdout_random
from sktransrec.metrics import coverage_at_k, ndcg_at_k, novelty_at_k, recall_at_k
from sktransrec.metrics._table import METRICS


@pytest.fixture(scope="module")
def domains():
    return make_cross_domain(
        160, 60, 40, n_cold_users=0, source_density=0.2, target_density=0.1, random_state=0
    )


class FailsAfter(PopularityRecommender):
    """Fail if there are more than `n_rows` rows."""

    def __init__(self, n_rows=0):
        self.n_rows = n_rows

    def _fit(self, X):
        if X.shape[0] > self.n_rows:
            raise RuntimeError("too many rows")


def test_scores_are_those_of_a_loop(domains):
    X, y = domains.X_source, domains.Y_target
    cv = KFold(4)
    found = compare(
        {"ridge": RidgeRecommender()},
        *(X, y),
        metrics=["recall", "ndcg", "novelty", "coverage"],
        k=[3, 5],
        cv=cv,
    )
    assert found.models == ["ridge", "popularity"]
    assert found.metrics[:3] == ["recall@3", "recall@5", "NDCG@3"]
    for fold, (rows, held_out) in enumerate(cv.split(X)):
        model = RidgeRecommender().fit(X[rows], y[rows])
        items, _ = model.recommend(X[held_out], n_recommendations=5)
        for metric, function in (("recall", recall_at_k), ("NDCG", ndcg_at_k)):
            for k in (3, 5):
                expected = function(y[held_out], items, k, per_row=True)
                assert_allclose(found.scores[f"{metric}@{k}"]["ridge"][held_out], expected)
        assert_allclose(
            found.scores["novelty@5"]["ridge"][held_out],
            novelty_at_k(items, model.popularity_, 5, per_row=True),
        )
        assert_allclose(
            found.scores["coverage@5"]["ridge"][fold], coverage_at_k(items, y.shape[1], 5)
        )
        popularity = PopularityRecommender().fit(y[rows])
        items, _ = popularity.recommend(0 * y[held_out], n_recommendations=5)
        expected = recall_at_k(y[held_out], items, 5, per_row=True)
        assert_allclose(found.scores["recall@5"]["popularity"][held_out], expected)
    values = found.scores["recall@3"]["ridge"]
    assert_allclose(found.means["recall@3"]["ridge"], np.nanmean(values))
    error = np.nanstd(values, ddof=1) * np.sqrt(1 / np.sum(~np.isnan(values)) + 1 / 120)
    assert_allclose(found.standard_errors["recall@3"]["ridge"], error)


def test_known_rows_are_served_by_models_that_know_them():
    X = make_cross_domain(80, 40, n_cold_users=0, source_density=0.2, random_state=0).X_source
    y = sp.csr_array(X.multiply(np.arange(40) % 4 == 0))
    known = sp.csr_array(X - y)
    known.eliminate_zeros()
    found = compare({"EASE": EASERecommender()}, known, y, cv="known", k=5)
    items, _ = recommend(EASERecommender().fit(known), known, n_recommendations=5)
    expected = ndcg_at_k(y, items, 5, per_row=True)
    assert_array_equal(found.scores["NDCG@5"]["EASE"], expected)
    assert found.n_train == np.inf
    hidden = compare({"EASE": EASERecommender()}, X, cv="known", random_state=0)
    assert hidden.means["NDCG@10"]["EASE"] > 0


def test_the_better_model_is_shown_to_be_better(domains):
    found = compare(
        {"EASE": EASERecommender(), "neighbours": ItemKNNRecommender(), "again": None},
        domains.X_source,
        metrics=["ndcg", "gini"],
        cv=3,
        random_state=0,
    )
    assert found.baseline == "again"
    differences = found.differences()
    assert differences["EASE"].interval[0] > 0
    assert differences["EASE"].p_value < 0.05
    text = repr(found)
    assert text.splitlines()[1].startswith("EASE")
    assert f"{differences['EASE'].difference:+.4f}" in text
    with pytest.raises(ValueError, match="'Gini@10' has no score of a row"):
        found.differences("Gini@10")


def test_the_table_as_a_frame_and_as_html(domains):
    found = compare(
        {"EASE <1>": EASERecommender()},
        domains.X_source,
        metrics=["ndcg", "coverage"],
        cv=2,
        random_state=0,
        memory=True,
    )
    frame = found.to_frame()
    assert list(frame.index) == ["EASE <1>", "popularity"]
    assert frame["NDCG@10", "mean"]["EASE <1>"] == found.means["NDCG@10"]["EASE <1>"]
    low, high = frame["NDCG@10"].loc["EASE <1>", ["low", "high"]]
    assert (low, high) == found.differences()["EASE <1>"].interval
    assert np.isnan(frame["NDCG@10", "p_value"]["popularity"])
    assert ("coverage@10", "difference") not in frame.columns
    assert (frame["cost", "peak MiB"] > 0).all()
    assert (frame["cost", "fit seconds"] > 0).all()
    assert "EASE &lt;1&gt;" in found._repr_html_()


def test_memory_is_that_of_one_model_in_threads_and_of_who_measures_already(domains):
    models = {str(n): EASERecommender() for n in range(4)}
    tracemalloc.start()
    with parallel_config("threading"):
        found = compare(models, domains.X_source, cv=2, memory=True, n_jobs=4, random_state=0)
    assert tracemalloc.is_tracing()
    tracemalloc.stop()
    alone = compare(models, domains.X_source, cv=2, memory=True, random_state=0)
    assert not tracemalloc.is_tracing()
    for name in models:
        assert_allclose(found.peak_mib[name], alone.peak_mib[name], rtol=0.5)


def test_a_failure_loses_nothing_else(domains):
    models = {"fails": FailsAfter(), "EASE": EASERecommender()}
    found = compare(models, domains.X_source, cv=2, random_state=0)
    alone = compare({"EASE": EASERecommender()}, domains.X_source, cv=2, random_state=0)
    assert found.errors == {"fails": "RuntimeError: too many rows"}
    assert_array_equal(found.scores["NDCG@10"]["EASE"], alone.scores["NDCG@10"]["EASE"])
    assert np.isnan(found.scores["NDCG@10"]["fails"]).all()
    assert list(found.differences()) == ["EASE"]
    assert "fails failed: RuntimeError: too many rows" in str(found)
    as_baseline = compare(models, domains.X_source, cv=2, random_state=0, baseline="fails")
    assert "fails failed" in str(as_baseline)
    with pytest.raises(ValueError, match="The baseline has failed: RuntimeError"):
        as_baseline.differences()


@pytest.mark.usefixtures("workers")
def test_searches_jobs_and_seeds(domains):
    search = GridSearchCV(EASERecommender(), {"regularization": [1.0, 100.0]}, cv=2)
    runs = [
        compare({"EASE": search}, domains.X_source, cv=2, random_state=0, n_jobs=n_jobs)
        for n_jobs in (None, 2)
    ]
    assert_array_equal(runs[0].scores["NDCG@10"]["EASE"], runs[1].scores["NDCG@10"]["EASE"])


def test_progress_is_shown_only_if_asked_for(domains, capsys):
    models = {"EASE": EASERecommender()}
    compare(models, domains.X_source, cv=2)
    assert capsys.readouterr() == ("", "")
    compare(models, domains.X_source, cv=2, verbose=1)
    assert "4/4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": {}}, "models is empty"),
        ({"baseline": "ALS"}, "baseline='ALS' is not one of: EASE, popularity"),
        ({"metrics": ["ndcg", "auc"]}, "metrics holds 'auc', but each must be one of"),
        ({"metrics": "diversity"}, "'metrics' parameter of compare"),
        ({"k": []}, "k is empty"),
        ({"cv": "all"}, "'cv' parameter of compare"),
        (
            {"models": {"ridge": RidgeRecommender()}, "y": np.eye(160)[:, :9], "cv": "known"},
            "would let 'ridge' learn from the y",
        ),
        ({"models": {"ridge": RidgeRecommender()}}, "pass y as well"),
    ],
)
def test_bad_arguments_are_named(domains, options, message):
    options = {"models": {"EASE": EASERecommender()}, "X": domains.X_source} | options
    with pytest.raises(ValueError, match=message):
        compare(**options)


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.sampled_from([np.inf, 40.0]))
def test_differences_are_those_of_holm(seed, n_models, n_train):
    """The rejected hypotheses are those of the textbook's loop; intervals agree with them."""
    rng = np.random.default_rng(seed)
    baseline = rng.normal(size=30)
    scores = {
        str(model): baseline + rng.normal(rng.choice([0, 0.3, 0.8]), 1, size=30)
        for model in range(n_models)
    }
    found = holm_differences(scores, baseline, n_train=n_train, confidence_level=0.95)
    assert list(found) == list(scores)
    errors = {
        name: np.std(values - baseline, ddof=1) * np.sqrt(1 / 30 + 1 / n_train)
        for name, values in scores.items()
    }
    p = {
        name: 2 * t.sf(abs(np.mean(values - baseline)) / errors[name], 29)
        for name, values in scores.items()
    }
    rejected = set()
    for n_left, name in zip(range(n_models, 0, -1), sorted(p, key=p.get), strict=True):
        if p[name] > 0.05 / n_left:
            break
        rejected.add(name)
    for name, result in found.items():
        low, high = result.interval
        assert (result.p_value <= 0.05) == (name in rejected) == (not low <= 0 <= high)
        assert_allclose((low + high) / 2, np.mean(scores[name] - baseline), atol=1e-12)
    if n_models == 1:
        assert_allclose(found["0"].p_value, p["0"])


def test_the_best_model_comes_first_also_where_small_values_are_good():
    X = (np.random.RandomState(0).uniform(size=(60, 30)) < np.linspace(0.05, 0.6, 30)) * 1.0
    result = compare({"EASE": EASERecommender()}, X, metrics="gini", random_state=0)
    means = result.means["Gini@10"]
    assert means["EASE"] < means["popularity"]
    lines = str(result).splitlines()
    assert lines[1].startswith("EASE")


def test_the_name_of_the_baseline_is_kept():
    with pytest.raises(ValueError, match="The name 'popularity' in models is that of"):
        compare({"popularity": EASERecommender()}, np.eye(20))


@pytest.mark.parametrize(
    "cv", [RepeatedKFold(n_splits=3, n_repeats=2), ShuffleSplit(3, test_size=0.5, random_state=0)]
)
def test_a_row_is_held_out_once(cv):
    X = (np.random.RandomState(0).uniform(size=(30, 12)) < 0.5) * 1.0
    for call in (
        lambda: compare({"EASE": EASERecommender()}, X, cv=cv),
        lambda: transfer_gain(RidgeRecommender(), None, X, X, cv=cv),
        lambda: transfer_learning_curve({"EASE": EASERecommender()}, X, cv=cv, train_sizes=[9]),
    ):
        with pytest.raises(ValueError, match=r"holds a row out . times"):
            call()


def test_all_models_are_novel_by_one_popularity(domains):
    X = domains.X_source
    few = make_pipeline(
        FunctionTransformer(_first_items, accept_sparse=True), EASERecommender(10.0)
    )
    known, y = holdout_random(X, 0.3, random_state=0)
    models = {"all": EASERecommender(10.0), "few": few}
    comparison = compare(models, known, y, cv="known", metrics=["novelty", "serendipity"], k=5)
    popularity = (known > 0).mean(axis=0)
    for name, model in models.items():
        items, _ = recommend(model.fit(known), known, n_recommendations=5)
        expected = novelty_at_k(items, popularity, k=5)
        assert comparison.means["novelty@5"][name] == pytest.approx(expected, rel=1e-6)


def _first_items(X):
    return X.multiply(np.arange(X.shape[1]) < 20).tocsr()


def test_metrics_are_known_in_lower_case(domains):
    comparison = compare({"EASE": EASERecommender(10.0)}, domains.X_source, cv=2, random_state=0)
    assert comparison.differences("ndcg@10") == comparison.differences()
    assert comparison.paired_errors("ndcg@10") == comparison.paired_errors("NDCG@10")
    with pytest.raises(ValueError, match="metric='ndcg' is not one of: NDCG"):
        comparison.differences("ndcg")


def test_members_of_ensembles_know_items_that_no_training_row_has():
    histories = np.random.RandomState(0).randint(1, 21, size=(40, 6))
    histories[:20] = np.where(histories[:20] > 18, 1, histories[:20])
    models = {
        "alone": TransitionRecommender(),
        "vote": VotingRecommender([("a", TransitionRecommender())]),
        "nested": VotingRecommender([("v", VotingRecommender([("a", TransitionRecommender())]))]),
    }
    found = compare(models, histories, cv=[(np.arange(20), np.arange(20, 40))], random_state=0)
    assert not found.errors
    assert_array_equal(found.scores["NDCG@10"]["vote"], found.scores["NDCG@10"]["alone"])
    assert_array_equal(found.scores["NDCG@10"]["nested"], found.scores["NDCG@10"]["alone"])


@pytest.mark.parametrize(
    ("measure", "names"),
    [
        (compare, _ALL),
        (transfer_gain, METRICS),
        (transfer_learning_curve, METRICS),
        (TransferGate, METRICS),
        (SourceSelectorRecommender, METRICS),
    ],
)
def test_docstrings_name_the_metrics(measure, names):
    described = re.split(r"\nmetrics? : ", inspect.getdoc(measure))[1].partition("\nk : ")[0]
    assert set(re.findall('"([a-z_0-9]+)"', described)) == set(names)
