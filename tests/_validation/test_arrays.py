# SPDX-License-Identifier: BSD-3-Clause
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator

from sktransrec._validation._arrays import (
    check_array,
    check_documents,
    check_interactions,
    check_matrix,
    check_rows,
    check_rows_or_content,
    check_sample_domain,
    check_table,
    is_content,
    is_table,
    validate_data,
)
from sktransrec._validation._sklearn import _safe_indexing

DENSE = np.array([[0, 2, 0], [1, 0, 3]])


@pytest.mark.parametrize(
    "form", [np.array, sp.csr_matrix, sp.csc_array, sp.coo_array, np.ndarray.tolist]
)
def test_every_form_becomes_one_canonical_matrix(form):
    for X in (
        check_matrix(form(DENSE), name="X"),
        check_interactions(BaseEstimator(), form(DENSE), reset=True),
    ):
        assert isinstance(X, sp.csr_array)
        assert X.dtype == np.float32
        assert X.has_canonical_format
        assert_array_equal(X.toarray(), DENSE)


@pytest.mark.parametrize("form", [np.array, sp.csr_array, sp.csc_matrix, sp.bsr_array])
@pytest.mark.parametrize("as_indices", [np.array, list])
def test_rows_and_columns_are_chosen_from_every_matrix(form, as_indices):
    for axis, indices in (
        (0, [1, 0, 1]),
        (0, [False, True]),
        (1, [2, 0]),
        (1, [True, False, True]),
    ):
        part = _safe_indexing(form(DENSE), as_indices(indices), axis=axis)
        found = part.toarray() if sp.issparse(part) else part
        assert sp.issparse(part) == sp.issparse(form(DENSE))
        assert_array_equal(found, DENSE[indices] if axis == 0 else DENSE[:, indices])


def in_a_category(X):
    return pd.DataFrame(X).astype("category")


def of_objects(X):
    return np.array([list(row) for row in X], dtype=object)


def in_a_column(X):
    """Return a table in whose last column alone the values are."""
    return pd.DataFrame(DENSE).assign(last=X[:, -1])


@pytest.mark.parametrize(
    ("dtype", "what"),
    [("datetime64[us]", "times"), ("timedelta64[us]", "times"), ("complex64", "complex numbers")],
)
@pytest.mark.parametrize(
    "form", [np.asarray, list, pd.DataFrame, pl.from_numpy, in_a_category, of_objects, in_a_column]
)
def test_times_and_complex_numbers_are_not_taken_for_others(form, dtype, what):
    if what != "times" and form is pl.from_numpy:
        pytest.skip("polars has no complex numbers")
    values = form(DENSE.astype("int64").astype(dtype))
    for check in (
        lambda: check_matrix(values, name="X"),
        lambda: check_interactions(BaseEstimator(), values, reset=True),
    ):
        with pytest.raises(ValueError, match=rf"X holds {what}, of type .*, and needs real"):
            check()


def test_halves_are_read_in_single_precision():
    large = (300 * DENSE).astype(np.float16)
    for X in (check_array(large, input_name="X"), validate_data(BaseEstimator(), large)):
        assert X.dtype == np.float32
        assert_array_equal(X, large)


def test_repeated_entries_are_added_and_zeros_dropped_from_a_copy():
    given = sp.csr_array(([1.0, 2.0, 0.0], [2, 2, 0], [0, 2, 3]), shape=(2, 3))
    X = check_matrix(given, name="X")
    assert (X.nnz, X[0, 2]) == (1, 3)
    assert given.nnz == 3


