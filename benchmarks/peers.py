# SPDX-License-Identifier: BSD-3-Clause
"""Speed beside other libraries: fits, recommending to many rows, and serving one row.

The interactions are generated. A library that is not installed is left out, and named. Each cost is
the least of some repeats in which the libraries take turns, so that a busy machine slows all alike;
for one row it is the median of 200 calls. New rows are folded in by ALS of this package and of
implicit; the others serve the rows of the fit. RecTools wraps the ALS and neighbours of implicit.
Two threads are those of `joblib.parallel_config` or of the library's own parameter; skrecsys has
none for this and takes what `RAYON_NUM_THREADS` says, and LensKit starts processes, so it stays at
one.

    python benchmarks/peers.py --record
    python benchmarks/peers.py --n-rows 3000 --n-items 5000 --n-interactions 60000
"""

import time
from collections.abc import Callable
from contextlib import nullcontext as _alone
from dataclasses import astuple
from functools import partial
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from _record import Record, argument_parser
from _report import Cost, measure
from joblib import parallel_config
from threadpoolctl import threadpool_limits

from sktransrec import (
    ALSRecommender,
    EASERecommender,
    GraphFilterRecommender,
    ItemKNNRecommender,
    PopularityRecommender,
)
from sktransrec.datasets._base import indicator_matrix

PEERS = ("implicit", "irspack", "skrecsys", "torch", "rectools", "lenskit")
SWEEPS = 15


class Model(NamedTuple):
    """A model of a library: how to fit it, and how to recommend.

    `served` gets rows, prepares them, and returns a function of the number of threads.
    """

    fit: Callable | None
    served: Callable | None = None


def interactions(n_rows, n_items, n_interactions, seed=0):
    """Return about so many interactions with items of long-tailed popularity."""
    rng = np.random.default_rng(seed)
    popularity = 1 / np.arange(1, n_items + 1) ** 0.8
    items = rng.choice(n_items, size=n_interactions, p=popularity / popularity.sum())
    rows = rng.integers(n_rows, size=n_interactions)
    return indicator_matrix(rows, items, (n_rows, n_items))


def our_estimators(n_components):
    """Return the estimators of this package by the name of their line."""
    return {
        "popularity": PopularityRecommender(),
        "neighbours": ItemKNNRecommender(
            100, weighting="cosine", shrinkage=0, popularity_exponent=0
        ),
        "EASE": EASERecommender(solver="sparse"),
        "graph filter": GraphFilterRecommender(
            low_pass_weight=0.3, row_exponent=0.2, item_exponent=0.3, random_state=0
        ),
        "ALS": ALSRecommender(n_components, regularization=0.02, max_iter=SWEEPS, random_state=0),
    }


def ours(X, n_components, k):
    """Return the models of this package by the name of their line."""

    def served(model, rows):
        batch = X[rows]

        def recommend(n_threads):
            threads = parallel_config("threading", n_jobs=n_threads) if n_threads > 1 else _alone()
            with threads:
                return model.recommend(batch, n_recommendations=k)

        return recommend

    return {
        name: Model(partial(model.fit, X), partial(served, model))
        for name, model in our_estimators(n_components).items()
    }


def of_implicit(X, n_components, k):
    from implicit.als import AlternatingLeastSquares
    from implicit.nearest_neighbours import CosineRecommender

    X = sp.csr_matrix(X)
    settings = {"iterations": SWEEPS, "num_threads": 1, "random_state": 0}
    estimators = {
        "neighbours": (CosineRecommender(100, num_threads=1), {}),
        "ALS": (
            AlternatingLeastSquares(n_components, **settings),
            {"recalculate_user": True},
        ),
    }

    def served(model, options, rows):
        rows, batch = np.asarray(rows), X[rows]

        def recommend(n_threads):
            model.num_threads = n_threads
            return model.recommend(rows, batch, N=k, **options)

        return recommend

    return {
        name: Model(partial(model.fit, X, show_progress=False), partial(served, model, options))
        for name, (model, options) in estimators.items()
    }


def of_irspack(X, n_components, k):
    from irspack import CosineKNNRecommender, IALSRecommender

    X = sp.csr_matrix(X)
    settings = {"n_components": n_components, "train_epochs": SWEEPS, "n_threads": 1}
    neighbours = CosineKNNRecommender(X, top_k=100, n_threads=1)
    return {
        "neighbours": Model(neighbours.learn),
        "ALS": Model(IALSRecommender(X, **settings).learn),
    }


