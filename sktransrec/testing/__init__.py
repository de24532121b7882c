"""Conformance checks for recommenders, those of other packages included.

`check_estimator` of scikit-learn knows nothing of rankings; `check_recommender` checks what a
recommender promises on top of it.
"""

from sklearn.base import clone

from ._checks import CHECKS

__all__ = ["check_recommender", "recommender_checks"]


def check_recommender(estimator):
    """Check that an estimator keeps the contract of a recommender.

    Parameters
    ----------
    estimator : estimator object
        An unfitted recommender. It should be cheap to fit: it is fitted some twenty times on 60
        rows. If its tags say that its input is categorical, these are histories, rows of item ids
        from 1 on, padded with 0 at the end; otherwise they are a sparse matrix of interactions.

    Raises
    ------
    AssertionError
        Where the contract is broken.

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


def recommender_checks(estimators):
    """Yield (estimator, check) pairs, each to be called as ``check(estimator)``.

    Parameters
    ----------
    estimators : iterable of estimator objects
        Unfitted recommenders.

    Yields
    ------
    estimator : estimator object
    check : callable
        Takes the estimator; its ``__name__`` says what it checks.

    See Also
    --------
    check_recommender : All checks of one estimator.

    Examples
    --------
    >>> from sktransrec import PopularityRecommender
    >>> from sktransrec.testing import recommender_checks
    >>> for estimator, check in recommender_checks([PopularityRecommender()]):
    ...     check(estimator)
    """
    for estimator in estimators:
        # Checks share what they fit by the object, which nobody else can change meanwhile.
        checked = clone(estimator)
        for check in CHECKS:
            yield checked, check
