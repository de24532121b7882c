# SPDX-License-Identifier: BSD-3-Clause
"""Files of fitted models: arrays and a description of the objects, without code.

A file has the format of safetensors, so any reader of that format finds the arrays by their names.
With ``n`` bytes of header it holds:

- 8 bytes: n, as an unsigned little-endian integer;
- n bytes: JSON in UTF-8, padded with spaces. For each array, it has ``"name": {"dtype": "F32",
  "shape": [...], "data_offsets": [start, stop]}``; the offsets count from the end of the header.
  ``"__metadata__"`` holds ``format`` ("sktransrec"), ``format_version``, the version of this
  package, and under ``object`` the JSON of the saved object;
- the arrays, little-endian, each one aligned to its numbers.

In the JSON of the object, numbers, texts, true, false and null stand for themselves, and everything
else is ``{"kind": ...}`` with what the kind needs: an array by its name, a sparse array by its
parts, a list by its members, and an object by its class and the values of its attributes.
"""

import base64
import importlib
import json
import math
import mmap
import os
import sys
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from types import FunctionType
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp

__all__ = ["load", "save"]

_FORMAT_VERSION = 1
_ALIGNMENT = 64
_TYPE_NAMES = {
    **{"bool": "BOOL", "float16": "F16", "float32": "F32", "float64": "F64"},
    **{f"int{bits}": f"I{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"U{bits}" for bits in (8, 16, 32, 64)},
}
_DTYPES = {name: np.dtype(dtype).newbyteorder("<") for dtype, name in _TYPE_NAMES.items()}
_SPARSE_PARTS = {
    "csr": ("data", "indices", "indptr"),
    "csc": ("data", "indices", "indptr"),
    "coo": ("data", "row", "col"),
    "dia": ("data", "offsets"),
}
_COLLECTIONS = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
_BUILTIN_TYPES = {each.__name__: each for each in (bool, float, int, object, str)}
# Only objects of these packages are made without asking, and only these functions are named.
_TRUSTED_PACKAGES = ("sktransrec", "sklearn")
_KNOWN_FUNCTIONS = {
    "sktransrec._validation._sklearn._safe_indexing",
    "sktransrec.ensembles._selector._weighted",
    "sklearn.utils._safe_indexing",
}


def save(model: Any, path: str | PathLike[str]) -> None:
    """Save a fitted model, or another object of this package, in a file without code.

    Use it where files must be safe to load, last longer than a pickle, or be shared by several
    processes. An older file of this name stays whole until the new one is written: whatever ends
    the process in between, the old or the new file is there.

    Parameters
    ----------
    model : estimator, RecommendationService, InteractionEncoder or other object
        What to save: an object of this package or of scikit-learn, with whatever it holds, such as
        a `Pipeline`, a search or an ensemble. Objects of other packages can be saved if they are
        plain Python objects.
    path : str or Path
        The file. Any suffix will do.

    See Also
    --------
    load : Load the file.
    RecommendationService : Holds a model together with the ids and names of users and items.

    Notes
    -----
    The file has the format of safetensors: the length of a header as 8 bytes, the header, and the
    arrays. The header is JSON. It has the type, shape and place of each array under the path of its
    attribute, and ``"__metadata__"`` with "format" (``"sktransrec"``), "format_version", the
    version of this package, and under "object" the JSON of the objects: their classes by their
    public names, and the values of their attributes.

    Functions are saved by name only, so those without a name cannot be saved. Neither can objects
    that are written in C, such as the trees of a forest or a column of categories in a DataFrame:
    use :func:`joblib.dump` for these.

    Examples
    --------
    >>> import os, tempfile
    >>> from sktransrec import EASERecommender, load, save
    >>> model = EASERecommender().fit([[1, 1, 0], [1, 0, 1], [0, 1, 1]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, os.path.join(folder, "ease.model"))
    ...     loaded = load(os.path.join(folder, "ease.model"))
    >>> loaded
    EASERecommender()
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"path={str(path)!r} lies in the folder {str(path.parent)!r}, which does not exist: "
            "make the folder first."
        )
    writer = _Writer()
    described = json.dumps(writer.node(model, ""))
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        with open(unfinished, "wb") as file:
            _write(file, described, writer.arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def load(
    path: str | PathLike[str],
    *,
    mmap_mode: Literal["r", "c"] | None = None,
    trusted: Sequence[str] = (),
) -> Any:
    """Load what `save` has saved.

    No code of the file is run: it holds none. Only objects of sktransrec and of scikit-learn are
    made, and those that you trust.

    Parameters
    ----------
    path : str or Path
        The file.
    mmap_mode : {"r", "c"}, default=None
        Map the arrays of the file into memory, so that several processes share them and nothing is
        read before it is needed: "r" for reading only, and "c" with a copy of what is written. None
        reads the whole file.
    trusted : sequence of str, default=()
        Classes of other packages, and functions, that the file may ask for, such as
        "shop.models.OwnRecommender".

    Returns
    -------
    model : object
        The saved object.

    See Also
    --------
    save : Save a file.

    Examples
    --------
    >>> import os, tempfile
    >>> from sktransrec import PopularityRecommender, load, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "popular.model")
    ...     save(PopularityRecommender().fit([[1, 0], [1, 1]]), path)
    ...     load(path).popularity_
    array([1. , 0.5], dtype=float32)
    """
    if mmap_mode not in (None, "r", "c"):
        raise ValueError(f'mmap_mode={mmap_mode!r} is not valid: pass None, "r" or "c".')
    header, start = _header(path)
    metadata = header.pop("__metadata__", {})
    _check_format(metadata, path)
    stop = start + max((each["data_offsets"][1] for each in header.values()), default=0)
    if os.path.getsize(path) < stop:
        raise ValueError(f"{path} is cut off: it should have {stop} bytes. Save it again.")
    buffer = _buffer(path, mmap_mode)
    arrays = {name: _array(buffer, start, **described) for name, described in header.items()}
    return _Reader(arrays, trusted).value(json.loads(metadata["object"]))


def _write(file, described, arrays):
    """Write the arrays, those with the largest numbers first, so that all of them are aligned."""
    from . import __version__

    header = {
        "__metadata__": {
            "format": "sktransrec",
            "format_version": str(_FORMAT_VERSION),
            "sktransrec_version": __version__,
            "object": described,
        }
    }
    stop = 0
    names = sorted(arrays, key=lambda name: -arrays[name].itemsize)
    for name in names:
        start, stop = stop, stop + arrays[name].nbytes
        header[name] = {
            "dtype": _TYPE_NAMES[arrays[name].dtype.name],
            "shape": list(arrays[name].shape),
            "data_offsets": [start, stop],
        }
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % _ALIGNMENT)
    file.write(len(text).to_bytes(8, "little"))
    file.write(text)
    for name in names:
        little = arrays[name].astype(arrays[name].dtype.newbyteorder("<"), copy=False)
        file.write(memoryview(np.ascontiguousarray(little)).cast("B") if little.size else b"")


def _header(path):
    """Return the header of a file, and the place of the first array."""
    with open(path, "rb") as file:
        n_bytes = int.from_bytes(file.read(8), "little")
        text = file.read(n_bytes) if 8 + n_bytes <= os.path.getsize(path) else b""
    try:
        header = json.loads(text)
    except ValueError:
        header = {}
    return (header if isinstance(header, dict) else {}), 8 + n_bytes


def _check_format(metadata, path):
    if metadata.get("format") != "sktransrec":
        raise ValueError(
            f"{path} was not saved by sktransrec.save, or it is cut off. Load what joblib has "
            "saved with joblib.load."
        )
    if int(metadata["format_version"]) > _FORMAT_VERSION:
        raise ValueError(
            f"{path} was saved by sktransrec {metadata['sktransrec_version']}, in a later format "
            "than this version reads: load it with that version."
        )


def _buffer(path, mmap_mode):
    """Return the bytes of a file, read or mapped."""
    with open(path, "rb") as file:
        if mmap_mode is None:
            buffer = bytearray(os.path.getsize(path))
            file.readinto(buffer)  # `bytearray(file.read())` would copy it once more
            return buffer
        access = mmap.ACCESS_READ if mmap_mode == "r" else mmap.ACCESS_COPY
        return mmap.mmap(file.fileno(), 0, access=access)


def _array(buffer, start, dtype, shape, data_offsets):
    if 0 in shape:
        return np.empty(shape, dtype=_DTYPES[dtype])
    # A view of a larger array would be copied by scipy, a view of a buffer is not.
    count, offset = math.prod(shape), start + data_offsets[0]
    return np.frombuffer(buffer, _DTYPES[dtype], count, offset).reshape(shape)


class _Writer:
    """Describes objects, and collects their arrays by name."""

    def __init__(self):
        self.arrays = {}
        self._known = {}
        # An id is unique only while its object lives.
        self._alive = []

    def node(self, value, path):
        """Return what describes a value; `path` names it in errors and names its arrays."""
        if value is None or type(value) in (bool, int, float, str):
            return value
        if id(value) in self._known:
            return {"kind": "same", "number": self._known[id(value)]}
        describe = self._describer(value)
        if describe is None:
            raise TypeError(
                f"{path or 'model'} is a {_path_of(type(value))}, which cannot be saved as data: "
                "save the model with joblib.dump, or without it."
            )
        if isinstance(value, np.ndarray) or sp.issparse(value) or describe == self._of_object:
            number = self._known[id(value)] = len(self._known)
            self._alive.append(value)
            return {**describe(value, path), "number": number}
        return describe(value, path)

    def _describer(self, value):
        kind = type(value)
        if isinstance(value, np.ndarray):
            if isinstance(value, np.ma.MaskedArray):
                return self._of_masked
            return self._of_array if value.dtype.names is None else self._of_structured
        if sp.issparse(value):
            return self._of_sparse if value.format in _SPARSE_PARTS else None
        if kind in _COLLECTIONS.values():
            return lambda v, path: self._of_parts(kind.__name__, v, path)
        if isinstance(value, tuple) and hasattr(kind, "_fields"):
            return self._of_named_tuple
        if isinstance(value, type):
            return self._of_type if _is_plain_type(value) else None
        if isinstance(value, FunctionType):
            return self._of_function if "<" not in value.__qualname__ else None
        others = {
            dict: self._of_dict,
            bytes: lambda v, path: {"kind": "bytes", "base64": base64.b64encode(v).decode()},
            slice: lambda v, path: self._of_parts("slice", (v.start, v.stop, v.step), path),
            range: lambda v, path: self._of_parts("range", (v.start, v.stop, v.step), path),
            np.random.RandomState: lambda v, path: self._of_parts(
                "random state", v.get_state(), path
            ),
        }
        if kind in others:
            return others[kind]
        if isinstance(value, np.dtype):
            return lambda v, path: {"kind": "dtype", "name": v.str}
        if isinstance(value, np.generic):
            return lambda v, path: {**self._of_array(np.asarray(v), path), "kind": "scalar"}
        if isinstance(value, dict) and _has_plain_state(value):
            return self._of_mapping
        return self._of_object if _is_plain_object(value) else None

    def _of_array(self, array, path):
        if array.dtype == object:
            values = [self.node(each, f"{path}[{n}]") for n, each in enumerate(array.ravel())]
            return {"kind": "objects", "values": values, "shape": list(array.shape)}
        dtype = array.dtype.newbyteorder("<")
        is_fortran = array.flags.f_contiguous and not array.flags.c_contiguous
        stored = array.T if is_fortran else array
        if dtype.kind in "UMm":
            # Texts as numbers of their characters, times as integers.
            unit = np.uint32 if dtype.kind == "U" else np.int64
            stored = np.ascontiguousarray(stored.astype(dtype))
            stored = stored.reshape(-1).view(unit) if stored.size else np.empty(0, unit)
        elif array.dtype.name not in _TYPE_NAMES:
            raise TypeError(
                f"{path or 'model'} is an array of {array.dtype}, which cannot be saved."
            )
        name = self._name(path)
        self.arrays[name] = stored
        return {
            "kind": "array",
            "name": name,
            "dtype": dtype.str,
            "shape": list(array.shape),
            "fortran": is_fortran,
        }

    def _name(self, path):
        name = path or "array"
        while name in self.arrays or name == "__metadata__":
            name += "_"
        return name

    def _of_masked(self, array, path):
        parts = {"data": np.asarray(array.data), "mask": np.ma.getmaskarray(array)}
        return {"kind": "masked", **self._parts(parts, path)}

    def _of_structured(self, array, path):
        parts = {name: array[name] for name in array.dtype.names}
        return {"kind": "structured", "shape": list(array.shape), **self._parts(parts, path)}

    def _of_sparse(self, matrix, path):
        parts = {part: getattr(matrix, part) for part in _SPARSE_PARTS[matrix.format]}
        shape = [int(n) for n in matrix.shape]
        kind = type(matrix).__name__
        return {"kind": "sparse", "class": kind, "shape": shape, **self._parts(parts, path)}

    def _parts(self, parts, path):
        return {"parts": {name: self.node(part, f"{path}.{name}") for name, part in parts.items()}}

    def _of_parts(self, kind, values, path):
        members = [self.node(each, f"{path}[{n}]") for n, each in enumerate(values)]
        return {"kind": kind, "values": members}

    def _of_named_tuple(self, values, path):
        described = self._of_parts("named tuple", values, path)
        return {**described, "class": _path_of(type(values))}

    def _of_dict(self, values, path):
        pairs = [
            [self.node(key, f"{path} key"), self.node(each, f"{path}[{key}]")]
            for key, each in values.items()
        ]
        return {"kind": "dict", "pairs": pairs}

    def _of_mapping(self, values, path):
        described = {**self._of_dict(values, path), "state": self.node(vars(values), path)}
        return {**described, "kind": "mapping", "class": _path_of(type(values))}

    def _of_type(self, value, path):
        return {"kind": "type", "name": value.__name__}

    def _of_function(self, value, path):
        return {"kind": "function", "name": _path_of(value)}

    def _of_object(self, value, path):
        state = value.__getstate__() or {}
        return {
            "kind": "object",
            "class": _path_of(type(value)),
            "state": {
                name: self.node(each, f"{path}.{name}".lstrip(".")) for name, each in state.items()
            },
        }


class _Reader:
    """Makes the objects that a `_Writer` has described."""

    def __init__(self, arrays, trusted):
        self._arrays = arrays
        self._trusted = set(trusted)
        self._known = {}

    def value(self, node):
        """Return the value that a description describes."""
        if not isinstance(node, dict):
            return node
        kind = node["kind"]
        if kind == "same":
            return self._known[node["number"]]
        if kind == "object":
            return self._object(node)
        value = self._made(kind, node)
        if "number" in node:
            self._known[node["number"]] = value
        return value

    def _made(self, kind, node):
        if kind in _COLLECTIONS:
            return _COLLECTIONS[kind](map(self.value, node["values"]))
        makers = {
            "array": lambda: self._array(node),
            "scalar": lambda: self._array(node)[()],
            "objects": lambda: _object_array(map(self.value, node["values"]), node["shape"]),
            "masked": lambda: np.ma.MaskedArray(**self._parts(node)),
            "structured": lambda: _structured_array(self._parts(node), node["shape"]),
            "sparse": lambda: self._sparse(node),
            "dict": lambda: {self.value(key): self.value(each) for key, each in node["pairs"]},
            "mapping": lambda: self._mapping(node),
            "named tuple": lambda: self._class(node["class"])(*map(self.value, node["values"])),
            "bytes": lambda: base64.b64decode(node["base64"]),
            "slice": lambda: slice(*map(self.value, node["values"])),
            "range": lambda: range(*map(self.value, node["values"])),
            "dtype": lambda: np.dtype(node["name"]),
            "type": lambda: _plain_type(node["name"]),
            "function": lambda: self._function(node["name"]),
            "random state": lambda: _random_state(tuple(map(self.value, node["values"]))),
        }
        if kind not in makers:
            raise ValueError(f"The file holds a {kind!r}, which this version does not know.")
        return makers[kind]()

    def _array(self, node):
        stored, dtype, shape = self._arrays[node["name"]], np.dtype(node["dtype"]), node["shape"]
        if dtype.kind in "UMm":
            shape = shape[::-1] if node["fortran"] else shape
            stored = stored.view(dtype) if dtype.itemsize else np.empty(shape, dtype)
            stored = stored.reshape(shape)
        return stored.T if node["fortran"] else stored

    def _parts(self, node):
        return {name: self.value(part) for name, part in node["parts"].items()}

    def _sparse(self, node):
        parts, kind = self._parts(node), node["class"]
        name = kind.partition("_")[0]
        if name not in _SPARSE_PARTS or kind not in (f"{name}_array", f"{name}_matrix"):
            raise ValueError(f"The file holds a {kind!r}, which this version does not know.")
        values = [parts[part] for part in _SPARSE_PARTS[name]]
        arguments = (values[0], tuple(values[1:])) if name == "coo" else tuple(values)
        return getattr(sp, kind)(arguments, shape=node["shape"])

    def _mapping(self, node):
        kind = self._class(node["class"])
        if not issubclass(kind, dict):
            raise ValueError(f"The file asks for {node['class']}, which is no dict here.")
        made = kind.__new__(kind)
        vars(made).update(self.value(node["state"]))
        dict.update(made, {self.value(key): self.value(each) for key, each in node["pairs"]})
        return made

    def _object(self, node):
        kind = self._class(node["class"])
        made = kind.__new__(kind)
        self._known[node["number"]] = made
        state = {name: self.value(each) for name, each in node["state"].items()}
        if hasattr(made, "__setstate__"):
            made.__setstate__(state)
        else:
            vars(made).update(state)
        return made

    def _class(self, path):
        is_known = path.partition(".")[0] in _TRUSTED_PACKAGES
        return self._imported(path, type, is_known)

    def _function(self, path):
        return self._imported(path, FunctionType, path in _KNOWN_FUNCTIONS)

    def _imported(self, path, kind, is_known):
        if not is_known and path not in self._trusted:
            raise ValueError(
                f"The file asks for {path}, which is not known to be safe: pass "
                f'trusted=["{path}"] if you trust it.'
            )
        module, _, name = path.rpartition(".")
        found = getattr(importlib.import_module(module), name, None)
        if not isinstance(found, kind) or _path_of(found) != path:
            raise ValueError(
                f"The file asks for {path}, which is not there: it is of a version "
                "that has moved it."
            )
        return found


def _path_of(kind):
    """Return the path of a class or function, the public one if there is one."""
    module = kind.__module__.partition("._")[0]
    if getattr(sys.modules.get(module), kind.__qualname__, None) is not kind:
        module = kind.__module__
    return f"{module}.{kind.__qualname__}"


def _is_plain_object(value):
    """Return whether the object is made of the values of its attributes alone."""
    holds_more = (dict, list, tuple, set, frozenset, str, bytes, int, float)
    return _has_plain_state(value) and not isinstance(value, holds_more)


def _has_plain_state(value):
    kind = type(value)
    return (
        hasattr(value, "__dict__")
        and kind.__reduce__ is object.__reduce__
        and kind.__reduce_ex__ is object.__reduce_ex__
        and kind.__module__ != "builtins"
        and "." not in kind.__qualname__
        and not any(vars(each).get("__slots__") for each in kind.__mro__)
    )


def _is_plain_type(kind):
    return kind in _BUILTIN_TYPES.values() or (
        issubclass(kind, np.generic) and vars(np).get(kind.__name__) is kind
    )


def _plain_type(name):
    kind = _BUILTIN_TYPES.get(name, vars(np).get(name))
    if not (isinstance(kind, type) and _is_plain_type(kind)):
        raise ValueError(f"The file holds the type {name!r}, which is not one of numbers or texts.")
    return kind


def _object_array(values, shape):
    array = np.empty(shape, dtype=object)
    for place, value in enumerate(values):
        array.flat[place] = value
    return array


def _structured_array(parts, shape):
    """Return an array with these fields, which may have more axes than the array."""
    fields = [(name, part.dtype, part.shape[len(shape) :]) for name, part in parts.items()]
    array = np.empty(shape, dtype=fields)
    for name, part in parts.items():
        array[name] = part
    return array


def _random_state(state):
    made = np.random.RandomState()
    made.set_state(state)
    return made
