# SPDX-License-Identifier: BSD-3-Clause
"""Errors of predicted ratings: a fifth of each row's ratings is predicted from the rest.

    python benchmarks/ratings.py

It prints RMSE and MAE on MovieLens small with standard errors over rows, and the CPU seconds of
`fit`. It also prints the mean squared error of a row minus that of biases alone, on the same rows.
If Surprise is installed, which sktransrec does not need, its model is a line of the table. A second
table shows what ranking by predicted rating is worth: NDCG@10 on the held-out items, whatever their
rating. `--tune` searches the parameters on training ratings only and writes a record; other runs
read that record.
"""

import sys
from importlib.util import find_spec

import numpy as np
from _record import Record, SearchRecord, argument_parser, chosen
from _report import Estimate, mean_and_error, measure
from sklearn.base import clone

import sktransrec as str_
from sktransrec._numerics._entries import with_data
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
        pairs = zip(*y.nonzero(), strict=True)
        return with_data(y, np.float32([self.model_.predict(*pair).est for pair in pairs]))


NAME = "ratings"
PACKAGES = ("sktransrec", "scikit-learn", "numpy", "scipy")
MODELS = {
    # With biases held at zero, the mean is what is left.
    "mean": str_.BiasedMFRecommender(0, bias_regularization=1e12),
    "biases": str_.BiasedMFRecommender(0),
    "biased MF": str_.BiasedMFRecommender(random_state=0),
    "Surprise SVD": SurpriseSVD(),
}
ALS = str_.ALSRecommender(64, random_state=0)
PEERS = {"Surprise SVD": "surprise"}
GRIDS = {
    "biases": {"bias_regularization": [1, 2, 3, 5, 10]},
    "biased MF": {"n_components": [50, 100, 200], "regularization": [8, 10, 12, 15]},
    "Surprise SVD": {"regularization": [0.05, 0.08, 0.1, 0.15], "epochs": [40, 80, 120, 160]},
}


def load():
    """Return the training ratings and those to predict."""
    ratings = load_movielens().ratings
    log = {"user": ratings.user_id, "item": ratings.movie_id, "rating": ratings.rating}
    X = InteractionEncoder(value="rating").fit_transform(log)
    return holdout_random(X, 0.2, random_state=0)


def tuned(name):
    """Return an unfitted model with the parameters that its search chose."""
    return clone(MODELS[name]).set_params(**(chosen(NAME, name) if name in GRIDS else {}))


def judged(model, X, y):
    """Return RMSE and MAE of a model, its mean squares by row, and its seconds."""
    model, cost = measure(clone(model).fit, X)
    errors = rating_errors(model, X, y)
    squares = model.predict_ratings(X, y)
    squares.data = (squares.data - y.data) ** 2
    n_pairs = np.diff(y.indptr)
    by_row = np.divide(
        squares.sum(axis=1), n_pairs, where=n_pairs > 0, out=np.full(len(n_pairs), np.nan)
    )
    return [Estimate(*error) for error in errors.values()], by_row, cost.cpu_seconds


def ranking_lines(X, y):
    """Return NDCG@10 of a ranking by predicted rating, and of two models of who rates what."""
    lines = []
    for name, model, known in (
        ("biased MF, by predicted rating", tuned("biased MF"), X),
        ("popularity", str_.PopularityRecommender(), X),
        ("ALS, of ratings as interactions", ALS, X > 0),
    ):
        items, _ = clone(model).fit(known).recommend(known)
        lines.append([name, mean_and_error(ndcg_at_k(y, items, per_row=True))])
    return lines


def tune(names, X, arguments):
    """Search the parameters of models, a part of the training ratings held out."""
    X_kept, y = holdout_random(X, 0.2, random_state=1)
    folds = "a fifth of each row's training ratings held out (seed 1)"
    record = SearchRecord(NAME, arguments, PACKAGES, folds=folds)
    for name in names:

        def evaluate(parameters, model=MODELS[name]):
            (rmse, mae), _, _ = judged(clone(model).set_params(**parameters), X_kept, y)
            print(parameters, rmse, file=sys.stderr)
            return {"RMSE": rmse, "MAE": mae}

        if name in GRIDS:
            record.search(name, evaluate, GRIDS[name], lowest=True)


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--models", nargs="+", choices=MODELS, metavar="NAME")
    parser.add_argument("--tune", action="store_true", help="search the parameters instead")
    arguments = parser.parse_args()
    names = arguments.models or [
        name for name in MODELS if name not in PEERS or find_spec(PEERS[name])
    ]
    X, y = load()
    if arguments.tune:
        tune(names, X, arguments)
        return
    data = f"{X.shape[0]} rows, {X.shape[1]} items, {X.nnz} ratings to learn from, {y.nnz} to find"
    models = {name: tuned(name) for name in names}
    parameters = {**models, "ALS": ALS}
    record = Record(NAME, __doc__, arguments, PACKAGES, seeds=[0], parameters=parameters, data=data)
    _, of_biases, _ = judged(tuned("biases"), X, y)
    lines = []
    for name, model in models.items():
        errors, by_row, seconds = judged(model, X, y)
        lines.append([name, *errors, mean_and_error(by_row - of_biases), seconds])
    columns = {"model": "", "RMSE": ".4f", "MAE": ".4f", "square less that of biases": "+.4f"}
    record.add("Errors", columns | {"fit, CPU s": ".2f"}, lines)
    record.add("Rankings", {"model": "", "NDCG@10": ".4f"}, ranking_lines(X, y))
    record.save()


if __name__ == "__main__":
    main()
