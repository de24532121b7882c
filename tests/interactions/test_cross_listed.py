# SPDX-License-Identifier: BSD-3-Clause
from collections import Counter

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import config_context

from sktransrec.interactions import cross_listed_mask, find_cross_listed


def _domains(seed=0, n_rows=40, n_source=15, n_target=12):
    """Return two domains in which some items have nearly the same users."""
    rng = np.random.RandomState(seed)
    X_source = rng.uniform(size=(n_rows, n_source)) < rng.uniform(0, 0.4, size=n_source)
    X_target = rng.uniform(size=(n_rows, n_target)) < rng.uniform(0, 0.4, size=n_target)
    for column in range(0, n_target, 2):
        noise = rng.uniform(size=n_rows) < rng.uniform(0, 0.1)
        X_target[:, column] = X_source[:, column] ^ noise
    return X_source.astype(float), X_target.astype(float)


def _pairs_by_loop(X_source, X_target, threshold, n_min):
    """Return {(source, target): number of users in common}, baskets included."""
    twins = {}
    for s, source_users in enumerate(X_source.T > 0):
        for t, target_users in enumerate(X_target.T > 0):
            n_common = (source_users & target_users).sum()
            n_each = source_users.sum(), target_users.sum()
            is_no_chance = n_common * len(X_source) > n_each[0] * n_each[1]
            if n_common >= max(n_min, 1) and n_common / max(n_each) >= threshold and is_no_chance:
                twins[s, t] = n_common
    return twins


def _baskets(pairs):
    """Return the pairs with an item that is in more of them than the two have users in common."""
    n_partners = Counter(("source", s) for s, _ in pairs) + Counter(("target", t) for _, t in pairs)
    return {
        (s, t)
        for (s, t), n_common in pairs.items()
        if max(n_partners["source", s], n_partners["target", t]) > n_common
    }


def _twins_by_loop(X_source, X_target, threshold, n_min):
    pairs = _pairs_by_loop(X_source, X_target, threshold, n_min)
    baskets = _baskets(pairs)
    return {pair: n_common for pair, n_common in pairs.items() if pair not in baskets}


@given(
    seed=st.integers(0, 1000),
    threshold=st.sampled_from([0.3, 0.5, 0.8, 1.0]),
    n_min=st.integers(1, 4),
)
def test_twins_agree_with_a_loop_over_all_pairs(seed, threshold, n_min):
    X_source, X_target = _domains(seed)
    expected = _twins_by_loop(X_source, X_target, threshold, n_min)
    twins = find_cross_listed(X_source, X_target, threshold=threshold, min_common_users=n_min)
    found = {(twin["source"], twin["target"]): twin["n_common_users"] for twin in twins}
    assert found == expected
    assert len(twins) == len(expected)
    assert (np.diff(twins["n_common_users"]) <= 0).all()


def test_a_copied_column_is_found_and_a_subset_is_not():
    rng = np.random.RandomState(0)
    X_source = (rng.uniform(size=(200, 30)) < 0.1).astype(float)
    X_target = (rng.uniform(size=(200, 20)) < 0.1).astype(float)
    X_target[:, 4] = X_source[:, 7]
    # Every user of target item 5 has source item 8, but not the other way round.
    X_target[:, 5] = X_source[:, 8] * (rng.uniform(size=200) < 0.5)
    twins = find_cross_listed(X_source, X_target)
    assert twins[["source", "target"]].tolist() == [(7, 4)]
    assert twins["share"] == 1
    assert twins["n_common_users"] == X_source[:, 7].sum()


def test_items_that_everybody_has_are_no_twins():
    X_source, X_target = _two_products(15)
    everybody = np.ones((30, 1))
    twins = find_cross_listed(np.hstack([X_source, everybody]), np.hstack([X_target, everybody]))
    assert twins[["source", "target"]].tolist() == [(0, 0), (1, 1)]


