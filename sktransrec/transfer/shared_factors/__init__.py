# SPDX-License-Identifier: BSD-3-Clause
"""Models whose factors or clusters are shared by several domains."""

from ._codebook import CodebookRecommender
from ._collective import CollectiveMFRecommender

__all__ = ["CodebookRecommender", "CollectiveMFRecommender"]
