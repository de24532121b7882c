"""Preparing data for the learners: texts to token ids, and weights of interactions."""

from ._text import TextSequences
from ._weighting import BM25Transformer, PopularityScaler

__all__ = ["BM25Transformer", "PopularityScaler", "TextSequences"]
