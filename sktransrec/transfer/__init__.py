"""Transfer: what one domain teaches about another."""

from ._bridge import BridgeRecommender
from ._collective import CollectiveMFRecommender

__all__ = ["BridgeRecommender", "CollectiveMFRecommender"]
