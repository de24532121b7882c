# SPDX-License-Identifier: BSD-3-Clause
"""What every benchmark shares: the cost of a call, figures with their errors, and tables."""

import gc
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

_MIB = 2**20
_PROC = Path("/proc/self")


@dataclass(frozen=True)
class Cost:
    """What a call cost: seconds of CPU over all threads, of the clock, and MiB of extra memory.

    `peak_mib` is how far the resident memory rose above what the process held before the call;
    NaN where the system cannot tell (anything but Linux).
    """

    cpu_seconds: float
    wall_seconds: float
    peak_mib: float


class Estimate(NamedTuple):
    """A figure and its standard error."""

    value: float
    error: float


def measure(function, *args, blas_threads=1, **kwargs):
    """Call the function and return (its result, its `Cost`)."""
    gc.collect()
    with threadpool_limits(blas_threads, user_api="blas"):
        resident = _reset_peak_memory()
        wall, cpu = time.perf_counter(), time.process_time()
        result = function(*args, **kwargs)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return result, Cost(cpu, wall, (_peak_memory() - resident) / _MIB)


def printed_apart(script, options, *, threads):
    """Return the number that a script prints in a new process with so many threads."""
    variables = ["TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"]
    run = subprocess.run(
        [sys.executable, script, *map(str, options)],
        env={**os.environ, **dict.fromkeys(variables, str(threads))},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(run.stdout)


def beside_ours(measured, trainings, label, repeats):
    """Return lines of a name, a median of repeats that take turns, and that of ours as a multiple.

    ``measured(name)`` measures a training once.
    """
    values = {name: [] for name in trainings}
    for _ in range(repeats):
        for name, of_training in values.items():
            of_training.append(measured(name))
    medians = {name: median(of_training) for name, of_training in values.items()}
    ours = medians["sktransrec"]
    return [(f"{name}, {label}", each, ours / each) for name, each in medians.items()]


def seconds_per_epoch(train, n_epochs):
    """Return the CPU seconds of an epoch of ``train(epochs)``, without what comes before it."""
    seconds = []
    for epochs in (1, 1, 1 + n_epochs):
        start = time.process_time()
        train(epochs)
        seconds.append(time.process_time() - start)
    return (seconds[2] - seconds[1]) / n_epochs


def mean_and_error(per_row):
    """Return the mean of a metric's values per row and its standard error, NaN rows left out."""
    values = np.asarray(per_row, dtype=np.float64)
    values = values[~np.isnan(values)]
    return Estimate(values.mean(), values.std(ddof=1) / np.sqrt(len(values)))


def in_percent(estimate):
    """Return a pair of a figure and its error in per cent."""
    value, error = estimate
    return Estimate(100 * value, 100 * error)


def format_table(columns, lines, *, markdown=False):
    """Return lines of values as text: the first column to the left, the others to the right.

    `columns` maps each heading to the format of its numbers, such as ".2f" or "+.4f". None and NaN
    become a dash.
    """
    cells = [
        list(columns),
        *(
            [format_cell(*cell) for cell in zip(line, columns.values(), strict=True)]
            for line in lines
        ),
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [[line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])] for line in cells]
    rule = ["-" * width for width in widths]
    if markdown:
        rule[1:] = [f"{dashes[:-1]}:" for dashes in rule[1:]]
        return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], rule, *lines[1:]])
    return "\n".join("  ".join(line).rstrip() for line in [lines[0], rule, *lines[1:]])


def format_cell(value, spec):
    """Return a number, an `Estimate`, a text or nothing as the text of a cell."""
    if isinstance(value, str):
        return value
    if isinstance(value, Estimate):
        return f"{value.value:{spec}} ± {value.error:{spec.lstrip('+')}}"
    return "-" if value is None or np.isnan(value) else f"{value:{spec}}"


def _reset_peak_memory():
    """Set the kernel's peak of resident memory to the present and return it in bytes."""
    try:
        (_PROC / "clear_refs").write_text("5")
    except OSError:
        return np.nan
    return _peak_memory()


def _peak_memory():
    try:
        status = (_PROC / "status").read_text()
    except OSError:
        return np.nan
    return 1024 * int(status.split("VmHWM:")[1].split()[0])
