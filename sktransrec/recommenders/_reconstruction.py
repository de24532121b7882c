"""Recommend by reconstruction: what an encoder and its decoder make of a row."""

from sklearn.base import clone
from sklearn.utils import get_tags

from .._numerics._gram import as_dense
from .._validation import HasMethods
from .._wrapping import transformed
from ..base import InDomainRecommender


class ReconstructionRecommender(InDomainRecommender):
    r"""Recommend what a transformer reconstructs: ``inverse_transform(transform(X))``.

    An in-domain recommender: the transformer learns from X alone to compress a row and to undo
    that; what it adds on the way back are the recommendations. Around
    :class:`~sklearn.decomposition.TruncatedSVD` it is PureSVD [1]_, around a variational
    autoencoder with multinomial likelihood it is Mult-VAE [2]_.

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
        The share of the rows of X that have each item: the scores of an empty row.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names seen in `fit`, where X had any.

    See Also
    --------
    GraphFilterRecommender : Weights rows and items by their degrees, beside a linear filter.
    BridgeRecommender : Takes row factors to the items of another domain.

    Notes
    -----
    With the encoder f and the decoder g of the transformer, the scores of a row x are

    .. math:: g(f(x)) .

    A row unseen in `fit` is encoded like any other. Sparse X reaches a transformer that accepts it
    as it is; any other gets dense blocks, and in `fit` all of X densely. Where the transformer
    allows negative values, so does this recommender. Cost and determinism are the transformer's.

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

    _parameter_constraints: dict = {
        "transformer": [HasMethods(["fit", "transform", "inverse_transform"])]
    }

    def __init__(self, transformer):
        self.transformer = transformer

    @property
    def _nonnegative_X(self):
        return get_tags(self.transformer).input_tags.positive_only

    def _fit(self, X):
        self.transformer_ = clone(self.transformer).fit(self._transformer_input(X), None)
        n_items = self._score_rows(X[:1]).shape[1]
        if n_items != X.shape[1]:
            raise ValueError(
                f"inverse_transform of transformer={self.transformer!r} gives {n_items} columns "
                f"and X has {X.shape[1]}: it must lead back to the columns of X."
            )

    def _transformer_input(self, X):
        """Return rows as the transformer takes them, sparse or dense."""
        return X if get_tags(self.transformer).input_tags.sparse else X.toarray()

    def _score_rows(self, X):
        codes = transformed(self.transformer_, self._transformer_input(X))
        return as_dense(self.transformer_.inverse_transform(codes))
