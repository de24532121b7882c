# SPDX-License-Identifier: BSD-3-Clause
"""Work on blocks of rows in threads, as many as the user allows."""

from itertools import chain, islice

from joblib import effective_n_jobs
from sklearn.utils.parallel import Parallel, delayed

from ._blas_threads import one_blas_thread

# Blocks take different times: with several for each thread, none waits long for the last one.
_BLOCKS_PER_THREAD = 4


def in_threads(function, blocks, n_jobs=None):
    """Return an iterator of the results of function(*block), in the order of the blocks.

    Parameters
    ----------
    function : callable
    blocks : iterable of tuple
    n_jobs : int or None
        Number of threads. None means that of `joblib.parallel_config`, 1 if there is none. A single
        block is computed at once: asking joblib takes longer than serving a row.
    """
    blocks = iter(blocks)
    first = list(islice(blocks, 2))
    all_blocks = chain(first, blocks)
    n_threads = effective_n_jobs(n_jobs) if len(first) > 1 else 1
    if n_threads == 1:
        return (function(*block) for block in all_blocks)
    return _in_several_threads(function, all_blocks, n_threads)


def rows_per_thread(n_rows, most_rows):
    """Return how many rows a block of `in_threads` has, so that threads end together.

    Parameters
    ----------
    n_rows : int
    most_rows : int
        The most rows that may be in work at the same time.
    """
    n_threads = effective_n_jobs(None)
    if n_threads == 1:
        return most_rows
    return max(1, min(most_rows // n_threads, -(-n_rows // (_BLOCKS_PER_THREAD * n_threads))))


def _in_several_threads(function, blocks, n_threads):
    parallel = Parallel(n_threads, require="sharedmem", return_as="generator")
    with one_blas_thread():
        yield from parallel(delayed(function)(*block) for block in blocks)
