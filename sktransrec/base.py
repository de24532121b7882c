# SPDX-License-Identifier: BSD-3-Clause
"""The base classes of all recommenders."""

import functools
from collections.abc import Callable, Iterator
from typing import Any, Literal, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.preprocessing import normalize

from ._columns import check_row_labels, column_names, joined_names
from ._numerics._row_blocks import rows_in
from ._numerics._row_sums import RowSums, column_shares
from ._numerics._top_k import top_k
from ._numerics._top_k_products import N_ROWS, OrderedItems
from ._recommend import (
    EligibleBlocks,
    best_items,
    candidates_of,
    checked_scores,
    empty_rows,
    exclusions,
    n_rows_of,
    preference_of,
    row_blocks,
)
from ._typing import MatrixLike
from ._validation import (
    check_candidates,
    check_count,
    check_interactions,
    check_is_fitted,
    check_rows,
    check_targets,
    is_content,
    validated_fit_of_parts,
)
from ._validation._finite import finite_output
from ._version_stamp import VersionStampMixin
from ._wrapping import is_supervised, reads_histories
from .interactions._hidden import hidden_by_default
from .metrics import ndcg_at_k
from .metrics._wanted import check_not_all_seen, is_matrix_of_items, wanted_items

__all__ = [
    "FactorRecommenderMixin",
    "InDomainRecommender",
    "RecommenderMixin",
    "RowSums",
    "SimilarItemsMixin",
    "SupervisedRecommender",
]


