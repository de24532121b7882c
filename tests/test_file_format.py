# SPDX-License-Identifier: BSD-3-Clause
"""Files of format 1 stay readable: written here byte by byte, as docs/file_format.rst says.

Nothing here may be changed to follow a change of the package: files like these are out there.
"""

import itertools
import json
import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sktransrec import load

TYPES = {"<f4": "F32", "<f8": "F64", "<i4": "I32", "<i8": "I64"}


class File:
    """The parts of a file: arrays, and what describes the objects."""

    def __init__(self):
        self.bytes, self.header, self.numbers = b"", {}, itertools.count()

    def array(self, values, dtype="<f4", *, fortran=False):
        values = np.array(values)
        stored = np.ascontiguousarray(values.T if fortran else values).astype(dtype)
        name, shape = f"array {len(self.header)}", list(values.shape)
        start, self.bytes = len(self.bytes), self.bytes + stored.tobytes()
        self.header[name] = {
            "dtype": TYPES[dtype],
            "shape": list(stored.shape),
            "data_offsets": [start, len(self.bytes)],
        }
        own = {"name": name, "dtype": dtype, "shape": shape, "fortran": fortran}
        return {"kind": "array", **own, "number": next(self.numbers)}

    def sparse(self, rows):
        """Return a CSR array, given its dense rows."""
        rows = np.array(rows)
        number, indptr = next(self.numbers), np.cumsum([0, *np.count_nonzero(rows, axis=1)])
        parts = {
            "data": self.array(rows[rows != 0]),
            "indices": self.array(rows.nonzero()[1], "<i4"),
            "indptr": self.array(indptr, "<i4"),
        }
        shape = list(rows.shape)
        return {
            **{"kind": "sparse", "class": "csr_array", "shape": shape},
            **{"parts": parts, "number": number},
        }

    def ids(self, values):
        shape = [len(values)]
        return {"kind": "objects", "values": values, "shape": shape, "number": next(self.numbers)}

    def object(self, path, **state):
        state = {**state, "_sktransrec_version": "0.0.1"}
        own = {"kind": "object", "class": f"sktransrec.{path}", "state": state}
        return {**own, "number": next(self.numbers)}

    def recommender(self, path, n_items, **state):
        shares = np.linspace(0.5, 0.1, n_items)
        known = {"n_items_": n_items, "popularity_": self.array(shares), "n_features_in_": n_items}
        return self.object(path, **{**known, **state})

    def loaded(self, described, path):
        header = {
            **self.header,
            "__metadata__": {
                "format": "sktransrec",
                "format_version": "1",
                "sktransrec_version": "0.0.1",
                "object": json.dumps(described),
            },
        }
        text = json.dumps(header).encode()
        text += b" " * (-(8 + len(text)) % 64)
        path.write_bytes(len(text).to_bytes(8, "little") + text + self.bytes)
        with pytest.warns(UserWarning, match=r"was saved by sktransrec 0\.0\.1"):
            return load(path)


def same(described):
    return {"kind": "same", "number": described["number"]}


@pytest.fixture
def file():
    return File()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "old.model"


def test_counts(file, path):
    described = file.recommender(
        "recommenders.PopularityRecommender", 3, popularity_=file.array([0.5, 1.0, 0.25])
    )
    model = file.loaded(described, path)
    assert_array_equal(model.recommend([[0, 1, 0]], n_recommendations=2)[0], [[0, 2]])


def test_an_array_with_fields(file, path):
    number = next(file.numbers)
    parts = {"source": file.array([3, 4], "<i8"), "share": file.array([0.5, 1])}
    twins = {"kind": "structured", "shape": [2], "parts": parts, "number": number}
    loaded = file.loaded(
        file.recommender("recommenders.PopularityRecommender", 3, twins_=twins), path
    ).twins_
    assert loaded.dtype == [("source", "<i8"), ("share", "<f4")]
    assert loaded.tolist() == [(3, 0.5), (4, 1)]


