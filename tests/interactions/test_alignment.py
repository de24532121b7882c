# SPDX-License-Identifier: BSD-3-Clause
import dataclasses

import numpy as np
import pandas as pd
import pytest

from sktransrec.interactions import InteractionEncoder, align_domains, find_cross_listed

SOURCE = {"user": ["d", "a", "b", "b", "c"], "item": ["s1", "s1", "s2", "s1", "s3"]}
TARGET = {"user": ["c", "b", "z", "c"], "item": ["t2", "t1", "t1", "t1"]}


def _swapped(log):
    return {"user": log["item"], "item": log["user"]}


@pytest.mark.parametrize("table", [dict, pd.DataFrame])
def test_rows_are_the_same_users_in_both_domains(table):
    aligned = align_domains(table(SOURCE), table(TARGET))
    assert aligned.shared_ids.tolist() == ["b", "c"]
    np.testing.assert_array_equal(aligned.X_source.toarray(), [[1, 1, 0], [0, 0, 1]])
    np.testing.assert_array_equal(aligned.X_target.toarray(), [[1, 0], [1, 1]])
    assert aligned.source_only_ids.tolist() == ["a", "d"]
    np.testing.assert_array_equal(aligned.X_source_only.toarray(), [[1, 0, 0], [1, 0, 0]])
    assert aligned.target_only_ids.tolist() == ["z"]
    np.testing.assert_array_equal(aligned.X_target_only.toarray(), [[1, 0]])


def test_columns_are_the_same_items_in_both_domains():
    aligned = align_domains(_swapped(SOURCE), _swapped(TARGET), on="items")
    by_users = align_domains(SOURCE, TARGET)
    assert aligned.shared_ids.tolist() == ["b", "c"]
    for name in ("X_source", "X_target", "X_source_only", "X_target_only"):
        np.testing.assert_array_equal(
            getattr(aligned, name).toarray(), getattr(by_users, name).T.toarray()
        )
    assert aligned.twins is aligned.report.twins is None


def test_rows_follow_the_ids_on_random_logs():
    rng = np.random.RandomState(0)
    source = {"user": rng.randint(40, size=300), "item": rng.randint(20, size=300)}
    target = {"user": rng.randint(20, 60, size=300), "item": rng.randint(9, size=300)}
    aligned = align_domains(source, target)
    for X, encoder, log in (
        (aligned.X_source, aligned.source_encoder, source),
        (aligned.X_target, aligned.target_encoder, target),
    ):
        expected = encoder.transform(log, users=aligned.shared_ids)
        assert (expected != X).nnz == 0
    assert set(aligned.shared_ids) == set(source["user"]) & set(target["user"])
    assert set(aligned.source_only_ids) == set(source["user"]) - set(target["user"])
    assert set(aligned.target_only_ids) == set(target["user"]) - set(source["user"])


def test_each_log_may_have_its_own_columns():
    renamed = {"who": TARGET["user"], "what": TARGET["item"]}
    encoder = InteractionEncoder(user="who", item="what", min_item_interactions=2)
    aligned = align_domains(SOURCE, renamed, target_encoder=encoder)
    assert aligned.target_encoder.items_.tolist() == ["t1"]
    assert not hasattr(encoder, "items_")
    both = align_domains(renamed, renamed, source_encoder=encoder)
    assert both.target_encoder.get_params() == encoder.get_params()


def test_the_result_is_immutable():
    aligned = align_domains(SOURCE, TARGET)
    with pytest.raises(dataclasses.FrozenInstanceError):
        aligned.X_source = None
    with pytest.raises(dataclasses.FrozenInstanceError):
        aligned.report.n_shared = 5


def test_the_report_counts():
    report = align_domains(SOURCE, TARGET).report
    assert (report.n_shared, report.n_source_only, report.n_target_only) == (2, 2, 1)
    assert report.n_source_interactions == (3, 5)
    assert report.n_target_interactions == (3, 4)
    assert repr(report).splitlines() == [
        "2 users are shared",
        "  50.0% of the 4 in the source, where they have 3 of 5 interactions (60.0%)",
        "  66.7% of the 3 in the target, where they have 3 of 4 interactions (75.0%)",
        "2 users are in the source alone, 1 in the target alone",
        "No item is cross-listed",
    ]


