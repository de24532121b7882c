"""Transfer: what one domain teaches about another."""

from ._fit_across import fit_across_domains
from .alignment import CORALAligner, MMDAligner, ProcrustesAligner
from .bridges import BridgeRecommender, ProcrustesRegressor
from .networks import CrossDomainAutoencoderRecommender, TwoTowerAutoencoderRecommender
from .shared_factors import CodebookRecommender, CollectiveMFRecommender

__all__ = [
    "BridgeRecommender",
    "CORALAligner",
    "CodebookRecommender",
    "CollectiveMFRecommender",
    "CrossDomainAutoencoderRecommender",
    "MMDAligner",
    "ProcrustesAligner",
    "ProcrustesRegressor",
    "TwoTowerAutoencoderRecommender",
    "fit_across_domains",
]
