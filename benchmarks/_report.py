"""What every benchmark shares: the cost of a call, mean and standard error, and tables."""

import gc
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

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


def mean_and_error(per_row):
    """Return "mean ± standard error" of a metric's values per row, NaN rows left out."""
    values = np.asarray(per_row, dtype=np.float64)
    values = values[~np.isnan(values)]
    error = values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():.4f} ± {error:.4f}"


def format_table(header, rows, *, markdown=False):
    """Return rows of values as text: the first column to the left, the others to the right.

    Floats are given two decimals, None and NaN become a dash; pass a string for another format.
    """
    cells = [list(header), *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [[row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in cells]
    rule = ["-" * width for width in widths]
    if markdown:
        rule[1:] = [f"{dashes[:-1]}:" for dashes in rule[1:]]
        return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], rule, *lines[1:]])
    return "\n".join("  ".join(line).rstrip() for line in [lines[0], rule, *lines[1:]])


def environment(*packages, blas_threads=1):
    """Return a line naming the machine, the BLAS threads and the versions of the packages."""
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    threads = "one BLAS thread" if blas_threads == 1 else f"{blas_threads} BLAS threads"
    return f"{_cpu_name()}, {threads}, Python {platform.python_version()}, {versions}"


def _cell(value):
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


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


def _cpu_name():
    try:
        cpu_info = Path("/proc/cpuinfo").read_text()
        return cpu_info.split("model name")[1].split("\n")[0].strip("\t: ")
    except (OSError, IndexError):
        return platform.processor() or platform.machine()
