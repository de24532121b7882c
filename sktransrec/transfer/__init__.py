"""Transfer: what one domain teaches about another."""

from .alignment import CORALAligner, MMDAligner, ProcrustesAligner
from .bridges import BridgeRecommender, PersonalizedBridgeRecommender, ProcrustesRegressor
from .networks import CrossDomainAutoencoderRecommender, TwoTowerAutoencoderRecommender
from .shared_factors import CodebookRecommender, CollectiveMFRecommender

__all__ = [
    "BridgeRecommender",
    "CORALAligner",
    "CodebookRecommender",
    "CollectiveMFRecommender",
    "CrossDomainAutoencoderRecommender",
    "MMDAligner",
    "PersonalizedBridgeRecommender",
    "ProcrustesAligner",
    "ProcrustesRegressor",
    "TwoTowerAutoencoderRecommender",
]
