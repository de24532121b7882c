"""The two parts of BM25, which weighting and item neighbours share."""

import numpy as np


def inverse_document_frequency(n_documents_of_terms, n_documents):
    """Return how telling each term is: none where all documents or all but one have it."""
    # A quotient of 1 has the logarithm 0, which a difference of two logarithms may miss.
    information = np.log(n_documents / (1 + n_documents_of_terms))
    return np.maximum(0, information).astype(np.float32)


def saturated_counts(counts, relative_lengths, k1, b):
    """Return the counts saturated, sooner in documents that are long relative to the mean."""
    return (k1 + 1) * counts / (k1 * (1 - b + b * relative_lengths) + counts)
