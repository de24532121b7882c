# SPDX-License-Identifier: BSD-3-Clause
"""Quality and cost of every recommender in one domain: all unseen items are ranked.

    python benchmarks/ranking.py --data amazon_cds

prints Recall@20 and NDCG@20 with their standard errors over rows, the CPU seconds of `fit` and of
the best 20 items of all rows, and the peak memory, beside published results, and then implicit
beside `ALSRecommender` with the same parameters. `--tune` searches the parameters of the models
named, on training interactions only; where it has a record of a search, a model has the parameters
chosen there, and elsewhere its defaults.
"""

import sys

import numpy as np
import scipy.sparse as sp
from _record import (
    Record,
    SearchRecord,
    argument_parser,
    chosen,
    read_searches,
    record_name,
    search_record_name,
)
from _report import mean_and_error, measure
from sklearn.decomposition import TruncatedSVD
from sklearn.utils.random import sample_without_replacement
from threadpoolctl import threadpool_limits

import sktransrec as str_
from sktransrec.datasets import load_amazon_cds, make_cross_domain
from sktransrec.interactions import holdout_random
from sktransrec.metrics import ndcg_at_k, recall_at_k

K = 20
N_TUNING_ROWS = 5000
N_REPEATS = 3

NAME = "ranking"
PACKAGES = ("sktransrec", "scikit-learn", "numpy", "scipy", "implicit")


def stack():
    return str_.StackingRecommender(best_four(), random_state=0)


def vote():
    return str_.VotingRecommender(best_four())


def best_four():
    """Return the four best models that are not networks, with their names."""
    names = {"knn": "item kNN", "als": "ALS", "ease": "EASE", "filter": "graph filter"}
    return [(name, MODELS[model]()) for name, model in names.items()]


MODELS = {
    "popularity": lambda: str_.PopularityRecommender(),
    "item kNN": lambda: str_.ItemKNNRecommender(),
    "ALS": lambda: str_.ALSRecommender(256, random_state=0),
    "BPR": lambda: str_.BPRRecommender(random_state=0),
    "logistic MF": lambda: str_.LogisticMFRecommender(random_state=0),
    "EASE": lambda: str_.EASERecommender(),
    "PureSVD": lambda: str_.ReconstructionRecommender(TruncatedSVD(256, random_state=0)),
    "GF-CF as published": lambda: str_.GraphFilterRecommender(
        256,
        low_pass_weight=0.3,
        row_exponent=0.5,
        item_exponent=0.5,
        n_neighbors=None,
        random_state=0,
    ),
    "graph filter": lambda: str_.GraphFilterRecommender(random_state=0),
    "vote of item kNN, ALS, EASE and graph filter": vote,
    "stack of item kNN, ALS, EASE and graph filter": stack,
    "Mult-VAE": lambda: str_.ReconstructionRecommender(
        str_.Autoencoder(
            200,
            hidden_layer_sizes=(600,),
            kind="variational",
            loss="multinomial",
            batch_size=500,
            epochs=30,
            random_state=0,
        )
    ),
}

GRIDS = {
    "item kNN": {
        "weighting": ["cosine", "tfidf", "bm25"],
        "shrinkage": [0, 3, 10, 30],
        "popularity_exponent": [0, 0.25, 0.5, 0.75],
    },
    "ALS": {"regularization": [0.005, 0.01, 0.03]},
    "BPR": {"learning_rate": [0.01, 0.03, 0.1]},
    "logistic MF": {"regularization": [0.6, 2, 6]},
    "EASE": {"regularization": [15, 60, 240]},
    "PureSVD": {"transformer__n_components": [64, 256, 512]},
    "graph filter": {
        "low_pass_weight": [0, 0.1, 0.3],
        "row_exponent": [0.1, 0.2, 0.3],
        "item_exponent": [0.2, 0.3, 0.4],
    },
}
BOUNDS = {
    "shrinkage": {0: "no shrinkage"},
    "popularity_exponent": {0: "popular items get nothing back"},
    "low_pass_weight": {0: "no low-pass filter"},
    "row_exponent": {0: "rows are not weighted"},
    "item_exponent": {0: "items are not weighted"},
}

# Recall@20 and NDCG@20 on this split of the data.
PUBLISHED = {
    "amazon_cds": {
        "NGCF, in arXiv 2110.15114": (0.1258, 0.0792),
        "BGCF, in arXiv 2110.15114": (0.1506, 0.0948),
        "UltraGCN, arXiv 2110.15114": (0.1622, 0.1043),
        "SimpleX, arXiv 2109.12613": (0.1763, 0.1145),
    }
}


def load(name):
    """Return the training interactions and those to find."""
    if name == "amazon_cds":
        cds = load_amazon_cds()
        return cds.X, cds.y
    domains = make_cross_domain(2000, 1000, source_density=0.02, random_state=0)
    return holdout_random(domains.source.matrix, random_state=0)


def tuned(name, data):
    """Return an unfitted model with the parameters of its search, if that has a record."""
    record, model = record_name(NAME, data), MODELS[name]()
    if name in read_searches(search_record_name(record)):
        model.set_params(**chosen(record, name))
    return model


