# SPDX-License-Identifier: BSD-3-Clause
"""Regressions to factors, and their sample weights: larger for rows with more interactions."""

import numpy as np
from sklearn import get_config
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import has_fit_parameter

from ._wrapping import last_step


def fitted_to_factors(regressor, X, factors, n_interactions, exponent):
    """Fit a regressor, in place, to predict factors; an error of it says what it had to learn.

    The samples are weighted as in `support_weights`.
    """
    weights = support_weights(regressor, n_interactions, exponent)
    try:
        return regressor.fit(X, factors, **weights)
    except NotFittedError:
        raise
    except (AttributeError, ValueError) as error:
        raise ValueError(
            f"regressor={regressor!r} cannot learn the factors, {factors.shape[1]} numbers for "
            f"each of {len(factors)} samples: {str(error).rstrip('.')}. Pass a regressor with "
            "several outputs, such as Ridge, and before it a step that makes numbers of texts, "
            "categories or pictures."
        ) from error


def support_weights(regressor, n_interactions, exponent):
    """Return the arguments of `fit` that weight the samples by their numbers of interactions.

    Parameters
    ----------
    regressor : estimator
        A regressor, or a `Pipeline` that ends in one.
    n_interactions : ndarray of shape (n_samples,)
    exponent : float
        The weight is the number of interactions to this power, times a common factor.

    Returns
    -------
    arguments : dict
        Empty if all weights are equal.
    """
    if exponent == 0:
        return {}
    name = "sample_weight"
    last, steps = last_step(regressor)
    if not has_fit_parameter(last, name):
        raise ValueError(
            f"activity_exponent={exponent!r} weights the samples of the regressor, but {last!r} "
            "takes no sample_weight in fit: set activity_exponent to 0, or use a regressor that "
            "takes sample_weight, such as Ridge."
        )
    weights = n_interactions.astype(np.float64) ** exponent
    # Routing of metadata takes no names of steps.
    routes = get_config()["enable_metadata_routing"]
    return {name if routes else "__".join([*steps, name]): weights / weights.mean()}
