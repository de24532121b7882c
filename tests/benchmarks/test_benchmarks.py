# SPDX-License-Identifier: BSD-3-Clause
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.utils import Bunch

from sktransrec import (
    ContentKNNRecommender,
    HistoryRecommender,
    ItemFeatures,
    ItemKNNRecommender,
    NextItemRecommender,
)


def figures(record, title=None):
    """Return the figures of a table, the only one unless it is named, without their errors."""
    tables = record["tables"]
    table = tables[title] if title else next(iter(tables.values()))
    return {
        name: {
            column: value["value"] if isinstance(value, dict) else value
            for column, value in cells.items()
        }
        for name, cells in table["rows"].items()
    }


@pytest.mark.slow
def test_intervals_and_verdicts_of_gains_are_honest(run_benchmark):
    table = figures(run_benchmark("verdicts.py")["verdicts"])
    comparisons = np.array([name.split(",")[0] for name in table])
    coverage, verdicts, wrong = (
        np.array([cells[column] for cells in table.values()])
        for column in ("coverage", "verdicts", "wrong")
    )
    assert coverage.min() >= 0.93
    assert verdicts[comparisons == "two draws of one source"].mean() <= 0.06
    assert wrong.mean() <= 0.03


@pytest.mark.parametrize("table", ["WARM", "COLD", "WITH_TEXTS"])
def test_methods_of_transfer_take_what_is_searched(benchmark_module, table):
    methods = benchmark_module("_transfer_methods")
    texts = ItemFeatures(["red", "blue", "grey"], ["film-1", "film-2", "book-1"])
    task = SimpleNamespace(X_source=np.zeros((1, 2)), texts=texts)
    for method in getattr(methods, table).values():
        first = {name: values[0] for name, values in method.grid.items()}
        parameters = methods.with_parameters(method.model(task), first).get_params()
        own = {name: value for name, value in first.items() if name in parameters}
        assert {name: parameters[name] for name in own} == own


@pytest.mark.slow
def test_transfer_on_generated_data(run_benchmark):
    warm_methods = ["ALS, target alone", "gate: ALS on both, or target alone"]
    methods = ["popularity", *warm_methods, "ALS on both", "ALS, ridge to ALS factors"]
    options = ["--data", "generated", "--methods", *methods]
    (record,) = run_benchmark("transfer.py", *options).values()
    cold, cold_in_full, warm = (
        {name: cells["all: NDCG@10"] for name, cells in figures(record, title).items()}
        for title in (
            "target (source), cold users, 999 random unseen items",
            "target (source), cold users, all unseen items",
            "target (source), 999 random unseen items",
        )
    )
    assert cold == cold_in_full  # there are fewer items than negatives
    assert cold["ALS, ridge to ALS factors"] > 1.5 * cold["popularity"] > 0
    assert warm["ALS on both"] > warm["ALS, target alone"] > 0
    assert warm["gate: ALS on both, or target alone"] > warm["ALS, target alone"]
    table = record["tables"]["target (source), 999 random unseen items"]["rows"]
    gain = table["ALS on both"]["over ALS, target alone"]
    difference = warm["ALS on both"] - warm["ALS, target alone"]
    assert gain["value"] == pytest.approx(difference, abs=1e-3)
    assert 0 < gain["error"] < gain["value"]


@pytest.mark.slow
def test_stacking_on_generated_data(run_benchmark):
    (record,) = run_benchmark("stacking.py", "--data", "generated").values()
    table = figures(record)
    shuffled = table["100%, with two shuffled"]
    assert shuffled["stack"] > 1.1 * shuffled["vote"]
    assert shuffled["over the best"] > -2


@pytest.mark.slow
def test_transfer_is_tuned_on_generated_data(run_benchmark):
    options = ["--data", "generated", "--tune", "--methods", "SVD, ridge to the items"]
    record = run_benchmark("transfer.py", *options)["transfer-generated-tuning"]
    search = record["searches"]["target (source), cold users: SVD, ridge to the items"]
    ndcg = {
        point["parameters"]["ridgerecommender__regularization"]: point["figures"]["clean"]["value"]
        for point in search["results"]
    }
    assert max(ndcg, key=ndcg.get) == search["chosen"]["ridgerecommender__regularization"]
    assert min(ndcg) < search["chosen"]["ridgerecommender__regularization"] < max(ndcg)


