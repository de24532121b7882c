"""What is no matrix of interactions is told how to become one; what is one passes."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sktransrec import (
    BM25Transformer,
    EASERecommender,
    HistoryRecommender,
    InteractionEncoder,
    PopularityRecommender,
    RidgeRecommender,
    TransferGate,
    VotingRecommender,
    holdout_random,
)
from sktransrec._validation._raw_logs import check_no_histories, check_no_log

RNG = np.random.RandomState(0)
LOG = pd.DataFrame(
    {
        "userId": np.repeat(np.arange(1, 11), 4),
        "movieId": RNG.permutation(2000)[:40] + 1,
        "rating": RNG.randint(1, 11, size=40) / 2,
        "timestamp": 964_982_703 + RNG.randint(10**6, size=40),
    }
)
PAIR = ["userId", "movieId"]
HISTORIES = RNG.randint(1, 50, size=(20, 8)) * (np.arange(8) < RNG.randint(1, 9, size=(20, 1)))
RAW = {
    "names": LOG,
    "names of two columns": LOG[PAIR],
    "small ids under their names": LOG[["userId", "rating"]],
    "plain names": pd.DataFrame({"User": [1, 2], "item": [1, 1]}),
    "a pivot table with its index": LOG.pivot(index="userId", columns="movieId", values="rating")
    .fillna(0)
    .rename(columns=str)
    .reset_index(),
    "array": LOG.to_numpy(),
    "array of two columns": LOG[PAIR].to_numpy(),
    "array without times": LOG.iloc[:, :3].to_numpy(),
    "unnamed": pd.DataFrame(LOG.to_numpy()),
    "list of events": LOG[PAIR].to_numpy().tolist(),
    "dict": {"user": [1, 2], "item": [3, 4]},
    "events of strings": [("ann", "tea"), ("bob", "tea")],
    "table of strings": pd.DataFrame([("ann", "tea"), ("bob", "tea")]),
    "transactions": [[10, 20, 30], [10], [20, 30]],
    "transactions of strings": [["tea", "rice"], ["tea"]],
    "baskets": [{10, 20}, {20, 30}],
    "a column of transactions": pd.Series([[1, 2], [3]]),
    "arrays of ids": [np.array([1, 2]), np.array([3])],
}
SMALL = np.random.RandomState(1)
MATRICES = {
    "0 and 1": SMALL.randint(2, size=(30, 3)),
    "small counts": SMALL.randint(1, 6, size=(30, 3)),
    "counts with zeros": SMALL.poisson(300, size=(30, 3)) * SMALL.randint(2, size=(30, 3)) * 10,
    "floats": 5000 * SMALL.uniform(size=(30, 3)),
    "large but few": [[1000, 2], [3, 4000]],
    "wide": SMALL.randint(1, 5000, size=(30, 8)),
    "different counts": np.arange(1, 61).reshape(20, 3) * 100,
    "sparse": sp.csr_array(LOG[PAIR].to_numpy()),
    "items with such words": pd.DataFrame([[1, 0, 2]], columns=["book", "Film", "a user guide"]),
    "ratings of the first items": RNG.randint(1, 6, size=(20, 8)) * (HISTORIES > 0),
    "a few rows": HISTORIES[:4],
    "numbered items": pd.DataFrame([[1, 0, 2]], columns=["item1", "item_2", "item 3"]),
    "numbers": pd.DataFrame([[1, 0, 2], [1, 1, 1]]),
    "a list": [[1, 0, 1], [0, 1, 1]],
}


@pytest.mark.parametrize("kind", RAW)
@pytest.mark.parametrize(
    "call",
    [
        PopularityRecommender().fit,
        BM25Transformer().fit,
        VotingRecommender([("one", EASERecommender())]).fit,
        TransferGate(EASERecommender()).fit,
        holdout_random,
    ],
    ids=["Popularity", "BM25", "Voting", "Gate", "holdout_random"],
)
def test_what_is_no_matrix_is_told_to_be_encoded(kind, call):
    with pytest.raises(ValueError, match=r"InteractionEncoder\(.*\.fit_transform\(log\)"):
        call(RAW[kind])


@pytest.mark.parametrize("call", [EASERecommender().fit, BM25Transformer().fit, holdout_random])
@pytest.mark.parametrize("histories", [HISTORIES, pd.DataFrame(HISTORIES[:, ::-1])])
def test_histories_are_told_to_be_read_by_a_model_of_histories(histories, call):
    with pytest.raises(ValueError, match=r"histories of item ids do.*HistoryRecommender\(model\)"):
        call(histories)
    model = HistoryRecommender(EASERecommender()).fit(np.asarray(histories))
    assert model.n_items_ == HISTORIES.max()


@pytest.mark.parametrize("dtype", [np.complex64, "datetime64[D]", object])
def test_other_kinds_of_numbers_are_left_to_other_checks(dtype):
    X = np.ones((20, 8), dtype=int).astype(dtype)
    if dtype is object:
        X[0, 0] = 10**400
    check_no_log(X, name="X")
    check_no_histories(X, name="X")


@pytest.mark.parametrize("kind", ["names", "transactions"])
def test_what_is_no_target_either(kind):
    y = RAW[kind]
    with pytest.raises(ValueError, match=r"^y must be a matrix .* InteractionEncoder\("):
        RidgeRecommender().fit(np.ones((len(y), 2)), y)


@pytest.mark.parametrize("kind", MATRICES)
def test_matrices_pass(kind):
    check_no_log(MATRICES[kind], name="X")
    assert PopularityRecommender().fit(MATRICES[kind]).n_items_ == np.shape(MATRICES[kind])[1]


def _encoded_as_told(**names):
    """Return X as the example in the error encodes it."""
    with pytest.raises(ValueError, match="encode it first: ") as caught:
        PopularityRecommender().fit(next(iter(names.values())))
    names["InteractionEncoder"] = InteractionEncoder
    exec(str(caught.value).partition("encode it first: ")[2].removesuffix("."), names)
    return names["X"].toarray()


def test_the_examples_of_the_errors_encode():
    assert _encoded_as_told(log=LOG).shape == (10, 40)
    encoded = _encoded_as_told(X=RAW["transactions"])
    np.testing.assert_array_equal(encoded, [[1, 1, 1], [1, 0, 0], [0, 1, 1]])


@pytest.mark.parametrize("call", [PopularityRecommender().fit, holdout_random])
def test_a_pivot_table_with_gaps_is_told_to_fill_them_with_zeros(call):
    pivot = LOG.pivot(index="userId", columns="movieId", values="rating")
    with pytest.raises(ValueError, match=r"X contains NaN.*X\.fillna\(0\)") as caught:
        call(pivot)
    assert "Do not use an imputer" in str(caught.value)
    with pytest.raises(ValueError, match=r"y contains NaN.*y\.fillna\(0\)"):
        RidgeRecommender().fit(np.ones((10, 2)), pivot)
