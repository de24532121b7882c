# SPDX-License-Identifier: BSD-3-Clause
"""What the members of an ensemble say of items: of all items, or of those worth learning from."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from .._numerics._conditional_logit import Choices
from .._numerics._entries import column_counts, entries_of
from .._numerics._row_totals import nonempty_rows, rows_of_entries
from .._numerics._top_k import Preference, top_k
from .._recommend import n_rows_of, row_blocks, withheld_items
from .._validation import _safe_indexing
from ..interactions._target_items import TargetItems
from ._later_items import knows_content
from ._standardized import standardized, standardized_parts


@dataclass(frozen=True)
class Evidence:
    """Fitted members, and how many rows have each item, which is the last kind of evidence."""

    models: list
    target: TargetItems
    item_counts: np.ndarray

    @cached_property
    def preference(self):
        """The order of items that a kind of evidence scores alike."""
        return Preference.by_popularity(self.item_counts)

    def known_items(self, y):
        """Return the mask of the items that `y` can choose: those that have rows without it.

        If a member knows items by their content, those without rows count too. But a catalogue may
        list nothing but items with rows. So they do not count if half of them or more are in `y`,
        because to have no rows would then mean to be chosen.
        """
        has_rows = self.item_counts > 0
        is_in_y = column_counts(y) > 0
        n_chosen, n_others = (np.count_nonzero(~has_rows & part) for part in (is_in_y, ~is_in_y))
        knows_others = any(map(knows_content, self.models)) and n_others > n_chosen
        return has_rows | knows_others

    def kinds(self, X):
        """Yield what each member says of all items, and then how popular they are.

        Each kind has the shape (n_rows, n_items), or (1, n_items) if it is the same for all rows.
        """
        known = self.target.known(X)
        for model in self.models:
            yield tempered(self.target.scores(model, X), known)
        yield tempered(np.log1p(self.item_counts, dtype=np.float32)[None])

    def of(self, X):
        """Return all kinds of evidence, of shape (n_kinds, n_rows, n_items)."""
        return np.stack(np.broadcast_arrays(*self.kinds(X)))

    def eligible(self, X):
        """Return the mask of the items that the rows do not have and that no member withholds."""
        is_eligible = np.ones((n_rows_of(X), self.target.n_items), dtype=bool)
        is_eligible[self.target.known(X).nonzero()] = False
        withheld = withheld_items(self.models, self.target.n_items, self.target.columns)
        if withheld is not None:
            is_eligible[:, withheld] = False
        return is_eligible


def tempered(scores, known=None):
    """Return standardised scores, of which the extreme ones grow as the square root does.

    Neighbours give most items 0, so a few scores are many standard deviations away. Untempered,
    they would decide the weights alone. The items that a row has do not count: recommenders have
    learned that training rows have them, and with few rows this would be most of the deviation.
    """
    scores = standardized(scores, known)
    return scores / np.sqrt(1 + np.abs(scores))


def tempered_parts(parts, scores, known):
    """Return what each entry adds to the tempered scores of a row, with their scale taken as given.

    The arguments are those of `standardized_parts`.
    """
    scale = np.sqrt(1 + np.abs(standardized(scores, known)))
    return standardized_parts(parts, scores, known) / scale


def best_of_each(evidence, is_eligible, k, preference):
    """Return the best k eligible items by each kind of evidence, and the least score among them.

    The shapes are (n_kinds, n_rows, k) and (n_kinds, n_rows). If fewer than k items are eligible,
    some that are not follow them.
    """
    k = min(k, evidence.shape[2])
    best = [top_k(np.where(is_eligible, scores, -np.inf), k, preference) for scores in evidence]
    return np.stack([items for items, _ in best]), np.stack([scores[:, -1] for _, scores in best])


def held_out_choices(evidence, X, y, given_away, *, n_best, n_random, max_rows, rng):
    """Return what rows chose, among what, and which choices are candidates.

    Parameters
    ----------
    evidence : Evidence
        Its members have not seen `y`.
    X : array-like or sparse matrix of shape (n_rows, n_features)
        What is known about the rows.
    y : csr_array of shape (n_rows, n_items)
        The held-out interactions, which are the choices. Items that nobody has without them are
        neither chosen nor rejected, unless members know them; see `Evidence.known_items`.
    given_away : csr_array of shape (n_rows, n_items), dtype bool
        Those of `y` that are neither chosen nor rejected either.
    n_best, n_random : int
        The rejected items of a row are its `n_best` best ones by each kind of evidence, and
        `n_random` of the others, which stand for all others.
    max_rows : int
        Number of random rows to use, if there are more.
    rng : RandomState

    Returns
    -------
    choices : Choices
    rows : ndarray of int of shape (n_rows_used,)
        The rows of X that are used.
    are_candidates : ndarray of bool of shape (n_choices,)
        Whether each chosen item is as good as the `n_best` by some kind of evidence.
    """
    is_known = evidence.known_items(y)
    chosen = sp.csr_array(y - y.multiply(given_away))
    chosen = entries_of(chosen, is_known[chosen.indices])
    used = np.sort(rng.permutation(nonempty_rows(chosen))[:max_rows])
    if not len(used):
        return _no_choices(len(evidence.models) + 1), used, np.empty(0, dtype=bool)
    y, chosen = y[used], chosen[used]
    blocks = [
        _block_choices(
            evidence,
            _safe_indexing(X, used[rows]),
            y[rows],
            chosen[rows],
            is_known,
            n_best,
            n_random,
            rng,
        )
        for rows in row_blocks(len(used), y.shape[1])
    ]
    rejected, represents, features, are_candidates = map(np.concatenate, zip(*blocks, strict=True))
    rows = rows_of_entries(chosen)
    return Choices(rejected, represents, features, rows), used, are_candidates


def _no_choices(n_kinds):
    shapes = (0, 0, n_kinds), (0, 0), (0, n_kinds)
    return Choices(*(np.empty(shape, dtype=np.float32) for shape in shapes), np.empty(0, dtype=int))


def _block_choices(evidence, X, y, chosen, is_known, n_best, n_random, rng):
    """Return the evidence on rejected and on chosen items.

    After the rejected ones comes how many items each stands for, and at last which of the chosen
    ones are candidates.
    """
    kinds, is_eligible = evidence.of(X), evidence.eligible(X) & is_known
    is_eligible[y.nonzero()] = False
    best, least = best_of_each(kinds, is_eligible, n_best, evidence.preference)
    sampled, represents = _sampled(is_eligible, np.hstack(best), n_random, rng)
    rejected = kinds[:, np.arange(len(sampled))[:, None], sampled]
    rows = rows_of_entries(chosen)
    features = kinds[:, rows, chosen.indices]
    are_candidates = (features >= least[:, rows]).any(axis=0)
    return np.moveaxis(rejected, 0, 2).copy(), represents, features.T.copy(), are_candidates


def _sampled(is_eligible, best, n_random, rng):
    """Return the best items and random others, and the number of items that each stands for."""
    n_rows, n_items = is_eligible.shape
    best = np.sort(best, axis=1)
    counts_once = np.take_along_axis(is_eligible, best, axis=1)
    counts_once[:, 1:] &= best[:, 1:] != best[:, :-1]
    is_other = is_eligible.copy()
    np.put_along_axis(is_other, best, False, axis=1)
    others = rng.randint(n_items, size=(n_rows, n_random))
    counts = np.take_along_axis(is_other, others, axis=1)
    n_each = is_other.sum(axis=1) / np.maximum(counts.sum(axis=1), 1)
    represents = np.hstack([counts_once, counts * n_each[:, None]]).astype(np.float32)
    return np.hstack([best, others]), represents
