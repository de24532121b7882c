# SPDX-License-Identifier: BSD-3-Clause
"""Recommending what a transformer adds to a row when it encodes and decodes it."""

from sklearn.utils import get_tags

from .._numerics._entries import as_dense
from .._score_parts import additive_parts
from .._typing import Estimator
from .._validation import HasMethods, check_interactions
from .._wrapping import entry_tags, fitted_part, transformed
from ..base import InDomainRecommender
from ..content._item_features import check_order_of_items


class ReconstructionRecommender(InDomainRecommender):
    r"""Turn an autoencoder, an SVD or an NMF into a recommender.

    Use it with any transformer that has an `inverse_transform`: the scores are
    ``inverse_transform(transform(X))``. With :class:`~sklearn.decomposition.TruncatedSVD` it is
    PureSVD [1]_; with a variational `Autoencoder` and the multinomial loss it is Mult-VAE [2]_. Try
    `EASERecommender` first, which needs no training. It is an in-domain recommender: the
    transformer learns from X alone to compress rows. The items that it adds when it decompresses a
    row are the recommendations.

    Parameters
    ----------
    transformer : transformer
        Has `fit`, `transform` and `inverse_transform`, such as
        :class:`~sklearn.decomposition.TruncatedSVD`, :class:`~sklearn.decomposition.NMF` or a
        `Pipeline` of such steps. It is cloned and fitted on X; a fitted one inside a
        :class:`~sklearn.frozen.FrozenEstimator` is used as it is.

    Attributes
    ----------
    transformer_ : transformer
        The fitted transformer.
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
    Autoencoder : A neural network to put inside.
    GraphFilterRecommender : An SVD of weighted interactions, plus a linear filter.
    BridgeRecommender : Maps row factors to the items of another domain.

    Notes
    -----
    With the encoder f and the decoder g of the transformer, the scores of a row x are

    .. math:: g(f(x)) .

    A row unseen in `fit` is encoded like any other. A transformer that accepts sparse matrices gets
    X sparse. Any other transformer gets dense blocks of rows, and in `fit` all of X as a dense
    array. Negative values are allowed if the transformer allows them. Cost and determinism are
    those of the transformer.

    References
    ----------
    .. [1] P. Cremonesi, Y. Koren and R. Turrin, "Performance of recommender algorithms on top-n
       recommendation tasks", RecSys 2010. :doi:`10.1145/1864708.1864721`
    .. [2] D. Liang, R. G. Krishnan, M. D. Hoffman and T. Jebara, "Variational autoencoders for
       collaborative filtering", WWW 2018. :arxiv:`1802.05814`

    Examples
    --------
    >>> from sklearn.decomposition import NMF
    >>> from sktransrec import ReconstructionRecommender
    >>> X = [[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    >>> model = ReconstructionRecommender(NMF(n_components=2, random_state=0)).fit(X)
    >>> items, _ = model.recommend([[1, 0, 0, 0], [0, 0, 0, 1]], n_recommendations=1)
    >>> items
    array([[1],
           [2]])
    """

    transformer_: Estimator

    _parameter_constraints: dict = {
        "transformer": [HasMethods(["fit", "transform", "inverse_transform"])]
    }

    def __init__(self, transformer: Estimator) -> None:
        self.transformer = transformer

    @property
    def _nonnegative_X(self):
        return entry_tags(self.transformer).input_tags.positive_only

    def _fit(self, X):
        check_order_of_items(self, getattr(self, "feature_names_in_", None))
        is_sparse = get_tags(self.transformer).input_tags.sparse
        self._reads = {"sparse": is_sparse, "negative": not self._nonnegative_X}
        self.transformer_ = fitted_part(self.transformer, self._transformer_input(X), None)
        n_items = self._score_rows(X[:1]).shape[1]
        if n_items != X.shape[1]:
            raise ValueError(
                f"inverse_transform of transformer={self.transformer!r} gives {n_items} columns, "
                f"but X has {X.shape[1]}: it must give back the columns of X."
            )

    def _transformer_input(self, X):
        """Return the rows sparse or dense, as the transformer needs them."""
        return X if self._reads["sparse"] else X.toarray()

    def _check_rows(self, X):
        nonnegative = not self._reads["negative"]
        return check_interactions(self, X, reset=False, nonnegative=nonnegative)

    def _score_rows(self, X):
        codes = transformed(self.transformer_, self._transformer_input(X))
        return as_dense(self.transformer_.inverse_transform(codes))

    def _score_parts(self, X):
        return additive_parts(self._score_rows, X)
