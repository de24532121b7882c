# SPDX-License-Identifier: BSD-3-Clause
"""Cheap scores of a source: its overlap with the target, its distance, and a linear probe."""

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, normalize
from sklearn.utils import check_random_state
from sklearn.utils.extmath import randomized_svd

from .._columns import check_order, column_names
from .._numerics._row_totals import row_lengths
from .._typing import Estimator, MatrixLike
from .._validation import COUNT_FROM_2, HasMethods, check_array, validate_params
from ..interactions._target_items import TargetItems
from ..recommenders import RidgeRecommender
from ._comparison import Comparison, side_without
from ._paired import GainEstimate

# Numbers of components: of the row factors that a probe learns from, and of the item factors.
_PROBE_COMPONENTS = 16
_ITEM_COMPONENTS = 8
_N_NEIGHBORS = 10
_MAX_DOMAIN_ROWS = 2000


@dataclass(frozen=True)
class SourceScore:
    """The scores of one source: cheap scores, the gain by cross-validation, and its weight.

    Attributes
    ----------
    name : str
        The name of the source.
    n_columns : int
        Number of columns of X that belong to it.
    overlap : float
        The number of rows with interactions in both the source and the target (those to find), as
        a share of the rows with interactions in at least one of them (Jaccard).
    distance : float
        The :func:`proxy_a_distance` between the items of the source and those of the target. Both
        are described by the rows that have them. NaN if there are too few items.
    probe : float
        The mean gain over popularity of ridge regression from 16 factors of the rows; NaN if there
        is nothing to find.
    gain : GainEstimate or None
        The gain of the recommender with this source, without cross-listed items; None if the
        source is not on the shortlist.
    weight : float
        The weight of the source in the recommendations; 0 if it is not used.

    See Also
    --------
    SourceSelectorRecommender : Computes these scores.
    """

    name: str
    n_columns: int
    overlap: float
    distance: float
    probe: float
    gain: GainEstimate | None
    weight: float


