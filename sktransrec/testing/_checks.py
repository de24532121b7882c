# SPDX-License-Identifier: BSD-3-Clause
"""The checks of `check_recommender`, one function for each promise of a recommender."""

import functools
import pickle
from itertools import pairwise, repeat

import numpy as np
import scipy.sparse as sp
from sklearn import config_context
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags

from .._recommend import check_is_complete, eligible_scores, recommend
from .._wrapping import is_supervised, reads_histories, scores_of
from ..metrics import debiased_scorer, held_out_ranks, ranking_scorer
from ._samples import (
    N_ROWS,
    ONLY_FIT_REFUSES,
    bad_matrices,
    domain,
    formats,
    interactions,
    n_items_of,
    no_interactions,
    seen_items,
)


def _check_tags(estimator):
    """The tags are those of a recommender that takes sparse X, or histories."""
    tags = get_tags(estimator)
    assert tags.estimator_type == "recommender", 'set tags.estimator_type to "recommender"'
    assert tags.input_tags.sparse or reads_histories(estimator), (
        "set input_tags.sparse, or input_tags.categorical if X holds histories"
    )
    assert not hasattr(estimator, "predict"), "a 2-D predict means nothing to sklearn"


def _check_scores(estimator):
    """There is a finite float32 score for each row and each item."""
    X, model = _rows_and_model(estimator)
    check_is_complete(model)
    scores = scores_of(model, X)
    assert model.n_items_ == n_items_of(model), (
        f"n_items_ is {model.n_items_}, and there are {n_items_of(model)} items to recommend"
    )
    assert scores.shape == (N_ROWS, model.n_items_), f"the scores have shape {scores.shape}"
    assert scores.dtype == np.float32, f"the scores are {scores.dtype}"
    assert np.isfinite(scores).all()


def _check_ranking_agrees_with_scores(estimator):
    """The items recommended are those with the best scores."""
    X, model = _rows_and_model(estimator)
    items, scores = recommend(model, X, n_recommendations=5, exclude_seen=False)
    all_scores = model.decision_function(X)
    assert items.dtype == np.intp
    assert scores.dtype == np.float32
    expected = np.argsort(-all_scores, axis=1, kind="stable")[:, :5]
    _assert_same_scores(scores, np.take_along_axis(all_scores, expected, axis=1))
    _assert_same_scores(scores, np.take_along_axis(all_scores, items, axis=1))


def _check_ties(estimator):
    """Items with equal scores are recommended by popularity, then by column."""
    X, model = _rows_and_model(estimator)
    for rows in (X[:8], no_interactions(X[:1])):
        items, scores = recommend(model, rows, n_recommendations=model.n_items_, exclude_seen=False)
        for row_items, row_scores in zip(items, scores, strict=True):
            row_items = row_items[row_items >= 0]
            popularity = model.popularity_[row_items]
            order = np.lexsort((row_items, -popularity, -row_scores[: len(row_items)]))
            np.testing.assert_array_equal(order, np.arange(len(row_items)))


def _check_row_blocks_do_not_matter(estimator):
    """Scores do not depend on how many rows are scored together."""
    X, model = _rows_and_model(estimator)
    whole = recommend(model, X, n_recommendations=4)
    with config_context(working_memory=1e-3):
        blocked = recommend(model, X, n_recommendations=4)
    _assert_same_scores(whole[1], blocked[1])


def _check_input_formats(estimator):
    """Every format of X, and of y, gives the same scores: lists, floats, integers, sparse."""
    X, y = domain(estimator)
    unfitted = seeded(estimator)
    model = clone(unfitted).fit(X, y)
    expected = model.decision_function(X)
    targets = repeat(None) if y is None else formats(y)
    for rows, wanted in zip(formats(X), targets, strict=False):
        _assert_same_scores(model.decision_function(rows), expected)
        _assert_same_scores(clone(unfitted).fit(rows, wanted).decision_function(X), expected)


def _check_input_is_kept(estimator):
    """Neither `fit` nor `recommend` changes X or y."""
    X, y = domain(estimator)
    X_before, y_before = X.copy(), None if y is None else y.copy()
    model = clone(estimator).fit(X, y)
    recommend(model, X, n_recommendations=3)
    assert _n_different(X_before, X) == 0
    assert y is None or _n_different(y_before, y) == 0


