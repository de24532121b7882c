# SPDX-License-Identifier: BSD-3-Clause
"""The gate uses the source where it helps, and only there."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from _domains import N_SOURCE, N_TARGET, TARGET, beside, related_domains
from joblib import dump, load
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfTransformer, TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags

from sktransrec import (
    ALSRecommender,
    CollectiveMFRecommender,
    EASERecommender,
    NextItemRecommender,
    PopularityRecommender,
    RidgeRecommender,
    TransferGate,
    TransitionRecommender,
    ranking_scorer,
    transfer_gain,
)
from sktransrec._recommend import seen_interactions
from sktransrec.datasets import load_amazon_pair, make_cross_domain
from sktransrec.ensembles._gate import _uses_transfer
from sktransrec.interactions._target_items import TargetItems
from sktransrec.metrics import ndcg_at_k
from sktransrec.testing import check_recommender

pytestmark = pytest.mark.usefixtures("few_draws")


def domains_with_cold_users(relatedness=1.0, random_state=0):
    return related_domains(relatedness, random_state, n_cold_users=100)


def _shuffled(X, random_state):
    return X[np.random.default_rng(random_state).permutation(X.shape[0])]


@pytest.fixture(scope="module")
def domains():
    return domains_with_cold_users()


@pytest.fixture(scope="module")
def stacked(domains):
    return beside(domains.X_source, domains.Y_target)


def test_related_domains_open_the_gate(domains):
    gate = TransferGate(RidgeRecommender(), cv=3, random_state=0)
    gate.fit(domains.X_source, domains.Y_target)
    assert gate.uses_transfer_.all()
    ridge = RidgeRecommender().fit(domains.X_source, domains.Y_target)
    assert_array_equal(
        gate.decision_function(domains.X_cold), ridge.decision_function(domains.X_cold)
    )
    assert "The source helps: transfer for all rows." in gate.decision_
    assert gate.decision_.count("rows): transfer") == 3


def test_shuffled_rows_close_the_gate(domains):
    gate = TransferGate(RidgeRecommender(), cv=3, random_state=0)
    gate.fit(_shuffled(domains.X_source, 0), domains.Y_target)
    assert not gate.uses_transfer_.any()
    popularity = PopularityRecommender().fit(domains.Y_target)
    assert_array_equal(
        gate.recommend(domains.X_cold)[0],
        np.tile(popularity.recommend(np.zeros((1, N_TARGET)))[0], (100, 1)),
    )
    assert "fallback for all rows." in gate.decision_
    assert gate.decision_.count("rows): fallback") == 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["unrelated", "shuffled"])
def test_gate_falls_back_where_there_is_nothing_to_transfer(kind):
    n_used = 0
    for seed in range(100):
        domains = domains_with_cold_users(relatedness=float(kind == "shuffled"), random_state=seed)
        X = domains.X_source if kind == "unrelated" else _shuffled(domains.X_source, seed)
        gate = TransferGate(RidgeRecommender(), random_state=seed).fit(X, domains.Y_target)
        n_used += gate.uses_transfer_.any()
    print(f"{kind}: the gate falls back in {100 - n_used} of 100 seeds")
    assert n_used <= 5


@pytest.mark.slow
@pytest.mark.parametrize("relatedness", [0.0, 1.0])
def test_gate_of_warm_rows_over_seeds(relatedness):
    n_used = 0
    for seed in range(20):
        domains = domains_with_cold_users(relatedness=relatedness, random_state=seed)
        X = beside(domains.X_source, domains.Y_target)
        gate = TransferGate(
            EASERecommender(), EASERecommender(), target_columns=TARGET, random_state=seed
        )
        n_used += gate.fit(X).uses_transfer_.any()
    assert n_used >= 19 if relatedness else n_used <= 1


def test_all_rows_together_decide_before_their_buckets_do():
    """The source helps, and is not shown to help or harm in any bucket: it is used in all."""
    X, y = (
        make_cross_domain(
            *(300, N_SOURCE, N_TARGET),
            n_cold_users=0,
            source_density=0.2,
            target_density=0.1,
            relatedness=0.65,
            random_state=0,
        )[name]
        for name in ("X_source", "Y_target")
    )
    gate = TransferGate(RidgeRecommender(50.0), cv=3, random_state=0).fit(X, y)
    assert gate.gain_.verdict == "helps"
    assert {bucket.verdict for bucket in gate.gain_.buckets} == {"no evidence"}
    assert gate.uses_transfer_.all()


@pytest.mark.parametrize(
    ("verdict", "of_buckets", "uses_transfer"),
    [
        ("helps", ["no evidence", "no evidence"], [True, True]),
        ("helps", ["helps", "harms"], [True, False]),
        ("helps", ["no evidence", "harms"], [True, False]),
        ("no evidence", ["helps", "no evidence"], [False, False]),
        ("no evidence", ["helps", "harms"], [True, False]),
        ("no evidence", ["no evidence", "harms"], [False, False]),
        ("harms", ["harms", "helps"], [False, True]),
        ("harms", ["harms", "harms"], [False, False]),
    ],
)
def test_rows_are_split_only_where_a_bucket_shows_harm(verdict, of_buckets, uses_transfer):
    buckets = [SimpleNamespace(verdict=each) for each in of_buckets]
    gain = SimpleNamespace(verdict=verdict, buckets=buckets)
    assert_array_equal(_uses_transfer(gain), uses_transfer)


def test_rows_get_the_model_of_their_bucket(domains):
    X = domains.X_source
    activity = np.diff(X.indptr)
    # The source says nothing about the active rows.
    active = np.flatnonzero(activity >= np.median(activity))
    partner = np.arange(len(activity))
    partner[active] = np.random.default_rng(0).permutation(active)
    y = domains.Y_target[partner]
    gate = TransferGate(RidgeRecommender(50.0), n_buckets=2, random_state=0).fit(X, y)
    assert_array_equal(gate.uses_transfer_, [True, False])
    new_activity = np.diff(domains.X_cold.indptr)
    is_active = new_activity >= gate.bucket_edges_[0]
    scores = gate.decision_function(domains.X_cold)
    ridge = RidgeRecommender(50.0).fit(X, y).decision_function(domains.X_cold)
    assert_array_equal(scores[~is_active], ridge[~is_active])
    assert_array_equal(scores[is_active], np.tile(gate.popularity_, (is_active.sum(), 1)))


def test_warm_gate_recommends_target_items_not_yet_known(domains, stacked):
    gate = TransferGate(
        EASERecommender(), EASERecommender(20), target_columns=TARGET, cv=3, random_state=0
    ).fit(stacked)
    assert gate.n_items_ == N_TARGET
    assert gate.uses_transfer_.any()
    items, _ = gate.recommend(stacked)
    assert not np.take_along_axis(domains.Y_target.toarray(), items, axis=1).any()
    uses_transfer = gate.uses_transfer_[
        np.searchsorted(gate.bucket_edges_, np.diff(domains.Y_target.indptr), side="right")
    ]
    scores = gate.decision_function(stacked)
    both = EASERecommender().fit(stacked).decision_function(stacked)[:, TARGET]
    alone = EASERecommender(20).fit(domains.Y_target).decision_function(domains.Y_target)
    assert_allclose(scores, np.where(uses_transfer[:, None], both, alone), rtol=1e-4, atol=1e-5)
    assert "interactions in the target" in gate.decision_


def test_in_domain_gate_does_not_read_y(stacked):
    gate = TransferGate(EASERecommender(), target_columns=TARGET, cv=2, random_state=0)
    first = clone(gate).fit(stacked).decision_function(stacked)
    second = clone(gate).fit(stacked, stacked * 0).decision_function(stacked)
    assert_array_equal(first, second)


def test_kind_is_that_of_the_transfer():
    ridge, ease = RidgeRecommender(), EASERecommender()
    for transfer in (
        *(ridge, GridSearchCV(ridge, {}), make_pipeline(TfidfTransformer(), ridge)),
        make_pipeline("passthrough", None, ridge),
    ):
        assert get_tags(TransferGate(transfer)).input_tags.sparse
        assert get_tags(TransferGate(transfer)).target_tags.required
    for transfer in (ease, make_pipeline(TfidfTransformer(), ease), GridSearchCV(ease, {})):
        assert not get_tags(TransferGate(transfer)).target_tags.required


def test_gate_never_ends_far_below_its_fallback():
    for seed in range(3):
        domains = domains_with_cold_users(relatedness=0, random_state=seed)
        X, y = domains.X_source, domains.Y_target
        gate = TransferGate(RidgeRecommender(1.0), cv=3, random_state=seed).fit(X, y)
        always = RidgeRecommender(1.0).fit(X, y).score(domains.X_cold, domains.Y_cold)
        popular, _ = PopularityRecommender().fit(y).recommend(domains.Y_cold * 0)
        assert gate.score(domains.X_cold, domains.Y_cold) == ndcg_at_k(domains.Y_cold, popular)
        assert always < ndcg_at_k(domains.Y_cold, popular)


@pytest.mark.slow
@pytest.mark.data
def test_gate_ends_no_lower_than_a_real_target_alone(data_home):
    pair = load_amazon_pair("sport", "phone", data_home=data_home)
    X = beside(pair.X_source, pair.Y_target)
    target = np.arange(pair.X_source.shape[1], X.shape[1])
    als = ALSRecommender(64, max_iter=8, random_state=0)
    gate = TransferGate(als, als, target_columns=target, cv=2, random_state=0).fit(X)
    stacked, _ = gate.transfer_.recommend(X, candidates=target)
    alone, _ = gate.fallback_.recommend(pair.Y_target)
    first = pair.X_source.shape[1]
    ndcg_stacked, ndcg_alone, ndcg_gate = (
        ndcg_at_k(pair.Y_held_out, items, per_row=True)
        for items in (stacked - first, alone, gate.recommend(X)[0])
    )
    assert np.nanmean(ndcg_stacked) < 0.9 * np.nanmean(ndcg_alone)
    lost = (ndcg_alone - ndcg_gate)[~np.isnan(ndcg_alone)]
    assert lost.mean() <= 2 * lost.std(ddof=1) / np.sqrt(len(lost))


@pytest.mark.slow
@pytest.mark.data
def test_gate_follows_the_verdict_on_a_real_pair(data_home):
    """Clothes help in sport articles, which no more than one bucket of users shows by itself."""
    pair = load_amazon_pair("cloth", "sport", data_home=data_home)
    X = beside(pair.X_source, pair.Y_target)[:3500]
    n_source = pair.X_source.shape[1]
    gate = TransferGate(
        CollectiveMFRecommender(slice(n_source, None), 64, max_iter=8, random_state=0),
        ALSRecommender(64, regularization=0.02, max_iter=8, random_state=0),
        target_columns=np.arange(n_source, X.shape[1]),
        cv=2,
        random_state=0,
    ).fit(X)
    print(gate.decision_)
    assert gate.gain_.verdict == "helps"
    assert sum(bucket.verdict == "helps" for bucket in gate.gain_.buckets) <= 1
    assert gate.uses_transfer_.all()


def test_twins_do_not_open_the_gate():
    domains = domains_with_cold_users(relatedness=0)
    popular = np.argsort(-domains.Y_target.sum(axis=0))
    X = beside(domains.X_source, domains.Y_target[:, popular[5:9]])
    gate = TransferGate(RidgeRecommender(), cv=3, random_state=0).fit(X, domains.Y_target)
    assert gate.gain_.overall.verdict == "helps"
    assert not gate.uses_transfer_.any()


def test_too_few_rows_close_the_gate(domains):
    few = slice(0, 9)
    gate = TransferGate(RidgeRecommender(), random_state=0)
    gate.fit(domains.X_source[few], domains.Y_target[few])
    assert_array_equal(gate.uses_transfer_, [False])


def test_nothing_to_hold_out_closes_the_gate():
    X = np.eye(12)[np.arange(60) % 12]
    gate = TransferGate(EASERecommender(), random_state=0).fit(X)
    assert_array_equal(gate.uses_transfer_, [False])
    assert "nothing to find" in gate.decision_


@pytest.mark.usefixtures("workers")
def test_gate_is_searched_and_saved(domains, tmp_path):
    X, y = domains.X_source, domains.Y_target
    search = GridSearchCV(
        TransferGate(RidgeRecommender(), cv=2, random_state=0),
        {"transfer__regularization": [10, 100]},
        scoring=ranking_scorer(),
        cv=2,
        error_score="raise",
        n_jobs=2,
    ).fit(X, y)
    gate = search.best_estimator_
    dump(gate, tmp_path / "gate.joblib")
    loaded = load(tmp_path / "gate.joblib")
    assert_array_equal(loaded.decision_function(X), gate.decision_function(X))
    assert loaded.decision_ == gate.decision_


def test_bad_arguments_are_explained(domains, stacked):
    X, y = domains.X_source, domains.Y_target
    with pytest.raises(ValueError, match="requires y to be passed"):
        TransferGate(RidgeRecommender()).fit(X)
    with pytest.raises(ValueError, match="EASERecommender recommends 60 items, but y has 40"):
        TransferGate(RidgeRecommender(), EASERecommender()).fit(X, y)
    with pytest.raises(ValueError, match="target_columns must lie between 0 and"):
        TransferGate(EASERecommender(), target_columns=[100]).fit(stacked)
    with pytest.raises(ValueError, match="'transfer' parameter of TransferGate"):
        TransferGate("ridge").fit(X, y)


N_STEPS = 6
TINY_NETWORK = {"n_items": 30, "n_components": 8, "n_layers": 1, "epochs": 1, "random_state": 0}


def _cycles(n_rows, random_state):
    """Histories in which item i + 1 follows item i, and 1 follows the last one."""
    rng = np.random.default_rng(random_state)
    X = 1 + (rng.integers(30, size=(n_rows, 1)) + np.arange(N_STEPS)) % 30
    X[np.arange(N_STEPS) >= rng.integers(3, N_STEPS + 1, size=(n_rows, 1))] = 0
    return X


@pytest.fixture(scope="module")
def source_network():
    model = NextItemRecommender("cnn", dropout=0.0, learning_rate=0.1, **TINY_NETWORK)
    return model.set_params(epochs=25, batch_size=100).fit(_cycles(200, 0))


def _gate_of_networks(source_network, **parameters):
    scratch = NextItemRecommender("cnn", batch_size=120, run_eagerly=True, **TINY_NETWORK)
    transfer = clone(scratch).set_params(pretrained=FrozenEstimator(source_network))
    return TransferGate(transfer, scratch, cv=2, random_state=0, **parameters)


def test_histories_open_the_gate_if_they_follow_the_rule_of_the_source(source_network):
    X = _cycles(120, 1)
    gate = _gate_of_networks(source_network).fit(X)
    assert gate.uses_transfer_.all()
    assert gate.n_items_ == 30
    assert_array_equal(gate.recommend(X)[0], gate.transfer_.recommend(X)[0])
    assert "interactions in the target" in gate.decision_


def test_histories_without_an_order_close_the_gate(source_network):
    X = np.random.default_rng(0).integers(1, 31, size=(120, N_STEPS))
    gate = _gate_of_networks(source_network).fit(X)
    assert not gate.uses_transfer_.any()
    assert_array_equal(gate.decision_function(X), gate.fallback_.decision_function(X))


def test_latest_items_of_histories_are_held_out(source_network):
    X = np.array([[1, 2, 3, 4, 0], [5, 6, 7, 6, 0]])
    gate = _gate_of_networks(source_network, holdout=2)
    kept, held_out = TargetItems.among(None, gate, X, n_items=7).held_out(X, gate.holdout, 0)
    assert_array_equal(kept, [[1, 2, 0, 0, 0], [5, 6, 0, 0, 0]])
    assert [set(row.nonzero()[0] + 1) for row in held_out.toarray()] == [{3, 4}, {7}]


def test_popularity_is_the_fallback_of_histories(source_network):
    gate = _gate_of_networks(source_network).set_params(fallback=None)
    X = _cycles(90, 2)
    assert gate.fit(X).uses_transfer_.all()
    assert gate.gain_.counted == "interactions in the target"


def test_a_model_without_order_may_be_the_fallback_of_histories(source_network):
    X = _cycles(90, 2)
    gate = _gate_of_networks(source_network).set_params(fallback=EASERecommender(), n_buckets=1)
    gate.fit(X)
    known = seen_interactions(gate, X)
    assert_array_equal(
        gate.fallback_.decision_function(known),
        EASERecommender().fit(known).decision_function(known),
    )
    gain = transfer_gain(
        source_network,
        gate.fallback_,
        np.where(np.arange(N_STEPS) < 3, X, 0),
        X[:, 2] % 30 + 1,
        cv="prefit",
        n_buckets=1,
    )
    assert gain.verdict == "helps"
    assert gain.n_pairs == len(X)


@pytest.mark.slow
def test_gate_of_histories_is_a_recommender():
    network = NextItemRecommender(
        n_components=2, n_layers=1, epochs=1, n_items=24, run_eagerly=True, random_state=0
    )
    check_recommender(TransferGate(network, PopularityRecommender(), cv=2))


def test_folds_of_histories_expect_the_items_of_all_rows():
    """The highest id is in one row only, which one of the folds does not learn from."""
    X = np.minimum(_cycles(60, 3), 29)
    X[0, 0] = 30
    reader = TransitionRecommender()
    gate = TransferGate(reader, TransitionRecommender(decay=0.5), cv=2, random_state=0).fit(X)
    assert gate.n_items_ == gate.transfer_.n_items_ == gate.fallback_.n_items_ == 30
    assert reader.n_items is None
    same = TransferGate(TransitionRecommender(n_items=30), cv=2, random_state=0).fit(X)
    gate = TransferGate(reader, cv=2, random_state=0).fit(X)
    assert gate.gain_.overall.gain == same.gain_.overall.gain
    assert gate.gain_.overall.interval == same.gain_.overall.interval


def test_columns_of_histories_are_no_target_columns(source_network):
    gate = _gate_of_networks(source_network, target_columns=[0, 1])
    with pytest.raises(ValueError, match="leave target_columns at None"):
        gate.fit(_cycles(60, 4))


@pytest.mark.parametrize("kind", [list, lambda texts: pd.DataFrame({"text": texts})])
def test_gate_before_rows_known_by_texts(kind):
    """Texts tell of the taste of the rows, or of nothing."""
    rng = np.random.RandomState(0)
    taste = rng.randint(2, size=120)
    y = rng.uniform(size=(120, 8)) < np.where(taste[:, None] == np.arange(8) % 2, 0.6, 0.1)
    texts = kind([f"taste{t}" for t in taste])
    reader = TfidfVectorizer()
    if not isinstance(texts, list):
        reader = ColumnTransformer([("text", reader, "text")])
    reads = make_pipeline(reader, RidgeRecommender())
    gate = TransferGate(reads, n_buckets=2, k=3, cv=3, random_state=0).fit(texts, y * 1.0)
    assert gate.uses_transfer_.tolist() == [True]  # nothing is known by which rows are active
    assert_array_equal(
        gate.decision_function(texts),
        reads.fit(texts, y)[-1].decision_function(reads[0].transform(texts)),
    )
    nothing = kind([f"taste{t}" for t in rng.randint(2, size=120)])
    gate.fit(nothing, y * 1.0)
    assert gate.uses_transfer_.tolist() == [False]
    assert_array_equal(gate.decision_function(nothing)[3], gate.popularity_)


class WithoutLastItem(EASERecommender):
    """Never recommend the last item."""

    @property
    def withheld_items_(self):
        return np.arange(self.n_items_) == self.n_items_ - 1


@pytest.mark.parametrize("columns", [None, TARGET])
def test_gate_recommends_nothing_that_a_part_does_not(domains, columns):
    X = domains.X_source if columns is None else beside(domains.X_source, domains.Y_target)
    gate = TransferGate(WithoutLastItem(), target_columns=columns, cv=3, random_state=0).fit(X)
    items, _ = gate.recommend(X, n_recommendations=gate.n_items_, exclude_seen=False)
    assert (items[:, -1] == -1).all()
    assert (np.sort(items[:, :-1]) == np.arange(gate.n_items_ - 1)).all()
    assert np.isfinite(gate.decision_function(X)).all()
