# SPDX-License-Identifier: BSD-3-Clause
"""A sparse matrix whose parts do not fit together is refused at every door, in words.

Reading one ends the process, with scipy and scikit-learn as with anybody else.
"""

import numpy as np
import pytest
import scipy.sparse as sp
from _instances import ESTIMATORS
from sklearn.base import clone, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.utils import get_tags

from sktransrec import (
    BiasedMFRecommender,
    EASERecommender,
    ItemFeatures,
    PretrainedEncoder,
    RidgeRecommender,
    cross_listed_mask,
    debiased_scorer,
    find_cross_listed,
    holdout_random,
    ranking_scorer,
    rating_scorer,
    recommend,
    transfer_gain,
    transfer_learning_curve,
)
from sktransrec._validation._sparse_faults import check_sparse
from sktransrec.evaluation import proxy_a_distance
from sktransrec.metrics import held_out_ranks, ndcg_at_k, rating_errors
from sktransrec.testing._samples import domain, interactions

FORMATS = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
FAR = 10**8


def with_part(X, part, change):
    """Return a copy of X with one of its arrays changed."""
    X = X.copy()
    values = getattr(X, part).copy()
    setattr(X, part, change(values))
    return X


def with_first(value):
    def change(values):
        values[0] = value
        return values

    return change


def with_coordinates(X, axis, change):
    X = X.copy()
    coordinates = [places.copy() for places in X.coords]
    coordinates[axis] = change(coordinates[axis])
    X.coords = tuple(coordinates)
    return X


def with_shape(X, shape):
    X = X.copy()
    X._shape = shape
    return X


def faulty(X):
    """Yield what is wrong, and a matrix of which that is true."""
    csr, csc, coo, bsr = X.tocsr(), X.tocsc(), X.tocoo(), X.tobsr((2, 2))
    for compressed in (csr, csc, bsr):
        name = compressed.format
        yield f"{name}: too high", with_part(compressed, "indices", with_first(FAR))
        yield f"{name}: below zero", with_part(compressed, "indices", with_first(-FAR))
        yield f"{name}: floats", with_part(compressed, "indices", lambda values: values * 1.0)
        yield f"{name}: few indices", with_part(compressed, "indices", lambda values: values[1:])
        yield f"{name}: few values", with_part(compressed, "data", lambda values: values[1:])
        yield f"{name}: few lines", with_part(compressed, "indptr", lambda values: values[:-1])
        yield f"{name}: late start", with_part(compressed, "indptr", with_first(1))
        ends = compressed.indptr.copy()
        ends[-1] = FAR
        yield f"{name}: late end", with_part(compressed, "indptr", lambda _, ends=ends: ends)
        down = compressed.indptr.copy()
        down[1] = down[-1] + 1
        yield f"{name}: decreasing", with_part(compressed, "indptr", lambda _, down=down: down)
    yield "csr: narrow", with_shape(csr, (csr.shape[0], 1))
    yield "csr: tall", with_shape(csr, (FAR, csr.shape[1]))
    yield "csr: nan", with_shape(csr, (np.nan, csr.shape[1]))
    yield "csr: negative", with_shape(csr, (csr.shape[0], -1))
    headless = csr.copy()
    del headless.indptr
    yield "csr: no indptr", headless
    yield "bsr: no blocks", with_part(bsr, "data", lambda values: values[:, 0])
    yield "bsr: odd", with_shape(bsr, (bsr.shape[0] + 1, bsr.shape[1]))
    for axis in (0, 1):
        yield f"coo: too high {axis}", with_coordinates(coo, axis, with_first(FAR))
        yield f"coo: below zero {axis}", with_coordinates(coo, axis, with_first(-1))
        yield f"coo: few {axis}", with_coordinates(coo, axis, lambda values: values[1:])
    flat = coo.copy()
    flat.coords = coo.coords[:1]
    yield "coo: one axis", flat
    lil, dok, dia = X.tolil(), X.todok(), X.todia()
    yield "lil: few lines", with_part(lil, "rows", lambda values: values[1:])
    dok._dict = {(0, 0, 0): 1.0}
    yield "dok: three axes", dok
    yield "dia: far", with_part(dia, "offsets", with_first(FAR))
    yield "dia: few", with_part(dia, "offsets", lambda values: values[1:])
    yield "dia: twice", with_part(dia, "offsets", with_first(dia.offsets[1]))
    for column in (FAR, -1, 1.5):
        lil = X.tolil()
        lil.rows[0][0] = column
        yield f"lil: {column}", lil
        dok = X.todok()
        dok._dict[(0, column)] = 1.0
        yield f"dok: {column}", dok
    lil = X.tolil()
    lil.rows[0] = lil.rows[0][1:]
    yield "lil: few", lil


