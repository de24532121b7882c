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


def length_ratio(factors, predicted):
    """Return how much longer the factors of items are than what is predicted for them."""
    length = np.linalg.norm(predicted)
    return float(np.linalg.norm(factors) / length) if length > 0 else 1.0
