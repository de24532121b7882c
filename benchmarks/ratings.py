"""Errors of predicted ratings: a fifth of each row's ratings is predicted from the rest.

    python benchmarks/ratings.py

prints RMSE and MAE on MovieLens small with standard errors over rows, and the CPU seconds of
`fit`, of the mean, of biases alone and of biased matrix factorisation. Where cmfrec or Surprise are
installed, neither of which sktransrec needs, they stand beside it. `--tune` prints the validation
results that the parameters of all of them were chosen by, on training ratings only.
"""

import argparse
import inspect
import sys
from importlib.util import find_spec

import numpy as np
import scipy.sparse as sp
from _report import environment, format_table, measure
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import ParameterGrid

import sktransrec as str_
from sktransrec.datasets import load_movielens
from sktransrec.interactions import InteractionEncoder, holdout_random
from sktransrec.metrics import rating_errors


class Mean(BaseEstimator):
    """Predict the mean rating."""

    def fit(self, X):
        self.n_items_ = X.shape[1]
        self.mean_ = X.data.mean()
        return self

    def predict_ratings(self, X, y):
        return _stored_in(y, np.full(y.nnz, self.mean_))

    def recommend(self, X):
        raise NotImplementedError


class CMFRec(Mean):
    """The same objective by alternating least squares in cmfrec.

    It starts from larger random factors than ours and takes more sweeps to shrink them.
    """

    def __init__(self, n_components=20, regularization=12.0, bias_regularization=3.0):
        self.n_components = n_components
        self.regularization = regularization
        self.bias_regularization = bias_regularization

    def fit(self, X):
        from cmfrec import CMF

        lambdas = [self.bias_regularization] * 2 + [self.regularization] * 4
        self.n_items_ = X.shape[1]
        self.model_ = CMF(
            k=self.n_components,
            lambda_=np.array(lambdas, dtype=np.float64),
            niter=100,
            use_cg=False,
            nthreads=1,
            random_state=0,
            verbose=False,
        ).fit(sp.coo_matrix(X))
        return self

    def predict_ratings(self, X, y):
        rows, columns = y.nonzero()
        ratings = self.model_.predict(rows, columns)
        return _stored_in(y, np.clip(ratings, X.data.min(), X.data.max()))


class SurpriseSVD(Mean):
    """The same objective by stochastic gradient descent, in Surprise."""

    def __init__(self, n_components=100, regularization=0.02, epochs=20):
        self.n_components = n_components
        self.regularization = regularization
        self.epochs = epochs

    def fit(self, X):
        from pandas import DataFrame
        from surprise import SVD, Dataset, Reader

        self.n_items_ = X.shape[1]
        rows, columns = X.nonzero()
        table = DataFrame({"user": rows, "item": columns, "rating": X.data})
        reader = Reader(rating_scale=(float(X.data.min()), float(X.data.max())))
        self.model_ = SVD(
            n_factors=self.n_components,
            reg_all=self.regularization,
            n_epochs=self.epochs,
            random_state=0,
        ).fit(Dataset.load_from_df(table, reader).build_full_trainset())
        return self

    def predict_ratings(self, X, y):
        return _stored_in(
            y, [self.model_.predict(*pair).est for pair in zip(*y.nonzero(), strict=True)]
        )


def _stored_in(y, ratings):
    return sp.csr_array((np.float32(ratings), y.indices, y.indptr), shape=y.shape)


# What `--tune` found to be best by RMSE.
MODELS = {
    "mean": Mean(),
    "biases": str_.BiasedMFRecommender(0, bias_regularization=3.0, random_state=0),
    "biased MF": str_.BiasedMFRecommender(50, regularization=12.0, random_state=0),
    "cmfrec": CMFRec(50),
    "Surprise SVD": SurpriseSVD(100, regularization=0.1, epochs=60),
}
PEERS = {"cmfrec": "cmfrec", "Surprise SVD": "surprise"}
GRIDS = {
    "biases": {"bias_regularization": [1, 2, 3, 5, 10]},
    "biased MF": {
        "n_components": [20, 50, 100],
        "regularization": [8, 10, 12, 15],
        "bias_regularization": [2, 3],
    },
    "cmfrec": {"n_components": [20, 50], "regularization": [10, 12, 15, 20]},
    "Surprise SVD": {"n_components": [100], "regularization": [0.05, 0.1], "epochs": [20, 40, 60]},
}


def load():
    """Return the training ratings and those to predict."""
    ratings = load_movielens().ratings
    log = {"user": ratings.user_id, "item": ratings.movie_id, "rating": ratings.rating}
    X = InteractionEncoder(value="rating").fit_transform(log)
    return holdout_random(X, 0.2, random_state=0)


def judged(model, X, y):
    """Return RMSE and MAE of a model fitted on X as strings, and the seconds of its fit."""
    model, cost = measure(clone(model).fit, X)
    errors = rating_errors(model, X, y)
    return [f"{value:.4f} ± {error:.4f}" for value, error in errors.values()] + [cost.cpu_seconds]


def tune(name, X):
    """Print the errors of a grid, a part of the training ratings held out."""
    X_kept, y = holdout_random(X, 0.2, random_state=1)
    results = []
    for parameters in ParameterGrid(GRIDS[name]):
        model = clone(MODELS[name]).set_params(**parameters)
        results.append([str(parameters), *judged(model, X_kept, y)])
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
    rows = [[name, *judged(MODELS[name], X, y)] for name in names]
    print(format_table(["model", "RMSE", "MAE", "fit CPU s"], rows, markdown=arguments.markdown))


if __name__ == "__main__":
    main()
