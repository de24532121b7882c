# SPDX-License-Identifier: BSD-3-Clause
"""Which columns of two domains side by side are whose."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sktransrec.transfer._two_domains import TwoDomainRecommender

rng = np.random.RandomState(0)
DENSE = (rng.uniform(size=(12, 7)) < 0.5).astype(np.float32)


class Kept(TwoDomainRecommender):
    """Keep what it would learn from."""

    def __init__(self, target_columns):
        self.target_columns = target_columns

    def _fit(self, X):
        self._find_domains(X)
        self.stacked_ = self._stacked(X)

    def _score_rows(self, X):
        return np.zeros((X.shape[0], self.n_items_), dtype=np.float32)


@pytest.mark.parametrize("columns", [[4, 5, 6], slice(4, None), [1, 3], np.arange(7) < 2])
def test_the_source_comes_before_the_target(columns):
    model = Kept(columns).fit(DENSE)
    target = np.arange(7)[columns]
    stacked = np.hstack([np.delete(DENSE, target, axis=1), DENSE[:, target]])
    assert_array_equal(model.stacked_.toarray(), stacked)
    assert model.stacked_.has_sorted_indices
    assert_array_equal(model.item_columns_, target)
    source_columns, target_columns = model._columns_of_domains
    assert_array_equal(stacked[:, target_columns], DENSE[:, target])
    assert_array_equal(stacked[:, source_columns], np.delete(DENSE, target, axis=1))
    assert model.n_items_ == len(target)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (range(7), "which leaves no columns for the source"),
        ([4], "no interactions in the target"),
        ([0, 1, 2, 3, 5, 6], "no interactions in the source"),
    ],
)
def test_both_domains_must_be_there(columns, message):
    rows = DENSE.copy()
    rows[:, 4] = 0
    with pytest.raises(ValueError, match=message):
        Kept(columns).fit(rows)
