# SPDX-License-Identifier: BSD-3-Clause
"""Whatever is passed: a valid result, or an error that names the argument, and nothing changed."""

import copy
import functools
import re
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from _instances import ESTIMATORS, WITH_ITEMS, are_first
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sklearn.base import is_regressor
from sklearn.utils import get_tags

from sktransrec._wrapping import is_supervised
from sktransrec.testing._checks import seeded
from sktransrec.testing._samples import domain, interactions

pytestmark = pytest.mark.usefixtures("few_draws")

ALL = [*ESTIMATORS, *WITH_ITEMS]
NAMES = [f"{type(estimator).__name__}{place}" for place, estimator in enumerate(ALL)]
IS_NETWORK = ["run_eagerly" in estimator.get_params() for estimator in ALL]
FIT_TAKES_SECONDS = (
    "TransferGate",
    "SourceSelector",
    "MMD",
    "Codebook",
    "NextItem",
)
IS_FIRST = are_first(map(type, ESTIMATORS)) + are_first(map(type, WITH_ITEMS))
# One of each class; the slow tests have all.
FIRST = [place for place in range(len(ALL)) if IS_FIRST[place]]
QUICK = [
    place
    for place in FIRST
    if not IS_NETWORK[place] and not NAMES[place].startswith(FIT_TAKES_SECONDS)
]

VALUES = (
    *(np.nan, np.inf, -np.inf, -1.0, 0.0, 0.5, 1e-300, 1e-44, 1e15, 1e38, 1e300, 2.0**63),
    *(None, "a", "", b"a", pd.NA, pd.NaT, 1j, 10**400, [1], object(), np.datetime64("2020-01-01")),
)
DTYPES = (
    *("bool", "int8", "uint8", "int64", "uint64", "float16", "float32", "float64", "longdouble"),
    *("complex64", "object", "str", "bytes", "datetime64[s]", "timedelta64[s]"),
)


@functools.cache
def data(place):
    X, y = domain(ALL[place])
    y = interactions(X.shape[0], 20, seed=1) if y is None else y
    if sp.issparse(X):
        X = X.toarray()
    return X, y.toarray() if is_regressor(ALL[place]) else y


@functools.cache
def fitted(place):
    return seeded(ALL[place]).fit(*data(place))


def broken(X):
    X.indices[0] = 10**7
    return X


CONTAINERS = {
    "array": np.asarray,
    "fortran": np.asfortranarray,
    "matrix": np.asmatrix,
    "list": lambda X: X.tolist(),
    "tuple": lambda X: tuple(map(tuple, X.tolist())),
    "ragged": lambda X: [row[: i + 1] for i, row in enumerate(X.tolist())],
    "nested": lambda X: [[row] for row in X],
    "rows of objects": lambda X: np.array([*X, None], dtype=object)[:-1],
    "masked": lambda X: np.ma.masked_array(X, mask=X.flat[0] == X),
    "nothing masked": np.ma.masked_array,
    "read only": lambda X: np.broadcast_to(X, X.shape),
    "strided": lambda X: np.repeat(X, 2, axis=0)[::2],
    "swapped": lambda X: X.astype(X.dtype.newbyteorder()),
    "pandas": pd.DataFrame,
    "pandas strings": lambda X: pd.DataFrame(X).astype(str),
    "pandas categories": lambda X: pd.DataFrame(X).astype("category"),
    "pandas nullable": lambda X: pd.DataFrame(X).convert_dtypes(),
    "pandas sparse": lambda X: pd.DataFrame(X).astype(pd.SparseDtype(X.dtype, 0)),
    "pandas named twice": lambda X: pd.DataFrame(X, columns=["a"] * X.shape[1]),
    "pandas of dates": lambda X: pd.DataFrame(X).apply(pd.to_datetime),
    "series": lambda X: pd.Series(list(X)),
    "polars": lambda X: pl.DataFrame(X),
    "csr": sp.csr_array,
    "csc": sp.csc_matrix,
    "coo": sp.coo_array,
    "lil": sp.lil_matrix,
    "dok": sp.dok_array,
    "dia": sp.dia_matrix,
    "bsr": sp.bsr_array,
    "broken": lambda X: broken(sp.csr_array(X)),
    "iterator": iter,
    "bytes": lambda X: X.tobytes(),
    "dict": lambda X: dict(enumerate(X.tolist())),
    "string": str,
    "structured": lambda X: X.view([("", X.dtype)] * X.shape[1]),
}
SHAPES = {
    "same": lambda X: X,
    "one row": lambda X: X[:1],
    "no rows": lambda X: X[:0],
    "no columns": lambda X: X[:, :0],
    "nothing": lambda X: X[:0, :0],
    "a column less": lambda X: X[:, :-1],
    "a column more": lambda X: np.hstack([X, X[:, :1]]),
    "flat": lambda X: X.ravel(),
    "row": lambda X: X[0],
    "number": lambda X: X[0, 0],
    "three axes": lambda X: X[:, :, None],
    "transposed": lambda X: X.T,
    "zeros": np.zeros_like,
    "more rows": lambda X: np.vstack([X, X, X]),
}
NOT_DATA = (
    None,
    1,
    "X",
    b"X",
    object(),
    [],
    {},
    set(),
    (),
    float("nan"),
    np.array(None),
    [[]],
    [None],
)


