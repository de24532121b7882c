# SPDX-License-Identifier: BSD-3-Clause
"""Scorers give the metric of what is recommended, inside searches and out of them."""

import functools
import inspect
import pickle
import re

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sktransrec import (
    DecayedHistory,
    ItemKNNRecommender,
    PopularityRecommender,
    SwitchingRecommender,
    TransitionRecommender,
    compare,
    debiased_scorer,
    ranking_scorer,
    recommend,
)
from sktransrec._histories import last_items, padded_at_end
from sktransrec.base import InDomainRecommender, RecommenderMixin, SupervisedRecommender
from sktransrec.interactions import holdout_random
from sktransrec.interactions._hidden import hidden_part
from sktransrec.metrics import (
    average_precision_at_k,
    f1_at_k,
    held_out_auc,
    held_out_ranks,
    hit_rate_at_k,
    ndcg_at_k,
    precision_at_k,
    recall_at_k,
    reciprocal_rank_at_k,
)
from sktransrec.metrics._table import BEYOND_ACCURACY, METRICS

FUNCTIONS = {
    "f1": f1_at_k,
    "hit_rate": hit_rate_at_k,
    "average_precision": average_precision_at_k,
    "reciprocal_rank": reciprocal_rank_at_k,
    "ndcg": ndcg_at_k,
    "precision": precision_at_k,
    "recall": recall_at_k,
}


class ShiftedItems(SupervisedRecommender):
    """Recommend the target items `shift` columns to the right of the source items."""

    def __init__(self, shift=0):
        self.shift = shift

    def _fit(self, X, y):
        pass

    def _score_rows(self, X):
        return np.roll(X.toarray(), self.shift, axis=1)


class Parity(InDomainRecommender):
    """Recommend even items to a row whose first item is even, odd ones otherwise."""

    def _fit(self, X):
        pass

    def _score_rows(self, X):
        first = (X.toarray() > 0).argmax(axis=1)
        return 1.0 - (np.arange(X.shape[1]) + first[:, None]) % 2


@pytest.fixture(scope="module")
def cross_domain():
    """Return X and y = X moved three columns to the right."""
    rng = np.random.default_rng(0)
    X = (rng.uniform(size=(60, 20)) < 0.3) * rng.uniform(size=(60, 20))
    return sp.csr_array(X), sp.csr_array(np.roll(X, 3, axis=1))


def _checkerboard(n_rows=40, n_items=16):
    """Return rows of even or odd items, each with one missing."""
    X = (np.add.outer(np.arange(n_rows), np.arange(n_items)) % 2 == 0).astype(float)
    X[np.arange(n_rows), np.arange(n_rows) % n_items] = 0
    return sp.csr_array(X)


@pytest.mark.parametrize("metric", FUNCTIONS)
def test_is_the_metric_of_the_recommendations(cross_domain, metric):
    X, y = cross_domain
    model = ShiftedItems(shift=2).fit(X, y)
    items, _ = recommend(model, X, n_recommendations=4)
    expected = FUNCTIONS[metric](y, items, 4)
    assert 0 < expected < 1
    assert ranking_scorer(metric, k=4)(model, X, y) == expected


def test_names_in_the_docstring_are_all_names():
    described = inspect.getdoc(ranking_scorer).split("metric : ")[1].split('"auc" is')[0]
    named = re.findall('"([a-z_0-9]+)"', described.split("Of relevance")[1])
    assert sorted(named) == sorted([*METRICS, *BEYOND_ACCURACY, "auc"])


def test_a_metric_has_the_name_of_its_function():
    for name, function in FUNCTIONS.items():
        assert function.__name__ == f"{name}_at_k"


FACTS = {
    "item_vectors": np.random.default_rng(0).uniform(size=(16, 3)),
    "item_classes": np.eye(16)[:, :4],
}


def test_many_metrics_are_those_of_a_scorer_each():
    X = _checkerboard()
    model = PopularityRecommender().fit(X)
    names = [*METRICS, *BEYOND_ACCURACY, "auc"]
    options = {"holdout": 2, "random_state": 0, "candidates": np.arange(12), **FACTS}
    together = ranking_scorer(names, k=[3, 5], **options)(model, X)
    assert len(together) == 2 * (len(names) - 1) + 1
    for key, value in together.items():
        name, _, k = key.partition("@")
        assert ranking_scorer(name, k=int(k or 5), **options)(model, X) == value, key


