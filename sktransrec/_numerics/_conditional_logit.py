# SPDX-License-Identifier: BSD-3-Clause
"""The conditional logit: the weights of features that make the chosen items likely."""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, log_expit
from sklearn.utils import gen_batches

from ._row_totals import numbers_within

_MAX_STEPS = 50
# Newton's method stops when the expected decrease is less than this for each row.
_TOLERANCE = 1e-6
_MAX_UPDATES = 30
# Weights of standardised evidence are seldom smaller. If a few rows chose against all evidence
# together, it keeps this weight; if many did, a single kind may still be worth it.
_USUAL_WEIGHT = 0.1
# Ranks up to this one count in `row_ndcg`, and so many ranks are compared at a time.
_K = 20
_MAX_COMPARISONS = 2**24


class Choices(NamedTuple):
    """What rows chose, and what they could have chosen instead.

    Attributes
    ----------
    rejected : ndarray of shape (n_rows, n_alternatives, n_features), dtype float32
        The features of items that each row did not choose.
    represents : ndarray of shape (n_rows, n_alternatives)
        The number of items that each of these stands for; 0 if it does not count.
    chosen : ndarray of shape (n_choices, n_features), dtype float32
        The features of the chosen items.
    rows : ndarray of int of shape (n_choices,)
        The row of each chosen item.
    """

    rejected: np.ndarray
    represents: np.ndarray
    chosen: np.ndarray
    rows: np.ndarray

    def of_rows(self, is_wanted):
        """Return the choices of some rows, given by a mask."""
        new_places = np.cumsum(is_wanted) - 1
        is_kept = is_wanted[self.rows]
        return Choices(
            self.rejected[is_wanted],
            self.represents[is_wanted],
            self.chosen[is_kept],
            new_places[self.rows[is_kept]],
        )

    def of_features(self, are_wanted):
        """Return the choices with some of the features, given by a mask."""
        if are_wanted.all():
            return self
        return self._replace(
            rejected=self.rejected[..., are_wanted], chosen=self.chosen[:, are_wanted]
        )

    def along(self, weights):
        """Return the choices with a single feature, the sum of all with these weights."""
        weights = weights.astype(np.float32)[:, None]
        return self._replace(rejected=self.rejected @ weights, chosen=self.chosen @ weights)


def joined_choices(parts):
    """Return the choices of several groups of rows as one."""
    n_rows = [len(part.rejected) for part in parts]
    n_before = np.cumsum(n_rows) - n_rows
    *fields, rows = zip(*parts, strict=True)
    rows = [each + n for each, n in zip(rows, n_before, strict=True)]
    return Choices(*map(np.concatenate, fields), np.concatenate(rows))


def feature_correlations(choices):
    """Return the correlation of each two features over the rejected items, 0 where one is constant.

    Items that stand for many count as many.
    """
    features = choices.rejected.reshape(-1, choices.rejected.shape[2])
    importance = choices.represents.reshape(-1, 1) / max(choices.represents.sum(), 1)
    away = features - (importance * features).sum(axis=0)
    covariances = (importance * away).T @ away
    deviations = np.sqrt(np.diag(covariances))
    scales = np.outer(deviations, deviations)
    return np.divide(covariances, scales, out=np.zeros_like(scales), where=scales > 0)


def conditional_logit_loss(choices, weights):
    r"""Return the loss of weights, its gradient and its Hessian.

    The loss is the sum over the rows of the mean of :math:`-\log p` over their choices, where

    .. math:: p = \frac{e^{w^T z_c}}{e^{w^T z_c} + \sum_a n_a e^{w^T z_a}}

    is the probability of the chosen item c beside the rejected items a, and :math:`n_a` the number
    of items that a stands for. So each row counts once, however many items it chose.
    """
    rejected, represents, chosen, rows = choices
    n_rows, _, n_features = rejected.shape
    log_totals, shares = _log_totals(rejected @ weights.astype(np.float32), represents)
    means = np.matmul(shares[:, None], rejected)[:, 0].astype(np.float64)

    gaps = log_totals[rows] - chosen @ weights
    importance = 1 / np.bincount(rows, minlength=n_rows)[rows]
    misses = importance * expit(gaps)
    differences = means[rows] - chosen
    value = -(importance * log_expit(-gaps)).sum()

    row_misses = np.bincount(rows, misses, minlength=n_rows)
    flat = rejected.reshape(-1, n_features)
    hessian = (flat * (shares * row_misses[:, None]).astype(np.float32).reshape(-1, 1)).T @ flat
    hessian = hessian - (means * row_misses[:, None]).T @ means
    hessian += (differences * (misses * expit(-gaps))[:, None]).T @ differences
    return value, misses @ differences, hessian


