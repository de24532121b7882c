# SPDX-License-Identifier: BSD-3-Clause
"""The minima of many rows at once are those that scipy finds one by one."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from scipy.special import expit

from sktransrec._numerics._newton import newton_minima, softplus_and_sigmoid


def test_softplus_and_sigmoid():
    x = np.array([-1000, -90, -3, -1e-3, 0, 1e-3, 3, 90, 1000], dtype=np.float32)
    softplus, sigmoid = softplus_and_sigmoid(x)
    assert_allclose(softplus, np.logaddexp(0, x.astype(float)), rtol=1e-6)
    assert_allclose(sigmoid, expit(x.astype(float)), rtol=1e-6, atol=1e-37)


@pytest.mark.parametrize("scale", [1, 30])
def test_newton_minima_of_logistic_regressions(scale):
    rng = np.random.RandomState(0)
    A = (scale * rng.standard_normal((5, 40, 3))).astype(np.float32)
    ridge = np.float32(0.1)

    def loss(u):
        margins = (A @ u[:, :, None])[:, :, 0]
        value, slope = softplus_and_sigmoid(margins)
        curvature = slope * (1 - slope)
        return (
            value.sum(axis=1) + ridge / 2 * (u**2).sum(axis=1),
            (slope[:, None, :] @ A)[:, 0, :] + ridge * u,
            A.mT @ (curvature[:, :, None] * A) + ridge * np.eye(3, dtype=np.float32),
        )

    minima = newton_minima(loss, 5, 3)
    assert minima.dtype == np.float32
    for a, minimum in zip(A.astype(float), minima, strict=True):
        expected = minimize(
            lambda u, a=a: np.logaddexp(0, a @ u).sum() + 0.05 * u @ u, np.zeros(3), tol=1e-10
        )
        assert_allclose(minimum, expected.x, rtol=2e-2, atol=2e-3)


def test_steps_that_lead_too_far_are_shortened_and_a_row_is_the_same_alone():
    """A full step on the way to the minimum of sqrt(1 + x²) is x → -x³."""

    def minima_around(centers):
        def loss(u):
            away = u - centers
            value = np.sqrt(1 + away**2)
            return value[:, 0], away / value, (1 / (value * value**2))[:, :, None]

        return newton_minima(loss, len(centers), 1)

    centers = np.array([[3], [0.5], [-2], [0]], dtype=np.float32)
    minima = minima_around(centers)
    assert_allclose(minima, centers, atol=1e-2)
    for center, minimum in zip(centers, minima, strict=True):
        assert_array_equal(minima_around(center[None]), minimum[None])


def test_a_row_stops_when_it_would_alone():
    """Near the minimum of x⁴, steps are short for long."""
    centers = np.array([[3], [0.5], [-8]], dtype=np.float32)

    def minima_around(centers):
        def loss(u):
            away = u - centers
            square = away**2
            return 1 + square[:, 0] ** 2, 4 * away * square, 12 * square[:, :, None]

        return newton_minima(loss, len(centers), 1)

    alone = [minima_around(center[None])[0] for center in centers]
    assert_array_equal(minima_around(centers), alone)