def test_several_metrics_rank_once():
    class Counting(Parity):
        def recommend(self, X, **options):
            self.n_rankings_ = getattr(self, "n_rankings_", 0) + 1
            return super().recommend(X, **options)

    X = _checkerboard()
    model = Counting().fit(X)
    ranking_scorer([*METRICS, "coverage", "novelty"], k=[2, 4], holdout=2)(model, X)
    assert model.n_rankings_ == 1


def test_coverage_is_that_of_the_candidates():
    X = _checkerboard()
    model = PopularityRecommender().fit(X)
    y = sp.csr_array(1 - X.toarray())
    scorer = ranking_scorer(["coverage", "gini"], k=3, candidates=[4, 9, 15], exclude_seen=False)
    assert scorer(model, X, y) == {"coverage@3": 1, "gini@3": 0}


def test_search_and_cross_validation_take_several_metrics_at_once():
    X = _checkerboard()
    scorer = ranking_scorer(["recall", "coverage", "auc"], k=[4, 8])
    search = GridSearchCV(Parity(), {}, scoring=scorer, refit="recall@8", error_score="raise")
    search.fit(X)
    assert search.best_score_ == 1
    names = ["recall@4", "recall@8", "coverage@4", "coverage@8", "auc"]
    assert {f"mean_test_{name}" for name in names} < search.cv_results_.keys()
    scores = cross_validate(Parity(), X, scoring=scorer, error_score="raise")
    assert {f"test_{name}" for name in names} < scores.keys()
    assert pickle.loads(pickle.dumps(scorer))(search, X) == scorer(search, X)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], 5), "metric is empty"),
        ((["ndcg", "accuracy"], 5), "metric holds 'accuracy', but each must be one of auc, "),
        (("ndcg", [5, 0]), "k holds 0, but each must be an int of 1 or more"),
        ((["diversity"], 5), "'diversity' needs item_vectors"),
        (("calibration_error", 5), "'calibration_error' needs item_classes"),
    ],
)
def test_bad_lists_of_metrics_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        ranking_scorer(*arguments)


def test_metrics_of_what_rows_have_need_it_in_X(cross_domain):
    X, y = cross_domain
    model = ShiftedItems().fit(X, y)
    with pytest.raises(ValueError, match="X does not hold the items that ShiftedItems"):
        ranking_scorer("popularity_lift")(model, X, y)


def test_default_is_the_score_of_the_model(cross_domain):
    X, y = cross_domain
    model = ShiftedItems(shift=2).fit(X, y)
    assert ranking_scorer()(model, X, y) == model.score(X, y)


def test_search_finds_the_best_parameter(cross_domain):
    X, y = cross_domain
    pipeline = make_pipeline(FunctionTransformer(accept_sparse=True), ShiftedItems())
    search = GridSearchCV(
        pipeline,
        {"shifteditems__shift": [0, 1, 3, 4]},
        scoring={name: ranking_scorer(name, k=3) for name in FUNCTIONS},
        refit="ndcg",
        cv=KFold(3),
        error_score="raise",
    ).fit(X, y)
    assert search.best_params_ == {"shifteditems__shift": 3}
    for name in FUNCTIONS:
        assert search.cv_results_[f"mean_test_{name}"].argmax() == 2
    scorer = ranking_scorer("ndcg", k=3)
    fold = next(KFold(3).split(X))[1]
    assert search.cv_results_["split0_test_ndcg"][2] == scorer(search, X[fold], y[fold])
    expected = scorer(search.best_estimator_[-1], X, y)
    for wrapped in (search, search.best_estimator_, FrozenEstimator(search)):
        assert scorer(wrapped, X, y) == expected