@st.composite
def malformed(draw, X):
    """Draw what may be passed in the place of the array X."""
    if draw(st.integers(0, 19)) == 0:
        return draw(st.sampled_from(NOT_DATA))
    X = SHAPES[draw(st.sampled_from(["same", "same", *SHAPES]))](X)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            values = draw(st.lists(st.sampled_from(VALUES), max_size=2))
            X = np.array(X)
            for value in values:
                if not isinstance(value, float):
                    X = X.astype(object)
                X.flat[draw(st.integers(0, 100)) % max(X.size, 1)] = value
            if draw(st.booleans()):
                X = X.astype(draw(st.sampled_from(DTYPES)))
            return CONTAINERS[draw(st.sampled_from([*CONTAINERS]))](X)
    except Exception:
        # Not every container takes everything.
        return X


METHODS = ("decision_function", "recommend", "transform", "inverse_transform", "predict", "score")
METHODS += ("similar_items", "row_paths", "predict_ratings")


@st.composite
def calls(draw, place):
    """Draw a method of a fitted estimator and its arguments, by name."""
    model, (X, y) = fitted(place), data(place)
    X, y = X[:4], (y.toarray() if sp.issparse(y) else y)[:4]
    names = [name for name in METHODS if hasattr(model, name)]
    if is_regressor(model):
        names.remove("score")
    method = draw(st.sampled_from(names))
    if method == "similar_items":
        columns = draw(malformed(np.arange(3)[:, None] * np.ones(1, dtype=int)))
        return method, {"items": columns, "n_similar": draw(st.sampled_from([1, 3, *SIZES]))}
    if method == "inverse_transform":
        X = np.asarray(model.transform(X) if hasattr(model, "transform") else X)
        X = X.toarray() if sp.issparse(X) else X
    arguments = {"X": draw(malformed(X)) if draw(st.integers(0, 3)) else X}
    if method in ("score", "predict_ratings"):
        wanted = np.eye(4, getattr(model, "n_items_", y.shape[1]))
        arguments["y"] = draw(malformed(wanted))
    if method == "recommend":
        wanted = np.eye(4, model.n_items_)
        arguments["n_recommendations"] = draw(st.sampled_from([3, 3, 3, *SIZES]))
        if draw(st.booleans()):
            arguments["candidates"] = draw(malformed(np.arange(6).reshape(-1, 1)))
        if draw(st.booleans()):
            arguments["exclude_interactions"] = draw(malformed(wanted))
        arguments["exclude_seen"] = draw(st.sampled_from(["auto", "auto", True, False, *SWITCHES]))
    return method, arguments


SIZES = (0, -1, 2.5, "3", None, True, np.nan, 10**9, 10**400, [3], np.int64(2), np.array(2))
SWITCHES = (None, "no", 2.5, 1, np.True_, np.array([True, False]))


def frozen(value):
    """Return what a value comes to, to see whether it has changed."""
    if isinstance(value, dict):
        return {repr(key): frozen(each) for key, each in value.items()}
    if sp.issparse(value):
        parts = vars(value).items()
        return {name: frozen(part) for name, part in parts if isinstance(part, np.ndarray | tuple)}
    if hasattr(value, "to_numpy"):
        if getattr(value, "shape", None) == (0, 0):  # old polars makes no array of nothing
            return type(value)
        with np.errstate(all="ignore"):
            value = value.to_numpy()
    if isinstance(value, np.ndarray):
        value = np.asarray(value)
        # The bytes that fill up a long double may be anything.
        is_named = value.dtype.hasobject or value.dtype == np.longdouble
        content = [*map(repr, value.ravel().tolist())] if is_named else value.tobytes()
        return value.dtype, value.shape, content
    if isinstance(value, list | tuple):
        return [frozen(each) for each in value]
    return repr(value) if hasattr(value, "__len__") or np.isscalar(value) else type(value)


