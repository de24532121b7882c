# SPDX-License-Identifier: BSD-3-Clause
"""Preparing data for the learners: texts to token ids, histories to matrices, weights of both."""

from ._decay import DecayedHistory
from ._text import TextSequences
from ._weighting import BM25Transformer, PopularityScaler

__all__ = ["BM25Transformer", "DecayedHistory", "PopularityScaler", "TextSequences"]
