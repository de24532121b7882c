# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal

from sktransrec._validation._targets import check_relevance, check_targets

Y = np.array([[0, 0, 1], [1, 0, 0]])


@pytest.mark.parametrize("check", [check_targets, check_relevance])
@pytest.mark.parametrize("y", [Y, Y.tolist(), sp.coo_array(Y), [2, 0], np.uint8([2, 0])])
def test_a_matrix_or_one_column_a_row(check, y):
    found = check(y, n_rows=2)
    assert isinstance(found, sp.csr_array)
    assert found.dtype == np.float32
    assert_array_equal(found.toarray(), Y)


@pytest.mark.parametrize("check", [check_targets, check_relevance])
@pytest.mark.parametrize("dtype", ["Int64", "boolean", "double[pyarrow]", float])
def test_a_table_with_missing_values_is_told_so(check, dtype):
    y = pd.DataFrame(Y).astype(dtype)
    assert_array_equal(check(y, n_rows=2).toarray(), Y)
    y.iloc[1, 1] = None
    with pytest.raises(ValueError, match="y contains NaN"):
        check(y, n_rows=2)


@pytest.mark.parametrize("check", [check_targets, check_relevance])
def test_a_sparse_table_is_not_made_dense(check, monkeypatch):
    y = pd.DataFrame.sparse.from_spmatrix(sp.csr_matrix(Y))
    monkeypatch.setattr(pd.DataFrame, "__array__", None, raising=False)
    assert_array_equal(check(y, n_rows=2).toarray(), Y)


def test_bad_targets():
    with pytest.raises(ValueError, match="X has 3 rows and y has 2"):
        check_targets(Y, n_rows=3)
    with pytest.raises(ValueError, match="Negative values in data passed to y"):
        check_targets(-Y, n_rows=2, nonnegative=True)
    assert check_targets(-Y, n_rows=2).sum() == -2


def test_bad_relevance():
    assert check_relevance([2, 0], n_rows=2, n_items=4).shape == (2, 4)
    with pytest.raises(ValueError, match=r"shape \(2, 3\), expected \(2, 4\)"):
        check_relevance(Y, n_rows=2, n_items=4)
    with pytest.raises(ValueError, match="column indices from 0 to 2, expected 0 to 1"):
        check_relevance([2, 0], n_rows=2, n_items=2)
    with pytest.raises(ValueError, match="1-D with dtype float64"):
        check_relevance([0.5, 1.0], n_rows=2)
