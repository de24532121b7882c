# SPDX-License-Identifier: BSD-3-Clause
"""Codebook transfer, between domains that share neither users nor items."""

from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.utils import check_random_state

from ..._numerics._block_model import BlockModel, memberships, spectral_clusters
from ..._typing import Estimator
from ..._validation import AUTO, COUNT, Interval
from ..._wrapping import fitted_learner
from ...base import FactorRecommenderMixin, InDomainRecommender

# The regularization of the model without a prior codebook, with which each start begins.
_START_REGULARIZATION = 1.0
# The values of "auto", without and with `pretrained`.
_OWN_REGULARIZATION, _TRANSFERRED_REGULARIZATION = 0.3, 30.0
# The losses are bounds: their differences overstate how much more likely a clustering is.
_TEMPERATURE = 3.0
_LEAST_WEIGHT = 1e-3


class CodebookRecommender(FactorRecommenderMixin, InDomainRecommender):
    r"""Transfer between domains that share neither users nor items, by clusters and a codebook.

    Use it when the source and the target have no users and no items in common. If they share
    either, try `CollectiveMFRecommender` first. It is an in-domain recommender: it learns from X
    alone. It learns clusters of rows, clusters of items, and the codebook: how much more or less
    often a cluster of rows has a cluster of items than their activity and popularity let expect.
    With `pretrained`, the codebook comes from another domain, and only the clusters are learned.
    It is a transformer as well: `transform` returns the probability that a row is in each cluster,
    for one clustering after the other.

    Parameters
    ----------
    n_row_clusters : int, default=10
        Number K of clusters of rows, 1 or more. Ignored if `pretrained` is given.
    n_item_clusters : int, default=10
        Number L of clusters of items, 1 or more. Ignored if `pretrained` is given.
    pretrained : FrozenEstimator, default=None
        A fitted CodebookRecommender of another domain, as ``FrozenEstimator(model)``, or a frozen
        Pipeline or search that holds one. Its codebook becomes the prior. None means a prior
        codebook of ones: no cluster prefers any items.
    regularization : float or "auto", default="auto"
        How strongly the codebook is pulled towards the prior codebook, above 0. The data and the
        prior have the same weight if two clusters are expected to have this many interactions.
        With ``np.inf``, a pretrained codebook is kept and only a scale of each cluster is learned,
        see `row_cluster_scales_`. "auto" is 30 with `pretrained` and 0.3 without; without, 1 may
        leave only the popularity if the target has a hundred rows. Search over it: from 0.1 to 3
        without `pretrained` (less for fewer rows), and from 1 to 100 with it.
    n_init : int, default=20
        Number of starts, 1 or more. Each start ends in one clustering. More starts find better
        clusters, which matters for a sparse target, and estimate the uncertainty better.
    max_iter : int, default=100
        Number of sweeps over rows and items in which a start draws clusters at random, 1 or more.
        It is also the largest number of sweeps in which a start climbs, before that and after it.
    random_state : int, RandomState instance or None, default=None
        Draws the starts and the clusters. Pass an int for the same result at every call of `fit`.

    Attributes
    ----------
    codebook_ : ndarray of shape (n_row_clusters, n_item_clusters), dtype float64
        The lifts of the best clustering, the one with the smallest loss: the number of interactions
        between two clusters divided by the number expected from their totals. It includes the
        scales of the clusters.
    row_cluster_scales_ : ndarray of shape (n_row_clusters,), dtype float64
        The scales :math:`a` of the clusters of rows, which correct their totals.
        ``codebook_ / np.outer(row_cluster_scales_, item_cluster_scales_)`` is the :math:`t` that is
        pulled towards the prior. It equals the pretrained codebook if `regularization` is infinite.
    item_cluster_scales_ : ndarray of shape (n_item_clusters,), dtype float64
        The scales :math:`b` of the clusters of items.
    item_memberships_ : ndarray of shape (n_items_, n_item_clusters), dtype float64
        The probability that an item is in each cluster of the best clustering.
    item_cluster_shares_ : ndarray of shape (n_item_clusters,), dtype float64
        The share of all interactions that each cluster of items has in the best clustering.
    item_factors_ : ndarray of shape (n_items_, n_clusterings * n_row_clusters), dtype float32
        The expected share of each item in the interactions of each cluster of rows, times the
        weight of the clustering. The best clustering comes first.
    loss_curve_ : list of float
        The objective after each sweep of the climb to the best clustering.
    n_iter_ : int
        Number of these sweeps.
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
    CollectiveMFRecommender : For domains that share rows or items.
    TransferGate : Uses the source only if it is shown to help.
    sktransrec.datasets.make_cluster_domains : Generates domains that share only the codebook.

    Notes
    -----
    A row r with :math:`d_r` and an item i with :math:`d_i` of all N interactions have
    :math:`d_r d_i / N` interactions by chance. If the row is in cluster k and the item in cluster
    l, the model takes their number of interactions as Poisson distributed, with a mean of
    :math:`a_k t_{kl} b_l` times that number [2]_. Here :math:`t` is the lift in the codebook, and
    the scales :math:`a` and :math:`b` correct the totals of the clusters, which differ between
    domains. The codebook holds neither density nor popularity, so it suits sparse and dense domains
    alike.

    The objective uses the memberships :math:`p_{rk}, q_{il}`, the observed interactions
    :math:`O = P^\top X Q` between clusters, the expected ones
    :math:`E_{kl} = \sum_{ri} p_{rk} q_{il} d_r d_i / N`, the prior codebook :math:`t^0`, and
    :math:`\lambda` for `regularization`. It is

    .. math::

        \sum_{kl} \left(E_{kl} a_k t_{kl} b_l - O_{kl} \log(a_k t_{kl} b_l)\right)
        + \lambda \sum_{kl} t^0_{kl} \left(\tfrac{t_{kl}}{t^0_{kl}}
        - 1 - \log \tfrac{t_{kl}}{t^0_{kl}}\right) + \sum_k (a_k - \log a_k)
        + \sum_l (b_l - \log b_l) - H(P) - H(Q),

    where H is the entropy of the memberships. This is the variational bound of a model in which
    every row and every item is in one cluster [3]_. If :math:`\lambda` is infinite, it is a
    tri-factorisation :math:`P T Q^\top` of X with non-negative factors and a fixed middle. [1]_
    minimises squares instead, and its codebook of zeros and ones also holds the density of the
    source.

    Each start has four steps:

    1. It clusters the singular vectors of the normalised X, and improves the clusters without a
       prior codebook.
    2. It orders the clusters so that they fit the prior codebook best.
    3. It draws the clusters of rows and of items in turn from their probabilities, and updates the
       lifts.
    4. It climbs: exact updates of each part, none of which raises the objective.

    Each clustering gets a weight proportional to :math:`\exp(-\text{objective} / 3)`. With little
    data, many clusterings are about equally likely, and their mean recommends better than the best
    one. With more data, one clustering is left. The objective is a bound, whose differences
    overstate those of the likelihood; the 3 corrects for this. A sweep takes
    :math:`O(nnz \cdot (K + L) + (n_{rows} + n_{items}) \cdot K L)` time, and there are at most
    three times `n_init` times `max_iter` sweeps.

    A row, seen in `fit` or not, is folded in: its memberships follow from those of the items, and
    do not depend on the other rows that are served with it. The score of an item is its expected
    share of the interactions of the row, averaged over the clusterings. So an item that no row has
    scores zero. An empty row is recommended the popular items.

    References
    ----------
    .. [1] B. Li, Q. Yang and X. Xue, "Can movies and books collaborate? Cross-domain collaborative
       filtering for sparsity reduction", IJCAI 2009.
    .. [2] B. Karrer and M. E. J. Newman, "Stochastic blockmodels and community structure in
       networks", Physical Review E 83, 2011. :arxiv:`1008.3926`
    .. [3] G. Govaert and M. Nadif, "Block clustering with Bernoulli mixture models: comparison of
       different approaches", Computational Statistics & Data Analysis 52, 2008.
       :doi:`10.1016/j.csda.2007.09.007`

    Examples
    --------
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sktransrec import CodebookRecommender
    >>> from sktransrec.datasets import make_cluster_domains
    >>> domains = make_cluster_domains(random_state=0)
    >>> source = CodebookRecommender(n_init=1, random_state=0).fit(domains.X_source)
    >>> target = CodebookRecommender(pretrained=FrozenEstimator(source), n_init=1, random_state=0)
    >>> target = target.fit(domains.X_target)
    >>> target.codebook_.shape, target.item_memberships_.shape
    ((10, 10), (100, 10))
    """

    item_factors_: NDArray[np.float32]
    codebook_: NDArray[np.float64]
    row_cluster_scales_: NDArray[np.float64]
    item_cluster_scales_: NDArray[np.float64]
    item_memberships_: NDArray[np.float64]
    item_cluster_shares_: NDArray[np.float64]
    loss_curve_: list[float]
    n_iter_: int

    _parameter_constraints: dict = {
        "n_row_clusters": COUNT,
        "n_item_clusters": COUNT,
        "pretrained": "no_validation",
        "regularization": [Interval(Real, 0, np.inf, closed="right"), *AUTO],
        "n_init": COUNT,
        "max_iter": COUNT,
        "random_state": ["random_state"],
    }

    search_distributions: ClassVar = {"n_row_clusters": [5, 10, 20], "n_item_clusters": [5, 10, 20]}

    def __init__(
        self,
        n_row_clusters: int = 10,
        n_item_clusters: int = 10,
        *,
        pretrained: Estimator | None = None,
        regularization: float | Literal["auto"] = "auto",
        n_init: int = 20,
        max_iter: int = 100,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_row_clusters = n_row_clusters
        self.n_item_clusters = n_item_clusters
        self.pretrained = pretrained
        self.regularization = regularization
        self.n_init = n_init
        self.max_iter = max_iter
        self.random_state = random_state

    def _fit(self, X):
        random_state = check_random_state(self.random_state)
        model = BlockModel(X, self._prior_lifts(), self._prior_weight())
        found = []
        for rows, items in self._starts(X, model.shape, random_state):
            model.begin(rows, items, random_state)
            model.sample(self.max_iter, random_state)
            losses = model.climb(self.max_iter)
            scales = model.row_scales, model.item_scales
            found.append(Clustering(losses, model.lifts, scales, model.items, model.item_shares))
        found.sort(key=lambda clustering: clustering.loss)
        weights = _weights(np.array([clustering.loss for clustering in found]))
        self._clusterings = found[: len(weights)]
        best = found[0]
        self.codebook_, self.item_memberships_ = best.lifts, best.items
        self.row_cluster_scales_, self.item_cluster_scales_ = best.scales
        self.item_cluster_shares_ = best.item_cluster_shares
        self.loss_curve_, self.n_iter_ = best.losses, len(best.losses)
        shares = [w * each.item_factors() for w, each in zip(weights, found, strict=False)]
        self.item_factors_ = np.concatenate(shares, axis=1, dtype=np.float32)

    def _starts(self, X, shape, random_state):
        """Yield memberships of rows and items that are learned without a prior codebook."""
        model = BlockModel(X, np.ones(shape), _START_REGULARIZATION)
        draw_clusters = spectral_clusters(X, shape, random_state)
        for _ in range(self.n_init):
            model.begin(*draw_clusters(), random_state)
            model.climb(self.max_iter)
            yield model.rows, model.items

    def _prior_lifts(self):
        """Return the prior codebook."""
        if self.pretrained is None:
            return np.ones((self.n_row_clusters, self.n_item_clusters))
        return fitted_learner(self.pretrained, type(self), attribute="codebook_").codebook_

    def _prior_weight(self):
        """Return the regularization; "auto" depends on whether there is a pretrained codebook."""
        if self.regularization != "auto":
            return self.regularization
        return _OWN_REGULARIZATION if self.pretrained is None else _TRANSFERRED_REGULARIZATION

    def _row_factors(self, X):
        X = X.astype(np.float64)
        rows = [clustering.row_memberships(X) for clustering in self._clusterings]
        return np.concatenate(rows, axis=1, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Clustering:
    """The result of one start: losses, lifts, the scales in them, and memberships of the items."""

    losses: list
    lifts: np.ndarray
    scales: tuple
    items: np.ndarray
    item_shares: np.ndarray

    @property
    def loss(self):
        return self.losses[-1]

    @cached_property
    def item_cluster_shares(self):
        """The share of all interactions that each cluster of items has."""
        return self.item_shares @ self.items

    def item_factors(self):
        """Return the expected share of each item in the interactions of each cluster of rows."""
        return (self.lifts @ self.items.T * self.item_shares).T

    def row_memberships(self, X):
        """Return the probability that each row is in each cluster."""
        return memberships(X @ self.items, X.sum(axis=1), self.item_cluster_shares, self.lifts)


def _weights(losses):
    """Return the weights of the clusterings, sorted by loss, without negligible ones."""
    weights = softmax(-losses / _TEMPERATURE)
    weights = weights[weights > _LEAST_WEIGHT]
    return weights / weights.sum()
