# SPDX-License-Identifier: BSD-3-Clause
"""Two groups of users with the same items: what a large group teaches about a small one.

    python benchmarks/shared_items.py

splits MovieLens into the users who joined early, the source, and those who joined late, the target,
with the films that each liked. It prints NDCG@10 of late users for several numbers of late users to
learn from, with standard errors over users. It also prints the difference between models with and
without the source, on the same users. All models have their defaults. The gate uses neighbours on
the rows of both if they are shown to be better than those on the target alone. `--data generated`
needs no files. `--networks` compares autoencoders instead: two that start from one of the early
users, and one from scratch. Each chooses how long it learns, or how closely it keeps to where it
started, by a search on the rows that it learns from.

    python benchmarks/shared_items.py --data uk

has the customers of a shop in another country as target, and those in Canada as source; `de`, `mx`
and `in` do the same.
"""

import numpy as np
import scipy.sparse as sp
from _record import Record, argument_parser, record_name
from _report import mean_and_error
from _search import WideningSearchCV
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Bunch

from sktransrec import (
    ALSRecommender,
    Autoencoder,
    CollectiveMFRecommender,
    EASERecommender,
    InteractionEncoder,
    ItemKNNRecommender,
    PopularityRecommender,
    ReconstructionRecommender,
    TransferGate,
    ranking_scorer,
    transfer_learning_curve,
)
from sktransrec.base import InDomainRecommender
from sktransrec.datasets import get_data_home, load_movielens, make_cross_domain

SCORER = ranking_scorer("ndcg", k=10, holdout=0.3, random_state=0)
TRAIN_SIZES = {
    "movielens": [10, 30, 90, 175],
    "generated": [10, 100],
    "uk": [100, 2200],
    "de": [100, 1200],
    "mx": [100, 1200],
    "in": [30, 150],
}
MARKETS = ("uk", "de", "mx", "in")
SHARE_OF_EARLY_USERS = 0.6
COLLECTIVE = "collective, tied items"
NEIGHBORS, NEIGHBORS_OF_BOTH = "neighbours, target alone", "neighbours, rows of both"
GATE = "gate: neighbours, rows of both or target alone"
BOUNDS = {"transformer__epochs": {1: "the fewest", 150: "the budget"}}
FINE_TUNED, FROZEN = "autoencoder, fine-tuned", "autoencoder, frozen but for the head"
FROM_SCRATCH = "autoencoder, from scratch"
GAINS = (
    (FINE_TUNED, FROM_SCRATCH),
    (FROZEN, FROM_SCRATCH),
    (COLLECTIVE, "ALS, target alone"),
    (COLLECTIVE, "ALS, rows of both"),
    (NEIGHBORS_OF_BOTH, NEIGHBORS),
    (GATE, NEIGHBORS),
)


class WithSource(InDomainRecommender):
    """A model of the target's rows that learns from those of the source as well.

    Parameters
    ----------
    model : estimator
        What learns from the rows of both, in one matrix.
    source : Bunch
        Rows of the source, ``X``, and the places of the columns of source and target in that
        matrix, ``source_columns`` and ``target_columns``.
    """

    def __init__(self, model, source):
        self.model = model
        self.source = source

    def _fit(self, X):
        source = self._placed(self.source.X, self.source.source_columns)
        rows = sp.vstack([source, self._placed(X, self.source.target_columns)])
        self.model_ = clone(self.model).fit(rows)

    def _score_rows(self, X):
        rows = self._placed(X, self.source.target_columns)
        scores = self.model_.decision_function(rows)
        return scores if scores.shape[1] == X.shape[1] else scores[:, self.source.target_columns]

    def _placed(self, X, columns):
        """Return X with its columns at other places."""
        n_columns = 1 + max(self.source.source_columns.max(), self.source.target_columns.max())
        rows, old = X.nonzero()
        return sp.csr_array((X.data, (rows, columns[old])), shape=(X.shape[0], n_columns))


def side_by_side(X, source_items, target_items):
    """Return the source whose columns stand beside those of the target."""
    source_columns, target_columns = np.arange(len(source_items)), np.arange(len(target_items))
    return Bunch(
        X=X, source_columns=source_columns, target_columns=len(source_items) + target_columns
    )


def one_catalogue(X, source_items, target_items):
    """Return the source whose items have the same columns as in the target."""
    _, columns = np.unique([*source_items, *target_items], return_inverse=True)
    source_columns, target_columns = np.split(columns, [len(source_items)])
    return Bunch(X=X, source_columns=source_columns, target_columns=target_columns)


def models(X_source, source_items, target_items):
    """Return the models to compare, by name, all with their defaults."""
    domains = X_source, source_items, target_items
    together = one_catalogue(*domains)
    als, ease, neighbors = ALSRecommender(random_state=0), EASERecommender(), ItemKNNRecommender()
    tied = CollectiveMFRecommender(
        slice(len(source_items), None),
        item_ids=np.concatenate([source_items, target_items]),
        random_state=0,
    )
    with_source = WithSource(neighbors, together)
    return {
        "popularity": None,
        "popularity, both": WithSource(PopularityRecommender(), together),
        "ALS, target alone": als,
        "EASE, target alone": ease,
        NEIGHBORS: neighbors,
        "ALS, rows of both": WithSource(als, together),
        "EASE, rows of both": WithSource(ease, together),
        NEIGHBORS_OF_BOTH: with_source,
        COLLECTIVE: WithSource(tied, side_by_side(*domains)),
        GATE: TransferGate(with_source, neighbors, cv=2, random_state=0),
    }


