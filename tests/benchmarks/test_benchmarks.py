import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def report():
    spec = spec_from_file_location("_report", BENCHMARKS / "_report.py")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # where a dataclass looks its module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_measure(report):
    result, cost = report.measure(np.ones, (1000, 1000, 20))
    assert result.shape == (1000, 1000, 20)
    assert cost.cpu_seconds > 0
    assert cost.wall_seconds > 0
    assert np.isnan(cost.peak_mib) or cost.peak_mib == pytest.approx(153, abs=20)
    del result
    _, cost = report.measure(np.ones, 10)
    assert not cost.peak_mib > 20


def test_mean_and_error_leave_out_rows_without_a_value(report):
    assert report.mean_and_error([1.0, np.nan, 2.0, 3.0]) == "2.0000 ± 0.5774"


def test_format_table(report):
    rows = [["ALS", 1.234, None], ["popularity", 12, "0.1 ± 0.2"]]
    lines = report.format_table(["model", "s", "NDCG"], rows).split("\n")
    assert lines == [
        "model          s       NDCG",
        "----------  ----  ---------",
        "ALS         1.23          -",
        "popularity    12  0.1 ± 0.2",
    ]
    markdown = report.format_table(["model", "s", "NDCG"], rows, markdown=True).split("\n")
    assert markdown[1] == "| ---------- | ---: | --------: |"
    assert len({len(line) for line in markdown}) == 1


def run_benchmark(name, *options):
    """Return what a benchmark prints."""
    command = [sys.executable, BENCHMARKS / name, *options]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
def test_intervals_and_verdicts_of_gains_are_honest():
    n_runs = 100
    lines = run_benchmark("verdicts.py", "--runs", str(n_runs)).split("\n")
    cells = [re.split(r" {2,}", line) for line in lines if line.endswith("%")]
    comparisons = np.array([row[0] for row in cells])
    coverage, verdicts, wrong = np.array(
        [[float(share.rstrip("%")) / 100 for share in row[-3:]] for row in cells]
    ).T
    # Three standard errors of a share of 93 % of the runs.
    assert coverage.min() > 0.93 - 3 * np.sqrt(0.93 * 0.07 / n_runs)
    for comparison in np.unique(comparisons):
        assert coverage[comparisons == comparison].mean() >= 0.93
    assert verdicts[comparisons == "two draws of one source"].mean() <= 0.06
    assert wrong.mean() <= 0.03


@pytest.mark.slow
def test_transfer_on_generated_data():
    warm_methods = ["ALS, target alone", "gate: ALS on both, or target alone"]
    methods = ["popularity", *warm_methods, "ALS on both", "ALS, ridge to ALS factors"]
    printed = run_benchmark("transfer.py", "--data", "generated", "--methods", *methods)
    tables = [table.split("\n") for table in printed.split("\n\n") if "unseen items" in table]
    cells = [
        {row[0]: row[1:] for row in (re.split(r" {2,}", line) for line in table[2:])}
        for table in tables
    ]
    cold, cold_in_full, warm, _ = (
        {name: float(row[1].split("±")[0]) for name, row in table.items()} for table in cells
    )
    assert cold == cold_in_full  # there are fewer items than negatives
    assert cold["ALS, ridge to ALS factors"] > 1.5 * cold["popularity"] > 0
    assert warm["ALS on both"] > 1.05 * warm["ALS, target alone"] > 0
    assert warm["gate: ALS on both, or target alone"] > warm["ALS, target alone"]
    gain, error = map(float, cells[2]["ALS on both"][6].split("±"))
    assert gain == pytest.approx(warm["ALS on both"] - warm["ALS, target alone"], abs=0.011)
    assert 0 < error < gain


@pytest.mark.slow
def test_transfer_is_tuned_on_generated_data():
    options = ["--data", "generated", "--tune", "--methods", "SVD, ridge to the items"]
    printed = run_benchmark("transfer.py", *options)
    ndcg = [float(mean) for mean in re.findall(r"} +([\d.]+) ±", printed)]
    assert ndcg == sorted(ndcg, reverse=True)
    assert len(ndcg) == 3


