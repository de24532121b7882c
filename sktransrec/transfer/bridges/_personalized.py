"""A bridge of its own for each row, generated from the row's history in the source."""

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.utils import check_random_state, get_tags

from ..._numerics._least_squares import balanced_confidence
from ..._validation import HasMethods, Interval, StrOptions
from ..._wrapping import as_matrix, recommender_and_rows, transformed
from ...base import FactorRecommenderMixin, SupervisedRecommender


class PersonalizedBridgeRecommender(FactorRecommenderMixin, SupervisedRecommender):
    r"""Recommend by a bridge between two domains that each row has of its own (PTUPCDR).

    A supervised recommender from source interactions to target interactions. Factor models learn
    either domain and a regressor the bridge that all rows share, as in `BridgeRecommender`. Then a
    small network reads which source items a row has and corrects the bridge for that row, so that
    the scores in the target, rather than the factors, come out right. As a transformer, it gives
    the target factors that it predicts.

    Parameters
    ----------
    transformer : estimator
        The factor model of the source, such as `ALSRecommender`, or a `Pipeline` that ends in one.
        It is cloned and fitted on X; a fitted one inside a
        :class:`~sklearn.frozen.FrozenEstimator` is used as it is, which lets it know source rows
        that have no y.
    recommender : estimator
        The factor model of the target, which is fitted on y, or frozen in the same way.
    regressor : estimator, default=None
        The shared bridge: any regressor that can predict several outputs. None means `Ridge()`.
    n_components : int, default=4
        Number of maps, 1 or more, that are mixed to correct the bridge of a row, and width of the
        hidden layers of the network.
    regularization : float, default=0.03
        Weight :math:`\lambda` of the squared distance of the network from the shared bridge, above
        0. The more of it, the more alike are the bridges.
    confidence : float or "balanced", default="balanced"
        Weight of an interaction of value 1 beside the weight 1 of a missing one, above 0; the
        weight of an interaction of value x is `confidence` times x. "balanced" sets it so that all
        interactions together weigh a tenth of the number of entries of y.
    max_iter : int, default=50
        Number of iterations of L-BFGS, 1 or more; it may stop before.
    random_state : int, RandomState instance or None, default=None
        Draws the initial network. Pass an int for the same network at every call of `fit`.

    Attributes
    ----------
    transformer_ : estimator
        The factor model of the source.
    recommender_ : estimator
        The factor model of the target.
    regressor_ : estimator
        The shared bridge.
    network_ : tuple of ndarray
        The weights :math:`B, a, C, c, G` of the network, as named in the Notes.
    scales_ : ndarray of shape (2,), dtype float64
        What the source factors of items and of rows are divided by before the network reads them.
    loss_curve_ : list of float
        The objective before the first iteration and after each.
    n_iter_ : int
        Number of iterations made.
    item_factors_ : ndarray of shape (n_items_, n_factors)
        The factors of the target items, those of `recommender_`.
    item_bias_ : ndarray of shape (n_items_,) or None
        The bias of the target items, None where `recommender_` has none.
    n_items_ : int
        Number of items that can be recommended.
    popularity_ : ndarray of shape (n_items_,), dtype float32
        The share of rows that have each item, which are the scores of an empty row.
    n_features_in_ : int
        Number of columns of X seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, where X had any.

    See Also
    --------
    BridgeRecommender : One bridge for all rows.

    Notes
    -----
    With the source factors :math:`u_r` of a row and :math:`s_j` of the items :math:`J_r` that it
    has, the target factors :math:`v_i` and biases :math:`b_i` of the items and the shared bridge f,

    .. math::

        p_r &= \sum_{j \in J_r} \mathrm{softmax}_{J_r}(a^\top \tanh(B^\top s_j))\, s_j, \qquad
        h_r = [1, \tanh(C^\top p_r + c)], \\
        \hat u_r &= f(u_r) + \sum_m h_{rm} G_m^\top [1, u_r], \qquad
        \mathrm{score}(r, i) = \hat u_r^\top v_i + b_i.

    :math:`G_m` start at zero and B, a, C and c at small random values or zero, :math:`\theta_0` all
    told. L-BFGS with exact gradients moves them, the factors of both domains and f being fixed, to

    .. math::

        \min_\theta \operatorname*{mean}_r \frac{\sum_i c_{ri}
        \left(\mathbb{1}[y_{ri} > 0] - \mathrm{score}(r, i)\right)^2}{\sum_{y_{ri} > 0} c_{ri}}
        + \lambda \|\theta - \theta_0\|^2,

    :math:`c_{ri}` being `confidence` times :math:`y_{ri}` where a row has the item and 1 elsewhere.
    The mean is over rows that have any, so that a row with many counts no more than another one.
    So :math:`\lambda \to \infty` is the shared bridge. The paper [1]_ generates the whole map from
    :math:`p_r`, learns from ratings and draws random steps; here the personal part is a correction,
    missing interactions count as negatives, and all of them do, by way of the items' Gram matrix.
    An iteration costs :math:`O(nnz \cdot k + n_{rows} \cdot n_{components} \cdot k^2)` with k
    factors in either domain.

    References
    ----------
    .. [1] Y. Zhu, Z. Tang, Y. Liu, F. Zhuang, R. Xie, X. Zhang, L. Lin and Q. He, "Personalized
       transfer of user preferences for cross-domain recommendation", WSDM 2022. :arxiv:`2110.11154`

    Examples
    --------
    >>> from sktransrec import ALSRecommender, PersonalizedBridgeRecommender
    >>> X_source = [[1, 0], [1, 0], [0, 1], [0, 1]]
    >>> Y_target = [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    >>> domain = ALSRecommender(n_components=2, random_state=0)
    >>> model = PersonalizedBridgeRecommender(domain, domain, random_state=0)
    >>> items, _ = model.fit(X_source, Y_target).recommend([[0, 1]], n_recommendations=2)
    >>> sorted(items[0].tolist())
    [2, 3]
    """

    _parameter_constraints: dict = {
        "transformer": [HasMethods(["fit", "transform"])],
        "recommender": [HasMethods(["fit", "transform"])],
        "regressor": [None, HasMethods(["fit", "predict"])],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "regularization": [Interval(Real, 0, None, closed="neither")],
        "confidence": [Interval(Real, 0, None, closed="neither"), StrOptions({"balanced"})],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        transformer,
        recommender,
        regressor=None,
        *,
        n_components=4,
        regularization=0.03,
        confidence="balanced",
        max_iter=50,
        random_state=None,
    ):
        self.transformer = transformer
        self.recommender = recommender
        self.regressor = regressor
        self.n_components = n_components
        self.regularization = regularization
        self.confidence = confidence
        self.max_iter = max_iter
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = get_tags(self.transformer).input_tags.positive_only
        return tags

    @property
    def _nonnegative_y(self):
        return get_tags(self.recommender).input_tags.positive_only

    def _fit(self, X, y):
        if not y.nnz:
            raise ValueError("y holds no interactions: pass at least one, to learn a bridge from.")
        self.transformer_ = clone(self.transformer).fit(X, None)
        self.recommender_ = clone(self.recommender).fit(y, None)
        source, rows = _factor_model("transformer", self.transformer_, X)
        target, target_rows = _factor_model("recommender", self.recommender_, y)
        self.item_factors_ = target.item_factors_
        self.item_bias_ = getattr(target, "item_bias_", None)
        U = transformed(source, rows)
        regressor = Ridge() if self.regressor is None else clone(self.regressor)
        self.regressor_ = regressor.fit(U, transformed(target, target_rows))
        self.scales_ = np.array([_root_mean_norm(source.item_factors_), _root_mean_norm(U)])
        start = self._initial_network(U.shape[1])
        self.network_ = self._trained(start, self._inputs(rows, source), self._targets(y))

    def _initial_network(self, n_factors):
        """Return the network that corrects nothing."""
        random_state, m = check_random_state(self.random_state), self.n_components
        B, C = random_state.standard_normal((2, n_factors, m))
        G = np.zeros((m + 1, n_factors + 1, self.item_factors_.shape[1]))
        return _Network(B, np.zeros(m), C, np.zeros(m), G)

    def _inputs(self, X, source):
        """Return what the network reads of rows."""
        history = sp.csr_array(as_matrix(X) != 0, dtype=np.float64)
        U = transformed(source, X)
        shared = self.regressor_.predict(U).reshape(len(U), -1)
        S = source.item_factors_ / self.scales_[0]
        with_ones = np.column_stack([np.ones(len(U)), U / self.scales_[1]])
        return _Inputs(history, S.astype(np.float64), with_ones, shared.astype(np.float64))

    def _targets(self, y):
        """Return the weights of y, and the items that the scores are made of."""
        confidence = balanced_confidence(y) if self.confidence == "balanced" else self.confidence
        V = self.item_factors_.astype(np.float64)
        b = np.zeros(len(V)) if self.item_bias_ is None else self.item_bias_.astype(np.float64)
        C = y.astype(np.float64) * confidence
        totals, n_known = C.sum(axis=1), np.count_nonzero(np.diff(C.indptr))
        shares = np.divide(1 / n_known, totals, out=np.zeros_like(totals), where=totals > 0)
        return _Targets(C, shares, V, b, V.T @ V)

    def _trained(self, start, inputs, targets):
        """Return the network at the minimum of the objective."""
        origin = _flat(start)

        def objective(theta):
            network = start.reshaped(theta)
            factors, back = network.forward(inputs)
            loss, slope = targets.loss(factors)
            moved = theta - origin
            value = loss + self.regularization * moved @ moved
            return value, _flat(back(slope)) + 2 * self.regularization * moved

        self.loss_curve_ = [float(objective(origin)[0])]

        def record(intermediate_result):
            self.loss_curve_.append(float(intermediate_result.fun))

        options = {"maxiter": self.max_iter}
        found = minimize(
            objective, origin, jac=True, method="L-BFGS-B", callback=record, options=options
        )
        self.n_iter_ = int(found.nit)
        return start.reshaped(found.x)

    def _row_factors(self, X):
        source, rows = _factor_model("transformer", self.transformer_, X)
        return self.network_.forward(self._inputs(rows, source))[0].astype(np.float32)


