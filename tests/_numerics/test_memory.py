# SPDX-License-Identifier: BSD-3-Clause
"""What a fit may take is the least that the machine, a container or a limit leaves it."""

import resource

import numpy as np
import pytest

from sktransrec import EASERecommender
from sktransrec._numerics import _memory

GIB = 2**30


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Return a function that writes the files of a machine with 8 GiB available."""
    monkeypatch.setattr(_memory, "_ROOT", tmp_path)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)

    def write(path, text):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(f"{text}\n")

    write("proc/meminfo", f"MemTotal: {16 * 2**20} kB\nMemAvailable: {8 * 2**20} kB")
    return write


def write_group(write, folder, *, version, limit, used, cache):
    names = {
        1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        2: ("memory.max", "memory.current", "inactive_file"),
    }[version]
    write(f"{folder}/{names[0]}", limit)
    write(f"{folder}/{names[1]}", used)
    write(f"{folder}/memory.stat", f"anon 1\n{names[2]} {cache}")


def test_without_limits_it_is_what_the_machine_has(machine):
    assert _memory.available_memory() == 8 * GIB


@pytest.mark.parametrize(
    ("version", "line", "mount"),
    [
        (1, "4:cpu,memory:/jobs/my:own", "sys/fs/cgroup/memory"),
        (2, "0::/jobs/my:own", "sys/fs/cgroup"),
    ],
)
@pytest.mark.parametrize(
    "folder", ["jobs/my:own", "jobs", "."], ids=["own group", "group above", "in a container"]
)
def test_the_limit_of_a_control_group_counts(machine, version, line, mount, folder):
    machine("proc/self/cgroup", f"5:devices:/\n{line}")
    numbers = {"limit": 4 * GIB, "used": 3 * GIB, "cache": GIB // 2}
    write_group(machine, f"{mount}/{folder}", version=version, **numbers)
    assert _memory.available_memory() == 1.5 * GIB
    with pytest.raises(MemoryError, match=r"EASERecommender needs 1\.6 GiB .* 1\.5 GiB .*\. Less"):
        _memory.require_memory(1.6 * GIB, EASERecommender(), "Less.")
    _memory.require_memory(1.4 * GIB, EASERecommender(), "Less.")


@pytest.mark.parametrize(("version", "no_limit"), [(1, 2**63 - 4096), (2, "max")])
def test_a_control_group_without_a_limit_does_not(machine, version, no_limit):
    machine("proc/self/cgroup", "0::/\n4:memory:/")
    folder = "sys/fs/cgroup/memory" if version == 1 else "sys/fs/cgroup"
    write_group(machine, folder, version=version, limit=no_limit, used=GIB, cache=0)
    assert _memory.available_memory() == 8 * GIB


@pytest.mark.parametrize(("limit", "field"), [("RLIMIT_AS", "VmSize"), ("RLIMIT_DATA", "VmData")])
def test_the_limits_of_the_process_count(machine, limit, field, monkeypatch):
    machine("proc/self/status", f"Name:\tpython a b\n{field}:\t {2**20} kB\nVmRSS:\t 5 kB")
    limits = {getattr(resource, limit): (3 * GIB, 9 * GIB)}
    unlimited = (resource.RLIM_INFINITY,) * 2
    monkeypatch.setattr(resource, "getrlimit", lambda which: limits.get(which, unlimited))
    assert _memory.available_memory() == 2 * GIB
    for other in {resource.RLIMIT_AS, resource.RLIMIT_DATA} - {*limits}:
        limits[other] = (GIB, GIB)  # and what is used of it is unknown
    assert _memory.available_memory() == 2 * GIB
    limits[getattr(resource, limit)] = (GIB // 2, GIB)
    assert _memory.available_memory() == 0


def test_where_nothing_is_known_it_is_the_physical_memory_or_infinite(tmp_path, monkeypatch):
    monkeypatch.setattr(_memory, "_ROOT", tmp_path)

    def refuse(*_):
        raise OSError

    monkeypatch.setattr(resource, "getrlimit", refuse)
    assert 2**20 < _memory.available_memory() < np.inf
    monkeypatch.setattr(_memory.os, "sysconf", refuse)
    assert _memory.available_memory() == np.inf


def test_it_is_known_here():
    assert 2**20 < _memory.available_memory() < np.inf
