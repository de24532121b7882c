"""Conformance checks for recommenders, those of other packages included.

`check_estimator` of scikit-learn knows nothing of rankings; `check_recommender` checks what a
recommender promises on top of it.
"""

import pickle

import numpy as np
import scipy.sparse as sp
from sklearn import config_context
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags

from ._recommend import recommend

__all__ = ["check_recommender", "recommender_checks"]

_N_ROWS, _N_ITEMS = 60, 24
_ONLY_FIT_REFUSES = ("no interactions",)


def check_recommender(estimator):
    """Check that an estimator keeps the contract of a recommender.

    Parameters
    ----------
    estimator : estimator object
        An unfitted recommender. It should be cheap to fit: it is fitted a few dozen times on 60
        rows. If its tags say that its input is categorical, these are histories, rows of item ids
        from 1 on, padded with 0 at the end; otherwise they are a sparse matrix of interactions.

    Raises
    ------
    AssertionError
        Where the contract is broken.

    See Also
    --------
    recommender_checks : The same checks one by one, for `pytest.mark.parametrize`.

    Examples
    --------
    >>> from sktransrec import PopularityRecommender
    >>> from sktransrec.testing import check_recommender
    >>> check_recommender(PopularityRecommender())
    """
    for checked, check in recommender_checks([estimator]):
        check(checked)


def recommender_checks(estimators):
    """Yield (estimator, check) pairs, each to be called as ``check(estimator)``.

    Parameters
    ----------
    estimators : iterable of estimator objects
        Unfitted recommenders.

    Yields
    ------
    estimator : estimator object
    check : callable
        Takes the estimator; its ``__name__`` says what it checks.

    See Also
    --------
    check_recommender : All checks of one estimator.

    Examples
    --------
    >>> from sktransrec import PopularityRecommender
    >>> from sktransrec.testing import recommender_checks
    >>> for estimator, check in recommender_checks([PopularityRecommender()]):
    ...     check(estimator)
    """
    for estimator in estimators:
        for check in _CHECKS:
            yield estimator, check


def _check_tags(estimator):
    tags = get_tags(estimator)
    assert tags.estimator_type == "recommender"
    assert tags.input_tags.sparse or _reads_histories(estimator)
    assert not hasattr(estimator, "predict"), "a 2-D predict means nothing to sklearn"


def _check_scores(estimator):
    X, y = _domain(estimator)
    model = clone(estimator).fit(X, y)
    scores = model.decision_function(X)
    assert model.n_items_ == _n_items(estimator)
    assert scores.shape == (_N_ROWS, model.n_items_)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()


def _check_ranking_agrees_with_scores(estimator):
    X, y = _domain(estimator)
    model = clone(estimator).fit(X, y)
    items, scores = model.recommend(X, n_recommendations=5, exclude_seen=False)
    all_scores = model.decision_function(X)
    assert items.dtype == np.intp
    assert scores.dtype == np.float32
    expected = np.argsort(-all_scores, axis=1, kind="stable")[:, :5]
    _assert_same_scores(scores, np.take_along_axis(all_scores, expected, axis=1))
    _assert_same_scores(scores, np.take_along_axis(all_scores, items, axis=1))


def _check_row_blocks_do_not_matter(estimator):
    X, y = _domain(estimator)
    model = clone(estimator).fit(X, y)
    whole = model.recommend(X, n_recommendations=4)
    with config_context(working_memory=1e-3):
        blocked = model.recommend(X, n_recommendations=4)
    _assert_same_scores(whole[1], blocked[1])


def _check_input_formats(estimator):
    X, y = _domain(estimator)
    model = clone(estimator).fit(X, y)
    expected = model.decision_function(X)
    for variant in _formats(X):
        _assert_same_scores(model.decision_function(variant), expected)
    for variant in _formats(X):
        refitted = clone(estimator)
        _set_random_state(refitted)
        model = clone(estimator)
        _set_random_state(model)
        _assert_same_scores(
            refitted.fit(variant, y).decision_function(X),
            model.fit(X, y).decision_function(X),
        )
    if y is not None:
        model = clone(estimator)
        _set_random_state(model)
        expected = model.fit(X, y).decision_function(X)
        for variant in _formats(y):
            refitted = clone(estimator)
            _set_random_state(refitted)
            _assert_same_scores(refitted.fit(X, variant).decision_function(X), expected)


