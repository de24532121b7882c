# SPDX-License-Identifier: BSD-3-Clause
"""Calls that ask for one BLAS thread leave as many as there were, however they overlap."""

import itertools
import os
import signal
import sys
import threading
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from joblib import Parallel, delayed
from threadpoolctl import ThreadpoolController, threadpool_limits

from sktransrec import ALSRecommender, BiasedMFRecommender, BPRRecommender, LogisticMFRecommender
from sktransrec._numerics import _blas_threads
from sktransrec._numerics._blas_threads import one_blas_thread

LIBRARIES = ThreadpoolController().select(user_api="blas").lib_controllers


def blas_threads():
    return {library.get_num_threads() for library in LIBRARIES}


@pytest.fixture(autouse=True)
def _two_threads():
    with threadpool_limits(2, "blas"):
        assert blas_threads() == {2}
        yield
        assert blas_threads() == {2}


@pytest.fixture
def import_a_module(monkeypatch):
    """Return what makes the next call look for libraries again."""
    numbers = itertools.count()
    return lambda: monkeypatch.setitem(sys.modules, f"_imported_{next(numbers)}", None)


@pytest.mark.parametrize("inner", [False, True])
@pytest.mark.parametrize("outer", [False, True])
@pytest.mark.parametrize("first_out", ["first in", "last in"])
def test_calls_that_overlap(outer, inner, first_out, import_a_module):
    contexts = [one_blas_thread(), one_blas_thread()]
    for context, looks_again in zip(contexts, [outer, inner], strict=True):
        if looks_again:
            import_a_module()
        context.__enter__()
        assert blas_threads() == {1}
    if first_out == "last in":
        contexts.reverse()
    contexts[0].__exit__(None, None, None)
    assert blas_threads() == {1}
    contexts[1].__exit__(None, None, None)
    assert blas_threads() == {2}


def test_libraries_are_looked_for_after_imports_only(import_a_module, monkeypatch):
    n_searches = []

    class Counted(ThreadpoolController):
        def __init__(self):
            n_searches.append(1)
            super().__init__()

    monkeypatch.setattr(_blas_threads, "ThreadpoolController", Counted)
    import_a_module()
    for _ in range(3):
        with one_blas_thread():
            pass
    assert len(n_searches) == 1
    import_a_module()
    with one_blas_thread():
        pass
    assert len(n_searches) == 2


def test_errors_inside(import_a_module):
    with one_blas_thread():
        import_a_module()
        with pytest.raises(KeyError), one_blas_thread():
            raise KeyError
        assert blas_threads() == {1}
    assert blas_threads() == {2}


def test_threads_in_any_order(import_a_module):
    seen = set()
    start = threading.Barrier(8)

    def work(seed):
        pauses = np.random.RandomState(seed).uniform(0, 1e-3, size=20)
        start.wait()
        for i, pause in enumerate(pauses):
            if i % 5 == 0:
                import_a_module()
            with one_blas_thread():
                threading.Event().wait(pause)
                seen.update(blas_threads())

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert seen == {1}


@pytest.mark.parametrize(
    "model",
    [
        ALSRecommender(3, max_iter=2, random_state=0),
        BPRRecommender(3, max_iter=2, random_state=0),
        LogisticMFRecommender(3, max_iter=2, random_state=0),
        BiasedMFRecommender(3, max_iter=2, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_models_in_threads(model):
    X = sp.csr_array(np.random.RandomState(0).poisson(0.5, size=(40, 30)).astype(np.float32))
    calls = [delayed(lambda: model.fit(X).decision_function(X))()] * 6
    with threadpool_limits(2, "blas"):
        Parallel(3, backend="threading")(calls)
        assert blas_threads() == {2}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_fork_finds_no_lock_held(import_a_module):
    """A child is forked again and again while another thread enters and leaves."""
    stop = threading.Event()

    def enter_and_leave():
        while not stop.is_set():
            import_a_module()
            with one_blas_thread():
                pass

    worker = threading.Thread(target=enter_and_leave)
    worker.start()
    try:
        for _ in range(10):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                child = os.fork()
            if child == 0:
                signal.alarm(30)
                with one_blas_thread():
                    os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        worker.join()
