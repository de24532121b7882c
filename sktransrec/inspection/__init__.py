"""Why an item is recommended, and results of the package as pictures."""

from ._displays import ModelComparisonDisplay, TransferGainDisplay, TransferLearningCurveDisplay
from ._explain import Explanation, explain

__all__ = [
    "Explanation",
    "ModelComparisonDisplay",
    "TransferGainDisplay",
    "TransferLearningCurveDisplay",
    "explain",
]
