# SPDX-License-Identifier: BSD-3-Clause
"""Rows of Euclidean length 1."""

import scipy.sparse as sp
from sklearn.preprocessing import normalize

from .._validation import shallow_copy
from .._validation._sklearn import inplace_csr_row_normalize_l2


def unit_rows(X):
    """Return validated rows divided by their lengths; rows of zeros stay as they are.

    It is scikit-learn's `normalize` without the checks, which cost more than all else on one row.
    """
    if not sp.issparse(X):
        return normalize(X)
    units = shallow_copy(X)
    units.data = X.data.copy()
    inplace_csr_row_normalize_l2(units)
    return units
