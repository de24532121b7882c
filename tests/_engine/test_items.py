# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp

from sktransrec._engine._items import NegativeSampler, SampledTargets, item_scores_class
from sktransrec._engine._next_item import next_item
from sktransrec._engine._objectives import HeadLoss
from sktransrec._engine._state import engine
from sktransrec._engine._trainer import NetworkTrainer, TrainerSettings

N_ITEMS = 9
ROWS = np.array([[1, 2, 3], [4, 5, 0]])
COLUMNS, STEPS = np.array([1, 2, 8, 4]), np.array([0, 1, 2, 3])


def trainer(optimizer="adam"):
    sizes = {
        **{"architecture": "gru", "n_items": N_ITEMS, "max_length": 5, "n_components": 4},
        **{"n_layers": 1, "n_heads": 1, "kernel_size": 3, "features": None},
        **{"learns_features": False, "dropout": 0.0, "seed": 0},
    }
    return NetworkTrainer(
        TrainerSettings(
            next_item,
            sizes,
            regularization=0.0,
            optimizer=optimizer,
            learning_rate=0.01,
            run_eagerly=True,
        )
    )


def sampled_targets(sampled, log_counts=0.0):
    def same(values):
        return np.full(len(values), log_counts, dtype=np.float32)

    return SampledTargets(COLUMNS, STEPS, same(COLUMNS), sampled, same(sampled))


def test_loss_is_that_of_each_target_among_itself_and_all_draws():
    """Those that hit the target contrast with it as well."""
    rng, sampled = np.random.RandomState(0), np.array([1, 3, 8, 8])
    network = trainer()
    table = network.network.terms["output"].layer
    table.bias.assign(rng.standard_normal(N_ITEMS))
    log_counts = rng.standard_normal(N_ITEMS).astype(np.float32)
    targets = SampledTargets(COLUMNS, STEPS, log_counts[COLUMNS], sampled, log_counts[sampled])
    loss = network.mean_loss([([ROWS], {"output": targets})])
    codes = network.network.model(ROWS)[0].numpy().reshape(-1, 4)[STEPS]
    scores = codes @ table.vectors().numpy().T + table.bias.numpy() - log_counts
    own = scores[np.arange(len(STEPS)), COLUMNS]
    among = np.column_stack([own, scores[:, sampled]])
    assert loss == pytest.approx((logsumexp(among, axis=1) - own).sum() / len(ROWS), rel=1e-5)


@pytest.mark.parametrize("exponent", [pytest.param(0.0, marks=pytest.mark.slow), 1.0])
def test_scores_without_context_are_the_logarithms_of_shares(exponent):
    """The slope of what is learned on the logarithm of an item's share is 1."""
    engine()
    import tensorflow as tf

    rng, n_rows = np.random.RandomState(0), 500
    shares = 1 / np.arange(1, 13)
    shares /= shares.sum()
    sampler = NegativeSampler(1e5 * shares, exponent, n_negatives=50)
    output = item_scores_class()(len(shares), "softmax", "zeros", dtype="float32")
    output.build((None, 1))
    head = HeadLoss(output, None, "multinomial")

    @tf.function(reduce_retracing=True)
    def gradient(*targets):
        with tf.GradientTape() as tape:
            loss = head(tf.zeros([n_rows, 1]), SampledTargets(*targets))
        return tf.convert_to_tensor(tape.gradient(loss, output.bias.value))

    biases = []
    for _ in range(200):
        columns = rng.choice(len(shares), n_rows, p=shares)
        targets = sampler.targets(columns, np.arange(n_rows), rng)
        step = gradient(*map(tf.constant, targets)).numpy() / (n_rows * shares)
        output.bias.assign_sub(0.1 * step)
        biases.append(output.bias.numpy())
    slope, _ = np.polyfit(np.log(shares), np.mean(biases[100:], axis=0), 1)
    assert 0.97 < slope < 1.03


def test_rows_without_a_gradient_stay_as_they_are():
    network = trainer()
    before = network.weights["items/embeddings"]
    sample = np.array([0, 5])
    targets = {"output": sampled_targets(sample)}
    network.train(lambda epoch: [([ROWS], targets)] * 3, epochs=1)
    after = network.weights["items/embeddings"]
    touched = np.unique([*(ROWS[ROWS > 0] - 1), *COLUMNS, *sample])
    untouched = np.setdiff1d(np.arange(N_ITEMS), touched)
    assert_array_equal(untouched, [6, 7])
    assert_array_equal(before[untouched], after[untouched])
    assert (before[touched] != after[touched]).any(axis=1).all()


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_items_are_drawn_as_often_as_expected(exponent):
    counts = np.array([0, 1, 4, 16])
    sampler = NegativeSampler(counts, exponent, 40_000)
    targets = sampler.targets(np.arange(4), np.arange(4), np.random.RandomState(0))
    drawn = np.bincount(targets.sampled, minlength=4)
    weights = np.array([1, 1, 4, 16]) ** exponent
    assert_allclose(np.exp(targets.log_counts), 40_000 * weights / weights.sum(), rtol=1e-5)
    assert_allclose(drawn, np.exp(targets.log_counts), rtol=0.05)
    assert_array_equal(targets.sampled_log_counts, targets.log_counts[targets.sampled])
