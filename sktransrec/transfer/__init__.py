"""Transfer: what one domain teaches about another."""

from ._bridge import BridgeRecommender

__all__ = ["BridgeRecommender"]
