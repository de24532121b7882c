"""Samples of a regression weighted by how much is known of each."""

import numpy as np
from sklearn.utils.validation import has_fit_parameter

from ._wrapping import last_step


def support_weights(regressor, n_interactions, exponent):
    """Return the arguments of a regressor's `fit` that weigh samples by their interactions.

    Parameters
    ----------
    regressor : estimator
        A regressor, or a `Pipeline` that ends in one.
    n_interactions : ndarray of shape (n_samples,)
    exponent : float
        Power of the number of interactions, which is the weight but for a common factor.

    Returns
    -------
    arguments : dict
        Empty if all weigh alike.
    """
    if exponent == 0:
        return {}
    name = "sample_weight"
    last, steps = last_step(regressor)
    if not has_fit_parameter(last, name):
        raise ValueError(
            f"activity_exponent={exponent!r} weighs what the regressor learns from, but "
            f"{last!r} takes no sample_weight in fit. Set it to 0, or use a regressor that does, "
            "such as Ridge."
        )
    weights = n_interactions.astype(np.float64) ** exponent
    return {"__".join([*steps, name]): weights / weights.mean()}
