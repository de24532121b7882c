# SPDX-License-Identifier: BSD-3-Clause
"""Types of what the public functions take."""

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from numpy.typing import ArrayLike
from scipy.sparse import sparray, spmatrix

# Anything that scikit-learn reads as a matrix, data frames included.
MatrixLike: TypeAlias = ArrayLike | sparray | spmatrix
# scikit-learn has no types: a recommender, transformer, pipeline or search.
Estimator: TypeAlias = Any
# A decorator that takes and returns it keeps the types of what it decorates.
Function = TypeVar("Function", bound=Callable[..., Any])
Class = TypeVar("Class", bound=type[Any])