def _check_new_rows(estimator):
    """Rows that `fit` has not seen get recommendations too."""
    X, y = domain(estimator)
    model = clone(estimator).fit(X[:-10], None if y is None else y[:-10])
    items, scores = recommend(model, X[-10:], n_recommendations=3)
    assert items.shape == scores.shape == (10, 3)
    assert (items >= 0).all()


def _check_empty_rows(estimator):
    """Empty rows get finite scores, all the same."""
    X, model = _rows_and_model(estimator)
    empty = no_interactions(X[:2])
    scores = model.decision_function(empty)
    assert np.isfinite(scores).all()
    _assert_same_scores(scores[0], scores[1])
    items, _ = recommend(model, empty, n_recommendations=3)
    assert (items >= 0).all()


def _check_eligible_scores(estimator):
    """Eligible scores are those of `decision_function`, and -inf for items that are left out."""
    X, model = _rows_and_model(estimator)
    expected = model.decision_function(X)
    with config_context(working_memory=1e-3):
        scores = _stacked(eligible_scores(model, X, exclude_seen=False))
    is_eligible = scores > -np.inf
    _assert_same_scores(scores[is_eligible], expected[is_eligible])
    candidates = [7, 1, 4]
    some = _stacked(eligible_scores(model, X, exclude_seen=False, candidates=candidates))
    _assert_same_scores(some, scores[:, [1, 4, 7]])
    excluded = interactions(N_ROWS, model.n_items_, seed=3)
    left = _stacked(eligible_scores(model, X, exclude_interactions=excluded))
    assert np.isneginf(left[excluded.nonzero()]).all()
    if not is_supervised(estimator):
        assert np.isneginf(left[seen_items(model, X)]).all()


def _stacked(blocks):
    """Return the scores of all blocks; the blocks must cover all rows in order."""
    rows, scores = zip(*blocks, strict=True)
    bounds = [(block.start, block.stop) for block in rows]
    assert bounds[0][0] == 0
    assert bounds[-1][1] == N_ROWS
    assert all(first[1] == second[0] for first, second in pairwise(bounds))
    return np.concatenate(scores)


def _check_popularity(estimator):
    """The popularity orders equal scores and serves empty rows: it is finite, 0 or more."""
    model = _fitted(estimator)
    assert model.popularity_.shape == (model.n_items_,)
    assert np.isfinite(model.popularity_).all()
    assert (model.popularity_ >= 0).all()


def _check_ranks(estimator):
    """No held-out item has a better rank than its score allows."""
    X, model = _rows_and_model(estimator)
    wanted = interactions(N_ROWS, model.n_items_, seed=2)
    rows, items, ranks = held_out_ranks(model, X, wanted, exclude_seen=False)
    scores = _stacked(eligible_scores(model, X, exclude_seen=False))
    better = scores[rows] > scores[rows, items][:, None]
    is_wanted = wanted.toarray()[rows] > 0
    assert (ranks >= 1 + (better & ~is_wanted).sum(axis=1)).all()
    assert 0 <= debiased_scorer(n_negatives=5, random_state=0)(model, X, wanted) <= 1


def _check_seen(estimator):
    """Items that a row has are left out, unless `exclude_seen` is false."""
    X, model = _rows_and_model(estimator)
    if is_supervised(estimator):
        message = _error(ValueError, "exclude_seen=True", recommend, model, X, exclude_seen=True)
        assert "exclude_interactions" in message
        return
    seen = seen_items(model, X)
    for exclude_seen in ("auto", True):
        items, _ = recommend(model, X, n_recommendations=5, exclude_seen=exclude_seen)
        assert not np.take_along_axis(seen, items, axis=1).any()
    items, _ = recommend(model, X, n_recommendations=model.n_items_, exclude_seen=False)
    assert (np.sort(items, axis=1) == np.arange(model.n_items_)).all()


def _check_padding(estimator):
    """Places without an eligible item hold -1, and -inf as score."""
    X, model = _rows_and_model(estimator)
    n_items = model.n_items_
    excluded = np.ones((N_ROWS, n_items))
    excluded[:, 2] = 0
    items, scores = recommend(
        model, X, n_recommendations=3, exclude_seen=False, exclude_interactions=excluded
    )
    assert (items == [2, -1, -1]).all()
    assert np.isneginf(scores[:, 1:]).all()
    assert np.isfinite(scores[:, 0]).all()


