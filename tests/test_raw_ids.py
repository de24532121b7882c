# SPDX-License-Identifier: BSD-3-Clause
"""Ids where columns are meant, which would ask for a number for each column up to the largest."""

import numpy as np
import pytest
import scipy.sparse as sp

from sktransrec import (
    ALSRecommender,
    CNNEncoder,
    EASERecommender,
    NextItemRecommender,
    PopularityRecommender,
    RidgeRecommender,
    RNNEncoder,
    SegmentPopularityRecommender,
)
from sktransrec.interactions import find_cross_listed, holdout_random
from sktransrec.metrics import ndcg_at_k

ID = 10**12
WIDE = sp.csr_array(([1.0, 1.0], ([0, 1], [ID, 3])), shape=(2, ID + 1))
SMALL = np.eye(2)


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: PopularityRecommender().fit(WIDE), "X has the column"),
        (lambda: ALSRecommender().fit(WIDE.tocoo()), "X has the column"),
        (lambda: EASERecommender().fit(WIDE), "X has the column"),
        (lambda: RidgeRecommender().fit(SMALL, [ID, 1]), "y has the column"),
        (lambda: RidgeRecommender().fit(SMALL, np.array([ID, 1])), "y has the column"),
        (lambda: RidgeRecommender().fit(SMALL, np.uint64([2**64 - 1, 1])), "y has the column"),
        (lambda: RidgeRecommender().fit(SMALL, WIDE), "y has the column"),
        (lambda: SegmentPopularityRecommender().fit(SMALL, [ID, 1]), "y has the column"),
        (lambda: NextItemRecommender().fit([[ID, 1]]), "X has the item id"),
        (lambda: RNNEncoder().fit([[ID, 1], [2, 1]]), "X has the token id"),
        (lambda: CNNEncoder().fit([[2 * 10**9, 1], [2, 1]], SMALL), "X has the token id"),
        (lambda: ndcg_at_k(WIDE, [[0], [1]], k=1), "has the column"),
        (lambda: holdout_random(WIDE), "X has the column"),
        (lambda: find_cross_listed(WIDE, SMALL), "X_source has the column"),
    ],
)
def test_a_raw_id_as_a_column_is_named(call, what):
    with pytest.raises(ValueError, match=rf"{what} \d+, .*InteractionEncoder"):
        call()


def test_as_columns_of_a_known_number_ids_are_out_of_range():
    model = RidgeRecommender().fit(SMALL, [0, 1])
    with pytest.raises(ValueError, match=f"from 1 to {ID}, expected 0 to 1"):
        model.score(SMALL, [ID, 1])