class _Inputs(NamedTuple):
    """What the network reads: which items rows have, and factors of items and of rows."""

    history: sp.csr_array
    S: np.ndarray
    U: np.ndarray
    shared: np.ndarray


class _Network(NamedTuple):
    """The weights of the network, in the symbols of the docstring."""

    B: np.ndarray
    a: np.ndarray
    C: np.ndarray
    c: np.ndarray
    G: np.ndarray

    def reshaped(self, theta):
        """Return the network whose weights are those of a vector."""
        ends = np.cumsum([weights.size for weights in self])[:-1]
        parts = np.split(theta, ends)
        return _Network(*(part.reshape(w.shape) for part, w in zip(parts, self, strict=True)))

    def forward(self, inputs):
        """Return the target factors of rows, and the function from their slope to that of self."""
        p, pool_back = _attention(self.B, self.a, inputs)
        H = np.tanh(p @ self.C + self.c)
        with_ones = np.column_stack([np.ones(len(H)), H])
        factors = inputs.shared.copy()
        for h, G in zip(with_ones.T, self.G, strict=True):
            factors += h[:, None] * (inputs.U @ G)

        def back(slope):
            G_slope = np.stack([inputs.U.T @ (h[:, None] * slope) for h in with_ones.T])
            H_slope = np.column_stack([((inputs.U @ G) * slope).sum(axis=1) for G in self.G[1:]])
            Z_slope = H_slope * (1 - H**2)
            B_slope, a_slope = pool_back(Z_slope @ self.C.T)
            return _Network(B_slope, a_slope, p.T @ Z_slope, Z_slope.sum(axis=0), G_slope)

        return factors, back


