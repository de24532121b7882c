"""The version in a saved object, and the warning where another version loads it."""

import warnings

_STAMP = "_sktransrec_version"


class VersionStampMixin:
    """Mixin for what users save: it travels with the version of this package.

    scikit-learn stamps the classes of its own modules only. pickle, joblib and skops all ask for
    the state below, and so does `deepcopy`.
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
    """Return what to say of an object that another version saved, None being one of long ago."""
    name, current = type(item).__name__, _current_version()
    saver, other = "an old sktransrec that notes no version", ""
    if saved_by is not None:
        saver, other = f"sktransrec {saved_by}", f", or load it with sktransrec=={saved_by}"
    return (
        f"{name} was saved by {saver} and is loaded by {current}: it may fail or give wrong "
        f"results. Fit it again and save it with {current}{other}."
    )
