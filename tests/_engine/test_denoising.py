# SPDX-License-Identifier: BSD-3-Clause
import numpy as np
import pytest
import scipy.sparse as sp

from sktransrec._engine._denoising import annealed, code_noise, corrupted


def _corrupted(X, form, **parameters):
    rows = corrupted(form(X), rng=np.random.RandomState(0), **parameters)
    return rows.toarray() if sp.issparse(rows) else rows


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array])
def test_corruption_drops_scales_and_perturbs(form):
    X = np.full((50, 40), 2, dtype=np.float32)
    X[:, ::4] = 0
    rows = _corrupted(X, form, dropout=0.25)
    assert set(np.unique(rows)) == {0, np.float32(2 / 0.75)}
    assert not rows[:, ::4].any()
    assert (rows[X > 0] == 0).mean() == pytest.approx(0.25, abs=0.03)
    rows = _corrupted(X, form, dropout=0, noise=0.5)
    assert rows[X > 0].std() == pytest.approx(0.5, rel=0.1)
    assert not rows[:, ::4].any()
    assert X.max() == 2


def test_dense_and_sparse_rows_are_corrupted_alike():
    X = np.float32([[1, 0, 2], [0, 0, 0], [3, 4, 0]])
    dense, sparse = (_corrupted(X, form, dropout=0.5, noise=1) for form in (np.array, sp.csr_array))
    np.testing.assert_array_equal(dense, sparse)


def test_codes_are_drawn_in_training_only():
    assert not code_noise((3, 2), None).any()
    drawn = code_noise((2000, 2), np.random.RandomState(0))
    assert drawn.dtype == np.float32
    assert drawn.std() == pytest.approx(1, abs=0.05)


def test_divergence_weighs_more_from_epoch_to_epoch():
    assert [annealed(0.2, 10, progress) for progress in (0, 5, 10, 30, np.inf)] == [
        *(0, 0.1, 0.2, 0.2, 0.2),
    ]
    assert annealed(0.2, 0, 0) == 0.2
