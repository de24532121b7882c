# SPDX-License-Identifier: BSD-3-Clause
"""The methods that the benchmark of transfer compares, and what each of them learns from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import scipy.sparse as sp
from _transfer_tasks import beside, with_hidden_people
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler, normalize

import sktransrec as str_
from sktransrec.metrics import held_out_ranks

SOURCE_WEIGHT = "source weight"
# Those of the bridges that differ by a seed; all else has the first.
SEEDS = range(3)

# What is learned from


def with_parameters(model, parameters):
    """Return a model with the parameters, among them weights of members and of the source."""
    parameters = dict(parameters)
    for name in [name for name in parameters if name.endswith(SOURCE_WEIGHT)]:
        weights = {"source": parameters.pop(name)}
        parameters[name.replace(SOURCE_WEIGHT, "columntransformer__transformer_weights")] = weights
    if isinstance(model, str_.VotingRecommender):
        names = [f"weight of {name}" for name, _ in model.estimators]
        parameters["weights"] = [parameters.pop(name, 1) for name in names]
    return model.set_params(**parameters)


def fitted(model, X, y=None):
    return clone(model).fit(X, y)


def fit_target(model, task, fit):
    return fit(model, task.target)


def fit_stacked(model, task, fit):
    return fit(model, task.stacked)


def fit_ensemble(ensemble, task, fit):
    """Fit a gate or a stack of models of both domains side by side and of the target alone."""
    n_source = task.source.shape[1]
    columns = np.arange(n_source, task.stacked.shape[1])
    return fit(ensemble.set_params(target_columns=columns), task.stacked)


def fit_vote(vote, task, fit):
    """Fit a vote of models of both domains side by side."""
    return fitted_vote(vote, task.stacked, fit)


def fit_target_vote(vote, task, fit):
    return fitted_vote(vote, task.target, fit)


def fitted_vote(vote, X, fit):
    """Return a vote of models that are fitted one by one."""
    parts = [(name, FrozenEstimator(fit(part, X))) for name, part in vote.estimators]
    return vote.set_params(estimators=parts).fit(X)


def fit_codebook(model, task, fit):
    """Fit a model of the target alone that goes by the codebook of the source alone."""
    source = FrozenEstimator(fit(model, task.source))
    return fit(model.set_params(pretrained=source), task.target)


def fit_across(model, task, fit):
    """Fit a model from source to target, its parts of one domain on all rows of that domain."""
    return str_.fit_across_domains(
        model, task.X_source, task.Y_target, X_source=task.source, Y_target=task.target
    )


def fit_stack_across(stack, task, fit):
    """Fit a stack from source to target: its weights on people whose target items are hidden."""
    known, is_hidden = with_hidden_people(task)
    split = np.flatnonzero(~is_hidden), np.flatnonzero(is_hidden)
    learned = members_across(stack, known, fit).set_params(cv=[split])
    learned.fit(task.X_source, task.Y_target)
    final = members_across(stack, task, fit)
    final.set_params(prior=FrozenEstimator(learned), regularization=np.inf)
    return final.fit(task.X_source, task.Y_target)


def members_across(stack, task, fit):
    """Return a stack of frozen members, each fitted from source to target."""
    parts = [
        (name, FrozenEstimator(fit_across(part, task, fit))) for name, part in stack.estimators
    ]
    return clone(stack).set_params(estimators=parts)


@dataclass(frozen=True)
class Method:
    """A model, unfitted, how it learns from a task, and the parameters to choose from.

    `bounds` are the natural bounds of the grid. `takes` maps prefixes of parameters to the other
    method whose choice they take over, before a search of its own.
    """

    model: Callable
    fit: Callable
    grid: dict = field(default_factory=dict)
    bounds: dict = field(default_factory=dict)
    takes: dict = field(default_factory=dict)

    def taken(self, choice):
        """Return the parameters taken over, given the choice of any other method by name."""
        return {
            prefix + name: value
            for prefix, other in self.takes.items()
            for name, value in choice(other).items()
        }

    def unfitted(self, task, parameters):
        return with_parameters(self.model(task), parameters)

    def fitted(self, task, parameters, fit=fitted):
        return self.fit(self.unfitted(task, parameters), task, fit)

    def ranks(self, model, task, n_negatives):
        """Return the row, the item and the rank of each pair to be found."""
        rows, y, candidates = task.X_new, task.y, None
        excluded = task.Y_known
        if self.fit in (fit_target, fit_target_vote, fit_codebook):
            rows, excluded = task.Y_known, None
        if self.fit is fit_ensemble:
            rows, excluded = beside(task.X_new, task.Y_known), None
        if self.fit in (fit_stacked, fit_vote):
            n_source = task.X_new.shape[1]
            rows = beside(task.X_new, task.Y_known)
            if model.decision_function(rows[:1]).shape[1] > y.shape[1]:
                candidates, excluded = np.arange(n_source, n_source + y.shape[1]), None
                y = beside(sp.csr_array(task.X_new.shape, dtype=y.dtype), y)
        rows, items, ranks = held_out_ranks(
            model,
            rows,
            y,
            n_negatives=n_negatives,
            candidates=candidates,
            exclude_interactions=excluded,
            random_state=0,
        )
        return rows, items if candidates is None else items - candidates[0], ranks


# The models, with the defaults of the package; networks and codebooks have a shorter training


def als(seed=0):
    return str_.ALSRecommender(random_state=seed)


def weighted_als(task):
    """Return ALS on both domains with a weight for the source's interactions."""
    n_source = task.X_source.shape[1]
    domains = ColumnTransformer(
        [
            ("source", "passthrough", slice(0, n_source)),
            ("target", "passthrough", slice(n_source, None)),
        ]
    )
    return make_pipeline(domains, als())


