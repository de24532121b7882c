# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from sktransrec import PopularityRecommender

X = np.array([[5, 0, 1, 0], [1, 2, 0, 0], [0, 1, 0, 0], [0, 3, 0, 0]])


def test_scores_are_the_shares_of_rows_whatever_the_row_has():
    model = PopularityRecommender().fit(X)
    assert_allclose(model.decision_function(np.ones((2, 4))), [[0.5, 0.75, 0.25, 0]] * 2)
    assert_array_equal(model.recommend(X[:1] * 0, n_recommendations=4)[0], [[1, 0, 2, 3]])


def test_counts_and_stored_zeros_do_not_matter():
    stored = sp.csr_array(X)
    stored.data[:] = 7
    stored.data[1] = 0
    expected = [0.5, 0.75, 0, 0]
    assert_allclose(PopularityRecommender().fit(stored).popularity_, expected)


def test_many_rows_get_the_same_as_each_by_itself():
    many = sp.random_array((200, 900), density=0.3, format="csr", rng=0)
    model = PopularityRecommender().fit(many)
    together = model.recommend(many, n_recommendations=5)
    alone = [model.recommend(many[[row]], n_recommendations=5) for row in range(200)]
    for ours, rows in zip(together, zip(*alone, strict=True), strict=True):
        assert_array_equal(ours, np.concatenate(rows))
