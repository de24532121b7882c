"""Next-item recommendation over the full ranking, beside published figures.

    python benchmarks/next_item.py --data lastfm --refit
    python benchmarks/next_item.py --data beauty --seeds 0 1
    python benchmarks/next_item.py --data lastfm --tune

The last item of each history is the test item and the one before it the validation item; all items
that the row has not had are ranked, equal scores by the middle of their places. Networks learn
from what comes before the validation item and stop early by it; at the test they read it as well.
With `--refit` they are trained once more for as many epochs as were best, from all but the test
item. `--tune` searches their parameters by the validation item alone; where there is no record of
a search, `SETTINGS` holds what is used. Figures are means over seeds ± their standard deviation;
one of a single fit has its standard error over rows. `benchmarks/sequences.py` has the speed.
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

from sktransrec import ItemKNNRecommender, NextItemRecommender, PopularityRecommender
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
GRID = {"n_layers": [1, 2, 3], "dropout": [0.3, 0.4, 0.5, 0.6], "n_components": [32, 64, 128]}
BOUNDS = {"n_layers": {1: "there is no network of fewer layers"}}
COMMON = {
    "lastfm": {"validation_fraction": 1.0, "epochs": 200, "patience": 20, "learning_rate": 0.003},
    "beauty": {"validation_fraction": 1.0, "epochs": 40, "patience": 10, "n_negatives": 1000},
}
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


def quality(data, encoders, seeds, *, refit):
    """Yield the lines of the table: ours, with the spread over seeds, and published ones."""
    histories = load_sequences(data, max_length=MAX_LENGTH)
    seen = histories.seen_test
    baselines = {
        "popularity": (PopularityRecommender(), seen),
        "popularity, test items counted": (PopularityRecommender(), seen + histories.y_test),
        "item kNN": (ItemKNNRecommender(), histories.seen_valid),
        "item kNN, refitted": (ItemKNNRecommender(), seen),
    }
    for name, (model, learned) in baselines.items():
        model, cost = measure(model.fit, learned)
        yield [name, *_cells([_ranks(model, seen, histories)]), None, cost.cpu_seconds]
    for encoder in encoders:
        ranks, refitted_ranks, costs, epochs = [], [], [], []
        for seed in seeds:
            model = NextItemRecommender(encoder, random_state=seed, **settings(encoder, data))
            model, cost = measure(model.fit, histories.X_test)
            ranks.append(_ranks(model, histories.X_test, histories))
            costs.append(cost.cpu_seconds)
            epochs.append(int(np.argmin(model.validation_loss_curve_)) + 1)
            print(encoder, seed, epochs[-1], rank_metrics(ranks[-1]), cost, file=sys.stderr)
            if refit:
                model.set_params(epochs=epochs[-1], validation_fraction=0.0).fit(histories.X_test)
                refitted_ranks.append(_ranks(model, histories.X_test, histories))
                print("refitted", rank_metrics(refitted_ranks[-1]), file=sys.stderr)
        yield [encoder, *_cells(ranks), np.mean(epochs), np.mean(costs)]
        if refit:
            yield [f"{encoder}, refitted", *_cells(refitted_ranks), np.mean(epochs), None]
    for name, figures in PUBLISHED[data].items():
        yield [f"{name}, published", *figures, None, None]


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
        "--refit", action="store_true", help="train once more, with the validation item"
    )
    parser.add_argument("--tune", action="store_true", help="search the parameters instead")
    arguments = parser.parse_args()
    data, encoders = arguments.data, arguments.encoders or ENCODERS
    if arguments.tune:
        tune(data, encoders, arguments)
        return
    name = record_name(NAME, data, *(arguments.encoders or ()))
    record = Record(name, __doc__, arguments, PACKAGES, seeds=list(arguments.seeds))
    record.parameters |= {encoder: settings(encoder, data) for encoder in encoders}
    columns = {data: "", **dict.fromkeys(METRICS.values(), ".4f"), "epochs": ".1f"}
    table = quality(data, encoders, arguments.seeds, refit=arguments.refit)
    record.add(f"What comes next, {data}", columns | {"fit, CPU s": ".1f"}, table)
    record.save()


if __name__ == "__main__":
    main()