class RecommenderMixin(VersionStampMixin):
    """Mixin for estimators that rank items, the columns of y or of X, for each row of X.

    Use it to write your own recommender if neither `InDomainRecommender` nor
    `SupervisedRecommender` fits. A subclass implements ``_score_rows(X)``, which gets validated
    rows and returns their scores as a new float array of shape (n_rows, `n_items_`). It sets in
    `fit`:

    - ``n_items_`` : int, the number of items that can be recommended;
    - ``popularity_`` : ndarray of shape (`n_items_`,), the scores of an empty row about which the
      model knows nothing, which also order items with equal scores.

    If needed, it overrides the properties ``item_columns_`` and ``withheld_items_``.
    """

    n_items_: int
    popularity_: NDArray[np.float32]
    n_features_in_: int
    feature_names_in_: NDArray[Any]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.estimator_type = "recommender"
        tags.input_tags.sparse = True
        return tags

    def _check_rows(self, X):
        """Return new rows in the form that ``_score_rows`` takes."""
        return self._valid_rows(X, reset=False)

    def _valid_rows(self, X, *, reset):
        return check_rows(self, X, reset=reset)

    def _fit_on_valid(self, X, y):
        """Fit the model of a subclass, and learn which items there are and how popular they are."""
        data = self._valid_data(X, y, reset=True)
        self._fit(*data)
        items = self._items_of(*data)
        self.n_items_, self.popularity_ = items.shape[1], column_shares(items)
        return self

    def decision_function(self, X: MatrixLike) -> NDArray[np.float32]:
        """Score every item for each row of X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features_in_)
            Rows to recommend to; rows that were not in `fit` are folded in.

        Returns
        -------
        scores : ndarray of shape (n_rows, n_items_), dtype float32
            Higher is better. A row of zeros gets the popularity of the items, unless the map from X
            to y was learned from such rows too.
        """
        check_is_fitted(self)
        X = self._check_rows(X)
        scores = np.empty((X.shape[0], self.n_items_), dtype=np.float32)
        for block in row_blocks(X.shape[0], self.n_items_):
            scores[block] = self._finite_scores(rows_in(X, block))
        return scores

    def recommend(
        self,
        X: MatrixLike,
        *,
        n_recommendations: int = 10,
        candidates: ArrayLike | None = None,
        exclude_seen: bool | Literal["auto"] = "auto",
        exclude_interactions: MatrixLike | None = None,
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Return the best items for each row of X.

        Rows are scored in blocks that respect scikit-learn's `working_memory` setting, so the full
        score matrix is never in memory. Blocks are worked on in several threads where the
        parameter `n_jobs` of the model or :func:`joblib.parallel_config` allows it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features_in_)
            Rows to recommend to; rows that were not in `fit` are folded in.
        n_recommendations : int, default=10
            Number of items for each row, from 1 to `n_items_`.
        candidates : array-like of int or mask of shape (n_items_,), default=None
            Item columns that may be recommended; None allows all.
        exclude_seen : bool or "auto", default="auto"
            Whether to leave out the items that a row already has in X. "auto" leaves them out if
            columns of X are the items. True raises an error if they are not.
        exclude_interactions : {array-like, sparse matrix} of shape (n_rows, n_items_), default=None
            Its nonzero entries are left out as well.

        Returns
        -------
        items : ndarray of shape (n_rows, n_recommendations), dtype intp
            Item columns, best first. Of items with equal scores, the more popular one comes first,
            then the one in the lower column. -1 if there are too few eligible items.
        scores : ndarray of shape (n_rows, n_recommendations), dtype float32
            Their scores; -inf where `items` is -1.
        """
        return best_items(
            self,
            X,
            n_recommendations=n_recommendations,
            candidates=candidates,
            exclude_seen=exclude_seen,
            exclude_interactions=exclude_interactions,
        )

    def eligible_scores(
        self,
        X: MatrixLike,
        *,
        candidates: ArrayLike | None = None,
        exclude_seen: bool | Literal["auto"] = "auto",
        exclude_interactions: MatrixLike | None = None,
    ) -> Iterator[tuple[slice, NDArray[Any]]]:
        """Score all items that may be recommended to the rows of X, block by block.

        See :func:`sktransrec.eligible_scores`, which also takes pipelines and searches.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features_in_)
            Rows to recommend to; rows that were not in `fit` are folded in.
        candidates : array-like of int or mask of shape (n_items_,), default=None
            Item columns that may be recommended; None allows all.
        exclude_seen : bool or "auto", default="auto"
            Whether to leave out the items that a row already has in X, as in `recommend`.
        exclude_interactions : {array-like, sparse matrix} of shape (n_rows, n_items_), default=None
            Its nonzero entries are left out as well.

        Returns
        -------
        blocks : iterator of (slice, ndarray)
            The rows of each block and their scores, of shape (n_rows_in_block, n_items_), or
            (n_rows_in_block, n_candidates) in ascending order of the candidates. An item that is
            not eligible has the score -inf.
        """
        check_is_fitted(self)
        candidates = candidates_of(self, candidates)
        check_row_labels(X, exclude_interactions, name="exclude_interactions")
        X = self._check_rows(X)
        excluded = exclusions(self, X, exclude_seen, exclude_interactions)
        return EligibleBlocks(
            self,
            lambda rows: self._finite_scores(rows_in(X, rows)),
            X.shape[0],
            excluded,
            candidates,
            products=functools.partial(self._products, X),
            alike=self._alike_rows(X),
        )

    def _alike_rows(self, X):
        """Return a number for each valid row, equal for equal scores; None if few are equal."""
        return None

    def _products(self, X):
        """Return what `EligibleBlocks` needs of validated rows, None if scores are no products."""
        return None

    @property
    def item_names_(self) -> NDArray[Any] | None:
        """The names of the items, of columns of X or of y in `fit`; None if these had none."""
        if is_supervised(self):
            return getattr(self, "_names_of_y", None)
        names = None if reads_histories(self) else getattr(self, "feature_names_in_", None)
        columns = self.item_columns_
        return names if names is None or columns is None else names[columns]

    def _keep_names_of(self, y, *, reset=True):
        """Keep the names of the columns of y, if it is a table with texts as names.

        Unless reset, those that are known already must be the same.
        """
        names = column_names(y)
        has_names = names is not None and all(isinstance(name, str) for name in names)
        names = np.array(names, dtype=object) if has_names else None
        known = None if reset else self.item_names_
        self._names_of_y = joined_names(known, names)

    @property
    def item_columns_(self) -> NDArray[np.intp] | None:
        """The columns of X that are the items, in order; None if all columns are, or none is."""
        return None

    @property
    def withheld_items_(self) -> NDArray[np.bool_] | None:
        """The mask of the items that are never recommended; None if there are none."""
        return None

    def score(self, X: MatrixLike, y: MatrixLike | None = None) -> float:
        """Return the mean NDCG@10 over the rows of X that have something to find.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features_in_)
            What is known about the rows.
        y : {array-like, sparse matrix} of shape (n_rows, n_items_), or array-like of int of \
