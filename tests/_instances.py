# SPDX-License-Identifier: BSD-3-Clause
"""A cheap instance of every public estimator, for tests that run on all of them."""

import inspect

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import TruncatedSVD
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

import sktransrec
from sktransrec import (
    ALSRecommender,
    Autoencoder,
    BiasedMFRecommender,
    BM25Transformer,
    BPRRecommender,
    BridgeRecommender,
    CNNEncoder,
    CodebookRecommender,
    CollectiveMFRecommender,
    ContentKNNRecommender,
    CORALAligner,
    CrossDomainAutoencoderRecommender,
    DecayedHistory,
    DiscountedRecommender,
    DomainAdversarialAutoencoder,
    EASERecommender,
    GraphFilterRecommender,
    HistoryRecommender,
    HybridRecommender,
    ItemFeatures,
    ItemKNNRecommender,
    LogisticMFRecommender,
    MMDAligner,
    NextItemRecommender,
    NextItemRidgeRecommender,
    PopularityRecommender,
    PopularityScaler,
    PretrainedEncoder,
    ProcrustesAligner,
    ProcrustesRegressor,
    ReconstructionRecommender,
    RidgeRecommender,
    RNNEncoder,
    SegmentPopularityRecommender,
    SourceSelectorRecommender,
    StackingRecommender,
    SwitchingRecommender,
    TextEncoder,
    TransferGate,
    TransitionRecommender,
    TwoTowerAutoencoderRecommender,
    VotingRecommender,
)
from sktransrec._wrapping import reads_histories

TINY_TRAINING = {
    **{"epochs": 1, "batch_size": 128, "optimizer": "sgd", "run_eagerly": True},
    "random_state": 0,  # networks of the same sizes and seed are built once
}

TINY_NETWORK = {"n_components": 2, "hidden_layer_sizes": (), **TINY_TRAINING}
TINY_SEQUENCE_NETWORK = {**TINY_NETWORK, "embedding_size": 4, "hidden_layer_sizes": (4,)}
TINY_NEXT_ITEM = {
    **{"n_components": 4, "n_layers": 1, "n_items": 24, "unknown": "ignore"},
    **TINY_TRAINING,
}


def unlisted_defaults(listed):
    """Return the other public estimators that take a matrix, with their default parameters."""
    of_other_input = {"InteractionEncoder", "TextSequences", "RecommendationService"}
    kinds = (getattr(sktransrec, name) for name in sktransrec.__all__ if name not in of_other_input)
    return [
        kind()
        for kind in kinds
        if inspect.isclass(kind)
        and issubclass(kind, BaseEstimator)
        and kind not in set(map(type, listed))
    ]


# A cheap instance of every public estimator that takes a matrix, where its defaults are not cheap.
ESTIMATORS = [
    ALSRecommender(n_components=2, max_iter=2),
    Autoencoder(**TINY_NETWORK),
    BM25Transformer(),
    BiasedMFRecommender(n_components=2, max_iter=2),
    BPRRecommender(n_components=2, max_iter=2),
    BridgeRecommender(ALSRecommender(n_components=2, max_iter=2, random_state=0)),
    CNNEncoder(kernel_sizes=(2, 3), **TINY_SEQUENCE_NETWORK),
    CORALAligner(),
    ContentKNNRecommender(),
    CodebookRecommender(2, 3, n_init=1, max_iter=2),
    CollectiveMFRecommender(slice(1, None), n_components=2, max_iter=2),
    CrossDomainAutoencoderRecommender(**TINY_NETWORK),
    DecayedHistory(n_items=24, unknown="ignore"),
    DiscountedRecommender(EASERecommender()),
    DiscountedRecommender(RidgeRecommender()),
    DomainAdversarialAutoencoder(**TINY_NETWORK),
    EASERecommender(),
    EASERecommender(solver="dual"),
    EASERecommender(solver="sparse", n_neighbors=3),
    GraphFilterRecommender(n_components=4),
    HistoryRecommender(ItemKNNRecommender(), n_items=24, unknown="ignore"),
    HistoryRecommender(RidgeRecommender(), n_items=24, unknown="ignore"),
    HybridRecommender(ALSRecommender(n_components=2, max_iter=2, random_state=0)),
    ItemKNNRecommender(),
    LogisticMFRecommender(n_components=2, max_iter=2),
    MMDAligner(n_components=20, max_iter=5),
    NextItemRecommender(**TINY_NEXT_ITEM),
    NextItemRidgeRecommender(n_items=24, unknown="ignore"),
    PopularityRecommender(),
    PopularityScaler(),
    PretrainedEncoder(FrozenEstimator(FunctionTransformer())),
    ProcrustesAligner(),
    ProcrustesRegressor(),
    RNNEncoder(cell="simple", **TINY_SEQUENCE_NETWORK),
    ReconstructionRecommender(TruncatedSVD(2, random_state=0)),
    RidgeRecommender(),
    SegmentPopularityRecommender(),
    SegmentPopularityRecommender([0], shrinkage=1),
    StackingRecommender([("ease", EASERecommender()), ("popularity", PopularityRecommender())]),
    StackingRecommender([("ridge", RidgeRecommender())], LinearRegression(), cv=2, n_candidates=6),
    SwitchingRecommender(EASERecommender(), min_interactions=4),
    SourceSelectorRecommender(RidgeRecommender(), [("all", slice(None))], cv=2),
    TextEncoder(2, n_layers=1, embedding_size=4, unknown="ignore", **TINY_TRAINING),
    TransferGate(EASERecommender(), cv=2),
    TransferGate(RidgeRecommender(), cv=2),
    TransitionRecommender(n_items=24, unknown="ignore"),
    TwoTowerAutoencoderRecommender(slice(1, None), kind="variational", **TINY_NETWORK),
    VotingRecommender([("ease", EASERecommender()), ("popularity", PopularityRecommender())]),
    VotingRecommender(
        [
            ("ridge", RidgeRecommender()),
            ("svd", make_pipeline(TruncatedSVD(2, random_state=0), RidgeRecommender())),
        ]
    ),
]
ESTIMATORS += unlisted_defaults(ESTIMATORS)


