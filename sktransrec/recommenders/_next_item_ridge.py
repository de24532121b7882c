# SPDX-License-Identifier: BSD-3-Clause
"""The next item by ridge regression on the decayed items before it."""

from typing import ClassVar, Literal

import numpy as np
import scipy.sparse as sp
from scipy.stats import loguniform, uniform

from .._numerics._entries import as_sparse
from .._numerics._gram import asks_for_regularization
from .._numerics._neighbor_ridge import GramLookup, neighbor_ridge, strongest_entries
from .._numerics._row_sums import cross_sum, gram_sum
from .._validation import ABOVE_0, COUNT, FROM_0_TO_1
from ..interactions import history_steps
from ._history_reader import LinkedHistoryReader, check_has_steps, has_steps


class NextItemRidgeRecommender(LinkedHistoryReader):
    r"""Recommend the next item by ridge regression on the recent items, in closed form (SLIST).

    Use it first where histories are short: it learns from every step of the histories what the
    items before it say, without a training loop. It is fitted in seconds, also for large
    catalogues, because each item is regressed on the few items that say most about it. A row of X
    is a history: item ids from 1 on, from the earliest to the latest, padded with 0 at one end, as
    :meth:`InteractionEncoder.sequences <sktransrec.InteractionEncoder.sequences>` returns it. Item
    id j + 1 is column j of `recommend` and of y. It is an in-domain recommender: it learns from the
    histories alone.

    Parameters
    ----------
    regularization : float, default=150.0
        Weight :math:`\lambda` of the squared norm of the weights, above 0. It is in units of
        interactions: an item with far fewer than this has little influence.
    decay : float, default=0.9
        The weight of an item of a history relative to the item after it, from 0 (only the last
        item counts) to 1 (all count alike).
    n_neighbors : int, default=100
        On how many items each item is regressed, 1 or more: those that predict it best alone.
    max_length : int or None, default=50
        How many items before a step are known to it, the latest ones. None takes all.
    n_items : int, default=None
        Number of items. None means the largest id of `fit`.
    unknown : {"error", "ignore"}, default="error"
        What to do with ids above the number of items, and with zeros between ids: raise an error,
        or leave them out. To `partial_fit`, larger ids are new items.

    Attributes
    ----------
    item_links_ : csr_array of shape (n_items_, n_items_), dtype float32
        At [i, j], the weight of an item i of the history in the score of item j.
    row_sums_ : RowSums
        The two matrices G and C of the Notes, see `partial_fit`.
    decay_ : float
        The decay in use.
    n_items_ : int
        Number of items that can be recommended.
    popularity_ : ndarray of shape (n_items_,), dtype float32
        The share of rows that have each item, which are the scores of an empty row.
    n_features_in_ : int
        Number of columns of X seen in `fit`.

    See Also
    --------
    TransitionRecommender : Counts what follows what.
    HistoryRecommender : With `RidgeRecommender` in it, the same with all items as neighbours.
    EASERecommender : Such a regression without order.

    Notes
    -----
    Each step of a history is a row of the regression: M holds the decayed items before the steps,
    as `history_steps` returns them, and the rows of Y are 1 at the items of the steps. With
    :math:`G = M^\top M`, :math:`C = M^\top Y` and the neighbours :math:`N_j` of item j, the weights
    are

    .. math:: w_j = (G_{N_j N_j} + \lambda I)^{-1} C_{N_j j} .

    The neighbours have the largest :math:`C_{ij} / \sqrt{G_{ii} + \lambda}` above 0. A history is
    scored by its decayed items times these weights. This is the regression of [1]_ with one decay
    for what is known and no weights of the steps, restricted to the neighbours. `similar_items`
    gives the items that follow an item.

    The cost is one step for each pair of items of a history that are known to the same step, and
    O(n_items n_neighbors³) for the solutions. G and C are sums over the rows, so `partial_fit`
    gives what `fit` gives with all rows. The model keeps both, which are sparse. The result is
    deterministic.

    References
    ----------
    .. [1] M. Choi, J. Kim, J. Lee, H. Shim and J. Lee, "Session-aware linear item-item models for
       session-based recommendation", WWW 2021. :arxiv:`2103.16104`

    Examples
    --------
    >>> from sktransrec import NextItemRidgeRecommender
    >>> X = [[1, 2, 3, 0], [1, 2, 3, 0], [3, 1, 2, 0], [2, 4, 0, 0]]
    >>> model = NextItemRidgeRecommender(regularization=1.0).fit(X)
    >>> items, scores = model.recommend([[1, 0, 0, 0], [1, 2, 0, 0]], n_recommendations=1)
    >>> items + 1  # the ids
    array([[2],
           [3]])
    """

    _parameter_constraints: dict = {
        **LinkedHistoryReader._parameter_constraints,
        "regularization": ABOVE_0,
        "decay": FROM_0_TO_1,
        "n_neighbors": COUNT,
        "max_length": [*COUNT, None],
    }

    search_distributions: ClassVar = {
        "regularization": loguniform(10, 1000),
        "decay": uniform(0.5, 0.45),
    }

    def __init__(
        self,
        regularization: float = 150.0,
        *,
        decay: float = 0.9,
        n_neighbors: int = 100,
        max_length: int | None = 50,
        n_items: int | None = None,
        unknown: Literal["error", "ignore"] = "error",
    ) -> None:
        self.regularization = regularization
        self.decay = decay
        self.n_neighbors = n_neighbors
        self.max_length = max_length
        self.n_items = n_items
        self.unknown = unknown

    @property
    def _settings(self):
        return {"decay": float(self.decay), "max_length": self.max_length}

    def _choose(self, X):
        check_has_steps(X)
        self.decay_ = float(self.decay)

    def _sums_of(self, X):
        if not has_steps(X):
            nothing = sp.csr_array((self.n_items_, self.n_items_))
            return {"gram": nothing, "cross": nothing}
        known, following = history_steps(
            X, decay=self.decay_, max_length=self.max_length, n_items=self.n_items_
        )
        return {"gram": gram_sum(known), "cross": cross_sum(following, known)}

    def _solve(self, sums):
        gram, cross = (as_sparse(sums[name]).astype(np.float32) for name in ("gram", "cross"))
        ridges = np.full(self.n_items_, self.regularization)
        cross = strongest_entries(cross, gram.diagonal(), ridges, self.n_neighbors)
        with asks_for_regularization(self, ridges, gram.dtype):
            links = neighbor_ridge(GramLookup.of_matrix(gram), cross, ridges)
        self.item_links_ = sp.csr_array(links.T, dtype=np.float32)
