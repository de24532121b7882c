# SPDX-License-Identifier: BSD-3-Clause
"""What is kept of the models of implicit, and what they are given."""

from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from sktransrec import ALSRecommender
from sktransrec.recommenders._implicit import (
    check_finite_factors,
    implicit_csr,
    implicit_seed,
    item_biases,
)

X = sp.csr_array(np.array([[1, 1, 0, 1], [1, 0, 0, 0], [1, 0, 0, 1.0]], dtype=np.float32))


def test_the_matrix_shares_its_buffers_unless_they_are_read_only():
    same = implicit_csr(X)
    assert isinstance(same, sp.csr_matrix)
    assert np.shares_memory(same.data, X.data)
    locked = X.copy()
    locked.data.setflags(write=False)
    copied = implicit_csr(locked)
    assert copied.data.flags.writeable
    assert_array_equal(copied.toarray(), X.toarray())


def test_any_random_state_becomes_a_seed():
    assert implicit_seed(np.int64(3)) == 3
    seeds = [implicit_seed(np.random.RandomState(0)) for _ in range(2)]
    assert seeds[0] == seeds[1]
    assert type(implicit_seed(None)) is int


def test_popularity_is_added_in_log_and_unknown_items_come_last():
    """Items have 3, 1, no and 2 rows."""
    learned = np.array([0.5, 0.0, 9.0, 0.2], dtype=np.float32)
    own, bias = item_biases(X, learned, popularity_exponent=2.0)
    logs = np.log([3, 1, 2]) - np.log(6) / 3
    assert_allclose(own, [0.5, 0.0, 0.0, 0.2])
    assert_allclose(bias[[0, 1, 3]], learned[[0, 1, 3]] + 2 * logs, rtol=1e-6)
    assert bias[2] == bias[[0, 1, 3]].min()


def test_factors_that_are_not_finite_name_the_cure():
    estimator = SimpleNamespace(regularization=0.5)
    check_finite_factors(estimator, np.ones(3), np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"SimpleNamespace has diverged.*regularization=0\.5"):
        check_finite_factors(estimator, np.ones(3), np.array([np.inf]))


def test_an_error_names_the_values_in_use():
    als = ALSRecommender(4, confidence=1e30, random_state=0)
    with pytest.raises(ValueError, match=r"regularization=0\.02, or lower confidence or"):
        als.fit(np.eye(8)[[0, 1, 2, 0, 1, 2]] + np.eye(8)[[3, 4, 5, 6, 7, 3]])
