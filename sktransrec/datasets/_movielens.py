# SPDX-License-Identifier: BSD-3-Clause
"""Loader of the MovieLens data sets, in all published file formats."""

import csv
from os import PathLike

import numpy as np
from sklearn.utils import Bunch

from .._extras import import_pandas
from ._base import find_data, parse_numbers, read_lines

_ORIGIN = "https://grouplens.org/datasets/movielens/"
_DESCR = (
    "Ratings of films, with the time of each, by users of the site MovieLens, collected by the "
    "GroupLens group at the University of Minnesota. Not for commercial use; may be passed on "
    "under the same terms; whoever publishes on them acknowledges F. M. Harper and J. A. Konstan, "
    "'The MovieLens Datasets: History and Context', ACM Transactions on Interactive Intelligent "
    "Systems 5(4), 2015, doi:10.1145/2827872."
)
_GENRES_100K = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery"),
    *("Romance", "Sci-Fi", "Thriller", "War", "Western"),
)


def load_movielens(
    name: str = "movielens_small",
    *,
    as_frame: bool = False,
    data_home: str | PathLike[str] | None = None,
) -> Bunch:
    """Load a MovieLens data set: ratings with time stamps, titles, genres and tags.

    The files may be those of ml-100k (``u.data``), of ml-1m and ml-10m (``ratings.dat``), or of
    ml-20m, ml-25m, ml-32m and ml-latest (``ratings.csv``). The format is detected.

    Parameters
    ----------
    name : str, default="movielens_small"
        The folder in the data home, such as "ml-1m".
    as_frame : bool, default=False
        Whether the tables are pandas DataFrames rather than Bunches of arrays.
    data_home : str or path-like, default=None
        The folder that holds the folder `name`; see `get_data_home`.

    Returns
    -------
    movielens : :class:`~sklearn.utils.Bunch`
        Each table is a Bunch with an array for each column, or a DataFrame.

        ratings : Bunch or DataFrame
            Columns ``user_id`` (int64), ``movie_id`` (int64), ``rating`` (float64, 0.5 to 5) and
            ``timestamp`` (int64, seconds since 1970), in the order of the file.
        movies : Bunch or DataFrame
            Columns ``movie_id`` (int64), ``title`` (str) and ``genres`` (str, separated by "|").
            Some films have no rating.
        tags : Bunch or DataFrame
            Columns ``user_id`` (int64), ``movie_id`` (int64), ``tag`` (str) and ``timestamp``
            (int64). Empty if the data set has no tags (ml-100k, ml-1m).
        DESCR : str
            The origin of the data, and the terms of use.

    See Also
    --------
    load_sequences : Time-ordered histories with a fixed split.

    References
    ----------
    .. [1] F. M. Harper and J. A. Konstan, "The MovieLens Datasets: History and Context", ACM
       Transactions on Interactive Intelligent Systems 5(4), 2015. :doi:`10.1145/2827872`

    Examples
    --------
    >>> from sktransrec.datasets import load_movielens
    >>> movielens = load_movielens("ml-1m")  # doctest: +SKIP
    >>> movielens.ratings.rating.shape  # doctest: +SKIP
    (1000209,)
    """
    folder = find_data(name, data_home=data_home, origin=_ORIGIN)
    for ratings_file, read_tables in _READERS.items():
        if (folder / ratings_file).exists():
            tables = read_tables(folder)
            break
    else:
        raise FileNotFoundError(
            f"{folder} holds none of {', '.join(_READERS)}: unpack a data set from {_ORIGIN} "
            "into this folder."
        )
    if as_frame:
        tables = {table: import_pandas().DataFrame(columns) for table, columns in tables.items()}
    return Bunch(**tables, DESCR=_DESCR)


def _read_csv(folder):
    _header, _, ratings = (folder / "ratings.csv").read_bytes().partition(b"\n")
    return _tables(folder, "csv", ratings.replace(b",", b" "), _read_csv_columns)


def _read_dat(folder):
    ratings = (folder / "ratings.dat").read_bytes()
    return _tables(folder, "dat", ratings.replace(b"::", b" "), _read_dat_columns)


def _tables(folder, ending, ratings, read_columns):
    """Return all tables, given the text of the ratings and what reads the columns of the others."""
    tags = folder / f"tags.{ending}"
    return {
        "ratings": _ratings(ratings, folder / f"ratings.{ending}"),
        "movies": _movies(*read_columns(folder / f"movies.{ending}")),
        "tags": _tags(*read_columns(tags)) if tags.exists() else _tags(),
    }


def _read_100k(folder):
    lines = read_lines(folder / "u.item")
    ids, titles, *_ = columns = list(zip(*(line.split("|") for line in lines), strict=True))
    flags = zip(*columns[-len(_GENRES_100K) :], strict=True)
    genres = [
        "|".join(genre for genre, flag in zip(_GENRES_100K, row, strict=True) if flag == "1")
        for row in flags
    ]
    return {
        "ratings": _ratings((folder / "u.data").read_bytes(), folder / "u.data"),
        "movies": _movies(ids, titles, genres),
        "tags": _tags(),
    }


_READERS = {"ratings.csv": _read_csv, "ratings.dat": _read_dat, "u.data": _read_100k}


def _ratings(text, path):
    """Return the table of ratings in the bytes read from `path`, separated by white space."""
    # Time stamps are below 2 ** 53: float64 holds them exactly.
    numbers = parse_numbers(text, np.float64, path)
    if len(numbers) % 4:
        raise ValueError(f"{path} must hold a user, a movie, a rating and a time in each line.")
    users, movies, ratings, times = numbers.reshape(-1, 4).T
    return Bunch(
        user_id=users.astype(np.int64),
        movie_id=movies.astype(np.int64),
        rating=ratings.copy(),
        timestamp=times.astype(np.int64),
    )


def _movies(ids, titles, genres):
    return Bunch(
        movie_id=np.array(ids, dtype=np.int64),
        title=np.array(titles, dtype=object),
        genres=np.array(genres, dtype=object),
    )


def _tags(users=(), movies=(), tags=(), times=()):
    return Bunch(
        user_id=np.array(users, dtype=np.int64),
        movie_id=np.array(movies, dtype=np.int64),
        tag=np.array(tags, dtype=object),
        timestamp=np.array(times, dtype=np.int64),
    )


def _read_csv_columns(path):
    with path.open(encoding="utf-8", newline="") as lines:
        _header, *rows = csv.reader(lines)
    return list(zip(*rows, strict=True))


def _read_dat_columns(path):
    rows = (line.split("::") for line in read_lines(path))
    return list(zip(*rows, strict=True))
