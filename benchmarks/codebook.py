# SPDX-License-Identifier: BSD-3-Clause
"""Codebook transfer between domains without users or items in common.

    python benchmarks/codebook.py
    python benchmarks/codebook.py --relatedness 0
    python benchmarks/codebook.py --data lastfm

It prints NDCG@10 for several numbers of target users to learn from. It also prints the difference
between a codebook from the source and one from the target alone, on the same users. Every model
except popularity chooses its parameters by a search on the users that it learns from.

On generated data, each model is scored on 1000 other users of the target, with one item of each
user hidden, and the errors are those of the mean over seeds. On real data, the source is MovieLens,
`--data` names the target, and the errors are over users. No choice was made with the default seeds.
"""

import numpy as np
from _record import Record, argument_parser, record_name
from _report import mean_and_error
from _search import WideningSearchCV
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from sktransrec import (
    ALSRecommender,
    CodebookRecommender,
    InteractionEncoder,
    PopularityRecommender,
    holdout_random,
    ranking_scorer,
    transfer_learning_curve,
)
from sktransrec.datasets import load_citeulike, load_movielens, load_sequences, make_cluster_domains
from sktransrec.metrics import ndcg_at_k

TRAIN_SIZES, REAL_TRAIN_SIZES = [25, 50, 100], [50, 200]
N_TEST_USERS = 1000
TRANSFERRED, OWN = "codebook of the source", "codebook of its own"
GRIDS = {
    "ALS": {"n_components": [4, 8, 16], "regularization": [0.02, 0.04, 0.08]},
    OWN: {"regularization": [0.1, 0.3, 1.0, 3.0]},
    TRANSFERRED: {"regularization": [3.0, 30.0, np.inf]},
}
BOUNDS = {
    "n_components": {1: "the fewest"},
    "regularization": {np.inf: "the codebook of the source as it is"},
}
# Of the targets; that of a generated source has more starts.
CODEBOOK = CodebookRecommender(n_init=8, random_state=0)
CODEBOOK_OF_SOURCE = CodebookRecommender(n_init=20, random_state=0)
REAL_CODEBOOK = CodebookRecommender(n_init=5, max_iter=40, random_state=0)


def models(codebook, source):
    """Return the models to compare, by name, given what has learned from the source."""
    scorer = ranking_scorer("ndcg", k=10, holdout=0.2, random_state=0)

    def searched(name, model):
        return WideningSearchCV(model, GRIDS[name], scoring=scorer, cv=3, bounds=BOUNDS)

    transferred = clone(codebook).set_params(pretrained=FrozenEstimator(source))
    return {
        "popularity": PopularityRecommender(),
        "ALS": searched("ALS", ALSRecommender(random_state=0)),
        OWN: searched(OWN, codebook),
        TRANSFERRED: searched(TRANSFERRED, transferred),
    }


def scores_on_generated(seed, relatedness):
    """Return NDCG@10 of each model, by name, for each number of users learned from."""
    domains = make_cluster_domains(
        n_target_users=max(TRAIN_SIZES) + N_TEST_USERS, relatedness=relatedness, random_state=seed
    )
    source = clone(CODEBOOK_OF_SOURCE).fit(domains.X_source)
    known, hidden = holdout_random(domains.X_target[max(TRAIN_SIZES) :], 1, random_state=seed)
    scores = {}
    for name, model in models(CODEBOOK, source).items():
        fits = [clone(model).fit(domains.X_target[:size]) for size in TRAIN_SIZES]
        best = [recommender(fit).recommend(known)[0] for fit in fits]
        scores[name] = [ndcg_at_k(hidden, items, k=10) for items in best]
    return scores


def recommender(model):
    """Return what a search has found, or the model itself."""
    return getattr(model, "best_estimator_", model)


def generated_lines(seeds, relatedness):
    """Return the mean over seeds with its error, and paired gains."""
    per_seed = [scores_on_generated(seed, relatedness) for seed in seeds]
    return lines({name: np.array([each[name] for each in per_seed]).T for name in per_seed[0]})


def lines(scores):
    """Return the lines of the table from scores of shape (sizes, seeds or rows)."""
    gains = {
        f"{TRANSFERRED} over {name}": scores[TRANSFERRED] - scores[name]
        for name in ("popularity", "ALS", OWN)
    }
    return [[name, *map(mean_and_error, values)] for name, values in (scores | gains).items()]


def movielens():
    """Return the films that each user liked."""
    ratings = load_movielens().ratings
    liked = ratings.rating >= 4
    log = {"user": ratings.user_id[liked], "item": ratings.movie_id[liked]}
    return InteractionEncoder(min_item_interactions=3).fit_transform(log)


def target(name):
    """Return the interactions of the target, without the rarest items."""
    X = load_citeulike().interactions if name == "citeulike" else load_sequences(name).seen_test
    rows = np.random.RandomState(0).permutation(X.shape[0])[:1200]
    X = X[rows]
    return X[:, X.sum(axis=0) >= 5]


def real_lines(X_source, X_target):
    """Return the learning curve of a real target."""
    source = clone(REAL_CODEBOOK).fit(X_source)
    curve = transfer_learning_curve(
        models(REAL_CODEBOOK, source), X_target, train_sizes=REAL_TRAIN_SIZES, cv=3, random_state=0
    )
    return lines(curve.scores)


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--data", choices=["generated", "lastfm", "citeulike"], default="generated")
    parser.add_argument("--relatedness", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, nargs=2, default=[3000, 3022], help="first and end")
    options = parser.parse_args()
    name = record_name("codebook", options.data)
    packages = ("sktransrec", "scikit-learn", "numpy")
    if options.data == "generated":
        name += "" if options.relatedness == 1 else f"-relatedness-{options.relatedness:g}"
        parameters = {"codebooks": CODEBOOK, "source": CODEBOOK_OF_SOURCE, "grids": GRIDS}
        seeds = [0, *range(*options.seeds)]
        record = Record(name, __doc__, options, packages, seeds=seeds, parameters=parameters)
        sizes, table = TRAIN_SIZES, generated_lines(range(*options.seeds), options.relatedness)
    else:
        X_source, X_target = movielens(), target(options.data)
        X_target = X_target[X_target.sum(axis=1) >= 2]
        data = f"source {X_source.shape}, target {X_target.shape}"
        parameters = {"codebooks": REAL_CODEBOOK, "grids": GRIDS}
        record = Record(
            name, __doc__, options, packages, seeds=[0], parameters=parameters, data=data
        )
        sizes, table = REAL_TRAIN_SIZES, real_lines(X_source, X_target)
    columns = {"NDCG@10": "", **dict.fromkeys([f"{size} users" for size in sizes], ".4f")}
    record.add(f"Shared clusters, {options.data}", columns, table)
    record.save()


if __name__ == "__main__":
    main()
