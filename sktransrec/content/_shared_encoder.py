# SPDX-License-Identifier: BSD-3-Clause
"""Large encoders as parameters: copies share them, and saved files leave them out."""

import copy
import inspect
import reprlib

import numpy as np

from ._loaded_once import LoadedOnce


class SharesEncoderMixin:
    """Mixin of estimators with a parameter that may be a function of a large pretrained network.

    Copies and clones share such a function. A saved estimator holds it only if it is saved by its
    name, or if the estimator has the parameter `saves_encoder` and it is True. A transformer, which
    has learned what it knows from the user's data, is copied and saved like every parameter.

    A subclass names the parameter in `_encoder_parameter`.
    """

    def _shared_encoder(self):
        """Return the encoder if it is a function, None otherwise."""
        encoder = vars(self).get(self._encoder_parameter)
        return encoder if callable(encoder) and not hasattr(encoder, "fit") else None

    def __sklearn_clone__(self):
        encoder = self._shared_encoder()
        if encoder is None:
            return super().__sklearn_clone__()
        bare = copy.copy(self)
        setattr(bare, self._encoder_parameter, None)
        other = super(SharesEncoderMixin, bare).__sklearn_clone__()
        setattr(other, self._encoder_parameter, encoder)
        return other

    def __copy__(self):
        other = type(self).__new__(type(self))
        vars(other).update(vars(self))
        return other

    def __deepcopy__(self, memo):
        encoder = self._shared_encoder()
        if encoder is not None:
            memo[id(encoder)] = encoder
        other = memo[id(self)] = type(self).__new__(type(self))
        vars(other).update(copy.deepcopy(vars(self), memo))
        return other

    def __getstate__(self):
        state, encoder = super().__getstate__(), self._shared_encoder()
        saves = getattr(self, "saves_encoder", False)
        if encoder is None or saves or _is_saved_by_name(encoder):
            return state
        return {**state, self._encoder_parameter: UnsavedEncoder(_name(encoder))}


class UnsavedEncoder:
    """Stands where an encoder was left out of a saved estimator."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"UnsavedEncoder({self.name!r})"

    def __call__(self, values):
        raise RuntimeError(
            f"The encoder {self.name} was left out when its estimator was saved or sent to another "
            "process. Give it back with set_params(encoder=...) of the PretrainedEncoder, which a "
            "fitted recommender has as transformer_. To keep it in saved files, pass "
            "PretrainedEncoder(..., saves_encoder=True); encoders of sktransrec.content are saved "
            "by their path."
        )


def _is_saved_by_name(encoder):
    """Return whether a saved encoder is no more than a name or a path."""
    if inspect.isfunction(encoder):
        return "<" not in encoder.__qualname__
    return isinstance(encoder, LoadedOnce | UnsavedEncoder | np.ufunc)


def _name(encoder):
    return getattr(encoder, "__qualname__", None) or reprlib.repr(encoder)
