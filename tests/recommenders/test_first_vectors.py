# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.frozen import FrozenEstimator

from sktransrec import ItemFeatures, NextItemRecommender, TransitionRecommender
from sktransrec.recommenders._first_vectors import kernel_to, linked_vectors

# Two groups of items that never meet; item 8 is alone.
X = np.array([[1, 2, 3], [2, 3, 1], [3, 4, 0], [5, 6, 7], [7, 6, 5], [8, 0, 0]])
N_ITEMS = 9  # nobody has item 9
UNTRAINED = {"epochs": 1, "learning_rate": 1e-12, "n_items": N_ITEMS, "run_eagerly": True}
TINY = {"n_components": 6, "n_layers": 1, "random_state": 0, **UNTRAINED}


def test_products_are_the_links():
    """With as many components as items, and no negative eigenvalue, nothing is lost."""
    links = TransitionRecommender(10, popularity_exponent=0, n_items=N_ITEMS).fit(X).item_links_
    links = (links + links.T).toarray()
    vectors = linked_vectors(X, N_ITEMS, N_ITEMS, random_state=0).astype(np.float64)
    eigenvalues, U = np.linalg.eigh(links)
    expected = (U * np.abs(eigenvalues)) @ U.T
    products = vectors @ vectors.T
    assert_allclose(products / np.trace(products), expected / np.trace(expected), atol=1e-5)


@pytest.mark.parametrize("n_components", [3, 6, 20])
def test_length_of_the_vectors(n_components):
    vectors = linked_vectors(X, N_ITEMS, n_components, random_state=0)
    assert vectors.shape == (N_ITEMS, n_components)
    # A code is normalised to a length of the root of its size.
    own_scores = np.sqrt(n_components) * np.linalg.norm(vectors, axis=1)
    assert_allclose(np.sqrt(np.mean(own_scores**2)), 6, rtol=1e-4)
    assert not vectors[[7, 8]].any()


def test_a_network_starts_from_the_vectors():
    model = NextItemRecommender(**TINY).fit(X)
    drawn = NextItemRecommender(**TINY, init="random").fit(X).item_factors_
    expected = linked_vectors(X, N_ITEMS, 6, model._seed_of_weights)
    assert_allclose(model.item_factors_, expected + drawn, atol=1e-6)
    assert np.abs(drawn).max() <= 0.05 + 1e-6


def test_what_is_held_out_is_not_known_at_the_start():
    """The item to find stands nowhere else, so its vector is a drawn one."""
    rows = np.array([[1, 2, 3], [2, 1, 4]])
    model = NextItemRecommender(**TINY, validation_fraction=1.0).fit(rows)
    drawn = NextItemRecommender(**TINY, validation_fraction=1.0, init="random").fit(rows)
    assert_allclose(model.item_factors_[2:], drawn.item_factors_[2:], atol=1e-6)
    assert not np.allclose(model.item_factors_[:2], drawn.item_factors_[:2], atol=0.1)


def test_what_is_copied_stays():
    ids = list("abcdefghi")
    source = NextItemRecommender(**TINY, item_ids=ids, init="random").fit(X)
    target = NextItemRecommender(
        **TINY, item_ids=["a", "b", *"rstuvwx"], pretrained=FrozenEstimator(source)
    ).fit(X)
    assert_allclose(target.item_factors_[:2], source.item_factors_[:2], atol=1e-6)
    drawn = NextItemRecommender(**TINY, init="random").fit(X).item_factors_
    start = linked_vectors(X, N_ITEMS, 6, target._seed_of_weights) + drawn
    assert_allclose(target.item_factors_[2:], start[2:], atol=1e-6)


def test_kernel_of_features_that_say_all():
    features = 1e3 * np.eye(N_ITEMS, dtype=np.float32)
    model = NextItemRecommender(**TINY, item_features=ItemFeatures(features)).fit(X)
    vectors = linked_vectors(X, N_ITEMS, 6, model._seed_of_weights)
    assert_allclose(features @ kernel_to(vectors, features), vectors, atol=1e-4)
    assert_allclose(model.item_factors_[:7], vectors[:7], atol=1e-4)


def test_a_later_fit_goes_on_from_what_was_learned():
    model = NextItemRecommender(**TINY, warm_start=True).fit(X)
    model.set_params(learning_rate=0.1).fit(X)
    moved = model.item_factors_.copy()
    model.set_params(learning_rate=1e-12).fit(X)
    assert_allclose(model.item_factors_, moved, atol=1e-6)
    assert_array_equal(model.n_iter_, 3)


def test_rows_of_one_item_alone():
    vectors = linked_vectors(np.array([[1, 1, 1], [1, 1, 0]]), 3, 2, random_state=0)
    assert vectors[0].any()
    assert not vectors[1:].any()