def _check_candidates(estimator):
    """Only candidates are recommended."""
    X, model = _rows_and_model(estimator)
    candidates = np.array([7, 1, 4])
    items, scores = recommend(
        model, X, n_recommendations=5, candidates=candidates, exclude_seen=False
    )
    assert (np.sort(items[:, :3], axis=1) == [1, 4, 7]).all()
    assert (items[:, 3:] == -1).all()
    assert (np.diff(scores[:, :3], axis=1) <= 0).all()
    mask = np.zeros(model.n_items_, dtype=bool)
    mask[candidates] = True
    by_mask, _ = recommend(model, X, n_recommendations=5, candidates=mask, exclude_seen=False)
    np.testing.assert_array_equal(items, by_mask)


def _check_bad_arguments(estimator):
    """Bad arguments of `recommend` raise a ValueError that names them."""
    X, model = _rows_and_model(estimator)
    n_items = model.n_items_
    for bad in (0, n_items + 1, 2.5, True, "3"):
        what = f"n_recommendations={bad!r}"
        message = _error(ValueError, what, recommend, model, X, n_recommendations=bad)
        assert "n_recommendations" in message
    for bad in ([], [n_items], [-1], [0.5], [[1]]):
        what = f"candidates={bad}"
        message = _error(ValueError, what, recommend, model, X, candidates=np.array(bad))
        assert "candidates" in message
    what = 'exclude_seen="maybe"'
    assert "exclude_seen" in _error(ValueError, what, recommend, model, X, exclude_seen="maybe")
    excluded, what = np.ones((1, n_items)), "exclude_interactions with a single row"
    message = _error(ValueError, what, recommend, model, X, exclude_interactions=excluded)
    assert "exclude_interactions" in message


def _check_bad_input(estimator):
    """Bad X raises an error in words, and leaves a fitted model as it was."""
    X, y = domain(estimator)
    model = _fitted(estimator)
    expected = model.decision_function(X)
    attributes = set(vars(model))
    for what, bad, words in bad_matrices(estimator, X):
        message = _error((ValueError, TypeError), what, model.fit, bad, y)
        assert any(word in message for word in words), (
            f"fit refused {what}, but its message does not say {' or '.join(map(repr, words))}: "
            f"{message}"
        )
        if words != ONLY_FIT_REFUSES:
            _error((ValueError, TypeError), what, model.decision_function, bad)
    _error(ValueError, "X with a column fewer than in fit", model.decision_function, X[:, :-1])
    assert set(vars(model)) == attributes, "a fit that failed left other attributes than before"
    _assert_same_scores(model.decision_function(X), expected)


def _check_score(estimator):
    """The score lies between 0 and 1, and bad y is refused."""
    X, model = _rows_and_model(estimator)
    held_out = interactions(N_ROWS, n_items_of(model), seed=2)
    score = _score_method(model)
    assert 0 <= score(X, held_out) <= 1
    assert 0 <= score(X, held_out.toarray()) <= 1
    if is_supervised(estimator):
        assert "None" in _error(ValueError, "no y", score, X)
        assert "None" in _error(ValueError, "no y", ranking_scorer(), model, X)
    else:
        _check_score_without_y(model, X)
    _error(ValueError, "y with a column fewer than items", score, X, held_out[:, :-1])
    _error(ValueError, "y with a row fewer than X", score, X, held_out[:-1])


def _score_method(model):
    """Return the method `score` of a model, or a scorer of the model if it has no such method."""
    return getattr(model, "score", functools.partial(ranking_scorer(), model))


def _check_score_without_y(model, X):
    """Check that `score` without y finds hidden items, also in a search and by a scorer."""
    score = _score_method(model)(X)
    assert 0 < score <= 1
    assert _score_method(model)(X) == score == ranking_scorer()(make_pipeline(model), X)
    search = _search(model, error_score="raise").fit(X)
    assert 0 < search.best_score_ <= 1
    assert 0 < ranking_scorer("recall", holdout=1, random_state=0)(search, X) <= 1
    message = _error(ValueError, "X without interactions", _score_method(model), no_interactions(X))
    assert "nothing to hide" in message


def _search(model, **options):
    """Return a search over an empty grid, by the score of the model if it has one."""
    scoring = None if hasattr(model, "score") else ranking_scorer()
    return GridSearchCV(model, {}, cv=2, scoring=scoring, **options)


