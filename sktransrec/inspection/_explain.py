# SPDX-License-Identifier: BSD-3-Clause
"""What each thing that a row has adds to the score of an item."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from .._columns import framed_like
from .._extras import import_pandas
from .._histories import padded_at_end
from .._recommend import candidates_of, n_rows_of, recommend
from .._score_parts import score_parts
from .._typing import Estimator, MatrixLike
from .._validation import (
    check_is_fitted,
    check_matrix,
    is_content,
    is_table,
    item_ids_of_rows,
)
from .._wrapping import ignores_unknown, reads_histories, recommender_of, scores_by


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """What each thing that a row has adds to the scores of some items.

    ``print(explanation)`` shows it as text; :meth:`to_frame` returns a DataFrame.

    Attributes
    ----------
    items : ndarray of shape (n_items,)
        The explained item columns.
    scores : ndarray of shape (n_items,)
        Their scores.
    columns : ndarray of shape (n_entries,)
        The columns of X that the row has; for histories, the columns of its items, in order.
    contributions : ndarray of shape (n_items, n_entries)
        What each of them adds to each score.
    rest : ndarray of shape (n_items,)
        The part of each score that no single entry adds. With it, the contributions sum to the
        score.
    is_exact : bool
        Whether the score is a sum of contributions in the model itself. Otherwise a contribution is
        what the score loses without the entry.

    See Also
    --------
    explain : Makes it.
    """

    items: np.ndarray
    scores: np.ndarray
    columns: np.ndarray
    contributions: np.ndarray
    rest: np.ndarray
    is_exact: bool

    def strongest(self, item: int, n_reasons: int = 3) -> list[tuple[int, float]]:
        """Return the entries that add most to the score of an item.

        Parameters
        ----------
        item : int
            One of `items`.
        n_reasons : int, default=3
            Number of entries at most; those that add nothing, or take away, are left out.

        Returns
        -------
        reasons : list of (int, float)
            The column of each entry and what it adds, the largest first.
        """
        places = np.flatnonzero(self.items == item)
        if not len(places):
            raise ValueError(
                f"item={item!r} is not explained here: pass one of {self.items.tolist()}, or call "
                "explain with it."
            )
        added = self.contributions[places[0]]
        order = np.argsort(-added, kind="stable")[:n_reasons]
        return [(int(self.columns[i]), float(added[i])) for i in order if added[i] > 0]

    def to_frame(self) -> Any:
        """Return a pandas DataFrame with a row for each item and entry.

        Returns
        -------
        frame : DataFrame
            The columns are "item", "score", "column", "contribution" and "rest".
        """
        n_entries = len(self.columns)
        return import_pandas().DataFrame(
            {
                "item": np.repeat(self.items, n_entries),
                "score": np.repeat(self.scores, n_entries),
                "column": np.tile(self.columns, len(self.items)),
                "contribution": self.contributions.ravel(),
                "rest": np.repeat(self.rest, n_entries),
            }
        )

    def __repr__(self) -> str:
        how = "sums to the score" if self.is_exact else "what the score loses without it"
        lines = [f"Contribution of what the row has: {how}."]
        for item, score, rest in zip(self.items, self.scores, self.rest, strict=True):
            reasons = [f"{column}: {added:+.4f}" for column, added in self.strongest(item)]
            lines.append(f"  item {item}, score {score:.4f}: {', '.join(reasons) or 'none'}")
            lines[-1] += f"; rest {rest:+.4f}"
        return "\n".join(lines)


def explain(
    model: Estimator, X: MatrixLike, items: ArrayLike | None = None, *, n_recommendations: int = 5
) -> "Explanation":
    """Explain the scores of items by what a row has.

    Use it to answer "why this item?", and to see what a model has learned.

    Parameters
    ----------
    model : estimator
        A fitted recommender, or a `Pipeline`, search or `FrozenEstimator` that holds one.
    X : array-like or sparse matrix of shape (1, ...)
        A single row, in the form that `model` reads.
    items : array-like of int or mask of shape (n_items_,), default=None
        The item columns to explain. None explains the best ones.
    n_recommendations : int, default=5
        If `items` is None: how many of the best items to explain.

    Returns
    -------
    explanation : Explanation
        The contributions; ``print(explanation)`` shows the largest.

    See Also
    --------
    trace : Which member of an ensemble added what, and what keeps an item out.
    ExplanationDisplay : Draws the explanation.
    sktransrec.RecommendationService : Explains in ids and names.

    Notes
    -----
    The score of item neighbours, EASE, ridge regression, the graph filter and the transitions of
    histories is linear in the row, once the row is scaled: each entry adds its own part. So it is
    with neighbours by content, where the length of the profile is the scale; with
    ``pooling="max"``, the entry that matches best adds all. In ALS, collective factorisation,
    biased factorisation and `HybridRecommender` over these, the factors of a row solve a linear
    system; as in [1]_, the system is taken as given, and the right-hand side is a sum over the
    entries. `BridgeRecommender` and `ReconstructionRecommender` are exact if their parts are
    linear, as ridge regression and truncated SVD are.

    A vote, a stack and a discount add up standardised scores. If all members are exact, so are
    they: the mean and the deviation of the scores of the row are taken as given. The
    `final_estimator` of a stack must be linear in what it reads, as logistic regression is. Gates
    and switches are explained by the member that serves the row, and a selector by the models of
    the sources that it uses. A `Pipeline` is exact if its steps keep the columns as they are, such
    as scalers and `BM25Transformer`, or if each entry adds its own part to their output, as in
    `TruncatedSVD` and in a selection of columns.

    In all these models the contributions sum to the score, with `rest` as the part that depends on
    no entry, such as an intercept. For any other model, a contribution is the score minus the score
    without the entry. These need not sum to the score; `rest` is the difference. This takes one
    scored row for each entry.

    References
    ----------
    .. [1] Y. Hu, Y. Koren and C. Volinsky, "Collaborative filtering for implicit feedback
       datasets", ICDM 2008, section 5. :doi:`10.1109/ICDM.2008.22`

    Examples
    --------
    >>> import numpy as np
    >>> from sktransrec import EASERecommender
    >>> from sktransrec.inspection import explain
    >>> X = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1], [1, 1, 0, 0]])
    >>> model = EASERecommender(1.0).fit(X)
    >>> explanation = explain(model, [[1, 0, 0, 1]], items=[1])
    >>> explanation.strongest(1)[0][0]
    0
    >>> bool(np.isclose(explanation.contributions.sum(), explanation.scores[0], atol=1e-6))
    True
    """
    check_one_row(X)
    if np.ndim(X) > 2 or is_table(X) or is_content(X):
        raise ValueError(
            "X holds a text, categories or a picture, which have no entries to leave out: pass a "
            "row of numbers or a history, or use trace, which shows what each member adds."
        )
    items = explained_items(model, X, items, n_recommendations)
    scores = scores_by(model, X)[0, items].astype(np.float64)
    exact = score_parts(model, X)
    columns, parts = _left_out(model, X) if exact is None else exact
    contributions = parts[:, items].T
    return Explanation(
        items=items,
        scores=scores,
        columns=columns,
        contributions=contributions,
        rest=scores - contributions.sum(axis=1),
        is_exact=exact is not None,
    )


def check_one_row(X):
    if n_rows_of(X) != 1:
        raise ValueError(f"X has {n_rows_of(X)} rows: pass a single one, such as X[[0]].")


def explained_items(model, X, items, n_recommendations, **filters):
    """Return the columns of the items to explain: those asked for, in order, or the best ones."""
    recommender = recommender_of(model)
    check_is_fitted(recommender)
    n_items = recommender.n_items_
    if items is not None:
        found, given = candidates_of(recommender, items, name="items"), np.asarray(items)
        return found if given.dtype == bool else given.astype(np.intp)
    best, _ = recommend(model, X, n_recommendations=min(n_recommendations, n_items), **filters)
    return best[0][best[0] >= 0]


def _left_out(model, X):
    """Return the columns of the entries of a row, and what the scores lose without each."""
    columns, without = _without_each(model, X)
    if not len(columns):
        return columns, np.empty((0, recommender_of(model).n_items_))
    return columns, scores_by(model, X).astype(np.float64) - scores_by(model, without)


def _without_each(model, X):
    """Return the columns of the entries of a row, and a row without each of them."""
    if reads_histories(model):
        ids = item_ids_of_rows(X, ignores_gaps=ignores_unknown(model))
        ids = padded_at_end(np.where(ids > recommender_of(model).n_items_, 0, ids))
        n_steps = np.count_nonzero(ids)
        rows = np.repeat(ids, n_steps, axis=0)
        rows[np.arange(n_steps), np.arange(n_steps)] = 0
        return ids[0, :n_steps] - 1, framed_like(X, padded_at_end(rows))
    row = check_matrix(X, name="X")
    n_entries = row.nnz
    rows = sp.csr_array(
        (
            np.tile(row.data, n_entries),
            np.tile(row.indices, n_entries),
            n_entries * np.arange(n_entries + 1),
        ),
        shape=(n_entries, row.shape[1]),
    )
    rows.data[(n_entries + 1) * np.arange(n_entries)] = 0
    rows.eliminate_zeros()
    return row.indices.astype(np.intp), framed_like(X, rows)
