"""Next-item recommendation over the full ranking, beside published figures.

    python benchmarks/next_item.py --data lastfm --refit
    python benchmarks/next_item.py --data beauty --seeds 0 1
    python benchmarks/next_item.py --data lastfm --tune

The last item of each history is the test item and the one before it the validation item; all items
that the row has not had are ranked, equal scores by the middle of their places. Networks learn
from what comes before the validation item and stop early by it; at the test they read it as well.
With `--refit` they are trained once more for as many epochs as were best, from all but the test
item. Parameters were chosen by the validation item alone, from the grid that `--tune` prints.
Figures are means over seeds ± their standard deviation; one of a single fit has its standard error
over rows. `benchmarks/sequences.py` has the speed.
"""

import argparse
import inspect
import sys

import numpy as np
from _report import environment, format_table, measure
from sklearn.model_selection import ParameterGrid

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

# What `--tune` searches. Where it is larger than an hour allows, it was searched in part.
GRID = {
    encoder: {"n_layers": [1, 2], "dropout": [0.3, 0.4, 0.5], "n_components": [64, 128]}
    for encoder in ("attention", "cnn", "gru")
}
COMMON = {
    "lastfm": {"validation_fraction": 1.0, "epochs": 200, "patience": 20, "learning_rate": 0.003},
    "beauty": {"validation_fraction": 1.0, "epochs": 40, "patience": 10, "n_negatives": 1000},
}
CHOSEN = {
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


def network(encoder, data, seed, **parameters):
    """Return an unfitted network with the chosen parameters and those given."""
    settings = {**COMMON[data], **CHOSEN[data][encoder], **parameters}
    return NextItemRecommender(encoder, random_state=seed, **settings)


def quality(data, encoders, seeds, *, refit):
    """Return the table of a data set: ours, with the spread over seeds, and published rows."""
    histories = load_sequences(data, max_length=MAX_LENGTH)
    rows = []
    seen = histories.seen_test
    baselines = {
        "popularity": (PopularityRecommender(), seen),
        "popularity, test items counted": (PopularityRecommender(), seen + histories.y_test),
        "item kNN": (ItemKNNRecommender(), histories.seen_valid),
        "item kNN, refitted": (ItemKNNRecommender(), seen),
    }
    for name, (model, learned) in baselines.items():
        model, cost = measure(model.fit, learned)
        rows.append([name, *_cells([_ranks(model, seen, histories)]), None, cost.cpu_seconds])
    for encoder in encoders:
        ranks, refitted_ranks, costs, epochs = [], [], [], []
        for seed in seeds:
            model, cost = measure(network(encoder, data, seed).fit, histories.X_test)
            ranks.append(_ranks(model, histories.X_test, histories))
            costs.append(cost.cpu_seconds)
            epochs.append(int(np.argmin(model.validation_loss_curve_)) + 1)
            print(encoder, seed, epochs[-1], rank_metrics(ranks[-1]), file=sys.stderr)
            if refit:
                model.set_params(epochs=epochs[-1], validation_fraction=0.0).fit(histories.X_test)
                refitted_ranks.append(_ranks(model, histories.X_test, histories))
                print("refitted", rank_metrics(refitted_ranks[-1]), file=sys.stderr)
        rows.append([encoder, *_cells(ranks), np.mean(epochs), np.mean(costs)])
        if refit:
            rows.append([f"{encoder}, refitted", *_cells(refitted_ranks), np.mean(epochs), None])
    for name, figures in PUBLISHED[data].items():
        rows.append([f"{name}, published", *map("{:.4f}".format, figures), None, None])
    return format_table([data, *METRICS.values(), "epochs", "fit, CPU s"], rows)


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
        cells.append(f"{np.mean(means):.4f} ± {error:.4f}")
    return cells


def tune(data, encoders):
    """Print the validation NDCG@10 of the grid of each network, best first."""
    histories = load_sequences(data, max_length=MAX_LENGTH)
    for encoder in encoders:
        rows = []
        for parameters in ParameterGrid(GRID[encoder]):
            model = network(encoder, data, 0, **parameters).fit(histories.X_test)
            best = 1 - min(model.validation_loss_curve_)
            rows.append([str(parameters), f"{best:.4f}", model.n_iter_])
            print(encoder, *rows[-1], file=sys.stderr)
        rows.sort(key=lambda row: row[1], reverse=True)
        title = f"{encoder}, {data}"
        print(format_table([title, "validation NDCG@10", "epochs"], rows), end="\n\n")


def main():
    parser = argparse.ArgumentParser(
        description=inspect.getdoc(sys.modules[__name__]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", choices=sorted(PUBLISHED), default="lastfm")
    parser.add_argument("--encoders", nargs="+", choices=sorted(GRID), default=sorted(GRID))
    parser.add_argument("--seeds", type=int, nargs="+", default=range(5))
    parser.add_argument(
        "--refit", action="store_true", help="train once more, with the validation item"
    )
    parser.add_argument("--tune", action="store_true", help="search the parameters instead")
    arguments = parser.parse_args()

    print(environment("tensorflow", "keras", "numpy"))
    if arguments.tune:
        tune(arguments.data, arguments.encoders)
    else:
        print(quality(arguments.data, arguments.encoders, arguments.seeds, refit=arguments.refit))


if __name__ == "__main__":
    main()
