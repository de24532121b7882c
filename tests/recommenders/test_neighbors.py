# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from sklearn import config_context

from sktransrec import ItemKNNRecommender
from sktransrec._numerics._strongest_links import shrunk_links

WEIGHTINGS = ["cosine", "tfidf", "bm25"]
PLAIN = {"weighting": "tfidf", "shrinkage": 10.0, "popularity_exponent": 0.0}


def interactions(n_rows, n_items, seed=0, density=0.3):
    counts = np.random.RandomState(seed).poisson(density, size=(n_rows, n_items))
    counts[0, 0] = 1
    return counts.astype(np.float32)


def dense_weights(X, weighting, k1=1.2, b=0.75):
    n_items = X.shape[1]
    information = np.log((n_items + 2) / (1 + (X > 0).sum(axis=1)))[:, None]
    if weighting == "bm25":
        lengths = 1 - b + b * X.sum(axis=0) / X.sum(axis=0).mean()
        return (k1 + 1) * X / (k1 * lengths + X) * information
    weights = X if weighting == "cosine" else np.sqrt(X) * information
    norms = np.linalg.norm(weights, axis=0)
    return weights / np.where(norms > 0, norms, 1)


def dense_similarities(X, weighting, shrinkage=0.0):
    X = X.astype(float)
    weights = dense_weights(X, weighting)
    support = (weights > 0).T.astype(float) @ (weights > 0)
    similarities = weights.T @ weights * support / np.maximum(support + shrinkage, 1e-9)
    np.fill_diagonal(similarities, 0)
    return similarities


