# SPDX-License-Identifier: BSD-3-Clause
"""Protocols of evaluation by name: what each one answers, and what it leaks if misused."""

from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import Any, TypeAlias

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from sklearn.model_selection import KFold
from sklearn.utils import check_random_state

from .._numerics._entries import entries_of
from .._recommend import item_columns, n_rows_of
from .._typing import MatrixLike
from .._validation import check_matrix
from .._wrapping import recommender_of
from ..interactions import InteractionEncoder, holdout_after, holdout_last, holdout_random
from ..interactions._hidden import hidable_items, hidden_part
from ..interactions._holdout import random_interactions
from ..metrics import ranking_scorer
from ._served_rows import ServedRows

Split: TypeAlias = tuple[NDArray[np.intp], NDArray[np.intp]]


class _OfMatrix:
    """Base of protocols that hold out of a matrix. A subclass implements ``_held_out(X)``.

    What it chooses by `_seed` is the same in each call, so that a search compares like with like.
    """

    _held_out: Callable[..., tuple[csr_array, csr_array]]
    _seed: int

    def __post_init__(self):
        seed = self.random_state
        if not isinstance(seed, Integral):
            seed = check_random_state(seed).randint(2**31)
        object.__setattr__(self, "_seed", seed)

    def hold_out(self, X: MatrixLike) -> tuple[csr_array, csr_array]:
        """Return what is known of the rows when they are served, and what they should find.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_items)
            All interactions.

        Returns
        -------
        X_known, y : csr_array of shape (n_rows, n_items), dtype float32
        """
        return self._held_out(X)


class _OfLog:
    """Base of protocols that need times. A subclass has ``_held_out(events, encoder, users)``."""

    _held_out: Callable[..., tuple[csr_array, csr_array]]

    def hold_out(
        self, X: Any, encoder: InteractionEncoder | None = None, *, users: ArrayLike | None = None
    ) -> tuple[csr_array, csr_array]:
        """Return what is known of the users, and the later items that they should find.

        Parameters
        ----------
        X : DataFrame, dict of 1-D columns, or 2-D array
            The log of events.
        encoder : InteractionEncoder
            The fitted encoder, with a `time`. Required.
        users : array-like of ids, default=None
            The users whose rows to return. None means all users of `encoder`.

        Returns
        -------
        X_known, y : csr_array of shape (n_rows, n_items_), dtype float32
        """
        if encoder is None:
            raise ValueError(
                f"{self!r} needs times, which a matrix does not have: call its hold_out(events, "
                "encoder), and pass what it returns as X and y."
            )
        return self._held_out(X, encoder, users)


