# SPDX-License-Identifier: BSD-3-Clause
"""Top-k recommendation: `recommend` of a factor model beside `implicit.cpu.topk`.

Both multiply the factors of rows and items and keep the best k items of each row, with one thread.
Items of one length are the hardest case. In a fitted model popular items are longer, so the last
two lines have lengths from 1 to 1/10, and rows are done before all items are multiplied.
The share compares the speed of these multiplications with that of a square matrix product (sgemm).

    python benchmarks/top_k.py
    python benchmarks/top_k.py --n-items 10000 --n-components 256 --k 100
"""

import numpy as np
import scipy.sparse as sp
from _record import Record, argument_parser
from _report import measure
from implicit.cpu.topk import topk

from sktransrec.base import FactorRecommenderMixin, InDomainRecommender


class GivenFactors(FactorRecommenderMixin, InDomainRecommender):
    """A factor model that spends no time on finding the factors of a row."""

    def __init__(self, row_factors, item_factors):
        self.row_factors = row_factors
        self.item_factors = item_factors

    def _fit(self, X):
        self.item_factors_ = self.item_factors

    def _row_factors(self, X):
        return self.row_factors[X.data.astype(np.intp) - 1]


def main():
    options = _options()
    rng = np.random.default_rng(0)
    n_rows, n_items, k = options.n_rows, options.n_items, options.k
    rows = rng.normal(size=(n_rows, options.n_components)).astype(np.float32)
    items = rng.normal(size=(n_items, options.n_components)).astype(np.float32)
    # Each row has one item, and its value is the number of the row: so the model finds its factors.
    numbers = np.arange(1, n_rows + 1, dtype=np.float32)
    seen = np.arange(n_rows) % n_items
    X = sp.csr_array((numbers, seen, np.arange(n_rows + 1)), shape=(n_rows, n_items))
    model = GivenFactors(rows, items).fit(X)
    lengths = rng.permutation(np.geomspace(1, 0.1, n_items, dtype=np.float32))
    uneven = items * lengths[:, None]
    with_uneven = GivenFactors(rows, uneven).fit(X)
    by_fortran = GivenFactors(rows, np.asfortranarray(items)).fit(X)

    def ours(model=model, exclude_seen=False):
        return model.recommend(X, n_recommendations=k, exclude_seen=exclude_seen)

    calls = {
        "product alone": lambda: _product(rows, items),
        "sktransrec": ours,
        "sktransrec, seen items left out": lambda: ours(exclude_seen=True),
        "sktransrec, item factors in Fortran order": lambda: ours(by_fortran),
        "implicit": lambda: topk(items, rows, k, num_threads=1),
        "implicit, seen items left out": lambda: topk(
            items, rows, k, filter_query_items=sp.csr_matrix(X), num_threads=1
        ),
        "sktransrec, items of different lengths": lambda: ours(with_uneven),
        "implicit, items of different lengths": lambda: topk(uneven, rows, k, num_threads=1),
    }
    _check_same(ours()[0], calls["implicit"]()[0])
    _check_same(ours(with_uneven)[0], topk(uneven, rows, k, num_threads=1)[0])
    seconds = _least_cpu_seconds(calls, options.repeats)
    flops = 2 * n_rows * n_items * options.n_components
    square = _square_product_flops_per_second(options.repeats)
    lines = [
        [name, cost, cost / seconds["implicit"], flops / cost / square]
        for name, cost in seconds.items()
    ]
    size = f"{n_rows} rows, {n_items} items, {options.n_components} factors, top {k}"
    packages = ("sktransrec", "numpy", "implicit")
    record = Record("top_k", __doc__, options, packages, seeds=[0], parameters={}, data=size)
    columns = {"": "", "CPU s": ".3f", "ratio to implicit": ".2f", "share of sgemm": ".0%"}
    record.add(f"Top {k}", columns, lines)
    record.save()


def _options():
    parser = argument_parser(__doc__)
    parser.add_argument("--n-rows", type=int, default=4096)
    parser.add_argument("--n-items", type=int, default=40_000)
    parser.add_argument("--n-components", type=int, default=64)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_args()


def _product(rows, items):
    block = np.empty((128, len(items)), dtype=np.float32)
    for start in range(0, len(rows) - 127, 128):
        np.matmul(rows[start : start + 128], items.T, out=block)


def _least_cpu_seconds(calls, repeats):
    """Return the least CPU seconds of each call, their turns interleaved."""
    seconds = dict.fromkeys(calls, np.inf)
    for _ in range(repeats):
        for name, call in calls.items():
            seconds[name] = min(seconds[name], measure(call)[1].cpu_seconds)
    return seconds


def _square_product_flops_per_second(repeats, size=2048):
    square = np.ones((size, size), dtype=np.float32)
    costs = [measure(np.matmul, square, square)[1].cpu_seconds for _ in range(repeats)]
    return 2 * size**3 / min(costs)


def _check_same(ours, theirs):
    same = (ours == theirs).mean()
    if same < 0.999:
        raise SystemExit(f"Only {same:.1%} of the recommendations agree.")


if __name__ == "__main__":
    main()