def are_first(kinds):
    """Return for each kind whether it occurs for the first time, as a list."""
    kinds = list(kinds)
    return [kind not in kinds[:place] for place, kind in enumerate(kinds)]


def _larger_networks():
    """Yield the networks for slower checks: deeper, and trained with the default optimizer."""
    kinds = [
        Autoencoder(kind="variational", loss="multinomial", **TINY_NETWORK),
        NextItemRecommender("gru", **TINY_NEXT_ITEM),
    ]
    larger = {"epochs": 2, "optimizer": "adam", "run_eagerly": False, "random_state": 0}
    larger |= {"hidden_layer_sizes": (4,), "cell": "gru"}
    for estimator in [*ESTIMATORS, *kinds]:
        parameters = estimator.get_params(deep=False)
        if "run_eagerly" in parameters:
            own = {name: value for name, value in larger.items() if name in parameters}
            yield clone(estimator).set_params(**own)


LARGER_NETWORKS = list(_larger_networks())

# These hold the content of the items in the checks of recommenders, so only these checks fit.
WITH_ITEMS = [
    estimator.set_params(item_features=ItemFeatures(np.random.RandomState(0).rand(24, 3)))
    for estimator in (
        ContentKNNRecommender(),
        HybridRecommender(ALSRecommender(2, max_iter=2, random_state=0), min_interactions=8),
        HybridRecommender(
            BPRRecommender(2, max_iter=2, random_state=0),
            min_interactions=8,
            cold_policy="popularity",
        ),
    )
]

RECOMMENDERS = [
    estimator for estimator in ESTIMATORS if get_tags(estimator).estimator_type == "recommender"
] + WITH_ITEMS
# The checks of recommenders fit the same network again and again, which is compiled once.
RECOMMENDERS = [
    clone(each).set_params(run_eagerly=False, random_state=0)
    if "run_eagerly" in each.get_params(deep=False)
    else each
    for each in RECOMMENDERS
]


def _defaults():
    """Yield every estimator with its default parameters, unless it is in the list above.

    scikit-learn's checks number items from 0, which readers of histories refuse by default.
    """
    known = {repr(estimator) for estimator in ESTIMATORS}
    for kind in dict.fromkeys(type(estimator) for estimator in ESTIMATORS):
        parameters = inspect.signature(kind).parameters.values()
        if any(parameter.default is parameter.empty for parameter in parameters):
            continue
        estimator = kind()
        if reads_histories(estimator):
            estimator.set_params(unknown="ignore")
        if "run_eagerly" in estimator.get_params(deep=False):
            estimator.set_params(random_state=0)  # networks of the same sizes are compiled once
        if repr(estimator) not in known:
            yield estimator


DEFAULTS = list(_defaults())
