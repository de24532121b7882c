# SPDX-License-Identifier: BSD-3-Clause
"""Transfer learning for recommender systems as ordinary scikit-learn objects."""

from importlib import import_module as _import_module

from ._frozen import frozen
from ._onnx_export import to_onnx
from ._recommend import eligible_scores, recommend
from .content import ItemFeatures, PretrainedEncoder
from .ensembles import (
    DiscountedRecommender,
    SourceSelectorRecommender,
    StackingRecommender,
    SwitchingRecommender,
    TransferGate,
    VotingRecommender,
    content_members,
)
from .evaluation import compare, transfer_gain, transfer_learning_curve
from .feature_learning import (
    Autoencoder,
    CNNEncoder,
    DomainAdversarialAutoencoder,
    RNNEncoder,
    TextEncoder,
)
from .interactions import (
    InteractionEncoder,
    align_domains,
    cross_listed_mask,
    find_cross_listed,
    history_steps,
    holdout_after,
    holdout_last,
    holdout_random,
    stack_domains,
)
from .metrics import debiased_scorer, ranking_scorer, rating_scorer
from .model_selection import search_space
from .persistence import load, save
from .preprocessing import BM25Transformer, DecayedHistory, PopularityScaler, TextSequences
from .recommenders import (
    ALSRecommender,
    BiasedMFRecommender,
    BPRRecommender,
    ContentKNNRecommender,
    EASERecommender,
    GraphFilterRecommender,
    HistoryRecommender,
    HybridRecommender,
    ItemKNNRecommender,
    LogisticMFRecommender,
    NextItemRecommender,
    NextItemRidgeRecommender,
    PopularityRecommender,
    ReconstructionRecommender,
    RidgeRecommender,
    SegmentPopularityRecommender,
    TransitionRecommender,
)
from .serving import RecommendationService
from .transfer import (
    BridgeRecommender,
    CodebookRecommender,
    CollectiveMFRecommender,
    CORALAligner,
    CrossDomainAutoencoderRecommender,
    MMDAligner,
    ProcrustesAligner,
    ProcrustesRegressor,
    TwoTowerAutoencoderRecommender,
    fit_across_domains,
)

__version__ = "0.1.0"

__all__ = [
    "ALSRecommender",
    "Autoencoder",
    "BM25Transformer",
    "BPRRecommender",
    "BiasedMFRecommender",
    "BridgeRecommender",
    "CNNEncoder",
    "CORALAligner",
    "CodebookRecommender",
    "CollectiveMFRecommender",
    "ContentKNNRecommender",
    "CrossDomainAutoencoderRecommender",
    "DecayedHistory",
    "DiscountedRecommender",
    "DomainAdversarialAutoencoder",
    "EASERecommender",
    "GraphFilterRecommender",
    "HistoryRecommender",
    "HybridRecommender",
    "InteractionEncoder",
    "ItemFeatures",
    "ItemKNNRecommender",
    "LogisticMFRecommender",
    "MMDAligner",
    "NextItemRecommender",
    "NextItemRidgeRecommender",
    "PopularityRecommender",
    "PopularityScaler",
    "PretrainedEncoder",
    "ProcrustesAligner",
    "ProcrustesRegressor",
    "RNNEncoder",
    "RecommendationService",
    "ReconstructionRecommender",
    "RidgeRecommender",
    "SegmentPopularityRecommender",
    "SourceSelectorRecommender",
    "StackingRecommender",
    "SwitchingRecommender",
    "TextEncoder",
    "TextSequences",
    "TransferGate",
    "TransitionRecommender",
    "TwoTowerAutoencoderRecommender",
    "VotingRecommender",
    "align_domains",
    "compare",
    "content_members",
    "cross_listed_mask",
    "debiased_scorer",
    "eligible_scores",
    "find_cross_listed",
    "fit_across_domains",
    "frozen",
    "history_steps",
    "holdout_after",
    "holdout_last",
    "holdout_random",
    "load",
    "ranking_scorer",
    "rating_scorer",
    "recommend",
    "save",
    "search_space",
    "stack_domains",
    "to_onnx",
    "transfer_gain",
    "transfer_learning_curve",
]


_ROOMS = {
    *("base", "content", "datasets", "distributed", "ensembles", "evaluation", "feature_learning"),
    *("inspection", "interactions", "metrics", "model_selection", "persistence", "preprocessing"),
    *("recommenders", "serving", "testing", "transfer"),
}


def __getattr__(name):
    # Some rooms need more imports than the rest and so wait until they are asked for.
    if name in _ROOMS:
        return _import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*__all__, *_ROOMS, "__version__"])
