# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.utils.extmath import randomized_svd

from sktransrec import (
    BridgeRecommender,
    GraphFilterRecommender,
    PopularityRecommender,
    ranking_scorer,
)
from sktransrec.datasets import load_amazon_cds, make_cross_domain
from sktransrec.metrics import ndcg_at_k, recall_at_k


def counts(n_rows=40, n_items=15, seed=0):
    X = np.random.RandomState(seed).poisson(0.6, size=(n_rows, n_items)).astype(np.float32)
    X[:, 0] += 1
    return X


def checkerboard(n=40):
    """Return rows that like the items of their own parity, the diagonal withheld."""
    likes = (np.add.outer(np.arange(n), np.arange(n)) % 2 == 0).astype(np.float32)
    np.fill_diagonal(likes, 0)
    return likes


def filter_of_the_paper(R, n_components, alpha):
    """Return the matrix that turns rows into scores: GF-CF written down densely."""
    row_degrees, item_degrees = R.sum(axis=1), R.sum(axis=0)
    normalized = R / np.sqrt(row_degrees)[:, None] / np.sqrt(item_degrees)
    U = np.linalg.svd(normalized, full_matrices=False)[2][:n_components].T
    linear = normalized.T @ normalized
    np.fill_diagonal(linear, 0)
    ideal = (U / np.sqrt(item_degrees)[:, None]) @ (U * np.sqrt(item_degrees)[:, None]).T
    return linear + alpha * ideal


@pytest.mark.parametrize("n_components", [3, 15])
def test_is_the_filter_of_the_paper(n_components):
    X = counts()
    model = GraphFilterRecommender(
        n_components,
        low_pass_weight=0.3,
        row_exponent=0.5,
        item_exponent=0.5,
        n_neighbors=None,
        random_state=0,
    ).fit(X)
    rows = X / np.sqrt(X.sum(axis=1, keepdims=True))
    expected = rows @ filter_of_the_paper(X.astype(np.float64), n_components, alpha=0.3)
    assert model.singular_values_[0] == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(model.decision_function(X), expected, rtol=1e-3, atol=1e-3)


def test_checkerboard():
    likes = checkerboard()
    for n_neighbors, weight in ((None, 0), (5, 0), (1, 1)):
        model = GraphFilterRecommender(
            2, low_pass_weight=weight, n_neighbors=n_neighbors, random_state=0
        ).fit(likes)
        items, _ = model.recommend(likes, n_recommendations=1)
        np.testing.assert_array_equal(items[:, 0], np.arange(len(likes)))


def test_low_pass_filter_is_the_product_of_the_factors():
    X = counts()
    model = GraphFilterRecommender(4, low_pass_weight=0.7, random_state=0).fit(X)
    both = model.decision_function(X)
    linear = model.set_params(low_pass_weight=0).fit(X).decision_function(X)
    weight = 0.7 * model.singular_values_[0] ** 2
    low_pass = weight * model.transform(X) @ model.item_factors_.T
    np.testing.assert_allclose(both - linear, low_pass, rtol=1e-4, atol=1e-4)


