"""Fitting a model across domains, each part on the rows of its own domain."""

from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from .._wrapping import transformed


def fit_across_domains(model, X, y, *, X_source=None, Y_target=None):
    """Fit a model from X to y, and its parts of one domain on all rows of that domain.

    Use it where few users are in both domains and many are in one of them. An encoder of source
    items learns from all users of the source, and the target's factor model inside a bridge from
    all users of the target. What leads from one to the other learns from the users of both.

    Parameters
    ----------
    model : estimator
        A supervised recommender, a `Pipeline` that ends in one, or an ensemble of these. It is
        cloned.
    X : {array-like, sparse matrix} of shape (n_rows, n_source_items)
        What the users of both domains have in the source.
    y : {array-like, sparse matrix} of shape (n_rows, n_items)
        What the same users have in the target.
    X_source : {array-like, sparse matrix} of shape (n_source_rows, n_source_items), default=None
        The users of the source. The transformers at the start of a `Pipeline` that learn without
        y are fitted on them. None fits them on X.
    Y_target : {array-like, sparse matrix} of shape (n_target_rows, n_items), default=None
        The users of the target. The `recommender` of a `BridgeRecommender` is fitted on them.
        None fits it on y. Inside an ensemble that cross-validates, as a gate does, it is always
        fitted on y, since a fold must not know its own rows.

    Returns
    -------
    model : estimator
        The fitted model, in which the parts of one domain are frozen.

    See Also
    --------
    align_domains : Makes these matrices from two event logs.
    BridgeRecommender : Leads from the factors of one domain to those of another.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktransrec import ALSRecommender, BridgeRecommender, fit_across_domains, recommend
    >>> from sktransrec.datasets import make_cross_domain
    >>> domains = make_cross_domain(random_state=0)
    >>> als = ALSRecommender(8, random_state=0)
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
    return _with_fitted_parts(clone(model), X_source, Y_target).fit(X, y)


def _with_fitted_parts(model, X_source, Y_target):
    """Return an unfitted model whose parts of one domain are fitted and frozen."""
    if isinstance(model, Pipeline):
        return _with_fitted_steps(model, X_source, Y_target)
    of_target = getattr(model, "target_parts", ())
    compares = hasattr(model, "cv")
    for name, part in model.get_params(deep=False).items():
        if name in of_target:
            if Y_target is not None:
                model.set_params(**{name: FrozenEstimator(part.fit(Y_target))})
        elif _is_unfitted(part):
            part = _with_fitted_parts(part, X_source, None if compares else Y_target)
            model.set_params(**{name: part})
        elif name == "estimators":
            parts = [(each, _with_fitted_parts(of, X_source, Y_target)) for each, of in part]
            model.set_params(estimators=parts)
    return model


def _with_fitted_steps(pipeline, X_source, Y_target):
    """Return a pipeline whose first steps are fitted on the source, as far as they need no y."""
    *transformers, (last_name, last) = pipeline.steps
    fitted = {}
    for name, step in transformers:
        if X_source is None or not _is_unfitted(step) or get_tags(step).target_tags.required:
            break
        fitted[name] = FrozenEstimator(step.fit(X_source))
        X_source = transformed(step, X_source)
    return pipeline.set_params(**fitted, **{last_name: _with_fitted_parts(last, None, Y_target)})


def _is_unfitted(part):
    """Return whether it is an estimator that is fitted with the model."""
    return isinstance(part, BaseEstimator) and not isinstance(part, FrozenEstimator)
