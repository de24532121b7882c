import numpy as np
import pytest


@pytest.fixture
def report(benchmark_module):
    return benchmark_module("_report")


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
