"""Codebook transfer: which clusters like which, between domains that share nothing else."""

from dataclasses import dataclass
from functools import cached_property
from numbers import Integral, Real

import numpy as np
from scipy.special import softmax
from sklearn.utils import check_random_state

from ..._numerics._block_model import BlockModel, memberships, spectral_clusters
from ..._validation import Interval, StrOptions
from ..._wrapping import fitted_learner
from ...base import FactorRecommenderMixin, InDomainRecommender

# Of the model without a codebook to go by, from which each start begins.
_START_REGULARIZATION = 1.0
# What "auto" stands for.
_OWN_REGULARIZATION, _TRANSFERRED_REGULARIZATION = 0.3, 30.0
# The losses are bounds, whose differences overstate how much more likely a clustering is.
_TEMPERATURE = 3.0
_LEAST_WEIGHT = 1e-3


class CodebookRecommender(FactorRecommenderMixin, InDomainRecommender):
    r"""Clusters of rows and of items, and a codebook of what they like, that can be transferred.

    An in-domain recommender: it learns from X alone to which cluster each row and each item
    belongs, and how much more or less a cluster of rows has of a cluster of items than activity
    and popularity make expect, the codebook. With `pretrained` the codebook is that of another
    domain, and only the clusters are found: domains that share neither rows nor items can so be
    transferred between. It is a transformer as well: `transform` gives the probabilities that any
    rows are in each cluster, of one clustering after the other.

    Parameters
    ----------
    n_row_clusters : int, default=10
        Number K of clusters of rows, 1 or more. Without effect if `pretrained` is given.
    n_item_clusters : int, default=10
        Number L of clusters of items, 1 or more. Without effect if `pretrained` is given.
    pretrained : FrozenEstimator, default=None
        A fitted CodebookRecommender of another domain, whose codebook is the one to go by, as
        ``FrozenEstimator(model)``; it may also stand in a fitted Pipeline or search. None goes by
        lifts of one, by which no cluster likes anything in particular.
    regularization : float or "auto", default="auto"
        How strongly the codebook is held to the one to go by: what is learned weighs as much as it
        where clusters are expected to have so many interactions. Above 0; with ``np.inf`` a
        pretrained codebook is kept, and only a scale of each cluster is learned, see
        `row_cluster_scales_`. "auto" is 30 with `pretrained` and 0.3 without, where
        1 may leave nothing but popularity of a target of a hundred rows. It is worth a search: 0.1
        to 3 without `pretrained`, less of it the fewer rows there are, and 1 to 100 with it.
    n_init : int, default=20
        Number of starts, 1 or more, each of which comes to a clustering. More of them find better
        clusters, and say more reliably what remains open: those of a sparse target are hard to
        find.
    max_iter : int, default=100
        Number of sweeps over rows and items for which a start draws clusters at random, and the
        most for which it climbs before and after, 1 or more.
    random_state : int, RandomState instance or None, default=None
        Draws the starts and the clusters. Pass an int for the same result at every call of `fit`.

    Attributes
    ----------
    codebook_ : ndarray of shape (n_row_clusters, n_item_clusters), dtype float64
        The lifts of the best clustering, that with the least loss: how many interactions the
        clusters have beside those that their totals make expect. The scales of the clusters are in
        it.
    row_cluster_scales_ : ndarray of shape (n_row_clusters,), dtype float64
        The scales :math:`a` of the clusters of rows, which put their totals right.
        ``codebook_ / np.outer(row_cluster_scales_, item_cluster_scales_)`` is the :math:`t` that is
        held to the pretrained codebook: it equals that codebook if `regularization` is infinite.
    item_cluster_scales_ : ndarray of shape (n_item_clusters,), dtype float64
        The scales :math:`b` of the clusters of items.
    item_memberships_ : ndarray of shape (n_items_, n_item_clusters), dtype float64
        The probability that an item is in each cluster of the best clustering.
    item_cluster_shares_ : ndarray of shape (n_item_clusters,), dtype float64
        The share of all interactions that each of these clusters of items has.
    item_factors_ : ndarray of shape (n_items_, n_clusterings * n_row_clusters), dtype float32
        The share of its interactions that each cluster of rows is expected to have with each item,
        times the weight of the clustering; the best clustering comes first.
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
    TransferGate : Uses the source only where it is shown to help.
    sktransrec.datasets.make_cluster_domains : Generates domains that share the codebook alone.

    Notes
    -----
    Row r and item i with totals :math:`d_r` and :math:`d_i` of all N interactions are expected to
    have :math:`d_r d_i / N` interactions by chance. In the clusters k and l they are taken to have
    a Poisson number of mean :math:`a_k t_{kl} b_l` times that [2]_, where :math:`t` is the lift of
    the codebook and :math:`a, b` put the totals of the clusters right, which differ between
    domains. As neither density nor popularity is in the codebook, it suits sparse and dense domains
    alike. With the memberships :math:`p_{rk}, q_{il}`, the observed :math:`O = P^\top X Q`, the
    expected :math:`E_{kl} = \sum_{ri} p_{rk} q_{il} d_r d_i / N`, the codebook to go by :math:`b^0`
    and :math:`\lambda` for `regularization`, the objective is

    .. math::

        \sum_{kl} \left(E_{kl} a_k t_{kl} b_l - O_{kl} \log(a_k t_{kl} b_l)\right)
        + \lambda \sum_{kl} b^0_{kl} \left(\tfrac{t_{kl}}{b^0_{kl}}
        - 1 - \log \tfrac{t_{kl}}{b^0_{kl}}\right) + \sum_k (a_k - \log a_k)
        + \sum_l (b_l - \log b_l) - H(P) - H(Q),

    H being the entropy of the memberships: the variational bound of a model in which every row and
    every item is in one cluster, and a tri-factorisation :math:`P T Q^\top` of X with non-negative
    factors and a fixed middle if :math:`\lambda` is infinite. [1]_ minimises squares instead, and
    its codebook of zeros and ones holds the density of the source as well.

    Each start clusters the singular vectors of the normalised X, climbs from there without a
    codebook to go by, and puts the clusters in the order that suits the codebook best. It then
    draws rows' and items' clusters in turn from their probabilities, updating the lifts, and at
    last climbs by exact updates of each part, none of which raises the objective. Of the
    clusterings that are reached, each counts as :math:`\exp(-\text{objective} / 3)`: where there is
    little to learn from many are about as likely, and their mean recommends better than the best;
    where there is more, one is left. The 3 allows for the bound, whose differences overstate those
    of the likelihood. A sweep takes :math:`O(nnz \cdot (K + L) + (n_{rows} + n_{items}) \cdot K L)`
    time, and there are at most three times `n_init` times `max_iter` of them.

    A row, seen in `fit` or not, is folded in: its memberships follow from those of the items,
    whatever rows it arrives with. A score is the mean over the clusterings of the share of its
    interactions that a row is expected to have with the item, so that an item that no row has
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
    >>> source = CodebookRecommender(n_init=2, random_state=0).fit(domains.X_source)
    >>> target = CodebookRecommender(pretrained=FrozenEstimator(source), n_init=2, random_state=0)
    >>> target = target.fit(domains.X_target)
    >>> target.codebook_.shape, target.item_memberships_.shape
    ((10, 10), (100, 10))
    """

    _parameter_constraints: dict = {
        "n_row_clusters": [Interval(Integral, 1, None, closed="left")],
        "n_item_clusters": [Interval(Integral, 1, None, closed="left")],
        "pretrained": "no_validation",
        "regularization": [Interval(Real, 0, np.inf, closed="right"), StrOptions({"auto"})],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_row_clusters=10,
        n_item_clusters=10,
        *,
        pretrained=None,
        regularization="auto",
        n_init=20,
        max_iter=100,
        random_state=None,
    ):
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
        """Yield memberships of rows and items that are learned without a codebook to go by."""
        model = BlockModel(X, np.ones(shape), _START_REGULARIZATION)
        draw_clusters = spectral_clusters(X, shape, random_state)
        for _ in range(self.n_init):
            model.begin(*draw_clusters(), random_state)
            model.climb(self.max_iter)
            yield model.rows, model.items

    def _prior_lifts(self):
        """Return the codebook to go by."""
        if self.pretrained is None:
            return np.ones((self.n_row_clusters, self.n_item_clusters))
        return fitted_learner(self.pretrained, type(self), attribute="codebook_").codebook_

    def _prior_weight(self):
        """Return the regularization, chosen by whether there is a codebook if it is "auto"."""
        if self.regularization != "auto":
            return self.regularization
        return _OWN_REGULARIZATION if self.pretrained is None else _TRANSFERRED_REGULARIZATION

    def _row_factors(self, X):
        X = X.astype(np.float64)
        rows = [clustering.row_memberships(X) for clustering in self._clusterings]
        return np.concatenate(rows, axis=1, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Clustering:
    """What one start has come to.

    The losses on its way, the lifts, the scales in them, and the memberships of the items.
    """

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
        """Return the share of its interactions that a cluster of rows has with each item."""
        return (self.lifts @ self.items.T * self.item_shares).T

    def row_memberships(self, X):
        """Return the probability that each row is in each cluster."""
        return memberships(X @ self.items, X.sum(axis=1), self.item_cluster_shares, self.lifts)


def _weights(losses):
    """Return the weights of clusterings in the order of their losses, of those that count."""
    weights = softmax(-losses / _TEMPERATURE)
    weights = weights[weights > _LEAST_WEIGHT]
    return weights / weights.sum()
