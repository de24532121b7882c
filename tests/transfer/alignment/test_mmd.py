# SPDX-License-Identifier: BSD-3-Clause
"""The maximum mean discrepancy of two domains, and the map that lowers it."""

import numpy as np
from _domains import gaussians
from numpy.testing import assert_allclose
from scipy.optimize import check_grad
from sklearn.metrics import pairwise_distances
from sklearn.metrics.pairwise import rbf_kernel

from sktransrec import CORALAligner, MMDAligner


def discrepancy(A, B):
    """Unbiased squared MMD with a Gaussian kernel."""
    gamma = 1 / np.median(pairwise_distances(A, metric="sqeuclidean"))
    within = [(rbf_kernel(Z, Z, gamma).sum() - len(Z)) / (len(Z) * (len(Z) - 1)) for Z in (A, B)]
    return sum(within) - 2 * rbf_kernel(A, B, gamma).mean()


def rotation(angle, n_features):
    R = np.eye(n_features)
    R[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return R


def test_discrepancy_of_shifted_gaussians_falls_to_that_of_equal_ones():
    rng = np.random.default_rng(0)
    source, same, target = rng.standard_normal((3, 400, 3))
    X, domain = np.vstack([source, 2 * target + 3]), np.repeat([1, -1], 400)
    before = discrepancy(source, X[domain < 0])
    chance = abs(discrepancy(source, same))
    for aligner in (CORALAligner(), MMDAligner(random_state=0)):
        after = discrepancy(source, aligner.fit(X, sample_domain=domain).transform(X[domain < 0]))
        assert before > 0.3
        assert after < max(chance, 0.001)


def test_mmd_undoes_a_rotation_that_moments_do_not_show():
    rng = np.random.default_rng(0)
    source, undistorted = rng.standard_exponential((2, 400, 3))
    target = 2 * undistorted @ rotation(0.6, 3) + 3
    X, domain = np.vstack([source, target]), np.repeat([1, -1], 400)
    errors, discrepancies = [], []
    for aligner in (CORALAligner(), MMDAligner(regularization=1e-3, random_state=0)):
        aligned = aligner.fit(X, sample_domain=domain).transform(target)
        errors.append(np.sqrt(((aligned - undistorted) ** 2).mean()))
        discrepancies.append(discrepancy(source, aligned))
    print(errors, discrepancies)
    assert errors[1] < 0.5 * errors[0]
    assert discrepancies[1] < 0.001 < discrepancies[0]


def test_mmd_follows_the_gradient_of_its_objective_down():
    X, domain = gaussians(n_rows=50)
    aligner = MMDAligner(n_components=20, random_state=0)
    objective = aligner._objective(X[domain > 0], X[domain < 0])
    point = np.random.default_rng(0).standard_normal(20)
    assert check_grad(lambda at: objective(at)[0], lambda at: objective(at)[1], point) < 1e-5
    aligner.fit(X, sample_domain=domain)
    assert (np.diff(aligner.loss_curve_) < 0).all()
    assert len(aligner.loss_curve_) == aligner.n_iter_ + 1


def test_mmd_with_much_regularization_is_coral():
    X, domain = gaussians()
    free, held = (
        MMDAligner(regularization=each, max_iter=5, random_state=0).fit(X, sample_domain=domain)
        for each in (0, 1e6)
    )
    coral = CORALAligner().fit(X, sample_domain=domain)
    assert_allclose(held.coef_, coral.coef_, atol=1e-5)
    assert abs(free.coef_ - coral.coef_).max() > 0.01
