# SPDX-License-Identifier: BSD-3-Clause
"""The area under the curve equals that of scikit-learn on the eligible items of each row."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from sklearn.metrics import roc_auc_score

from sktransrec import ItemKNNRecommender, PopularityRecommender, eligible_scores
from sktransrec.metrics import held_out_auc


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = (rng.uniform(size=(40, 12)) < 0.3).astype(np.float32)
    y = (rng.uniform(size=X.shape) < 0.2) * (X == 0)
    y[:2] = 0
    return X, sp.csr_array(y.astype(np.float32))


@pytest.mark.parametrize("candidates", [None, [0, 2, 3, 5, 7, 8, 11]])
@pytest.mark.parametrize("model", [PopularityRecommender(), ItemKNNRecommender()])
def test_is_that_of_scikit_learn(data, model, candidates):
    X, y = data
    model = model.fit(X)
    found = held_out_auc(model, X, y, candidates=candidates, per_row=True)
    columns = np.arange(12) if candidates is None else candidates
    ((_, scores),) = eligible_scores(model, X, candidates=columns)
    wanted = y.toarray()[:, columns] > 0
    for row, row_scores in enumerate(scores):
        eligible = np.isfinite(row_scores)
        truth = wanted[row, eligible]
        if truth.all() or not truth.any():
            assert np.isnan(found[row])
        else:
            assert_allclose(found[row], roc_auc_score(truth, row_scores[eligible]))
    mean = held_out_auc(model, X, y, candidates=candidates)
    assert_allclose(mean, np.nanmean(found))


def test_excluded_pairs_are_below_all_others(data):
    X, y = data
    model = PopularityRecommender().fit(X)
    excluded = sp.csr_array(sp.vstack([sp.csr_array((20, y.shape[1])), y[20:]]))
    found = held_out_auc(model, X, y, exclude_interactions=excluded, per_row=True)
    assert np.nanmax(found[:20]) > 0
    assert np.nanmax(found[20:]) == 0


def test_what_is_excluded_has_the_shape_of_the_scores(data):
    X, y = data
    model = PopularityRecommender().fit(X)
    with pytest.raises(ValueError, match="exclude_interactions has shape"):
        held_out_auc(model, X, y, exclude_interactions=y[:-1])


def test_nothing_to_find_is_an_error(data):
    X, y = data
    model = PopularityRecommender().fit(X)
    with pytest.raises(ValueError, match="y marks no item that counts"):
        held_out_auc(model, X, sp.csr_array(y.shape, dtype=np.float32))
