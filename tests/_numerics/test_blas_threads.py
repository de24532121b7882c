"""Calls that ask for one BLAS thread leave as many as there were, however they overlap."""

import os
import signal
import threading
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from joblib import Parallel, delayed
from threadpoolctl import threadpool_info, threadpool_limits

from sktransrec import ALSRecommender, BiasedMFRecommender, BPRRecommender, LogisticMFRecommender
from sktransrec._numerics._blas_threads import one_blas_thread


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def _two_threads():
    with threadpool_limits(2, "blas"):
        assert blas_threads() == {2}
        yield
        assert blas_threads() == {2}


@pytest.mark.parametrize("inner", [False, True])
@pytest.mark.parametrize("outer", [False, True])
@pytest.mark.parametrize("first_out", ["first in", "last in"])
def test_calls_that_overlap(outer, inner, first_out):
    contexts = [one_blas_thread(look_again=outer), one_blas_thread(look_again=inner)]
    for context in contexts:
        context.__enter__()
        assert blas_threads() == {1}
    if first_out == "last in":
        contexts.reverse()
    contexts[0].__exit__(None, None, None)
    assert blas_threads() == {1}
    contexts[1].__exit__(None, None, None)
    assert blas_threads() == {2}


def test_errors_inside():
    with one_blas_thread():
        with pytest.raises(KeyError), one_blas_thread(look_again=True):
            raise KeyError
        assert blas_threads() == {1}
    assert blas_threads() == {2}


def test_threads_in_any_order():
    seen = set()
    start = threading.Barrier(8)

    def work(seed):
        pauses = np.random.RandomState(seed).uniform(0, 1e-3, size=20)
        start.wait()
        for i, pause in enumerate(pauses):
            with one_blas_thread(look_again=i % 5 == 0):
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
def test_a_fork_finds_no_lock_held():
    """A child is forked again and again while another thread enters and leaves."""
    stop = threading.Event()

    def enter_and_leave():
        while not stop.is_set():
            with one_blas_thread(look_again=True):
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
