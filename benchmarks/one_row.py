# SPDX-License-Identifier: BSD-3-Clause
"""What it costs to serve one row: the first call after loading a model, and those after it.

The interactions are generated. Each model is fitted, networks for one epoch, saved, and loaded in a
process of its own, mapped into memory, as a server does. The first call counts from the loading of
the file, with the package imported; then the CPU time of a call is the median of 200, each with
another row. Networks run in numpy there: the last column says whether TensorFlow was imported.

    python benchmarks/one_row.py --record
    python benchmarks/one_row.py --models ALS attention
"""

import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from _record import Record, argument_parser
from peers import interactions
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from sktransrec import (
    ALSRecommender,
    Autoencoder,
    EASERecommender,
    GraphFilterRecommender,
    ItemKNNRecommender,
    NextItemRecommender,
    PopularityRecommender,
    ReconstructionRecommender,
    RidgeRecommender,
    TransitionRecommender,
    load,
    recommend,
    save,
)

N_CALLS = 200
# The model for which the number of items is another one.
LARGE = "ALS, large catalogue"


def of_matrices(n_components):
    """Return models of matrices by name, to be fitted."""
    plain = Autoencoder(n_components, epochs=1, random_state=0)
    variational = clone(plain).set_params(kind="variational", loss="multinomial")
    return {
        "popularity": PopularityRecommender(),
        "neighbours": ItemKNNRecommender(),
        "EASE": EASERecommender(),
        "EASE, sparse": EASERecommender(solver="sparse"),
        "ALS": ALSRecommender(n_components, random_state=0),
        LARGE: ALSRecommender(n_components, random_state=0),
        "graph filter": GraphFilterRecommender(random_state=0),
        "autoencoder, then ridge": make_pipeline(plain, RidgeRecommender()),
        "variational autoencoder": ReconstructionRecommender(variational),
    }


def of_histories(n_components):
    """Return models of the next item by name, to be fitted."""
    settings = {"n_components": n_components, "epochs": 1, "random_state": 0}
    return {
        "transitions": TransitionRecommender(),
        "attention": NextItemRecommender("attention", **settings),
        "GRU": NextItemRecommender("gru", **settings),
    }


def histories(X, length=20):
    """Return the items of each row in random order, numbered from 1 and padded with 0."""
    rng = np.random.default_rng(0)
    rows = np.zeros((X.shape[0], length), dtype=np.int64)
    for row, start, stop in zip(rows, X.indptr[:-1], X.indptr[1:], strict=True):
        items = rng.permutation(X.indices[start:stop])[:length] + 1
        row[: len(items)] = items
    return rows


def costs_of_calls(path, rows):
    """Return the seconds to the first answer, the median CPU seconds of a call, and the imports."""
    with threadpool_limits(1):
        start = time.perf_counter()
        model = load(path, mmap_mode="r")
        recommend(model, rows[:1])
        first = time.perf_counter() - start
        seconds = np.empty(N_CALLS)
        for i in range(N_CALLS):
            row = rows[i : i + 1]
            start = time.process_time()
            recommend(model, row)
            seconds[i] = time.process_time() - start
    return first, float(np.median(seconds)), "tensorflow" in sys.modules


def in_a_new_process(path, rows):
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(costs_of_calls, (path, rows))


def main():
    options = _options()
    sizes = options.n_rows, options.n_interactions
    X = interactions(sizes[0], options.n_items, sizes[1])
    models = {**of_matrices(options.n_components), **of_histories(options.n_components)}
    models = {name: models[name] for name in options.models or models}
    record = Record(
        "one_row",
        __doc__,
        options,
        ("sktransrec", "numpy", "scipy"),
        seeds=[0],
        parameters=models,
        data=f"{options.n_rows} rows, {options.n_items} items; {options.n_large} in the large one",
    )
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for name, model in models.items():
            rows = X if name != LARGE else interactions(sizes[0], options.n_large, sizes[1])
            rows = histories(X) if name in of_histories(1) else rows
            y = rows if name == "autoencoder, then ridge" else None
            path = Path(folder) / "model"
            save(model.fit(rows, y), path)
            first, median, has_tensorflow = in_a_new_process(path, rows[-N_CALLS:])
            lines.append([name, first, 1e3 * median, "yes" if has_tensorflow else "no"])
    columns = {"": "", "first call, s": ".2f", "CPU ms": ".2f", "TensorFlow": ""}
    record.add("One row", columns, lines)
    record.save()


def _options():
    parser = argument_parser(__doc__)
    parser.add_argument("--n-rows", type=int, default=20_000)
    parser.add_argument("--n-items", type=int, default=10_000)
    parser.add_argument("--n-large", type=int, default=41_000)
    parser.add_argument("--n-interactions", type=int, default=400_000)
    parser.add_argument("--n-components", type=int, default=64)
    parser.add_argument("--models", nargs="+", metavar="MODEL", help="only these")
    return parser.parse_args()


if __name__ == "__main__":
    main()