def _check_wrapped(estimator):
    """A pipeline, a search and a FrozenEstimator recommend the same."""
    X, y = domain(estimator)
    model = seeded(estimator)
    pipeline = make_pipeline(clone(model)).fit(X, y)
    items, scores = recommend(model.fit(X, y), X, n_recommendations=3)
    search = _search(clone(model)).fit(X, y)
    for wrapped in (model, pipeline, search, FrozenEstimator(pipeline)):
        wrapped_items, wrapped_scores = recommend(wrapped, X, n_recommendations=3)
        _assert_same_scores(wrapped_scores, scores)
        assert wrapped_items.shape == items.shape


def _check_pickle(estimator):
    """A pickled model recommends the same."""
    X, model = _rows_and_model(estimator)
    items, scores = recommend(model, X, n_recommendations=3)
    loaded = pickle.loads(pickle.dumps(model))
    loaded_items, loaded_scores = recommend(loaded, X, n_recommendations=3)
    np.testing.assert_array_equal(items, loaded_items)
    np.testing.assert_array_equal(scores, loaded_scores)


def _check_random_state(estimator):
    """The same random_state gives the same scores, and NumPy's global state stays."""
    if "random_state" not in estimator.get_params():
        return
    X, y = domain(estimator)
    global_state = np.random.get_state()[1].copy()  # noqa: NPY002
    scores = []
    for _ in range(2):
        model = clone(estimator).set_params(random_state=0).fit(X, y)
        scores.append(model.decision_function(X))
    np.testing.assert_array_equal(*scores)
    np.testing.assert_array_equal(np.random.get_state()[1], global_state)  # noqa: NPY002


def _check_factors(estimator):
    """The factors of rows and items are float32, as many for each, and have names."""
    if not hasattr(estimator, "transform"):
        return
    X, model = _rows_and_model(estimator)
    if not hasattr(model, "item_factors_"):
        return
    factors = model.transform(X)
    assert factors.dtype == np.float32
    assert factors.shape == (N_ROWS, model.item_factors_.shape[1])
    assert model.item_factors_.shape[0] == model.n_items_
    assert len(model.get_feature_names_out()) == factors.shape[1]


def _check_similar_items(estimator):
    """Similar items come in order, without the item itself."""
    if not hasattr(estimator, "similar_items"):
        return
    model = _fitted(estimator)
    similar, similarities = model.similar_items([3, 0], n_similar=4)
    assert similar.shape == similarities.shape == (2, 4)
    assert 3 not in similar[0]
    assert 0 not in similar[1]
    assert (np.diff(similarities, axis=1) <= 0).all()
    _error(ValueError, "an item that there is not", model.similar_items, [model.n_items_])
    _error(ValueError, "n_similar=0", model.similar_items, [0], n_similar=0)


_ALL = (
    _check_tags,
    _check_scores,
    _check_ranking_agrees_with_scores,
    _check_ties,
    _check_row_blocks_do_not_matter,
    _check_input_formats,
    _check_input_is_kept,
    _check_new_rows,
    _check_empty_rows,
    _check_popularity,
    _check_eligible_scores,
    _check_ranks,
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


def _rows_and_model(estimator):
    """Return rows, and a model that has learned from them."""
    X, _ = domain(estimator)
    return X, _fitted(estimator)


@functools.lru_cache(maxsize=1)
def _fitted(estimator):
    """Return a fitted model, shared by all checks that do not change it."""
    return clone(estimator).fit(*domain(estimator))


def _n_different(a, b):
    different = a != b
    return different.nnz if sp.issparse(different) else np.count_nonzero(different)


def seeded(estimator):
    """Return a clone whose random state, if it has one, is fixed."""
    has_state = "random_state" in estimator.get_params()
    return clone(estimator).set_params(**({"random_state": 0} if has_state else {}))


def _error(error, what, function, *args, **kwargs):
    """Return the message of the error that the call must raise for the bad input named `what`."""
    try:
        function(*args, **kwargs)
    except error as raised:
        return str(raised)
    name = getattr(function, "__qualname__", function)
    raise AssertionError(f"{name} accepted {what}: it must raise a ValueError.")


def _assert_same_scores(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-4)


def _in_words(check):
    """Return a check whose every failure says which estimator fails what."""

    @functools.wraps(check)
    def checked(estimator):
        try:
            check(estimator)
        except Exception as error:
            found = str(error) or "this does not hold"
            kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
            name = f"{type(estimator).__name__} fails {checked.__name__} ({check.__doc__})"
            raise AssertionError(f"{name}: {kind}{found}") from error

    checked.__name__ = check.__name__.removeprefix("_")
    return checked


CHECKS = tuple(map(_in_words, _ALL))
