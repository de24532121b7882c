# SPDX-License-Identifier: BSD-3-Clause
"""Scores by links are the product of the two matrices."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal

from sktransrec._numerics import _linked_scores
from sktransrec._numerics._linked_scores import linked_scores


def _whole_numbers(shape, density, seed):
    X = sp.random_array(shape, density=density, format="csr", dtype=np.float32, random_state=seed)
    X.data = np.ceil(9 * X.data)
    return X


@pytest.mark.parametrize("most_links", [0, 20, 2**15])
@pytest.mark.parametrize("shapes", [((9, 30), (30, 12)), ((1, 30), (30, 30)), ((0, 3), (3, 5))])
def test_they_are_the_product(shapes, most_links, monkeypatch):
    monkeypatch.setattr(_linked_scores, "_MOST_LINKS", most_links)
    X, links = (_whole_numbers(shape, 0.2, seed) for seed, shape in enumerate(shapes))
    scores = linked_scores(X, links)
    assert scores.dtype == np.float32
    assert_array_equal(scores, X.toarray() @ links.toarray())


def test_entries_without_links_and_rows_without_entries_add_nothing():
    X = sp.csr_array(np.array([[0, 2, 0], [0, 0, 0], [1, 0, 3]], dtype=np.float32))
    links = sp.csr_array(np.array([[0, 0], [0, 0], [5, 0]], dtype=np.float32))
    assert_array_equal(linked_scores(X, links), [[0, 0], [0, 0], [15, 0]])


def test_a_row_does_not_depend_on_the_others():
    X = sp.random_array((20, 50), density=0.3, format="csr", dtype=np.float32, random_state=0)
    links = sp.random_array((50, 40), density=0.5, format="csr", dtype=np.float32, random_state=1)
    together = linked_scores(X, links)
    alone = [linked_scores(X[[row]], links)[0] for row in range(20)]
    assert_array_equal(together, alone)


def test_arrays_may_be_read_only():
    """Those of a served model are mapped from its file."""
    X, links = (_whole_numbers((30, 30), 0.2, seed) for seed in range(2))
    for array in (X.data, X.indices, X.indptr, links.data, links.indices, links.indptr):
        array.flags.writeable = False
    for rows in (X, X[:1]):
        assert_array_equal(linked_scores(rows, links), rows.toarray() @ links.toarray())
