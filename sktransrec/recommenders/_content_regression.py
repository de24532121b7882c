# SPDX-License-Identifier: BSD-3-Clause
"""Regression from the content of items to their factors, and neighbours by the same content."""

from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline, make_pipeline

from .._factor_regression import fitted_to_factors
from .._validation import _safe_indexing
from ..content._words import vectorizer_for
from ._content_neighbors import ContentKNNRecommender


def fitted_regressor(regressor, content, items, *, targets, n_rows_with, exponent):
    """Return a regressor fitted to predict the targets of some items from their content.

    The weight of an item is its number of rows to the power of `exponent`.
    """
    regressor = clone(_default_regressor(content) if regressor is None else regressor)
    values = _safe_indexing(content.values, items)
    return fitted_to_factors(regressor, values, targets[items], n_rows_with[items], exponent)


def _default_regressor(content):
    """Return an unfitted regressor that suits the kind of content."""
    from sklearn.linear_model import Ridge  # slow to import

    vectorizer = vectorizer_for(content)
    return Ridge() if vectorizer is None else make_pipeline(vectorizer, Ridge())


def unfitted_neighbors(fitted_regressor, content):
    """Return neighbours by content, unfitted; None if the content cannot be compared.

    Texts are compared by their words, in the way of the regressor if it counts words: a regressor
    knows those of its own items only. Other content is compared by what the last step of the
    regressor reads. A table whose columns nothing brings to one unit is not compared.
    """
    from sklearn.compose import ColumnTransformer  # slow to import

    has_steps = isinstance(fitted_regressor, Pipeline) and len(fitted_regressor) > 1
    is_text_table = len(content.text_columns) == content.values.shape[-1]
    if content.values.ndim == 1 or is_text_table:
        counting = ColumnTransformer if is_text_table else CountVectorizer
        counts_words = has_steps and isinstance(fitted_regressor[0], counting)
        transformer = clone(fitted_regressor[0]) if counts_words else None
        return ContentKNNRecommender(content, transformer=transformer)
    if has_steps:
        features = FrozenEstimator(fitted_regressor[:-1])
        return ContentKNNRecommender(content, transformer=features)
    is_plain = content.values.ndim == 2 and not hasattr(content.values, "iloc")
    return ContentKNNRecommender(content) if is_plain else None
