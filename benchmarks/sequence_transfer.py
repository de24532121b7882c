# SPDX-License-Identifier: BSD-3-Clause
"""Networks for the next item, trained on other people or another catalogue, for small targets.

    python benchmarks/sequence_transfer.py --task users
    python benchmarks/sequence_transfer.py --task items --seeds 0
    python benchmarks/sequence_transfer.py --task body --gate

The source is the first half of the users of Beauty, the target has as many users as LastFM:

- users: users of the second half of Beauty, who choose from the same items.
- items: the same users, but source and target share no item. Each half of the users has only its
  half of the items. Networks read items by their attributes, reduced by a singular value
  decomposition of both halves.
- body: LastFM. Nothing is shared: the vectors of the items start from scratch, and only the layers
  between them are copied.

The last item of each history is ranked among all items that are new to the row. The item before it
decides when training stops. NDCG@10 is the mean over seeds and rows ± its standard error over rows.
The gain is the difference to the same network trained from scratch, on the same rows. Networks have
the parameters of `benchmarks/next_item.py`. With `--gate`, a `TransferGate` compares both networks
on the training histories and decides.
"""

import sys
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from _record import Record, argument_parser, record_name
from _report import mean_and_error, measure
from next_item import network
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from sktransrec import (
    ItemFeatures,
    ItemKNNRecommender,
    NextItemRecommender,
    PopularityRecommender,
    TransferGate,
)
from sktransrec.datasets import load_sequences
from sktransrec.datasets._base import indicator_matrix
from sktransrec.metrics import held_out_ranks

N_TARGET_USERS = 1_090
N_CONTENT_FEATURES = 64
MAX_LENGTH = 1_000  # longer than any history
ENCODER = "attention"


@dataclass(frozen=True)
class Task:
    """Histories of the source; those of the target without their last item, and that item."""

    X_source: np.ndarray
    X: np.ndarray
    y: np.ndarray
    seen: sp.csr_array
    source_network: NextItemRecommender
    network: NextItemRecommender

    @property
    def shares_items(self):
        return self.source_network.item_ids is not None and np.array_equal(
            self.source_network.item_ids, self.network.item_ids
        )


def users_task():
    source, target = _halves(load_sequences("beauty", max_length=MAX_LENGTH).sequences)
    n_items = max(map(max, source + target))
    of_both = network(ENCODER, n_items=n_items, item_ids=np.arange(n_items))
    return _task(source, _chosen(target), n_items, of_both, of_both)


