# SPDX-License-Identifier: BSD-3-Clause
"""Regression from the content of items to their factors."""

from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from .._support_weights import support_weights
from .._validation import _safe_indexing
from ._item_content import vectorizer_for


def fitted_regressor(regressor, content, items, *, targets, n_rows_with, exponent):
    """Return a regressor fitted to predict the targets of some items from their content.

    The weight of an item is its number of rows to the power of `exponent`.
    """
    regressor = clone(_default_regressor(content) if regressor is None else regressor)
    weights = support_weights(regressor, n_rows_with[items], exponent)
    return regressor.fit(_safe_indexing(content.values, items), targets[items], **weights)


def _default_regressor(content):
    """Return an unfitted regressor that suits the kind of content."""
    vectorizer = vectorizer_for(content)
    return Ridge() if vectorizer is None else make_pipeline(vectorizer, Ridge())
