"""Transfer: what one domain teaches about another."""

from ._alignment import CORALAligner, ProcrustesAligner
from ._bridge import BridgeRecommender
from ._codebook import CodebookRecommender
from ._collective import CollectiveMFRecommender
from ._cross_domain_autoencoder import CrossDomainAutoencoderRecommender
from ._gain import TransferGain, transfer_gain
from ._gate import TransferGate
from ._learning_curve import TransferLearningCurve, transfer_learning_curve
from ._mmd import MMDAligner
from ._paired import GainEstimate
from ._personalized import PersonalizedBridgeRecommender
from ._procrustes import ProcrustesRegressor
from ._selector import SourceSelectorRecommender
from ._source_scores import SourceScore, proxy_a_distance
from ._switching import SwitchingRecommender
from ._two_tower import TwoTowerAutoencoderRecommender

__all__ = [
    "BridgeRecommender",
    "CORALAligner",
    "CodebookRecommender",
    "CollectiveMFRecommender",
    "CrossDomainAutoencoderRecommender",
    "GainEstimate",
    "MMDAligner",
    "PersonalizedBridgeRecommender",
    "ProcrustesAligner",
    "ProcrustesRegressor",
    "SourceScore",
    "SourceSelectorRecommender",
    "SwitchingRecommender",
    "TransferGain",
    "TransferGate",
    "TransferLearningCurve",
    "TwoTowerAutoencoderRecommender",
    "proxy_a_distance",
    "transfer_gain",
    "transfer_learning_curve",
]
