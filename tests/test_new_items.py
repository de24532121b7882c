# SPDX-License-Identifier: BSD-3-Clause
"""New items from their texts: the items-as-rows view on real films."""

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline

from sktransrec import (
    CNNEncoder,
    InteractionEncoder,
    RidgeRecommender,
    TextSequences,
    ranking_scorer,
    recommend,
)
from sktransrec.datasets import load_movielens
from sktransrec.metrics import ndcg_at_k


@pytest.fixture(scope="module")
def films(data_home):
    """Titles with genres, and the indicator matrix of films and their viewers."""
    movielens = load_movielens(data_home=data_home)
    encoder = InteractionEncoder(user="user_id", item="movie_id", min_item_interactions=20)
    Y = encoder.fit_transform(movielens.ratings).T
    rows = np.searchsorted(movielens.movies.movie_id, encoder.items_)
    words = [f"{movielens.movies.title[row]} {movielens.movies.genres[row]}" for row in rows]
    return words, sp.csr_array(Y > 0).astype(np.float32)


@pytest.mark.slow
@pytest.mark.data
def test_a_search_over_text_and_network_is_saved_and_loaded(films, tmp_path):
    texts, texts_new, Y, Y_new = train_test_split(*films, test_size=0.2, random_state=0)
    pipeline = make_pipeline(
        TextSequences(min_df=2, max_length=15),
        CNNEncoder(
            n_components=16, kernel_sizes=(1, 2), loss="multinomial", unknown="ignore", epochs=4
        ),
        RidgeRecommender(),
    )
    pipeline.set_params(cnnencoder__random_state=0)
    grid = {"textsequences__min_df": [2, 5], "ridgerecommender__regularization": [1.0, 30.0]}
    search = GridSearchCV(
        pipeline, grid, scoring=ranking_scorer("ndcg", k=10), cv=2, error_score="raise"
    ).fit(texts, Y)
    joblib.dump(search, tmp_path / "search.joblib")
    users, scores = recommend(search, texts_new)
    loaded_users, loaded_scores = recommend(joblib.load(tmp_path / "search.joblib"), texts_new)
    assert_array_equal(users, loaded_users)
    assert_array_equal(scores, loaded_scores)
    most_active = np.argsort(-Y.sum(axis=0))[:10]
    floor = ndcg_at_k(Y_new, np.tile(most_active, (len(texts_new), 1)), k=10)
    assert ndcg_at_k(Y_new, users, k=10) > floor
