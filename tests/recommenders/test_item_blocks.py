# SPDX-License-Identifier: BSD-3-Clause
"""Items whose factors are replaced score as if the model had these factors."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sktransrec.recommenders._item_blocks import ItemBlocksMixin

rng = np.random.RandomState(0)
FACTORS, ROWS = (rng.rand(n, 2).astype(np.float32) for n in (4, 3))
BIAS = np.array([0.1, 0.2, 0.3, 0.4], dtype=np.float32)


class Blocks(ItemBlocksMixin):
    _mean_row = np.array([[1.0, 2.0]], dtype=np.float32)

    def __init__(self, bias=None, n_items=5):
        self._model = SimpleNamespace(item_factors_=FACTORS, item_bias_=bias)
        self._blocks = ()
        self.n_items_ = n_items

    def _row_factors(self, X):
        return X


def test_without_blocks_all_is_that_of_the_model():
    model = Blocks(BIAS, n_items=4)
    assert model.item_factors_ is FACTORS
    assert model.item_bias_ is BIAS
    assert model.withheld_items_ is None
    assert_allclose(model._score_rows(ROWS), ROWS @ FACTORS.T + BIAS, rtol=1e-6)


@pytest.mark.parametrize("bias", [None, BIAS])
def test_scores_are_products_of_the_factors_of_all_items(bias):
    model = Blocks(bias)
    targets = np.array([[1.0, 2.0, 0.5], [3.0, 4.0, 0.25]], dtype=np.float32)
    model._add_block(
        np.array([1, 4]), "content", targets if bias is not None else targets[:, :2], 2
    )
    assert_array_equal(model.item_factors_[[0, 2, 3]], FACTORS[[0, 2, 3]])
    assert_array_equal(model.item_factors_[[1, 4]], targets[:, :2])
    own_bias = targets[:, 2] if bias is not None else 0
    assert_allclose(model.item_bias_[[1, 4]], own_bias + 2)
    assert_allclose(
        model._score_rows(ROWS), ROWS @ model.item_factors_.T + model.item_bias_, rtol=1e-6
    )
    assert_array_equal(model.item_paths_, ["factors", "content", "factors", "factors", "content"])


def test_popular_items_have_the_score_of_the_mean_row_and_excluded_ones_the_least():
    model = Blocks()
    model._add_block(slice(4, 5), "popularity", np.array([[0.5, 0.25]], dtype=np.float32))
    assert_allclose(model._score_rows(ROWS)[:, 4], 1.0)
    model._add_block(np.array([0]), "excluded", np.zeros((1, 2), dtype=np.float32))
    scores = model._score_rows(ROWS)
    assert_array_equal(scores[:, 0], (ROWS @ FACTORS.T).min(axis=1))
    assert_array_equal(model.withheld_items_, [True, False, False, False, False])


def test_the_targets_of_a_regression_are_factors_and_bias():
    assert Blocks()._own_targets() is FACTORS
    assert_array_equal(Blocks(BIAS)._own_targets(), np.column_stack([FACTORS, BIAS]))
