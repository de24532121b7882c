# SPDX-License-Identifier: BSD-3-Clause
"""Compare several models on the same rows: scores, differences with intervals, and cost."""

import html
import threading
import time
import tracemalloc
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from .._extras import import_pandas
from .._typing import Estimator, MatrixLike
from .._validation import BETWEEN_0_AND_1, COUNT, HOLDOUT, N_JOBS, StrOptions, validate_params
from .._wrapping import is_supervised
from ..metrics._buckets import aligned
from ..metrics._scorer import listed
from ..metrics._table import BEYOND_ACCURACY, METRICS
from ._gain import n_training_rows, shuffled_folds
from ._paired import PairedDifference, holm_differences, paired_errors, standard_error
from ._served_rows import ServedRows

_PER_ROW = METRICS | {name: BEYOND_ACCURACY[name] for name in ("novelty", "serendipity")}
_OF_FOLDS = {name: BEYOND_ACCURACY[name] for name in ("coverage", "gini")}
_ALL = _PER_ROW | _OF_FOLDS
_SIGNS = {metric.label: metric.sign for metric in _ALL.values()}
_POPULARITY = "popularity"

_MEASURE = threading.Lock()


@dataclass(frozen=True, eq=False, repr=False)
class ModelComparison:
    """The result of `compare`: scores of several models on the same rows, and what they cost.

    ``print(comparison)`` shows a table, a notebook shows it as HTML, and `to_frame` returns a
    DataFrame.

    Attributes
    ----------
    baseline : str
        The name of the model that the others are compared with.
    scores : dict of str to dict of str to ndarray
        For each metric, such as "NDCG@10", and each model: the score of each row, of shape
        (n_rows,), NaN where a row has nothing to find. Coverage and Gini have no score of a row,
        but one of each fold, of shape (n_folds,).
    fit_seconds, recommend_seconds : dict of str to ndarray of shape (n_folds,)
        The time of each model and fold, by the clock.
    peak_mib : dict of str to ndarray of shape (n_folds,)
        The most memory that Python and NumPy had allocated at a time, in MiB; NaN if it was not
        measured.
    errors : dict of str to str
        What went wrong in a model. Such a model has NaN scores in the folds concerned and no
        difference.
    n_train : float
        The mean number of training rows that have target items; infinite if the rows that are
        served are the ones that were learned from.
    confidence_level : float
        The level at which the intervals of all models hold together.

    See Also
    --------
    compare : Makes it.
    sktransrec.inspection.ModelComparisonDisplay : Draws it.
    """

    baseline: str
    scores: dict
    fit_seconds: dict
    recommend_seconds: dict
    peak_mib: dict
    errors: dict
    n_train: float
    confidence_level: float

    @property
    def models(self) -> list[str]:
        """The names of the models, in their order."""
        return list(self.fit_seconds)

    @property
    def metrics(self) -> list[str]:
        """The metrics, such as "NDCG@10"."""
        return list(self.scores)

    @property
    def means(self) -> dict[str, Any]:
        """The mean score for each metric and model."""
        return {
            metric: {name: _mean(values) for name, values in by_model.items()}
            for metric, by_model in self.scores.items()
        }

    @property
    def standard_errors(self) -> dict[str, Any]:
        """The standard error of each mean, over draws of the rows; NaN for coverage and Gini."""
        return {
            metric: {name: self._error(metric, values) for name, values in by_model.items()}
            for metric, by_model in self.scores.items()
        }

    def paired_errors(self, metric: str | None = None) -> dict[str, float]:
        """Return the standard errors of the means without what all models share.

        They suit pictures: models that differ clearly have bars that do not overlap, because all
        models serve the same rows. The scores of each row are taken relative to their mean over the
        models (Morey, 2008).

        Parameters
        ----------
        metric : str, default=None
            One of `metrics`; None is the first one.

        Returns
        -------
        errors : dict of str to float
            NaN for coverage and Gini, which have no score of a row, and for models that failed.
        """
        metric = self.label_of(metric)
        errors = dict.fromkeys(self.models, np.nan)
        if not self._has_rows(metric):
            return errors
        scores = self.scores[metric]
        sound = {name: scores[name] for name in self.models if name not in self.errors}
        return errors | (paired_errors(sound, self.n_train) if sound else {})

    def differences(self, metric: str | None = None) -> dict[str, PairedDifference]:
        """Return how much better each model is than the baseline.

        Parameters
        ----------
        metric : str, default=None
            One of `metrics` that has a score of each row; None is the first one.

        Returns
        -------
        differences : dict of str to PairedDifference
            One for each other model without errors.
        """
        metric = self.label_of(metric)
        if not self._has_rows(metric):
            raise ValueError(f"{metric!r} has no score of a row, so there is no paired difference.")
        if self.baseline in self.errors:
            raise ValueError(f"The baseline has failed: {self.errors[self.baseline]}")
        by_model = self.scores[metric]
        others = [name for name in self.models if name not in {self.baseline, *self.errors}]
        return holm_differences(
            {name: by_model[name] for name in others},
            by_model[self.baseline],
            n_train=self.n_train,
            confidence_level=self.confidence_level,
        )

    def label_of(self, metric: str | None = None) -> str:
        """Return the name of a metric as it stands in `metrics`.

        Parameters
        ----------
        metric : str, default=None
            The name in upper or lower case, such as "ndcg@10"; None is the first one.

        Returns
        -------
        label : str
        """
        if metric is None:
            return self.metrics[0]
        named = [label for label in self.metrics if label.lower() == str(metric).lower()]
        if not named:
            raise ValueError(f"metric={metric!r} is not one of: {', '.join(self.metrics)}.")
        return named[0]

    def to_frame(self) -> Any:
        """Return a pandas DataFrame with a row for each model.

        Returns
        -------
        frame : DataFrame
            Columns: for each metric its mean, "error" (standard error), "difference" to the
            baseline, "low" and "high" (the interval of the difference) and "p_value"; then
            "fit seconds", "recommend seconds", "peak MiB" and "failure". The columns have two
            levels.
        """
        columns = {
            (metric, name): values
            for metric in self.metrics
            for name, values in self._columns_of(metric).items()
        }
        columns["cost", "fit seconds"] = [self.fit_seconds[name].mean() for name in self.models]
        columns["cost", "recommend seconds"] = [
            self.recommend_seconds[name].mean() for name in self.models
        ]
        columns["cost", "peak MiB"] = [self.peak_mib[name].max() for name in self.models]
        columns["cost", "failure"] = [self.errors.get(name, "") for name in self.models]
        frame = import_pandas().DataFrame(columns, index=self.models)
        frame.index.name = "model"
        return frame

    def _columns_of(self, metric):
        """Return the columns of a metric, with a value for each model."""
        by_model = self.scores[metric]
        columns = {
            "mean": [_mean(by_model[name]) for name in self.models],
            "error": [self._error(metric, by_model[name]) for name in self.models],
        }
        if self._has_differences(metric):
            unknown = PairedDifference(np.nan, (np.nan, np.nan), np.nan)
            differences = self.differences(metric)
            found = [differences.get(name, unknown) for name in self.models]
            columns["difference"] = [one.difference for one in found]
            columns["low"], columns["high"] = zip(*(one.interval for one in found), strict=True)
            columns["p_value"] = [one.p_value for one in found]
        return columns

    def __repr__(self) -> str:
        return "\n".join([*aligned(list(self._cells())), *self._remarks()])

    def _repr_html_(self):
        head, *rows = [[html.escape(cell) for cell in cells] for cells in self._cells()]
        table = "".join(
            f"<tr><th style='text-align:left'>{cells[0]}</th>"
            + "".join(f"<td>{cell}</td>" for cell in cells[1:])
            + "</tr>"
            for cells in rows
        )
        titles = "".join(f"<th>{cell}</th>" for cell in head)
        remarks = "".join(f"<p>{html.escape(remark)}</p>" for remark in self._remarks())
        return f"<table><thead><tr>{titles}</tr></thead><tbody>{table}</tbody></table>{remarks}"

    def _cells(self):
        """Yield the texts of the table: the head, then a row for each model, best first."""
        first = self.metrics[0]
        means, errors = self.means, self.standard_errors
        differences = self.differences(first) if self._has_differences(first) else {}
        sign = _SIGNS[first.partition("@")[0]]
        best_first = sorted(
            self.models, key=lambda name: np.nan_to_num(-sign * means[first][name], nan=np.inf)
        )
        yield ["model", *self.metrics, f"{first} - {self.baseline}", "fit s", "recommend s"]
        for name in best_first:
            figures = [_with_error(means[m][name], errors[m][name]) for m in self.metrics]
            costs = [self.fit_seconds[name].mean(), self.recommend_seconds[name].mean()]
            times = [f"{seconds:.2f}" for seconds in costs]
            yield [name, *figures, _in_words(differences.get(name)), *times]

    def _has_differences(self, metric):
        return self._has_rows(metric) and self.baseline not in self.errors

    def _remarks(self):
        level = f"{self.confidence_level:.0%}"
        yield f"± standard error; [low, high]: {level} intervals that hold for all models together."
        for name, error in self.errors.items():
            yield f"{name} failed: {error}"

    def _has_rows(self, metric):
        return metric.partition("@")[0] not in {each.label for each in _OF_FOLDS.values()}

    def _error(self, metric, values):
        values = values[~np.isnan(values)]
        if not self._has_rows(metric) or len(values) < 2:
            return np.nan
        return float(standard_error(values, self.n_train))