def _log_totals(scores, represents):
    """Return the logarithm of each row's sum of exponentials, and the shares in this sum."""
    largest = np.where(represents > 0, scores, -np.inf).max(axis=1, initial=-np.inf)
    largest = np.where(np.isfinite(largest), largest, 0)
    shares = represents * np.exp(np.minimum(scores - largest[:, None], 0))
    totals = shares.sum(axis=1)
    with np.errstate(divide="ignore"):
        log_totals = largest + np.log(totals, dtype=np.float64)
    return log_totals, shares / np.where(totals > 0, totals, 1)[:, None]


def conditional_logit_weights(choices, prior, regularization, is_signed):
    """Return weights that make the choices likely, near a multiple of the prior weights.

    Parameters
    ----------
    choices : Choices
    prior : ndarray of shape (n_features,)
        Weights of which one is not 0. Their multiple is chosen first, as a single number.
    regularization : float or "auto"
        How strongly weights are held at this multiple, in units of rows. "auto" takes the value
        under which the choices are most likely (empirical Bayes).
    is_signed : ndarray of bool of shape (n_features,)
        The weights that may be below 0.

    Returns
    -------
    weights : ndarray of shape (n_features,)
    regularization : float
        The value that was used.
    """
    least = np.where(is_signed, -np.inf, 0.0)
    center = best_multiple(choices, prior)
    if regularization != "auto":
        weights, _ = _penalized_minimum(choices, center, regularization, least, center)
        return weights, regularization
    usual_square = max(center @ center, len(center) * _USUAL_WEIGHT**2)
    weights, regularization = center, len(center) / usual_square
    for _ in range(_MAX_UPDATES):
        weights, hessian = _penalized_minimum(choices, center, regularization, least, weights)
        before = regularization
        regularization = _likely_regularization(hessian, weights - center, before, usual_square)
        if abs(np.log(regularization / before)) < 0.05:
            break
    return weights, regularization


def held_out_losses(choices, priors, regularization, is_signed):
    """Return the loss of each row under weights that are learned from the other half of the rows.

    Parameters
    ----------
    choices, regularization, is_signed
        As in `conditional_logit_weights`.
    priors : sequence of ndarray of shape (n_features,)

    Returns
    -------
    losses : ndarray of shape (n_priors, n_rows)
        0 for a row that chose nothing.
    """

    def learner(prior):
        return lambda is_known: conditional_logit_weights(
            choices.of_rows(is_known), prior, regularization, is_signed
        )[0]

    return _judged_by_halves(choices, list(map(learner, priors)), _row_losses)


def held_out_ndcg(choices, learners):
    """Return the NDCG of each row under weights that are learned from the other half of the rows.

    Parameters
    ----------
    choices : Choices
    learners : sequence of callable
        From the mask of the rows to learn from to weights.

    Returns
    -------
    ndcg : ndarray of shape (n_learners, n_rows)
        0 for a row that chose nothing.
    """
    return _judged_by_halves(choices, learners, row_ndcg)


def _judged_by_halves(choices, learners, measure):
    n_rows = len(choices.rejected)
    judged = np.zeros((len(learners), n_rows))
    for half in (0, 1):
        is_held_out = np.arange(n_rows) % 2 == half
        held_out = choices.of_rows(is_held_out)
        for place, learn in enumerate(learners):
            judged[place, is_held_out] = measure(held_out, learn(~is_held_out))
    return judged


