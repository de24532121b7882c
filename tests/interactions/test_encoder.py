# SPDX-License-Identifier: BSD-3-Clause
import pickle
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.utils import estimator_checks

from sktransrec import (
    HistoryRecommender,
    NextItemRidgeRecommender,
    PopularityRecommender,
    TransitionRecommender,
)
from sktransrec.interactions import InteractionEncoder, holdout_after, holdout_last

LOG = {
    "user": ["bob", "ann", "bob", "bob", "eve"],
    "item": [30, 10, 30, 20, 10],
    "stars": [1.0, 4.0, 3.0, 2.0, 5.0],
    "when": [5, 1, 4, 9, 2],
}
DENSE = {
    "sum": [[4, 0, 0], [0, 2, 4], [5, 0, 0]],
    "max": [[4, 0, 0], [0, 2, 3], [5, 0, 0]],
    "last": [[4, 0, 0], [0, 2, 1], [5, 0, 0]],
}


def _encoder(**params):
    return InteractionEncoder(**{"value": "stars", "time": "when"} | params)


def _random_log(seed, n_events=200, n_users=12, n_items=9):
    rng = np.random.RandomState(seed)
    return {
        "user": rng.randint(n_users, size=n_events),
        "item": rng.randint(n_items, size=n_events),
        "stars": rng.randint(0, 6, size=n_events),
        "when": rng.randint(50, size=n_events),
    }


def _dense_by_loop(log, duplicates):
    """Return the matrix of all integer ids below the largest, an event at a time."""
    X = np.zeros((max(log["user"]) + 1, max(log["item"]) + 1))
    for event in np.argsort(log["when"], kind="stable"):
        user, item, stars = (log[name][event] for name in ("user", "item", "stars"))
        before = X[user, item]
        X[user, item] = {"sum": before + stars, "max": max(before, stars), "last": stars}[
            duplicates
        ]
    return X


@pytest.mark.parametrize("duplicates", ["sum", "max", "last"])
@pytest.mark.parametrize("table", [dict, pd.DataFrame])
def test_a_small_log_becomes_the_matrix_written_by_hand(duplicates, table):
    encoder = _encoder(duplicates=duplicates)
    X = encoder.fit_transform(table(LOG))
    assert X.dtype == np.float32
    assert X.has_canonical_format
    np.testing.assert_array_equal(X.toarray(), DENSE[duplicates])
    assert encoder.users_.tolist() == ["ann", "bob", "eve"]
    assert encoder.items_.tolist() == [10, 20, 30]
    assert (encoder.n_users_, encoder.n_items_) == (3, 3)


def test_a_latest_event_of_value_0_takes_back_what_was_liked():
    log = {"user": [1, 1, 1, 1, 2, 2], "item": [7, 7, 8, 9, 7, 8], "v": [3, 0, 0, 2, 1, 1]}
    log["t"] = [1, 2, 3, 4, 0, 5]
    encoder = InteractionEncoder(value="v", time="t", duplicates="last")
    np.testing.assert_array_equal(encoder.fit_transform(log).toarray(), [[0, 0, 2], [1, 1, 0]])
    assert encoder.sequences(log).tolist() == [[3, 0], [1, 2]]
    X, y = holdout_after(log, encoder, 2)
    np.testing.assert_array_equal(X.toarray(), [[3, 0, 0], [1, 0, 0]])
    np.testing.assert_array_equal(y.toarray(), [[0, 0, 2], [0, 1, 0]])
    X, y = holdout_last(log, encoder)
    np.testing.assert_array_equal(X.toarray(), [[0, 0, 2], [1, 0, 0]])
    np.testing.assert_array_equal(y.toarray(), [[0, 0, 0], [0, 1, 0]])


