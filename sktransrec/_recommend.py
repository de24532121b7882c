# SPDX-License-Identifier: BSD-3-Clause
"""Recommend with any fitted recommender, alone or inside a pipeline or search."""

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any, Literal, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import get_tags

from ._columns import check_order, check_row_labels, column_names, row_labels
from ._histories import seen_items
from ._numerics._entries import at_columns, pattern_of
from ._numerics._row_blocks import even_slices, row_slices, rows_in
from ._numerics._row_totals import nonzero_places, row_lengths
from ._numerics._threads import in_threads
from ._numerics._top_k import Preference, top_k
from ._numerics._top_k_products import N_ROWS, TileMask, best_products, suits_tiles
from ._numerics._top_k_shared import best_of_shared
from ._typing import Estimator, MatrixLike
from ._validation import (
    _safe_indexing,
    check_candidates,
    check_count,
    check_exclusions,
    check_is_fitted,
    check_matrix,
    get_chunk_n_rows,
    is_content,
    item_ids_of_rows,
)
from ._validation._finite import all_finite
from ._wrapping import (
    before_binarizer,
    ignores_unknown,
    reads_histories,
    recommender_and_rows,
    recommender_of,
    scores_of,
)

# Smaller blocks waste time in Python calls and small matrix products; larger ones leave the cache.
_MIN_BLOCK_ROWS = 128
_BLOCK_SCORES = 2**22
# If a larger share of a block is left to rank, all its rows are scored together.
_MANY_OPEN = 0.1

# Ranking the items once for rows with the same scores takes as long as serving two rows and so many
# more scores.
_RANKING_SCORES = 2**15

# Sorting the items by popularity and walking the tags cost more than serving a row, so this is done
# once for each fit. The results are no attribute, so they are neither saved nor copied.
_served: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

# What a fitted recommender must have beside its methods.
_NEEDED = {
    "n_items_": "the number of items that it recommends",
    "popularity_": "the share of rows that have each item",
}


