# SPDX-License-Identifier: BSD-3-Clause
"""CPU time of an epoch of a next-item network, beside PyTorch's network of the same size.

    python benchmarks/sequences.py
    python benchmarks/sequences.py --items 50000 --encoders gru --threads 2
    python benchmarks/sequences.py --items 10000 100000 1000000 --negatives 1000

Both libraries train item vectors, the encoder and a softmax over all items with Adam. The histories
are generated; their lengths are geometric, 50 at most. "PyTorch" gets the same batches as ours:
histories of about the same length, cut to the longest. "PyTorch, padded" gets random batches padded
to 50 steps, as published code does.

Each measurement has its own process, and both libraries have the same number of threads. The figure
is the time of a long training minus that of a short one, so that it leaves out the import, the
compiling and the first weights. The ratio is our time over PyTorch's: smaller is better. With
`--negatives`, only ours is trained, with a sampled softmax, to show how the cost of an epoch
depends on the number of items.
"""

import argparse
from functools import partial

import numpy as np
from _record import Record, argument_parser, record_name
from _report import beside_ours, printed_apart, seconds_per_epoch

from sktransrec import NextItemRecommender

N_COMPONENTS = 64
MAX_LENGTH = 50
BATCH_SIZE = 128
SIZES = {"gru": {"n_layers": 1}, "attention": {"n_layers": 2}}


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--encoders", nargs="+", choices=sorted(SIZES), default=sorted(SIZES))
    parser.add_argument("--items", type=int, nargs="+", default=[10_000])
    parser.add_argument("--negatives", type=int, default=0)
    parser.add_argument("--rows", type=int, default=3_840)
    parser.add_argument("--mean-length", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--measure", choices=sorted(TRAININGS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(epoch_seconds(arguments))
        return
    peers = [] if arguments.negatives else ["torch"]
    packages = ("sktransrec", "tensorflow", "keras", *peers)
    name = record_name("sequences", "sampled" if arguments.negatives else "")
    threads = f"{arguments.threads} thread(s)"
    parameters = {encoder: our_network(encoder) for encoder in arguments.encoders}
    record = Record(
        name, __doc__, arguments, packages, seeds=[0], parameters=parameters, threads=threads
    )
    lines = [
        line
        for encoder in arguments.encoders
        for n_items in arguments.items
        for line in compared(encoder, n_items, arguments)
    ]
    columns = {"training": "", "CPU s per epoch": ".2f", "ratio of ours": ".2f"}
    record.add("Epochs", columns, lines)
    record.save()


def compared(encoder, n_items, arguments):
    """Return a line of the table for each training."""
    trainings = ["sktransrec"] if arguments.negatives else TRAININGS
    measured = partial(measured_apart, encoder, n_items, arguments)
    return beside_ours(measured, trainings, f"{encoder}, {n_items} items", arguments.repeats)


def measured_apart(encoder, n_items, arguments, name):
    """Return the CPU seconds of an epoch measured in a new process."""
    options = ["--measure", name, "--encoders", encoder, "--items", n_items]
    for option in ("rows", "mean_length", "epochs", "negatives"):
        options += [f"--{option.replace('_', '-')}", getattr(arguments, option)]
    return printed_apart(__file__, options, threads=arguments.threads)


def epoch_seconds(arguments):
    """Return the CPU seconds of an epoch of the training to measure."""
    X = histories(arguments.rows, *arguments.items, arguments.mean_length)
    (encoder,) = arguments.encoders
    options = {"n_negatives": arguments.negatives or None}
    train = partial(TRAININGS[arguments.measure], encoder, X, **options)
    return seconds_per_epoch(train, arguments.epochs)


def histories(n_rows, n_items, mean_length):
    """Return item ids of random lengths, drawn with probability ~ rank ** -0.8."""
    rng = np.random.RandomState(0)
    shares = np.arange(1, n_items + 1) ** -0.8
    X = 1 + rng.choice(n_items, size=(n_rows, MAX_LENGTH + 1), p=shares / shares.sum())
    lengths = np.minimum(1 + rng.geometric(1 / (mean_length - 1), size=n_rows), MAX_LENGTH + 1)
    X[np.arange(MAX_LENGTH + 1) >= lengths[:, None]] = 0
    X[0, 0] = n_items
    return X.astype(np.int32)


def our_network(encoder):
    options = {"n_components": N_COMPONENTS, "batch_size": BATCH_SIZE, **SIZES[encoder]}
    return NextItemRecommender(encoder, random_state=0, **options)


def train_ours(encoder, X, epochs, n_negatives):
    our_network(encoder).set_params(epochs=epochs, n_negatives=n_negatives).fit(X)


def train_torch(encoder, X, epochs, n_negatives, *, is_padded=False):
    import torch

    network = torch_network(encoder, int(X.max()))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    rng = np.random.RandomState(0)
    for _ in range(epochs):
        for rows in torch_batches(X, rng, is_padded):
            batch = X[rows].astype(np.int64)
            if not is_padded:
                batch = batch[:, : np.count_nonzero(batch, axis=1).max()]
            following = batch[:, 1:]
            codes = network(torch.from_numpy(batch[:, :-1]))[torch.from_numpy(following > 0)]
            scores = codes @ network.items.weight[1:].T + network.bias
            targets = torch.from_numpy(following[following > 0] - 1)
            loss = torch.nn.functional.cross_entropy(scores, targets, reduction="sum")
            optimizer.zero_grad()
            (loss / len(rows)).backward()
            optimizer.step()


def torch_batches(X, rng, is_padded):
    """Return the rows of each batch: any, or those of about the same length."""
    order = rng.permutation(len(X))
    if not is_padded:
        order = order[np.argsort(np.count_nonzero(X[order], axis=1), kind="stable")]
    return np.array_split(order, len(X) // BATCH_SIZE)


def train_padded_torch(encoder, X, epochs, n_negatives):
    train_torch(encoder, X, epochs, n_negatives, is_padded=True)


def torch_network(encoder, n_items):
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.items = nn.Embedding(n_items + 1, N_COMPONENTS)
            self.bias = nn.Parameter(torch.zeros(n_items))
            self.dropout = nn.Dropout(0.3)
            self.normalization = nn.LayerNorm(N_COMPONENTS)
            if encoder == "gru":
                self.gru = nn.GRU(N_COMPONENTS, N_COMPONENTS, batch_first=True)
                self.output = nn.Linear(N_COMPONENTS, N_COMPONENTS)
                return
            self.positions = nn.Embedding(MAX_LENGTH, N_COMPONENTS)
            block = nn.TransformerEncoderLayer(
                *(N_COMPONENTS, 1, 4 * N_COMPONENTS, 0.3, "gelu"),
                batch_first=True,
                norm_first=True,
            )
            self.blocks = nn.TransformerEncoder(
                block, SIZES[encoder]["n_layers"], enable_nested_tensor=False
            )

        def forward(self, ids):
            hidden = self.items(ids)
            if encoder == "gru":
                hidden, _ = self.gru(self.dropout(hidden))
                return self.normalization(self.output(self.dropout(hidden)))
            n_steps = ids.shape[1]
            hidden = self.dropout(hidden + self.positions.weight[:n_steps])
            mask = nn.Transformer.generate_square_subsequent_mask(n_steps)
            return self.normalization(self.blocks(hidden, mask=mask, is_causal=True))

    return Network()


TRAININGS = {
    "sktransrec": train_ours,
    "PyTorch": train_torch,
    "PyTorch, padded": train_padded_torch,
}

if __name__ == "__main__":
    main()
