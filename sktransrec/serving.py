# SPDX-License-Identifier: BSD-3-Clause
"""What a product calls: ids in, ids out."""

import copy
import functools
import warnings
from collections.abc import Mapping, Sequence
from numbers import Integral
from os import PathLike
from typing import Any, Literal, cast

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from ._columns import first_displaced, objects_of
from ._ids import check_type_of_ids, distinct_ids, joined_ids, positions
from ._recommend import keeps_seen, recommend
from ._typing import Estimator, Function
from ._validation import check_count, check_is_fitted
from ._version_stamp import VersionStampMixin
from ._wrapping import (
    check_order_kept,
    held_estimators,
    is_supervised,
    reads_histories,
    recommender_of,
    with_added_items,
)
from .content import ItemFeatures
from .inspection._explain import explain
from .inspection._trace import trace
from .interactions import InteractionEncoder
from .interactions._coded import latest_columns, merged_matrix
from .interactions._events import frame_library, frame_of
from .interactions._other_logs import (
    coded_baskets,
    ignoring_unknown,
    library_of,
    reading_pairs,
    unknown_items_in,
    users_in,
    with_items,
)
from .persistence import load, save

__all__ = ["RecommendationService"]

_N_NAMED = 5
# What a trace says of an item that the model does not know.
_UNKNOWN = {"score": np.nan, "rank": 0, "removed_by": "unknown", "row_path": "", "item_path": ""}


def _of_one_moment(method: Function) -> Function:
    """Decorate a method so that it sees the model and the ids of one moment.

    Another thread may add items meanwhile. `add_items` puts another dict in the place of the
    attributes, so whoever holds the old one still sees them as they were.
    """

    @functools.wraps(method)
    def of_now(self, *args, **kwargs):
        now = object.__new__(type(self))
        now.__dict__ = self.__dict__
        return method(now, *args, **kwargs)

    return cast(Function, of_now)