def test_a_dense_map(file, path):
    weights = [[0, 0.5, 0.25], [0.5, 0, 0], [0.75, 0, 0]]
    described = file.recommender(
        "recommenders.EASERecommender",
        3,
        solver_="primal",
        regularization_=5.0,
        row_sums_=None,
        _map=file.array(weights),
    )
    model = file.loaded(described, path)
    assert_allclose(model.decision_function([[1, 0, 1]]), [[0.75, 0.5, 0.25]])
    assert_allclose(model.coef_, np.transpose(weights))


def test_a_dense_map_with_an_intercept(file, path):
    described = file.recommender(
        "recommenders.RidgeRecommender",
        2,
        n_features_in_=3,
        solver_="primal",
        regularization_=5.0,
        row_sums_=None,
        _map=file.array([[1, 2], [3, 4], [5, 6]]),
        intercept_=file.array([0.5, 0.25]),
    )
    assert_allclose(file.loaded(described, path).decision_function([[1, 0, 2]]), [[11.5, 14.25]])


def test_sparse_links(file, path):
    described = file.recommender(
        "recommenders.ItemKNNRecommender",
        3,
        popularity_exponent_=0.0,
        row_sums_=None,
        _item_scales=file.array([1, 1, 1]),
        item_links_=file.sparse([[0, 0.5, 0], [0, 0, 0.25], [0.75, 0, 0]]),
    )
    model = file.loaded(described, path)
    assert_allclose(model.decision_function([[1, 1, 0]]), [[0, 0.5, 0.25]])


def test_factors(file, path):
    """With all weights 1, the factors of a row are those of a ridge regression."""
    described = file.recommender(
        "recommenders.ALSRecommender",
        3,
        scale_regularization=False,
        n_iter_=15,
        confidence_=1.0,
        regularization_=1.0,
        item_factors_=file.array([[1, 0], [0, 2], [1, 0]], fortran=True),
        gram_eigenvalues_=file.array([2, 4]),
        gram_eigenvectors_=file.array([[1, 0], [0, 1]]),
    )
    model = file.loaded(described, path)
    assert_allclose(model.transform([[1, 1, 0]]), [[1 / 3, 2 / 5]], rtol=1e-6)
    assert_allclose(model.decision_function([[1, 1, 0]]), [[1 / 3, 4 / 5, 1 / 3]], rtol=1e-6)


def test_a_filter_on_the_graph(file, path):
    described = file.recommender(
        "recommenders.GraphFilterRecommender",
        3,
        row_exponent_=0.5,
        low_pass_weight_=0.5,
        row_sums_=None,
        item_links_=file.sparse([[0, 0.5, 0], [0, 0, 0.25], [0.75, 0, 0]]),
        row_projection_=file.array([[1], [2], [0]]),
        item_factors_=file.array([[1], [0], [1]], fortran=True),
        singular_values_=file.array([2.0]),
    )
    model = file.loaded(described, path)
    # Divided by the root of two interactions: 0.5 * 2**2 * (1 + 2) for the first and last item.
    expected = np.array([[6, 0.5, 6.25]]) / math.sqrt(2)
    assert_allclose(model.decision_function([[1, 1, 0]]), expected, rtol=1e-6)


def test_links_of_the_next_item(file, path):
    described = file.recommender(
        "recommenders.NextItemRidgeRecommender",
        3,
        n_features_in_=2,
        decay_=0.5,
        row_sums_=None,
        item_links_=file.sparse([[0, 1, 0], [0, 0, 1], [1, 0, 0]]),
    )
    model = file.loaded(described, path)
    # The latest item, 2, counts once, and the one before, 1, half.
    assert_allclose(model.decision_function([[1, 2]]), [[0, 0.5, 1]])


