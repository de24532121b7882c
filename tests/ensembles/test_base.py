"""An ensemble reads what its parts read, and never recommends what one of them withholds."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.utils import get_tags

from sktransrec import (
    EASERecommender,
    NextItemRecommender,
    PopularityRecommender,
    RidgeRecommender,
    TransferGate,
    TransitionRecommender,
    VotingRecommender,
)
from sktransrec.ensembles._base import standardized

X = sp.csr_array((np.random.RandomState(0).uniform(size=(30, 6)) < 0.4).astype(np.float32))


class Withholding(PopularityRecommender):
    """Popularity, but for one item."""

    def __init__(self, item=0):
        self.item = item

    @property
    def withheld_items_(self):
        return np.arange(self.n_items_) == self.item


def vote(*recommenders):
    return VotingRecommender([(f"part {i}", each) for i, each in enumerate(recommenders)])


@pytest.mark.parametrize(
    ("parts", "is_supervised", "reads_histories"),
    [
        ([EASERecommender(), PopularityRecommender()], False, False),
        ([RidgeRecommender(), RidgeRecommender()], True, False),
        ([NextItemRecommender(), NextItemRecommender()], False, True),
    ],
)
def test_tags_are_those_of_the_parts(parts, is_supervised, reads_histories):
    tags = get_tags(vote(*parts))
    assert tags.target_tags.required == tags.target_tags.multi_output == is_supervised
    assert tags.input_tags.categorical == reads_histories


def test_a_deciding_ensemble_is_as_what_it_decides_on():
    tags = get_tags(TransferGate(RidgeRecommender(), PopularityRecommender()))
    assert tags.target_tags.required
    assert not get_tags(TransferGate(EASERecommender())).target_tags.required


def test_withheld_items_of_all_parts_are_withheld():
    model = vote(Withholding(1), PopularityRecommender(), Withholding(4)).fit(X)
    assert_array_equal(np.flatnonzero(model.withheld_items_), [1, 4])
    items, _ = model.recommend(X, n_recommendations=6, exclude_seen=False)
    assert set(items[:, :4].ravel()) == {0, 2, 3, 5}
    assert (items[:, 4:] == -1).all()
    assert vote(PopularityRecommender()).fit(X).withheld_items_ is None


def test_popularity_is_that_of_what_is_recommended():
    y = X[:, :4]
    assert_allclose(vote(EASERecommender()).fit(X).popularity_, X.mean(axis=0), rtol=1e-6)
    assert_allclose(vote(RidgeRecommender()).fit(X, y).popularity_, y.mean(axis=0), rtol=1e-6)
    with pytest.raises(ValueError, match="VotingRecommender requires y to be passed"):
        vote(RidgeRecommender()).fit(X)


def test_standardized_rows_have_mean_zero_and_deviation_one_or_are_zero():
    scores = np.array([[1.0, 2.0, 3.0], [5.0, 5.0, 5.0], [-1e6, 0.0, 1e6]])
    unit = np.sqrt(3 / 2)
    assert_allclose(standardized(scores), [[-unit, 0, unit], [0, 0, 0], [-unit, 0, unit]])
    assert_allclose(standardized(7 * scores + 3), standardized(scores))


def test_histories_and_matrices_do_not_mix():
    members = [("a", TransitionRecommender()), ("b", EASERecommender())]
    with pytest.raises(ValueError, match="wrap the second in a HistoryRecommender"):
        VotingRecommender(members).fit([[1, 2, 3], [3, 1, 2]])