def test_holdout_scores_without_y():
    """The hidden items have the parity of what is left, so the truth is known to the scorer."""
    X = _checkerboard()
    scorer = ranking_scorer("recall", k=8, holdout=0.2, random_state=0)
    assert scorer(Parity().fit(X), X) == 1
    assert scorer(PopularityRecommender().fit(X), X) < 1
    search = GridSearchCV(Parity(), {}, scoring=scorer, cv=3, error_score="raise").fit(X)
    assert search.best_score_ == 1


def test_holdout_hides_what_it_looks_for():
    X = _checkerboard()
    model = PopularityRecommender().fit(X)
    kept, hidden = holdout_random(X, 2, random_state=5)
    expected = ranking_scorer("ndcg", k=5)(model, kept, hidden)
    assert ranking_scorer("ndcg", k=5, holdout=2, random_state=5)(model, X) == expected
    before = X.toarray()
    assert_array_equal(X.toarray(), before)


def test_rows_with_one_interaction_do_not_count():
    X = _checkerboard()
    lonely = sp.vstack([X, sp.csr_array(np.eye(16)[:5])])
    scorer = ranking_scorer("recall", k=8, holdout=1, random_state=0)
    assert scorer(Parity().fit(X), lonely) == 1
    with pytest.raises(ValueError, match="none of its 5 rows has two different items"):
        scorer(Parity().fit(X), lonely[-5:])


def test_candidates_bound_what_counts(cross_domain):
    X, y = cross_domain
    model = ShiftedItems(shift=3).fit(X, y)
    candidates = np.arange(4, 12)
    items, _ = recommend(model, X, n_recommendations=3, candidates=candidates)
    inside = y.toarray() * np.isin(np.arange(20), candidates)
    assert ranking_scorer("ndcg", k=3, candidates=candidates)(model, X, y) == ndcg_at_k(
        inside, items, 3
    )
    mask = np.isin(np.arange(20), candidates)
    assert ranking_scorer("ndcg", k=3, candidates=mask)(model, X, y) == 1


def test_holdout_of_candidates_leaves_the_other_columns():
    """With columns 8 and up as candidates, two domains side by side, the first stays known."""
    X = _checkerboard()
    seen = []

    class Recording(Parity):
        def _score_rows(self, X):
            seen.append(X.toarray())
            return super()._score_rows(X)

    model = Recording().fit(X)
    scorer = ranking_scorer("recall", k=4, candidates=range(8, 16), holdout=1, random_state=0)
    assert scorer(model, X) == 1
    assert_array_equal(seen[0][:, :8], X.toarray()[:, :8])
    assert_array_equal((seen[0] != X.toarray()).sum(axis=1), 1)


def test_seen_items_come_back_if_asked():
    X = _checkerboard()
    model = PopularityRecommender().fit(X)
    assert ranking_scorer("hit_rate", exclude_seen=False)(model, X, X) == 1
    others = sp.csr_array(np.roll(X.toarray(), 1, axis=1))
    assert ranking_scorer("hit_rate")(model, X, X + others) == 1
    with pytest.raises(ValueError, match="held-out pairs in y are also in X"):
        ranking_scorer("hit_rate")(model, X, X)


def test_pickle_clone_and_repr():
    scorer = ranking_scorer(
        "average_precision", k=3, candidates=range(5), holdout=0.5, random_state=1
    )
    assert repr(scorer) == (
        "ranking_scorer('average_precision', k=3, candidates=<array of shape (5,)>, "
        "holdout=0.5, random_state=1)"
    )
    assert (
        repr(ranking_scorer(exclude_seen=True)) == "ranking_scorer('ndcg', k=10, exclude_seen=True)"
    )
    X = _checkerboard()
    search = clone(GridSearchCV(Parity(), {}, scoring=scorer, cv=2)).fit(X)
    for copied in (pickle.loads(pickle.dumps(scorer)), clone(scorer, safe=False)):
        assert repr(copied) == repr(scorer)
    assert 0 < search.best_score_ <= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"metric": "accuracy"},
            "'metric' parameter of ranking_scorer must be a str among .*'ndcg'",
        ),
        ({"k": 0}, "'k' parameter of ranking_scorer"),
        ({"holdout": 1.5}, "'holdout' parameter of ranking_scorer"),
        ({"holdout": 0}, "'holdout' parameter of ranking_scorer"),
        ({"exclude_seen": "maybe"}, "'exclude_seen' parameter of ranking_scorer"),
        ({"random_state": "a"}, "'random_state' parameter of ranking_scorer"),
    ],
)
def test_bad_parameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        ranking_scorer(**arguments)