def _attention(B, a, inputs):
    """Return the items of each row averaged by attention, and its function of slopes."""
    X, S = inputs.history, inputs.S
    T = np.tanh(S @ B)
    logits = T @ a
    e = np.exp(logits - logits.max())
    totals = X @ e
    totals[totals == 0] = 1
    p = (X @ (e[:, None] * S)) / totals[:, None]

    def back(slope):
        slope = slope / totals[:, None]
        e_slope = (S * (X.T @ slope)).sum(axis=1) - X.T @ (slope * p).sum(axis=1)
        logit_slope = e * e_slope
        return S.T @ (np.outer(logit_slope, a) * (1 - T**2)), T.T @ logit_slope

    return p, back


class _Targets(NamedTuple):
    """The weights of what is there to be found and of rows, and what the items are."""

    C: sp.csr_array
    shares: np.ndarray
    V: np.ndarray
    b: np.ndarray
    gram: np.ndarray

    def loss(self, U):
        """Return the weighted squares of rows with the factors U, and the slope of each factor."""
        C, V, b = self.C, self.V, self.b
        rows, items = np.repeat(np.arange(len(U)), np.diff(C.indptr)), C.indices
        scores = np.einsum("rk,rk->r", U[rows], V[items]) + b[items]
        projected, bias = U @ self.gram, V.T @ b
        all_squares = (projected * U).sum(axis=1) + 2 * (U @ bias) + b @ b
        surplus = C.data * (1 - scores) ** 2 - scores**2
        loss = self.shares @ (all_squares + np.bincount(rows, surplus, minlength=len(U)))
        pull = (C.data * (scores - 1) - scores, C.indices, C.indptr)
        slope = projected + bias + sp.csr_array(pull, shape=C.shape) @ V
        return loss, 2 * self.shares[:, None] * slope


def _flat(network):
    return np.concatenate([weights.ravel() for weights in network])


def _root_mean_norm(factors):
    """Return the root of the mean squared norm of factors, 1 where all are zero."""
    return float(np.sqrt((factors.astype(np.float64) ** 2).sum(axis=1).mean())) or 1.0


def _factor_model(name, model, X):
    """Return the factor model inside `model`, and X as it reaches that model."""
    recommender, rows = recommender_and_rows(model, X)
    if not hasattr(recommender, "item_factors_"):
        raise TypeError(
            f"{name} must be a factor model with item_factors_, such as ALSRecommender, or a "
            f"Pipeline that ends in one, got {model!r}."
        )
    return recommender, rows
