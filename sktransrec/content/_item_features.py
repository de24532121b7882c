# SPDX-License-Identifier: BSD-3-Clause
"""The content of items, in a container that cross-validation cannot slice."""

import reprlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.frozen import FrozenEstimator

from .._ids import DecodesItems, distinct_ids, equal_as_strings, id_array, positions
from .._typing import Estimator, MatrixLike
from .._validation import _safe_indexing, check_target_columns
from .._version_stamp import VersionStampMixin
from .._wrapping import as_matrix, is_supervised, reads_histories
from ._encoder import PretrainedEncoder
from ._table_columns import TableColumns
from ._values import check_items, checked_values, frozen, holds_texts, without_library


class ItemFeatures(DecodesItems, VersionStampMixin):
    """Hold the content of each item (numbers, texts, images or a table) for models that read it.

    Use it as the parameter `item_features` of a model. If such an array were passed to `fit`
    together with X, cross-validation would slice it whenever there are as many items as rows. It
    never slices this container, and `clone` and ``copy.deepcopy`` do not copy it.

    Parameters
    ----------
    values : array-like, sparse matrix, DataFrame or sequence of str, of length n_items
        The content of item i at position i: numbers of shape (n_items, n_features), dense or
        sparse; texts of shape (n_items,); images of shape (n_items, height, width, n_channels); or
        a pandas DataFrame or Series. They are copied. Each item must have a text, in a DataFrame in
        one of the columns of texts.
    ids : array-like of shape (n_items,), default=None
        The ids of the items, strings or integers, all different. None means the index of a
        DataFrame or Series, and the numbers from 0 otherwise. If `values` has an index that is not
        the numbers from 0, `ids` must equal it or be a Series with the same index.

    Attributes
    ----------
    values : ndarray, csr_array, DataFrame or ndarray of object
        The features; arrays are read-only, and the index of a DataFrame is `ids`.
    ids : ndarray of shape (n_items,)
        The ids, read-only.
    n_items : int
        Number of items.
    has_own_ids : bool
        Whether the ids were given, by `ids` or by an index that is not the numbers from 0.
    text_columns : list
        The names of the columns of texts; none unless `values` is a DataFrame.

    See Also
    --------
    PretrainedEncoder : Vectors of texts and pictures by networks trained elsewhere.
    HybridRecommender : Learns to predict the factors of an item from its content.
    ContentKNNRecommender : Recommends the nearest items by content.
    NextItemRecommender : Reads items by their features.

    Notes
    -----
    Two containers are equal only if they are the same object. This makes it cheap to compare the
    parameters of estimators.

    Examples
    --------
    >>> from sklearn.base import clone
    >>> from sktransrec import ItemFeatures
    >>> films = ItemFeatures([[1.0, 0.0], [0.5, 2.0]], ids=["Alien", "Brazil"])
    >>> films
    ItemFeatures(2 items, numbers of shape (2, 2))
    >>> clone(films, safe=False) is films
    True
    >>> films.of(["Brazil"]).values
    array([[0.5, 2. ]], dtype=float32)
    """

    n_items: int
    has_own_ids: bool

    def __init__(self, values: MatrixLike, ids: ArrayLike | None = None) -> None:
        index = getattr(values, "index", None) if hasattr(values, "iloc") else None
        values = without_library(values)
        self.n_items = values.shape[0] if hasattr(values, "shape") else len(values)
        self.has_own_ids = ids is not None or not (index is None or _is_numbered(index))
        self.ids = frozen(_checked_ids(ids, index, self.n_items))
        vars(self)["values"] = frozen(checked_values(values, self.ids))
        check_items(self.values, self.ids)

    def __len__(self) -> int:
        return self.n_items

    def __repr__(self) -> str:
        return f"ItemFeatures({self.n_items} items, {self._kind()} of shape {self._held.shape})"

    def __sklearn_clone__(self):
        return self

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __setattr__(self, name, value):
        if hasattr(self, name):
            raise AttributeError(f"ItemFeatures cannot be changed: make a new one to set {name}.")
        super().__setattr__(name, value)

    def __getstate__(self):
        held = TableColumns(self._held) if hasattr(self._held, "iloc") else self._held
        return {**super().__getstate__(), "values": held}

    def __setstate__(self, state):
        # Loaded arrays are writeable.
        super().__setstate__(state)
        frozen(self._held)
        frozen(self.ids)

    def of(self, ids: ArrayLike) -> "ItemFeatures":
        """Return the features of the items with the given ids, in that order.

        Parameters
        ----------
        ids : array-like of shape (n_chosen,)
            Known ids.

        Returns
        -------
        item_features : ItemFeatures
        """
        ids = id_array(ids, "ids")
        places = positions(ids, self.ids)
        unknown = ids[places < 0]
        if len(unknown):
            n_alike = equal_as_strings(unknown, self.ids).sum()
            cure = "pass ids of this container"
            if n_alike:
                cure = f"{n_alike} equal known ids only as strings: convert one of the two"
            raise ValueError(
                f"There is no item {reprlib.repr(unknown.tolist()[0])} among the {self.n_items} "
                f"items ({len(unknown)} of the ids are unknown): {cure}."
            )
        return ItemFeatures(_safe_indexing(self.values, places), ids)

    def encoded(
        self,
        encoder: Callable[..., Any] | Estimator,
        *,
        batch_size: int = 64,
        memory: Any = None,
        verbose: int = 0,
    ) -> "ItemFeatures":
        """Return the items described by the vectors of an encoder instead of their content.

        Use it to encode a catalogue once for all models and searches. No model then holds the
        encoder, and none needs it to be saved. Encode later items in the same way.

        Parameters
        ----------
        encoder : callable or fitted transformer
            What makes a vector of each content, as in `PretrainedEncoder`.
        batch_size : int, default=64
            Number of contents in a batch, at least 1.
        memory : str, path or joblib.Memory, default=None
            A folder in which the vectors are kept; None keeps nothing.
        verbose : int, default=0
            1 shows a progress bar.

        Returns
        -------
        item_features : ItemFeatures
            The same items with numbers of shape (n_items, n_features).

        See Also
        --------
        PretrainedEncoder : The same as a step of a pipeline.

        Examples
        --------
        >>> from sktransrec import ItemFeatures
        >>> def lengths(texts):
        ...     return [[len(text)] for text in texts]
        >>> ItemFeatures(["red tea", "tea"], ids=["a", "b"]).encoded(lengths).values
        array([[7.],
               [3.]], dtype=float32)
        """
        encode = PretrainedEncoder(
            encoder, batch_size=batch_size, memory=memory, verbose=verbose
        ).fit_transform
        return ItemFeatures(as_matrix(encode(self.values)), self.ids if self.has_own_ids else None)

    @property
    def values(self) -> Any:
        """The features; arrays are read-only, and the index of a DataFrame is `ids`."""
        if isinstance(self._held, TableColumns):
            # Recommending by what was loaded does not need the table, nor pandas.
            vars(self)["values"] = self._held.table(self.ids)
        return self._held

    @property
    def _held(self):
        """The values, or the columns of a table that is loaded and was not asked for."""
        return vars(self)["values"]

    @property
    def text_columns(self) -> list[Any]:
        """The names of the columns of texts; none unless `values` is a DataFrame."""
        if not hasattr(self.values, "iloc"):
            return []
        return [name for name in self.values if holds_texts(self.values[name].to_numpy())]

    def _ids_of_items(self):
        return self.ids

    def _kind(self):
        if isinstance(self._held, TableColumns) or hasattr(self._held, "iloc"):
            return "a table"
        if self._held.ndim == 1:
            return "texts"
        return {2: "numbers", 4: "images"}.get(self._held.ndim, "arrays")

    def check_described_as(self, others: "ItemFeatures") -> None:
        """Raise unless the items have the same kind and shape of values as others.

        Parameters
        ----------
        others : ItemFeatures
            The items that a model learned from.
        """
        first = reprlib.repr(self.ids.tolist()[0])
        kind, known_kind = self._kind(), others._kind()
        if kind != known_kind:
            raise ValueError(
                f"Item {first} and the others in item_features are {kind}, but the model learned "
                f"from {known_kind}: describe later items in the same way."
            )
        if kind == "a table":
            if list(self.values.columns) != list(others.values.columns):
                raise ValueError(
                    f"Item {first} and the others in item_features have the columns "
                    f"{list(self.values.columns)}, but the model learned from "
                    f"{list(others.values.columns)}: pass the same columns in the same order."
                )
        elif self.values.shape[1:] != others.values.shape[1:]:
            raise ValueError(
                f"Item {first} and the others in item_features have values of shape "
                f"{self.values.shape[1:]}, but the model learned from {others.values.shape[1:]}: "
                "describe all items by the same number of values, and scale images to one size."
            )


