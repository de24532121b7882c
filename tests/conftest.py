# SPDX-License-Identifier: BSD-3-Clause
import functools
import gc
import inspect
import multiprocessing
import os
import sys
import textwrap
import typing
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# Threads of BLAS that wait for work keep the processors busy, which other tests need. Users have
# more than one, see test_two_threads.py. This has no effect once NumPy is imported.
for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

# A busy machine fails no test by being slow. Pass --hypothesis-profile=thorough for more examples.
PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("quick", max_examples=25, **PATIENT)
settings.register_profile("thorough", max_examples=300, **PATIENT)
settings.load_profile("quick")

# Tests make many objects and few cycles of them.
gc.set_threshold(50_000, 20, 100)

HAS_TENSORFLOW = find_spec("tensorflow") is not None


@pytest.fixture(scope="session")
def data_home():
    """Return the folder of the real data sets, or skip the test."""
    folder = os.environ.get("SKTRANSREC_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("SKTRANSREC_DATA does not name the folder of the real data sets")
    return Path(folder)


def pytest_collection_finish():
    """Let the collector of garbage pass by what was imported and collected, which stays."""
    gc.freeze()


def pytest_sessionstart():
    """Remember what does not change while the tests run."""
    from narwhals import _utils as narwhals_utils
    from sklearn.base import BaseEstimator
    from sklearn.utils import _param_validation

    from sktransrec._engine import _idle_trainers, _keras

    # More networks than users need: many tests train the same few.
    _idle_trainers._N_TRAINERS = 512
    _keras.import_tensorflow = _without_optimized_graphs(_keras.import_tensorflow)
    # The parameters of classes and functions, for which scikit-learn asks at each clone and call.
    names = functools.cache(BaseEstimator._get_param_names.__func__)
    BaseEstimator._get_param_names = classmethod(lambda cls: [*names(cls)])
    _param_validation.signature = functools.cache(inspect.signature)
    # Whether a class is one of a table, for which scikit-learn asks at each array.
    if hasattr(narwhals_utils, "_hasattr_static"):
        has = functools.cache(narwhals_utils._hasattr_static)
        narwhals_utils._hasattr_static = lambda table, name: has(type(table), name)
    # What a protocol asks for, as from Python 3.12 on; TensorFlow asks for each tensor.
    if sys.version_info < (3, 12):
        typing._get_protocol_attrs = functools.cache(typing._get_protocol_attrs)


def _without_optimized_graphs(import_tensorflow):
    """Graphs that run a few times take longer to optimize than to run."""

    @functools.cache
    def imported():
        tensorflow, *others = import_tensorflow()
        tensorflow.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
        return tensorflow, *others

    return imported


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


@pytest.fixture(params=["threading", pytest.param("loky", marks=pytest.mark.slow)])
def workers(request):
    """Run parallel jobs in threads; in processes, which import all anew, where slow tests run."""
    import joblib

    with joblib.parallel_config(backend=request.param):
        yield


@pytest.fixture(scope="module")
def few_draws():
    """Draw fewer pairs, resamples and folds, for tests that do not ask how well a model chooses."""
    from sktransrec.evaluation import proxy_a_distance
    from sktransrec.evaluation._gain import measured_gain
    from sktransrec.recommenders import _content_calibration

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_content_calibration, "_N_PAIRS", 2000)
        patch.setitem(measured_gain.__kwdefaults__, "n_resamples", 500)
        patch.setitem(proxy_a_distance.__wrapped__.__kwdefaults__, "cv", 2)
        yield


@pytest.fixture
def run_in_new_process():
    """Return what runs a program in a process that has imported the package and no more.

    It takes the program and the names that this knows, and returns the exit code. The processes are
    forks of a server, which starts anew and imports the package once.
    """
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["sktransrec"])

    def run(program, **names):
        process = processes.Process(target=exec, args=(textwrap.dedent(program), names))
        process.start()
        process.join()
        return process.exitcode

    return run


@pytest.fixture
def forget_networks():
    """Return what makes the fits that follow build their networks anew, until the test ends."""
    from sktransrec._engine import _learner

    idle, forgotten = _learner._idle_trainers, []

    def forget():
        forgotten.extend(idle._trainers)
        idle.clear()

    yield forget
    idle._trainers = [*idle._trainers, *forgotten]
