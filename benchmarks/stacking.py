# SPDX-License-Identifier: BSD-3-Clause
"""Stacking against its members and against the vote, with few users and with bad members.

    python benchmarks/stacking.py --data movielens

prints NDCG@10 of all unseen items in per cent: of the best member, chosen by the very test, of the
vote, and of the stack. Of data with more, 6,000 random rows are used. A fifth of each test row is
to be found; the test rows, at most 2,000, are not learned from. Models learn from 1, 5, 20 and
100 % of the other rows, from 1 and 5 % in five random draws. "over the best" is the difference of
the stack to the best member, row by row, with its standard error, to which the draws contribute.
The members are factors, neighbours and graph filter; then two of shuffled items, which know
nothing, are added, or popularity itself, three times.
"""

import sys

import numpy as np
import scipy.sparse as sp
from _record import Record, argument_parser, record_name
from _report import Estimate, in_percent, mean_and_error, measure
from defaults import DATA, SOURCES, whole
from sklearn.frozen import FrozenEstimator

import sktransrec as str_
from sktransrec.base import InDomainRecommender
from sktransrec.datasets import load_amazon_pair, make_cross_domain
from sktransrec.interactions import holdout_random
from sktransrec.metrics import ndcg_at_k

K = 10
N_ROWS, N_TEST_ROWS = 6000, 2000
# The number of draws of each share of the rows.
SHARES = {0.01: 5, 0.05: 5, 0.2: 1, 1.0: 1}
NAME = "stacking"
PACKAGES = ("sktransrec", "scikit-learn", "numpy", "scipy", "implicit")


class Shuffled(InDomainRecommender):
    """Neighbours whose scores go to other items."""

    def __init__(self, seed=0):
        self.seed = seed

    def _fit(self, X):
        self._model = str_.ItemKNNRecommender().fit(X)
        self._order = np.random.RandomState(self.seed).permutation(X.shape[1])

    def _score_rows(self, X):
        return self._model.decision_function(X)[:, self._order]


def members():
    return [
        ("als", str_.ALSRecommender(64, random_state=0)),
        ("knn", str_.ItemKNNRecommender()),
        ("filter", str_.GraphFilterRecommender(64, random_state=0)),
    ]


def member_sets():
    """Return the members of each comparison by its name."""
    return {
        "": members(),
        ", with two shuffled": [*members(), ("one", Shuffled(1)), ("two", Shuffled(2))],
        ", with popularity": [
            *members(),
            *((f"popularity {copy}", str_.PopularityRecommender()) for copy in range(3)),
        ],
    }


def stack_of(parts_of_ensemble):
    return str_.StackingRecommender(parts_of_ensemble, random_state=0)


def load(name):
    """Return the interactions."""
    if name == "generated":
        return make_cross_domain(400, 100, 80, source_density=0.1, random_state=0).source.matrix
    if name in ("sport", "cloth", "phone"):
        return load_amazon_pair(SOURCES[name], name).target.matrix
    return whole(name)


def parts(X):
    """Return the rows to learn from in random order, and known and wanted items of the others."""
    order = np.random.RandomState(0).permutation(X.shape[0])[:N_ROWS]
    n_test = min(N_TEST_ROWS, len(order) // 3)
    return X[order[n_test:]], *holdout_random(X[order[:n_test]], random_state=0)


def ndcg(model, X, y):
    """Return NDCG@10 of each test row that has something to find."""
    items, _ = model.recommend(X, n_recommendations=K)
    return ndcg_at_k(y, items, k=K, per_row=True)


def drawn(X, share, n_draws):
    """Return so many draws of a share of the rows; the first has the first rows."""
    n_rows = round(share * X.shape[0])
    orders = [np.random.RandomState(seed).permutation(X.shape[0]) for seed in range(1, n_draws)]
    return [X[order[:n_rows]] for order in [np.arange(X.shape[0]), *orders]]


def comparison(name, parts_of_ensemble, draws, X, y):
    """Return the line of a table."""
    measured = [measured_on(X_train, parts_of_ensemble, X, y) for X_train in draws]
    found, costs = zip(*measured, strict=True)
    of_methods = {method: np.stack([each[method] for each in found]) for method in found[0]}
    vote, stack = (of_methods.pop(method) for method in ("vote", "stack"))
    best = max(of_methods, key=lambda part: np.nanmean(of_methods[part]))
    figures = (of_methods[best], vote, stack, stack - of_methods[best])
    cells = [in_percent(estimate) for estimate in map(mean_over_draws, figures)]
    return [name, draws[0].shape[0], best, *cells, np.mean(costs)]


def measured_on(X_train, parts_of_ensemble, X, y):
    """Return NDCG of the members, the vote and the stack, and the seconds to fit the stack."""
    fitted = [(part, FrozenEstimator(each.fit(X_train))) for part, each in parts_of_ensemble]
    found = {part: ndcg(each.estimator, X, y) for part, each in fitted}
    found["vote"] = ndcg(str_.VotingRecommender(fitted).fit(X_train), X, y)
    stack, cost = measure(stack_of(parts_of_ensemble).fit, X_train)
    found["stack"] = ndcg(stack, X, y)
    print(found.keys(), stack.weights_.round(2), stack.popularity_weights_, file=sys.stderr)
    return found, cost.cpu_seconds


def mean_over_draws(figures):
    """Return the mean over draws and rows; draws and rows both contribute to its error."""
    value, error = mean_and_error(figures.mean(axis=0))
    if len(figures) == 1:
        return Estimate(value, error)
    of_draws = np.nanmean(figures, axis=1)
    return Estimate(value, np.hypot(error, of_draws.std(ddof=1) / np.sqrt(len(of_draws))))


def main():
    parser = argument_parser(__doc__)
    parser.add_argument(
        "--data",
        choices=[name for name in DATA if name != "amazon_cds"],
        default="movielens",
    )
    arguments = parser.parse_args()
    X_train, X, y = parts(sp.csr_array((load(arguments.data) > 0).astype(np.float32)))
    data = f"{X_train.shape[0]} rows to learn from, {X.shape[0]} test rows, {X.shape[1]} items"
    record = Record(
        record_name(NAME, arguments.data),
        __doc__,
        arguments,
        PACKAGES,
        seeds=range(max(SHARES.values())),
        parameters={f"stack{which}": stack_of(these) for which, these in member_sets().items()},
        data=data,
    )
    columns = {"users, members": "", "rows": "", "best member": "", "its NDCG@10": ".2f"}
    columns |= {"vote": ".2f", "stack": ".2f", "over the best": "+.2f", "fit, CPU s": ".2f"}
    lines = [
        comparison(f"{share:.0%}{which}", these, drawn(X_train, share, n_draws), X, y)
        for share, n_draws in SHARES.items()
        for which, these in member_sets().items()
    ]
    record.add(f"NDCG@10 of all unseen items, {arguments.data}", columns, lines)
    record.save()


if __name__ == "__main__":
    main()
