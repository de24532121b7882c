# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest


@pytest.fixture
def report(benchmark_module):
    return benchmark_module("_report")


def test_measure(report):
    result, cost = report.measure(np.ones, (1000, 1000, 10))
    assert result.shape == (1000, 1000, 10)
    assert cost.cpu_seconds > 0
    assert cost.wall_seconds > 0
    assert np.isnan(cost.peak_mib) or cost.peak_mib == pytest.approx(76, abs=20)
    del result
    _, cost = report.measure(np.ones, 10)
    assert not cost.peak_mib > 20


def test_mean_and_error_leave_out_rows_without_a_value(report):
    assert report.mean_and_error([1.0, np.nan, 2.0, 3.0]) == pytest.approx((2, 1 / np.sqrt(3)))


def test_format_table(report):
    columns = {"model": "", "s": ".2f", "NDCG": ".1f", "gain": "+.1f"}
    rows = [
        ["ALS", 1.234, None, np.nan],
        ["popularity", 12, report.Estimate(0.12, 0.21), report.Estimate(0.5, 0.1)],
    ]
    assert report.format_table(columns, rows).split("\n") == [
        "model           s       NDCG        gain",
        "----------  -----  ---------  ----------",
        "ALS          1.23          -           -",
        "popularity  12.00  0.1 ± 0.2  +0.5 ± 0.1",
    ]
    markdown = report.format_table(columns, rows, markdown=True).split("\n")
    assert markdown[1] == "| ---------- | ----: | --------: | ---------: |"
    assert len({len(line) for line in markdown}) == 1


def test_trainings_take_turns_beside_ours(report):
    seconds = iter([2.0, 8.0, 4.0, 1.0, 3.0, 6.0])
    rows = report.beside_ours(lambda name: next(seconds), ["sktransrec", "other"], "10 items", 3)
    assert rows == [("sktransrec, 10 items", 3.0, 1.0), ("other, 10 items", 6.0, 0.5)]


def test_an_epoch_costs_what_further_ones_add(report, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(report.time, "process_time", lambda: clock[0])

    def train(epochs):
        clock[0] += 7 + 2 * epochs

    assert report.seconds_per_epoch(train, 4) == 2
