# SPDX-License-Identifier: BSD-3-Clause
"""The ranking metrics by name, each with its function, how it is written and what it needs."""

from collections.abc import Callable
from typing import NamedTuple

from ._beyond_accuracy import (
    calibration_error_at_k,
    coverage_at_k,
    diversity_at_k,
    gini_at_k,
    novelty_at_k,
    popularity_lift_at_k,
    serendipity_at_k,
)
from ._ranking import (
    average_precision_at_k,
    f1_at_k,
    hit_rate_at_k,
    ndcg_at_k,
    precision_at_k,
    recall_at_k,
    reciprocal_rank_at_k,
)


class Metric(NamedTuple):
    """A metric of the best k items of the rows.

    `needs` are the positional arguments of its function before `k`. `sign` is -1 if smaller values
    are better. `numbers_items` says whether it depends on how many other items there are.
    """

    function: Callable
    label: str
    needs: tuple = ("y_true", "items")
    sign: int = 1
    numbers_items: bool = False


METRICS = {
    "average_precision": Metric(average_precision_at_k, "MAP"),
    "f1": Metric(f1_at_k, "F1"),
    "hit_rate": Metric(hit_rate_at_k, "HR"),
    "ndcg": Metric(ndcg_at_k, "NDCG"),
    "precision": Metric(precision_at_k, "precision"),
    "recall": Metric(recall_at_k, "recall"),
    "reciprocal_rank": Metric(reciprocal_rank_at_k, "MRR"),
}

BEYOND_ACCURACY = {
    "calibration_error": Metric(
        calibration_error_at_k, "calibration error", ("items", "interactions", "item_classes"), -1
    ),
    "coverage": Metric(coverage_at_k, "coverage", ("items", "n_items"), numbers_items=True),
    "diversity": Metric(diversity_at_k, "diversity", ("items", "item_vectors")),
    "gini": Metric(gini_at_k, "Gini", ("items", "n_items"), -1, numbers_items=True),
    "novelty": Metric(novelty_at_k, "novelty", ("items", "popularity")),
    "popularity_lift": Metric(
        popularity_lift_at_k, "popularity lift", ("items", "popularity", "interactions")
    ),
    "serendipity": Metric(
        serendipity_at_k, "serendipity", ("y_true", "items", "popularity"), numbers_items=True
    ),
}