class _KnownRows:
    """Base of protocols whose models serve the rows that they have learned from.

    They are for models that learn from X alone: a supervised model would learn what it should find.
    """

    serves_known_rows = True

    def split(self, X: MatrixLike, y: Any = None, groups: Any = None) -> Iterator[Split]:
        """Yield all rows as training rows and as test rows.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_rows, ...)
            What `hold_out` returned: rows without what they should find.
        y : sparse matrix of shape (n_rows, n_items)
            What they should find. A model that learned from whole rows would be asked for what it
            has seen. A search passes y to `fit` as well, so a supervised model would learn it: use
            this protocol for models that learn from X alone.
        groups : Ignored
            Present for scikit-learn.

        Yields
        ------
        train, test : ndarray of shape (n_rows,)
        """
        if y is None:
            raise ValueError(
                f"{self!r} serves the rows that were learned from, and y is None, so these would "
                "hold what is looked for: call its hold_out, and pass fit the X_known and y that "
                "it returns."
            )
        rows = np.arange(n_rows_of(X))
        yield rows, rows

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return 1.

        Parameters
        ----------
        X, y, groups : Ignored
            Present for scikit-learn.

        Returns
        -------
        n_splits : int
        """
        return 1


class _NewRows(_OfMatrix):
    """Base of protocols whose models meet the rows that they serve for the first time.

    A subclass also has ``_hidden_from(model, X)``, which returns rows as a fitted model reads them,
    without a part of its items, and this part.
    """

    n_splits: int
    serves_known_rows = False

    def split(self, X: MatrixLike, y: Any = None, groups: Any = None) -> Iterator[Split]:
        """Yield training rows and other rows to serve, fold by fold.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_rows, ...)
            The rows.
        y : Ignored
            Present for scikit-learn.
        groups : Ignored
            Present for scikit-learn.

        Yields
        ------
        train, test : ndarray of int
        """
        folds = KFold(self.n_splits, shuffle=True, random_state=self._seed)
        yield from folds.split(np.empty((n_rows_of(X), 0)))

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : Ignored
            Present for scikit-learn.

        Returns
        -------
        n_splits : int
        """
        return self.n_splits

    def scorer(
        self, metric: str | list[str] = "ndcg", k: int | list[int] = 10
    ) -> Callable[..., Any]:
        """Return the scorer for a search with this protocol as `cv`.

        Parameters
        ----------
        metric : str or list of str, default="ndcg"
            The metrics, as in :func:`sktransrec.ranking_scorer`.
        k : int or list of int, default=10
            Number of items recommended to each row.

        Returns
        -------
        scorer : callable
            It holds out a part of the test rows by the rule of the protocol, and compares with
            that; if y is passed, it compares with y. Only items that the model recommends are held
            out. Of histories, `NewUsers` holds out the latest items, and `KShot` reads none. The
            draw depends on the rows that are passed. So other items of a row may be held out in a
            fold than by `hold_out` of all rows, and the score differs from that of
            :func:`sktransrec.compare`.
        """
        return _ProtocolScorer(self, metric, k)


@dataclass(repr=False, eq=False)
class _ProtocolScorer:
    protocol: _NewRows
    metric: str | list[str]
    k: int | list[int]

    def __repr__(self):
        return f"{self.protocol!r}.scorer({self.metric!r}, k={self.k})"

    def __call__(self, estimator, X, y=None):
        if y is None:
            X, y = self.protocol._hidden_from(estimator, X)
        return ranking_scorer(self.metric, self.k)(estimator, X, y)


@dataclass(frozen=True)
class NewUsers(_NewRows):
    """Serve users whom the model has never seen, with a part of their interactions known.

    It answers: how good is the model for users who join later? The folds hold out whole rows, as
    `KFold` does. It leaks nothing of a user. It says nothing of time: models learn from
    interactions that happened after those to find, so items of the future are known. It leaks if
    the columns of X, a vocabulary or an embedding were made from all rows.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, 2 or more.
    holdout : float or int, default=0.2
        How many interactions of each served row to look for: a share or a number.
    random_state : int, RandomState instance or None, default=None
        Shuffles the rows and chooses what to find, the same in each call with the same rows.

    See Also
    --------
    KShot : The same with a fixed number of known interactions.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sktransrec import EASERecommender
    >>> from sktransrec.datasets import make_cross_domain
    >>> from sktransrec.evaluation import NewUsers
    >>> X = make_cross_domain(random_state=0).X_source
    >>> protocol = NewUsers(n_splits=3, random_state=0)
    >>> grid = {"regularization": [10.0, 100.0]}
    >>> search = GridSearchCV(EASERecommender(), grid, cv=protocol, scoring=protocol.scorer())
    >>> bool(search.fit(X).best_score_ > 0)
    True
    """

    n_splits: int = 5
    _: KW_ONLY
    holdout: float | int = 0.2
    random_state: int | RandomState | None = None

    def _held_out(self, X):
        return holdout_random(X, self.holdout, random_state=self._seed)

    def _hidden_from(self, model, X):
        return hidden_part(model, X, self.holdout, random_state=self._seed)


