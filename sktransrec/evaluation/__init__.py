# SPDX-License-Identifier: BSD-3-Clause
"""Measure whether transfer helps, and how close a source is to the target."""

from ._compare import ModelComparison, compare
from ._gain import TransferGain, transfer_gain
from ._learning_curve import TransferLearningCurve, transfer_learning_curve
from ._paired import GainEstimate, PairedDifference
from ._protocols import ColdItems, GlobalTime, HeldOutInteractions, KShot, LastOneOut, NewUsers
from ._source_scores import SourceScore, proxy_a_distance

__all__ = [
    "ColdItems",
    "GainEstimate",
    "GlobalTime",
    "HeldOutInteractions",
    "KShot",
    "LastOneOut",
    "ModelComparison",
    "NewUsers",
    "PairedDifference",
    "SourceScore",
    "TransferGain",
    "TransferLearningCurve",
    "compare",
    "proxy_a_distance",
    "transfer_gain",
    "transfer_learning_curve",
]
