# SPDX-License-Identifier: BSD-3-Clause
"""Estimate the gain from two scores of the same rows, with confidence intervals."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, stdtrit
from scipy.stats import t
from sklearn.utils import gen_batches

# With fewer rows, all may differ in the same direction by chance, and a bootstrap cannot see that.
MIN_DIFFERENT_ROWS = 10

_ROWS_PER_COUNT = 8
# So many stay in the cache of a processor.
_NUMBERS_AT_ONCE = 2**17


@dataclass(frozen=True)
class GainEstimate:
    """The gain of some rows: how much better their scores are with the source than without it.

    Attributes
    ----------
    rows : str
        Which rows, in words.
    n_rows : int
        How many of them have something to find.
    transfer : float
        Their mean score with the source; NaN if there are no rows.
    baseline : float
        Their mean score without the source.
    gain : float
        The score with the source minus the score without it.
    interval : tuple of (float, float)
        The confidence interval of the gain; NaN if fewer than 10 rows score differently with the
        source and without it.
    relative_gain : float
        The gain as a share of the score without the source; NaN if that score is zero.
    relative_interval : tuple of (float, float)
        The confidence interval of the relative gain.
    share_helped : float
        The share of the rows that score higher with the source.
    share_hurt : float
        The share of the rows that score lower with the source.
    confidence_level : float
        The level of the intervals.

    See Also
    --------
    TransferGain : Holds one for all rows and one for each bucket of rows.
    """

    rows: str
    n_rows: int
    transfer: float
    baseline: float
    gain: float
    interval: tuple
    relative_gain: float
    relative_interval: tuple
    share_helped: float
    share_hurt: float
    confidence_level: float

    @property
    def verdict(self) -> str:
        """What the interval says: "helps", "harms", or "no evidence" if it holds zero."""
        low, high = self.interval
        if low > 0:
            return "helps"
        return "harms" if high < 0 else "no evidence"

    def __str__(self) -> str:
        if not self.n_rows:
            return "nothing to find"
        means = f"{self.baseline:.4f} -> {self.transfer:.4f}  {self.gain:+.4f}"
        if np.isnan(self.interval[0]):
            return f"{means}  too few rows differ for an interval"
        low, high = self.interval
        return f"{means} [{low:+.4f}, {high:+.4f}]{self._in_percent()}"

    def _in_percent(self):
        if np.isnan(self.relative_interval[0]):
            return ""
        low, high = self.relative_interval
        return f"  {self.relative_gain:+.0%} [{low:+.0%}, {high:+.0%}]"


def estimate_gain(rows, scores, *, n_train, confidence_level, n_resamples, random_state):
    """Return the gain of the first column of `scores` over the second; NaN rows do not count.

    `n_train` is the number of training rows of each model; infinite if the models are fixed.
    """
    scores = scores[~np.isnan(scores).any(axis=1)]
    n_rows = len(scores)
    mean = scores.mean(axis=0) if n_rows else np.full(2, np.nan)
    is_helped, is_hurt = scores[:, 0] > scores[:, 1], scores[:, 0] < scores[:, 1]
    n_different = np.count_nonzero(is_helped | is_hurt)
    resampled = np.full((1, 2), np.nan)
    tail = _tail(confidence_level, max(n_different, 2))
    if n_different >= MIN_DIFFERENT_ROWS:
        n_drawn = max(1, round(n_effective_rows(n_rows, n_train)))
        resampled = _resampled_means(scores, n_drawn, n_resamples, random_state)
    return GainEstimate(
        rows=rows,
        n_rows=n_rows,
        transfer=float(mean[0]),
        baseline=float(mean[1]),
        gain=float(mean[0] - mean[1]),
        interval=_interval(resampled[:, 0] - resampled[:, 1], tail),
        relative_gain=float(_relative_gains(mean[None])[0]),
        relative_interval=_interval(_relative_gains(resampled), tail),
        share_helped=float(is_helped.mean()) if n_rows else np.nan,
        share_hurt=float(is_hurt.mean()) if n_rows else np.nan,
        confidence_level=confidence_level,
    )


def n_effective_rows(n_rows, n_train):
    """Return how many rows would give the same variance if the models were fixed.

    The draw of the training rows adds variance (Nadeau and Bengio, 2003): a mean over `n_rows` has
    the variance of a row times ``1 / n_rows + 1 / n_train``.
    """
    return 1 / (1 / n_rows + 1 / n_train)


def standard_error(values, n_train):
    """Return the error of the mean over the last axis, over draws of rows to serve and to learn."""
    return values.std(axis=-1, ddof=1) / np.sqrt(n_effective_rows(values.shape[-1], n_train))


def _resampled_means(scores, n_drawn, n_resamples, random_state):
    """Return the mean scores of bootstrap samples of the rows, of shape (n_resamples, 2)."""
    distinct, counts = np.unique(scores, axis=0, return_counts=True)
    # Metrics of k places take few values. A count of equal rows costs as much as some rows.
    if n_drawn > _ROWS_PER_COUNT * len(distinct):
        means, n_numbers = _means_by_counts(distinct, counts / len(scores), n_drawn), len(distinct)
    else:
        means, n_numbers = _means_by_rows(scores, n_drawn), n_drawn
    batches = gen_batches(n_resamples, max(1, _NUMBERS_AT_ONCE // n_numbers))
    return np.concatenate([means(random_state, block.stop - block.start) for block in batches])


def _means_by_counts(distinct, shares, n_drawn):
    def means(random_state, n_samples):
        return random_state.multinomial(n_drawn, shares, size=n_samples) @ distinct / n_drawn

    return means


def _means_by_rows(scores, n_drawn):
    columns = np.ascontiguousarray(scores.T)

    def means(random_state, n_samples):
        rows = random_state.randint(len(scores), size=(n_samples, n_drawn))
        return np.stack([column.take(rows).mean(axis=1) for column in columns], axis=1)

    return means


def _tail(confidence_level, n_different):
    """Return the probability that a percentile interval leaves out at each end.

    The interval is widened by the ratio of the t to the normal distribution, and for the bias of
    the variance. Only rows that score differently count, because the others tell nothing about the
    spread.
    """
    quantile = stdtrit(n_different - 1, (1 + confidence_level) / 2)
    return ndtr(-quantile * np.sqrt(n_different / (n_different - 1)))


def _relative_gains(means):
    if not means[:, 1].all():
        return np.full(len(means), np.nan)
    return means[:, 0] / means[:, 1] - 1


def _interval(values, tail):
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


@dataclass(frozen=True)
class PairedDifference:
    """How much better a model scores than the baseline on the same rows.

    Attributes
    ----------
    difference : float
        The mean score of the model minus that of the baseline.
    interval : tuple of (float, float)
        Its confidence interval; the intervals of all models hold together.
    p_value : float
        The p-value that there is no difference, corrected for the number of models.

    See Also
    --------
    ModelComparison : Holds one for each model and metric.
    """

    difference: float
    interval: tuple
    p_value: float


def holm_differences(scores, baseline, *, n_train, confidence_level):
    """Return a `PairedDifference` for each model, corrected by Holm's step-down method.

    `scores` holds an array of shape (n_rows,) by name, `baseline` is another one; NaN rows do not
    count. `n_train` is the number of training rows, as in `estimate_gain`.
    """
    estimates = {
        name: _mean_and_error(values - baseline, n_train) for name, values in scores.items()
    }
    p_values = {
        name: _two_sided(mean, error, degrees) for name, (mean, error, degrees) in estimates.items()
    }
    found, largest, level_is_open = {}, 0.0, True
    for n_before, name in enumerate(sorted(p_values, key=p_values.get)):
        mean, error, degrees = estimates[name]
        n_left = len(p_values) - n_before
        # From the first model that is not shown to differ, all intervals have its level.
        if level_is_open:
            n_tests = n_left
        largest = max(largest, min(1.0, p_values[name] * n_left))
        level_is_open = level_is_open and largest <= 1 - confidence_level
        half = t.ppf(1 - (1 - confidence_level) / (2 * n_tests), degrees) * error
        found[name] = PairedDifference(mean, (mean - half, mean + half), largest)
    return {name: found[name] for name in scores}


def paired_errors(scores, n_train):
    """Return the standard errors of means without what all models share (Morey, 2008).

    The scores of each row are taken relative to their mean over the models, so that bars of models
    that differ clearly do not overlap. With a single model, this is the error of the mean.

    Parameters
    ----------
    scores : dict of str to ndarray of shape (n_rows,)
        NaN where a row does not count.
    n_train : float
        The number of training rows, as in `estimate_gain`.

    Returns
    -------
    errors : dict of str to float
    """
    values = np.stack(list(scores.values()))
    values = values[:, ~np.isnan(values).any(axis=0)]
    n_models, n_rows = values.shape
    if n_rows < 2:
        return dict.fromkeys(scores, np.nan)
    if n_models > 1:
        values = (values - values.mean(axis=0)) * np.sqrt(n_models / (n_models - 1))
    return dict(zip(scores, standard_error(values, n_train).tolist(), strict=True))


def _mean_and_error(differences, n_train):
    """Return the mean of paired differences, its standard error and its degrees of freedom."""
    differences = differences[~np.isnan(differences)]
    n_rows = len(differences)
    degrees = max(1, np.count_nonzero(differences) - 1)
    if n_rows < 2:
        return float(differences.mean()) if n_rows else np.nan, np.nan, degrees
    return float(differences.mean()), float(standard_error(differences, n_train)), degrees


def _two_sided(mean, error, degrees):
    """Return the p-value of a mean; 1 if it cannot be told."""
    if not error > 0:
        return 1.0
    return float(2 * t.sf(abs(mean) / error, degrees))