def of_skrecsys(X, n_components, k):
    from skrecsys.recommendation import (
        AlternatingLeastSquares,
        ItemKNNRecommender,
        MostPopularRecommender,
    )

    pairs = np.column_stack(X.nonzero())
    estimators = {
        "popularity": MostPopularRecommender(),
        "neighbours": ItemKNNRecommender(100, n_jobs=1),
        "ALS": AlternatingLeastSquares(n_components, n_iter=SWEEPS, random_state=0),
    }

    def served(model, rows):
        rows = np.asarray(rows)
        return lambda n_threads: model.recommend(rows, n_recommendations=k)

    return {
        name: Model(partial(model.fit, pairs), partial(served, model))
        for name, model in estimators.items()
    }


def of_rectools(X, n_components, k):
    """Return its wrappers of implicit's models, and its own popularity."""
    from implicit.als import AlternatingLeastSquares
    from implicit.nearest_neighbours import CosineRecommender
    from rectools.dataset import Dataset
    from rectools.models import ImplicitALSWrapperModel, ImplicitItemKNNWrapperModel, PopularModel

    log = _log(X).assign(weight=1.0, datetime="2020-01-01")
    dataset = Dataset.construct(log)
    settings = {"iterations": SWEEPS, "num_threads": 1, "random_state": 0}
    estimators = {
        "popularity": PopularModel(),
        "neighbours": ImplicitItemKNNWrapperModel(CosineRecommender(100, num_threads=1)),
        "ALS": ImplicitALSWrapperModel(AlternatingLeastSquares(n_components, **settings)),
    }

    def served(model, rows):
        rows = np.asarray(rows)

        def recommend(n_threads):
            model.recommend_n_threads = n_threads
            return model.recommend(rows, dataset, k, filter_viewed=True)

        return recommend

    return {
        name: Model(partial(model.fit, dataset), partial(served, model))
        for name, model in estimators.items()
    }


def of_lenskit(X, n_components, k):
    from lenskit import batch, recommend
    from lenskit.als import ImplicitMFScorer
    from lenskit.basic import PopScorer
    from lenskit.data import from_interactions_df
    from lenskit.knn import ItemKNNScorer
    from lenskit.pipeline import topn_pipeline

    dataset = from_interactions_df(_log(X))
    scorers = {
        "popularity": PopScorer(),
        "neighbours": ItemKNNScorer(max_nbrs=100, save_nbrs=100, feedback="implicit"),
        "ALS": ImplicitMFScorer(features=n_components, epochs=SWEEPS),
    }
    pipelines = {name: topn_pipeline(scorer, n=k) for name, scorer in scorers.items()}

    def served(pipeline, rows):
        rows = np.asarray(rows)
        if len(rows) == 1:
            return lambda n_threads: recommend(pipeline, rows[0])
        # Its jobs are processes, which start in a minute.
        return lambda n_threads: batch.recommend(pipeline, rows, n_jobs=1)

    return {
        name: Model(partial(pipeline.train, dataset), partial(served, pipeline))
        for name, pipeline in pipelines.items()
    }


def _log(X):
    """Return the interactions as a table with a line for each."""
    import pandas as pd

    rows, items = X.nonzero()
    return pd.DataFrame({"user_id": rows, "item_id": items})


def of_torch(X, n_components, k):
    """Return only the selection: factors are drawn, and no row is folded in."""
    import torch

    drawn = torch.Generator().manual_seed(0)
    U, V = (torch.randn(n, n_components, generator=drawn) for n in X.shape)

    def served(rows):
        batch = U[torch.as_tensor(np.asarray(rows))]

        def recommend(n_threads):
            torch.set_num_threads(n_threads)
            return torch.topk(batch @ V.T, k)

        return recommend

    return {"ALS": Model(None, served)}


def all_models(X, n_components, k):
    """Return the models by line, ours first: "neighbours", "neighbours, implicit", ..."""
    models = ours(X, n_components, k)
    for library, made in {
        "implicit": of_implicit,
        "irspack": of_irspack,
        "skrecsys": of_skrecsys,
        "rectools": of_rectools,
        "lenskit": of_lenskit,
        "torch": of_torch,
    }.items():
        if find_spec(library):
            of_library = made(X, n_components, k)
            models |= {f"{name}, {library}": model for name, model in of_library.items()}
    return models