def test_error_instead_of_nan(cross_domain):
    X, y = cross_domain
    model = ShiftedItems().fit(X, y)
    for score in (model.score, functools.partial(ranking_scorer(), model)):
        with pytest.raises(ValueError, match="y is None, and ShiftedItems learned the map from X"):
            score(X)
    with pytest.raises(ValueError, match="X has 19 columns and ShiftedItems recommends 20 items"):
        ranking_scorer(holdout=0.2)(model, X[:, 1:])
    with pytest.raises(ValueError, match="hides a part of X to look for, but y was passed"):
        ranking_scorer(holdout=0.2)(model, X, y)
    with pytest.raises(ValueError, match="no relevant item"):
        ranking_scorer()(model, X, 0 * y)
    with pytest.raises(ValueError, match="no relevant item"):
        ranking_scorer(candidates=[1], k=1)(model, X[:1], np.eye(20)[:1])
    with pytest.raises(ValueError, match="y has shape"):
        ranking_scorer()(model, X, y[:, :-1])
    with pytest.raises(ValueError, match="candidates must lie between"):
        ranking_scorer(candidates=[20])(model, X, y)
    with pytest.raises(TypeError, match="DummyRegressor cannot recommend"):
        ranking_scorer()(DummyRegressor().fit(X, y.toarray()), X, y)


def test_search_shows_the_error():
    X = np.eye(8)
    search = GridSearchCV(Parity(), {}, cv=2, error_score="raise")
    with pytest.raises(ValueError, match="nothing to hide: none of its 4 rows has two different"):
        search.fit(X)
    with (
        pytest.warns(UserWarning, match="scores are non-finite"),
        pytest.warns(UserWarning, match="nothing to hide"),
    ):
        search.set_params(error_score=np.nan).fit(X)


@pytest.mark.parametrize("metric", FUNCTIONS)
def test_more_places_than_items_are_as_many_as_items(cross_domain, metric):
    X, y = cross_domain
    model = ShiftedItems().fit(X, y)
    assert ranking_scorer(metric, k=21)(model, X, y) == ranking_scorer(metric, k=20)(model, X, y)


def test_score_without_y_hides_the_same_fifth():
    X = _checkerboard()
    model = PopularityRecommender().fit(X)
    kept, hidden = holdout_random(X, 0.2, random_state=0)
    expected = model.score(kept, hidden)
    assert 0 < expected < 1
    for given in (X, X.toarray(), X.tocoo(), X.toarray().tolist()):
        assert model.score(given) == expected
    assert ranking_scorer()(model, X) == expected
    assert GridSearchCV(model, {}, cv=2).fit(X).score(X) == expected
    assert make_pipeline(FunctionTransformer(), model).fit(X).score(X) == expected


@pytest.mark.parametrize("kind", ["pandas", "sparse pandas", "polars"])
def test_names_of_columns_are_kept_and_nothing_warns(kind):
    X = _checkerboard()
    names = [f"item {column}" for column in range(X.shape[1])]
    if kind == "polars":
        frame = pytest.importorskip("polars").DataFrame(X.toarray(), schema=names)
    elif kind == "pandas":
        frame = pd.DataFrame(X.toarray(), columns=names)
    else:
        frame = pd.DataFrame.sparse.from_spmatrix(X, columns=names)
    scorer = ranking_scorer("recall", k=8, holdout=1, random_state=0)
    by_name = make_column_transformer(("passthrough", names[:8]), ("passthrough", names[8:]))
    plain = PopularityRecommender().fit(X)
    named = PopularityRecommender().fit(frame)
    assert named.score(frame) == plain.score(X)
    for model in (named, make_pipeline(by_name, PopularityRecommender()).fit(frame)):
        assert scorer(model, frame) == scorer(plain, X)
    search = GridSearchCV(PopularityRecommender(), {}, cv=2, error_score="raise").fit(frame)
    assert search.best_score_ == GridSearchCV(PopularityRecommender(), {}, cv=2).fit(X).best_score_
    numbered = pd.DataFrame(X.toarray())
    assert scorer(PopularityRecommender().fit(numbered), numbered) > 0