def _check_input_is_kept(estimator):
    X, y = _domain(estimator)
    X_before, y_before = X.copy(), None if y is None else y.copy()
    model = clone(estimator).fit(X, y)
    model.recommend(X, n_recommendations=3)
    assert _n_different(X_before, X) == 0
    assert y is None or _n_different(y_before, y) == 0


def _check_new_rows(estimator):
    X, y = _domain(estimator)
    model = clone(estimator).fit(X[:-10], None if y is None else y[:-10])
    items, scores = model.recommend(X[-10:], n_recommendations=3)
    assert items.shape == scores.shape == (10, 3)
    assert (items >= 0).all()


def _check_empty_rows(estimator):
    X, y = _domain(estimator)
    model = clone(estimator).fit(X, y)
    empty = _no_interactions(X[:2])
    scores = model.decision_function(empty)
    assert np.isfinite(scores).all()
    _assert_same_scores(scores[0], scores[1])
    items, _ = model.recommend(empty, n_recommendations=3)
    assert (items >= 0).all()


def _check_seen(estimator):
    X, y = _domain(estimator)
    model = clone(estimator).fit(X, y)
    if _is_supervised(estimator):
        message = _error(ValueError, model.recommend, X, exclude_seen=True)
        assert "exclude_interactions" in message
        return
    seen = _seen_items(estimator, X)
    for exclude_seen in ("auto", True):
        items, _ = model.recommend(X, n_recommendations=5, exclude_seen=exclude_seen)
        assert not np.take_along_axis(seen, items, axis=1).any()
    items, _ = model.recommend(X, n_recommendations=model.n_items_, exclude_seen=False)
    assert (np.sort(items, axis=1) == np.arange(model.n_items_)).all()


def _check_padding(estimator):
    X, y = _domain(estimator)
    model = clone(estimator).fit(X, y)
    n_items = model.n_items_
    excluded = np.ones((_N_ROWS, n_items))
    excluded[:, 2] = 0
    items, scores = model.recommend(
        X, n_recommendations=3, exclude_seen=False, exclude_interactions=excluded
    )
    assert (items == [2, -1, -1]).all()
    assert np.isneginf(scores[:, 1:]).all()
    assert np.isfinite(scores[:, 0]).all()


def _check_candidates(estimator):
    X, y = _domain(estimator)
    model = clone(estimator).fit(X, y)
    candidates = np.array([7, 1, 4])
    items, scores = model.recommend(
        X, n_recommendations=5, candidates=candidates, exclude_seen=False
    )
    assert (np.sort(items[:, :3], axis=1) == [1, 4, 7]).all()
    assert (items[:, 3:] == -1).all()
    assert (np.diff(scores[:, :3], axis=1) <= 0).all()
    mask = np.zeros(model.n_items_, dtype=bool)
    mask[candidates] = True
    by_mask, _ = model.recommend(X, n_recommendations=5, candidates=mask, exclude_seen=False)
    np.testing.assert_array_equal(items, by_mask)


def _check_bad_arguments(estimator):
    X, y = _domain(estimator)
    model = clone(estimator).fit(X, y)
    n_items = model.n_items_
    for bad in (0, n_items + 1, 2.5, True, "3"):
        message = _error(ValueError, model.recommend, X, n_recommendations=bad)
        assert "n_recommendations" in message
    for bad in ([], [n_items], [-1], [0.5], [[1]]):
        message = _error(ValueError, model.recommend, X, candidates=np.array(bad))
        assert "candidates" in message
    assert "exclude_seen" in _error(ValueError, model.recommend, X, exclude_seen="maybe")
    message = _error(ValueError, model.recommend, X, exclude_interactions=np.ones((1, n_items)))
    assert "exclude_interactions" in message


def _check_bad_input(estimator):
    X, y = _domain(estimator)
    model = clone(estimator).fit(X, y)
    expected = model.decision_function(X)
    attributes = set(vars(model))
    for bad, words in _bad_matrices(estimator, X):
        fit_message = _error((ValueError, TypeError), model.fit, bad, y)
        assert any(word in fit_message for word in words), fit_message
        if words != _ONLY_FIT_REFUSES:
            _error((ValueError, TypeError), model.decision_function, bad)
    _error(ValueError, model.decision_function, X[:, :-1])
    assert set(vars(model)) == attributes
    _assert_same_scores(model.decision_function(X), expected)


