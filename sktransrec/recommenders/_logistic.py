"""Logistic matrix factorisation."""

from numbers import Real

import numpy as np

from .._numerics._newton import softplus_and_sigmoid
from .._validation import Interval
from ._drawn_negatives import DrawnNegativesRecommender

# implicit draws this many negatives for each interaction of a row, but no more than it has
# dimensions, biases included.
_NEGATIVES_PER_INTERACTION = 30


class LogisticMFRecommender(DrawnNegativesRecommender):
    r"""Logistic matrix factorisation: the probability that a row has an item.

    An in-domain recommender: it learns from X alone. It is a transformer as well: `transform`
    gives the factors of any rows.

    Parameters
    ----------
    n_components : int, default=64
        Number of factors, 1 or more. A row is compared with at most `n_components` + 2 negative
        items a sweep.
    regularization : float, default=2.0
        Weight :math:`\lambda` of the squared norms of factors and biases, above 0.
    confidence : float, default=1.0
        Weight of an interaction of value 1 beside the weight 1 of a negative item, above 0; the
        weight of an interaction of value x is `confidence` times x.
    learning_rate : float, default=1.0
        Step size of AdaGrad, above 0.
    popularity_exponent : float, default=0.0
        The log-popularity of an item times this is added to its scores, 0 or more. Where rows have
        many items, as with films, 1 is better by a quarter; where items are many and rows have few
        of them, it is worse by as much.
    max_iter : int, default=30
        Number of sweeps over the rows and then the items, 1 or more. All are made.
    random_state : int, RandomState instance or None, default=None
        Draws the initial factors and the negative items. Pass an int for the same factors at every
        call of `fit`.
    n_jobs : int or None, default=None
        Number of threads of `fit`. None means 1 unless in a :func:`joblib.parallel_config`
        context, -1 means all processors. Each thread draws negative items of its own, so the
        factors depend on the number of threads, but on nothing else.
    verbose : int, default=0
        Whether to show a progress bar over the sweeps.

    Attributes
    ----------
    item_factors_ : ndarray of shape (n_items_, n_components), dtype float32
        The factors of the items.
    item_bias_ : ndarray of shape (n_items_,), dtype float32
        What is added to the scores of each item, its part of the log-popularity included.
    negative_items_ : ndarray of shape (1024,), dtype int
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
    BPRRecommender : Learns to rank what a row has above what it lacks.

    Notes
    -----
    With factors :math:`u_r, v_i`, biases :math:`a_r, b_i` and the logits
    :math:`s_{ri} = u_r^\top v_i + a_r + b_i`, it maximises [1]_

    .. math::

        \sum_{x_{ri} > 0} \text{confidence} \cdot x_{ri} \log \sigma(s_{ri})
        + \sum_r m_r \, \mathbb{E}_j \log \left(1 - \sigma(s_{rj})\right)
        - \frac{\lambda}{2} \left(\sum_r (\|u_r\|^2 + a_r^2) + \sum_i (\|v_i\|^2 + b_i^2)\right)

    by AdaGrad in implicit, where the negative item j is drawn in proportion to popularity and
    :math:`m_r` is the smaller of 30 times the number of items of the row and `n_components` + 2.

    A row, seen in `fit` or not, is folded in: its factors and its bias maximise the terms of the
    row with the items held fixed, the expectation taken over `negative_items_`, by a damped
    quasi-Newton method. The bias of the row is the same for all items and left out of the scores.
    An empty row is recommended the popular items; an item that no row has gets factors of zero
    and the least bias of all.

    Where the negatives of all updates are in proportion to the popularity :math:`q_i`, the best
    logit without penalty is :math:`\log p_{ri} - \log q_i` up to numbers of the row,
    :math:`p_{ri}` being how likely a row like r is to have item i: it tells by how much a row
    prefers an item more than others do. In implicit that holds for the updates of the rows; those
    of an item draw rows, at most `n_components` + 2 of them however popular it is, and let its bias
    keep a part of the popularity. The score that rows are recommended by is
    :math:`s_{ri} + \alpha \log q_i` with :math:`\alpha` the `popularity_exponent`, between that
    lift and the preference of the row. `item_bias_` holds :math:`b_i + \alpha \log q_i`,
    :math:`\log q_i` being centred.

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
        "confidence": [Interval(Real, 0, None, closed="neither")],
    }
    # Items that stand for all in the fold-in.
    _n_negative_items = 1024

    def __init__(
        self,
        n_components=64,
        *,
        regularization=2.0,
        confidence=1.0,
        learning_rate=1.0,
        popularity_exponent=0.0,
        max_iter=30,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
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
        return self.n_components + 1

    def _weighted(self, X):
        return X * np.float32(self.confidence)

    def _fit(self, X):
        from implicit.cpu.lmf import LogisticMatrixFactorization

        self._learn(X, LogisticMatrixFactorization, neg_prop=_NEGATIVES_PER_INTERACTION)

    def _n_floats(self, width):
        n_dims = self._n_row_dims
        return width * n_dims + 4 * n_dims**2 + 4 * self._n_negative_items

    def _row_loss(self, _, items, c, is_stored):
        """Return the function that gives the loss of rows, its gradient and its Hessian."""
        n_stored = is_stored.sum(axis=1)
        V = np.append(self.item_factors_, np.ones((self.n_items_, 1), dtype=np.float32), axis=1)
        positives, positive_bias = V[items], self._learned_bias[items]
        negatives = V[self.negative_items_]
        negative_bias = self._learned_bias[self.negative_items_]
        n_dims = V.shape[1]
        second_moments = negatives.T @ negatives / len(negatives)
        n_negatives = np.minimum(_NEGATIVES_PER_INTERACTION * n_stored, self.n_components + 2)
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
            # One mean curvature for all negatives of a row saves a sum over them of k x k products.
            hessian += (weight * q * (1 - q)).sum(axis=1)[:, None, None] * second_moments
            hessian += ridge * np.eye(n_dims, dtype=np.float32)
            return value, gradient, hessian

        return loss