def test_a_network(file, path):
    layer = {"inbound_nodes": [{"args": [{"config": {"keras_history": ["rows", 0, 0]}}]}]}
    config = {
        "model": {
            "layers": [
                {"class_name": "InputLayer", "name": "rows", "config": {}, "inbound_nodes": []},
                {
                    "class_name": "Dense",
                    "name": "code",
                    "config": {"units": 2, "activation": "relu", "use_bias": True},
                    **layer,
                },
            ]
        },
        "parts": {"encoder": [["rows"], "code"]},
    }
    weights = [
        ["code/kernel", file.array([[1, 0], [0, 2], [-1, 0]])],
        ["code/bias", file.array([0.5, -1])],
    ]
    described = file.object(
        "feature_learning.Autoencoder",
        n_features_in_=3,
        n_components=2,
        normalize=False,
        n_iter_=1,
        loss_curve_={"kind": "list", "values": [1.0]},
        _n_features_out=2,
        _fitted_network=file.object(
            "_engine._state.FittedNetwork",
            config=json.dumps(config),
            weights={"kind": "dict", "pairs": weights},
            item_axes={"kind": "dict", "pairs": []},
            optimizer_state=None,
            _trainer=None,
            _network=None,
            _served=None,
        ),
    )
    model = file.loaded(described, path)
    assert_allclose(model.transform([[1, 2, 0], [0, 0, 1]]), [[1.5, 3], [0, 0]])


def test_an_ensemble(file, path):
    """Votes for the mean of standardised scores; what is held twice is one object."""
    members = [
        file.recommender(
            "recommenders.EASERecommender",
            3,
            solver_="primal",
            regularization_=5.0,
            row_sums_=None,
            _map=file.array(weights),
        )
        for weights in ([[0, 1, 3], [0, 0, 0], [0, 0, 0]], [[0, 3, 1], [0, 0, 0], [0, 0, 0]])
    ]
    no_items = {"kind": "dict", "pairs": []}
    target = {"n_items": 3, "columns": file.array([0, 1, 2], "<i8")}
    target = {"kind": "object", "class": "sktransrec.interactions._target_items.TargetItems"} | {
        "state": target,
        "number": next(file.numbers),
    }
    described = file.recommender(
        "ensembles.VotingRecommender",
        3,
        estimators={"kind": "list", "values": []},
        estimators_={"kind": "list", "values": members},
        named_estimators_={
            **{"kind": "mapping", "class": "sklearn.utils.Bunch", "state": no_items},
            "pairs": [[name, same(member)] for name, member in zip("ab", members, strict=True)],
        },
        _target=target,
        _shares=file.array([0.25, 0.75]),
    )
    model = file.loaded(described, path)
    assert_array_equal(model.recommend([[1, 0, 0]], n_recommendations=1)[0], [[1]])
    swapped = {**described["state"], "_shares": file.array([0.75, 0.25])}
    model = file.loaded({**described, "state": swapped}, path)
    assert_array_equal(model.recommend([[1, 0, 0]], n_recommendations=1)[0], [[2]])


def test_a_service_with_ids(file, path):
    items = file.ids(["tea", "rice", "salt"])
    names = {"kind": "dict", "pairs": [["user", "user"], ["item", "item"], ["value", "value"]]}
    encoder = file.object(
        "interactions.InteractionEncoder",
        _names=names,
        _library=None,
        users_=file.array([7, 9], "<i8"),
        rare_users_=file.array([], "<i8"),
        items_=items,
        rare_items_=file.ids([]),
        n_users_=2,
        n_items_=3,
    )
    described = file.object(
        "serving.RecommendationService",
        model=file.recommender("recommenders.PopularityRecommender", 3),
        encoder=encoder,
        item_encoder=None,
        item_names={"kind": "dict", "pairs": []},
        item_ids_=same(items),
    )
    service = file.loaded(described, path)
    assert service.item_ids_ is service.encoder.items_
    found = service.recommend(history={"user": [7, 7], "item": ["tea", "salt"]})
    assert found["item"].tolist() == ["rice"]
    assert service.encoder.unknown == "error"  # a parameter that the file does not have
