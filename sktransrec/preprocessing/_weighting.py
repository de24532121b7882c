# SPDX-License-Identifier: BSD-3-Clause
"""Weights of the entries of count and interaction matrices."""

from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.stats import loguniform, uniform
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from .._numerics._bm25 import inverse_document_frequency, saturated_counts
from .._numerics._entries import column_counts
from .._numerics._row_totals import row_lengths, row_totals
from .._typing import MatrixLike
from .._validation import (
    AT_LEAST_0,
    FROM_0_TO_1,
    check_interactions,
    check_is_fitted,
    check_rows,
    validated_fit,
)
from .._validation._finite import finite_output
from .._version_stamp import VersionStampMixin


class BM25Transformer(  # type: ignore[call-arg]  # a keyword of scikit-learn
    VersionStampMixin,
    OneToOneFeatureMixin,
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,
):
    r"""Weight a matrix of counts by BM25.

    Use it in front of a model that reads counts, if a few large counts or very long rows would
    dominate. A row is a document and a column is a term, as in
    :class:`~sklearn.feature_extraction.text.TfidfTransformer`: items and their words, or users and
    their items. If the items are the documents and the users are the terms, transform the
    transpose.

    Parameters
    ----------
    k1 : float, default=1.2
        The larger, the later the weight of repeated occurrences saturates, 0 or more. With 0, all
        counts have the same weight.
    b : float, default=0.75
        The larger, the less long documents count, from 0 (no effect) to 1.

    Attributes
    ----------
    idf_ : ndarray of shape (n_features_in_,), dtype float32
        The inverse document frequency of each term, above 0: large for rare terms.
    average_length_ : float
        The mean length (sum of counts) of the documents, empty ones included.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, if X had any.

    See Also
    --------
    PopularityScaler : Only divides by a power of the popularity of the column.
    ItemKNNRecommender : With ``weighting="bm25"``, uses this formula with items as documents.

    Notes
    -----
    The count :math:`x_{dt}` of term t in document d becomes

    .. math:: \frac{(k_1 + 1) x_{dt}}{k_1 \left(1 - b + b \frac{|d|}{\overline{|d|}}\right) +
        x_{dt}} \, g_t, \qquad g_t = \log \frac{n + 2}{n_t + 1} ,

    with the length :math:`|d| = \sum_t x_{dt}`, its mean over the documents of `fit`, the number n
    of these documents, and the number :math:`n_t` of those with term t. The sum over the terms of a
    query is the score of a document for this query [1]_. New documents change neither the mean
    length nor :math:`g`. The share of the documents with the term is estimated by Laplace's rule of
    succession, so that a term in all documents keeps a small weight.

    The result is sparse, also for dense input. A document without terms stays empty. The cost is a
    few passes over the nonzero counts. The result is deterministic.

    References
    ----------
    .. [1] S. Robertson and H. Zaragoza, "The probabilistic relevance framework: BM25 and beyond",
       Foundations and Trends in Information Retrieval 3 (2009). :doi:`10.1561/1500000019`

    Examples
    --------
    >>> from sktransrec.preprocessing import BM25Transformer
    >>> X = [[1, 0, 3], [0, 1, 0], [0, 0, 0], [0, 2, 0]]
    >>> BM25Transformer().fit_transform(X).toarray().round(2)
    array([[0.72, 0.  , 1.35],
           [0.  , 0.84, 0.  ],
           [0.  , 0.  , 0.  ],
           [0.  , 0.92, 0.  ]], dtype=float32)
    """

    idf_: NDArray[np.float32]
    average_length_: float
    n_features_in_: int
    feature_names_in_: NDArray[Any]

    _parameter_constraints: dict = {"k1": AT_LEAST_0, "b": FROM_0_TO_1}

    search_distributions: ClassVar = {"k1": loguniform(0.1, 100), "b": uniform(0, 1)}

    def __init__(self, *, k1: float = 1.2, b: float = 0.75) -> None:
        self.k1 = k1
        self.b = b

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @validated_fit
    def fit(self, X: MatrixLike, y: Any = None) -> Self:
        """Learn the inverse document frequency of each term and the mean length of the documents.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_documents, n_terms)
            Counts or other strengths, 0 or more.
        y : Ignored
            Present for the pipelines of scikit-learn.

        Returns
        -------
        self : object
        """
        X = check_interactions(self, X, reset=True)
        self.idf_ = inverse_document_frequency(_column_popularity(X), X.shape[0])
        self.average_length_ = float(row_totals(X).mean())
        return self

    @finite_output
    def transform(self, X: MatrixLike) -> csr_array:
        """Weight the counts.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_documents, n_terms)
            Counts, of documents seen in `fit` or not.

        Returns
        -------
        weights : csr_array of shape (n_documents, n_terms), dtype float32
        """
        check_is_fitted(self)
        X = check_interactions(self, X, reset=False)
        lengths = np.repeat(row_totals(X) / self.average_length_, row_lengths(X))
        weights = saturated_counts(X.data, lengths, self.k1, self.b) * self.idf_[X.indices]
        return _copy_with(X, weights)


