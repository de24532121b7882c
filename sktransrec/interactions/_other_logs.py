# SPDX-License-Identifier: BSD-3-Clause
"""Reading a log by an encoder that was fitted on another log."""

import copy
from collections.abc import Iterable, Mapping
from itertools import chain
from numbers import Real

import numpy as np

from ._coded import CodedEvents
from ._events import column_name, read_ids

_LARGEST = float(np.finfo(np.float32).max)


def ignoring_unknown(encoder):
    """Return a fitted encoder that leaves out unknown ids without a warning."""
    tolerant = copy.copy(encoder)
    tolerant.unknown, tolerant._warns = "ignore", False
    return tolerant


def reading_pairs(encoder):
    """Return a fitted encoder that reads users and items alone, whatever else a log holds."""
    plain = ignoring_unknown(encoder)
    plain.value, plain.time, plain.duplicates = None, None, "sum"
    return plain


def with_items(encoder, item_ids):
    """Return a fitted encoder whose columns are these items."""
    other = copy.copy(encoder)
    other.items_, other.n_items_ = item_ids, len(item_ids)
    return other


def user_column(encoder, events):
    """Return the name or the position of the column of a log that holds the user ids."""
    return column_name(events, encoder._column("user", events), "user")


def users_in(encoder, events):
    """Return the user ids of a log, in sorted order."""
    return read_ids(events, encoder._column("user", events), "user")[1]


def unknown_items_in(encoder, events):
    """Return the item ids of a log that the encoder has not seen."""
    ids = read_ids(events, encoder._column("item", events), "item")[1]
    return encoder._new_ids("item", ids)


def library_of(encoder):
    """Return the name of the data frame library of the log that the encoder was fitted on."""
    return encoder._library


def coded_baskets(encoder, baskets):
    """Return lists of item ids as coded events, a row each, and the ids that are unknown."""
    for basket in baskets:
        _check_basket(encoder, basket)
    ids = list(chain.from_iterable(map(list, baskets)))
    rows = np.repeat(np.arange(len(baskets)), list(map(len, baskets)))
    columns = encoder.encode_items(ids) if ids else np.empty(0, dtype=np.intp)
    values = np.array([one for basket in baskets for one in _values_of(basket)], dtype=np.float32)
    coded = CodedEvents(rows, columns, values, None, (len(baskets), encoder.n_items_))
    unknown = [one for one, column in zip(ids, columns, strict=True) if column < 0]
    return coded.chosen(columns >= 0), unknown


def _check_basket(encoder, basket):
    if isinstance(basket, str | bytes) or not isinstance(basket, Iterable):
        raise ValueError(
            f"baskets holds {basket!r}, which is no basket: pass a list of item ids for each, such "
            f"as baskets=[[{basket!r}]]."
        )
    if encoder.value is None and len(basket) and isinstance(basket, Mapping):
        raise ValueError(
            f"The encoder reads no values of events, and baskets holds {basket!r}: pass a list of "
            "item ids for each."
        )
    if encoder.value is not None and len(basket) and not isinstance(basket, Mapping):
        raise ValueError(
            f"The encoder reads the values of events from the column {encoder.value!r}, and "
            "baskets holds item ids without values: pass a dict from item ids to values for each, "
            "or users and history."
        )


def _values_of(basket):
    if not isinstance(basket, Mapping):
        return [1.0] * len(basket)
    for item, value in basket.items():
        if not isinstance(value, Real) or not 0 <= value <= _LARGEST:
            raise ValueError(
                f"baskets holds the value {value!r} for the item {item!r}: pass a finite number of "
                "0 or more."
            )
    return basket.values()
