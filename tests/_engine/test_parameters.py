# SPDX-License-Identifier: BSD-3-Clause
"""Parameters of networks are described and constrained once, and mean the same everywhere."""

import inspect
import re
from collections import Counter
from pathlib import Path

import pytest

import sktransrec
from sktransrec._engine._learner import NetworkLearner
from sktransrec._engine._parameters import PARAMETERS, shares_parameters
from sktransrec.base import RecommenderMixin

NETWORKS = {
    name: item
    for name in sktransrec.__all__
    if inspect.isclass(item := getattr(sktransrec, name)) and issubclass(item, NetworkLearner)
}
LEARNERS = {name for name, item in NETWORKS.items() if not issubclass(item, RecommenderMixin)}

# The parameters whose defaults differ between networks; tests/test_package.py says why.
DIFFERENT = {
    *("activation", "batch_size", "code_activation", "dropout", "epochs", "hidden_layer_sizes"),
    *("kind", "n_components", "normalize", "optimizer", "regularization"),
}


def _defaults():
    """Yield each parameter of a network's constructor with the class's name and its default."""
    for class_name, network in NETWORKS.items():
        for name, parameter in inspect.signature(network).parameters.items():
            yield name, class_name, parameter.default


def test_the_same_parameter_of_networks_has_the_same_default():
    defaults = {}
    for name, class_name, default in _defaults():
        defaults.setdefault(name, {}).setdefault(repr(default), []).append(class_name)
    differ = {name: found for name, found in defaults.items() if len(found) > 1}
    assert differ.keys() == DIFFERENT, differ
    for name in ("batch_size", "epochs"):
        assert {frozenset(group) for group in differ[name].values()} == {
            frozenset(LEARNERS),
            frozenset(NETWORKS.keys() - LEARNERS),
        }


def duplicate_parameters(files):
    """Return how often each entry of a parameter is written that stands in files more than once.

    An entry is its first line, such as "epochs : int, default=100", and its text.
    """
    entry = r"^    (\w+) : (?=[^\n]*, default=)([^\n]*(?:\n        [^\n]*)+)"
    found = Counter()
    for path in files:
        found.update(re.findall(entry, path.read_text(encoding="utf-8"), re.MULTILINE))
    return {name: number for (name, _), number in found.items() if number > 1}


def test_no_parameter_of_networks_is_described_twice():
    """In the sources, that is; run with -s to see what is."""
    files = {Path(inspect.getsourcefile(network)) for network in NETWORKS.values()}
    found = duplicate_parameters(files)
    print(sum(found.values()), found)
    assert sum(found.values()) <= 2, found


def test_what_is_left_out_is_shared():
    class Base(NetworkLearner):
        _parameter_constraints = {"cell": ["no constraint"]}

    @shares_parameters
    class Model(Base):
        """Summary.

        Parameters
        ----------
        cell : str, default="gru"
            Own text.

            In two parts.

        Attributes
        ----------
        n_iter_ : int
            Own text.

        See Also
        --------
        Nothing : Else.
        """

        _parameter_constraints = {"patience": ["own"]}

        def __init__(self, epochs=7, cell="gru", *, patience=2, optimizer="sgd"):
            pass

    assert Model._parameter_constraints == {
        "epochs": PARAMETERS["epochs"].constraint,
        "cell": ["no constraint"],
        "patience": ["own"],
        "optimizer": PARAMETERS["optimizer"].constraint,
    }
    lines = Model.__doc__.splitlines()
    heads = [line for line in lines if re.match(r"\w+ : ", line)]
    optimizers = '{"adagrad", "adam", "adamw", "nadam", "rmsprop", "sgd"}'
    assert heads[:4] == [
        "epochs : int, default=7",
        'cell : str, default="gru"',
        "patience : int, default=2",
        f'optimizer : {optimizers}, default="sgd"',
    ]
    assert lines[lines.index('cell : str, default="gru"') + 1] == "    Own text."
    assert lines[lines.index("n_iter_ : int") + 1] == "    Own text."
    assert heads.count("n_iter_ : int") == 1
    assert "network_ : keras.Model" in heads
    assert heads[-1] == "Nothing : Else."


@pytest.mark.parametrize("name", NETWORKS)
def test_docstrings_are_whole(name):
    """As `help` shows them: each parameter once, with the default that it has."""
    documented = re.findall(r"^(\w+) : .*", NETWORKS[name].__doc__, re.MULTILINE)
    parameters = list(inspect.signature(NETWORKS[name]).parameters)
    assert documented[: len(parameters)] == parameters
    for parameter, _, default in filter(lambda found: found[1] == name, _defaults()):
        [head] = re.findall(rf"^{parameter} : .*", NETWORKS[name].__doc__, re.MULTILINE)
        shown = f'"{default}"' if isinstance(default, str) else repr(default)
        if default is not inspect.Parameter.empty:
            assert head.endswith(f"default={shown}"), head