@dataclass(frozen=True)
class KShot(_NewRows):
    """Serve new users of whom exactly k interactions are known.

    It answers: after how many interactions is a user served well? Compare several k. Rows with k
    interactions or fewer have nothing to find and do not count, so the rows differ between values
    of k unless all rows have more than the largest. It leaks what `NewUsers` leaks.

    Parameters
    ----------
    n_known : int, default=5
        How many random interactions of each served row are known, 0 or more.
    n_splits : int, default=5
        Number of folds, 2 or more.
    random_state : int, RandomState instance or None, default=None
        Shuffles the rows and chooses what is known, the same in each call with the same rows. With
        the same int, what is known for a smaller `n_known` is a part of what is known for a larger
        one.

    See Also
    --------
    NewUsers : The same with a share of known interactions.

    Examples
    --------
    >>> import numpy as np
    >>> from sktransrec.evaluation import KShot
    >>> X_known, y = KShot(2, random_state=0).hold_out(np.ones((3, 6)))
    >>> X_known.sum(axis=1).tolist(), y.sum(axis=1).tolist()
    ([2.0, 2.0, 2.0], [4.0, 4.0, 4.0])
    """

    n_known: int = 5
    _: KW_ONLY
    n_splits: int = 5
    random_state: int | RandomState | None = None

    def __post_init__(self):
        if not isinstance(self.n_known, Integral) or self.n_known < 0:
            raise ValueError(f"n_known must be an integer of 0 or more, got {self.n_known!r}.")
        super().__post_init__()

    def _held_out(self, X):
        X = check_matrix(X, name="X")
        y, known = random_interactions(X, np.full(X.shape[0], self.n_known), self._seed)
        return known, y

    def _hidden_from(self, model, X):
        recommender = recommender_of(model)
        served = ServedRows.of(
            *(X, None, {"model": model}),
            holdout=None,
            random_state=None,
            target_columns=item_columns(recommender),
            protocol=self,
        )
        return served.known, entries_of(served.y, hidable_items(recommender)[served.y.indices])


@dataclass(frozen=True)
class HeldOutInteractions(_KnownRows, _OfMatrix):
    """Serve the rows that were learned from, and look for a random part of their interactions.

    It answers: how well does the model complete what is known? It is the usual protocol of
    published tables. It flatters models that memorise users, and it knows the future: an item to
    find may be older than all known ones. It leaks if the model learns from X before `hold_out`.

    Parameters
    ----------
    holdout : float or int, default=0.2
        How many interactions of each row to look for: a share or a number.
    random_state : int, RandomState instance or None, default=None
        Chooses what to find, the same in each call.

    See Also
    --------
    GlobalTime : Looks for what really came later.

    Examples
    --------
    >>> from sktransrec import EASERecommender, compare
    >>> from sktransrec.datasets import make_cross_domain
    >>> from sktransrec.evaluation import HeldOutInteractions
    >>> X = make_cross_domain(random_state=0).X_source
    >>> protocol = HeldOutInteractions(random_state=0)
    >>> comparison = compare({"EASE": EASERecommender()}, X, cv=protocol)
    >>> bool(comparison.differences()["EASE"].difference > 0)
    True
    """

    holdout: float | int = 0.2
    _: KW_ONLY
    random_state: int | RandomState | None = None

    def _held_out(self, X):
        return holdout_random(X, self.holdout, random_state=self._seed)


