# SPDX-License-Identifier: BSD-3-Clause
"""Recommenders of other people, written from the documentation alone, work everywhere."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

import sktransrec
from sktransrec import (
    BridgeRecommender,
    DiscountedRecommender,
    EASERecommender,
    HistoryRecommender,
    HybridRecommender,
    InteractionEncoder,
    ItemFeatures,
    ItemKNNRecommender,
    RecommendationService,
    RidgeRecommender,
    SourceSelectorRecommender,
    StackingRecommender,
    SwitchingRecommender,
    TransferGate,
    VotingRecommender,
    compare,
    debiased_scorer,
    eligible_scores,
    load,
    ranking_scorer,
    recommend,
    save,
    transfer_gain,
    transfer_learning_curve,
)
from sktransrec.datasets import make_cross_domain
from sktransrec.evaluation import KShot, NewUsers
from sktransrec.inspection import explain, trace
from sktransrec.metrics import held_out_ranks
from sktransrec.testing import check_recommender

pytestmark = pytest.mark.usefixtures("few_draws")


class Tags:
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.estimator_type = "recommender"
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        return tags


class Cooccurrence(Tags, BaseEstimator):
    """Score items by how often they go together with those of the row: X's columns are the items.

    It has no more than `fit`, `decision_function`, `n_items_` and `popularity_`.
    """

    def fit(self, X, y=None):
        X = self._checked(X, reset=True)
        if not X.nnz:
            raise ValueError("X holds no interactions.")
        has_item = (X != 0).astype(np.float32)
        self.counts_ = (has_item.T @ has_item).toarray()
        np.fill_diagonal(self.counts_, 0)
        self.n_items_ = X.shape[1]
        self.popularity_ = np.asarray(has_item.mean(axis=0), dtype=np.float32).ravel()
        return self

    def decision_function(self, X):
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        scores = (X @ self.counts_).astype(np.float32)
        scores[np.diff(X.indptr) == 0] = self.popularity_
        return scores

    def _checked(self, X, *, reset):
        X = sp.csr_array(validate_data(self, X, accept_sparse=True, dtype=float, reset=reset))
        X.eliminate_zeros()
        if X.nnz and X.data.min() < 0:
            raise ValueError("Negative values in data passed to X.")
        return X


class LeastSquares(Tags, BaseEstimator):
    """Learn the map from X to y by least squares: y's columns are the items."""

    def __init__(self, alpha=1.0):
        self.alpha = alpha

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = tags.target_tags.multi_output = True
        tags.target_tags.single_output = False
        tags.input_tags.positive_only = False
        return tags

    def fit(self, X, y):
        X = _dense(validate_data(self, X, accept_sparse=True, dtype=float))
        y = _dense(check_array(y, accept_sparse=True, input_name="y"))
        self.ridge_ = Ridge(self.alpha).fit(X, y)
        self.n_items_ = y.shape[1]
        self.popularity_ = (y != 0).mean(axis=0).astype(np.float32)
        return self

    def decision_function(self, X):
        check_is_fitted(self)
        X = _dense(validate_data(self, X, accept_sparse=True, dtype=float, reset=False))
        scores = self.ridge_.predict(X).astype(np.float32)
        scores[~X.any(axis=1)] = self.popularity_
        return scores


def _dense(X):
    return X.toarray() if sp.issparse(X) else X


