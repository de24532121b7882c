# SPDX-License-Identifier: BSD-3-Clause
"""Loaders of time-ordered histories."""

import json
from os import PathLike
from typing import Literal

import numpy as np
from sklearn.utils import Bunch

from .._validation import COUNT, StrOptions, validate_params
from ._base import find_data, indicator_matrix, read_integer_lists

_ORIGIN = "https://github.com/RUCAIBox/CIKM2020-S3Rec (its folder data)"
_FILE_NAMES = {"lastfm": "LastFM", "beauty": "Beauty"}
_DESCR = {
    "lastfm": (
        "Artists that users of Last.fm tagged, in time order, with the tags of the artists as "
        "attributes; from HetRec 2011 (Cantador, Brusilovsky and Kuflik, RecSys 2011)"
    ),
    "beauty": (
        "Beauty products that people reviewed on Amazon, in time order, with categories and brands "
        "as attributes; from the reviews collected by McAuley and others (SIGIR 2015)"
    ),
}
_DESCR_SPLIT = (
    ". Users and items with fewer than five interactions were dropped by the authors of S3-Rec "
    "(Zhou et al., CIKM 2020, doi:10.1145/3340531.3411954), whose files these are. The last item "
    "of each user is the test item, the one before it the validation item, and all items that the "
    "user has not seen are ranked. No licence is stated."
)


@validate_params({"name": [StrOptions(set(_FILE_NAMES))], "max_length": COUNT})
def load_sequences(
    name: Literal["lastfm", "beauty"],
    *,
    max_length: int = 50,
    data_home: str | PathLike[str] | None = None,
) -> Bunch:
    """Load time-ordered histories, with the last two items of each user held out.

    Item ids start at 1, because 0 is padding. Item id j + 1 is column j of a matrix.

    Parameters
    ----------
    name : {"lastfm", "beauty"}
        The data set.
    max_length : int, default=50
        Width of the padded arrays, at least 1. Longer histories lose their oldest items.
    data_home : str or path-like, default=None
        The folder that holds ``sequences_lastfm`` and ``sequences_beauty``; see `get_data_home`.

    Returns
    -------
    histories : :class:`~sklearn.utils.Bunch`
        In the shapes, n_items is the largest item id.

        sequences : list of ndarray of int
            The whole history of each user, oldest item first.
        X_train : ndarray of shape (n_users, max_length), dtype int32
            The histories without their last two items, padded with zeros at the left.
        y_valid : csr_array of shape (n_users, n_items), dtype float32
            1 for the item that follows `X_train`.
        X_test : ndarray of shape (n_users, max_length), dtype int32
            The histories without their last item, padded with zeros at the left.
        y_test : csr_array of shape (n_users, n_items), dtype float32
            1 for the item that follows `X_test`.
        seen_valid : csr_array of shape (n_users, n_items), dtype float32
            1 for each item of the user before the validation item, for any `max_length`.
        seen_test : csr_array of shape (n_users, n_items), dtype float32
            1 for each item of the user before the test item.
        item_attributes : csr_array of shape (n_items, n_attributes), dtype float32
            1 where the item has the attribute. Attributes are numbered from 1, as in the files.
        DESCR : str
            The origin of the data.

    See Also
    --------
    load_movielens : Event tables with time stamps.

    References
    ----------
    .. [1] K. Zhou et al., "S3-Rec: Self-Supervised Learning for Sequential Recommendation with
       Mutual Information Maximization", CIKM 2020. :doi:`10.1145/3340531.3411954`

    Examples
    --------
    >>> from sktransrec.datasets import load_sequences
    >>> lastfm = load_sequences("lastfm", max_length=20)  # doctest: +SKIP
    >>> lastfm.X_train.shape, lastfm.y_valid.shape  # doctest: +SKIP
    ((1090, 20), (1090, 3646))
    """
    folder = find_data(f"sequences_{name}", data_home=data_home, origin=_ORIGIN)
    path = folder / f"{_FILE_NAMES[name]}.txt"
    _, items, lengths = read_integer_lists(path)
    if lengths.min() < 3:
        raise ValueError(
            f"{path} has a user with fewer than three items, so none is left to learn from: check "
            "the file."
        )
    items = items.astype(np.int32)
    sequences = np.split(items, np.cumsum(lengths)[:-1])
    attributes = _read_attributes(folder / f"{_FILE_NAMES[name]}_item2attributes.json")
    n_items = max(items.max(), attributes[:, 0].max())
    before_valid, before_test = ([row[:-last] for row in sequences] for last in (2, 1))
    return Bunch(
        sequences=sequences,
        X_train=_left_padded(before_valid, max_length),
        y_valid=_items_seen([row[-2:-1] for row in sequences], n_items),
        X_test=_left_padded(before_test, max_length),
        y_test=_items_seen([row[-1:] for row in sequences], n_items),
        seen_valid=_items_seen(before_valid, n_items),
        seen_test=_items_seen(before_test, n_items),
        item_attributes=indicator_matrix(
            attributes[:, 0] - 1, attributes[:, 1], (n_items, 1 + attributes[:, 1].max())
        ),
        DESCR=_DESCR[name] + _DESCR_SPLIT,
    )


def _read_attributes(path):
    """Return the (item, attribute) pairs of a json file that maps items to lists."""
    attributes = json.loads(path.read_text(encoding="utf-8"))
    pairs = [(int(item), attribute) for item, row in attributes.items() for attribute in row]
    return np.array(pairs, dtype=np.int64)


def _left_padded(sequences, length):
    """Return the last `length` items of each sequence, padded with zeros at the left."""
    padded = np.zeros((len(sequences), length), dtype=np.int32)
    for row, sequence in zip(padded, sequences, strict=True):
        latest = sequence[-length:]
        row[length - len(latest) :] = latest
    return padded


def _items_seen(sequences, n_items):
    rows = np.repeat(np.arange(len(sequences)), [len(sequence) for sequence in sequences])
    return indicator_matrix(rows, np.concatenate(sequences) - 1, (len(sequences), n_items))
