"""Transfer: what one domain teaches about another."""

from ._alignment import CORALAligner, ProcrustesAligner
from ._bridge import BridgeRecommender
from ._collective import CollectiveMFRecommender
from ._gain import TransferGain, transfer_gain
from ._gate import TransferGate
from ._learning_curve import TransferLearningCurve, transfer_learning_curve
from ._mmd import MMDAligner
from ._paired import GainEstimate
from ._personalized import PersonalizedBridgeRecommender
from ._procrustes import ProcrustesRegressor

__all__ = [
    "BridgeRecommender",
    "CORALAligner",
    "CollectiveMFRecommender",
    "GainEstimate",
    "MMDAligner",
    "PersonalizedBridgeRecommender",
    "ProcrustesAligner",
    "ProcrustesRegressor",
    "TransferGain",
    "TransferGate",
    "TransferLearningCurve",
    "transfer_gain",
    "transfer_learning_curve",
]
