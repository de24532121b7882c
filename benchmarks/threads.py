# SPDX-License-Identifier: BSD-3-Clause
"""Large problems with one BLAS thread and with several: are results right, and what do they cost?

    python benchmarks/threads.py --sizes 10000 36000 --data amazon_cds

Each line is a process of its own, since a BLAS with several threads may end it. The first table
inverts A = 2I + 11ᵀ/n, the inverse of which is known: by the blocks of this package, and by LAPACK
at once where asked (`--lapack`). The second fits the models whose linear algebra grows with the
data, and compares the recommendations of 500 rows with those of one thread.
"""

import argparse
import json
import os
import subprocess
import sys

import numpy as np
from _record import Record, argument_parser
from _report import measure

from sktransrec._numerics._memory import available_memory

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
MODELS = ["EASE", "ridge, primal", "ridge, dual", "graph filter", "PureSVD", "ALS"]
N_ROWS = 500


def inverted_in_blocks(A):
    from sktransrec._numerics import _spd

    return _spd.inverse(_spd.cholesky(A))


def inverted_by_lapack(A):
    from scipy.linalg import lapack

    factor, _ = lapack.spotrf(A.T, lower=True, clean=False, overwrite_a=True)
    return lapack.spotri(factor, lower=True, overwrite_c=True)[0].T


def inverse_cost(n, method, n_threads):
    """Return the largest error of the inverse and what it cost."""
    A = np.full((n, n), 1 / n, dtype=np.float32)
    A[np.diag_indices(n)] += 2
    invert = {"blocks": inverted_in_blocks, "LAPACK": inverted_by_lapack}[method]
    S, cost = measure(invert, A, blas_threads=n_threads)
    S[np.diag_indices(n)] -= 0.5
    errors = [abs(row[i:] + 1 / (6 * n)).max() for i, row in enumerate(S)]
    gigaflops = n**3 / cost.cpu_seconds / 1e9
    return [float(max(errors)), cost.cpu_seconds, cost.wall_seconds, gigaflops]


def model(name):
    from sklearn.decomposition import TruncatedSVD

    import sktransrec as str_

    return {
        "EASE": str_.EASERecommender(),
        "ridge, primal": str_.RidgeRecommender(solver="primal"),
        "ridge, dual": str_.RidgeRecommender(solver="dual"),
        "graph filter": str_.GraphFilterRecommender(random_state=0),
        "PureSVD": str_.ReconstructionRecommender(TruncatedSVD(256, random_state=0)),
        "ALS": str_.ALSRecommender(random_state=0),
    }[name]


def fit_cost(data, name, n_threads):
    """Return the best items of some rows, and what the fit cost."""
    from ranking import load

    X, y = load(data)
    fitted, cost = measure(model(name).fit, X, y, blas_threads=n_threads)
    items, _ = fitted.recommend(X[:N_ROWS], n_recommendations=20)
    return [items.tolist(), cost.cpu_seconds, cost.wall_seconds]


def apart(n_threads, *task):
    """Return what a task returns in a process of its own, or how that ended."""
    run = subprocess.run(
        [sys.executable, __file__, "--task", json.dumps([*task, n_threads])],
        env={**os.environ, **dict.fromkeys(THREADS, str(n_threads))},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    return json.loads(run.stdout) if run.returncode == 0 else f"ended with {run.returncode}"


def inverse_lines(sizes, methods, threads):
    for n in sizes:
        needed, available = 1.2 * 4 * n**2, available_memory()
        if needed > available:
            print(f"{n} columns need {needed / 2**30:.1f} GiB, left out", file=sys.stderr)
            continue
        for method in methods:
            for n_threads in threads:
                cost = apart(n_threads, "inverse_cost", n, method)
                cells = [cost, None, None, None] if isinstance(cost, str) else cost
                yield [f"{n} columns, {method}, {n_threads} thread(s)", *cells]


def model_lines(data, names, threads):
    for name in names:
        first = None
        for n_threads in threads:
            found = apart(n_threads, "fit_cost", data, name)
            line = f"{name}, {n_threads} thread(s)"
            if isinstance(found, str):
                yield [line, found, None, None]
                continue
            items, *seconds = found
            first = items if first is None else first
            yield [line, float(np.equal(items, first).mean()), *seconds]


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--sizes", nargs="*", type=int, default=[10_000, 36_000])
    parser.add_argument("--data", choices=["amazon_cds", "generated"], default="amazon_cds")
    parser.add_argument("--models", nargs="*", choices=MODELS, default=MODELS, metavar="NAME")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, os.cpu_count() or 1])
    parser.add_argument("--lapack", action="store_true", help="invert by LAPACK at once as well")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    arguments = parser.parse_args()

    if arguments.task:
        function, *task = json.loads(arguments.task)
        print(json.dumps({"inverse_cost": inverse_cost, "fit_cost": fit_cost}[function](*task)))
        return
    packages = ("sktransrec", "numpy", "scipy")
    threads = "BLAS threads as each line says"
    record = Record(
        "threads",
        __doc__,
        arguments,
        packages,
        seeds=[0],
        parameters={name: model(name) for name in arguments.models},
        threads=threads,
    )
    methods = ["blocks", "LAPACK"] if arguments.lapack else ["blocks"]
    columns = {"inverse": "", "largest error": ".0e", "CPU s": ".2f", "s": ".2f"}
    lines = inverse_lines(arguments.sizes, methods, arguments.threads)
    record.add("Inverses", columns | {"Gflop per CPU s": ".1f"}, lines)
    if arguments.models:
        columns = {"model": "", "same top 20": ".1%", "CPU s": ".2f", "s": ".2f"}
        lines = model_lines(arguments.data, arguments.models, arguments.threads)
        record.add(f"Fits, {arguments.data}", columns, lines)
    record.save()


if __name__ == "__main__":
    main()
