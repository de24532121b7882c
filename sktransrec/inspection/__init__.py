# SPDX-License-Identifier: BSD-3-Clause
"""Why an item is recommended, and results of the package as pictures."""

from ._displays import ModelComparisonDisplay, TransferGainDisplay, TransferLearningCurveDisplay
from ._explain import Explanation, explain
from ._metric_displays import MetricCurveDisplay, TradeOffDisplay
from ._model_displays import ExplanationDisplay, ItemMapDisplay, LossCurveDisplay
from ._trace import Trace, trace

__all__ = [
    "Explanation",
    "ExplanationDisplay",
    "ItemMapDisplay",
    "LossCurveDisplay",
    "MetricCurveDisplay",
    "ModelComparisonDisplay",
    "Trace",
    "TradeOffDisplay",
    "TransferGainDisplay",
    "TransferLearningCurveDisplay",
    "explain",
    "trace",
]