FAULTY = dict(faulty(interactions(8, 6, seed=0)))


@pytest.mark.parametrize("fault", FAULTY)
def test_a_fault_is_found(fault):
    with pytest.raises(ValueError, match=r"^X_source is a broken sparse matrix: .*Build it again"):
        check_sparse(FAULTY[fault], name="X_source")


@pytest.mark.parametrize("kind", ["array", "matrix"])
@pytest.mark.parametrize("form", FORMATS)
def test_what_fits_together_is_left_alone(form, kind):
    X = interactions(8, 6, seed=0).toarray()
    for dense in (X, X[:1], np.zeros((3, 4)), np.zeros((0, 4)), np.eye(4, 2)):
        check_sparse(getattr(sp, f"{form}_{kind}")(dense), name="X")
    check_sparse(getattr(sp, f"{form}_{kind}")((3, 5)), name="X")


def test_rows_of_one_axis_and_spare_room_are_no_fault():
    check_sparse(sp.csr_array(np.array([0.0, 1.0])), name="X")
    check_sparse(sp.coo_array(np.array([0.0, 1.0])), name="X")
    X = interactions(8, 6, seed=0)
    roomy = with_part(X, "indices", lambda values: np.append(values, FAR).astype(values.dtype))
    roomy.data = np.append(roomy.data, 1).astype(roomy.dtype)
    check_sparse(roomy, name="X")


def broken(X):
    """Return X, sparse or dense, as CSR with one index far outside."""
    return with_part(sp.csr_array(X, dtype=np.float32), "indices", with_first(FAR))


OF_ROWS = ("decision_function", "recommend", "transform", "predict", "row_paths")
REFUSED = pytest.raises((TypeError, ValueError), match=r"is a broken sparse matrix|[Ss]parse")


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda each: type(each).__name__)
def test_estimators_refuse_it(estimator):
    X, y = domain(estimator)
    if y is None:
        y = interactions(X.shape[0], 5, seed=1)
    model, tags = clone(estimator), get_tags(estimator)
    X = X if tags.input_tags.sparse or not sp.issparse(X) else X.toarray()
    y = y.toarray() if is_regressor(estimator) else y
    with REFUSED:
        model.fit(broken(X), y)
    if tags.target_tags.required:
        with REFUSED:
            model.fit(X, broken(y))
    model.fit(X, y)
    for method in OF_ROWS:
        if hasattr(model, method):
            with REFUSED:
                getattr(model, method)(broken(X))
    if hasattr(model, "recommend"):
        broken_y = broken(np.eye(X.shape[0], model.n_items_))
        with REFUSED:
            model.recommend(X, exclude_interactions=broken_y)
        with REFUSED:
            model.score(X, broken_y)


X, Y = interactions(40, 10, seed=0), interactions(40, 8, seed=1)
EASE, RIDGE = EASERecommender().fit(X), RidgeRecommender().fit(X, Y)
ITEMS = np.zeros((40, 1), dtype=int)
BROKEN_X, BROKEN_Y = broken(X), broken(Y)
MIXED = BiasedMFRecommender(2, max_iter=1, random_state=0).fit(X)
PIPELINE = make_pipeline(MaxAbsScaler(), RidgeRecommender()).fit(X, Y)

