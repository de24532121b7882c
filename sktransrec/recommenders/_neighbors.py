# SPDX-License-Identifier: BSD-3-Clause
"""Nearest neighbours of items, by interactions."""

from itertools import groupby
from operator import itemgetter
from typing import ClassVar, Literal

import numpy as np
import scipy.sparse as sp
from scipy.sparse import csr_array
from scipy.stats import loguniform, uniform
from sklearn.preprocessing import normalize

from .._auto import Numbers, choice_on_curves, values_to_try
from .._numerics._bm25 import inverse_document_frequency, saturated_counts
from .._numerics._entries import as_sparse, column_counts, pattern_of, with_data
from .._numerics._linked_scores import linked_scores
from .._numerics._row_blocks import entry_rows
from .._numerics._row_sums import gram_sum
from .._numerics._row_totals import row_lengths
from .._numerics._strongest_links import shrunk_links, strongest_links_of_each, strongest_of
from .._validation import AT_LEAST_0, AUTO, COUNT, FROM_0_TO_1, StrOptions
from ..base import InDomainRecommender, SimilarItemsMixin
from ._row_sums import RowSumsMixin

# What "auto" chooses from; the first weighting and shrinkage are those for small data.
_WEIGHTINGS = ("bm25", "tfidf")
_SHRINKAGES = {"bm25": (4.0, 20.0), "tfidf": (20.0,), "cosine": (20.0,)}
# The more interactions, the smaller the best exponent: .1 below what a part of them shows, over 14
# data sets.
_EXPONENTS = Numbers(0.5, (0.0, 0.5, 1.0, 1.25), [step / 20 for step in range(26)], n_too_far=2)


