# SPDX-License-Identifier: BSD-3-Clause
"""Packages that only some functions need, and that are imported there."""

from contextlib import contextmanager


@contextmanager
def asks_to_install(message):
    """Raise an ImportError that says what to install, where an import inside fails."""
    try:
        yield
    except ImportError as error:
        raise ImportError(message) from error


def import_pandas():
    with asks_to_install('A table needs pandas: pip install "sktransrec[pandas]"'):
        import pandas
    return pandas


def import_pyplot():
    """Return the part of Matplotlib that makes figures."""
    with asks_to_install('A display needs Matplotlib: pip install "sktransrec[plot]"'):
        from matplotlib import pyplot
    return pyplot
