# SPDX-License-Identifier: BSD-3-Clause
"""Nearest neighbours by content; nothing is learned from other rows."""

import copy
from collections.abc import Callable
from contextlib import contextmanager
from functools import reduce
from itertools import pairwise
from typing import Any, ClassVar, Literal

import numpy as np
from scipy.stats import uniform
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

from .._numerics._entries import column_counts
from .._numerics._mixed_vectors import MixedVectors
from .._typing import Estimator
from .._validation import (
    AT_LEAST_0,
    HasMethods,
    StrOptions,
    check_array,
    check_is_fitted,
    check_matrix,
    get_chunk_n_rows,
)
from .._wrapping import as_matrix
from ..base import InDomainRecommender, SimilarItemsMixin
from ..content import ItemFeatures, PretrainedEncoder
from ..content._shared_encoder import SharesEncoderMixin
from ..content._words import vectorizer_for
from ._item_content import ItemContentMixin, check_item_features
from ._shared_vectors import made_once


class ContentKNNRecommender(
    SharesEncoderMixin, ItemContentMixin, SimilarItemsMixin, InDomainRecommender
):
    r"""Recommend the items whose content is most similar to that of the items a row has.

    Use it for items without interactions, and as the baseline of every model that learns from
    content, such as `HybridRecommender`. It learns nothing from the interactions of other rows, so
    it serves an item without interactions like every other, and `with_item_features` takes it to
    another catalogue. ``HistoryRecommender(ContentKNNRecommender(...), decay=0.7)`` reads histories
    and weights recent items more; with ``decay=0`` only the last item counts. It is an in-domain
    recommender: it learns from X alone.

    Parameters
    ----------
    item_features : ItemFeatures, default=None
        The content of the columns of X, in their order. If X is a DataFrame, its column names are
        the ids of the items, and the order does not matter. In a vote or a `Pipeline`, X has no
        names, and the order counts. None describes each item by the rows that have it. Then the
        model compares interactions, and it keeps X, also in a saved file.
    transformer : transformer or callable, default=None
        Makes a vector from the content of each item. It may be a transformer, which is cloned and
        fitted on the content of all columns. Or it is a function from the content of some items to
        an array of vectors, such as the `encode` method of a language model. A function is never
        copied, and is left out of saved files. See `PretrainedEncoder` for batches, a cache and
        what is saved. None uses numbers as they are and texts by
        ``TfidfVectorizer(sublinear_tf=True)``. Of a table of texts, it averages the cosines by the
        first column, which should hold the titles, and by the texts of all columns together. A
        :class:`~sklearn.pipeline.FeatureUnion` uses words and vectors together: the cosines of its
        parts are averaged, weighted by the squares of its `transformer_weights`, if each part makes
        vectors of length 1. So does a :class:`~sklearn.compose.ColumnTransformer` with the columns
        of a table.
    pooling : {"mean", "max"}, default="mean"
        What an item is compared with: the mean of the items that a row has, or the one that is most
        similar to it (best match). "max" finds the interests of a row with several of them.
    popularity_weight : float, default=0.0
        How much the popularity of an item counts beside its cosine, 0 or more. 0 counts nothing; 1
        gives the most popular item as much as a cosine of 1.

    Attributes
    ----------
    transformer_ : transformer or None
        The fitted transformer.
    item_ids_ : ndarray of shape (n_items_,)
        The ids of the items. Without `item_features`, the names or numbers of the columns.
    n_items_ : int
        Number of items that can be recommended.
    popularity_ : ndarray of shape (n_items_,), dtype float32
        The share of the rows of X that have each item; an empty row gets these as its scores.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, if X had any.

    See Also
    --------
    HybridRecommender : Learns from the interactions which content is liked by whom.
    ItemKNNRecommender : Neighbours by interactions.
    TextSequences : Token ids of texts, for networks.

    Notes
    -----
    With the vectors :math:`f_i` of the items, divided by their Euclidean norm, the score of item j
    for a row x is the cosine between the profile p of the row and the item,

    .. math:: \frac{p^\top f_j}{\|p\|}, \qquad p = \sum_i x_i f_i .

    With ``pooling="max"`` it is :math:`\max_i x_i f_i^\top f_j` over the items that the row has.
    With the number :math:`n_j` of rows that have item j and the `popularity_weight` w, the score
    also has the summand :math:`w \log(1 + n_j) / \log(1 + \max_i n_i)`.

    Vectors may be dense or sparse, or dense in some columns and sparse in others. Scoring a row
    takes at most one step for each stored number in the vectors of all items. A row unseen in `fit`
    is treated like any other, and rows may have later items as well: X has either the columns of
    `fit` or all known items. The result is deterministic if the transformer is.

    Examples
    --------
    >>> from sktransrec import ContentKNNRecommender, ItemFeatures
    >>> titles = ["ridge regression", "sparse regression", "gene expression", "gene networks"]
    >>> model = ContentKNNRecommender(ItemFeatures(titles)).fit([[1, 0, 0, 0], [0, 0, 1, 0]])
    >>> items, _ = model.recommend([[0, 1, 0, 0]], n_recommendations=1)
    >>> items
    array([[0]])
    >>> later = model.with_items(ItemFeatures(["kernel regression"], ids=["new"]))
    >>> later.recommend([[1, 1, 0, 0]], n_recommendations=1)[0]
    array([[4]])
    >>> other = model.with_item_features(ItemFeatures(["rice noodles", "egg noodles", "cocoa"]))
    >>> other.recommend([[1, 0, 0]], n_recommendations=1)[0]
    array([[1]])
    """

    transformer_: Estimator | None

    _parameter_constraints: dict = {
        "item_features": [ItemFeatures, None],
        "transformer": [HasMethods(["fit", "transform"]), callable, None],
        "pooling": [StrOptions({"mean", "max"})],
        "popularity_weight": AT_LEAST_0,
    }

    _encoder_parameter = "transformer"

    search_distributions: ClassVar = {
        "pooling": ["mean", "max"],
        "popularity_weight": uniform(0, 0.5),
    }

    def __init__(
        self,
        item_features: ItemFeatures | None = None,
        *,
        transformer: Estimator | Callable[..., Any] | None = None,
        pooling: Literal["mean", "max"] = "mean",
        popularity_weight: float = 0.0,
    ) -> None:
        self.item_features = item_features
        self.transformer = transformer
        self.pooling = pooling
        self.popularity_weight = popularity_weight

    def with_item_features(self, item_features: ItemFeatures) -> "ContentKNNRecommender":
        """Return this fitted recommender for the items of another catalogue.

        No interactions with the new items are needed. The transformer is fitted to their content.

        Parameters
        ----------
        item_features : ItemFeatures
            The content of the new items, in the same form as in `fit`.

        Returns
        -------
        recommender : ContentKNNRecommender
            A fitted copy, whose columns are the new items. They have no popularity.
        """
        check_is_fitted(self)
        check_item_features(self, item_features)
        other = copy.copy(self).set_params(item_features=item_features)
        other._column_names = None
        other.n_features_in_ = other.n_items_ = item_features.n_items
        vars(other).pop("feature_names_in_", None)
        other._item_ids = (item_features.ids,)
        other.popularity_ = np.zeros(other.n_items_, dtype=np.float32)
        other._set_vectors(item_features, None)
        other._of_popularity = other.popularity_
        return other

    def _fit(self, X):
        self._set_vectors(self._content_of_columns(X), X)
        counts = np.log1p(column_counts(X), dtype=np.float32)
        self._of_popularity = np.float32(self.popularity_weight) * counts / counts.max()

    def _set_vectors(self, content, X):
        """Set the vectors of the first items; without content they are the columns of X."""
        if content is None:
            self.transformer_, vectors = None, MixedVectors.unit(X.T.tocsr())
        else:
            transformer = self._unfitted_transformer(content)
            self.transformer_, vectors = made_once(
                content, transformer, lambda: self._fitted_to(content, transformer)
            )
        self._unit_vectors = (vectors,)

    def _fitted_to(self, content, transformer):
        """Return a clone of the transformer, fitted to the content, and its vectors."""
        self.transformer_ = None if transformer is None else clone(transformer)
        return self.transformer_, MixedVectors.unit(self._vectors(content, fits=True))

    def _unfitted_transformer(self, content):
        transformer = self.transformer
        if transformer is None:
            return vectorizer_for(content)
        is_function = not hasattr(transformer, "transform")
        return PretrainedEncoder(transformer) if is_function else transformer

    def _vectors(self, content, *, fits=False):
        """Return one vector for each item, dense or sparse, in float32."""
        vectors = content.values
        if self.transformer_ is not None:
            is_frozen = isinstance(self.transformer_, FrozenEstimator)
            encode = "fit_transform" if fits and not is_frozen else "transform"
            with self._naming_the_transformer(content, AttributeError):
                vectors = as_matrix(getattr(self.transformer_, encode)(vectors))
        shape = getattr(vectors, "shape", ())
        if len(shape) != 2 or shape[0] != content.n_items:
            raise ValueError(
                f"transformer={self.transformer!r} makes an array of shape {shape} from the "
                f"content of {content.n_items} items: it must make one vector for each item."
            )
        with self._naming_the_transformer(content, ValueError):
            return check_array(vectors, accept_sparse="csr", dtype=np.float32, input_name="vectors")

    @contextmanager
    def _naming_the_transformer(self, content, kind):
        """Turn an error of this kind, about what the transformer reads or makes, into one of it."""
        try:
            yield
        except NotFittedError:
            raise
        except kind as error:
            raise ValueError(
                f"transformer={self.transformer!r} makes no vectors of {content!r}: "
                f"{str(error).rstrip('.')}. Pass a transformer that makes numbers of such content, "
                "for example a ColumnTransformer for a table."
            ) from error

    def _add_items(self, item_features):
        vectors = MixedVectors.unit(self._vectors(item_features), like=self._unit_vectors[0])
        self._unit_vectors = (*self._unit_vectors, vectors)
        self._of_popularity = np.pad(self._of_popularity, (0, item_features.n_items))

    @property
    def reads_later_items(self) -> bool:
        """Whether rows may hold items that were added after `fit`."""
        return self.n_items_ > self.n_features_in_

    def _check_rows(self, X):
        if not self.reads_later_items or np.shape(X)[1:] != (self.n_items_,):
            return super()._check_rows(X)
        self._check_order_of_columns(X)
        return check_matrix(X, name="X", nonnegative=True)

    def _score_rows(self, X):
        scores = self._best_matches(X) if self.pooling == "max" else self._profile_cosines(X)
        return scores + self._of_popularity if self.popularity_weight else scores

    def _profile_cosines(self, X):
        """Return the cosines between the sums of the vectors of each row and all items."""
        profiles = self._profiles(X)
        return self._inner_products(profiles) / _nonzero_lengths(profiles)

    def _profiles(self, X):
        """Return the sums of the vectors of each row."""
        sums = [vectors.weighted_sums(part) for vectors, part in self._read_blocks(X)]
        return reduce(MixedVectors.plus, sums)

    def _read_blocks(self, X):
        """Yield the vectors of the items that are columns of X, block by block, and the columns."""
        first = 0
        for vectors in self._unit_vectors:
            if first < X.shape[1]:
                is_all = len(vectors) == X.shape[1]
                yield vectors, X if is_all else X[:, first : first + len(vectors)]
            first += len(vectors)

    def _score_parts(self, X):
        parts = X.data[:, None] * self._item_similarities(X.indices)
        if self.pooling == "max":
            return _largest_alone(parts)
        return parts / _nonzero_lengths(self._profiles(X))

    def _best_matches(self, X):
        """Return the largest weighted cosine between the items of each row and every item."""
        scores = np.full((X.shape[0], self.n_items_), -np.inf, dtype=np.float32)
        n_at_once = get_chunk_n_rows(row_bytes=4 * self.n_items_)
        for vectors, part in self._read_blocks(X):
            known = np.unique(part.indices)
            for first in range(0, len(known), n_at_once):
                items = known[first : first + n_at_once]
                _raise_to_matches(scores, part[:, items], self._inner_products(vectors.of(items)))
        return scores

    def _item_similarities(self, items):
        ends = np.cumsum([len(vectors) for vectors in self._unit_vectors])
        similarities = np.empty((len(items), self.n_items_), dtype=np.float32)
        for vectors, end in zip(self._unit_vectors, ends, strict=True):
            own = (items < end) & (items >= end - len(vectors))
            similarities[own] = self._inner_products(vectors.of(items[own] - end + len(vectors)))
        return similarities

    def _inner_products(self, vectors):
        """Return the inner products of some vectors and those of all items."""
        return np.hstack([vectors.products(block) for block in self._unit_vectors])


def _raise_to_matches(scores, weights, cosines):
    """Raise the scores of each row to its weights times the cosines of its items, in place."""
    for row, (start, stop) in enumerate(pairwise(weights.indptr)):
        if start < stop:
            own = weights.data[start:stop, None] * cosines[weights.indices[start:stop]]
            np.maximum(scores[row], own.max(axis=0), out=scores[row])


def _largest_alone(parts):
    """Return the parts with 0 in place of all but the first largest one of each column."""
    largest = parts.argmax(axis=0)[None]
    alone = np.zeros_like(parts)
    np.put_along_axis(alone, largest, np.take_along_axis(parts, largest, axis=0), axis=0)
    return alone


def _nonzero_lengths(profiles):
    """Return the lengths of profiles, of shape (n_profiles, 1), dtype float32."""
    return np.maximum(profiles.lengths(), np.finfo(np.float32).tiny).astype(np.float32)[:, None]