def collective(task):
    target_columns = slice(task.X_source.shape[1], None)
    return str_.CollectiveMFRecommender(target_columns, random_state=0)


def item_knn(task):
    return str_.ItemKNNRecommender()


def graph_filter(task):
    return str_.GraphFilterRecommender(random_state=0)


def two_towers(task, **parameters):
    target_columns = slice(task.X_source.shape[1], None)
    return str_.TwoTowerAutoencoderRecommender(
        target_columns, 128, batch_size=256, random_state=0, **parameters
    )


def one_tower(task):
    """Return the tower of the target by itself."""
    options = {"kind": "denoising", "loss": "multinomial", "code_activation": "tanh"}
    training = {"learning_rate": 3e-3, "epochs": 14, "batch_size": 256, "random_state": 0}
    encoder = str_.Autoencoder(128, hidden_layer_sizes=(), **training, **options)
    return str_.ReconstructionRecommender(encoder)


def vote(task, factors=weighted_als):
    """Return a mean of factors, neighbours and graph filter."""
    parts = {"als": factors, "knn": item_knn, "filter": graph_filter}
    return str_.VotingRecommender([(name, part(task)) for name, part in parts.items()])


def members_of_stack(task):
    """Return factors, neighbours and graph filter by name."""
    return {"als": als(), "knn": item_knn(task), "filter": graph_filter(task)}


def stack(task):
    """Return a stack of factors, neighbours and graph filter, each alone and on both domains."""
    alone = members_of_stack(task)
    parts = {name: on_target(task, part) for name, part in alone.items()}
    parts["collective"] = collective(task)
    parts |= {f"{name} on both": alone[name] for name in ("knn", "filter")}
    return str_.StackingRecommender(list(parts.items()), random_state=0)


def stack_alone(task):
    """Return a stack of factors, neighbours and graph filter of the target alone."""
    return str_.StackingRecommender(list(members_of_stack(task).items()), random_state=0)


def on_target(task, model):
    """Return a model of the target alone that reads both domains side by side."""
    columns = slice(task.X_source.shape[1], None)
    return make_pipeline(ColumnTransformer([("target", "passthrough", columns)]), model)


def codebook(task):
    return str_.CodebookRecommender(n_init=3, max_iter=40, random_state=0)


def gate(task):
    return str_.TransferGate(als(), als(), cv=3, random_state=0)


def autoencoder():
    return str_.Autoencoder(
        64,
        hidden_layer_sizes=(256,),
        kind="variational",
        loss="multinomial",
        epochs=15,
        batch_size=256,
        random_state=0,
    )


