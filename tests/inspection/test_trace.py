# SPDX-License-Identifier: BSD-3-Clause
"""A trace says which member added what, which path served, and what keeps an item out."""

import numpy as np
import pytest
import scipy.sparse as sp
from _instances import RECOMMENDERS
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from sktransrec import (
    ALSRecommender,
    EASERecommender,
    HybridRecommender,
    ItemFeatures,
    ItemKNNRecommender,
    SwitchingRecommender,
    TransferGate,
    VotingRecommender,
    recommend,
)
from sktransrec.datasets import make_cross_domain
from sktransrec.ensembles._base import EnsembleRecommender
from sktransrec.inspection import trace
from sktransrec.testing._samples import domain

ENSEMBLES = [model for model in RECOMMENDERS if isinstance(model, EnsembleRecommender)]
MEMBERS = [("neighbours", ItemKNNRecommender()), ("EASE", EASERecommender(10.0))]


@pytest.fixture(scope="module")
def domains():
    return make_cross_domain(120, 40, 30, n_cold_users=0, random_state=0)


@pytest.mark.parametrize("model", ENSEMBLES, ids=lambda model: repr(model)[:60])
def test_members_sum_to_the_scores(model):
    X, y = domain(model)
    model.fit(X, y)
    rows = sp.vstack([X[:8], sp.csr_array((1, X.shape[1]))], format="csr")
    scores = model.member_scores(rows)
    assert_allclose(sum(scores.values()), model.decision_function(rows), atol=1e-5)


def test_a_vote_is_traced_to_its_members(domains):
    X = domains.X_source
    vote = make_pipeline(MaxAbsScaler(), VotingRecommender(MEMBERS)).fit(X)
    found = trace(FrozenEstimator(vote), X[[3]], n_recommendations=4)
    items, scores = recommend(vote, X[[3]], n_recommendations=4)
    assert_array_equal(found.items, items[0])
    assert_array_equal(found.ranks, [1, 2, 3, 4])
    assert list(found.members) == ["neighbours", "EASE"]
    assert_allclose(found.members["neighbours"] + found.members["EASE"], scores[0], rtol=1e-5)
    assert not found.removed_by.any()
    assert f"item {items[0, 0]}, rank 1, score" in repr(found)
    assert list(found.to_frame()["EASE"]) == found.members["EASE"].tolist()


def test_filters_are_named():
    X = np.array([[1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 0]])
    content = ItemFeatures(np.eye(6))
    model = HybridRecommender(
        ALSRecommender(2, random_state=0),
        item_features=content,
        min_interactions=1,
        cold_policy="exclude",
    ).fit(X)
    found = trace(
        model,
        X[[0]],
        items=np.arange(6),
        candidates=[0, 2, 4, 5],
        exclude_interactions=[[0, 0, 1, 0, 0, 0]],
    )
    reasons = ["seen", "seen", "excluded", "not a candidate", "", "withheld"]
    assert found.removed_by.tolist() == reasons
    assert found.ranks.tolist() == [0, 0, 0, 0, 1, 0]
    assert found.item_paths.tolist() == ["factors"] * 5 + ["excluded"]
    assert found.row_path == "factors"
    kept = trace(model, X[[0]], items=[0, 1], exclude_seen=False)
    assert kept.removed_by.tolist() == ["", ""]


def test_gates_and_switches_name_the_path_of_the_row(domains):
    X, y = domains.X_source, domains.Y_target
    gate = TransferGate(EASERecommender(), cv=2, random_state=0).fit(X)
    found = trace(gate, X[[0]])
    assert found.row_path == gate.row_paths(X[[0]])[0]
    for name, added in found.members.items():
        assert added.any() == (name == found.row_path)
    switch = SwitchingRecommender(EASERecommender(), target_columns=np.arange(30)).fit(X)
    cold = sp.csr_array(([1.0], ([0], [35])), shape=(1, 40))
    found = trace(switch, cold, n_recommendations=2)
    assert found.row_path == "popularity"
    assert_allclose(found.members["popularity"], found.scores, rtol=1e-6)
    empty = trace(EASERecommender().fit(y), y[[0]] * 0, n_recommendations=2)
    assert empty.row_path == "popularity"
    assert not empty.members


def test_bad_rows_are_named(domains):
    model = EASERecommender().fit(domains.X_source)
    with pytest.raises(ValueError, match="X has 2 rows: pass a single one"):
        trace(model, domains.X_source[:2])


def test_an_unfitted_model_is_named():
    with pytest.raises(NotFittedError, match="EASERecommender"):
        trace(EASERecommender(), [[1, 0, 1]])
