# SPDX-License-Identifier: BSD-3-Clause
"""Intervals of known differences."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm, ttest_rel

from sktransrec.evaluation import _paired
from sktransrec.evaluation._paired import _resampled_means, estimate_gain


def _estimate(scores, *, n_train=np.inf, confidence_level=0.95, n_resamples=5000, random_state=0):
    return estimate_gain(
        "all",
        np.asarray(scores, dtype=float),
        n_train=n_train,
        confidence_level=confidence_level,
        n_resamples=n_resamples,
        random_state=np.random.RandomState(random_state),
    )


def _scores(n_rows, gain, rng, share_different=1.0):
    """Return pairs of scores whose expected difference is `gain`."""
    baseline = rng.beta(1, 2, n_rows)
    is_different = rng.uniform(size=n_rows) < share_different
    noise = rng.choice([-1, 1], n_rows) * rng.exponential(0.1, n_rows)
    return np.column_stack([baseline + is_different * (gain / share_different + noise), baseline])


def test_means_and_shares():
    scores = np.array([[0.5, 0.25], [0.0, 0.5], [1.0, 0.0], [0.5, 0.5], [np.nan, np.nan]])
    estimate = _estimate(np.repeat(scores, 5, axis=0))
    assert estimate.n_rows == 20
    assert_allclose([estimate.transfer, estimate.baseline], [0.5, 0.3125])
    assert_allclose([estimate.gain, estimate.relative_gain], [0.1875, 0.6])
    assert (estimate.share_helped, estimate.share_hurt) == (0.5, 0.25)


def test_interval_agrees_with_the_paired_t_test():
    scores = _scores(600, 0.01, np.random.default_rng(0))
    expected = ttest_rel(*scores.T).confidence_interval(0.9)
    interval = _estimate(scores, confidence_level=0.9, n_resamples=10_000).interval
    assert_allclose(interval, expected, atol=3e-4)


def test_interval_of_few_rows_is_that_of_the_t_test():
    """A bootstrap alone is too short by the quantile of t, and by the bias of the variance."""
    gains = norm.ppf((np.arange(12) + 0.5) / 12)
    scores = np.column_stack([gains, np.zeros(12)])
    expected = ttest_rel(*scores.T).confidence_interval()
    assert_allclose(_estimate(scores, n_resamples=100_000).interval, expected, rtol=0.015)


@pytest.mark.parametrize("rows_per_count", [0, 1000], ids=["by counts", "by rows"])
def test_means_are_spread_as_theory_says(rows_per_count, monkeypatch):
    monkeypatch.setattr(_paired, "_ROWS_PER_COUNT", rows_per_count)
    scores = np.random.RandomState(1).choice([0, 0.25, 1], size=(80, 2))
    means = _resampled_means(scores, 50, 20_000, np.random.RandomState(0))
    assert means.shape == (20_000, 2)
    assert_allclose(means.mean(axis=0), scores.mean(axis=0), atol=2e-3)
    assert_allclose(np.cov(means.T), np.cov(scores.T, bias=True) / 50, atol=1.5e-4)


@pytest.mark.parametrize("n_train", [100, 400, 1600])
def test_interval_allows_for_the_rows_learned_from(n_train):
    scores = _scores(400, 0.02, np.random.default_rng(0))
    of_rows, of_both = (
        np.ptp(_estimate(scores, n_train=n, n_resamples=10_000).interval) for n in (np.inf, n_train)
    )
    assert_allclose(of_both / of_rows, np.sqrt(1 + 400 / n_train), rtol=0.04)


@pytest.mark.parametrize("share_different", [0.2, 1.0])
@pytest.mark.parametrize("n_rows", [120, pytest.param(300, marks=pytest.mark.slow)])
def test_interval_holds_the_truth_as_often_as_it_says(n_rows, share_different):
    rng = np.random.default_rng(0)
    n_trials = 200
    holds = 0
    for trial in range(n_trials):
        scores = _scores(n_rows, 0.02, rng, share_different)
        low, high = _estimate(scores, n_resamples=300, random_state=trial).interval
        holds += low <= 0.02 <= high
    # Four standard errors of a share of 95 % of the trials.
    assert holds / n_trials > 0.95 - 4 * np.sqrt(0.95 * 0.05 / n_trials)


def test_interval_holds_the_truth_where_what_is_learned_varies():
    """A row adds to its own gain, and half as much to that of the rows served by others' models."""
    rng = np.random.default_rng(0)
    n_rows, n_trials, n_folds = 120, 200, 5
    folds = np.arange(n_rows) % n_folds
    holds = dict.fromkeys((np.inf, n_rows * (1 - 1 / n_folds)), 0)
    for trial in range(n_trials):
        row = rng.exponential(0.1, n_rows) - 0.1
        learned = np.array([0.5 * row[folds != fold].mean() for fold in range(n_folds)])
        scores = np.column_stack([1 + row + learned[folds], np.ones(n_rows)])
        for n_train in holds:
            estimate = _estimate(scores, n_train=n_train, n_resamples=300, random_state=trial)
            holds[n_train] += estimate.interval[0] <= 0 <= estimate.interval[1]
    of_rows_alone, of_both = holds.values()
    assert of_both / n_trials > 0.95 - 4 * np.sqrt(0.95 * 0.05 / n_trials)
    assert of_rows_alone / n_trials < 0.88


def test_interval_is_paired():
    rng = np.random.default_rng(0)
    baseline = rng.uniform(size=50)
    scores = np.column_stack([baseline + 0.01 + 1e-3 * rng.uniform(size=50), baseline])
    estimate = _estimate(scores)
    assert estimate.verdict == "helps"
    rng.shuffle(scores[:, 1])
    assert _estimate(scores).verdict == "no evidence"


def test_random_state_makes_it_reproducible():
    scores = _scores(80, 0.0, np.random.default_rng(0))
    assert _estimate(scores) == _estimate(scores)
    assert _estimate(scores).interval != _estimate(scores, random_state=1).interval


def test_few_rows_that_differ_are_no_evidence():
    scores = np.zeros((500, 2))
    scores[:9, 0] = 1
    estimate = _estimate(scores)
    assert np.isnan(estimate.interval).all()
    assert estimate.verdict == "no evidence"
    assert "too few rows differ" in str(estimate)
    scores[9, 0] = 1
    assert _estimate(scores).verdict == "helps"


def test_no_rows_at_all():
    estimate = _estimate(np.full((4, 2), np.nan))
    assert estimate.n_rows == 0
    assert estimate.verdict == "no evidence"
    assert str(estimate) == "nothing to find"


def test_relative_gain_of_a_score_of_zero_is_not_defined():
    scores = np.zeros((40, 2))
    scores[::2, 0] = 0.5
    estimate = _estimate(scores)
    assert np.isnan(estimate.relative_gain)
    assert np.isnan(estimate.relative_interval).all()
    assert estimate.verdict == "helps"
