# SPDX-License-Identifier: BSD-3-Clause
"""What follows what: transitions between the items of histories, counted."""

from typing import ClassVar, Literal

import numpy as np
import scipy.sparse as sp
from scipy.sparse import csr_array
from scipy.stats import loguniform, uniform

from .._histories import pairs_in_order
from .._validation import AT_LEAST_0, COUNT
from ._history_reader import LinkedHistoryReader, best_decay, check_has_steps


class TransitionRecommender(LinkedHistoryReader):
    r"""Recommend what followed the items of a history in other histories, soon after them.

    Use it when order matters: series, accessories after devices, listening sessions. It is fitted
    in a second. Alone, it suits short histories whose items follow each other; it belongs in a
    vote with a `NextItemRidgeRecommender`, and with item neighbours and a graph filter inside
    `HistoryRecommender`. A row of X is a history: item ids from 1 on, from the earliest to the
    latest, padded with 0 at one end, as
    :meth:`InteractionEncoder.sequences <sktransrec.InteractionEncoder.sequences>` returns it. Item
    id j + 1 is column j of `recommend` and of y. It is an in-domain recommender: it learns from the
    histories alone.

    Parameters
    ----------
    window : int, default=3
        How many steps after an item its followers are counted, 1 or more. A follower k steps later
        counts 1/k.
    item_exponent : float, default=0.5
        The links are divided by this power of the popularity of both items, 0 or more. With a
        `window` of 1 and a `popularity_offset` of 0, 0.5 makes them cosines.
    popularity_exponent : float, default=0.25
        The scores of an item are multiplied by this power of its popularity, 0 or more. It takes
        back a part of `item_exponent` for the item that is recommended.
    popularity_offset : float, default=5.0
        This number h is added to the popularities that `item_exponent` divides by, 0 or more. So a
        link between items with few interactions counts little.
    decay : float or "auto", default="auto"
        The weight of an item of a history relative to the item after it, from 0 (only the last
        item counts) to 1 (all count alike). "auto" takes the first of 0.8, 0.9, 0.7, 0.6 and 1 with
        which the last items of a sample of the histories are found as well as with the best one, up
        to a standard error, or 0.8 if there are too few to judge by.
    n_items : int, default=None
        Number of items. None means the largest id of `fit`.
    unknown : {"error", "ignore"}, default="error"
        What to do with ids above the number of items, and with zeros between ids: raise an error,
        or leave them out. To `partial_fit`, larger ids are new items.

    Attributes
    ----------
    item_links_ : csr_array of shape (n_items_, n_items_), dtype float32
        At [i, j], the weight of an item i of the history in the score of item j.
    transitions_ : csr_array of shape (n_items_, n_items_), dtype float64
        At [i, j], how often item j followed item i within the window, divided by the distance.
    row_sums_ : RowSums
        The transitions and the counts of items, see `partial_fit`.
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
    HistoryRecommender : Item neighbours and others that know which items are recent.
    NextItemRecommender : A network that learns from the order itself.
    NextItemRidgeRecommender : Regression of the next item on the items before it.

    Notes
    -----
    With the histories :math:`x_{r1}, x_{r2}, \dots` of the rows r, the number :math:`n_i` of
    occurrences of item i, the window w, the exponents a (`item_exponent`) and :math:`\gamma`
    (`popularity_exponent`), the offset h (`popularity_offset`) and the decay d, the score of item j
    after the history :math:`x_1, \dots, x_n` is

    .. math:: n_j^\gamma \sum_{t=1}^{n} d^{\,n - t}
        \frac{T_{x_t j}}{\left((n_{x_t} + h) (n_j + h)\right)^a}, \qquad
        T_{ij} = \sum_{k=1}^{w} \frac1k
        \left|\{(r, t) : x_{r t} = i, \; x_{r, t + k} = j\}\right| .

    With a window of 1, T counts the transitions of a Markov chain [1]_. With a larger one, it
    weighs sequential rules [2]_.

    Each item of a history contributes one summand, so the score is its own explanation.
    `similar_items` gives the items that follow an item. T and n are sums over the rows, so
    `partial_fit` gives what `fit` gives with all rows, but for `decay_`, which stays. The result is
    deterministic.

    References
    ----------
    .. [1] S. Rendle, C. Freudenthaler and L. Schmidt-Thieme, "Factorizing personalized Markov
       chains for next-basket recommendation", WWW 2010. :doi:`10.1145/1772690.1772773`
    .. [2] M. Ludewig and D. Jannach, "Evaluation of session-based recommendation algorithms", User
       Modeling and User-Adapted Interaction 28 (2018): sequential rules. :arxiv:`1803.09587`

    Examples
    --------
    >>> from sktransrec import TransitionRecommender
    >>> X = [[1, 2, 3, 0], [1, 2, 3, 0], [3, 1, 2, 0], [2, 4, 0, 0]]
    >>> model = TransitionRecommender().fit(X)
    >>> items, scores = model.recommend([[1, 0, 0, 0], [1, 2, 0, 0]], n_recommendations=1)
    >>> items + 1  # the ids
    array([[2],
           [3]])
    """

    _parameter_constraints: dict = {
        **LinkedHistoryReader._parameter_constraints,
        "window": COUNT,
        "item_exponent": AT_LEAST_0,
        "popularity_exponent": AT_LEAST_0,
        "popularity_offset": AT_LEAST_0,
    }

    search_distributions: ClassVar = {
        "window": [1, 2, 3, 5, 10],
        "popularity_exponent": uniform(0, 0.5),
        "popularity_offset": loguniform(0.5, 50),
    }

    def __init__(
        self,
        window: int = 3,
        *,
        item_exponent: float = 0.5,
        popularity_exponent: float = 0.25,
        popularity_offset: float = 5.0,
        decay: float | Literal["auto"] = "auto",
        n_items: int | None = None,
        unknown: Literal["error", "ignore"] = "error",
    ) -> None:
        self.window = window
        self.item_exponent = item_exponent
        self.popularity_exponent = popularity_exponent
        self.popularity_offset = popularity_offset
        self.decay = decay
        self.n_items = n_items
        self.unknown = unknown

    _not_in_sums = ("decay",)

    @property
    def _settings(self):
        return {"window": self.window}

    @property
    def transitions_(self) -> csr_array:
        return self.row_sums_["transitions"]

    def _choose(self, X):
        check_has_steps(X)
        self.decay_ = float(self.decay) if self.decay != "auto" else self._chosen_decay(X)

    def _sums_of(self, X):
        transitions, item_counts = self._transitions(X)
        return {"transitions": transitions, "item_counts": item_counts}

    def _solve(self, sums):
        self.item_links_ = self._links(sums["transitions"], sums["item_counts"])

    def _chosen_decay(self, X):
        def scorer(known):
            links = self._links(*self._transitions(known))
            return lambda items: (items @ links).toarray()

        return best_decay(X, self.n_items_, scorer)

    def _transitions(self, X):
        """Return the weighted numbers of transitions, and those of the occurrences of items."""
        pairs = [pairs_in_order(X, k)[2:] for k in range(1, min(self.window, X.shape[1] - 1) + 1)]
        weights = [np.full(len(later), 1 / k) for k, (_, later) in enumerate(pairs, start=1)]
        none = np.empty(0, dtype=np.intp)
        places = tuple(
            np.concatenate(columns) for columns in zip((none, none), *pairs, strict=True)
        )
        weights = np.concatenate([np.empty(0), *weights])
        transitions = sp.csr_array((weights, places), shape=(self.n_items_,) * 2)
        transitions.sum_duplicates()
        return transitions, np.bincount(X[X > 0] - 1, minlength=self.n_items_)

    def _links(self, transitions, item_counts):
        divisors = np.maximum(item_counts + self.popularity_offset, 1) ** float(self.item_exponent)
        favour = np.maximum(item_counts, 1) ** float(self.popularity_exponent)
        links = sp.diags_array(1 / divisors) @ transitions @ sp.diags_array(favour / divisors)
        return sp.csr_array(links, dtype=np.float32)
