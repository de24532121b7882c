"""What recommenders do for popular and for rare items, and how much of their score is popularity.

    python benchmarks/imbalance.py --data movielens

ranks held-out pairs among all unseen items and prints NDCG@10 in per cent with standard errors
over rows: of all pairs; of those with items of the head, the middle and the tail (thirds of the
interactions); weighted by inverse propensity; and against 99 negatives drawn by popularity. The
last two are debiased: where popularity is all that counts, they are those of random scores.
`--buckets` prints the whole report of the models named, by the activity of rows as well, and
`--tune` the validation results that the parameters were chosen by, on training interactions only.
"""

import argparse
import inspect
import sys

import numpy as np
from _report import environment, format_table
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import make_pipeline

import sktransrec as str_
from sktransrec.base import InDomainRecommender
from sktransrec.datasets import load_amazon_pair, load_movielens, make_cross_domain
from sktransrec.interactions import InteractionEncoder, holdout_random
from sktransrec.metrics import (
    choice_odds,
    held_out_ranks,
    inverse_propensity_weights,
    metrics_by_bucket,
    rank_metrics,
)

N_NEGATIVES = 99


class RandomScores(InDomainRecommender):
    """Scores that say nothing: chance."""

    def _fit(self, X):
        pass

    def _score_rows(self, X):
        rng = np.random.default_rng(X.indices.sum())
        return rng.random((X.shape[0], X.shape[1]), dtype=np.float32)


# ALS and EASE stand at the best NDCG@10 of all pairs by `--tune`.
MODELS = {
    "movielens": {
        "ALS": str_.ALSRecommender(128, regularization=0.02, random_state=0),
        "EASE": str_.EASERecommender(500),
    },
    "phone": {
        "ALS": str_.ALSRecommender(128, regularization=0.05, random_state=0),
        "EASE": str_.EASERecommender(100, solver="dual"),
    },
}
# By `--tune`, the largest discount whose NDCG@10 of all pairs is within a standard error of that of
# none, and the best one against negatives drawn by popularity, where that is another.
DISCOUNTS = {
    "movielens": {"ALS": (0.5, 1), "EASE": (0.5, 0.7)},
    "phone": {"ALS": (0.3, 1), "EASE": (0.7, 0.3)},
}
MODELS["generated"], DISCOUNTS["generated"] = MODELS["movielens"], DISCOUNTS["movielens"]

GRIDS = {
    "ALS": {"n_components": [64, 128], "regularization": [0.01, 0.02, 0.05, 0.1]},
    "EASE": {"regularization": [20, 50, 100, 200, 500, 1000]},
}
DISCOUNT_GRID = {"discount": [0, 0.1, 0.2, 0.3, 0.5, 0.7, 1]}


def load(name):
    """Return the training interactions and those to find."""
    if name == "movielens":
        ratings = load_movielens().ratings
        events = {"user": ratings.user_id, "item": ratings.movie_id}
        return holdout_random(InteractionEncoder().fit_transform(events), 0.2, random_state=0)
    if name == "phone":
        pair = load_amazon_pair("sport", "phone")
        return pair.Y_target, pair.Y_held_out
    domains = make_cross_domain(1000, 300, source_density=0.05, random_state=0)
    return holdout_random(domains.source.matrix, random_state=0)


def models(data):
    """Return the models of the table by name."""
    rows = {"random": RandomScores(), "popularity": str_.PopularityRecommender()}
    for name, model in MODELS[data].items():
        rows[name] = model
        for discount in DISCOUNTS[data][name]:
            discounted = str_.DiscountedRecommender(model, discount=discount)
            rows[f"{name}, discount {discount}"] = discounted
    rows["ALS, weighted interactions"] = make_pipeline(str_.PopularityScaler(), MODELS[data]["ALS"])
    return rows


def judged(model, X, y):
    """Return the bucket report of a fitted model, and NDCG of all pairs, weighted, and matched."""
    rows, items, ranks = held_out_ranks(model, X, y)
    n_rows_with = np.bincount(X.indices, minlength=X.shape[1])
    odds = choice_odds(n_rows_with / X.shape[0], np.diff(X.indptr))
    weights = inverse_propensity_weights(odds)[items]
    negatives = {"n_negatives": N_NEGATIVES, "negative_exponent": 1, "popularity": odds}
    _, _, matched = held_out_ranks(model, X, y, **negatives, random_state=0)
    report = metrics_by_bucket(
        rows, items, ranks, popularity=n_rows_with, activity=np.diff(X.indptr)
    )
    return report, [
        rank_metrics(ranks, rows=rows)["ndcg"],
        rank_metrics(ranks, rows=rows, weights=weights)["ndcg"],
        rank_metrics(matched, rows=rows)["ndcg"],
    ]


def quality_table(data, names, X, y, *, buckets, markdown):
    header = ["NDCG@10 in %", "all", "head", "middle", "tail", "weighted", "matched"]
    table = []
    for name, model in models(data).items():
        if name not in names:
            continue
        report, (overall, weighted, matched) = judged(clone(model).fit(X), X, y)
        by_popularity = [(part.ndcg, part.ndcg_error) for part in report.buckets[:3]]
        table.append([name, *map(_in_percent, [overall, *by_popularity, weighted, matched])])
        print(*table[-1], sep="  ", file=sys.stderr)
        if buckets:
            print(f"{name}\n{report}\n")
    return format_table(header, table, markdown=markdown)


def _in_percent(mean_and_error):
    mean, error = mean_and_error
    return f"{100 * mean:.2f} ± {100 * error:.2f}"


def tune(name, model, X):
    """Print validation results of the parameters of a model and then of its discounts."""
    X_kept, y = holdout_random(X, 0.2, random_state=1)
    print_grid(name, model, GRIDS[name], X_kept, y)
    fitted = FrozenEstimator(clone(model).fit(X_kept))
    discounted = str_.DiscountedRecommender(fitted)
    print_grid(f"{name}, discounted", discounted, DISCOUNT_GRID, X_kept, y)


def print_grid(name, model, grid, X, y):
    """Print NDCG@10 of all pairs in y and debiased for each point of a grid."""
    results = []
    for parameters in ParameterGrid(grid):
        _, scores = judged(clone(model).set_params(**parameters).fit(X), X, y)
        results.append([str(parameters), *map(_in_percent, scores)])
        print(*results[-1], file=sys.stderr)
    header = [f"{name}, validation", "all", "weighted", "matched"]
    print(format_table(header, results), end="\n\n")


def main():
    parser = argparse.ArgumentParser(
        description=inspect.getdoc(sys.modules[__name__]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", choices=list(MODELS), default="movielens")
    parser.add_argument("--models", nargs="+", metavar="NAME")
    parser.add_argument("--buckets", action="store_true", help="print the reports by bucket")
    parser.add_argument("--tune", action="store_true", help="search the parameters instead")
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()

    X, y = load(arguments.data)
    print(environment("sktransrec", "scikit-learn", "numpy", "scipy", "implicit"))
    print(f"{arguments.data}: {X.shape[0]} rows, {X.shape[1]} items, {X.nnz} interactions to learn")
    print(f"from and {y.nnz} to find.\n")
    names = arguments.models or list(models(arguments.data))
    if arguments.tune:
        for name, model in MODELS[arguments.data].items():
            if name in names:
                tune(name, model, X)
        return
    print(
        quality_table(
            arguments.data, names, X, y, buckets=arguments.buckets, markdown=arguments.markdown
        )
    )


if __name__ == "__main__":
    main()
