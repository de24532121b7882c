"""How popular items would be to rows that choose nothing but what is popular."""

import numpy as np

from .._validation import check_array
from ._propensity import checked_popularity, positive_popularity

_MAX_ITER = 500
_TOLERANCE = 1e-4


def choice_odds(popularity, activity=None):
    r"""Return the odds of choosing each item if rows choose by popularity alone.

    Few are left who do not have a very popular item, and they are not many less likely to choose it
    than others were: its odds are more than its share of rows says.

    Parameters
    ----------
    popularity : array-like of shape (n_items,)
        The share of rows that have each item, from 0 to 1, such as the `popularity_` of a
        recommender.
    activity : array-like of int of shape (n_rows,), default=None
        How many items rows have, such as those that are scored; only their proportions count. None
        takes all rows for equally active.

    Returns
    -------
    odds : ndarray of shape (n_items,), dtype float64
        Above 0, on a scale that has no meaning.

    See Also
    --------
    debiased_scorer : Draws negatives, and weighs pairs, by these odds.
    inverse_propensity_weights : Takes them in the place of the popularity.

    Notes
    -----
    In the model of Rasch [1]_ row r has item i with the odds :math:`x_r y_i`, whatever else it has.
    The :math:`y_i` returned are those, with some :math:`x_r`, under which each item has its share
    of the rows, and each row its part of the interactions:

    .. math:: p_i = \frac{1}{n} \sum_r \frac{x_r y_i}{1 + x_r y_i}, \qquad
        a_r \frac{n \sum_j p_j}{\sum_q a_q} = \sum_i \frac{x_r y_i}{1 + x_r y_i} .

    They are proportional to :math:`p_i / (1 - p_i)` if all rows are alike, and to :math:`p_i` if no
    item is popular. Whoever chooses so has an item that it is not yet known to have with odds
    proportional to :math:`y_i`: negatives drawn by these are as popular as what is looked for.

    Items of one popularity, and rows of one activity, have the same odds, so that an iteration
    costs as many steps as there are pairs of different ones. An item that no row has counts as the
    rarest of those that some row has.

    References
    ----------
    .. [1] G. Rasch, "Probabilistic models for some intelligence and attainment tests", Danish
       Institute for Educational Research, 1960.

    Examples
    --------
    >>> from sktransrec.metrics import choice_odds
    >>> odds = choice_odds([0.5, 0.25, 0.1])
    >>> (odds / odds[2]).round(2)
    array([9., 3., 1.])
    """
    popularity = checked_popularity(popularity)
    if popularity.max() > 1:
        raise ValueError(
            f"popularity holds {popularity.max():g}: pass the share of the rows that have each "
            "item, from 0 to 1, not their number."
        )
    popularity = positive_popularity(popularity)
    # Odds have to be finite: of an item that all have, as if half of a row had it not.
    shares, items, n_items = np.unique(
        np.minimum(popularity, 1 - popularity.min() / 2), return_inverse=True, return_counts=True
    )
    if activity is None or not np.any(activity):
        return (shares / (1 - shares))[items]
    activity = check_array(activity, ensure_2d=False, dtype=np.float64, input_name="activity")
    activity, n_rows = np.unique(activity[activity > 0], return_counts=True)
    return _rasch_item_odds(shares, n_items, activity, n_rows / n_rows.sum())[items]


def _rasch_item_odds(shares, n_items, activity, row_weights):
    """Return the odds of items by their shares, with rows by their activity."""
    expected = activity * (shares @ n_items) / (activity @ row_weights)
    expected = np.minimum(expected, n_items.sum() - 0.5)
    row_odds, item_odds = expected / n_items.sum(), shares / (1 - shares)
    for _ in range(_MAX_ITER):
        row_odds = expected / ((item_odds / (1 + np.outer(row_odds, item_odds))) @ n_items)
        before = item_odds
        item_odds = shares / (row_weights @ (row_odds[:, None] / (1 + np.outer(row_odds, before))))
        if np.abs(item_odds / before - 1).max() < _TOLERANCE:
            break
    return item_odds
