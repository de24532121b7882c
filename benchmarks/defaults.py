"""What defaults lose: parameters that are "auto" beside parameters that were searched.

    python benchmarks/defaults.py --data movielens citeulike --record

ranks all unseen items and prints the NDCG@20 of a model with its default parameters, with those of
a search, and with the fixed defaults that it had before "auto", beside popularity, and the CPU
seconds of `fit`. *Default over tuned* is a ratio, with the standard error of the difference of the
two over the same rows.

The test items of `amazon_cds`, `sport`, `cloth` and `phone` are those of their files. Elsewhere, a
fifth of the interactions of each row is held out (seed 0). A search tries all combinations of its
grid on a fifth of the interactions of each row of the training data (seed 1), ranks for up to
2,000 rows, and fits the best one to all training data. "auto" sees the training data only, as part
of `fit`. Figures are means over up to 4,000 rows, the same for all models of a data set.
"""

import csv
import sys
from itertools import product

import numpy as np
import scipy.sparse as sp
from _record import Record, argument_parser, record_name
from _report import Estimate, mean_and_error, measure
from sklearn.base import clone
from sklearn.utils.random import sample_without_replacement

import sktransrec as str_
from sktransrec.datasets import (
    get_data_home,
    load_amazon_cds,
    load_amazon_pair,
    load_citeulike,
    load_movielens,
    make_cross_domain,
)
from sktransrec.interactions import InteractionEncoder, holdout_random
from sktransrec.metrics import ndcg_at_k

K = 20
N_TUNING_ROWS, N_TEST_ROWS = 2000, 4000
PACKAGES = ("sktransrec", "scikit-learn", "numpy", "scipy", "implicit")

# The default, the fixed defaults before "auto", and what a search tries.
MODELS = {
    "item kNN": (
        str_.ItemKNNRecommender(),
        {"weighting": "tfidf", "shrinkage": 10.0, "popularity_exponent": 0.0},
        {
            "weighting": ["tfidf", "bm25"],
            "shrinkage": [0, 10, 100],
            "popularity_exponent": [0, 0.25, 0.5, 0.75, 1],
        },
    ),
    "graph filter": (
        str_.GraphFilterRecommender(random_state=0),
        {"n_components": 256, "low_pass_weight": 0.1, "row_exponent": 0.2, "item_exponent": 0.3},
        {
            "low_pass_weight": [0.03, 0.1, 0.3, 1, 3],
            "row_exponent": [0.2, 0.5],
            "item_exponent": [0.15, 0.3, 0.5],
        },
    ),
    "EASE": (
        str_.EASERecommender(),
        {"regularization": 100.0, "item_exponent": 0.0},
        {"regularization": [15.0, 60.0, 240.0], "item_exponent": [0.0, 0.25, 0.5]},
    ),
    "ALS": (
        str_.ALSRecommender(random_state=0),
        {"n_components": 64, "regularization": 0.02},
        {"regularization": [0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12]},
    ),
}
MARKETS = ("ca", "uk", "de", "mx", "in")


def from_log(users, items):
    """Return the matrix of a log, in which a pair may stand more than once."""
    return InteractionEncoder().fit_transform({"user": users, "item": items})


def from_histories(path):
    """Return the matrix of a file of lines "user item item ..."."""
    lines = [line.split() for line in path.read_text().splitlines()]
    pairs = [(user, item) for user, *items in lines for item in items]
    return from_log(*zip(*pairs, strict=True))


def from_table(path):
    """Return the matrix of a file of tab-separated lines with the columns user and item."""
    with path.open() as file:
        pairs = [(row["user"], row["item"]) for row in csv.DictReader(file, delimiter="\t")]
    return from_log(*zip(*pairs, strict=True))


def ones(X):
    """Return the pattern of X."""
    return sp.csr_array((np.ones_like(X.data), X.indices, X.indptr), shape=X.shape)


def load(name):
    """Return the training interactions, and those to find."""
    sources = {"sport": "cloth", "cloth": "sport", "phone": "sport"}
    if name == "amazon_cds":
        cds = load_amazon_cds()
        return cds.X, cds.y
    if name in sources:
        pair = load_amazon_pair(sources[name], name)
        return pair.Y_target, pair.Y_held_out
    return holdout_random(_whole(name), random_state=0)


