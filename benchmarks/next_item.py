# SPDX-License-Identifier: BSD-3-Clause
"""Next-item recommendation over the full ranking, beside published figures.

    python benchmarks/next_item.py --data beauty --models closed-form
    python benchmarks/next_item.py --data lastfm --refit
    python benchmarks/next_item.py --data beauty --models networks --seeds 0 1
    python benchmarks/next_item.py --data lastfm --models stack
    python benchmarks/next_item.py --data lastfm --encoders attention --init random
    python benchmarks/next_item.py --data lastfm --tune --record

The last item of each history is the test item, and the item before it is the validation item. All
items that are new to a row are ranked; items with equal scores share the mean of their ranks. All
models learn from the items before the validation item. At the test they read the validation item
too. "Refitted" models are fitted once more, to all items but the test item.

All models have their defaults, many of which a fit chooses from what it learns from. Members of
votes have equal weights. The attributes of the items are those that S3-Rec reads. The users of
LastFM gave its tags, also to the items to find, so its figures with attributes are too good.

The stack learns the weights of the first four models and of an attending network from the last
known item of each history.

Networks have a budget, the same for all data: at most 100 epochs, 5 of them without progress, and
1,000 negatives. `--tune` searches the learning rate of the attending network on LastFM, by the
validation item, and all networks take it, on Beauty as well. They stop early by the validation
item, in the stack by the last items of a tenth of the histories. With `--refit` they are trained
once more, for the best number of epochs. Figures of networks are means over seeds ± the standard
deviation; the figure of a single fit has its standard error over rows. "Rank" is the time to score
and rank all items for all rows. `benchmarks/sequences.py` measures the speed of networks.
"""

import sys

import numpy as np
from _record import Record, SearchRecord, argument_parser, chosen, record_name
from _report import Estimate, measure
from sklearn.base import clone
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
ENCODERS = ["attention", "cnn", "gru"]
BUDGET = {"epochs": 100, "patience": 5, "n_negatives": 1000, "validation_fraction": 1.0}
# To search for each network and data set would take too long.
SEARCHED_NETWORK, SEARCHED_DATA = "attention", "lastfm"
NETWORK_GRID = {"learning_rate": [0.001, 0.003, 0.01]}
FOUR = ("item kNN, decayed", "graph filter, decayed", "transitions", "next-item ridge")
VOTES = {"vote of these four": FOUR, "vote of these five": (*FOUR, "attributes, decayed")}


def network(encoder, **parameters):
    """Return an unfitted network with the parameters that its search chose."""
    searched = chosen(record_name(NAME, SEARCHED_DATA), SEARCHED_NETWORK)
    return NextItemRecommender(encoder, **{**BUDGET, **searched, **parameters})


def single_models(histories):
    """Return the models without a training loop, by name."""
    n_items = histories.y_test.shape[1]
    attributes = TfidfTransformer().fit_transform(histories.item_attributes)

    def reader(recommender, **options):
        return HistoryRecommender(recommender, n_items=n_items, **options)

    return {
        "item kNN, no order": reader(ItemKNNRecommender(), decay=1),
        "item kNN, decayed": reader(ItemKNNRecommender()),
        "graph filter, decayed": reader(GraphFilterRecommender(random_state=0)),
        "transitions": TransitionRecommender(n_items=n_items),
        "next-item ridge": NextItemRidgeRecommender(n_items=n_items),
        "attributes, decayed": reader(ContentKNNRecommender(ItemFeatures(attributes))),
    }


