# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from sktransrec.interactions import InteractionEncoder, holdout_after, holdout_last, holdout_random


def _random_matrix(n_rows, n_items, seed=0):
    rng = np.random.RandomState(seed)
    density = rng.uniform(size=(n_rows, 1))
    counts = rng.randint(1, 5, size=(n_rows, n_items)) * (
        rng.uniform(size=(n_rows, n_items)) < density
    )
    return sp.csr_array(counts.astype(np.float32))


@given(
    seed=st.integers(0, 1000),
    size=st.one_of(st.floats(0.01, 0.99), st.integers(1, 12)),
    n_rows=st.integers(1, 15),
)
def test_random_holdout_takes_exact_counts_and_loses_nothing(seed, size, n_rows):
    X = _random_matrix(n_rows, 9, seed)
    X_kept, y = holdout_random(X, size=size, random_state=seed)
    assert (abs(X_kept + y - X)).nnz == 0
    assert X_kept.multiply(y).nnz == 0
    for n, n_held in zip(np.diff(X.indptr), np.diff(y.indptr), strict=True):
        wanted = size if isinstance(size, int) else round(size * n)
        assert n_held == (min(max(wanted, 1), n - 1) if n >= 2 else 0)


def test_random_holdout_is_uniform_over_the_row():
    X_kept, y = holdout_random(np.ones((4000, 5)), size=0.4, random_state=0)
    np.testing.assert_allclose(y.mean(axis=0), 0.4, atol=0.03)
    assert X_kept.dtype == y.dtype == np.float32


def test_random_holdout_follows_random_state_and_not_the_storage():
    X = _random_matrix(30, 20)
    _, y = holdout_random(X, random_state=3)
    for variant in (X.toarray(), sp.csc_matrix(X), X[:, ::-1][:, ::-1]):
        assert (holdout_random(variant, random_state=3)[1] != y).nnz == 0
    assert (holdout_random(X, random_state=4)[1] != y).nnz > 0


def test_random_holdout_keeps_its_input():
    X = _random_matrix(10, 8)
    before = X.copy()
    holdout_random(X, random_state=0)
    assert (before != X).nnz == 0


@pytest.mark.parametrize("size", [0, 1.0, -0.1, "half", None])
def test_random_holdout_refuses_a_size_that_is_none(size):
    with pytest.raises(ValueError, match="'size' parameter of holdout_random"):
        holdout_random(np.ones((2, 2)), size=size)


def test_random_holdout_refuses_nan():
    with pytest.raises(ValueError, match="X contains NaN"):
        holdout_random([[1, np.nan]])


def _random_log(seed, n_events=120):
    rng = np.random.RandomState(seed)
    return {
        "user": rng.randint(8, size=n_events),
        "item": rng.randint(15, size=n_events),
        "time": rng.permutation(n_events),
    }


def _histories(log):
    """Yield each user's (time, item) events, earliest first."""
    for user in np.unique(log["user"]):
        theirs = log["user"] == user
        yield sorted(zip(log["time"][theirs], log["item"][theirs], strict=True))


def _counts(encoder, events):
    """Return one row of counts of the items of (time, item) events."""
    return [sum(item == known for _, item in events) for known in encoder.items_]


@given(seed=st.integers(0, 1000), n=st.integers(1, 14))
def test_last_holdout_agrees_with_a_walk_through_each_history(seed, n):
    log = _random_log(seed)
    encoder = InteractionEncoder(time="time").fit(log)
    X, y = holdout_last(log, encoder, n)
    for row, history in enumerate(_histories(log)):
        met = list(dict.fromkeys(item for _, item in history))
        if len(met) <= n:
            assert X[[row]].toarray().tolist() == [_counts(encoder, history)]
            assert not y[[row]].toarray().any()
            continue
        last = met[-n:]
        cut = min(time for time, item in history if item in last)
        before = [event for event in history if event[0] < cut]
        after = [event for event in history if event[1] in last]
        assert X[[row]].toarray().tolist() == [_counts(encoder, before)]
        assert y[[row]].toarray().tolist() == [_counts(encoder, after)]
    assert X.multiply(y).nnz == 0


def test_last_holdout_without_repeats_loses_nothing():
    log = {"user": np.repeat([1, 2, 3], [5, 3, 1]), "item": [0, 1, 2, 3, 4, 0, 1, 2, 0]}
    encoder = InteractionEncoder()
    matrix = encoder.fit_transform(log)
    X, y = holdout_last(log, encoder, n=2)
    assert (X + y != matrix).nnz == 0
    np.testing.assert_array_equal(y.toarray(), [[0, 0, 0, 1, 1], [0, 1, 1, 0, 0], [0] * 5])


