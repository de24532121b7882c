# SPDX-License-Identifier: BSD-3-Clause
"""Seconds and memory of encoding, splitting and aligning a log of events.

    python benchmarks/interactions.py --events 10_000_000

The log is generated: users and items of long-tailed popularity, random times and values.
"""

import numpy as np
import pandas as pd
import scipy.sparse as sp
from _record import Record, argument_parser
from _report import measure

from sktransrec.interactions import (
    InteractionEncoder,
    align_domains,
    find_cross_listed,
    holdout_after,
    holdout_last,
    holdout_random,
)


def make_log(n_events, seed=0):
    """Return a DataFrame of events of about n_events / 50 users and n_events / 250 items."""
    rng = np.random.RandomState(seed)
    n_users, n_items = max(n_events // 50, 10), max(n_events // 250, 10)
    return pd.DataFrame(
        {
            "user": _long_tailed(rng, n_users, n_events),
            "item": _long_tailed(rng, n_items, n_events),
            "value": rng.randint(1, 6, size=n_events),
            "time": rng.randint(1_500_000_000, 1_600_000_000, size=n_events),
        }
    )


def _long_tailed(rng, n_ids, size):
    popularity = 1 / np.arange(1, n_ids + 1) ** 0.8
    cumulated = np.cumsum(popularity) / popularity.sum()
    drawn = np.searchsorted(cumulated, rng.uniform(size=size)).clip(max=n_ids - 1)
    return rng.permutation(n_ids)[drawn]


def count_matrix(log):
    """Return counts by the shortest way there is, unsorted, unchecked and not to be reused."""
    rows, users = pd.factorize(log["user"])
    columns, items = pd.factorize(log["item"])
    ones = np.ones(len(log), dtype=np.float32)
    return sp.coo_array((ones, (rows, columns)), shape=(len(users), len(items))).tocsr()


def jobs(log):
    """Yield (name, function) for everything to be timed."""
    columns = {name: log[name].to_numpy() for name in ("user", "item")}
    named = log.assign(user="user" + log["user"].astype(str), item="item" + log["item"].astype(str))
    latest = InteractionEncoder(
        value="value",
        time="time",
        duplicates="last",
        min_user_interactions=5,
        min_item_interactions=5,
    )
    encoder = InteractionEncoder(time="time")
    X = encoder.fit_transform(log)
    half = X.shape[1] // 2
    yield "pandas.factorize and coo_array.tocsr alone, integers", lambda: count_matrix(log)
    yield "pandas.factorize and coo_array.tocsr alone, strings", lambda: count_matrix(named)
    yield "fit_transform, integers in a DataFrame", lambda: InteractionEncoder().fit_transform(log)
    yield "fit_transform, integers in numpy", lambda: InteractionEncoder().fit_transform(columns)
    yield "fit_transform, strings", lambda: InteractionEncoder().fit_transform(named)
    yield "fit_transform, latest value, 5-core", lambda: latest.fit_transform(log)
    yield "transform", lambda: encoder.transform(log)
    yield "inverse_transform", lambda: encoder.inverse_transform(X)
    yield "sequences, 50 latest", lambda: encoder.sequences(log, max_length=50)
    yield "holdout_random", lambda: holdout_random(X, random_state=0)
    yield "holdout_last", lambda: holdout_last(log, encoder)
    yield "holdout_after", lambda: holdout_after(log, encoder, log["time"].median())
    yield "align_domains, two logs of this size", lambda: align_domains(log, log[::-1])
    yield (
        "find_cross_listed, half the items each",
        lambda: find_cross_listed(X[:, :half], X[:, half:]),
    )


def costs(log):
    for name, job in jobs(log):
        _, cost = measure(job)
        yield name, cost.cpu_seconds, cost.wall_seconds, cost.peak_mib


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    arguments = parser.parse_args()
    log = make_log(arguments.events)
    size = f"{len(log)} events, {log['user'].nunique()} users, {log['item'].nunique()} items"
    packages = ("sktransrec", "numpy", "pandas", "scipy")
    record = Record(
        "interactions", __doc__, arguments, packages, seeds=[0], parameters={}, data=size
    )
    columns = {"job": "", "CPU s": ".2f", "wall s": ".2f", "peak MiB": ".0f"}
    record.add("Cost", columns, costs(log))
    record.save()


if __name__ == "__main__":
    main()