def outcome(call, names):
    """Return what a call gives, None for an error that names an argument."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="X has feature names")
        # Rows of zeros but for one entry can make it so.
        warnings.filterwarnings("ignore", message="The code of .* collapsed")
        try:
            return call()
        except (TypeError, ValueError) as error:
            message = "\n".join([str(error), *getattr(error, "__notes__", ())])
    words = "|".join(names)
    named = re.search(rf"\b({words})(_true)?\b", message)
    assert named, f"It names no argument: {message}"
    return None


def assert_finite(answer):
    for part in answer if isinstance(answer, tuple) else (answer,):
        values = part.data if sp.issparse(part) else np.asarray(part)
        assert values.dtype.kind != "O"
        assert not np.isnan(values).any() if values.dtype.kind == "f" else True
        assert not np.isposinf(values).any() if values.dtype.kind == "f" else True


thorough = functools.partial(
    settings,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def check_calls(place, n_calls):
    before = frozen(vars(fitted(place)))

    @thorough(max_examples=n_calls)
    @given(calls(place))
    def check(drawn):
        method, arguments = drawn
        kept = frozen(arguments)
        answer = outcome(lambda: getattr(fitted(place), method)(**arguments), arguments)
        if answer is not None:
            assert_finite(answer)
        assert frozen(arguments) == kept

    check()
    assert frozen(vars(fitted(place))) == before


def check_fits(place, n_calls):
    X, y = data(place)
    y = y.toarray() if sp.issparse(y) else y

    @thorough(max_examples=n_calls)
    @given(st.data())
    def check(drawn):
        is_y = is_supervised(ALL[place]) and drawn.draw(st.booleans())
        arguments = {"X": X, "y": y}
        arguments["y" if is_y else "X"] = drawn.draw(malformed(y if is_y else X))
        kept, model = frozen(arguments), copy.deepcopy(fitted(place))
        before = frozen(vars(model))
        if outcome(lambda: model.fit(**arguments), arguments) is None:
            assert frozen(vars(model)) == before
        else:
            for name, value in vars(model).items():
                # A stack that follows a member alone says so by an infinite number.
                is_meant = (
                    name == "regularization_" and isinstance(value, float) and np.isinf(value)
                )
                are_numbers = isinstance(value, float) or (
                    isinstance(value, np.ndarray) and value.dtype.kind == "f"
                )
                if name.endswith("_") and are_numbers and not is_meant:
                    assert_finite(value)
        assert frozen(arguments) == kept

    check()


@pytest.mark.parametrize("place", FIRST, ids=[NAMES[place] for place in FIRST])
def test_calls(place):
    check_calls(place, 20 if IS_NETWORK[place] else 30)


@pytest.mark.parametrize("place", QUICK, ids=[NAMES[place] for place in QUICK])
def test_fits(place):
    check_fits(place, 15)


@pytest.mark.slow
@pytest.mark.parametrize("place", range(len(ALL)), ids=NAMES)
def test_many_calls(place):
    check_calls(place, 250 if IS_NETWORK[place] else 1500)


@pytest.mark.slow
@pytest.mark.parametrize("place", range(len(ALL)), ids=NAMES)
def test_many_fits(place):
    check_fits(place, 60 if IS_NETWORK[place] else 300)


HUGE = [1e38, -1e38, 1e20, 1e15, 1e-15, 1e-38, 1e-44]


def with_size(X, value, everywhere):
    X = np.array(X, dtype=np.float64)
    places = np.flatnonzero(X)
    X.flat[places if everywhere else places[:3]] = value
    return X


NUMERIC = [place for place in range(len(ALL)) if not get_tags(ALL[place]).input_tags.categorical]


SCORING = [method for method in METHODS if method in {"decision_function", "transform", "predict"}]


def check_answers(model, X):
    for method in SCORING:
        if hasattr(model, method):
            answer = outcome(functools.partial(getattr(model, method), X), ["X"])
            if answer is not None:
                assert_finite(answer)


@pytest.mark.parametrize("everywhere", [True, False])
@pytest.mark.parametrize(
    "place",
    [
        pytest.param(place, id=NAMES[place], marks=() if IS_FIRST[place] else pytest.mark.slow)
        for place in NUMERIC
    ],
)
def test_numbers_of_any_size(place, everywhere):
    X, y = data(place)
    y = y.toarray() if sp.issparse(y) else y
    for value in HUGE:
        large = with_size(X, value, everywhere)
        check_answers(fitted(place), large)
        if place not in QUICK:
            continue
        model, names = copy.deepcopy(fitted(place)), ["X", "y", "regularization"]
        if outcome(functools.partial(model.fit, large, y), names) is not None:
            check_answers(model, X)
        if is_supervised(ALL[place]):
            outcome(functools.partial(model.fit, X, with_size(y, value, everywhere)), names)
