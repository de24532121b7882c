"""One BLAS thread while many small products run, however many of our threads ask for it."""

import os
import threading
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController


class _Limit:
    """One BLAS thread from the first call in to the last one out.

    Limits that overlapping calls set and restore by themselves would leave BLAS at one thread: the
    second finds one thread, and restores that after the first has restored what there was.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._n_inside = 0
        self._libraries = None
        self._to_restore = []
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._lock.acquire,
                after_in_parent=self._lock.release,
                after_in_child=self._lock.release,
            )

    def enter(self, *, look_again):
        with self._lock:
            look_again = look_again or self._libraries is None
            if look_again:
                self._libraries = ThreadpoolController().select(user_api="blas").lib_controllers
            if look_again or self._n_inside == 0:
                self._to_restore += [(each, each.get_num_threads()) for each in self._libraries]
                for library in self._libraries:
                    _set_num_threads(library, 1)
            self._n_inside += 1

    def leave(self):
        with self._lock:
            self._n_inside -= 1
            # The last number of a library is what it had before the first of us came.
            while self._n_inside == 0 and self._to_restore:
                _set_num_threads(*self._to_restore.pop())


def _set_num_threads(library, n_threads):
    # From 3.8 on, threadpoolctl ignores all but the first thread that sets a number.
    if hasattr(library, "clear_controlling_thread"):
        library.clear_controlling_thread(force=True)
    library.set_num_threads(n_threads)
    if hasattr(library, "clear_controlling_thread"):
        library.clear_controlling_thread(force=True)


_LIMIT = _Limit()


@contextmanager
def one_blas_thread(*, look_again=False):
    """Use one thread in every BLAS, as suits many small products and systems.

    It is cheap enough to be entered for every block of rows: libraries loaded since it was first
    entered are only found with `look_again`, which takes some milliseconds.
    """
    _LIMIT.enter(look_again=look_again)
    try:
        yield
    finally:
        _LIMIT.leave()
