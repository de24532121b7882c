# SPDX-License-Identifier: BSD-3-Clause
"""Factors learned in parts of the rows are those of a fit, wherever the tasks run."""

import functools
from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError

from sktransrec import ALSRecommender

PARAMETERS = {"n_components": 4, "regularization": 0.05, "max_iter": 3, "random_state": 0}


class Task:
    """A call of a function that runs once, when its result is asked for."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    @functools.cache  # noqa: B019
    def compute(self):
        return self.function(*map(_computed, self.arguments))

    def __getitem__(self, place):
        return Task(lambda results: results[place], self)


def _computed(argument):
    if isinstance(argument, list):
        return [_computed(part) for part in argument]
    return argument.compute() if isinstance(argument, Task) else argument


def delayed(function):
    return lambda *arguments: Task(function, *arguments)


def fitted_in_parts(*parts, **parameters):
    model = ALSRecommender(**PARAMETERS).set_params(**parameters)
    return model.fit_parts([Task(lambda X=X: X) for X in parts], delayed)


@pytest.mark.parametrize("init", ["random", "svd"])
@pytest.mark.parametrize("sizes", [[30], [10, 20], [7, 0, 11, 12], [0, 1, 29]], ids=str)
def test_parts_give_what_all_rows_give(sizes, init):
    X = sp.random_array((30, 8), density=0.3, format="csr", rng=np.random.default_rng(0))
    ends = np.cumsum([0, *sizes])
    parts = [X[start:stop] for start, stop in pairwise(ends)]
    whole = ALSRecommender(**PARAMETERS).set_params(init=init).fit(X)
    model = fitted_in_parts(*parts, init=init)
    assert_allclose(model.item_factors_, whole.item_factors_, rtol=1e-4, atol=1e-6)
    assert_allclose(model.popularity_, whole.popularity_)
    assert model.confidence_ == pytest.approx(whole.confidence_)
    assert_allclose(model.decision_function(X), whole.decision_function(X), rtol=1e-4, atol=1e-5)


def test_dense_parts_are_read():
    X = np.eye(6, 4) + np.eye(6, 4, k=1)
    assert_allclose(
        fitted_in_parts(X[:2], X[2:]).item_factors_,
        ALSRecommender(**PARAMETERS).fit(X).item_factors_,
        rtol=1e-4,
    )


def test_what_is_chosen_is_chosen_on_the_first_part_with_interactions():
    X = sp.random_array((90, 12), density=0.3, format="csr", rng=np.random.default_rng(0))
    empty, parts = sp.csr_array((4, 12)), [X[:60], X[60:]]
    expected = fitted_in_parts(*parts, regularization="auto").regularization_
    assert fitted_in_parts(empty, *parts, regularization="auto").regularization_ == expected
    with pytest.raises(ValueError, match="without rows or entries"):
        fitted_in_parts(empty)


def test_parts_without_rows_are_an_error_and_change_nothing():
    model = ALSRecommender(**PARAMETERS)
    with pytest.raises(ValueError, match="all of its parts are without rows"):
        model.fit_parts([Task(lambda: np.empty((0, 4)))], delayed)
    with pytest.raises(NotFittedError):
        model.recommend(np.eye(4))
