# SPDX-License-Identifier: BSD-3-Clause
"""Encode, fit and recommend on the workers of Dask."""

import copy
import functools
import operator
import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone

from ._columns import column_names
from ._extras import asks_to_install
from ._ids import positions
from ._recommend import n_rows_of, recommend
from ._typing import Estimator
from ._wrapping import as_matrix
from .interactions import InteractionEncoder
from .interactions._encoder import encoder_of_part, names_of_columns
from .interactions._other_logs import user_column, users_in
from .persistence import load
from .serving import RecommendationService

__all__ = ["encode_parts", "fit_encoder", "fit_parts", "recommend_parts"]


def fit_encoder(encoder: InteractionEncoder, events: Any) -> InteractionEncoder:
    """Learn the users and the items of a log in parts, in one pass.

    Use it for a log that no machine holds: each worker finds the ids of its parts, and these are
    merged in pairs. The result is that of ``encoder.fit`` on the whole log.

    Parameters
    ----------
    encoder : InteractionEncoder
        The encoder, with `min_user_interactions` and `min_item_interactions` of 1. It is fitted in
        place.
    events : dask DataFrame, or list
        The log, or its parts: logs, or delayed ones.

    Returns
    -------
    encoder : InteractionEncoder
        The encoder.

    See Also
    --------
    encode_parts : The next step.

    Examples
    --------
    >>> from sktransrec import InteractionEncoder
    >>> from sktransrec.distributed import fit_encoder
    >>> monday = {"user": ["ann", "bob"], "item": [20, 30]}
    >>> tuesday = {"user": ["eve", "ann"], "item": [10, 30]}
    >>> fit_encoder(InteractionEncoder(), [monday, tuesday]).items_
    array([10, 20, 30])
    """
    fitted, parts = _delayed(_fitted_encoder), _parts(events, "events")
    names = _delayed(_names_of_columns)(encoder, *parts[:1])
    merged = _reduced([fitted(encoder, part, names) for part in parts], _merged).compute()
    if merged is None:
        raise ValueError("events has no events: pass at least one.")
    if not merged.n_users_:
        raise ValueError(
            "events has no interactions: all values are 0, or all users and items are too rare. "
            "Pass events with a value above 0."
        )
    encoder.__dict__.update(vars(merged))
    return encoder


def encode_parts(encoder: InteractionEncoder | str, events: Any) -> list[Any]:
    """Encode a log in parts, with all events of a user in one of them.

    Use it after `fit_encoder`, to make the rows that `fit_parts` learns from.

    Parameters
    ----------
    encoder : InteractionEncoder or str
        A fitted encoder, or the file of one that all workers can read. Each worker loads a file
        once; pass one if there are millions of ids.
    events : dask DataFrame, or list
        The log, which is shuffled by user first, or its parts: logs, or delayed ones, with each
        user in one of them.

    Returns
    -------
    parts : list of Delayed
        For each part, a `csr_array` of shape (n_users_in_part, n_items_), its users in the order of
        their ids, without those that `fit` left out as too rare.

    See Also
    --------
    fit_parts : Fits a model to them.

    Examples
    --------
    >>> from sktransrec import InteractionEncoder
    >>> from sktransrec.distributed import encode_parts
    >>> logs = [{"user": ["ann"], "item": [20]}, {"user": ["bob"], "item": [30]}]
    >>> encoder = InteractionEncoder().fit({"user": ["ann", "bob"], "item": [20, 30]})
    >>> [part.compute().toarray().tolist() for part in encode_parts(encoder, logs)]
    [[[1.0, 0.0]], [[0.0, 1.0]]]
    """
    if hasattr(events, "shuffle"):
        events = events.shuffle(on=user_column(_opened(encoder), dict.fromkeys(events.columns)))
    is_file = isinstance(encoder, str | os.PathLike)
    encoder = os.fspath(encoder) if is_file else _delayed(encoder)
    return [_delayed(_rows_of_part)(encoder, part) for part in _parts(events, "events")]


