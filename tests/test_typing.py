# SPDX-License-Identifier: BSD-3-Clause
"""All that users see has types; `mypy`, with the settings of setup.cfg, checks `typed_user.py`."""

import importlib
import inspect
import runpy
from pathlib import Path
from types import FunctionType

import pytest
from numpydoc.docscrape import NumpyDocString

import sktransrec

PROGRAM = Path(__file__).with_name("typed_user.py")
ROOMS = [importlib.import_module(f"sktransrec.{name}") for name in sktransrec._ROOMS]
PUBLIC = {
    f"{each.__module__}.{each.__qualname__}": each
    for module in (sktransrec, *ROOMS)
    for each in (getattr(module, name) for name in module.__all__)
    if inspect.isclass(each) or inspect.isfunction(each)
}


def functions_of(public):
    """Return the public functions of a class and its bases here, or a function alone."""
    if not inspect.isclass(public):
        return [public]
    members = [
        (name, member)
        for base in public.__mro__
        if base.__module__.startswith("sktransrec")
        for name, member in vars(base).items()
        if name == "__init__" or not name.startswith("_")
    ]
    functions = [_function_of(member) for _, member in members]
    return [each for each in functions if isinstance(each, FunctionType)]


def _function_of(member):
    """Return the function of a property, class method or method that not all instances have."""
    names = ("fget", "__func__", "fn")
    return next((getattr(member, name) for name in names if hasattr(member, name)), member)


def lacks_types(function):
    """Return the parameters of a function without a type, and whether the result has none."""
    if function.__code__.co_filename == "<string>":  # what dataclass writes
        return []
    parameters = inspect.signature(function).parameters
    hints = inspect.unwrap(function).__annotations__
    return [name for name in parameters if name not in {"self", "cls", *hints}] + (
        [] if "return" in hints else ["the result"]
    )


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_functions_and_methods_have_types(name):
    lacking = {each.__qualname__: lacks_types(each) for each in functions_of(PUBLIC[name])}
    assert {name: what for name, what in lacking.items() if what} == {}


@pytest.mark.parametrize("name", sorted(name for name in PUBLIC if inspect.isclass(PUBLIC[name])))
def test_attributes_have_types(name):
    public = PUBLIC[name]
    documented = NumpyDocString(inspect.getdoc(public))["Attributes"]
    typed = {name for base in public.__mro__ for name in inspect.get_annotations(base)}
    typed |= {name for name in dir(public) if not name.startswith("_")}
    typed |= {*inspect.signature(public).parameters}
    names = {name.strip() for each in documented for name in each.name.split(",")}
    assert names - typed == set()


def test_a_users_script_runs(tmp_path):
    runpy.run_path(str(PROGRAM))["main"](tmp_path / "service")
