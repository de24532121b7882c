# SPDX-License-Identifier: BSD-3-Clause
"""Ranks of held-out pairs agree with a ranking spelt out row by row, whatever the protocol."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import rankdata
from sklearn import config_context
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sktransrec import ALSRecommender, HybridRecommender, PopularityRecommender
from sktransrec.base import InDomainRecommender, SupervisedRecommender
from sktransrec.metrics import held_out_ranks, rank_metrics

N_ROWS, N_ITEMS = 300, 40


class RandomTies(InDomainRecommender):
    """Scores that depend on the row alone, drawn from few values so that many tie."""

    def __init__(self, seed=0, n_values=6):
        self.seed = seed
        self.n_values = n_values

    def _fit(self, X):
        self.taste_ = np.random.RandomState(self.seed).randint(self.n_values, size=X.shape)

    def _score_rows(self, X):
        return (X @ self.taste_[: X.shape[1]] % self.n_values).astype(np.float32)


class SourceToTarget(SupervisedRecommender):
    def _fit(self, X, y):
        self.map_ = np.random.RandomState(0).normal(size=(X.shape[1], y.shape[1]))

    def _score_rows(self, X):
        return np.asarray(X @ self.map_, dtype=np.float32)


@pytest.fixture(scope="module")
def domain():
    """Return interactions X and what is held out of them, y; some rows hold nothing out."""
    rng = np.random.default_rng(0)
    cells = rng.uniform(size=(N_ROWS, N_ITEMS))
    cells[::7] = np.maximum(cells[::7], 0.3)
    return sp.csr_array((cells > 0.8) * 1.0), sp.csr_array((cells < 0.1) * 1.0)


def _expected_ranks(scores, X, y, candidates=None):
    """Return the tie-averaged rank of each held-out item among unseen ones, by scipy."""
    ranks = []
    is_candidate = np.isin(np.arange(y.shape[1]), candidates) if candidates is not None else True
    for row, item in zip(*y.nonzero(), strict=True):
        against = (X[row] == 0) & (y[row] == 0) & is_candidate
        against[item] = True
        ranks.append(rankdata(-scores[row, against])[against[:item].sum()])
    return ranks


def test_full_ranking(domain):
    X, y = domain
    model = RandomTies().fit(X)
    rows, items, ranks = held_out_ranks(model, X, y)
    assert_array_equal((rows, items), y.nonzero())
    scores = model.decision_function(X)
    assert_array_equal(ranks, _expected_ranks(scores, X.toarray(), y.toarray()))
    assert (ranks % 1 == 0.5).any()


def test_candidates_and_exclusions(domain):
    X, y = domain
    model = RandomTies().fit(X)
    candidates = np.array([30, 2, 5, 7, 8, 9, 21, 22, 23, 11])
    y = sp.csr_array(y.toarray() * np.isin(np.arange(N_ITEMS), candidates))
    also_seen = sp.csr_array((sp.random_array(X.shape, density=0.3, rng=0) > 0) > (y > 0))
    rows, items, ranks = held_out_ranks(
        model, X, y, candidates=candidates, exclude_interactions=also_seen
    )
    assert_array_equal((rows, items), y.nonzero())
    seen = (X + also_seen).toarray()
    scores = model.decision_function(X)
    assert_array_equal(ranks, _expected_ranks(scores, seen, y.toarray(), candidates))
    mask = np.isin(np.arange(N_ITEMS), candidates)
    by_mask = held_out_ranks(model, X, y, candidates=mask, exclude_interactions=also_seen)
    assert_array_equal(by_mask, (rows, items, ranks))


def test_seen_items_take_part_if_asked(domain):
    X = domain[0][:60]
    model = RandomTies().fit(X)
    _, _, ranks = held_out_ranks(model, X, X, exclude_seen=False)
    nothing_seen = np.zeros(X.shape)
    scores = model.decision_function(X)
    assert_array_equal(ranks, _expected_ranks(scores, nothing_seen, X.toarray()))


@pytest.mark.parametrize("n_negatives", [None, 5])
def test_what_a_row_takes_again_is_not_ranked_but_missed(domain, n_negatives):
    """A model that scores all alike would rank it in the middle, or first if it is hidden alone."""
    X, y = domain
    model = RandomTies(n_values=1).fit(X)
    repeats = sp.csr_array((np.random.default_rng(1).uniform(size=X.shape) < 0.1) * X.toarray())
    arguments = {"n_negatives": n_negatives, "random_state": 0}
    rows, items, ranks = held_out_ranks(model, X, y + repeats, **arguments)
    is_repeat = repeats.toarray()[rows, items] > 0
    assert is_repeat.any()
    assert_array_equal(ranks == np.inf, is_repeat)
    others = held_out_ranks(model, X, y, exclude_interactions=repeats)
    if n_negatives is None:
        assert_array_equal(ranks[~is_repeat], others[2])
    metrics = rank_metrics(ranks, k=N_ITEMS)
    for name, (mean, _) in rank_metrics(ranks[~is_repeat], k=N_ITEMS).items():
        assert_allclose(metrics[name][0], mean * (~is_repeat).mean())


def test_what_a_model_never_recommends_is_missed():
    """Item 2 has no interactions; it is the only item that the row could still get."""
    X = np.array([[1.0, 1.0, 0.0]] * 4)
    model = HybridRecommender(ALSRecommender(2, random_state=0), cold_policy="exclude").fit(X)
    assert_array_equal(model.recommend(X[:1], n_recommendations=1)[0], [[-1]])
    assert_array_equal(held_out_ranks(model, X[:1], [2])[2], [np.inf])


def test_cross_domain_rows_have_seen_nothing_but_what_is_passed(domain):
    X, y = domain
    y = y[:, :20]
    model = SourceToTarget().fit(X, y)
    _, _, ranks = held_out_ranks(model, X, y)
    scores = model.decision_function(X)
    assert_allclose(ranks, _expected_ranks(scores, np.zeros(y.shape), y.toarray()))


def test_more_negatives_than_there_are_give_the_full_ranking(domain):
    X, y = domain
    model = RandomTies().fit(X)
    full = held_out_ranks(model, X, y)
    assert_array_equal(held_out_ranks(model, X, y, n_negatives=N_ITEMS, random_state=0), full)


def test_sampled_ranks_are_of_distinct_unseen_items(domain):
    """The item of the best unseen score loses to nothing, the worst to every negative."""
    X, y = domain
    model = RandomTies(n_values=10**6).fit(X)
    full = held_out_ranks(model, X, y)[2]
    n_against = (N_ITEMS - X.sum(axis=1) - y.sum(axis=1))[y.nonzero()[0]]
    sampled = held_out_ranks(model, X, y, n_negatives=9, random_state=0)[2]
    assert sampled.min() >= 1
    assert sampled.max() <= 10
    assert_array_equal(sampled[full == 1], 1)
    last = full == n_against + 1
    assert last.any()
    assert_array_equal(sampled[last], 10)
    # A rank against all unseen items but one misses at most one better item.
    one_short = held_out_ranks(model, X, y, n_negatives=int(n_against.min()) - 1, random_state=0)[2]
    assert set((full - one_short)[n_against == n_against.min()]) <= {0, 1}


def test_sampled_ranks_average_to_the_full_ranking(domain):
    """Each unseen item is drawn with the same probability n / N."""
    X, y = domain
    model = RandomTies(n_values=10**6).fit(X)
    rows, _, full = held_out_ranks(model, X[1:3], y[1:3])
    n_against = (N_ITEMS - X.sum(axis=1) - y.sum(axis=1))[1 + rows]
    X, y = sp.vstack([X[1:3]] * 1500), sp.vstack([y[1:3]] * 1500)
    sampled = held_out_ranks(model, X, y, n_negatives=10, random_state=0)[2]
    means = sampled.reshape(1500, -1).mean(axis=0)
    assert_allclose(means - 1, (full - 1) * 10 / n_against, atol=0.15)


def test_negatives_depend_on_the_seed_but_not_on_blocks_or_model(domain):
    X, y = domain
    model = RandomTies().fit(X)
    first = held_out_ranks(model, X, y, n_negatives=5, random_state=3)[2]
    assert_array_equal(held_out_ranks(model, X, y, n_negatives=5, random_state=3)[2], first)
    assert (held_out_ranks(model, X, y, n_negatives=5, random_state=4)[2] != first).any()
    with config_context(working_memory=0.01):
        assert_array_equal(held_out_ranks(model, X, y, n_negatives=5, random_state=3)[2], first)
    # Doubling the scores keeps every order: the other model must meet the same negatives.
    twice = RandomTies().fit(X)
    twice._score_rows = lambda X: 2 * RandomTies._score_rows(twice, X)
    assert_array_equal(held_out_ranks(twice, X, y, n_negatives=5, random_state=3)[2], first)


def test_global_random_state_stays(domain):
    X, y = domain
    model = RandomTies().fit(X)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    held_out_ranks(model, X, y)
    held_out_ranks(model, X, y, n_negatives=5, random_state=0)
    assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_wrapped_models_and_one_item_a_row(domain):
    X, _ = domain
    held_out = (X.toarray() == 0).argmax(axis=1)
    model = RandomTies().fit(X)
    expected = held_out_ranks(model, X, np.eye(N_ITEMS)[held_out])
    halves = make_pipeline(FunctionTransformer(_half, accept_sparse=True), RandomTies()).fit(2 * X)
    for wrapped, rows in ((model, X), (halves, 2 * X), (FrozenEstimator(halves), 2 * X)):
        assert_array_equal(held_out_ranks(wrapped, rows, held_out), expected)


def _half(X):
    return X / 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_negatives": 0}, "n_negatives"),
        ({"n_negatives": 2.5}, "n_negatives"),
        ({"random_state": "a"}, "random_state"),
        ({"candidates": [0, 1]}, "1 of the 2 held-out pairs in y are not among the candidates"),
        ({"exclude_interactions": [[0, 1, 1, 0]] * 2}, "All 2 held-out pairs in y are also in X"),
        ({"exclude_interactions": [[0, 0, 1, 0]]}, "exclude_interactions has shape"),
        ({"X": [[0, 1, 1, 0]] * 2}, "All 2 held-out pairs in y are also in X"),
        ({"y": np.zeros((2, 4))}, "y marks no held-out item"),
        ({"y": np.ones((2, 3))}, "y has shape"),
        ({"y": [4, 0]}, "y holds column indices from 0 to 4"),
    ],
)
def test_bad_input(arguments, message):
    model = PopularityRecommender().fit([[1, 0, 0, 1], [1, 0, 0, 0]])
    defaults = {"X": [[1, 0, 0, 1]] * 2, "y": [2, 1]}
    with pytest.raises(ValueError, match=message):
        held_out_ranks(model, **{**defaults, **arguments})


def test_metrics_of_ranks_by_hand():
    metrics = rank_metrics([1, 2.5, 4, 3], k=3)
    assert list(metrics) == ["reciprocal_rank", "ndcg", "hit_rate"]
    values = {
        "reciprocal_rank": [1, 1 / 2.5, 1 / 4, 1 / 3],
        "ndcg": [1, 1 / np.log2(3.5), 0, 1 / np.log2(4)],
        "hit_rate": [1, 1, 0, 1],
    }
    for name, by_pair in values.items():
        assert_allclose(metrics[name], (np.mean(by_pair), np.std(by_pair, ddof=1) / 2))


def test_standard_error_is_clustered_by_row():
    ranks = np.array([1, 2, 4, 8])
    alone = rank_metrics(ranks)["reciprocal_rank"]
    twice = rank_metrics(np.repeat(ranks, 2), rows=np.repeat(list("dabc"), 2))["reciprocal_rank"]
    assert_allclose(twice, alone)  # saying everything twice tells nothing new
    assert np.isnan(rank_metrics([1, 2], rows=[0, 0])["reciprocal_rank"][1])


def test_standard_error_is_the_spread_of_repeated_means():
    rng = np.random.default_rng(0)
    means, errors = [], []
    for _ in range(400):
        rows = np.repeat(np.arange(50), rng.integers(1, 6, size=50))
        row_level = rng.geometric(0.2, size=50)[rows]
        ranks = row_level + rng.integers(0, 3, size=len(rows))
        mean, error = rank_metrics(ranks, rows=rows)["reciprocal_rank"]
        means.append(mean)
        errors.append(error)
    assert_allclose(np.mean(errors), np.std(means), rtol=0.15)


@pytest.mark.parametrize(
    ("ranks", "rows", "message"),
    [
        ([0, 1], None, "ranks must be 1-D and start at 1"),
        ([[1, 2]], None, "ranks must be 1-D"),
        ([np.nan, 1], None, "smallest rank of nan"),
        ([-np.inf, 1], None, "smallest rank of -inf"),
        ([1, 2], [0], "rows has shape"),
    ],
)
def test_bad_ranks(ranks, rows, message):
    with pytest.raises(ValueError, match=message):
        rank_metrics(ranks, rows=rows)


def test_bad_k():
    with pytest.raises(ValueError, match="'k' parameter of rank_metrics"):
        rank_metrics([1, 2], k=0)


@pytest.mark.data
@pytest.mark.slow
def test_popularity_on_real_data_against_999_negatives(data_home):
    """The figures were measured by other code; negatives alone move them by 0.1."""
    pairs = {}
    for part in ("train", "test"):
        path = data_home / "amazon_sport_cloth" / "sport_cloth" / f"{part}.txt"
        pairs[part] = np.loadtxt(path, dtype=int, usecols=(0, 1))
    shape = tuple(np.concatenate(list(pairs.values())).max(axis=0) + 1)
    X, y = (sp.csr_array((np.ones(len(p)), p.T), shape=shape) for p in pairs.values())
    candidates = np.flatnonzero(X.sum(axis=0))
    model = PopularityRecommender().fit(X)
    _, _, ranks = held_out_ranks(
        model, X, y, n_negatives=999, candidates=candidates, random_state=0
    )
    assert len(ranks) == 8326
    means = [100 * mean for mean, _ in rank_metrics(ranks).values()]
    assert_allclose(means, [6.8, 7.4, 13.5], atol=0.4)


@pytest.mark.parametrize("form", [sp.csc_array, sp.coo_array, sp.dia_array, sp.bsr_array])
def test_ranks_of_rows_of_every_sparse_format(form):
    X = sp.csr_array(np.eye(6, dtype=np.float32) + np.eye(6, k=1, dtype=np.float32))
    model = PopularityRecommender().fit(X)
    wanted = np.eye(6, k=-1)
    for ours, theirs in zip(
        held_out_ranks(model, form(X), wanted), held_out_ranks(model, X, wanted), strict=True
    ):
        assert_array_equal(ours, theirs)
