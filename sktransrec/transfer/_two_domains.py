"""Two domains side by side in one matrix: the weights of their entries, in blocks of unknowns."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from .._ids import distinct_ids, id_array, positions


def columns_of_domains(n_source_items):
    """Return the columns of the domains by name."""
    return {"source": slice(0, n_source_items), "target": slice(n_source_items, None)}


def check_domains(X, n_source_items):
    """Raise unless source and target have columns and interactions."""
    if n_source_items >= X.shape[1]:
        raise ValueError(
            f"n_source_items={n_source_items} leaves no target in X with n_features="
            f"{X.shape[1]}: X holds the columns of the source and then those of the target."
        )
    for domain, columns in columns_of_domains(n_source_items).items():
        if not X[:, columns].nnz:
            raise ValueError(
                f"X holds no interactions in the {domain}, n_source_items={n_source_items} being "
                "the number of leading columns that are the source. Check that number, or use a "
                "recommender of one domain, such as ALSRecommender."
            )


def tied_items(item_ids, n_source_items, n_items):
    """Return the source columns and the target columns of equal ids, of shape (2, n_tied)."""
    if item_ids is None:
        return np.empty((2, 0), dtype=np.intp)
    ids = id_array(item_ids, "item_ids")
    if ids.shape != (n_items,):
        raise ValueError(
            f"item_ids has shape {ids.shape} and X has {n_items} columns: pass one id for each "
            "column, those of the source first, or None."
        )
    source, target = (
        distinct_ids(ids[columns], f"item_ids of the {domain}")
        for domain, columns in columns_of_domains(n_source_items).items()
    )
    columns = positions(target, source)
    is_tied = columns >= 0
    return np.stack([columns[is_tied], n_source_items + np.flatnonzero(is_tied)])


class Block(NamedTuple):
    """Rows of a matrix, or of its transpose, with the columns they are known in.

    `rows` may be of shape (2, n_rows): then each column of it has one vector of factors.
    """

    rows: np.ndarray | slice
    columns: np.ndarray | slice
    C: sp.csr_array
    missing_weights: np.ndarray


@dataclass(frozen=True)
class TwoDomains:
    """What the columns of a matrix mean, the first `n_source_items` being the source.

    Attributes
    ----------
    n_source_items : int
    source_weight : float
        Weight of the source's entries beside those of the target.
    knows_empty_rows : bool
        Whether a row without items in a domain likes none of them, or is unknown there.
    tied_items : ndarray of shape (2, n_tied)
        The source columns and the target columns that are the same items.
    """

    n_source_items: int
    source_weight: float
    knows_empty_rows: bool
    tied_items: np.ndarray

    @property
    def columns(self):
        """Return the columns of source and target."""
        return tuple(columns_of_domains(self.n_source_items).values())

    @property
    def kinds_of_rows(self):
        """Return whether a row is known in source and target, with its columns in each case."""
        source, target = self.columns
        return ((True, False), source), ((False, True), target), ((True, True), slice(None))

    def is_known(self, X):
        """Return whether each row is known in source and target, of shape (n_rows, 2)."""
        if self.knows_empty_rows:
            return np.ones((X.shape[0], 2), dtype=bool)
        domains = [X[:, columns] for columns in self.columns]
        return np.column_stack([np.diff(domain.indptr) > 0 for domain in domains])

    def missing_weights(self, n_items):
        """Return the weight of a missing interaction with each item."""
        weights = np.ones(n_items, dtype=np.float32)
        weights[: self.n_source_items] = self.source_weight
        return weights

    def weights(self, X, confidence):
        """Return the weights of the interactions in X, given the confidence in each domain."""
        scale = self.missing_weights(X.shape[1])
        for columns, of_domain in zip(self.columns, confidence, strict=True):
            scale[columns] *= of_domain
        return sp.csr_array((X.data * scale[X.indices], X.indices, X.indptr), shape=X.shape)

    def blocks_of_rows(self, X, confidence):
        """Return a block for each kind of rows."""
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
        # A tied item is known in the rows of both domains, a row of both domains twice.
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