@pytest.mark.parametrize(("n_users", "n_items"), [(2, 20), (2, 3), (5, 6)])
def test_equal_baskets_are_no_twins(n_users, n_items):
    """A few users have the same items in both domains, and nobody else has these."""
    X_source, X_target = _two_products(n_users)
    X_source, X_target = (
        np.hstack([X, np.arange(30)[:, None] >= 30 - np.full(n_items, n_users)])
        for X in (X_source, X_target)
    )
    twins = find_cross_listed(X_source, X_target)
    assert twins[["source", "target"]].tolist() == [(0, 0), (1, 1)]
    y = X_target * (np.random.RandomState(0).uniform(size=X_target.shape) < 0.5)
    for kept in (X_target, X_target - y):
        assert not cross_listed_mask(X_source, kept, y)[:, 2:].nnz
    cold = cross_listed_mask(X_source[:-1], X_target[:-1], X_target[-1:], X_history=X_source[-1:])
    assert not cold.nnz


def test_variants_of_one_product_are_twins():
    """Ten users have a product that stands in either domain under three ids."""
    X_source, X_target = (np.repeat(X, 3, axis=1) for X in _two_products(10))
    twins = find_cross_listed(X_source, X_target)
    assert len(twins) == 2 * 3 * 3
    assert cross_listed_mask(X_source, X_target, X_target).nnz == X_target.sum()


def _two_products(n_users):
    """Return two domains of the same two products, which have so many users each."""
    place = np.arange(30)
    first, second = place < n_users, (place >= n_users) & (place < 2 * n_users)
    X = np.column_stack([first, second]).astype(float)
    return X, X.copy()


def test_blocks_do_not_matter():
    rng = np.random.RandomState(0)
    X_source = sp.random_array((300, 2000), density=0.01, random_state=rng, format="csr")
    X_target = X_source[:, rng.permutation(2000)]
    expected = find_cross_listed(X_source, X_target)
    assert len(expected) >= 1000
    with config_context(working_memory=1):
        np.testing.assert_array_equal(find_cross_listed(X_source, X_target), expected)


def test_values_do_not_matter_and_zeros_are_none():
    X_source, X_target = _domains()
    expected = find_cross_listed(X_source, X_target)
    stored = sp.csr_array(X_source * 5)
    stored.data[:3] = 0
    X_source[stored.nonzero()] = 1
    without = X_source.copy()
    without[sp.csr_array(X_source).nonzero()] = (stored.data > 0).astype(float)
    np.testing.assert_array_equal(
        find_cross_listed(stored, X_target), find_cross_listed(without, X_target)
    )
    np.testing.assert_array_equal(find_cross_listed(X_source * 3, X_target), expected)


def test_domains_without_interactions_have_no_twins():
    empty = sp.csr_array((4, 3))
    assert len(find_cross_listed(empty, empty)) == 0
    assert cross_listed_mask(empty, empty, np.ones((4, 3))).nnz == 0


def _mask_by_loop(X_source, X_target, y, threshold, n_min):
    mask = np.zeros(y.shape, dtype=bool)
    baskets = _baskets(_pairs_by_loop(X_source, X_target + y, threshold, n_min))
    for row, item in zip(*np.nonzero(y), strict=True):
        others = np.arange(len(y)) != row
        pairs = _pairs_by_loop(X_source[others], X_target[others][:, [item]], threshold, n_min - 1)
        mask[row, item] = any(X_source[row, s] and (s, item) not in baskets for s, _ in pairs)
    return mask


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), threshold=st.sampled_from([0.5, 0.8]), n_min=st.integers(1, 4))
def test_mask_agrees_with_a_loop_that_leaves_each_row_out(seed, threshold, n_min):
    X_source, X_target = _domains(seed, n_rows=25)
    rng = np.random.RandomState(seed)
    y = X_target * (rng.uniform(size=X_target.shape) < 0.3)
    for kept in (X_target - y, X_target - y * (rng.uniform(size=y.shape) < 0.5)):
        expected = _mask_by_loop(X_source, kept, y, threshold, n_min)
        mask = cross_listed_mask(X_source, kept, y, threshold=threshold, min_common_users=n_min)
        assert mask.dtype == bool
        np.testing.assert_array_equal(mask.toarray(), expected)


