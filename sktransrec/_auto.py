# SPDX-License-Identifier: BSD-3-Clause
"""The values of parameters that are "auto": those that find held-out interactions best.

An estimator whose parameter is "auto" holds out a part of what `fit` got, fits a few candidate
values to the rest, and keeps the first value whose NDCG@20 is within a standard error of the best::

    part = held_out_interactions(X)
    value = best_of(CANDIDATES, [part.ndcg(scorer_of(part.known, value)) for value in CANDIDATES])

`CANDIDATES` are in order of preference; the first one, a value from the literature, is also the
value for data that are too small to judge, where there is no part. What does not depend on the
value, such as a Gram matrix of `part.known`, is computed once before. Where the NDCG is a smooth
function of a number, all judged values together say where it is largest: `choice_on_curves`. For
the recommenders that learn the map from X to y, `held_out_rows` holds out whole rows.

The part is the same at every call, so the choice is deterministic.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from sklearn.utils.random import sample_without_replacement

from ._histories import ends_in_new_item, last_items, seen_items, without_last
from ._numerics._entries import at_rows, column_counts
from ._numerics._row_totals import nonempty_rows, nonzero_places, row_lengths
from ._numerics._sparse_hits import SparseHits
from ._numerics._top_k import Preference, top_k
from ._recommend import mask_stored, row_blocks
from .interactions import holdout_random
from .metrics import ndcg_at_k
from .metrics._ranking import ndcg_of_hits

# Ranks up to this one count.
_K = 20
# With fewer rows to judge by, or with fewer items, chance chooses.
MIN_ROWS = 200
MIN_ITEMS = 5 * _K
# More rows would cost more than they tell. Fewer tell less: over eight data sets, the choice of
# item neighbours has .981 of the best NDCG with these, .976 with half of them, .968 with a third.
_MAX_ROWS = 1000
_MAX_SCORES = 2**26
# Rows whose wanted items are worse than 20 of these need no other scores. The comparison pays if it
# needs a small share of the items.
_N_POPULAR = 512
_MOST_COMPARED = 1 / 8
_SEED = 0
# The weights of the squared norms of factors to choose from; the first is that for small data.
_REGULARIZATIONS = (0.02, 0.03, 0.01, 0.05, 0.005)
# Ranks up to this one count for factors. With sparse data, the first 20 hold too few wanted items
# to tell the values apart; with dense data the choice is the same.
_K_OF_FACTORS = 50
# How many sweeps the smallest value gets, and each next one.
_FIRST_SWEEPS, _NEXT_SWEEPS = 3, 2
# Draws the factors from which a choice starts, so that it is always the same.
TRIAL_SEED = 0


class HeldOutPart(NamedTuple):
    """Interactions to learn from, and rows with interactions to find.

    Attributes
    ----------
    known : csr_array or ndarray of shape (n_rows, n_columns)
        What to learn from: X without the held-out interactions, or without the held-out rows.
    y : csr_array of shape (n_rows, n_items) or None
        The interactions that the rows of `known` have; None if they are `known` itself.
    rows : csr_array or ndarray of shape (n_judged, n_columns)
        What is known about the rows to judge by.
    wanted : csr_array of shape (n_judged, n_items)
        What is to be found for them.
    """

    known: sp.csr_array | np.ndarray
    y: sp.csr_array | None
    rows: sp.csr_array | np.ndarray
    wanted: sp.csr_array

    def ndcg(self, score, k=_K):
        """Return the NDCG of each judged row.

        Seen items are left out, and items with equal scores are ordered by popularity, as in
        `recommend`.

        Parameters
        ----------
        score : callable
            From some of `rows` to their scores, a new float array of shape (n_some, n_items).
        k : int, default=20
            Ranks up to this one count.

        Returns
        -------
        ndcg : ndarray of shape (n_judged,)
        """
        return self.ndcg_of_each(lambda rows: [score(rows)], k)[0]

    def ndcg_of_each(self, scores_of, k=_K):
        """Return the NDCG of each judged row for several candidates that share work.

        Parameters
        ----------
        scores_of : callable
            From some of `rows` to an iterator of their scores, a float array for each candidate,
            which may be the same array with other values.
        k : int, default=20
            Ranks up to this one count.

        Returns
        -------
        ndcg : ndarray of shape (n_candidates, n_judged)
        """
        preference = self._preference()
        blocks = [
            self._block_ndcg(scores_of, block, preference, k)
            for block in row_blocks(*self.wanted.shape)
        ]
        return np.concatenate(blocks, axis=1)

    def ndcg_of_columns(self, scores_of):
        """Return what `ndcg_of_each` does, for candidates that can score some items alone.

        Use it where `known` holds the interactions themselves. The scores of popular items show for
        which rows no wanted item can be among the best; the scores of all items are left to others.

        Parameters
        ----------
        scores_of : callable
            From some of `rows`, and the items to score, to an iterator of their scores, a float
            array for each candidate, which may be the same array with other values.

        Returns
        -------
        ndcg : ndarray of shape (n_candidates, n_judged)
        """
        preference = self._preference()
        popular = preference.order[:_N_POPULAR]
        blocks = []
        for block in row_blocks(*self.wanted.shape):
            part = self._replace(rows=self.rows[block], wanted=self.wanted[block])
            is_close = part._is_close(scores_of, popular)
            close = np.flatnonzero(is_close)
            of_close = part._block_ndcg(lambda X: scores_of(X, slice(None)), close, preference)
            ndcg = np.zeros((len(of_close), len(is_close)))
            ndcg[:, close] = of_close
            blocks.append(ndcg)
        return np.concatenate(blocks, axis=1)

    def _is_close(self, scores_of, popular):
        """Return for which rows some candidate may have a wanted item among the best."""
        items = np.union1d(popular, self.wanted.indices)
        if len(items) > _MOST_COMPARED * self.wanted.shape[1]:
            return np.ones(self.rows.shape[0], dtype=bool)
        known, wanted = self.rows[:, items], self.wanted[:, items]
        is_popular = np.isin(items, popular)
        of_each = [
            _may_be_found(scores, known, wanted, is_popular)
            for scores in scores_of(self.rows, items)
        ]
        return np.any(of_each, axis=0)

    def ndcg_of_scaled(self, score, scales_of_each):
        """Return the NDCG@20 of each judged row for candidates that scale the same sparse scores.

        Use it where `known` holds the interactions themselves.

        Parameters
        ----------
        score : callable
            From some of `rows` to their scores, a csr_array with values above 0, and -inf for the
            seen items.
        scales_of_each : sequence of ndarray of shape (n_items,)
            The scales of the items of each candidate, above 0.

        Returns
        -------
        ndcg : ndarray of shape (n_candidates, n_judged)
        """
        preference = self._preference()
        blocks = []
        for block in row_blocks(*self.wanted.shape):
            wanted = self.wanted[block]
            hits = SparseHits(score(self.rows[block]), wanted, _K, preference)
            n_wanted = row_lengths(wanted)
            blocks.append([ndcg_of_hits(hits(scales), n_wanted) for scales in scales_of_each])
        return np.concatenate(blocks, axis=1)

    def _block_ndcg(self, scores_of, block, preference, k=_K):
        rows, wanted = self.rows[block], self.wanted[block]
        of_each = []
        for scores in scores_of(rows):
            if self.y is None:
                mask_stored(scores, rows)
            items, _ = top_k(scores, k, preference)
            of_each.append(ndcg_at_k(wanted, items, k=k, per_row=True))
        return np.array(of_each)

    def _preference(self):
        """Return the order of items with equal scores."""
        interactions = self.known if self.y is None else self.y
        return Preference.by_popularity(column_counts(interactions))


def _may_be_found(scores, known, wanted, is_popular):
    """Return whether fewer than 20 new popular items have more than the best wanted item."""
    mask_stored(scores, known)
    best = np.full(scores.shape, -np.inf, dtype=scores.dtype)
    places = nonzero_places(wanted)
    best[places] = scores[places]
    n_before = (scores[:, is_popular] > best.max(axis=1)[:, None]).sum(axis=1)
    return n_before < _K


def values_to_try(parameter, values):
    """Return the values to choose from: `values` if the parameter is "auto", else itself alone."""
    is_auto = isinstance(parameter, str) and parameter == "auto"
    return list(values) if is_auto else [parameter]


def held_out_interactions(X, candidates=None):
    """Hold out a fifth of the interactions of a sample of rows.

    Use it for recommenders that learn from X alone.

    Parameters
    ----------
    X : csr_array of shape (n_rows, n_columns), canonical
    candidates : csr_array of shape (n_rows, n_columns), optional
        The interactions in X to hold out from, all unless given.

    Returns
    -------
    part : HeldOutPart or None
        None if there are fewer than `MIN_ITEMS` items, or fewer than `MIN_ROWS` rows with two
        candidates.
    """
    n_items = X.shape[1] if candidates is None else np.count_nonzero(column_counts(candidates))
    candidates = X if candidates is None else candidates
    judged = _sample(np.flatnonzero(row_lengths(candidates) >= 2), n_items)
    if judged is None:
        return None
    _, wanted = holdout_random(candidates[judged], random_state=_SEED)
    known = _without(X, wanted, judged)
    return HeldOutPart(known, None, known[judged], wanted)


def best_regularization(part, factors, scores, *, unit=1.0):
    """Return the weight of the squared norms of factors that finds held-out interactions best.

    Parameters
    ----------
    part : HeldOutPart or None
        None if there are too few interactions to judge by.
    factors : object
        Has a method ``sweep(regularization, n_sweeps)``. Each fit starts from that before.
    scores : callable
        From a regularization and some rows to their scores by the factors.
    unit : float, default=1.0
        What the values to choose from are multiplied by.
    """
    values = [value * unit for value in _REGULARIZATIONS]
    if part is None:
        return values[0]
    ndcg, n_sweeps = np.empty((len(values), part.wanted.shape[0])), _FIRST_SWEEPS
    for place in np.argsort(values):
        factors.sweep(values[place], n_sweeps)
        ndcg[place] = part.ndcg(partial(scores, values[place]), _K_OF_FACTORS)
        n_sweeps = _NEXT_SWEEPS
    return best_of(values, ndcg)


def held_out_last_items(X, n_items):
    """Hold out the last item of a sample of histories, where it is new.

    Use it for recommenders that read histories.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_steps)
        Item ids from 1 to `n_items`, with zeros at the end of the rows.
    n_items : int

    Returns
    -------
    known : ndarray of shape (n_rows, n_steps)
        The histories to learn from, without the held-out items.
    judged : ndarray of shape (n_judged, n_steps)
        Those of them that lost an item.
    part : HeldOutPart
        The same as matrices.

    All three are None, as one None, if there are too few histories or items, as for
    `held_out_interactions`.
    """
    chosen = _sample(np.flatnonzero(ends_in_new_item(X)), n_items)
    if chosen is None:
        return None
    judged = without_last(X[chosen])
    known = X.copy()
    known[chosen] = judged
    wanted = seen_items(last_items(X[chosen])[:, None], n_items)
    part = HeldOutPart(seen_items(known, n_items), None, seen_items(judged, n_items), wanted)
    return known, judged, part


def held_out_rows(X, y):
    """Hold out a sample of rows, at most a fifth, as a whole.

    Use it for recommenders that learn the map from X to y.

    Parameters
    ----------
    X : csr_array or ndarray of shape (n_rows, n_features)
    y : csr_array of shape (n_rows, n_items), canonical

    Returns
    -------
    part : HeldOutPart or None
        None if y has fewer than `MIN_ITEMS` columns, or if a fifth of its rows with interactions
        are fewer than `MIN_ROWS`.
    """
    eligible = nonempty_rows(y)
    judged = _sample(eligible, y.shape[1], max_rows=len(eligible) // 5)
    if judged is None:
        return None
    others = np.setdiff1d(np.arange(y.shape[0]), judged)
    return HeldOutPart(X[others], y[others], X[judged], y[judged])


def best_of(values, ndcg):
    """Return the first value that is as good as the best one, up to chance.

    That is, the mean difference of its NDCG to that of the value with the best mean is no larger
    than its standard error. So noise does not move the choice away from the preferred values.

    Parameters
    ----------
    values : sequence of length n_values
        Candidates, preferred ones first.
    ndcg : array-like of shape (n_values, n_rows)
        As `HeldOutPart.ndcg` returns it for each value.
    """
    ndcg = np.asarray(ndcg)
    best = np.argmax(ndcg.mean(axis=1))
    losses = ndcg[best] - ndcg
    return values[int(np.argmax(losses.mean(axis=1) <= _errors(losses)))]


class Numbers(NamedTuple):
    """The values of a number that is "auto".

    Attributes
    ----------
    usual : float
        The value for data that are too small to judge.
    judged : sequence of float
        Those to judge.
    values : sequence of float
        Those to choose from, between the judged ones; `usual` is one of them.
    scale : callable
        From values to a scale on which the NDCG is about a parabola.
    n_too_far : int
        How many of `values` to go down from the largest gain, since data sets show that it lies
        above the best value for all interactions.
    """

    usual: float
    judged: Sequence[float]
    values: Sequence[float]
    scale: Callable = np.asarray
    n_too_far: int = 0


def logarithms(values):
    """Return the logarithms of numbers; 0, which a user may fix, counts as the least one."""
    return np.log(np.maximum(values, np.finfo(np.float32).tiny))


def choice_on_curves(X, kinds, parameter, numbers, ndcg_of_each):
    """Return the kind of model and the number that find held-out interactions best.

    Parameters
    ----------
    X : csr_array of shape (n_rows, n_items), canonical
    kinds : sequence
        What else there is to choose; the first one is for data that are too small to judge.
    parameter : float or "auto"
        The number, where it is fixed.
    numbers : Numbers
    ndcg_of_each : callable
        From a `HeldOutPart`, the kinds and a list of numbers to a list: for each kind, the NDCG of
        each judged row for each number, as `HeldOutPart.ndcg_of_each` returns it.

    Returns
    -------
    kind : object
    number : float
    """
    usual, *_ = values_to_try(parameter, [numbers.usual])
    judged, values = (values_to_try(parameter, each) for each in (numbers.judged, numbers.values))
    part = held_out_interactions(X) if len(kinds) > 1 or len(values) > 1 else None
    if part is None:
        return kinds[0], usual
    ndcg = ndcg_of_each(part, kinds, judged)
    scaled = numbers.scale(judged), numbers.scale(values)
    curve, place = best_on_curves(*scaled, values.index(usual), ndcg)
    return kinds[curve], values[max(place - numbers.n_too_far, 0)]


def best_on_curves(points, values, first, ndcg):
    """Return the curve and the value with the surest gain over the first ones.

    The NDCG of each row is taken for a parabola over the values, fitted to the points by least
    squares, so that the judged points together say where it is largest. The gain over `first` on
    the first curve counts less its standard error.

    Parameters
    ----------
    points : sequence of float, of length n_points
        The values that were judged.
    values : sequence of float
        The values to choose from, between the points.
    first : int
        The place of the preferred one of `values`.
    ndcg : array-like of shape (n_curves, n_points, n_rows)
        As `HeldOutPart.ndcg` returns it for each point of each curve, the preferred curve first.

    Returns
    -------
    curve, place : int
        The places of the curve and of the value.
    """
    to_values = np.vander(values, 3) @ np.linalg.pinv(np.vander(points, 3))
    curves = to_values @ np.asarray(ndcg)
    gains = (curves - curves[0, first]).reshape(-1, curves.shape[-1])
    return divmod(surest_gain(gains), len(values))


def surest_gain(gains):
    """Return the place of the candidate whose mean gain, less its standard error, is largest.

    Parameters
    ----------
    gains : ndarray of shape (n_candidates, n_rows)
        How much better than the preferred candidate each one is; 0 for the preferred one itself.
    """
    return int(np.argmax(gains.mean(axis=1) - _errors(gains)))


def _errors(differences):
    """Return the standard error of the mean of each row."""
    return differences.std(axis=1) / np.sqrt(differences.shape[1])


def _sample(eligible, n_items, max_rows=_MAX_ROWS):
    """Return the rows to judge by, in order; None if there are too few."""
    n_rows = min(len(eligible), max_rows, _MAX_ROWS, max(MIN_ROWS, _MAX_SCORES // max(n_items, 1)))
    if n_rows < MIN_ROWS or n_items < MIN_ITEMS:
        return None
    sample = sample_without_replacement(len(eligible), n_rows, random_state=_SEED)
    return eligible[np.sort(sample)]


def _without(X, wanted, judged):
    """Return X without the held-out interactions of the judged rows."""
    kept = sp.csr_array(X - at_rows(wanted, judged, X.shape[0]))
    kept.eliminate_zeros()
    return kept