def _whole(name):
    """Return all interactions of data that have no test file."""
    if name == "movielens":
        ratings = load_movielens().ratings
        return ones(from_log(ratings.user_id, ratings.movie_id))
    if name == "citeulike":
        return load_citeulike().interactions
    if name in ("game", "video"):
        return load_amazon_pair({"game": "video", "video": "game"}[name], name).target.matrix
    content = get_data_home() / "content"
    if name in ("arts", "office"):
        return ones(from_histories(content / "arts_office" / name / "histories.txt"))
    if name in MARKETS:
        return ones(from_table(content / "markets" / f"{name}.tsv"))
    return make_cross_domain(1000, 400, source_density=0.03, random_state=0).source.matrix


DATA = ["movielens", "citeulike", "arts", "office", *MARKETS]
DATA += ["phone", "sport", "cloth", "game", "video", "amazon_cds", "generated"]


def sampled_rows(y, n_rows):
    """Return some of the rows that have something to find, in order."""
    rows = np.flatnonzero(np.diff(y.indptr))
    n_rows = min(n_rows, len(rows))
    return rows[np.sort(sample_without_replacement(len(rows), n_rows, random_state=0))]


def ndcg(model, X, y, rows):
    """Return the NDCG of each of the rows."""
    items, _ = model.recommend(X[rows], n_recommendations=K)
    return ndcg_at_k(y[rows], items, k=K, per_row=True)


def tuned(model, grid, X):
    """Return the unfitted model with the best values of a grid."""
    X_kept, y = holdout_random(X, random_state=1)
    rows = sampled_rows(y, N_TUNING_ROWS)
    best_ndcg, best_model = -np.inf, None
    for values in product(*grid.values()):
        candidate = clone(model).set_params(**dict(zip(grid, values, strict=True)))
        value = ndcg(candidate.fit(X_kept), X_kept, y, rows).mean()
        if value > best_ndcg:
            best_ndcg, best_model = value, candidate
    return clone(best_model)


def lines(X, y, names, record, data):
    """Yield the line of each model."""
    rows = sampled_rows(y, N_TEST_ROWS)
    popularity = mean_and_error(ndcg(str_.PopularityRecommender().fit(X), X, y, rows))
    for name in names:
        default, before, grid = MODELS[name]
        of_search = tuned(default, grid, X)
        record.parameters[f"{data}: {name}, tuned"] = of_search
        models = [default, of_search, clone(default).set_params(**before)]
        fitted, costs = zip(*(measure(clone(model).fit, X) for model in models), strict=True)
        record.parameters[f"{data}: {name}, auto"] = chosen_by_auto(fitted[0])
        of_default, of_tuned, of_old = (ndcg(model, X, y, rows) for model in fitted)
        ratio = of_default.mean() / of_tuned.mean()
        error = mean_and_error(of_default - of_tuned).error / of_tuned.mean()
        print(data, name, round(ratio, 3), file=sys.stderr)
        yield [
            name,
            mean_and_error(of_default),
            mean_and_error(of_tuned),
            Estimate(ratio, error),
            mean_and_error(of_old),
            popularity,
            costs[0].cpu_seconds,
            costs[1].cpu_seconds,
        ]


def chosen_by_auto(model):
    """Return the values that "auto" has come to."""
    parameters = model.get_params(deep=False)
    names = [name for name, value in parameters.items() if value == "auto"]
    return {name: getattr(model, f"{name}_") for name in names}


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--data", nargs="+", choices=DATA, metavar="NAME", default=["generated"])
    parser.add_argument("--models", nargs="+", choices=MODELS, metavar="NAME")
    arguments = parser.parse_args()
    names = arguments.models or list(MODELS)
    parts = arguments.data[:1] if len(arguments.data) == 1 else ()
    record = Record(
        record_name("defaults", *parts, *(arguments.models or ())), __doc__, arguments, PACKAGES
    )
    columns = {"model": "", "default": ".4f", "tuned": ".4f", "default over tuned": ".3f"}
    columns |= {"old default": ".4f", "popularity": ".4f"}
    columns |= {"fit, CPU s": ".2f", "fit of tuned, CPU s": ".2f"}
    for data in arguments.data:
        X, y = load(data)
        record.add(f"NDCG@{K}, {data}", columns, lines(X, y, names, record, data))
        # The search takes long, so what is known is kept.
        record.save()


if __name__ == "__main__":
    main()
