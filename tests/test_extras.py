# SPDX-License-Identifier: BSD-3-Clause
"""Who lacks a package reads how to install it, and what went wrong."""

import sys

import pytest

from sktransrec._extras import asks_to_install


def test_a_missing_package_is_asked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "a_package", None)
    with (
        pytest.raises(ImportError, match=r"^pip install a_package$") as raised,
        asks_to_install("pip install a_package"),
    ):
        import a_package  # noqa: F401
    assert "a_package" in str(raised.value.__cause__)


def test_other_errors_stay_what_they_are():
    with pytest.raises(ZeroDivisionError), asks_to_install("pip install a_package"):
        1 / 0  # noqa: B018