def cross_domain_autoencoder(task):
    return str_.CrossDomainAutoencoderRecommender(256, epochs=60, random_state=0)


def bridge(regressor, *, seed=0):
    """Return a bridge between factors of ALS."""
    return make_pipeline(als(seed), str_.BridgeRecommender(als(seed), regressor))


def kernel_bridge(seed=0):
    return bridge(make_pipeline(Normalizer(), kernel_ridge(1.0)), seed=seed)


def to_the_items():
    return make_pipeline(als(), str_.RidgeRecommender())


def committee():
    """Return the mean of three kernel bridges, which differ by a seed, and of ridge regression."""
    bridges = [(f"bridge {seed}", kernel_bridge(seed)) for seed in SEEDS]
    return str_.VotingRecommender([*bridges, ("items", to_the_items())])


def ease(task):
    return str_.EASERecommender()


def stack_across():
    """Return a stack of what the committee holds."""
    return str_.StackingRecommender(committee().estimators, random_state=0)


def text_neighbors(task, pooling="mean"):
    return str_.ContentKNNRecommender(task.texts, pooling=pooling)


def from_words(task):
    """Return a ridge regression from the words of the source's items to the target's items."""
    n_source = task.X_source.shape[1]
    vectors = TfidfVectorizer(sublinear_tf=True, dtype=np.float32)
    words = vectors.fit_transform(task.texts.values)[:n_source]
    return make_pipeline(FunctionTransformer(partial(_words_of, words)), str_.RidgeRecommender())


def _words_of(words, X):
    """Return the mean of the words of the items of each row, of length 1."""
    return normalize(X @ words)


def stack_with_words(task):
    """Return a stack of a bridge and of ridge regressions from factors, items and words."""
    parts = {"bridge": kernel_bridge(), "factors": to_the_items()}
    parts |= {"items": str_.RidgeRecommender(), "words": from_words(task)}
    return str_.StackingRecommender(list(parts.items()), random_state=0)


def kernel_ridge(alpha):
    return KernelRidge(alpha, kernel="rbf", gamma=1.0)


def mlp():
    """Return a network with one hidden layer, its inputs and outputs to scale."""
    network = MLPRegressor(
        hidden_layer_sizes=(128,), activation="tanh", max_iter=60, tol=0.0, random_state=0
    )
    return TransformedTargetRegressor(
        make_pipeline(StandardScaler(), network), transformer=StandardScaler()
    )


# The tables, and what is searched; what a search holds fixed has one value in its grid

FACTORS_GRID = {"n_components": [256], "max_iter": [10]}
ALS_GRID = FACTORS_GRID | {
    "regularization": [0.02, 0.03, 0.04, 0.05],
    "confidence": [100.0, "balanced"],
}
FILTER_GRID = {
    "n_components": [64, 128, 256],
    "item_exponent": [0, 0.1, 0.3],
    "low_pass_weight": [0.1],
    "row_exponent": [0.2],
}
EASE_GRID = {"regularization": [100.0, 300.0, 1000.0], "item_exponent": [0.0]}
KNN_GRID = {
    "weighting": ["cosine", "tfidf", "bm25"],
    "shrinkage": [3, 10, 30],
    "popularity_exponent": [0.0],
}
COLLECTIVE_GRID = FACTORS_GRID | {"confidence": [100.0, "balanced"]}
VOTE_GRID = {f"weight of {name}": [0, 0.25, 0.5] for name in ("knn", "filter")}
CLUSTERS_GRID = {"n_row_clusters": [3, 10, 30], "n_item_clusters": [10, 30, 100]}
RIDGE_GRID = {"regularization": [30.0, 100.0, 300.0, 1000.0]}

KNN_BOUNDS = {"shrinkage": {0: "no shrinkage"}}
FILTER_BOUNDS = {"item_exponent": {0: "popular items are not held back"}}
VOTE_BOUNDS = {name: {0: "the member is left out"} for name in VOTE_GRID}

ALS_ALONE, ALS_ON_BOTH = "ALS, target alone", "ALS on both"
WEIGHTED_ALS = "ALS on both, source weighted"
RIDGE_BRIDGE, KERNEL_BRIDGE = "ALS, ridge to ALS factors", "ALS, kernel ridge to ALS factors"
TO_THE_ITEMS = "ALS, ridge to the items"

