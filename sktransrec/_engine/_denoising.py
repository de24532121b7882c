# SPDX-License-Identifier: BSD-3-Clause
"""How training corrupts the rows of a network, and the noise in variational codes."""

import numpy as np
import scipy.sparse as sp


def corrupted(X, dropout, rng, *, noise=0.0):
    """Return rows with noise and without the entries that dropout leaves out.

    Dense and sparse rows draw the same numbers: one for each nonzero entry, row by row.
    """
    X = X.copy()
    at_nonzero = slice(None) if sp.issparse(X) else X.nonzero()
    values = (X.data if sp.issparse(X) else X)[at_nonzero]
    if noise:
        values = values + noise * rng.standard_normal(values.shape)
    values = values * (rng.uniform(size=values.shape) >= dropout) / (1 - dropout)
    (X.data if sp.issparse(X) else X)[at_nonzero] = values
    return X


def code_noise(shape, rng):
    """Return the noise in the codes of a variational network, zeros if `rng` is None."""
    noise = np.zeros(shape) if rng is None else rng.standard_normal(shape)
    return noise.astype(np.float32)


def annealed(kl_weight, n_epochs, progress):
    """Return the weight of the divergence as it rises from 0 over the first epochs."""
    return np.float32(kl_weight * min(1.0, progress / n_epochs) if n_epochs else kl_weight)


def with_code_noise(learner, inputs, targets, rng, progress):
    """Return a batch, of a variational network with its noise and the weight of its divergence."""
    if learner.kind == "variational":
        inputs.append(code_noise((inputs[0].shape[0], learner.n_components), rng))
        targets["divergence"] = annealed(learner.kl_weight, learner.kl_annealing_epochs, progress)
    return inputs, targets
