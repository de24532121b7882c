# SPDX-License-Identifier: BSD-3-Clause
"""What a log says to an encoder that was fitted on another one."""

import copy
from collections.abc import Iterable, Mapping
from itertools import chain

import numpy as np

from .._ids import joined_ids
from ._coded import CodedEvents
from ._events import read_ids, read_values


def ignoring_unknown(encoder):
    """Return a fitted encoder that leaves out unknown ids."""
    tolerant = copy.copy(encoder)
    tolerant.unknown = "ignore"
    return tolerant


def knowing_items(encoder, item_ids):
    """Return a fitted encoder that knows more items, after those that it knows already."""
    wider = copy.copy(encoder)
    wider.items_ = joined_ids([encoder.items_, item_ids])
    wider.n_items_ = len(wider.items_)
    return wider


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
    values = [value for basket in baskets for value in _values_of(basket)]
    values = read_values({"baskets": values}, "baskets")
    coded = CodedEvents(rows, columns, values, None, (len(baskets), encoder.n_items_))
    unknown = [one for one, column in zip(ids, columns, strict=True) if column < 0]
    return coded.chosen(columns >= 0), unknown


def _check_basket(encoder, basket):
    if isinstance(basket, str | bytes) or not isinstance(basket, Iterable):
        raise ValueError(
            f"baskets holds {basket!r}, which is no basket: pass a list of item ids for each, such "
            f"as baskets=[[{basket!r}]]."
        )
    if encoder.value is None and isinstance(basket, Mapping):
        raise ValueError(
            f"The encoder reads no values of events, and baskets holds {basket!r}: pass a list of "
            "item ids for each."
        )
    if encoder.value is not None and len(basket) and not isinstance(basket, Mapping):
        raise ValueError(
            f"The encoder reads the values of events from the column {encoder.value!r}, and "
            f"baskets holds item ids without values: pass a dict from item ids to values for each, "
            "or users and history."
        )


def _values_of(basket):
    return basket.values() if isinstance(basket, Mapping) else [1.0] * len(basket)
