# SPDX-License-Identifier: BSD-3-Clause
"""The choice of values by held-out interactions: nothing is lost, nothing leaks, ties go first."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from sktransrec import EASERecommender, PopularityRecommender, ranking_scorer
from sktransrec._auto import (
    MIN_ITEMS,
    MIN_ROWS,
    Numbers,
    best_of,
    best_on_curves,
    best_regularization,
    choice_on_curves,
    held_out_interactions,
    held_out_last_items,
    held_out_rows,
    logarithms,
    values_to_try,
)


def interactions(n_rows=MIN_ROWS + 50, n_items=MIN_ITEMS, seed=0):
    X = np.random.RandomState(seed).uniform(size=(n_rows, n_items)) < 0.1
    X[:5] = np.eye(5, n_items)
    X[5:9] = 0
    return sp.csr_array(X.astype(np.float32))


def test_held_out_interactions_are_a_fifth_of_those_of_rows_with_two():
    X = interactions()
    part = held_out_interactions(X)
    assert part.y is None
    assert part.wanted.shape == part.rows.shape
    assert (np.diff(part.wanted.indptr) >= 1).all()
    assert (np.diff(part.rows.indptr) >= 1).all()
    assert part.rows.multiply(part.wanted).nnz == 0
    assert part.wanted.nnz == pytest.approx(0.2 * X.nnz, rel=0.1)
    assert part.known.nnz + part.wanted.nnz == X.nnz
    known = {row.tobytes() for row in part.known.toarray()}
    assert all(row.tobytes() in known for row in part.rows.toarray())
    assert (part.known.toarray() <= X.toarray()).all()


def test_held_out_rows_are_not_learned_from():
    y = interactions(6 * MIN_ROWS)
    X = np.arange(y.shape[0], dtype=np.float32)[:, None]
    part = held_out_rows(X, y)
    assert len(part.rows) == part.wanted.shape[0] >= MIN_ROWS
    assert_array_equal(np.sort(np.vstack([part.known, part.rows]), axis=0), X)
    assert_array_equal(part.y.toarray(), y[part.known[:, 0].astype(int)].toarray())
    assert_array_equal(part.wanted.toarray(), y[part.rows[:, 0].astype(int)].toarray())


def test_the_last_item_of_a_history_is_held_out_if_it_is_new():
    new = np.array([1 + np.roll(np.arange(MIN_ITEMS), row)[:4] for row in range(MIN_ROWS)])
    X = np.vstack([new, [[3, 5, 3, 0], [9, 0, 0, 0]]])
    known, judged, part = held_out_last_items(X, MIN_ITEMS)
    assert_array_equal(known[:-2, :3], new[:, :3])
    assert not known[:-2, 3].any()
    assert_array_equal(known[-2:], X[-2:])
    assert_array_equal(judged, known[:-2])
    assert_array_equal(part.wanted.indices, new[:, 3] - 1)
    assert part.known.nnz == 3 * len(new) + 3
    assert held_out_last_items(X[:9], MIN_ITEMS) is None


def test_the_ndcg_is_that_of_a_fitted_model():
    part = held_out_interactions(interactions())
    scorer = ranking_scorer("ndcg", k=20)
    for model in (EASERecommender(50.0), PopularityRecommender()):
        model.fit(part.known)
        expected = scorer(model, part.rows, part.wanted)
        assert_allclose(part.ndcg(model.decision_function).mean(), expected, rtol=1e-6)


def test_candidates_that_share_work_get_what_they_get_alone():
    part = held_out_interactions(interactions())
    models = [EASERecommender(value).fit(part.known) for value in (1.0, 100.0)]
    together = part.ndcg_of_each(lambda rows: (m.decision_function(rows) for m in models))
    alone = [part.ndcg(model.decision_function) for model in models]
    assert_array_equal(together, alone)


def test_sparse_scores_get_what_dense_ones_get():
    """In one block of rows or in many."""
    part = held_out_interactions(interactions())
    rng = np.random.default_rng(0)
    links = sp.random_array((MIN_ITEMS, MIN_ITEMS), density=0.05, rng=rng, dtype=np.float32)
    own = sp.diags_array(np.full(MIN_ITEMS, -np.inf, np.float32))
    scales_of_each = rng.uniform(1, 2, (3, MIN_ITEMS)).astype(np.float32)
    dense = [part.ndcg(lambda rows, s=s: (rows @ links).toarray() * s) for s in scales_of_each]
    links = (links + own).tocsr()
    assert_array_equal(part.ndcg_of_scaled(lambda rows: rows @ links, scales_of_each), dense)


def test_rows_that_find_nothing_need_no_other_scores(monkeypatch):
    part = held_out_interactions(interactions(n_items=9 * MIN_ITEMS))
    rng = np.random.RandomState(0)
    popularity = part.known.sum(axis=0)
    scored = []

    def scores_of(rows, items):
        scored.append((rows.shape[0], len(popularity[items])))
        scores = popularity[items] + (rows.toarray() @ affinity)[:, items]
        yield from (scores.copy(), 2 * scores)

    affinity = rng.uniform(size=(len(popularity), len(popularity))).astype(np.float32) / 20
    monkeypatch.setattr("sktransrec._auto._N_POPULAR", 30)
    monkeypatch.setattr("sktransrec._auto._MOST_COMPARED", 1.0)
    ndcg = part.ndcg_of_columns(scores_of)
    expected = part.ndcg_of_each(lambda rows: scores_of(rows, slice(None)))
    assert_array_equal(ndcg, expected)
    assert ndcg.any()
    n_close = scored[1][0]
    assert np.count_nonzero(ndcg[0]) <= n_close < len(ndcg[0])


def test_only_candidates_are_held_out():
    X = sp.csr_array(sp.hstack([interactions(), interactions()]))
    candidates = sp.csr_array(X.shape, dtype=X.dtype)
    half = X.shape[1] // 2
    candidates = sp.csr_array(sp.hstack([candidates[:, :half], X[:, half:]]))
    part = held_out_interactions(X, candidates)
    alone = held_out_interactions(sp.csr_array(X[:, half:]))
    assert part.wanted[:, :half].nnz == 0
    assert_array_equal(part.wanted[:, half:].toarray(), alone.wanted.toarray())
    assert_array_equal(part.known[:, half:].toarray(), alone.known.toarray())
    assert_array_equal(part.known[:, :half].toarray(), X[:, :half].toarray())
    assert_array_equal(part.rows[:, half:].toarray(), alone.rows.toarray())
    few = sp.csr_array(candidates.multiply(np.arange(X.shape[1]) > half))
    few.eliminate_zeros()
    assert held_out_interactions(X, few) is None


class Sweeps:
    """Factors that keep the regularization and the number of each sweep."""

    def __init__(self):
        self.made = []

    def sweep(self, regularization, n_sweeps):
        self.made.append((regularization, n_sweeps))


@pytest.mark.parametrize("unit", [1.0, 50.0])
def test_factors_are_judged_beyond_the_first_ranks(unit):
    """Wanted items are among the first 50 with one value alone, and never among the first 20."""
    part = held_out_interactions(interactions(n_items=9 * MIN_ITEMS))
    is_wanted, sweeps = part.wanted.toarray() > 0, Sweeps()

    def scores(regularization, rows):
        n_before = 40 if regularization == pytest.approx(0.05 * unit) else 150
        scores = np.tile(np.arange(9.0 * MIN_ITEMS), (rows.shape[0], 1))
        scores[is_wanted] = 9 * MIN_ITEMS - n_before
        return scores

    assert not part.ndcg(lambda rows: scores(0.05 * unit, rows)).any()
    assert part.ndcg(lambda rows: scores(0.05 * unit, rows), k=50).all()
    assert best_regularization(part, sweeps, scores, unit=unit) == pytest.approx(0.05 * unit)
    assert [value for value, _ in sweeps.made] == sorted(value for value, _ in sweeps.made)
    assert sum(n_sweeps for _, n_sweeps in sweeps.made) == 11
    assert best_regularization(None, None, scores, unit=unit) == 0.02 * unit


def test_a_fixed_value_is_the_only_candidate():
    assert values_to_try("auto", (1, 2)) == [1, 2]
    assert values_to_try(3.0, (1, 2)) == [3.0]


def test_the_same_part_at_every_call():
    X = interactions()
    first, second = held_out_interactions(X), held_out_interactions(X)
    assert_array_equal(first.wanted.indices, second.wanted.indices)
    assert_array_equal(first.known.indices, second.known.indices)


def test_data_too_small_to_judge_have_no_held_out_part():
    for X in (interactions(MIN_ROWS + 8), interactions(n_items=MIN_ITEMS - 1)):
        assert held_out_interactions(X) is None
        assert held_out_rows(X, X) is None


def test_the_best_value_finds_what_is_held_out():
    part = held_out_interactions(interactions())
    answers = dict(zip(map(bytes, part.rows.toarray()), part.wanted.toarray(), strict=True))

    def scorer(sign):
        return lambda rows: sign * np.array([answers[bytes(row)] for row in rows.toarray()])

    assert best_of([-1, 0, 1], [part.ndcg(scorer(sign)) for sign in (-1, 0, 1)]) == 1
    assert part.ndcg(scorer(1)).mean() == 1


def test_of_values_that_differ_by_chance_the_first():
    noise = np.random.RandomState(0).normal(0, 0.1, size=400)
    assert best_of("abc", [0.5 + noise, 0.501 - noise, np.full(400, 0.3)]) == "a"
    assert best_of("abc", [0.5 + noise, 0.52 - noise, np.full(400, 0.3)]) == "b"
    assert best_of("abc", [np.full(400, 0.5), np.full(400, 0.501), np.full(400, 0.501)]) == "b"


def test_the_top_of_a_parabola_lies_between_the_judged_points():
    values = [step / 10 for step in range(11)]
    ndcg = [[np.full(50, 1 - (point - 0.3) ** 2) for point in (0.0, 0.5, 1.0)]]
    assert best_on_curves((0.0, 0.5, 1.0), values, 5, ndcg) == (0, 3)
    higher = [*ndcg, np.asarray(ndcg[0]) + 0.01]
    assert best_on_curves((0.0, 0.5, 1.0), values, 5, higher) == (1, 3)


def test_the_kind_and_the_number_are_chosen_together():
    numbers = Numbers(1.0, (0.1, 1.0, 10.0), [0.1, 1.0, 3.0, 10.0], scale=logarithms)

    def ndcg_of_each(part, kinds, judged):
        heights = np.array([{"usual": 0.5, "better": 0.6}[kind] for kind in kinds])
        of_each = heights[:, None] - 0.01 * np.log(np.array(judged) / 3) ** 2
        return np.repeat(of_each[..., None], part.wanted.shape[0], axis=-1)

    def chosen(parameter, kinds=("usual", "better"), n_rows=MIN_ROWS + 50):
        return choice_on_curves(interactions(n_rows), kinds, parameter, numbers, ndcg_of_each)

    assert chosen("auto") == ("better", 3.0)
    assert chosen(5.0) == ("better", 5.0)
    assert chosen("auto", ["usual"]) == ("usual", 3.0)
    assert chosen("auto", n_rows=MIN_ROWS + 8) == ("usual", 1.0)
    assert choice_on_curves(None, ["usual"], 2.0, numbers, None) == ("usual", 2.0)
    numbers = numbers._replace(n_too_far=1)
    assert chosen("auto") == ("better", 1.0)
    assert chosen(5.0) == ("better", 5.0)
    assert chosen("auto", n_rows=MIN_ROWS + 8) == ("usual", 1.0)
    numbers = numbers._replace(n_too_far=9)
    assert chosen("auto") == ("better", 0.1)


def test_a_gain_counts_less_its_standard_error():
    noise = np.random.RandomState(0).normal(0, 0.1, size=400)
    noise -= noise.mean()
    first, other = np.full(400, 0.5), 0.501 + noise
    assert best_on_curves((1.0,), [1.0], 0, [[first], [other]]) == (0, 0)
    assert best_on_curves((1.0,), [1.0], 0, [[first], [other + 0.01]]) == (1, 0)
