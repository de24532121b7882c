# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
import scipy.sparse as sp


@pytest.fixture
def checkerboard():
    """Return even rows with even items and odd with odd, the diagonal withheld."""
    board = (np.arange(60)[:, None] % 2 == np.arange(60) % 2).astype(np.float32)
    np.fill_diagonal(board, 0)
    return sp.csr_array(board)


@pytest.fixture
def counts():
    """Return counts of which the last item is in no row."""
    rng = np.random.RandomState(0)
    density = np.linspace(0.05, 0.7, 60)[:, None]
    counts = (rng.uniform(size=(60, 30)) < density) * rng.randint(1, 5, (60, 30))
    counts[:, -1] = 0
    counts[:, 0] = 1
    return sp.csr_array(counts.astype(np.float32))
