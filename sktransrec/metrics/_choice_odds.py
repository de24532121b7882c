# SPDX-License-Identifier: BSD-3-Clause
"""The odds with which rows choose each item if they choose by popularity alone."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._validation import check_array
from ._propensity import checked_popularity, positive_popularity

_MAX_ITER = 500
_TOLERANCE = 1e-4


def choice_odds(popularity: ArrayLike, activity: ArrayLike | None = None) -> NDArray[np.float64]:
    r"""Return the odds of choosing each item if rows choose by popularity alone.

    Use it instead of the popularity, as weights or to draw negatives, if some items are very
    popular. Most rows already have such an item, so few are left that can choose it, but they are
    likely to do so: its odds are higher than its share of rows.

    Parameters
    ----------
    popularity : array-like of shape (n_items,)
        The share of rows that have each item, from 0 to 1, such as the `popularity_` of a
        recommender.
    activity : array-like of int of shape (n_rows,), default=None
        The number of items of each row that is scored. Only the proportions count. None treats all
        rows as equally active. So does the function if no odds agree with `activity`, see Notes.

    Returns
    -------
    odds : ndarray of shape (n_items,), dtype float64
        The odds of each item, above 0. Only their proportions have a meaning.

    See Also
    --------
    debiased_scorer : Draws negatives, and weights pairs, by these odds.
    inverse_propensity_weights : Takes these odds instead of the popularity.

    Notes
    -----
    In the model of Rasch [1]_, row r has item i with the odds :math:`x_r y_i`, whatever other items
    it has. The function finds the :math:`y_i` and :math:`x_r` for which the expected share of each
    item, and the expected activity of each row, equal the observed ones. It returns the
    :math:`y_i`:

    .. math:: p_i = \frac{1}{n} \sum_r \frac{x_r y_i}{1 + x_r y_i}, \qquad
        a_r \frac{n \sum_j p_j}{\sum_q a_q} = \sum_i \frac{x_r y_i}{1 + x_r y_i} .

    The odds are proportional to :math:`p_i / (1 - p_i)` if all rows are equally active, and to
    :math:`p_i` if no item is popular. In this model, the held-out items of a row are distributed
    like :math:`y_i`, so negatives drawn by these odds are as popular as the held-out items.

    Items with the same popularity have the same odds, and so have rows with the same activity. The
    cost of an iteration is the number of different popularities times the number of different
    activities. An item without interactions gets the odds of the rarest item with one. A row has
    at most all items but half of one; the others share what it would have beyond that.

    Some activities differ more than the shares allow: if half of all rows have an item, not all
    interactions can be those of a tenth of the rows. This happens if the scored rows are active in
    another way than those that the popularity comes from. Then no odds agree with both, the
    iteration does not converge, and the function returns the odds for equally active rows.

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
            "item, from 0 to 1, not the number of rows."
        )
    popularity = positive_popularity(popularity)
    # Odds must be finite: an item that all rows have is treated as if half a row lacked it.
    shares, items, n_items = np.unique(
        np.minimum(popularity, 1 - popularity.min() / 2), return_inverse=True, return_counts=True
    )
    odds_of_equals = shares / (1 - shares)
    if activity is None or not np.any(activity):
        return odds_of_equals[items]
    activity = check_array(activity, ensure_2d=False, dtype=np.float64, input_name="activity")
    activity, n_rows = np.unique(activity[activity > 0], return_counts=True)
    odds = _rasch_item_odds(shares, n_items, activity, n_rows / n_rows.sum())
    return (odds_of_equals if odds is None else odds)[items]


@np.errstate(all="ignore")  # odds that do not converge may overflow
def _rasch_item_odds(shares, n_items, activity, row_weights):
    """Return the odds of items of some shares for rows of some activity, None if there are none."""
    expected = _expected_activity(shares @ n_items, n_items.sum() - 0.5, activity, row_weights)
    row_odds, item_odds = expected / n_items.sum(), shares / (1 - shares)
    for _ in range(_MAX_ITER):
        row_odds = expected / ((item_odds / (1 + np.outer(row_odds, item_odds))) @ n_items)
        before = item_odds
        item_odds = shares / (row_weights @ (row_odds[:, None] / (1 + np.outer(row_odds, before))))
        if np.abs(item_odds / before - 1).max() < _TOLERANCE:
            return item_odds
    return None


def _expected_activity(mean, limit, activity, row_weights):
    """Return the sorted activities times a factor and cut at a limit, so that they have a mean."""
    at_limit = limit * (1 - np.cumsum(row_weights))
    # Of the factors that cut all activities after each place, the right one is the largest.
    factors = (mean - at_limit) / np.cumsum(activity * row_weights)
    return np.minimum(activity * factors.max(), limit)