@given(
    n_rows=st.integers(1, 40),
    n_items=st.integers(2, 40),
    weighting=st.sampled_from(WEIGHTINGS),
    shrinkage=st.sampled_from([0.0, 2.5]),
)
def test_agrees_with_the_formula(n_rows, n_items, weighting, shrinkage):
    X = interactions(n_rows, n_items)
    parameters = {"weighting": weighting, "shrinkage": shrinkage, "popularity_exponent": 0.0}
    model = ItemKNNRecommender(n_items, **parameters).fit(X)
    expected = dense_similarities(X, weighting, shrinkage)
    np.testing.assert_allclose(model.item_links_.toarray(), expected, rtol=1e-4, atol=1e-5)
    occupied = X.any(axis=1)
    np.testing.assert_allclose(
        model.decision_function(X[occupied]), X[occupied] @ expected, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_keeps_the_nearest_neighbours_of_each_item(weighting):
    X = interactions(80, 30)
    parameters = {"weighting": weighting, "shrinkage": 1.0, "popularity_exponent": 0.0}
    model = ItemKNNRecommender(5, **parameters).fit(X)
    similarities = dense_similarities(X, weighting, 1.0)
    links = model.item_links_.toarray()
    assert ((links > 0).sum(axis=0) == 5).all()
    np.testing.assert_allclose(
        np.sort(links, axis=0)[-5:], np.sort(similarities, axis=0)[-5:], rtol=1e-4
    )


@pytest.mark.parametrize(
    ("weighting", "peer"),
    [("cosine", "CosineRecommender"), ("tfidf", "TFIDFRecommender"), ("bm25", "BM25Recommender")],
)
@pytest.mark.filterwarnings("ignore:Method expects CSR input")
def test_agrees_with_implicit(weighting, peer):
    """With two more items, which change the mean sum of the items, the weights are the same."""
    from implicit import nearest_neighbours

    X = interactions(80, 30)
    reference = getattr(nearest_neighbours, peer)(K=30, num_threads=1)
    if weighting == "bm25":
        reference.B = 0
    reference.fit(sp.csr_matrix(np.pad(X, ((0, 0), (0, 2)))), show_progress=False)
    expected = reference.similarity.toarray()[:30, :30]
    np.fill_diagonal(expected, 0)
    parameters = {"weighting": weighting, "shrinkage": 0, "popularity_exponent": 0.0, "b": 0.0}
    model = ItemKNNRecommender(30, **parameters).fit(X)
    np.testing.assert_allclose(model.item_links_.toarray(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_checkerboard(weighting):
    """Rows have all items of their parity but one: the one left out comes first."""
    X = np.kron(np.ones((10, 5)), np.eye(2))
    rows = np.arange(10)
    X[rows, rows] = 0
    model = ItemKNNRecommender(4, weighting=weighting).fit(X)
    items, _ = model.recommend(X[:10], n_recommendations=1)
    np.testing.assert_array_equal(items[:, 0], rows)
    assert (model.similar_items([3, 6], n_similar=4)[0] % 2 == [[1], [0]]).all()


def test_similar_items_are_the_neighbours():
    X = interactions(80, 30)
    model = ItemKNNRecommender(6, **PLAIN).fit(X)
    similarities = dense_similarities(X, "tfidf", 10)[[4, 9]]
    similar, values = model.similar_items([4, 9], n_similar=6)
    np.testing.assert_allclose(values, -np.sort(-similarities, axis=1)[:, :6], rtol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(similarities, similar, axis=1), values, rtol=1e-5)


def test_popularity_exponent_scales_scores_but_not_similarities():
    X = interactions(80, 30)
    X[:, 3] = 0
    plain = ItemKNNRecommender(6, **PLAIN).fit(X)
    model = ItemKNNRecommender(6, **{**PLAIN, "popularity_exponent": 0.5}).fit(X)
    expected = plain.decision_function(X) * np.sqrt((X > 0).mean(axis=0))
    np.testing.assert_allclose(model.decision_function(X), expected, rtol=1e-4)
    items = np.arange(30)
    np.testing.assert_array_equal(
        model.similar_items(items, n_similar=6)[0], plain.similar_items(items, n_similar=6)[0]
    )
    np.testing.assert_allclose(
        model.similar_items(items)[1], plain.similar_items(items)[1], rtol=1e-4
    )


def test_half_an_exponent_takes_the_popularity_of_the_recommended_item_out_of_cosines():
    X = (interactions(200, 20) > 0).astype(float)
    parameters = {"weighting": "cosine", "shrinkage": 0, "popularity_exponent": 0.5}
    links = ItemKNNRecommender(20, **parameters).fit(X).item_links_.toarray()
    together = X.T @ X
    expected = together / np.sqrt(200 * np.diag(together)[:, None])
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(links, expected, rtol=1e-4)


def test_items_without_a_link_come_by_popularity():
    """A row's item has one neighbour; of the others, those of most rows come first."""
    X = np.zeros((20, 6))
    X[:3, [1, 2]] = 1
    X[3:8, 5] = X[8:10, 4] = X[10:17, 3] = X[17:, 0] = 1
    items, _ = ItemKNNRecommender().fit(X).recommend(X[:1], n_recommendations=4)
    np.testing.assert_array_equal(items, [[3, 5, 0, 4]])
    items, _ = ItemKNNRecommender().fit(X).recommend([[0, 1, 0, 0, 0, 0]], n_recommendations=5)
    np.testing.assert_array_equal(items, [[2, 3, 5, 0, 4]])


@pytest.mark.parametrize("shrinkage", [0.0, 2.0])
def test_blocks_of_items_do_not_matter(shrinkage):
    X = interactions(80, 30)
    model = ItemKNNRecommender(6, **{**PLAIN, "shrinkage": shrinkage})
    expected = model.fit(X).item_links_.toarray()
    with config_context(working_memory=1e-3):
        np.testing.assert_array_equal(model.fit(X).item_links_.toarray(), expected)


def test_shrinkage_favours_what_more_rows_support():
    """Item 1 is with item 0 once, item 2 nine times."""
    X = np.zeros((10, 3))
    X[:9, [0, 2]] = 1
    X[0, 1] = 1
    X[9, 2] = 1
    plain, shrunk = (
        ItemKNNRecommender(weighting="cosine", shrinkage=shrinkage).fit(X).item_links_.toarray()
        for shrinkage in (0, 20.0)
    )
    np.testing.assert_allclose(shrunk[1, 0] / plain[1, 0], 1 / 21, rtol=1e-5)
    np.testing.assert_allclose(shrunk[2, 0] / plain[2, 0], 9 / 29, rtol=1e-5)


def popular_and_personal(share_of_popular, n_rows=400, n_items=120, seed=0):
    """Return rows of 8 items, some drawn by popularity alone, the others of the row's own taste."""
    rng = np.random.RandomState(seed)
    popularity = 1 / np.arange(1, n_items + 1)
    X = np.zeros((n_rows, n_items), dtype=np.float32)
    for row, taste in enumerate(rng.randint(6, size=n_rows)):
        weights = share_of_popular * popularity / popularity.sum()
        own = np.arange(n_items) % 6 == taste
        weights = weights + (1 - share_of_popular) * own / own.sum()
        X[row, rng.choice(n_items, 8, replace=False, p=weights)] = 1
    return X


def chosen_values(model):
    names = ("weighting", "shrinkage", "popularity_exponent")
    return {name: getattr(model, f"{name}_") for name in names}


def test_auto_rewards_popularity_where_it_drives_the_choice():
    popular, personal = (
        ItemKNNRecommender().fit(popular_and_personal(share)) for share in (0.95, 0.05)
    )
    assert popular.popularity_exponent_ > personal.popularity_exponent_
    for model, share in ((popular, 0.95), (personal, 0.05)):
        X = popular_and_personal(share)
        again = ItemKNNRecommender().fit(X)
        fixed = ItemKNNRecommender(**chosen_values(model)).fit(X)
        for other in (again, fixed):
            np.testing.assert_array_equal(other.decision_function(X), model.decision_function(X))


def test_small_data_and_fixed_values_are_not_judged(monkeypatch):
    small = ItemKNNRecommender().fit(interactions(80, 30))
    first = {"weighting": "bm25", "shrinkage": 4.0, "popularity_exponent": 0.5}
    assert chosen_values(small) == first
    monkeypatch.setattr("sktransrec._auto.held_out_interactions", None)
    X = popular_and_personal(0.5)
    fixed = {"weighting": "cosine", "shrinkage": 3.0, "popularity_exponent": 0.1}
    assert chosen_values(ItemKNNRecommender(**fixed).fit(X)) == fixed


@pytest.mark.parametrize("better", [("bm25", 4.0), ("bm25", 20.0), ("tfidf", 20.0)])
def test_auto_takes_the_similarity_that_finds_more(better, monkeypatch):
    def ndcg(self, part, similarities, exponents):
        shape = len(exponents), part.rows.shape[0]
        return [np.full(shape, float(each == better)) for each in similarities]

    monkeypatch.setattr(ItemKNNRecommender, "_ndcg_of_each", ndcg)
    model = ItemKNNRecommender().fit(popular_and_personal(0.5))
    assert (model.weighting_, model.shrinkage_) == better


@pytest.mark.parametrize(
    ("fixed", "expected"),
    [
        ({"weighting": "bm25"}, [("bm25", 4.0), ("bm25", 20.0)]),
        ({"weighting": "cosine"}, [("cosine", 20.0)]),
        ({"shrinkage": 7}, [("bm25", 7), ("tfidf", 7)]),
    ],
)
def test_a_fixed_part_of_the_similarity_leaves_the_other_to_choose(fixed, expected, monkeypatch):
    judged = []

    def ndcg(self, part, similarities, exponents):
        judged.extend(similarities)
        return np.zeros((len(similarities), len(exponents), part.rows.shape[0]))

    monkeypatch.setattr(ItemKNNRecommender, "_ndcg_of_each", ndcg)
    ItemKNNRecommender(**fixed).fit(popular_and_personal(0.5))
    assert judged == expected


def test_a_shrinkage_set_later_counts_from_the_next_rows_on():
    X = interactions(80, 30) > 0
    model = ItemKNNRecommender(shrinkage=4.0).partial_fit(X[:40])
    model.set_params(shrinkage=50.0).partial_fit(X[40:])
    expected = ItemKNNRecommender(shrinkage=50.0).partial_fit(X)
    assert model.shrinkage_ == 50
    np.testing.assert_allclose(model.decision_function(X), expected.decision_function(X), rtol=1e-5)


@pytest.mark.parametrize("value", [1, 2])
def test_auto_takes_one_more_product_for_all_similarities_of_ones(value, monkeypatch):
    """For other values, it takes one for each weighting; shrinkages and exponents share it."""
    calls = []

    def counted(*arguments, **options):
        calls.append(arguments)
        return shrunk_links(*arguments, **options)

    monkeypatch.setattr("sktransrec.recommenders._neighbors.shrunk_links", counted)
    ItemKNNRecommender().fit(value * popular_and_personal(0.5))
    assert len(calls) == {1: 1, 2: 3}[value]


def test_similarities_that_share_a_product_get_their_own_links():
    X = sp.csr_array(popular_and_personal(0.5), dtype=np.float32)
    model = ItemKNNRecommender(7)
    similarities = [("bm25", 4.0), ("bm25", 20.0), ("tfidf", 20.0)]
    shared = model._links_of_each(X, similarities)
    for links, (weighting, shrinkage) in zip(shared, similarities, strict=True):
        (alone,) = model._links(X, weighting, [shrinkage])
        np.testing.assert_allclose(
            np.sort(links.toarray(), axis=1), np.sort(alone.toarray(), axis=1), rtol=1e-4
        )
        assert links.nnz == alone.nnz


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("n_neighbors", 0),
        ("weighting", "jaccard"),
        ("shrinkage", -1),
        ("popularity_exponent", -1),
        ("k1", -1),
        ("b", 1.5),
    ],
)
def test_bad_parameters_are_named(parameter, value):
    with pytest.raises(ValueError, match=f"'{parameter}' parameter"):
        ItemKNNRecommender(**{parameter: value}).fit(interactions(20, 10))
