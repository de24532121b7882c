"""Recommenders: estimators that rank items for rows."""

from ._als import ALSRecommender
from ._linear import EASERecommender, RidgeRecommender
from ._neighbors import ItemKNNRecommender
from ._popularity import PopularityRecommender
from ._reconstruction import ReconstructionRecommender
from ._spectral import GraphFilterRecommender

__all__ = [
    "ALSRecommender",
    "EASERecommender",
    "GraphFilterRecommender",
    "ItemKNNRecommender",
    "PopularityRecommender",
    "ReconstructionRecommender",
    "RidgeRecommender",
]
