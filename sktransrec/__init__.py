"""Transfer learning for recommender systems as ordinary scikit-learn objects."""

from .base import recommend
from .feature_learning import Autoencoder, CNNEncoder, RNNEncoder
from .interactions import (
    InteractionEncoder,
    align_domains,
    cross_listed_mask,
    find_cross_listed,
    holdout_after,
    holdout_last,
    holdout_random,
    stack_domains,
)
from .item_features import ItemFeatures
from .metrics import debiased_scorer, ranking_scorer
from .preprocessing import BM25Transformer, PopularityScaler, TextSequences
from .recommenders import (
    ALSRecommender,
    BPRRecommender,
    DiscountedRecommender,
    EASERecommender,
    GraphFilterRecommender,
    ItemKNNRecommender,
    LogisticMFRecommender,
    NextItemRecommender,
    PopularityRecommender,
    ReconstructionRecommender,
    RidgeRecommender,
    VotingRecommender,
)
from .transfer import (
    BridgeRecommender,
    CollectiveMFRecommender,
    CORALAligner,
    CrossDomainAutoencoderRecommender,
    MMDAligner,
    PersonalizedBridgeRecommender,
    ProcrustesAligner,
    ProcrustesRegressor,
    TransferGate,
    TwoTowerAutoencoderRecommender,
    transfer_gain,
    transfer_learning_curve,
)

__version__ = "0.1.0.dev0"

__all__ = [
    "ALSRecommender",
    "Autoencoder",
    "BM25Transformer",
    "BPRRecommender",
    "BridgeRecommender",
    "CNNEncoder",
    "CORALAligner",
    "CollectiveMFRecommender",
    "CrossDomainAutoencoderRecommender",
    "DiscountedRecommender",
    "EASERecommender",
    "GraphFilterRecommender",
    "InteractionEncoder",
    "ItemFeatures",
    "ItemKNNRecommender",
    "LogisticMFRecommender",
    "MMDAligner",
    "NextItemRecommender",
    "PersonalizedBridgeRecommender",
    "PopularityRecommender",
    "PopularityScaler",
    "ProcrustesAligner",
    "ProcrustesRegressor",
    "RNNEncoder",
    "ReconstructionRecommender",
    "RidgeRecommender",
    "TextSequences",
    "TransferGate",
    "TwoTowerAutoencoderRecommender",
    "VotingRecommender",
    "align_domains",
    "cross_listed_mask",
    "debiased_scorer",
    "find_cross_listed",
    "holdout_after",
    "holdout_last",
    "holdout_random",
    "ranking_scorer",
    "recommend",
    "stack_domains",
    "transfer_gain",
    "transfer_learning_curve",
]
