"""`recommend`, for a recommender and for whatever wraps one."""

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from ._validation import check_is_fitted, check_sparse


def recommend(
    model,
    X,
    *,
    n_recommendations=10,
    candidates=None,
    exclude_seen="auto",
    exclude_interactions=None,
):
    """Return the best items for each row of X from a recommender or whatever wraps one.

    `Pipeline` and the searches of scikit-learn do not pass `recommend` on to what they hold; this
    function does.

    Parameters
    ----------
    model : estimator
        A fitted recommender, a `Pipeline` that ends in one, a fitted search, or a
        `FrozenEstimator` around any of them.
    X : array-like or sparse matrix of shape (n_rows, ...)
        What `model` takes.
    n_recommendations : int, default=10
        Number of items a row.
    candidates : array-like of int or mask of shape (n_items,), default=None
        Item columns that may be recommended; None allows all of them.
    exclude_seen : bool or "auto", default="auto"
        Whether to leave out the items that a row already has in X; see
        :meth:`sktransrec.base.RecommenderMixin.recommend`.
    exclude_interactions : sparse matrix of shape (n_rows, n_items), default=None
        Entries to leave out as well.

    Returns
    -------
    items : ndarray of shape (n_rows, n_recommendations), dtype intp
        Item columns, best first, of equal scores the more popular one, then that of the lower
        column; -1 where fewer are eligible.
    scores : ndarray of shape (n_rows, n_recommendations), dtype float32
        Their scores; -inf where `items` is -1.

    See Also
    --------
    sktransrec.base.RecommenderMixin.recommend : The method that it calls.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sktransrec import PopularityRecommender, recommend
    >>> X = np.array([[1, 0, 1], [1, 1, 0], [1, 0, 0]])
    >>> pipe = make_pipeline(PopularityRecommender()).fit(X)
    >>> items, scores = recommend(pipe, [[1, 0, 0]], n_recommendations=1)
    >>> items
    array([[1]])
    """
    recommender, X = recommender_and_rows(model, X)
    return recommender.recommend(
        X,
        n_recommendations=n_recommendations,
        candidates=candidates,
        exclude_seen=exclude_seen,
        exclude_interactions=exclude_interactions,
    )


def recommender_and_rows(model, X):
    """Return the recommender inside `model`, and X as it reaches that recommender."""
    wrapped = _wrapped_by(model)
    if wrapped is not None:
        if isinstance(model, Pipeline):
            check_is_fitted(model)
            if len(model.steps) > 1:
                check_sparse(X, name="X")
                X = model[:-1].transform(X)
        return recommender_and_rows(wrapped, X)
    return recommender_of(model), X


def recommender_of(model):
    """Return the recommender inside a fitted model."""
    wrapped = _wrapped_by(model)
    if wrapped is not None:
        return recommender_of(wrapped)
    if not hasattr(model, "recommend"):
        check_is_fitted(model)
        raise TypeError(
            f"{type(model).__name__} cannot recommend: pass a recommender, a Pipeline that ends "
            "in one, or a search over either that was fitted with refit=True."
        )
    return model


def withheld_items(models, n_items, columns=None):
    """Return the mask of the items that one of the fitted models never recommends, None if none.

    `columns` says where the items stand among those of a model that recommends more of them.
    """
    withheld = None
    for model in models:
        mask = recommender_of(model)._withheld_items()
        if mask is not None:
            mask = mask if len(mask) == n_items else mask[columns]
            withheld = mask if withheld is None else withheld | mask
    return withheld


def _wrapped_by(model):
    """Return the model that a frozen estimator, a fitted search or a pipeline hands rows on to."""
    if isinstance(model, FrozenEstimator):
        return model.estimator
    if hasattr(model, "best_estimator_"):
        return model.best_estimator_
    return model.steps[-1][1] if isinstance(model, Pipeline) else None