class ItemKNNRecommender(RowSumsMixin, SimilarItemsMixin, InDomainRecommender):
    r"""Recommend items that the same rows have as the items of this row (item neighbours).

    Use it as the first model after popularity: it learns in seconds and is hard to beat where
    histories are short. Try `EASERecommender` and `GraphFilterRecommender` next. It is an in-domain
    recommender: it learns from X alone. If X holds the columns of two domains side by side, it
    finds neighbours across the domains too.

    Parameters
    ----------
    n_neighbors : int, default=200
        Number k of neighbours kept for each item, 1 or more.
    weighting : {"cosine", "tfidf", "bm25", "auto"}, default="auto"
        The weight of an interaction in the similarity of two items. "cosine" uses its value.
        "tfidf" and "bm25" give less weight to rows with many items. "bm25" also limits the weight
        of repeated interactions, and favours popular items. "auto" takes "bm25" or "tfidf", see
        the Notes.
    shrinkage : float or "auto", default="auto"
        A similarity from c common rows is multiplied by c / (c + h), with this number h, 0 or more.
        So a similarity from few rows counts little. "auto" takes 4 or 20 for "bm25", whose
        similarities grow with the number of common rows already, and 20 for the others.
    popularity_exponent : float or "auto", default="auto"
        The scores of an item are multiplied by this power :math:`\gamma` of its popularity, 0 or
        more. The fewer interactions the items have, the larger the best value. "auto" takes a value
        between 0 and 1.25, see the Notes.
    k1 : float, default=1.2
        For "bm25": the larger, the later the weight of repeated interactions saturates, 0 or more.
    b : float, default=0.75
        For "bm25": the larger, the less popular items count, from 0 to 1.

    Attributes
    ----------
    item_links_ : csr_array of shape (n_items_, n_items_), dtype float32
        At [i, j], the weight of item i in the score of item j, if i is one of the k neighbours of
        j: their similarity times the power of the popularity of j.
    weighting_ : str
        The weight of an interaction.
    shrinkage_ : float
        The number h.
    popularity_exponent_ : float
        The power :math:`\gamma` of the popularity.
    row_sums_ : RowSums or None
        What `partial_fit` keeps of the rows; None after `fit`.
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
    ContentKNNRecommender : Neighbours by content, also for items without interactions.
    EASERecommender : Learns the weights of all items together.
    GraphFilterRecommender : Neighbours and a low-rank part in one model.
    BM25Transformer : The weights of "bm25" with rows as documents, as a transformer.

    Notes
    -----
    The score of item j for a row x is

    .. math:: p_j^\gamma \sum_{i \in N_k(j)} x_i s_{ij}, \qquad
        s_{ij} = \frac{c_{ij}}{c_{ij} + h} \sum_r w_{ri} w_{rj} ,

    where :math:`p_j` is the share of the rows that have item j, :math:`c_{ij}` is the number of
    rows with nonzero weights for both items, and :math:`N_k(j)` are the k items other than j with
    the largest :math:`s_{ij}`. With the number :math:`n` of items, the number :math:`d_r` of them
    in a row, and :math:`g_r = \log(n + 2) - \log(d_r + 1)`, the weights are

    - "cosine": :math:`x_{ri}`, divided by the Euclidean norm of the item's column;
    - "tfidf": :math:`\sqrt{x_{ri}} \, g_r`, divided by the Euclidean norm of the item's column
      [1]_;
    - "bm25": :math:`\frac{(k_1 + 1) x_{ri}}{k_1 l_i + x_{ri}} g_r` with
      :math:`l_i = 1 - b + b \, \mathrm{sum}_i / \mathrm{mean}(\mathrm{sum})`, where
      :math:`\mathrm{sum}_i` is the sum of the item's column [2]_.

    "auto" holds out a fifth of the interactions of up to 1,000 rows and learns from the rest, once
    with each weighting and shrinkage. It ranks for these rows with four exponents. The parabola
    through their NDCG@20 gives it for the exponents between them. The choice is that with the
    largest gain over "bm25", 4 and 0.5, less the standard error of this gain. The exponent is then
    lowered by 0.1, since all interactions need a smaller one than a part of them. It is always the
    same for the same X. Where all interactions are 1, one product of matrices serves all
    weightings, and only the scores that may be among the best 20 are compared. All this takes three
    to eight times as long as a fit with fixed values, or a few tenths of a second if that is more.
    Judging by fewer rows, shrinkages or exponents would cost less and choose worse. With fewer than
    200 rows that have two items, or with fewer than 100 items, it takes "bm25", 4 and 0.5.

    The similarities are computed in blocks of items within scikit-learn's `working_memory`. This
    takes one operation for each pair of items in the same row, twice that with shrinkage. The
    result is deterministic. An item that shares no row with another has no neighbours and scores
    zero. Items with a score of zero are ordered by their popularity.

    `partial_fit` keeps sparse matrices of sums over the rows for all pairs of items in the same
    row: one for "cosine", and two more for the others. With it, "bm25" takes interactions of value
    1 only. The exponent stays as it was chosen first.

    The similarities divide by the norms of both items. A power :math:`\gamma` above 0 takes back a
    part of the division by the norm of the recommended item. With "cosine" and interactions of
    equal value, :math:`\gamma = 1/2` takes all of it back. Between 0 and 1/2 lie the similarities
    by conditional probability of [1]_, which divide by a power of the popularity of j.

    References
    ----------
    .. [1] M. Deshpande and G. Karypis, "Item-based top-N recommendation algorithms", ACM TOIS
       22 (2004). :doi:`10.1145/963770.963776`
    .. [2] S. Robertson and H. Zaragoza, "The probabilistic relevance framework: BM25 and beyond",
       Foundations and Trends in Information Retrieval 3 (2009). :doi:`10.1561/1500000019`

    Examples
    --------
    >>> from sktransrec import ItemKNNRecommender
    >>> X = [[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    >>> model = ItemKNNRecommender(n_neighbors=2).fit(X)
    >>> items, _ = model.recommend([[1, 0, 0, 0], [0, 0, 0, 1]], n_recommendations=1)
    >>> items
    array([[1],
           [2]])
    """

    item_links_: csr_array
    weighting_: str
    shrinkage_: float
    popularity_exponent_: float

    _parameter_constraints: dict = {
        "n_neighbors": COUNT,
        "weighting": [StrOptions({"cosine", "tfidf", "bm25", "auto"})],
        "shrinkage": [*AT_LEAST_0, *AUTO],
        "popularity_exponent": [*AT_LEAST_0, *AUTO],
        "k1": AT_LEAST_0,
        "b": FROM_0_TO_1,
    }

    search_distributions: ClassVar = {
        "n_neighbors": [20, 50, 100, 200, 500],
        "weighting": ["cosine", "bm25", "tfidf"],
        "shrinkage": loguniform(0.1, 1000),
        "popularity_exponent": uniform(0, 1.5),
    }

    def __init__(
        self,
        n_neighbors: int = 200,
        *,
        weighting: Literal["cosine", "tfidf", "bm25", "auto"] = "auto",
        shrinkage: float | Literal["auto"] = "auto",
        popularity_exponent: float | Literal["auto"] = "auto",
        k1: float = 1.2,
        b: float = 0.75,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.weighting = weighting
        self.shrinkage = shrinkage
        self.popularity_exponent = popularity_exponent
        self.k1 = k1
        self.b = b

    _not_in_sums = ("popularity_exponent", "shrinkage")

    @property
    def _settings(self):
        (weighting,) = values_to_try(self.weighting, [self.weighting_])
        return {"weighting": weighting}

    def _choose(self, X):
        similarities = [
            (weighting, shrinkage)
            for weighting in values_to_try(self.weighting, _WEIGHTINGS)
            for shrinkage in values_to_try(self.shrinkage, _SHRINKAGES[weighting])
        ]
        (self.weighting_, self.shrinkage_), self.popularity_exponent_ = choice_on_curves(
            X, similarities, self.popularity_exponent, _EXPONENTS, self._ndcg_of_each
        )

    def _learn(self, X):
        (links,) = self._links(X, self.weighting_, [self.shrinkage_])
        self._set_links(links, _popularity_powers(X, self.popularity_exponent_))

    def _set_links(self, links, item_scales):
        """Set the links, given those in whose row j the neighbours of item j stand."""
        links.data *= np.repeat(item_scales, row_lengths(links))
        self._item_scales, self.item_links_ = item_scales, links.T.tocsr()

    def _sums_of(self, X):
        if self.weighting_ == "cosine":
            return {"gram": gram_sum(X), "support": gram_sum(pattern_of(X))}
        roots, logs = X.sqrt(), np.log1p(row_lengths(X))
        sums = {
            "gram": gram_sum(roots),
            "log_gram": gram_sum(roots, logs),
            "squared_log_gram": gram_sum(roots, logs**2),
        }
        if self.weighting_ == "tfidf":
            return {**sums, "support": gram_sum(pattern_of(X))}
        _check_ones(X)
        return sums

    def _solve(self, sums):
        n_rows_with, n_rows = sums["n_rows_with"], sums["n_rows"]
        gram = as_sparse(self._weighted_gram(sums))
        item_weights = self._item_weights(gram.diagonal(), n_rows_with, self.weighting_)
        scales = sp.diags_array(item_weights)
        links = strongest_of(
            sp.csr_array(scales @ gram @ scales, dtype=np.float32),
            self.n_neighbors,
            n_rows_with,
            support=as_sparse(sums["gram" if self.weighting_ == "bm25" else "support"]),
            shrinkage=self.shrinkage_,
        )
        self._set_links(links, _shares_to_power(n_rows_with, n_rows, self.popularity_exponent_))

    def _weighted_gram(self, sums):
        """Return the Gram matrix of the interactions with the weights of their rows."""
        if self.weighting_ == "cosine":
            return sums["gram"]
        # The square of the weight of a row is (log(n + 2) - log(d + 1))^2.
        log_n = np.log(self.n_items_ + 2)
        return log_n**2 * sums["gram"] - 2 * log_n * sums["log_gram"] + sums["squared_log_gram"]

    def _item_weights(self, squared_norms, n_rows_with, weighting):
        """Return the weights of the interactions of each item, those of their rows left out."""
        if weighting == "bm25":
            return saturated_counts(1, n_rows_with / n_rows_with.mean(), self.k1, self.b)
        norms = np.sqrt(squared_norms)
        return np.divide(1, norms, out=np.zeros_like(norms), where=norms > 0)

    def _ndcg_of_each(self, part, similarities, exponents):
        """Return the NDCG of each judged row, for each similarity and exponent of the popularity.

        A similarity is a weighting and a shrinkage.
        """
        item_scales = [_popularity_powers(part.known, exponent) for exponent in exponents]
        return [
            part.ndcg_of_scaled(lambda rows, links=links: rows @ links, item_scales)
            for links in map(_without_own_items, self._links_of_each(part.known, similarities))
        ]

    def _links_of_each(self, X, similarities):
        """Return the links of each item to its neighbours, for each similarity."""
        weightings = [
            (weighting, [shrinkage for _, shrinkage in group])
            for weighting, group in groupby(similarities, itemgetter(0))
        ]
        if len(similarities) == 1 or not _are_ones(X):
            return [links for each in weightings for links in self._links(X, *each)]
        # The weights of "bm25" and "tfidf" are the same up to a factor for each item.
        row_weights = _row_weights(X)
        n_rows_with = column_counts(X)
        squared_norms = (row_weights**2) @ X
        weightings = [
            (self._item_weights(squared_norms, n_rows_with, weighting).astype(np.float32), each)
            for weighting, each in weightings
        ]
        return strongest_links_of_each(X, row_weights, weightings, self.n_neighbors)

    def _links(self, X, weighting, shrinkages):
        """Return the similarities of each item to its neighbours, for each shrinkage."""
        weights = self._weights(X, weighting)
        return shrunk_links(weights.T, weights, self.n_neighbors, shrinkages)

    def _weights(self, X, weighting):
        """Return the weights of the interactions, of the shape of X."""
        if weighting == "cosine":
            return normalize(X, axis=0)
        if weighting == "tfidf":
            return normalize(_row_information(X) @ X.sqrt(), axis=0)
        item_sums = X.sum(axis=0)
        item_lengths = item_sums / item_sums.mean()
        saturated = saturated_counts(X.data, item_lengths[X.indices], self.k1, self.b)
        return _row_information(X) @ with_data(X, saturated)

    def _score_rows(self, X):
        return linked_scores(X, self.item_links_)

    def _score_parts(self, X):
        return self._score_rows(entry_rows(X))

    def _item_similarities(self, items):
        return self.item_links_[:, items].T.toarray() / self._item_scales[items, None]


def _popularity_powers(X, exponent):
    """Return this power of the share of the rows that have each item, float32."""
    return _shares_to_power(column_counts(X), X.shape[0], exponent)


def _shares_to_power(n_rows_with, n_rows, exponent):
    return np.power(np.maximum(n_rows_with, 1) / n_rows, exponent).astype(np.float32)


def _without_own_items(links):
    """Return the links to each item, with links of -inf from the items to themselves."""
    return links.T.tocsr() + sp.diags_array(np.full(links.shape[0], -np.inf, links.dtype))


def _check_ones(X):
    if not _are_ones(X):
        raise ValueError(
            'X holds values other than 1, and their weights in weighting="bm25" depend on all rows '
            'together: pass X > 0 to partial_fit, or use weighting="tfidf" or "cosine".'
        )


def _are_ones(X):
    return (X.data == 1).all()


def _row_information(X):
    """Return a diagonal matrix of the weights of the interactions of each row."""
    return sp.diags_array(_row_weights(X)).tocsr()


def _row_weights(X):
    """Return the weight of an interaction of each row, larger if it has few."""
    return inverse_document_frequency(row_lengths(X), X.shape[1])