class FollowingItem(RecommenderMixin, BaseEstimator):
    """Recommend the item with the next id after the last one of a history."""

    def __init__(self, n_items=9):
        self.n_items = n_items

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        return tags

    def fit(self, X, y=None):
        self.n_items_ = self.n_items
        self.popularity_ = np.ones(self.n_items, dtype=np.float32)
        return self

    def _check_rows(self, X):
        return padded_at_end(np.asarray(X))

    def _score_rows(self, X):
        return np.eye(self.n_items_ + 1)[last_items(X)][:, : self.n_items_]


HISTORIES = np.array([[1, 2, 3, 0], [5, 6, 7, 0], [4, 0, 0, 0], [7, 8, 9, 0]])


def test_histories_hide_their_last_item():
    model = FollowingItem().fit(HISTORIES)
    assert model.score(HISTORIES) == 1
    assert ranking_scorer("hit_rate", k=1)(model, HISTORIES) == 1
    assert ranking_scorer("hit_rate", k=1, holdout=1)(model, HISTORIES) == 1
    # With two hidden, the first of them follows.
    assert ranking_scorer("precision", k=2, holdout=2)(model, HISTORIES) < 1
    assert ranking_scorer("reciprocal_rank", k=1, holdout=0.66)(model, HISTORIES) == 1
    assert model.score([[0, 1, 2, 3], [0, 0, 0, 4], [0, 7, 8, 9]]) == 1
    frame = pd.DataFrame(HISTORIES, columns=["first", "second", "third", "fourth"])
    assert model.score(frame) == 1
    assert GridSearchCV(FollowingItem(), {}, cv=2).fit(HISTORIES).best_score_ == 1
    with pytest.raises(ValueError, match="nothing to hide"):
        model.score([[1, 1, 0, 0], [2, 0, 0, 0]])


def test_hidden_items_of_histories_are_among_the_candidates():
    """Item 9 is no candidate: the latest other item is hidden, and 9 is left out after it."""
    X = np.array([[1, 2, 9, 0], [9, 4, 9, 5]])
    kept, y = hidden_part(FollowingItem().fit(X), X, 1, candidates=range(8))
    assert_array_equal(kept, [[1, 0, 0, 0], [9, 4, 9, 0]])
    assert_array_equal(y.nonzero(), [[0, 1], [1, 4]])


def test_hidden_items_are_among_those_that_are_recommended():
    class Withholding(Parity):
        @property
        def withheld_items_(self):
            return np.arange(16) < 12

    X = _checkerboard()
    model = Withholding().fit(X)
    _, y = hidden_part(model, X, 1, random_state=0)
    assert np.unique(y.indices).tolist() == [12, 13, 14, 15]
    assert model.score(X) == 1


def test_hidden_items_of_two_domains_are_those_of_the_target():
    X = _checkerboard()
    model = SwitchingRecommender(Parity(), ShiftedItems(), target_columns=range(4, 16)).fit(X)
    kept, y = hidden_part(model, X, 1, random_state=0)
    assert_array_equal(y.sum(axis=1), 1)
    assert_array_equal((kept + sp.hstack([sp.csr_array((40, 4)), y])).toarray(), X.toarray())
    assert model.score(X) == Parity().fit(X[:, 4:]).score(X[:, 4:])
    assert ranking_scorer("recall", k=6, holdout=2)(model, X) == 1
    with pytest.raises(ValueError, match=r"X has 12 columns, and the items .* up to column 15"):
        model.score(X[:, :12])


