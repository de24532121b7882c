# SPDX-License-Identifier: BSD-3-Clause
"""What is saved with an object: the version of the package, and paths as texts."""

import inspect
import os
import warnings

_STAMP = "_sktransrec_version"


class VersionStampMixin:
    """Mixin for classes that users save: it saves the version of this package with the object.

    scikit-learn does this for its own modules only. pickle, joblib, skops and `deepcopy` all use
    the state below.
    """

    def __getstate__(self):
        return {**super().__getstate__(), _STAMP: current_version()}

    def __setstate__(self, state):
        attributes = dict(state)
        saved_by = attributes.pop(_STAMP, None)
        if saved_by != current_version():
            warnings.warn(_of_another_version(self, saved_by), UserWarning, stacklevel=2)
            attributes = _defaults(type(self)) | attributes
        vars(self).update(attributes)


def _defaults(kind):
    """Return the defaults of an estimator's parameters: an older version may lack some of them."""
    if not hasattr(kind, "get_params"):
        return {}
    parameters = inspect.signature(kind).parameters.items()
    return {name: each.default for name, each in parameters if each.default is not each.empty}


def current_version():
    from . import __version__

    return __version__


def _of_another_version(item, saved_by):
    """Return the warning about an object of another version, where None is an unknown old one."""
    name, current = type(item).__name__, current_version()
    saver, other = "an old sktransrec that notes no version", ""
    if saved_by is not None:
        saver, other = f"sktransrec {saved_by}", f", or load it with sktransrec=={saved_by}"
    return (
        f"{name} was saved by {saver} and is loaded by {current}: it may fail or give wrong "
        f"results. Fit it again and save it with {current}{other}."
    )


def path_as_str(value):
    """Return a path as str, which every system reads, and anything else as it is."""
    return os.fspath(value) if isinstance(value, os.PathLike) else value