class LastItem(BaseEstimator):
    """Score an item by how often it comes after the last item of a history."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.estimator_type = "recommender"
        tags.input_tags.categorical = True
        return tags

    def fit(self, X, y=None):
        X = self._ids(X, reset=True)
        if not X.any():
            raise ValueError("X holds no interactions.")
        self.n_items_ = int(X.max())
        has_item = (X[:, :, None] == np.arange(1, self.n_items_ + 1)).any(axis=1)
        self.popularity_ = has_item.mean(axis=0)
        self.counts_ = np.zeros((self.n_items_ + 1, self.n_items_ + 1), dtype=np.float32)
        np.add.at(self.counts_, (X[:, :-1], X[:, 1:]), 1)
        return self

    def decision_function(self, X):
        X = self._ids(X, reset=False)
        n_steps = (X > 0).sum(axis=1)
        scores = self.counts_[X[np.arange(len(X)), n_steps - 1], 1:]
        scores[n_steps == 0] = self.popularity_
        return scores

    def _ids(self, X, *, reset):
        return validate_data(self, X, dtype=int, reset=reset)


class SVDFactors(Cooccurrence):
    """Factors of items by a singular value decomposition, and of rows by their projection."""

    def fit(self, X, y=None):
        super().fit(X)
        _, _, V = np.linalg.svd(_dense(self._checked(X, reset=False)), full_matrices=False)
        self.item_factors_ = V[:8].T.astype(np.float32)
        return self

    def transform(self, X):
        return (self._checked(X, reset=False) @ self.item_factors_).astype(np.float32)

    def decision_function(self, X):
        return self.transform(X) @ self.item_factors_.T


class FoldedFactors(SVDFactors):
    """Empty rows get the popularity, and the factors have names."""

    def decision_function(self, X):
        scores = super().decision_function(X)
        scores[~self.transform(X).any(axis=1)] = self.popularity_
        return scores

    def get_feature_names_out(self, input_features=None):
        return np.array([f"factor{i}" for i in range(8)], dtype=object)


@pytest.fixture(scope="module")
def domains():
    return make_cross_domain(
        300, 60, 40, source_density=0.2, target_density=0.1, relatedness=1, random_state=0
    )


@pytest.mark.parametrize("model", [Cooccurrence(), LeastSquares(), LastItem()], ids=repr)
def test_it_keeps_the_contract(model):
    check_recommender(model)


def test_what_it_recommends_is_the_best_of_its_scores(domains):
    X = domains.Y_target
    model = Cooccurrence().fit(X)
    items, scores = recommend(make_pipeline(model), X, n_recommendations=4, candidates=range(9))
    allowed = np.where(X.toarray() > 0, -np.inf, model.decision_function(X))[:, :9]
    assert_allclose(scores, -np.sort(-allowed, axis=1)[:, :4])
    assert ((items < 0) == np.isneginf(scores)).all()


def test_withheld_items_and_columns_of_items_are_respected(domains):
    class Beside(Cooccurrence):
        """Of the columns of X, the last ones are the items; the first of these is withheld."""

        def fit(self, X, y=None):
            self.n_features_in_ = X.shape[1]
            self.item_columns_ = np.arange(X.shape[1])[-5:]
            super().fit(X[:, self.item_columns_])
            self.withheld_items_ = np.arange(5) == 0
            return self

        def decision_function(self, X):
            return super().decision_function(X[:, -5:])

        def _checked(self, X, *, reset):
            return sp.csr_array(X)

    X = domains.Y_target
    model = Beside().fit(X)
    seen = X[:, -5:].toarray() > 0
    (_, scores), *_ = eligible_scores(model, X)
    assert_array_equal(np.isneginf(scores), seen | (np.arange(5) == 0))
    vote = VotingRecommender([("a", RidgeRecommender()), ("b", LeastSquares())])
    assert vote.fit(X[:, :5], X[:, 5:]).withheld_items_ is None
    assert 0 < ranking_scorer(holdout=1, random_state=0)(model, X) <= 1


ENSEMBLES = {
    "vote": VotingRecommender([("own", EASERecommender()), ("other", Cooccurrence())]),
    "discount": DiscountedRecommender(Cooccurrence()),
    "stack": StackingRecommender(
        [("own", EASERecommender()), ("other", Cooccurrence())], random_state=0
    ),
    "histories": HistoryRecommender(Cooccurrence()),
    "hybrid": HybridRecommender(FoldedFactors()),
}


@pytest.mark.parametrize("model", ENSEMBLES.values(), ids=ENSEMBLES)
def test_ensembles_of_it_keep_the_contract(model):
    check_recommender(model)


@pytest.mark.parametrize("model", [Cooccurrence(), VotingRecommender([("c", Cooccurrence())])])
def test_searches_and_scorers_take_it(model, domains):
    X = domains.Y_target
    for scoring in (
        ranking_scorer("recall", holdout=2, random_state=0),
        debiased_scorer(holdout=2, random_state=0),
    ):
        search = GridSearchCV(model, {}, cv=2, scoring=scoring, error_score="raise").fit(X)
        assert 0 < search.best_score_ < 1
    _, _, ranks = held_out_ranks(search, *sktransrec.holdout_random(X, 1, random_state=0))
    assert np.isfinite(ranks).all()


@pytest.mark.parametrize(
    ("alpha", "own", "verdict"), [(100, None, "helps"), (1, RidgeRecommender(), "harms")]
)
def test_transfer_with_it_is_judged(alpha, own, verdict, domains):
    X, y = domains.X_source, domains.Y_target
    model = LeastSquares(alpha)
    assert transfer_gain(model, own, X, y, cv=3, random_state=0).clean.verdict == verdict
    gate = TransferGate(model, own, cv=3, n_buckets=1, random_state=0).fit(X, y)
    assert gate.uses_transfer_.tolist() == [verdict == "helps"]
    used = gate.transfer_ if verdict == "helps" else gate.fallback_
    assert_allclose(gate.decision_function(X), used.decision_function(X), rtol=1e-5)


def test_warm_users_are_served_across_domains_by_it(domains):
    X = sp.hstack([domains.X_source, domains.Y_target], format="csr")
    columns = np.arange(domains.X_source.shape[1], X.shape[1])
    gate = TransferGate(
        Cooccurrence(), ItemKNNRecommender(), target_columns=columns, cv=3, random_state=0
    ).fit(X)
    items, _ = recommend(gate, X, n_recommendations=3)
    seen = domains.Y_target.toarray() > 0
    assert not np.take_along_axis(seen, items, axis=1).any()
    selector = SourceSelectorRecommender(
        Cooccurrence(), fallback=Cooccurrence(), target_columns=columns, cv=3, random_state=0
    ).fit(X)
    assert recommend(selector, X, n_recommendations=3)[0].max() < len(columns)


def test_it_serves_within_a_switch_and_a_curve(domains):
    X = sp.hstack([domains.X_source, domains.Y_target], format="csr")
    columns = np.arange(domains.X_source.shape[1], X.shape[1])
    switch = SwitchingRecommender(Cooccurrence(), LeastSquares(), target_columns=columns).fit(X)
    assert set(switch.row_paths(X)) == {"history"}
    curve = transfer_learning_curve(
        {"its own": LeastSquares(100), "popularity": None},
        domains.X_source,
        domains.Y_target,
        train_sizes=[200],
        cv=3,
        random_state=0,
    )
    assert curve.means["its own"] > curve.means["popularity"]


def test_factors_of_another_model_are_bridged(domains):
    X, y = domains.X_source, domains.Y_target
    bridge = make_pipeline(SVDFactors(), BridgeRecommender(SVDFactors(), Ridge()))
    gain = transfer_gain(bridge, None, X, y, cv=3, random_state=0)
    assert gain.clean.verdict == "helps"


def test_factors_of_another_model_are_mixed_with_content(domains):
    X = domains.Y_target.toarray()
    X[:, 3] = 0
    model = SVDFactors()
    factors = model.fit(X).item_factors_
    hybrid = HybridRecommender(model, item_features=ItemFeatures(factors), neighbor_weight=0)
    paths = hybrid.fit(X).item_paths_
    assert paths[3] == "content"
    known = paths == "factors"
    expected = model.decision_function(X)[:, known]
    assert_allclose(hybrid.decision_function(X)[:, known], expected, rtol=1e-4, atol=1e-5)
    assert explain(hybrid, X[:1], [0, 1]).items.tolist() == [0, 1]


class OtherScores(SVDFactors):
    """It has factors, but scores by counts."""

    decision_function = Cooccurrence.decision_function


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (OtherScores(), "inner products of factors alone"),
        (Cooccurrence(), "implementing 'fit' and 'transform'"),
        (EASERecommender(), "implementing 'fit' and 'transform'"),
    ],
    ids=repr,
)
def test_scores_that_are_no_products_are_not_mixed_with_content(model, words, domains):
    with pytest.raises((TypeError, ValueError), match=words):
        HybridRecommender(model).fit(domains.Y_target)


class Unpopular(Cooccurrence):
    def fit(self, X, y=None):
        super().fit(X)
        del self.popularity_
        return self

    def decision_function(self, X):
        return np.ones((X.shape[0], self.n_items_), dtype=np.float32)


class Narrow(Cooccurrence):
    def decision_function(self, X):
        return super().decision_function(X)[:, :-1]


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Unpopular(), "Unpopular has no attribute popularity_"),
        (Narrow(), "decision_function of Narrow returned scores of shape"),
    ],
    ids=["no popularity", "a score too few"],
)
@pytest.mark.parametrize(
    "use",
    [
        lambda model, X: recommend(model.fit(X), X[:1]),
        lambda model, X: recommend(model.fit(X), X[:1], candidates=[1], exclude_seen=False),
        lambda model, X: VotingRecommender([("a", model)]).fit(X).decision_function(X),
        lambda model, X: check_recommender(model),
    ],
    ids=["recommend", "candidates", "vote", "check"],
)
def test_what_is_missing_is_said(model, words, use, domains):
    with pytest.raises((TypeError, ValueError, AssertionError), match=words):
        use(model, domains.Y_target)


class Careless(Cooccurrence):
    def _checked(self, X, *, reset):
        return sp.csr_array(X)


class OnlyIntegers(LastItem):
    def _ids(self, X, *, reset):
        return np.asarray(X)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Careless(), "accepted X with NaN: it must raise"),
        (OnlyIntegers(), "OnlyIntegers fails check_input_formats .*floats.*Error: "),
    ],
    ids=["no checks", "no floats"],
)
def test_a_broken_promise_is_named_in_words(model, words):
    with pytest.raises(AssertionError, match=words):
        check_recommender(model)


@pytest.mark.parametrize("cv", [2, NewUsers(2, random_state=0), KShot(3, random_state=0)], ids=repr)
def test_it_is_compared(cv, domains):
    models = {"other": Cooccurrence(), "own": EASERecommender()}
    report = compare(models, domains.Y_target, cv=cv, random_state=0)
    assert report.means["NDCG@10"]["other"] > 0


def test_next_items_by_it_are_compared():
    X = 1 + (np.arange(40)[:, None] + np.arange(6)) % 7
    report = compare({"other": LastItem()}, X, cv=2, k=1)
    assert report.means["NDCG@1"]["other"] == 1


def test_it_is_saved_if_it_is_trusted(domains, tmp_path):
    X = domains.Y_target
    model = make_pipeline(Cooccurrence()).fit(X)
    save(model, tmp_path / "a.model")
    loaded = load(tmp_path / "a.model", trusted=[f"{__name__}.Cooccurrence"])
    assert_array_equal(loaded.decision_function(X), model.decision_function(X))


@pytest.mark.parametrize("as_model", [lambda model: model, make_pipeline], ids=["bare", "pipeline"])
def test_it_is_served_explained_and_traced(as_model):
    log = {"user": [1, 1, 2, 2, 3, 3, 3], "item": list("abacbcd")}
    encoder = InteractionEncoder(user="user", item="item").fit(log)
    X = encoder.transform(log)
    model = as_model(Cooccurrence()).fit(X)
    service = RecommendationService(model, encoder)
    items = recommend(model, X[:1], n_recommendations=1)[0][0]
    served = service.recommend([1], log, n_recommendations=1)
    assert served["item"].tolist() == encoder.items_[items].tolist()
    found = explain(model, X[:1], items)
    assert found.items.tolist() == trace(model, X[:1], items).items.tolist() == items.tolist()
    assert trace(model, X[:1], items).ranks.tolist() == [1]
