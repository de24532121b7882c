# SPDX-License-Identifier: BSD-3-Clause
"""Blocks in threads give what they give one after the other, in order."""

import threading

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import clone

from sktransrec import (
    EASERecommender,
    GraphFilterRecommender,
    ItemKNNRecommender,
    recommend,
)
from sktransrec._numerics._threads import in_threads, rows_per_thread


@pytest.mark.parametrize("n_blocks", [0, 1, 7])
@pytest.mark.parametrize("n_jobs", [None, 1, 2])
def test_results_are_in_order(n_blocks, n_jobs):
    results = in_threads(lambda i: 2 * i, ((i,) for i in range(n_blocks)), n_jobs)
    assert list(results) == [2 * i for i in range(n_blocks)]


def test_blocks_are_not_all_there_at_once():
    drawn = []
    results = in_threads(lambda i: i, ((i, drawn.append(i))[:1] for i in range(9)))
    assert next(results) == 0
    assert drawn == [0, 1]


def _threads_used(n_jobs=None):
    """Return how many threads two blocks ran in: each of them waits for the other one."""
    both = threading.Barrier(2, timeout=20)

    def thread():
        both.wait()
        return threading.get_ident()

    return len(set(in_threads(thread, [(), ()], n_jobs)))


def test_threads_are_those_that_a_call_or_a_context_allows():
    assert _threads_used(n_jobs=2) == 2
    with joblib.parallel_config(n_jobs=2):
        assert _threads_used() == 2


def test_recommendations_do_not_depend_on_the_threads():
    X = (np.random.default_rng(0).random((400, 60)) < 0.2).astype(np.float32)
    model = ItemKNNRecommender(5, shrinkage=1, popularity_exponent=0).fit(X)
    with config_context(working_memory=0.1):  # blocks of some 100 rows
        alone = recommend(model, X)
        with joblib.parallel_config(n_jobs=2):
            together = recommend(model, X)
    for one, other in zip(alone, together, strict=True):
        assert_array_equal(one, other)


@pytest.mark.parametrize(
    "model",
    [
        ItemKNNRecommender(5),
        ItemKNNRecommender(5, weighting="cosine", shrinkage=1),
        EASERecommender(solver="sparse", n_neighbors=5),
        GraphFilterRecommender(3, random_state=0),
    ],
)
def test_models_do_not_depend_on_the_threads_of_their_fit(model):
    X = (np.random.default_rng(0).random((400, 120)) < 0.2).astype(np.float32)
    alone = clone(model).fit(X).decision_function(X)
    with joblib.parallel_config(n_jobs=2):
        together = clone(model).fit(X).decision_function(X)
    assert_array_equal(alone, together)


@pytest.mark.parametrize(("n_jobs", "expected"), [(1, 50), (2, 13)])
def test_blocks_of_threads_share_the_memory_and_end_together(n_jobs, expected):
    with joblib.parallel_config(n_jobs=n_jobs):
        assert rows_per_thread(100, 50) == expected
        assert rows_per_thread(10_000, 51) == 51 // n_jobs
        assert rows_per_thread(1, 1) == 1