def test_the_report_names_cross_listed_items():
    rng = np.random.RandomState(0)
    users = [f"u{i}" for i in range(30)]
    source = pd.DataFrame({"user": rng.choice(users, 200), "item": rng.randint(15, size=200)})
    copied = source[source["item"] == 4].assign(item="four")
    others = pd.DataFrame({"user": users, "item": ["other"] * len(users)})
    aligned = align_domains(source, pd.concat([copied, others]))
    expected = find_cross_listed(aligned.X_source, aligned.X_target)
    np.testing.assert_array_equal(aligned.twins, expected)
    n_common = copied["user"].nunique()
    assert aligned.report.twins == ((4, "four", 1.0, n_common),)
    assert f"source 4 is target 'four': {n_common} users in common, 100%" in repr(aligned)


@pytest.mark.parametrize("on", ["users", "items"])
@pytest.mark.parametrize("wrong", ["source", "target"])
def test_a_swapped_log_is_named(on, wrong):
    logs = {"source": SOURCE, "target": TARGET}
    if on == "items":
        logs = {name: _swapped(log) for name, log in logs.items()}
    logs[wrong] = _swapped(logs[wrong])
    with pytest.raises(ValueError, match=f"share no {on}: 2 .* the {wrong} log.* swapped") as error:
        align_domains(logs["source"], logs["target"], on=on)
    # The cure that the error names works.
    assert f"{wrong}_encoder=InteractionEncoder(user='item', item='user')" in str(error.value)
    encoders = {"source_encoder": InteractionEncoder(), "target_encoder": InteractionEncoder()}
    encoders[f"{wrong}_encoder"] = InteractionEncoder(user="item", item="user")
    aligned = align_domains(logs["source"], logs["target"], on=on, **encoders)
    assert aligned.shared_ids.tolist() == ["b", "c"]


@pytest.mark.parametrize(
    ("source", "target", "encoder", "words"),
    [
        (
            {"user": [1, 2], "item": ["a", "b"]},
            {"user": ["2", "3"], "item": ["c", "d"]},
            None,
            r"1 are equal as strings.*astype\(str\)",
        ),
        (
            {"user": [1, 2, 2], "item": ["a", "b", "c"]},
            {"user": [1, 3, 3], "item": ["c", "d", "e"]},
            InteractionEncoder(min_user_interactions=2),
            "1 are in both logs, but .* lower these",
        ),
        (
            {"user": ["ann"], "item": ["a"]},
            {"user": ["bob"], "item": ["b"]},
            None,
            "such as 'ann', the target such as 'bob'",
        ),
    ],
)
def test_other_causes_of_an_empty_overlap_are_named(source, target, encoder, words):
    with pytest.raises(ValueError, match=words):
        align_domains(source, target, source_encoder=encoder)


def test_parameters_are_validated():
    with pytest.raises(ValueError, match="'on' parameter of align_domains"):
        align_domains(SOURCE, TARGET, on="rows")


@pytest.mark.data
def test_game_and_video_share_the_users_that_their_origin_says(data_home):
    def log(target, source):
        pairs = np.loadtxt(
            data_home / "amazon_game_video" / f"{target}_{source}" / "train.txt", dtype=int
        )
        # Ids below 2,179 are the same person in both domains, larger ones are not.
        user = np.where(pairs[:, 0] < 2179, pairs[:, 0].astype(str), target)
        own = np.char.add(target, pairs[:, 0].astype(str))
        return {"user": np.where(user == target, own, user), "item": pairs[:, 1]}

    aligned = align_domains(log("game", "video"), log("video", "game"))
    report = aligned.report
    assert report.n_shared + report.n_source_only == 24799
    assert report.n_shared + report.n_target_only == 19240
    assert {int(user) for user in aligned.shared_ids} <= set(range(2179))
    assert not any(user.isdigit() and int(user) >= 2179 for user in aligned.source_only_ids)
    assert 20 <= len(report.twins) <= 60
