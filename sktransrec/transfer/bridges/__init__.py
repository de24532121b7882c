# SPDX-License-Identifier: BSD-3-Clause
"""Bridges: regressions from the factors of one domain to those of another."""

from ._bridge import BridgeRecommender
from ._procrustes import ProcrustesRegressor

__all__ = ["BridgeRecommender", "ProcrustesRegressor"]