def test_candidates_alone_count():
    """The target of two domains has the scores that it has alone."""
    rng = np.random.RandomState(0)
    source, target = (rng.uniform(size=(60, n)) < 0.4 for n in (20, 30))
    known, y = holdout_random(target * 1.0, 0.3, random_state=0)
    names = ["ndcg", "recall", "serendipity", "novelty", "coverage", "gini", "auc"]
    alone = ranking_scorer(names, 5)(PopularityRecommender().fit(known), known, y)
    X = sp.hstack([sp.csr_array(source * 1.0), known], format="csr")
    wanted = sp.hstack([sp.csr_array((60, 20)), y], format="csr")
    scorer = ranking_scorer(names, 5, candidates=np.arange(20, 50))
    assert alone == pytest.approx(scorer(PopularityRecommender().fit(X), X, wanted))


def test_new_candidates_are_novel_and_judged_by_all_that_rows_have():
    X = np.repeat([[1.0, 1, 0, 1, 0], [1, 0, 0, 0, 0]], 20, axis=0)
    y = sp.csr_array(np.eye(5)[[2] * 40])
    options = {"candidates": [2, 4], "item_classes": np.eye(2)[[0, 1, 0, 1, 0]]}
    scores = ranking_scorer(["novelty", "calibration_error"], 1, **options)(
        PopularityRecommender().fit(X), X, y
    )
    assert scores["novelty@1"] == pytest.approx(1)  # as rare as the rarest known item, one half
    assert scores["calibration_error@1"] < 0


@pytest.mark.parametrize("metric", ["gini", "calibration_error"])
def test_searches_take_the_smallest_value_where_it_is_the_best(metric):
    X = (np.random.RandomState(0).uniform(size=(60, 30)) < np.linspace(0.1, 0.9, 30)) * 1.0
    classes = np.eye(3)[np.arange(30) % 3]
    scorer = ranking_scorer(metric, 5, holdout=0.2, random_state=0, item_classes=classes)
    model = PopularityRecommender().fit(X)
    assert scorer(model, X) < 0
    function = BEYOND_ACCURACY[metric].function
    kept, _ = hidden_part(model, X, 0.2, random_state=0)
    items, _ = model.recommend(kept, n_recommendations=5)
    facts = {"gini": (30,), "calibration_error": (kept, classes)}[metric]
    assert scorer(model, X) == pytest.approx(-function(items, *facts, 5))


def test_pipelines_that_read_histories_are_asked_for_ids():
    """In y, item id j + 1 is column j, whatever stands at the end of the pipeline."""
    rng = np.random.RandomState(0)
    histories = (rng.randint(8, size=(60, 1)) + np.arange(5)) % 8 + 1
    known, y = np.where(np.arange(5) < 4, histories, 0), histories[:, -1]
    columns = sp.csr_array((np.ones(60), (np.arange(60), y - 1)), shape=(60, 8))
    model = TransitionRecommender(n_items=8).fit(histories)
    pipe = make_pipeline(DecayedHistory(0.1, n_items=8), ItemKNNRecommender()).fit(histories)
    for each in (model, pipe):
        for scorer in (ranking_scorer("ndcg", k=3), ranking_scorer("auc"), debiased_scorer("ndcg")):
            assert scorer(each, known, y) == scorer(each, known, columns)
        assert_array_equal(held_out_ranks(each, known, y)[1], y - 1)
        assert held_out_auc(each, known, y) == held_out_auc(each, known, columns)


def test_tables_whose_columns_stand_in_another_order_are_refused():
    X = _checkerboard()
    known, y = holdout_random(X, 0.3, random_state=0)
    names = [f"i{column}" for column in range(X.shape[1])]
    known, y = (pd.DataFrame(part.toarray(), columns=names) for part in (known, y))
    model = make_pipeline(ItemKNNRecommender()).fit(known)
    moved = y[names[::-1]]
    expected = ranking_scorer()(model, known, y)
    assert model.score(known, y) == pytest.approx(expected)
    for judge in (model.score, functools.partial(ranking_scorer(), model)):
        with pytest.raises(ValueError, match="where the model has the item"):
            judge(known, moved)
    with pytest.raises(ValueError, match="where the model has the item"):
        compare({"neighbours": ItemKNNRecommender()}, known, moved)


def test_an_unfitted_model_is_named():
    with pytest.raises(NotFittedError, match="PopularityRecommender"):
        ranking_scorer()(PopularityRecommender(), np.eye(3), np.ones((3, 3)) - np.eye(3))