def test_an_item_that_was_taken_back_is_not_the_last_one():
    log = {"user": [1, 1, 1, 1, 2, 2], "item": [7, 8, 9, 9, 9, 7], "v": [1, 1, 1, 0, 1, 1]}
    encoder = InteractionEncoder(value="v", duplicates="last").fit(log)
    X, y = holdout_last(log, encoder)
    np.testing.assert_array_equal(X.toarray(), [[1, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(y.toarray(), [[0, 1, 0], [1, 0, 0]])


def test_what_is_taken_back_later_is_known_before():
    log = {"user": [1, 1, 1, 1, 2, 2], "item": ["a", "b", "c", "a", "a", "b"]}
    log |= {"v": [1, 1, 1, 0, 1, 1], "t": [1, 2, 3, 4, 1, 2]}
    encoder = InteractionEncoder(value="v", time="t", duplicates="last").fit(log)
    for X, y in (holdout_last(log, encoder), holdout_after(log, encoder, 3)):
        np.testing.assert_array_equal(X.toarray()[0], [1, 1, 0])
        np.testing.assert_array_equal(y.toarray()[0], [0, 0, 1])


@given(seed=st.integers(0, 10_000), duplicates=st.sampled_from(["sum", "max", "last"]))
def test_encoding_agrees_with_a_loop_over_the_events(seed, duplicates):
    log = _random_log(seed)
    expected = _dense_by_loop(log, duplicates)
    encoder = _encoder(duplicates=duplicates)
    X = encoder.fit_transform(log)
    np.testing.assert_array_equal(X.toarray(), expected[np.ix_(encoder.users_, encoder.items_)])
    np.testing.assert_array_equal(encoder.transform(log).toarray(), X.toarray())


@pytest.mark.parametrize("events", [LOG, pd.DataFrame(LOG)], ids=["dict", "frame"])
def test_without_value_events_are_counted(events):
    X = InteractionEncoder().fit_transform(events)
    np.testing.assert_array_equal(X.toarray(), [[1, 0, 0], [0, 1, 2], [1, 0, 0]])


def test_without_time_the_last_event_is_the_last_of_the_log():
    X = _encoder(duplicates="last", time=None).fit_transform(LOG)
    assert X.toarray()[1, 2] == 3


def test_equal_times_keep_the_order_of_the_log():
    log = LOG | {"when": [0, 0, 0, 0, 0]}
    assert _encoder(duplicates="last").fit_transform(log).toarray()[1, 2] == 3


def test_order_of_the_events_does_not_matter():
    frame = pd.DataFrame(LOG)
    for seed in range(5):
        X = _encoder(duplicates="last").fit_transform(frame.sample(frac=1, random_state=seed))
        np.testing.assert_array_equal(X.toarray(), DENSE["last"])


@pytest.mark.parametrize(
    ("params", "events"),
    [
        ({"user": 0, "item": 1}, np.array([[7, 2], [5, 1]])),
        ({"user": 0, "item": 1}, np.array([[7.0, 2.0], [5.0, 1.0]])),
        ({"user": 1, "item": 0}, pd.DataFrame({"product": [2, 1], "person": [7, 5]})),
        ({}, pd.DataFrame({"user": [7, 5], "item": [2, 1]}, dtype="Int64")),
        ({}, pd.DataFrame({"user": [7, 5], "item": [2, 1]}).astype("category")),
        ({}, pd.DataFrame({"user": [7, 5], "item": [2, 1]}, index=["x", "y"])),
        ({}, {"user": np.array([7, 5], dtype=np.uint8), "item": (2, 1)}),
        ({}, np.array([(7, 2), (5, 1)], dtype=[("user", int), ("item", int)])),
    ],
    ids=["array", "floats", "position", "nullable", "category", "index", "uint8", "structured"],
)
def test_every_kind_of_table_gives_the_same_integers(params, events):
    if isinstance(events, np.ndarray) and events.dtype.names:
        events = {name: events[name] for name in events.dtype.names}
    encoder = InteractionEncoder(**params)
    np.testing.assert_array_equal(encoder.fit_transform(events).toarray(), [[1, 0], [0, 1]])
    assert encoder.users_.dtype == encoder.items_.dtype == np.int64
    assert encoder.users_.tolist() == [5, 7]


@pytest.mark.parametrize(
    "ids",
    [
        np.array(["b", "a", "b"]),
        np.array(["b", "a", "b"], dtype=object),
        ["b", "a", "b"],
        pd.Series(["b", "a", "b"]),
        pd.Series(["b", "a", "b"], dtype=object),
        pd.Series(["b", "a", "b"], dtype="category"),
    ],
)
def test_strings_of_every_dtype_are_ids(ids):
    encoder = InteractionEncoder()
    X = encoder.fit_transform({"user": ids, "item": [1, 1, 1]})
    np.testing.assert_array_equal(X.toarray(), [[1], [2]])
    assert encoder.users_.tolist() == ["a", "b"]


@pytest.mark.parametrize("column", [list, lambda x: np.array(x, dtype=object), pd.Series])
def test_strings_and_integers_may_be_mixed(column):
    encoder = InteractionEncoder()
    encoder.fit({"user": column(["b7", 7, "a", 10]), "item": [1, 2, 3, 4]})
    assert encoder.users_.tolist() == [7, 10, "a", "b7"]
    for role, other in (("user", "item"), ("item", "user")):
        with pytest.raises(ValueError, match=f"Column '{role}' .* holds '7' and 7, which are diff"):
            encoder.fit({role: column(["7", 7, "a", 10]), other: [1, 2, 3, 4]})


@pytest.mark.parametrize("low", [-128, 0, -(2**62), 2**62, 2**63 + 5])
def test_integers_of_any_size_are_ids(low):
    dtype = np.int8 if low == -128 else np.uint64 if low > 2**63 else np.int64
    ids = np.array([low + 200, low, low + 200], dtype=np.int64 if low < 0 else dtype)
    encoder = InteractionEncoder().fit({"user": ids, "item": [1, 1, 1]})
    assert encoder.users_.tolist() == [low, low + 200]
    small = np.array([127, -128, 0], dtype=np.int8)
    assert InteractionEncoder().fit({"user": small, "item": small}).users_.tolist() == [
        -128,
        0,
        127,
    ]


def test_minimum_counts_hold_for_all_that_is_left():
    # Item 3 has one user; without it user c has one item; without c item 2 has one user.
    log = {
        "user": ["a", "b", "a", "b", "a", "c", "c"],
        "item": [0, 0, 1, 1, 2, 2, 3],
    }
    encoder = InteractionEncoder(min_user_interactions=2, min_item_interactions=2)
    X = encoder.fit_transform(log)
    assert encoder.users_.tolist() == ["a", "b"]
    assert encoder.items_.tolist() == [0, 1]
    assert encoder.rare_users_.tolist() == ["c"]
    assert encoder.rare_items_.tolist() == [2, 3]
    np.testing.assert_array_equal(X.toarray(), np.ones((2, 2)))
    np.testing.assert_array_equal(encoder.transform(log).toarray(), np.ones((2, 2)))


@given(seed=st.integers(0, 1000), n_min=st.integers(1, 6))
def test_minimum_counts_leave_the_largest_core(seed, n_min):
    log = _random_log(seed, n_events=60) | {"stars": np.ones(60)}
    # A core is unique: what one pass after the other leaves of the dense matrix.
    core = _dense_by_loop(log, "sum") > 0
    for _ in range(sum(core.shape)):
        core[core.sum(axis=1) < n_min] = False
        core[:, core.sum(axis=0) < n_min] = False
    encoder = _encoder(min_user_interactions=n_min, min_item_interactions=n_min)
    if not core.any():
        with pytest.raises(ValueError, match="No interactions are left"):
            encoder.fit(log)
        return
    X = encoder.fit_transform(log)
    assert (np.diff(X.indptr) >= n_min).all()
    assert (np.diff(X.tocsc().indptr) >= n_min).all()
    assert encoder.users_.tolist() == np.flatnonzero(core.any(axis=1)).tolist()
    assert encoder.items_.tolist() == np.flatnonzero(core.any(axis=0)).tolist()


def test_repeats_of_one_item_do_not_make_up_the_minimum():
    log = {"user": [1, 1, 1, 2, 2], "item": [1, 1, 1, 1, 2]}
    encoder = InteractionEncoder(min_user_interactions=2).fit(log)
    assert encoder.users_.tolist() == [2]


def test_events_of_value_zero_are_no_interactions():
    log = {"user": [1, 1, 2], "item": [1, 2, 2], "stars": [3, 0, 0], "when": [0, 1, 2]}
    encoder = _encoder(duplicates="last")
    X = encoder.fit_transform(log)
    np.testing.assert_array_equal(X.toarray(), [[3]])
    assert encoder.rare_users_.tolist() == encoder.rare_items_.tolist() == [2]
    assert encoder.sequences(log).tolist() == [[1]]


def test_new_users_are_encoded_against_the_known_items():
    encoder = _encoder().fit(LOG)
    new = {"user": ["zoe", "yan"], "item": [20, 30], "stars": [1, 2], "when": [0, 0]}
    X = encoder.transform(new, users=["zoe", "nobody", "yan"])
    np.testing.assert_array_equal(X.toarray(), [[0, 1, 0], [0, 0, 0], [0, 0, 2]])


def test_the_error_of_new_users_says_how_to_get_their_rows():
    encoder = InteractionEncoder().fit({"user": ["ann"], "item": [10]})
    visits = {"user": ["zoe", "yan", "xia", "wu"], "item": [10] * 4}
    with pytest.raises(ValueError, match=r"pass users=\['wu', 'xia', 'yan', \.\.\.\]"):
        encoder.transform(visits)
    visit = {"user": [7], "item": [10]}
    with pytest.raises(ValueError, match="to get the rows of these") as caught:
        encoder.transform(visit)
    (users,) = re.findall(r"users=(\[\d+\])", str(caught.value))
    assert encoder.transform(visit, users=eval(users)).toarray().tolist() == [[1]]


def test_users_select_and_order_the_rows():
    encoder = _encoder().fit(LOG)
    X = encoder.transform(LOG, users=np.array(["eve", "ann"]))
    np.testing.assert_array_equal(X.toarray(), [[5, 0, 0], [4, 0, 0]])


def test_unknown_ids_are_errors_or_left_out():
    log = {"user": ["ann", "zoe"], "item": [10, 99], "stars": [1, 1], "when": [0, 0]}
    encoder = _encoder().fit(LOG)
    with pytest.raises(ValueError, match=r"'item' .* 1 item ids of 2 .* 99.*unknown='ignore'"):
        encoder.transform(log)
    with pytest.raises(ValueError, match=r"'user' .* 'zoe'.*pass users="):
        encoder.transform(log | {"item": [10, 10]})
    encoder = _encoder(unknown="ignore").fit(LOG)
    np.testing.assert_array_equal(encoder.transform(log).toarray(), [[1, 0, 0], [0] * 3, [0] * 3])


def test_rare_ids_are_left_out_and_not_unknown():
    log = {"user": [1, 1, 2, 2, 3], "item": [1, 2, 1, 2, 1]}
    encoder = InteractionEncoder(min_user_interactions=2)
    X = encoder.fit_transform(log)
    assert (encoder.transform(log) != X).nnz == 0
    assert encoder.rare_users_.tolist() == [3]


def test_a_log_of_nothing_known_gives_empty_rows():
    log = {"user": ["zoe", "zoe"], "item": [98, 99], "stars": [1, 1], "when": [0, 0]}
    for duplicates in ("sum", "max", "last"):
        encoder = _encoder(unknown="ignore", duplicates=duplicates).fit(LOG)
        with pytest.warns(UserWarning, match="None of the 2 item ids"):
            X = encoder.transform(log, users=["zoe"])
        assert X.shape == (1, 3)
        assert X.nnz == 0
    with pytest.warns(UserWarning, match="None of the 2 item ids"):
        assert encoder.sequences(log, users=["zoe"]).shape == (1, 1)
    with pytest.warns(UserWarning, match="None of the 2 item ids"):
        held_out = holdout_last(log, encoder, users=["zoe"])
    for kept_or_held in held_out:
        assert kept_or_held.shape == (1, 3)
        assert kept_or_held.nnz == 0


@pytest.mark.parametrize(
    "model",
    [
        TransitionRecommender(),
        HistoryRecommender(PopularityRecommender()),
        NextItemRidgeRecommender(),
    ],
)
def test_a_user_of_an_empty_log_has_a_history_that_models_read(model):
    encoder = _encoder().fit(LOG)
    no_events = {name: values[:0] for name, values in LOG.items()}
    assert_array_equal(encoder.sequences(no_events, users=["new"]), [[0]])
    fitted = clone(model).fit(encoder.sequences(LOG, max_length=3))
    empty = encoder.sequences(no_events, users=["new"], max_length=3)
    items, _ = fitted.recommend(empty, n_recommendations=3)
    assert_array_equal(items[0], np.argsort(-fitted.popularity_, kind="stable"))


def test_users_with_the_numbers_of_items_may_have_new_items_only():
    log = {"user": [0, 0, 1, 1, 2, 3], "item": [0, 1, 1, 2, 2, 7]}
    encoder = InteractionEncoder(unknown="ignore").fit(log)
    with pytest.warns(UserWarning, match="None of the 2 item ids"):
        X = encoder.transform({"user": [0, 1, 2], "item": [99, 99, 3]}, users=[0, 1, 2])
    assert X.shape == (3, 4)
    assert X.nnz == 0


def test_ids_that_were_read_in_another_form_warn_once_a_call():
    log = {"user": [1, 1, 2], "item": ["0010", "0011", "0012"]}
    encoder = InteractionEncoder(unknown="ignore", duplicates="last").fit(log)
    with pytest.warns(UserWarning, match=r"there is 10, .* such as '0010'.*same type") as caught:
        assert encoder.transform({**log, "item": [10, 11, 12]}).nnz == 0
    assert len(caught) == 1


def test_no_warning_if_some_items_are_known_or_all_are_rare_or_the_log_is_empty():
    log = {"user": [1, 1, 2, 3], "item": [7, 8, 7, 9]}
    encoder = InteractionEncoder(unknown="ignore", min_item_interactions=2).fit(log)
    for items in ([7, 99, 99, 99], [8, 9, 9, 8]):
        assert encoder.transform({**log, "item": items}, users=[2, 3]).shape == (2, 1)
    assert encoder.transform({"user": [], "item": []}).nnz == 0
    assert encoder.transform({**log, "item": [7, 99, 99, 99]}, users=[3]).nnz == 0


def test_items_of_other_users_may_be_unknown():
    encoder = _encoder().fit(LOG)
    log = {"user": ["ann", "zoe"], "item": [10, 99], "stars": [1, 1], "when": [0, 0]}
    assert encoder.transform(log, users=["ann"]).toarray().tolist() == [[1, 0, 0]]
    assert encoder.sequences(log, users=["ann"]).tolist() == [[1]]
    with pytest.raises(ValueError, match=r"1 item ids of 1 that fit has not seen, such as 99"):
        encoder.transform(log, users=["zoe"])
    with pytest.raises(ValueError, match="the item column has 1 entries, the user column 2"):
        encoder.transform({**log, "item": [99]}, users=["ann"])


@pytest.mark.parametrize("unknown", ["error", "ignore"])
def test_swapped_columns_are_named(unknown):
    encoder = _encoder(unknown=unknown).fit(LOG)
    swapped = LOG | {"user": LOG["item"], "item": LOG["user"]}
    with pytest.raises(ValueError, match=r"3 in the user column 'user' are: .*swapped"):
        encoder.transform(swapped)


@pytest.mark.parametrize("table", [dict, pd.DataFrame])
def test_inverse_transform_returns_the_kind_of_log_that_fit_had(table):
    encoder = _encoder()
    X = encoder.fit_transform(table(LOG))
    events = encoder.inverse_transform(X)
    assert type(events) is table
    assert list(events) == ["user", "item", "stars"]
    assert list(events["user"]) == ["ann", "bob", "bob", "eve"]
    assert list(events["item"]) == [10, 20, 30, 10]
    assert (encoder.transform(events) != X).nnz == 0


def test_inverse_transform_of_new_rows_and_positions():
    encoder = InteractionEncoder(user=0, item=1).fit(np.array([[7, 2], [5, 1]]))
    events = encoder.inverse_transform([[0, 1], [0, 0], [1, 0]], users=["a", "b", "c"])
    assert {name: list(column) for name, column in events.items()} == {
        0: ["a", "c"],
        1: [2, 1],
        "value": [1, 1],
    }


def test_inverse_transform_uses_the_names_of_columns_given_by_position():
    frame = pd.DataFrame({"person": [7, 5], "product": [2, 1]})
    encoder = InteractionEncoder(user=0, item=1)
    X = encoder.fit_transform(frame)
    assert list(encoder.inverse_transform(X)) == ["person", "product", "value"]


def test_inverse_transform_refuses_another_shape():
    with pytest.raises(ValueError, match=r"X has shape \(2, 3\), expected \(3, 3\)"):
        _encoder().fit(LOG).inverse_transform(np.ones((2, 3)))


def test_sequences_follow_time_and_pad_the_end():
    encoder = _encoder().fit(LOG)
    sequences = encoder.sequences(LOG)
    assert sequences.dtype == np.int32
    # Columns + 1: 10 -> 1, 20 -> 2, 30 -> 3; bob meets 30 at 4 and 5, 20 at 9.
    assert sequences.tolist() == [[1, 0, 0], [3, 3, 2], [1, 0, 0]]
    assert encoder.sequences(LOG, max_length=2).tolist() == [[1, 0], [3, 2], [1, 0]]
    wide = encoder.sequences(LOG, max_length=5)
    assert wide.tolist() == [[*row, 0, 0] for row in sequences.tolist()]
    assert encoder.sequences(LOG, users=["new", "eve"]).tolist() == [[0], [1]]


@given(seed=st.integers(0, 1000), max_length=st.one_of(st.none(), st.integers(1, 30)))
def test_sequences_agree_with_a_loop_over_the_events(seed, max_length):
    log = _random_log(seed) | {"stars": np.ones(200)}
    encoder = _encoder().fit(log)
    sequences = encoder.sequences(log, max_length=max_length)
    by_time = np.argsort(log["when"], kind="stable")
    for user, sequence in zip(encoder.users_, sequences, strict=True):
        items = log["item"][by_time][log["user"][by_time] == user]
        expected = items if max_length is None else items[-max_length:]
        assert len(sequence) == (max_length or np.unique(log["user"], return_counts=True)[1].max())
        assert encoder.items_[sequence[sequence > 0] - 1].tolist() == expected.tolist()
        assert not sequence[len(expected) :].any()


@pytest.mark.parametrize(
    "times",
    [
        pd.to_datetime(["2020-01-05", "2020-01-01", "2020-01-04", "2020-01-09", "2020-01-02"]),
        pd.date_range("2020", periods=5, tz="Europe/Paris")[[3, 0, 2, 4, 1]],
        np.array([5, 1, 4, 9, 2], dtype="datetime64[D]"),
        [0.5, 0.1, 0.4, 0.9, 0.2],
        pd.array([5, 1, 4, 9, 2], dtype="Int64"),
    ],
)
def test_times_of_every_dtype_sort(times):
    log = pd.DataFrame(LOG | {"when": times})
    assert _encoder().fit(log).sequences(log).tolist() == [[1, 0, 0], [3, 3, 2], [1, 0, 0]]


@pytest.mark.parametrize(
    ("change", "params", "words"),
    [
        ({"user": ["a", None, "b", "b", "c"]}, {}, ["'user'", "1 user ids", "row 1", "drop"]),
        ({"user": [1, 2, np.nan, 3, 4]}, {}, ["'user'", "row 2", "drop"]),
        ({"item": [1.5, 2, 3, 4, 5]}, {}, ["'item'", "fractional"]),
        ({"item": [(1,), (2,), (3,), (4,), (5,)]}, {}, ["'item'", "tuple", "astype(str)"]),
        ({"item": [True, "a", "b", "c", "d"]}, {}, ["'item'", "bool", "astype(str)"]),
        ({"stars": [1, 2, -3, 4, 5]}, {}, ["'stars'", "negative", "row 2", "drop"]),
        ({"stars": [1, np.nan, 3, 4, 5]}, {}, ["'stars'", "NaN", "row 1", "drop"]),
        ({"stars": [1, np.inf, 3, 4, 5]}, {}, ["'stars'", "infinite", "row 1"]),
        ({"stars": [1, 1e300, 3, 4, 5]}, {}, ["'stars'", "float32", "row 1"]),
        ({"stars": ["1", "2", "3", "4", "5"]}, {}, ["'stars'", "numbers", "astype(float)"]),
        ({"when": ["mon", "tue", "wed", "thu", "fri"]}, {}, ["'when'", "to_datetime"]),
        ({"when": [1, np.nan, 3, 4, 5]}, {}, ["'when'", "row 1"]),
        ({}, {"user": "customer"}, ["'customer'", "['user', 'item', 'stars', 'when']", "user="]),
        ({}, {"value": 9}, ["9", "value="]),
        ({}, {"item": "user"}, ["same column", "item"]),
        ({}, {"min_user_interactions": 7}, ["min_user_interactions=7", "lower"]),
    ],
)
@pytest.mark.parametrize("table", [dict, pd.DataFrame])
def test_bad_logs_get_one_clear_error_and_leave_the_encoder_as_it_was(change, params, words, table):
    encoder = _encoder().fit(LOG)
    encoder.set_params(**params)
    attributes = dict(vars(encoder))
    with pytest.raises(ValueError) as error:  # noqa: PT011
        encoder.fit(table(LOG | change))
    assert all(word in str(error.value) for word in words), error.value
    assert vars(encoder) == attributes


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([1, 2], "type list"),
        (np.ones(3), "expected 2-D"),
        (np.ones((3, 2)), "user='user' finds none"),
        ({"user": [], "item": []}, "empty"),
        ({"user": [1, 2], "item": [1]}, "differ in length"),
    ],
)
def test_what_is_no_log_is_refused(events, words):
    with pytest.raises(ValueError, match=words):
        InteractionEncoder().fit(events)


def test_users_must_be_distinct_ids():
    encoder = _encoder().fit(LOG)
    with pytest.raises(ValueError, match="users repeats 'ann', which stands 2 times"):
        encoder.transform(LOG, users=["ann", "ann"])
    with pytest.raises(ValueError, match="users is empty"):
        encoder.transform(LOG, users=[])


@pytest.mark.parametrize("max_length", [0, 2.5, "all"])
def test_sequences_refuse_a_length_that_is_none(max_length):
    with pytest.raises(ValueError, match="max_length"):
        _encoder().fit(LOG).sequences(LOG, max_length=max_length)


def test_an_unfitted_encoder_says_so():
    by_time = _encoder(duplicates="last", time="time")
    for encoder in (_encoder(), by_time):
        for call in (encoder.transform, encoder.sequences, encoder.inverse_transform):
            with pytest.raises(NotFittedError):
                call(LOG)


def test_parameters_are_validated():
    with pytest.raises(ValueError, match="'duplicates' parameter of InteractionEncoder"):
        _encoder(duplicates="mean").fit(LOG)


def test_it_is_an_estimator_like_those_that_read_no_feature_matrix():
    encoder = InteractionEncoder()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkipTestWarning)
        estimator_checks.check_estimator(encoder)
    for check in (
        estimator_checks.check_estimator_cloneable,
        estimator_checks.check_estimator_repr,
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_parameters_default_constructible,
        estimator_checks.check_set_params,
        estimator_checks.check_valid_tag_types,
    ):
        check("InteractionEncoder", clone(encoder))


