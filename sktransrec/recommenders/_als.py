# SPDX-License-Identifier: BSD-3-Clause
"""Implicit-feedback matrix factorisation by alternating least squares."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray
from scipy.stats import loguniform

from .._auto import TRIAL_SEED, best_regularization, held_out_interactions
from .._numerics._blas_threads import one_blas_thread
from .._numerics._least_squares import (
    all_row_minima,
    balanced_confidence,
    gram_eigen,
    minimum_parts,
    row_minima,
)
from .._numerics._row_totals import nonempty_rows, row_lengths, row_totals, scaled_rows
from .._validation import ABOVE_0, AUTO, COUNT, N_JOBS, StrOptions
from ..base import FactorRecommenderMixin, InDomainRecommender
from ._als_parts import fitted_in_parts
from ._als_start import first_item_factors
from ._implicit import check_finite_factors, implicit_csr, implicit_seed

# Rows whose regularisation differs by less than about this ratio share it while fitting.
_RIDGE_RATIO = np.sqrt(2)


class ALSRecommender(FactorRecommenderMixin, InDomainRecommender):
    r"""Matrix factorisation of implicit feedback by alternating least squares (iALS).

    Use it where you need factors of rows or items, for example for a bridge or for
    `HybridRecommender`, and in votes and stacks, since it finds other items than neighbours and
    `EASERecommender` do. It is an in-domain recommender: it learns from X alone. The inner products
    of the factors are near one where a row has an item, and near zero elsewhere, where an error has
    less weight. It is also a transformer: `transform` gives the factors of any rows.

    Parameters
    ----------
    n_components : int, default=128
        Number of factors, 1 or more. With a good `regularization`, more factors than needed do not
        hurt, but cost time.
    regularization : float or "auto", default="auto"
        Weight :math:`\lambda` of the squared norms of the factors, above 0. A larger value shrinks
        the factors. Its best value differs much between data sets. "auto" takes a value between
        0.005 and 0.05, see the Notes.
    confidence : float or "balanced", default="balanced"
        The weight of an interaction of value x is `confidence` times x; the weight of a missing
        interaction is 1. Above 0. "balanced" sets it so that the weights of all interactions sum to
        a tenth of the number of entries of X, empty rows left out. This is a good start for data
        from 0.03 % to 1.3 % dense; small and sparse data may need less.
    scale_regularization : bool, default=True
        Whether to multiply `regularization` by the total weight of the entries of each row and each
        item, missing ones included [2]_. With True, the same value suits data of any size. With
        False, it is the same for all rows and items, as in [1]_.
    max_iter : int, default=15
        Number of sweeps over the rows and then the items, 1 or more. There is no early stopping.
    init : {"random", "svd"}, default="random"
        The factors before the first sweep. "random" draws small ones. "svd" takes the first
        singular vectors of the interactions. With it, try `max_iter` 5: this is often enough, see
        the Notes.
    random_state : int, RandomState instance or None, default=None
        Draws the initial factors, or the test matrix of the SVD. Pass an int to get the same
        factors at every call of `fit`.
    n_jobs : int or None, default=None
        Number of threads of `fit` and `recommend`. None means 1 unless in a
        :func:`joblib.parallel_config` context, -1 means all processors. The factors do not
        depend on it.
    verbose : int, default=0
        Whether to show a progress bar over the sweeps.

    Attributes
    ----------
    item_factors_ : ndarray of shape (n_items_, n_components), dtype float32
        The factors of the items.
    confidence_ : float
        The weight of an interaction of value 1.
    regularization_ : float
        The weight :math:`\lambda`.
    gram_eigenvalues_ : ndarray of shape (n_components,), dtype float32
        The eigenvalues of :math:`V^\top V`, with the item factors V. The fold-in uses them for all
        rows.
    gram_eigenvectors_ : ndarray of shape (n_components, n_components), dtype float32
        The eigenvectors of :math:`V^\top V`, in columns.
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
    GraphFilterRecommender : A closed form without sweeps, for catalogues of the same size.
    BPRRecommender : Learns to rank the items that a row has above those that it lacks.
    LogisticMFRecommender : Learns the probability that a row has an item.

    Notes
    -----
    With the factors :math:`u_r` of the rows and :math:`v_i` of the items, and with the weights
    :math:`c_{ri} = \text{confidence} \cdot x_{ri}` where row r has item i and 1 elsewhere, it
    minimises

    .. math::

        \sum_{r,i} c_{ri} \left(\mathbb{1}[x_{ri} > 0] - u_r^\top v_i\right)^2
        + \lambda \left(\sum_r w_r \|u_r\|^2 + \sum_i w_i \|v_i\|^2\right)

    with :math:`w_r = \sum_i c_{ri}` and :math:`w_i = \sum_r c_{ri}` if `scale_regularization` is
    True, and 1 otherwise. It updates the factors of the rows and those of the items in turn, by
    three steps of conjugate gradients in the kernel of implicit. A sweep takes
    :math:`O(nnz \cdot k + (n_{rows} + n_{items}) k^2)`. During `fit`, rows whose :math:`w_r` differ
    by less than about a fifth from their mean use that mean, and items do the same. Without scaled
    regularisation and with `init` "random", the item factors are those of implicit for the same
    integer `random_state`.

    With `init` "svd", the first item factors are :math:`D_i^{1/4} V \Sigma^{1/2}`. Here
    :math:`\Sigma` and V are the first singular values and right singular vectors of the pattern of
    X, divided by the fourth roots of the numbers of entries of its rows and of its items.
    :math:`D_i` holds those of its items. Two steps of subspace iteration find them, in about the
    time of a sweep; the factors of the rows start from zero. Where items have many interactions, a
    few sweeps then often reach the quality of 15 from a random start. Where they have about three
    on average, the quality still rises after 15 sweeps, from both starts.

    With `regularization` "auto", it holds out a fifth of the interactions of up to 1,000 rows, and
    makes 11 sweeps over the rest with values from 0.005 to 0.05, each one starting from the factors
    of the value before. Of 0.02, 0.03, 0.01, 0.05 and 0.005, in this order, it takes the first
    whose NDCG\@50 is within a standard error of the best. The choice is always the same for the
    same X, `n_components` and `confidence`. With fewer than 200 rows that have two items, or with
    fewer than 100 items, it takes 0.02. Without scaled regularisation, all these values are
    multiplied by :math:`\sqrt{\bar w_r \bar w_i}`, the root of the product of the mean weights of a
    row and of an item.

    A row, seen in `fit` or not, is folded in: its factors are the exact minimum with the items held
    fixed, and do not depend on the other rows. An empty row has factors of zero and gets the
    popular items. An item without interactions gets factors of zero.

    References
    ----------
    .. [1] Y. Hu, Y. Koren and C. Volinsky, "Collaborative filtering for implicit feedback
       datasets", ICDM 2008. :doi:`10.1109/ICDM.2008.22`
    .. [2] S. Rendle, W. Krichene, L. Zhang and Y. Koren, "Revisiting the performance of iALS on
       item recommendation benchmarks", RecSys 2022. :arxiv:`2110.14037`

    Examples
    --------
    >>> from sktransrec import ALSRecommender
    >>> X = [[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    >>> model = ALSRecommender(n_components=2, random_state=0).fit(X)
    >>> items, _ = model.recommend([[1, 0, 0, 0], [0, 0, 0, 1]], n_recommendations=1)
    >>> items
    array([[1],
           [2]])
    """

    item_factors_: NDArray[np.float32]
    confidence_: float
    regularization_: float
    gram_eigenvalues_: NDArray[np.float32]
    gram_eigenvectors_: NDArray[np.float32]
    n_iter_: int

    _parameter_constraints: dict = {
        "n_components": COUNT,
        "regularization": [*ABOVE_0, *AUTO],
        "confidence": [*ABOVE_0, StrOptions({"balanced"})],
        "scale_regularization": ["boolean"],
        "max_iter": COUNT,
        "init": [StrOptions({"random", "svd"})],
        "random_state": ["random_state"],
        "n_jobs": N_JOBS,
        "verbose": ["verbose"],
    }

    search_distributions: ClassVar = {
        "n_components": [16, 32, 64, 128, 256],
        "regularization": loguniform(0.001, 0.3),
        "confidence": loguniform(1, 1000),
    }

    def __init__(
        self,
        n_components: int = 128,
        *,
        regularization: float | Literal["auto"] = "auto",
        confidence: float | Literal["balanced"] = "balanced",
        scale_regularization: bool = True,
        max_iter: int = 15,
        init: Literal["random", "svd"] = "random",
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.regularization = regularization
        self.confidence = confidence
        self.scale_regularization = scale_regularization
        self.max_iter = max_iter
        self.init = init
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit_parts(self, parts: Sequence[Any], delayed: Callable[..., Any]) -> Self:
        """Learn from parts of the rows, in tasks that may run on other machines.

        :func:`sktransrec.distributed.fit_parts` calls it for Dask. Each half of a sweep is a task
        for each part. A value "auto" is chosen on the first part with interactions.

        Parameters
        ----------
        parts : list of objects with a method ``compute``
            Tasks whose results are the rows of a part, all with the same columns.
        delayed : callable
            Makes a task of a call of a function, as ``dask.delayed`` does.

        Returns
        -------
        self : object
        """
        self.__dict__.update(vars(fitted_in_parts(self, parts, delayed)))
        return self

    def _fit(self, X):
        # Rows without interactions, such as those of other domains, say nothing about the items.
        telling = nonempty_rows(X)
        X = X if len(telling) == X.shape[0] else X[telling]
        self._choose(X, X.shape, X.sum(dtype=np.float64))
        with one_blas_thread():
            factors = _Factors(self, X, self.init, self.random_state)
        factors.sweep(self.regularization_, self.max_iter, verbose=self.verbose)
        check_finite_factors(self, factors.U)
        self._keep(factors.V)

    def _choose(self, X, shape, total):
        """Set the weights, given some rows, the shape of all rows, and the sum of their entries."""
        is_balanced = self.confidence == "balanced"
        self.confidence_ = float(
            balanced_confidence(shape, total) if is_balanced else self.confidence
        )
        self.regularization_ = float(self._regularization(X))

    def _keep(self, V):
        """Keep the factors of the items, and what folds rows in."""
        check_finite_factors(self, V)
        self.item_factors_ = V = np.asfortranarray(V)
        self.gram_eigenvalues_, self.gram_eigenvectors_ = gram_eigen(V, _ones(V))
        self.n_iter_ = self.max_iter

    def _regularization(self, X):
        """Return the weight of the squared norms."""
        if self.regularization != "auto":
            return self.regularization
        part = held_out_interactions(X)
        factors = None if part is None else _Factors(self, part.known, "random", TRIAL_SEED)

        def scores(regularization, rows):
            return self._trial_scores(factors.V, regularization, rows)

        return best_regularization(part, factors, scores, unit=self._unit_of_ridges(X))

    def _unit_of_ridges(self, X):
        """Return what makes a regularization without scaling weigh as much as one with it."""
        if self.scale_regularization:
            return 1.0
        C = X * np.float32(self.confidence_)
        return np.sqrt(_entry_weights(C).mean() * _entry_weights(C.T.tocsr()).mean())

    def _trial_scores(self, V, regularization, X):
        C = X * np.float32(self.confidence_)
        ridges = self._ridges(C, regularization).astype(np.float32)
        return all_row_minima(C, V, ridges, _ones(V)) @ V.T

    def _ridges(self, C, regularization):
        """Return the weight of the squared norm of the factors of each row of C."""
        if not self.scale_regularization:
            return np.full(C.shape[0], regularization)
        return regularization * _entry_weights(C)

    @staticmethod
    def _shared_ridges(ridges):
        """Return for each row the mean ridge of the rows with about the same, which share it."""
        steps = np.rint(np.log(ridges / ridges.min()) / np.log(_RIDGE_RATIO))
        _, group = np.unique(steps, return_inverse=True)
        return (np.bincount(group, ridges) / np.bincount(group))[group]

    def _drawn_factors(self, seed, start, n_rows):
        """Return drawn factors of the rows from `start` on.

        Those of the items follow on those of the last row.
        """
        # A step of the generator gives two numbers.
        n_steps, n_left = divmod(int(start) * self.n_components, 2)
        rng = np.random.Generator(np.random.PCG64(seed).advance(n_steps))
        rng.random(n_left, dtype=np.float32)
        factors = rng.random((n_rows, self.n_components), dtype=np.float32)
        return factors * np.float32(0.01)

    def _half_step(self, C, ridges, U, V):
        """Return the factors U of the rows of C, moved towards their minima given V."""
        U, groups = U.copy(), _groups(C, ridges)
        with one_blas_thread():
            _update(U, V, groups, self.regularization_, effective_n_jobs(self.n_jobs))
        return U

    def _row_factors(self, X):
        C = scaled_rows(X, np.full(X.shape[0], self.confidence_))
        ridges = self._ridges(C, self.regularization_).astype(np.float32)
        eigen = self.gram_eigenvalues_, self.gram_eigenvectors_
        return row_minima(C, self.item_factors_, eigen, ridges, _ones(self.item_factors_))

    def _row_factor_parts(self, X):
        C = X * np.float32(self.confidence_)
        (ridge,) = self._ridges(C, self.regularization_)
        eigen = self.gram_eigenvalues_, self.gram_eigenvectors_
        return minimum_parts(C, self.item_factors_, eigen, ridge, _ones(self.item_factors_))


class _Factors:
    """The factors of the rows and items of X, moved towards their minima in sweeps."""

    def __init__(self, model, X, init, random_state):
        C = X * np.float32(model.confidence_)
        seed, n_components = implicit_seed(random_state), model.n_components
        if init == "svd":
            self.V = first_item_factors(C, n_components, seed)
            self.U = np.zeros((C.shape[0], n_components), dtype=np.float32)
        else:
            self.U = model._drawn_factors(seed, 0, C.shape[0])
            self.V = model._drawn_factors(seed, *C.shape)
        self._row_groups, self._item_groups = (
            _groups(rows, model._shared_ridges(model._ridges(rows, 1.0)))
            for rows in (C, C.T.tocsr())
        )
        self._n_threads = effective_n_jobs(model.n_jobs)

    def sweep(self, regularization, n_sweeps, *, verbose=False):
        """Update the factors of the rows and those of the items in turn."""
        from tqdm.auto import tqdm

        with one_blas_thread():
            for _ in tqdm(range(n_sweeps), disable=not verbose):
                _update(self.U, self.V, self._row_groups, regularization, self._n_threads)
                _update(self.V, self.U, self._item_groups, regularization, self._n_threads)


def _groups(C, ridges):
    """Return (rows, C[rows], ridge) for groups of rows with one ridge."""
    values, group = np.unique(ridges, return_inverse=True)
    if len(values) == 1:
        return [(slice(None), implicit_csr(C), values[0])]
    groups = [np.flatnonzero(group == number) for number in range(len(values))]
    return [
        (rows, implicit_csr(C[rows]), ridge) for rows, ridge in zip(groups, values, strict=True)
    ]


def _update(U, V, groups, regularization, n_threads):
    """Move the factors U of all rows towards their minima given V, in place."""
    from implicit.cpu.als import AlternatingLeastSquares

    # Only the solver of implicit takes one regularisation for a group of rows.
    solver = AlternatingLeastSquares(num_threads=1).solver
    for rows, C, ridge in groups:
        group_factors = U[rows]
        solver(C, group_factors, V, regularization * ridge, num_threads=n_threads)
        if group_factors.base is not U:
            U[rows] = group_factors


def _entry_weights(C):
    """Return the total weight of the entries of each row, missing ones included."""
    n_missing = C.shape[1] - row_lengths(C)
    return row_totals(C) + n_missing


def _ones(V):
    """Return the weight of a missing interaction with each item."""
    # All of them are one number; `np.broadcast_to` takes a tenth of the time of folding in a row.
    return np.ndarray(len(V), np.float32, np.ones(1, np.float32), strides=0)
