# SPDX-License-Identifier: BSD-3-Clause
"""Which items are tied, and what the entries of two domains side by side weigh."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from sktransrec.transfer.shared_factors._domain_blocks import TwoDomains, tied_items

rng = np.random.RandomState(0)
DENSE = (rng.uniform(size=(12, 7)) < 0.5).astype(np.float32)
DENSE[:3, :4], DENSE[:3, 4] = 0, 1
DENSE[3:5, 4:], DENSE[3:5, 0] = 0, 1
DENSE[11] = 0
X = sp.csr_array(DENSE)
COLUMNS = slice(0, 4), slice(4, None)
NO_TIES = np.empty((2, 0), dtype=np.intp)


def test_equal_ids_are_tied_wherever_they_stand():
    source, target = np.array([0, 2, 3]), np.array([1, 4])
    ids = ["a", "x", "b", "c", "a"]
    assert_array_equal(tied_items(ids, source, target), [[0], [4]])
    assert tied_items(None, source, target).shape == (2, 0)
    with pytest.raises(ValueError, match="pass one id for each column"):
        tied_items(ids[:-1], source, target)
    with pytest.raises(ValueError, match="item_ids of the source repeats 'a'"):
        tied_items(["a", "x", "a", "c", "d"], source, target)


@pytest.mark.parametrize("knows_empty_rows", [True, False])
def test_each_row_is_in_one_block_with_the_columns_it_is_known_in(knows_empty_rows):
    domains = TwoDomains(COLUMNS, 0.5, knows_empty_rows, NO_TIES)
    blocks = domains.blocks_of_rows(X, confidence=(3.0, 2.0))
    rows = np.concatenate([block.rows for block in blocks])
    is_anywhere = DENSE.any(axis=1) | knows_empty_rows
    assert_array_equal(np.sort(rows), np.flatnonzero(is_anywhere))
    weighted = DENSE * np.where(np.arange(7) < 4, 0.5 * 3, 2)
    for (known, columns), block in zip(domains.kinds_of_rows, blocks, strict=True):
        assert_array_equal(domains.is_known(X)[block.rows], np.tile(known, (len(block.rows), 1)))
        assert_allclose(block.C.toarray(), weighted[block.rows][:, columns])
        assert_allclose(block.missing_weights, np.where(np.arange(7) < 4, 0.5, 1)[columns])
    if knows_empty_rows:
        assert [len(block.rows) for block in blocks] == [0, 0, 12]
    else:
        assert {0, 1, 2} <= set(blocks[1].rows)
        assert {3, 4} <= set(blocks[0].rows)


def test_a_tied_item_is_one_item_of_both_domains():
    domains = TwoDomains(COLUMNS, 0.5, False, np.array([[1], [6]]))
    source, target, tied = domains.blocks_of_items(X, confidence=(1.0, 1.0))
    assert_array_equal(source.rows, [[0, 2, 3]])
    assert_array_equal(target.rows, [[4, 5]])
    assert_array_equal(tied.rows, [[1], [6]])
    is_known = domains.is_known(X)
    in_source, in_target = (np.flatnonzero(is_known[:, domain]) for domain in (0, 1))
    expected = np.concatenate([0.5 * DENSE[in_source, 1], DENSE[in_target, 6]])
    assert_allclose(tied.C.toarray()[0], expected)
    assert_array_equal(tied.columns, np.concatenate([in_source, in_target]))
    assert_array_equal(
        tied.missing_weights, np.repeat([0.5, 1.0], [len(in_source), len(in_target)])
    )