@pytest.mark.slow
def test_ranking_on_generated_data(run_benchmark):
    models = ["popularity", "graph filter"]
    records = run_benchmark("ranking.py", "--data", "generated", "--models", *models)
    (record,) = records.values()
    table = figures(record, "All unseen items ranked, generated")
    assert table["graph filter"]["Recall@20"] > 1.2 * table["popularity"]["Recall@20"] > 0
    assert figures(record, "Beside implicit")["top-20, rows folded in"]["ratio"] > 0


@pytest.mark.slow
def test_defaults_on_generated_data(run_benchmark):
    record = run_benchmark("defaults.py", "--data", "generated")["defaults-generated"]
    for cells in figures(record).values():
        assert cells["default"] > 1.4 * cells["popularity"] > 0
        assert cells["default over tuned"] > 0.93


@pytest.mark.slow
def test_cold_start_on_generated_data(run_benchmark):
    models = ["popularity", "ALS", "text neighbours", "hybrid", "hybrid and neighbours"]
    options = ["--data", "generated", "--splits", "2", "--models", *models]
    (record,) = run_benchmark("cold_start.py", *options).values()
    table = figures(record, "New items, generated")
    cold, everything = (
        {name: cells[f"{which}: NDCG@20"] for name, cells in table.items()}
        for which in ("cold", "all")
    )
    assert cold["hybrid"] > 1.5 * cold["popularity"] > 0
    assert everything["hybrid"] > 0.9 * everything["text neighbours"]
    assert everything["hybrid"] > 2 * everything["ALS"]
    assert everything["hybrid and neighbours"] > 1.2 * everything["ALS"]


@pytest.mark.slow
def test_new_items_in_a_catalogue(run_benchmark):
    record = run_benchmark("cold_start.py", "--catalogue", "20000")["cold_start-catalogue"]
    assert "shared: True" in run_benchmark.printed
    extension = figures(record)["with_items, 50 new items"]
    assert not (extension["peak MiB above what was held"] or 0) > 5


@pytest.mark.slow
def test_imbalance_on_generated_data(run_benchmark):
    means = figures(run_benchmark("imbalance.py", "--data", "generated")["imbalance-generated"])
    random, popularity, als = means["random"], means["popularity"], means["ALS"]
    assert popularity["all"] > 4 * random["all"]
    assert popularity["weighted"] < 2 * random["weighted"]
    assert popularity["matched"] < 2 * random["matched"]
    assert als["weighted"] > 4 * random["weighted"]
    discounted = [means[name] for name in means if name.startswith("ALS, discount")]
    assert len(discounted) == 2
    assert all(cells["head"] < als["head"] for cells in discounted)
    assert all(cells["tail"] > als["tail"] for cells in discounted)


@pytest.mark.slow
@pytest.mark.data
def test_ratings(data_home, run_benchmark):
    record = run_benchmark("ratings.py", "--models", "mean", "biases", "biased MF")["ratings"]
    rmse = {name: cells["RMSE"] for name, cells in figures(record, "Errors").items()}
    assert rmse["mean"] > rmse["biases"] + 0.1 > rmse["biased MF"] + 0.11
    by_rating, popularity, als = (
        cells["NDCG@10"] for cells in figures(record, "Rankings").values()
    )
    assert als > popularity + 0.05 > by_rating


@pytest.mark.slow
@pytest.mark.data
def test_alignment(data_home, run_benchmark):
    options = ["--n-papers", "600", "--n-components", "16"]
    table = figures(run_benchmark("alignment.py", *options)["alignment"])
    ndcg = {name: cells["NDCG@10"] for name, cells in table.items()}
    assert ndcg["no distortion"] > ndcg["popularity"]
    anchored = ndcg["own axes: ProcrustesAligner, 200 anchors"]
    assert ndcg["no distortion"] > anchored > ndcg["own axes: no alignment"] + 0.01