def test_an_item_taken_again_is_as_new_as_the_last_time():
    """It was taken back in between, so nothing but the last time tells what to find."""
    log = {"user": 4 * [1], "item": ["a", "a", "b", "a"], "value": [1, 0, 1, 1], "time": range(4)}
    encoder = InteractionEncoder(value="value", time="time", duplicates="last").fit(log)
    X, y = holdout_last(log, encoder)
    assert (X.toarray().tolist(), y.toarray().tolist()) == ([[0, 1]], [[1, 0]])
    assert encoder.decode_items(encoder.sequences(log)[0] - 1).tolist() == ["b", "a"]


def test_last_holdout_of_new_users():
    log = _random_log(0)
    encoder = InteractionEncoder(time="time").fit(log)
    new = {"user": ["x", "x"], "item": encoder.items_[[3, 1]], "time": [0, 1]}
    X, y = holdout_last(new, encoder, users=["y", "x"])
    assert X.nonzero()[0].tolist() == y.nonzero()[0].tolist() == [1]
    assert X.nonzero()[1].tolist() == [3]
    assert y.nonzero()[1].tolist() == [1]


@given(seed=st.integers(0, 1000), cut=st.integers(1, 119))
def test_holdout_after_splits_every_history_at_one_moment(seed, cut):
    log = _random_log(seed)
    encoder = InteractionEncoder(time="time").fit(log)
    X, y = holdout_after(log, encoder, cut)
    for row, history in enumerate(_histories(log)):
        before = [event for event in history if event[0] < cut]
        known = {item for _, item in before}
        after = [event for event in history if event[0] >= cut and event[1] not in known]
        assert X[[row]].toarray().tolist() == [_counts(encoder, before)]
        assert y[[row]].toarray().tolist() == [_counts(encoder, after)]
    assert y.has_canonical_format
    assert y.data.all()


@pytest.mark.parametrize(
    "time",
    ["2020-01-03", np.datetime64("2020-01-03"), pd.Timestamp("2020-01-03")],
)
def test_holdout_after_a_date(time):
    log = pd.DataFrame({"user": 1, "item": range(4), "time": pd.date_range("2020", periods=4)})
    X, y = holdout_after(log, InteractionEncoder(time="time").fit(log), time)
    np.testing.assert_array_equal(X.toarray(), [[1, 1, 0, 0]])
    np.testing.assert_array_equal(y.toarray(), [[0, 0, 1, 1]])


def test_holdout_after_a_moment_with_a_time_zone():
    days = pd.date_range("2020", periods=4, tz="Asia/Tokyo")
    log = pd.DataFrame({"user": 1, "item": range(4), "time": days})
    X, _ = holdout_after(log, InteractionEncoder(time="time").fit(log), days[1])
    np.testing.assert_array_equal(X.toarray(), [[1, 0, 0, 0]])


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (0, "no event before it: the known events run from 0 to 119"),
        (120, "no event after it"),
        ("2020", "time must be a number"),
    ],
)
def test_holdout_after_refuses_a_time_that_splits_nothing(time, words):
    log = _random_log(0)
    with pytest.raises(ValueError, match=words):
        holdout_after(log, InteractionEncoder(time="time").fit(log), time)


def test_a_time_is_checked_by_the_events_of_all_users():
    log = {"user": [1, 1, 1, 2], "item": ["a", "b", "c", "a"], "time": [5, 9, 7, 1]}
    encoder = InteractionEncoder(time="time").fit(log)
    X, y = holdout_after(log, encoder, 7, users=[2])
    assert X.toarray().tolist() == [[1, 0, 0]]
    assert y.nnz == 0
    X, y = holdout_after(log, encoder, 2, users=[1])
    assert (X.nnz, y.nnz) == (0, 3)
    for users in ([2], [3]):
        with pytest.raises(ValueError, match="no event after it: the known events run from 1 to 9"):
            holdout_after(log, encoder, 10, users=users)


def test_holdout_after_needs_times():
    log = _random_log(0)
    with pytest.raises(ValueError, match="time=None"):
        holdout_after(log, InteractionEncoder().fit(log), 3)
    dated = log | {"time": np.array(log["time"], dtype="datetime64[D]")}
    with pytest.raises(ValueError, match="ISO 8601"):
        holdout_after(dated, InteractionEncoder(time="time").fit(dated), 3)


@pytest.mark.parametrize("n", [0, 1.5])
def test_last_holdout_refuses_a_count_that_is_none(n):
    log = _random_log(0)
    with pytest.raises(ValueError, match="'n' parameter of holdout_last"):
        holdout_last(log, InteractionEncoder().fit(log), n)


@pytest.mark.data
def test_movielens_holdouts_by_time(data_home):
    ratings = pd.read_csv(data_home / "movielens_small" / "ratings.csv")
    encoder = InteractionEncoder("userId", "movieId", "rating", "timestamp")
    matrix = encoder.fit_transform(ratings)
    X, y = holdout_last(ratings, encoder)
    assert (np.diff(y.indptr) == 1).all()
    assert (X + y != matrix).nnz == 0
    X, y = holdout_after(ratings, encoder, 1_300_000_000)
    assert X.nnz == (ratings["timestamp"] < 1_300_000_000).sum()
    assert (X + y != matrix).nnz == 0
