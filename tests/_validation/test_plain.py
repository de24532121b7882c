# SPDX-License-Identifier: BSD-3-Clause
"""What is plainly valid passes as it is; everything else is left to scikit-learn."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import BaseEstimator
from sklearn.utils import check_array

from sktransrec._validation._plain import plain_numbers, plain_rows

OPTIONS = {"accept_sparse": ("csr",), "dtype": np.float32}
DENSE = np.array([[0.0, 1.0, 2.0], [3.0, 0.0, 0.5]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, bool])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array, sp.csr_matrix])
@pytest.mark.parametrize("asked", [np.float32, "numeric", None])
def test_plain_numbers_are_those_of_scikit_learn(dtype, kind, asked):
    X = kind(DENSE.astype(dtype))
    options = OPTIONS | {"dtype": asked}
    expected, found = check_array(X, **options), plain_numbers(X, options)
    assert type(found) is type(expected)
    assert found.dtype == expected.dtype
    assert (found != expected).sum() == 0
    assert (found is X) == (expected is X)


@pytest.mark.parametrize(
    "X",
    [
        DENSE.tolist(),
        DENSE.astype(object),
        DENSE.astype(complex),
        DENSE.astype(str),
        DENSE[0],
        DENSE[:0],
        DENSE[:, :0],
        np.ma.masked_array(DENSE, DENSE > 1),
        np.where(DENSE > 1, np.nan, DENSE),
        np.where(DENSE > 1, np.inf, DENSE),
        np.where(DENSE > 1, 1e39, DENSE),
        np.where(DENSE > 1, -1e19, DENSE),
        sp.csc_array(DENSE),
        sp.csr_array(np.where(DENSE > 1, np.nan, DENSE)),
    ],
)
def test_everything_else_is_left_to_scikit_learn(X):
    assert plain_numbers(X, OPTIONS) is None


def test_sparse_rows_are_left_where_dense_ones_are_asked_for():
    assert plain_numbers(sp.csr_array(DENSE), {"dtype": np.float32}) is None


def test_rows_must_have_the_columns_of_fit_and_no_names():
    estimator = BaseEstimator()
    estimator.n_features_in_ = 3
    options = OPTIONS | {"reset": False}
    assert plain_rows(estimator, DENSE, options) is not None
    assert plain_rows(estimator, DENSE[:, :2], options) is None
    assert plain_rows(estimator, DENSE, OPTIONS | {"reset": True}) is None
    estimator.feature_names_in_ = np.array(["a", "b", "c"])
    assert plain_rows(estimator, DENSE, options) is None
