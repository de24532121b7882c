"""The ranking metrics by name, each with its function and how it is written."""

from collections.abc import Callable
from typing import NamedTuple

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
    """A metric of the best k items of a row."""

    function: Callable
    label: str


METRICS = {
    "average_precision": Metric(average_precision_at_k, "MAP"),
    "f1": Metric(f1_at_k, "F1"),
    "hit_rate": Metric(hit_rate_at_k, "HR"),
    "ndcg": Metric(ndcg_at_k, "NDCG"),
    "precision": Metric(precision_at_k, "precision"),
    "recall": Metric(recall_at_k, "recall"),
    "reciprocal_rank": Metric(reciprocal_rank_at_k, "MRR"),
}
