# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import approx_fprime, minimize

from sktransrec._numerics._conditional_logit import (
    Choices,
    _penalized_minimum,
    best_multiple,
    conditional_logit_loss,
    conditional_logit_weights,
    feature_correlations,
    held_out_losses,
    held_out_ndcg,
    joined_choices,
    row_ndcg,
)
from sktransrec.metrics import ndcg_at_k

TRUE = np.array([1.0, 0.5, 0.0])
ALL_SIGNED = np.ones(3, dtype=bool)


def drawn_choices(n_rows, n_items=30, weights=TRUE, seed=0):
    """Return one choice for each row, drawn from the model itself."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n_rows, n_items, len(weights))).astype(np.float32)
    chosen = (features @ weights + rng.gumbel(size=(n_rows, n_items))).argmax(axis=1)
    rows = np.arange(n_rows)
    represents = np.ones((n_rows, n_items), dtype=np.float32)
    represents[rows, chosen] = 0
    return Choices(features, represents, features[rows, chosen], rows)


def test_slopes_are_those_of_the_loss():
    choices = drawn_choices(20)
    at = np.array([0.3, -0.2, 0.8])
    _, gradient, hessian = conditional_logit_loss(choices, at)
    parts = [lambda w, i=i: conditional_logit_loss(choices, w)[1][i] for i in range(3)]
    expected = approx_fprime(at, lambda w: conditional_logit_loss(choices, w)[0], 1e-3)
    assert_allclose(gradient, expected, rtol=0.02, atol=0.1)
    assert_allclose(hessian, [approx_fprime(at, part, 1e-3) for part in parts], rtol=0.02, atol=0.1)


def test_loss_of_one_choice():
    """The row chose the item with feature 1, and left three items with feature 0."""
    zeros = np.zeros((1, 2, 1), dtype=np.float32)
    one = np.ones((1, 1), dtype=np.float32)
    choices = Choices(zeros, np.array([[1.0, 2.0]]), one, np.zeros(1, dtype=int))
    loss, _, _ = conditional_logit_loss(choices, np.array([2.0]))
    assert_allclose(loss, -np.log(np.exp(2) / (np.exp(2) + 3)))


def test_a_row_counts_once_however_much_it_chose():
    choices = drawn_choices(5)
    twice = choices._replace(
        chosen=np.repeat(choices.chosen, 2, axis=0), rows=np.repeat(choices.rows, 2)
    )
    for once, again in zip(
        conditional_logit_loss(choices, TRUE), conditional_logit_loss(twice, TRUE), strict=True
    ):
        assert_allclose(once, again, rtol=1e-6)


def test_what_counts_for_nothing_changes_nothing():
    """An item that stands for none, a row that chose nothing, and one with nothing to reject."""
    rejected = np.array([[[0.0], [1000.0]], [[5.0], [5.0]], [[2.0], [3.0]]], dtype=np.float32)
    represents = np.array([[1, 0], [0, 0], [1, 1]])
    chosen = np.array([[0.0], [1.0]], dtype=np.float32)
    choices = Choices(rejected, represents, chosen, np.arange(2))
    loss, gradient, hessian = conditional_logit_loss(choices, np.ones(1))
    assert_allclose(loss, np.log(2))
    assert_allclose(gradient, [0], atol=1e-6)
    assert_allclose(hessian, [[0]], atol=1e-6)


def test_large_scores_do_not_overflow():
    choices = drawn_choices(5)
    assert all(np.isfinite(part).all() for part in conditional_logit_loss(choices, 1e4 * TRUE))


@pytest.mark.parametrize("regularization", [0.0, "auto"])
def test_weights_of_the_model_are_found(regularization):
    weights, _ = conditional_logit_weights(
        drawn_choices(3000), np.ones(3), regularization, ALL_SIGNED
    )
    assert_allclose(weights, TRUE, atol=0.07)


def test_minimum_is_that_of_another_solver():
    choices = drawn_choices(60, weights=np.array([1.0, -0.5, -0.4]))
    is_signed = np.array([False, False, True])
    center = np.ones(3) * _multiple_of_ones(choices)
    weights, _ = conditional_logit_weights(choices, np.ones(3), 5.0, is_signed)

    def penalized(w):
        value, gradient, _ = conditional_logit_loss(choices, w)
        return value + 2.5 * ((w - center) ** 2).sum(), gradient + 5 * (w - center)

    bounds = [(0, None), (0, None), (None, None)]
    other = minimize(penalized, center, jac=True, bounds=bounds, method="L-BFGS-B")
    assert weights[2] < weights[1] == 0
    assert_allclose(weights, other.x, atol=5e-3)


def _multiple_of_ones(choices):
    weights, _ = conditional_logit_weights(choices, np.ones(3), 1e9, ALL_SIGNED)
    return weights[0]


def test_without_choices_the_prior_stays():
    none = drawn_choices(3).of_rows(np.zeros(3, dtype=bool))
    for prior, regularization in ([2.0, 1.0, 0.0], 3 / (2**2 + 1**2)), ([0.01, 0, 0], 1 / 0.1**2):
        weights, used = conditional_logit_weights(none, np.array(prior), "auto", ALL_SIGNED)
        assert_allclose(weights, prior, atol=1e-6)
        assert_allclose(used, regularization)


def test_the_multiple_of_the_prior_is_found_from_far_away():
    choices = drawn_choices(300)
    assert_allclose(best_multiple(choices, 50 * TRUE), best_multiple(choices, TRUE), atol=0.01)


def test_no_weights_have_no_other_multiple():
    """As where all rows chose against all evidence, and each group of rows starts from that."""
    zeros = np.zeros(3)
    assert_array_equal(best_multiple(drawn_choices(9), zeros), zeros)
    weights, _ = conditional_logit_weights(drawn_choices(9), zeros, "auto", ALL_SIGNED)
    assert np.isfinite(weights).all()


@pytest.mark.parametrize("start", [-8.0, 10.0])
def test_steps_that_lead_too_far_are_shortened(start):
    """Three of four rows chose the item with feature 1, and the last one that with feature 0."""
    chosen = np.array([[1], [1], [1], [0]], dtype=np.float32)
    choices = Choices(1 - chosen[:, None], np.ones((4, 1)), chosen, np.arange(4))
    minimum = np.log([3.0])  # also the centre
    found, hessian = _penalized_minimum(choices, minimum, 0.01, -np.inf, np.array([start]))
    assert_allclose(found, minimum, atol=1e-3)
    assert_array_equal(hessian, conditional_logit_loss(choices, found)[2])


def test_few_rows_stay_near_the_prior_and_many_do_not():
    distances = [
        np.abs(weights / weights.sum() - 1 / 3).max()
        for weights, _ in (
            conditional_logit_weights(drawn_choices(n), np.ones(3), "auto", ALL_SIGNED)
            for n in (2, 1000)
        )
    ]
    assert distances[0] < 0.2 < 0.3 < distances[1]


def test_joined_choices_are_those_of_all_rows():
    whole = drawn_choices(10)
    first = np.arange(10) < 4
    joined = joined_choices([whole.of_rows(first), whole.of_rows(~first)])
    for part, expected in zip(joined, whole, strict=True):
        assert_allclose(part, expected)


def test_many_choices_against_all_features_take_their_weights_and_few_do_not():
    few, many = (
        conditional_logit_weights(
            drawn_choices(n, weights=-TRUE), np.ones(3), "auto", np.zeros(3, dtype=bool)
        )[0]
        for n in (5, 400)
    )
    assert few.min() > 0.5 * few.max() > 0.02
    assert_array_equal(many[:2], 0)


def test_one_good_feature_is_found_among_bad_ones():
    """The sum of all features seems worth nothing, and so does any multiple of it."""
    choices = drawn_choices(200, weights=np.array([0.5, -0.6, -0.6]))
    weights, _ = conditional_logit_weights(choices, np.ones(3), "auto", np.zeros(3, dtype=bool))
    assert weights[0] > 0.2
    assert_allclose(weights[1:], 0, atol=0.05)


def test_held_out_losses_are_those_of_the_other_half():
    choices = drawn_choices(41)
    chosen = np.r_[0, :39]  # one row chose twice, and two chose nothing
    choices = choices._replace(chosen=choices.chosen[chosen], rows=chosen)
    priors = [np.ones(3), TRUE]
    losses = held_out_losses(choices, priors, 5.0, ALL_SIGNED)
    is_even = np.arange(41) % 2 == 0
    for prior, of_prior in zip(priors, losses, strict=True):
        for judged in (is_even, ~is_even):
            weights, _ = conditional_logit_weights(choices.of_rows(~judged), prior, 5.0, ALL_SIGNED)
            expected, _, _ = conditional_logit_loss(choices.of_rows(judged), weights)
            assert of_prior[judged].sum() == pytest.approx(expected, rel=1e-5)
        assert_array_equal(of_prior[39:], 0)


def test_row_ndcg_is_that_of_the_ranking():
    """Rows chose two items, three, 25 and none; the 21st item counts as nothing."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(4, 40)).astype(np.float32)
    ranking, wanted = np.argsort(-scores, axis=1), np.zeros((4, 40))
    for row, places in enumerate(([0, 20], [5, 19, 30], np.arange(5, 30))):
        wanted[row, ranking[row, places]] = 1
    rows, items = wanted.nonzero()
    choices = Choices(scores[..., None], 1 - wanted, scores[rows, items, None], rows)
    expected = ndcg_at_k(wanted, ranking[:, :20], k=20, per_row=True)
    assert_allclose(row_ndcg(choices, np.ones(1)), np.nan_to_num(expected), rtol=1e-6)


