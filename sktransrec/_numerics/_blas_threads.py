# SPDX-License-Identifier: BSD-3-Clause
"""Limiting BLAS to one thread while many small products run, also from several threads."""

import os
import sys
import threading
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController


class _Limit:
    """One BLAS thread from the first call that enters to the last one that leaves.

    If overlapping calls set and restored limits by themselves, BLAS would stay at one thread: the
    second call finds one thread, and restores one thread after the first has restored the original.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._n_inside = 0
        self._libraries, self._n_modules = [], 0
        self._to_restore = []
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._lock.acquire,
                after_in_parent=self._lock.release,
                after_in_child=self._lock.release,
            )

    def enter(self):
        with self._lock:
            if self._looks_again() or self._n_inside == 0:
                self._limit()
            self._n_inside += 1

    def _limit(self):
        """Set all libraries to one thread, and note how many they had."""
        for library in self._libraries:
            n_threads = library.get_num_threads()
            if n_threads != 1:
                self._to_restore.append((library, n_threads))
                _set_num_threads(library, 1)

    def _looks_again(self):
        """Return whether libraries were looked for: an import may have loaded one since."""
        n_modules = len(sys.modules)
        if n_modules == self._n_modules:
            return False
        self._libraries = ThreadpoolController().select(user_api="blas").lib_controllers
        self._n_modules = n_modules
        return True

    def leave(self):
        with self._lock:
            self._n_inside -= 1
            # The last number that is restored is the one from before the first call.
            while self._n_inside == 0 and self._to_restore:
                _set_num_threads(*self._to_restore.pop())


def _set_num_threads(library, n_threads):
    # From 3.8 on, threadpoolctl lets only the first thread that sets a number set it again.
    if hasattr(library, "clear_controlling_thread"):
        library.clear_controlling_thread(force=True)
    library.set_num_threads(n_threads)
    if hasattr(library, "clear_controlling_thread"):
        library.clear_controlling_thread(force=True)


_LIMIT = _Limit()


@contextmanager
def one_blas_thread():
    """Use one thread in every BLAS; this suits many small products and systems.

    It is cheap enough to enter for every block of rows: libraries are looked for, which takes some
    milliseconds, only if modules were imported since the last call.
    """
    _LIMIT.enter()
    try:
        yield
    finally:
        _LIMIT.leave()
