# SPDX-License-Identifier: BSD-3-Clause
"""What alternating least squares starts from: the first singular vectors of the interactions.

Subspace iteration finds them. All that it needs of the rows are sums over them, so that they may
lie in several parts.
"""

import numpy as np

from .._numerics._entries import column_counts, with_data
from .._numerics._row_totals import row_lengths

# More passes over the rows give no better start.
N_PASSES = 2
# The interactions are divided by this power of the numbers of entries of their row and item.
_EXPONENT = 0.25


def first_item_factors(X, n_components, seed):
    """Return the factors of the items before the first sweep.

    With the first right singular vectors V of the scaled interactions and their singular values s,
    these are V times the roots of s, divided by the scales of the items.

    Parameters
    ----------
    X : csr_array of shape (n_rows, n_items), canonical
    n_components : int
    seed : int

    Returns
    -------
    V : ndarray of shape (n_items, n_components), dtype float32
        Columns for which there are too few items are zeros.
    """
    scales = scales_of(column_counts(X))
    scaled = scaled_pattern(X, scales)
    basis = drawn_basis(len(scales), n_components, seed)
    for _ in range(N_PASSES):
        basis, triangle = np.linalg.qr(gram_product(scaled, basis))
    return factors_of(basis, triangle, scales, n_components)


def scales_of(n_entries):
    """Return what the interactions of items or rows with so many of them are multiplied by."""
    return np.maximum(n_entries, 1).astype(np.float32) ** -_EXPONENT


def scaled_pattern(X, scales):
    """Return ones where X has entries, times the scales of the items and those of the rows."""
    lengths = row_lengths(X)
    return with_data(X, np.repeat(scales_of(lengths), lengths) * scales[X.indices])


def drawn_basis(n_items, n_components, seed):
    """Return the vectors that the iteration begins with."""
    return np.random.default_rng(seed).standard_normal((n_items, n_components), dtype=np.float32)


def gram_product(scaled, basis):
    """Return the product of the Gram matrix of some rows with the basis."""
    return scaled.T @ (scaled @ basis)


def factors_of(basis, triangle, scales, n_components):
    """Return the factors, given the QR decomposition of the last product."""
    # The singular values of the triangle are the squares of those of the interactions.
    rotation, squares, _ = np.linalg.svd(triangle)
    V = np.zeros((len(basis), n_components), dtype=np.float32)
    V[:, : len(squares)] = basis @ (rotation * squares**0.25) / scales[:, None]
    return V