def test_a_pickled_encoder_encodes_alike():
    encoder = _encoder().fit(pd.DataFrame(LOG))
    loaded = pickle.loads(pickle.dumps(encoder))
    assert (loaded.transform(LOG) != encoder.transform(LOG)).nnz == 0


def test_a_dict_of_columns_needs_no_pandas(run_in_new_process):
    program = """
import sys
class NoPandas:
    def find_spec(name, *args):
        if name == "pandas":
            raise ImportError("pandas is imported")
sys.meta_path.insert(0, NoPandas)
from sktransrec.interactions import InteractionEncoder
log = {"user": ["a", "b"], "item": [1, 2]}
encoder = InteractionEncoder().fit(log)
encoder.inverse_transform(encoder.transform(log))
encoder.sequences(log)
"""
    assert run_in_new_process(program) == 0


@pytest.mark.data
def test_movielens_round_trip(data_home):
    ratings = pd.read_csv(data_home / "movielens_small" / "ratings.csv")
    encoder = InteractionEncoder("userId", "movieId", "rating", "timestamp")
    X = encoder.fit_transform(ratings)
    assert X.shape == (671, 9066)
    assert X.nnz == len(ratings)
    columns = ["userId", "movieId", "rating"]
    expected = ratings.sort_values(columns[:2], ignore_index=True)[columns]
    pd.testing.assert_frame_equal(encoder.inverse_transform(X), expected, check_dtype=False)
    sequences = encoder.sequences(ratings)
    assert np.count_nonzero(sequences) == len(ratings)


