# SPDX-License-Identifier: BSD-3-Clause
"""What every fit is wrapped in."""

import functools
from typing import cast

import numpy as np

from .._typing import Function
from ._finite import check_learned
from ._sklearn import _fit_context, _sklearn_check_is_fitted


def restores_on_error(method: Function) -> Function:
    """Decorate a fit method: after an error, the attributes of the estimator are as before.

    A learned array with NaN or infinity is an error too.
    """

    @functools.wraps(method)
    def restoring(self, *args, **kwargs):
        attributes = dict(vars(self))
        try:
            with np.errstate(all="ignore"):
                fitted = method(self, *args, **kwargs)
            check_learned(self, attributes)
            return fitted
        except BaseException:
            vars(self).clear()
            vars(self).update(attributes)
            raise

    return cast(Function, restoring)


def validated_fit(method: Function) -> Function:
    """Decorate a fit method: it checks the parameters first, and restores attributes on errors.

    What it calls need not check parameters again, which come from these.
    """
    return restores_on_error(_fit_context(prefer_skip_nested_validation=True)(method))


def validated_fit_of_parts(method: Function) -> Function:
    """Decorate a fit method like `validated_fit`, where it fits estimators, which check theirs."""
    return restores_on_error(_fit_context(prefer_skip_nested_validation=False)(method))


def check_is_fitted(estimator):
    """Raise unless an estimator is fitted; scikit-learn reads its tags first, which is slow."""
    is_special = isinstance(estimator, type) or hasattr(estimator, "__sklearn_is_fitted__")
    if not is_special:
        # Learned attributes come last.
        for name in reversed(getattr(estimator, "__dict__", {})):
            if name.endswith("_") and not name.startswith("__"):
                return
    _sklearn_check_is_fitted(estimator)