def fit_parts(model: Estimator, X: Any, y: Any = None) -> Estimator:
    """Fit a model to rows in parts, without bringing them together.

    Use it for models that learn from sums over the rows: they have `row_sums`, as EASE, ridge
    regression, item neighbours, the graph filter and popularity do. Each worker sums up its parts,
    and a tree adds the sums, so a worker needs memory for its part and for the sums. Use it also
    for `ALSRecommender`: each sweep updates the factors of the rows in each part, and then those of
    some items in each task, which needs memory for the factors of all rows. Either way the result
    is that of `fit` on all rows, up to rounding.

    Parameters
    ----------
    model : estimator
        The model. It is fitted in place. Values of parameters that are "auto" are chosen on
        the first part that has interactions, or rows if `y` is given.
    X : dask Array, or list
        The rows, in chunks of rows that are sparse or dense, or their parts: matrices, or delayed
        ones. All parts have the same columns in the same order, and no row is in two of them.
    y : dask Array, or list, default=None
        What a supervised recommender learns, in the same parts.

    Returns
    -------
    model : estimator
        The model.

    See Also
    --------
    encode_parts : Makes the parts from a log.

    Examples
    --------
    >>> import numpy as np
    >>> from sktransrec import EASERecommender
    >>> from sktransrec.distributed import fit_parts
    >>> parts = [np.eye(3)[[0, 1]], np.eye(3)[[2, 2]], np.ones((2, 3))]
    >>> fit_parts(EASERecommender(), parts).row_sums_
    RowSums(6 rows, 3 items)
    """
    if hasattr(model, "fit_parts"):
        parts = _checked_parts(X, "X")
        model.fit_parts(parts, _delayed)
        names = column_names(parts[0].compute())
        model.__dict__.pop("feature_names_in_", None)
        if names and all(isinstance(name, str) for name in names):
            model.feature_names_in_ = np.array(names, dtype=object)
        return model
    if not hasattr(model, "row_sums"):
        raise TypeError(
            f"{type(model).__name__} does not learn from sums over the rows, so it cannot be "
            "fitted in parts: pass EASERecommender, RidgeRecommender, ItemKNNRecommender, "
            "GraphFilterRecommender, PopularityRecommender or ALSRecommender."
        )
    parts = _parts_together({"X": X} if y is None else {"X": X, "y": y})
    cannot_begin = _has_no_rows if y is not None else _has_no_interactions
    is_empty = [_delayed(cannot_begin)(part[0]) for part in parts]
    filled = (part for part, empty in zip(parts, is_empty, strict=True) if not empty.compute())
    first = next(filled, None)
    if first is None:
        raise ValueError("X holds no interactions: all of its parts are without rows or entries.")
    chosen = _delayed(_fitted_to_first)(model, *first).compute()
    sums = [_delayed(_row_sums)(_delayed(chosen), *part) for part in parts]
    model.__dict__.pop("feature_names_in_", None)
    model.__dict__.update(vars(chosen))
    return model.fit_row_sums(_reduced(sums, operator.add).compute())


def recommend_parts(path: str, X: Any, **options: Any) -> list[Any]:
    """Recommend to rows in parts, with the model mapped into the memory of each worker once.

    Use it to serve more rows than one machine holds or can score in time.

    Parameters
    ----------
    path : str
        A file of :func:`sktransrec.save` that all workers can read: a model, or a service.
    X : dask Array, dask DataFrame, or list
        The rows, or their parts: matrices, or delayed ones. For a service, logs with the events of
        the users to recommend to, each user in one part.
    **options : dict
        Further arguments of :func:`sktransrec.recommend`, or of
        :meth:`RecommendationService.recommend <sktransrec.RecommendationService.recommend>`.

    Returns
    -------
    parts : list of Delayed
        For each part what that function returns: items and scores, or a table; without lines for a
        part without rows or events. Compute them, or write each one where it is made.

    See Also
    --------
    sktransrec.save : Saves the file.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from sktransrec import PopularityRecommender, save
    >>> from sktransrec.distributed import recommend_parts
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "popular.model")
    ...     save(PopularityRecommender().fit([[1, 1, 0], [1, 0, 0]]), path)
    ...     (part,) = recommend_parts(path, [np.array([[0, 1, 0]])], n_recommendations=1)
    ...     items, scores = part.compute()
    >>> items
    array([[0]])
    """
    return [_delayed(_recommended)(os.fspath(path), part, options) for part in _parts(X, "X")]


def _delayed(function):
    with asks_to_install('sktransrec.distributed needs Dask: pip install "sktransrec[dask]"'):
        from dask import delayed
    return delayed(function)


def _parts(parts, name):
    """Return the delayed parts of an argument."""
    if not hasattr(parts, "to_delayed"):
        _check_are_parts(parts, name)
        delayed = [_delayed(part) if not hasattr(part, "compute") else part for part in parts]
        if not delayed:
            raise ValueError(f"{name} is an empty list of parts: pass at least one part.")
        return delayed
    delayed = np.asarray(parts.to_delayed(), dtype=object)
    if delayed.ndim == 2 and delayed.shape[1] > 1:
        raise ValueError(
            f"{name} has {delayed.shape[1]} chunks of columns: all columns of a row must be in "
            f"one, rechunk it with {name}.rechunk({{1: -1}})."
        )
    return list(delayed.ravel())


