# SPDX-License-Identifier: BSD-3-Clause
"""The first five rows that a newcomer types in: every recommender says something sensible."""

import numpy as np
import pytest
from _instances import ESTIMATORS
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.utils import get_tags

from sktransrec import ItemKNNRecommender
from sktransrec._wrapping import is_supervised, reads_histories

# Those that learn by many small steps need more rows.
RECOMMENDERS = [
    each
    for each in ESTIMATORS
    if get_tags(each).estimator_type == "recommender"
    and not {"epochs", "learning_rate"} & each.get_params(deep=False).keys()
]
# Readers of histories go by the order of the items as well.
OF_MATRICES = [each for each in RECOMMENDERS if not reads_histories(each)]
of_all, of_matrices = (
    pytest.mark.parametrize("recommender", each, ids=lambda each: repr(each)[:40])
    for each in (RECOMMENDERS, OF_MATRICES)
)

NEARLY_ALL = np.ones((6, 5))
NEARLY_ALL[np.arange(5), [0, 0, 0, 1, 1]] = 0
THREE_OF_FIVE = np.tile([1.0, 1, 1, 0, 0], (6, 1))
QUERY = np.eye(1, 5)


def as_histories(X):
    histories = [np.flatnonzero(row) + 1 for row in X]
    return np.array([np.pad(each, (0, X.shape[1] - len(each))) for each in histories])


def fitted(recommender, X):
    """Return the recommender fitted on the rows of X, and a row with the first item alone."""
    given = {"n_items": X.shape[1], "random_state": 0}
    known = recommender.get_params(deep=False)
    recommender = clone(recommender).set_params(**{k: given[k] for k in given.keys() & known})
    rows, query = (
        as_histories(part) if reads_histories(recommender) else part for part in (X, QUERY)
    )
    return recommender.fit(rows, X if is_supervised(recommender) else None), query


def popularity_in_order(recommender, X):
    """Return how many rows have each other item than the first, the best one first."""
    model, query = fitted(recommender, X)
    scores = model.decision_function(query)[0]
    assert np.isfinite(scores).all()
    items, _ = model.recommend(query, n_recommendations=model.n_items_)
    own_columns = items[0] + X.shape[1] - model.n_items_
    return X.sum(axis=0)[own_columns[own_columns > 0]]


@of_all
def test_items_that_nobody_has_come_last(recommender):
    popularity = popularity_in_order(recommender, THREE_OF_FIVE)
    assert_array_equal(popularity, [6, 6, 0, 0])


@of_matrices
def test_rows_that_have_nearly_all_items_tell_which_are_popular(recommender):
    assert_array_equal(popularity_in_order(recommender, NEARLY_ALL), [6, 6, 6, 4])


@pytest.mark.parametrize("weighting", ["auto", "cosine", "tfidf", "bm25"])
def test_neighbours_in_rows_with_nearly_all_items(weighting):
    scores = ItemKNNRecommender(weighting=weighting).fit(NEARLY_ALL).decision_function(QUERY)
    assert 0 < scores[0, 1] < scores[0, 2]
    everything = ItemKNNRecommender(weighting=weighting).fit(np.ones((4, 3)))
    assert (everything.decision_function(QUERY[:, :3])[0, 1:] > 0).all()
