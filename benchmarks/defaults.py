# SPDX-License-Identifier: BSD-3-Clause
"""What defaults lose: parameters that are "auto" beside parameters that were searched.

    python benchmarks/defaults.py --data movielens --record

ranks all unseen items and prints the NDCG@20 of a model with its default parameters, with those of
a search, and with the fixed defaults that it had before "auto", beside popularity, and the CPU
seconds of `fit`. *Default over tuned* is a ratio, with the standard error of the difference of the
two over the same rows.

The test items of `amazon_cds`, `sport`, `cloth` and `phone` are those of their files. Elsewhere, a
fifth of the interactions of each row is held out (seed 0). A search tries all combinations of its
grid on a fifth of the interactions of each row of the training data (seed 1), ranks for up to
1,000 rows, and fits the best one to all training data. "auto" sees the training data only, as part
of `fit`. Figures are means over up to 4,000 rows, the same for all models of a data set.

Ridge regression and the bridge learn from people known in two domains, and rank for others of whom
only the source is known: those of the test files of `game` and `video`, and elsewhere a fifth of
the people (seed 0), with all that they have in the target. The other domain of sport and phone is
the other one of the two, that of cloth is sport, and so on. A search holds out another fifth
(seed 1).

A grid is widened until the best value of no parameter is at its edge, unless the edge is 0.
"""

import csv
import sys
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from _record import Record, argument_parser, record_name
from _report import Estimate, mean_and_error, measure
from _search import searched
from _transfer_tasks import pair_of_shops
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.utils.random import sample_without_replacement

import sktransrec as str_
from sktransrec._numerics._entries import pattern_of
from sktransrec._wrapping import recommender_of
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
N_TUNING_ROWS, N_TEST_ROWS = 1000, 4000
PACKAGES = ("sktransrec", "scikit-learn", "numpy", "scipy", "implicit")


class Choice(NamedTuple):
    """A model with its defaults, and what these are compared with.

    `before` are the fixed defaults before "auto". A search sets `first`, and tries all of `grid`.
    """

    model: Any
    before: dict
    grid: dict
    first: dict = {}


MODELS = {
    "item kNN": Choice(
        str_.ItemKNNRecommender(),
        {"weighting": "tfidf", "shrinkage": 10.0, "popularity_exponent": 0.0},
        {
            "weighting": ["tfidf", "bm25"],
            "shrinkage": [0, 10, 100],
            "popularity_exponent": [0, 0.25, 0.5, 0.75, 1],
        },
    ),
    "graph filter": Choice(
        str_.GraphFilterRecommender(random_state=0),
        {"n_components": 256, "low_pass_weight": 0.1, "row_exponent": 0.2, "item_exponent": 0.3},
        {
            "low_pass_weight": [0.03, 0.1, 0.3, 1, 3],
            "row_exponent": [0.2, 0.35, 0.5],
            "item_exponent": [0.0, 0.15, 0.3, 0.5],
        },
    ),
    "EASE": Choice(
        str_.EASERecommender(),
        {"regularization": 100.0, "item_exponent": 0.0},
        {"regularization": [15.0, 60.0, 240.0], "item_exponent": [0.0, 0.25, 0.5]},
    ),
    "ALS": Choice(
        str_.ALSRecommender(random_state=0),
        {"n_components": 64, "regularization": 0.02},
        {"regularization": [0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12]},
    ),
}
# The same for rows that are new to the target.
FACTORS = str_.ALSRecommender(64, regularization=0.03, random_state=0)
REGRESSION = {"bridgerecommender__regressor": Ridge()}
COLD_MODELS = {
    "ridge": Choice(
        str_.RidgeRecommender(),
        {"regularization": 100.0},
        {"regularization": [10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0]},
    ),
    "bridge": Choice(
        make_pipeline(FACTORS, str_.BridgeRecommender(FACTORS)),
        REGRESSION,
        {"bridgerecommender__regressor__alpha": [1.0, 3.0, 10.0, 30.0, 100.0]},
        first=REGRESSION,
    ),
}
SOURCES = {"sport": "cloth", "cloth": "sport", "phone": "sport"}
SOURCES |= {"game": "video", "video": "game", "arts": "office", "office": "arts"}
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


