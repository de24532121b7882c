"""Why an item is recommended, and results of the package as pictures."""

from ._displays import ModelComparisonDisplay, TransferGainDisplay, TransferLearningCurveDisplay
from ._explain import Explanation, explain
from ._trace import Trace, trace

__all__ = [
    "Explanation",
    "ModelComparisonDisplay",
    "Trace",
    "TransferGainDisplay",
    "TransferLearningCurveDisplay",
    "explain",
    "trace",
]
