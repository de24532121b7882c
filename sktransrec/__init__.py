"""Transfer learning for recommender systems as ordinary scikit-learn objects."""

from .base import recommend
from .feature_learning import Autoencoder
from .metrics import ranking_scorer
from .recommenders import (
    ALSRecommender,
    EASERecommender,
    GraphFilterRecommender,
    ItemKNNRecommender,
    PopularityRecommender,
    ReconstructionRecommender,
    RidgeRecommender,
)
from .transfer import BridgeRecommender

__version__ = "0.1.0.dev0"

__all__ = [
    "ALSRecommender",
    "Autoencoder",
    "BridgeRecommender",
    "EASERecommender",
    "GraphFilterRecommender",
    "ItemKNNRecommender",
    "PopularityRecommender",
    "ReconstructionRecommender",
    "RidgeRecommender",
    "ranking_scorer",
    "recommend",
]