@validate_params(
    {
        "models": [dict],
        "metrics": [StrOptions(set(_ALL)), list, tuple],
        "k": [*COUNT, list, tuple],
        "cv": ["cv_object", StrOptions({"known"})],
        "holdout": HOLDOUT,
        "baseline": [str, None],
        "confidence_level": BETWEEN_0_AND_1,
        "memory": ["boolean"],
        "n_jobs": N_JOBS,
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }
)
def compare(
    models: dict[str, Estimator | None],
    X: MatrixLike,
    y: MatrixLike | None = None,
    *,
    target_columns: ArrayLike | slice | None = None,
    metrics: str | list[str] = "ndcg",
    k: int | list[int] = 10,
    cv: Any = 5,
    holdout: float = 0.2,
    baseline: str | None = None,
    confidence_level: float = 0.95,
    memory: bool = False,
    n_jobs: int | None = None,
    random_state: int | np.random.RandomState | None = None,
    verbose: int = 0,
) -> "ModelComparison":
    """Compare several recommenders on the same rows, with intervals of the differences.

    Use it to choose among models and to report the choice. To choose the parameters of one model,
    use a search of scikit-learn; a search may be one of the models here.

    Parameters
    ----------
    models : dict of str to estimator or None
        Recommenders by name, or `Pipeline` or search that hold one. None is the popularity of the
        items among the training rows, y included. If no model is None, it is added as "popularity".
    X : array-like or sparse matrix of shape (n_rows, ...), or AlignedDomains
        What is known about the rows. If it holds histories and some models read these, the others
        get a matrix of the items in them. What `align_domains` returns stands for its `X_source`
        and `X_target` as X and y.
    y : {array-like, sparse matrix} of shape (n_rows, n_items), default=None
        The interactions to find, which X must not hold; supervised models learn from y as well. For
        histories, y may hold the ids of the next items. If y is None, the items are the columns of
        X, and a part of each row that is served is hidden and looked for.
    target_columns : array-like of int, mask of shape (n_features,) or slice, default=None
        The columns of X that hold the target items, in ascending order, if X holds a source as
        well. Only these items are hidden, recommended and found. No row is recommended an item
        that it already has there, by any model. None means all columns of X if all models learn
        from X alone, or if one does and X has as many columns as y. Otherwise it means no columns:
        pass them if only some of the models find the target items in X, such as a model of two
        domains with target columns of its own.
    metrics : str or list of str, default="ndcg"
        The metrics of the best `k` items of each row: "average_precision", "f1", "hit_rate",
        "ndcg", "precision", "recall", "reciprocal_rank", "novelty", "serendipity", "coverage" and
        "gini". The first one orders the table.
    k : int or list of int, default=10
        Number of items recommended to each row.
    cv : int, cross-validation splitter, iterable, protocol or "known", default=5
        How to hold rows out. The models meet the rows that they serve for the first time, as new
        users. An int shuffles the rows into that many folds. "known" fits once, on what is known
        of all rows, and serves the same rows; if `y` holds what came later, this is the usual
        split by time. The protocols of :mod:`sktransrec.evaluation`, such as `KShot` and
        `ColdItems`, also say what is known and what to find if `y` is None.
    holdout : float or int, default=0.2
        If y is None, how many interactions of each row to hide and look for: a share (between 0
        and 1) or a count (1 or more). Of a history, the latest ones.
    baseline : str, default=None
        The name of the model that the others are compared with; None is the popularity.
    confidence_level : float, default=0.95
        The level at which the intervals of all models hold together, for each metric.
    memory : bool, default=False
        Whether to measure the peak of allocated memory, which makes Python code slower. In threads,
        models then run one after another.
    n_jobs : int, default=None
        Number of fits to run at a time, as in scikit-learn. Times are then less exact.
    random_state : int, RandomState instance or None, default=None
        Shuffles the rows and hides interactions. Pass an int for the same result.
    verbose : int, default=0
        Whether to show a progress bar over models and folds.

    Returns
    -------
    comparison : ModelComparison
        The scores, times and failures; ``print(comparison)`` shows a table.

    See Also
    --------
    sktransrec.evaluation.NewUsers : The first of the protocols, each of which says what it leaks.
    transfer_gain : Compares a model with a source to one without, leaving out cross-listed items.
    transfer_learning_curve : Compares models that learn from more and more rows.
    ranking_scorer : The metrics as a scorer for searches.
    sktransrec.inspection.ModelComparisonDisplay : Draws the result.

    Notes
    -----
    All models are scored on the same rows and interactions, so a difference is paired: its variance
    is that of the differences of the rows. It counts the draw of the training rows as well, as in
    :func:`transfer_gain`. The intervals and p-values of the models are corrected by Holm's
    step-down method [1]_, for each metric by itself.

    If a model fails in a fold, the others go on; `errors` has the message.

    References
    ----------
    .. [1] S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal
       of Statistics 6(2), 1979.

    Examples
    --------
    >>> from sktransrec import EASERecommender, ItemKNNRecommender, compare
    >>> from sktransrec.datasets import make_cross_domain
    >>> X = make_cross_domain(200, 60, random_state=0).X_source
    >>> models = {"EASE": EASERecommender(), "neighbours": ItemKNNRecommender()}
    >>> comparison = compare(models, X, metrics=["ndcg", "coverage"], random_state=0)
    >>> comparison.models
    ['EASE', 'neighbours', 'popularity']
    >>> low, high = comparison.differences()["EASE"].interval
    >>> bool(low > 0)
    True
    """
    random_state = check_random_state(random_state)
    from tqdm.auto import tqdm

    models, baseline = _with_baseline(models, baseline)
    names, ks = listed(metrics, name="metrics", allowed=sorted(_ALL)), listed(k, name="k")
    served = ServedRows.of(
        X,
        y,
        models,
        holdout=holdout,
        random_state=random_state,
        target_columns=target_columns,
        protocol=cv,
    )
    folds = _folds(cv, served, models, random_state)
    popularity = _popularity(served, folds, names)
    tasks = [(name, fold) for name in models for fold in range(len(folds))]
    results = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_fold_result)(
            served, models[name], *folds[fold], popularity[fold], names, ks, memory
        )
        for name, fold in tasks
    )
    progress = tqdm(results, total=len(tasks), desc="models x folds", disable=not verbose)
    results = dict(zip(tasks, progress, strict=True))
    of_model = {name: [results[name, fold] for fold in range(len(folds))] for name in models}
    return ModelComparison(
        baseline=baseline,
        scores=_scores(of_model, folds, served.n_rows, names, ks),
        fit_seconds=_costs(of_model, "fit"),
        recommend_seconds=_costs(of_model, "recommend"),
        peak_mib=_costs(of_model, "mib"),
        errors=_first_errors(of_model),
        n_train=np.inf if _is_known(cv) else n_training_rows(folds, served.tells_of_target),
        confidence_level=confidence_level,
    )