def items_task():
    beauty = load_sequences("beauty", max_length=MAX_LENGTH)
    content = make_pipeline(
        TfidfTransformer(), TruncatedSVD(N_CONTENT_FEATURES, random_state=0), Normalizer()
    ).fit_transform(beauty.item_attributes)
    items = np.random.RandomState(0).permutation(len(content))
    halves = np.sort(items[: len(items) // 2]), np.sort(items[len(items) // 2 :])
    source, target = (
        _restricted(rows, half)
        for rows, half in zip(_halves(beauty.sequences), halves, strict=True)
    )
    networks = [
        network(ENCODER, item_features=ItemFeatures(content[half].astype(np.float32)))
        for half in halves
    ]
    return _task(source, _chosen(target), len(halves[1]), *networks)


def body_task():
    source, _ = _halves(load_sequences("beauty", max_length=MAX_LENGTH).sequences)
    target = load_sequences("lastfm", max_length=MAX_LENGTH).sequences
    networks = [
        network(ENCODER, n_items=n_items, item_ids=[f"{name} {i}" for i in range(n_items)])
        for name, n_items in (
            ("product", max(map(max, source))),
            ("artist", max(map(max, target))),
        )
    ]
    return _task(source, target, networks[1].n_items, *networks)


TASKS = {"users": users_task, "items": items_task, "body": body_task}


def _halves(sequences):
    """Return the histories of the first half of the users, and of the second half."""
    middle = len(sequences) // 2
    return list(sequences[:middle]), list(sequences[middle:])


def _restricted(sequences, items):
    """Return the histories of three or more of the given items, numbered from 1 on."""
    new_ids = np.zeros(1 + max(map(max, sequences)) + len(items), dtype=np.int32)
    new_ids[items + 1] = np.arange(1, len(items) + 1)
    rows = [new_ids[row][new_ids[row] > 0] for row in sequences]
    return [row for row in rows if len(row) >= 3]


def _chosen(sequences):
    rows = np.random.RandomState(0).permutation(len(sequences))[:N_TARGET_USERS]
    return [sequences[row] for row in rows]


def _task(source, target, n_items, source_network, target_network):
    seen = [row[:-1] for row in target]
    n_steps = max(map(len, source + seen))
    return Task(
        X_source=_padded(source, n_steps),
        X=_padded(seen, n_steps),
        y=_matrix([row[-1:] for row in target], n_items),
        seen=_matrix(seen, n_items),
        source_network=source_network,
        network=target_network,
    )


def _padded(sequences, n_steps):
    X = np.zeros((len(sequences), n_steps), dtype=np.int32)
    for row, sequence in zip(X, sequences, strict=True):
        row[: len(sequence)] = sequence
    return X


def _matrix(sequences, n_items):
    rows = np.repeat(np.arange(len(sequences)), list(map(len, sequences)))
    return indicator_matrix(rows, np.concatenate(sequences) - 1, (len(sequences), n_items))


def baselines(task):
    """Return fitted recommenders without order, by name."""
    models = {
        "popularity": PopularityRecommender().fit(task.seen),
        "item kNN, target alone": ItemKNNRecommender().fit(task.seen),
    }
    if task.shares_items:
        rows = [row[row > 0] for row in task.X_source]
        both = sp.vstack([task.seen, _matrix(rows, task.seen.shape[1])])
        models["item kNN, source and target"] = ItemKNNRecommender().fit(both)
    return models


def networks(task, trained):
    """Return the unfitted networks by name, and that of the source as it is where it can serve."""
    tuned = clone(task.network).set_params(pretrained=FrozenEstimator(trained))
    models = {
        "from scratch": task.network,
        "fine-tuned": tuned,
        "fine-tuned, held where it started": clone(tuned).set_params(l2_sp=0.01),
        "frozen but for the head": clone(tuned).set_params(trainable="head"),
    }
    as_it_is = None
    if task.shares_items:
        as_it_is = trained
    elif trained.item_features is not None:
        as_it_is = trained.with_item_features(task.network.item_features)
    return models, as_it_is


def parameters(model):
    """Return the parameters of a network without the long ones, which say what its items are."""
    items = ("item_ids", "item_features", "pretrained")
    return {name: value for name, value in model.get_params().items() if name not in items}


def gains(model, X, task):
    """Return the NDCG@10 of each row."""
    *_, ranks = held_out_ranks(model, X, task.y, exclude_interactions=task.seen)
    return np.where(ranks <= 10, 1 / np.log2(ranks + 1), 0)


def quality(task, trained, seeds):
    """Return the lines of the table, given a source network for each seed."""
    scores, costs = {}, {}
    for name, model in baselines(task).items():
        scores[name] = [gains(model, task.seen, task)]
    for seed, source in zip(seeds, trained, strict=True):
        models, as_it_is = networks(task, source)
        if as_it_is is not None:
            scores.setdefault("network of the source as it is", []).append(
                gains(as_it_is, task.X, task)
            )
        for name, model in models.items():
            model, cost = measure(clone(model).set_params(random_state=seed).fit, task.X)
            scores.setdefault(name, []).append(gains(model, task.X, task))
            costs.setdefault(name, []).append(cost.cpu_seconds)
            print(seed, name, f"{scores[name][-1].mean():.4f}", model.n_iter_, file=sys.stderr)
    means = {name: np.mean(fits, axis=0) for name, fits in scores.items()}
    scratch = means["from scratch"]
    return [
        [
            name,
            mean_and_error(mean),
            None if name == "from scratch" else mean_and_error(mean - scratch),
            np.mean(costs[name]) if name in costs else None,
        ]
        for name, mean in means.items()
    ]


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--task", choices=list(TASKS), default="users")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--gate", action="store_true", help="ask a TransferGate as well")
    arguments = parser.parse_args()

    task = TASKS[arguments.task]()
    record = Record(
        record_name("sequence_transfer", arguments.task),
        __doc__,
        arguments,
        ("sktransrec", "tensorflow", "keras", "numpy"),
        seeds=arguments.seeds,
        parameters={
            "source": parameters(task.source_network),
            "target": parameters(task.network),
        },
        data=f"{len(task.X_source)} histories in the source, {len(task.X)} in the target",
    )
    trained = [
        clone(task.source_network).set_params(random_state=seed).fit(task.X_source)
        for seed in arguments.seeds
    ]
    columns = {"model": "", "NDCG@10": ".4f", "gain over scratch": "+.4f", "fit, CPU s": ".1f"}
    title = f"Histories of other people, {arguments.task}"
    record.add(title, columns, quality(task, trained, arguments.seeds))
    if arguments.gate:
        models, _ = networks(task, trained[0])
        fallbacks = {"the network from scratch": models["from scratch"]}
        fallbacks["item kNN"] = ItemKNNRecommender()
        for name, fallback in fallbacks.items():
            parts = clone(models["fine-tuned"]).set_params(random_state=0), clone(fallback)
            gate = TransferGate(*parts, holdout=1, cv=2, random_state=0).fit(task.X)
            print(f"\nFine-tuning, or {name}\n{gate.decision_}")
    record.save()


if __name__ == "__main__":
    main()
