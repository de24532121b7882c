# SPDX-License-Identifier: BSD-3-Clause
"""Measure how much a source helps with few training rows and with many."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from .._typing import Estimator, MatrixLike
from .._validation import COUNT, HOLDOUT, N_JOBS, StrOptions, validate_params
from ..metrics._table import METRICS
from ._gain import n_training_rows, shuffled_folds
from ._paired import n_effective_rows, paired_errors
from ._served_rows import ServedRows


@dataclass(frozen=True, eq=False, repr=False)
class TransferLearningCurve:
    """The result of `transfer_learning_curve`: scores of models by number of training rows.

    Attributes
    ----------
    metric : str
        The metric, such as "NDCG@10".
    train_sizes : ndarray of shape (n_sizes,)
        The numbers of training rows.
    scores : dict of str to ndarray of shape (n_sizes, n_rows)
        The score of each row, for each model and size; NaN if the row has nothing to find.
    n_train : float
        The mean number of rows with target items in a training fold.

    See Also
    --------
    transfer_learning_curve : Measures the curve.
    """

    metric: str
    train_sizes: np.ndarray
    scores: dict
    n_train: float

    @property
    def means(self) -> dict[str, Any]:
        """The mean score over the rows for each model, of shape (n_sizes,)."""
        return {name: np.nanmean(scores, axis=1) for name, scores in self.scores.items()}

    @property
    def errors(self) -> dict[str, Any]:
        """The standard errors of the means, over draws of the rows."""
        return {name: self._errors(scores) for name, scores in self.scores.items()}

    @property
    def paired_errors(self) -> dict[str, Any]:
        """The standard errors of the means without what all models share, for pictures."""
        of_sizes = [
            paired_errors(dict(zip(self.scores, of_size, strict=True)), self.n_train)
            for of_size in zip(*self.scores.values(), strict=True)
        ]
        return {name: np.array([errors[name] for errors in of_sizes]) for name in self.scores}

    def _errors(self, scores):
        n_rows = n_effective_rows((~np.isnan(scores)).sum(axis=1), self.n_train)
        return np.nanstd(scores, axis=1, ddof=1) / np.sqrt(n_rows)

    def __repr__(self) -> str:
        width = max(map(len, ["rows", *self.scores]))
        lines = [f"{'rows':{width}}  " + "".join(f"{size:>17}" for size in self.train_sizes)]
        for name, means in self.means.items():
            pairs = zip(means, self.errors[name], strict=True)
            cells = "".join(f"{f'{mean:.4f} ± {error:.4f}':>17}" for mean, error in pairs)
            lines.append(f"{name:{width}}  {cells}")
        return "\n".join([f"{self.metric} ± standard error", *lines])


@validate_params(
    {
        "estimators": [dict],
        "train_sizes": ["array-like"],
        "cv": ["cv_object"],
        "holdout": HOLDOUT,
        "metric": [StrOptions(set(METRICS))],
        "k": COUNT,
        "n_jobs": N_JOBS,
        "random_state": ["random_state"],
    }
)
def transfer_learning_curve(
    estimators: dict[str, Estimator | None],
    X: MatrixLike,
    y: MatrixLike | None = None,
    *,
    target_columns: ArrayLike | slice | None = None,
    train_sizes: ArrayLike = (0.1, 0.2, 0.5, 1.0),
    cv: Any = 5,
    holdout: float = 0.2,
    metric: str = "ndcg",
    k: int = 10,
    n_jobs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> "TransferLearningCurve":
    """Measure with how many training rows a source still helps.

    Use it to see how much data the target needs before a model from scratch is as good as one
    with a source. Whole rows are held out: each row is served by models that were fitted on a part
    of the other folds, the same part for all models. A source should help most with few training
    rows.

    Parameters
    ----------
    estimators : dict of str to estimator or None
        Recommenders by name, such as one that starts from scratch and one that fine-tunes a
        `pretrained` network. A search chooses its parameters anew for each number of rows. None
        means the popularity of the items among the training rows, y included.
    X : array-like or sparse matrix of shape (n_rows, ...), or AlignedDomains
        What is known about the rows. What `align_domains` returns stands for its `X_source` and
        `X_target` as X and y.
    y : {array-like, sparse matrix} of shape (n_rows, n_items), default=None
        The interactions to find, which X must not hold; supervised models learn from y as well. For
        histories, y may hold the ids of the next items. If y is None, the items are the columns of
        X, and a part of each held-out row is hidden and looked for.
    target_columns : array-like of int, mask of shape (n_features,) or slice, default=None
        The columns of X that hold the target items, in ascending order, if X holds a source as
        well. They have the same effect, and None the same meaning, as in
        :func:`sktransrec.compare`.
    train_sizes : array-like of int or float, default=(0.1, 0.2, 0.5, 1.0)
        Numbers of training rows, or shares of the smallest training fold.
    cv : int, cross-validation splitter or iterable, default=5
        How to hold rows out. An int shuffles the rows into that many folds.
    holdout : float or int, default=0.2
        If y is None, how many interactions of each held-out row to hide and look for: a share
        (between 0 and 1) or a count (1 or more). Of a history, the latest ones.
    metric : str, default="ndcg"
        The metric to measure, on the best `k` items of each row: "average_precision", "f1",
        "hit_rate", "ndcg", "precision", "recall" or "reciprocal_rank".
    k : int, default=10
        Number of items recommended to each row.
    n_jobs : int, default=None
        Number of fits to run at a time, as in scikit-learn.
    random_state : int, RandomState instance or None, default=None
        Shuffles the rows and hides interactions. Pass an int for the same result.

    Returns
    -------
    curve : TransferLearningCurve
        The score of each row for each model and size; ``print(curve)`` shows the means.

    See Also
    --------
    transfer_gain : Compares two models that learn from all rows.
    sktransrec.inspection.TransferLearningCurveDisplay : Draws the result.
    sklearn.model_selection.learning_curve : The same for one model with a dense y.

    Notes
    -----
    Larger samples of a fold contain the smaller ones. All sizes and models are scored on the same
    rows and the same hidden interactions. The standard errors count the draw of the held-out rows
    and that of the training rows, as in :func:`transfer_gain`. They use the same formula for all
    sizes: models with few training rows vary more, but models of different folds then have fewer
    rows in common. As all models are scored on the same rows, the error of a difference is mostly
    smaller than that of the means.

    The cost is that of ``len(estimators) * len(train_sizes) * n_folds`` fits.

    Examples
    --------
    >>> from sktransrec import RidgeRecommender, transfer_learning_curve
    >>> from sktransrec.datasets import make_cross_domain
    >>> domains = make_cross_domain(random_state=0)
    >>> curve = transfer_learning_curve(
    ...     {"transfer": RidgeRecommender(100.0), "popularity": None},
    ...     *(domains.X_source, domains.Y_target),
    ...     train_sizes=[20, 320],
    ...     random_state=0,
    ... )
    >>> bool(curve.means["transfer"][1] > curve.means["popularity"][1])
    True
    """
    if not estimators:
        raise ValueError("estimators is empty: pass at least one recommender by name.")
    random_state = check_random_state(random_state)
    served = ServedRows.of(
        X, y, estimators, holdout=holdout, random_state=random_state, target_columns=target_columns
    )
    folds = shuffled_folds(cv, served.y, random_state)
    sizes = _numbers_of_rows(train_sizes, min(len(rows) for rows, _ in folds))
    samples = [(random_state.permutation(rows), held_out) for rows, held_out in folds]
    fits = [
        (name, i, rows[:size], held_out)
        for name in estimators
        for rows, held_out in samples
        for i, size in enumerate(sizes)
    ]
    n_ranked = min(k, served.y.shape[1])
    measure = partial(METRICS[metric].function, k=n_ranked, per_row=True)
    results = Parallel(n_jobs=n_jobs)(
        delayed(_row_scores)(served, estimators[name], rows, held_out, measure, n_ranked)
        for name, _, rows, held_out in fits
    )
    scores = {name: np.full((len(sizes), served.n_rows), np.nan) for name in estimators}
    for (name, i, _, held_out), result in zip(fits, results, strict=True):
        scores[name][i, held_out] = result
    return TransferLearningCurve(
        metric=f"{METRICS[metric].label}@{k}",
        train_sizes=sizes,
        scores=scores,
        n_train=n_training_rows(folds, served.tells_of_target),
    )


def _row_scores(served, model, rows, held_out, measure, k):
    """Return the scores of the held-out rows by a model that is fitted on other rows."""
    fitted = served.fitted(model, rows)
    items = served.ranking(model, fitted, held_out, k)
    return measure(served.wanted_by(held_out), items)


def _numbers_of_rows(train_sizes, n_rows):
    """Return the sizes as increasing numbers of rows, at most `n_rows` each."""
    sizes = np.asarray(train_sizes)
    if sizes.dtype.kind == "f" and sizes.size and sizes.min() > 0 and sizes.max() <= 1:
        sizes = np.ceil(sizes * n_rows).astype(np.intp)
    if sizes.dtype.kind not in "iu" or sizes.ndim != 1 or not sizes.size:
        raise ValueError(
            "train_sizes must hold integers from 1 on, or shares above 0 and up to 1; got "
            f"{train_sizes!r}."
        )
    if sizes.min() < 1 or sizes.max() > n_rows:
        raise ValueError(
            f"train_sizes must lie between 1 and {n_rows}, the number of rows of the smallest "
            f"training fold; got {train_sizes!r}."
        )
    return np.unique(sizes)
