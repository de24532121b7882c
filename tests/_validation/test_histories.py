# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator

from sktransrec._validation._histories import check_histories, item_ids_of_rows

X = np.array([[3, 1, 0], [2, 0, 0]])


def checked(X, **options):
    return check_histories(BaseEstimator(), X, reset=True, **options)


@pytest.mark.parametrize("form", [np.array, np.ndarray.tolist, np.float64, lambda X: X[:, ::-1]])
def test_ids_are_integers_padded_at_one_end(form):
    for ids in (checked(form(X)), item_ids_of_rows(form(X))):
        assert ids.dtype == np.int32
        assert_array_equal(ids, np.asarray(form(X)))


def test_gaps_are_unknown_items_where_these_may_be():
    gaps = [[3, 0, 1], [2, 0, 0]]
    with pytest.raises(ValueError, match="zeros both before and after ids"):
        checked(gaps)
    assert_array_equal(checked(gaps, ignores_gaps=True), gaps)
    assert_array_equal(item_ids_of_rows(gaps, ignores_gaps=True), gaps)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1, 1, 0], [1, 0, 0]], "nothing but 0 and 1"),
        ([[1.5, 2.0]], "not integers"),
        (np.array([["2020-01-01", "2020-01-02"]], dtype="datetime64[ns]"), "holds times"),
        ([[2, -1]], "Negative values"),
        ([[2, 10**9]], "the item id 1000000000"),
        ([[1, 2], [3]], "different lengths"),
    ],
)
def test_what_are_no_histories(rows, message):
    with pytest.raises(ValueError, match=message):
        checked(rows)


@pytest.mark.parametrize("check", [checked, item_ids_of_rows])
def test_a_table_with_nan_holds_no_histories(check):
    with pytest.raises(ValueError, match=r"X contains NaN, but a history .*\.sequences\(log\)"):
        check([[3, np.nan], [np.nan, 1]])


def test_a_sparse_matrix_holds_no_histories():
    for check in (checked, item_ids_of_rows):
        with pytest.raises(TypeError, match="X is a sparse matrix"):
            check(sp.csr_array(X))


def test_texts_are_no_ids():
    with pytest.raises(ValueError, match=r"X holds strings, but a history is a row of integers"):
        item_ids_of_rows([["a", "b"], ["b", "c"]])
