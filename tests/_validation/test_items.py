# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal

from sktransrec._validation._items import (
    check_candidates,
    check_columns,
    check_exclusions,
    check_item_ids,
    check_target_columns,
)


@pytest.mark.parametrize("candidates", [[3, 1, 1], np.arange(5) % 2 == 1, np.uint8([1, 3])])
def test_candidates_are_sorted_and_distinct(candidates):
    assert_array_equal(check_candidates(candidates, 5), [1, 3])
    assert_array_equal(check_columns(candidates, 5, name="columns"), [1, 3])


def test_no_candidates_are_all_and_slices_are_columns():
    assert check_candidates(None, 5) is None
    assert_array_equal(check_columns(slice(-2, None), 5, name="columns"), [3, 4])
    with pytest.raises(ValueError, match=r"columns=slice\(5, None, None\) holds none"):
        check_columns(slice(5, None), 5, name="columns")


@pytest.mark.parametrize(
    ("candidates", "message"),
    [
        ([], "must be a non-empty 1-D array"),
        ([[1]], "must be a non-empty 1-D array"),
        ([0.5], "must be a non-empty 1-D array"),
        ([True, False], "must be a non-empty 1-D array"),
        ([5], "must lie between 0 and 4, got values from 5 to 5"),
        ([-1], "must lie between 0 and 4"),
    ],
)
def test_bad_candidates(candidates, message):
    with pytest.raises(ValueError, match=f"candidates {message}"):
        check_candidates(candidates, 5)


@pytest.mark.parametrize("columns", [[1, 3], range(1, 4, 2), slice(1, 4, 2), np.arange(5) % 2 == 1])
def test_target_columns_ascend(columns):
    assert_array_equal(check_target_columns(columns, 5), [1, 3])


@pytest.mark.parametrize("columns", [[3, 1], [1, 1, 3], slice(None, None, -1)])
def test_target_columns_in_another_order_are_refused(columns):
    with pytest.raises(ValueError, match="target_columns must be in ascending order"):
        check_target_columns(columns, 5)


def test_one_id_for_each_item():
    assert check_item_ids(["b", "a"], 2, of="columns").tolist() == ["b", "a"]
    with pytest.raises(ValueError, match="item_ids has 2 ids, but there are 3 columns"):
        check_item_ids(["b", "a"], 3, of="columns")
    with pytest.raises(ValueError, match="item_ids repeats 'a'"):
        check_item_ids(["a", "a"], 2, of="columns")


def test_exclusions_have_the_shape_of_the_scores():
    found = check_exclusions([[0, 1], [2, 0]], (2, 2))
    assert_array_equal(found.toarray(), sp.csr_array([[0, 1], [2, 0]]).toarray())
    with pytest.raises(ValueError, match=r"shape \(1, 2\), expected \(2, 2\)"):
        check_exclusions([[0, 1]], (2, 2))


def test_a_mask_of_numbers_is_told_to_become_one_of_booleans():
    with pytest.raises(ValueError, match=r"pass candidates\.astype\(bool\)"):
        check_candidates([0, 1, 1, 0], 4)
    assert_array_equal(check_candidates([0, 1, 1], 4), [0, 1])
