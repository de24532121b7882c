# SPDX-License-Identifier: BSD-3-Clause
"""Clusters of rows and of items, and the lifts: how much more often than by chance they meet."""

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linear_sum_assignment
from scipy.special import entr, softmax, xlogy
from sklearn.preprocessing import normalize
from sklearn.utils.extmath import randomized_svd

# The climb ends when a sweep lowers the loss per interaction by less than this.
_TOLERANCE = 1e-6
# Number of random orders of the item clusters from which the search for the best order starts.
_N_ORDERS = 30
# Points are equal if their coordinates are equal after rounding to this many decimals.
_DECIMALS = 6


class BlockModel:
    """A Poisson model of interactions with clusters of rows and of items, while it is learned.

    All methods lower `loss()`, except those that draw.

    Parameters
    ----------
    X : csr_array of shape (n_rows, n_items)
    prior_lifts : ndarray of shape (n_row_clusters, n_item_clusters)
    regularization : float

    Attributes
    ----------
    rows : ndarray of shape (n_rows, n_row_clusters)
        The probability of each row to be in each cluster.
    items : ndarray of shape (n_items, n_item_clusters)
        The same for the items.
    row_scales : ndarray of shape (n_row_clusters,)
        The factors that correct the totals of the row clusters.
    item_scales : ndarray of shape (n_item_clusters,)
        The same for the item clusters.
    """

    def __init__(self, X, prior_lifts, regularization):
        self._X = X.astype(np.float64)
        self._X_transposed = self._X.T.tocsr()
        self._row_totals, self._item_totals = self._X.sum(axis=1), self._X.sum(axis=0)
        self._n_interactions = self._row_totals.sum()
        self._prior_lifts = prior_lifts
        self._regularization = regularization

    @property
    def shape(self):
        """Numbers of row clusters and of item clusters."""
        return self._prior_lifts.shape

    @property
    def lifts(self):
        """The interactions of each pair of clusters, divided by the number expected by chance."""
        return self.row_scales[:, None] * self._cell_lifts * self.item_scales

    @property
    def item_shares(self):
        """The share of each item in all interactions."""
        return self._item_totals / self._n_interactions

    def begin(self, rows, items, random_state):
        """Set the memberships, with the clusters in the order that fits the prior lifts best."""
        self.row_scales, self.item_scales = (np.ones(n) for n in self._prior_lifts.shape)
        observed = rows.T @ (self._X @ items)
        expected = self._expected(rows, items)
        row_order, item_order = _best_orders(observed, expected, self._prior_lifts, random_state)
        self.rows, self.items = rows[:, row_order], items[:, item_order]
        self._update_lifts(observed[row_order][:, item_order])

    def sample(self, n_sweeps, random_state):
        """Draw memberships and update the lifts; end with the items' mean over the last quarter."""
        mean, n_kept = np.zeros_like(self.items), -(-n_sweeps // 4)
        for sweep in range(n_sweeps):
            self._update_rows(lambda p: _drawn(p, random_state))
            probabilities = self._update_items(lambda p: _drawn(p, random_state))
            if sweep >= n_sweeps - n_kept:
                mean += probabilities / n_kept
        self.items = mean

    def climb(self, n_sweeps):
        """Update memberships and lifts until the loss converges; return the loss of each sweep."""
        losses = []
        for _ in range(n_sweeps):
            self._update_rows(lambda p: p)
            self._update_items(lambda p: p)
            losses.append(self.loss())
            if len(losses) > 1 and losses[-2] - losses[-1] < _TOLERANCE * self._n_interactions:
                break
        return losses

    def loss(self):
        """Return the bound on the negative log-likelihood, up to constants."""
        observed = self.rows.T @ (self._X @ self.items)
        lifts, scales = self.lifts, np.concatenate([self.row_scales, self.item_scales])
        fit = (xlogy(observed, lifts) - self._expected(self.rows, self.items) * lifts).sum()
        fit += (np.log(scales) - scales).sum() + entr(self.rows).sum() + entr(self.items).sum()
        if np.isfinite(self._regularization):
            ratio = self._cell_lifts / self._prior_lifts
            fit += self._regularization * (self._prior_lifts * (np.log(ratio) - ratio + 1)).sum()
        return -fit

    def _expected(self, rows, items):
        """Return the interactions of each pair of clusters that are expected by chance."""
        return np.outer(self._row_totals @ rows, self.item_shares @ items)

    def _update_rows(self, choose):
        """Set the memberships of the rows, chosen from their probabilities."""
        of_clusters = self._X @ self.items
        shares = self.item_shares @ self.items
        probabilities = memberships(of_clusters, self._row_totals, shares, self.lifts)
        self.rows = choose(probabilities)
        self._update_lifts(self.rows.T @ of_clusters)

    def _update_items(self, choose):
        """Set the memberships of the items, and return their probabilities."""
        of_clusters = self._X_transposed @ self.rows
        shares = self._row_totals @ self.rows / self._n_interactions
        probabilities = memberships(of_clusters, self._item_totals, shares, self.lifts.T)
        self.items = choose(probabilities)
        self._update_lifts(of_clusters.T @ self.items)
        return probabilities

    def _update_lifts(self, observed):
        """Set the lifts and then the scales to their best values, given observed interactions."""
        expected = self._expected(self.rows, self.items)
        scaled = expected * np.outer(self.row_scales, self.item_scales)
        surplus = observed - scaled * self._prior_lifts
        # Written so that an infinite regularization needs no special case.
        self._cell_lifts = self._prior_lifts + surplus / (scaled + self._regularization)
        fitted = expected * self._cell_lifts
        self.row_scales = (observed.sum(axis=1) + 1) / (fitted @ self.item_scales + 1)
        self.item_scales = (observed.sum(axis=0) + 1) / (self.row_scales @ fitted + 1)


def memberships(of_clusters, totals, shares, lifts):
    """Return the probability of each row to be in each cluster.

    Parameters
    ----------
    of_clusters : ndarray of shape (n_rows, n_item_clusters)
        The interactions of each row with each cluster of items.
    totals : ndarray of shape (n_rows,)
        The number of interactions of each row.
    shares : ndarray of shape (n_item_clusters,)
        The share of each item cluster in all interactions.
    lifts : ndarray of shape (n_row_clusters, n_item_clusters)
    """
    return softmax(of_clusters @ np.log(lifts).T - np.outer(totals, lifts @ shares), axis=1)


def spectral_clusters(X, n_clusters, random_state):
    """Return a function that draws clusters of rows and of items, as indicators.

    It clusters the singular vectors of X with normalised rows and columns.
    """
    totals = [np.asarray(X.sum(axis=axis), dtype=np.float64) for axis in (1, 0)]
    # The mean is added so that rows and items with few interactions are no outliers.
    scale = [sp.diags_array(1 / np.sqrt(total + total.mean())) for total in totals]
    n_vectors = min(*n_clusters, *X.shape)
    U, s, Vt = randomized_svd(scale[0] @ X @ scale[1], n_vectors, random_state=random_state)
    # The first vectors only show how active a row is and how popular an item is.
    first = min(1, n_vectors - 1)
    points = [
        np.round(normalize(vectors[:, first:] * s[first:]), _DECIMALS) for vectors in (U, Vt.T)
    ]

    def draw():
        return [_clustered(*each, random_state) for each in zip(points, n_clusters, strict=True)]

    return draw


def _clustered(points, n_clusters, random_state):
    """Return the indicators of the clusters of k-means; there may be fewer than `n_clusters`."""
    from sklearn.cluster import KMeans  # slow to import, and seldom needed

    n_found = min(n_clusters, len(np.unique(points, axis=0)))
    labels = KMeans(n_found, n_init=1, random_state=random_state).fit_predict(points)
    return np.eye(n_clusters)[labels]


def _drawn(probabilities, random_state):
    """Return for each row an indicator drawn with its probabilities."""
    thresholds = random_state.uniform(size=(len(probabilities), 1))
    drawn = (probabilities.cumsum(axis=1) < thresholds).sum(axis=1)
    n_clusters = probabilities.shape[1]
    return np.eye(n_clusters)[np.minimum(drawn, n_clusters - 1)]


def _best_orders(observed, expected, lifts, random_state):
    """Return the orders of row and item clusters for which the lifts fit best.

    Given the order of the item clusters, the best order of the row clusters is an assignment
    problem, and the reverse. Both are solved in turn, from several orders of the item clusters.
    """
    found = [
        _orders_from(random_state.permutation(lifts.shape[1]), observed, expected, lifts)
        for _ in range(_N_ORDERS)
    ]
    return max(found, key=lambda each: each[0])[1]


def _orders_from(item_order, observed, expected, lifts):
    """Return the fit of the lifts and the orders, found from one order of the item clusters."""
    log_lifts, fit, previous = np.log(lifts), -np.inf, None
    while previous is None or fit > previous + 1e-9 * abs(previous):
        previous = fit
        gains = log_lifts @ observed[:, item_order].T - lifts @ expected[:, item_order].T
        _, row_order = linear_sum_assignment(gains, maximize=True)
        gains = log_lifts.T @ observed[row_order] - lifts.T @ expected[row_order]
        labels, item_order = linear_sum_assignment(gains, maximize=True)
        fit = gains[labels, item_order].sum()
    return fit, (row_order, item_order)
