# SPDX-License-Identifier: BSD-3-Clause
"""Every method of transfer gains on related domains, and none on unrelated ones."""

from functools import cache

import pytest
import scipy.sparse as sp
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import TruncatedSVD
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

from sktransrec import (
    ALSRecommender,
    Autoencoder,
    BridgeRecommender,
    CollectiveMFRecommender,
    CrossDomainAutoencoderRecommender,
    EASERecommender,
    GraphFilterRecommender,
    ItemKNNRecommender,
    ProcrustesRegressor,
    RidgeRecommender,
    SourceSelectorRecommender,
    TransferGate,
    TwoTowerAutoencoderRecommender,
    VotingRecommender,
    holdout_random,
    transfer_gain,
)
from sktransrec.datasets import make_cross_domain

N_SOURCE, N_TARGET = 150, 100
TARGET = range(N_SOURCE, N_SOURCE + N_TARGET)

pytestmark = pytest.mark.slow


def als():
    return ALSRecommender(8, regularization=0.01, random_state=0)


def bridge(regressor):
    return make_pipeline(als(), BridgeRecommender(als(), regressor))


def mlp():
    """Return a network whose inputs and outputs are scaled."""
    network = MLPRegressor(
        hidden_layer_sizes=(16,), activation="tanh", alpha=1, max_iter=300, random_state=0
    )
    scaled = make_pipeline(StandardScaler(), network)
    return TransformedTargetRegressor(scaled, transformer=StandardScaler())


def to_the_items():
    return make_pipeline(als(), RidgeRecommender(10))


# From the source to the target, for rows that nothing is known of in the target.
ACROSS = {
    "ridge": RidgeRecommender(300),
    "SVD, ridge": make_pipeline(TruncatedSVD(8, random_state=0), RidgeRecommender(10)),
    "autoencoder, ridge": make_pipeline(
        Autoencoder(16, kind="denoising", loss="multinomial", epochs=60, random_state=0),
        RidgeRecommender(10),
    ),
    "ALS, ridge": to_the_items(),
    "ridge bridge": bridge(Ridge()),
    "kernel bridge": bridge(make_pipeline(Normalizer(), KernelRidge(kernel="rbf"))),
    "rotation": bridge(ProcrustesRegressor()),
    "MLP bridge": bridge(mlp()),
    "cross-domain autoencoder": CrossDomainAutoencoderRecommender(
        16, learning_rate=0.01, epochs=40, random_state=0
    ),
    "vote": VotingRecommender([("bridge", bridge(Ridge())), ("items", to_the_items())]),
    "gate": TransferGate(to_the_items(), random_state=0),
    "selector": SourceSelectorRecommender(to_the_items(), random_state=0),
}

# On both domains side by side, for rows of which some target items are known.
SIDE_BY_SIDE = {
    "ALS": als(),
    "EASE": EASERecommender(),
    "item kNN": ItemKNNRecommender(),
    "graph filter": GraphFilterRecommender(16, random_state=0),
    "collective factorisation": CollectiveMFRecommender(
        TARGET, 8, regularization=0.01, random_state=0
    ),
    "two-tower autoencoder": TwoTowerAutoencoderRecommender(
        TARGET, 16, learning_rate=0.01, epochs=40, random_state=0
    ),
    "vote": VotingRecommender([("als", als()), ("ease", EASERecommender())]),
    "gate": TransferGate(als(), als(), target_columns=TARGET, random_state=0),
    "selector": SourceSelectorRecommender(
        als(), fallback=als(), target_columns=TARGET, random_state=0
    ),
}


@cache
def domains(relatedness):
    return make_cross_domain(
        600, N_SOURCE, N_TARGET, n_cold_users=0, relatedness=relatedness, random_state=0
    )


def gain_of(kind, name, relatedness):
    """Return the gain over popularity, or, side by side, over ALS on the target alone."""
    data = domains(relatedness)
    if kind == "across":
        return transfer_gain(
            ACROSS[name], None, data.X_source, data.Y_target, cv=3, random_state=0
        ).overall
    Y_kept, y = holdout_random(data.Y_target, 0.3, random_state=0)
    X = sp.hstack([data.X_source, Y_kept], format="csr")
    without = als()
    return transfer_gain(
        SIDE_BY_SIDE[name], without, X, y, target_columns=TARGET, cv=3, random_state=0
    ).overall


METHODS = [("across", name) for name in ACROSS] + [("side by side", name) for name in SIDE_BY_SIDE]


@pytest.mark.parametrize(("kind", "name"), METHODS)
def test_gain_is_significant_where_domains_are_related(kind, name):
    gain = gain_of(kind, name, relatedness=1)
    print(gain)
    assert gain.interval[0] > 0


@pytest.mark.parametrize(("kind", "name"), METHODS)
def test_nothing_is_gained_where_they_are_not(kind, name):
    gain = gain_of(kind, name, relatedness=0)
    print(gain)
    assert gain.verdict != "helps"
