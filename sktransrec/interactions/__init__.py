"""Interactions: event logs to matrices and sequences, two domains aligned, rows split in two."""

from ._encoder import InteractionEncoder
from ._holdout import holdout_after, holdout_last, holdout_random

__all__ = ["InteractionEncoder", "holdout_after", "holdout_last", "holdout_random"]
