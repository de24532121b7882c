# SPDX-License-Identifier: BSD-3-Clause
"""Files of models: any reader finds the arrays, no code is in them, and nothing breaks them."""

import json
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_array_equal
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import Bunch

from sktransrec import EASERecommender, PopularityRecommender, RidgeRecommender, load, save
from sktransrec.base import InDomainRecommender
from sktransrec.interactions import align_domains, find_cross_listed

X = (np.random.RandomState(0).uniform(size=(30, 8)) < 0.4) * 1.0


class OwnRecommender(InDomainRecommender):
    def _fit(self, X):
        self.weights_ = np.arange(X.shape[1], dtype=np.float32)

    def _score_rows(self, X):
        return np.tile(self.weights_, (X.shape[0], 1))


class OwnList(list):
    """A list that may hold more than its members."""


def saved(value, tmp_path, **options):
    save(value, tmp_path / "a.model")
    return load(tmp_path / "a.model", **options)


def test_any_reader_of_safetensors_finds_the_arrays(tmp_path):
    model = EASERecommender(solver="primal").fit(X)
    save(model, tmp_path / "ease.model")
    content = (tmp_path / "ease.model").read_bytes()
    n = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + n])
    assert header["__metadata__"]["format"] == "sktransrec"
    described = header["popularity_"]
    start, stop = (8 + n + offset for offset in described["data_offsets"])
    assert described["dtype"] == "F32"
    assert_array_equal(np.frombuffer(content[start:stop], "<f4"), model.popularity_)
    offsets = sorted(
        each["data_offsets"] for name, each in header.items() if name != "__metadata__"
    )
    assert [start for start, _ in offsets] == [0, *(stop for _, stop in offsets[:-1])]
    assert 8 + n + offsets[-1][1] == len(content)


VALUES = [
    *(None, True, 3, 2**80, 0.1, float("nan"), "text", b"\x00\xff", slice(1, None), range(3)),
    slice(np.int64(0), np.int64(3)),
    *([1, [2]], (1, (2,)), {1, 2}, frozenset({"a"}), {"a": 1, 2: {None: 3}}),
    *(np.float32(1.5), np.int64(3), np.str_("a"), np.dtype("<f4"), np.float32, str),
    *(np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3)), np.array(5)),
    *(np.zeros((0, 3)), np.array(["one", "ü"]), np.array([["a", "bc"]]).T, np.array([True, False])),
    *(np.array(["a", None, 3], dtype=object), np.array(["2020-01-02"], dtype="datetime64[ns]")),
    *(np.array([], dtype="<U3"), np.arange(3, dtype=">i2"), np.arange(12, dtype=np.int8)[::5]),
    np.ma.MaskedArray([1.0, 2.0], mask=[True, False]),
    *(sp.csr_array(X), sp.csc_matrix(X), sp.coo_array(X), sp.dia_array(np.eye(3))),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("mmap_mode", [None, "r"])
def test_values_come_back(value, mmap_mode, tmp_path):
    loaded = saved({"it": value}, tmp_path, mmap_mode=mmap_mode)["it"]
    assert type(loaded) is type(value)
    if sp.issparse(value):
        assert_array_equal(loaded.toarray(), value.toarray())
    elif isinstance(value, np.ndarray):
        assert loaded.dtype == value.dtype.newbyteorder("=")
        assert loaded.flags.f_contiguous or not value.flags.f_contiguous
        assert_array_equal(loaded, value)
    else:
        assert repr(loaded) == repr(value)


@pytest.mark.parametrize("mmap_mode", [None, "r"])
def test_arrays_with_fields_come_back(mmap_mode, tmp_path):
    fields = [("number", "<i8"), ("id", object), ("name", "<U3"), ("place", "<f4", (2,))]
    value = np.array([(1, "a", "one", (0.5, 2)), (2, 3, "ü", (1, 4))], dtype=fields)
    for array in (value, value[:0], value.reshape(2, 1), np.ma.MaskedArray(value[["number"]])):
        loaded = saved([array, array], tmp_path, mmap_mode=mmap_mode)
        assert loaded[0] is loaded[1]
        assert (loaded[0].shape, loaded[0].dtype.names) == (array.shape, array.dtype.names)
        assert repr(loaded[0].tolist()) == repr(array.tolist())
        assert [loaded[0].dtype[n] for n in array.dtype.names] == [
            array.dtype[n] for n in array.dtype.names
        ]


