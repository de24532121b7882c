# SPDX-License-Identifier: BSD-3-Clause
"""Fit a model across domains, each part on all rows of its own domain."""

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from .._columns import check_order, check_row_labels, column_names
from .._typing import Estimator, MatrixLike
from .._wrapping import as_matrix, is_supervised, named_parts, transformed


def fit_across_domains(
    model: Estimator,
    X: MatrixLike,
    y: MatrixLike,
    *,
    X_source: MatrixLike | None = None,
    Y_target: MatrixLike | None = None,
) -> Estimator:
    """Fit a model across two domains when few users are in both and many are in only one.

    Use it instead of ``model.fit(X, y)`` if you have users of one domain only. The parts of the
    model that belong to one domain are fitted on all users of that domain: an encoder of source
    items on all users of the source, and the factor model inside a `BridgeRecommender` on all
    users of the target. The map between the domains is fitted on the users in both.

    Parameters
    ----------
    model : estimator
        A supervised recommender, a `Pipeline` that ends in one, or an ensemble of these. It is
        cloned.
    X : {array-like, sparse matrix} of shape (n_rows, n_source_items)
        The interactions in the source of the users who are in both domains.
    y : {array-like, sparse matrix} of shape (n_rows, n_items)
        The interactions in the target of the same users.
    X_source : {array-like, sparse matrix} of shape (n_source_rows, n_source_items), default=None
        The interactions of all users of the source. The transformers at the start of a `Pipeline`
        that learn without y are fitted on these. None fits them on X.
    Y_target : {array-like, sparse matrix} of shape (n_target_rows, n_items), default=None
        The interactions of all users of the target. The `recommender` of a `BridgeRecommender` is
        fitted on these. None fits it on y. Inside an ensemble that cross-validates, as gates and
        stacks do, it is always fitted on y, because a model must not have seen its held-out rows.

    Returns
    -------
    model : estimator
        The fitted model. Its parts that belong to one domain are frozen.

    Raises
    ------
    ValueError
        If the model learns from X alone, or matrices of one domain have other columns.

    See Also
    --------
    align_domains : Makes these matrices from two event logs.
    BridgeRecommender : A regression from the source to the factors of the target.

    Notes
    -----
    Judge the unfitted model, with :func:`transfer_gain` for example. The frozen parts of the fitted
    one have learned from all rows, so folds would hold nothing out of them.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktransrec import ALSRecommender, BridgeRecommender, fit_across_domains, recommend
    >>> from sktransrec.datasets import make_cross_domain
    >>> domains = make_cross_domain(random_state=0)
    >>> als = ALSRecommender(8, max_iter=5, random_state=0)
    >>> few = slice(0, 100)
    >>> model = fit_across_domains(
    ...     make_pipeline(als, BridgeRecommender(als)),
    ...     domains.X_source[few],
    ...     domains.Y_target[few],
    ...     X_source=domains.X_source,
    ...     Y_target=domains.Y_target,
    ... )
    >>> items, _ = recommend(model, domains.X_source[:2], n_recommendations=3)
    >>> items.shape
    (2, 3)
    """
    if not is_supervised(model):
        raise ValueError(
            f"model={model!r} learns from X alone, so it would ignore y and Y_target: pass a "
            "supervised recommender, such as RidgeRecommender or BridgeRecommender, or a pipeline "
            "that ends in one."
        )
    check_row_labels(X, y)  # a pipeline may pass on X without labels
    _check_same_columns(X, X_source, "X", "X_source")
    _check_same_columns(y, Y_target, "y", "Y_target")
    check_order(column_names(y), column_names(Y_target), name="Y_target", of="y has")
    return _with_fitted_parts(clone(model), X_source, Y_target).fit(X, y)


def _check_same_columns(few, many, name_of_few, name_of_many):
    """Raise if the rows of all users of a domain have not the columns of those in both domains."""
    shapes = np.shape(few), np.shape(many)
    if all(len(shape) == 2 for shape in shapes) and shapes[0][1] != shapes[1][1]:
        raise ValueError(
            f"{name_of_many} has {shapes[1][1]} columns and {name_of_few} has {shapes[0][1]}: both "
            "must hold the items of one domain, in the same order. align_domains makes such "
            "matrices of two logs."
        )


def _with_fitted_parts(model, X_source, Y_target):
    """Return an unfitted model in which the parts of one domain are fitted and frozen."""
    if isinstance(model, FrozenEstimator):
        return model
    if isinstance(model, Pipeline):
        return _with_fitted_steps(model, X_source, Y_target)
    of_target = getattr(model, "target_parts", ())
    compares, has_sources = hasattr(model, "cv"), hasattr(model, "sources")
    # Each source has columns of its own.
    of_parts = None if has_sources else X_source, None if compares else Y_target
    for name, part in named_parts(model):
        if name not in of_target:
            model.set_params(**{name: _with_fitted_parts(part, *of_parts)})
        elif Y_target is not None:
            # Without names, as the model passes y on.
            model.set_params(**{name: FrozenEstimator(part.fit(as_matrix(Y_target)))})
    return model


def _with_fitted_steps(pipeline, X_source, Y_target):
    """Return a pipeline whose first steps are fitted on the source, up to one that needs y."""
    *transformers, (last_name, last) = pipeline.steps
    fitted = {}
    for name, step in transformers:
        if step is None or isinstance(step, str):
            continue
        is_other = not isinstance(step, BaseEstimator)
        if X_source is None or is_other or get_tags(step).target_tags.required:
            break
        if not isinstance(step, FrozenEstimator):
            fitted[name] = step = FrozenEstimator(step.fit(X_source))
        X_source = transformed(step, X_source)
    return pipeline.set_params(**fitted, **{last_name: _with_fitted_parts(last, None, Y_target)})