def _with_baseline(models, baseline):
    """Return the models, popularity among them, and the name of the baseline."""
    if not models:
        raise ValueError("models is empty: pass at least one recommender by name.")
    models = dict(models)
    if None not in models.values():
        if _POPULARITY in models:
            raise ValueError(
                f"The name {_POPULARITY!r} in models is that of the popularity of the items, which "
                "is added: call the model something else."
            )
        models[_POPULARITY] = None
    if baseline is None:
        popular = [name for name, model in models.items() if model is None]
        baseline = [*popular, _POPULARITY][0]
    if baseline not in models:
        raise ValueError(f"baseline={baseline!r} is not one of: {', '.join(models)}.")
    return models, baseline


def _is_known(cv):
    return isinstance(cv, str) or getattr(cv, "serves_known_rows", False)


def _folds(cv, served, models, random_state):
    if not _is_known(cv):
        return shuffled_folds(cv, served.y, random_state)
    learners = [n for n, model in models.items() if model is not None and is_supervised(model)]
    if learners:
        raise ValueError(
            f"cv={cv!r} would let {learners[0]!r} learn from the y that it should find: "
            "pass a number of folds."
        )
    return [(None, np.arange(served.n_rows))]


def _popularity(served, folds, names):
    """Return that of the training rows of each fold, None where no metric needs it."""
    if not any("popularity" in _ALL[name].needs for name in names):
        return [None] * len(folds)
    # All models are novel by the same measure.
    return [served.target.popularity(served.fitted(None, rows)) for rows, _ in folds]


