# SPDX-License-Identifier: BSD-3-Clause
"""Collective matrix factorisation of two domains that share rows, items or both."""

from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from scipy.stats import loguniform
from sklearn.utils import check_random_state

from ..._auto import TRIAL_SEED, best_regularization, held_out_interactions
from ..._ids import DecodesItems, check_order_by_ids, id_array
from ..._numerics._least_squares import (
    all_row_minima,
    balanced_confidence,
    gram_eigen,
    minimum_parts,
    row_minima,
)
from ..._numerics._row_totals import row_totals
from ..._validation import ABOVE_0, AUTO, COUNT, N_JOBS, StrOptions, check_is_fitted
from ...base import FactorRecommenderMixin
from ...interactions._cross_listed import cross_listed_mask
from .._two_domains import TwoDomainRecommender
from ._domain_blocks import TwoDomains, tied_items


class CollectiveMFRecommender(DecodesItems, FactorRecommenderMixin, TwoDomainRecommender):
    r"""Factorise two domains that share users, items or both, by alternating least squares.

    Use it when the domains share users or items, and some of them are known in one domain only.
    Try `ALSRecommender` on the target alone first: it is the baseline to beat. It is an in-domain
    recommender on ``hstack([X_source, X_target])``, and recommends the items of the target. A row
    has the same factors in both domains, and so has an item that `item_ids` names in both. Each
    domain has its own weights for interactions and for missing ones. Rows may be known in only one
    domain, in `fit` and in `recommend`, as all rows are if the domains share only items. It is a
    transformer as well: `transform` returns the factors of any rows.

    Parameters
    ----------
    target_columns : array-like of int, mask of shape (n_features,) or slice
        The columns of X that hold the target, in ascending order; all others hold the source.
    n_components : int, default=128
        Number of factors, 1 or more. With a good `regularization`, more factors than needed do not
        hurt, but cost time.
    source_weight : float, default=0.5
        Weight :math:`\alpha` of the source, above 0; the target has weight 1. It multiplies the
        weights of the source's interactions and of its missing ones. Near 0, the target is learned
        as if alone. The best value depends on how related the domains are: search from 0.03 to 1.
    regularization : float or "auto", default="auto"
        Weight :math:`\lambda` of the squared norms of the factors, above 0. A larger value makes
        the factors smaller. Its best value differs much between data sets. "auto" takes a value
        between 0.005 and 0.05, see the Notes.
    confidence : float or "balanced", default="balanced"
        Weight of an interaction of value 1, above 0; a missing one has weight 1. An interaction of
        value x has the weight `confidence` times x. "balanced" sets it so that all interactions of
        a domain together weigh a tenth of the number of its entries.
    source_confidence : float, "balanced" or None, default=None
        The same for the source. None means the value of `confidence`.
    scale_regularization : bool, default=True
        Whether `regularization` is multiplied by the total weight of each row's and each item's
        entries, missing ones included [2]_. If not, it is the same for all, as in [1]_.
    empty_rows : {"unknown", "negative"}, default="unknown"
        The meaning of a row without any item in a domain. "unknown": it was never seen there, so
        its missing interactions have no weight. "negative": it likes none of that domain's items.
    item_ids : array-like of shape (n_items,), default=None
        The ids of the columns. A source column and a target column with equal ids are the same
        item and share their factors. Within a domain, all ids must be different. None ties no
        items.
    max_iter : int, default=15
        Number of sweeps, 1 or more. Each sweep updates the rows and then the items. There is no
        early stopping.
    random_state : int, RandomState instance or None, default=None
        Draws the initial factors. Pass an int for the same factors at every call of `fit`.
    n_jobs : int or None, default=None
        Number of threads of `fit` and `recommend`. None means 1 unless in a
        :func:`joblib.parallel_config` context, -1 means all processors. The factors do not depend
        on it.
    verbose : int, default=0
        Whether to show a progress bar over the sweeps.

    Attributes
    ----------
    item_factors_ : ndarray of shape (n_items_, n_components), dtype float32
        The factors of the target's items.
    source_item_factors_ : ndarray of shape (n_source_items, n_components), dtype float32
        The factors of the source's items.
    confidence_ : ndarray of shape (2,), dtype float64
        The weight of an interaction of value 1, in source and target; a missing one has weight 1.
    regularization_ : float
        The weight :math:`\lambda`.
    gram_eigenvalues_ : ndarray of shape (3, n_components), dtype float32
        The eigenvalues of :math:`V^\top M V`, for rows known in the source alone, in the target
        alone and in both. M are the weights of missing interactions. The fold-in of all rows uses
        this matrix.
    gram_eigenvectors_ : ndarray of shape (3, n_components, n_components), dtype float32
        Its eigenvectors, in columns.
    n_iter_ : int
        Number of sweeps.
    n_items_ : int
        Number of items that can be recommended, those of the target.
    tied_items_ : ndarray of shape (2, n_tied)
        The source columns and the target columns of the items that are in both domains.
    popularity_ : ndarray of shape (n_items_,), dtype float32
        The share of the rows of X that have each item; an empty row gets these as its scores.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, if X had any.

    See Also
    --------
    ALSRecommender : The same for one matrix, in which all missing interactions weigh the same.
    BridgeRecommender : Separate factors for each domain, and a regression between them.
    sktransrec.interactions.stack_domains : Makes X, `target_columns` and `item_ids` of two logs.

    Notes
    -----
    Let :math:`u_r` be the factors of the rows and :math:`v_i` those of the items. The weight
    :math:`c_{ri}` is :math:`\alpha_d \cdot \text{confidence}_d \cdot x_{ri}` if row r has item i of
    domain d, and :math:`\alpha_d` otherwise. :math:`\alpha_d` is `source_weight` in the source and
    1 in the target. The model minimises

    .. math::

        \sum_d \sum_{r \in R_d} \sum_{i \in d} c_{ri}
        \left(\mathbb{1}[x_{ri} > 0] - u_r^\top v_i\right)^2
        + \lambda \left(\sum_r w_r \|u_r\|^2 + \sum_i w_i \|v_i\|^2\right)

    over the rows :math:`R_d` known in each domain. :math:`w_r` and :math:`w_i` are the sums of the
    weights :math:`c_{ri}` of a row and of an item if `scale_regularization` is True, and 1
    otherwise. If columns i and j are tied, :math:`v_i = v_j` is one unknown, and its weight
    :math:`w` is the sum over both columns. This is [1]_ with the weights of [2]_. It updates the
    factors of the rows and those of the items in turn, each to the exact minimum given the others,
    so no sweep raises the objective. A row with n items takes a system of n or k equations,
    whichever is smaller, where k is `n_components`. A sweep costs at most
    :math:`O(nnz \cdot k^2 + (n_{rows} + n_{items}) k^2 + k^3)`.

    With `regularization` "auto", it holds out a fifth of the target's interactions of up to 1,000
    rows, without those that :func:`~sktransrec.interactions.cross_listed_mask` marks, and makes 11
    sweeps over the rest with values from 0.005 to 0.05, each one starting from the factors of the
    value before. Of 0.02, 0.03, 0.01, 0.05 and 0.005, in this order, it takes the first whose
    NDCG\@50 is within a standard error of the best. The choice is always the same for the same X
    and the same other parameters. With fewer than 200 rows that have two items of the target, or
    with fewer than 100 of these items, it takes 0.02. Without scaled regularisation, all these
    values are multiplied by :math:`\sqrt{\bar w_r \bar w_i}`, the root of the product of the mean
    weights of a row and of an item.

    A row, seen in `fit` or not, is folded in from the domains in which it is known. Its factors are
    the exact minimum with the items held fixed, and do not depend on the other rows that are served
    with it. So a cold row, with source columns only, is scored in the target. An empty row has
    factors of zero and is recommended the popular items. An item that no row has gets factors of
    zero.

    The domains may share items but no rows. Then :math:`\alpha` is the weight of all that the rows
    of the source tell about the items, and the rows of the target profit through the tied items.
    Leave `empty_rows` at "unknown" in this case: with "negative", the rows of each domain would
    like none of the other's items. A tied item has one column in each domain, and only the target
    columns of X count as seen. To leave out of the recommendations what a row has in the source,
    pass it as `exclude_interactions`.

    References
    ----------
    .. [1] A. P. Singh and G. J. Gordon, "Relational learning via collective matrix factorization",
       KDD 2008. :doi:`10.1145/1401890.1401969`
    .. [2] S. Rendle, W. Krichene, L. Zhang and Y. Koren, "Revisiting the performance of iALS on
       item recommendation benchmarks", RecSys 2022. :arxiv:`2110.14037`

    Examples
    --------
    >>> import numpy as np
    >>> from sktransrec import CollectiveMFRecommender
    >>> X_source = [[1, 0], [1, 0], [0, 1], [0, 1]]
    >>> X_target = [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    >>> model = CollectiveMFRecommender(slice(2, None), n_components=2, random_state=0)
    >>> model = model.fit(np.hstack([X_source, X_target]))
    >>> cold_row = [[0, 1, 0, 0, 0, 0]]
    >>> items, _ = model.recommend(cold_row, n_recommendations=2)
    >>> sorted(items[0].tolist())
    [2, 3]
    """

    confidence_: NDArray[np.float64]
    regularization_: float
    gram_eigenvalues_: NDArray[np.float32]
    gram_eigenvectors_: NDArray[np.float32]
    n_iter_: int
    tied_items_: NDArray[Any]

    _parameter_constraints: dict = {
        **TwoDomainRecommender._parameter_constraints,
        "n_components": COUNT,
        "source_weight": ABOVE_0,
        "regularization": [*ABOVE_0, *AUTO],
        "confidence": [*ABOVE_0, StrOptions({"balanced"})],
        "source_confidence": [*ABOVE_0, StrOptions({"balanced"}), None],
        "scale_regularization": ["boolean"],
        "empty_rows": [StrOptions({"unknown", "negative"})],
        "item_ids": ["array-like", None],
        "max_iter": COUNT,
        "random_state": ["random_state"],
        "n_jobs": N_JOBS,
        "verbose": ["verbose"],
    }

    search_distributions: ClassVar = {
        "n_components": [16, 32, 64, 128, 256],
        "source_weight": loguniform(0.01, 1),
        "regularization": loguniform(0.001, 0.3),
    }

    def __init__(
        self,
        target_columns: ArrayLike | slice,
        n_components: int = 128,
        *,
        source_weight: float = 0.5,
        regularization: float | Literal["auto"] = "auto",
        confidence: float | Literal["balanced"] = "balanced",
        source_confidence: float | Literal["balanced"] | None = None,
        scale_regularization: bool = True,
        empty_rows: Literal["unknown", "negative"] = "unknown",
        item_ids: ArrayLike | None = None,
        max_iter: int = 15,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.target_columns = target_columns
        self.n_components = n_components
        self.source_weight = source_weight
        self.regularization = regularization
        self.confidence = confidence
        self.source_confidence = source_confidence
        self.scale_regularization = scale_regularization
        self.empty_rows = empty_rows
        self.item_ids = item_ids
        self.max_iter = max_iter
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _ids_of_items(self):
        check_is_fitted(self)
        if self.item_ids is None:
            raise ValueError(
                "item_ids is None, so the columns have no ids: use decode_items of "
                "StackedDomains, or of the InteractionEncoder that made X."
            )
        return id_array(self.item_ids, "item_ids")[self._target]

    def _valid_rows(self, X, *, reset):
        valid = super()._valid_rows(X, reset=reset)
        check_order_by_ids(X, self.item_ids)
        return valid

    @property
    def item_factors_(self) -> NDArray[np.float32]:
        """The factors of the target's items."""
        return self._factors[self._columns_of_domains[1]]

    @property
    def source_item_factors_(self) -> NDArray[np.float32]:
        """The factors of the source's items."""
        return self._factors[self._columns_of_domains[0]]

    def _tied_places(self):
        """Return the places of the tied columns when the source stands before the target."""
        source, target = self.tied_items_
        places = np.searchsorted(self._source, source), np.searchsorted(self._target, target)
        return np.stack([places[0], len(self._source) + places[1]])

    def _fit(self, X):
        self._find_domains(X)
        X = self._stacked(X)
        self.tied_items_ = tied_items(self.item_ids, self._source, self._target)
        self.confidence_ = self._confidence(X)
        self.regularization_ = float(self._regularization(X))
        factors = _Factors(self, X, self.random_state)
        factors.sweep(self.regularization_, self.max_iter, verbose=self.verbose)
        self._factors = factors.V
        self.gram_eigenvalues_, self.gram_eigenvectors_ = self._gram_eigens()
        self.n_iter_ = self.max_iter

    def _regularization(self, X):
        """Return the weight of the squared norms, given the rows of both domains."""
        if self.regularization != "auto":
            return self.regularization
        source, target = self._columns_of_domains
        part = held_out_interactions(X, _telling_interactions(X, source, target))
        factors = None if part is None else _Factors(self, part.known, TRIAL_SEED)

        def scores(regularization, rows):
            blocks = self._domains().blocks_of_rows(rows, self.confidence_)
            U = self._minima(blocks, factors.V, rows.shape[0], regularization)
            scores = U @ factors.V.T
            scores[:, source] = -np.inf
            return scores

        return best_regularization(part, factors, scores, unit=self._unit_of_ridges(X))

    def _unit_of_ridges(self, X):
        """Return what makes a regularization without scaling weigh as much as one with it."""
        if self.scale_regularization:
            return 1.0
        domains = self._domains()
        blocks = domains.blocks_of_rows(X, self.confidence_)
        blocks_of_items = domains.blocks_of_items(X, self.confidence_)
        return np.sqrt(_mean_weight(blocks) * _mean_weight(blocks_of_items))

    def _check_finite(self, factors, regularization):
        if not np.isfinite(factors).all():
            raise ValueError(
                "The factors of CollectiveMFRecommender are not finite, because the weights differ "
                f"too much. Raise regularization={regularization!r}, or lower confidence or "
                "the values of X."
            )

    def _domains(self):
        return TwoDomains(
            self._columns_of_domains,
            self.source_weight,
            self.empty_rows == "negative",
            self._tied_places(),
        )

    def _confidence(self, X):
        """Return the weight of an interaction of value 1 in source and target."""
        source = self.confidence if self.source_confidence is None else self.source_confidence
        domains, confidence = self._domains(), [source, self.confidence]
        is_known = domains.is_known(X)
        for domain, columns in enumerate(domains.columns):
            if confidence[domain] == "balanced":
                known = X[is_known[:, domain]][:, columns]
                confidence[domain] = balanced_confidence(known.shape, known.sum(dtype=np.float64))
        return np.array(confidence, dtype=np.float64)

    def _gram_eigens(self):
        """Return the eigenvalues and eigenvectors for each kind of rows."""
        domains, V = self._domains(), self._factors
        missing_weights = domains.missing_weights(len(V))
        eigens = [
            gram_eigen(V[columns], missing_weights[columns]) for _, columns in domains.kinds_of_rows
        ]
        return map(np.stack, zip(*eigens, strict=True))

    def _initial_item_factors(self, n_items, random_state):
        random_state = check_random_state(random_state)
        V = random_state.standard_normal((n_items, self.n_components))
        source, target = self._tied_places()
        V[source] = V[target]
        return (V / np.sqrt(self.n_components)).astype(np.float32)

    def _minima(self, blocks, V, n_rows, regularization):
        """Return the factors of all rows of the blocks, given the factors V of the columns."""
        U = np.zeros((n_rows, self.n_components), dtype=np.float32)
        for rows, columns, C, missing_weights in blocks:
            if C.nnz:
                ridges = self._ridges(C, missing_weights, regularization)
                U[rows] = all_row_minima(C, V[columns], ridges, missing_weights, n_jobs=self.n_jobs)
        self._check_finite(U, regularization)
        return U

    def _ridges(self, C, missing_weights, regularization):
        """Return the weight of the squared norm of the factors of each row of C."""
        if not self.scale_regularization:
            return np.full(C.shape[0], regularization, dtype=np.float32)
        return (regularization * _entry_weights(C, missing_weights)).astype(np.float32)

    def _row_factors(self, X):
        U = np.zeros((X.shape[0], self._n_features_out), dtype=np.float32)
        eigens = zip(self.gram_eigenvalues_, self.gram_eigenvectors_, strict=True)
        blocks = self._domains().blocks_of_rows(self._stacked(X), self.confidence_)
        for block, eigen in zip(blocks, eigens, strict=True):
            V, ridges = self._factors[block.columns], self._ridges(*block[2:], self.regularization_)
            U[block.rows] = row_minima(block.C, V, eigen, ridges, block.missing_weights)
        return U

    def _row_factor_parts(self, X):
        blocks = self._domains().blocks_of_rows(self._stacked(X), self.confidence_)
        ((kind, block),) = [(k, block) for k, block in enumerate(blocks) if len(block.rows)]
        parts = minimum_parts(
            block.C,
            self._factors[block.columns],
            (self.gram_eigenvalues_[kind], self.gram_eigenvectors_[kind]),
            self._ridges(*block[2:], self.regularization_)[0],
            block.missing_weights,
        )
        return parts[self._stacked_order(X.indices)]

    def _stacked_order(self, columns):
        """Return the places of columns among themselves once the source stands first."""
        is_target = np.isin(columns, self._target)
        order = np.lexsort((columns, is_target))
        return np.argsort(order)


class _Factors:
    """The factors of the items, moved towards the minimum of the objective in sweeps."""

    def __init__(self, model, X, random_state):
        domains = model._domains()
        self.V = model._initial_item_factors(X.shape[1], random_state)
        self._model = model
        self._n_rows = X.shape[0]
        self._row_blocks = domains.blocks_of_rows(X, model.confidence_)
        self._item_blocks = domains.blocks_of_items(X, model.confidence_)

    def sweep(self, regularization, n_sweeps, *, verbose=False):
        """Update the factors of the rows and those of the items in turn."""
        from tqdm.auto import tqdm

        minima = partial(self._model._minima, regularization=regularization)
        for _ in tqdm(range(n_sweeps), disable=not verbose):
            U = minima(self._row_blocks, self.V, self._n_rows)
            self.V = minima(self._item_blocks, U, len(self.V))


def _telling_interactions(X, source, target):
    """Return the target's interactions that no cross-listed item in the source gives away.

    Otherwise, the few products that both domains sell would decide.
    """
    of_target = sp.csr_array(X[:, target])
    is_given_away = cross_listed_mask(X[:, source], of_target, of_target)
    nothing = sp.csr_array((X.shape[0], source.stop), dtype=X.dtype)
    telling = sp.csr_array(sp.hstack([nothing, of_target - of_target.multiply(is_given_away)]))
    telling.eliminate_zeros()
    return telling


def _entry_weights(C, missing_weights):
    """Return the total weight of the entries of each row, missing ones included."""
    surplus = C.copy()
    surplus.data -= missing_weights[C.indices]
    return missing_weights.sum(dtype=np.float64) + row_totals(surplus)


def _mean_weight(blocks):
    """Return the mean over all rows of the blocks of the total weight of their entries."""
    weights = [_entry_weights(block.C, block.missing_weights) for block in blocks]
    return np.concatenate(weights).mean()
