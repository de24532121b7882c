"""Regression from the content of items to their factors."""

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from ._item_content import vectorizer_for

_N_FOLDS = 5


def default_regressor(content):
    """Return an unfitted regressor that suits the kind of content."""
    vectorizer = vectorizer_for(content)
    return Ridge() if vectorizer is None else make_pipeline(vectorizer, Ridge())


def predicted_for_held_out(regressor, values, targets, weights):
    """Return what the regressor predicts for each item if it learns from other items."""
    folds = KFold(min(_N_FOLDS, len(targets)), shuffle=True, random_state=0)
    predicted = cross_val_predict(clone(regressor), values, targets, cv=folds, params=weights)
    return predicted.reshape(targets.shape)


def length_ratio(factors, predicted, n_rows_with):
    """Return how much longer factors are than what is predicted for them.

    Items count by their interactions, so that new ones can compete with those that rows have.
    """
    length = n_rows_with @ (predicted**2).sum(axis=1)
    return float(np.sqrt(n_rows_with @ (factors**2).sum(axis=1) / length)) if length > 0 else 1.0
