"""Speed beside other libraries: fits, recommending to many rows, and serving one row.

The interactions are generated. A library that is not installed is left out, and named. Each line
is the least CPU time of some repeats that take turns, so that a busy machine slows all alike; for
one row it is the median of 200 calls.

    python benchmarks/peers.py --record
    python benchmarks/peers.py --n-rows 3000 --n-items 5000 --n-interactions 60000
"""

import time
from importlib.util import find_spec

import numpy as np
import scipy.sparse as sp
from _record import Record, argument_parser
from _report import measure
from threadpoolctl import threadpool_limits

from sktransrec import ALSRecommender, EASERecommender, ItemKNNRecommender, PopularityRecommender

PEERS = ("implicit", "irspack", "torch")


def interactions(n_rows, n_items, n_interactions, seed=0):
    """Return about so many interactions with items of long-tailed popularity."""
    rng = np.random.default_rng(seed)
    popularity = 1 / np.arange(1, n_items + 1) ** 0.8
    items = rng.choice(n_items, size=n_interactions, p=popularity / popularity.sum())
    rows = rng.integers(n_rows, size=n_interactions)
    X = sp.csr_array((np.ones(n_interactions, np.float32), (rows, items)), shape=(n_rows, n_items))
    X.sum_duplicates()
    X.data[:] = 1
    return X


def least_cpu_seconds(calls, repeats):
    """Return the least CPU seconds of each call; the calls take turns."""
    seconds = dict.fromkeys(calls, np.inf)
    for _ in range(repeats):
        for name, call in calls.items():
            seconds[name] = min(seconds[name], measure(call)[1].cpu_seconds)
    return seconds


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


def models(n_components):
    return {
        "popularity": PopularityRecommender(),
        "neighbours": ItemKNNRecommender(100, shrinkage=0, popularity_exponent=0),
        "EASE": EASERecommender(solver="sparse"),
        "ALS": ALSRecommender(n_components, regularization=0.02, random_state=0),
    }


def implicit_models(n_components):
    if not find_spec("implicit"):
        return {}
    from implicit.als import AlternatingLeastSquares
    from implicit.nearest_neighbours import CosineRecommender

    settings = {"iterations": 15, "num_threads": 1, "random_state": 0}
    return {
        "neighbours, implicit": CosineRecommender(100, num_threads=1),
        "ALS, implicit": AlternatingLeastSquares(n_components, **settings),
    }


def irspack_fits(X, n_components):
    if not find_spec("irspack"):
        return {}
    from irspack import CosineKNNRecommender, IALSRecommender

    X = sp.csr_matrix(X)
    neighbours = CosineKNNRecommender(X, top_k=100, n_threads=1)
    als = IALSRecommender(X, n_components=n_components, train_epochs=15, n_threads=1)
    return {"neighbours, irspack": neighbours.learn, "ALS, irspack": als.learn}


def torch_top_k(rows, items, k):
    if not find_spec("torch"):
        return {}
    import torch

    torch.set_num_threads(1)
    rows, items = torch.from_numpy(rows), torch.from_numpy(items)
    return {"ALS, torch without fold-in": lambda: torch.topk(rows @ items.T, k)}


def calls_of_fits(X, ours, implicit):
    matrix = sp.csr_matrix(X)
    calls = {name: lambda model=model: model.fit(X) for name, model in ours.items()}
    for name, model in implicit.items():
        calls[name] = lambda model=model: model.fit(matrix, show_progress=False)
    return calls


def calls_of_recommending(X, ours, implicit, k):
    matrix, users = sp.csr_matrix(X), np.arange(X.shape[0])
    calls = {
        name: lambda model=model: model.recommend(X, n_recommendations=k)
        for name, model in ours.items()
    }
    for name, model in implicit.items():
        # New rows are folded in, as ours are; neighbours have nothing to fold in.
        options = {"recalculate_user": True} if "ALS" in name else {}
        calls[name] = lambda model=model, options=options: model.recommend(
            users, matrix, N=k, **options
        )
    return calls


def main():
    options = _options()
    X = interactions(options.n_rows, options.n_items, options.n_interactions)
    missing = [peer for peer in PEERS if not find_spec(peer)]
    packages = ("sktransrec", "numpy", "scipy", *(peer for peer in PEERS if find_spec(peer)))
    record = Record(
        "peers",
        __doc__,
        options,
        packages,
        data=f"{X.nnz} interactions of {X.shape[0]} rows with {X.shape[1]} items",
        missing=", ".join(missing) or "none",
    )
    ours, implicit = models(options.n_components), implicit_models(options.n_components)
    fits = calls_of_fits(X, ours, implicit) | irspack_fits(X, options.n_components)
    _add(record, "Fits", least_cpu_seconds(fits, options.repeats))

    batch = X[: options.n_served]
    calls = calls_of_recommending(batch, ours, implicit, options.k)
    row_factors = ours["ALS"].transform(batch)
    calls |= torch_top_k(row_factors, ours["ALS"].item_factors_, options.k)
    seconds = least_cpu_seconds(calls, options.repeats)
    _add(record, f"Top {options.k} of {batch.shape[0]} rows", seconds)

    calls = calls_of_recommending(X[[1]], ours, implicit, options.k)
    _add(record, f"Top {options.k} of one row", median_cpu_seconds(calls, 200))
    record.save()


def _add(record, title, seconds):
    lines = [[name, 1e3 * cost, cost / seconds[_of_ours(name)]] for name, cost in seconds.items()]
    record.add(title, {"": "", "CPU ms": ".3f", "ratio to ours": ".2f"}, sorted(lines))


def _of_ours(name):
    return name.partition(",")[0]


def _options():
    parser = argument_parser(__doc__)
    parser.add_argument("--n-rows", type=int, default=30_000)
    parser.add_argument("--n-items", type=int, default=41_000)
    parser.add_argument("--n-interactions", type=int, default=810_000)
    parser.add_argument("--n-components", type=int, default=64)
    parser.add_argument("--n-served", type=int, default=2000)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
