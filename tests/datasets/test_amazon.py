# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sktransrec.datasets import load_amazon_cds, load_amazon_pair


def _write_pairs(path, pairs, ending=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{user}\t{item}{ending}\n" for user, item in pairs))


@pytest.fixture
def cold_home(tmp_path):
    """Users 0 and 1 are in both domains, 2 is cold in b, 3 is cold in a, others in one only."""
    a, b = (tmp_path / "amazon_a_b" / name for name in ("a_b", "b_a"))
    _write_pairs(a / "train.txt", [(0, 0), (0, 2), (1, 1), (2, 3), (4, 0), (5, 3)])
    _write_pairs(a / "valid.txt", [(3, 0)])
    _write_pairs(a / "test.txt", [(3, 1)])
    _write_pairs(b / "train.txt", [(0, 1), (1, 0), (3, 2), (4, 2), (6, 1)])
    _write_pairs(b / "valid.txt", [(2, 2)])
    _write_pairs(b / "test.txt", [(2, 0), (2, 1)])
    return tmp_path


@pytest.fixture
def warm_home(tmp_path):
    sport, cloth = (
        tmp_path / "amazon_sport_cloth" / name for name in ("sport_cloth", "cloth_sport")
    )
    _write_pairs(sport / "train.txt", [(0, 0), (1, 2), (2, 1)], "\t1")
    _write_pairs(sport / "test.txt", [(1, 1)], "\t1")
    _write_pairs(cloth / "train.txt", [(0, 1), (0, 0), (1, 1), (2, 0)], "\t1")
    _write_pairs(cloth / "test.txt", [(0, 3), (2, 1)], "\t1")
    return tmp_path


def test_cold_pair_aligns_people(cold_home):
    pair = load_amazon_pair("a", "b", data_home=cold_home)
    assert_array_equal(pair.user_ids, [0, 1])
    assert_array_equal(pair.X_source.toarray(), [[1, 0, 1, 0], [0, 1, 0, 0]])
    assert_array_equal(pair.Y_target.toarray(), [[0, 1, 0], [1, 0, 0]])
    assert_array_equal(pair.cold_ids, [2])
    assert_array_equal(pair.X_cold.toarray(), [[0, 0, 0, 1]])
    assert_array_equal(pair.Y_cold.toarray(), [[1, 1, 0]])
    assert_array_equal(pair.cold_valid_ids, [2])
    assert_array_equal(pair.X_cold_valid.toarray(), [[0, 0, 0, 1]])
    assert_array_equal(pair.Y_cold_valid.toarray(), [[0, 0, 1]])


def test_cold_pair_keeps_whoever_is_in_one_domain_only(cold_home):
    pair = load_amazon_pair("a", "b", data_home=cold_home)
    assert (pair.source.name, pair.target.name) == ("a", "b")
    assert_array_equal(pair.source.user_ids, [0, 1, 2, 4, 5])
    assert_array_equal(pair.source.matrix.toarray()[-2:], [[1, 0, 0, 0], [0, 0, 0, 1]])
    # User 4 of one domain is not user 4 of the other.
    assert_array_equal(np.intersect1d(pair.source.user_ids, pair.target.user_ids), [0, 1])
    assert_array_equal(pair.target.matrix.toarray()[:, 2], [0, 0, 1, 1, 0])


def test_cold_pair_works_in_the_other_direction(cold_home):
    pair = load_amazon_pair("b", "a", data_home=cold_home)
    assert (pair.source.name, pair.target.name) == ("b", "a")
    assert_array_equal(pair.X_source.toarray(), [[0, 1, 0], [1, 0, 0]])
    assert_array_equal(pair.cold_ids, [3])
    assert_array_equal(pair.X_cold.toarray(), [[0, 0, 1]])
    assert_array_equal(pair.Y_cold.toarray(), [[0, 1, 0, 0]])


def test_warm_pair_holds_items_out(warm_home):
    pair = load_amazon_pair("sport", "cloth", data_home=warm_home)
    assert "X_cold" not in pair
    assert_array_equal(pair.X_source.toarray(), [[1, 0, 0], [0, 0, 1], [0, 1, 0]])
    assert_array_equal(pair.Y_target.toarray(), [[1, 1, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0]])
    assert_array_equal(pair.Y_held_out.toarray(), [[0, 0, 0, 1], [0, 0, 0, 0], [0, 1, 0, 0]])
    assert pair.source.matrix.dtype == pair.Y_held_out.dtype == np.float32
    reverse = load_amazon_pair("cloth", "sport", data_home=warm_home)
    assert_array_equal(reverse.X_source.toarray(), pair.Y_target.toarray())
    assert_array_equal(reverse.Y_held_out.toarray(), [[0, 0, 0], [0, 1, 0], [0, 0, 0]])


def test_cds(tmp_path):
    (tmp_path / "amazon_cds").mkdir()
    (tmp_path / "amazon_cds" / "train.txt").write_text("0 1 0\n1 2\n2 \n")
    (tmp_path / "amazon_cds" / "test.txt").write_text("0 3\n2 1 2\n")
    cds = load_amazon_cds(data_home=tmp_path)
    assert_array_equal(cds.X.toarray(), [[1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]])
    assert_array_equal(cds.y.toarray(), [[0, 0, 0, 1], [0, 0, 0, 0], [0, 1, 1, 0]])


@pytest.mark.data
def test_real_cold_pair(data_home):
    into_video = load_amazon_pair("game", "video", data_home=data_home)
    into_game = load_amazon_pair("video", "game", data_home=data_home)
    game, video = into_video.source, into_video.target
    assert (game.matrix.nnz, video.matrix.nnz) == (155_036, 156_091)
    assert (game.matrix.shape[1], video.matrix.shape[1]) == (12_319, 8_751)
    # The published counts of users include those who are cold in the domain.
    assert len(game.user_ids) + len(into_game.cold_ids) == 25_011
    assert len(video.user_ids) + len(into_video.cold_ids) == 19_456
    assert (len(into_video.cold_ids), len(into_game.cold_ids)) == (216, 212)
    for pair in (into_video, into_game):
        everyone = np.concatenate([pair.user_ids, pair.cold_ids, pair.cold_valid_ids])
        assert everyone.max() < 2_179
        assert not np.isin(pair.cold_ids, pair.user_ids).any()
        assert_array_equal(
            np.intersect1d(pair.source.user_ids, pair.target.user_ids), pair.user_ids
        )
        assert np.isin(pair.cold_ids, pair.source.user_ids).all()
        for rows in (pair.X_source, pair.Y_target, pair.X_cold, pair.Y_cold):
            assert (rows.sum(axis=1) > 0).all()


@pytest.mark.data
@pytest.mark.parametrize(
    ("source", "target", "n_users", "n_items", "n_pairs", "n_test_pairs"),
    [
        ("cloth", "sport", 9_928, 32_310, 92_612, 8_326),
        ("sport", "cloth", 9_928, 41_303, 87_829, 7_540),
        ("phone", "sport", 4_998, 22_101, 50_558, 3_698),
        ("sport", "phone", 4_998, 14_618, 42_446, 3_999),
    ],
)
def test_real_warm_pair(source, target, n_users, n_items, n_pairs, n_test_pairs, data_home):
    pair = load_amazon_pair(source, target, data_home=data_home)
    assert pair.Y_target.shape == pair.Y_held_out.shape == (n_users, n_items)
    assert pair.X_source.shape[0] == n_users
    assert (pair.Y_target.nnz, pair.Y_held_out.nnz) == (n_pairs, n_test_pairs)
    assert pair.Y_target.multiply(pair.Y_held_out).nnz == 0
    assert (pair.X_source.sum(axis=1) > 0).all()


@pytest.mark.data
def test_real_cds(data_home):
    cds = load_amazon_cds(data_home=data_home)
    assert cds.X.shape == cds.y.shape == (43_169, 35_648)
    assert (cds.X.nnz, cds.y.nnz) == (604_475, 172_951)
    assert cds.X.multiply(cds.y).nnz == 0
