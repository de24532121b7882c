# SPDX-License-Identifier: BSD-3-Clause
"""Ranking metrics, for each row or as a mean, and scorers for scikit-learn's searches."""

from ._auc import held_out_auc
from ._beyond_accuracy import (
    calibration_error_at_k,
    coverage_at_k,
    diversity_at_k,
    gini_at_k,
    novelty_at_k,
    popularity_lift_at_k,
    serendipity_at_k,
)
from ._buckets import BucketMetrics, BucketReport, metrics_by_bucket
from ._choice_odds import choice_odds
from ._debiased import debiased_scorer
from ._pairs import held_out_ranks, rank_metrics
from ._propensity import inverse_propensity_weights
from ._ranking import (
    average_precision_at_k,
    f1_at_k,
    hit_rate_at_k,
    ndcg_at_k,
    precision_at_k,
    recall_at_k,
    reciprocal_rank_at_k,
)
from ._ratings import rating_errors, rating_scorer
from ._scorer import ranking_scorer

__all__ = [
    "BucketMetrics",
    "BucketReport",
    "average_precision_at_k",
    "calibration_error_at_k",
    "choice_odds",
    "coverage_at_k",
    "debiased_scorer",
    "diversity_at_k",
    "f1_at_k",
    "gini_at_k",
    "held_out_auc",
    "held_out_ranks",
    "hit_rate_at_k",
    "inverse_propensity_weights",
    "metrics_by_bucket",
    "ndcg_at_k",
    "novelty_at_k",
    "popularity_lift_at_k",
    "precision_at_k",
    "rank_metrics",
    "ranking_scorer",
    "rating_errors",
    "rating_scorer",
    "recall_at_k",
    "reciprocal_rank_at_k",
    "serendipity_at_k",
]