POPULARITY = Method(lambda task: str_.PopularityRecommender(), fit_target)
WARM = {
    "popularity": POPULARITY,
    "item kNN, target alone": Method(item_knn, fit_target, KNN_GRID, KNN_BOUNDS),
    "graph filter, target alone": Method(graph_filter, fit_target, FILTER_GRID, FILTER_BOUNDS),
    "EASE, target alone": Method(ease, fit_target, EASE_GRID),
    ALS_ALONE: Method(lambda task: als(), fit_target, ALS_GRID),
    "vote of ALS, item kNN and graph filter, target alone": Method(
        partial(vote, factors=lambda task: als()),
        fit_target_vote,
        VOTE_GRID,
        VOTE_BOUNDS,
        takes={
            "als__": ALS_ALONE,
            "knn__": "item kNN, target alone",
            "filter__": "graph filter, target alone",
        },
    ),
    "autoencoder, target alone": Method(
        one_tower, fit_target, {"transformer__epochs": [7, 14, 28]}
    ),
    "codebook, target alone": Method(codebook, fit_target, CLUSTERS_GRID),
    "codebook of the source": Method(codebook, fit_codebook, CLUSTERS_GRID),
    "item kNN on both": Method(item_knn, fit_stacked, KNN_GRID, KNN_BOUNDS),
    "graph filter on both": Method(graph_filter, fit_stacked, FILTER_GRID, FILTER_BOUNDS),
    "EASE on both": Method(ease, fit_stacked, EASE_GRID),
    ALS_ON_BOTH: Method(lambda task: als(), fit_stacked, ALS_GRID),
    WEIGHTED_ALS: Method(
        weighted_als,
        fit_stacked,
        {f"alsrecommender__{name}": values for name, values in ALS_GRID.items()}
        | {SOURCE_WEIGHT: [0.1, 0.3, 0.6, 1.0]},
    ),
    "collective factorisation": Method(
        collective,
        fit_stacked,
        COLLECTIVE_GRID | {"source_weight": [0.1, 0.3, 1.0]},
    ),
    "two-tower autoencoder": Method(
        partial(two_towers, learning_rate=3e-3, epochs=14),
        fit_stacked,
        {"source_weight": [0.3, 1.0, 3.0], "epochs": [7, 14, 28]},
    ),
    "vote of ALS, item kNN and graph filter, on both": Method(
        vote,
        fit_vote,
        VOTE_GRID,
        VOTE_BOUNDS,
        takes={
            "als__": WEIGHTED_ALS,
            "knn__": "item kNN on both",
            "filter__": "graph filter on both",
        },
    ),
    "stack, target alone": Method(stack_alone, fit_target),
    "stack, on both and target alone": Method(stack, fit_ensemble),
    "gate: ALS on both, or target alone": Method(
        gate, fit_ensemble, takes={"transfer__": ALS_ON_BOTH, "fallback__": ALS_ALONE}
    ),
}