def recommend(
    model: Estimator,
    X: MatrixLike,
    *,
    n_recommendations: int = 10,
    candidates: ArrayLike | None = None,
    exclude_seen: bool | Literal["auto"] = "auto",
    exclude_interactions: MatrixLike | None = None,
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return the best items for each row of X, from a recommender, pipeline or search.

    Use it for a `Pipeline` or a search of scikit-learn that holds a recommender, because these have
    no method `recommend`.

    Parameters
    ----------
    model : estimator
        A fitted recommender, a `Pipeline` that ends in one, a fitted search, or a
        `FrozenEstimator` around any of them.
    X : array-like or sparse matrix of shape (n_rows, ...)
        The rows to recommend to, in the form that `model` reads.
    n_recommendations : int, default=10
        Number of items for each row.
    candidates : array-like of int or mask of shape (n_items,), default=None
        Item columns that may be recommended; None allows all.
    exclude_seen : bool or "auto", default="auto"
        Whether to leave out the items that a row already has in X; see
        :meth:`sktransrec.base.RecommenderMixin.recommend`. What a
        :class:`~sklearn.preprocessing.Binarizer` in a `Pipeline` drops, such as low ratings, is
        left out too, if all steps keep the columns. Pass what another step drops as
        `exclude_interactions`.
    exclude_interactions : sparse matrix of shape (n_rows, n_items), default=None
        Its nonzero entries are left out as well.

    Returns
    -------
    items : ndarray of shape (n_rows, n_recommendations), dtype intp
        Item columns, best first: those that the recommender reads, so a step of a pipeline that
        selects or moves columns numbers them anew. Of items with equal scores, the more popular one
        comes first, then the one in the lower column. -1 if there are too few eligible items.
    scores : ndarray of shape (n_rows, n_recommendations), dtype float32
        Their scores; -inf where `items` is -1.

    See Also
    --------
    eligible_scores : The scores of all items from which it chooses.
    sktransrec.base.RecommenderMixin.recommend : The method that it calls.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktransrec import PopularityRecommender, recommend
    >>> X = np.array([[1, 0, 1], [1, 1, 0], [1, 0, 0]])
    >>> pipe = make_pipeline(PopularityRecommender()).fit(X)
    >>> items, scores = recommend(pipe, [[1, 0, 0]], n_recommendations=1)
    >>> items
    array([[1]])
    """
    recommender, X, left_out = rows_and_exclusions(model, X, exclude_seen, exclude_interactions)
    own = getattr(recommender, "recommend", None)
    if own is None:
        check_is_complete(recommender)
        own = partial(best_items, recommender)
    return own(X, n_recommendations=n_recommendations, candidates=candidates, **left_out)


def eligible_scores(
    model: Estimator,
    X: MatrixLike,
    *,
    candidates: ArrayLike | None = None,
    exclude_seen: bool | Literal["auto"] = "auto",
    exclude_interactions: MatrixLike | None = None,
) -> Iterator[tuple[slice, NDArray[Any]]]:
    """Score all items that may be recommended to the rows of X, block by block.

    Use it to write your own ranking or metric. Recommendations, ranks of held-out items and scorers
    all start from these scores. The blocks of rows respect scikit-learn's `working_memory` setting,
    so the full score matrix is never in memory.

    Parameters
    ----------
    model : estimator
        A fitted recommender, a `Pipeline` that ends in one, a fitted search, or a
        `FrozenEstimator` around any of them.
    X : array-like or sparse matrix of shape (n_rows, ...)
        The rows to recommend to, in the form that `model` reads.
    candidates : array-like of int or mask of shape (n_items,), default=None
        Item columns that may be recommended; None allows all.
    exclude_seen : bool or "auto", default="auto"
        Whether to leave out the items that a row already has in X; see
        :meth:`sktransrec.base.RecommenderMixin.recommend`.
    exclude_interactions : sparse matrix of shape (n_rows, n_items), default=None
        Its nonzero entries are left out as well.

    Returns
    -------
    blocks : iterator of (slice, ndarray)
        The rows of each block, and their scores as a new float32 array of shape
        (n_rows_in_block, n_items), or (n_rows_in_block, n_candidates) in ascending order of the
        candidates. An item has -inf if the row has it already, if `exclude_interactions` holds
        it, or if the model never recommends it.

    See Also
    --------
    recommend : Only the best items.

    Notes
    -----
    If the recommender has a method `eligible_scores`, this function calls it. Otherwise the scores
    come from its `decision_function`, and items in its mask `withheld_items_` get -inf.

    Examples
    --------
    >>> from sktransrec import PopularityRecommender, eligible_scores
    >>> model = PopularityRecommender().fit([[1, 0, 1], [1, 1, 0]])
    >>> for rows, scores in eligible_scores(model, [[1, 0, 0], [0, 0, 1]]):
    ...     print(rows, scores.tolist())
    slice(0, 2, None) [[-inf, 0.5, 0.5], [1.0, 0.5, -inf]]
    """
    recommender, X, left_out = rows_and_exclusions(model, X, exclude_seen, exclude_interactions)
    return _eligible_blocks(recommender, X, candidates=candidates, **left_out)


def keeps_seen(exclude_seen):
    """Return whether the items that a row has may be recommended again."""
    return isinstance(exclude_seen, bool | np.bool_) and not exclude_seen


def rows_and_exclusions(model, X, exclude_seen="auto", exclude_interactions=None):
    """Return the recommender inside a fitted model, X after the steps, and what it leaves out.

    What a `Binarizer` among the steps drops, such as low ratings, is seen all the same.
    """
    check_row_labels(X, exclude_interactions, name="exclude_interactions")
    recommender, rows = recommender_and_rows(model, X)
    has_steps = rows is not X and not keeps_seen(exclude_seen)
    recommends_columns = has_steps and _served_by(recommender).item_columns is not None
    whole = before_binarizer(model, X) if recommends_columns else None
    if whole is not None:
        entries = _entries_before_binarizer(model, whole, X)
        excluded = exclusions(recommender, entries, exclude_seen, exclude_interactions)
        exclude_seen, exclude_interactions = False, _all_of(excluded, recommender.n_items_)
    options = {"exclude_seen": exclude_seen, "exclude_interactions": exclude_interactions}
    return recommender, rows, options


def _entries_before_binarizer(model, rows, X):
    """Return the nonzero entries of X that the steps before the `Binarizer` keep as entries.

    An entry is not kept if the steps map it to the same value as a zero. `rows` is X after them.
    """
    X = np.asarray(X) if isinstance(X, list) else X
    is_frame = hasattr(X, "select_dtypes")
    if rows is X or sp.issparse(rows) or (is_frame and is_content(X)):
        return rows
    zeros = np.zeros((1, X.shape[1]))
    zeros = type(X)(zeros, columns=X.columns) if is_frame else zeros
    of_zeros = np.asarray(before_binarizer(model, sp.csr_array(zeros) if sp.issparse(X) else zeros))
    has_entry = (X.toarray() if sp.issparse(X) else np.asarray(X)) != 0
    return (has_entry & (np.asarray(rows) != of_zeros)).astype(np.float32)


def _all_of(excluded, n_items):
    """Return one matrix with the nonzero entries of several, which may lack the latest items."""
    entries = [pattern_of(check_matrix(each, name="X")) for each in excluded]
    return sum(at_columns(each, np.arange(each.shape[1]), n_items) for each in entries)


def _eligible_blocks(recommender, X, **options):
    own = getattr(recommender, "eligible_scores", None) or partial(_scores_of_others, recommender)
    return own(X, **options)


def best_items(recommender, X, *, n_recommendations=10, candidates=None, **left_out):
    """Return the best items and their scores, as the method `recommend` of a recommender does."""
    check_is_fitted(recommender)
    n_items = recommender.n_items_
    check_count(n_recommendations, name="n_recommendations", maximum=n_items, of="n_items_")
    candidates = candidates_of(recommender, candidates)
    n_best = n_recommendations if candidates is None else min(n_recommendations, len(candidates))
    preference = preference_of(recommender, candidates)
    blocks = _eligible_blocks(recommender, X, candidates=candidates, **left_out)
    if isinstance(blocks, EligibleBlocks):
        best = list(blocks.best(n_best, preference, getattr(recommender, "n_jobs", None)))
    else:
        best = [top_k(scores, n_best, preference) for _, scores in blocks]
    columns, values = best[0] if len(best) == 1 else map(np.concatenate, zip(*best, strict=True))
    if candidates is not None:
        columns = candidates[columns]
    columns[values == -np.inf] = -1
    if n_best == n_recommendations:
        return columns, values
    padding = ((0, 0), (0, n_recommendations - n_best))
    return (
        np.pad(columns, padding, constant_values=-1),
        np.pad(values, padding, constant_values=-np.inf),
    )


def _scores_of_others(recommender, X, *, candidates, exclude_seen, exclude_interactions):
    """Return the eligible scores of a recommender that has only `decision_function`."""
    check_is_complete(recommender)
    excluded = exclusions(recommender, X, exclude_seen, exclude_interactions)
    candidates = candidates_of(recommender, candidates)

    def score(rows):
        scores = np.array(scores_of(recommender, _safe_indexing(X, rows)), dtype=np.float32)
        return checked_scores(recommender, scores)

    return EligibleBlocks(recommender, score, n_rows_of(X), excluded, candidates)


def candidates_of(recommender, candidates, *, name="candidates"):
    """Return candidates of a fitted recommender as sorted columns; None stays None."""
    # To know the names of the items takes as long as to serve a row.
    names = None if row_labels(candidates) is None else getattr(recommender, "item_names_", None)
    return check_candidates(candidates, recommender.n_items_, name=name, names=names)


def n_rows_of(X):
    """Return the number of rows of a matrix, a table or a list."""
    return X.shape[0] if hasattr(X, "shape") else len(X)


def empty_rows(X):
    """Return the mask of the rows of X without a nonzero value; content is never empty."""
    if sp.issparse(X):
        return row_lengths(X) == 0
    if is_content(X):
        return np.zeros(len(X), dtype=bool)
    return ~np.asarray(X).any(axis=1)


class EligibleBlocks:
    """The iterator over the blocks of `eligible_scores`, which threads can share.

    ``score(rows)`` returns a new array for a slice of rows. Rows with the same number in `alike`
    have the same scores. ``products()`` is called if there are many rows. It returns None, or a
    function of a slice of rows that returns their factors, the `OrderedItems` whose products with
    the factors are the scores, and the mask of the unknown rows, which all have the same scores.
    """

    def __init__(
        self, recommender, score, n_rows, excluded, candidates, *, products=None, alike=None
    ):
        self._score = score
        self._withheld = getattr(recommender, "withheld_items_", None)
        self._excluded = excluded
        self._candidates = candidates
        self._n_rows, self._n_items = n_rows, recommender.n_items_
        self._row_blocks = row_blocks(n_rows, recommender.n_items_)
        self._products = products
        self._alike = alike

    def __iter__(self):
        return self

    def __next__(self):
        rows = next(self._row_blocks)
        return rows, self._eligible(rows)

    def best(self, k, preference, n_jobs):
        """Return an iterator of the columns and values of the best of each block."""
        if self._alike is not None and self._pays_to_rank(self._n_rows, 1):
            order, groups = _groups_of(self._alike)
            if self._pays_to_rank(self._n_rows, len(groups)):
                return self._best_of_groups(order, groups, k, preference, n_jobs)
        by_tiles = (
            self._products is not None
            and self._candidates is None
            and suits_tiles(self._n_rows, self._n_items, k)
        )
        products = self._products() if by_tiles else None
        if products is None:
            blocks, best_of = self._row_blocks, self._best_scores
        else:
            blocks = even_slices(self._n_rows, N_ROWS)
            best_of = partial(self._best_products, products)
        return in_threads(lambda rows: best_of(rows, k, preference), zip(blocks), n_jobs)

    def _best_scores(self, rows, k, preference):
        # No name holds the scores of a block: freeing them before the next saves a fifth.
        return top_k(self._eligible(rows), k, preference)

    def _pays_to_rank(self, n_rows, n_groups):
        """Return whether one ranking for each group of rows takes less time than all scores."""
        return (n_rows - 2 * n_groups) * self._n_items > n_groups * _RANKING_SCORES

    def _best_of_groups(self, order, groups, k, preference, n_jobs):
        """Yield the columns and values of the best of all rows, whose groups lie in `order`."""
        columns = np.empty((self._n_rows, k), dtype=np.intp)
        values = np.empty(columns.shape, dtype=np.float32)
        best = in_threads(
            lambda group: self._best_alike(order[group], k, preference), zip(groups), n_jobs
        )
        for group, found in zip(groups, best, strict=True):
            columns[order[group]], values[order[group]] = found
        yield columns, values

    def _best_alike(self, rows, k, preference):
        """Return the best of rows that have the same scores."""
        scores = self._score(slice(rows[0], rows[0] + 1))
        (scores,) = _eligible_only(scores, self._withheld, [], self._candidates)
        excluded = [X if len(rows) == X.shape[0] else X[rows] for X in self._excluded]
        if self._candidates is not None:
            excluded = [X[:, self._candidates] for X in excluded]
        return best_of_shared(scores, excluded, len(rows), k, preference)

    def _best_products(self, products, rows, k, preference):
        """Return what `_best_scores` does, without all scores of the block in memory at once."""
        row_factors, items, unknown = products(rows)
        if items.are_finite_with(row_factors):
            mask = TileMask(self._excluded_in(rows), self._withheld, items.columns)
            columns, values, is_open = best_products(
                row_factors, items, k, preference, mask=mask, open_rows=unknown
            )
        else:
            columns = np.empty((len(unknown), k), dtype=np.intp)
            values = np.empty(columns.shape, dtype=np.float32)
            is_open = np.ones_like(unknown)
        if self._pays_to_rank(np.count_nonzero(unknown), 1):
            best = self._best_alike(rows.start + np.flatnonzero(unknown), k, preference)
            columns[unknown], values[unknown] = best
            is_open &= ~unknown
        for part in self._parts(is_open):
            own = slice(rows.start + part.start, rows.start + part.stop)
            columns[part], values[part] = self._best_scores(own, k, preference)
        return columns, values

    def _parts(self, is_open):
        """Return slices with all open rows of a block: each by itself, or all rows if many are."""
        (open_rows,) = np.nonzero(is_open)
        if len(open_rows) > _MANY_OPEN * len(is_open):
            return row_blocks(len(is_open), self._n_items)
        return [slice(row, row + 1) for row in open_rows]

    def _excluded_in(self, rows):
        return [rows_in(part, rows) for part in self._excluded]

    def _eligible(self, rows):
        return _eligible_only(
            self._score(rows), self._withheld, self._excluded_in(rows), self._candidates
        )


def _groups_of(numbers):
    """Return the order of the rows by their numbers, and a slice of it for each number."""
    order = np.argsort(numbers, kind="stable")
    bounds = [0, *(np.flatnonzero(np.diff(numbers[order])) + 1).tolist(), len(order)]
    return order, [slice(*ends) for ends in pairwise(bounds)]


def _eligible_only(scores, withheld, excluded, candidates):
    """Return the scores of the candidates, -inf where an item is not eligible."""
    if withheld is not None:
        scores[:, withheld] = -np.inf
    for interactions in excluded:
        mask_stored(scores, interactions)
    return scores if candidates is None else scores.take(candidates, axis=1)


def exclusions(recommender, X, exclude_seen="auto", exclude_interactions=None):
    """Return a list of matrices of shape (n_rows, n_items) whose nonzero entries are left out."""
    is_bool = isinstance(exclude_seen, bool | np.bool_)
    if not is_bool and not (isinstance(exclude_seen, str) and exclude_seen == "auto"):
        raise ValueError(f'exclude_seen must be True, False or "auto", got {exclude_seen!r}.')
    seen = seen_interactions(recommender, X) if exclude_seen else None
    if is_bool and exclude_seen and seen is None:
        raise ValueError(
            "exclude_seen=True has no meaning here: the columns of X are not the items that "
            f"{type(recommender).__name__} recommends. Pass what the rows already have among the "
            "items as exclude_interactions."
        )
    excluded = [] if seen is None else [seen]
    if exclude_interactions is not None:
        shape = (n_rows_of(X), recommender.n_items_)
        known, names = getattr(recommender, "item_names_", None), column_names(exclude_interactions)
        check_order(known, names, name="exclude_interactions")
        excluded.append(check_exclusions(exclude_interactions, shape))
    return excluded


def seen_interactions(recommender, X):
    """Return the interactions with the items that the rows of X already have, a `csr_array`.

    None if X does not hold interactions with the items.
    """
    served = _served_by(recommender)
    columns = served.item_columns
    if columns is None:
        if not served.reads_histories:
            return None
        ids = item_ids_of_rows(X, ignores_gaps=ignores_unknown(recommender))
        return seen_items(ids, recommender.n_items_)
    if isinstance(columns, slice):
        seen = X.tocsr() if sp.issparse(X) else check_matrix(X, name="X")
        # Nothing is seen of items that were added after `fit`.
        n_columns, n_items = seen.shape[1], recommender.n_items_
        return seen if n_columns >= n_items else at_columns(seen, np.arange(n_columns), n_items)
    X = X if hasattr(X, "shape") else check_matrix(X, name="X")
    return check_matrix(_safe_indexing(X, columns, axis=1), name="X")


def item_columns(recommender):
    """Return the columns of X that are the items of a fitted recommender, None if there are none.

    A recommender that learns from X alone recommends all columns of X, unless its `item_columns_`
    holds others.
    """
    columns = getattr(recommender, "item_columns_", None)
    if columns is not None:
        return columns
    tags = get_tags(recommender)
    learns_map, reads_ids = tags.target_tags.required, tags.input_tags.categorical
    return None if learns_map or reads_ids else slice(None)


def withheld_items(models, n_items, columns=None):
    """Return the mask of the items that at least one fitted model withholds, None if none does.

    `columns` are the places of the items in a model that recommends more items.
    """
    withheld = None
    for model in models:
        mask = getattr(recommender_of(model), "withheld_items_", None)
        if mask is not None:
            mask = mask if len(mask) == n_items else mask[columns]
            withheld = mask if withheld is None else withheld | mask
    return withheld


def preference_of(recommender, candidates=None):
    """Return the order of items with equal scores, for all items or for the candidates."""
    if candidates is not None:
        return Preference.by_popularity(np.asarray(recommender.popularity_)[candidates])
    return _served_by(recommender).preference


class _Served(NamedTuple):
    """What every call for a fitted recommender needs."""

    popularity: np.ndarray | None
    preference: Preference | None
    item_columns: np.ndarray | slice | None
    reads_histories: bool


def _served_by(recommender):
    """Return what every call needs, found anew after each `fit`, which sets a new popularity."""
    popularity = getattr(recommender, "popularity_", None)
    served = _served.get(recommender)
    if served is None or served.popularity is not popularity:
        served = _Served(
            popularity,
            None if popularity is None else Preference.by_popularity(popularity),
            item_columns(recommender),
            reads_histories(recommender),
        )
        _served[recommender] = served
    return served


def check_is_complete(recommender):
    """Raise unless a fitted recommender says how many items it has, and how popular each is.

    What was found complete once is not looked at again before the next `fit`.
    """
    check_is_fitted(recommender)
    popularity = getattr(recommender, "popularity_", None)
    served = _served.get(recommender)
    if popularity is not None and served is not None and served.popularity is popularity:
        return
    name = type(recommender).__name__
    for attribute, meaning in _NEEDED.items():
        if not hasattr(recommender, attribute):
            raise TypeError(f"{name} has no attribute {attribute}, {meaning}: set it in its fit.")
    shape, n_items = np.shape(popularity), recommender.n_items_
    if shape != (n_items,):
        raise ValueError(
            f"popularity_ of {name} has shape {shape}, and n_items_ is {n_items}: it must hold a "
            "number for each item."
        )
    _served_by(recommender)


def row_blocks(n_rows, n_items):
    """Return slices of rows whose scores fit the working memory."""
    block_rows = get_chunk_n_rows(
        # Scores, scores of the candidates and a partitioned copy may be in memory together.
        row_bytes=12 * n_items,
        max_n_rows=min(max(_MIN_BLOCK_ROWS, _BLOCK_SCORES // n_items), n_rows),
    )
    return row_slices(n_rows, block_rows)


def checked_scores(recommender, scores):
    """Return the scores of a recommender; raise if they are not finite."""
    if not all_finite(scores):
        raise ValueError(
            f"{type(recommender).__name__} gave scores that are not finite: X holds far larger "
            "numbers than fit saw, or its fitted parameters have diverged. Scale X as for fit, "
            "or fit it again with more regularization or a smaller learning rate."
        )
    return scores


def mask_stored(scores, X):
    """Set the scores of the nonzero entries of X to -inf, in place."""
    scores[nonzero_places(X.tocsr())] = -np.inf
