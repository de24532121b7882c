# SPDX-License-Identifier: BSD-3-Clause
"""Next-item recommendation over the full ranking, beside published figures.

    python benchmarks/next_item.py --data beauty --models closed-form
    python benchmarks/next_item.py --data lastfm --refit
    python benchmarks/next_item.py --data beauty --models networks --seeds 0 1
    python benchmarks/next_item.py --data lastfm --models stack
    python benchmarks/next_item.py --data lastfm --encoders attention --init random
    python benchmarks/next_item.py --data lastfm --tune

The last item of each history is the test item, and the item before it is the validation item. All
items that are new to a row are ranked; items with equal scores share the mean of their ranks. All
models learn from the items before the validation item. At the test they read the validation item
too. "Refitted" models are fitted once more, to all items but the test item.

Models in closed form have their default parameters. Only item kNN and the graph filter have fixed
ones. The weights of the votes were chosen from equal and doubled weights, by items before the test
item, on both data sets. The attributes of the items are those that S3-Rec reads. The users of
LastFM gave its tags, also to the items to find, so its figures with attributes are too good.

The stack learns the weights of the first four models and of an attending network, which learns for
a fixed number of epochs, from the last known item of each history.

Networks stop early by the validation item. With `--refit` they are trained once more, for the best
number of epochs. `--tune` searches their parameters by the validation item alone; without a record
of a search, they have the parameters in `SETTINGS`. Figures of networks are means over seeds ± the
standard deviation; the figure of a single fit has its standard error over rows. "Rank" is the time
to score and rank all items for all rows. `benchmarks/sequences.py` measures the speed of networks.
"""

import sys

import numpy as np
from _record import (
    Record,
    SearchRecord,
    argument_parser,
    chosen,
    read_searches,
    record_name,
    search_record_name,
)
from _report import Estimate, measure
from sklearn.feature_extraction.text import TfidfTransformer

from sktransrec import (
    ContentKNNRecommender,
    GraphFilterRecommender,
    HistoryRecommender,
    ItemFeatures,
    ItemKNNRecommender,
    NextItemRecommender,
    NextItemRidgeRecommender,
    PopularityRecommender,
    StackingRecommender,
    TransitionRecommender,
    VotingRecommender,
)
from sktransrec.datasets import load_sequences
from sktransrec.metrics import held_out_ranks, rank_metrics

MAX_LENGTH = 1_000  # longer than any history
METRICS = {"hit_rate": "HR@10", "ndcg": "NDCG@10"}

PUBLISHED = {
    "lastfm": {
        "popularity": (0.0440, 0.0203),
        "GRU4Rec": (0.0367, 0.0187),
        "Caser": (0.0413, 0.0214),
        "SASRec": (0.0688, 0.0390),
        "S3-Rec": (0.0743, 0.0427),
    },
    "beauty": {
        "popularity": (0.0152, 0.0068),
        "GRU4Rec": (0.0283, 0.0137),
        "Caser": (0.0347, 0.0176),
        "HGN": (0.0512, 0.0266),
        "SASRec": (0.0605, 0.0318),
        "S3-Rec": (0.0647, 0.0327),
    },
}

NAME = "next_item"
PACKAGES = ("sktransrec", "tensorflow", "keras", "numpy")
MODELS = ["closed-form", "stack", "networks"]
# What belongs together, twice, and what follows, twice: the two kinds count alike.
WEIGHTS = {"neighbours": 2, "graph filter": 2, "transitions": 1, "ridge": 1}
ITEM_KNN = {"weighting": "tfidf", "shrinkage": 10.0, "popularity_exponent": 0.0}
ATTRIBUTES_WEIGHT = 2
GRAPH_FILTER = {
    "n_components": 256,
    "row_exponent": 0.2,
    "item_exponent": 0.3,
    "low_pass_weight": 0.1,
}
DECAY = 0.8
GRID = {"n_layers": [1, 2, 3], "dropout": [0.3, 0.4, 0.5, 0.6], "n_components": [32, 64, 128]}
BOUNDS = {"n_layers": {1: "there is no network of fewer layers"}}
COMMON = {
    "lastfm": {"validation_fraction": 1.0, "epochs": 200, "patience": 5, "learning_rate": 0.003},
    "beauty": {"validation_fraction": 1.0, "epochs": 40, "patience": 3, "n_negatives": 1000},
}
EPOCHS_IN_STACK = 8
# Not from a recorded search.
SETTINGS = {
    "lastfm": {
        "attention": {"n_layers": 1, "dropout": 0.4},
        "cnn": {"n_layers": 2, "dropout": 0.5},
        "gru": {"n_layers": 1, "dropout": 0.5},
    },
    "beauty": {
        "attention": {"n_layers": 1, "dropout": 0.5},
        "cnn": {"n_layers": 2, "dropout": 0.5},
        "gru": {"n_layers": 1, "dropout": 0.5},
    },
}
ENCODERS = sorted(SETTINGS["lastfm"])


