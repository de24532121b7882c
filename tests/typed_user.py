# SPDX-License-Identifier: BSD-3-Clause
"""A user's script, read by mypy and run by `test_typing.py`."""

from pathlib import Path
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from sktransrec import (
    ALSRecommender,
    EASERecommender,
    InteractionEncoder,
    ItemFeatures,
    ItemKNNRecommender,
    RecommendationService,
    VotingRecommender,
    compare,
    holdout_random,
    recommend,
    transfer_gain,
)
from sktransrec.datasets import make_cross_domain
from sktransrec.evaluation import HeldOutInteractions, ModelComparison, TransferGain
from sktransrec.metrics import ndcg_at_k, ranking_scorer

Columns = NDArray[np.intp]
Scores = NDArray[np.float32]


def recommendations(interactions: NDArray[np.float32]) -> tuple[Columns, Scores]:
    vote = VotingRecommender([("knn", ItemKNNRecommender()), ("ease", EASERecommender())])
    assert_type(vote.fit(interactions), VotingRecommender)
    assert_type(vote.recommend(interactions), tuple[Columns, Scores])
    assert_type(recommend(vote, interactions, n_recommendations=3), tuple[Columns, Scores])
    assert_type(vote.score(interactions), float)
    return vote.recommend(interactions, n_recommendations=3)


def factors(interactions: NDArray[np.float32]) -> NDArray[np.float32]:
    model = ALSRecommender(n_components=4, max_iter=2, random_state=0).fit(interactions)
    assert_type(model, ALSRecommender)
    assert_type(model.n_items_, int)
    assert_type(model.decision_function(interactions), NDArray[np.float32])
    return model.item_factors_


def learned_further(interactions: NDArray[np.float32]) -> ItemKNNRecommender:
    model = ItemKNNRecommender(shrinkage=1, popularity_exponent=0)
    assert_type(model.partial_fit(interactions), ItemKNNRecommender)
    return model.partial_fit(interactions)


def verdict(source: NDArray[np.float32], target: NDArray[np.float32]) -> str:
    model = ItemKNNRecommender(shrinkage=1, popularity_exponent=0)
    gain = transfer_gain(model, None, source, target, cv=2, random_state=0)
    assert_type(gain, TransferGain)
    return gain.verdict


def comparison(interactions: NDArray[np.float32]) -> dict[str, Any]:
    result = compare({"ease": EASERecommender()}, interactions, cv=2, random_state=0)
    assert_type(result, ModelComparison)
    return result.errors


def served(path: Path) -> None:
    events = {"user": ["ann", "ann", "bob"], "item": ["tea", "cup", "tea"]}
    encoder = InteractionEncoder(user="user", item="item")
    X = encoder.fit_transform(events)
    assert_type(X, csr_array)
    service = RecommendationService(EASERecommender().fit(X), encoder)
    service.save(path)
    assert_type(RecommendationService.load(path), RecommendationService)


def main(path: Path) -> None:
    domains = make_cross_domain(random_state=0)
    known, held_out = holdout_random(domains.X_source, 0.2, random_state=0)
    assert_type(known, csr_array)
    assert_type(HeldOutInteractions().hold_out(known), tuple[csr_array, csr_array])
    items, _ = recommendations(known.toarray())
    ndcg_at_k(held_out, items, k=3)
    ranking_scorer("ndcg", k=3)
    factors(known.toarray())
    learned_further(known.toarray())
    comparison(known.toarray())
    ItemFeatures(["a cup", "green tea"])
    served(path)
