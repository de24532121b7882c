# SPDX-License-Identifier: BSD-3-Clause
"""A frozen estimator with a name prints its name, and is what it holds everywhere else."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sktransrec import (
    ALSRecommender,
    Autoencoder,
    BM25Transformer,
    BridgeRecommender,
    RidgeRecommender,
    frozen,
    ranking_scorer,
)
from sktransrec.datasets import make_cross_domain


@pytest.fixture(scope="module")
def domains():
    return make_cross_domain(60, 30, 20, n_cold_users=0, random_state=0)


@pytest.fixture(scope="module")
def factors(domains):
    return ALSRecommender(n_components=4, regularization=0.02, random_state=0).fit(domains.X_source)


def test_a_search_prints_names(domains, factors, capfd):
    pipe = make_pipeline(ALSRecommender(2, random_state=0), RidgeRecommender(1.0))
    grid = {"alsrecommender": [frozen(factors, "films"), frozen(factors)]}
    search = GridSearchCV(pipe, grid, cv=2, scoring=ranking_scorer(), verbose=2)
    search.fit(domains.X_source, domains.Y_target)
    names = list(map(str, search.cv_results_["param_alsrecommender"]))
    assert names == ["Frozen('films')", "Frozen('ALSRecommender')"]
    assert "alsrecommender=Frozen('films')" in capfd.readouterr().out
    assert "n_components" not in repr(search.best_estimator_)


def test_it_is_what_it_holds(domains, factors):
    held = frozen(factors, "films")
    assert isinstance(held, FrozenEstimator)
    for same in (clone(held), held.fit(domains.Y_target, None), pickle.loads(pickle.dumps(held))):
        assert repr(same) == "Frozen('films')"
        np.testing.assert_array_equal(same.item_factors_, factors.item_factors_)
    pipe = make_pipeline(BM25Transformer(), ALSRecommender(2)).fit(domains.X_source)
    assert repr(frozen(pipe)) == "Frozen('BM25Transformer > ALSRecommender')"
    with pytest.raises(NotFittedError):
        frozen(ALSRecommender())


def test_the_diagram_names_what_is_frozen_fine_tuned_and_bridged(factors):
    encoder = frozen(factors, "films")
    pipe = make_pipeline(
        encoder,
        Autoencoder(pretrained=encoder, trainable="head"),
        Autoencoder(pretrained=FrozenEstimator(factors)),
        Autoencoder(pretrained=encoder, trainable=2),
        BridgeRecommender(ALSRecommender()),
    )
    html = pipe._repr_html_()
    for words in (
        "frozen: films",
        "frozen but for the output: films",
        "fine-tuned from: ALSRecommender",
        "frozen but for the last 2 layers: films",
        "bridge: Ridge",
        "to the factors of: ALSRecommender",
    ):
        assert words in html
    assert not hasattr(Autoencoder(), "_sk_visual_block_")
