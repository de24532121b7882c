# SPDX-License-Identifier: BSD-3-Clause
"""Vectors of contents on disk: each content that an encoder has seen is found again."""

import functools
import hashlib
import inspect
import os
import tempfile
from pathlib import Path
from types import CodeType, NoneType

import joblib
import numpy as np
import scipy.sparse as sp
from joblib import Memory

from ._loaded_once import LoadedOnce


class VectorStore:
    """The vectors that an encoder has made, in the folder of a `joblib.Memory`.

    A file holds the vectors of many contents with a key for each. Files are only added, so that
    several processes may write at the same time.
    """

    def __init__(self, memory, encoder):
        if not isinstance(memory, Memory):
            memory = Memory(memory and os.fspath(memory), verbose=0)
        self._folder = None
        if memory.location is not None:
            kept = Path(memory.store_backend.location) / "sktransrec_vectors"
            self._folder = kept / _encoder_key(encoder)

    def load(self, keys):
        """Return a list of (keys, vectors) of those contents, among the given, that are known."""
        found = []
        for path in sorted(self._folder.glob("*.joblib")) if self._folder else ():
            known, vectors = joblib.load(path)
            is_wanted = np.isin(known, keys)
            keys = np.setdiff1d(keys, known)
            if is_wanted.any():
                found.append((known[is_wanted], vectors[is_wanted]))
        return found

    def save(self, keys, vectors):
        """Add the vectors of contents."""
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=self._folder)
        os.close(handle)
        joblib.dump((keys, vectors), unfinished)
        name = hashlib.blake2b(keys.tobytes(), digest_size=16).hexdigest()
        os.replace(unfinished, self._folder / f"{name}.joblib")


def content_keys(values):
    """Return a key for the content of each item; equal contents have equal keys."""
    if hasattr(values, "iloc"):
        names, rows = list(values.columns), values.itertuples(index=False, name=None)
        return np.array([joblib.hash((names, row)) for row in rows])
    if sp.issparse(values):
        bounds = zip(values.indptr[:-1], values.indptr[1:], strict=True)
        contents = (
            values.indices[first:last].tobytes() + values.data[first:last].tobytes()
            for first, last in bounds
        )
    elif values.dtype == object:
        contents = (text.encode("utf-8", "surrogatepass") for text in values)
    else:
        contents = (item.tobytes() for item in values)
    kind = f"{values.dtype}{values.shape[1:]}".encode()
    return np.array(
        [hashlib.blake2b(content, digest_size=16, key=kind).hexdigest() for content in contents]
    )


def key_of_encoder(encoder):
    """Return a key that tells encoders apart: by their code, their weights and what they hold.

    None if what an encoder holds cannot be read.
    """
    try:
        return _encoder_key(encoder)
    except ValueError:
        return None


def _encoder_key(encoder):
    """Return the key of an encoder; raise if there is none."""
    try:
        return joblib.hash(_identity(encoder))
    except Exception as error:
        raise ValueError(
            f"encoder={encoder!r} cannot be told from others, so that memory cannot be used "
            f"({type(error).__name__}: {error}): pass a function of a module, or an encoder of "
            "sktransrec.content, which a path tells apart."
        ) from error


def _identity(encoder):
    if isinstance(encoder, LoadedOnce):
        settings, files = encoder.identity()
        return {name: _identity(value) for name, value in settings.items()}, files
    if isinstance(encoder, functools.partial):
        return _identity(encoder.func), encoder.args, encoder.keywords
    if inspect.ismethod(encoder):
        return encoder.__qualname__, _code_of(encoder.__func__), _identity(encoder.__self__)
    if inspect.isfunction(encoder):
        return encoder.__module__, encoder.__qualname__, *_code_of(encoder)
    if hasattr(encoder, "state_dict"):
        # What torch saves differs from process to process, its weights do not.
        weights = {name: np.asarray(each.cpu()) for name, each in encoder.state_dict().items()}
        modules = encoder.modules() if hasattr(encoder, "modules") else [encoder]
        settings = [_settings(module) for module in modules]
        return repr(encoder), getattr(encoder, "max_seq_length", None), settings, weights
    if hasattr(encoder, "get_weights") and hasattr(encoder, "get_config"):
        return encoder.get_config(), encoder.get_weights()
    call = type(encoder).__call__ if callable(encoder) else None
    return (_code_of(call), encoder) if inspect.isfunction(call) else encoder


def _settings(module):
    """Return the numbers and names among the attributes of a torch module."""
    plain = (str, bytes, int, float, tuple, NoneType)
    found = {name: value for name, value in vars(module).items() if isinstance(value, plain)}
    # Encoders switch it themselves.
    return {name: value for name, value in found.items() if name != "training"}


def _code_of(function):
    """Return the code of a function and the values that it takes from where it was made."""
    inside = [_identity(cell.cell_contents) for cell in function.__closure__ or ()]
    return _bytecode(function.__code__), function.__defaults__, function.__kwdefaults__, inside


def _bytecode(code):
    """Return what the code of a function does, and that of the functions in it.

    The source would not tell apart two functions on one line.
    """
    constants = [_constant(each) for each in code.co_consts]
    return code.co_code, code.co_names, constants


def _constant(value):
    """Return a constant of a code in a form that is the same in every process."""
    if isinstance(value, CodeType):
        return _bytecode(value)
    return sorted(map(repr, value)) if isinstance(value, frozenset) else repr(value)
