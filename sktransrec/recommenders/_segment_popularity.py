# SPDX-License-Identifier: BSD-3-Clause
"""The popular items of each segment of rows: the baseline for rows without a history."""

from typing import Any, ClassVar

import narwhals.stable.v1 as nw
import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.stats import loguniform
from sklearn.preprocessing import OrdinalEncoder

from .._columns import objects_of
from .._numerics._entries import one_in_each_row
from .._validation import ABOVE_0, check_candidates, check_rows, check_table, is_table, reading
from ..base import SupervisedRecommender


class SegmentPopularityRecommender(SupervisedRecommender):
    r"""Recommend what is popular among similar rows, such as users of one country and age group.

    Use it as the baseline for rows that have features but no history yet. Rows with the same values
    in some columns of X form a segment. Try `RidgeRecommender` next if there are many features. It
    is a supervised recommender: it learns the map from X, the features of the rows, to their
    interactions y.

    Parameters
    ----------
    segment_columns : array-like of int or str, or mask of shape (n_features,), default=None
        The columns of X whose values define the segments. None means all of them.
    shrinkage : float, default=10.0
        The popularity among all rows counts like this many rows of the segment, above 0. So a small
        segment follows all rows, and a large one follows its own rows.

    Attributes
    ----------
    segments_ : ndarray of shape (n_segments, n_segment_columns), dtype float64 or object
        The values of each segment.
    segment_sizes_ : ndarray of shape (n_segments,)
        The number of rows of each segment.
    segment_counts_ : csr_array of shape (n_segments, n_items_), dtype float32
        The number of rows of each segment that have each item.
    n_items_ : int
        Number of items that can be recommended.
    popularity_ : ndarray of shape (n_items_,), dtype float32
        The share of all rows that have each item. A segment not seen in `fit` gets these scores.
    n_features_in_ : int
        Number of columns of X seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, if X had any.

    See Also
    --------
    PopularityRecommender : The popularity among all rows.
    RidgeRecommender : Learns a weight for each feature instead of one list per combination.
    SwitchingRecommender : Serves rows with a history by their history and others by features.

    Notes
    -----
    With :math:`n_s` rows in segment s, of which :math:`n_{si}` have item i, and the share
    :math:`p_i` of all rows that have it, the score is

    .. math:: \frac{n_{si} + k \, p_i}{n_s + k} ,

    where k is `shrinkage`: the posterior mean with a beta prior around the popularity. The values
    of X are numbers, texts or categories. A missing text or category is a value like any other, and
    so is a row of zeros. If numbers rarely repeat, cut them into a few steps first, with
    :class:`~sklearn.preprocessing.KBinsDiscretizer`.

    Examples
    --------
    >>> from sktransrec import SegmentPopularityRecommender
    >>> X = [[0, 31], [0, 52], [1, 47], [1, 29]]
    >>> y = [[1, 1, 0], [1, 0, 0], [0, 1, 1], [0, 0, 1]]
    >>> model = SegmentPopularityRecommender(segment_columns=[0], shrinkage=1).fit(X, y)
    >>> items, _ = model.recommend([[0, 18], [1, 18]], n_recommendations=1)
    >>> items
    array([[0],
           [2]])
    """

    segments_: NDArray[Any]
    segment_sizes_: NDArray[Any]
    segment_counts_: csr_array

    _parameter_constraints: dict = {"segment_columns": ["array-like", None], "shrinkage": ABOVE_0}

    search_distributions: ClassVar = {"shrinkage": loguniform(1, 1000)}

    def __init__(
        self, segment_columns: ArrayLike | None = None, *, shrinkage: float = 10.0
    ) -> None:
        self.segment_columns = segment_columns
        self.shrinkage = shrinkage

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        return tags

    def _valid_rows(self, X, *, reset):
        if reset:
            self._categories = _categories() if is_table(X) else None
        if self._categories is None:
            # Numbers of segments, such as dates, may be larger than float32 tells apart.
            X = check_rows(self, X, reset=reset, dtype=np.float64)
            largest = np.abs(X.data if sp.issparse(X) else X).max(initial=0)
            if largest >= 2**53:
                raise ValueError(
                    f"X holds {largest:.0f}, and numbers from 2**53 on do not tell neighbouring "
                    "segments apart: pass a table with these columns as texts."
                )
            return X
        table = _with_one_missing_value(check_table(self, X, reset=reset))
        with reading(table, name="X"):
            return (self._categories.fit(table) if reset else self._categories).transform(table)

    def _decoded(self, codes):
        """Return the values of segments from their codes."""
        if self._categories is None:
            return codes
        known = self._categories.categories_
        if self._columns is not None:
            known = [known[column] for column in self._columns]
        # NaN comes last among the known values, and its code is -2.
        values = [np.array([*of_column, None], dtype=object) for of_column in known]
        chosen = zip(values, codes.T.astype(np.intp), strict=True)
        return np.column_stack([of_column[places] for of_column, places in chosen])

    def _fit(self, X, y):
        self._columns = self._columns_of_segments(X.shape[1])
        codes, segment_of_row, self.segment_sizes_ = np.unique(
            self._segment_values(X), axis=0, return_inverse=True, return_counts=True
        )
        self.segments_ = self._decoded(codes)
        has_item = (y > 0).astype(np.float32)
        is_in_segment = one_in_each_row(segment_of_row, len(codes))
        self.segment_counts_ = sp.csr_array(is_in_segment.T @ has_item)
        self._places = {_key(values): s for s, values in enumerate(codes)}

    def _columns_of_segments(self, n_columns):
        """Return the numbers of the columns that define the segments; None if all do."""
        columns = self.segment_columns
        names = list(getattr(self, "feature_names_in_", ()))
        if columns is not None and all(isinstance(column, str) for column in columns):
            unknown = [column for column in columns if column not in names]
            if unknown:
                raise ValueError(
                    f"segment_columns names the columns {unknown}, but those of X are called "
                    f"{names or 'nothing: pass a DataFrame, or numbers of columns'}."
                )
            columns = [names.index(column) for column in columns]
        return check_candidates(
            columns, n_columns, name="segment_columns", holds_items=False, names=names or None
        )

    def _segment_values(self, X):
        """Return the values that define the segments of rows, as a dense array."""
        values = X if self._columns is None else X[:, self._columns]
        values = values.toarray() if sp.issparse(values) else np.ascontiguousarray(values)
        return values + 0.0  # turns -0 into 0

    def _unknown_rows(self, X):
        return np.zeros(X.shape[0], dtype=bool)

    def _alike_rows(self, X):
        """Return the segments of validated rows, -1 for one that was not in `fit`."""
        keys = map(_key, self._segment_values(X))
        return np.array([self._places.get(key, -1) for key in keys])

    def _score_rows(self, X):
        segments = self._alike_rows(X)
        is_known = segments >= 0
        counts = np.zeros((X.shape[0], self.n_items_), dtype=np.float32)
        counts[is_known] = self.segment_counts_[segments[is_known]].toarray()
        sizes = np.where(is_known, self.segment_sizes_[segments], 0)[:, None]
        shrinkage = np.float32(self.shrinkage)
        return (counts + shrinkage * self.popularity_) / (sizes + shrinkage)


def _key(values):
    """Return the values of a segment as a text; skops cannot save bytes."""
    return values.tobytes().hex()


def _with_one_missing_value(table):
    """Return a table as an array of objects in which everything that is missing is NaN."""
    if not isinstance(table, np.ndarray):
        frame = nw.from_native(table, eager_only=True)
        columns = [objects_of(column.to_list()) for column in frame.iter_columns()]
        for values, column in zip(columns, frame.iter_columns(), strict=True):
            values[column.is_null().to_numpy()] = np.nan
        return np.column_stack(columns)
    table = table.copy()
    table[np.equal(table, None)] = np.nan
    return table


def _categories():
    """Return the encoder of texts and categories; unknown values get the code -1."""
    return OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=-1,
        encoded_missing_value=-2,
        dtype=np.float32,
    ).set_output(transform="default")
