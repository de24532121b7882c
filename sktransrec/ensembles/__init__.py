# SPDX-License-Identifier: BSD-3-Clause
"""Ensembles: recommenders that combine others, or choose between them."""

from ._content_members import content_members
from ._discounted import DiscountedRecommender
from ._gate import TransferGate
from ._selector import SourceSelectorRecommender
from ._stacking import StackingRecommender
from ._switching import SwitchingRecommender
from ._voting import VotingRecommender

__all__ = [
    "DiscountedRecommender",
    "SourceSelectorRecommender",
    "StackingRecommender",
    "SwitchingRecommender",
    "TransferGate",
    "VotingRecommender",
    "content_members",
]
