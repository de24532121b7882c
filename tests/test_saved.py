# SPDX-License-Identifier: BSD-3-Clause
"""What is saved says by which version, and holds the training rows only where the docs say so."""

import functools
import io
import os
import pickle
import tempfile
import warnings
from copy import deepcopy

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from _instances import ESTIMATORS
from sklearn.base import clone, is_regressor
from sklearn.utils import get_tags

import sktransrec
from sktransrec import InteractionEncoder, ItemFeatures, TextSequences
from sktransrec.testing._samples import domain

pytestmark = pytest.mark.usefixtures("few_draws")

SAVED = [
    *(*ESTIMATORS, InteractionEncoder(), TextSequences()),
    *(ItemFeatures(np.eye(3)), ItemFeatures(pd.DataFrame({"title": ["one", "two"]}))),
]


def name_of(item):
    return type(item).__name__


def by_pickle(item):
    return pickle.loads(pickle.dumps(item))


def by_joblib(item):
    file = io.BytesIO()
    joblib.dump(item, file)
    return joblib.load(file)


def by_skops(item):
    skops = pytest.importorskip("skops.io")
    file = skops.dumps(item)
    return skops.loads(file, trusted=skops.get_untrusted_types(data=file))


def by_file(item):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "saved.model")
        sktransrec.save(item, path)
        return sktransrec.load(path)


def clone_of_loaded(item):
    return by_pickle(clone(by_pickle(item)))


@pytest.mark.parametrize("item", SAVED, ids=name_of)
@pytest.mark.parametrize(
    "ways", [by_pickle, by_joblib, by_skops, by_file, deepcopy, clone_of_loaded]
)
def test_a_version_loads_its_own_in_silence(item, ways):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = ways(item)
    assert type(loaded) is type(item)
    assert repr(loaded) == repr(item)
    assert "_sktransrec_version" not in vars(loaded)


@pytest.mark.parametrize("item", SAVED, ids=name_of)
def test_another_version_warns(item, monkeypatch):
    monkeypatch.setattr(sktransrec, "__version__", "7.8.9")
    saved = pickle.dumps(item)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pickle.loads(saved)
    monkeypatch.undo()
    with pytest.warns(UserWarning, match="was saved by sktransrec 7") as caught:
        pickle.loads(saved)
    message = (
        f"{name_of(item)} was saved by sktransrec 7.8.9 and is loaded by {sktransrec.__version__}"
    )
    texts = [str(warning.message) for warning in caught if message in str(warning.message)]
    assert len(texts) == 1
    assert texts[0].endswith("or load it with sktransrec==7.8.9.")


def test_a_file_without_a_version_warns():
    model = sktransrec.EASERecommender()
    with pytest.warns(UserWarning, match=r"EASERecommender.* no version.*Fit it again"):
        model.__setstate__({"regularization": 3.0, "solver": "auto"})
    assert model.regularization == 3.0


# What they hold that grows with the number of training rows, and the docs say so.
KEEPS_ROWS = {
    "EASERecommender(solver='dual')": {"_map.left", "_map.rows_last"},
    "RidgeRecommender(solver='dual')": {"_map.left", "_map.rows_last"},
    "ContentKNNRecommender()": {
        *("_unit_vectors[0].parts[0]", "_unit_vectors[0].parts[1]", "_unit_vectors[0].is_filled"),
    },
}
FITTED = [*ESTIMATORS, sktransrec.RidgeRecommender(solver="dual")]


def sizes(item, path=""):
    """Return how many numbers, texts or entries lie at each path of the state of an object."""
    if sp.issparse(item):
        return {path: item.nnz}
    if isinstance(item, np.ndarray) and item.dtype != object:
        return {path: item.size}
    if isinstance(item, str | bytes):
        return {path: len(item)}
    if isinstance(item, dict):
        parts = {f"[{key}]": value for key, value in item.items()}
    elif isinstance(item, list | tuple | set | frozenset | np.ndarray):
        parts = {f"[{place}]": value for place, value in enumerate(item)}
    elif isinstance(item, type) or not hasattr(item, "__dict__"):
        return {}
    else:
        parts = {f".{name}": value for name, value in vars(item).items()}
    found = {path: len(parts)}
    for name, value in parts.items():
        found |= sizes(value, (path + name).removeprefix("."))
    return found


def _stacked(X, n_times):
    return (sp if sp.issparse(X) else np).vstack([X] * n_times)