class RecommendationService(VersionStampMixin):
    """Recommend to users by their ids, with the items by their ids and names.

    Use it in a product: it is one object to save and load, and it needs no matrix. Users that the
    model has never seen, users without a history and unknown items are no errors.

    Parameters
    ----------
    model : estimator
        A fitted recommender, or a `Pipeline`, search or ensemble that holds one.
    encoder : InteractionEncoder
        The fitted encoder of the logs that `model` reads.
    item_encoder : InteractionEncoder, default=None
        The fitted encoder of the items that `model` recommends, if these are of another domain
        than what it reads. None means the items of `encoder`.
    item_names : mapping or Series, default=None
        A name for each item id, such as a title. Items without a name get None.
    source_names : mapping or Series, default=None
        A name for each item id of `encoder`, if `item_encoder` is given: :meth:`explain` shows
        them. None means the names in `item_names` of the ids that `item_encoder` does not have.

    Attributes
    ----------
    item_ids_ : ndarray of shape (n_items_,)
        The ids of the items that are recommended, in the order of the model's columns.

    See Also
    --------
    recommend : The same on matrices.
    InteractionEncoder : Makes matrices from logs.

    Notes
    -----
    What is returned is a table of the library of the log (pandas, polars, pyarrow), or a dict of
    columns if the log is a dict or an array. Baskets come back in the library of the log that
    `encoder` was fitted on.

    Unknown items of a history or a basket are left out, and a warning names them.

    Examples
    --------
    >>> from sktransrec import InteractionEncoder, ItemKNNRecommender, RecommendationService
    >>> log = {
    ...     "user": ["ann", "ann", "bob", "bob", "eve", "eve"],
    ...     "item": ["f1", "f2", "f1", "f2", "f2", "f3"],
    ... }
    >>> encoder = InteractionEncoder()
    >>> model = ItemKNNRecommender().fit(encoder.fit_transform(log))
    >>> service = RecommendationService(model, encoder, item_names={"f1": "Alien", "f2": "Brazil"})
    >>> found = service.recommend(baskets=[["f1"]], n_recommendations=1)
    >>> found["item"].tolist(), found["name"].tolist()
    (['f2'], ['Brazil'])
    """

    item_ids_: NDArray[Any]

    def __init__(
        self,
        model: Estimator,
        encoder: InteractionEncoder,
        *,
        item_encoder: InteractionEncoder | None = None,
        item_names: Mapping[Any, str] | Any | None = None,
        source_names: Mapping[Any, str] | Any | None = None,
    ) -> None:
        check_is_fitted(encoder)
        self.model = model
        self.encoder = encoder
        self.item_encoder = None if item_encoder is encoder else item_encoder
        self.item_ids_ = self._ids_of_model()
        self.item_names = _as_dict(item_names, "item_names", self.item_ids_)
        _check_names(self.item_names, self.item_ids_, "item_names")
        self.source_names = self._names_of_source(source_names)
        self._set_items_read()

    def __repr__(self) -> str:
        model = type(recommender_of(self.model)).__name__
        return f"RecommendationService({model}, {len(self.item_ids_)} items)"

    @_of_one_moment
    def recommend(
        self,
        users: ArrayLike | None = None,
        history: Any = None,
        *,
        baskets: Sequence[Sequence[Any]] | None = None,
        n_recommendations: int = 10,
        candidates: ArrayLike | None = None,
        exclude_seen: bool | Literal["auto"] = "auto",
        exclude: Any = None,
    ) -> Any:
        """Return the best items for users, or for baskets of items.

        Parameters
        ----------
        users : array-like of ids of shape (n_users,), default=None
            The users to recommend to; they may be new, and need no event in `history`. None means
            all users of `history`, in the order of their ids.
        history : DataFrame, dict of 1-D columns, or 2-D array, default=None
            The log of what the users have, with the columns that the encoder was fitted on. None
            means that nothing is known of the users.
        baskets : sequence of sequences of item ids, default=None
            What anonymous users have, in the order of time, instead of `users` and `history`. The
            user ids of the result are the numbers 0, 1, ... of the baskets. If the encoder reads
            values, such as ratings, a basket is a dict from item ids to values.
        n_recommendations : int, default=10
            Number of items for each user; fewer where fewer are eligible.
        candidates : array-like of item ids, default=None
            The items that may be recommended, such as those in stock; None allows all. Unknown ids
            are left out.
        exclude_seen : bool or "auto", default="auto"
            Whether to leave out what the user already has, see :func:`sktransrec.recommend`.
        exclude : DataFrame, dict of 1-D columns, or 2-D array, default=None
            A log of what else to leave out for each user, with the ids of `item_encoder`; for
            example what a user of two shops has in the one that is recommended.

        Returns
        -------
        recommendations : DataFrame or dict of columns
            "user", "rank" (from 1 on), "item", "name" and "score": a line for each
            recommendation, users in the given order, best items first.
        """
        users, X, seen, library = self._rows(users, history, baskets)
        columns = self._known_columns(candidates, "candidates")
        items, scores = recommend(
            self.model,
            self._read_by_model(X),
            n_recommendations=self._at_most(n_recommendations),
            candidates=columns,
            exclude_seen=exclude_seen,
            exclude_interactions=self._excluded(X, seen, exclude_seen, exclude, users),
        )
        row, place = np.nonzero(items >= 0)
        return self._table(
            {"user": users[row], "rank": place + 1}, items[row, place], scores[row, place], library
        )

    @_of_one_moment
    def explain(
        self,
        users: ArrayLike | None = None,
        history: Any = None,
        *,
        baskets: Sequence[Sequence[Any]] | None = None,
        items: ArrayLike | None = None,
        n_recommendations: int = 5,
        n_reasons: int = 3,
    ) -> Any:
        """Return which items of a history speak for which recommendations.

        Parameters
        ----------
        users : array-like of ids of shape (n_users,), default=None
            The users, as in :meth:`recommend`.
        history : DataFrame, dict of 1-D columns, or 2-D array, default=None
            The log of what the users have.
        baskets : sequence of sequences of item ids, default=None
            What anonymous users have, instead of `users` and `history`.
        items : array-like of item ids, default=None
            What to explain. None explains the best items of each user.
        n_recommendations : int, default=5
            If `items` is None: how many of the best items to explain.
        n_reasons : int, default=3
            Number of reasons for each item at most.

        Returns
        -------
        reasons : DataFrame or dict of columns
            "user", "item", "name", "score", "because" (an item id of the history), "because_name"
            and "contribution" (what that item adds to the score): a line for each reason, the
            strongest first. See :func:`sktransrec.inspection.explain` for what it means.
        """
        users, X, seen, library = self._rows(users, history, baskets)
        excluded, X = self._excluded(X, seen, "auto", None, users), self._read_by_model(X)
        columns = self._known_columns(items, "items")
        lines = []
        for row, user in enumerate(users.tolist()):
            asked = self._best(X, excluded, row, n_recommendations) if columns is None else columns
            if len(asked):
                why = explain(self.model, X[[row]], asked)
                lines += [(user, *reason) for reason in _reasons(why, n_reasons)]
        kinds = {"user": users.dtype, "item": np.intp, "score": np.float32}
        kinds |= {"because": np.intp, "contribution": np.float32}
        found = np.array(lines, dtype=list(kinds.items()))
        ids, because = self.item_ids_[found["item"]], self._reader.decode_items(found["because"])
        reasons = {
            "user": found["user"],
            "item": ids,
            "name": self._names_of(ids),
            "score": found["score"],
            "because": because,
            "because_name": _names(because, getattr(self, "source_names", self.item_names)),
            "contribution": found["contribution"],
        }
        return frame_of(reasons, library)

    @_of_one_moment
    def trace(
        self,
        users: ArrayLike | None = None,
        history: Any = None,
        *,
        baskets: Sequence[Sequence[Any]] | None = None,
        items: ArrayLike | None = None,
        n_recommendations: int = 5,
        candidates: ArrayLike | None = None,
        exclude_seen: bool | Literal["auto"] = "auto",
        exclude: Any = None,
    ) -> Any:
        """Return how items were scored, and what keeps them out.

        Parameters
        ----------
        users : array-like of ids of shape (n_users,), default=None
            The users, as in :meth:`recommend`.
        history : DataFrame, dict of 1-D columns, or 2-D array, default=None
            The log of what the users have.
        baskets : sequence of sequences of item ids, default=None
            What anonymous users have, instead of `users` and `history`.
        items : array-like of item ids, default=None
            What to trace, known or not. None traces the best items of each user.
        n_recommendations : int, default=5
            If `items` is None: how many of the best items to trace.
        candidates : array-like of item ids, default=None
            The items that may be recommended, as in :meth:`recommend`.
        exclude_seen : bool or "auto", default="auto"
            Whether to leave out what the user already has, as in :meth:`recommend`.
        exclude : DataFrame, dict of 1-D columns, or 2-D array, default=None
            A log of what else to leave out, as in :meth:`recommend`.

        Returns
        -------
        traces : DataFrame or dict of columns
            "user", "item", "name", "score", "rank" (0 if the item may not be recommended),
            "removed_by" ("unknown" if the model does not know the item), "row_path", "item_path",
            and a column for what each member of an ensemble adds to the score. See
            :func:`sktransrec.inspection.trace` for what they mean.
        """
        users, X, seen, library = self._rows(users, history, baskets)
        wanted, columns = (None, None) if items is None else self._found(items, "items")
        filters = {
            "candidates": self._known_columns(candidates, "candidates"),
            "exclude_seen": exclude_seen,
        }
        excluded = self._excluded(X, seen, exclude_seen, exclude, users)
        left_out = self._left_out(X, seen, exclude_seen)
        X = self._read_by_model(X)
        lines = []
        for row, user in enumerate(users.tolist()):
            found = {}
            if columns is None or (columns >= 0).any():
                found = trace(
                    self.model,
                    X[[row]],
                    None if columns is None else columns[columns >= 0],
                    n_recommendations=n_recommendations,
                    exclude_interactions=None if excluded is None else excluded[[row]],
                    **filters,
                ).by_item()
            had = () if left_out is None else left_out[[row]].indices.tolist()
            for column in set(had) & set(found):
                if found[column]["removed_by"] == "excluded":
                    found[column]["removed_by"] = "seen"
            asked = list(found) if columns is None else columns.tolist()
            ids = self.item_ids_[asked] if wanted is None else wanted
            lines += [
                {"user": user, "item": item, **found.get(column, _UNKNOWN)}
                for column, item in zip(asked, ids.tolist(), strict=True)
            ]
        asked_ids = self.item_ids_ if wanted is None else wanted
        columns = self._columns_of(lines, {"user": users.dtype, "item": asked_ids.dtype})
        return frame_of(columns, library)

    def _best(self, X, excluded, row, n_recommendations):
        """Return the columns of the best items of a row."""
        (best,), _ = recommend(
            self.model,
            X[[row]],
            n_recommendations=self._at_most(n_recommendations),
            exclude_interactions=None if excluded is None else excluded[[row]],
        )
        return best[best >= 0]

    def _columns_of(self, lines, dtypes):
        """Return lines of a table as columns; what a line does not have is 0 there."""
        heads = dict.fromkeys(["user", "item", "name", *_UNKNOWN])
        heads |= dict.fromkeys(name for line in lines for name in line)
        columns = {
            name: np.array([line.get(name, 0.0) for line in lines], dtype=dtypes.get(name))
            for name in heads
        }
        return columns | {"name": self._names_of(columns["item"])}

    @_of_one_moment
    def similar(self, items: ArrayLike, n_similar: int = 10) -> Any:
        """Return the most similar items of some items.

        Parameters
        ----------
        items : array-like of ids of shape (n_queries,)
            Known item ids.
        n_similar : int, default=10
            Number of similar items for each of them.

        Returns
        -------
        similar : DataFrame or dict of columns
            "query", "rank", "item", "name" and "score", in the library of the log that `encoder`
            was fitted on.
        """
        recommender = recommender_of(self.model)
        if not hasattr(recommender, "similar_items"):
            raise AttributeError(f"{type(recommender).__name__} has no similar_items.")
        ids, columns = self._found(items, "items")
        if (columns < 0).any():
            unknown = ids[columns < 0].tolist()
            raise ValueError(f"items holds {_named(unknown)}, which the model has not.")
        n_similar = min(n_similar, len(self.item_ids_) - 1)
        similar, scores = recommender.similar_items(columns, n_similar=n_similar)
        row, place = np.indices(similar.shape).reshape(2, -1)
        heads = {"query": ids[row], "rank": place + 1}
        return self._table(heads, similar.ravel(), scores.ravel(), library_of(self.encoder))

    def add_items(
        self, item_features: ItemFeatures, item_names: Mapping[Any, str] | Any | None = None
    ) -> "RecommendationService":
        """Recommend later items from now on, without learning again.

        In histories and baskets they count where the model can read them, and what a user has of
        them is not recommended again.

        Parameters
        ----------
        item_features : ItemFeatures
            The content of the later items, with their ids.
        item_names : mapping or Series, default=None
            Names of the later items.

        Returns
        -------
        self : RecommendationService
            The service. The model that it was made from is not changed.
        """
        recommender = recommender_of(self.model)
        if not hasattr(recommender, "with_items"):
            raise AttributeError(
                f"{type(recommender).__name__} cannot take later items: use a recommender with "
                "content, such as HybridRecommender, alone, or at the end of a Pipeline or search."
            )
        later = copy.copy(self)
        item_ids = joined_ids([self.item_ids_, item_features.ids])
        later.item_ids_ = distinct_ids(item_ids, "The item ids")
        later.model = with_added_items(self.model, item_features)
        later._set_items_read()
        names = _as_dict(item_names, "item_names", item_features.ids)
        later.item_names = self.item_names | names
        _check_names(later.item_names, later.item_ids_, "item_names")
        if self.item_encoder is None:
            later.source_names = later.item_names
        self.__dict__ = vars(later)  # at once: other threads may be asking
        return self

    def save(self, path: str | PathLike[str]) -> None:
        """Save the service in a file without code, as :func:`sktransrec.save` does.

        An older file stays whole until the new one is.

        Parameters
        ----------
        path : str or Path
            The file.
        """
        save(self, path)

    @classmethod
    def load(
        cls,
        path: str | PathLike[str],
        *,
        mmap_mode: Literal["r", "c"] | None = None,
        trusted: Sequence[str] = (),
    ) -> "RecommendationService":
        """Load a saved service.

        Parameters
        ----------
        path : str or Path
            The file.
        mmap_mode : {"r", "c"}, default=None
            Map the arrays of the file into memory, so that several processes share them. None reads
            the whole file.
        trusted : sequence of str, default=()
            What of other packages the file may ask for, see :func:`sktransrec.load`.

        Returns
        -------
        service : RecommendationService
        """
        service = load(path, mmap_mode=mmap_mode, trusted=trusted)
        if not isinstance(service, cls):
            raise ValueError(f"{path} holds a {type(service).__name__}, not a {cls.__name__}.")
        return service

    def _ids_of_model(self):
        """Return the ids of the model's item columns."""
        recommender = recommender_of(self.model)
        check_is_fitted(recommender)
        _check_same_order(
            self.model, getattr(self.model, "feature_names_in_", ()), self.encoder.items_
        )
        if not is_supervised(self.model):
            check_order_kept(self.model)
        encoder = self.encoder if self.item_encoder is None else self.item_encoder
        check_is_fitted(encoder)
        columns = getattr(recommender, "item_columns_", None)
        ids = encoder.items_
        if columns is not None and self.item_encoder is None:
            _check_has_columns(recommender, columns, len(ids))
            ids = ids[columns]
        if len(ids) == recommender.n_items_:
            _check_order(recommender, ids)
            names = getattr(recommender, "item_names_", None)
            _check_same_order(recommender, () if names is None else names, ids)
            return ids
        if self.item_encoder is None and hasattr(recommender, "decode_items"):
            return recommender.decode_items(np.arange(recommender.n_items_))
        raise ValueError(
            f"{type(recommender).__name__} recommends {recommender.n_items_} items, but the "
            f"encoder has {len(ids)}: "
            + (
                f"fit it with n_items={len(ids)}."
                if reads_histories(self.model)
                else "fit it on what the encoder returns now or, if it recommends items of another "
                "domain, pass their encoder as item_encoder."
            )
        )

    def _rows(self, users, history, baskets):
        """Return the ids of the rows, what is known of them, and the library of tables.

        For a model that reads histories, which are the latest items, it also returns the matrix of
        all items, and otherwise None.
        """
        self._check_up_to_date()
        if baskets is not None:
            if users is not None or history is not None:
                raise ValueError("Pass either baskets, or users and history.")
            if not len(baskets):
                raise ValueError("baskets is empty: pass at least one, such as baskets=[[]].")
            return np.arange(len(baskets)), *self._of_baskets(baskets), library_of(self.encoder)
        if history is None:
            if users is None:
                raise ValueError("Pass users, history or both, or pass baskets.")
            ids = distinct_ids(users, "users")
            if not len(ids):
                raise ValueError("users is empty: name at least one user.")
            return ids, *self._of_baskets([[]] * len(ids)), library_of(self.encoder)
        _warn_of_unknown(unknown_items_in(self._reader, history).tolist())
        known = users_in(self.encoder, history) if users is None else users
        if users is None and not len(known):
            raise ValueError("history has no events: pass users to say whom to recommend to.")
        ids = distinct_ids(known, "users")
        return ids, *self._of_log(history, ids), frame_library(history)

    def _set_items_read(self):
        """Set the ids of the columns to encode, and how many at the end are later than `fit`."""
        self._items_read, self._n_later = self.encoder.items_, 0
        if self.item_encoder is not None:
            return
        if getattr(recommender_of(self.model), "item_columns_", None) is None:
            n_seen = _n_equal(self._items_read, self.item_ids_)
            if not reads_histories(self.model):  # the columns of histories are steps
                n_seen = min(n_seen, getattr(self.model, "n_features_in_", n_seen))
            self._items_read, self._n_later = self.item_ids_, len(self.item_ids_) - n_seen
        else:
            later = self.item_ids_[positions(self.item_ids_, self._items_read) < 0]
            self._items_read = joined_ids([self._items_read, later])
            self._n_later = len(later)

    @property
    def _reader(self):
        """The encoder of what is read, which knows later items too."""
        if not hasattr(self, "_items_read"):  # saved before it was an attribute
            self._set_items_read()
        return with_items(self.encoder, self._items_read)

    def _check_up_to_date(self):
        """Raise if the model has learned more items since the service was made."""
        n_items = recommender_of(self.model).n_items_
        if n_items != len(self.item_ids_):
            raise ValueError(
                f"The model recommends {n_items} items now, and {len(self.item_ids_)} when this "
                "service was made: make a new RecommendationService of the model and its encoder."
            )

    def _read_by_model(self, X):
        """Return the columns of encoded rows that the model reads."""
        if not self._n_later or reads_histories(self.model):
            return X
        return X if getattr(self.model, "reads_later_items", False) else X[:, : -self._n_later]

    def _of_log(self, history, users):
        """Return what is known of some users by their log, and the matrix of all items or None."""
        encoder = ignoring_unknown(self._reader)
        seen = encoder.transform(history, users=users)
        if not reads_histories(self.model):
            return seen, None
        width = self.model.n_features_in_
        return encoder.sequences(history, users=users, max_length=width), seen

    def _of_baskets(self, baskets):
        """Return what is known of baskets of item ids, and the matrix of all items or None."""
        coded, unknown = coded_baskets(self._reader, baskets)
        _warn_of_unknown(unknown)
        seen = merged_matrix(coded, self.encoder.duplicates)
        if reads_histories(self.model):
            coded = coded.interactions(self.encoder.duplicates)
            return latest_columns(coded, self.model.n_features_in_), seen
        return seen, None

    def _at_most(self, n_recommendations):
        check_count(n_recommendations, name="n_recommendations")
        return min(n_recommendations, len(self.item_ids_))

    def _found(self, ids, name):
        """Return distinct ids of items, and the column of each, -1 for an unknown one."""
        ids = distinct_ids(ids, name)
        check_type_of_ids(ids, self.item_ids_, name, "holds")
        return ids, positions(ids, self.item_ids_)

    def _known_columns(self, ids, name):
        if ids is None:
            return None
        _, columns = self._found(ids, name)
        columns = columns[columns >= 0]
        if not len(columns):
            raise ValueError(f"The model knows none of the {name}.")
        return columns

    def _left_out(self, X, seen, exclude_seen):
        """Return what the users have and the model does not leave out itself; None if nothing."""
        if keeps_seen(exclude_seen) or self.item_encoder is not None:
            return None
        if seen is not None or not self._n_later:
            return seen
        known = sp.csr_array((X.shape[0], len(self.item_ids_) - self._n_later))
        return sp.hstack([known, X[:, -self._n_later :]], format="csr")

    def _excluded(self, X, seen, exclude_seen, exclude, users):
        """Return what to leave out besides the items that the model reads; None if nothing."""
        excluded = [] if exclude is None else [self._items_of_log(exclude, users)]
        left_out = self._left_out(X, seen, exclude_seen)
        if left_out is not None:
            excluded.append(left_out)
        return sum(excluded) if excluded else None

    def _items_of_log(self, events, users):
        """Return the items of a log as a matrix with the model's columns."""
        encoder = self.encoder if self.item_encoder is None else self.item_encoder
        encoder = reading_pairs(with_items(encoder, self.item_ids_))
        return encoder.transform(events, users=users)

    def _table(self, heads, items, scores, library):
        ids = self.item_ids_[items]
        return frame_of(
            {**heads, "item": ids, "name": self._names_of(ids), "score": scores}, library
        )

    def _names_of(self, ids):
        return _names(ids, self.item_names)

    def _names_of_source(self, names):
        """Return the names of the items that are read, by their ids."""
        if self.item_encoder is None:
            if names is not None:
                raise ValueError(
                    "source_names is given without item_encoder: the items that are read are those "
                    "that are recommended, so pass their names as item_names."
                )
            return self.item_names
        if names is None:
            recommended = set(self.item_ids_.tolist())
            return {one: name for one, name in self.item_names.items() if one not in recommended}
        names = _as_dict(names, "source_names", self.encoder.items_)
        _check_names(names, self.encoder.items_, "source_names")
        return names