@pytest.mark.slow
def test_threads_on_generated_data(run_benchmark):
    options = ["--sizes", "300", "--data", "generated", "--models", "EASE", "--threads", "1", "2"]
    record = run_benchmark("threads.py", *options)["threads"]
    inverses, fits = figures(record, "Inverses"), figures(record, "Fits, generated")
    assert [cells["largest error"] < 1e-5 for cells in inverses.values()] == [True, True]
    assert [cells["same top 20"] > 0.99 for cells in fits.values()] == [True, True]


def test_a_repeated_item_counts_as_a_miss(benchmark_module):
    content_transfer = benchmark_module("content_transfer")
    features = ItemFeatures(np.eye(12) + 0.1)
    known, wanted = content_transfer.padded([[1, 2, 1], [3, 4]]), np.array([1, 5])
    catalogue = content_transfer.Catalogue(features, known, known, wanted)
    model = HistoryRecommender(ContentKNNRecommender(features), n_items=12).fit(known)
    ndcg, hits = catalogue.found(model)
    assert hits.tolist() == [False, True]
    rank = 1 + model.recommend(known)[0][1].tolist().index(4)
    assert ndcg.tolist() == [0, pytest.approx(1 / np.log2(1 + rank))]


@pytest.mark.slow
def test_content_transfer_on_generated_data(run_benchmark):
    options = ["--targets", "generated", "--sources", "generated, other", "--shares", "0", "0.2"]
    methods = ["popularity", "content neighbours, words", "content stack, source weights"]
    (record,) = run_benchmark("content_transfer.py", *options, "--methods", *methods).values()
    table = figures(record, "NDCG@10 in per cent, generated")
    assert table["popularity"]["0%"] is None
    words, stack = (table[name]["20%"] for name in methods[1:])
    assert stack > words > 0


def test_networks_for_the_next_item_take_what_the_search_chose(benchmark_module, monkeypatch):
    next_item = benchmark_module("next_item")
    searches = {("next_item-lastfm", "attention"): {"learning_rate": 0.01}}
    monkeypatch.setattr(next_item, "chosen", lambda *search: searches[search])
    parameters = next_item.network("gru", init="random").get_params()
    expected = {"architecture": "gru", "learning_rate": 0.01, "init": "random", **next_item.BUDGET}
    assert {name: parameters[name] for name in expected} == expected
    defaults = NextItemRecommender().get_params()
    assert {name: parameters[name] for name in defaults.keys() - expected.keys()} == {
        name: value for name, value in defaults.items() if name not in expected
    }


def test_votes_for_the_next_item_have_equal_weights_and_defaults(benchmark_module):
    next_item = benchmark_module("next_item")
    histories = Bunch(y_test=np.zeros((2, 3)), item_attributes=np.eye(3))
    models = next_item.closed_form(histories)
    vote = models["vote of these four"]
    assert vote.weights is None
    neighbors = vote.get_params()["item kNN, decayed"]
    assert neighbors.decay == "auto"
    assert neighbors.recommender.get_params() == ItemKNNRecommender().get_params()


def test_histories_of_several_catalogues_are_joined(benchmark_module):
    moved_network = benchmark_module("moved_network")
    histories = [np.array([[1, 3, 0]]), np.array([[2, 0, 0], [1, 2, 2]])]
    joined = moved_network.joined(histories, n_items=[3, 2])
    assert joined.tolist() == [[1, 3, 0], [5, 0, 0], [4, 5, 5]]


@pytest.mark.slow
def test_moved_network_on_generated_data(run_benchmark):
    options = ["--target", "generated", "--sources", "generated, other", "--n-components", "16"]
    record = run_benchmark("moved_network.py", *options)["moved_network-generated"]
    table = figures(record)
    ndcg = {name: cells["NDCG@10"] for name, cells in table.items()}
    words = "content neighbours, words, 0% of the users"
    assert {name for name, cells in table.items() if cells["NDCG@10 over the words"] is None} == {
        words
    }
    moved = "moved network, map of texts trained, 5% of the users"
    gain = table[moved]["NDCG@10 over the words"]
    assert gain == pytest.approx(ndcg[moved] - ndcg[words], abs=1e-3)
    assert ndcg[moved] > 1.5 * ndcg["network from scratch, 5% of the users"] > 0
    assert record["cpu_seconds_of_source"] > 0