@functools.cache
def fitted(estimator, n_times):
    """Return the estimator fitted to rows that are there so many times, saved and loaded."""
    X, y = domain(estimator)
    if not get_tags(estimator).input_tags.sparse and sp.issparse(X):
        X = X.toarray()
    y = y.toarray() if is_regressor(estimator) else y
    X, y = (_stacked(Z, n_times) for Z in (X, X if y is None else y))
    model = clone(estimator)
    if "random_state" in model.get_params():
        model.set_params(random_state=0)
    return by_pickle(model.fit(X, y))


@pytest.mark.parametrize("estimator", FITTED, ids=repr)
def test_only_these_keep_the_training_rows(estimator):
    once, twice = (sizes(fitted(estimator, n_times)) for n_times in (1, 2))
    grown = {path for path, size in twice.items() if size > 1.5 * once.get(path, 0) and size > 20}
    assert grown == KEEPS_ROWS.get(repr(estimator), set())


# What skops does not trust by itself, though it runs no code when it is loaded.
HARMLESS = {
    "scipy.sparse._csr.csr_array",
    "sklearn.utils._bunch.Bunch",
    "sklearn.utils._indexing._safe_indexing",
}


@pytest.mark.parametrize("estimator", FITTED, ids=repr)
def test_skops_asks_to_trust_our_types_only(estimator):
    skops = pytest.importorskip("skops.io")
    untrusted = skops.get_untrusted_types(data=skops.dumps(fitted(estimator, 1)))
    assert {name for name in untrusted if not name.startswith("sktransrec.")} <= HARMLESS


def rows_of(estimator):
    X, _ = domain(estimator)
    return X if get_tags(estimator).input_tags.sparse or not sp.issparse(X) else X.toarray()


def answers(model, rows):
    """Return what each method of a fitted model makes of rows, by its name."""
    found = {}
    for name in ("decision_function", "recommend", "transform", "predict"):
        if hasattr(model, name):
            answer = getattr(model, name)(rows)
            found[name] = answer.toarray() if sp.issparse(answer) else answer
    return found


@pytest.mark.parametrize("estimator", FITTED, ids=repr)
@pytest.mark.parametrize("way", [by_skops, by_file])
def test_what_is_fitted_is_saved(estimator, way):
    model = fitted(estimator, 1)
    expected, actual = (answers(each, rows_of(estimator)[:7]) for each in (model, way(model)))
    assert actual.keys() == expected.keys()
    for name, answer in expected.items():
        np.testing.assert_array_equal(actual[name], answer)


# Each thread asks for rows of its own, so that a buffer that calls share would show.
SIXTEEN_THREADS = """
import pickle, sys, threading
import numpy as np, sktransrec

sys.setswitchinterval(1e-5)
wrong = []

def ask(start, model, rows, expected):
    start.wait()
    try:
        for name, answer in expected.items():
            actual = getattr(model, name)(rows)
            actual = actual.toarray() if hasattr(actual, "toarray") else actual
            np.testing.assert_array_equal(actual, answer)
    except BaseException as error:
        wrong.append(f"{model!r}: {error!r}")

for number, asked in enumerate(pickle.loads(folder.joinpath("asked").read_bytes())):
    model, start = sktransrec.load(folder / str(number)), threading.Barrier(len(asked))
    threads = [threading.Thread(target=ask, args=(start, model, *each)) for each in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
assert not wrong, wrong
"""


@pytest.mark.slow
def test_sixteen_threads_ask_every_loaded_model(run_in_new_process, tmp_path):
    asked = []
    for number, estimator in enumerate(FITTED):
        model, X = fitted(estimator, 1), rows_of(estimator)
        sktransrec.save(model, tmp_path / str(number))
        rows = [X[3 * thread : 3 * thread + 3] for thread in range(16)]
        asked.append([(some, answers(model, some)) for some in rows])
    tmp_path.joinpath("asked").write_bytes(pickle.dumps(asked))
    assert run_in_new_process(SIXTEEN_THREADS, folder=tmp_path) == 0


def test_segments_that_are_saved_are_found_again():
    X = np.array([[1.5, -0.0], [2.5, 1.0], [1.5, 0.0]])
    model = sktransrec.SegmentPopularityRecommender(shrinkage=1).fit(X, np.eye(3))
    expected = model.decision_function([*X, [9.0, 9.0]])
    np.testing.assert_array_equal(by_skops(model).decision_function([*X, [9.0, 9.0]]), expected)
    np.testing.assert_array_equal(expected[0], expected[2])
