# SPDX-License-Identifier: BSD-3-Clause
"""Logistic matrix factorisation."""

from typing import ClassVar

import numpy as np
from scipy.stats import loguniform, uniform

from .._numerics._newton import softplus_and_sigmoid
from .._validation import ABOVE_0
from ._drawn_negatives import DrawnNegativesRecommender

# implicit draws this many negatives for each interaction of a row, but at most as many as there are
# dimensions with the biases.
_NEGATIVES_PER_INTERACTION = 30


class LogisticMFRecommender(DrawnNegativesRecommender):
    r"""Learn the probability that a row has an item, by logistic matrix factorisation.

    Use it to compare with published results, or if you want a logistic loss. Try `ALSRecommender`
    first, which is mostly better and faster. It is an in-domain recommender: it learns from X
    alone. It is also a transformer: `transform` gives the factors of any rows.

    Parameters
    ----------
    n_components : int, default=64
        Number of factors, 1 or more. In each sweep, a row is compared with at most `n_components`
        + 2 negative items.
    regularization : float, default=2.0
        Weight :math:`\lambda` of the squared norms of factors and biases, above 0.
    confidence : float, default=1.0
        The weight of an interaction of value x is `confidence` times x; the weight of a negative
        item is 1. Above 0.
    learning_rate : float, default=1.0
        Step size of AdaGrad, above 0.
    popularity_exponent : float, default=0.0
        This times the log-popularity of an item is added to its scores, 0 or more. If rows have
        many items, as with films, 1 is better. If there are many items and rows have few of
        them, 1 is worse.
    max_iter : int, default=30
        Number of sweeps over the rows and then the items, 1 or more. There is no early stopping.
    random_state : int, RandomState instance or None, default=None
        Draws the initial factors and the negative items. Pass an int to get the same factors at
        every call of `fit`.
    n_jobs : int or None, default=None
        Number of threads of `fit` and `recommend`. None means 1 unless in a
        :func:`joblib.parallel_config` context, -1 means all processors. Each thread of
        `fit` draws its own negative items, so the factors depend on the number of threads, but not
        on their timing.
    verbose : int, default=0
        Whether to show a progress bar over the sweeps.

    Attributes
    ----------
    item_factors_ : ndarray of shape (n_items_, n_components), dtype float32
        The factors of the items.
    item_bias_ : ndarray of shape (n_items_,), dtype float32
        What is added to the scores of each item, its part of the log-popularity included.
    negative_items_ : ndarray of shape (1024,), dtype int
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
    BPRRecommender : Learns to rank the items that a row has above those that it lacks.

    Notes
    -----
    With factors :math:`u_r, v_i`, biases :math:`a_r, b_i` and the logits
    :math:`s_{ri} = u_r^\top v_i + a_r + b_i`, it maximises [1]_

    .. math::

        \sum_{x_{ri} > 0} \text{confidence} \cdot x_{ri} \log \sigma(s_{ri})
        + \sum_r m_r \, \mathbb{E}_j \log \left(1 - \sigma(s_{rj})\right)
        - \frac{\lambda}{2} \left(\sum_r (\|u_r\|^2 + a_r^2) + \sum_i (\|v_i\|^2 + b_i^2)\right)

    by AdaGrad in implicit. The negative item j is drawn in proportion to popularity, and
    :math:`m_r` is the smaller of 30 times the number of items of the row and `n_components` + 2.

    A row, seen in `fit` or not, is folded in: a damped quasi-Newton method finds the factors and
    the bias that maximise the terms of the row, with the items held fixed. The expectation is taken
    over `negative_items_`. The bias of the row is the same for all items and not part of the
    scores. An empty row gets the popular items. An item without interactions gets factors of zero
    and the smallest bias of all.

    Let :math:`p_{ri}` be the probability that a row like r has item i, and :math:`q_i` the
    popularity of the item. If all negatives were drawn in proportion to :math:`q_i`, the best logit
    without penalty would be :math:`\log p_{ri} - \log q_i`, up to a constant for each row: how much
    more this row prefers the item than other rows do. In implicit, this holds for the updates of
    the rows. The update of an item draws at most `n_components` + 2 rows, however popular the item
    is, so its bias keeps a part of the popularity. The final score is
    :math:`s_{ri} + \alpha \log q_i`, with the `popularity_exponent` :math:`\alpha`. `item_bias_`
    holds :math:`b_i + \alpha \log q_i`, with :math:`\log q_i` centred.

    References
    ----------
    .. [1] C. C. Johnson, "Logistic matrix factorization for implicit feedback data", NIPS 2014
       workshop on distributed machine learning and matrix computations.

    Examples
    --------
    >>> from sktransrec import LogisticMFRecommender
    >>> X = [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]] * 5
    >>> model = LogisticMFRecommender(n_components=2, random_state=0).fit(X)
    >>> items, _ = model.recommend([[1, 0, 0, 0], [0, 0, 0, 1]], n_recommendations=1)
    >>> items
    array([[1],
           [2]])
    """

    _parameter_constraints: dict = {
        **DrawnNegativesRecommender._parameter_constraints,
        "confidence": ABOVE_0,
    }
    # Number of sampled negative items in the fold-in.
    _n_negative_items = 1024

    search_distributions: ClassVar = {
        "n_components": [16, 32, 64, 128],
        "regularization": loguniform(0.1, 30),
        "confidence": loguniform(0.3, 30),
        "popularity_exponent": uniform(0, 1),
    }

    def __init__(
        self,
        n_components: int = 64,
        *,
        regularization: float = 2.0,
        confidence: float = 1.0,
        learning_rate: float = 1.0,
        popularity_exponent: float = 0.0,
        max_iter: int = 30,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.regularization = regularization
        self.confidence = confidence
        self.learning_rate = learning_rate
        self.popularity_exponent = popularity_exponent
        self.max_iter = max_iter
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @property
    def _n_row_dims(self):
        """The factors of a row and its bias."""
        return self._n_features_out + 1

    def _weighted(self, X):
        return X * np.float32(self.confidence)

    def _fit(self, X):
        from implicit.cpu.lmf import LogisticMatrixFactorization

        self._learn(X, LogisticMatrixFactorization, neg_prop=_NEGATIVES_PER_INTERACTION)

    def _n_floats(self, width):
        n_dims = self._n_row_dims
        return width * n_dims + 4 * n_dims**2 + 4 * self._n_negative_items

    def _row_loss(self, _, items, c, is_stored):
        """Return a function from the factors of rows to their loss, its gradient and Hessian."""
        n_stored = is_stored.sum(axis=1)
        V = np.append(self.item_factors_, np.ones((self.n_items_, 1), dtype=np.float32), axis=1)
        positives, positive_bias = V[items], self._learned_bias[items]
        negatives = V[self.negative_items_]
        negative_bias = self._learned_bias[self.negative_items_]
        n_dims = V.shape[1]
        second_moments = negatives.T @ negatives / len(negatives)
        n_negatives = np.minimum(_NEGATIVES_PER_INTERACTION * n_stored, n_dims + 1)
        weight = (n_negatives / len(negatives)).astype(np.float32)[:, None]
        ridge = np.float32(self.regularization)

        def loss(u):
            s = (positives @ u[:, :, None])[:, :, 0] + positive_bias
            t = (negatives @ u[:, :, None])[:, :, 0] + negative_bias
            positive_loss, p = softplus_and_sigmoid(-s)
            negative_loss, q = softplus_and_sigmoid(t)
            value = (c * positive_loss).sum(axis=1) + (weight * negative_loss).sum(axis=1)
            value += ridge / 2 * (u**2).sum(axis=1)
            push = (weight * q)[:, None, :] @ negatives - (c * p)[:, None, :] @ positives
            gradient = push[:, 0, :] + ridge * u
            hessian = positives.mT @ ((c * p * (1 - p))[:, :, None] * positives)
            # One mean curvature for all negatives of a row saves a sum of k x k products.
            hessian += (weight * q * (1 - q)).sum(axis=1)[:, None, None] * second_moments
            hessian += ridge * np.eye(n_dims, dtype=np.float32)
            return value, gradient, hessian

        return loss
