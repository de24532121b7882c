"""Errors of predicted ratings: a fifth of each row's ratings is predicted from the rest.

    python benchmarks/ratings.py

prints RMSE and MAE on MovieLens small with standard errors over rows, the mean square of a row less
that of biases alone, which pairs the rows, and the CPU seconds of `fit`. Where Surprise is
installed, which sktransrec does not need, it stands beside it. A second table shows what ranking by
predicted rating is worth: NDCG@10 on the items that were held out, whatever their rating. `--tune`
prints the validation results that all parameters were chosen by, on training ratings only.
"""

import argparse
import inspect
import sys
from importlib.util import find_spec

import numpy as np
import scipy.sparse as sp
from _report import environment, format_table, mean_and_error, measure
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid

import sktransrec as str_
from sktransrec.base import InDomainRecommender
from sktransrec.datasets import load_movielens
from sktransrec.interactions import InteractionEncoder, holdout_random
from sktransrec.metrics import ndcg_at_k, rating_errors


class SurpriseSVD(InDomainRecommender):
    """The same objective by stochastic gradient descent, in Surprise."""

    def __init__(self, n_components=100, regularization=0.02, epochs=20):
        self.n_components = n_components
        self.regularization = regularization
        self.epochs = epochs

    def _fit(self, X):
        from pandas import DataFrame
        from surprise import SVD, Dataset, Reader

        rows, columns = X.nonzero()
        table = DataFrame({"user": rows, "item": columns, "rating": X.data})
        reader = Reader(rating_scale=(float(X.data.min()), float(X.data.max())))
        self.model_ = SVD(
            n_factors=self.n_components,
            reg_all=self.regularization,
            n_epochs=self.epochs,
            random_state=0,
        ).fit(Dataset.load_from_df(table, reader).build_full_trainset())

    def predict_ratings(self, X, y):
        return _stored_in(
            y, [self.model_.predict(*pair).est for pair in zip(*y.nonzero(), strict=True)]
        )


def _stored_in(y, ratings):
    return sp.csr_array((np.float32(ratings), y.indices, y.indptr), shape=y.shape)


# What `--tune` found to be best by RMSE.
MODELS = {
    # With biases held at zero, the mean is what is left.
    "mean": str_.BiasedMFRecommender(0, bias_regularization=1e12),
    "biases": str_.BiasedMFRecommender(0, bias_regularization=2.0),
    "biased MF": str_.BiasedMFRecommender(100, regularization=12.0, random_state=0),
    "Surprise SVD": SurpriseSVD(100, regularization=0.1, epochs=160),
}
PEERS = {"Surprise SVD": "surprise"}
GRIDS = {
    "biases": {"bias_regularization": [1, 2, 3, 5, 10]},
    "biased MF": {"n_components": [20, 50, 100], "regularization": [8, 10, 12, 15]},
    "Surprise SVD": {"regularization": [0.05, 0.08, 0.1, 0.15], "epochs": [40, 80, 120, 160]},
}


def load():
    """Return the training ratings and those to predict."""
    ratings = load_movielens().ratings
    log = {"user": ratings.user_id, "item": ratings.movie_id, "rating": ratings.rating}
    X = InteractionEncoder(value="rating").fit_transform(log)
    return holdout_random(X, 0.2, random_state=0)


def judged(model, X, y):
    """Return RMSE and MAE of a model as strings, its mean squares by row, and its seconds."""
    model, cost = measure(clone(model).fit, X)
    errors = rating_errors(model, X, y)
    squares = model.predict_ratings(X, y)
    squares.data = (squares.data - y.data) ** 2
    n_pairs = np.diff(y.indptr)
    by_row = np.divide(
        squares.sum(axis=1), n_pairs, where=n_pairs > 0, out=np.full(len(n_pairs), np.nan)
    )
    texts = [f"{value:.4f} ± {error:.4f}" for value, error in errors.values()]
    return texts, by_row, cost.cpu_seconds


def ranking_rows(X, y):
    """Return NDCG@10 of a ranking by predicted rating, and of two models of who rates what."""
    rows = []
    for name, model, known in (
        ("biased MF, by predicted rating", MODELS["biased MF"], X),
        ("popularity", str_.PopularityRecommender(), X),
        ("ALS, of ratings as interactions", str_.ALSRecommender(64, random_state=0), X > 0),
    ):
        items, _ = clone(model).fit(known).recommend(known)
        rows.append([name, mean_and_error(ndcg_at_k(y, items, per_row=True))])
    return rows


def tune(name, X):
    """Print the errors of a grid, a part of the training ratings held out."""
    X_kept, y = holdout_random(X, 0.2, random_state=1)
    results = []
    for parameters in ParameterGrid(GRIDS[name]):
        model = clone(MODELS[name]).set_params(**parameters)
        texts, _, seconds = judged(model, X_kept, y)
        results.append([str(parameters), *texts, seconds])
        print(*results[-1], file=sys.stderr)
    results.sort(key=lambda row: row[1])
    print(format_table([f"{name}, validation", "RMSE", "MAE", "fit CPU s"], results), end="\n\n")


def main():
    parser = argparse.ArgumentParser(
        description=inspect.getdoc(sys.modules[__name__]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--models", nargs="+", choices=MODELS, metavar="NAME")
    parser.add_argument("--tune", action="store_true", help="search the parameters instead")
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()

    names = arguments.models or [
        name for name in MODELS if name not in PEERS or find_spec(PEERS[name])
    ]
    X, y = load()
    print(environment("sktransrec", "scikit-learn", "numpy", "scipy"))
    print(
        f"{X.shape[0]} rows, {X.shape[1]} items, {X.nnz} ratings to learn from, {y.nnz} to find\n"
    )
    if arguments.tune:
        for name in names:
            if name in GRIDS:
                tune(name, X)
        return
    _, of_biases, _ = judged(MODELS["biases"], X, y)
    rows = []
    for name in names:
        texts, by_row, seconds = judged(MODELS[name], X, y)
        rows.append([name, *texts, mean_and_error(by_row - of_biases), seconds])
    header = ["model", "RMSE", "MAE", "square less that of biases", "fit CPU s"]
    print(format_table(header, rows, markdown=arguments.markdown), end="\n\n")
    print(format_table(["model", "NDCG@10"], ranking_rows(X, y), markdown=arguments.markdown))


if __name__ == "__main__":
    main()