def check_order_of_items(model, names):
    """Raise if a part of a model, which gets X without names, has the items in another order.

    Parameters
    ----------
    model : estimator
        An unfitted model.
    names : sequence or None
        The names of the columns of X, if it has any.
    """
    if names is None or reads_histories(model):
        return
    names, parameters = list(names), model.get_params()
    orders = [names, *_orders_of_targets(parameters, names)]
    for path, value in parameters.items():
        if isinstance(value, ItemFeatures) and is_supervised(model):
            continue  # they describe the columns of y
        known, cure = _known_order(parameters, path, value)
        has_numbers = isinstance(value, ItemFeatures) and not value.has_own_ids
        alike = [order for order in orders if _are_alike(known, order, has_numbers)]
        if alike and known not in alike:
            raise ValueError(
                f"{path} of {type(model).__name__} has the columns of X in another order, and its "
                f"parts get them without names: {cure}."
            )


def _orders_of_targets(parameters, names):
    """Yield the names of the target columns, where a model or a part of it has some."""
    for path, columns in parameters.items():
        if path.rpartition("__")[2] == "target_columns" and columns is not None:
            try:
                yield [names[column] for column in check_target_columns(columns, len(names))]
            except ValueError:
                continue  # the part that has them says so


def _known_order(parameters, path, value):
    """Return the ids that a parameter holds in order, if any, and how to give another order."""
    if isinstance(value, ItemFeatures):
        return value.ids.tolist(), "pass item_features.of(X.columns)"
    is_pretrained = path.endswith("pretrained")
    is_aligned = parameters.get(f"{path.removesuffix('pretrained')}item_ids") is not None
    # What stands behind another step may get other columns.
    is_read_first = "__" not in path or is_pretrained
    if isinstance(value, FrozenEstimator) and is_read_first and not is_aligned:
        known = list(getattr(value, "feature_names_in_", ()))
        return known, "pass the columns in that order, or item_ids=X.columns to a learner"
    return [], ""


