# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
from numpy.testing import assert_allclose

from sktransrec._numerics._bm25 import inverse_document_frequency, saturated_counts


def test_a_term_that_all_documents_have_tells_little():
    idf = inverse_document_frequency(np.array([0, 1, 4, 8, 9]), 9)
    assert_allclose(idf, np.log([11, 11 / 2, 11 / 5, 11 / 9, 11 / 10]), rtol=1e-6)
    assert 0 < idf[4] < idf[3] < idf[0] / 10
    assert idf.dtype == np.float32


def test_counts_saturate_at_their_limits():
    counts, lengths = np.array([0.0, 1.0, 1e9]), 1.0
    assert_allclose(saturated_counts(counts, lengths, k1=1.2, b=0.75), [0, 1, 2.2])
    assert_allclose(saturated_counts(counts, 5.0, k1=1.2, b=0.0)[1], 1)
    assert_allclose(saturated_counts(counts[1:], 5.0, k1=0.0, b=0.75), 1)
    long, short = saturated_counts(np.ones(2), np.array([2.0, 0.5]), k1=1.2, b=0.75)
    assert_allclose([long, short], [2.2 / (1.2 * 1.75 + 1), 2.2 / (1.2 * 0.625 + 1)])
