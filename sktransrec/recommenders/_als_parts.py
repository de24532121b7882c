# SPDX-License-Identifier: BSD-3-Clause
"""Alternating least squares over parts of the rows, in tasks that may run elsewhere."""

import copy
from itertools import pairwise

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone

from .._numerics._entries import column_counts
from .._numerics._row_totals import nonempty_rows
from .._wrapping import as_matrix
from ._als_start import N_PASSES, drawn_basis, factors_of, gram_product, scaled_pattern, scales_of
from ._implicit import implicit_seed


def fitted_in_parts(model, parts, delayed):
    """Return a fitted copy of a model: half a sweep over the parts, and half over the items."""
    facts = delayed(list)([delayed(_facts)(part) for part in parts]).compute()
    parts = [part for part, of_part in zip(parts, facts, strict=True) if of_part["n_telling"]]
    if not parts:
        raise ValueError("X holds no interactions: all of its parts are without rows or entries.")
    totals = {name: sum(of_part[name] for of_part in facts) for name in facts[0]}
    fitted = delayed(_begun)(clone(model), parts[0], totals).compute()
    of_rows = [delayed(_weighted)(fitted, part) for part in parts]
    n_rows = [of_part["n_telling"] for of_part in facts if of_part["n_telling"]]
    seed = implicit_seed(model.random_state)
    if model.init == "svd":
        U, V = _svd_start(fitted, seed, of_rows, n_rows, totals["n_rows_with"], delayed)
    else:
        U, V = _drawn_start(fitted, seed, n_rows, delayed)
    fitted._keep(_swept(fitted, of_rows, U, V, delayed).compute())
    return fitted


def _facts(X):
    """Return what a part adds to the numbers of all rows."""
    X = sp.csr_array(as_matrix(X), copy=True)
    X.sum_duplicates()
    X.eliminate_zeros()
    return {
        "n_rows": X.shape[0],
        "n_telling": len(nonempty_rows(X)),
        "n_rows_with": column_counts(X),
        "total": X.sum(dtype=np.float64),
    }


def _begun(model, X, totals):
    """Return a model with all that is known before the first sweep, given the first part."""
    model._validate_params()
    (X,) = model._valid_data(as_matrix(X), None, reset=True)
    model._choose(X, (totals["n_telling"], X.shape[1]), totals["total"])
    model.n_items_ = X.shape[1]
    model.popularity_ = (totals["n_rows_with"] / totals["n_rows"]).astype(np.float32)
    return model


def _svd_start(model, seed, of_rows, n_rows, n_rows_with, delayed):
    """Return the delayed factors of parts of the rows and of the items before the first sweep."""
    scales, n_components = scales_of(n_rows_with), model.n_components
    patterns = [delayed(scaled_pattern)(block, scales) for block in of_rows]
    basis = delayed(drawn_basis)(len(scales), n_components, seed)
    for _ in range(N_PASSES):
        decomposed = delayed(_decomposed)([delayed(gram_product)(part, basis) for part in patterns])
        basis, triangle = decomposed[0], decomposed[1]
    V = delayed(factors_of)(basis, triangle, scales, n_components)
    U = [delayed(np.zeros)((n, n_components), np.float32) for n in n_rows]
    return U, [V[start:stop] for start, stop in pairwise(_ends(len(scales), len(of_rows)))]


def _decomposed(products):
    return np.linalg.qr(sum(products))


def _drawn_start(model, seed, n_rows, delayed):
    """Return the same for factors that are drawn."""
    rows, items = np.cumsum([0, *n_rows]), _ends(model.n_items_, len(n_rows))
    drawn = delayed(model._drawn_factors)
    U = [drawn(seed, start, stop - start) for start, stop in pairwise(rows)]
    return U, [drawn(seed, rows[-1] + start, stop - start) for start, stop in pairwise(items)]


def _swept(model, of_rows, U, V, delayed):
    """Return the delayed factors of the items after all sweeps."""
    items = _ends(model.n_items_, len(V))
    cut = [delayed(_columns_of)(block, items) for block in of_rows]
    of_items = [delayed(_side_by_side)([blocks[n] for blocks in cut]) for n in range(len(V))]
    ridges_of_rows, ridges_of_items = (
        delayed(_shared)(model, [delayed(model._ridges)(block, 1.0) for block in blocks])
        for blocks in (of_rows, of_items)
    )
    half_step, whole = delayed(model._half_step), delayed(np.concatenate)
    for _ in range(model.max_iter):
        U = _half_sweep(half_step, of_rows, ridges_of_rows, U, whole(V))
        V = _half_sweep(half_step, of_items, ridges_of_items, V, whole(U))
    return whole(V)


def _half_sweep(half_step, blocks, ridges, U, V):
    """Return the delayed factors U of each block, moved towards their minima given V."""
    return [half_step(C, ridges[n], U[n], V) for n, C in enumerate(blocks)]


def _ends(n_items, n_blocks):
    """Return where blocks of about the same number of items, none of them empty, end."""
    return np.linspace(0, n_items, min(n_items, n_blocks) + 1).astype(int)


def _weighted(model, X):
    (X,) = copy.copy(model)._valid_data(as_matrix(X), None, reset=False)
    return X[nonempty_rows(X)] * np.float32(model.confidence_)


def _columns_of(C, ends):
    """Return blocks of the columns of C, with a row for each column."""
    by_column = C.T.tocsr()
    return [by_column[start:stop] for start, stop in pairwise(ends)]


def _side_by_side(blocks):
    return sp.csr_array(sp.hstack(blocks, format="csr"))


def _shared(model, ridges):
    """Return the ridges of each block, those that are about the same as their mean."""
    ends = np.cumsum([len(of_block) for of_block in ridges])[:-1]
    return np.split(model._shared_ridges(np.concatenate(ridges)), ends)