@dataclass(frozen=True)
class ColdItems(_KnownRows, _OfMatrix):
    """Look for items that nobody has in the training data.

    It answers: are new items recommended to the right users, among all items? Only models that know
    items by their content can find any. Pass ``candidates=protocol.cold_items(X)`` to
    `ranking_scorer` to rank the new items among themselves. It leaks if content was made from
    interactions, such as tags of the same users, or if vectors of items were learned from X before
    `hold_out`.

    Parameters
    ----------
    share : float, default=0.2
        The share of the items with interactions that are held out.
    random_state : int, RandomState instance or None, default=None
        Chooses the items, the same in each call.

    See Also
    --------
    NewUsers : On the transposed matrix, with items as rows, it asks who will like a new item.

    Examples
    --------
    >>> import numpy as np
    >>> from sktransrec.evaluation import ColdItems
    >>> X_known, y = ColdItems(0.5, random_state=0).hold_out(np.ones((2, 4)))
    >>> X_known.toarray()
    array([[1., 1., 0., 0.],
           [1., 1., 0., 0.]], dtype=float32)
    """

    share: float = 0.2
    _: KW_ONLY
    random_state: int | RandomState | None = None

    def __post_init__(self):
        if not isinstance(self.share, Real) or not 0 < self.share < 1:
            raise ValueError(f"share must lie between 0 and 1, got {self.share!r}.")
        super().__post_init__()

    def cold_items(self, X: MatrixLike) -> NDArray[np.intp]:
        """Return the columns that are held out.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_items)
            Interactions, before `hold_out`.

        Returns
        -------
        items : ndarray of int
            In ascending order.
        """
        items = np.unique(check_matrix(X, name="X").indices)
        n_cold = max(1, round(self.share * len(items)))
        order = check_random_state(self._seed).permutation(len(items))
        return np.sort(items[order[:n_cold]])

    def _held_out(self, X):
        X = check_matrix(X, name="X")
        is_cold = np.isin(X.indices, self.cold_items(X))
        return entries_of(X, ~is_cold), entries_of(X, is_cold)


@dataclass(frozen=True)
class LastOneOut(_KnownRows, _OfLog):
    """Look for the latest item of each user.

    It answers: what comes next? Each user counts the same. The past of one user holds the future
    of another, so it leaks what became popular later. It leaks more if X is a matrix of all events,
    or if an item to find also stands earlier in the history.

    Parameters
    ----------
    n : int, default=1
        Number of items to find of each user.

    See Also
    --------
    GlobalTime : Without the future of other users.
    sktransrec.holdout_last : What it calls.

    Examples
    --------
    >>> from sktransrec import InteractionEncoder
    >>> from sktransrec.evaluation import LastOneOut
    >>> log = {"user": [1, 1, 1, 2], "item": ["a", "b", "c", "a"], "time": [5, 9, 7, 1]}
    >>> X, y = LastOneOut().hold_out(log, InteractionEncoder(time="time").fit(log))
    >>> y.toarray()
    array([[0., 1., 0.],
           [0., 0., 0.]], dtype=float32)
    """

    n: int = 1

    def _held_out(self, events, encoder, users):
        return holdout_last(events, encoder, self.n, users=users)


@dataclass(frozen=True)
class GlobalTime(_KnownRows, _OfLog):
    """Look for what all users do from a point in time on.

    It answers: how good would the model have been in use? Nothing known is younger than what there
    is to find, so it leaks nothing, unless content, an encoder with thresholds on counts, or
    parameters were chosen with later events. Many users have nothing to find, and new users have
    nothing known.

    Parameters
    ----------
    time : float, str or datetime
        The first moment to look for, as in :func:`sktransrec.holdout_after`.

    See Also
    --------
    LastOneOut : The same number of items of each user.
    sktransrec.holdout_after : What it calls.

    Examples
    --------
    >>> from sktransrec import InteractionEncoder
    >>> from sktransrec.evaluation import GlobalTime
    >>> log = {"user": [1, 1, 1, 2], "item": ["a", "b", "c", "a"], "time": [5, 9, 7, 1]}
    >>> X, y = GlobalTime(7).hold_out(log, InteractionEncoder(time="time").fit(log))
    >>> y.toarray()
    array([[0., 1., 1.],
           [0., 0., 0.]], dtype=float32)
    """

    time: object

    def _held_out(self, events, encoder, users):
        return holdout_after(events, encoder, self.time, users=users)
