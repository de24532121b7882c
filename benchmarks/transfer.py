"""Transfer between two domains: each method beside popularity and beside the target alone.

    python benchmarks/transfer.py --data sport_cloth

prints, for each of the two directions, MRR, NDCG@10 and the hit rate at 10 of every held-out pair
with standard errors over rows, in per cent: against 999 random unseen items, and against all
unseen items. "clean" leaves out the pairs whose product is cross-listed, that is, stands in the
row's source history under another id. "over" a row without the source is the difference of NDCG@10
to it, clean pairs one by one. `--tune` searches the parameters on validation rows or pairs
taken from the training data, never on what is to be found, and prints the choice.
"""

import argparse
import inspect
import sys
import tempfile

import numpy as np
from _report import environment, format_table, measure
from _transfer_methods import COLD, WARM, fitted
from _transfer_tasks import load_pairs, test_task, title, validation_tasks
from _transfer_tuned import TUNED
from joblib import Memory
from sklearn.model_selection import ParameterGrid

from sktransrec.metrics import rank_metrics

N_NEGATIVES = 999
# What others are compared with, the first that is there.
WITHOUT_SOURCE = ("ALS, target alone", "popularity")
METRICS = {"mrr": "MRR", "ndcg": "NDCG@10", "hit_rate": "HR@10"}


def tables(pair, methods, *, markdown):
    """Return the results of the methods against random unseen items, and against all."""
    task = test_task(pair)
    without = next((name for name in WITHOUT_SOURCE if name in methods), None)
    sampled, full = Table(task, without), Table(task, without)
    for name, method in methods.items():
        parameters = TUNED.get(title(pair), {}).get(name, {})
        model, cost = measure(method.fitted, task, parameters)
        sampled.add(name, method.ranks(model, task, N_NEGATIVES), cost)
        full.add(name, method.ranks(model, task, None), cost)
        print(name, parameters, cost, file=sys.stderr)
    header = [f"all: {metric}" for metric in METRICS.values()]
    header += [f"clean: {metric}" for metric in METRICS.values()]
    header += [f"over {without}", "fit CPU s"]
    return "\n\n".join(
        format_table([f"{title(pair)}, {what}", *header], table.rows(), markdown=markdown)
        for what, table in (
            (f"{N_NEGATIVES} random unseen items", sampled),
            ("all unseen items", full),
        )
    )


class Table:
    """The ranks of each method, as cells: those of all pairs, of clean ones, and a comparison."""

    def __init__(self, task, without):
        self._task = task
        self._without = without
        self._results = {}

    def add(self, name, pairs, cost):
        self._results[name] = pairs, _clean(self._task, *pairs), cost.cpu_seconds

    def rows(self):
        """Return the rows, each with NDCG@10 over the row without the source, pair by pair."""
        return [
            [name, *_cells(*pairs), *_cells(*clean), self._gain(*clean), cpu_seconds]
            for name, (pairs, clean, cpu_seconds) in self._results.items()
        ]

    def _gain(self, rows, items, ranks):
        """Return the difference and its standard error, which is clustered by row, in per cent."""
        if self._without is None:
            return None
        _, (_, _, ranks_without), _ = self._results[self._without]
        gains = 100 * (_ndcg(ranks) - _ndcg(ranks_without))
        by_row = np.bincount(np.unique(rows, return_inverse=True)[1], gains - gains.mean())
        error = np.sqrt(len(by_row) / (len(by_row) - 1) * (by_row**2).sum()) / len(gains)
        return f"{gains.mean():+.2f} ± {error:.2f}"


def _ndcg(ranks):
    """Return NDCG@10 of pairs."""
    return np.where(ranks <= 10, 1 / np.log2(1 + ranks), 0)


def tune(pair, methods):
    """Print the validation results of each method's grid, best first."""
    tasks = list(validation_tasks(pair))
    header = ["clean: NDCG@10", "all: NDCG@10"]
    with tempfile.TemporaryDirectory() as folder:
        # What learns from one domain is the same for many settings of what follows it.
        fit = Memory(folder, verbose=0).cache(fitted)
        for name, method in methods.items():
            if method.grid:
                results = [
                    [str(parameters), *_validation_cells(method, tasks, parameters, fit)]
                    for parameters in ParameterGrid(method.grid)
                ]
                results.sort(key=lambda row: float(row[1].split()[0]), reverse=True)
                heading = f"{title(pair)}, {name}, validation"
                print(format_table([heading, *header], results), end="\n\n", flush=True)


def _validation_cells(method, tasks, parameters, fit):
    """Return NDCG@10 of the clean pairs and of all pairs of the validation tasks."""
    clean_pairs, all_pairs = [], []
    for number, task in enumerate(tasks):
        pairs = method.ranks(method.fitted(task, parameters, fit), task, N_NEGATIVES)
        for collected, (rows, items, ranks) in (
            (clean_pairs, _clean(task, *pairs)),
            (all_pairs, pairs),
        ):
            collected.append((rows + number * task.y.shape[0], items, ranks))
    cells = [
        _cells(*map(np.concatenate, zip(*pairs, strict=True)))[1]
        for pairs in (clean_pairs, all_pairs)
    ]
    print(parameters, *cells, file=sys.stderr)
    return cells


def _cells(rows, items, ranks):
    """Return "mean ± standard error" of each metric, in per cent."""
    metrics = rank_metrics(ranks, rows=rows)
    return [f"{100 * mean:.2f} ± {100 * error:.2f}" for mean, error in map(metrics.get, METRICS)]


def _clean(task, rows, items, ranks):
    """Return the pairs that are not cross-listed."""
    is_clean = ~task.is_cross_listed.astype(bool)[rows, items]
    return rows[is_clean], items[is_clean], ranks[is_clean]


def main():
    parser = argparse.ArgumentParser(
        description=inspect.getdoc(sys.modules[__name__]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--data",
        choices=["game_video", "sport_cloth", "sport_phone", "generated"],
        default="sport_cloth",
    )
    parser.add_argument("--target", help="one direction only: the domain to recommend in")
    parser.add_argument("--methods", nargs="+", metavar="NAME", help="these rows only")
    parser.add_argument("--tune", action="store_true", help="search the parameters instead")
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()

    print(environment("sktransrec", "scikit-learn", "numpy", "scipy", "implicit"))
    print("Held-out pairs in per cent ± standard error over rows; ties averaged.\n")
    for pair in load_pairs(arguments.data):
        if arguments.target not in (None, pair.target.name):
            continue
        methods = WARM if "Y_held_out" in pair else COLD
        methods = {
            name: method
            for name, method in methods.items()
            if arguments.methods is None or name in arguments.methods
        }
        if arguments.tune:
            tune(pair, methods)
        else:
            print(tables(pair, methods, markdown=arguments.markdown), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
