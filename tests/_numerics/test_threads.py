"""Blocks in threads give what they give one after the other, in order."""

import threading

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context

from sktransrec import ItemKNNRecommender, recommend
from sktransrec._numerics._threads import in_threads


@pytest.mark.parametrize("n_blocks", [0, 1, 7])
@pytest.mark.parametrize("n_jobs", [None, 1, 2])
def test_results_are_in_order(n_blocks, n_jobs):
    results = in_threads(lambda i: 2 * i, ((i,) for i in range(n_blocks)), n_jobs)
    assert list(results) == [2 * i for i in range(n_blocks)]


def _threads_used():
    """Return how many threads two blocks ran in: each of them waits for the other one."""
    both = threading.Barrier(2, timeout=20)

    def thread():
        both.wait()
        return threading.get_ident()

    return len(set(in_threads(thread, [(), ()])))


def test_threads_are_those_that_a_context_allows():
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