def _check_score(estimator):
    X, y = _domain(estimator)
    model = clone(estimator).fit(X, y)
    held_out = _interactions(_N_ROWS, _n_items(estimator), seed=2)
    assert 0 <= model.score(X, held_out) <= 1
    assert 0 <= model.score(X, held_out.toarray()) <= 1
    assert "None" in _error(ValueError, model.score, X, None)
    _error(ValueError, model.score, X, held_out[:, :-1])
    _error(ValueError, model.score, X, held_out[:-1])


def _check_wrapped(estimator):
    X, y = _domain(estimator)
    model = clone(estimator)
    _set_random_state(model)
    pipeline = make_pipeline(clone(model)).fit(X, y)
    items, scores = model.fit(X, y).recommend(X, n_recommendations=3)
    target = _interactions(_N_ROWS, _n_items(estimator), seed=1) if y is None else y
    search = GridSearchCV(clone(model), {}, cv=2).fit(X, target)
    for wrapped in (model, pipeline, search, FrozenEstimator(pipeline)):
        wrapped_items, wrapped_scores = recommend(wrapped, X, n_recommendations=3)
        _assert_same_scores(wrapped_scores, scores)
        assert wrapped_items.shape == items.shape


def _check_pickle(estimator):
    X, y = _domain(estimator)
    model = clone(estimator).fit(X, y)
    items, scores = model.recommend(X, n_recommendations=3)
    loaded_items, loaded_scores = pickle.loads(pickle.dumps(model)).recommend(
        X, n_recommendations=3
    )
    np.testing.assert_array_equal(items, loaded_items)
    np.testing.assert_array_equal(scores, loaded_scores)


def _check_random_state(estimator):
    if "random_state" not in estimator.get_params():
        return
    X, y = _domain(estimator)
    global_state = np.random.get_state()[1].copy()  # noqa: NPY002
    scores = []
    for _ in range(2):
        model = clone(estimator).set_params(random_state=7).fit(X, y)
        scores.append(model.decision_function(X))
    np.testing.assert_array_equal(*scores)
    np.testing.assert_array_equal(np.random.get_state()[1], global_state)  # noqa: NPY002


def _check_factors(estimator):
    if not hasattr(estimator, "transform"):
        return
    X, y = _domain(estimator)
    model = clone(estimator).fit(X, y)
    if not hasattr(model, "item_factors_"):
        return
    factors = model.transform(X)
    assert factors.dtype == np.float32
    assert factors.shape == (_N_ROWS, model.item_factors_.shape[1])
    assert model.item_factors_.shape[0] == model.n_items_
    assert len(model.get_feature_names_out()) == factors.shape[1]


def _check_similar_items(estimator):
    if not hasattr(estimator, "similar_items"):
        return
    X, y = _domain(estimator)
    model = clone(estimator).fit(X, y)
    similar, similarities = model.similar_items([3, 0], n_similar=4)
    assert similar.shape == similarities.shape == (2, 4)
    assert 3 not in similar[0]
    assert 0 not in similar[1]
    assert (np.diff(similarities, axis=1) <= 0).all()
    _error(ValueError, model.similar_items, [model.n_items_])
    _error(ValueError, model.similar_items, [0], n_similar=0)


_CHECKS = (
    _check_tags,
    _check_scores,
    _check_ranking_agrees_with_scores,
    _check_row_blocks_do_not_matter,
    _check_input_formats,
    _check_input_is_kept,
    _check_new_rows,
    _check_empty_rows,
    _check_seen,
    _check_padding,
    _check_candidates,
    _check_bad_arguments,
    _check_bad_input,
    _check_score,
    _check_wrapped,
    _check_pickle,
    _check_random_state,
    _check_factors,
    _check_similar_items,
)


def _is_supervised(estimator):
    return get_tags(estimator).target_tags.required


def _reads_histories(estimator):
    return get_tags(estimator).input_tags.categorical