def test_decode_items_gives_ids_and_none_for_padding():
    encoder = InteractionEncoder().fit({"user": [1, 1, 2], "item": ["b", "a", "c"]})
    np.testing.assert_array_equal(encoder.decode_items([[2, 0]]), [["c", "a"]])
    assert encoder.decode_items([[1, -1]]).tolist() == [["b", None]]


@pytest.mark.parametrize("items", [[3], [-2], [0.5], ["a"]])
def test_decode_items_refuses_what_is_no_column(items):
    encoder = InteractionEncoder().fit({"user": [1, 1, 2], "item": ["b", "a", "c"]})
    with pytest.raises(ValueError, match=r"items must be integers from -1 to 2, the columns"):
        encoder.decode_items(items)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), n_parts=st.integers(1, 4))
def test_merged_encoders_are_those_of_the_whole_log(seed, n_parts):
    log = _random_log(seed, n_events=30)
    first, *others = (
        _encoder().fit({name: column[n::n_parts] for name, column in log.items()})
        for n in range(n_parts)
    )
    for other in others:
        first.merge(other)
    whole = _encoder().fit(log)
    for name in ("users_", "items_", "rare_users_", "rare_items_"):
        np.testing.assert_array_equal(getattr(first, name), getattr(whole, name))
    assert (first.n_users_, first.n_items_) == (whole.n_users_, whole.n_items_)