SOURCE_GRID = {f"alsrecommender__{name}": values for name, values in FACTORS_GRID.items()}
SOURCE_GRID["alsrecommender__confidence"] = [100.0, 400.0, 1600.0]
BRIDGE_GRID = {
    **SOURCE_GRID,
    **{f"bridgerecommender__recommender__{name}": value for name, value in FACTORS_GRID.items()},
    "alsrecommender__regularization": [0.01, 0.03, 0.1],
    "bridgerecommender__recommender__regularization": [0.01, 0.02, 0.04],
}
COLD = {
    "popularity": POPULARITY,
    ALS_ON_BOTH: Method(lambda task: als(), fit_stacked, ALS_GRID),
    "collective factorisation": Method(
        collective,
        fit_stacked,
        COLLECTIVE_GRID | {"source_weight": [0.3, 1.0, 3.0]},
    ),
    "two-tower autoencoder": Method(
        partial(two_towers, input_dropout=0.8, target_dropout=0.7, epochs=6),
        fit_stacked,
        {"source_weight": [0.3, 0.5, 1.0], "epochs": [3, 6, 12]},
    ),
    "EASE on both": Method(ease, fit_stacked, EASE_GRID),
    "ridge, items to items": Method(lambda task: str_.RidgeRecommender(), fit_across, RIDGE_GRID),
    "SVD, ridge to the items": Method(
        lambda task: make_pipeline(TruncatedSVD(64, random_state=0), str_.RidgeRecommender()),
        fit_across,
        {"ridgerecommender__regularization": [10.0, 100.0, 1000.0]},
    ),
    "autoencoder, ridge to the items": Method(
        lambda task: make_pipeline(autoencoder(), str_.RidgeRecommender()),
        fit_across,
        {"ridgerecommender__regularization": [100.0, 1000.0, 10000.0]},
    ),
    "cross-domain autoencoder": Method(
        cross_domain_autoencoder, fit_across, {"epochs": [40, 60, 80]}
    ),
    TO_THE_ITEMS: Method(
        lambda task: to_the_items(),
        fit_across,
        {
            **SOURCE_GRID,
            "alsrecommender__regularization": [0.02],
            "ridgerecommender__regularization": [10.0, 100.0, 1000.0],
        },
    ),
    RIDGE_BRIDGE: Method(
        lambda task: bridge(Ridge()),
        fit_across,
        {
            "bridgerecommender__regressor__alpha": [1.0, 3.0, 10.0],
            **BRIDGE_GRID,
        },
    ),
    KERNEL_BRIDGE: Method(
        lambda task: kernel_bridge(),
        fit_across,
        {
            "bridgerecommender__regressor__kernelridge__alpha": [0.3, 1.0, 3.0],
            **BRIDGE_GRID,
        },
    ),
    "ALS, rotation to ALS factors": Method(
        lambda task: bridge(str_.ProcrustesRegressor()),
        fit_across,
        {
            "bridgerecommender__activity_exponent": [0.0, 0.5, 1.0],
            **BRIDGE_GRID,
        },
        {"bridgerecommender__activity_exponent": {0: "the length of factors is left as it is"}},
    ),
    "ALS, MLP to ALS factors": Method(
        lambda task: bridge(mlp()),
        fit_across,
        {
            "bridgerecommender__regressor__regressor__mlpregressor__alpha": [1.0, 10.0, 100.0],
            **BRIDGE_GRID,
        },
    ),
    "mean of three kernel bridges and ridge to the items": Method(
        lambda task: committee(),
        fit_across,
        {"weight of items": [0, 0.3, 0.6, 1.0]},
        {"weight of items": {0: "ridge regression is left out"}},
        takes={**{f"bridge {seed}__": KERNEL_BRIDGE for seed in range(3)}, "items__": TO_THE_ITEMS},
    ),
    "stack of three kernel bridges and ridge to the items": Method(
        lambda task: stack_across(), fit_stack_across
    ),
    "gate: ALS and ridge to the items, or popularity": Method(
        lambda task: str_.TransferGate(to_the_items(), random_state=0),
        fit_across,
        takes={"transfer__": TO_THE_ITEMS},
    ),
    "selector: ALS and ridge to the items, or popularity": Method(
        lambda task: str_.SourceSelectorRecommender(to_the_items(), random_state=0),
        fit_across,
        takes={"transfer__": TO_THE_ITEMS},
    ),
}

# Models for cold people where items have texts, of which nothing is searched.
WITH_TEXTS = {
    "popularity": POPULARITY,
    "neighbours by words": Method(text_neighbors, fit_stacked),
    "neighbours by words, best match": Method(partial(text_neighbors, pooling="max"), fit_stacked),
    "item kNN on both": Method(item_knn, fit_stacked),
    "graph filter on both": Method(graph_filter, fit_stacked),
    "ridge, items to items": Method(lambda task: str_.RidgeRecommender(), fit_across),
    "ridge, words to items": Method(from_words, fit_across),
    TO_THE_ITEMS: Method(lambda task: to_the_items(), fit_across),
    KERNEL_BRIDGE: Method(lambda task: kernel_bridge(), fit_across),
    "stack of the bridge and the three ridges": Method(stack_with_words, fit_stack_across),
}