class PopularityScaler(  # type: ignore[call-arg]  # a keyword of scikit-learn
    VersionStampMixin,
    OneToOneFeatureMixin,
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,
):
    r"""Give popular items less weight: divide each column by a power of its popularity.

    Use it in front of a linear model, a factorisation or a similarity of rows. Popular items say
    less about the taste of a row than rare items, but without scaling they dominate.

    Parameters
    ----------
    item_exponent : float, default=0.5
        The power of the popularity, 0 or more. 0 leaves X as it is. In a matrix of zeros and ones,
        0.5 gives all columns the same Euclidean norm, and 1 gives them the same sum.

    Attributes
    ----------
    scale_ : ndarray of shape (n_features_in_,), dtype float32
        The divisor of each column; 1 for a column that is empty in `fit`.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, if X had any.

    See Also
    --------
    BM25Transformer : Also limits large counts and the weight of long rows.
    DiscountedRecommender : Lowers the scores of popular items after learning.
    GraphFilterRecommender : Has such an exponent for the items, and one for the rows.

    Notes
    -----
    With the number :math:`n_i` of rows of `fit` whose entry in column i is not zero, an entry
    becomes

    .. math:: \tilde x_{ri} = x_{ri} / \max(1, n_i)^\alpha ,

    where :math:`\alpha` is `item_exponent`. If the chance of observing an interaction grows with
    this power of the popularity, these are inverse propensity weights up to a factor [1]_.
    `ALSRecommender` and `LogisticMFRecommender` weight the loss of an interaction by its value. So
    in ``make_pipeline(PopularityScaler(), ALSRecommender())`` each interaction has its inverse
    propensity as weight, in `fit` and when rows are folded in. The weight of a missing interaction
    does not change.

    Sparse input stays sparse, and dense input stays dense. The cost is one pass over X. The result
    is deterministic.

    References
    ----------
    .. [1] H. Steck, "Item popularity and recommendation accuracy", RecSys 2011.
       :doi:`10.1145/2043932.2043957`

    Examples
    --------
    >>> from sktransrec.preprocessing import PopularityScaler
    >>> X = [[1, 1, 0], [1, 0, 0], [1, 0, 0], [2, 1, 0]]
    >>> PopularityScaler().fit_transform(X).round(2)
    array([[0.5 , 0.71, 0.  ],
           [0.5 , 0.  , 0.  ],
           [0.5 , 0.  , 0.  ],
           [1.  , 0.71, 0.  ]], dtype=float32)
    """

    scale_: NDArray[np.float32]
    n_features_in_: int
    feature_names_in_: NDArray[Any]

    _parameter_constraints: dict = {"item_exponent": AT_LEAST_0}

    search_distributions: ClassVar = {"item_exponent": uniform(0, 1)}

    def __init__(self, item_exponent: float = 0.5) -> None:
        self.item_exponent = item_exponent

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @validated_fit
    def fit(self, X: MatrixLike, y: Any = None) -> Self:
        """Learn the popularity of the columns.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_items)
            Interactions, of any sign.
        y : Ignored
            Present for the pipelines of scikit-learn.

        Returns
        -------
        self : object
        """
        popularity = _column_popularity(check_rows(self, X, reset=True))
        self.scale_ = (np.maximum(1, popularity) ** float(self.item_exponent)).astype(np.float32)
        return self

    @finite_output
    def transform(self, X: MatrixLike) -> NDArray[np.float32] | csr_array:
        """Divide the columns by their scale.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_items)
            Rows, seen in `fit` or not.

        Returns
        -------
        X_scaled : {ndarray, csr_array} of shape (n_rows, n_items), dtype float32
        """
        check_is_fitted(self)
        return self._times(X, 1 / self.scale_)

    @finite_output
    def inverse_transform(self, X: MatrixLike) -> NDArray[np.float32] | csr_array:
        """Multiply the columns by their scale.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_items)
            Scaled rows.

        Returns
        -------
        X_original : {ndarray, csr_array} of shape (n_rows, n_items), dtype float32
        """
        check_is_fitted(self)
        return self._times(X, self.scale_)

    def _times(self, X, factors):
        """Return X with each column multiplied by its factor."""
        X = check_rows(self, X, reset=False)
        if not sp.issparse(X):
            return X * factors
        return _copy_with(X, X.data * factors[X.indices])


def _column_popularity(X):
    """Return the number of rows with a nonzero entry in each column."""
    if sp.issparse(X):
        return column_counts(X)
    return np.count_nonzero(X, axis=0)


def _copy_with(X, data):
    """Return a copy of X with new data at its nonzero entries; X may be the caller's."""
    weighted = X.copy()
    weighted.data = data.astype(np.float32, copy=False)
    weighted.eliminate_zeros()
    return weighted
