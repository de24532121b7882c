# SPDX-License-Identifier: BSD-3-Clause
"""Standardised scores lie on one scale, whatever the scale of the recommender."""

import numpy as np
from numpy.testing import assert_allclose

from sktransrec.ensembles._standardized import standardized


def test_rows_have_mean_zero_and_deviation_one_or_are_zero():
    scores = np.array([[1.0, 2.0, 3.0], [5.0, 5.0, 5.0], [-1e6, 0.0, 1e6]])
    unit = np.sqrt(3 / 2)
    assert_allclose(standardized(scores), [[-unit, 0, unit], [0, 0, 0], [-unit, 0, unit]])
    assert_allclose(standardized(7 * scores + 3), standardized(scores))
