# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from sklearn.preprocessing import normalize

from sktransrec._numerics._unit_rows import unit_rows


@pytest.mark.parametrize("as_format", [np.asarray, sp.csr_array])
def test_unit_rows_are_those_of_scikit_learn(as_format):
    X = as_format(np.array([[3, 0, 4], [0, 0, 0], [0, -2, 0]], dtype=np.float32))
    before = X.copy()
    rows = unit_rows(X)
    assert rows.dtype == np.float32
    expected = normalize(X)
    if sp.issparse(X):
        X, before, rows, expected = (each.toarray() for each in (X, before, rows, expected))
    assert_array_equal(rows, expected)
    assert_array_equal(rows, np.float32([[0.6, 0, 0.8], [0, 0, 0], [0, -1, 0]]))
    assert_array_equal(X, before)
