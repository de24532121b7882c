# SPDX-License-Identifier: BSD-3-Clause
"""Files from which an interrupted training goes on."""

import copy
from pathlib import Path

import joblib
import scipy.sparse as sp

from ..persistence import load, save


class Checkpoint:
    """The file of a training, with its state after the last finished epoch.

    Parameters
    ----------
    folder : str or Path
        Where the file is; made if it is not there.
    what : object
        All that the result of the training depends on. Trainings that differ in it have files of
        their own.
    rng : RandomState
        What the training draws from, as it is before its first draw.
    seed_of_weights : int
        The seed of its first weights.

    Attributes
    ----------
    rng, seed_of_weights : RandomState, int
        Those that the training of the file has begun with; without a file, those that were passed.
    """

    def __init__(self, folder, what, rng, seed_of_weights):
        if Path(folder).is_file():
            raise NotADirectoryError(
                f"checkpoint_folder={str(folder)!r} is a file: pass a folder, which need not exist."
            )
        self._path = Path(folder) / f"{joblib.hash(_without_flags(what))}.checkpoint"
        self._start = {"rng": copy.deepcopy(rng), "seed_of_weights": seed_of_weights}
        self._rng_after = None
        self._state = None
        if self._path.exists():
            saved = load(self._path)
            self._start, self._rng_after = saved["start"], saved["rng"]
            self._state = saved["trainer"]
        self.rng = copy.deepcopy(self._start["rng"])
        self.seed_of_weights = self._start["seed_of_weights"]

    def resume(self):
        """Return the state of the trainer after its last epoch; None if there was none.

        What the training draws from is then as it was after that epoch.
        """
        if self._state is not None:
            self.rng.set_state(self._rng_after.get_state())
        return self._state

    def save(self, state):
        """Write the state of the trainer after an epoch."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        save({"start": self._start, "rng": self.rng, "trainer": state}, self._path)

    def remove(self):
        """Remove the file of a training that has ended."""
        self._path.unlink(missing_ok=True)


def _without_flags(what):
    """Return values with sparse matrices as their arrays: scipy keeps flags in the matrices."""
    if isinstance(what, list):
        return [_without_flags(each) for each in what]
    return [what.shape, what.data, what.indices, what.indptr] if sp.issparse(what) else what
