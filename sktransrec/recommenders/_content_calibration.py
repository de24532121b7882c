# SPDX-License-Identifier: BSD-3-Clause
"""How much neighbours by content count, and how new items compare with known ones.

Both are chosen on the same held-out interactions.
"""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from .._auto import MIN_ITEMS, MIN_ROWS, HeldOutPart, best_of, values_to_try
from .._numerics._entries import column_counts, entries_of
from .._numerics._row_totals import nonempty_rows
from .._recommend import row_blocks
from .._wrapping import with_chosen_values
from ..interactions import holdout_random

# In order of preference: the two count alike, as in a vote, unless other weights find more. The
# largest is nearly content alone.
NEIGHBOR_WEIGHTS = (1.0, 2.0, 0.5, 4.0, 0.25, 16.0, 0.0)
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
        kept, y = holdout_random(entries_of(X, ~is_new[X.indices]), _HELD_OUT, random_state=0)
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


class _Trial:
    """A hybrid fitted without held-out interactions, and the rows that are to find these."""

    def __init__(self, hybrid, X, content, held_out, has_neighbors):
        self.to_come = share_to_come(column_counts(X))
        self.model = _without_choices(hybrid, content, has_neighbors).fit(held_out.X)
        self._is_new = held_out.is_new
        n_rows_with = column_counts(held_out.X)
        self._is_cold = n_rows_with == 0
        rng = np.random.default_rng(0)
        rows = rng.permutation(nonempty_rows(held_out.X))[:_MAX_ROWS]
        self._rows, self._wanted = held_out.X[rows], held_out.y[rows]
        is_known = ~self._is_new[self._wanted.indices]
        self._wanted_known = entries_of(self._wanted, is_known)
        self._judged = nonempty_rows(self._wanted_known)
        known, new = (
            _sampled_pairs(self._rows, self._wanted, np.flatnonzero(items), rng)
            for items in (n_rows_with > 0, held_out.is_new)
        )
        self._pairs = [
            (self._evidence_of(*pairs[:2]), *pairs[2:]) for pairs in (known, _thinned(*new))
        ]
        self._wanted_later = _with_share_of(self._wanted, self._is_new, self.to_come, rng)

    @classmethod
    def of(cls, hybrid, X, content, has_neighbors):
        """Return the trial, None if too few interactions are left to learn from."""
        held_out = _HeldOut.of(X)
        most = column_counts(held_out.X).max()
        is_enough = held_out.is_new.any() and most >= hybrid.min_interactions
        return cls(hybrid, X, content, held_out, has_neighbors) if is_enough else None

    def _evidence_of(self, rows, columns):
        """Return the scores by factors and by neighbours of pairs, of shape (2, n_pairs)."""
        evidence = np.empty((2, len(rows)), dtype=np.float32)
        for block in row_blocks(*self._rows.shape):
            own = np.flatnonzero((rows >= block.start) & (rows < block.stop))
            scores = self.model._evidence(self._rows[block])
            evidence[:, own] = [each[rows[own] - block.start, columns[own]] for each in scores]
        return evidence

    def calibration(self, neighbor_weight):
        """Return the `Calibration` of new items for a weight of the neighbours.

        Two logistic regressions predict from the score whether a pair was held out, one for known
        and one for new items. Scale and offset make the two regressions the same function.
        """
        lines = [
            _log_odds(of_factors + neighbor_weight * of_neighbors, *others)
            for (of_factors, of_neighbors), *others in self._pairs
        ]
        return _NOT_CALIBRATED if None in lines else Calibration.of(*lines, self.to_come)

    def can_choose(self):
        """Return whether enough rows are to find known items to choose by them."""
        return len(self._judged) >= MIN_ROWS and self._wanted.shape[1] >= MIN_ITEMS

    def best_weight(self, calibrations):
        """Return the weight of the neighbours that finds the held-out known items best.

        Parameters
        ----------
        calibrations : dict of float to Calibration
            The weights to choose from, preferred ones first.
        """
        weights = list(calibrations)
        if len(weights) == 1:
            return weights[0]
        wanted = self._wanted_known[self._judged]
        part = HeldOutPart(self._rows, None, self._rows[self._judged], wanted)
        return best_of(weights, part.ndcg_of_each(lambda X: self._scores_of_each(X, calibrations)))

    def best_calibration(self, weight, calibrations):
        """Return the `Calibration` that finds known and new items best, the first one up to chance.

        Of the interactions with new items, the share that is still to come counts. So a line
        through a handful of interactions does not bury the new items, nor the known ones.
        """
        judged = nonempty_rows(self._wanted_later)
        if len(judged) < _MIN_PAIRS or self._wanted.shape[1] < MIN_ITEMS:
            return calibrations[0]
        part = HeldOutPart(self._rows, None, self._rows[judged], self._wanted_later[judged])

        def scores_of_each(X):
            evidence = self.model._evidence(X)
            return (self._scores(*evidence, weight, each) for each in calibrations)

        return best_of(calibrations, part.ndcg_of_each(scores_of_each))

    def _scores_of_each(self, X, calibrations):
        """Yield the scores with each weight; the items held out as new ones are the lowest."""
        evidence = self.model._evidence(X)
        for weight, calibration in calibrations.items():
            scores = self._scores(*evidence, weight, calibration)
            scores[:, self._is_new] = -np.inf
            yield scores

    def _scores(self, of_factors, of_neighbors, weight, calibration):
        scores = of_factors + np.float32(weight) * of_neighbors
        scale, offset = np.float32(calibration.scale), np.float32(calibration.offset)
        scores[:, self._is_cold] = scale * scores[:, self._is_cold] + offset
        return scores


