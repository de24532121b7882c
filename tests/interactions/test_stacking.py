# SPDX-License-Identifier: BSD-3-Clause
"""stack_domains: one matrix of two logs that share users, items or both."""

import numpy as np
import pandas as pd
import pytest

from sktransrec import CollectiveMFRecommender, InteractionEncoder
from sktransrec.interactions import stack_domains

SOURCE = {"user": ["d", "a", "b", "b", "c"], "item": ["s", "s", "x", "s", "y"]}
TARGET = {"user": ["c", "b", "z", "c"], "item": ["y", "t", "t", "x"]}


@pytest.mark.parametrize("table", [dict, pd.DataFrame])
def test_shared_users_and_items(table):
    stacked = stack_domains(table(SOURCE), table(TARGET), on="both")
    assert stacked.item_ids.tolist() == ["s", "x", "y", "t", "x", "y"]
    assert stacked.source_rows.tolist() == [0, 1, 2, 3]
    assert stacked.target_rows.tolist() == [1, 2, 4]
    assert stacked.target_columns.tolist() == [3, 4, 5]
    assert repr(stacked) == "StackedDomains(5 users, 6 columns, 3 of the target)"
    np.testing.assert_array_equal(
        stacked.X.toarray(),
        [
            [1, 0, 0, 0, 0, 0],
            [1, 1, 0, 1, 0, 0],
            [0, 0, 1, 0, 1, 1],
            [1, 0, 0, 0, 0, 0],
            [0, 0, 0, 1, 0, 0],
        ],
    )


def test_equal_ids_are_the_same_only_where_that_is_said():
    by_items = stack_domains(SOURCE, TARGET, on="items")
    assert by_items.target_rows.tolist() == [4, 5, 6]
    assert by_items.item_ids is not None
    by_users = stack_domains(SOURCE, TARGET, on="users")
    assert by_users.target_rows.tolist() == [1, 2, 4]
    assert by_users.item_ids is None


@pytest.mark.parametrize("on", ["users", "items", "both"])
def test_each_log_is_found_again(on):
    rng = np.random.RandomState(0)
    source = {"user": rng.randint(40, size=300), "item": rng.randint(20, size=300)}
    target = {"user": rng.randint(20, 60, size=300), "item": rng.randint(9, 30, size=300)}
    stacked = stack_domains(source, target, on=on)
    columns = np.split(np.arange(stacked.X.shape[1]), [stacked.target_columns[0]])
    encoders = stacked.source_encoder, stacked.target_encoder
    rows = stacked.source_rows, stacked.target_rows
    for log, encoder, of_log, places in zip((source, target), encoders, columns, rows, strict=True):
        part = stacked.X[:, of_log]
        assert (part[places] != encoder.transform(log)).nnz == 0
        assert part.nnz == part[places].nnz
        if stacked.item_ids is not None:
            np.testing.assert_array_equal(stacked.item_ids[of_log], encoder.items_)
    assert len(np.union1d(*rows)) == stacked.X.shape[0]


def test_each_log_may_have_its_own_columns():
    renamed = {"who": TARGET["user"], "what": TARGET["item"]}
    encoder = InteractionEncoder(user="who", item="what", min_item_interactions=2)
    stacked = stack_domains(SOURCE, renamed, target_encoder=encoder, on="users")
    encoder = InteractionEncoder(min_item_interactions=2)
    expected = stack_domains(SOURCE, TARGET, target_encoder=encoder, on="users")
    np.testing.assert_array_equal(stacked.X.toarray(), expected.X.toarray())
    assert list(stacked.target_columns) == list(expected.target_columns)
    assert stacked.X.shape == (5, 4)


def test_nothing_shared_is_an_error_that_says_why():
    swapped = {"user": TARGET["item"], "item": TARGET["user"]}
    with pytest.raises(ValueError, match=r"share no users and no items: .*look swapped"):
        stack_domains(SOURCE, swapped, on="both")
    numbered = {"user": [1, 2], "item": ["p", "q"]}
    with pytest.raises(ValueError, match="share no items: "):
        stack_domains(SOURCE, numbered, on="items")


def test_a_collective_factorisation_takes_what_is_stacked():
    """Two groups like their half of the films; the late users have each seen one film."""
    early = {"user": np.repeat(np.arange(20), 3), "item": []}
    early["item"] = [f"film {2 * j + user % 2}" for user in range(20) for j in range(3)]
    late = {"user": np.arange(6), "item": [f"film {user}" for user in range(6)]}
    stacked = stack_domains(early, late, on="items")
    model = CollectiveMFRecommender(
        stacked.target_columns, 2, item_ids=stacked.item_ids, random_state=0
    ).fit(stacked.X)
    items, _ = model.recommend(stacked.X[stacked.target_rows], n_recommendations=2)
    films = model.decode_items(items)
    assert [[int(film[-1]) % 2 for film in row] for row in films] == [[u % 2] * 2 for u in range(6)]


def test_ids_of_two_types_are_not_two_people():
    source = {"user": [1, 1, 2, 3], "item": [10, 11, 10, 12]}
    target = {"user": ["1", "2", "2"], "item": [10, 10, 11]}
    for more in ("", "anna"):
        source, target = (
            {"user": log["user"] + [more], "item": log["item"] + [9]} for log in (source, target)
        )
        with pytest.raises(ValueError, match=r"2 users .* are equal as strings"):
            stack_domains(source, target, on="both")
