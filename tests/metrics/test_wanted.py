"""What there is to find, in all forms in which users pass it."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal

from sktransrec import NextItemRecommender, PopularityRecommender
from sktransrec.metrics._wanted import wanted_items

READER = NextItemRecommender()
WANTED = np.array([[0, 1, 0, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize(
    "y",
    [
        [2, 4],
        np.array([[2], [4]]),
        [[2, 0], [4, 0]],
        WANTED,
        sp.csr_array(WANTED),
        WANTED * 0.5,
    ],
    ids=["one each", "a column", "padded", "matrix", "sparse matrix", "floats"],
)
def test_a_reader_of_histories_takes_ids_and_matrices(y):
    found = wanted_items(READER, y, n_rows=2, n_items=4)
    assert_array_equal(found.toarray() > 0, WANTED > 0)


def test_other_models_number_items_from_zero():
    found = wanted_items(PopularityRecommender(), [1, 3], n_rows=2, n_items=4)
    assert_array_equal(found.toarray(), WANTED)
    negative = wanted_items(PopularityRecommender(), -WANTED, n_rows=2, n_items=4)
    assert not (negative.toarray() > 0).any()


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 3], "from 0 to 3, .* ids from 1 to 4"),
        ([1, 5], "from 1 to 5, .* ids from 1 to 4"),
        ([[2, 0, 0, 0], [4, 0, 0, 0]], "y has 4 columns, as many as there are items"),
    ],
)
def test_ids_that_may_be_meant_otherwise_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        wanted_items(READER, y, n_rows=2, n_items=4)


def test_unknown_ids_are_left_out_on_request():
    lenient = NextItemRecommender(unknown="ignore")
    found = wanted_items(lenient, [[2, 9], [4, 0]], n_rows=2, n_items=4)
    assert_array_equal(found.toarray() > 0, WANTED > 0)
