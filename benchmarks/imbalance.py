# SPDX-License-Identifier: BSD-3-Clause
"""How well recommenders serve popular and rare items, and how much of their score is popularity.

    python benchmarks/imbalance.py --data movielens

It ranks held-out pairs of a row and an item among all unseen items, and prints NDCG@10 in per cent
with standard errors over rows:

- of all pairs;
- of the pairs with items of the head, the middle and the tail, each a third of the interactions;
- weighted by inverse propensity;
- against 99 negatives drawn by popularity.

The last two are debiased: a model that knows popularity alone gets the figure of random scores.
`--buckets` prints the whole report of the named models, also by the activity of rows. `--tune`
searches the parameters on training interactions only, by NDCG@10 of all pairs, and writes a record;
other runs read that record. There are two discounts: the largest one that costs less than a
standard error of all pairs, and the one that is best against negatives drawn by popularity.
"""

import sys
from functools import cache, partial

import numpy as np
from _record import Record, SearchRecord, argument_parser, chosen, record_name
from _report import Estimate, in_percent
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
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


NAME = "imbalance"
PACKAGES = ("sktransrec", "scikit-learn", "numpy", "scipy", "implicit")
DATA = ("movielens", "phone", "generated")
MODELS = {
    "ALS": str_.ALSRecommender(128, random_state=0),
    "EASE": str_.EASERecommender(item_exponent=0),
}
GRIDS = {
    "ALS": {"regularization": [0.01, 0.02, 0.05, 0.1]},
    "EASE": {"regularization": [50, 100, 200, 500, 1000]},
}
DISCOUNT_GRID = {"discount": [0, 0.1, 0.2, 0.3, 0.5, 0.7, 1]}
DISCOUNT_BOUNDS = {"discount": {0: "no discount", 1: "popularity taken out of the score whole"}}
COSTLESS, MATCHED = "the largest discount that costs nothing", "the best discount, matched"


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
    lines = {"random": RandomScores(), "popularity": str_.PopularityRecommender()}
    for name in MODELS:
        lines[name] = model = tuned(name, data)
        for discount in discounts(name, data):
            discounted = str_.DiscountedRecommender(model, discount=discount)
            lines[f"{name}, discount {discount:g}"] = discounted
    scaled = make_pipeline(str_.PopularityScaler(), tuned("ALS", data))
    return lines | {"ALS, weighted interactions": scaled}


def tuned(name, data):
    """Return an unfitted model with the parameters that its search chose."""
    if data == "generated":
        return MODELS[name]
    return clone(MODELS[name]).set_params(**chosen(record_name(NAME, data), name))


def discounts(name, data):
    """Return the discounts that were chosen, from one or the other point of view."""
    if data == "generated":
        return [0.5, 1]
    choices = [chosen(record_name(NAME, data), f"{name}: {what}") for what in (COSTLESS, MATCHED)]
    return sorted({choice["discount"] for choice in choices})


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


def quality(names, X, y, *, buckets):
    """Yield the lines of the table."""
    for name, model in names.items():
        report, scores = judged(clone(model).fit(X), X, y)
        by_popularity = [(part.ndcg, part.ndcg_error) for part in report.buckets[:3]]
        yield [name, *map(in_percent, [scores[0], *by_popularity, *scores[1:]])]
        print(name, file=sys.stderr)
        if buckets:
            print(f"{name}\n{report}\n")


def tune(data, names, X, arguments):
    """Search the parameters of models, and then their discounts."""
    X_kept, y = holdout_random(X, 0.2, random_state=1)
    folds = "a fifth of each row's training interactions held out (seed 1)"
    record = SearchRecord(record_name(NAME, data), arguments, PACKAGES, folds=folds)

    def scores(model, parameters):
        _, values = judged(clone(model).set_params(**parameters).fit(X_kept), X_kept, y)
        print(parameters, values, file=sys.stderr)
        return {
            name: Estimate(*value)
            for name, value in zip(("all", "weighted", "matched"), values, strict=True)
        }

    for name in names:
        best = record.search(name, partial(scores, MODELS[name]), GRIDS[name])
        fitted = FrozenEstimator(clone(MODELS[name]).set_params(**best).fit(X_kept))
        evaluate = cache(partial(_discounted, scores, fitted))
        for what, options in ((COSTLESS, {"choose": costless}), (MATCHED, {"by": "matched"})):
            record.search(
                f"{name}: {what}",
                lambda parameters: evaluate(**parameters),  # noqa: B023
                DISCOUNT_GRID,
                bounds=DISCOUNT_BOUNDS,
                **options,
            )


def _discounted(scores, fitted, discount):
    return scores(str_.DiscountedRecommender(fitted), {"discount": discount})


def costless(results):
    """Return the largest discount whose NDCG@10 of all pairs is within an error of that of none."""
    by_discount = {point["parameters"]["discount"]: point["figures"]["all"] for point in results}
    value, error = by_discount[0]
    return {"discount": max(d for d, ndcg in by_discount.items() if ndcg.value >= value - error)}


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--data", choices=DATA, default="movielens")
    parser.add_argument("--models", nargs="+", metavar="NAME")
    parser.add_argument("--buckets", action="store_true", help="print the reports by bucket")
    parser.add_argument("--tune", action="store_true", help="search the parameters instead")
    arguments = parser.parse_args()
    X, y = load(arguments.data)
    if arguments.tune:
        tune(arguments.data, arguments.models or list(MODELS), X, arguments)
        return
    lines = models(arguments.data)
    lines = {name: lines[name] for name in arguments.models or lines}
    record = Record(
        record_name(NAME, arguments.data, *(arguments.models or ())),
        __doc__,
        arguments,
        PACKAGES,
        seeds=[0],
        parameters=lines,
        data=f"{X.shape[0]} rows, {X.shape[1]} items, {X.nnz} interactions to learn from and "
        f"{y.nnz} to find",
    )
    names = ["all", "head", "middle", "tail", "weighted", "matched"]
    columns = {"model": "", **dict.fromkeys(names, ".2f")}
    table = quality(lines, X, y, buckets=arguments.buckets)
    record.add(f"NDCG@10 in per cent, {arguments.data}", columns, table)
    record.save()


if __name__ == "__main__":
    main()