def _reasons(why, n_reasons):
    """Yield the item, its score, a column and what that adds, of the strongest for each item."""
    for item, score in zip(why.items.tolist(), why.scores.tolist(), strict=True):
        for column, added in why.strongest(item, n_reasons):
            yield item, score, column, added


def _names(ids, names):
    """Return the names of items as an array, with None for those without a name."""
    return np.array([names.get(one) for one in ids.tolist()], dtype=object)


def _check_is_by_id(index, ids, what):
    """Raise if an index is the numbers of the rows, and some of the ids are other numbers."""
    if type(index).__name__ == "RangeIndex" and not np.isin(ids, index).all():
        raise ValueError(
            f"{what} is a Series by the numbers of its rows, 0 to {len(index) - 1}, and not all "
            "ids are among them: pass one by item id, such as table.set_index('item')['name']."
        )


def _as_dict(names, what, ids):
    """Return a mapping or a Series of names by id as a dict."""
    if names is None:
        return {}
    if isinstance(names, Mapping):
        return dict(names)
    if hasattr(names, "to_dict") and hasattr(names, "index") and not hasattr(names, "columns"):
        _check_is_by_id(names.index, ids, what)
        return names.to_dict()
    raise TypeError(
        f"{what} is of type {type(names).__name__}, expected a mapping or a Series of a name "
        "for each item id."
    )


