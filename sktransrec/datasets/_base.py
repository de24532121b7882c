# SPDX-License-Identifier: BSD-3-Clause
"""Finding the data sets, and reading files of integers into arrays."""

import os
import warnings
from os import PathLike
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from .._numerics._row_totals import numbers_within

_HOME_VARIABLE = "SKTRANSREC_DATA"


def get_data_home(data_home: str | PathLike[str] | None = None) -> Path:
    """Return the folder in which the loaders look for data sets.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder. None means the environment variable ``SKTRANSREC_DATA`` or, if it is not set,
        the folder ``sktransrec_data`` in the home directory.

    Returns
    -------
    data_home : pathlib.Path
        The folder. It may not exist: nothing is created or downloaded.

    See Also
    --------
    make_cross_domain : Generates two related domains and needs no files.

    Examples
    --------
    >>> from sktransrec.datasets import get_data_home
    >>> get_data_home("my_data").name
    'my_data'
    """
    if data_home is None:
        data_home = os.environ.get(_HOME_VARIABLE) or Path("~") / "sktransrec_data"
    return Path(data_home).expanduser()


def find_data(*names, data_home, origin):
    """Return the first of the folders or files called `names` that exists in the data home.

    The error names `origin`, the place to get the data from.
    """
    home = get_data_home(data_home)
    for name in names:
        if (home / name).exists():
            return home / name
    looked_for = " or ".join(str(home / name) for name in names)
    raise FileNotFoundError(
        f"{looked_for} does not exist. Get the data from {origin}, and pass the folder that holds "
        f"{' or '.join(repr(name) for name in names)} as data_home or set the environment "
        f"variable {_HOME_VARIABLE} to it."
    )


def read_lines(path):
    """Return the lines of a text in UTF-8, or in the Latin-1 of older data sets."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    # Not splitlines: it also splits at the sign that Latin-1 reads from an ellipsis.
    lines = text.replace("\r\n", "\n").split("\n")
    return lines if lines[-1] else lines[:-1]


def parse_numbers(text, dtype, path):
    """Return the numbers, separated by white space, in the bytes read from `path`."""
    try:
        with warnings.catch_warnings():
            # numpy before 2.3 only warns if something is not a number.
            warnings.simplefilter("error", DeprecationWarning)
            return np.fromstring(text, sep=" ", dtype=dtype)
    except (ValueError, DeprecationWarning) as error:
        raise ValueError(f"{path} holds something other than numbers: {error}.") from error


def read_integer_lines(path):
    """Return all integers in a file, in order, and the number of integers in each line.

    Integers are separated by white space or a colon.
    """
    text = path.read_bytes().replace(b":", b" ")
    values = parse_numbers(text, np.int64, path)
    counts = _words_per_line(text)
    if len(values) != counts.sum():
        raise ValueError(f"{path} holds something other than integers.")
    return values, counts


def read_integer_table(path):
    """Return the integers of a file as a matrix; all lines must have the same length."""
    values, counts = read_integer_lines(path)
    if len(counts) == 0 or (counts != counts[0]).any():
        raise ValueError(f"{path} must hold the same number of integers in each line.")
    return values.reshape(len(counts), -1)


def read_integer_lists(path):
    """Return the first integer of each line, all others in one array, and their number per line."""
    values, counts = read_integer_lines(path)
    if (counts == 0).any():
        raise ValueError(f"{path} has an empty line: line {np.argmin(counts) + 1}.")
    is_first = numbers_within(counts) == 0
    return values[is_first], values[~is_first], counts - 1


def indicator_matrix(rows, columns, shape):
    """Return a float32 `csr_array` with a one at each (row, column)."""
    ones = np.ones(len(rows), dtype=np.float32)
    matrix = sp.csr_array((ones, (rows, columns)), shape=shape)
    matrix.data[:] = 1
    return matrix


def _words_per_line(text):
    """Return the number of words in each line of the bytes `text`."""
    if not text.endswith(b"\n") and text:
        text += b"\n"
    characters = np.frombuffer(text, dtype=np.uint8)
    in_word = characters > ord(" ")
    starts = np.flatnonzero(in_word & ~np.concatenate(([False], in_word[:-1])))
    ends = np.flatnonzero(characters == ord("\n"))
    return np.diff(np.searchsorted(starts, ends), prepend=0)
