# SPDX-License-Identifier: BSD-3-Clause
"""The only door to scikit-learn's private helpers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import _fit_context
from sklearn.utils import _safe_indexing as _sklearn_safe_indexing
from sklearn.utils._chunking import get_chunk_n_rows
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils._param_validation import Interval as _SklearnInterval
from sklearn.utils._param_validation import validate_params as _sklearn_validate_params
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.metaestimators import available_if as _sklearn_available_if
from sklearn.utils.sparsefuncs_fast import inplace_csr_row_normalize_l2
from sklearn.utils.validation import _check_sample_weight
from sklearn.utils.validation import check_array as _sklearn_check_array
from sklearn.utils.validation import check_is_fitted as _sklearn_check_is_fitted
from sklearn.utils.validation import validate_data as _sklearn_validate_data

from .._typing import Function


def validate_params(constraints: dict[str, Any]) -> Callable[[Function], Function]:
    """Decorate a function: it checks its parameters first, and estimators in it theirs."""
    return _sklearn_validate_params(constraints, prefer_skip_nested_validation=False)


def available_if(condition: Callable[[Any], bool]) -> Callable[[Function], Function]:
    """Decorate a method that only the estimators have for which a condition holds."""
    return _sklearn_available_if(condition)


def _safe_indexing(X, indices, *, axis=0):
    """Return rows or columns of X, as scikit-learn does, also of formats that cannot be indexed."""
    X = X.tocsr() if sp.issparse(X) and X.format in ("bsr", "coo", "dia") else X
    is_matrix = isinstance(X, np.ndarray) or sp.issparse(X)
    if is_matrix and isinstance(indices, np.ndarray) and indices.dtype.kind in "biu":
        # scikit-learn first asks which library X comes from, which takes longer.
        return X[indices, ...] if axis == 0 else X[:, indices]
    return _sklearn_safe_indexing(X, indices, axis=axis)


def visual_block(estimators, names, details):
    """Return what a diagram of scikit-learn shows of an estimator: its parts, under these names."""
    try:
        from sklearn.utils._repr_html.estimator import _VisualBlock
    except ImportError:
        from sklearn.utils._estimator_html_repr import _VisualBlock
    return _VisualBlock("parallel", estimators, names=names, name_details=details)
