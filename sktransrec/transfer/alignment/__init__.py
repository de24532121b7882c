"""Content features of several domains brought together."""

from ._alignment import CORALAligner, ProcrustesAligner
from ._mmd import MMDAligner

__all__ = [
    "CORALAligner",
    "MMDAligner",
    "ProcrustesAligner",
]
