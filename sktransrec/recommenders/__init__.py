"""Recommenders: estimators that rank items for rows."""

from ._als import ALSRecommender
from ._linear import RidgeRecommender
from ._popularity import PopularityRecommender

__all__ = ["ALSRecommender", "PopularityRecommender", "RidgeRecommender"]
