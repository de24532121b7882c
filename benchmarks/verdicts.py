# SPDX-License-Identifier: BSD-3-Clause
"""How often the intervals and the verdicts of `transfer_gain` are right.

    python benchmarks/verdicts.py

It draws the users of two generated domains many times, and measures a gain each time:

- of one draw of the source over another, where the true gain is 0;
- of a source over popularity, for cold users;
- of source and target over the target alone.

The true gain of the last two is the mean over the runs. It prints the standard deviation of the
gain over the runs, and the standard error over rows as a share of it. Then it prints how often the
95 % interval holds the true gain, how often there is a verdict, and how often the verdict is wrong.
The items stay the same in all runs of a line.
"""

import numpy as np
import scipy.sparse as sp
from _record import Record, argument_parser, record_name
from joblib import Parallel, delayed
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import Bunch

from sktransrec import EASERecommender, RidgeRecommender, holdout_random, transfer_gain
from sktransrec.datasets._generated import make_items, make_matrix, related_normals

N_SOURCE, N_TARGET, N_COMPONENTS = 60, 40, 5
GAIN = {"n_buckets": 1, "n_resamples": 1000}
N_USERS, RELATEDNESS = (150, 400), (0.0, 0.3, 1.0)


def make_domains(n_users, relatedness, random_state):
    """Return a function that draws users: two draws of what they have in the source, and theirs."""
    source_items, target_items = (
        make_items(N_COMPONENTS, 0.6, random_state, n) for n in (N_SOURCE, N_TARGET)
    )

    def draw(rng):
        tastes = rng.standard_normal((n_users, N_COMPONENTS))
        sources = [make_matrix(rng, "source", tastes, source_items, 0.2) for _ in range(2)]
        tastes = related_normals(tastes, relatedness, rng)
        return sources, make_matrix(rng, "target", tastes, target_items, 0.1)

    return draw


def two_draws(sources, target, rng):
    """Return the gain of a source over another draw of it."""
    models = [make_pipeline(_columns(i * N_SOURCE), RidgeRecommender()) for i in range(2)]
    return _gain(*models, np.hstack([source.toarray() for source in sources]), target, rng)


def over_popularity(sources, target, rng):
    """Return the gain of a source over popularity."""
    return _gain(RidgeRecommender(), None, sources[0].toarray(), target, rng)


def over_target_alone(sources, target, rng):
    """Return the gain of source and target over the target alone."""
    known, wanted = holdout_random(target, 0.3, random_state=rng)
    X = sp.hstack([sources[0], known], format="csr")
    columns = np.arange(N_SOURCE, X.shape[1])
    return _gain(EASERecommender(), EASERecommender(), X, wanted, rng, target_columns=columns)


COMPARISONS = {
    "two draws of one source": two_draws,
    "source over popularity": over_popularity,
    "both over the target alone": over_target_alone,
}


def _columns(first):
    """Return a transformer that keeps the columns of one draw."""
    return FunctionTransformer(_block, kw_args={"first": first})


def _block(X, first):
    return X[:, first : first + N_SOURCE]


def _gain(transfer, baseline, X, y, rng, **arguments):
    gain = transfer_gain(
        *(transfer, baseline, X, y),
        **GAIN,
        random_state=rng,
        **arguments,
    )
    differences = gain.scores[:, 0] - gain.scores[:, 1]
    row_error = np.nanstd(differences, ddof=1) / np.sqrt(gain.overall.n_rows)
    return gain.overall, row_error


def run(comparison, n_users, relatedness, seed, n_runs):
    """Return what the runs of a line come to."""
    draw = make_domains(n_users, relatedness, np.random.RandomState(seed))
    results = [
        COMPARISONS[comparison](*draw(rng), rng)
        for rng in map(np.random.RandomState, range(seed * n_runs, (seed + 1) * n_runs))
    ]
    gains = np.array([estimate.gain for estimate, _ in results])
    low, high = np.array([estimate.interval for estimate, _ in results]).T
    truth = 0.0 if comparison == "two draws of one source" else gains.mean()
    spread = np.sqrt(np.mean((gains - truth) ** 2))
    is_decided = (low > 0) | (high < 0)
    return Bunch(
        truth=truth,
        coverage=np.mean((low <= truth) & (truth <= high)),
        decisions=np.mean(is_decided),
        wrong=np.mean(is_decided & (np.sign(low) != np.sign(truth))),
        spread=spread,
        of_rows=np.sqrt(np.mean([error**2 for _, error in results])) / spread,
    )


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0, help="of the first line of each comparison")
    parser.add_argument("--comparisons", nargs="+", choices=COMPARISONS)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    name = record_name("verdicts", *(options.comparisons or ()))
    cells = [(n, relatedness) for n in N_USERS for relatedness in RELATEDNESS]
    record = Record(
        name,
        __doc__,
        options,
        ("sktransrec", "scikit-learn", "numpy"),
        seeds=range(options.seed, options.seed + len(cells)),
        parameters={"transfer_gain": GAIN},
    )
    lines = [(name, *cell) for name in options.comparisons or COMPARISONS for cell in cells]
    results = Parallel(options.jobs)(
        delayed(run)(*line, options.seed + i % len(cells), options.runs)
        for i, line in enumerate(lines)
    )
    columns = {"gain of": "", "true gain": "+.4f", "deviation": ".4f", "rows alone": ".0%"}
    columns |= dict.fromkeys(("coverage", "verdicts", "wrong"), ".1%")
    lines = [
        [
            f"{name}, {n} users, relatedness {relatedness:g}",
            *(r.truth, r.spread, r.of_rows, r.coverage, r.decisions, r.wrong),
        ]
        for (name, n, relatedness), r in zip(lines, results, strict=True)
    ]
    record.add("Intervals and verdicts", columns, lines)
    record.save()


if __name__ == "__main__":
    main()
