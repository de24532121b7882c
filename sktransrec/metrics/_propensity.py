"""How much a held-out pair counts if popular items are seen too often."""

from numbers import Real

import numpy as np

from .._validation import Interval, check_array, validate_params


@validate_params(
    {
        "exponent": [Interval(Real, 0, None, closed="left")],
        "max_weight": [Interval(Real, 1, None, closed="left"), None],
    },
    prefer_skip_nested_validation=True,
)
def inverse_propensity_weights(popularity, *, exponent=1.0, max_weight=10.0):
    r"""Return how much an interaction with each item counts if popular ones are seen too often.

    Parameters
    ----------
    popularity : array-like of shape (n_items,)
        How many rows have each item, or their share, such as the `popularity_` of a recommender; or
        the odds of choosing it, as `choice_odds` returns them.
    exponent : float, default=1.0
        Power of the popularity that stands for the chance of seeing an interaction, 0 or more. 0
        counts all interactions alike; 1 counts all items alike, however often each is seen.
    max_weight : float, default=10.0
        Weights above this are cut to it, 1 or more; the mean weight of an interaction is 1 before.
        None cuts nothing. A few very rare items decide otherwise, and the standard errors grow.

    Returns
    -------
    weights : ndarray of shape (n_items,), dtype float64
        Above 0.

    See Also
    --------
    rank_metrics : Takes the weights of held-out pairs, ``weights[items]``.
    debiased_scorer : A scorer that weighs pairs this way.
    choice_odds : What stands for the popularity where items are had by many rows.

    Notes
    -----
    An interaction with item i is seen with a probability, its propensity, that is taken for
    proportional to :math:`p_i^\gamma`, with the popularity :math:`p_i` and :math:`\gamma` being
    `exponent` [2]_. Counting the pairs that are seen by the inverse of it, and dividing by the sum
    of the weights, estimates the mean over all pairs, seen or not [1]_:

    .. math:: w_i = \min\Big(w_{\max}, \; p_i^{-\gamma} \, \frac{\sum_j p_j}
        {\sum_j p_j^{1 - \gamma}}\Big) .

    An item that no row has counts as the rarest of those that some row has.

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
    """Return the popularity, that of the rarest item that some row has where none has one."""
    popularity = np.asarray(popularity, dtype=np.float64)
    has_rows = popularity > 0
    if not has_rows.any():
        return np.ones_like(popularity)
    return np.where(has_rows, popularity, popularity[has_rows].min())
