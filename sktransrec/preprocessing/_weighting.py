"""Weights of the entries of count and interaction matrices."""

from numbers import Real

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from .._numerics._bm25 import inverse_document_frequency, saturated_counts
from .._validation import (
    Interval,
    _fit_context,
    check_interactions,
    check_is_fitted,
    check_rows,
    restores_on_error,
)
from .._validation._finite import finite_output
from .._version_stamp import VersionStampMixin


class BM25Transformer(
    VersionStampMixin,
    OneToOneFeatureMixin,
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,
):
    r"""Weight a matrix of counts by BM25.

    A row is a document and a column a term, as in
    :class:`~sklearn.feature_extraction.text.TfidfTransformer`: items and their words, or users
    and the items that they have. Where the items are the documents, as users describe them,
    transform the transpose.

    Parameters
    ----------
    k1 : float, default=1.2
        How slowly repeated occurrences saturate, 0 or more. 0 makes all counts alike.
    b : float, default=0.75
        How much long documents are held back, from 0, not at all, to 1.

    Attributes
    ----------
    idf_ : ndarray of shape (n_features_in_,), dtype float32
        How telling each term is, 0 or more.
    average_length_ : float
        The mean over the documents of the sum of their counts, empty documents included.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, if X had any.

    See Also
    --------
    PopularityScaler : Holds popular columns back and leaves the rest of an entry as it is.
    ItemKNNRecommender : With ``weighting="bm25"``, weights items as documents by this formula.

    Notes
    -----
    The count :math:`x_{dt}` of term t in document d becomes

    .. math:: \frac{(k_1 + 1) x_{dt}}{k_1 \left(1 - b + b \frac{|d|}{\overline{|d|}}\right) +
        x_{dt}} \, g_t, \qquad g_t = \max\left(0, \log \frac{n}{1 + n_t}\right) ,

    with the length :math:`|d| = \sum_t x_{dt}`, its mean over the documents of `fit`, their
    number n, and the number :math:`n_t` of those with term t. A document's sum over the terms of
    a query is its score for the query [1]_. New documents change neither the mean length nor
    :math:`g`.

    The result is sparse for dense input, too: a term that no document of `fit` has, or all of
    them do, gets what the formula says, zeros in the second case, and a document without terms
    stays empty. The cost is a few passes over the nonzero counts. The result is deterministic.

    References
    ----------
    .. [1] S. Robertson and H. Zaragoza, "The probabilistic relevance framework: BM25 and beyond",
       Foundations and Trends in Information Retrieval 3 (2009). :doi:`10.1561/1500000019`

    Examples
    --------
    >>> from sktransrec.preprocessing import BM25Transformer
    >>> X = [[1, 0, 3], [0, 1, 0], [0, 0, 0], [0, 2, 0]]
    >>> BM25Transformer().fit_transform(X).toarray().round(2)
    array([[0.45, 0.  , 0.85],
           [0.  , 0.35, 0.  ],
           [0.  , 0.  , 0.  ],
           [0.  , 0.38, 0.  ]], dtype=float32)
    """

    _parameter_constraints: dict = {
        "k1": [Interval(Real, 0, None, closed="left")],
        "b": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(self, *, k1=1.2, b=0.75):
        self.k1 = k1
        self.b = b

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @restores_on_error
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn how telling each term is, and the mean length of the documents.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_documents, n_terms)
            Counts or other strengths, none of them negative.
        y : Ignored
            Present for the pipelines of scikit-learn.

        Returns
        -------
        self : object
        """
        X = check_interactions(self, X, reset=True)
        self.idf_ = inverse_document_frequency(_column_popularity(X), X.shape[0])
        self.average_length_ = float(_row_sums(X).mean())
        return self

    @finite_output
    def transform(self, X):
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
        lengths = np.repeat(_row_sums(X) / self.average_length_, np.diff(X.indptr))
        weights = saturated_counts(X.data, lengths, self.k1, self.b) * self.idf_[X.indices]
        return _with_data(X, weights)


class PopularityScaler(
    VersionStampMixin,
    OneToOneFeatureMixin,
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,
):
    r"""Divide each column of an interaction matrix by a power of its popularity.

    Popular items say less about a row's taste than rare ones; unscaled, they lead what a linear
    model, a factorisation or a similarity of rows learns.

    Parameters
    ----------
    item_exponent : float, default=0.5
        How much popular columns are held back, 0 or more. 0 leaves X as it is; 0.5 gives the
        columns of a matrix of zeros and ones the same Euclidean norm, 1 the same sum.

    Attributes
    ----------
    scale_ : ndarray of shape (n_features_in_,), dtype float32
        What each column is divided by; 1 for a column that no row of `fit` has.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, if X had any.

    See Also
    --------
    BM25Transformer : Saturates counts and holds long rows back as well.
    DiscountedRecommender : Holds popular items back in what a recommender says.
    GraphFilterRecommender : Has such an exponent, and one for the rows, built in.

    Notes
    -----
    With the number :math:`n_i` of rows of `fit` whose entry in column i is not zero, an entry
    becomes

    .. math:: \tilde x_{ri} = x_{ri} / \max(1, n_i)^\alpha ,

    :math:`\alpha` being `item_exponent`. Under the assumption that the chance of seeing an
    interaction grows with that power of popularity, these are inverse propensity weights up to a
    factor [1]_. `ALSRecommender` and `LogisticMFRecommender` weigh the loss of an interaction by
    its value: in ``make_pipeline(PopularityScaler(), ALSRecommender())`` each interaction counts by
    its inverse propensity, in `fit` and when rows are folded in, and what is missing counts as
    before.

    Sparse input stays sparse, dense stays dense. The cost is a pass over X. The result is
    deterministic.

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

    _parameter_constraints: dict = {"item_exponent": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, item_exponent=0.5):
        self.item_exponent = item_exponent

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @restores_on_error
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
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
    def transform(self, X):
        """Divide the columns by their scale.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_items)
            Rows, seen in `fit` or not.

        Returns
        -------
        X_scaled : {ndarray, csr_array} of shape (n_rows, n_items), dtype float32
        """
        return self._times(X, 1 / self._fitted_scale())

    @finite_output
    def inverse_transform(self, X):
        """Multiply the columns by their scale.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_items)
            Scaled rows.

        Returns
        -------
        X_original : {ndarray, csr_array} of shape (n_rows, n_items), dtype float32
        """
        return self._times(X, self._fitted_scale())

    def _fitted_scale(self):
        check_is_fitted(self)
        return self.scale_

    def _times(self, X, factors):
        """Return X with each column multiplied by its factor."""
        X = check_rows(self, X, reset=False)
        if not sp.issparse(X):
            return X * factors
        return _with_data(X, X.data * factors[X.indices])


def _column_popularity(X):
    """Return the number of rows with a nonzero entry in each column."""
    if sp.issparse(X):
        return np.bincount(X.indices, minlength=X.shape[1])
    return np.count_nonzero(X, axis=0)


def _with_data(X, data):
    """Return a new matrix with the data at the nonzero entries of X, which may be the caller's."""
    weighted = X.copy()
    weighted.data = data.astype(np.float32, copy=False)
    weighted.eliminate_zeros()
    return weighted


def _row_sums(X):
    """Return the sums of the rows, in double precision."""
    return X.sum(axis=1, dtype=np.float64)
