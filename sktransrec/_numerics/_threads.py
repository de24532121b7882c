"""Work on blocks of rows in threads, as many as the user allows."""

from itertools import chain, islice

from joblib import Parallel, delayed


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
    if len(first) < 2:
        return (function(*block) for block in first)
    parallel = Parallel(n_jobs, require="sharedmem", return_as="generator")
    return parallel(delayed(function)(*block) for block in chain(first, blocks))