def least_costs(calls, repeats):
    """Return the least cost of each call, part by part; the calls take turns."""
    costs = {}
    for _ in range(repeats):
        for name, call in calls.items():
            costs.setdefault(name, []).append(astuple(measure(call)[1]))
    return {name: Cost(*np.min(of_call, axis=0)) for name, of_call in costs.items()}


def median_cpu_seconds(calls, repeats):
    """Return the median CPU seconds of each call; the calls take turns."""
    seconds = {name: np.empty(repeats) for name in calls}
    with threadpool_limits(1, user_api="blas"):
        for i in range(repeats):
            for name, call in calls.items():
                start = time.process_time()
                call()
                seconds[name][i] = time.process_time() - start
    return {name: float(np.median(each)) for name, each in seconds.items()}


def add_fits(record, models, repeats):
    costs = least_costs({name: model.fit for name, model in models.items() if model.fit}, repeats)
    columns = {"": "", "CPU s": ".2f", "ratio to ours": ".2f", "MiB": ".0f"}
    lines = [
        [name, cost.cpu_seconds, cost.cpu_seconds / costs[_ours(name)].cpu_seconds, cost.peak_mib]
        for name, cost in _sorted(costs)
    ]
    record.add("Fits", columns, lines)


def add_batches(record, models, rows, repeats):
    """Add what recommending to many rows costs, and the seconds with one and with two threads."""
    calls = {name: model.served(rows) for name, model in models.items()}
    one, two = (
        least_costs({name: partial(call, n) for name, call in calls.items()}, repeats)
        for n in (1, 2)
    )
    columns = {
        "": "",
        "CPU ms": ".0f",
        "ratio to ours": ".2f",
        "MiB": ".0f",
        "ms, one thread": ".0f",
        "ms, two threads": ".0f",
        "times as fast": ".2f",
    }
    lines = [
        [
            name,
            1e3 * cost.cpu_seconds,
            cost.cpu_seconds / one[_ours(name)].cpu_seconds,
            cost.peak_mib,
            1e3 * cost.wall_seconds,
            1e3 * two[name].wall_seconds,
            cost.wall_seconds / two[name].wall_seconds,
        ]
        for name, cost in _sorted(one)
    ]
    record.add(f"{len(rows)} rows", columns, lines)


def add_single_rows(record, models):
    calls = {name: partial(model.served([1]), 1) for name, model in models.items()}
    seconds = median_cpu_seconds(calls, 200)
    columns = {"": "", "CPU ms": ".3f", "ratio to ours": ".2f"}
    lines = [[name, 1e3 * cost, cost / seconds[_ours(name)]] for name, cost in _sorted(seconds)]
    record.add("One row", columns, lines)


def _ours(name):
    return name.partition(",")[0]


def _sorted(by_name):
    """Return the items with the lines of a model beside each other, ours first."""
    places = list(dict.fromkeys(map(_ours, by_name)))
    return sorted(by_name.items(), key=lambda item: places.index(_ours(item[0])))


def main():
    options = _options()
    X = interactions(options.n_rows, options.n_items, options.n_interactions)
    installed = [peer for peer in PEERS if find_spec(peer)]
    record = Record(
        "peers",
        __doc__,
        options,
        ("sktransrec", "numpy", "scipy", *installed),
        seeds=[0],
        parameters=our_estimators(options.n_components),
        data=f"{X.nnz} interactions of {X.shape[0]} rows with {X.shape[1]} items",
        missing=", ".join(peer for peer in PEERS if peer not in installed) or "none",
    )
    models = all_models(X, options.n_components, options.k)
    add_fits(record, models, options.fits)
    served = {name: model for name, model in models.items() if model.served}
    add_batches(record, served, range(options.n_served), options.repeats)
    add_single_rows(record, served)
    record.save()


def _options():
    parser = argument_parser(__doc__)
    parser.add_argument("--n-rows", type=int, default=30_000)
    parser.add_argument("--n-items", type=int, default=41_000)
    parser.add_argument("--n-interactions", type=int, default=810_000)
    parser.add_argument("--n-components", type=int, default=64)
    parser.add_argument("--n-served", type=int, default=2048)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--fits", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
