"""Transfer learning for recommender systems as ordinary scikit-learn objects."""

from .base import recommend
from .recommenders import PopularityRecommender

__version__ = "0.1.0.dev0"

__all__ = [
    "PopularityRecommender",
    "recommend",
]
