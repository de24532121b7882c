# SPDX-License-Identifier: BSD-3-Clause
import inspect

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sktransrec import metrics
from sktransrec.metrics._table import BEYOND_ACCURACY, METRICS

ALL = METRICS | BEYOND_ACCURACY


@pytest.mark.parametrize("name", ALL)
def test_names_are_those_of_the_functions_but_for_the_places(name):
    assert ALL[name].function is getattr(metrics, f"{name}_at_k")


@pytest.mark.parametrize("name", ALL)
def test_needs_are_the_arguments_before_the_number_of_places(name):
    arguments = list(inspect.signature(ALL[name].function).parameters)
    assert list(ALL[name].needs) == arguments[: arguments.index("k")]


def test_a_single_hit_in_the_second_of_four_places_by_hand():
    y, items = np.array([[1.0, 0, 0, 0, 0]]), np.array([[3, 0, 1, 2]])
    found = {name: metric.function(y, items, 4) for name, metric in METRICS.items()}
    expected = {
        **{"average_precision": 1 / 2, "f1": 2 / 5, "hit_rate": 1, "ndcg": 1 / np.log2(3)},
        **{"precision": 1 / 4, "recall": 1, "reciprocal_rank": 1 / 2},
    }
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert_allclose(found[name], value, err_msg=name)
    assert len({metric.label for metric in ALL.values()}) == len(ALL)