def test_aligned_domains_and_cross_listed_items_are_saved(tmp_path):
    source = {"user": range(12), "item": list("aaaaaabbbbbb")}
    target = {"user": range(12), "item": list("ccccccdddddd")}
    aligned = align_domains(source, target)
    twins = find_cross_listed(aligned.X_source, aligned.X_target, min_common_users=1)
    assert len(twins)
    loaded, found = saved([aligned, twins], tmp_path)
    for array, expected in ((loaded.twins, aligned.twins), (found, twins)):
        assert array.dtype == expected.dtype
        assert_array_equal(array, expected)
    assert loaded.decode_items([0]).tolist() == ["c"]


def test_random_states_go_on(tmp_path):
    state = np.random.RandomState(3)
    state.normal()
    assert_array_equal(saved(state, tmp_path).normal(size=3), state.normal(size=3))


def test_what_is_shared_stays_shared(tmp_path):
    array, model = np.arange(3), PopularityRecommender().fit(X)
    first, second, one, other = saved([array, array, model, model], tmp_path)
    assert first is second
    assert one is other


def test_bunches_keep_their_items(tmp_path):
    loaded = saved(Bunch(a=1, b=[np.arange(2)]), tmp_path)
    assert type(loaded) is Bunch
    assert loaded.a == 1
    assert_array_equal(loaded["b"][0], [0, 1])


def test_pipelines_and_searches_are_saved(tmp_path):
    pipe = make_pipeline(TruncatedSVD(3, random_state=0), RidgeRecommender(1.0))
    search = GridSearchCV(pipe, {"ridgerecommender__regularization": [1.0, 9.0]}, cv=2).fit(X, X)
    loaded = saved(search, tmp_path)
    assert_array_equal(loaded.decision_function(X), search.decision_function(X))
    assert loaded.best_params_ == search.best_params_
    assert_array_equal(
        loaded.cv_results_["param_ridgerecommender__regularization"], np.array([1.0, 9.0])
    )


def test_arrays_are_mapped(tmp_path):
    model = EASERecommender(solver="sparse").fit(X)
    loaded = saved(model, tmp_path, mmap_mode="r")
    assert_array_equal(loaded.decision_function(X), model.decision_function(X))
    for array in (loaded.coef_.data, loaded.popularity_):
        assert not array.flags.writeable
        assert array.ctypes.data % array.itemsize == 0
    written = load(tmp_path / "a.model", mmap_mode="c")
    written.popularity_[:] = 0
    assert load(tmp_path / "a.model").popularity_.any()


def test_other_classes_are_trusted_by_name(tmp_path):
    model = OwnRecommender().fit(X)
    name = f"{OwnRecommender.__module__}.OwnRecommender"
    sys.modules.setdefault(OwnRecommender.__module__, sys.modules[__name__])
    with pytest.raises(ValueError, match="is not known to be safe: pass trusted="):
        saved(model, tmp_path)
    loaded = load(tmp_path / "a.model", trusted=[name])
    assert_array_equal(loaded.decision_function(X), model.decision_function(X))


