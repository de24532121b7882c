# SPDX-License-Identifier: BSD-3-Clause
"""The first vectors of the items of a network, in closed form, from what follows what."""

import numpy as np
from sklearn.utils.extmath import randomized_svd

from ._transitions import TransitionRecommender

_WINDOW = 10

# The mean score that a normalised code gives an item whose vector it is. A similar item then has
# some e^3 times the probability of an unlike one.
_OWN_SCORE = 6.0


def linked_vectors(X, n_items, n_components, random_state):
    """Return vectors whose products say how often items stand near each other in histories.

    They are the first singular vectors of the symmetric links of `TransitionRecommender`, times
    the roots of the singular values, and as long as `_OWN_SCORE` says. Items that are alone in
    their histories have vectors of zeros.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_steps)
        Histories, with zeros at the end.
    n_items : int
    n_components : int
        Length of the vectors; columns for which there are too few items are zeros.
    random_state : int

    Returns
    -------
    vectors : ndarray of shape (n_items, n_components), dtype float32
    """
    links = TransitionRecommender(
        _WINDOW,
        popularity_exponent=0.0,
        decay=1.0,
        n_items=n_items,
        unknown="ignore",  # these rows are checked, and may hold one item alone
    )
    links = links.fit(X).item_links_
    n_found = min(n_components, n_items)
    directions, scales, _ = randomized_svd(links + links.T, n_found, random_state=random_state)
    vectors = np.zeros((n_items, n_components), dtype=np.float32)
    vectors[:, :n_found] = directions * np.sqrt(scales)
    mean_length = np.sqrt(scales.sum() / n_items)
    return vectors * np.float32(_OWN_SCORE / (np.sqrt(n_components) * mean_length))


def kernel_to(vectors, features):
    """Return the kernel with which features come nearest to the vectors that are not zero."""
    from sklearn.linear_model import Ridge  # slow to import

    is_known = vectors.any(axis=1)
    ridge = Ridge(fit_intercept=False).fit(features[is_known], vectors[is_known])
    return ridge.coef_.T.astype(np.float32)
