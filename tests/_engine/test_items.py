import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sktransrec._engine._items import NegativeSampler, SampledTargets
from sktransrec._engine._next_item import next_item
from sktransrec._engine._objectives import StepTargets
from sktransrec._engine._trainer import NetworkTrainer
from sktransrec.feature_learning._sequences import one_token_a_row

N_ITEMS = 9
ROWS = np.array([[1, 2, 3], [4, 5, 0]])
COLUMNS, STEPS = np.array([1, 2, 8, 4]), np.array([0, 1, 2, 3])


def trainer(optimizer="adam"):
    sizes = {
        **{"encoder": "gru", "n_items": N_ITEMS, "max_length": 5, "n_components": 4},
        **{"n_layers": 1, "n_heads": 1, "kernel_size": 3, "features": None},
        **{"learns_features": False, "dropout": 0.0, "seed": 0},
    }
    return NetworkTrainer(
        next_item,
        sizes,
        loss="multinomial",
        regularization=0.0,
        optimizer=optimizer,
        learning_rate=0.01,
        run_eagerly=True,
    )


def full_targets():
    return StepTargets(one_token_a_row(COLUMNS, N_ITEMS), STEPS)


def sampled_targets(sampled, log_counts=0.0):
    def same(values):
        return np.full(len(values), log_counts, dtype=np.float32)

    return SampledTargets(COLUMNS, STEPS, same(COLUMNS), sampled, same(sampled))


def test_a_sample_of_all_items_gives_the_softmax():
    network = trainer()
    batches = [
        [([ROWS], targets, 0.0)]
        for targets in (full_targets(), sampled_targets(np.arange(N_ITEMS)))
    ]
    full, sampled = (network.mean_loss(batch) for batch in batches)
    assert sampled == pytest.approx(full, rel=1e-5)


def test_expected_counts_are_taken_off_the_scores():
    """The same for all items, they cancel; for one item, they lower its share."""
    network, sample = trainer(), np.array([0, 3, 6])
    loss = network.mean_loss([([ROWS], sampled_targets(sample), 0.0)])
    shifted = network.mean_loss([([ROWS], sampled_targets(sample, 2.0), 0.0)])
    assert shifted == pytest.approx(loss, rel=1e-5)
    often = sampled_targets(sample)._replace(sampled_log_counts=np.float32([5, 5, 5]))
    assert network.mean_loss([([ROWS], often, 0.0)]) < loss


def test_rows_without_a_gradient_stay_as_they_are():
    network = trainer()
    before = network.weights["items/embeddings"]
    sample = np.array([0, 5])
    network.train(lambda epoch: [([ROWS], sampled_targets(sample), 0.0)] * 3, epochs=1)
    after = network.weights["items/embeddings"]
    touched = np.unique([*(ROWS[ROWS > 0] - 1), *COLUMNS, *sample])
    untouched = np.setdiff1d(np.arange(N_ITEMS), touched)
    assert_array_equal(untouched, [6, 7])
    assert_array_equal(before[untouched], after[untouched])
    assert (before[touched] != after[touched]).any(axis=1).all()


def test_row_wise_adam_is_adam_where_all_rows_have_a_gradient():
    by_row, dense = trainer(), trainer()
    targets = {True: sampled_targets(np.arange(N_ITEMS)), False: full_targets()}
    for network, is_sampled in ((by_row, True), (dense, False)):
        network.train(lambda epoch, t=targets[is_sampled]: [([ROWS], t, 0.0)] * 4, epochs=1)
    for path, weight in dense.weights.items():
        assert_allclose(by_row.weights[path], weight, rtol=1e-3, atol=1e-5, err_msg=path)


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