@pytest.mark.parametrize("form", [sp.csr_array, sp.csc_matrix, sp.coo_array])
@pytest.mark.parametrize(
    "check",
    [
        partial(check_matrix, name="X"),
        partial(check_array, input_name="X", accept_sparse=True, dtype=np.float32),
        partial(check_rows, BaseEstimator(), reset=True),
    ],
)
def test_a_repeated_flag_is_no_number(form, check):
    flags = sp.coo_array((np.ones(3, dtype=bool), ([0, 0, 1], [2, 2, 0])), shape=(2, 3))
    given = form(flags)
    X = sp.csr_array(check(given)).astype(int)
    assert_array_equal(X.toarray(), flags.toarray())
    assert given.nnz == form(flags).nnz


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (DENSE * 0, "no interactions: all of its 2 x 3"),
        (-DENSE, "Negative values in data passed to X: the smallest is -3"),
        (DENSE * 1e-44, "too small for float32"),
        (np.ma.masked_equal(DENSE, 2), r"masked array.*X\.filled\(0\)"),
        (np.array([["a", "b"]]), "X"),
    ],
)
def test_what_are_no_interactions(X, message):
    with pytest.raises(ValueError, match=message):
        check_interactions(BaseEstimator(), X, reset=True)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.where(DENSE, DENSE, np.nan), r"X contains NaN.*X\.fillna\(0\).*SimpleImputer"),
        (pd.DataFrame({"a": ["u", "v"], "b": [1, 2]}), "'u'.* BaseEstimator needs .*OneHotEncoder"),
        (np.array([["u", 1]], dtype=object), "'u'.* BaseEstimator needs .*OneHotEncoder"),
        (pd.Series(["gold", "silver"]), r"one dimension.*X\.to_frame\(\)"),
        (["gold", "silver"], r"one dimension.*X\.to_frame\(\)"),
    ],
)
def test_what_are_no_rows_of_numbers(X, message):
    with pytest.raises(ValueError, match=message):
        check_rows(BaseEstimator(), X, reset=True)


@pytest.mark.parametrize("check", [check_rows_or_content, check_table])
def test_sparse_columns_of_objects_are_refused_with_the_cure(check):
    table = pd.DataFrame({"a": ["x", "y"], "b": [0, 1]}).astype({"b": pd.SparseDtype(object, 0)})
    with pytest.raises(ValueError, match=r"The column 'b' of X .*X\['b'\]\.sparse\.to_dense\(\)"):
        check(BaseEstimator(), table, reset=True)
    table["b"] = table["b"].sparse.to_dense()
    assert check(BaseEstimator(), table, reset=True) is table


def test_texts_and_tables_are_told_from_numbers():
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, 1]})
    texts = frame.assign(b=["x", "y"])
    assert [is_content(X) for X in (frame, texts, ["a"], ("a",), [1], [], DENSE)] == [
        *(False, True, True, True, False, False, False)
    ]
    tables = (
        frame,
        texts,
        np.array([["a", "b"]]),
        np.array([[1, "b"]], dtype=object),
        ["a"],
        DENSE,
    )
    assert [is_table(X) for X in tables] == [False, True, True, True, False, False]


def test_domains_of_rows():
    X = np.ones((3, 2))
    assert check_sample_domain(None, X, 3) is None
    assert_array_equal(check_sample_domain([2, -1, 0.5], X, 3), [True, False, True])
    assert_array_equal(check_sample_domain(-1, X, 3), [False] * 3)
    for labels, message in (
        ([1, -1], "has shape"),
        ([1, 0, -1], "zeros or NaN"),
        ([1, np.nan, -1], "zeros or NaN"),
    ):
        with pytest.raises(ValueError, match=message):
            check_sample_domain(labels, X, 3)
    with pytest.raises(ValueError, match="All rows of sample_domain are of the target"):
        check_sample_domain(-1, X, 3, both=True)


def test_documents_are_texts_one_each():
    assert check_documents(np.array(["a", ""])) == ["a", ""]
    for X, message in (
        ("a", "got a str"),
        (np.array([["a"]]), r"of shape \(1, 1\)"),
        ([], "no documents"),
        (["a", None], "Row 1 of X is None, of type NoneType"),
    ):
        with pytest.raises(ValueError, match=message):
            check_documents(X)


@pytest.mark.parametrize(
    ("column", "expected"),
    [([1, 2.5], False), ([True, 3], False), ([1, "a"], True), ([1, None], True)],
)
def test_a_column_of_any_type_is_content_if_not_all_are_numbers(column, expected):
    frame = pd.DataFrame({"a": [0, 1], "b": pd.Series(column, dtype=object)})
    assert is_content(frame) is expected
