# SPDX-License-Identifier: BSD-3-Clause
"""A hundred million interactions on one machine: encoded, fitted, saved, and served from a file.

    python benchmarks/scale.py --record
    python benchmarks/scale.py --share 0.02 0.1 --record
    python benchmarks/scale.py --share 0.1 --steps encoder popularity "graph filter" dask

The log is generated: users with 10 interactions on average, in groups with 1000 items of their own,
and items whose popularity falls like a power of their rank. Its 100 million events between 10
million users and 1 million items are a share of 1; other shares have as many events a user. The
models have fixed parameters, since nothing can be judged on such data: they stand for the cost. A
model is saved and mapped into memory before it serves. With "dask", the log is cut by user, and
processes of a local cluster find the vocabulary, encode, add up the popularity, fit ALS, and serve
with the graph filter's file. Memory is the peak of the whole process in each step, the log
included; for "dask" it is that of the process that asks, and that of the largest worker. CPU
seconds are those of the process, too, and the workers' stand beside them.

Smaller shares have fewer users and items alike, so what compares each user with each item grows
with their square. With several shares, a last table says what each step would take in full: CPU
seconds grow by the power of the share that the two largest shares show, and memory along the line
through both.
"""

import os
import tempfile
from itertools import pairwise
from pathlib import Path
from time import process_time

import numpy as np
from _record import Record, argument_parser, record_name
from _report import measure

from sktransrec import (
    ALSRecommender,
    GraphFilterRecommender,
    InteractionEncoder,
    PopularityRecommender,
    load,
    save,
)

N_USERS, N_ITEMS, N_EVENTS, N_SERVED = 10_000_000, 1_000_000, 100_000_000, 100_000
GROUP_SIZE, IN_GROUP = 1000, 0.7
BLOCK = 10_000_000
COLUMNS = {"": "", "wall s": ".1f", "CPU s": ".1f", "peak GiB": ".2f", "what": ""}
IN_FULL = {"": "", "exponent": ".2f", "CPU s": ".0f", "peak GiB": ".1f"}
# The clock of a process tells less than this of a second apart.
MEASURABLE_SECONDS = 0.1
STEPS = ["encoder", "popularity", "graph filter", "ALS", "dask"]


def models(n_components):
    return {
        "popularity": PopularityRecommender(),
        "graph filter": GraphFilterRecommender(
            n_components,
            n_neighbors=50,
            low_pass_weight=0.1,
            row_exponent=0.2,
            item_exponent=0.3,
            random_state=0,
        ),
        "ALS": ALSRecommender(
            n_components, regularization=0.02, confidence=10.0, max_iter=5, random_state=0
        ),
    }


def generated_log(share, seed=0):
    """Return a log with the events of each user in one block of rows, as int32 columns."""
    n_users, n_items, n_events = (int(share * n) for n in (N_USERS, N_ITEMS, N_EVENTS))
    rng = np.random.default_rng(seed)
    n_of_user = np.rint(rng.gamma(1.0, n_events / n_users, n_users)).astype(np.int64)
    user = np.repeat(np.arange(n_users, dtype=np.int32), np.maximum(n_of_user, 1))
    item = np.empty(len(user), dtype=np.int32)
    for start in range(0, len(user), BLOCK):
        block = user[start : start + BLOCK]
        item[start : start + BLOCK] = _items(block, n_items, rng)
    return {"user": user, "item": item}


