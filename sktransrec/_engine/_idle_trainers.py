# SPDX-License-Identifier: BSD-3-Clause
"""Trainers of finished fits, so that the next fit of the same network need not build its own.

To build and compile a small network takes longer than to train it. A search over learning rates or
numbers of epochs with an integer `random_state` does it once in each process.
"""

import json
import threading

# How many wait at most: the latest ones.
_N_TRAINERS = 16


class IdleTrainers:
    """Trainers that wait to be taken, each by one fit at a time, behind their keys."""

    def __init__(self):
        self._trainers = []
        self._lock = threading.Lock()

    def take(self, settings):
        """Return a trainer of these settings, as it was before its first step, or None."""
        key = _key(settings)
        with self._lock:
            places = [i for i, (other, _) in enumerate(self._trainers) if other == key]
            if key is None or not places:
                return None
            _, trainer = self._trainers.pop(places[-1])
        trainer.start_anew(settings.learning_rate)
        return trainer

    def keep(self, trainer):
        """Let a trainer wait, unless its network is large or has what other fits cannot share."""
        key = _key(trainer.settings)
        if trainer.can_start_anew and key is not None:
            with self._lock:
                self._trainers = [*self._trainers, (key, trainer)][-_N_TRAINERS:]

    def clear(self):
        """Let all trainers go."""
        self._trainers = []


def _key(settings):
    """Return a key that trainers of the same steps share; None if that cannot be told."""
    if settings.fine_tuning:
        return None
    others = settings._replace(build=None, learning_rate=None)
    try:
        return settings.build, json.dumps(others, sort_keys=True)
    except TypeError:  # of arrays, such as features of items
        return None