def test_mask_of_cold_rows_counts_the_rows_of_the_training_domains():
    X_source, X_target = _domains(seed=3)
    source, history = X_source[:30], X_source[30:]
    target, y = X_target[:30], X_target[30:]
    twins = find_cross_listed(source, target)
    assert len(twins)
    expected = np.zeros(y.shape, dtype=bool)
    for s, t in twins[["source", "target"]].tolist():
        expected[:, t] |= (history[:, s] > 0) & (y[:, t] > 0)
    # The row itself is the second user in common, so one more is asked of the others.
    mask = cross_listed_mask(source, target, y, X_history=history, min_common_users=3)
    np.testing.assert_array_equal(mask.toarray(), expected)
    assert expected.any()


def test_mask_tells_a_gift_from_a_find():
    X_source, X_target = _domains(seed=1)
    X_target[:, 0] = X_source[:, 0]
    mask = cross_listed_mask(X_source, X_target, X_target)
    y_clean = X_target - mask.multiply(X_target)
    assert not y_clean[:, 0].any()
    assert y_clean.any()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"X_target": np.ones((3, 2))}, "X_source has 4 rows and X_target 3"),
        ({"y": np.ones((4, 3))}, r"y has shape \(4, 3\), expected \(4, 2\)"),
        ({"y": np.ones((3, 2))}, r"y has shape \(3, 2\), expected \(4, 2\)"),
        ({"X_history": np.ones((4, 2))}, r"X_history has shape \(4, 2\), expected \(4, 3\)"),
        ({"X_history": np.ones((2, 3))}, r"y has shape \(4, 2\), expected \(2, 2\)"),
        ({"X_source": [[np.nan]]}, "X_source contains NaN"),
        ({"threshold": 0}, "'threshold' parameter"),
        ({"min_common_users": 0}, "'min_common_users' parameter"),
    ],
)
def test_bad_arguments_are_named(change, words):
    arguments = {"X_source": np.ones((4, 3)), "X_target": np.ones((4, 2)), "y": np.ones((4, 2))}
    with pytest.raises(ValueError, match=words):
        cross_listed_mask(**(arguments | change))


def _pairs(path):
    return np.loadtxt(path, dtype=int, usecols=(0, 1))


def _matrix(pairs, shape):
    return sp.csr_array((np.ones(len(pairs)), pairs.T), shape=shape)


@pytest.mark.data
@pytest.mark.parametrize(
    ("pair", "target", "source", "at_least", "at_most"),
    [
        ("sport_cloth", "sport", "cloth", 12, 13),
        ("sport_cloth", "cloth", "sport", 11.5, 12.5),
        ("sport_phone", "sport", "phone", 0.3, 1),
        ("sport_phone", "phone", "sport", 0.3, 1),
    ],
)
def test_share_of_warm_test_pairs_given_away(data_home, pair, target, source, at_least, at_most):
    folder = data_home / f"amazon_{pair}"
    train_target = _pairs(folder / f"{target}_{source}" / "train.txt")
    train_source = _pairs(folder / f"{source}_{target}" / "train.txt")
    test = _pairs(folder / f"{target}_{source}" / "test.txt")
    n_users = max(pairs[:, 0].max() for pairs in (train_target, train_source, test)) + 1
    n_items = max(train_target[:, 1].max(), test[:, 1].max()) + 1
    mask = cross_listed_mask(
        _matrix(train_source, (n_users, train_source[:, 1].max() + 1)),
        _matrix(train_target, (n_users, n_items)),
        _matrix(test, (n_users, n_items)),
    )
    assert at_least <= 100 * mask.nnz / len(test) <= at_most


@pytest.mark.data
@pytest.mark.parametrize(("target", "source"), [("video", "game"), ("game", "video")])
def test_share_of_cold_test_pairs_given_away(data_home, target, source):
    n_shared = 2179
    folder = data_home / "amazon_game_video"
    train_target, train_source, test = (
        pairs[pairs[:, 0] < n_shared]
        for pairs in (
            _pairs(folder / f"{target}_{source}" / "train.txt"),
            _pairs(folder / f"{source}_{target}" / "train.txt"),
            _pairs(folder / f"{target}_{source}" / "test.txt"),
        )
    )
    n_items = max(train_target[:, 1].max(), test[:, 1].max()) + 1
    mask = cross_listed_mask(
        _matrix(train_source, (n_shared, train_source[:, 1].max() + 1)),
        _matrix(train_target, (n_shared, n_items)),
        _matrix(test, (n_shared, n_items)),
    )
    assert 1 <= 100 * mask.nnz / len(test) <= 2.5