CALLS = {
    "recommend": ("X", lambda: recommend(EASE, BROKEN_X)),
    "recommend of a pipeline": ("X", lambda: recommend(PIPELINE, BROKEN_X)),
    "recommend of a frozen pipeline": ("X", lambda: recommend(FrozenEstimator(PIPELINE), BROKEN_X)),
    "recommend but": (
        "exclude_interactions",
        lambda: recommend(PIPELINE, X, n_recommendations=2, exclude_interactions=BROKEN_Y),
    ),
    "held_out_ranks of X": ("X", lambda: held_out_ranks(PIPELINE, BROKEN_X, Y)),
    "held_out_ranks of y": ("y", lambda: held_out_ranks(PIPELINE, X, BROKEN_Y)),
    "ndcg_at_k": ("y_true", lambda: ndcg_at_k(BROKEN_X, ITEMS, 1)),
    "rating_errors of X": ("X", lambda: rating_errors(MIXED, BROKEN_X, X)),
    "rating_errors of y": ("y", lambda: rating_errors(MIXED, X, BROKEN_X)),
    "predict_ratings": ("y", lambda: MIXED.predict_ratings(X, BROKEN_X)),
    "ranking_scorer": ("y", lambda: ranking_scorer(k=2)(RIDGE, X, BROKEN_Y)),
    "ranking_scorer with holdout": ("X", lambda: ranking_scorer(holdout=1)(EASE, BROKEN_X)),
    "debiased_scorer": ("y", lambda: debiased_scorer(k=2)(RIDGE, X, BROKEN_Y)),
    "debiased_scorer with holdout": ("X", lambda: debiased_scorer(holdout=1)(EASE, BROKEN_X)),
    "rating_scorer": ("X", lambda: rating_scorer(holdout=1)(MIXED, BROKEN_X)),
    "holdout_random": ("X", lambda: holdout_random(BROKEN_X)),
    "find_cross_listed": ("X_source", lambda: find_cross_listed(BROKEN_X, Y)),
    "find_cross_listed to": ("X_target", lambda: find_cross_listed(X, BROKEN_Y)),
    "cross_listed_mask": ("y", lambda: cross_listed_mask(X, Y, BROKEN_Y)),
    "cross_listed_mask of": (
        "X_history",
        lambda: cross_listed_mask(X, Y, Y, X_history=BROKEN_X),
    ),
    "transfer_gain of X": (
        "X",
        lambda: transfer_gain(EASERecommender(), None, BROKEN_X, Y, target_columns=range(8)),
    ),
    "transfer_gain of y": ("y", lambda: transfer_gain(RidgeRecommender(), None, X, BROKEN_Y)),
    "transfer_gain from": (
        "X_source",
        lambda: transfer_gain(RidgeRecommender(), None, X, Y, X_source=BROKEN_X),
    ),
    "transfer_learning_curve of X": (
        "X",
        lambda: transfer_learning_curve({"popularity": None}, BROKEN_X),
    ),
    "transfer_learning_curve of X and y": (
        "X",
        lambda: transfer_learning_curve({"ridge": RidgeRecommender()}, BROKEN_X, Y),
    ),
    "transfer_learning_curve of y": (
        "y",
        lambda: transfer_learning_curve({"ridge": RidgeRecommender()}, X, BROKEN_Y),
    ),
    "proxy_a_distance from": ("X_source", lambda: proxy_a_distance(BROKEN_X, X)),
    "proxy_a_distance to": ("X_target", lambda: proxy_a_distance(X, BROKEN_X)),
    "ItemFeatures": ("values", lambda: ItemFeatures(BROKEN_X)),
}


@pytest.mark.parametrize("call", CALLS)
def test_functions_refuse_it(call):
    name, function = CALLS[call]
    with pytest.raises(ValueError, match=f"^{name} is a broken sparse matrix"):
        function()


@pytest.mark.parametrize(
    "fitted", [EASERecommender().fit(np.eye(3)), PretrainedEncoder(np.negative).fit(np.eye(3))]
)
def test_an_array_of_one_axis_is_no_matrix(fitted):
    row = sp.csr_array(np.array([1.0, 0, 2]))
    call = getattr(fitted, "transform", None) or fitted.decision_function
    with pytest.raises(
        ValueError, match=r"X is a sparse array of shape \(3,\), .*reshape\(1, -1\)"
    ):
        call(row)