def test_later_ids_come_after_the_known_ones():
    encoder = _encoder().partial_fit(LOG)
    before = encoder.transform(LOG).toarray()
    later = {"user": ["amy", "bob"], "item": [5, 40], "stars": [1, 0], "when": [9, 9]}
    encoder.partial_fit(later)
    assert encoder.users_.tolist() == ["ann", "bob", "eve", "amy"]
    # Nobody has met the item of the event without a value.
    assert encoder.items_.tolist() == [10, 20, 30, 5]
    assert encoder.rare_items_.tolist() == [40]
    X = encoder.transform(LOG).toarray()
    np.testing.assert_array_equal(X[:3, :3], before)
    np.testing.assert_array_equal(encoder.transform(later).toarray()[3], [0, 0, 0, 1])


def test_a_later_log_may_have_its_columns_in_another_order():
    log = pd.DataFrame({"user": [1, 2], "item": ["a", "b"], "stars": [1, 1]})
    later = pd.DataFrame({"stars": [1], "item": ["c"], "user": [3]})
    encoder = InteractionEncoder(0, 1, 2).partial_fit(log).partial_fit(later)
    assert encoder.users_.tolist() == [1, 2, 3]
    assert encoder.items_.tolist() == ["a", "b", "c"]
    assert (encoder.user, encoder.item, encoder.value) == (0, 1, 2)


def test_a_later_log_may_have_no_interactions():
    encoder = _encoder().fit(LOG)
    encoder.partial_fit({"user": ["zoe"], "item": [10], "stars": [0], "when": [9]})
    assert encoder.users_.tolist() == ["ann", "bob", "eve"]
    assert encoder.rare_users_.tolist() == ["zoe"]


def test_ids_of_another_type_and_rare_ones_are_not_added():
    encoder = _encoder().fit(LOG)
    with pytest.raises(ValueError, match="equal known ones as strings"):
        encoder.partial_fit({**LOG, "item": ["30", "a", "b", "c", "d"]})
    assert encoder.items_.tolist() == [10, 20, 30]
    with pytest.raises(ValueError, match="min_user_interactions=2 needs all events at once"):
        encoder.set_params(min_user_interactions=2).merge(encoder)


def test_only_encoders_are_merged():
    encoder = InteractionEncoder().fit({"user": [1], "item": [2]})
    with pytest.raises(TypeError, match=r"other is of type dict, expected InteractionEncoder"):
        encoder.merge({"user": [1], "item": [2]})
