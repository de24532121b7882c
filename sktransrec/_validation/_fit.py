"""What every fit is wrapped in."""

import functools

import numpy as np

from .._typing import Function
from ._finite import check_learned


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

    return restoring
