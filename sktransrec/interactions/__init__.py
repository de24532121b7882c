"""Interactions: event logs to matrices and sequences, two domains aligned, rows split in two."""

from ._cross_listed import cross_listed_mask, find_cross_listed
from ._encoder import InteractionEncoder
from ._holdout import holdout_after, holdout_last, holdout_random

__all__ = [
    "InteractionEncoder",
    "cross_listed_mask",
    "find_cross_listed",
    "holdout_after",
    "holdout_last",
    "holdout_random",
]
