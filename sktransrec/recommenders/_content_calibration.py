# SPDX-License-Identifier: BSD-3-Clause
"""Putting the scores of new items, from their content, on the scale of the known items."""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from .._wrapping import transformed
from ..interactions import holdout_random

_HELD_OUT = 0.2
_MAX_ROWS = 2000
_N_PAIRS = 100_000
_MIN_PAIRS = 10
_SCORED = ("content", "popularity")


class Calibration(NamedTuple):
    """The scale of the scores of new items, and an offset for each kind of new items.

    `offset` is that of columns of X without interactions, `later_offset` that of items which came
    after X.
    """

    scale: float
    offset: float
    later_offset: float

    @classmethod
    def of(cls, known, new, to_come):
        """Make two lines of log-odds, each intercept and slope, the same function.

        The lines count the same share of the interactions of both kinds of items. Of a later item
        all interactions are still to come, of a column without interactions the share `to_come`.
        """
        (known_intercept, known_slope), (new_intercept, new_slope) = known, new
        offset, later_offset = (
            float(new_intercept - known_intercept + np.log(share / _HELD_OUT)) / known_slope
            for share in (to_come, 1.0)
        )
        return cls(new_slope / known_slope, offset, later_offset)


_NOT_CALIBRATED = Calibration(1.0, 0.0, 0.0)


class _HeldOut(NamedTuple):
    """Interactions without the held-out ones, the held-out ones, and which items count as new."""

    X: sp.csr_array
    y: sp.csr_array
    is_new: np.ndarray

    @classmethod
    def of(cls, X):
        """Hold out all interactions with a fifth of the items, and a fifth of the others.

        The fifth is of all items, so that items which nobody has count as new ones that nobody
        took. Otherwise a new item would pass for more popular than the known ones of few rows.
        """
        rng = np.random.RandomState(0)
        n_items = X.shape[1]
        is_new = np.zeros(n_items, dtype=bool)
        is_new[rng.permutation(n_items)[: int(_HELD_OUT * n_items)]] = True
        of_new = sp.csr_array(X @ sp.diags_array(is_new.astype(X.dtype)))
        kept = sp.csr_array(X - of_new)
        kept.eliminate_zeros()
        kept, y = holdout_random(kept, _HELD_OUT, random_state=0)
        return cls(kept, sp.csr_array(y + of_new), is_new)


def share_to_come(n_rows_with):
    """Return the expected share of their interactions that items without any still have to come.

    It is 1 if the item is as new as a later one, and that of known items if rows could have taken
    it. In the second case an interaction goes to an item without any with the probability that
    Good and Turing estimate: the share of the interactions whose item has no other. The first case
    makes it certain. Both cases are equally likely beforehand.
    """
    missed = np.count_nonzero(n_rows_with == 1) / max(n_rows_with.sum(), 1)
    is_new = 1 / (1 + missed)
    return is_new + (1 - is_new) * _HELD_OUT


def new_item_calibration(hybrid, X, content):
    """Return the `Calibration` of the scores of new items.

    A clone of the hybrid is fitted without the held-out interactions and scores pairs of rows and
    items. Two logistic regressions predict from the score whether a pair was held out, one for
    known and one for new items. Scale and offset make the two regressions the same function.
    """
    to_come = share_to_come(np.bincount(X.indices))
    held_out = _HeldOut.of(X)
    n_rows_with = np.bincount(held_out.X.indices, minlength=X.shape[1])
    is_enough = held_out.is_new.any() and n_rows_with.max() >= hybrid.min_interactions
    if hybrid.cold_policy not in _SCORED or not is_enough:
        return _NOT_CALIBRATED
    model = _not_calibrated(hybrid, content).fit(held_out.X)
    rng = np.random.default_rng(0)
    rows = rng.permutation(np.flatnonzero(np.diff(held_out.X.indptr)))[:_MAX_ROWS]
    X, y = held_out.X[rows], held_out.y[rows]
    row_factors = transformed(model, X)
    known, new = (
        _sampled_pairs(X, y, np.flatnonzero(items), rng)
        for items in (n_rows_with > 0, held_out.is_new)
    )
    lines = [_log_odds(model, row_factors, *pairs) for pairs in (known, _thinned(*new))]
    if None in lines:
        return _NOT_CALIBRATED
    return Calibration.of(*lines, to_come)


def _not_calibrated(hybrid, content):
    """Return a clone without scale and offset, whose parts are not frozen."""
    recommender = hybrid.recommender
    if isinstance(recommender, FrozenEstimator):
        # The frozen model may have learned from the held-out interactions.
        recommender = clone(recommender.estimator)
    parameters = {"content_scale": 1.0, "cold_policy": "content", "item_features": content}
    return clone(hybrid).set_params(recommender=recommender, **parameters)


def _sampled_pairs(X, y, items, rng):
    """Return rows and columns of pairs not in X, whether they are in y, and their weights.

    About half of the pairs are in y. A weight is the number of pairs that a sampled one represents.
    """
    n_items = X.shape[1]
    in_y = _pair_numbers(y)
    in_y = in_y[np.isin(in_y % n_items, items)]
    drawn = rng.integers(X.shape[0], size=_N_PAIRS) * n_items + rng.choice(items, _N_PAIRS)
    others = drawn[~np.isin(drawn, np.concatenate([in_y, _pair_numbers(X)]))]
    held_out = rng.permutation(in_y)[:_N_PAIRS]
    pairs = np.concatenate([held_out, others])
    is_held_out = np.arange(len(pairs)) < len(held_out)
    stands_for = len(in_y) / max(len(held_out), 1), X.shape[0] * len(items) / _N_PAIRS
    return *np.divmod(pairs, n_items), is_held_out, np.where(is_held_out, *stands_for)


def _thinned(rows, columns, is_held_out, weights):
    """Return pairs of which as large a share is held out as of known items, not all."""
    return rows, columns, is_held_out, np.where(is_held_out, _HELD_OUT * weights, weights)


def _pair_numbers(X):
    """Return the number of each entry of X, counted row by row."""
    rows, columns = X.nonzero()
    return rows.astype(np.int64) * X.shape[1] + columns


def _log_odds(model, row_factors, rows, columns, is_held_out, weights):
    """Return intercept and slope of the log-odds as a function of the score, None if it falls."""
    if not _MIN_PAIRS <= np.count_nonzero(is_held_out) < len(is_held_out):
        return None
    scores = np.einsum("ij,ij->i", row_factors[rows], model.item_factors_[columns])
    if model.item_bias_ is not None:
        scores = scores + model.item_bias_[columns]
    unit = max(float(scores.std()), np.finfo(np.float32).tiny)
    line = LogisticRegression().fit((scores / unit)[:, None], is_held_out, weights)
    slope = float(line.coef_[0, 0]) / unit
    return (float(line.intercept_[0]), slope) if slope > 0 else None
