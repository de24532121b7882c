# SPDX-License-Identifier: BSD-3-Clause
"""Scores of different recommenders on one scale."""

import numpy as np

from .._numerics._row_totals import nonzero_places

# Scores that differ by less do not differ.
_LEAST_DEVIATION = 1e-12


def standardized(scores, known=None):
    """Return scores with mean 0 and standard deviation 1 in each row, or all 0.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_items)
    known : csr_array of shape (n_rows, n_items), default=None
        The items that each row has. They do not count in mean and deviation.

    Returns
    -------
    scores : ndarray of shape (n_rows, n_items)
    """
    away = scores - _means(scores, known)
    deviations = np.sqrt(_means(np.square(away), known))
    return np.divide(away, deviations, out=np.zeros_like(away), where=deviations > _LEAST_DEVIATION)


def _means(scores, known):
    """Return the mean of each row over the items that it does not have."""
    if known is None or not known.nnz:
        return scores.mean(axis=1, keepdims=True)
    others, places = scores.copy(), nonzero_places(known)
    others[places] = 0
    n_others = scores.shape[1] - np.bincount(places[0], minlength=len(scores))
    return others.sum(axis=1, keepdims=True) / np.maximum(n_others, 1)[:, None].astype(scores.dtype)


def standardized_parts(parts, scores, known=None):
    """Return what each entry adds to the standardised scores of a row, with their deviation given.

    Parameters
    ----------
    parts : ndarray of shape (n_entries, n_items)
        What each entry adds to the scores.
    scores : ndarray of shape (1, n_items)
    known : csr_array of shape (1, n_items), default=None
        As in `standardized`.

    Returns
    -------
    parts : ndarray of shape (n_entries, n_items)
    """
    deviation = np.sqrt(_means(np.square(scores - _means(scores, known)), known)).item()
    if deviation <= _LEAST_DEVIATION:
        return np.zeros_like(parts)
    is_other = np.ones(parts.shape[1], dtype=bool)
    if known is not None:
        is_other[known.indices] = False
    return (parts - parts[:, is_other].mean(axis=1, keepdims=True)) / deviation
