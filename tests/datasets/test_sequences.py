# SPDX-License-Identifier: BSD-3-Clause
import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sktransrec.datasets import load_sequences


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "sequences_lastfm"
    folder.mkdir()
    (folder / "LastFM.txt").write_text("1 3 1 4 2\n2 2 5 1\n")
    attributes = {"1": [2, 2], "5": [1, 3]}
    (folder / "LastFM_item2attributes.json").write_text(json.dumps(attributes))
    return tmp_path


def test_last_items_are_left_out(home):
    lastfm = load_sequences("lastfm", max_length=3, data_home=home)
    assert [list(sequence) for sequence in lastfm.sequences] == [[3, 1, 4, 2], [2, 5, 1]]
    assert_array_equal(lastfm.X_train, [[0, 3, 1], [0, 0, 2]])
    assert_array_equal(lastfm.y_valid.nonzero(), [[0, 1], [3, 4]])
    assert_array_equal(lastfm.X_test, [[3, 1, 4], [0, 2, 5]])
    assert_array_equal(lastfm.y_test.nonzero(), [[0, 1], [1, 0]])
    assert lastfm.X_train.dtype == np.int32
    assert lastfm.y_test.shape == lastfm.seen_test.shape


def test_seen_items_outlast_the_padded_width(home):
    lastfm = load_sequences("lastfm", max_length=1, data_home=home)
    assert_array_equal(lastfm.X_test, [[4], [5]])
    assert_array_equal(lastfm.seen_valid.toarray(), [[1, 0, 1, 0, 0], [0, 1, 0, 0, 0]])
    assert_array_equal(lastfm.seen_test.toarray(), [[1, 0, 1, 1, 0], [0, 1, 0, 0, 1]])


def test_attributes_stand_at_the_column_of_the_item(home):
    attributes = load_sequences("lastfm", data_home=home).item_attributes
    assert attributes.shape == (5, 4)
    assert_array_equal(attributes.toarray()[0], [0, 0, 1, 0])
    assert_array_equal(attributes.toarray()[4], [0, 1, 0, 1])


def test_bad_arguments_and_short_histories(home):
    with pytest.raises(ValueError, match="name"):
        load_sequences("films", data_home=home)
    with pytest.raises(ValueError, match="max_length"):
        load_sequences("lastfm", max_length=0, data_home=home)
    (home / "sequences_lastfm" / "LastFM.txt").write_text("1 3 1\n")
    with pytest.raises(ValueError, match="fewer than three"):
        load_sequences("lastfm", data_home=home)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "n_users", "n_items", "n_interactions"),
    [("lastfm", 1_090, 3_646, 52_551), ("beauty", 22_363, 12_101, 198_502)],
)
def test_real_sequences(name, n_users, n_items, n_interactions, data_home):
    histories = load_sequences(name, data_home=data_home)
    assert histories.X_train.shape == histories.X_test.shape == (n_users, 50)
    assert sum(map(len, histories.sequences)) == n_interactions
    assert histories.seen_test.nnz == n_interactions - n_users
    assert histories.seen_test.shape == (n_users, n_items)
    assert histories.item_attributes.shape[0] == n_items
    assert not histories.seen_test.multiply(histories.y_test).nnz
    assert_array_equal(histories.X_test[:, -1] - 1, histories.y_valid.indices)