def closed_form(histories):
    """Return the models without a training loop and their votes, by name."""
    models = single_models(histories)
    return models | {
        vote: VotingRecommender([(name, models[name]) for name in names])
        for vote, names in VOTES.items()
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


def quality_of_closed_form(histories, models):
    """Yield two lines for each model: learned without the validation item, and with it."""
    for name, model in models.items():
        for suffix, X in (("", histories.X_train), (", refitted", histories.X_test)):
            model, cost = measure(model.fit, X)
            ranks, rank_cost = measure(_ranks, model, histories.X_test, histories)
            cells = [*_cells([ranks]), None, cost.cpu_seconds, rank_cost.cpu_seconds]
            print(name + suffix, *cells, file=sys.stderr)
            yield [name + suffix, *cells]


def stack(histories, seed):
    """Return the unfitted stack of four models and of a network."""
    models = single_models(histories)
    own = {"n_items": histories.y_test.shape[1], "validation_fraction": 0.1, "random_state": seed}
    members = [*((name, models[name]) for name in FOUR), ("attention", network("attention", **own))]
    return StackingRecommender(members, holdout=1, random_state=seed)


def quality_of_stack(histories, stack):
    """Yield the lines of the stack and of its members, all refitted."""
    stack, cost = measure(stack.fit, histories.X_test)
    models = {"stack of the four and attention": stack, **stack.named_estimators_}
    for name, model in models.items():
        ranks, rank_cost = measure(_ranks, model, histories.X_test, histories)
        fit_cost = cost.cpu_seconds if model is stack else None
        yield [f"{name}, refitted", *_cells([ranks]), None, fit_cost, rank_cost.cpu_seconds]


def quality_of_networks(histories, networks, seeds, *, refit):
    """Yield the lines of the networks, with the spread over seeds."""
    for encoder, unfitted in networks.items():
        ranks, refitted_ranks, costs, epochs = [], [], [], []
        for seed in seeds:
            model = clone(unfitted).set_params(random_state=seed)
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


def published(data):
    """Yield the lines of published figures."""
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


def tune(arguments):
    """Search the learning rate by the NDCG@10 of the validation item."""
    histories = load_sequences(SEARCHED_DATA, max_length=MAX_LENGTH)

    def evaluate(parameters):
        model = NextItemRecommender(SEARCHED_NETWORK, random_state=0, **BUDGET, **parameters)
        model.fit(histories.X_test)
        figures = {"NDCG@10": 1 - min(model.validation_loss_curve_), "epochs": model.n_iter_}
        print(parameters, figures, file=sys.stderr)
        return figures

    folds = "the item before the last of each history, in the best epoch (seed 0)"
    record = SearchRecord(record_name(NAME, SEARCHED_DATA), arguments, PACKAGES, folds=folds)
    record.search(SEARCHED_NETWORK, evaluate, NETWORK_GRID)


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
    if arguments.tune:
        tune(arguments)
        return
    data = arguments.data
    histories = load_sequences(data, max_length=MAX_LENGTH)
    kinds = arguments.models or (["networks"] if arguments.encoders else MODELS)
    models = closed_form(histories) if "closed-form" in kinds else {}
    stacks = {"stack": stack(histories, arguments.seeds[0])} if "stack" in kinds else {}
    networks = {}
    if "networks" in kinds:
        options = {} if arguments.init is None else {"init": arguments.init}
        encoders = arguments.encoders or ENCODERS
        networks = {encoder: network(encoder, **options) for encoder in encoders}
    parts = *(arguments.models or ()), *(arguments.encoders or ()), arguments.init or ""
    record = Record(
        record_name(NAME, data, *parts),
        __doc__,
        arguments,
        PACKAGES,
        seeds=sorted({0, *(arguments.seeds if networks else arguments.seeds[: len(stacks)])}),
        parameters=models | stacks | networks,
    )
    columns = {data: "", **dict.fromkeys(METRICS.values(), ".4f"), "epochs": ".1f"}
    columns |= {"fit, CPU s": ".1f", "rank, CPU s": ".1f"}
    lines = [
        *baselines(histories),
        *quality_of_closed_form(histories, models),
        *(line for each in stacks.values() for line in quality_of_stack(histories, each)),
        *quality_of_networks(histories, networks, arguments.seeds, refit=arguments.refit),
        *published(data),
    ]
    record.add(f"What comes next, {data}", columns, lines)
    record.save()


if __name__ == "__main__":
    main()
