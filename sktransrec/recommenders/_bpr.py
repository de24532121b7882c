"""Matrix factorisation by Bayesian personalised ranking."""

import numpy as np

from .._numerics._newton import softplus_and_sigmoid
from ._drawn_negatives import DrawnNegativesRecommender


class BPRRecommender(DrawnNegativesRecommender):
    r"""Matrix factorisation by Bayesian personalised ranking (BPR).

    An in-domain recommender: it learns from X alone, of which it reads what is nonzero and not how
    large. It ranks the items that a row has above those that it lacks. It is a transformer as
    well: `transform` gives the factors of any rows.

    Parameters
    ----------
    n_components : int, default=64
        Number of factors, 1 or more.
    regularization : float, default=0.02
        Weight :math:`\lambda` of the squared norms of the factors, above 0.
    learning_rate : float, default=0.1
        Step size of stochastic gradient descent, above 0.
    popularity_exponent : float, default=0.75
        How much of the popularity that the drawing of negatives takes from the scores they get
        back, 0 or more: the log-popularity of an item times this is added to its scores. 1 ranks by
        how likely a row is to have an item, 0 by how much more likely than others. Mostly 0.5 to 1
        is best: less where items are many and rows know few of them.
    max_iter : int, default=100
        Number of sweeps, of as many draws as there are interactions, 1 or more. All are made.
    random_state : int, RandomState instance or None, default=None
        Draws the initial factors, the interactions and the negative items. Pass an int for the
        same factors at every call of `fit` with one thread.
    n_jobs : int or None, default=None
        Number of threads of `fit`. None means 1 unless in a :func:`joblib.parallel_config`
        context, -1 means all processors. More than one thread update the same factors without
        locks: faster, but then no two fits are the same, whatever `random_state`.
    verbose : int, default=0
        Whether to show a progress bar over the sweeps.

    Attributes
    ----------
    item_factors_ : ndarray of shape (n_items_, n_components), dtype float32
        The factors of the items.
    item_bias_ : ndarray of shape (n_items_,), dtype float32
        What is added to the scores of each item, its part of the log-popularity included.
    negative_items_ : ndarray of shape (256,), dtype int
        A sample of items in proportion to their popularity, the negatives of the fold-in.
    n_iter_ : int
        Number of sweeps made.
    n_items_ : int
        Number of items that can be recommended.
    popularity_ : ndarray of shape (n_items_,), dtype float32
        The share of the rows of X that have each item: the scores of an empty row.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, where X had any.

    See Also
    --------
    ALSRecommender : Squared loss, all missing entries as negatives; mostly better and faster.
    LogisticMFRecommender : Learns the probability that a row has an item.

    Notes
    -----
    With the scores :math:`s_{ri} = u_r^\top v_i + b_i`, it maximises [1]_

    .. math::

        \sum_{x_{ri} > 0} \mathbb{E}_j \left[ \log \sigma(s_{ri} - s_{rj})
        - \frac{\lambda}{2} \left(\|u_r\|^2 + \|v_i\|^2 + \|v_j\|^2 + b_i^2 + b_j^2\right) \right]

    by stochastic gradient descent in implicit, where the item j, which row r lacks, is drawn in
    proportion to popularity.

    Such negatives make it learn by how much a row prefers an item more than others do. Let
    :math:`p_{ri}` be the probability that a row like r has item i, and :math:`q_i` the popularity
    of the item. The pair (i, j) is drawn in proportion to :math:`p_{ri} (1 - p_{rj}) q_j`, the
    pair (j, i) to :math:`p_{rj} (1 - p_{ri}) q_i`, and the objective without its penalty is largest
    where :math:`\sigma(s_{ri} - s_{rj})` is the share of the former in both, which is where

    .. math:: s_{ri} = \log \frac{p_{ri}}{1 - p_{ri}} - \log q_i

    up to a number of the row. The score that rows are recommended by is
    :math:`s_{ri} + \alpha \log q_i` with :math:`\alpha` the `popularity_exponent`: at 1 it
    estimates the log-odds that a row has the item. `item_bias_` holds
    :math:`b_i + \alpha \log q_i`, :math:`\log q_i` being centred.

    A row, seen in `fit` or not, is folded in: its factors maximise the terms of the row with the
    items and their :math:`b_i` held fixed, the expectation taken over those of `negative_items_`
    that the row lacks, by Newton's method. An empty row is recommended the popular items; an item
    that no row has gets factors of zero and the least bias of all.

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

    # Items that stand for all in the fold-in.
    _n_negative_items = 256

    def __init__(
        self,
        n_components=64,
        *,
        regularization=0.02,
        learning_rate=0.1,
        popularity_exponent=0.75,
        max_iter=100,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
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
        pairs = 4 * width * self._n_negative_items
        return (
            (width + self._n_negative_items) * self.n_components + pairs + 4 * self.n_components**2
        )

    def _row_loss(self, X, items, _, is_stored):
        """Return the function that gives the loss of rows, its gradient and its Hessian."""
        lacks = X[:, self.negative_items_].toarray() == 0
        is_pair = is_stored[:, :, None] & lacks[:, None, :]
        positives, negatives = self.item_factors_[items], self.item_factors_[self.negative_items_]
        positive_bias = self._learned_bias[items]
        negative_bias = self._learned_bias[self.negative_items_]
        n_dims = self.n_components
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
