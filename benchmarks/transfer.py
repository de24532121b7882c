# SPDX-License-Identifier: BSD-3-Clause
"""Transfer between two domains: each method beside popularity and beside the target alone.

    python benchmarks/transfer.py --data sport_cloth

prints, for each of the two directions, MRR, NDCG@10 and the hit rate at 10 of every held-out pair
with standard errors over rows, in per cent: against 999 random unseen items, and against all
unseen items. "clean" leaves out the pairs whose product is cross-listed, that is, stands in the
row's source history under another id. "over" a method without the source is the difference of
NDCG@10 to it, clean pairs one by one.

With `--data arts_office`, all that a random fifth of the people has in the target is to be found,
and nothing is searched. Elsewhere, `--tune` searches the parameters by NDCG@10 of the clean
validation pairs, which are taken from the training data, never from what is to be found; they are
read from its record, and a method without a search there is refused. `--fixed` searches nothing.

What is not searched has its default, which a fit often chooses from the training data. Networks and
codebooks train for a shorter time than by default; networks have other sizes and rates as well,
none from a search.
"""

import sys
import tempfile

import numpy as np
from _record import Record, SearchRecord, argument_parser, chosen, record_name
from _report import Estimate, in_percent, measure
from _transfer_methods import COLD, SEEDS, WARM, WITH_TEXTS, fitted
from _transfer_tasks import FOLDS, load_pairs, test_task, title, validation_tasks
from joblib import Memory

from sktransrec.metrics import rank_metrics

N_NEGATIVES = 999
# What others are compared with, the first that is there.
WITHOUT_SOURCE = ("stack, target alone", "ALS, target alone", "popularity")
METRICS = {"reciprocal_rank": "MRR", "ndcg": "NDCG@10", "hit_rate": "HR@10"}


NAME = "transfer"
PACKAGES = ("sktransrec", "scikit-learn", "numpy", "scipy", "implicit")


def add_tables(record, pair, methods, parameters):
    """Add the figures of the methods against random unseen items, and against all."""
    task = test_task(pair)
    record.parameters[title(pair)] = {
        name: method.unfitted(task, parameters[name]) for name, method in methods.items()
    }
    without = next((name for name in WITHOUT_SOURCE if name in methods), None)
    sampled, full = Table(task, without), Table(task, without)
    for name, method in methods.items():
        model, cost = measure(method.fitted, task, parameters[name])
        sampled.add(name, method.ranks(model, task, N_NEGATIVES), cost)
        full.add(name, method.ranks(model, task, None), cost)
        print(name, parameters[name], cost, file=sys.stderr)
    figures = [f"{pairs}: {metric}" for pairs in ("all", "clean") for metric in METRICS.values()]
    columns = {"method": "", **dict.fromkeys(figures, ".2f")}
    columns |= {f"over {without}": "+.2f", "fit, CPU s": ".2f"}
    for what, table in (
        (f"{N_NEGATIVES} random unseen items", sampled),
        ("all unseen items", full),
    ):
        record.add(f"{title(pair)}, {what}", columns, table.lines())


class Table:
    """The ranks of each method, as cells: those of all pairs, of clean ones, and a comparison."""

    def __init__(self, task, without):
        self._task = task
        self._without = without
        self._results = {}

    def add(self, name, pairs, cost):
        self._results[name] = pairs, _clean(self._task, *pairs), cost.cpu_seconds

    def lines(self):
        """Return the lines, each with NDCG@10 over the method without the source, pair by pair."""
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
        return Estimate(gains.mean(), error)


def _ndcg(ranks):
    """Return NDCG@10 of pairs."""
    return np.where(ranks <= 10, 1 / np.log2(1 + ranks), 0)


def tune(record, pair, methods):
    """Search the parameters of each method."""
    tasks = list(validation_tasks(pair))
    with tempfile.TemporaryDirectory() as folder:
        # What learns from one domain is the same for many settings of what follows it.
        fit = Memory(folder, verbose=0).cache(fitted)
        for name, method in methods.items():
            if method.grid:
                taken = method.taken(lambda other: record.choice(f"{title(pair)}: {other}"))

                def evaluate(parameters, method=method, taken=taken):
                    return _validation_figures(method, tasks, taken | parameters, fit)

                record.search(f"{title(pair)}: {name}", evaluate, method.grid, bounds=method.bounds)


def parameters_of(name, method, pair, data):
    """Return the parameters that the search of a method and those it takes over have chosen."""
    if data == "generated":
        return {}

    def choice(other):
        return chosen(record_name(NAME, data), f"{title(pair)}: {other}")

    return method.taken(choice) | (choice(name) if method.grid else {})


def _validation_figures(method, tasks, parameters, fit):
    """Return NDCG@10 of the clean pairs and of all pairs of the validation tasks."""
    collected = {"clean": [], "all": []}
    for number, task in enumerate(tasks):
        pairs = method.ranks(method.fitted(task, parameters, fit), task, N_NEGATIVES)
        for which, (rows, items, ranks) in (("clean", _clean(task, *pairs)), ("all", pairs)):
            collected[which].append((rows + number * task.y.shape[0], items, ranks))
    figures = {
        which: _cells(*map(np.concatenate, zip(*pairs, strict=True)))[1]
        for which, pairs in collected.items()
    }
    print(parameters, figures, file=sys.stderr)
    return figures


def _cells(rows, items, ranks):
    """Return each metric and its error, in per cent."""
    metrics = rank_metrics(ranks, rows=rows)
    return [in_percent(metrics[name]) for name in METRICS]


def _clean(task, rows, items, ranks):
    """Return the pairs that are not cross-listed."""
    is_clean = ~task.is_cross_listed.astype(bool)[rows, items]
    return rows[is_clean], items[is_clean], ranks[is_clean]


def main():
    parser = argument_parser(__doc__)
    parser.add_argument(
        "--data",
        choices=["arts_office", "game_video", "sport_cloth", "sport_phone", "generated"],
        default="sport_cloth",
    )
    parser.add_argument("--target", help="one direction only: the domain to recommend in")
    parser.add_argument("--methods", nargs="+", metavar="NAME", help="these methods only")
    parser.add_argument("--called", metavar="NAME", help="what the record calls these methods")
    parser.add_argument("--tune", action="store_true", help="search the parameters instead")
    parser.add_argument("--fixed", action="store_true", help="take no parameters from a search")
    arguments = parser.parse_args()
    data = arguments.data
    name = record_name(NAME, data)
    if arguments.tune:
        record = SearchRecord(name, arguments, PACKAGES, folds=FOLDS)
    else:
        record = Record(
            record_name(
                name,
                arguments.target or "",
                "fixed" if arguments.fixed else "",
                arguments.called or " ".join(arguments.methods or ()),
            ),
            __doc__,
            arguments,
            PACKAGES,
            seeds=SEEDS,
            parameters={},
        )
    for pair in load_pairs(data):
        if arguments.target not in (None, pair.target.name):
            continue
        methods = WARM if "Y_held_out" in pair else WITH_TEXTS if "texts" in pair else COLD
        methods = {
            name: method
            for name, method in methods.items()
            if arguments.methods is None or name in arguments.methods
        }
        if arguments.tune:
            tune(record, pair, methods)
        else:
            parameters = {
                name: {} if arguments.fixed else parameters_of(name, method, pair, data)
                for name, method in methods.items()
            }
            add_tables(record, pair, methods, parameters)
    if not arguments.tune:
        record.save()


if __name__ == "__main__":
    main()
