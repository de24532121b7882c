# SPDX-License-Identifier: BSD-3-Clause
"""Recommenders of one domain: estimators that rank items for rows."""

from ._als import ALSRecommender
from ._biased_mf import BiasedMFRecommender
from ._bpr import BPRRecommender
from ._content_neighbors import ContentKNNRecommender
from ._history import HistoryRecommender
from ._hybrid import HybridRecommender
from ._linear import EASERecommender, RidgeRecommender
from ._logistic import LogisticMFRecommender
from ._neighbors import ItemKNNRecommender
from ._next_item import NextItemRecommender
from ._next_item_ridge import NextItemRidgeRecommender
from ._popularity import PopularityRecommender
from ._reconstruction import ReconstructionRecommender
from ._segment_popularity import SegmentPopularityRecommender
from ._spectral import GraphFilterRecommender
from ._transitions import TransitionRecommender

__all__ = [
    "ALSRecommender",
    "BPRRecommender",
    "BiasedMFRecommender",
    "ContentKNNRecommender",
    "EASERecommender",
    "GraphFilterRecommender",
    "HistoryRecommender",
    "HybridRecommender",
    "ItemKNNRecommender",
    "LogisticMFRecommender",
    "NextItemRecommender",
    "NextItemRidgeRecommender",
    "PopularityRecommender",
    "ReconstructionRecommender",
    "RidgeRecommender",
    "SegmentPopularityRecommender",
    "TransitionRecommender",
]
