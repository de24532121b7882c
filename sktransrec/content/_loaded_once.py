# SPDX-License-Identifier: BSD-3-Clause
"""Encoders in files: loaded when they are first called, and saved by their path."""

from pathlib import Path
from typing import Any, ClassVar

from .._version_stamp import path_as_str


class LoadedOnce:
    """Base of encoders that load a network when they are first called, or its file has changed.

    A subclass has the attribute `path`, loads the network in ``_load()`` and calls it in
    ``__call__`` by ``self._loaded()``. A saved encoder holds its attributes, but not the network.
    If other attributes are paths of files as well, the subclass names them in `_paths`.
    """

    path: Any

    _paths: ClassVar[tuple[str, ...]] = ("path",)
    _network = None
    _loaded_from: Any = None, {}

    def _loaded(self):
        """Return the network of the file as it is now, or was before it went away."""
        settings, files = self.identity()
        old_settings, old_files = self._loaded_from
        has_changed = any(now and now != old_files.get(name) for name, now in files.items())
        if self._network is None or settings != old_settings or has_changed:
            self._network, self._loaded_from = self._load(), (settings, files)
        return self._network

    def __getstate__(self):
        of_network = {"_network", "_loaded_from"}
        return {n: path_as_str(each) for n, each in vars(self).items() if n not in of_network}

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.__getstate__().items())
        return f"{type(self).__name__}({settings})"

    def identity(self) -> Any:
        """Return what tells this encoder from others, and changed files from those before."""
        settings = {"type": type(self).__name__, **self.__getstate__()}
        paths = {name: settings[name] for name in self._paths}
        return settings, {n: _stamps(path) for n, path in paths.items() if isinstance(path, str)}


def _stamps(path):
    """Return the names, sizes and times of a file, or of all files of a folder."""
    path = Path(path)
    files = sorted(path.rglob("*")) if path.is_dir() else [path] * path.exists()
    return [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]


def check_is_file(path, name):
    """Raise unless the path, which a parameter of this name holds, is that of a file."""
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"{name}={str(path)!r} is not a file: pass the path of one. Relative paths begin at "
            f"{str(Path.cwd())!r}."
        )


def mean_over_places(outputs):
    """Return the mean over all axes of an array but the first and the last."""
    return outputs.mean(axis=tuple(range(1, outputs.ndim - 1)))
