"""Nearest neighbours by content: nothing learned from other rows."""

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.preprocessing import FunctionTransformer, normalize

from .._numerics._gram import as_dense
from .._validation import HasMethods, check_array
from .._wrapping import transformed
from ..base import InDomainRecommender, SimilarItemsMixin
from ..content import ItemFeatures
from ._item_content import ItemContentMixin, vectorizer_for


class ContentKNNRecommender(ItemContentMixin, SimilarItemsMixin, InDomainRecommender):
    r"""Recommend the items whose content is nearest to that of the items a row has.

    An in-domain recommender that learns nothing from what other rows have, so that an item without
    any interaction is served like every other: the honest floor of all that learns from content.

    Parameters
    ----------
    item_features : ItemFeatures, default=None
        The content of the columns of X, in their order; where X is a DataFrame, its columns are
        the ids of the items, in any order. In a vote or a `Pipeline` X has no names, and the order
        counts. None describes each item by the rows that have it, which makes this a recommender
        by interactions, and one that keeps X, also in a saved file.
    transformer : transformer or callable, default=None
        What makes a vector of the content of each item: a transformer, which is cloned and fitted
        on the content of all columns, or a function from the content of some items to an array of
        their vectors, such as the `encode` of a language model. None takes numbers as they are and
        weighs the words of texts by ``TfidfVectorizer(sublinear_tf=True)``.

    Attributes
    ----------
    transformer_ : transformer or None
        The fitted transformer.
    item_ids_ : ndarray of shape (n_items_,)
        The ids of the items; without `item_features` the names or numbers of the columns.
    n_items_ : int
        Number of items that can be recommended.
    popularity_ : ndarray of shape (n_items_,), dtype float32
        The share of the rows of X that have each item: the scores of an empty row.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, where X had any.

    See Also
    --------
    HybridRecommender : Learns from the interactions what the content of an item means.
    ItemKNNRecommender : Neighbours by the rows that have them.
    TextSequences : Token ids of texts, for networks.

    Notes
    -----
    With the vectors :math:`f_i` of the items, divided by their Euclidean norm, the score of item j
    for a row x is the cosine of the row's profile and the item,

    .. math:: \frac{p^\top f_j}{\|p\|}, \qquad p = \sum_i x_i f_i .

    Vectors may be dense or sparse. To score a row takes as many steps as there are stored numbers
    in the vectors of all items, at most. A row unseen in `fit` is treated as any other. It is as
    deterministic as the transformer.

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
    }

    def __init__(self, item_features=None, *, transformer=None):
        self.item_features = item_features
        self.transformer = transformer

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
        """Return one vector an item, dense or sparse, in float32."""
        vectors = content.values
        if self.transformer_ is not None:
            vectors = transformed(self.transformer_, vectors)
        shape = getattr(vectors, "shape", ())
        if len(shape) != 2 or shape[0] != content.n_items:
            raise ValueError(
                f"transformer={self.transformer!r} makes an array of shape {shape} of the content "
                f"of {content.n_items} items: it must make one vector of each."
            )
        return check_array(vectors, accept_sparse="csr", dtype=np.float32, input_name="vectors")

    def _add_items(self, item_features):
        self._unit_vectors = (*self._unit_vectors, normalize(self._vectors(item_features)))

    def _score_rows(self, X):
        return self._cosines(normalize(X @ self._unit_vectors[0]))

    def _item_similarities(self, items):
        stack = sp.vstack if sp.issparse(self._unit_vectors[0]) else np.vstack
        return self._cosines(stack(self._unit_vectors)[items])

    def _cosines(self, unit_vectors):
        """Return the cosines of unit vectors and all items, of shape (n_vectors, `n_items_`)."""
        cosines = np.empty((unit_vectors.shape[0], self.n_items_), dtype=np.float32)
        first = 0
        for block in self._unit_vectors:
            last = first + block.shape[0]
            cosines[:, first:last] = as_dense(unit_vectors @ block.T)
            first = last
        return cosines
