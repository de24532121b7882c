# SPDX-License-Identifier: BSD-3-Clause
"""Numbers that floats can hold: refused at the door, and never learned or returned."""

import numpy as np
import pytest
import scipy.sparse as sp

from sktransrec import BM25Transformer, EASERecommender, InteractionEncoder
from sktransrec._validation import restores_on_error
from sktransrec._validation._finite import all_finite, check_learned, check_magnitude, finite_output


@pytest.mark.parametrize("make", [np.asarray, sp.csr_array, sp.coo_matrix])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_squares_of_what_is_allowed_can_be_summed(dtype, make):
    limit = np.sqrt(np.finfo(dtype).max / 1e8)
    check_magnitude(make(np.array([[0.99 * limit, 0]], dtype=dtype)), name="X")
    for value in (1.01 * limit, -1.01 * limit):
        with pytest.raises(ValueError, match=r"^X holds numbers up to .* scale X"):
            check_magnitude(make(np.array([[value, 0]], dtype=dtype)), name="X")
    squares = np.full(10**6, 0.99 * limit, dtype=dtype) ** 2
    assert np.isfinite(100 * squares.sum())


def test_no_numbers_and_integers_are_of_any_size():
    for X in (np.empty((0, 3)), np.array([[2**62]]), np.array([["a"]]), sp.csr_array((3, 4))):
        check_magnitude(X, name="X")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 4)])
def test_all_finite(shape, dtype):
    values = np.full(shape, np.finfo(dtype).max)
    assert all_finite(values)
    assert all_finite(np.asfortranarray(values))
    for bad in (np.nan, np.inf, -np.inf):
        values.flat[-1] = bad
        assert not all_finite(values)


def test_nothing_and_no_floats_are_finite():
    assert all_finite(np.empty((0, 3)))
    assert all_finite(np.array([1, 2]))


class Doubler:
    @finite_output
    def transform(self, X, *, factor=2):
        return X * np.float32(factor)


def test_what_is_not_finite_is_not_returned():
    X = np.ones((2, 2), dtype=np.float32)
    np.testing.assert_array_equal(Doubler().transform(X, factor=3), 3 * X)
    assert Doubler().transform(sp.csr_array(X)).nnz == 4
    for large in (X * 3e38, sp.csr_array(X * 3e38)):
        with pytest.raises(ValueError, match=r"Doubler\.transform gave numbers .* Scale X"):
            Doubler().transform(large)


def test_what_is_learned_is_finite():
    model, known = Doubler(), np.array([np.nan])
    model.coef_, model.name, model.rest = np.ones(3), np.array([np.nan]), np.inf
    model.known_ = known
    check_learned(model, {"known_": known})
    model.links_ = sp.csr_array([[np.inf]])
    with pytest.raises(ValueError, match="has learned links_, which is not finite: scale"):
        check_learned(model, {"known_": known})


class Inverse:
    @restores_on_error
    def fit(self, X):
        self.inverse_ = 1 / X
        return self


def test_a_fit_that_is_not_finite_leaves_the_model_as_it_was():
    model = Inverse().fit(np.array([2.0]))
    with pytest.raises(ValueError, match="has learned inverse_, which is not finite"):
        model.fit(np.array([0.0]))
    assert model.inverse_ == 0.5


@pytest.mark.parametrize("model", [BM25Transformer(), EASERecommender()])
@pytest.mark.parametrize("value", [1e38, 1e300])
def test_sums_do_not_overflow(model, value):
    X = np.full((3, 2), value)
    with pytest.raises(ValueError, match=r"X (holds numbers up to|contains infinity)"):
        model.fit(X)


@pytest.mark.parametrize("duplicates", ["sum", "max", "last"])
def test_values_of_events_are_floats(duplicates):
    log = {"user": [1, 1, 2], "item": ["a", "a", "b"], "rating": [1e38, 3e38, 1.0]}
    encoder = InteractionEncoder(value="rating", duplicates=duplicates)
    with pytest.raises(ValueError, match=r"values holds numbers up to .* float32 .* scale"):
        encoder.fit_transform(log)
