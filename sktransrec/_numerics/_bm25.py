# SPDX-License-Identifier: BSD-3-Clause
"""The two parts of BM25, shared by `BM25Transformer` and item neighbours."""

import numpy as np


def inverse_document_frequency(n_documents_of_terms, n_documents):
    """Return the inverse document frequency, above 0 also for a term that all documents have.

    The share of the documents that have the term is taken by Laplace's rule of succession.
    """
    return np.log((n_documents + 2) / (1 + n_documents_of_terms)).astype(np.float32)


def saturated_counts(counts, relative_lengths, k1, b):
    """Return saturated counts; they saturate earlier in long documents."""
    return (k1 + 1) * counts / (k1 * (1 - b + b * relative_lengths) + counts)