def _are_alike(known, names, has_numbers):
    """Return whether ids are those of columns, in some order.

    Numbers of items or of columns are only alike if they are all the same.
    """
    if has_numbers or names == list(range(len(names))):
        return set(known) == set(names)
    return len(known) == len(names) and not set(known).isdisjoint(names)


def _checked_ids(ids, index, n_items):
    """Return the ids as an array; `index` is the index of the values, None if they have none."""
    if ids is None:
        ids = np.arange(n_items) if index is None else index
    elif index is not None and not _is_numbered(index):
        _check_index(ids, index)
    ids = distinct_ids(ids, "ids")
    if len(ids) != n_items:
        raise ValueError(
            f"ids has {len(ids)} ids, but values has {n_items} items: pass one id for each item."
        )
    return ids


def _is_numbered(index):
    """Return whether an index is the numbers from 0, so it does not identify the items."""
    return np.array_equal(index, np.arange(len(index)))


def _check_index(ids, index):
    """Raise if an index that identifies the items contradicts their ids."""
    if hasattr(ids, "iloc") and ids.index.equals(index):
        return
    for place, (one, label) in enumerate(zip(ids, index, strict=False)):
        if one != label:
            raise ValueError(
                f"ids and the index of values contradict each other: item {place} is {one!r} by "
                f"ids and {label!r} by the index. Pass values.loc[ids] to bring them into one "
                "order, or values.reset_index(drop=True) if the index does not hold ids."
            )