def settings(encoder, data):
    """Return the parameters of a network: those of its search, if that has a record."""
    name = record_name(NAME, data)
    if encoder in read_searches(search_record_name(name)):
        return {**COMMON[data], **chosen(name, encoder)}
    return {**COMMON[data], **SETTINGS[data][encoder]}


def closed_form(n_items, item_attributes):
    """Return the models without a training loop, by name."""
    item_knn = ItemKNNRecommender(**ITEM_KNN)
    neighbors = HistoryRecommender(item_knn, decay=DECAY, n_items=n_items)
    graph_filter = HistoryRecommender(
        GraphFilterRecommender(**GRAPH_FILTER, random_state=0), decay=DECAY, n_items=n_items
    )
    transitions = TransitionRecommender(n_items=n_items)
    ridge = NextItemRidgeRecommender(n_items=n_items)
    attributes = ItemFeatures(TfidfTransformer().fit_transform(item_attributes))
    content = HistoryRecommender(ContentKNNRecommender(attributes), decay=DECAY, n_items=n_items)
    members = list(zip(WEIGHTS, (neighbors, graph_filter, transitions, ridge), strict=True))
    return {
        "item kNN, no order": HistoryRecommender(item_knn, decay=1, n_items=n_items),
        "item kNN, decayed": neighbors,
        "graph filter, decayed": graph_filter,
        "transitions": transitions,
        "next-item ridge": ridge,
        "vote of these four": VotingRecommender(members, weights=list(WEIGHTS.values())),
        "attributes, decayed": content,
        "vote of these five": VotingRecommender(
            [*members, ("attributes", content)],
            weights=[*WEIGHTS.values(), ATTRIBUTES_WEIGHT],
        ),
    }


def baselines(histories):
    """Yield the lines of popularity."""
    seen = histories.seen_test
    learned = {
        "popularity": seen,
        "popularity, test items counted": seen + histories.y_test,
    }
    for name, interactions in learned.items():
        model, cost = measure(PopularityRecommender().fit, interactions)
        ranks, rank_cost = measure(_ranks, model, seen, histories)
        yield [name, *_cells([ranks]), None, cost.cpu_seconds, rank_cost.cpu_seconds]


def quality_of_closed_form(histories):
    """Yield two lines for each model: learned without the validation item, and with it."""
    models = closed_form(histories.y_test.shape[1], histories.item_attributes)
    for name, model in models.items():
        for suffix, X in (("", histories.X_train), (", refitted", histories.X_test)):
            model, cost = measure(model.fit, X)
            ranks, rank_cost = measure(_ranks, model, histories.X_test, histories)
            cells = [*_cells([ranks]), None, cost.cpu_seconds, rank_cost.cpu_seconds]
            print(name + suffix, *cells, file=sys.stderr)
            yield [name + suffix, *cells]


def quality_of_stack(histories, data, seed):
    """Yield the lines of the stack and of its members, all refitted."""
    n_items = histories.y_test.shape[1]
    vote = closed_form(n_items, histories.item_attributes)["vote of these four"]
    network = NextItemRecommender("attention", n_items=n_items, random_state=seed)
    network.set_params(**settings("attention", data))
    network.set_params(epochs=EPOCHS_IN_STACK, validation_fraction=0.0)
    members = [*vote.estimators, ("attention", network)]
    stack = StackingRecommender(members, holdout=1, random_state=seed)
    stack, cost = measure(stack.fit, histories.X_test)
    models = {"stack of the four and attention": stack, **stack.named_estimators_}
    for name, model in models.items():
        ranks, rank_cost = measure(_ranks, model, histories.X_test, histories)
        fit_cost = cost.cpu_seconds if model is stack else None
        yield [f"{name}, refitted", *_cells([ranks]), None, fit_cost, rank_cost.cpu_seconds]


def quality_of_networks(histories, data, encoders, seeds, *, refit, init):
    """Yield the lines of the networks, with the spread over seeds."""
    for encoder in encoders:
        ranks, refitted_ranks, costs, epochs = [], [], [], []
        for seed in seeds:
            model = NextItemRecommender(
                encoder, init=init, random_state=seed, **settings(encoder, data)
            )
            model, cost = measure(model.fit, histories.X_test)
            fitted_ranks, rank_cost = measure(_ranks, model, histories.X_test, histories)
            ranks.append(fitted_ranks)
            costs.append((cost.cpu_seconds, rank_cost.cpu_seconds))
            epochs.append(int(np.argmin(model.validation_loss_curve_)) + 1)
            print(encoder, seed, epochs[-1], rank_metrics(ranks[-1]), cost, file=sys.stderr)
            if refit:
                model.set_params(epochs=epochs[-1], validation_fraction=0.0).fit(histories.X_test)
                refitted_ranks.append(_ranks(model, histories.X_test, histories))
                print("refitted", rank_metrics(refitted_ranks[-1]), file=sys.stderr)
        yield [encoder, *_cells(ranks), np.mean(epochs), *np.mean(costs, axis=0)]
        if refit:
            yield [f"{encoder}, refitted", *_cells(refitted_ranks), np.mean(epochs), None, None]


