# SPDX-License-Identifier: BSD-3-Clause
"""Aligners: move the features of the target so that a model of the source can read them."""

from ._alignment import CORALAligner, ProcrustesAligner
from ._mmd import MMDAligner

__all__ = ["CORALAligner", "MMDAligner", "ProcrustesAligner"]
