# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.linear_model import Ridge

from sktransrec.datasets import make_cross_domain
from sktransrec.metrics import ndcg_at_k


def _ndcg(scores, y):
    return ndcg_at_k(y, np.argsort(-scores, axis=1)[:, :10], k=10)


def _gain(domains, X_source):
    """Return by how much a ridge from the source beats popularity for cold users."""
    Y = domains.Y_target.toarray()
    ridge = Ridge(alpha=150).fit(X_source.toarray(), Y)
    popularity = np.tile(Y.mean(axis=0), (domains.X_cold.shape[0], 1))
    transferred = _ndcg(ridge.predict(domains.X_cold.toarray()), domains.Y_cold)
    return transferred - _ndcg(popularity, domains.Y_cold)


def _mean_gain(relatedness):
    domains = [make_cross_domain(relatedness=relatedness, random_state=seed) for seed in range(3)]
    return np.mean([_gain(pair, pair.X_source) for pair in domains])


def test_related_source_helps_cold_users_and_unrelated_one_does_not():
    unrelated, half_related, related = (_mean_gain(relatedness) for relatedness in (0, 0.7, 1))
    assert unrelated < 0.02
    assert unrelated + 0.02 < half_related < related - 0.02
    assert related > 0.1


def test_shuffled_rows_remove_the_gain():
    domains = make_cross_domain(random_state=0)
    shuffled = np.random.RandomState(0).permutation(domains.X_source.shape[0])
    assert _gain(domains, domains.X_source) > 0.1
    assert _gain(domains, domains.X_source[shuffled]) < 0.02


@pytest.mark.parametrize("relatedness", [0, 0.5, 1])
def test_relatedness_is_the_correlation_of_tastes(relatedness):
    truth = make_cross_domain(
        5000,
        2,
        2,
        source_density=1,
        target_density=1,
        relatedness=relatedness,
        random_state=0,
        return_truth=True,
    ).truth
    correlation = np.corrcoef(truth.source_tastes.ravel(), truth.target_tastes.ravel())[0, 1]
    assert_allclose(correlation, relatedness, atol=0.02)
    assert_allclose(truth.target_tastes.std(), 1, atol=0.02)


@pytest.mark.parametrize("exponent", [0, 0.5, 1])
def test_popularity_is_a_power_law(exponent):
    domains = make_cross_domain(
        5000,
        100,
        100,
        target_density=0.02,
        popularity_exponent=exponent,
        random_state=0,
        return_truth=True,
    )
    popularity = domains.truth.target_popularity
    assert_allclose(popularity.sum(), 1)
    log_counts = np.log(domains.target.matrix.sum(axis=0))
    log_ranks = np.log(1 + np.argsort(np.argsort(-popularity)))
    slope = np.polyfit(log_ranks, log_counts, 1)[0]
    assert_allclose(slope, -exponent, atol=0.15)


@pytest.mark.parametrize(("source_density", "target_density"), [(0.1, 0.02), (0.3, 0.1)])
def test_density_is_honoured(source_density, target_density):
    domains = make_cross_domain(
        source_density=source_density, target_density=target_density, random_state=0
    )
    for matrix, density in (
        (domains.source.matrix, source_density),
        (domains.target.matrix, target_density),
    ):
        assert_allclose(matrix.nnz / np.prod(matrix.shape), density, rtol=0.05)


def test_least_density_is_one_item_a_user():
    domains = make_cross_domain(n_target_items=49, target_density=1 / 49, random_state=0)
    assert_array_equal(domains.target.matrix.sum(axis=1), 1)


def test_lengths_of_rows_vary():
    lengths = make_cross_domain(random_state=0).X_source.sum(axis=1)
    assert lengths.max() > 2 * np.median(lengths) > 4 * lengths.min()


@given(
    overlap=st.floats(0, 1),
    n_users=st.integers(1, 12),
    n_cold_users=st.integers(0, 5),
    seed=st.integers(0, 100),
)
def test_rows_agree_with_ids(overlap, n_users, n_cold_users, seed):
    domains = make_cross_domain(
        n_users,
        12,
        9,
        n_cold_users=n_cold_users,
        overlap=overlap,
        target_density=0.2,
        random_state=seed,
    )
    source, target = domains.source, domains.target
    assert source.matrix.shape == (n_users + n_cold_users, 12)
    assert target.matrix.shape == (n_users, 9)
    assert_array_equal(np.intersect1d(source.user_ids, target.user_ids), domains.user_ids)
    assert len(domains.user_ids) == round(overlap * n_users)
    assert not np.isin(domains.cold_ids, target.user_ids).any()
    for rows, domain, ids in (
        (domains.X_source, source, domains.user_ids),
        (domains.Y_target, target, domains.user_ids),
        (domains.X_cold, source, domains.cold_ids),
    ):
        assert_array_equal(rows.toarray(), _rows_of(domain, ids))
    for matrix in (source.matrix, target.matrix, domains.Y_cold):
        assert matrix.dtype == np.float32
        assert (matrix.sum(axis=1) >= 1).all()
        assert set(matrix.data) <= {1.0}


def _rows_of(domain, ids):
    row_of_id = {user_id: row for row, user_id in enumerate(domain.user_ids)}
    return domain.matrix.toarray()[[row_of_id[user_id] for user_id in ids]]


def test_random_state_decides_everything():
    global_state = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second, other = (make_cross_domain(random_state=seed) for seed in (3, 3, 4))
    with config_context(working_memory=0.01):
        in_blocks = make_cross_domain(random_state=3)
    assert_array_equal(np.random.get_state()[1], global_state)  # noqa: NPY002
    for key in ("X_source", "Y_target", "X_cold", "Y_cold"):
        assert (first[key] != second[key]).nnz == 0
        assert (first[key] != in_blocks[key]).nnz == 0
        assert (first[key] != other[key]).nnz > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"overlap": 1.5}, "overlap"),
        ({"relatedness": -0.1}, "relatedness"),
        ({"n_users": 0}, "n_users"),
        ({"source_density": 0}, "source_density"),
        ({"target_density": 0.001}, "at least 0.01"),
        ({"popularity_exponent": -1}, "popularity_exponent"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_cross_domain(**arguments)


def test_the_log_of_a_domain_says_what_its_matrix_says():
    domains = make_cross_domain(30, 12, 20, n_cold_users=5, overlap=0.5, random_state=0)
    for domain in (domains.source, domains.target):
        row_of = {user: row for row, user in enumerate(domain.user_ids.tolist())}
        rows = [row_of[user] for user in domain.events.user.tolist()]
        columns = [int(item.removeprefix(f"{domain.name}-")) for item in domain.events.item]
        matrix = np.zeros(domain.matrix.shape)
        matrix[rows, columns] = 1
        assert_array_equal(matrix, domain.matrix.toarray())
