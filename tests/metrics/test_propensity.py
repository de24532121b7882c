# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
from numpy.testing import assert_allclose

from sktransrec.metrics import inverse_propensity_weights


def test_weights_by_hand():
    assert_allclose(inverse_propensity_weights([6, 3, 1], max_weight=None), [5 / 9, 10 / 9, 10 / 3])
    assert_allclose(inverse_propensity_weights([6, 3, 1], max_weight=2), [5 / 9, 10 / 9, 2])
    assert_allclose(inverse_propensity_weights([6, 3, 1], exponent=0), 1)
    assert_allclose(
        inverse_propensity_weights([0, 4, 1, 0], exponent=0.5), [5 / 3, 5 / 6] + [5 / 3] * 2
    )
    assert_allclose(inverse_propensity_weights([0, 0]), 1)
    counts = np.random.default_rng(0).integers(1, 90, size=50)
    for exponent in (0.5, 1, 2):
        weights = inverse_propensity_weights(counts, exponent=exponent, max_weight=None)
        assert_allclose(np.average(weights, weights=counts), 1)
        assert_allclose(weights * counts**exponent, weights[0] * counts[0] ** exponent)
        shares = inverse_propensity_weights(counts / 90, exponent=exponent, max_weight=None)
        assert_allclose(shares, weights)


@pytest.mark.parametrize("popularity", [[[1, 2]], [1, -1]])
def test_bad_popularity(popularity):
    with pytest.raises(ValueError, match="popularity must be 1-D and hold numbers of 0 or more"):
        inverse_propensity_weights(popularity)
