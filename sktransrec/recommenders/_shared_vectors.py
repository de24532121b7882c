# SPDX-License-Identifier: BSD-3-Clause
"""The vectors of a catalogue, made once for all models that read it by the same transformer."""

import inspect
from typing import Any
from weakref import WeakKeyDictionary

from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from ..content._vector_store import key_of_encoder

# The members of an ensemble often differ in what they do with the vectors alone. What was made is
# forgotten with the container of the content.
_made: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
_N_KEPT = 4


def made_once(content, transformer, make):
    """Return what `make()` returns, or returned before for this content and such a transformer.

    Parameters
    ----------
    content : ItemFeatures
        Recognised as an object, since it never changes.
    transformer : transformer or None
        Unfitted; recognised by its type and parameters, and by what functions and frozen estimators
        among these hold.
    make : callable
    """
    made, state = _made.setdefault(content, []), _state_of(transformer)
    for other, state_then, result in made:
        if state == state_then and _is_same(transformer, other):
            return result
    result = make()
    # The user may change the parameters of a transformer later, but not those of a copy.
    copied = clone(transformer) if hasattr(transformer, "get_params") else transformer
    made[:] = [*made, (copied, state, result)][-_N_KEPT:]
    return result


def _state_of(transformer):
    """Return what changes if a function or a frozen estimator in a transformer learns more."""
    if inspect.isfunction(transformer):
        return object()  # what it reads from outside is not in its code
    if isinstance(transformer, FrozenEstimator) or callable(transformer):
        return key_of_encoder(transformer) or object()  # equal to nothing
    if hasattr(transformer, "get_params"):
        return [_state_of(each) for each in transformer.get_params(deep=False).values()]
    is_list = isinstance(transformer, list | tuple)
    return [_state_of(each) for each in transformer] if is_list else None


def _is_same(one, other):
    """Return whether two parameters are the same, or estimators of the same parameters."""
    if one is other:
        return True
    # A frozen one is fitted, which its parameters do not show.
    if type(one) is not type(other) or isinstance(one, FrozenEstimator):
        return False
    if hasattr(one, "get_params"):
        one, other = one.get_params(deep=False), other.get_params(deep=False)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_is_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return isinstance(one, str | bytes | int | float) and one == other
