# SPDX-License-Identifier: BSD-3-Clause
"""Networks that learn from two domains together."""

from ._cross_domain_autoencoder import CrossDomainAutoencoderRecommender
from ._two_tower import TwoTowerAutoencoderRecommender

__all__ = ["CrossDomainAutoencoderRecommender", "TwoTowerAutoencoderRecommender"]
