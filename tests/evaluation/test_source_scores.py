# SPDX-License-Identifier: BSD-3-Clause
"""What tells of a source before anything is learned from it."""

import numpy as np
import pytest
import scipy.sparse as sp
from _domains import several_sources
from sklearn.linear_model import LogisticRegression

from sktransrec.evaluation import proxy_a_distance
from sktransrec.evaluation._source_scores import column_distance, probe_gain, row_overlap


def folds_of(n_rows):
    fold = np.arange(n_rows) % 3
    return [(np.flatnonzero(fold != i), np.flatnonzero(fold == i)) for i in range(3)]


def test_overlap_counts_rows_of_both_among_rows_of_either():
    X, y = np.eye(6)[:, :4], np.eye(6)[:, 2:]
    overlap = row_overlap(sp.csr_array(X), sp.csr_array(y))
    assert overlap == pytest.approx(2 / 6)
    assert type(overlap) is float
    assert row_overlap(X * 0, sp.csr_array(y * 0)) == 0


def test_probe_orders_sources_by_their_relatedness():
    X, y, sources = several_sources([0.0, 1.0, 0.6])
    folds = folds_of(X.shape[0])
    gains = [probe_gain(X[:, places], y, folds, "ndcg", 10, 0) for _, places in sources]
    assert gains[1] > gains[2] > gains[0]
    assert gains[1] > 0.05
    is_training = np.arange(X.shape[0]) % 3 != 0
    y = sp.csr_array(sp.diags_array(is_training.astype(float)) @ y)
    assert np.isnan(probe_gain(X, y, folds[:1], "ndcg", 10, 0))


def test_items_of_related_domains_are_nearer():
    distances = {
        each: np.mean(
            [
                column_distance(*several_sources([each], seed=seed)[:2], random_state=0)
                for seed in range(5)
            ]
        )
        for each in (0.0, 1.0)
    }
    assert distances[1.0] < distances[0.0]
    for few in (np.eye(9)[:, :4], np.zeros((9, 9))):
        assert np.isnan(column_distance(few, sp.csr_array(np.eye(9)), 0))


def test_distance_is_that_of_the_error_of_the_classifier():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 2))
    far, near = X[:100] + np.array([9, 0]), X[:100] * 3
    assert proxy_a_distance(X[100:], far, random_state=0) == 2
    assert proxy_a_distance(X[:200], X[200:], random_state=0) < 0.4
    # Neighbours see a difference of spreads; a linear classifier does not.
    assert proxy_a_distance(X[100:], near, random_state=0) > 0.5
    linear = proxy_a_distance(X[100:], near, classifier=LogisticRegression(), random_state=0)
    assert linear < 0.4
    sparse = proxy_a_distance(sp.csr_array(X[100:]), sp.csr_array(near), random_state=0)
    assert sparse == pytest.approx(proxy_a_distance(X[100:], near, random_state=0))


def test_distance_explains_what_it_cannot_measure():
    with pytest.raises(ValueError, match="X_source has 2 features and X_target 3"):
        proxy_a_distance(np.ones((9, 2)), np.ones((9, 3)))
    with pytest.raises(ValueError, match="smaller domain has 3 rows"):
        proxy_a_distance(np.ones((9, 2)), np.ones((3, 2)))
