# SPDX-License-Identifier: BSD-3-Clause
"""Save the version of the package with an object, and warn if another version loads it."""

import warnings

_STAMP = "_sktransrec_version"


class VersionStampMixin:
    """Mixin for classes that users save: it saves the version of this package with the object.

    scikit-learn does this for its own modules only. pickle, joblib, skops and `deepcopy` all use
    the state below.
    """

    def __getstate__(self):
        return {**super().__getstate__(), _STAMP: _current_version()}

    def __setstate__(self, state):
        attributes = dict(state)
        saved_by = attributes.pop(_STAMP, None)
        if saved_by != _current_version():
            warnings.warn(_of_another_version(self, saved_by), UserWarning, stacklevel=2)
        vars(self).update(attributes)


def _current_version():
    from . import __version__

    return __version__


def _of_another_version(item, saved_by):
    """Return the warning about an object of another version, where None is an unknown old one."""
    name, current = type(item).__name__, _current_version()
    saver, other = "an old sktransrec that notes no version", ""
    if saved_by is not None:
        saver, other = f"sktransrec {saved_by}", f", or load it with sktransrec=={saved_by}"
    return (
        f"{name} was saved by {saver} and is loaded by {current}: it may fail or give wrong "
        f"results. Fit it again and save it with {current}{other}."
    )
