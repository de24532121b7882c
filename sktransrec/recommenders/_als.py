"""Implicit-feedback matrix factorisation by alternating least squares."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import gen_batches

from .._validation import Interval
from ..base import FactorRecommenderMixin, InDomainRecommender
from ._implicit import check_finite_factors, fit_implicit, one_blas_thread

# The temporary arrays of a block of rows in the fold-in hold about this many numbers.
_BLOCK_FLOATS = 2**20


class ALSRecommender(FactorRecommenderMixin, InDomainRecommender):
    r"""Matrix factorisation of implicit feedback by alternating least squares (iALS).

    An in-domain recommender: it learns factors of rows and items from X alone, such that their
    inner products are near one where a row has an item and near zero elsewhere, where a mistake
    weighs less. It is a transformer as well: `transform` gives the factors of any rows.

    Parameters
    ----------
    n_components : int, default=64
        Number of factors, 1 or more.
    regularization : float, default=0.01
        Weight :math:`\lambda` of the squared norms of the factors, above 0. More of it shrinks the
        factors, most of all those of rows and items with little data.
    confidence : float, default=20.0
        Weight of an interaction of value 1 beside the weight 1 of a missing one, above 0; the
        weight of an interaction of value x is `confidence` times x.
    max_iter : int, default=15
        Number of sweeps over the rows and then the items, 1 or more. All are made.
    random_state : int, RandomState instance or None, default=None
        Draws the initial factors. Pass an int for the same factors at every call of `fit`.
    n_jobs : int or None, default=None
        Number of threads of `fit`. None means 1 unless in a :func:`joblib.parallel_config`
        context, -1 means all processors. The factors do not depend on it.
    verbose : int, default=0
        Whether to show a progress bar over the sweeps.

    Attributes
    ----------
    item_factors_ : ndarray of shape (n_items_, n_components), dtype float32
        The factors of the items.
    gram_ : ndarray of shape (n_components, n_components), dtype float32
        :math:`G = V^\top V + \lambda I`, what all rows share in the fold-in.
    gram_inverse_ : ndarray of shape (n_components, n_components), dtype float32
        The inverse of `gram_`.
    n_iter_ : int
        Number of sweeps made.
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
    BPRRecommender : Learns to rank what a row has above what it lacks.
    LogisticMFRecommender : Learns the probability that a row has an item.

    Notes
    -----
    With the factors :math:`u_r` of the rows, :math:`v_i` of the items and the weights
    :math:`c_{ri} = \text{confidence} \cdot x_{ri}` where row r has item i and 1 elsewhere, it
    minimises

    .. math::

        \sum_{r,i} c_{ri} \left(\mathbb{1}[x_{ri} > 0] - u_r^\top v_i\right)^2
        + \lambda \left(\sum_r \|u_r\|^2 + \sum_i \|v_i\|^2\right)

    in the factors of the rows and those of the items in turn, each by three steps of conjugate
    gradients [1]_ in the kernels of implicit, in :math:`O(nnz \cdot k + (n_{rows} + n_{items})
    k^2)` a sweep.

    A row, seen in `fit` or not, is folded in: its factors are the exact minimum with the items held
    fixed, whatever rows it arrives with. An empty row has factors of zero and is recommended the
    popular items; an item that no row has gets factors of zero.

    References
    ----------
    .. [1] Y. Hu, Y. Koren and C. Volinsky, "Collaborative filtering for implicit feedback
       datasets", ICDM 2008. :doi:`10.1109/ICDM.2008.22`
    .. [2] S. Rendle, W. Krichene, L. Zhang and Y. Koren, "Revisiting the performance of iALS on
       item recommendation benchmarks", RecSys 2022. :arxiv:`2110.14037`

    Examples
    --------
    >>> from sktransrec import ALSRecommender
    >>> X = [[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    >>> model = ALSRecommender(n_components=2, random_state=0).fit(X)
    >>> items, _ = model.recommend([[1, 0, 0, 0], [0, 0, 0, 1]], n_recommendations=1)
    >>> items
    array([[1],
           [2]])
    """

    _parameter_constraints: dict = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "regularization": [Interval(Real, 0, None, closed="neither")],
        "confidence": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "n_jobs": [None, Integral],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components=64,
        *,
        regularization=0.01,
        confidence=20.0,
        max_iter=15,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.regularization = regularization
        self.confidence = confidence
        self.max_iter = max_iter
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    def _fit(self, X):
        from implicit.cpu.als import AlternatingLeastSquares

        model = fit_implicit(
            AlternatingLeastSquares,
            X,
            random_state=self.random_state,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
            factors=self.n_components,
            regularization=self.regularization,
            alpha=self.confidence,
            iterations=self.max_iter,
        )
        check_finite_factors(self, model.item_factors)
        self.item_factors_ = model.item_factors
        gram = self.item_factors_.T.astype(np.float64) @ self.item_factors_
        gram += self.regularization * np.eye(self.n_components)
        self.gram_ = gram.astype(np.float32)
        self.gram_inverse_ = np.linalg.inv(gram).astype(np.float32)
        self.n_iter_ = self.max_iter

    def _row_factors(self, X):
        C = X * np.float32(self.confidence)
        with one_blas_thread():
            return _row_minima(C, self.item_factors_, self.gram_, self.gram_inverse_)


def _row_minima(C, item_factors, gram, gram_inverse):
    """Return the factors of each row that minimise its weighted squares, the items held fixed.

    With the stored weights c of a row, D = diag(c - 1) and the factors V of its items, they solve
    (G + V'DV) u = V'c. The rows are grouped by their number of items, rounded up to a power of two,
    so that the result of a row does not depend on the rows beside it.
    """
    n_components = item_factors.shape[1]
    factors = np.zeros((C.shape[0], n_components), dtype=np.float32)
    n_stored = np.diff(C.indptr)
    widths = 2 ** np.ceil(np.log2(np.maximum(n_stored, 1))).astype(int)
    for width in np.unique(widths[n_stored > 0]):
        rows = np.flatnonzero((widths == width) & (n_stored > 0))
        system_size = min(width, n_components)
        block_rows = max(1, _BLOCK_FLOATS // (width * n_components + system_size**2))
        for block in gen_batches(len(rows), block_rows):
            items, c, d = _padded_rows(C, rows[block], width)
            V = item_factors[items]
            if width < n_components:
                factors[rows[block]] = _minima_of_short_rows(V, c, d, gram_inverse)
            else:
                factors[rows[block]] = _minima_of_long_rows(V, c, d, gram)
    return factors


def _padded_rows(C, rows, width):
    """Return the items of the rows, their weights c and c - 1, (len(rows), width) each.

    What is missing to the width is item 0 with zeros for both.
    """
    slots = np.arange(width)
    is_stored = slots < np.diff(C.indptr)[rows, None]
    positions = np.where(is_stored, C.indptr[rows, None] + slots, 0)
    items = np.where(is_stored, C.indices[positions], 0)
    c = np.where(is_stored, C.data[positions], 0)
    return items, c, np.where(is_stored, c - 1, 0)


def _minima_of_short_rows(V, c, d, gram_inverse):
    """Return u = G^-1 V' (I + D V G^-1 V')^-1 c, an n x n system for the n items of a row."""
    W = V @ gram_inverse
    A = d[:, :, None] * (W @ V.mT)
    A += np.eye(A.shape[1], dtype=A.dtype)
    a = np.linalg.solve(A, c[:, :, None])
    return (W.mT @ a)[:, :, 0]


def _minima_of_long_rows(V, c, d, gram):
    """Return u = (G + V'DV)^-1 V'c, a system as large as the number of factors."""
    A = gram + V.mT @ (d[:, :, None] * V)
    return np.linalg.solve(A, V.mT @ c[:, :, None])[:, :, 0]
