# SPDX-License-Identifier: BSD-3-Clause
"""Ranks of held-out pairs (row, item) among unseen items, and the metrics of these ranks."""

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from .._columns import check_order_of_labels, check_row_labels
from .._numerics._row_totals import nonempty_rows, row_lengths
from .._recommend import (
    candidates_of,
    eligible_scores,
    exclusions,
    n_rows_of,
    rows_and_exclusions,
)
from .._typing import Estimator, MatrixLike
from .._validation import (
    AT_LEAST_0,
    COUNT,
    _safe_indexing,
    check_array,
    check_is_fitted,
    validate_params,
)
from ._propensity import checked_popularity, positive_popularity
from ._ranking import gains_at
from ._wanted import check_not_all_seen, wanted_items


@validate_params(
    {
        "n_negatives": [*COUNT, None],
        "negative_exponent": AT_LEAST_0,
        "popularity": ["array-like", None],
        "random_state": ["random_state"],
    }
)
def held_out_ranks(
    model: Estimator,
    X: MatrixLike,
    y: MatrixLike,
    *,
    n_negatives: int | None = None,
    negative_exponent: float = 0.0,
    popularity: ArrayLike | None = None,
    candidates: ArrayLike | None = None,
    exclude_seen: bool | Literal["auto"] = "auto",
    exclude_interactions: MatrixLike | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    r"""Rank each held-out item of a row among the items that the row has not seen.

    Use it for results that you report: it can rank among all items or among sampled ones, and the
    ranks can be split by popularity and activity. For a search, use `ranking_scorer`.

    Parameters
    ----------
    model : estimator
        A fitted recommender, or a `Pipeline`, search or `FrozenEstimator` that holds one.
    X : array-like or sparse matrix of shape (n_rows, ...)
        What `model` takes.
    y : array-like or sparse matrix of shape (n_rows, n_items_), or int array of shape (n_rows,)
        Values above zero mark the held-out items. A 1-D array holds the column of the one held-out
        item of each row or, for a model that reads histories, the id of the next item.
    n_negatives : int, default=None
        Number of random unseen items (negatives) that each held-out item is ranked against. They
        are drawn again for each held-out item, without repetition. If a row has fewer unseen items,
        all of them are used. None ranks against all unseen items.
    negative_exponent : float, default=0.0
        Items are drawn as negatives in proportion to this power of their popularity, 0 or more.
        Above 0, they are drawn with repetition, because there are few popular items. With 1, the
        negatives are popular too, and popularity alone ranks near chance.
    popularity : array-like of shape (n_items_,), default=None
        The popularity for `negative_exponent`. None uses the `popularity_` of the model. With the
        `choice_odds` of the items, popularity alone is closer to chance.
    candidates : array-like of int or mask of shape (n_items_,), default=None
        Item columns to rank. None ranks all of them.
    exclude_seen : bool or "auto", default="auto"
        Whether the items that a row has in X count as seen. "auto" means yes if the columns of X
        are the items that the model recommends.
    exclude_interactions : array-like or sparse matrix of shape (n_rows, n_items_), default=None
        Nonzero entries count as seen as well.
    random_state : int, RandomState instance or None, default=None
        Draws the negatives. Pass an int to compare several models with the same negatives: the
        draw does not depend on the scores of the model. It depends on `y`, on the seen items and,
        with `negative_exponent`, on the popularity in the training data.

    Returns
    -------
    rows : ndarray of shape (n_pairs,), dtype intp
        The row of each held-out pair, ascending.
    items : ndarray of shape (n_pairs,), dtype intp
        The item column of each pair, ascending within a row.
    ranks : ndarray of shape (n_pairs,), dtype float64
        The rank of each pair, from 1 up. It is infinite if the item counts as seen, or if the model
        never recommends it.

    See Also
    --------
    rank_metrics : Metrics of the ranks.
    metrics_by_bucket : Metrics for popular and rare items, and for more and less active rows.
    ranking_scorer : Scores the best k items of each row.

    Notes
    -----
    With :math:`s` the scores of a row and :math:`N` the unseen items that item :math:`i` is ranked
    against, its rank is

    .. math:: 1 + |\{j \in N : s_j > s_i\}| + \tfrac{1}{2} |\{j \in N : s_j = s_i\}|,

    so each tie counts half. The other held-out items of the row are never in :math:`N`: this is the
    "filtered" ranking of [1]_.

    A held-out item that counts as seen gets an infinite rank, a miss in every metric, because no
    model can recommend it. If rows take the same item again, pass ``exclude_seen=False``: then the
    item is ranked like the others.

    A ranking among sampled negatives does not estimate the full ranking, and can order models
    differently [2]_. Report both.

    Only rows with held-out items are scored, in blocks that respect scikit-learn's
    `working_memory`.

    References
    ----------
    .. [1] A. Bordes et al., "Translating embeddings for modeling multi-relational data", NIPS 2013.
    .. [2] W. Krichene and S. Rendle, "On sampled metrics for item recommendation", KDD 2020.
       :doi:`10.1145/3394486.3403226`

    Examples
    --------
    >>> from sktransrec import PopularityRecommender
    >>> from sktransrec.metrics import held_out_ranks
    >>> X = [[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0]]
    >>> model = PopularityRecommender().fit(X)
    >>> rows, items, ranks = held_out_ranks(model, X, [2, 3, 1])
    >>> ranks
    array([1., 2., 1.])
    """
    recommender, held_out, candidates, scores_of = held_out_and_scores(
        model, X, y, candidates, exclude_seen, exclude_interactions
    )
    _check_held_out(held_out, candidates)
    rows = nonempty_rows(held_out)
    held_out = held_out[rows] if candidates is None else held_out[rows][:, candidates]
    if popularity is None:
        popularity = recommender.popularity_
    names = getattr(recommender, "item_names_", None)
    check_order_of_labels(names, popularity, name="popularity")
    popularity = checked_popularity(popularity)
    n_items = recommender.n_items_
    if len(popularity) != n_items:
        raise ValueError(
            f"popularity has {len(popularity)} values, but the model recommends {n_items} items: "
            "pass one value for each item."
        )
    popularity = popularity if candidates is None else popularity[candidates]
    draw = _sampler(n_negatives, negative_exponent, popularity, random_state)
    ranks = np.empty(held_out.nnz)
    for block, scores in scores_of(rows):
        pairs = slice(held_out.indptr[block.start], held_out.indptr[block.stop])
        ranks[pairs] = _block_ranks(scores, held_out[block], draw)
    items = held_out.indices.astype(np.intp)
    rows = np.repeat(rows, row_lengths(held_out))
    return rows, items if candidates is None else candidates[items], ranks


@validate_params({"k": COUNT})
def rank_metrics(
    ranks: ArrayLike,
    *,
    rows: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    k: int = 10,
) -> dict[str, Any]:
    r"""Return MRR, NDCG@k and hit rate at k of held-out pairs, with standard errors.

    Use it on the ranks from `held_out_ranks`.

    Parameters
    ----------
    ranks : array-like of shape (n_pairs,)
        The rank of each pair, from 1 up, as `held_out_ranks` returns it. An infinite rank is a
        miss.
    rows : array-like of shape (n_pairs,), default=None
        The row of each pair. None means that every pair has its own row.
    weights : array-like of shape (n_pairs,), default=None
        The weight of each pair, above 0, on any scale, for example the
        `inverse_propensity_weights` of the items. None weights all pairs equally.
    k : int, default=10
        The last rank that counts for NDCG and the hit rate.

    Returns
    -------
    metrics : dict
        A pair (mean, standard error) of floats for each of "reciprocal_rank", "ndcg" and
        "hit_rate".

    See Also
    --------
    held_out_ranks : Makes the ranks.
    metrics_by_bucket : Metrics for popular and rare items, and for more and less active rows.

    Notes
    -----
    A pair of rank :math:`r` has the value :math:`1 / r` for MRR and, if :math:`r \le k`, the values
    :math:`1 / \log_2(1 + r)` for NDCG and 1 for the hit rate. With :math:`v_p` the value and
    :math:`w_p` the weight of pair p, the mean is :math:`\bar{v} = \sum_p w_p v_p / \sum_p w_p`.

    The pairs of one row depend on the same scores and are not independent. So the standard error is
    clustered by row, with :math:`m` rows:

    .. math:: \frac{1}{\sum_p w_p} \sqrt{\frac{m}{m - 1} \sum_u \Big( \sum_{p \in u}
        w_p (v_p - \bar{v}) \Big)^2}

    With one pair per row and equal weights, this is the usual standard error of the mean. It is NaN
    for a single row.

    Examples
    --------
    >>> from sktransrec.metrics import rank_metrics
    >>> mean, standard_error = rank_metrics([1, 2, 40, 4])["reciprocal_rank"]
    >>> round(mean, 3), round(standard_error, 3)
    (0.444, 0.209)
    """
    ranks = checked_ranks(ranks)
    rows = np.arange(len(ranks)) if rows is None else np.asarray(rows)
    if rows.shape != ranks.shape:
        raise ValueError(
            f"rows has shape {rows.shape}, but ranks has shape {ranks.shape}: pass one row for "
            "each rank."
        )
    values = {
        "reciprocal_rank": 1 / ranks,
        "ndcg": (ranks <= k) * gains_at(ranks),
        "hit_rate": (ranks <= k).astype(np.float64),
    }
    weights = np.ones(len(ranks)) if weights is None else _checked_weights(weights, ranks.shape)
    return {name: mean_and_standard_error(values[name], weights, rows) for name in values}


def held_out_and_scores(model, X, y, candidates, exclude_seen, exclude_interactions):
    """Return what is held out, and what a fitted model ranks it among.

    These are the recommender inside the model, the mask of the held-out items, the candidates as
    sorted columns or None, and a function from some rows to blocks of their eligible scores.
    """
    check_row_labels(X, y)
    recommender, X, left_out = rows_and_exclusions(model, X, exclude_seen, exclude_interactions)
    check_is_fitted(recommender)
    n_items = recommender.n_items_
    candidates = candidates_of(recommender, candidates)
    excluded = exclusions(recommender, X, **left_out)
    held_out = wanted_items(model, y, n_rows=n_rows_of(X), n_items=n_items) > 0
    check_not_all_seen(held_out, excluded)
    has_more = left_out["exclude_interactions"] is not None

    def scores_of(rows):
        return eligible_scores(
            recommender,
            _safe_indexing(X, rows),
            candidates=candidates,
            exclude_seen=left_out["exclude_seen"],
            exclude_interactions=excluded[-1][rows] if has_more else None,
        )

    return recommender, held_out, candidates, scores_of


def checked_ranks(ranks):
    """Return ranks from 1 to infinity as a 1-D array."""
    ranks = check_array(
        ranks, ensure_2d=False, dtype=np.float64, ensure_all_finite=False, input_name="ranks"
    )
    if ranks.ndim != 1 or not ranks.min() >= 1:
        raise ValueError(
            f"ranks must be 1-D and start at 1, got shape {ranks.shape} and a smallest rank of "
            f"{ranks.min():g}."
        )
    return ranks


def _checked_weights(weights, shape):
    weights = check_array(weights, ensure_2d=False, dtype=np.float64, input_name="weights")
    if weights.shape != shape or weights.min() <= 0:
        raise ValueError(
            f"weights has shape {weights.shape} and a smallest value of {weights.min():g}, but "
            f"ranks has shape {shape}: pass a number above 0 for each rank."
        )
    return weights


def _check_held_out(held_out, candidates):
    """Raise if no held-out pair can be ranked, or if one is not a candidate."""
    if held_out.nnz == 0:
        raise ValueError("y marks no held-out item: pass at least one value above zero.")
    if candidates is not None:
        n_outside = held_out.nnz - held_out[:, candidates].nnz
        if n_outside:
            raise ValueError(
                f"{n_outside} of the {held_out.nnz} held-out pairs in y are not among the "
                "candidates: drop them from y or add their items."
            )


def _sampler(n_negatives, exponent, popularity, random_state):
    """Return a function that takes the columns of unseen items and draws positions in them."""
    if n_negatives is None:
        return lambda unseen: slice(None)
    # A Generator draws without replacement in the time of the draw; RandomState permutes all items.
    rng = np.random.default_rng(check_random_state(random_state).randint(2**31, size=4))

    def draw(unseen):
        if len(unseen) <= n_negatives:
            return slice(None)
        return rng.choice(len(unseen), n_negatives, replace=False, shuffle=False)

    if exponent == 0:
        return draw
    weights = positive_popularity(popularity) ** exponent

    def draw_popular(unseen):
        if not len(unseen):
            return slice(None)
        bounds = np.cumsum(weights[unseen])
        return np.searchsorted(bounds[:-1], rng.uniform(0, bounds[-1], size=n_negatives))

    return draw_popular


def _block_ranks(scores, held_out, draw):
    """Return the ranks of the held-out items of a block of rows; changes `scores`."""
    pair_bounds = zip(held_out.indptr[:-1], held_out.indptr[1:], strict=True)
    return np.concatenate(
        [
            _row_ranks(row_scores, held_out.indices[first:last], draw)
            for row_scores, (first, last) in zip(scores, pair_bounds, strict=True)
        ]
    )


def _row_ranks(scores, held_out, draw):
    """Return the rank of each held-out item of a row among negatives; changes `scores`."""
    held_out_scores = scores[held_out]
    scores[held_out] = -np.inf
    unseen = np.flatnonzero(scores > -np.inf)
    unseen_scores = scores[unseen]
    ranks = np.empty(len(held_out))
    for pair, score in enumerate(held_out_scores):
        negatives = unseen_scores[draw(unseen)]
        n_better = np.count_nonzero(negatives > score)
        n_tied = np.count_nonzero(negatives == score)
        ranks[pair] = 1 + n_better + n_tied / 2
    ranks[np.isneginf(held_out_scores)] = np.inf
    return ranks


def mean_and_standard_error(values, weights, rows):
    """Return the weighted mean of values, one per pair, and its standard error clustered by row."""
    _, row_of_pair = np.unique(rows, return_inverse=True)
    total = weights.sum()
    mean = (weights * values).sum() / total
    row_deviations = np.bincount(row_of_pair, weights=weights * (values - mean))
    n_rows = len(row_deviations)
    if n_rows == 1:
        return float(mean), np.nan
    variance = n_rows / (n_rows - 1) * (row_deviations**2).sum()
    return float(mean), float(np.sqrt(variance) / total)
