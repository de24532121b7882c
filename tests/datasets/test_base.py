# SPDX-License-Identifier: BSD-3-Clause
from pathlib import Path

import pytest
from numpy.testing import assert_array_equal

from sktransrec.datasets import (
    get_data_home,
    load_amazon_cds,
    load_amazon_pair,
    load_citeulike,
    load_movielens,
    load_sequences,
)
from sktransrec.datasets._base import read_integer_lists, read_integer_table, read_lines


def test_argument_comes_before_environment_comes_before_home(monkeypatch, tmp_path):
    monkeypatch.setenv("SKTRANSREC_DATA", str(tmp_path / "environment"))
    assert get_data_home(tmp_path / "argument") == tmp_path / "argument"
    assert get_data_home() == tmp_path / "environment"
    monkeypatch.delenv("SKTRANSREC_DATA")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert get_data_home() == tmp_path / "sktransrec_data"
    assert get_data_home("~/films") == Path(tmp_path / "films")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("load", "folder"),
    [
        (lambda home: load_amazon_pair("game", "video", data_home=home), "amazon_game_video"),
        (lambda home: load_amazon_cds(data_home=home), "amazon_cds"),
        (lambda home: load_citeulike(data_home=home), "citeulike_t"),
        (lambda home: load_movielens("ml-1m", data_home=home), "ml-1m"),
        (lambda home: load_sequences("beauty", data_home=home), "sequences_beauty"),
    ],
)
def test_missing_data_say_what_to_do(load, folder, tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        load(tmp_path)
    for words in (str(tmp_path / folder), "data_home", "SKTRANSREC_DATA", "https://"):
        assert words in str(error.value)


def test_white_space_does_not_matter(tmp_path):
    path = tmp_path / "lists.txt"
    path.write_bytes(b"0 5 6 \r\n1\n2  7\t8 9")
    firsts, others, counts = read_integer_lists(path)
    assert_array_equal(firsts, [0, 1, 2])
    assert_array_equal(others, [5, 6, 7, 8, 9])
    assert_array_equal(counts, [2, 0, 3])


@pytest.mark.parametrize(
    ("text", "message"),
    [("1 2\n3\n", "same number"), ("", "same number"), ("1 2\n3 x\n", "numbers")],
)
def test_broken_tables_name_the_file(text, message, tmp_path):
    path = tmp_path / "table.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        read_integer_table(path)
    assert str(path) in str(error.value)


def test_empty_line_of_a_list_is_named(tmp_path):
    path = tmp_path / "lists.txt"
    path.write_text("1 2\n\n3 4\n")
    with pytest.raises(ValueError, match="line 2"):
        read_integer_lists(path)


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"a\nb", ["a", "b"]),
        (b"a\r\n\r\nb\r\n", ["a", "", "b"]),
        ("電影\nסרט\u2028\x1c\n".encode(), ["電影", "סרט\u2028\x1c"]),
        (b"Caf\xe9\x85\nb\n", ["Café\x85", "b"]),
    ],
)
def test_lines_end_at_line_feeds_alone(tmp_path, content, lines):
    (tmp_path / "סרטים.dat").write_bytes(content)
    assert read_lines(tmp_path / "סרטים.dat") == lines