@contextmanager
def _measured_memory(result):
    """Keep the peak of allocated memory; folds in threads wait, since they share the measure."""
    with _MEASURE:
        was_tracing = tracemalloc.is_tracing()
        tracemalloc.start()
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        yield
        result["mib"] = (tracemalloc.get_traced_memory()[1] - before) / 2**20
        if not was_tracing:
            tracemalloc.stop()


def _fold_result(served, model, training_rows, held_out, popularity, names, ks, memory):
    """Return the scores and the cost of a model in a fold, or the message of its error."""
    result = {"scores": {}, "fit": np.nan, "recommend": np.nan, "mib": np.nan, "error": ""}
    with _measured_memory(result) if memory else nullcontext():
        _serve(result, served, model, training_rows, held_out, popularity, names, ks)
    return result


def _serve(result, served, model, training_rows, held_out, popularity, names, ks):
    """Add the scores and the seconds of a model in a fold, or the message of its error."""
    try:
        start = time.perf_counter()
        fitted = served.fitted(model, training_rows)
        result["fit"] = time.perf_counter() - start
        n_items = served.target.n_items
        start = time.perf_counter()
        items = served.ranking(model, fitted, held_out, min(max(ks), n_items))
        result["recommend"] = time.perf_counter() - start
        facts = {
            "y_true": served.wanted_by(held_out),
            "items": items,
            "n_items": n_items,
            "popularity": popularity,
        }
        result["scores"] = {(n, k): _score(n, facts, min(k, n_items)) for n in names for k in ks}
    # One model that fails must not lose the results of the others.
    except Exception as error:
        result["error"] = f"{type(error).__name__}: {error}"