def quality(data, models, encoders, seeds, *, refit, init):
    """Yield the lines of the table: first what needs no training loop, and published ones last."""
    histories = load_sequences(data, max_length=MAX_LENGTH)
    yield from baselines(histories)
    if "closed-form" in models:
        yield from quality_of_closed_form(histories)
    if "stack" in models:
        yield from quality_of_stack(histories, data, seeds[0])
    if "networks" in models:
        yield from quality_of_networks(histories, data, encoders, seeds, refit=refit, init=init)
    for name, figures in PUBLISHED[data].items():
        yield [f"{name}, published", *figures, None, None, None]


def _ranks(model, X, histories):
    """Return the rank of each test item among all that its row has not had."""
    *_, ranks = held_out_ranks(model, X, histories.y_test, exclude_interactions=histories.seen_test)
    return ranks


def _cells(ranks_of_fits):
    """Return each metric of one fit with its error over rows, of more with that over fits."""
    fits = [rank_metrics(ranks) for ranks in ranks_of_fits]
    cells = []
    for metric in METRICS:
        means = [fit[metric][0] for fit in fits]
        error = np.std(means, ddof=1) if len(means) > 1 else fits[0][metric][1]
        cells.append(Estimate(np.mean(means), error))
    return cells


def tune(data, encoders, arguments):
    """Search the parameters of each network by the NDCG@10 of the validation item."""
    histories = load_sequences(data, max_length=MAX_LENGTH)
    folds = "the item before the last of each history, in the best epoch (seed 0)"
    record = SearchRecord(record_name(NAME, data), arguments, PACKAGES, folds=folds)
    for encoder in encoders:

        def evaluate(parameters, encoder=encoder):
            parameters = {**COMMON[data], **parameters}
            model = NextItemRecommender(encoder, random_state=0, **parameters)
            model.fit(histories.X_test)
            figures = {"NDCG@10": 1 - min(model.validation_loss_curve_), "epochs": model.n_iter_}
            print(encoder, parameters, figures, file=sys.stderr)
            return figures

        record.search(encoder, evaluate, GRID, bounds=BOUNDS)


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--data", choices=sorted(PUBLISHED), default="lastfm")
    parser.add_argument("--encoders", nargs="+", choices=ENCODERS)
    parser.add_argument("--seeds", type=int, nargs="+", default=range(5))
    parser.add_argument(
        "--init", choices=["transitions", "random"], help="what the item vectors start from"
    )
    parser.add_argument(
        "--refit", action="store_true", help="train once more, with the validation item"
    )
    parser.add_argument("--tune", action="store_true", help="search the parameters instead")
    parser.add_argument("--models", nargs="+", choices=MODELS, help="the kinds of models, or all")
    arguments = parser.parse_args()
    data, encoders = arguments.data, arguments.encoders or ENCODERS
    if arguments.tune:
        tune(data, encoders, arguments)
        return
    models = arguments.models or (["networks"] if arguments.encoders else MODELS)
    parts = *(arguments.models or ()), *(arguments.encoders or ()), arguments.init or ""
    name = record_name(NAME, data, *parts)
    facts = {}
    if {"networks", "stack"} & set(models):
        facts["seeds"] = list(arguments.seeds)
    record = Record(name, __doc__, arguments, PACKAGES, **facts)
    if {"closed-form", "stack"} & set(models):
        weights = {**WEIGHTS, "attributes": ATTRIBUTES_WEIGHT}
        record.parameters |= {
            "item kNN": ITEM_KNN,
            "graph filter": GRAPH_FILTER,
            "decay": DECAY,
            "weights": weights,
        }
    if "networks" in models:
        record.parameters |= {encoder: settings(encoder, data) for encoder in encoders}
    columns = {data: "", **dict.fromkeys(METRICS.values(), ".4f"), "epochs": ".1f"}
    columns |= {"fit, CPU s": ".1f", "rank, CPU s": ".1f"}
    options = {"refit": arguments.refit, "init": arguments.init or "transitions"}
    table = quality(data, models, encoders, arguments.seeds, **options)
    record.add(f"What comes next, {data}", columns, table)
    record.save()


if __name__ == "__main__":
    main()