def row_ndcg(choices, weights):
    """Return the NDCG@20 of the chosen items of each row, among them and the rejected ones.

    Rejected items with the same score as a chosen one count half.
    """
    rejected, represents, chosen, rows = choices
    rejected, chosen = rejected @ weights.astype(np.float32), chosen @ weights.astype(np.float32)
    n_before = np.zeros(len(rows))
    for part in gen_batches(len(rows), max(1, _MAX_COMPARISONS // max(rejected.shape[1], 1))):
        above = rejected[rows[part]] - chosen[part, None]
        n_before[part] = (represents[rows[part]] * (np.sign(above) + 1)).sum(axis=1) / 2
    n_chosen = np.bincount(rows, minlength=len(rejected))
    order = np.lexsort((-chosen, rows))
    n_before[order] += numbers_within(n_chosen)
    gains = np.where(n_before < _K, 1 / np.log2(2 + n_before), 0)
    ideal = np.cumsum(1 / np.log2(2 + np.arange(_K)))[np.clip(n_chosen, 1, _K) - 1]
    return np.bincount(rows, gains, minlength=len(rejected)) / ideal


def _row_losses(choices, weights):
    """Return the mean of -log p over the choices of each row."""
    rejected, represents, chosen, rows = choices
    log_totals, _ = _log_totals(rejected @ weights.astype(np.float32), represents)
    losses = -log_expit(chosen @ weights - log_totals[rows])
    n_chosen = np.bincount(rows, minlength=len(rejected))
    sums = np.bincount(rows, losses, minlength=len(rejected))
    return sums / np.maximum(n_chosen, 1)


def best_multiple(choices, prior):
    """Return the multiple of the prior weights under which the choices are most likely.

    It is never so small that a few choices could take the weights of all evidence away.
    """
    if not prior.any():  # as all rows together may leave them to a group of rows
        return prior
    one, along = np.ones(1), choices.along(prior)
    least = _USUAL_WEIGHT / np.sqrt(np.square(prior[prior != 0]).mean(keepdims=True))
    multiple, _ = _penalized_minimum(along, one, 0.1, least, one)
    return prior * multiple


def _likely_regularization(hessian, away, regularization, usual_square):
    """Return the next value of MacKay's iteration (1992): determined weights over their square.

    A weight is determined as far as its curvature comes from the loss, not from the penalty. As
    many weights again count as if they were away from the centre by the usual amount, so that few
    weights that agree or disagree by chance do not decide alone.
    """
    curvatures = np.maximum(np.linalg.eigvalsh(hessian), 0)
    n_determined = (curvatures / (curvatures + regularization)).sum()
    return (n_determined + len(away)) / (away @ away + usual_square)


def _penalized_minimum(choices, center, regularization, least, weights):
    """Return where the loss and the squared distance to the centre are least, and its Hessian.

    The Hessian is that of the loss without the distance. Newton's method finds the place; its
    steps are projected so that no weight is below its `least` one (Bertsekas, 1982).
    """

    def penalized(weights):
        value, gradient, hessian = conditional_logit_loss(choices, weights)
        away = weights - center
        value += 0.5 * regularization * (away @ away)
        return value, gradient + regularization * away, hessian

    value, gradient, hessian = penalized(weights)
    tolerance, damping = _TOLERANCE * max(len(choices.rejected), 1), 1.0
    for _ in range(_MAX_STEPS):
        step = _newton_step(gradient, hessian, regularization, (weights > least) | (gradient < 0))
        if gradient @ step < tolerance or damping < 1e-6:
            break
        next_weights = np.maximum(weights - damping * step, least)
        next_value, next_gradient, next_hessian = penalized(next_weights)
        if next_value > value:
            damping /= 4
            continue
        weights, damping = next_weights, 1.0
        value, gradient, hessian = next_value, next_gradient, next_hessian
    return weights, hessian


def _newton_step(gradient, hessian, regularization, moves):
    """Return Newton's step of the weights that move, and 0 for the others."""
    curvature = hessian + (regularization + 1e-9) * np.eye(len(gradient))
    step = np.zeros(len(gradient))
    step[moves] = np.linalg.solve(curvature[np.ix_(moves, moves)], gradient[moves])
    return step
