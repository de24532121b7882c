# SPDX-License-Identifier: BSD-3-Clause
"""Blocks of rows and items by the domains that know them, and the weights of their entries."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from ..._ids import distinct_ids, id_array, positions
from ..._numerics._gram import scaled_columns
from ..._numerics._row_totals import row_lengths


def tied_items(item_ids, source, target):
    """Return the source columns and the target columns with equal ids, of shape (2, n_tied)."""
    if item_ids is None:
        return np.empty((2, 0), dtype=np.intp)
    ids = id_array(item_ids, "item_ids")
    n_columns = len(source) + len(target)
    if ids.shape != (n_columns,):
        raise ValueError(
            f"item_ids has shape {ids.shape} and X has {n_columns} columns: pass one id for each "
            "column, or None."
        )
    ids_of_source = distinct_ids(ids[source], "item_ids of the source")
    ids_of_target = distinct_ids(ids[target], "item_ids of the target")
    places = positions(ids_of_target, ids_of_source)
    return np.stack([source[places[places >= 0]], target[places >= 0]])


class Block(NamedTuple):
    """Rows of a matrix, or of its transpose, with the columns in which they are known.

    If `rows` has shape (2, n_rows), the two rows in each of its columns share their factors.
    """

    rows: np.ndarray | slice
    columns: np.ndarray | slice
    C: sp.csr_array
    missing_weights: np.ndarray


@dataclass(frozen=True)
class TwoDomains:
    """What the columns of a matrix mean.

    Attributes
    ----------
    columns : tuple of slice
        Those of the source, which come first, and those of the target.
    source_weight : float
        Weight of the source's entries, relative to those of the target.
    knows_empty_rows : bool
        If True, a row without items in a domain likes none of them. If False, it is unknown there.
    tied_items : ndarray of shape (2, n_tied)
        The source columns and the target columns that are the same items.
    """

    columns: tuple
    source_weight: float
    knows_empty_rows: bool
    tied_items: np.ndarray

    @property
    def kinds_of_rows(self):
        """Return the three kinds of rows, by the domains that know them, with their columns."""
        source, target = self.columns
        return ((True, False), source), ((False, True), target), ((True, True), slice(None))

    def is_known(self, X):
        """Return whether each row is known in source and target, of shape (n_rows, 2)."""
        if self.knows_empty_rows:
            return np.ones((X.shape[0], 2), dtype=bool)
        domains = [X[:, columns] for columns in self.columns]
        return np.column_stack([row_lengths(domain) > 0 for domain in domains])

    def missing_weights(self, n_items):
        """Return the weight of a missing interaction with each item."""
        weights = np.ones(n_items, dtype=np.float32)
        weights[self.columns[0]] = self.source_weight
        return weights

    def weights(self, X, confidence):
        """Return the weights of the interactions in X, given the confidence in each domain."""
        scale = self.missing_weights(X.shape[1])
        for columns, of_domain in zip(self.columns, confidence, strict=True):
            scale[columns] *= of_domain
        return scaled_columns(X, scale)

    def blocks_of_rows(self, X, confidence):
        """Return one block for each kind of rows."""
        C, is_known = self.weights(X, confidence), self.is_known(X)
        missing_weights = self.missing_weights(X.shape[1])
        blocks = []
        for known, columns in self.kinds_of_rows:
            rows = np.flatnonzero((is_known == known).all(axis=1))
            blocks.append(Block(rows, columns, C[rows][:, columns], missing_weights[columns]))
        return blocks

    def blocks_of_items(self, X, confidence):
        """Return a block for the items of the source alone, of the target alone, and of both."""
        C, is_known = self.weights(X, confidence), self.is_known(X)
        alone = [
            np.setdiff1d(np.arange(X.shape[1])[columns], tied)
            for columns, tied in zip(self.columns, self.tied_items, strict=True)
        ]
        # A tied item has the rows of both domains. A row known in both stands twice in its block.
        occurrences = [[(0, alone[0])], [(1, alone[1])], [*enumerate(self.tied_items)]]
        return [self._block_of_items(C, is_known, in_domains) for in_domains in occurrences]

    def _block_of_items(self, C, is_known, in_domains):
        """Return the block of items that have the given columns in the given domains."""
        rows = [np.flatnonzero(is_known[:, domain]) for domain, _ in in_domains]
        parts = [C[known][:, items] for known, (_, items) in zip(rows, in_domains, strict=True)]
        domain_weights = self.source_weight, 1
        missing_weights = [
            np.full(len(known), domain_weights[domain], dtype=np.float32)
            for known, (domain, _) in zip(rows, in_domains, strict=True)
        ]
        return Block(
            np.stack([items for _, items in in_domains]),
            np.concatenate(rows),
            sp.csr_array(sp.vstack(parts).T),
            np.concatenate(missing_weights),
        )
