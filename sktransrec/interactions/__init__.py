# SPDX-License-Identifier: BSD-3-Clause
"""Event logs to matrices and sequences, two logs brought together, interactions held out."""

from ._alignment import AlignedDomains, OverlapReport, align_domains
from ._cross_listed import cross_listed_mask, find_cross_listed
from ._encoder import InteractionEncoder
from ._holdout import holdout_after, holdout_last, holdout_random
from ._stacking import StackedDomains, stack_domains
from ._steps import history_steps

__all__ = [
    "AlignedDomains",
    "InteractionEncoder",
    "OverlapReport",
    "StackedDomains",
    "align_domains",
    "cross_listed_mask",
    "find_cross_listed",
    "history_steps",
    "holdout_after",
    "holdout_last",
    "holdout_random",
    "stack_domains",
]
