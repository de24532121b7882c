# SPDX-License-Identifier: BSD-3-Clause
"""Training a network on histories: which item follows which."""

import numpy as np
from sklearn.utils import gen_batches

from .._engine._learner import NetworkLearner
from .._engine._objectives import StepTargets
from .._histories import ends_in_new_item, last_items, latest, seen_items, windows, without_last
from .._numerics._entries import one_in_each_row
from .._recommend import mask_stored, row_blocks
from .._validation import FROM_0_TO_1
from ..metrics import rank_metrics

# Rows are sorted by length within pools of this many batches, to compute little padding.
_POOL_BATCHES = 32


class HistoryLearner(NetworkLearner):
    """Mixin of recommenders whose network has an item table and a code at each step of a history.

    A subclass has the parameters of `NetworkLearner`, `n_negatives` and `negative_exponent`. It
    sets `n_items_` and `_max_length`, the number of steps that its network reads.
    """

    _parameter_constraints: dict = {"validation_fraction": FROM_0_TO_1}

    def _held_out(self, trainer, X, y, validation_fraction):
        """Hold out the last items of some rows; the rest of these rows stays in training."""
        held_out, _ = self._split(len(X), validation_fraction)
        held_out = held_out[ends_in_new_item(X[held_out])]
        X, validation = X.copy(), X[held_out]
        columns = last_items(validation) - 1
        validation = without_last(validation)
        X[held_out] = validation
        X = windows(X, self._max_length + 1)
        if not len(X):
            raise ValueError(
                f"validation_fraction={validation_fraction} holds out every item that follows "
                "another, so there is no next item to learn: pass longer histories or a "
                "smaller validation_fraction."
            )

        def validation_loss():
            return 1 - self._ndcg(trainer, validation, columns)

        return X, np.arange(len(X)), validation_loss if len(held_out) else None

    def _ndcg(self, trainer, X, columns):
        """Return the mean NDCG@10 of the next item of each row, ranked among all unseen items."""
        table = trainer.network.terms["output"].layer
        item_factors, bias = table.vectors().numpy(), table.bias.numpy()
        ranks = np.empty(len(X))
        by_length = np.argsort(np.count_nonzero(X, axis=1), kind="stable")
        for rows in map(by_length.__getitem__, row_blocks(len(X), self.n_items_)):
            codes = trainer.forward("encoder", self._inputs("encoder", X[rows]))
            scores = codes @ item_factors.T
            scores += bias
            own_scores = np.take_along_axis(scores, columns[rows, None], axis=1)
            mask_stored(scores, seen_items(X[rows], self.n_items_))
            n_better = np.count_nonzero(scores > own_scores, axis=1)
            n_tied = np.count_nonzero(scores == own_scores, axis=1) - 1
            ranks[rows] = 1 + n_better + n_tied / 2
        return rank_metrics(ranks, k=10)["ndcg"][0]

    def _row_batches(self, X, rows):
        """Return batches of histories of about the same length, in random order."""
        lengths = np.count_nonzero(X, axis=1)
        order = self._rng.permutation(rows)
        pools = gen_batches(len(order), self.batch_size * _POOL_BATCHES)
        pools = [order[pool][np.argsort(lengths[order[pool]], kind="stable")] for pool in pools]
        batches = [
            pool[batch] for pool in pools for batch in gen_batches(len(pool), self.batch_size)
        ]
        return [batches[i] for i in self._rng.permutation(len(batches))]

    def _batch(self, X, y, rng, progress):
        histories = latest(X, X.shape[1])
        following = histories[:, 1:]
        # Each row without its last item, as in use: positions are counted from the end.
        inputs = np.where(following > 0, histories[:, :-1], 0)
        rows, steps = np.nonzero(following)
        columns = following[rows, steps] - 1
        steps = (rows * inputs.shape[1] + steps).astype(np.int32)
        if rng is not None and self.n_negatives is not None:
            return [inputs], {"output": self._sampler.targets(columns, steps, rng)}
        values = one_in_each_row(columns, self.n_items_)
        return [inputs], {"output": StepTargets(values, steps)}

    def _inputs(self, part, rows):
        return latest(rows, self._max_length)
