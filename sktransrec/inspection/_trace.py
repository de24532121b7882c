# SPDX-License-Identifier: BSD-3-Clause
"""Where the score of an item comes from, and what keeps an item out."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from .._extras import import_pandas
from .._recommend import (
    candidates_of,
    exclusions,
    recommend,
    rows_and_exclusions,
    seen_interactions,
)
from .._typing import Estimator, MatrixLike
from .._validation import check_is_fitted
from .._wrapping import recommender_of, scores_of
from ._explain import check_one_row, explained_items

_WITHHELD, _SEEN, _EXCLUDED, _NO_CANDIDATE = "withheld", "seen", "excluded", "not a candidate"


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """Where the scores of some items of a row come from, and what keeps items out.

    ``print(trace)`` shows it as text; :meth:`to_frame` returns a DataFrame.

    Attributes
    ----------
    items : ndarray of shape (n_items,)
        The traced item columns.
    scores : ndarray of shape (n_items,)
        Their scores.
    ranks : ndarray of int of shape (n_items,)
        Their places among the items that may be recommended, from 1 on; 0 if an item may not.
    removed_by : ndarray of str of shape (n_items,)
        What keeps the item out: "withheld" (the model never recommends it), "seen" (the row has
        it), "excluded" (by `exclude_interactions`), "not a candidate", or "" if nothing does.
    row_path : str
        How the row is served, by the `row_paths` of the model; "popularity" if nothing is known
        about the row, "" if the model has a single path.
    item_paths : ndarray of str of shape (n_items,)
        How each item is scored, by the `item_paths_` of the model; "" if it has a single path.
    members : dict of str to ndarray of shape (n_items,)
        What each member of an ensemble adds to the scores; empty for other models.

    See Also
    --------
    trace : Makes it.
    """

    items: np.ndarray
    scores: np.ndarray
    ranks: np.ndarray
    removed_by: np.ndarray
    row_path: str
    item_paths: np.ndarray
    members: dict

    def by_item(self) -> dict[int, dict[str, Any]]:
        """Return what is known of each item.

        Returns
        -------
        facts : dict of int to dict
            By the column of the item: "score", "rank", "removed_by", "row_path", "item_path", and
            what each member adds, by its name.
        """
        return {
            int(item): {
                "score": float(self.scores[place]),
                "rank": int(self.ranks[place]),
                "removed_by": str(self.removed_by[place]),
                "row_path": self.row_path,
                "item_path": str(self.item_paths[place]),
                **{name: float(added[place]) for name, added in self.members.items()},
            }
            for place, item in enumerate(self.items)
        }

    def to_frame(self) -> Any:
        """Return a pandas DataFrame with a row for each item.

        Returns
        -------
        frame : DataFrame
            The columns are "item", "score", "rank", "removed_by", "row_path", "item_path", and the
            name of each member for what it adds to the score.
        """
        rows = [{"item": item, **facts} for item, facts in self.by_item().items()]
        return import_pandas().DataFrame(rows)

    def __repr__(self) -> str:
        served = f" The row is served by: {self.row_path}." if self.row_path else ""
        lines = [f"Scores of {len(self.items)} items.{served}"]
        for place, (item, score) in enumerate(zip(self.items, self.scores, strict=True)):
            state = self.removed_by[place] or f"rank {self.ranks[place]}"
            path = f", by {self.item_paths[place]}" if self.item_paths[place] else ""
            added = ", ".join(f"{name} {of[place]:+.4f}" for name, of in self.members.items())
            lines.append(f"  item {item}, {state}, score {score:.4f}{path}")
            lines[-1] += f": {added}" if added else ""
        return "\n".join(lines)


def trace(
    model: Estimator,
    X: MatrixLike,
    items: ArrayLike | None = None,
    *,
    n_recommendations: int = 5,
    candidates: ArrayLike | None = None,
    exclude_seen: bool | Literal["auto"] = "auto",
    exclude_interactions: MatrixLike | None = None,
) -> "Trace":
    """Trace recommendations to members, paths and filters.

    Use it to answer "which part of the model put this item here?" and "why is this item missing?".

    Parameters
    ----------
    model : estimator
        A fitted recommender, or a `Pipeline`, search or `FrozenEstimator` that holds one.
    X : array-like or sparse matrix of shape (1, ...)
        A single row, in the form that `model` reads.
    items : array-like of int or mask of shape (n_items_,), default=None
        The item columns to trace. None traces the best ones.
    n_recommendations : int, default=5
        If `items` is None: how many of the best items to trace.
    candidates : array-like of int or mask of shape (n_items_,), default=None
        Item columns that may be recommended; None allows all.
    exclude_seen : bool or "auto", default="auto"
        Whether items that the row already has are left out; see :func:`sktransrec.recommend`.
    exclude_interactions : sparse matrix of shape (1, n_items_), default=None
        Its nonzero entries are left out as well.

    Returns
    -------
    trace : Trace
        What each member adds, the paths, and what keeps items out; ``print(trace)`` shows it.

    See Also
    --------
    explain : What each thing that the row has adds to a score.

    Notes
    -----
    The parts of the members sum to the score; an ensemble returns them as `member_scores`. A member
    that is an ensemble itself is one part: trace it alone to look into it.

    Examples
    --------
    >>> from sktransrec import EASERecommender, PopularityRecommender, VotingRecommender
    >>> from sktransrec.inspection import trace
    >>> X = [[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1], [1, 1, 0, 0]]
    >>> vote = VotingRecommender(
    ...     [("ease", EASERecommender(1.0)), ("popularity", PopularityRecommender())]
    ... ).fit(X)
    >>> found = trace(vote, [[1, 0, 0, 1]], items=[0, 1])
    >>> found.removed_by.tolist(), found.ranks.tolist(), sorted(found.members)
    (['seen', ''], [0, 1], ['ease', 'popularity'])
    """
    check_one_row(X)
    check_is_fitted(recommender_of(model))
    recommender, row, left_out = rows_and_exclusions(model, X, exclude_seen, exclude_interactions)
    filters = {"candidates": candidates, **left_out}
    removed_by = _removed_by(recommender, row, **filters)
    if left_out["exclude_seen"] is not exclude_seen:
        seen = seen_interactions(recommender, X).indices
        removed_by[seen[removed_by[seen] == _EXCLUDED]] = _SEEN
    items = explained_items(recommender, row, items, n_recommendations, **filters)
    members = recommender.member_scores(row) if hasattr(recommender, "member_scores") else {}
    return Trace(
        items=items,
        scores=np.asarray(scores_of(recommender, row), dtype=np.float64)[0, items],
        ranks=_ranks(recommender, row, filters)[items],
        removed_by=removed_by[items],
        row_path=_row_path(recommender, row),
        item_paths=_item_paths(recommender)[items],
        members={name: scores[0, items] for name, scores in members.items()},
    )


def _ranks(recommender, row, filters):
    """Return the place of each item among those that may be recommended, 0 for the others."""
    n_items = recommender.n_items_
    (best,), _ = recommend(recommender, row, n_recommendations=n_items, **filters)
    ranks = np.zeros(n_items, dtype=np.intp)
    ranks[best[best >= 0]] = np.arange(1, np.count_nonzero(best >= 0) + 1)
    return ranks


def _removed_by(recommender, row, *, candidates, exclude_seen, exclude_interactions):
    """Return what keeps each item out; the first reason counts."""
    n_items = recommender.n_items_
    reasons = np.full(n_items, "", dtype=object)
    candidates = candidates_of(recommender, candidates)
    if candidates is not None:
        reasons[np.setdiff1d(np.arange(n_items), candidates)] = _NO_CANDIDATE
    excluded = exclusions(recommender, row, exclude_seen, exclude_interactions)
    is_seen_left_out = len(excluded) > (exclude_interactions is not None)
    names = [_SEEN, _EXCLUDED] if is_seen_left_out else [_EXCLUDED]
    for interactions, name in [*zip(excluded, names, strict=False)][::-1]:
        reasons[interactions.nonzero()[1]] = name
    withheld = getattr(recommender, "withheld_items_", None)
    if withheld is not None:
        reasons[withheld] = _WITHHELD
    return reasons.astype(str)


def _row_path(recommender, row):
    if hasattr(recommender, "row_paths"):
        return str(recommender.row_paths(row)[0])
    seen = seen_interactions(recommender, row)
    return "popularity" if seen is not None and not seen.count_nonzero() else ""


def _item_paths(recommender):
    paths = getattr(recommender, "item_paths_", None)
    return np.full(recommender.n_items_, "") if paths is None else paths