@dataclass(frozen=True)
class Task:
    """What to learn from, and rows with the items to find for them.

    `y` is None for models of one domain, whose rows `X_new` have items in X.
    """

    X: sp.csr_array
    y: sp.csr_array | None
    X_new: sp.csr_array
    wanted: sp.csr_array

    def fitted(self, model):
        return clone(model).fit(self.X, self.y)

    def ndcg(self, model, n_rows):
        """Return the NDCG of some of the rows that have something to find."""
        rows = sampled_rows(self.wanted, n_rows)
        items, _ = str_.recommend(model, self.X_new[rows], n_recommendations=K)
        return ndcg_at_k(self.wanted[rows], items, k=K, per_row=True)

    def for_search(self):
        """Return a task of the same kind that is made of what this one learns from."""
        if self.y is not None:
            return cold_task(self.X, self.y, random_state=1)
        X, wanted = holdout_random(self.X, random_state=1)
        return Task(X, None, X, wanted)


def cold_task(X, y, *, random_state):
    """Return the task of recommending to a fifth of the rows, of which nothing in y is known."""
    order = np.random.RandomState(random_state).permutation(X.shape[0])
    new, known = np.split(order, [len(order) // 5])
    return Task(X[known], y[known], X[new], y[new])


def load(name):
    """Return the task of models of one domain."""
    if name == "amazon_cds":
        cds = load_amazon_cds()
        return Task(cds.X, None, cds.X, cds.y)
    if name in ("sport", "cloth", "phone"):
        pair = load_amazon_pair(SOURCES[name], name)
        return Task(pair.Y_target, None, pair.Y_target, pair.Y_held_out)
    X, wanted = holdout_random(whole(name), random_state=0)
    return Task(X, None, X, wanted)


def load_cold(name):
    """Return the task of models that recommend to rows new to the target."""
    if name in ("arts", "office"):
        pair = pair_of_shops(SOURCES[name], name)
        return Task(pair.X_source, pair.Y_target, pair.X_cold, pair.Y_cold)
    pair = load_amazon_pair(SOURCES[name], name)
    if "X_cold" in pair:
        return Task(pair.X_source, pair.Y_target, pair.X_cold, pair.Y_cold)
    return cold_task(pair.X_source, pair.Y_target, random_state=0)


def whole(name):
    """Return all interactions of data that have no test file."""
    if name == "movielens":
        ratings = load_movielens().ratings
        return pattern_of(from_log(ratings.user_id, ratings.movie_id))
    if name == "citeulike":
        return load_citeulike().interactions
    if name in ("game", "video"):
        return load_amazon_pair(SOURCES[name], name).target.matrix
    content = get_data_home() / "content"
    if name in ("arts", "office"):
        return pattern_of(from_histories(content / "arts_office" / name / "histories.txt"))
    if name in MARKETS:
        return pattern_of(from_table(content / "markets" / f"{name}.tsv"))
    return make_cross_domain(1000, 400, source_density=0.03, random_state=0).source.matrix


DATA = ["movielens", "citeulike", "arts", "office", *MARKETS]
DATA += ["phone", "sport", "cloth", "game", "video", "amazon_cds", "generated"]


# What one run can do in an hour.
WHOLE = [name for name in DATA if name not in ("amazon_cds", "generated")]


def sampled_rows(y, n_rows):
    """Return some of the rows that have something to find, in order."""
    rows = np.flatnonzero(np.diff(y.indptr))
    n_rows = min(n_rows, len(rows))
    return rows[np.sort(sample_without_replacement(len(rows), n_rows, random_state=0))]


def search_of(model, grid, task):
    """Return the search of the parameters of a model, its grid widened where necessary."""
    task = task.for_search()

    def evaluate(parameters):
        candidate = clone(model).set_params(**parameters)
        return {"NDCG@20": float(task.ndcg(task.fitted(candidate), N_TUNING_ROWS).mean())}

    return searched(evaluate, grid, bounds={name: {0: "no values below 0"} for name in grid})


def tasks(data, names):
    """Yield the title of each task, the task, and the models for it that have one of the names."""
    found = [(data, load, MODELS)]
    if data in SOURCES:
        found.append((f"{data} ({SOURCES[data]}), new rows", load_cold, COLD_MODELS))
    for title, loader, models in found:
        models = {name: models[name] for name in names if name in models}
        if models:
            yield title, loader(data), models


def line(name, choice, task, title, parameters):
    """Return the line of a model, and keep what was chosen among the parameters."""
    popularity = str_.PopularityRecommender().fit(task.X if task.y is None else task.y)
    unfitted = clone(choice.model).set_params(**choice.first)
    search = search_of(unfitted, choice.grid, task)
    of_search = clone(unfitted).set_params(**search["chosen"])
    parameters[f"{title}: {name}, tuned"] = {
        part: search[part] for part in ("grid", "natural_bounds", "chosen")
    }
    default, cost = measure(task.fitted, choice.model)
    parameters[f"{title}: {name}, auto"] = chosen_by_auto(default)
    best, fixed_cost = measure(task.fitted, of_search)
    old = task.fitted(clone(choice.model).set_params(**choice.before))
    models = [default, best, old]
    of_default, of_tuned, of_old = (task.ndcg(each, N_TEST_ROWS) for each in models)
    ratio = of_default.mean() / of_tuned.mean()
    error = mean_and_error(of_default - of_tuned).error / of_tuned.mean()
    print(title, name, round(ratio, 3), cost, fixed_cost, file=sys.stderr)
    return [
        name,
        mean_and_error(of_default),
        mean_and_error(of_tuned),
        Estimate(ratio, error),
        mean_and_error(of_old),
        mean_and_error(popularity_ndcg(popularity, task)),
        cost.cpu_seconds,
        fixed_cost.cpu_seconds,
    ]


def popularity_ndcg(popularity, task):
    """Return the NDCG of the rows by popularity, which reads no source."""
    if task.y is None:
        return task.ndcg(popularity, N_TEST_ROWS)
    nothing_known = sp.csr_array(task.wanted.shape, dtype=np.float32)
    return Task(task.X, task.y, nothing_known, task.wanted).ndcg(popularity, N_TEST_ROWS)


def chosen_by_auto(model):
    """Return what `fit` has chosen for the parameters that are "auto" or None."""
    model = recommender_of(model)
    return {
        name: _in_short(getattr(model, f"{name}_"))
        for name, value in model.get_params(deep=False).items()
        if value in ("auto", None) and hasattr(model, f"{name}_")
    }


def _in_short(value):
    """Return a value, or the range of one for each column."""
    return f"{value.min():.4g} to {value.max():.4g}" if np.ndim(value) else value


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--data", nargs="+", choices=DATA, metavar="NAME", default=["generated"])
    names = [*MODELS, *COLD_MODELS]
    parser.add_argument("--models", nargs="+", choices=names, metavar="NAME")
    arguments = parser.parse_args()
    names = arguments.models or names
    parts = [*arguments.data, *(arguments.models or ())]
    parts = parts if parts != WHOLE else []
    choices = {name: choice for name, choice in (MODELS | COLD_MODELS).items() if name in names}
    record = Record(
        record_name("defaults", *parts),
        __doc__,
        arguments,
        PACKAGES,
        seeds=[0, 1],
        parameters={f"{name}, default": choice.model for name, choice in choices.items()}
        | {f"{name}, old default": choice.before for name, choice in choices.items()},
    )
    columns = {"model": "", "default": ".4f", "tuned": ".4f", "default over tuned": ".3f"}
    columns |= {"old default": ".4f", "popularity": ".4f"}
    columns |= {"fit, CPU s": ".2f", "fit of tuned, CPU s": ".2f"}
    for data in arguments.data:
        for title, task, models in tasks(data, names):
            lines = [line(*each, task, title, record.parameters) for each in models.items()]
            record.add(f"NDCG@{K}, {title}", columns, lines)
            # The search takes long, so what is known is kept.
            record.save()


if __name__ == "__main__":
    main()
