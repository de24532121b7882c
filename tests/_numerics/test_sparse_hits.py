# SPDX-License-Identifier: BSD-3-Clause
"""Hits that are found without a ranking are those of the ranking."""

import numpy as np
import pytest
import scipy.sparse as sp

from sktransrec._numerics._sparse_hits import SparseHits
from sktransrec._numerics._top_k import Preference, top_k

K = 5


@pytest.mark.parametrize("density", [0.01, 0.1, 0.35, 0.8])
@pytest.mark.parametrize("seed", range(5))
def test_the_hits_are_those_of_the_ranking(density, seed):
    """Few different scores, so that many tie; rows with fewer scores than places, or with none."""
    rng = np.random.RandomState(seed)
    n_rows, n_items = 150 if seed == 0 else 30, 120
    scores = rng.randint(1, 6, (n_rows, n_items)) * (rng.uniform(size=(n_rows, n_items)) < density)
    scores = scores / 4
    wanted = rng.uniform(size=scores.shape) < np.where(scores > 0, 0.2, 0.05)
    is_left_out = (rng.uniform(size=scores.shape) < 0.05) & ~wanted
    scores[-1] = is_left_out[-1] = 0
    dense = np.where(is_left_out, -np.inf, scores).astype(np.float32)
    preference = Preference.by_popularity(rng.randint(4, size=n_items))
    hits = SparseHits(sp.csr_array(dense), sp.csr_array(wanted), K, preference)
    for scales in (np.ones(n_items), rng.randint(1, 4, n_items)):
        scales = scales.astype(np.float32)
        items, _ = top_k(dense * scales, K, preference)
        found = hits(scales)
        assert found.dtype == bool
        np.testing.assert_array_equal(found, np.take_along_axis(wanted, items, axis=1))
