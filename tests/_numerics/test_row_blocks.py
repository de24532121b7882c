# SPDX-License-Identifier: BSD-3-Clause
"""Padded blocks hold the rows as they are."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal

from sktransrec._numerics._row_blocks import (
    entry_rows,
    even_slices,
    padded_row_blocks,
    row_slices,
    rows_in,
)


@pytest.mark.parametrize("n_floats", [1, 2**30])
@pytest.mark.parametrize("shape", [(40, 30), (1, 30), (2, 30), (5, 1)])
def test_padded_blocks_hold_every_entry_once(n_floats, shape):
    rng = np.random.RandomState(0)
    dense = (rng.uniform(size=shape) < rng.uniform(size=(shape[0], 1))) * rng.uniform(size=shape)
    dense[3:4] = 0
    X, seen = sp.csr_array(dense), np.zeros(dense.shape)
    for rows, items, values, is_stored in padded_row_blocks(X, lambda width: n_floats):
        n_stored = is_stored.sum(axis=1)
        assert (n_stored > 0).all()
        assert (2 * n_stored > items.shape[1]).all()
        assert not values[~is_stored].any()
        assert not items[~is_stored].any()
        np.add.at(seen, (np.broadcast_to(rows[:, None], items.shape), items), values)
        assert n_floats == 1 or len(rows) == 1
        if n_floats == 1:
            assert len(np.unique(2 ** np.ceil(np.log2(n_stored)))) == 1
    assert_array_equal(seen, dense)


def test_each_entry_of_a_row_becomes_a_row():
    row = sp.csr_array([[0.0, 3.0, 0.0, 2.0]])
    assert_array_equal(entry_rows(row).toarray(), [[0, 3, 0, 0], [0, 0, 0, 2]])
    assert entry_rows(sp.csr_array((1, 4))).shape == (0, 4)


def test_slices_of_rows():
    assert list(row_slices(5, 2)) == [slice(0, 2), slice(2, 4), slice(4, 5)]
    assert list(even_slices(10, 9)) == [slice(0, 5), slice(5, 10)]
    assert list(even_slices(10, 4)) == [slice(0, 4), slice(4, 8), slice(8, 10)]
    assert list(even_slices(10, 10)) == [slice(0, 10)]


def test_rows_in_a_slice_are_copied_unless_they_are_all():
    dense = np.eye(4, 3)
    X = sp.csr_array(dense)
    assert rows_in(X, slice(0, 4)) is X
    for some in (slice(0, 3), slice(1, 4)):
        assert_array_equal(rows_in(X, some).toarray(), dense[some])
