"""Recommenders: estimators that rank items for rows."""

from ._popularity import PopularityRecommender

__all__ = ["PopularityRecommender"]
