"""Quality and cost of every recommender in one domain: all unseen items are ranked.

    python benchmarks/ranking.py --data amazon_cds

prints Recall@20 and NDCG@20 with their standard errors over rows, the CPU seconds of `fit` and of
the best 20 items of all rows, and the peak memory, beside published results, and then implicit
beside `ALSRecommender` with the same parameters. `--tune` searches the parameters of the models
named, on training interactions only, and prints the choice.
"""

import argparse
import inspect
import sys

import numpy as np
import scipy.sparse as sp
from _report import environment, format_table, mean_and_error, measure
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.model_selection import ParameterGrid
from sklearn.utils.random import sample_without_replacement
from threadpoolctl import threadpool_limits

import sktransrec as str_
from sktransrec.datasets import load_amazon_cds, make_cross_domain
from sktransrec.interactions import holdout_random
from sktransrec.metrics import ndcg_at_k, recall_at_k

K = 20
N_TUNING_ROWS = 5000
N_REPEATS = 3

# `--tune` searches the grids below on training interactions only. Of their points, those of the
# graph filter that were searched favour its defaults; the other models stand at their defaults,
# ALS and PureSVD with 256 components, until a search says otherwise.
MODELS = {
    "popularity": lambda: str_.PopularityRecommender(),
    "item kNN": lambda: str_.ItemKNNRecommender(),
    "ALS": lambda: str_.ALSRecommender(256, random_state=0),
    "BPR": lambda: str_.BPRRecommender(random_state=0),
    "logistic MF": lambda: str_.LogisticMFRecommender(random_state=0),
    "EASE": lambda: str_.EASERecommender(),
    "PureSVD": lambda: str_.ReconstructionRecommender(TruncatedSVD(256, random_state=0)),
    "GF-CF as published": lambda: str_.GraphFilterRecommender(
        low_pass_weight=0.3,
        row_exponent=0.5,
        item_exponent=0.5,
        n_neighbors=None,
        random_state=0,
    ),
    "graph filter": lambda: str_.GraphFilterRecommender(random_state=0),
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
    "item kNN": {"weighting": ["cosine", "tfidf", "bm25"], "shrinkage": [0, 3, 20]},
    "ALS": {"n_components": [256], "regularization": [0.01, 0.03]},
    "BPR": {"learning_rate": [0.01, 0.05]},
    "logistic MF": {"regularization": [0.6, 2]},
    "EASE": {"regularization": [50, 200]},
    "PureSVD": {"transformer__n_components": [64, 256, 512]},
    "graph filter": {
        "low_pass_weight": [0, 0.1, 0.3],
        "row_exponent": [0.1, 0.2, 0.3],
        "item_exponent": [0.2, 0.3, 0.4],
    },
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


def model_row(name, X, y):
    """Return the row of the table for a model."""
    model, fit_cost = measure(MODELS[name]().fit, X)
    (items, _), top_k_cost = measure(model.recommend, X, n_recommendations=K)
    return [
        name,
        mean_and_error(recall_at_k(y, items, k=K, per_row=True)),
        mean_and_error(ndcg_at_k(y, items, k=K, per_row=True)),
        fit_cost.cpu_seconds,
        top_k_cost.cpu_seconds,
        f"{max(fit_cost.peak_mib, top_k_cost.peak_mib):.0f}",
    ]


def published_rows(data):
    """Return rows of published results; what they cost was not measured here."""
    return [
        [f"({name})", f"{recall:.4f}", f"{ndcg:.4f}", None, None, None]
        for name, (recall, ndcg) in PUBLISHED.get(data, {}).items()
    ]


def quality_table(data, names, X, y, *, markdown):
    header = ["model", f"Recall@{K}", f"NDCG@{K}", "fit CPU s", f"top-{K} CPU s", "peak MiB"]
    rows = []
    for name in names:
        rows.append(model_row(name, X, y))
        print(*rows[-1], sep="  ", file=sys.stderr)
    return format_table(header, rows + published_rows(data), markdown=markdown)


def implicit_table(X, *, markdown, n_components=64, regularization=0.01, confidence=20.0):
    """Return the cost of implicit and of `ALSRecommender`, the same model, and its ratio.

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
    rows = [[what, *_least_costs(*pair)] for what, pair in calls.items()]
    rows = [[what, peer, own, own / peer] for what, peer, own in rows]
    header = ["CPU s", "implicit", "ALSRecommender", "ratio"]
    return format_table(header, rows, markdown=markdown)


def _least_costs(*functions):
    """Return the least CPU seconds of each function over a few turns."""
    turns = [[measure(f)[1].cpu_seconds for f in functions] for _ in range(N_REPEATS)]
    return np.min(turns, axis=0).tolist()


def tune(name, X):
    """Print the validation results of a model's grid and the best of it.

    The split is that of the test: some of each row's interactions are found from the others.
    """
    X_kept, y = holdout_random(X, random_state=0)
    n_rows = min(N_TUNING_ROWS, X.shape[0])
    rows = np.sort(sample_without_replacement(X.shape[0], n_rows, random_state=0))
    results = []
    for parameters in ParameterGrid(GRIDS[name]):
        model = clone(MODELS[name]()).set_params(**parameters)
        model, cost = measure(model.fit, X_kept)
        items, _ = model.recommend(X_kept[rows], n_recommendations=K)
        recall, ndcg = recall_at_k(y[rows], items, k=K), ndcg_at_k(y[rows], items, k=K)
        results.append([str(parameters), f"{recall:.4f}", f"{ndcg:.4f}", cost.cpu_seconds])
        print(*results[-1], file=sys.stderr)
    results.sort(key=lambda row: row[2], reverse=True)
    header = [f"{name}, validation", f"Recall@{K}", f"NDCG@{K}", "fit CPU s"]
    print(format_table(header, results), end="\n\n")


def main():
    parser = argparse.ArgumentParser(
        description=inspect.getdoc(sys.modules[__name__]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", choices=["amazon_cds", "generated"], default="amazon_cds")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS), metavar="NAME")
    parser.add_argument("--tune", action="store_true", help="search the parameters instead")
    parser.add_argument("--no-implicit", action="store_true", help="leave the peer out")
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()

    X, y = load(arguments.data)
    print(environment("sktransrec", "scikit-learn", "numpy", "scipy", "implicit"))
    print(f"{arguments.data}: {X.shape[0]} rows, {X.shape[1]} items, {X.nnz} interactions to learn")
    print(f"from and {y.nnz} to find; all unseen items ranked; published results in brackets.\n")
    if arguments.tune:
        for name in arguments.models:
            if name in GRIDS:
                tune(name, X)
        return
    print(quality_table(arguments.data, arguments.models, X, y, markdown=arguments.markdown))
    if not arguments.no_implicit:
        print("\n" + implicit_table(X, markdown=arguments.markdown))


if __name__ == "__main__":
    main()