def test_exponents_of_zero_normalize_nothing():
    X = counts()
    model = GraphFilterRecommender(
        3, low_pass_weight=0, row_exponent=0, item_exponent=0, n_neighbors=None
    ).fit(X)
    gram = X.T @ X
    np.fill_diagonal(gram, 0)
    expected = X @ gram / np.sqrt(X.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(model.decision_function(X), expected, rtol=1e-5)


def small_groups(n_rows=400, n_items=120, n_groups=10, seed=0):
    """Return rows of 6 items, 5 of them of the row's own group."""
    rng = np.random.RandomState(seed)
    X = np.zeros((n_rows, n_items), dtype=np.float32)
    for row, group in enumerate(rng.randint(n_groups, size=n_rows)):
        X[row, rng.choice(np.arange(group, n_items, n_groups), 5, replace=False)] = 1
        X[row, rng.randint(n_items)] = 1
    return X


def test_auto_gives_rows_of_noise_less_influence():
    """Rows that have more than half of the items tell nothing of the groups."""
    X = small_groups()
    noise = np.random.RandomState(1).uniform(size=X.shape) < 0.6
    clean, noisy = (
        GraphFilterRecommender(10, low_pass_weight=0.3, random_state=0).fit(rows)
        for rows in (X, np.vstack([X, noise]))
    )
    assert (clean.row_exponent_, noisy.row_exponent_) == (0.2, 0.5)


@pytest.mark.parametrize("weight", ["auto", 0.0, 5.0])
@pytest.mark.parametrize("better", [(0.2, 0.3), (0.2, 0.0), (0.5, 0.3)])
def test_auto_takes_the_exponents_that_find_more(better, weight, monkeypatch):
    def ndcg(self, part, exponents, weights):
        finds = float(exponents == better)
        return np.full((len(weights), part.rows.shape[0]), finds)

    monkeypatch.setattr(GraphFilterRecommender, "_ndcg_of_each", ndcg)
    model = GraphFilterRecommender(10, low_pass_weight=weight, random_state=0).fit(small_groups())
    assert (model.row_exponent_, model.item_exponent_) == better


def test_auto_is_the_fit_with_the_chosen_values():
    X = small_groups()
    model, again = (GraphFilterRecommender(10, random_state=0).fit(X) for _ in range(2))
    names = ("row_exponent", "item_exponent", "low_pass_weight")
    chosen = {name: getattr(model, f"{name}_") for name in names}
    fixed = GraphFilterRecommender(10, random_state=0, **chosen).fit(X)
    for other in (again, fixed):
        np.testing.assert_array_equal(other.decision_function(X), model.decision_function(X))


def test_small_data_and_fixed_values_are_not_judged(monkeypatch):
    small = GraphFilterRecommender(3).fit(counts())
    exponents = small.row_exponent_, small.item_exponent_
    assert (*exponents, small.low_pass_weight_) == (0.2, 0.15, 0.1)
    monkeypatch.setattr("sktransrec._auto.held_out_interactions", None)
    fixed = {"low_pass_weight": 0.2, "row_exponent": 0.1, "item_exponent": 0.4}
    model = GraphFilterRecommender(3, **fixed).fit(small_groups())
    assert {name: getattr(model, f"{name}_") for name in fixed} == fixed


def test_a_fixed_exponent_leaves_the_other_to_choose():
    model = GraphFilterRecommender(row_exponent=0.4)
    assert model._exponent_candidates() == [(0.4, 0.15), (0.4, 0.3), (0.4, 0.0)]
    model.set_params(item_exponent=0.1)
    assert model._exponent_candidates() == [(0.4, 0.1)]


def test_auto_takes_one_more_decomposition_for_each_pair_of_exponents(monkeypatch):
    calls = []

    def counted(*arguments, **options):
        calls.append(arguments)
        return randomized_svd(*arguments, **options)

    monkeypatch.setattr("sktransrec.recommenders._spectral.randomized_svd", counted)
    GraphFilterRecommender(10).fit(small_groups())
    assert len(calls) == 5


def test_an_item_hears_its_strongest_neighbors_only():
    X = counts()
    model = GraphFilterRecommender(3, n_neighbors=4).fit(X)
    everyone = GraphFilterRecommender(3, n_neighbors=None).fit(X).item_links_.toarray()
    heard = model.item_links_.toarray()
    assert ((heard > 0).sum(axis=0) <= 4).all()
    np.testing.assert_allclose(
        np.sort(heard, axis=0)[-4:], np.sort(everyone, axis=0)[-4:], rtol=1e-6
    )


def test_items_and_rows_without_interactions():
    X = counts()
    X[:, 3] = 0
    X[5] = 0
    model = GraphFilterRecommender(3, random_state=0).fit(X)
    scores = model.decision_function(X)
    np.testing.assert_array_equal(model.item_factors_[3], 0)
    np.testing.assert_array_equal(np.delete(scores, 5, axis=0)[:, 3], 0)
    np.testing.assert_array_equal(scores[5], model.popularity_)


def test_more_components_than_there_are():
    """They are all that there are."""
    X = counts(n_rows=12, n_items=8)
    most, all_of_them = (GraphFilterRecommender(n, random_state=0).fit(X) for n in (100, 8))
    assert most.item_factors_.shape == (8, 8)
    np.testing.assert_allclose(
        most.decision_function(X), all_of_them.decision_function(X), atol=1e-5
    )


@pytest.mark.parametrize("learn", ["fit", "partial_fit"])
def test_rows_without_interactions_teach_nothing(learn):
    """With more rows there may be more vectors than the rows span; the rest would be chance."""
    X, others = counts(n_rows=9), counts(n_rows=5, seed=1)
    padded = np.vstack([X, np.zeros_like(X)])
    fitted = {
        n_rows: getattr(GraphFilterRecommender(15, low_pass_weight=3.0, random_state=0), learn)(
            each
        )
        for n_rows, each in {"few": X, "more": padded, "twice": np.vstack([X, X])}.items()
    }
    of_few, of_more, _ = (model.decision_function(others) for model in fitted.values())
    np.testing.assert_allclose(of_more, of_few, atol=1e-4 * of_few.max())
    assert np.count_nonzero(fitted["twice"].item_factors_.any(axis=0)) == 9


def test_factors_carry_over_to_another_domain():
    pair = make_cross_domain(random_state=0)
    pipe = make_pipeline(
        GraphFilterRecommender(16, random_state=0),
        BridgeRecommender(GraphFilterRecommender(16, random_state=0), Ridge()),
    ).fit(pair.X_source, pair.Y_target)
    popularity = PopularityRecommender().fit(pair.Y_target)
    cold = sp.csr_array(pair.Y_cold.shape)
    scorer = ranking_scorer("ndcg", k=10)
    assert scorer(pipe, pair.X_cold, pair.Y_cold) > 1.2 * scorer(popularity, cold, pair.Y_cold)


@pytest.mark.data
@pytest.mark.slow
def test_amazon_cds_beyond_published_networks(data_home):
    cds = load_amazon_cds(data_home=data_home)
    model = GraphFilterRecommender(64, random_state=0).fit(cds.X)
    items, _ = model.recommend(cds.X, n_recommendations=20)
    assert recall_at_k(cds.y, items, k=20) > 0.165
    assert ndcg_at_k(cds.y, items, k=20) > 0.11


def test_another_exponent_of_rows_needs_other_sums():
    X = counts()
    model = GraphFilterRecommender(4, row_exponent=0.2, random_state=0).partial_fit(X[:20])
    with pytest.raises(ValueError, match=r"row_exponent=0\.2, and others with .*0\.8"):
        model.set_params(row_exponent=0.8).partial_fit(X[20:])
