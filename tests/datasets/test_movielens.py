# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sktransrec.datasets import load_movielens

_FLAGS = "|".join("1" if place in (1, 5) else "0" for place in range(19))

# Every form holds the same three ratings; those that have tags hold the same tag.
_FILES = {
    "ml-100k": {
        "u.data": "1\t31\t3\t1260759144\n1\t7\t5\t1260759179\n2\t31\t4\t978300760\n",
        "u.item": (
            f"7|Café, Le (1995)|01-Jan-1995||http://films/7|{_FLAGS}\n"
            f"31|Dangerous Minds (1995)|01-Jan-1995||http://films/31|{_FLAGS}\n"
        ),
    },
    "ml-1m": {
        "ratings.dat": "1::31::3::1260759144\n1::7::5::1260759179\n2::31::4::978300760\n",
        "movies.dat": (
            "7::Café, Le (1995)::Action|Comedy\n31::Dangerous Minds (1995)::Action|Comedy\n"
        ),
    },
    "ml-25m": {
        "ratings.csv": (
            "userId,movieId,rating,timestamp\n"
            "1,31,3.0,1260759144\n1,7,5.0,1260759179\n2,31,4.0,978300760\n"
        ),
        "movies.csv": (
            'movieId,title,genres\n7,"Café, Le (1995)",Action|Comedy\n'
            "31,Dangerous Minds (1995),Action|Comedy\n"
        ),
        "tags.csv": 'userId,movieId,tag,timestamp\n2,31,"dark, slow",1440380463\n',
    },
}
_FILES["ml-10m"] = _FILES["ml-1m"] | {"tags.dat": "2::31::dark, slow::1440380463\n"}
_LATIN_1 = ("ml-100k", "ml-1m")
_WITH_TAGS = ("ml-10m", "ml-25m")


@pytest.fixture(params=sorted(_FILES))
def name_and_home(request, tmp_path):
    folder = tmp_path / request.param
    folder.mkdir()
    encoding = "latin-1" if request.param in _LATIN_1 else "utf-8"
    for file_name, text in _FILES[request.param].items():
        (folder / file_name).write_text(text, encoding=encoding)
    return request.param, tmp_path


def test_all_forms_give_the_same_tables(name_and_home):
    name, home = name_and_home
    movielens = load_movielens(name, data_home=home)
    ratings = movielens.ratings
    assert_array_equal(ratings.user_id, [1, 1, 2])
    assert_array_equal(ratings.movie_id, [31, 7, 31])
    assert_array_equal(ratings.rating, [3.0, 5.0, 4.0])
    assert_array_equal(ratings.timestamp, [1260759144, 1260759179, 978300760])
    assert_array_equal(movielens.movies.movie_id, [7, 31])
    assert_array_equal(movielens.movies.title, ["Café, Le (1995)", "Dangerous Minds (1995)"])
    assert_array_equal(movielens.movies.genres, ["Action|Comedy"] * 2)
    assert list(movielens.tags.tag) == ["dark, slow"] * (name in _WITH_TAGS)
    assert list(movielens.tags.timestamp) == [1440380463] * (name in _WITH_TAGS)


def test_frames_hold_the_same_columns(name_and_home):
    name, home = name_and_home
    frames = load_movielens(name, as_frame=True, data_home=home)
    arrays = load_movielens(name, data_home=home)
    for table in ("ratings", "movies", "tags"):
        assert list(frames[table].columns) == list(arrays[table])
        for column, values in arrays[table].items():
            assert_array_equal(frames[table][column].to_numpy(), values)
    assert frames.ratings.dtypes.astype(str).tolist() == ["int64", "int64", "float64", "int64"]


def test_header_without_tags(tmp_path):
    (tmp_path / "ml-25m").mkdir()
    for file_name, text in _FILES["ml-25m"].items():
        (tmp_path / "ml-25m" / file_name).write_text(text, encoding="utf-8")
    (tmp_path / "ml-25m" / "tags.csv").write_text("userId,movieId,tag,timestamp\n")
    assert len(load_movielens("ml-25m", data_home=tmp_path).tags.tag) == 0


def test_folder_without_ratings_says_what_it_should_hold(tmp_path):
    (tmp_path / "ml-1m").mkdir()
    with pytest.raises(FileNotFoundError, match=r"ratings\.dat.*https://"):
        load_movielens("ml-1m", data_home=tmp_path)


def test_cut_file_is_refused(tmp_path):
    (tmp_path / "ml-100k").mkdir()
    (tmp_path / "ml-100k" / "u.data").write_text("1\t31\t3\n")
    (tmp_path / "ml-100k" / "u.item").write_text(_FILES["ml-100k"]["u.item"])
    with pytest.raises(ValueError, match=r"u\.data must hold"):
        load_movielens("ml-100k", data_home=tmp_path)


@pytest.mark.data
def test_real_movielens(data_home):
    movielens = load_movielens(data_home=data_home)
    ratings = movielens.ratings
    assert len(ratings.rating) == 100_004
    assert len(np.unique(ratings.user_id)) == 671
    assert len(np.unique(ratings.movie_id)) == 9_066
    assert (ratings.rating.min(), ratings.rating.max()) == (0.5, 5.0)
    assert np.isin(ratings.movie_id, movielens.movies.movie_id).all()
    assert movielens.movies.title[0] == "Toy Story (1995)"
    assert len(movielens.tags.tag) == 1_296