@pytest.mark.slow
def test_ranking_on_generated_data():
    options = ["--data", "generated", "--models", "popularity", "graph filter"]
    run = subprocess.run(
        [sys.executable, BENCHMARKS / "ranking.py", *options],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = {line.split("  ")[0]: re.split(r" {2,}", line) for line in run.stdout.split("\n")}
    recall = {name: float(rows[name][1].split("±")[0]) for name in ("popularity", "graph filter")}
    assert recall["graph filter"] > 1.2 * recall["popularity"] > 0
    assert float(rows["top-20, rows folded in"][-1]) > 0


@pytest.mark.slow
def test_cold_start_on_generated_data():
    models = ["popularity", "ALS", "text neighbours", "hybrid", "hybrid and neighbours"]
    options = ["--data", "generated", "--splits", "2", "--models", *models]
    lines = run_benchmark("cold_start.py", *options).split("\n")
    rows = [re.split(r" {2,}", line) for line in lines if line.count("±") == 6]
    means = {name: [float(cell.split("±")[0]) for cell in cells[:6]] for name, *cells in rows}
    cold, everything = ({name: row[i] for name, row in means.items()} for i in (1, 5))
    assert cold["hybrid"] > 1.5 * cold["popularity"] > 0
    assert everything["hybrid"] > 1.2 * everything["text neighbours"]
    assert everything["hybrid and neighbours"] > 1.2 * everything["ALS"]


@pytest.mark.slow
def test_new_items_in_a_catalogue():
    printed = run_benchmark("cold_start.py", "--catalogue", "20000")
    assert "shared: True" in printed
    (row,) = [line for line in printed.split("\n") if line.startswith("with_items")]
    assert not float(row.split()[-1]) > 5


@pytest.mark.slow
def test_imbalance_on_generated_data():
    lines = run_benchmark("imbalance.py", "--data", "generated").split("\n")
    rows = [re.split(r" {2,}", line) for line in lines if line.count("±") == 6]
    means = {name: [float(cell.split("±")[0]) for cell in cells] for name, *cells in rows}
    overall, head, _, tail, weighted, matched = range(6)
    random, popularity, als = means["random"], means["popularity"], means["ALS"]
    assert popularity[overall] > 4 * random[overall]
    assert popularity[weighted] < 2 * random[weighted]
    assert popularity[matched] < 2 * random[matched]
    assert als[weighted] > 4 * random[weighted]
    discounted = [means[name] for name in means if name.startswith("ALS, discount")]
    assert all(row[head] < als[head] and row[tail] > als[tail] for row in discounted)


@pytest.mark.slow
@pytest.mark.data
def test_ratings(data_home):
    lines = run_benchmark("ratings.py", "--models", "mean", "biases", "biased MF").split("\n")
    values = [float(re.split(r" {2,}", line)[1].split("±")[0]) for line in lines if "±" in line]
    (mean, biases, factors), (by_rating, popularity, als) = values[:3], values[3:]
    assert mean > biases + 0.1 > factors + 0.11
    assert als > popularity + 0.05 > by_rating


@pytest.mark.slow
@pytest.mark.data
def test_alignment(data_home):
    lines = run_benchmark("alignment.py", "--n-papers", "600", "--n-components", "16").split("\n")
    table = lines[lines.index(next(line for line in lines if line.startswith("---"))) + 1 :]
    cells = [re.split(r" {2,}", line) for line in table if line]
    ndcg = {name: float(value.split("±")[0]) for name, value, *_ in cells}
    assert ndcg["no distortion"] > ndcg["popularity"]
    anchored = ndcg["own axes: ProcrustesAligner, 200 anchors"]
    assert ndcg["no distortion"] > anchored > ndcg["own axes: no alignment"] + 0.01


@pytest.mark.slow
def test_threads_on_generated_data():
    options = ["--sizes", "300", "--data", "generated", "--models", "EASE", "--threads", "1", "2"]
    lines = run_benchmark("threads.py", *options).split("\n")
    rows = [re.split(r" {2,}", line) for line in lines]
    inverses = [row for row in rows if row[0] == "300 columns, blocks"]
    assert [float(row[2]) < 1e-5 for row in inverses] == [True, True]
    assert [float(row[2].rstrip("%")) > 99 for row in rows if row[0] == "EASE"] == [True, True]