@pytest.mark.parametrize(
    "name",
    ["os.system", "builtins.eval", "sktransrec.serving.load", "sklearn.base.clone", "nowhere.It"],
)
@pytest.mark.parametrize("kind", ["object", "function", "named tuple"])
def test_a_file_names_no_code(name, kind, tmp_path):
    from sktransrec import persistence

    node = {"kind": kind, "class": name, "name": name, "state": {}, "values": [], "number": 0}
    with pytest.raises(ValueError, match="asks for"):
        persistence._Reader({}, ()).value(node)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (RidgeRecommender().set_params(regularization=lambda: 1), "regularization is a builtins"),
        ({"a": [partial(sum)]}, r"\[a\]\[0\] is a functools.partial"),
        (np.array([1j]), "array of complex128"),
        (OwnList(), "OwnList, which cannot"),
        (sp.bsr_array(X), "bsr_array, which cannot"),
        (make_pipeline(RandomForestRegressor(2).fit(X, X[:, 0])), "tree_ is a sklearn"),
    ],
)
def test_what_is_no_data_is_named_and_the_old_file_stays(value, message, tmp_path):
    save(PopularityRecommender(), tmp_path / "a.model")
    with pytest.raises(TypeError, match=message):
        save(value, tmp_path / "a.model")
    assert repr(load(tmp_path / "a.model")) == "PopularityRecommender()"
    assert len(list(tmp_path.iterdir())) == 1


def test_files_of_others_and_damaged_files_are_named(tmp_path):
    path = tmp_path / "a.model"
    joblib.dump({}, path)
    with pytest.raises(ValueError, match="was not saved by sktransrec"):
        load(path)
    save(EASERecommender().fit(X), path)
    content = path.read_bytes()
    for n_bytes in (0, 4, 40, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:n_bytes])
        with pytest.raises(ValueError, match="cut off"):
            load(path)
    path.write_bytes(content.replace(b'"format_version": "1"', b'"format_version": "9"'))
    with pytest.raises(ValueError, match="in a later format"):
        load(path)
    with pytest.raises(ValueError, match="mmap_mode='w' is not valid"):
        load(path, mmap_mode="w")
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing")


@pytest.mark.parametrize("moment", ["os.replace", "os.fsync", "sktransrec.persistence._write"])
def test_a_killed_save_leaves_the_old_file(moment, run_in_new_process, tmp_path):
    path = tmp_path / "a.model"
    save(PopularityRecommender().fit(X), path)
    before = path.read_bytes()
    module, _, _ = moment.rpartition(".")
    program = f"""
        import os, signal
        import {module}
        from sktransrec import EASERecommender, save
        model = EASERecommender().fit([[1, 1, 0], [0, 1, 1]])
        {moment} = lambda *args: os.kill(os.getpid(), signal.SIGKILL)
        save(model, path)
    """
    assert run_in_new_process(program, path=path) == -9
    assert path.read_bytes() == before
    assert_array_equal(load(path).popularity_, X.mean(axis=0).astype(np.float32))


@pytest.mark.slow
def test_sixteen_threads_load_and_serve_all_models_in_a_new_process(tmp_path):
    program = """
        import sys, threading
        import numpy as np, scipy.sparse as sp
        from sklearn.base import clone
        from sklearn.utils import get_tags
        from sktransrec import load, save
        sys.path.insert(0, sys.argv[3])
        from _instances import RECOMMENDERS
        from sktransrec.testing._samples import domain

        def rows(estimator):
            X, y = domain(estimator)
            return X, X if y is None else y

        if sys.argv[1] == "save":
            for number, estimator in enumerate(RECOMMENDERS):
                X, y = rows(estimator)
                model = clone(estimator).fit(X, y)
                path = f"{sys.argv[2]}/{number}"
                save(model, path)
                np.save(path + ".npy", model.recommend(X[:20], n_recommendations=3)[0])
            sys.exit()

        wrong = []
        def serve(first):
            for step in range(len(RECOMMENDERS)):
                number = (first + step) % len(RECOMMENDERS)
                path = f"{sys.argv[2]}/{number}"
                model = load(path, mmap_mode="r")
                items, _ = model.recommend(rows(RECOMMENDERS[number])[0][:20], n_recommendations=3)
                if not np.array_equal(items, np.load(path + ".npy")):
                    wrong.append(repr(model))
        threads = [threading.Thread(target=serve, args=[first]) for first in range(16)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert not wrong, set(wrong)
    """
    arguments = tmp_path, Path(__file__).parent
    for action in ("save", "serve"):
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program), action, *arguments], check=True
        )


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"lies in the folder .*no.*make the folder first"):
        save(EASERecommender(), tmp_path / "no" / "ease.model")