def test_a_rejected_item_stands_for_many_and_ties_count_half():
    rejected = np.array([[[2.0], [1.0]]], dtype=np.float32)
    choices = Choices(rejected, np.array([[1.0, 4.0]]), np.ones((1, 1)), np.zeros(1, dtype=int))
    assert_allclose(row_ndcg(choices, np.ones(1)), 1 / np.log2(2 + 1 + 2))
    assert_allclose(row_ndcg(choices, -np.ones(1)), 1 / np.log2(2 + 2))


def test_held_out_ndcg_is_that_of_the_other_half():
    choices = drawn_choices(40)
    even = np.arange(40) % 2 == 0
    seen = []
    ndcg = held_out_ndcg(choices, [lambda is_known: seen.append(is_known) or TRUE])
    assert_allclose(ndcg, row_ndcg(choices, TRUE)[None])
    assert_allclose(seen, [~even, even])


def test_correlations_of_features_are_those_of_the_items_that_are_meant():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(2, 5, 3)).astype(np.float32)
    features[..., 2] = 1
    represents = np.array([[1, 2, 0, 1, 3], [1, 0, 1, 2, 1]])
    meant = np.repeat(features.reshape(-1, 3), represents.ravel(), axis=0)
    choices = Choices(features, represents, features[:, 0], np.arange(2))
    correlations = feature_correlations(choices)
    assert_allclose(correlations[:2, :2], np.corrcoef(meant[:, :2].T), atol=1e-5)
    assert_allclose(correlations[2, :2], 0, atol=1e-6)


def test_choices_with_some_features_keep_all_else():
    choices = drawn_choices(4)
    some = choices.of_features(np.array([True, False, True]))
    assert_array_equal(some.rejected, choices.rejected[:, :, [0, 2]])
    assert_array_equal(some.chosen, choices.chosen[:, [0, 2]])
    assert some.represents is choices.represents
    assert some.rows is choices.rows
    assert choices.of_features(ALL_SIGNED) is choices
