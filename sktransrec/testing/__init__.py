# SPDX-License-Identifier: BSD-3-Clause
"""Checks for recommenders, also for those of other packages.

`check_estimator` of scikit-learn does not test rankings. `check_recommender` tests what a
recommender must do in addition.
"""

from collections.abc import Callable, Iterable, Iterator

from sklearn.base import clone

from .._typing import Estimator
from ._checks import CHECKS

__all__ = ["check_recommender", "recommender_checks"]


def check_recommender(estimator: Estimator) -> None:
    """Check that an estimator behaves as a recommender of this package must.

    Use it to test a recommender of your own, after scikit-learn's `check_estimator`.

    Parameters
    ----------
    estimator : estimator object
        An unfitted recommender. It should be fast to fit: it is fitted some twenty times on 60
        rows. If its tags say that its input is categorical, the rows are histories: item ids from 1
        on, padded with 0 at the end. Otherwise they are a sparse matrix of interactions.

    Raises
    ------
    AssertionError
        If a check fails.

    See Also
    --------
    recommender_checks : The same checks one by one, for `pytest.mark.parametrize`.

    Examples
    --------
    >>> from sktransrec import PopularityRecommender
    >>> from sktransrec.testing import check_recommender
    >>> check_recommender(PopularityRecommender())
    """
    for checked, check in recommender_checks([estimator]):
        check(checked)


def recommender_checks(
    estimators: Iterable[Estimator],
) -> Iterator[tuple[Estimator, Callable[[Estimator], None]]]:
    """Yield (estimator, check) pairs, each to be called as ``check(estimator)``.

    Parameters
    ----------
    estimators : iterable of estimator objects
        Unfitted recommenders.

    Yields
    ------
    estimator : estimator object
    check : callable
        A function of the estimator; its ``__name__`` tells what it checks.

    See Also
    --------
    check_recommender : Runs all checks for one estimator.

    Examples
    --------
    >>> from sktransrec import PopularityRecommender
    >>> from sktransrec.testing import recommender_checks
    >>> for estimator, check in recommender_checks([PopularityRecommender()]):
    ...     check(estimator)
    """
    for estimator in estimators:
        # Checks of the same object share fitted models, so they get a copy that nobody changes.
        checked = clone(estimator)
        for check in CHECKS:
            yield checked, check
