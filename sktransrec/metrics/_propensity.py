# SPDX-License-Identifier: BSD-3-Clause
"""Weights of held-out pairs that take away the advantage of popular items."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._validation import AT_LEAST_0, AT_LEAST_1, check_array, validate_params


@validate_params({"exponent": AT_LEAST_0, "max_weight": [*AT_LEAST_1, None]})
def inverse_propensity_weights(
    popularity: ArrayLike, *, exponent: float = 1.0, max_weight: float | None = 10.0
) -> NDArray[np.float64]:
    r"""Return weights of items that take away the advantage of popular items in a metric.

    Use it if you think that popular items have many interactions because they are shown more often,
    and not because they are liked more. `debiased_scorer` does this in a search.

    Parameters
    ----------
    popularity : array-like of shape (n_items,)
        The number or the share of rows that have each item, such as the `popularity_` of a
        recommender, or the odds from `choice_odds`.
    exponent : float, default=1.0
        The chance that an interaction is observed is taken to be proportional to this power of the
        popularity, 0 or more. 0 weights all interactions equally. 1 weights all items equally,
        whatever number of interactions they have.
    max_weight : float or None, default=10.0
        Larger weights are cut to this value, 1 or more. Before the cut, the mean weight of an
        interaction is 1. None cuts nothing: then a few very rare items decide the result, and the
        standard errors grow.

    Returns
    -------
    weights : ndarray of shape (n_items,), dtype float64
        The weight of each item, above 0.

    See Also
    --------
    rank_metrics : Takes the weights of held-out pairs, ``weights[items]``.
    debiased_scorer : A scorer that weights pairs this way.
    choice_odds : Pass these instead of the popularity if many rows have the same item.

    Notes
    -----
    The propensity of item i is the probability that an interaction with it is observed. It is taken
    to be proportional to :math:`p_i^\gamma`, with the popularity :math:`p_i` and the `exponent`
    :math:`\gamma` [2]_. The mean over the observed pairs, weighted by the inverse propensity and
    divided by the sum of the weights, estimates the mean over all pairs, observed or not [1]_:

    .. math:: w_i = \min\Big(w_{\max}, \; p_i^{-\gamma} \, \frac{\sum_j p_j}
        {\sum_j p_j^{1 - \gamma}}\Big) .

    An item without interactions gets the weight of the rarest item with one.

    References
    ----------
    .. [1] T. Schnabel, A. Swaminathan, A. Singh, N. Chandak and T. Joachims, "Recommendations as
       treatments: debiasing learning and evaluation", ICML 2016. :arxiv:`1602.05352`
    .. [2] L. Yang, Y. Cui, Y. Xuan, C. Wang, S. Belongie and D. Estrin, "Unbiased offline
       recommender evaluation for missing-not-at-random implicit feedback", RecSys 2018.
       :doi:`10.1145/3240323.3240355`

    Examples
    --------
    >>> from sktransrec.metrics import inverse_propensity_weights
    >>> inverse_propensity_weights([8, 4, 4, 0]).round(2)
    array([0.67, 1.33, 1.33, 1.33])
    """
    popularity = checked_popularity(popularity)
    weights = positive_popularity(popularity) ** -float(exponent)
    if popularity.any():
        weights *= popularity.sum() / (popularity @ weights)
    return weights if max_weight is None else np.minimum(weights, max_weight)


def checked_popularity(popularity):
    """Return the popularity of the items as a valid array."""
    popularity = check_array(popularity, ensure_2d=False, dtype=np.float64, input_name="popularity")
    if popularity.ndim != 1 or popularity.min() < 0:
        raise ValueError(
            f"popularity must be 1-D and hold numbers of 0 or more, one for each item; got shape "
            f"{popularity.shape} and a smallest value of {popularity.min():g}."
        )
    return popularity


def positive_popularity(popularity):
    """Return the popularity, with zeros replaced by the smallest popularity above zero."""
    has_rows = popularity > 0
    if not has_rows.any():
        return np.ones_like(popularity)
    return np.where(has_rows, popularity, popularity[has_rows].min())
