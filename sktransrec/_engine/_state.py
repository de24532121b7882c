# SPDX-License-Identifier: BSD-3-Clause
"""The fitted state of a network, which needs no TensorFlow to run."""

import contextlib
import json
import os
import sys

from .._extras import asks_to_install
from ._network import Network
from ._served_network import ServedNetwork

_INSTALL = (
    "Training a network needs TensorFlow, Keras and scikeras: pip install tensorflow scikeras. A "
    "fitted model runs without them."
)
# The process in which TensorFlow was started; a fork takes it over as it is.
_process_of_tensorflow = None


def engine():
    """Return the module that trains networks, with TensorFlow imported."""
    global _process_of_tensorflow
    from . import _keras

    if _process_of_tensorflow not in (None, os.getpid()):
        raise RuntimeError(
            f"TensorFlow was started in process {_process_of_tensorflow}, of which this one "
            f"({os.getpid()}) is a fork: a training would wait for ever for threads that a fork "
            "leaves behind. Train in a process that starts anew, as joblib's default backend "
            '"loky" and multiprocessing.get_context("spawn") make them, or fork before the first '
            "network is trained."
        )
    silence = contextlib.nullcontext if "tensorflow" in sys.modules else _silent_stderr
    with silence(), asks_to_install(_INSTALL):
        _keras.import_tensorflow()
    _keras.check_backend()
    _process_of_tensorflow = os.getpid()
    return _keras


@contextlib.contextmanager
def _silent_stderr():
    """Discard what C++ writes to the standard error of the process.

    TensorFlow logs a few lines while it is imported, before any level of logging applies.
    """
    try:
        stderr = os.dup(2)
    except OSError:  # the process has no standard error
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


class FittedNetwork:
    """A network as JSON and numpy arrays.

    Parameters
    ----------
    config : str
        The `config` of a `Network`.
    weights : dict of str to ndarray
        The weights by the path of each, such as "code/kernel".
    item_axes : dict of str to int
        Those of the `Network`.
    optimizer_state : dict of str to ndarray, default=None
        The variables of the optimizer, where training may go on from here.
    trainer : NetworkTrainer, default=None
        The live trainer in that very state; it is not pickled.
    """

    def __init__(self, config, weights, item_axes, optimizer_state=None, trainer=None):
        self.config = config
        self.weights = weights
        self.item_axes = item_axes
        self.optimizer_state = optimizer_state
        self._trainer = trainer
        self._network = None
        self._served = None

    def __getstate__(self):
        return {**vars(self), "_trainer": None, "_network": None, "_served": None}

    def take_trainer(self):
        """Return the live trainer or None; it leaves this state, since training changes it."""
        trainer, self._trainer = self._trainer, None
        return trainer

    @property
    def network(self):
        """The network as a live `Network`, a copy of its own."""
        engine()
        if self._network is None:
            self._network = Network.from_config(self.config)
            self._network.assign(self.weights)
        return self._network

    def changed(self, layer, settings, weights):
        """Return this network with other settings of a layer, and some weights by path."""
        config = json.loads(self.config)
        for each in config["model"]["layers"]:
            if each["name"] == layer:
                each["config"].update(settings)
        weights = {**self.weights, **weights}
        return FittedNetwork(json.dumps(config), weights, self.item_axes)

    @property
    def served(self):
        """The network in numpy, as a `ServedNetwork`."""
        if self._served is None:
            self._served = ServedNetwork(self.config, self.weights)
        return self._served
