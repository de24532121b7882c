# SPDX-License-Identifier: BSD-3-Clause
"""The memory that is left for this process, checked before a large fit."""

import os
from pathlib import Path

import numpy as np

_ROOT = Path("/")
# This much is always there, and asking the system takes milliseconds.
_ALWAYS_AVAILABLE = 2**24


def require_memory(n_bytes, estimator, cure):
    """Raise MemoryError if `n_bytes` is more than the memory that is left for this process."""
    if not fits_memory(n_bytes):
        raise MemoryError(
            f"{type(estimator).__name__} needs {n_bytes / 2**30:.1f} GiB for this fit and "
            f"{available_memory() / 2**30:.1f} GiB are available. {cure}"
        )


def fits_memory(n_bytes):
    """Return whether `n_bytes` are left for this process."""
    return n_bytes <= _ALWAYS_AVAILABLE or n_bytes <= available_memory()


def available_memory():
    """Return the bytes that the machine, the control groups and the limits of the process leave.

    Infinity if nothing is known.
    """
    return max(0, min(_free_memory(), _left_by_control_groups(), _left_by_process_limits()))


def _free_memory():
    """Return the available bytes of the machine; if unknown, its physical memory."""
    try:
        return 1024 * _field(_ROOT / "proc/meminfo", "MemAvailable")
    except (OSError, KeyError, ValueError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return np.inf


def _left_by_control_groups():
    """Return the bytes that the groups of this process and those above them leave (Linux)."""
    try:
        lines = (_ROOT / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return np.inf
    left = [np.inf]
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if controllers == "":
            files = ("memory.max", "memory.current", "inactive_file")
            left += _left_along(_ROOT / "sys/fs/cgroup", group, *files)
        elif "memory" in controllers.split(","):
            files = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            left += _left_along(_ROOT / "sys/fs/cgroup/memory", group, *files)
    return min(left)


def _left_along(mount, group, limit, usage, cache):
    """Yield the bytes that a group and each group above it leave, if it has a limit.

    In a container, the mount is the group itself, with any path of the kernel.
    """
    path = mount / group.strip("/")
    for folder in {mount, path, *(each for each in path.parents if mount in each.parents)}:
        try:
            total = int((folder / limit).read_text())
            # Cached files count as used, but the kernel frees them when memory is needed.
            used = int((folder / usage).read_text()) - _field(folder / "memory.stat", cache)
        except (OSError, KeyError, ValueError):
            continue
        yield total - used


def _left_by_process_limits():
    """Return the bytes that the limits of address space and of data leave (`ulimit -v`, `-d`)."""
    left = [np.inf]
    for limit, used in ("RLIMIT_AS", "VmSize"), ("RLIMIT_DATA", "VmData"):
        try:
            import resource

            soft, _ = resource.getrlimit(getattr(resource, limit))
            if soft != resource.RLIM_INFINITY:
                left.append(soft - 1024 * _field(_ROOT / "proc/self/status", used))
        except (ImportError, AttributeError, OSError, KeyError, ValueError):
            continue
    return min(left)


def _field(path, name):
    """Return the number of the line of a file that says "name 12" or "name: 12 kB"."""
    rows = (line.replace(":", " ").split() for line in path.read_text().splitlines())
    return {row[0]: int(row[1]) for row in rows if row and row[0] == name}[name]