@validate_params(
    {
        "classifier": [None, HasMethods(["fit", "predict"])],
        "cv": COUNT_FROM_2,
        "random_state": ["random_state"],
    }
)
def proxy_a_distance(
    X_source: MatrixLike,
    X_target: MatrixLike,
    *,
    classifier: Estimator | None = None,
    cv: int = 5,
    random_state: int | np.random.RandomState | None = None,
) -> float:
    r"""Measure how different the features of two domains are, by a classifier between them.

    Use it to see whether the features need an aligner. It does not tell whether a source helps:
    measure that with `transfer_gain`.

    Parameters
    ----------
    X_source : {array-like, sparse matrix} of shape (n_source_rows, n_features)
        Rows of the source.
    X_target : {array-like, sparse matrix} of shape (n_target_rows, n_features)
        Rows of the target, with the same features.
    classifier : estimator, default=None
        The classifier between the domains. None standardises the features and uses the 10 nearest
        neighbours, which see more than a difference of means.
    cv : int, default=5
        Number of cross-validation folds, 2 or more.
    random_state : int, RandomState instance or None, default=None
        Draws rows and shuffles them. Pass an int for the same result every time.

    Returns
    -------
    distance : float
        From 0 (the classifier is no better than chance) to 2 (it is always right).

    See Also
    --------
    CORALAligner : Makes the distance smaller, as do the other aligners.
    SourceSelectorRecommender : Reports the distance of each source.

    Notes
    -----
    The distance is :math:`\max(0, 2 (1 - 2 \epsilon))`, where :math:`\epsilon` is the error of the
    classifier on held-out rows [1]_. The same number of rows is drawn from both domains, at most
    2000, so that chance is 1/2.

    A small distance does not prove that the source helps, and a large one does not prove that it
    does not help: the distance ignores what the rows like.

    References
    ----------
    .. [1] S. Ben-David, J. Blitzer, K. Crammer and F. Pereira, "Analysis of representations for
       domain adaptation", NIPS 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from sktransrec.evaluation import proxy_a_distance
    >>> X = np.random.RandomState(0).standard_normal((200, 3))
    >>> proxy_a_distance(X[:100], X[100:], random_state=0) < 0.3
    True
    >>> proxy_a_distance(X[:100], X[100:] + 9, random_state=0)
    2.0
    """
    names = column_names(X_target)
    check_order(column_names(X_source), names, name="X_target", of="X_source has")
    X_source, X_target = (
        check_array(X, accept_sparse="csr", input_name=name)
        for X, name in ((X_source, "X_source"), (X_target, "X_target"))
    )
    if X_source.shape[1] != X_target.shape[1]:
        raise ValueError(
            f"X_source has {X_source.shape[1]} features and X_target {X_target.shape[1]}: pass "
            "rows of both domains with the same features."
        )
    n_rows = min(X_source.shape[0], X_target.shape[0], _MAX_DOMAIN_ROWS)
    if n_rows < cv:
        raise ValueError(
            f"The smaller domain has {n_rows} rows, fewer than the cv={cv} folds: pass more rows."
        )
    random_state = check_random_state(random_state)
    drawn = [
        X[np.sort(random_state.choice(X.shape[0], n_rows, replace=False))]
        for X in (X_source, X_target)
    ]
    stack = sp.vstack if any(map(sp.issparse, drawn)) else np.vstack
    domain = np.repeat([1, -1], n_rows)
    folds = StratifiedKFold(cv, shuffle=True, random_state=random_state)
    if classifier is None:
        classifier = _neighbors(2 * n_rows * (cv - 1) // cv)
    predicted = cross_val_predict(classifier, stack(drawn), domain, cv=folds)
    return max(0.0, 4 * float(balanced_accuracy_score(domain, predicted)) - 2)


def _neighbors(n_rows):
    """Return a classifier by nearest neighbours, for so many training rows."""
    from sklearn.neighbors import KNeighborsClassifier  # slow to import

    return make_pipeline(
        StandardScaler(with_mean=False).set_output(transform="default"),
        KNeighborsClassifier(min(_N_NEIGHBORS, n_rows)),
    )


def row_overlap(X, y):
    """Return the Jaccard similarity of the rows with values in X and those with values in y."""
    has_source, has_target = (row_lengths(sp.csr_array(Z != 0)) > 0 for Z in (X, y > 0))
    either = np.count_nonzero(has_source | has_target)
    return float(np.count_nonzero(has_source & has_target) / either) if either else 0.0


def column_distance(X, y, random_state):
    """Return the distance between the columns of X and of y, described by their rows."""
    columns = [_described(Z) for Z in (X, y)]
    n_columns = [Z.shape[1] for Z in columns]
    if min(n_columns) < 5:
        return np.nan
    both = sp.hstack(columns, format="csr")
    factors = _column_factors(both, random_state)
    return proxy_a_distance(*np.split(factors, [n_columns[0]]), random_state=random_state)


def probe_gain(X, y, folds, metric, k, random_state):
    """Return the mean gain over popularity of ridge regression from the factors of the rows."""
    factors = _row_factors(X, random_state)
    target = TargetItems(y.shape[1], np.empty(0, dtype=np.intp))
    without = side_without(None, factors, y, target)
    comparison = Comparison.of(RidgeRecommender(), without, factors, y, target)
    comparison = replace(comparison, source=None)  # no column of a factor is an item
    scores, _ = comparison.row_scores(folds, metric, k, n_jobs=None)
    gains = scores[:, 0] - scores[:, 1]
    return float(np.nanmean(gains)) if not np.isnan(gains).all() else np.nan


def decision_in_words(scores, gain, metric):
    """Return which sources are used and why, with a table of the scores, as a text."""
    width = max(len("source"), *(len(score.name) for score in scores))
    lines = [
        f"{metric} of the rows held out, without the source -> with it:",
        f"  {'source':{width}}  overlap  distance    probe  weight  finding          gain",
    ]
    for score in scores:
        lines.append(
            f"  {score.name:{width}}  {score.overlap:7.0%}  {score.distance:8.2f}  "
            f"{score.probe:+7.4f}  {score.weight:6.2f}  {_finding(score):15}  {score.gain or ''}"
        )
    used = [score.name for score in scores if score.weight]
    if used:
        lines += [f"Used: {', '.join(used)}.", f"  {gain.clean}"]
    else:
        lines.append("Used: no source, as no interval excludes harm.")
    return "\n".join(line.rstrip() for line in lines)


def _finding(score):
    if score.gain is None:
        return "not shortlisted"
    if score.gain.verdict == "helps" and not score.weight:
        return "adds nothing"
    return score.gain.verdict


def _described(X):
    """Return the columns of X that are not empty, at unit length."""
    X = sp.csc_array(X)
    X = X[:, row_lengths(X) > 0]
    return normalize(X, axis=0) if X.shape[1] else X


def _column_factors(X, random_state):
    """Return the main components of each column of X, at unit length."""
    n_components = min(_ITEM_COMPONENTS, *X.shape)
    _, scales, components = randomized_svd(X, n_components, random_state=random_state)
    return normalize(components.T * scales)


def _row_factors(X, random_state):
    """Return the main components of each row of X, with a mean square of 1."""
    n_components = min(_PROBE_COMPONENTS, *X.shape)
    factors, scales, _ = randomized_svd(X, n_components, random_state=random_state)
    factors = (factors * scales).astype(np.float32)
    return factors / (np.sqrt((factors**2).mean()) or 1)