def _n_items(estimator):
    return _N_ITEMS - 4 if _is_supervised(estimator) else _N_ITEMS


def _domain(estimator):
    """Return X, and the y that the estimator learns from or None."""
    if _reads_histories(estimator):
        return _histories(_N_ROWS, _N_ITEMS, seed=0), None
    X = _interactions(_N_ROWS, _N_ITEMS, seed=0)
    y = _interactions(_N_ROWS, _N_ITEMS - 4, seed=1) if _is_supervised(estimator) else None
    return X, y


def _interactions(n_rows, n_items, seed):
    """Return counts in which the rows of two groups prefer their own half of the items."""
    rng = np.random.RandomState(seed)
    same_group = (np.arange(n_rows)[:, None] % 2) == (np.arange(n_items) % 2)
    has_item = rng.uniform(size=(n_rows, n_items)) < np.where(same_group, 0.4, 0.1)
    has_item[np.arange(n_rows), np.arange(n_rows) % n_items] = True
    counts = has_item * rng.randint(1, 4, size=has_item.shape)
    return sp.csr_array(counts.astype(np.float32))


def _histories(n_rows, n_items, seed):
    """Return item ids in which the rows of two groups prefer their own half of the items."""
    rng = np.random.RandomState(seed)
    X = 1 + 2 * rng.randint(n_items // 2, size=(n_rows, 8)) + np.arange(n_rows)[:, None] % 2
    X[np.arange(n_rows), 0] = 1 + np.arange(n_rows) % n_items
    X[np.arange(8) >= rng.randint(2, 9, size=(n_rows, 1))] = 0
    return X


def _seen_items(estimator, X):
    """Return which items each row has, as a dense mask."""
    if not _reads_histories(estimator):
        return X.toarray() != 0
    return (X[:, :, None] == np.arange(1, _N_ITEMS + 1)).any(axis=1)


def _no_interactions(X):
    """Return as many rows as X has, without interactions."""
    return sp.csr_array(X.shape, dtype=X.dtype) if sp.issparse(X) else np.zeros_like(X)


def _n_different(a, b):
    different = a != b
    return different.nnz if sp.issparse(different) else np.count_nonzero(different)


def _formats(X):
    """Yield X as every kind of matrix that a user may pass."""
    if not sp.issparse(X):
        yield from (X.tolist(), X.astype(np.float64), X.astype(np.int32), np.asfortranarray(X))
        read_only = X.copy()
        read_only.setflags(write=False)
        yield read_only
        return
    yield X.toarray()
    yield X.astype(np.float64)
    yield sp.csr_matrix(X)
    yield sp.csc_array(X)
    yield sp.coo_matrix(X)
    yield sp.csr_array(
        (X.data, X.indices.astype(np.int64), X.indptr.astype(np.int64)), shape=X.shape
    )
    read_only = X.copy()
    for buffer in (read_only.data, read_only.indices, read_only.indptr):
        buffer.setflags(write=False)
    yield read_only


def _bad_matrices(estimator, X):
    """Yield matrices that `fit` must refuse, with words of which the error must hold one."""
    for value, word in ((np.nan, "NaN"), (np.inf, "infinity")):
        yield _with_value(X, value), (word,)
    yield X[:0], ("0 sample",)
    yield np.full(X.shape, "film"), ("could not convert", "string", "numeric")
    if get_tags(estimator).input_tags.positive_only:
        yield _with_value(X, -1), ("Negative",)
    if not _is_supervised(estimator):
        yield _no_interactions(X), _ONLY_FIT_REFUSES


def _with_value(X, value):
    """Return X with another value in its first row."""
    X = X.astype(np.float64)
    (X.data if sp.issparse(X) else X.ravel())[0] = value
    return X


def _set_random_state(estimator):
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=0)


def _error(error, function, *args, **kwargs):
    """Return the message of the error that the call must raise."""
    try:
        function(*args, **kwargs)
    except error as raised:
        return str(raised)
    name = getattr(function, "__qualname__", function)
    raise AssertionError(f"{name} accepted bad input: {args[1:] or args}, {kwargs}.")


def _assert_same_scores(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-4)


for _check in _CHECKS:
    _check.__name__ = _check.__name__.removeprefix("_")
del _check
