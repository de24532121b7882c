"""Every public estimator passes scikit-learn's checks, every recommender ours as well."""

import inspect

import numpy as np
import pytest
from joblib import dump, load
from numpydoc.docscrape import NumpyDocString
from sklearn.base import clone, is_regressor
from sklearn.decomposition import TruncatedSVD
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

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
    DiscountedRecommender,
    DomainAdversarialAutoencoder,
    EASERecommender,
    GraphFilterRecommender,
    HybridRecommender,
    ItemFeatures,
    ItemKNNRecommender,
    LogisticMFRecommender,
    MMDAligner,
    NextItemRecommender,
    PersonalizedBridgeRecommender,
    PopularityRecommender,
    PopularityScaler,
    ProcrustesAligner,
    ProcrustesRegressor,
    ReconstructionRecommender,
    RidgeRecommender,
    RNNEncoder,
    SegmentPopularityRecommender,
    SourceSelectorRecommender,
    SwitchingRecommender,
    TransferGate,
    TwoTowerAutoencoderRecommender,
    VotingRecommender,
    recommend,
)
from sktransrec.datasets import make_cross_domain
from sktransrec.testing import recommender_checks
from sktransrec.testing._checks import _set_random_state
from sktransrec.testing._samples import domain, interactions, n_items_of

TINY_NETWORK = {"n_components": 2, "hidden_layer_sizes": (4,), "epochs": 2, "run_eagerly": True}
TINY_NEXT_ITEM = {
    **{"n_components": 2, "n_layers": 1, "epochs": 2, "run_eagerly": True},
    **{"n_items": 24, "unknown": "ignore"},
}

# One cheap instance of every public estimator that takes a matrix.
ESTIMATORS = [
    ALSRecommender(n_components=4, max_iter=3),
    Autoencoder(**TINY_NETWORK),
    Autoencoder(kind="variational", loss="multinomial", **TINY_NETWORK),
    BM25Transformer(),
    BiasedMFRecommender(n_components=3, max_iter=3),
    BPRRecommender(n_components=4, max_iter=5),
    BridgeRecommender(ALSRecommender(n_components=4, max_iter=3, random_state=0)),
    CNNEncoder(kernel_sizes=(2, 3), embedding_size=4, **TINY_NETWORK),
    CORALAligner(),
    ContentKNNRecommender(),
    CodebookRecommender(2, 3, n_init=1, max_iter=5),
    CollectiveMFRecommender(n_source_items=1, n_components=4, max_iter=3),
    CrossDomainAutoencoderRecommender(**TINY_NETWORK),
    DiscountedRecommender(EASERecommender()),
    DiscountedRecommender(RidgeRecommender()),
    DomainAdversarialAutoencoder(**TINY_NETWORK),
    EASERecommender(),
    EASERecommender(solver="dual"),
    GraphFilterRecommender(n_components=4),
    HybridRecommender(ALSRecommender(n_components=4, max_iter=3, random_state=0)),
    ItemKNNRecommender(),
    LogisticMFRecommender(n_components=4, max_iter=5),
    MMDAligner(n_components=20, max_iter=5),
    NextItemRecommender(**TINY_NEXT_ITEM),
    NextItemRecommender("gru", **TINY_NEXT_ITEM),
    PersonalizedBridgeRecommender(
        ALSRecommender(n_components=3, max_iter=3, random_state=0),
        ALSRecommender(n_components=4, max_iter=3, random_state=0),
        max_iter=5,
    ),
    PopularityRecommender(),
    PopularityScaler(),
    ProcrustesAligner(),
    ProcrustesRegressor(),
    RNNEncoder(embedding_size=4, **TINY_NETWORK),
    ReconstructionRecommender(TruncatedSVD(2, random_state=0)),
    RidgeRecommender(),
    SegmentPopularityRecommender(),
    SegmentPopularityRecommender([0], shrinkage=1),
    SwitchingRecommender(EASERecommender(), min_interactions=4),
    SourceSelectorRecommender(RidgeRecommender(), [("one", [0]), ("all", slice(None))], cv=2),
    TransferGate(EASERecommender(), cv=2),
    TransferGate(RidgeRecommender(), cv=2),
    TwoTowerAutoencoderRecommender(n_source_items=1, kind="variational", **TINY_NETWORK),
    VotingRecommender([("ease", EASERecommender()), ("popularity", PopularityRecommender())]),
    VotingRecommender(
        [
            ("ridge", RidgeRecommender()),
            ("svd", make_pipeline(TruncatedSVD(2, random_state=0), RidgeRecommender())),
        ]
    ),
]

