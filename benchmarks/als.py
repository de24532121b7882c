# SPDX-License-Identifier: BSD-3-Clause
"""Alternating least squares by time to quality: CPU seconds until a fit is as good as a long one.

A part of the interactions is held out from the training rows. Each library makes a new fit for each
number of sweeps. The quality to reach is .995 times the Recall@20 of this package after the most
sweeps from a random start. The weights of interactions and the regularization are the same in all
libraries. A library that is not installed is left out.

    python benchmarks/als.py --record
    python benchmarks/als.py --data amazon_cds --sweeps 2 4 6 8 10 12 15
"""

from importlib.util import find_spec

import numpy as np
import scipy.sparse as sp
from _record import Record, argument_parser
from _report import measure

from sktransrec import ALSRecommender
from sktransrec._numerics._top_k import Preference, top_k
from sktransrec.datasets import (
    load_amazon_cds,
    load_amazon_pair,
    load_citeulike,
    load_movielens,
    load_sequences,
)
from sktransrec.interactions import InteractionEncoder, holdout_random
from sktransrec.metrics import recall_at_k

K = 20
SHARE = 0.995
REGULARIZATION = 0.02
OURS = "random start"


def load(name):
    """Return interactions, with a part of each row held out."""
    X = {
        "amazon_cds": lambda: load_amazon_cds().X,
        "citeulike": lambda: load_citeulike().interactions,
        "lastfm": lambda: load_sequences("lastfm").seen_test,
        "movielens": _movielens,
        "sport": lambda: load_amazon_pair("sport", "cloth").source.matrix,
    }[name]()
    return holdout_random(sp.csr_array(X, dtype=np.float32).sign(), random_state=0)


def _movielens():
    ratings = load_movielens().ratings
    return InteractionEncoder(user="user_id", item="movie_id").fit_transform(ratings)


def ours(init):
    def fitted(X, n_components, n_sweeps):
        model = ALSRecommender(
            n_components,
            regularization=REGULARIZATION,
            max_iter=n_sweeps,
            init=init,
            random_state=0,
        ).fit(X)
        return model.transform, model.item_factors_

    return fitted


def irspack(X, n_components, n_sweeps):
    from irspack import IALSRecommender

    # It gives missing interactions this weight where this package gives it to the others.
    missing_weight = X.sum() / (0.1 * X.shape[0] * X.shape[1])
    model = IALSRecommender(
        sp.csr_matrix(X),
        n_components=n_components,
        alpha0=float(missing_weight),
        reg=REGULARIZATION,
        train_epochs=n_sweeps,
        n_threads=1,
    ).learn()
    return lambda rows: model.compute_user_embedding(
        sp.csr_matrix(rows)
    ), model.get_item_embedding()


def libraries():
    found = {OURS: ours("random"), "start from singular vectors": ours("svd")}
    return found | ({"irspack": irspack} if find_spec("irspack") else {})


def recall(factors, X, wanted, rows):
    """Return the Recall@20 of some rows."""
    to_row_factors, V = factors
    preference = Preference.by_popularity(X.sum(axis=0))
    of_blocks = []
    for block in np.array_split(rows, max(1, len(rows) // 500)):
        scores = to_row_factors(X[block]) @ V.T
        scores[X[block].nonzero()] = -np.inf
        items, _ = top_k(scores, K, preference)
        of_blocks.append(recall_at_k(wanted[block], items, k=K, per_row=True))
    return float(np.nanmean(np.concatenate(of_blocks)))


def first_reaching(costs, recalls, quality):
    """Return the number of sweeps that reaches the quality first, and its CPU seconds."""
    reaching = [n for n, value in recalls.items() if value >= quality]
    return (min(reaching), costs[min(reaching)]) if reaching else (None, None)


def lines_of(X, wanted, options):
    """Return the lines of the table of a data set."""
    rows = np.random.default_rng(0).permutation(X.shape[0])[: options.n_judged]
    runs = {}
    for name, fit in libraries().items():
        costs, recalls = {}, {}
        for n_sweeps in sorted(options.sweeps):
            factors, cost = measure(fit, X, options.n_components, n_sweeps)
            costs[n_sweeps] = cost.cpu_seconds
            recalls[n_sweeps] = recall(factors, X, wanted, rows)
        runs[name] = costs, recalls
    most = max(options.sweeps)
    quality = SHARE * runs[OURS][1][most]
    return [
        [name, *first_reaching(costs, recalls, quality), costs[most], 100 * recalls[most]]
        for name, (costs, recalls) in runs.items()
    ]


def main():
    options = _options()
    packages = ("sktransrec", "numpy", "scipy", "implicit")
    peers = ["irspack"] if find_spec("irspack") else []
    parameters = {"ALS": {"regularization": REGULARIZATION}}
    record = Record("als", __doc__, options, (*packages, *peers), seeds=[0], parameters=parameters)
    most = max(options.sweeps)
    columns = {
        "": "",
        "sweeps to the quality": ".0f",
        "CPU s to the quality": ".2f",
        f"CPU s of {most} sweeps": ".2f",
        f"Recall@{K} of {most} sweeps, %": ".2f",
    }
    for name in options.data:
        X, wanted = load(name)
        title = f"{name}: {X.shape[0]} x {X.shape[1]}, {X.nnz} interactions"
        record.add(title, columns, lines_of(X, wanted, options))
    record.save()


def _options():
    data = ["movielens", "lastfm", "citeulike", "sport", "amazon_cds"]
    parser = argument_parser(__doc__)
    parser.add_argument("--data", nargs="+", choices=data, default=data)
    parser.add_argument("--n-components", type=int, default=64)
    parser.add_argument("--n-judged", type=int, default=1500, help="rows that the recall is of")
    parser.add_argument("--sweeps", type=int, nargs="+", default=[1, 2, 3, 5, 8, 15])
    return parser.parse_args()


if __name__ == "__main__":
    main()
