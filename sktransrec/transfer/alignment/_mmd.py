# SPDX-License-Identifier: BSD-3-Clause
"""A linear map that gives the target the distribution of the source, by a kernel distance."""

from typing import Literal

import numpy as np
from scipy.optimize import minimize
from sklearn.kernel_approximation import RBFSampler
from sklearn.metrics import pairwise_distances
from sklearn.utils import check_random_state

from ..._validation import ABOVE_0, AT_LEAST_0, AUTO, COUNT, FROM_0_TO_1
from ..._wrapping import transformed
from ._alignment import LinearAligner, moment_map

# Largest number of rows from which the median distance is estimated.
_MEDIAN_ROWS = 500


class MMDAligner(LinearAligner):
    r"""Give the features of the target the whole distribution of the source (MMD).

    Use it when the features mean the same in both domains, but differ in more than mean and
    covariance. Try `CORALAligner` first: this aligner starts from its map, and is slower. It then
    minimises the maximum mean discrepancy (MMD), which is zero only for equal distributions. A
    recommender that was fitted on the features of the source can then read
    ``transform(X_target)``.

    Parameters
    ----------
    regularization : float, default=0.01
        Weight of the squared distance from the map of `CORALAligner`, 0 or more. The larger it is,
        the less the map follows chance differences of few rows.
    covariance_shrinkage : float or "auto", default="auto"
        The `covariance_shrinkage` of the `CORALAligner` from whose map it starts.
    gamma : float, default=None
        The kernel of rows x and z, which are divided by the mean standard deviation of the columns
        before, is ``exp(-gamma * ||x - z||^2)``. None means one over the median squared distance
        between source rows.
    n_components : int, default=500
        Number of random Fourier features that approximate the kernel, at least 1, as in
        :class:`sklearn.kernel_approximation.RBFSampler`; the output has the columns of X. The error
        of the discrepancy falls with the square root of this number.
    max_iter : int, default=200
        Largest number of iterations of L-BFGS, at least 1.
    random_state : int, RandomState instance or None, default=None
        Draws the Fourier features. Pass an int for the same map every time.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features_in_, n_features_in_)
        The matrix of the map; a target row is multiplied by it from the left.
    intercept_ : ndarray of shape (n_features_in_,)
        The offset that is then added.
    loss_curve_ : list of float
        The objective at the start and after each iteration; empty if there is only one domain.
    n_iter_ : int
        Number of iterations; 1 if there was nothing to minimise.
    n_features_in_ : int
        Number of columns of X seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, if X had any.

    See Also
    --------
    CORALAligner : The map from which it starts, in closed form.
    sklearn.kernel_approximation.RBFSampler : The Fourier features.

    Notes
    -----
    Let z be a target row after the map of `CORALAligner`, minus the mean of the source. The aligner
    maps it to Bz + c plus that mean, where B and c minimise

    .. math:: \Big\| \frac{1}{n_s} \sum_{x \in s} \varphi(x) - \frac{1}{n_t} \sum_{z \in t}
        \varphi(Bz + c) \Big\|^2 + \lambda \left(\frac{1}{d} \|B - I\|_F^2 + \|c\|^2\right) .

    Here :math:`\varphi` are random Fourier features [2]_ of a Gaussian kernel, :math:`\lambda` is
    `regularization`, and the unit of all lengths is the mean standard deviation of the features of
    the source. So scale features of different units first, for example with
    :class:`~sklearn.preprocessing.StandardScaler`. The first term approximates the squared MMD of
    [1]_, which alone would cost quadratic time in the number of rows. With D Fourier features, an
    iteration costs :math:`O(n_t d D)`. The objective is not convex: L-BFGS finds a minimum near the
    start. The aligner can undo a rotation if the distributions are not symmetric under it and the
    rotation is not large.

    Transfer component analysis [3]_ minimises the MMD in closed form, but with one projection for
    both domains: it drops the directions in which they differ. A map of the target alone can undo
    such a difference instead.

    References
    ----------
    .. [1] A. Gretton, K. Borgwardt, M. Rasch, B. Schölkopf and A. Smola, "A kernel two-sample
       test", JMLR 13, 2012. https://jmlr.org/papers/v13/gretton12a.html
    .. [2] A. Rahimi and B. Recht, "Random features for large-scale kernel machines", NIPS 2007.
    .. [3] S. J. Pan, I. Tsang, J. Kwok and Q. Yang, "Domain adaptation via transfer component
       analysis", IEEE Transactions on Neural Networks 22(2), 2011.
       :doi:`10.1109/TNN.2010.2091281`

    Examples
    --------
    >>> import numpy as np
    >>> from sktransrec import MMDAligner
    >>> rng = np.random.RandomState(0)
    >>> X_source, X_target = rng.standard_exponential((2, 200, 2))
    >>> X, domain = np.vstack([X_source, 3 * X_target - 1]), np.repeat([1, -1], 200)
    >>> aligner = MMDAligner(random_state=0).fit(X, sample_domain=domain)
    >>> bool(aligner.loss_curve_[-1] < aligner.loss_curve_[0])
    True
    """

    loss_curve_: list[float]
    n_iter_: int

    _parameter_constraints: dict = {
        "regularization": AT_LEAST_0,
        "covariance_shrinkage": [*FROM_0_TO_1, *AUTO],
        "gamma": [*ABOVE_0, None],
        "n_components": COUNT,
        "max_iter": COUNT,
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        regularization: float = 0.01,
        covariance_shrinkage: float | Literal["auto"] = "auto",
        gamma: float | None = None,
        n_components: int = 500,
        max_iter: int = 200,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.regularization = regularization
        self.covariance_shrinkage = covariance_shrinkage
        self.gamma = gamma
        self.n_components = n_components
        self.max_iter = max_iter
        self.random_state = random_state

    def _set_map(self, X, is_source):
        self.loss_curve_ = []
        super()._set_map(X, is_source)
        self.n_iter_ = max(1, len(self.loss_curve_) - 1)

    def _map_to_source(self, source, target):
        coef, intercept = moment_map(source, target, self.covariance_shrinkage)
        mean, unit = source.mean(axis=0), source.std(axis=0).mean() or 1.0
        source_rows = (source - mean) / unit
        target_rows = (target @ coef.T + intercept - mean) / unit
        objective = self._objective(source_rows, target_rows)
        B, c = self._minimum(objective, source.shape[1])
        return B @ coef, B @ (intercept - mean) + unit * c + mean

    def _objective(self, source, target):
        """Return the objective and its gradient, as a function of the entries of B and then c."""
        rng = check_random_state(self.random_state)
        gamma = _median_gamma(source, rng) if self.gamma is None else self.gamma
        sampler = RBFSampler(gamma=gamma, n_components=self.n_components, random_state=rng)
        source_mean = transformed(sampler.fit(source), source).mean(axis=0)

        def objective(parameters):
            B, c = _unpacked(parameters, source.shape[1])
            discrepancy, gradient = _discrepancy(target @ B.T + c, source_mean, sampler)
            change = B - np.eye(len(B))
            penalty = (change**2).mean(axis=1).sum() + c @ c
            gradients = [
                gradient.T @ target + 2 * self.regularization / len(B) * change,
                gradient.sum(axis=0) + 2 * self.regularization * c,
            ]
            value = discrepancy + self.regularization * penalty
            return value, np.concatenate([each.ravel() for each in gradients])

        return objective

    def _minimum(self, objective, n_features):
        """Return the B and c that L-BFGS finds, starting from the identity."""
        start = np.concatenate([np.eye(n_features).ravel(), np.zeros(n_features)])
        self.loss_curve_.append(float(objective(start)[0]))
        found = minimize(
            objective,
            start,
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": self.max_iter},
            callback=lambda intermediate_result: self.loss_curve_.append(
                float(intermediate_result.fun)
            ),
        )
        return _unpacked(found.x, n_features)


def _unpacked(parameters, n_features):
    """Return the matrix and the vector whose entries are in one array."""
    return parameters[:-n_features].reshape(n_features, n_features), parameters[-n_features:]


def _discrepancy(rows, source_mean, sampler):
    """Return the squared distance between the kernel means, and its gradient for the rows."""
    angles = rows @ sampler.random_weights_ + sampler.random_offset_
    scale = np.sqrt(2 / len(source_mean))
    difference = scale * np.cos(angles).mean(axis=0) - source_mean
    slope = -2 * scale / len(rows) * difference * np.sin(angles)
    return difference @ difference, slope @ sampler.random_weights_.T


def _median_gamma(rows, rng):
    """Return one over the median squared distance between different rows."""
    if len(rows) > _MEDIAN_ROWS:
        rows = rows[rng.choice(len(rows), _MEDIAN_ROWS, replace=False)]
    distances = pairwise_distances(rows, metric="sqeuclidean")
    median = np.median(distances[np.triu_indices(len(rows), k=1)])
    return 1 / median if median > 0 else 1.0