def _items(users, n_items, rng):
    """Return an item for each event: of the group of the user, or of all items."""
    rank = rng.random(len(users)) ** 2 * n_items
    n_groups = max(n_items // GROUP_SIZE, 1)
    of_group = rank // n_groups * n_groups + users % n_groups
    in_group = rng.random(len(users)) < IN_GROUP
    return np.where(in_group, np.minimum(of_group, n_items - 1), rank).astype(np.int32)


def resident_peak():
    """Return the peak of the resident memory of this process since it was last set, in GiB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 2**20


class Steps:
    """The lines of the table, in the order in which they are measured."""

    def __init__(self, n_threads):
        self.lines = []
        self._n_threads = n_threads

    def run(self, name, function, *args, what=lambda result: ""):
        """Return the result of a step, and keep and print what it cost."""
        result, cost = measure(function, *args, blas_threads=self._n_threads)
        line = [name, cost.wall_seconds, cost.cpu_seconds, resident_peak(), what(result)]
        print("{}: {:.1f} s, {:.1f} CPU s, {:.2f} GiB, {}".format(*line), flush=True)
        self.lines.append(line)
        return result


def main():
    options = _options()
    in_full = ["in full"] if options.share == [1] else []
    record = Record(
        record_name("scale", *in_full),
        __doc__,
        options,
        ("sktransrec", "numpy", "scipy", "implicit"),
        threads=f"{options.n_threads} BLAS threads",
        seeds=[0],
        parameters=models(options.n_components),
    )
    tables = {}
    for share in sorted(options.share):
        steps = Steps(options.n_threads)
        with tempfile.TemporaryDirectory() as folder:
            _run(options, share, steps, Path(folder))
        record.add(f"{share * N_EVENTS:,.0f} generated events", COLUMNS, steps.lines)
        tables[share] = steps.lines
    if len(tables) > 1:
        record.add(
            f"{N_EVENTS:,} generated events, extrapolated",
            IN_FULL,
            _in_full(*list(tables.items())[-2:]),
        )
    record.save()


def _in_full(smaller, larger):
    """Return the exponent of the CPU seconds of each step, and its cost at a share of 1."""
    (share, lines), (larger_share, larger_lines) = smaller, larger
    in_full = []
    for (name, _, cpu, peak, _), (_, _, larger_cpu, larger_peak, _) in zip(
        lines, larger_lines, strict=True
    ):
        exponent = seconds = None
        if cpu >= MEASURABLE_SECONDS:
            exponent = np.log(larger_cpu / cpu) / np.log(larger_share / share)
            seconds = larger_cpu * larger_share**-exponent
        slope = (larger_peak - peak) / (larger_share - share)
        in_full.append([name, exponent, seconds, larger_peak + slope * (1 - larger_share)])
    return in_full


def _run(options, share, steps, folder):
    log = steps.run("generate", generated_log, share, what=lambda log: _n(log["user"]))
    if "dask" in options.steps:
        parts = steps.run("write parts for dask", _write_parts, log, folder, options.n_parts)
    encoder = InteractionEncoder()
    X = steps.run("encode", encoder.fit_transform, log, what=_size)
    log.clear()
    rows = np.random.default_rng(1).choice(X.shape[0], int(share * N_SERVED), replace=False)
    for name, model in models(options.n_components).items():
        if name in options.steps:
            _fit_and_serve(steps, name, model, X, rows, folder / f"{name}.model")
    served, popular = X[rows], PopularityRecommender().fit(X)
    del X
    if "dask" in options.steps:
        _run_dask(options, steps, folder, parts, (encoder, served, popular))


def _fit_and_serve(steps, name, model, X, rows, path):
    steps.run(f"{name}: fit", model.fit, X)
    steps.run(f"{name}: save", save, model, path, what=lambda _: _mib(path))
    vars(model).clear()
    mapped = steps.run(f"{name}: load", _mapped, path)
    steps.run(f"{name}: serve", mapped.recommend, X[rows], what=lambda found: _n(found[0]))


def _run_dask(options, steps, folder, parts, expected):
    """Do the same on a local cluster, and compare what it finds."""
    import dask
    from distributed import Client, LocalCluster

    from sktransrec.distributed import encode_parts, fit_encoder, fit_parts, recommend_parts

    encoder, served, popular = expected
    cluster = LocalCluster(options.n_workers, threads_per_worker=1, dashboard_address=None)
    with cluster, Client(cluster) as client, dask.config.set(scheduler=client):
        logs = [dask.delayed(_read_part)(path) for path in parts]

        def peak(_):
            seconds, peaks = (client.run(each).values() for each in (process_time, resident_peak))
            return f"workers {sum(seconds):.0f} CPU s so far, the largest {max(peaks):.2f} GiB"

        ours = steps.run("dask: vocabulary", fit_encoder, InteractionEncoder(), logs, what=peak)
        assert np.array_equal(ours.items_, encoder.items_)
        save(ours, folder / "encoder.model")
        matrices = encode_parts(folder / "encoder.model", logs)
        learned = steps.run(
            "dask: encode, popularity", fit_parts, PopularityRecommender(), matrices, what=peak
        )
        assert np.array_equal(learned.popularity_, popular.popularity_)
        path = folder / "ALS.model"
        if path.exists():
            als = steps.run(
                "dask: ALS", fit_parts, models(options.n_components)["ALS"], matrices, what=peak
            )
            factors = load(path, mmap_mode="r").item_factors_
            assert np.allclose(als.item_factors_, factors, rtol=1e-2, atol=1e-4)
        path = folder / "graph filter.model"
        if path.exists():
            blocks = [served[start : start + 1000] for start in range(0, served.shape[0], 1000)]
            found = steps.run(
                "dask: serve by graph filter",
                lambda: client.gather(client.compute(recommend_parts(path, blocks))),
                what=peak,
            )
            items, _ = load(path, mmap_mode="r").recommend(served[:1000])
            assert np.array_equal(found[0][0], items)


def _write_parts(log, folder, n_parts):
    """Write the log in parts with whole users, and return their paths."""
    ends = np.searchsorted(log["user"], np.linspace(0, log["user"][-1] + 1, n_parts + 1))
    paths = []
    for number, (start, stop) in enumerate(pairwise(ends)):
        paths.append(str(folder / f"part-{number}.npz"))
        np.savez(paths[-1], **{name: column[start:stop] for name, column in log.items()})
    return paths


def _read_part(path):
    with np.load(path) as part:
        return dict(part)


def _mapped(path):
    return load(path, mmap_mode="r")


def _n(column):
    return f"{len(column):,}"


def _size(X):
    return f"{X.shape[0]:,} x {X.shape[1]:,}, {X.nnz:,} interactions"


def _mib(path):
    return f"{os.path.getsize(path) / 2**20:,.0f} MiB"


def _options():
    parser = argument_parser(__doc__)
    parser.add_argument(
        "--share", type=float, nargs="+", default=[1.0], help="of the events, users and items"
    )
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=STEPS, metavar="STEP")
    parser.add_argument("--n-components", type=int, default=64)
    parser.add_argument("--n-threads", type=int, default=1)
    parser.add_argument("--n-workers", type=int, default=2)
    parser.add_argument("--n-parts", type=int, default=40)
    return parser.parse_args()


if __name__ == "__main__":
    main()