def networks(X_source, source_items, target_items):
    """Return autoencoders with and without a start from the source, by name."""
    learner = Autoencoder(
        32,
        hidden_layer_sizes=(),
        kind="denoising",
        loss="multinomial",
        activation="tanh",
        regularization=1e-3,
        epochs=50,
        batch_size=50,
        learning_rate=0.01,
        random_state=0,
    )
    trained = clone(learner).set_params(item_ids=source_items).fit(X_source)
    scratch = clone(learner).set_params(item_ids=target_items)
    tuned = clone(scratch).set_params(pretrained=FrozenEstimator(trained))
    frozen = clone(tuned).set_params(trainable="head")

    def search(transformer, name, values):
        model = ReconstructionRecommender(transformer)
        grid = {f"transformer__{name}": values}
        return WideningSearchCV(model, grid, scoring=SCORER, cv=2, bounds=BOUNDS)

    return {
        "popularity": None,
        "EASE, target alone": EASERecommender(),
        FROM_SCRATCH: search(scratch, "epochs", [15, 50, 150]),
        FROZEN: search(frozen, "epochs", [15, 50, 150]),
        FINE_TUNED: search(tuned, "l2_sp", [0.1, 1.0, 10.0]),
    }


def movielens():
    """Yield the films that early and that late users liked, and the ids of these films."""
    ratings = load_movielens().ratings
    users, rows = np.unique(ratings.user_id, return_inverse=True)
    joined = np.full(len(users), np.iinfo(np.int64).max)
    np.minimum.at(joined, rows, ratings.timestamp)
    is_early = joined[rows] < np.quantile(joined, SHARE_OF_EARLY_USERS)
    for chosen in (is_early, ~is_early):
        liked = chosen & (ratings.rating >= 4)
        log = {"user": ratings.user_id[liked], "item": ratings.movie_id[liked]}
        encoder = InteractionEncoder(min_item_interactions=3)
        yield encoder.fit_transform(log), encoder.items_


def market(name):
    """Yield what customers in Canada and in another country bought, and the ids of the items."""
    folder = get_data_home() / "content" / "markets"
    for country in ("ca", name):
        columns = (folder / f"{country}.tsv").read_text("utf-8").splitlines()[1:]
        user, item, *_ = zip(*(line.split("\t") for line in columns), strict=True)
        encoder = InteractionEncoder()
        yield encoder.fit_transform({"user": user, "item": item}), encoder.items_


def generated():
    """Yield what users of two shops chose, and the ids of the items, most of them in both."""
    X = make_cross_domain(
        *(900, 300, 40), n_cold_users=0, n_components=8, source_density=0.1, random_state=0
    ).source.matrix
    items = np.random.RandomState(0).permutation(300)
    for rows, ids in ((slice(0, 700), items[:240]), (slice(700, None), items[120:270])):
        yield X[rows][:, np.sort(ids)], np.sort(ids)


def lines(curve):
    """Yield the NDCG@10 of each model, and the paired gains of transfer."""
    for name, scores in curve.scores.items():
        yield [name, *map(mean_and_error, scores)]
    for name, without in GAINS:
        if name in curve.scores:
            gains = curve.scores[name] - curve.scores[without]
            yield [f"{name} over {without}", *map(mean_and_error, gains)]


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--data", choices=TRAIN_SIZES, default="movielens")
    parser.add_argument("--networks", action="store_true", help="compare networks instead")
    options = parser.parse_args()
    load = {"movielens": movielens, "generated": generated}
    is_market = options.data in MARKETS
    loaded = market(options.data) if is_market else load[options.data]()
    (X_source, source_items), (X_target, target_items) = loaded
    n_common = len(np.intersect1d(source_items, target_items))
    sizes = TRAIN_SIZES[options.data]
    made = networks if options.networks else models
    compared = made(X_source, source_items, target_items)
    record = Record(
        record_name("shared_items", options.data, "networks" if options.networks else ""),
        __doc__,
        options,
        ("sktransrec", "scikit-learn", "numpy"),
        seeds=[0],
        parameters=compared,
        data=f"source {X_source.shape}, target {X_target.shape}, items in both {n_common}",
    )
    curve = transfer_learning_curve(
        compared,
        X_target,
        train_sizes=sizes,
        cv=3,
        random_state=0,
    )
    whom = "users" if is_market else "late users"
    columns = {"NDCG@10": "", **dict.fromkeys([f"{size} {whom}" for size in sizes], ".4f")}
    record.add("Shared items", columns, lines(curve))
    record.save()


if __name__ == "__main__":
    main()
