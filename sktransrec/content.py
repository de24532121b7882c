"""The content of items, in a container that cross-validation cannot slice."""

import reprlib

import narwhals.stable.v1 as nw
import numpy as np
import scipy.sparse as sp

from ._columns import objects_of
from ._ids import DecodesItems, distinct_ids, equal_as_strings, id_array, positions
from ._validation import _safe_indexing, check_sparse
from ._version_stamp import VersionStampMixin

__all__ = ["ItemFeatures"]


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
        a pandas DataFrame or Series. They are copied.
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

    See Also
    --------
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

    def __init__(self, values, ids=None):
        index = values.index if hasattr(values, "iloc") else None
        values = _without_library(values)
        self.n_items = values.shape[0] if hasattr(values, "shape") else len(values)
        self.has_own_ids = ids is not None or not (index is None or _is_numbered(index))
        self.ids = _frozen(_checked_ids(ids, index, self.n_items))
        self.values = _frozen(_checked_values(values, self.ids))
        _check_items(self.values, self.ids)

    def __len__(self):
        return self.n_items

    def __repr__(self):
        return f"ItemFeatures({self.n_items} items, {self._kind()} of shape {self.values.shape})"

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

    def __setstate__(self, state):
        # Loaded arrays are writeable.
        super().__setstate__(state)
        _frozen(self.values)
        _frozen(self.ids)

    def of(self, ids):
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

    def _ids_of_items(self):
        return self.ids

    def _kind(self):
        if hasattr(self.values, "iloc"):
            return "a table"
        if self.values.ndim == 1:
            return "texts"
        return {2: "numbers", 4: "images"}.get(self.values.ndim, "arrays")

    def check_described_as(self, others):
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


def _as_list(values):
    """Return a collection with one value for each item as a list."""
    if isinstance(values, str | bytes) or not hasattr(values, "__iter__"):
        raise ValueError(
            f"values is {reprlib.repr(values)}: pass one row of numbers, one text or one image for "
            "each item."
        )
    values = list(values)
    if not values:
        raise ValueError("values holds no items: pass at least one.")
    return values


def _checked_values(values, ids):
    """Return the features as a new csr_array, DataFrame or array."""
    if hasattr(values, "iloc"):
        return values.copy().set_axis(ids, axis=0)
    if sp.issparse(values):
        check_sparse(values, name="values")
        return sp.csr_array(values, copy=True)
    values = _as_array(values, ids)
    if values.ndim == 0 or values.dtype.kind not in "fiubO":
        raise ValueError(
            f"values has shape {values.shape} and dtype {values.dtype}: pass one row of numbers, "
            "one text or one image for each item."
        )
    if values.dtype.kind in "fiub" and values.ndim == 1:
        raise ValueError(
            "values is a single row of numbers: pass shape (n_items, n_features), with "
            "values.reshape(-1, 1) for one number per item."
        )
    return values


def _frozen(values):
    """Make the arrays in the values read-only, in place, and return the values."""
    arrays = [values] if isinstance(values, np.ndarray) else []
    if sp.issparse(values):
        arrays = [values.data, values.indices, values.indptr]
    for array in arrays:
        array.setflags(write=False)
    return values


def _as_array(values, ids):
    """Return an array of numbers, or an array of objects if the values are texts."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiubc":
        return values.copy()
    values = list(values)
    if any(isinstance(value, str | bytes) or value is None for value in values):
        return objects_of(values)
    shapes = [np.shape(value) for value in values]
    for item, shape in zip(ids.tolist(), shapes, strict=True):
        if shape != shapes[0]:
            raise ValueError(
                f"The values of item {item!r} have shape {shape}, those of the first item "
                f"{shapes[0]}: describe all items by the same number of values, and scale images "
                "to one size."
            )
    try:
        return np.array(values, dtype=np.float32)
    except (TypeError, ValueError):
        item, value = next(
            pair for pair in zip(ids.tolist(), values, strict=True) if not _are_numbers(pair[1])
        )
        raise ValueError(
            f"Item {item!r} has {reprlib.repr(value)}, which is neither a text nor only numbers: "
            "pass one kind of content, or a DataFrame with several kinds."
        ) from None


def _are_numbers(value):
    try:
        np.asarray(value, dtype=np.float32)
    except (TypeError, ValueError):
        return False
    return True


def _without_library(values):
    """Return values as a pandas DataFrame, a sparse matrix, an array or a list."""
    if hasattr(values, "iloc"):
        return values if values.ndim == 2 else values.to_numpy()
    if nw.dependencies.is_into_series(values):
        return nw.from_native(values, series_only=True).to_list()
    if nw.dependencies.is_into_dataframe(values):
        library = type(values).__module__.partition(".")[0]
        raise ValueError(
            f"values is a {type(values).__name__} of {library}: pass values.to_pandas(), or an "
            "array where all columns are numbers."
        )
    return values if hasattr(values, "shape") else _as_list(values)


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


def _check_items(values, ids):
    """Raise if an item lacks its text, or has NaN or infinity."""
    for bad, what in _faults(values):
        bad = np.flatnonzero(bad)
        if len(bad):
            first = ids.tolist()[bad[0]]
            raise ValueError(
                f"Item {first!r} has {what} ({len(bad)} of {len(ids)} items do): fill it in, or "
                "leave the item out."
            )


def _faults(values):
    """Yield the mask of the items with a fault, and what it is."""
    if hasattr(values, "iloc"):
        yield values.isna().to_numpy().any(axis=1), "a missing value"
        for name in values.columns:
            column = values[name].to_numpy()
            if column.dtype == object and any(isinstance(value, str) for value in column):
                yield _lacks_text(column), f"no text in the column {name!r}, which holds texts"
            elif column.dtype.kind == "f":
                yield ~np.isfinite(column), f"infinity in the column {name!r}"
    elif sp.issparse(values):
        rows = np.repeat(np.arange(values.shape[0]), np.diff(values.indptr))
        bad_rows = rows[~np.isfinite(values.data)]
        yield np.isin(np.arange(values.shape[0]), bad_rows), "NaN or infinity"
    elif values.dtype == object:
        yield _lacks_text(values), "no text"
    else:
        axes = tuple(range(1, values.ndim))
        yield ~np.isfinite(values).all(axis=axes), "NaN or infinity"


def _lacks_text(values):
    return [not isinstance(value, str) or not value.strip() for value in values]
