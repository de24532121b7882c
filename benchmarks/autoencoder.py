# SPDX-License-Identifier: BSD-3-Clause
"""CPU time of a training step of an autoencoder on a wide sparse matrix, beside PyTorch.

    python benchmarks/autoencoder.py
    python benchmarks/autoencoder.py --columns 10000 --loss mse --threads 2

Both libraries train the network n_columns -> 600 -> 200 -> 600 -> n_columns with Adam, on the same
batches of 500 rows. The popularity of the columns follows a power law. PyTorch's first layer is an
`EmbeddingBag`: like ours, it multiplies the nonzero entries only.

Each measurement has its own process, and both libraries have the same number of threads. The figure
is the time of a long training minus that of a short one, so that it leaves out the import, the
compiling and the first weights. The ratio is our time over PyTorch's: smaller is better.
"""

import argparse
from functools import partial

import numpy as np
import scipy.sparse as sp
from _record import Record, argument_parser
from _report import beside_ours, printed_apart, seconds_per_epoch

BATCH_SIZE = 500
N_BATCHES = 10
HIDDEN, CODE = 600, 200
MEAN_LENGTH = 40


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--columns", type=int, nargs="+", default=[10_000, 40_000])
    parser.add_argument("--loss", choices=["multinomial", "mse"], default="multinomial")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=3, help="epochs of ten steps to measure")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--measure", choices=sorted(TRAININGS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(milliseconds_per_step(arguments))
        return
    packages = ("sktransrec", "tensorflow", "keras", "torch")
    threads = f"{arguments.threads} thread(s)"
    record = Record(
        "autoencoder",
        __doc__,
        arguments,
        packages,
        seeds=[0],
        parameters={"sktransrec": our_network(arguments.loss)},
        threads=threads,
    )
    lines = [line for n_columns in arguments.columns for line in compared(n_columns, arguments)]
    columns = {"training": "", "CPU ms per step": ".0f", "ratio of ours": ".2f"}
    record.add(f"{arguments.loss} loss", columns, lines)
    record.save()


def compared(n_columns, arguments):
    """Return a line of the table for each training."""
    measured = partial(measured_apart, n_columns, arguments)
    return beside_ours(measured, TRAININGS, f"{n_columns} columns", arguments.repeats)


def measured_apart(n_columns, arguments, name):
    """Return the milliseconds of a step measured in a new process."""
    options = ["--measure", name, "--columns", n_columns]
    options += ["--loss", arguments.loss, "--epochs", arguments.epochs]
    return printed_apart(__file__, options, threads=arguments.threads)


def milliseconds_per_step(arguments):
    X = power_law_rows(BATCH_SIZE * N_BATCHES, arguments.columns[0])
    train = partial(TRAININGS[arguments.measure], X, arguments.loss)
    return 1e3 * seconds_per_epoch(train, arguments.epochs) / N_BATCHES


def power_law_rows(n_rows, n_columns):
    """Return 0/1 rows of random lengths, the columns drawn with probability ~ rank ** -0.8."""
    rng = np.random.RandomState(0)
    shares = np.arange(1, n_columns + 1) ** -0.8
    lengths = rng.geometric(1 / MEAN_LENGTH, size=n_rows)
    columns = rng.choice(n_columns, size=lengths.sum(), p=shares / shares.sum())
    rows = np.repeat(np.arange(n_rows), lengths)
    X = sp.csr_array((np.ones(len(rows), dtype=np.float32), (rows, columns)), (n_rows, n_columns))
    X.sum_duplicates()
    X.data[:] = 1
    return X


def our_network(loss):
    from sktransrec import Autoencoder

    return Autoencoder(
        n_components=CODE,
        hidden_layer_sizes=(HIDDEN,),
        code_activation="relu",
        loss=loss,
        normalize=False,
        batch_size=BATCH_SIZE,
        random_state=0,
    )


def train_ours(X, loss, epochs):
    our_network(loss).set_params(epochs=epochs).fit(X)


def train_torch(X, loss, epochs, fused=None):
    import torch

    network = torch_network(X.shape[1])
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=fused)
    for order in map(np.random.RandomState(0).permutation, [X.shape[0]] * epochs):
        for rows in np.split(order, N_BATCHES):
            batch = X[rows]
            targets = torch.from_numpy(batch.toarray())
            optimizer.zero_grad()
            output = network(
                torch.from_numpy(batch.indices.astype(np.int64)),
                torch.from_numpy(batch.indptr[:-1].astype(np.int64)),
                torch.from_numpy(batch.data),
            )
            torch_loss(output, targets, loss).backward()
            optimizer.step()


def torch_network(n_columns):
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.EmbeddingBag(n_columns, HIDDEN, mode="sum")
            nn.init.xavier_uniform_(self.first.weight)
            self.bias = nn.Parameter(torch.zeros(HIDDEN))
            self.rest = nn.Sequential(
                nn.ReLU(),
                *(nn.Linear(HIDDEN, CODE), nn.ReLU()),
                *(nn.Linear(CODE, HIDDEN), nn.ReLU()),
                nn.Linear(HIDDEN, n_columns),
            )

        def forward(self, columns, offsets, values):
            hidden = self.first(columns, offsets, per_sample_weights=values)
            return self.rest(hidden + self.bias)

    return Network()


def torch_loss(output, targets, loss):
    import torch

    if loss == "mse":
        return ((output - targets) ** 2).sum(dim=1).mean()
    return -(torch.log_softmax(output, dim=1) * targets).sum(dim=1).mean()


def train_torch_fused(X, loss, epochs):
    train_torch(X, loss, epochs, fused=True)


TRAININGS = {
    "sktransrec": train_ours,
    "PyTorch": train_torch,
    "PyTorch, fused Adam": train_torch_fused,
}

if __name__ == "__main__":
    main()
