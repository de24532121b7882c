# SPDX-License-Identifier: BSD-3-Clause
"""The two parts of BM25, shared by `BM25Transformer` and item neighbours."""

import numpy as np


def inverse_document_frequency(n_documents_of_terms, n_documents):
    """Return the inverse document frequency; 0 if all documents, or all but one, have the term."""
    # The logarithm of a quotient of 1 is exactly 0; a difference of two logarithms may not be.
    information = np.log(n_documents / (1 + n_documents_of_terms))
    return np.maximum(0, information).astype(np.float32)


def saturated_counts(counts, relative_lengths, k1, b):
    """Return saturated counts; they saturate earlier in long documents."""
    return (k1 + 1) * counts / (k1 * (1 - b + b * relative_lengths) + counts)
