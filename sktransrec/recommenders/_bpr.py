# SPDX-License-Identifier: BSD-3-Clause
"""Matrix factorisation by Bayesian personalised ranking."""

from typing import ClassVar

import numpy as np
from scipy.stats import loguniform, uniform

from .._numerics._newton import softplus_and_sigmoid
from ._drawn_negatives import DrawnNegativesRecommender


class BPRRecommender(DrawnNegativesRecommender):
    r"""Learn to rank the items that a row has above those that it lacks (BPR).

    Use it to compare with published results, or if you want a loss on pairs of items. Try
    `ALSRecommender` first, which is mostly better and faster. It is an in-domain recommender: it
    learns from X alone, and only from which entries are nonzero, not from their values. It is also
    a transformer: `transform` gives the factors of any rows.

    Parameters
    ----------
    n_components : int, default=64
        Number of factors, 1 or more.
    regularization : float, default=0.02
        Weight :math:`\lambda` of the squared norms of the factors, above 0.
    learning_rate : float, default=0.1
        Step size of stochastic gradient descent, above 0.
    popularity_exponent : float, default=0.75
        Number :math:`\alpha`, 0 or more; this times the log-popularity of an item is added to its
        scores. Popular items are drawn more often as negatives, which lowers their scores; this
        raises them again. 1 ranks by the probability that a row has an item. 0 ranks by how much
        more likely a row has it than other rows. Mostly 0.5 to 1 is best; less if there are many
        items and rows have few of them.
    max_iter : int, default=100
        Number of sweeps, 1 or more. Each draws as many pairs as there are interactions. There is no
        early stopping.
    random_state : int, RandomState instance or None, default=None
        Draws the initial factors, the interactions and the negative items. Pass an int to get the
        same factors at every call of `fit`, with one thread.
    n_jobs : int or None, default=None
        Number of threads of `fit` and `recommend`. None means 1 unless in a
        :func:`joblib.parallel_config` context, -1 means all processors. In `fit`, several
        threads update the same factors without locks. This is faster, but the factors then differ
        from fit to fit, whatever `random_state`.
    verbose : int, default=0
        Whether to show a progress bar over the sweeps.

    Attributes
    ----------
    item_factors_ : ndarray of shape (n_items_, n_components), dtype float32
        The factors of the items.
    item_bias_ : ndarray of shape (n_items_,), dtype float32
        The bias of each item, with its part of the log-popularity. It is added to the scores.
    negative_items_ : ndarray of shape (256,), dtype int
        A sample of items, drawn in proportion to their popularity: the negatives of the fold-in.
    n_iter_ : int
        Number of sweeps made.
    n_items_ : int
        Number of items that can be recommended.
    popularity_ : ndarray of shape (n_items_,), dtype float32
        The share of the rows of X that have each item; an empty row gets these as its scores.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, if X had any.

    See Also
    --------
    ALSRecommender : Squared loss with all missing entries as negatives; mostly better and faster.
    LogisticMFRecommender : Learns the probability that a row has an item.

    Notes
    -----
    With the scores :math:`s_{ri} = u_r^\top v_i + b_i`, it maximises [1]_

    .. math::

        \sum_{x_{ri} > 0} \mathbb{E}_j \left[ \log \sigma(s_{ri} - s_{rj})
        - \frac{\lambda}{2} \left(\|u_r\|^2 + \|v_i\|^2 + \|v_j\|^2 + b_i^2 + b_j^2\right) \right]

    by stochastic gradient descent in implicit, where the item j, which row r lacks, is drawn in
    proportion to popularity.

    With such negatives, the model learns how much more a row prefers an item than other rows do.
    Let :math:`p_{ri}` be the probability that a row like r has item i, and :math:`q_i` the
    popularity of the item. The pair (i, j) is drawn in proportion to
    :math:`p_{ri} (1 - p_{rj}) q_j`, and the pair (j, i) in proportion to
    :math:`p_{rj} (1 - p_{ri}) q_i`. Without the penalty, the objective is largest if
    :math:`\sigma(s_{ri} - s_{rj})` is the share of the first among both, that is, if

    .. math:: s_{ri} = \log \frac{p_{ri}}{1 - p_{ri}} - \log q_i

    up to a constant for each row. The final score is :math:`s_{ri} + \alpha \log q_i`, with the
    `popularity_exponent` :math:`\alpha`. With :math:`\alpha = 1` it estimates the log-odds that a
    row has the item. `item_bias_` holds :math:`b_i + \alpha \log q_i`, with :math:`\log q_i`
    centred.

    A row, seen in `fit` or not, is folded in: Newton's method finds the factors that maximise the
    terms of the row, with the items and their :math:`b_i` held fixed. The expectation is taken over
    the `negative_items_` that the row lacks. An empty row gets the popular items. An item without
    interactions gets factors of zero and the smallest bias of all.

    References
    ----------
    .. [1] S. Rendle, C. Freudenthaler, Z. Gantner and L. Schmidt-Thieme, "BPR: Bayesian
       personalized ranking from implicit feedback", UAI 2009. :arxiv:`1205.2618`

    Examples
    --------
    >>> from sktransrec import BPRRecommender
    >>> X = [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]] * 5
    >>> model = BPRRecommender(n_components=2, random_state=0).fit(X)
    >>> items, _ = model.recommend([[1, 0, 0, 0], [0, 0, 0, 1]], n_recommendations=1)
    >>> items
    array([[1],
           [2]])
    """

    # Number of sampled negative items in the fold-in.
    _n_negative_items = 256

    search_distributions: ClassVar = {
        "n_components": [16, 32, 64, 128],
        "regularization": loguniform(0.001, 0.1),
        "learning_rate": loguniform(0.01, 0.3),
        "popularity_exponent": uniform(0, 1),
    }

    def __init__(
        self,
        n_components: int = 64,
        *,
        regularization: float = 0.02,
        learning_rate: float = 0.1,
        popularity_exponent: float = 0.75,
        max_iter: int = 100,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.regularization = regularization
        self.learning_rate = learning_rate
        self.popularity_exponent = popularity_exponent
        self.max_iter = max_iter
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _fit(self, X):
        from implicit.cpu.bpr import BayesianPersonalizedRanking

        self._learn(X, BayesianPersonalizedRanking)

    def _n_floats(self, width):
        n_dims, pairs = self._n_row_dims, 4 * width * self._n_negative_items
        return (width + self._n_negative_items) * n_dims + pairs + 4 * n_dims**2

    def _row_loss(self, X, items, _, is_stored):
        """Return a function from the factors of rows to their loss, its gradient and Hessian."""
        lacks = X[:, self.negative_items_].toarray() == 0
        is_pair = is_stored[:, :, None] & lacks[:, None, :]
        positives, negatives = self.item_factors_[items], self.item_factors_[self.negative_items_]
        positive_bias = self._learned_bias[items]
        negative_bias = self._learned_bias[self.negative_items_]
        n_dims = self._n_row_dims
        n_pairs = np.maximum(is_pair.sum(axis=(1, 2), keepdims=True), 1)
        pair_weight = (is_pair / n_pairs).astype(np.float32)
        ridge = np.float32(self.regularization)

        def loss(u):
            s = (positives @ u[:, :, None])[:, :, 0] + positive_bias
            t = (negatives @ u[:, :, None])[:, :, 0] + negative_bias
            pair_loss, error = softplus_and_sigmoid(t[:, None, :] - s[:, :, None])
            value = (pair_weight * pair_loss).sum(axis=(1, 2))
            value += ridge / 2 * (u**2).sum(axis=1)
            push = pair_weight * error
            curvature = push * (1 - error)
            down, up = push.sum(axis=1)[:, None, :], push.sum(axis=2)[:, None, :]
            gradient = (down @ negatives - up @ positives)[:, 0, :] + ridge * u
            cross = positives.mT @ (curvature @ negatives)
            hessian = positives.mT @ (curvature.sum(axis=2)[:, :, None] * positives)
            hessian += negatives.T @ (curvature.sum(axis=1)[:, :, None] * negatives)
            hessian += ridge * np.eye(n_dims, dtype=np.float32) - cross - cross.mT
            return value, gradient, hessian

        return loss