def chosen_on_held_out(hybrid, X, content, *, has_neighbors):
    """Return the weight of the neighbours, and the `Calibration` of the scores of new items.

    A clone of the hybrid is fitted without the held-out interactions, unless there is nothing to
    choose.
    """
    weights = values_to_try(hybrid.neighbor_weight, NEIGHBOR_WEIGHTS) if has_neighbors else [0.0]
    calibrates = hybrid.content_scale == "auto" and hybrid.cold_policy in _SCORED
    scale = 1.0 if hybrid.content_scale == "auto" else float(hybrid.content_scale)
    given = Calibration(scale, 0.0, 0.0)
    has_choice = calibrates or len(weights) > 1
    trial = _Trial.of(hybrid, X, content, has_neighbors) if has_choice else None
    if trial is None:
        return float(weights[0]), given
    if not trial.can_choose():
        weights = weights[:1]
    calibrations = {
        weight: trial.calibration(weight) if calibrates else given for weight in weights
    }
    weight = trial.best_weight(calibrations)
    calibration = calibrations[weight]
    if calibrates and calibration != _NOT_CALIBRATED:
        calibration = trial.best_calibration(weight, [calibration, _NOT_CALIBRATED])
    return float(weight), calibration


def _without_choices(hybrid, content, has_neighbors):
    """Return a clone with one unit for everything, which chooses nothing, without frozen parts."""
    fitted = hybrid.recommender_
    # A frozen model may have learned from the held-out interactions.
    fitted = fitted.estimator if isinstance(fitted, FrozenEstimator) else fitted
    return clone(hybrid).set_params(
        recommender=with_chosen_values(fitted, fitted),
        item_features=content,
        content_scale=1.0,
        cold_policy="content",
        neighbor_weight=float(has_neighbors),
    )


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


def _with_share_of(wanted, columns, share, rng):
    """Return the wanted items, with a drawn share of those in the masked columns."""
    return entries_of(wanted, ~columns[wanted.indices] | (rng.random(wanted.nnz) < share))


def _thinned(rows, columns, is_held_out, weights):
    """Return pairs of new items, weighted as if only the share `_HELD_OUT` were held out."""
    return rows, columns, is_held_out, np.where(is_held_out, _HELD_OUT * weights, weights)


def _pair_numbers(X):
    """Return the number of each entry of X, counted row by row."""
    rows, columns = X.nonzero()
    return rows.astype(np.int64) * X.shape[1] + columns


def _log_odds(scores, is_held_out, weights):
    """Return intercept and slope of the log-odds as a function of the score, None if it falls."""
    from sklearn.linear_model import LogisticRegression  # slow to import

    if not _MIN_PAIRS <= np.count_nonzero(is_held_out) < len(is_held_out):
        return None
    unit = max(float(scores.std()), np.finfo(np.float32).tiny)
    line = LogisticRegression().fit((scores / unit)[:, None], is_held_out, weights)
    slope = float(line.coef_[0, 0]) / unit
    return (float(line.intercept_[0]), slope) if slope > 0 else None
