# SPDX-License-Identifier: BSD-3-Clause
"""Generated domains that several files of tests use."""

import numpy as np
import scipy.sparse as sp

from sktransrec.datasets import make_cross_domain
from sktransrec.datasets._generated import make_items, make_matrix, related_normals

N_SOURCE, N_TARGET = 60, 40
# The columns of the target where the source stands before it.
TARGET = np.arange(N_SOURCE, N_SOURCE + N_TARGET)


def related_domains(relatedness=1.0, random_state=0, *, n_cold_users=0):
    """Return a source and a target of the same users, whose taste is as related as told."""
    return make_cross_domain(
        *(300, N_SOURCE, N_TARGET),
        n_cold_users=n_cold_users,
        source_density=0.2,
        target_density=0.1,
        relatedness=relatedness,
        random_state=random_state,
    )


def beside(*blocks):
    """Return matrices side by side as one."""
    return sp.hstack(blocks, format="csr")


def several_sources(relatedness, n_users=300, seed=0):
    """Return sources of given relatedness to the taste of one target, side by side; and that."""
    rng = np.random.RandomState(seed)
    tastes = rng.standard_normal((n_users, 5))
    target = make_matrix(rng, "target", tastes, make_items(5, 0.6, rng, N_TARGET), 0.1)
    blocks = [
        make_matrix(
            rng,
            "source",
            related_normals(tastes, each, rng),
            make_items(5, 0.6, rng, N_SOURCE),
            0.2,
        )
        for each in relatedness
    ]
    sources = [
        (f"related {each:g}, {i}", slice(i * N_SOURCE, (i + 1) * N_SOURCE))
        for i, each in enumerate(relatedness)
    ]
    return beside(*blocks), target, sources


def gaussians(n_rows=300, n_features=4, seed=0):
    """Two domains with means and covariances of their own, one below the other."""
    rng = np.random.default_rng(seed)
    source, target = rng.standard_normal((2, n_rows, n_features))
    source = source @ rng.standard_normal((n_features, n_features)) + 1
    target = target @ rng.standard_normal((n_features, n_features)) - 2
    return np.vstack([source, target]), np.repeat([1, -1], n_rows)