def _check_names(names, ids, what):
    """Raise if no id has a name, or if named ids equal those of the items only as strings."""
    named = objects_of([one for one in names if isinstance(one, str | Integral)])
    check_type_of_ids(named, ids, what, "has a name for")
    known = ids.tolist()
    if names and names.keys().isdisjoint(known):
        raise ValueError(
            f"{what} has a name for {next(iter(names))!r} and so on, but for no known id, such as "
            f"{known[0]!r}: pass a mapping from ids to names."
        )


def _check_has_columns(model, columns, n_items):
    """Raise if a model recommends columns that the encoder does not have."""
    if columns.max(initial=-1) >= n_items:
        raise ValueError(
            f"{type(model).__name__} recommends columns up to {columns.max()}, but the encoder has "
            f"{n_items} items. For a model of stacked domains without common item ids, pass an "
            "encoder of both logs, with the items of the source first: InteractionEncoder()"
            ".fit(source_events).partial_fit(target_events). With common ids, no encoder knows "
            "their two columns: use recommend with rows of stack_domains."
        )


def _n_equal(ids, others):
    """Return how many of the first ids are the same."""
    n_both = min(len(ids), len(others))
    differ = np.asarray(ids[:n_both] != others[:n_both])
    return int(np.argmax(differ)) if differ.any() else n_both


