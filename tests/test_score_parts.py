# SPDX-License-Identifier: BSD-3-Clause
"""Values that add up over the entries of a row are told from those that do not."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sktransrec import RidgeRecommender
from sktransrec._score_parts import additive_parts, score_parts

ROW = np.array([[2.0, 0, 3, 0]])
MAP = np.arange(8.0).reshape(4, 2)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_linear_functions_add_up_but_for_their_constant(form):
    parts = additive_parts(lambda rows: rows @ MAP + 5, form(ROW))
    assert_allclose(parts, ROW[0, [0, 2], None] * MAP[[0, 2]])


def test_other_functions_do_not_add_up():
    assert additive_parts(lambda rows: (rows @ MAP) ** 2, ROW) is None


def test_entries_that_only_a_scaler_makes_are_no_reasons():
    rng = np.random.default_rng(0)
    X = (rng.uniform(size=(30, 5)) < 0.5) * 1.0
    model = make_pipeline(StandardScaler(), RidgeRecommender(1.0)).fit(X, X[:, ::-1])
    columns, parts = score_parts(model, X[[1]])
    assert_array_equal(columns, np.flatnonzero(X[1]))
    scaler, ridge = model
    scaled = scaler.transform(X[[1]])[0, columns]
    assert_allclose(parts, scaled[:, None] * ridge.coef_.T[columns], rtol=1e-4)


def test_entries_have_their_part_in_columns_that_move_or_mix():
    X = np.tril(np.ones((6, 6)))
    mixed = np.arange(18.0).reshape(6, 3)
    for function in (np.fliplr, lambda rows: rows @ mixed + 1):
        model = make_pipeline(FunctionTransformer(function), RidgeRecommender(1.0)).fit(X, X)
        columns, parts = score_parts(model, X[[3]])
        assert_array_equal(columns, np.arange(4))
        of_each = function(np.eye(6)) - function(np.zeros((6, 6)))
        assert_allclose(parts, (of_each @ model[-1].coef_.T)[:4], atol=1e-4)


def test_sparse_rows_go_through_a_selection_of_columns():
    X = sp.csr_array(np.tril(np.ones((6, 6))))
    chosen = FunctionTransformer(lambda rows: rows[:, [4, 1, 0]])
    model = make_pipeline(chosen, RidgeRecommender(1.0)).fit(X, X)
    columns, parts = score_parts(model, X[[2]])
    assert_array_equal(columns, [0, 1, 2])
    assert_allclose(parts, [*model[-1].coef_.T[[2, 1]], np.zeros(6)], atol=1e-6)


def test_a_step_that_is_no_sum_over_entries_has_no_parts():
    X = np.tril(np.ones((6, 6)))
    squares = FunctionTransformer(lambda rows: (rows @ np.ones((6, 2))) ** 2)
    model = make_pipeline(squares, RidgeRecommender(1.0)).fit(X, X)
    assert score_parts(model, X[[3]]) is None