def model_line(name, model, X, y):
    """Return the line of the table for a model."""
    model, fit_cost = measure(model.fit, X)
    (items, _), top_k_cost = measure(model.recommend, X, n_recommendations=K)
    print(name, file=sys.stderr)
    return [
        name,
        mean_and_error(recall_at_k(y, items, k=K, per_row=True)),
        mean_and_error(ndcg_at_k(y, items, k=K, per_row=True)),
        fit_cost.cpu_seconds,
        top_k_cost.cpu_seconds,
        max(fit_cost.peak_mib, top_k_cost.peak_mib),
    ]


def published_lines(data):
    """Return lines of published results; what they cost was not measured here."""
    return [
        [f"{name}, published", *figures, None, None, None]
        for name, figures in PUBLISHED.get(data, {}).items()
    ]


def implicit_lines(X, *, n_components=64, regularization=0.01, confidence=20.0):
    """Yield the cost of implicit and of `ALSRecommender`, the same model, and its ratio.

    The two take turns; the least of a few measurements is theirs. implicit looks the factors of
    its rows up, or folds the rows in (recalculate_user) as `ALSRecommender` always does.
    """
    from implicit.cpu.als import AlternatingLeastSquares

    ours = str_.ALSRecommender(
        n_components,
        regularization=regularization,
        confidence=confidence,
        scale_regularization=False,
        random_state=0,
    )
    with threadpool_limits(1, "blas"):
        theirs = AlternatingLeastSquares(
            n_components,
            regularization=regularization,
            alpha=confidence,
            iterations=ours.max_iter,
            num_threads=1,
            random_state=0,
        )
    matrix, users = sp.csr_matrix(X), np.arange(X.shape[0])
    calls = {
        "fit": (
            lambda: theirs.fit(matrix, show_progress=False),
            lambda: ours.fit(X),
        ),
        f"top-{K}, factors looked up": (
            lambda: theirs.recommend(users, matrix, N=K),
            lambda: ours.recommend(X, n_recommendations=K),
        ),
        f"top-{K}, rows folded in": (
            lambda: theirs.recommend(users, matrix, N=K, recalculate_user=True),
            lambda: ours.recommend(X, n_recommendations=K),
        ),
    }
    for what, pair in calls.items():
        peer, own = _least_costs(*pair)
        yield what, peer, own, own / peer


def _least_costs(*functions):
    """Return the least CPU seconds of each function over a few turns."""
    turns = [[measure(f)[1].cpu_seconds for f in functions] for _ in range(N_REPEATS)]
    return np.min(turns, axis=0).tolist()


def tune(data, names, X, arguments):
    """Search the parameters of models.

    The split is that of the test: some of each row's interactions are found from the others.
    """
    X_kept, y = holdout_random(X, random_state=0)
    n_rows = min(N_TUNING_ROWS, X.shape[0])
    rows = np.sort(sample_without_replacement(X.shape[0], n_rows, random_state=0))
    folds = f"a fifth of each row's training interactions held out (seed 0), {n_rows} rows"
    record = SearchRecord(record_name(NAME, data), arguments, PACKAGES, folds=folds)
    for name in names:

        def evaluate(parameters, name=name):
            model, cost = measure(MODELS[name]().set_params(**parameters).fit, X_kept)
            items, _ = model.recommend(X_kept[rows], n_recommendations=K)
            ndcg, recall = (
                mean_and_error(metric(y[rows], items, k=K, per_row=True))
                for metric in (ndcg_at_k, recall_at_k)
            )
            print(name, parameters, ndcg, file=sys.stderr)
            return {f"NDCG@{K}": ndcg, f"Recall@{K}": recall, "fit, CPU s": cost.cpu_seconds}

        if name in GRIDS:
            record.search(name, evaluate, GRIDS[name], bounds=BOUNDS)


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--data", choices=["amazon_cds", "generated"], default="amazon_cds")
    parser.add_argument("--models", nargs="+", choices=MODELS, metavar="NAME")
    parser.add_argument("--tune", action="store_true", help="search the parameters instead")
    parser.add_argument("--no-implicit", action="store_true", help="leave the peer out")
    arguments = parser.parse_args()
    names = arguments.models or list(MODELS)
    X, y = load(arguments.data)
    if arguments.tune:
        tune(arguments.data, names, X, arguments)
        return
    data = f"{X.shape[0]} rows, {X.shape[1]} items, {X.nnz} interactions to learn from and {y.nnz}"
    name = record_name(NAME, arguments.data, *(arguments.models or ()))
    models = {name: tuned(name, arguments.data) for name in names}
    record = Record(
        name,
        __doc__,
        arguments,
        PACKAGES,
        seeds=[0],
        parameters=models,
        data=f"{data} to find",
    )
    columns = {"model": "", f"Recall@{K}": ".4f", f"NDCG@{K}": ".4f", "fit, CPU s": ".2f"}
    columns |= {f"top {K}, CPU s": ".2f", "peak MiB": ".0f"}
    lines = [model_line(name, model, X, y) for name, model in models.items()]
    record.add(
        f"All unseen items ranked, {arguments.data}",
        columns,
        lines + published_lines(arguments.data),
    )
    if not arguments.no_implicit:
        columns = {"CPU s": "", "implicit": ".2f", "ALSRecommender": ".2f", "ratio": ".2f"}
        record.add("Beside implicit", columns, implicit_lines(X))
    record.save()


if __name__ == "__main__":
    main()
