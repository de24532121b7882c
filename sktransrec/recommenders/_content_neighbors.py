"""Nearest neighbours by content; nothing is learned from other rows."""

from itertools import pairwise
from typing import ClassVar

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.preprocessing import FunctionTransformer, normalize

from .._numerics._gram import as_dense
from .._validation import HasMethods, StrOptions, check_array, get_chunk_n_rows
from .._wrapping import transformed
from ..base import InDomainRecommender, SimilarItemsMixin
from ..content import ItemFeatures
from ._item_content import ItemContentMixin, vectorizer_for


class ContentKNNRecommender(ItemContentMixin, SimilarItemsMixin, InDomainRecommender):
    r"""Recommend the items whose content is most similar to that of the items a row has.

    Use it for items without interactions, and as the baseline of every model that learns from
    content, such as `HybridRecommender`. It learns nothing from the interactions of other rows, so
    it serves an item without interactions like every other. It is an in-domain recommender: it
    learns from X alone. ``HistoryRecommender(ContentKNNRecommender(...))`` reads histories and
    weights recent items more; with ``decay=0`` only the last item counts.

    Parameters
    ----------
    item_features : ItemFeatures, default=None
        The content of the columns of X, in their order. If X is a DataFrame, its column names are
        the ids of the items, and the order does not matter. In a vote or a `Pipeline`, X has no
        names, and the order counts. None describes each item by the rows that have it. Then the
        model compares interactions, and it keeps X, also in a saved file.
    transformer : transformer or callable, default=None
        Makes a vector from the content of each item. It may be a transformer, which is cloned and
        fitted on the content of all columns, or a function from the content of some items to an
        array of vectors, such as the `encode` method of a language model. None uses numbers as they
        are and texts by ``TfidfVectorizer(sublinear_tf=True)``.
    pooling : {"mean", "max"}, default="mean"
        What an item is compared with: the mean of the items that a row has, or the one that is most
        similar to it (best match). "max" finds the interests of a row with several of them.

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

    Vectors may be dense or sparse. Scoring a row takes at most one step for each stored number in
    the vectors of all items. A row unseen in `fit` is treated like any other. The result is
    deterministic if the transformer is.

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
    """

    _parameter_constraints: dict = {
        "item_features": [ItemFeatures, None],
        "transformer": [HasMethods(["fit", "transform"]), callable, None],
        "pooling": [StrOptions({"mean", "max"})],
    }

    search_distributions: ClassVar = {"pooling": ["mean", "max"]}

    def __init__(self, item_features=None, *, transformer=None, pooling="mean"):
        self.item_features = item_features
        self.transformer = transformer
        self.pooling = pooling

    def _fit(self, X):
        content = self._content_of_columns(X)
        self.transformer_ = self._fitted_transformer(content)
        vectors = X.T.tocsr() if content is None else self._vectors(content)
        self._unit_vectors = (normalize(vectors),)

    def _fitted_transformer(self, content):
        if content is None:
            return None
        transformer = self.transformer
        if transformer is None:
            transformer = vectorizer_for(content)
        elif not hasattr(transformer, "transform"):
            transformer = FunctionTransformer(transformer).set_output(transform="default")
        return None if transformer is None else clone(transformer).fit(content.values)

    def _vectors(self, content):
        """Return one vector for each item, dense or sparse, in float32."""
        vectors = content.values
        if self.transformer_ is not None:
            vectors = transformed(self.transformer_, vectors)
        shape = getattr(vectors, "shape", ())
        if len(shape) != 2 or shape[0] != content.n_items:
            raise ValueError(
                f"transformer={self.transformer!r} makes an array of shape {shape} from the "
                f"content of {content.n_items} items: it must make one vector for each item."
            )
        return check_array(vectors, accept_sparse="csr", dtype=np.float32, input_name="vectors")

    def _add_items(self, item_features):
        self._unit_vectors = (*self._unit_vectors, normalize(self._vectors(item_features)))

    def _score_rows(self, X):
        if self.pooling == "max":
            return self._best_matches(X)
        return self._cosines(normalize(X @ self._unit_vectors[0]))

    def _best_matches(self, X):
        """Return the largest weighted cosine between the items of each row and every item."""
        scores = np.full((X.shape[0], self.n_items_), -np.inf, dtype=np.float32)
        known = np.unique(X.indices)
        n_at_once = get_chunk_n_rows(row_bytes=4 * self.n_items_)
        for first in range(0, len(known), n_at_once):
            items = known[first : first + n_at_once]
            cosines, weights = self._cosines(self._unit_vectors[0][items]), X[:, items]
            for row, (start, stop) in enumerate(pairwise(weights.indptr)):
                if start < stop:
                    own = weights.data[start:stop, None] * cosines[weights.indices[start:stop]]
                    np.maximum(scores[row], own.max(axis=0), out=scores[row])
        return scores

    def _item_similarities(self, items):
        stack = sp.vstack if sp.issparse(self._unit_vectors[0]) else np.vstack
        return self._cosines(stack(self._unit_vectors)[items])

    def _cosines(self, unit_vectors):
        """Return the cosines between unit vectors and all items, (n_vectors, `n_items_`)."""
        cosines = np.empty((unit_vectors.shape[0], self.n_items_), dtype=np.float32)
        first = 0
        for block in self._unit_vectors:
            last = first + block.shape[0]
            cosines[:, first:last] = as_dense(unit_vectors @ block.T)
            first = last
        return cosines
