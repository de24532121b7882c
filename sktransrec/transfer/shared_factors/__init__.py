"""Factors that several domains share."""

from ._codebook import CodebookRecommender
from ._collective import CollectiveMFRecommender

__all__ = [
    "CodebookRecommender",
    "CollectiveMFRecommender",
]
