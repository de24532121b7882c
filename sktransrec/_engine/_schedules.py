# SPDX-License-Identifier: BSD-3-Clause
"""How the learning rate changes from epoch to epoch."""

from typing import NamedTuple

import numpy as np

SCHEDULES = ("adaptive", "constant", "cosine")

# What "adaptive" divides the rate by: scikit-learn's number.
_CUT = 5


class LearningRates(NamedTuple):
    """The learning rate of each epoch; see the parameters of `NetworkLearner`."""

    learning_rate: float
    schedule: str
    warmup_epochs: int
    epochs: int
    patience: int

    def after(self, losses):
        """Return the rate of the epoch that follows those with the given losses."""
        epoch = len(losses)
        share = min(1, (epoch + 1) / (self.warmup_epochs + 1))
        if self.schedule == "cosine":
            share *= self._cosine(epoch)
        elif self.schedule == "adaptive":
            share *= float(_CUT) ** -n_stalls(losses, -(-self.patience // 2))
        return self.learning_rate * share

    def _cosine(self, epoch):
        """Return the share of the rate that half a cosine leaves, that of the last epoch after it.

        It is above 0, so that training can go on.
        """
        n_epochs = self.epochs - self.warmup_epochs
        progress = np.clip(epoch - self.warmup_epochs, 0, n_epochs - 1) / n_epochs
        return float(1 + np.cos(np.pi * progress)) / 2


def n_stalls(losses, n_epochs):
    """Return how many times so many epochs in a row had no loss below all before."""
    best, n_worse, n_stalls = np.inf, 0, 0
    for loss in losses:
        if loss < best:
            best, n_worse = loss, 0
        else:
            n_worse += 1
            n_stalls += n_worse % n_epochs == 0
    return n_stalls