shape (n_rows,), default=None
            The interactions to find (values above zero), or the column of the single item to find
            in each row. If X holds histories, y may hold item ids as X does, each one larger than
            its column: the next item of each row, or rows of next items padded with 0. If y is
            None, a part of X is hidden and looked for: a fifth of the items of each row, the same
            at every call, or the last item of each history. A supervised recommender needs y.

        Returns
        -------
        score : float
            Between 0 and 1.
        """
        check_is_fitted(self)
        check_row_labels(X, y)
        if y is None:
            X, y = hidden_by_default(self, X)
        k = min(10, self.n_items_)
        items, _ = self.recommend(X, n_recommendations=k)
        wanted = wanted_items(self, y, n_rows=len(items), n_items=self.n_items_)
        if is_matrix_of_items(self, y, self.n_items_):
            check_not_all_seen(wanted, exclusions(self, X))
        return float(ndcg_at_k(wanted, items, k=k))

    def score_parts(self, X: MatrixLike) -> tuple[NDArray[Any], ...] | None:
        """Return what each nonzero entry of a single row adds to the scores of all items.

        Use :func:`sktransrec.inspection.explain`, which calls it and takes pipelines as well. A
        subclass whose scores are sums of such parts implements ``_score_parts(X)``, which gets a
        valid row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (1, n_features_in_)
            The row.

        Returns
        -------
        columns_and_parts : tuple of ndarray, or None
            The columns of the nonzero entries, of shape (n_entries,), and what each of them adds,
            of shape (n_entries, n_items_). For a history, the columns are those of its items, in
            order. What is left of a score does not depend on the entries. A row without entries has
            no parts. None if the scores are no sum of parts.
        """
        check_is_fitted(self)
        X = self._check_rows(X)
        if X.shape[0] != 1:
            raise ValueError(f"X has {X.shape[0]} rows: pass a single one.")
        if is_content(X):
            return None
        columns = X[X > 0] - 1 if reads_histories(self) else sp.csr_array(X).indices
        has_none = not len(columns) or self._unknown_rows(X).any()
        parts = np.zeros(()) if has_none else self._score_parts(X)
        if parts is None:
            return None
        parts = np.broadcast_to(parts, (len(columns), self.n_items_))
        return columns.astype(np.intp), parts.astype(np.float32)

    def _score_parts(self, X):
        """Return what each entry of a row adds to the scores; None if they are no sum of parts.

        A result of shape (n_items_,) holds for all entries.
        """
        return None

    def _finite_scores(self, X):
        """Return the scores of validated rows; unknown rows get the popularity."""
        with np.errstate(all="ignore"):
            scores = np.asarray(self._score_rows(X), dtype=np.float32)
        unknown = self._unknown_rows(X)
        if unknown.any():
            scores[unknown] = self.popularity_
        return checked_scores(self, scores)

    # Whether `fit` has learned what empty rows like.
    _knows_empty_rows = False

    def _unknown_rows(self, X):
        """Return the mask of the validated rows about which nothing is known, the empty ones."""
        if self._knows_empty_rows:
            return np.zeros(n_rows_of(X), dtype=bool)
        return empty_rows(X)


class InDomainRecommender(RecommenderMixin, BaseEstimator):
    """Base of recommenders that learn from X alone and recommend its columns.

    A subclass implements ``_fit(X)``, which gets a canonical float32 `csr_array`, and
    ``_score_rows(X)``.
    """

    _parameter_constraints: dict = {}
    _nonnegative_X = True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = self._nonnegative_X
        return tags

    @validated_fit_of_parts
    def fit(self, X: MatrixLike, y: Any = None) -> Self:
        """Learn from the interactions in X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_items)
            Interactions; a stored zero is no interaction.
        y : Ignored
            Not used in `fit`; `score` compares with it.

        Returns
        -------
        self : object
        """
        return self._fit_on_valid(X, y)

    def _items_of(self, X):
        """Return the interactions with the items that are recommended: by default, all columns."""
        return X

    def _valid_data(self, X, y, *, reset):
        return (self._valid_rows(X, reset=reset),)

    def _valid_rows(self, X, *, reset):
        return check_interactions(self, X, reset=reset, nonnegative=self._nonnegative_X)


class SupervisedRecommender(RecommenderMixin, BaseEstimator):
    """Base of recommenders that learn the map from X to the items in the columns of y.

    A subclass implements ``_fit(X, y)`` and ``_score_rows(X)``. In ``_fit``, X is a float32 ndarray
    or `csr_array`, and y a canonical float32 `csr_array`. If rows of X are empty there, empty rows
    get scores by ``_score_rows`` too, since zeros may be the features of many rows.
    """

    _parameter_constraints: dict = {}
    _nonnegative_y = False

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.target_tags.single_output = False
        tags.target_tags.positive_only = self._nonnegative_y
        return tags

    @validated_fit_of_parts
    def fit(self, X: MatrixLike, y: MatrixLike) -> Self:
        """Learn to recommend the columns of y from X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            What is known about the rows.
        y : {array-like, sparse matrix} of shape (n_rows, n_items), or array-like of int of \