def _check_are_parts(parts, name):
    """Raise if a whole matrix, table or log was passed, whose rows or columns are no parts."""
    holds_objects = isinstance(parts, np.ndarray) and parts.dtype.hasobject
    is_whole = hasattr(parts, "shape") and not holds_objects
    if is_whole or isinstance(parts, Mapping | str) or not isinstance(parts, Iterable):
        raise ValueError(
            f"{name} is of type {type(parts).__name__}, and parts are needed: pass a list, such as "
            f"[{name}], or a Dask collection."
        )


def _reduced(values, combine):
    """Return the delayed combination of all values that are not None, in a tree."""
    while len(values) > 1:
        pairs = [values[n : n + 2] for n in range(0, len(values), 2)]
        values = [
            _delayed(_joined)(combine, *pair) if len(pair) == 2 else pair[0] for pair in pairs
        ]
    return values[0]


def _joined(combine, first, second):
    """Return the combination of two values, of which either may be None."""
    return combine(first, second) if first is not None and second is not None else first or second


def _names_of_columns(encoder, events):
    """Return the column names of a part by role, None if it has no events."""
    return names_of_columns(encoder, events) if _n_events(events) else None


def _fitted_encoder(encoder, events, names):
    """Return the encoder fitted on a part, None if it has no events."""
    return encoder_of_part(encoder, events, names) if _n_events(events) else None


def _n_events(events):
    return len(next(iter(events.values()), ())) if isinstance(events, Mapping) else len(events)


def _merged(first, second):
    # A task must not change what it is given.
    return copy.copy(first).merge(second)


def _rows_of_part(encoder, events):
    encoder = _opened(encoder)
    users = users_in(encoder, events) if _n_events(events) else encoder.users_[:0]
    users = users[positions(users, encoder.rare_users_) < 0]
    if not len(users):
        return sp.csr_array((0, encoder.n_items_), dtype=np.float32)
    return encoder.transform(events, users=users)


def _checked_parts(parts, name):
    """Return delayed parts that raise unless they have the columns of the first one."""
    parts = _parts(parts, name)
    first = _delayed(_columns_of)(parts[0])
    return [_delayed(_with_columns)(part, first, name) for part in parts]


def _parts_together(given):
    """Return tuples of the delayed parts of arguments; raise unless all have as many parts."""
    of_each = {name: _checked_parts(of, name) for name, of in given.items()}
    if len(set(map(len, of_each.values()))) > 1:
        numbers = " and ".join(f"{name} in {len(of)}" for name, of in of_each.items())
        raise ValueError(
            f"The parts do not belong together: there is {numbers} parts. Pass y in the same parts "
            "as X."
        )
    return list(zip(*of_each.values(), strict=True))


def _columns_of(X):
    """Return the shape of a row, which is empty for a single column, and the names or None."""
    return np.shape(X)[1:], column_names(X)


def _with_columns(X, columns, argument):
    """Return a part; raise if its columns differ from those of the first one."""
    shapes, names = zip(columns, _columns_of(X), strict=True)
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"The parts of {argument} differ in their columns: the rows of the first one have "
            f"shape {shapes[0]}, and those of another one {shapes[1]}. Pass parts with the same "
            "columns."
        )
    if None not in names and names[0] != names[1]:
        place = next(n for n, pair in enumerate(zip(*names, strict=True)) if pair[0] != pair[1])
        raise ValueError(
            f"The parts of {argument} differ in their columns: column {place} is "
            f"{names[0][place]!r} in the first one, and {names[1][place]!r} in another one. Bring "
            "the columns of all parts into one order."
        )
    return X


def _has_no_rows(X):
    return X.shape[0] == 0


def _has_no_interactions(X):
    return not as_matrix(X).astype(bool).sum()


def _fitted_to_first(model, *data):
    return clone(model).partial_fit(*data)


def _row_sums(model, X, *y):
    """Return the sums over a part, None if it has no rows."""
    return None if _has_no_rows(X) else model.row_sums(X, *y)


def _recommended(path, part, options):
    model = _opened(path)
    if isinstance(model, RecommendationService):
        if _n_events(part) or "users" in options:
            return model.recommend(history=part, **options)
        table = model.recommend(model.encoder.users_[:1], part, **options)
        return {name: c[:0] for name, c in table.items()} if isinstance(table, dict) else table[:0]
    if not n_rows_of(part):
        shape = 0, options.get("n_recommendations", 10)
        return np.empty(shape, dtype=np.intp), np.empty(shape, dtype=np.float32)
    return recommend(model, part, **options)


def _opened(saved):
    """Return an object, or that of a file, mapped once in a process until the file changes."""
    if not isinstance(saved, str | os.PathLike):
        return saved
    return _mapped(os.fspath(saved), os.stat(saved).st_mtime_ns)


@functools.lru_cache(maxsize=4)
def _mapped(path, modified):
    return load(path, mmap_mode="r")
