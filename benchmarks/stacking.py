# SPDX-License-Identifier: BSD-3-Clause
"""Stacking against its members and against the vote, with few users and with bad members.

    python benchmarks/stacking.py --data movielens

prints NDCG@10 of all unseen items in per cent: of the best member, chosen by the very test, of the
vote, and of the stack. Of data with more, 6,000 random rows are used. A fifth of each test row is
to be found; the test rows, at most 2,000, are not learned from. Models learn from 1, 5, 20 and
100 % of the other rows. "over the best" is the difference of the stack to the best member, row by
row, with its standard error. The members are factors, neighbours and graph filter; then two of
shuffled items, which know nothing, are added, or popularity itself, three times.
"""

import sys

import numpy as np
import scipy.sparse as sp
from _record import Record, argument_parser, record_name
from _report import in_percent, mean_and_error, measure
from defaults import DATA, SOURCES, whole
from sklearn.frozen import FrozenEstimator

import sktransrec as str_
from sktransrec.base import InDomainRecommender
from sktransrec.datasets import load_amazon_pair, make_cross_domain
from sktransrec.interactions import holdout_random
from sktransrec.metrics import ndcg_at_k

K = 10
N_ROWS, N_TEST_ROWS = 6000, 2000
SHARES = (0.01, 0.05, 0.2, 1.0)
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


def comparison(name, parts_of_ensemble, X_train, X, y):
    """Return the line of a table."""
    fitted = [(part, FrozenEstimator(each.fit(X_train))) for part, each in parts_of_ensemble]
    of_members = {part: ndcg(each.estimator, X, y) for part, each in fitted}
    best = max(of_members, key=lambda part: np.nanmean(of_members[part]))
    vote = ndcg(str_.VotingRecommender(fitted).fit(X_train), X, y)
    stack = str_.StackingRecommender(parts_of_ensemble, random_state=0)
    stack, cost = measure(stack.fit, X_train)
    of_stack = ndcg(stack, X, y)
    print(name, best, stack.weights_.round(2), stack.popularity_weights_, file=sys.stderr)
    figures = (of_members[best], vote, of_stack, of_stack - of_members[best])
    cells = [in_percent(estimate) for estimate in map(mean_and_error, figures)]
    return [name, X_train.shape[0], best, *cells, cost.cpu_seconds]


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
    record = Record(record_name(NAME, arguments.data), __doc__, arguments, PACKAGES, data=data)
    columns = {"users, members": "", "rows": "", "best member": "", "its NDCG@10": ".2f"}
    columns |= {"vote": ".2f", "stack": ".2f", "over the best": "+.2f", "fit, CPU s": ".2f"}
    lines = [
        comparison(f"{share:.0%}{which}", these, X_train[: round(share * X_train.shape[0])], X, y)
        for share in SHARES
        for which, these in member_sets().items()
    ]
    record.add(f"NDCG@10 of all unseen items, {arguments.data}", columns, lines)
    record.save()


if __name__ == "__main__":
    main()