shape (n_rows,)
            The interactions of the rows with the items, or the column of the single item that each
            row has.

        Returns
        -------
        self : object
        """
        return self._fit_on_valid(X, y)

    def _valid_data(self, X, y, *, reset):
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None: pass "
                "the interactions to learn, of shape (n_rows, n_items)."
            )
        check_row_labels(X, y)
        X = self._valid_rows(X, reset=reset)
        self._keep_names_of(y, reset=reset)
        y = check_targets(y, n_rows=X.shape[0], nonnegative=self._nonnegative_y)
        self._knows_empty_rows = empty_rows(X).any() or (self._knows_empty_rows and not reset)
        return X, y

    def _items_of(self, X, y):
        """Return the interactions with the items that are recommended."""
        return y


class SimilarItemsMixin:
    """Mixin for recommenders that can tell which items are similar to an item.

    A subclass implements ``_item_similarities(items)``, which returns the similarity of these
    items to all items, of shape (len(items), `n_items_`).
    """

    n_items_: int
    _item_similarities: Callable[..., NDArray[np.float32]]

    def similar_items(
        self, items: int | ArrayLike, *, n_similar: int = 10
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Return the items most similar to each of `items`.

        Parameters
        ----------
        items : int or array-like of int of shape (n_queries,)
            Item columns.
        n_similar : int, default=10
            Number of similar items for each query, from 1 to `n_items_` - 1.

        Returns
        -------
        similar : ndarray of shape (n_queries, n_similar), dtype intp
            Item columns, most similar first, without the item itself. Of items with equal
            similarities, the more popular one comes first, then the one in the lower column.
        similarities : ndarray of shape (n_queries, n_similar), dtype float32
        """
        check_is_fitted(self)
        items = np.atleast_1d(np.asarray(items))
        check_candidates(items, self.n_items_, name="items", takes_mask=False)
        check_count(n_similar, name="n_similar", maximum=self.n_items_ - 1, of="n_items_ - 1")
        similar = np.empty((len(items), n_similar), dtype=np.intp)
        similarities = np.empty((len(items), n_similar), dtype=np.float32)
        for block in row_blocks(len(items), self.n_items_):
            scores = np.array(self._item_similarities(items[block]), dtype=np.float32)
            scores[np.arange(len(scores)), items[block]] = -np.inf
            best = top_k(scores, n_similar, preference_of(self))
            similar[block], similarities[block] = best
        return similar, similarities


class FactorRecommenderMixin(SimilarItemsMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin):
    """Mixin for recommenders whose score is the inner product of a row's and an item's factors.

    A subclass implements ``_row_factors(X)``, which gets validated rows. It sets ``item_factors_``
    of shape (`n_items_`, n_components) and, if the model has biases, ``item_bias_`` of shape
    (`n_items_`,). Item factors in Fortran order make `recommend` faster for a few rows.
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @property
    def _n_features_out(self):
        return self.item_factors_.shape[1]

    @finite_output
    def transform(self, X: MatrixLike) -> NDArray[np.float32]:
        """Return the factors of each row, found by fold-in with fixed item factors.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features_in_)
            Rows, seen in `fit` or not.

        Returns
        -------
        row_factors : ndarray of shape (n_rows, n_components), dtype float32
        """
        check_is_fitted(self)
        return self._row_factors(self._check_rows(X))

    def _score_rows(self, X):
        scores = self._row_factors(X) @ self.item_factors_.T
        item_bias = getattr(self, "item_bias_", None)
        if item_bias is not None:
            scores += item_bias
        return scores

    def _products(self, X):
        products = _products_of(self)
        if products is None or products[0].dtype != np.float32:
            return None
        # Sorting them pays for many rows only.
        items = OrderedItems.of(
            *products, longest_first=X.shape[0] >= N_ROWS, withheld=self.withheld_items_
        )

        def factors_and_items(rows):
            part = rows_in(X, rows)
            with np.errstate(all="ignore"):
                row_factors = np.asarray(self._row_factors(part), dtype=np.float32)
            return row_factors, items, self._unknown_rows(part)

        return factors_and_items

    def _score_parts(self, X):
        parts = self._row_factor_parts(X)
        return None if parts is None else parts @ self.item_factors_.T

    def _row_factor_parts(self, X):
        """Return what each entry of a row adds to its factors; None if they are no sum."""
        return None

    def _item_similarities(self, items):
        unit_factors = normalize(self.item_factors_)
        return unit_factors[items] @ unit_factors.T


def _scores_of_empty_row(recommender):
    """Return the scores that a fitted recommender of a matrix gives to a row of zeros."""
    (scores,) = recommender._finite_scores(
        sp.csr_array((1, recommender.n_features_in_), dtype=np.float32)
    )
    return scores


def _products_of(recommender):
    """Return the factors and the biases or None of the items, if scores are products with them.

    None for all other recommenders.
    """
    is_product = (
        isinstance(recommender, FactorRecommenderMixin)
        and type(recommender)._score_rows is FactorRecommenderMixin._score_rows
    )
    if not is_product:
        return None
    return recommender.item_factors_, getattr(recommender, "item_bias_", None)
