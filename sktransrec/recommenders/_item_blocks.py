# SPDX-License-Identifier: BSD-3-Clause
"""Items in one space of factors, where some of the factors do not come from the factor model."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class _Block(NamedTuple):
    """Items whose factors are not those of the factor model, and the path that serves them."""

    columns: np.ndarray | slice
    path: str
    factors: np.ndarray
    bias: np.ndarray


class ItemBlocksMixin:
    """Mixin for factor recommenders that replace the factors of some items of a factor model.

    A subclass sets the fitted factor model ``_model``, sets ``_blocks`` to an empty tuple and, if
    it adds items by "popularity", sets ``_mean_row`` to the factors of the mean row. It implements
    ``_row_factors(X)``. The factors of the model are never copied.
    """

    n_items_: int
    _model: Any

    @property
    def _n_features_out(self):
        return self._model.item_factors_.shape[1]

    @property
    def item_factors_(self) -> NDArray[np.float32]:
        return self._of_all_items(self._model.item_factors_, "factors")

    @property
    def item_bias_(self) -> NDArray[np.float32] | None:
        bias = getattr(self._model, "item_bias_", None)
        if bias is None:
            if not any(block.bias.any() for block in self._blocks):
                return None
            bias = np.zeros(len(self._model.item_factors_), dtype=np.float32)
        return self._of_all_items(bias, "bias")

    @property
    def item_paths_(self) -> NDArray[np.str_]:
        own = np.full(len(self._model.item_factors_), "factors", dtype="<U10")
        return self._of_all_items(own, "path")

    def _own_targets(self):
        """Return the factors of the model, with its bias as the last column if it has one."""
        bias = getattr(self._model, "item_bias_", None)
        factors = self._model.item_factors_
        return factors if bias is None else np.column_stack([factors, bias])

    def _add_block(self, columns, path, targets, bias=0.0):
        """Serve items by targets (factors, then a bias if there is one); add to their bias."""
        n_components = self._n_features_out
        bias = targets[:, n_components:].sum(axis=1) + np.float32(bias)
        block = _Block(columns, path, targets[:, :n_components], bias)
        self._blocks = (*self._blocks, block)

    def _of_all_items(self, own, name):
        """Return an array of all items: `own` for the model's items, replaced by the blocks."""
        if not self._blocks:
            return own
        of_all = np.empty((self.n_items_, *own.shape[1:]), dtype=own.dtype)
        of_all[: len(own)] = own
        for block in self._blocks:
            of_all[block.columns] = getattr(block, name)
        return of_all

    def _score_rows(self, X):
        row_factors = self._row_factors(X)
        scores = np.empty((X.shape[0], self.n_items_), dtype=np.float32)
        own = scores[:, : len(self._model.item_factors_)]
        np.matmul(row_factors, self._model.item_factors_.T, out=own)
        bias = getattr(self._model, "item_bias_", None)
        if bias is not None:
            own += bias
        for block in self._blocks:
            scores[:, block.columns] = self._block_scores(block, row_factors, own)
        return scores

    def _block_scores(self, block, row_factors, own):
        if block.path == "excluded":
            return own.min(axis=1, keepdims=True)
        if block.path == "popularity":
            row_factors = self._mean_row
        return row_factors @ block.factors.T + block.bias

    def _score_parts(self, X):
        of_factors = self._row_factor_parts(X)
        if of_factors is None:
            return None
        parts = np.zeros((len(of_factors), self.n_items_))
        parts[:, : len(self._model.item_factors_)] = of_factors @ self._model.item_factors_.T
        for block in self._blocks:
            reads_row = block.path in ("blend", "content")
            parts[:, block.columns] = of_factors @ block.factors.T if reads_row else 0
        return parts

    @property
    def withheld_items_(self) -> NDArray[np.bool_] | None:
        if not any(block.path == "excluded" for block in self._blocks):
            return None
        is_withheld = np.zeros(self.n_items_, dtype=bool)
        for block in self._blocks:
            is_withheld[block.columns] = block.path == "excluded"
        return is_withheld