# These know the items of the checks of recommenders, and of no other check.
WITH_ITEMS = [
    estimator.set_params(item_features=ItemFeatures(np.random.RandomState(0).rand(24, 3)))
    for estimator in (
        ContentKNNRecommender(),
        HybridRecommender(ALSRecommender(4, max_iter=3, random_state=0), min_interactions=8),
        HybridRecommender(
            BPRRecommender(4, max_iter=5, random_state=0),
            min_interactions=8,
            cold_policy="popularity",
        ),
    )
]

RECOMMENDERS = [
    estimator for estimator in ESTIMATORS if get_tags(estimator).estimator_type == "recommender"
] + WITH_ITEMS


@parametrize_with_checks(ESTIMATORS)
def test_sklearn_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        pytest.param(estimator, check, id=f"{type(estimator).__name__}-{check.__name__}")
        for estimator, check in recommender_checks(RECOMMENDERS)
    ],
)
def test_recommender_contract(estimator, check):
    check(estimator)


COMPILED = [
    clone(estimator).set_params(run_eagerly=False)
    for estimator in ESTIMATORS
    if "run_eagerly" in estimator.get_params(deep=False)
]


@pytest.mark.slow
@parametrize_with_checks(COMPILED)
def test_sklearn_contract_of_compiled_networks(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        pytest.param(estimator, check, id=f"{type(estimator).__name__}-{check.__name__}")
        for estimator, check in recommender_checks(
            estimator
            for estimator in COMPILED
            if get_tags(estimator).estimator_type == "recommender"
        )
    ],
)
def test_recommender_contract_of_compiled_networks(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.parametrize(
    "estimator", [pytest.param(each, id=f"{type(each).__name__}") for each in RECOMMENDERS]
)
def test_recommenders_are_searched_in_parallel_and_saved(estimator, tmp_path):
    estimator = clone(estimator)
    _set_random_state(estimator)
    X, y = domain(estimator)
    wanted = interactions(X.shape[0], n_items_of(estimator), seed=1) if y is None else y
    serial, parallel = (
        GridSearchCV(estimator, {}, cv=2, n_jobs=n_jobs).fit(X, wanted) for n_jobs in (1, 2)
    )
    assert serial.best_score_ > 0
    np.testing.assert_array_equal(
        serial.cv_results_["split1_test_score"], parallel.cv_results_["split1_test_score"]
    )
    dump(parallel, tmp_path / "search.joblib")
    for mmap_mode in (None, "r"):
        loaded = load(tmp_path / "search.joblib", mmap_mode=mmap_mode)
        for ours, theirs in zip(recommend(loaded, X), recommend(parallel, X), strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("estimator", ESTIMATORS + WITH_ITEMS)
def test_fitted_attributes_are_documented(estimator):
    domains = make_cross_domain(60, 24, 20, n_cold_users=0, target_density=0.2, random_state=0)
    X = domains.X_source if get_tags(estimator).input_tags.sparse else domains.X_source.toarray()
    if get_tags(estimator).input_tags.categorical:
        X = X.astype(int)
    y = domains.Y_target.toarray() if is_regressor(estimator) else domains.Y_target
    model = clone(estimator).fit(X, y)
    fitted = {name for name in vars(model) if name.endswith("_") and not name.startswith("_")}
    documented = {
        name
        for attribute in NumpyDocString(inspect.getdoc(type(model)))["Attributes"]
        for name in attribute.name.split(", ")
    }
    assert fitted <= documented
    missing = {name for name in documented if not hasattr(model, name)}
    assert missing <= {"feature_names_in_"}
