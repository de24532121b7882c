"""Transfer learning for recommender systems as ordinary scikit-learn objects."""

from .base import recommend
from .recommenders import ALSRecommender, PopularityRecommender, RidgeRecommender

__version__ = "0.1.0.dev0"

__all__ = [
    "ALSRecommender",
    "PopularityRecommender",
    "RidgeRecommender",
    "recommend",
]
