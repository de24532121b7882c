"""From the factors of rows in one domain to those in another."""

from ._bridge import BridgeRecommender
from ._procrustes import ProcrustesRegressor

__all__ = [
    "BridgeRecommender",
    "ProcrustesRegressor",
]
