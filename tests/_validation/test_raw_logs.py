# SPDX-License-Identifier: BSD-3-Clause
"""What is no matrix of interactions is told how to become one; what is one passes."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sktransrec import (
    ALSRecommender,
    Autoencoder,
    BM25Transformer,
    EASERecommender,
    HistoryRecommender,
    InteractionEncoder,
    NextItemRecommender,
    PopularityRecommender,
    RidgeRecommender,
    RNNEncoder,
    TransferGate,
    VotingRecommender,
    holdout_random,
    recommend,
)
from sktransrec._validation._raw_logs import check_no_histories, check_no_log
from sktransrec.metrics import ndcg_at_k

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
EVENTS = np.random.RandomState(2)
USERS, ITEMS = EVENTS.randint(200, size=2000), EVENTS.randint(9000, size=2000)
FEW_ITEMS = np.concatenate([EVENTS.permutation(60)[:5] for _ in range(20)])
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
    "numbered from 0": np.column_stack([USERS, ITEMS]),
    "sorted and numbered from 0": np.column_stack([np.sort(USERS), ITEMS]),
    "ratings numbered from 0": np.column_stack([USERS, ITEMS, 1 + ITEMS % 5]),
    "small ids of sorted users": np.column_stack([np.repeat(np.arange(20), 5), FEW_ITEMS]),
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
    "sorted counts": np.sort(SMALL.poisson(5, size=(200, 3)), axis=0),
    "rows sorted by an item": np.array(sorted(SMALL.poisson(5, size=(200, 2)).tolist())),
    "many zeros beside many plays": np.column_stack(
        [SMALL.poisson(0.5, size=200), SMALL.poisson(2000, size=200)]
    ),
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
    check_no_histories(X)


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


BASKETS = [["milk"], ["tea", "x"]]
RATED = np.eye(4)[[0, 1, 2, 3, 0, 1]]
EASE, RIDGE = EASERecommender().fit(RATED), RidgeRecommender().fit(RATED, RATED)
NEXT = HistoryRecommender(EASERecommender()).fit([[1, 2], [2, 3], [3, 1]])


@pytest.mark.parametrize("baskets", [BASKETS, [[1], [2, 3], [1]]], ids=["texts", "numbers"])
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("X", lambda rows: recommend(EASE, rows, n_recommendations=1)),
        ("X", lambda rows: recommend(RIDGE, rows, n_recommendations=1)),
        ("X", EASE.score),
        ("X", ALSRecommender(2, max_iter=1).fit(RATED).transform),
        ("X", BM25Transformer().fit(RATED).transform),
        ("X", lambda rows: RidgeRecommender().fit(rows, RATED[: len(rows)])),
        ("X", Autoencoder(2).fit),
        ("y_true", lambda rows: ndcg_at_k(rows, [[0]] * len(rows), k=1)),
        (
            "exclude_interactions",
            lambda rows: EASE.recommend(
                RATED[: len(rows)], n_recommendations=1, exclude_interactions=rows
            ),
        ),
    ],
)
def test_transactions_are_told_to_be_encoded_everywhere(name, call, baskets):
    with pytest.raises(
        ValueError, match=rf"^{name} must be .* InteractionEncoder\(.*\.fit_transform\(log\)"
    ):
        call(baskets)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("X", lambda rows: recommend(NEXT, rows, n_recommendations=1)),
        ("y", lambda rows: NEXT.score([[1, 2], [2, 0]], rows)),
    ],
)
def test_histories_of_several_lengths_are_told_to_be_padded(name, call):
    with pytest.raises(ValueError, match=rf"rows of {name} have different lengths: pad them"):
        call([[1], [2, 3]])


@pytest.mark.parametrize(
    ("model", "cure"),
    [
        (Autoencoder(2), "fit_transform"),
        (RNNEncoder(2), "sequences"),
        (NextItemRecommender(), "sequences"),
        (HistoryRecommender(EASERecommender()), "sequences"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_networks_and_readers_of_histories_read_the_names_of_columns(model, cure):
    with pytest.raises(ValueError, match=rf"the column 'userId'.*{cure}\(log\)"):
        model.fit(LOG[PAIR])