def _check_order(model, ids):
    """Raise if a model or a part of it describes the items of the encoder in another order."""
    for part in held_estimators(model):
        features = getattr(part, "item_features", None)
        if features is not None and features.has_own_ids:
            _check_same_order(part, getattr(part, "item_ids_", features.ids), ids)


def _check_same_order(model, names, ids):
    """Raise if the columns of a model are named like these items, in another order."""
    # scikit-learn knows names of columns only as texts, which may be mere numbers of columns.
    names = list(map(str, names))
    column = first_displaced(names, map(str, ids.tolist()))
    if column is None or names == list(map(str, range(len(names)))):
        return
    raise ValueError(
        f"{type(model).__name__} takes column {column} for the item {names[column]!r}, and the "
        f"encoder for {ids.tolist()[column]!r}: they know the same items in another order. Fit the "
        "model on what encoder.transform returns, or pass it item_features.of(encoder.items_)."
    )


def _warn_of_unknown(ids):
    """Warn about the items that are left out."""
    ids = list(dict.fromkeys(ids))
    if ids:
        warnings.warn(
            f"{len(ids)} items are unknown to the model and left out: {_named(ids)}.",
            UserWarning,
            stacklevel=4,
        )


def _named(ids):
    """Return the first ids in words."""
    more = f" and {len(ids) - _N_NAMED} more" if len(ids) > _N_NAMED else ""
    return ", ".join(map(repr, ids[:_N_NAMED])) + more
