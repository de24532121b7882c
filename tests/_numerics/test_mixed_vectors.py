# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose

from sktransrec._numerics._mixed_vectors import MixedVectors

RNG = np.random.RandomState(0)
SPARSE = sp.random_array((30, 40), density=0.05, rng=np.random.default_rng(0), dtype=np.float32)
FILLED = RNG.rand(30, 3).astype(np.float32)
KINDS = {
    "dense": FILLED,
    "sparse": sp.csr_array(SPARSE + sp.eye_array(30, 40)),
    "mixed": sp.csr_array(sp.hstack([SPARSE, FILLED])),
}


@pytest.mark.parametrize("kind", KINDS)
def test_products_and_sums_are_those_of_the_whole_matrix(kind):
    matrix = KINDS[kind]
    dense = matrix if kind == "dense" else matrix.toarray()
    unit = dense / np.linalg.norm(dense, axis=1)[:, None]
    vectors = MixedVectors.unit(matrix)
    assert (len(vectors), len(vectors.parts)) == (30, 2 if kind == "mixed" else 1)
    weights = sp.csr_array(RNG.poisson(0.3, size=(5, 30)).astype(np.float32))
    sums = vectors.weighted_sums(weights).plus(vectors.of(range(5)))
    expected = weights @ unit + unit[:5]
    assert_allclose(sums.lengths(), np.linalg.norm(expected, axis=1), rtol=1e-5)
    assert_allclose(sums.products(vectors), expected @ unit.T, rtol=1e-4, atol=1e-6)


def test_later_vectors_are_split_like_the_first():
    first = MixedVectors.unit(KINDS["mixed"])
    for later in (KINDS["mixed"], KINDS["mixed"].toarray()):
        again = MixedVectors.unit(later[:4], like=first)
        assert_allclose(again.parts[1], first.parts[1][:4], rtol=1e-6)
        assert_allclose(again.parts[0].toarray(), first.parts[0][:4].toarray(), rtol=1e-6)