@pytest.mark.filterwarnings("ignore")
def test_peers_do_the_same_work(benchmark_module):
    peers = benchmark_module("peers")
    X = peers.interactions(60, 40, 600)
    models = peers.all_models(X, 4, 3)
    assert {"neighbours", "neighbours, implicit", "ALS", "ALS, implicit"} <= set(models)
    items = {}
    for name, model in models.items():
        if model.fit:
            model.fit()
        if model.served and name.partition(", ")[2] not in ("rectools", "lenskit"):
            items[name], scores = model.served(range(50))(1)
            assert items[name].shape == scores.shape == (50, 3)
    seen = X[:50].toarray() > 0
    assert not np.take_along_axis(seen, items["neighbours"], axis=1).any()
    # Ties of equal cosines may be broken in another order.
    assert (items["neighbours"] == items["neighbours, implicit"]).mean() > 0.95


def test_rows_are_served_as_histories_of_their_items(benchmark_module):
    one_row = benchmark_module("one_row")
    X = one_row.interactions(30, 8, 90)
    rows = one_row.histories(X, length=8)
    for row, items in zip(rows, X.tolil().rows, strict=True):
        assert sorted(row[row > 0] - 1) == items
        assert not row[len(items) :].any()


@pytest.mark.slow
def test_one_row_is_served_in_a_new_process_without_tensorflow(run_benchmark):
    sizes = ["--n-rows", "300", "--n-items", "40", "--n-large", "60", "--n-interactions", "3000"]
    (record,) = run_benchmark("one_row.py", *sizes).values()
    table = figures(record, "One row")
    assert {"popularity", "attention", "variational autoencoder"} <= set(table)
    for line in table.values():
        assert line["TensorFlow"] == "no"
        assert line["CPU ms"] > 0
        assert line["first call, s"] > 0


def test_the_first_number_of_sweeps_that_is_good_enough(benchmark_module):
    als = benchmark_module("als")
    costs = {1: 0.1, 5: 0.5, 9: 0.9}
    assert als.first_reaching(costs, {1: 0.2, 5: 0.4, 9: 0.3}, 0.3) == (5, 0.5)
    assert als.first_reaching(costs, {1: 0.2, 5: 0.2, 9: 0.2}, 0.3) == (None, None)


def test_als_benchmark_measures_recall(benchmark_module):
    als = benchmark_module("als")
    U, V = np.eye(2, dtype=np.float32), np.zeros((30, 2), dtype=np.float32)
    V[:25, 0] = np.arange(25, 0, -1)
    X, wanted = np.zeros((2, 30), dtype=np.float32), np.zeros((2, 30), dtype=np.float32)
    X[0, 0] = wanted[0, [20, 21]] = 1  # item 20 is the last of the best 20 unseen ones
    factors = (lambda rows: U[: rows.shape[0]]), V
    found = als.recall(factors, als.sp.csr_array(X), als.sp.csr_array(wanted), np.arange(2))
    assert found == 0.5


def test_costs_of_peers_are_the_least_of_turns(benchmark_module, monkeypatch):
    peers = benchmark_module("peers")
    costs = iter(
        [peers.Cost(3, 5, 1), peers.Cost(7, 7, 7), peers.Cost(4, 4, 2), peers.Cost(6, 8, 8)]
    )
    monkeypatch.setattr(peers, "measure", lambda call: (call(), next(costs)))
    turns = []
    least = peers.least_costs({name: lambda n=name: turns.append(n) for name in "ab"}, repeats=2)
    assert turns == ["a", "b", "a", "b"]
    assert least == {"a": peers.Cost(3, 4, 1), "b": peers.Cost(6, 7, 7)}
