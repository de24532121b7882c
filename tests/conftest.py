import os
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# A busy machine fails no test by being slow.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

HAS_TENSORFLOW = find_spec("tensorflow") is not None


@pytest.fixture(scope="session")
def data_home():
    """Return the folder of the real data sets, or skip the test."""
    folder = os.environ.get("SKTRANSREC_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("SKTRANSREC_DATA does not name the folder of the real data sets")
    return Path(folder)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup():
    return (yield from _skipped_without_tensorflow())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call():
    return (yield from _skipped_without_tensorflow())


def _skipped_without_tensorflow():
    """Skip a test that trains a network where TensorFlow is not installed."""
    try:
        return (yield)
    except BaseException as error:
        if HAS_TENSORFLOW or not any(map(_asks_for_tensorflow, _chain(error))):
            raise
        pytest.skip("trains a network, and TensorFlow is not installed")


def _chain(error):
    """Return an error and what it came from; `pytest.warns` and joblib wrap it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _asks_for_tensorflow(error):
    if isinstance(error, ModuleNotFoundError) and error.name in ("tensorflow", "keras", "scikeras"):
        return True
    return "needs TensorFlow" in f"{error} {getattr(error, 'stderr', '')}"


@pytest.fixture
def forget_networks():
    """Return what makes the fits that follow build their networks anew."""
    from sktransrec._engine import _learner

    return _learner._idle_trainers.clear