def _score(name, facts, k):
    metric = _ALL[name]
    arguments = [facts[need] for need in metric.needs]
    return metric.function(*arguments, k, **({"per_row": True} if name in _PER_ROW else {}))


def _scores(of_model, folds, n_rows, names, ks):
    """Return the scores for each metric and model, of the rows or of the folds."""
    return {
        f"{_ALL[name].label}@{k}": {
            model: _joined([r["scores"].get((name, k)) for r in found], name, folds, n_rows)
            for model, found in of_model.items()
        }
        for name in names
        for k in ks
    }


def _joined(of_folds, name, folds, n_rows):
    if name in _OF_FOLDS:
        return np.array([np.nan if value is None else value for value in of_folds])
    joined = np.full(n_rows, np.nan)
    for (_, held_out), values in zip(folds, of_folds, strict=True):
        if values is not None:
            joined[held_out] = values
    return joined


def _first_errors(of_model):
    """Return the message of the first error of each model that has one."""
    errors = {name: [r["error"] for r in found if r["error"]] for name, found in of_model.items()}
    return {name: messages[0] for name, messages in errors.items() if messages}


def _costs(of_model, key):
    return {name: np.array([r[key] for r in found]) for name, found in of_model.items()}


def _mean(values):
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else np.nan


def _with_error(mean, error):
    return f"{mean:.4f}" if np.isnan(error) else f"{mean:.4f} ± {error:.4f}"


def _in_words(found):
    if found is None:
        return ""
    low, high = found.interval
    return f"{found.difference:+.4f} [{low:+.4f}, {high:+.4f}]"
