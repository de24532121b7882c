"""Padded blocks hold the rows as they are."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal

from sktransrec._numerics._row_blocks import entry_rows, padded_row_blocks


@pytest.mark.parametrize("n_floats", [1, 2**30])
def test_padded_blocks_hold_every_entry_once(n_floats):
    rng = np.random.RandomState(0)
    dense = (rng.uniform(size=(40, 30)) < rng.uniform(size=(40, 1))) * rng.uniform(size=(40, 30))
    dense[3] = 0
    X, seen = sp.csr_array(dense), np.zeros(dense.shape)
    for rows, items, values, is_stored in padded_row_blocks(X, lambda width: n_floats):
        n_stored = is_stored.sum(axis=1)
        assert (n_stored > 0).all()
        assert (2 * n_stored > items.shape[1]).all()
        assert not values[~is_stored].any()
        np.add.at(seen, (np.broadcast_to(rows[:, None], items.shape), items), values)
        assert n_floats == 1 or len(rows) == 1
        if n_floats == 1:
            assert len(np.unique(2 ** np.ceil(np.log2(n_stored)))) == 1
    assert_array_equal(seen, dense)


def test_each_entry_of_a_row_becomes_a_row():
    row = sp.csr_array([[0.0, 3.0, 0.0, 2.0]])
    assert_array_equal(entry_rows(row).toarray(), [[0, 3, 0, 0], [0, 0, 0, 2]])
    assert entry_rows(sp.csr_array((1, 4))).shape == (0, 4)
