# SPDX-License-Identifier: BSD-3-Clause
"""The examples in the docstrings of the installed package run and show what they print."""

import doctest
import importlib
import pkgutil

import pytest

import sktransrec

MODULES = [
    "sktransrec",
    *(module.name for module in pkgutil.walk_packages(sktransrec.__path__, "sktransrec.")),
]


def _doctests(name):
    finder = doctest.DocTestFinder(exclude_empty=True)
    return [test for test in finder.find(importlib.import_module(name)) if test.examples]


@pytest.mark.parametrize(
    "example",
    [pytest.param(test, id=test.name) for name in MODULES for test in _doctests(name)],
)
def test_example(example):
    if example.name.startswith("sktransrec.distributed."):
        pytest.importorskip("dask")
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    report = []
    runner = doctest.DocTestRunner(optionflags=flags)
    failed = runner.run(example, out=report.append).failed
    assert not failed, "".join(report)
